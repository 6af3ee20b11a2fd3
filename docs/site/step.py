# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""What a chapter changes in the chapter before it, word by word, as HTML."""

import re
from difflib import SequenceMatcher
from html import escape

from code import colour_c
from contents import ROOT

CONTEXT = 4  # lines that are the same, shown around those that are not
WORD = re.compile(r"\w+|\s+|[^\w\s]")


def sources(chapter):
    """{name: lines} of what makes the program; the lesson is no part of it."""
    folder = ROOT / "chapters" / chapter
    paths = [folder / "Makefile", *folder.rglob("*.[ch]")]
    return {str(path.relative_to(folder)): path.read_text().splitlines()
            for path in sorted(paths)}


def words(old, new):
    """One line that became another: what went and what came within it."""
    before, after = WORD.findall(old), WORD.findall(new)
    went, came = [], []
    for what, a, b, c, d in SequenceMatcher(None, before, after,
                                            False).get_opcodes():
        gone, added = "".join(before[a:b]), "".join(after[c:d])
        if what == "equal":
            went.append(escape(gone))
            came.append(escape(added))
        else:
            went.append(f"<del>{escape(gone)}</del>" if gone else "")
            came.append(f"<ins>{escape(added)}</ins>" if added else "")
    return "".join(went), "".join(came)


class Table:
    """Lines of a file: the number before, the number now, a sign, the text."""

    def __init__(self):
        self.rows = []

    def row(self, kind, before, after, html):
        sign = {"went": "-", "came": "+", "same": " "}[kind]
        say = {"went": "removed", "came": "added", "same": ""}[kind]
        self.rows.append(
            f'<tr class="{kind}"><td class="number">{before or ""}</td>'
            f'<td class="number">{after or ""}</td><td class="sign">{sign}'
            f'<span class="unseen">{say}</span></td><td><code>{html}</code>'
            "</td></tr>")

    def gap(self, count, where):
        inside = f" in <code>{escape(where)}</code>" if where else ""
        self.rows.append(f'<tr class="gap"><td colspan="4">{count} lines the '
                         f"same{inside}</td></tr>")

    def html(self, name):
        return ('<div class="wide" tabindex="0" role="region" '
                f'aria-label="The lines of {escape(name)}">'
                '<table class="step"><thead class="unseen"><tr>'
                '<th scope="col">line before</th><th scope="col">line now</th>'
                '<th scope="col">change</th><th scope="col">text</th></tr>'
                f'</thead><tbody>{"".join(self.rows)}</tbody></table></div>')


def pairs(old, new):
    """Lines that were replaced: which became which, in order."""
    best = []  # of each pair of lines that are alike
    for i, a in enumerate(old):
        for j, b in enumerate(new):
            alike = SequenceMatcher(None, a.strip(), b.strip(), False)
            if alike.real_quick_ratio() > 0.6 and alike.quick_ratio() > 0.6 \
                    and alike.ratio() > 0.6:
                best.append((alike.ratio(), i, j))
    chosen = []
    for _, i, j in sorted(best, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if all((i < k) == (j < m) and i != k and j != m for k, m in chosen):
            chosen.append((i, j))
    return sorted(chosen)


def replaced(table, old, new, a, c):
    """Lines a.. of the old file and c.. of the new, where both differ."""
    i = j = 0
    alike = pairs(old, new) if len(old) * len(new) < 3000 else []
    for k, m in [*alike, (len(old), len(new))]:
        for n in range(i, k):
            table.row("went", a + n + 1, None, escape(old[n]))
        for n in range(j, m):
            table.row("came", None, c + n + 1, escape(new[n]))
        if k < len(old):
            went, came = words(old[k], new[m])
            table.row("went", a + k + 1, None, went)
            table.row("came", None, c + m + 1, came)
        i, j = k + 1, m + 1


def function_at(lines, number):
    """The line that begins the function in which a line stands."""
    for line in reversed(lines[:number]):
        if re.match(r"[A-Za-z_].*[(,]", line) and not line.endswith(":"):
            return line.rstrip("{ ")
        if line.startswith("}"):
            break
    return ""


def changed(name, old, new):
    """(html, added, removed) of a file that is in both."""
    table = Table()
    added = removed = 0
    steps = SequenceMatcher(None, old, new, False).get_opcodes()
    for place, (what, a, b, c, d) in enumerate(steps):
        if what != "equal":
            added += d - c
            removed += b - a
            replaced(table, old[a:b], new[c:d], a, c)
            continue
        head = 0 if place == 0 else CONTEXT
        tail = 0 if place == len(steps) - 1 else CONTEXT
        hidden = (b - a) - head - tail
        for n in range(b - a):
            if hidden > 3 and head <= n < head + hidden:
                if n == head:
                    table.gap(hidden, function_at(new, c + head + hidden)
                              if tail else "")
                continue
            table.row("same", a + n + 1, c + n + 1, escape(new[c + n]))
    return table.html(name), added, removed


def whole(name, kind, lines):
    """A file that is new, or gone."""
    table = Table()
    text = colour_c("\n".join(lines)).split("\n") if name != "Makefile" \
        else [escape(line) for line in lines]
    for number, line in enumerate(text, 1):
        table.row(kind, number if kind == "went" else None,
                  number if kind == "came" else None, line)
    return table.html(name)


def step(before, after):
    """The body of the page that shows the step from a chapter to the next."""
    old, new = sources(before), sources(after)
    rows, files = [], []
    for name in sorted({*old, *new}, key=lambda n: (n == "Makefile", n)):
        anchor = re.sub(r"\W", "-", name)
        added = removed = 0
        link = f'<a href="#{anchor}"><code>{name}</code></a>'
        if name not in old:
            state, added = "new", len(new[name])
            shown = whole(name, "came", new[name])
        elif name not in new:
            state, removed = "gone", len(old[name])
            shown = whole(name, "went", old[name])
        elif old[name] == new[name]:
            state, shown, link = "same", "", f"<code>{name}</code>"
        else:
            state = "changed"
            shown, added, removed = changed(name, old[name], new[name])
        rows.append(f'<tr><td>{link}</td><td>{state}</td>'
                    f'<td class="count">{added or ""}</td>'
                    f'<td class="count">{removed or ""}</td></tr>')
        if shown:
            body = shown if state != "gone" else \
                f"<details><summary>What it was</summary>{shown}</details>"
            files.append(f'<h2 id="{anchor}"><code>{name}</code>: {state}'
                         f"</h2>{body}")
    return (
        '<div class="wide"><table class="markdownTable files"><thead><tr>'
        '<th scope="col">file</th><th scope="col">since the chapter before</th>'
        '<th scope="col">lines added</th><th scope="col">lines removed</th>'
        f'</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
        '<p>A line that goes has a <code>-</code>, one that comes a '
        "<code>+</code>; where a line only changed, the words that differ are "
        "marked within it. Comments and blank lines are counted here.</p>"
        + "".join(files))

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""What pages show that is made from the code: a line `@made: NAME@` in a page
is replaced by what NAME of MAKERS gives, Markdown or HTML."""

import json
import re
import subprocess
from html import escape
from tempfile import TemporaryDirectory
from urllib.request import ProxyHandler, build_opener

from contents import FLOORS, ROOT

FINAL = ROOT / "final"


def preprocessed(header, lines):
    """What the C preprocessor makes of some lines behind a header of final."""
    code = f'#include "{header}"\n' + "\n".join(lines)
    return subprocess.run(["cc", "-E", "-P", "-Ifinal", "-"], cwd=ROOT,
                          input=code, capture_output=True, text=True,
                          check=True).stdout


def state_rows():
    """(name, setting of its limit, words, names it leads to) of each state."""
    text = preprocessed("proxy/state.h", [
        "#define TO(x) x",
        "#define X(state, limit, words, next) @@ state ; limit ; words ; next",
        "SESSION_STATES(X)"])
    rows = []
    for row in text.split("@@")[1:]:
        name, limit, words, following = (part.strip()
                                         for part in row.split(";"))
        rows.append((name, limit, words.strip('"'),
                     re.findall(r"[A-Z_]+", following)))
    return rows


def dot(graph, alt):
    """A picture by graphviz, in colours that follow the page."""
    svg = subprocess.run(["dot", "-Tsvg"], input=graph, capture_output=True,
                         text=True, check=True).stdout
    svg = svg[svg.index("<svg"):]
    svg = re.sub(r"<title>.*?</title>", "", svg)
    svg = re.sub(r'<polygon fill="(white|none)" stroke="(transparent|none)"'
                 r'[^>]*/>', "", svg, count=1)
    svg = svg.replace('"black"', '"currentColor"')
    svg = re.sub(r"<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', svg,
                 count=1)
    svg = re.sub(r"<text ", '<text fill="currentColor" ', svg)
    return f'\n<p class="picture">\n{svg.strip()}\n</p>\n'.replace("\n\n", "\n")


def row_of_setting(field):
    """(flag, default) of a setting, from the table that the program reads."""
    text = preprocessed("base/settings.h", [
        "#define X(field, kind, key, flag, initial, range, help) "
        "@@ field ; flag ; initial",
        "SETTINGS(X)"])
    for row in text.split("@@")[1:]:
        name, flag, initial = (part.strip() for part in row.split(";"))
        if name == field:
            return flag.strip('"'), initial.strip('"')
    raise KeyError(field)


def state_picture():
    rows = [row for row in state_rows() if row[3]]  # all but the last
    names = [row[0] for row in rows]
    nodes = [f'{name} [label="{name}\\n{words}"]' for name, _, words, _ in rows]
    edges = []
    for at, (name, _, _, following) in enumerate(rows):
        for to in following:
            if to not in names:
                continue
            if names.index(to) < at:  # back: again, or the next request
                look = "style=dashed"
            elif to == "ANSWER":
                look = "style=dotted"
            else:
                look = "weight=8"
            edges.append(f"{name} -> {to} [{look}]")
    return dot(
        'digraph { rankdir=TB; bgcolor="transparent"; nodesep=0.2; '
        'ranksep=0.4; node [shape=box, style=rounded, fontname="Helvetica", '
        'fontsize=15]; edge [arrowsize=0.7];' + ";".join(nodes + edges) + "}",
        "The states of a session and where each may lead; the table below says "
        "the same")


def state_table():
    lines = ["| state | a session is there while | at most | then it may go to |",
             "|---|---|---|---|"]
    for name, limit, words, following in state_rows():
        flag, initial = row_of_setting(limit)
        lines.append(f"| `{name}` | {words} | `--{flag}` ({initial}) | "
                     + (", ".join(f"`{to}`" for to in following) or "the end")
                     + " |")
    return "\n".join(lines)


def briefs(floor):
    """(file, @brief) of each header of a floor."""
    found = []
    for path in sorted((FINAL / floor).glob("*.h")):
        brief = re.search(r"@brief\s+(.*?)\n \*(?:\n|/)", path.read_text(),
                          re.S)
        words = re.sub(r"\s*\n \* ?", " ", brief[1]).strip() if brief else ""
        found.append((path, words))
    return found


def floor_files(floor):
    lines = ["| file | what it promises |", "|---|---|"]
    for path, words in briefs(floor):
        lines.append(f"| [{path.name}](/final/{floor}/{path.name}) | "
                     f"{words.replace('|', chr(92) + '|')} |")
    alone = [path for path in sorted((FINAL / floor).glob("*.c"))
             if not path.with_suffix(".h").exists()]
    if alone:
        lines += ["", "Behind these promises stand, besides the `.c` of the same "
                  "name, " + ", ".join(
                      f"[{path.name}](/final/{floor}/{path.name})"
                      for path in alone) + "."]
    return "\n".join(lines)


def includes():
    """{floor: floors it includes from}."""
    found = {floor: set() for floor in FLOORS}
    for floor in FLOORS:
        for path in (FINAL / floor).glob("*.[ch]"):
            for other in re.findall(r'^#include "(\w+)/', path.read_text(),
                                    re.M):
                if other != floor:
                    found[floor].add(other)
    return found


def floor_picture():
    edges = [f"{floor} -> {other}" for floor, others in includes().items()
             for other in sorted(others)]
    return dot(
        'digraph { bgcolor="transparent"; rankdir=TB; '
        'node [shape=box, style=rounded, fontname="Helvetica", fontsize=12, '
        'width=1.6]; edge [arrowsize=0.7];' + ";".join(
            [*(f'{floor} [label="{floor}/"]' for floor in FLOORS), *edges])
        + "}", "Which floor includes files of which: all arrows go down")


def configuration():
    return subprocess.run(["final/steelyard", "--print-reference=markdown"],
                          cwd=ROOT, capture_output=True, text=True,
                          check=True).stdout


def access_words():
    """What can stand behind a backend in the access log."""
    code = (FINAL / "proxy/retry.c").read_text()
    body = code[code.index("*attempt_words("):]
    body = body[:body.index("\n}")]
    return {"served", *re.findall(r'return "(\w+)"', body)}


def access_keys():
    """The keys of a line of JSON, in their order."""
    code = (FINAL / "proxy/access.c").read_text()
    packs = code[code.index("tries_json("):code.index("length = json")]
    return re.findall(r'"([a-z_]+)"', packs)


def table_must_have(lines, wanted, what):
    """A table written by hand must have a row for all that the code has."""
    told = set(re.findall(r"^\| `(\w+)`", lines, re.M))
    if told != set(wanted):
        raise SystemExit(f"docs/log.md: {what}: the code has "
                         f"{sorted(set(wanted) - told)} that the page has not, "
                         f"the page {sorted(told - set(wanted))} that the code "
                         "has not")


def c_text(literals):
    """What literals of C stand for, one behind the other; a macro of
    <inttypes.h> between them is a conversion."""
    literals = re.sub(r"\bPRI\w+", '"d"', literals)
    return "".join(re.findall(r'"((?:\\.|[^"\\])*)"', literals))


def events():
    """All that may be told as an event: level and words, from the calls."""
    literals = r'((?:(?:"(?:\\.|[^"\\])*"|PRI\w+)\s*)+)'
    rows = []
    for path in sorted(FINAL.rglob("*.c")):
        text = path.read_text()
        calls = [
            *re.finditer(rf"\blog_(error|warn|info)\(\s*{literals}", text),
            *re.finditer(rf"\blog_event\(\s*LOG_(ERROR|WARN|INFO),\s*"
                         rf"{literals}", text)]
        count = len(re.findall(r"\blog_(?:error|warn|info|event)\((?!enum)",
                               text))
        if count != len(calls):
            raise SystemExit(f"{path}: {count} events are told, the words of "
                             f"{len(calls)} stand in the call")
        rows += [(call[1].lower(), c_text(call[2]), path) for call in calls]
    return rows


def event_table():
    lines = ["| level | the line | told by |", "|---|---|---|"]
    order = {"error": 0, "warn": 1, "info": 2}
    for level, words, path in sorted(
            events(), key=lambda row: (order[row[0]], str(row[2]))):
        words = re.sub(r"%[-+ 0#]*[\d.*]*(?:ll|l|z|h)*[a-zA-Z]", "…", words)
        words = words.replace("\\\"", '"').replace("%%", "%")
        where = path.relative_to(FINAL)
        lines.append(f"| {level} | `{words.replace('|', chr(92) + '|')}` | "
                     f"[{where}](/final/{where}) |")
    return "\n".join(lines)


def staircase_picture():
    """The staircase as a picture: a column for each chapter, a row each."""
    text = (ROOT / "chapters/README.md").read_text()
    table = text[text.index("<!-- staircase:begin"):
                 text.index("<!-- staircase:end")]
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")]
            for line in table.splitlines() if line.startswith("|")]
    head, rows = rows[0][1:], rows[2:]
    wide, high, top = 62, max(1.5, min(5, 600 / len(rows))), 24
    bottom = round(top + len(rows) * high)
    shapes = []
    for x, name in enumerate(head):
        shapes.append(f'<text x="{x * wide + wide / 2}" y="16" '
                      'text-anchor="middle" font-size="13" '
                      f'fill="currentColor">{name}</text>')
        count = 0
        for y, row in enumerate(rows):
            passes = row[x + 1] == "yes"
            count += passes
            began = passes and (x == 0 or row[x] != "yes")
            shapes.append(
                f'<rect x="{x * wide + 2}" y="{top + y * high:.2f}" '
                f'width="{wide - 4}" height="{high * 0.8:.2f}" fill="'
                + ("var(--primary-color)" if began else "currentColor")
                + f'" opacity="{1 if began else 0.28 if passes else 0.05}"/>')
        shapes.append(f'<text x="{x * wide + wide / 2}" '
                      f'y="{bottom + 16}" font-size="13" '
                      f'text-anchor="middle" fill="currentColor">{count}</text>')
    width, height = len(head) * wide, bottom + 24
    return (f'\n<p class="picture"><svg role="img" viewBox="0 0 {width} '
            f'{height}" width="{width}" font-family="sans-serif" aria-label="'
            f"The staircase: of {len(rows)} behaviours, each chapter has those "
            'of the chapter before and some more; below each, how many">'
            + "".join(shapes) + "</svg></p>\n")


def fill(text, _page=None):
    """A page with all that is made put in."""
    def one(match):
        name, _, value = match[1].partition(" ")
        return MAKERS[name](*([value] if value else []))
    text = re.sub(r"^@made: ([\w -]+)@$", one, text, flags=re.M)
    return text


def what_metrics_say():
    """What a steelyard that runs for that moment gives at /metrics: over a
    backend that is not there, with a certificate of its own."""
    with TemporaryDirectory() as folder:
        files = [f"{folder}/certificate.pem", f"{folder}/certificate.key"]
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-days", "30", "-subj", "/CN=localhost", "-out", files[0],
             "-keyout", files[1]], check=True, capture_output=True)
        with subprocess.Popen(
                ["final/steelyard", "--address", "127.0.0.1", "--port", "0",
                 "--tls-listen", "0", "--certificates", ":".join(files),
                 "--admin", "127.0.0.1:0", "--backends", "http://127.0.0.1:9"],
                cwd=ROOT, text=True, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL) as running:
            try:
                said = []
                while not (said and said[-1].startswith("admin on http://")):
                    said.append(running.stdout.readline())
                    if not said[-1]:
                        raise SystemExit(f"steelyard said: {''.join(said)}")
                direct = build_opener(ProxyHandler({}))
                with direct.open(said[-1].split()[2] + "/metrics",
                                 timeout=30) as answer:
                    return answer.read().decode()
            finally:
                running.kill()


def all_metrics():
    """(name, type, help, labels) of each metric, as a steelyard says them."""
    text = what_metrics_say()
    in_code = re.findall(r'"([a-z_]+_(?:total|seconds|bytes|info))"',
                         (FINAL / "control/metrics.c").read_text())
    if missing := [name for name in in_code
                   if f"# HELP steelyard_{name} " not in text]:
        raise SystemExit(f"docs/metrics.md: steelyard did not tell {missing}")
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M))
    for name, words in re.findall(r"^# HELP (\w+) (.*)$", text, re.M):
        sample = re.search(rf"^{name}(?:_bucket)?(?:{{(.*)}})? ", text, re.M)
        yield name, kinds[name], words, re.findall(r'(\w+)="', sample[1] or "")


def metrics():
    lines = ["| name | kind | what it is | labels |", "|---|---|---|---|"]
    for name, kind, words, labels in all_metrics():
        told = ", ".join(f"`{label}`" for label in labels)
        lines.append(f"| `{name}` | {kind} | {words} | {told} |")
    return "\n".join(lines)


# --- the API, from its own description ---------------------------------------

def schema_words(schema):
    """What kind of value a schema allows, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {schema_words(schema['items'])}"
    words = schema.get("format", schema.get("type", "anything"))
    if "minimum" in schema and "maximum" in schema:
        words += f", {schema['minimum']} to {schema['maximum']}"
    return words + (" or null" if schema.get("nullable") else "")


def fields_of(schema, above=""):
    """(name, schema, is it always there) of each field, and of those below."""
    for name, below in schema.get("properties", {}).items():
        yield above + name, below, name in schema.get("required", [])
        inner = below.get("items", below)
        mark = "[]." if inner is not below else "."
        yield from fields_of(inner, above + name + mark)
        if isinstance(below.get("additionalProperties"), dict):
            yield from fields_of(below["additionalProperties"],
                                 f"{above}{name}.NAME.")


def cell(words):
    return words.replace("|", "\\|").replace("\n", " ")


def schema_table(name, schema):
    lines = ["", f"### {name}", ""]
    if "description" in schema:
        lines += [schema["description"], ""]
    lines += ["| field | value | what it is |", "|---|---|---|"]
    for field, below, always in fields_of(schema):
        told = below.get("description", "")
        told += "" if always else " (may be left out)"
        lines.append(f"| `{field}` | {schema_words(below)} | "
                     f"{cell(told.strip())} |")
    return lines


def content_words(content):
    return ", ".join(
        f"`{kind}`" + (f": {schema_words(row['schema'])}"
                       if "$ref" in row["schema"] else "")
        for kind, row in content.items())


def route(method, path, told, shared):
    lines = ["", f"### {method.upper()} {path}", "", told["summary"]
             + ("" if told["summary"].endswith("?") else ".")
             + (f" {told['description']}" if "description" in told else "")
             + (" Takes the token." if "security" in told else ""), ""]
    for row in [*shared, *told.get("parameters", [])]:
        lines.append(f"- `{row['name']}` (in the {row['in']}): "
                     f"{row['description']}")
    if "requestBody" in told:
        lines.append("- the body: "
                     + content_words(told["requestBody"]["content"]))
    lines += ["", "| status | what it means | what comes |", "|---|---|---|"]
    for status, row in sorted(told["responses"].items()):
        lines.append(f"| {status} | {cell(row['description'])} | "
                     f"{content_words(row.get('content', {}))} |")
    return lines


def interface():
    told = json.loads((FINAL / "openapi.json").read_text())
    lines = [told["info"]["description"], "", "## All routes"]
    for path, methods in told["paths"].items():
        for method, row in methods.items():
            if method != "parameters":
                lines += route(method, path, row, methods.get("parameters", []))
    lines += ["", "## What is in them"]
    for name, schema in told["components"]["schemas"].items():
        lines += schema_table(name, schema)
    return "\n".join(lines)


def check_log():
    page = (ROOT / "docs/log.md").read_text()
    tries = page[page.index("## What became of a try"):]
    table_must_have(tries[:tries.index("\n## ", 3)], access_words(),
                    "what became of a try")
    keys = page[page.index("## As JSON"):]
    table_must_have(keys[:keys.index("\n## ", 3)], access_keys(), "as JSON")


MAKERS = {
    "states-picture": state_picture,
    "states-table": state_table,
    "floor-files": floor_files,
    "floors-picture": floor_picture,
    "configuration": configuration,
    "events": event_table,
    "metrics": metrics,
    "interface": interface,
    "staircase-picture": staircase_picture,
}

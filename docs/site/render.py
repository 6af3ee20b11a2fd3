# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""From Markdown as GitHub reads it to the HTML of a page.

cmark-gfm does the reading. What is ours is what a site needs beyond it: links
to files become links to pages, headings get the names that GitHub gives them,
code gets its colours, and `pool_pick()` leads to the pool_pick() of the program
that the page speaks of, never to another chapter's.
"""

import os
import re
import subprocess
from html import escape
from html.parser import HTMLParser
from pathlib import PurePosixPath

from code import colour

VOID = {"br", "hr", "img", "input", "col", "wbr"}


def html_of(markdown):
    return subprocess.run(
        ["cmark-gfm", "--unsafe", "-e", "table", "-e", "strikethrough",
         "-e", "autolink"], input=markdown, capture_output=True, text=True,
        check=True).stdout


def relative(there, here):
    """A place in the site as a link from a page: both from the top."""
    path, hash_sign, anchor = there.partition("#")
    if path == here:
        return hash_sign + anchor
    return os.path.relpath(path, os.path.dirname(here) or ".") + \
        hash_sign + anchor


def slug(words, seen):
    """The name that GitHub gives to a heading."""
    name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
    count = seen.get(name, 0)
    seen[name] = count + 1
    return f"{name}-{count}" if count else name


class Rendered:
    """A page: its title, its body, and what the search has to know."""

    def __init__(self):
        self.title = ""
        self.body = ""
        self.sections = []  # [anchor, heading, text]
        self.headings = []  # (level, anchor, heading)


class Rewriter(HTMLParser):
    def __init__(self, page, site, names):
        super().__init__(convert_charrefs=True)
        self.page, self.site, self.names = page, site, names
        self.out = []
        self.done = Rendered()
        self.done.sections.append(["", "", []])
        self.seen = {}
        self.marker = None  # the comment above a block of code
        self.pre = None  # [language, text]
        self.inline = None  # text of `code`
        self.heading = None  # [level, html, text]
        self.in_link = 0
        self.in_summary = 0
        self.in_table = 0

    # --- tags

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if self.inline is not None:
            return  # an address in `code` is no link
        if tag == "pre":
            self.pre = ["", ""]
        elif tag == "code" and self.pre is not None:
            name = attributes.get("class") or ""
            self.pre[0] = name.removeprefix("language-")
        elif tag == "code":
            self.inline = ""
        elif re.fullmatch("h[1-6]", tag):
            self.heading = [int(tag[1]), "", ""]
        else:
            self.open(tag, attributes)

    def open(self, tag, attributes):
        if tag == "a":
            self.in_link += 1
            if href := attributes.get("href"):
                attributes["href"] = self.site.link(href, self.page)
        elif tag == "img":
            attributes["src"] = self.site.image(attributes["src"], self.page)
            attributes.setdefault("alt", "")
        elif tag == "summary":
            self.in_summary += 1
        elif tag == "table":
            self.put('<div class="wide" tabindex="0" role="region" '
                     'aria-label="Table">')
            attributes["class"] = "markdownTable"
            self.in_table += 1
        elif tag == "th":
            attributes["scope"] = "col"
        elif tag == "input":  # a box of a task list, to look at
            attributes["aria-label"] = "done" if "checked" in attributes \
                else "to do"
        text = "".join(f' {name}="{escape(value or "")}"'
                       for name, value in attributes.items())
        self.put(f"<{tag}{text}>")

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:  # of a picture: <rect/>
            self.put(f"</{tag}>")

    def handle_endtag(self, tag):
        if tag == "pre":
            self.put(self.block(*self.pre))
            self.pre = None
        elif tag == "code" and self.pre is not None:
            pass
        elif self.inline is not None and tag != "code":
            pass
        elif tag == "code":
            words, self.inline = self.inline, None
            self.put(self.code(words))
        elif re.fullmatch("h[1-6]", tag):
            self.end_heading()
        elif tag not in VOID:
            if tag == "a":
                self.in_link -= 1
            elif tag == "summary":
                self.in_summary -= 1
            self.put(f"</{tag}>")
            if tag == "table":
                self.put("</div>")
                self.in_table -= 1

    def handle_data(self, text):
        if self.pre is not None:
            self.pre[1] += text
            self.done.sections[-1][2].append(text)
            return
        if self.heading is not None:
            self.heading[2] += text
        else:
            self.done.sections[-1][2].append(text)
        if self.inline is not None:
            self.inline += text
            return
        if text.strip():
            self.marker = None
        self.put(escape(text, quote=False))

    def handle_comment(self, text):
        self.marker = text.strip()

    # --- pieces

    def put(self, text):
        if self.heading is not None:
            self.heading[1] += text
        else:
            self.out.append(text)

    def end_heading(self):
        level, html, text = self.heading
        self.heading = None
        name = slug(text.strip(), self.seen)
        if level == 1 and not self.done.title:
            self.done.title = text.strip()
            return
        self.done.headings.append((level, name, text.strip()))
        self.done.sections.append([name, text.strip(), []])
        self.put(f'<h{level} id="{name}">{html} <a class="anchor-link" '
                 f'href="#{name}" aria-label="Link to {escape(text.strip())}"'
                 f">#</a></h{level}>")

    def code(self, words):
        html = escape(words, quote=False)
        if self.in_table and len(words) > 12:  # may be broken behind these
            html = re.sub(r"(?<=[_./=])(?=\w)", "<wbr>", html)
        html = f"<code>{html}</code>"
        if self.in_link or self.heading is not None or self.in_summary:
            return html
        place = self.names.find(words) or self.site.step_of(words) or \
            self.site.file_beside(words, self.page)
        if not place:
            return html
        kind = "" if place.endswith("/step.html") else ' class="el"'
        return f'<a{kind} href="{relative(place, self.page.out)}">{html}</a>'

    def block(self, language, text):
        above = ""
        text = text.rstrip("\n")
        if self.marker and self.marker.startswith("from:"):
            above = self.origin(*self.marker.split()[1:3])
        self.marker = None
        drawing = not language and re.search(r"--[->+]|\+--|<--|==>", text)
        extra = ' role="img" aria-label="A drawing; the text says the same"' \
            if drawing else ' tabindex="0"'
        return f'{above}<pre class="fragment code-{language or "text"}"' \
               f"{extra}>{colour(language, text)}</pre>"

    def origin(self, file, name=None):
        """Above an excerpt: where it stands."""
        path = str(PurePosixPath(self.page.source).parent / file)
        place = self.names.files.get(path)
        if not place:
            return ""
        line = self.names.lines.get((path, name)) if name else None
        anchor = f"#l{line:05d}" if line else ""
        words = f"{file}, line {line}" if line else file
        return '<p class="origin"><a href="' \
               f'{relative(place + anchor, self.page.out)}">{words}</a></p>'


def render(markdown, page, site, names):
    rewriter = Rewriter(page, site, names)
    rewriter.feed(html_of(markdown))
    rewriter.close()
    done = rewriter.done
    done.body = "".join(rewriter.out)
    done.sections = [[anchor, heading, " ".join("".join(text).split())]
                     for anchor, heading, text in done.sections]
    return done

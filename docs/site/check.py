# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""Reads the whole site: do all links and anchors lead somewhere, has each
picture words, are headings in order, and does no chapter lead into another's
reference but by a link that the lesson itself has?"""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote
import os
import re


class Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.ids = set()
        self.twice = set()
        self.links = []  # (what is linked to, class)
        self.levels = []
        self.silent = []  # pictures without words

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        for name in ("id", "name"):
            if name in attributes and (name == "id" or tag == "a"):
                if attributes[name] in self.ids and name == "id":
                    self.twice.add(attributes[name])
                self.ids.add(attributes[name])
        for name in ("href", "src"):
            if attributes.get(name):
                self.links.append((attributes[name], attributes.get("class")))
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "img" and not attributes.get("alt"):
            self.silent.append(attributes.get("src"))

    handle_startendtag = handle_starttag


def check_site(html):
    read = {}
    for path in sorted(html.rglob("*.html")):
        read[path] = Reader()
        read[path].feed(path.read_text())
    faults = []
    for path, reader in read.items():
        here = path.relative_to(html)
        faults += [f"{here}: {words}"
                   for words in page_faults(html, path, reader, read)]
    return faults


def page_faults(html, path, reader, read):
    for link, kind in reader.links:
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = unquote(link).partition("#")
        target = target.partition("?")[0]  # what a figure is asked to show
        there = Path(os.path.normpath(path.parent / target)) if target else path
        if not there.is_file():
            yield f"{link} leads nowhere"
        elif anchor and there in read and anchor not in read[there].ids:
            yield f"{link}: there is no such place"
        elif kind in ("el", "code") and there.parent != path.parent and \
                html not in (path.parent, there.parent):
            yield f"{link} leads to the names of another program"
    if reader.levels[:1] != [1]:
        yield "does not begin with a heading of level 1"
    for above, level in zip(reader.levels, reader.levels[1:]):
        if level > above + 1:
            yield f"a heading of level {level} stands below one of {above}"
            break
    for source in reader.silent:
        yield f"the picture {source} has no words"

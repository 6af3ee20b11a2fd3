# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""Where the names of a program are told of: read from the tag file of its run.

A name that has no page (a static function) leads to its line in the source.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

from contents import ROOT, pages

sys.path.insert(0, str(ROOT / "tests" / "text"))
import ccode  # noqa: E402 (it stands with the tests of the text)


@dataclass
class Symbol:
    name: str
    kind: str  # function, struct, define, ...
    at: str  # page and anchor, from the top of the site
    brief: str = ""


@dataclass
class Names:
    """What one run knows."""

    symbols: list = field(default_factory=list)
    by_name: dict = field(default_factory=dict)  # name: place in the site
    files: dict = field(default_factory=dict)  # path in the repository: place
    documented: dict = field(default_factory=dict)  # the page about the file
    lines: dict = field(default_factory=dict)  # (path, name): line

    def find(self, words):
        """The place of `name()`, `struct name` or `NAME`; or None."""
        call = re.fullmatch(r"(?:struct |enum )?(\w+)(\(\))?", words)
        if not call:
            return None
        place = self.by_name.get(call[1])
        if call[2] or words.startswith(("struct ", "enum ")) or (
                place and not re.fullmatch(r"[a-z]+", words)):
            return place
        return None


def tidy(place):
    """`pool_8h.html`, whatever the tag file leaves out."""
    return place if place.endswith(".html") else place + ".html"


def source_page(name):
    """What Doxygen calls the page that shows a file of that name."""
    return name.replace("_", "__").replace(".", "_8") + "_source.html"


def read(run, tags, html):
    """All names of a run, from its tag file and its sources."""
    names = Names()
    if not run.code:
        return names
    base = "" if run.out == "." else run.out + "/"
    for compound in ElementTree.parse(tags).getroot():
        kind = compound.get("kind")
        page = tidy(compound.findtext("filename", ""))
        if kind == "file":
            path = compound.findtext("path", "") + compound.findtext("name")
            path = path.removeprefix(f"{ROOT}/")
            names.files[path] = base + page.replace(".html", "_source.html")
            names.documented[path] = base + page
        elif kind in ("struct", "union"):
            name = compound.findtext("name")
            add(names, Symbol(name, kind, base + page))
        if kind == "file":
            for member in compound.findall("member"):
                name = member.findtext("name")
                at = tidy(member.findtext("anchorfile")) + "#" + \
                    member.findtext("anchor")
                if name and not name.startswith("@"):
                    add(names, Symbol(name, member.get("kind"), base + at))
    for folder in run.code:
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            place = base + source_page(path.name)
            path = path.relative_to(ROOT)
            if (html / place).is_file():
                names.files.setdefault(str(path), place)
            add_source(names, str(path), (ROOT / path).read_text())
    return names


OF_THE_SYSTEM = {"posix_spawn", "sched_yield"}  # told of, called nowhere


def stray(run):
    """Functions that comments and pages speak of, and that are not there any
    more."""
    for folder in run.code:
        paths = sorted((ROOT / folder).rglob("*.[ch]"))
        code = "\n".join(ccode.without_comments(path.read_text())
                         for path in paths)
        there = set(re.findall(r"\b\w+", code)) | OF_THE_SYSTEM
        paths += [ROOT / page.source for page in pages() if page.run == run.out]
        for path in paths:
            text = path.read_text()
            told = set(re.findall(r"\b([a-z]\w*_\w+)\(\)", text))
            for name in sorted(told - there):
                yield f"{path.relative_to(ROOT)} speaks of {name}(), " \
                    "which is nowhere in the code"


def add(names, symbol):
    if symbol.name not in names.by_name:
        names.by_name[symbol.name] = symbol.at
        names.symbols.append(symbol)


def add_source(names, path, text):
    place = names.files.get(path)
    for piece in ccode.pieces(text):
        for name in piece.names:
            bare = name.split()[-1]
            names.lines.setdefault((path, name), piece.start + 1)
            names.lines.setdefault((path, bare), piece.start + 1)
            is_told = piece.is_function or name.startswith("struct ")
            if place and is_told and bare not in names.by_name:
                names.by_name[bare] = f"{place}#l{piece.start + 1:05d}"

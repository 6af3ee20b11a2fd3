# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""What the text tests have to know of Markdown: fences, markers, headings."""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Block:
    """A fenced block, and the comment directly above it."""

    line: int  # number of its opening fence
    language: str
    marker: str  # what the comment says, or ""
    lines: list = field(default_factory=list)


def blocks(text):
    """All fenced blocks of a page."""
    found = []
    open_block = None
    fence = ""
    above = ""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if open_block is not None:
            if stripped == fence:
                open_block = None
            else:
                open_block.lines.append(line)
        elif opening := re.match(r"\s*(`{3,})\s*(\S*)\s*$", line):
            fence = opening[1]
            marker = re.match(r"<!--\s*(.*?)\s*-->$", above)
            open_block = Block(number, opening[2], marker[1] if marker else "")
            found.append(open_block)
        above = stripped
    return found


def without_blocks(text):
    """The page with its fenced blocks and comments blanked, line by line."""
    kept = []
    fence = None
    for line in text.splitlines():
        opening = re.match(r"\s*(`{3,})", line)
        if fence is None and opening:
            fence = opening[1]
            kept.append("")
        elif fence is not None:
            if line.strip() == fence:
                fence = None
            kept.append("")
        else:
            kept.append(line)
    blank = lambda match: "\n" * match[0].count("\n")
    return re.sub(r"<!--.*?-->", blank, "\n".join(kept), flags=re.S)


def headings(text):
    """(level, words) of each heading."""
    found = []
    for line in without_blocks(text).splitlines():
        if heading := re.match(r"(#{1,6})\s+(.*?)\s*#*$", line):
            found.append((len(heading[1]), heading[2]))
    return found


def anchors(text):
    """The names under which a page's headings can be linked to."""
    seen = {}
    names = set(re.findall(r'<a\s+(?:id|name)="([^"]+)"', text))
    for _, words in headings(text):
        name = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", words).lower()
        name = re.sub(r"[^\w\- ]", "", name).replace(" ", "-")
        names.add(f"{name}-{seen[name]}" if name in seen else name)
        seen[name] = seen.get(name, 0) + 1
    return names


def section(text, title):
    """What stands under a heading, up to the next of its level or above."""
    level = None
    kept = []
    shown = without_blocks(text).splitlines()
    for line, plain in zip(text.splitlines(), shown):
        heading = re.match(r"(#{1,6})\s+(.*?)\s*$", plain)
        if heading and level is not None and len(heading[1]) <= level:
            break
        if level is not None:
            kept.append(line)
        elif heading and heading[2] == title:
            level = len(heading[1])
    return "\n".join(kept)


def lessons(wanted):
    """The lessons that a command line asks for: numbers, paths, or all."""
    there = sorted((ROOT / "chapters").glob("[0-9]*/README.md"))
    if not wanted:
        return there
    chosen = []
    for word in wanted:
        path = Path(word)
        if path.is_file():
            chosen.append(path.resolve())
        elif path.is_dir():
            chosen.append((path / "README.md").resolve())
        else:
            named = [p for p in there if p.parent.name.startswith(word)]
            if not named:
                sys.exit(f"no lesson for {word!r}")
            chosen += named
    return chosen


def shown(path):
    """A path as a reader names it: from the top of the repository."""
    try:
        return str(path.relative_to(ROOT))
    except ValueError:
        return str(path)


class Report:
    """Counts what was looked at, prints what is wrong, ends the program."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def ok(self):
        self.passed += 1

    def bad(self, where, what):
        self.failed += 1
        print(f"{where}: {what}")

    def check(self, good, where, what):
        if good:
            self.ok()
        else:
            self.bad(where, what)

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        sys.exit(1 if self.failed else 0)

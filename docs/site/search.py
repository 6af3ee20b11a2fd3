# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""What can be found: names of all programs, and the text of all pages."""

import json

from contents import figures

KINDS = {"function": "function", "struct": "struct", "union": "union",
         "define": "macro", "enumeration": "enum", "enumvalue": "constant",
         "variable": "variable", "typedef": "type"}


def rows_of_names(runs, known):
    """final first: who asks for pool_pick is likely to want the whole."""
    for run in sorted(runs, key=lambda run: run.out != "final"):
        for symbol in known[run.out].symbols:
            kind = KINDS.get(symbol.kind, symbol.kind)
            yield [symbol.name, symbol.at, f"{kind} of {run.title}", ""]


def rows_of_pages(pages, rendered):
    for page in pages:
        done = rendered[page.out]
        for anchor, heading, text in done.sections:
            place = page.out + (f"#{anchor}" if anchor else "")
            title = f"{heading} ({done.title})" if heading else done.title
            yield [title, place, "page" if not anchor else "section", text]


def search_index(pages, rendered, runs, known):
    rows = [*rows_of_names(runs, known), *rows_of_pages(pages, rendered),
            *([link.menu, link.out, "figure", ""] for link in figures())]
    return "var SEARCH = " + json.dumps(rows, separators=(",", ":"),
                                        ensure_ascii=False) + ";\n"

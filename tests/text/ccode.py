# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""What the text tests have to know of C: comments, and what is defined where.

This is no parser: it finds the pieces of a file at brace depth 0, which is
enough for code in our style.
"""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'""",
    re.S | re.X,
)
_MACRO = re.compile(r"^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*", re.M)


def _blank(piece):
    return re.sub(r"[^\n]", " ", piece)


def without_comments(code):
    """The code with its comments blanked; as many lines as before."""

    def keep(match):
        return match[0] if match[0][0] in "\"'" else _blank(match[0])

    return _TOKEN.sub(keep, code)


def code_lines(code):
    """Lines that are neither blank nor comment, blanks within them evened."""
    lines = (" ".join(line.split()) for line in
             without_comments(code).splitlines())
    return [line for line in lines if line]


@dataclass
class Piece:
    """Something at depth 0: a function, a struct, a table, a macro."""

    names: set  # what it may be called: {"struct head"}, {"pool_pick"}
    is_function: bool  # with its body, not only promised
    start: int  # first line, its comment not included; from 0
    end: int  # the line after its last
    top: int = 0  # first line, its comment included


def pieces(code):
    """All pieces of a file in their order."""
    lines = code.splitlines()
    found = []
    for macro in _MACRO.finditer(without_comments(code)):
        if name := re.match(r"\s*#\s*define\s+(\w+)", macro[0]):
            start = code.count("\n", 0, macro.start())
            found.append(Piece({name[1], f"#define {name[1]}"}, False, start,
                               start + macro[0].count("\n") + 1))

    plain = _TOKEN.sub(lambda m: _blank(m[0]), code)
    plain = _MACRO.sub(lambda m: _blank(m[0]), plain)
    depth = 0
    began = None
    for at, char in enumerate(plain):
        if began is None and not char.isspace():
            began = at
        if char in "{(":
            depth += 1
        elif char in "})":
            depth -= 1
        ends = char == ";" or (char == "}" and
                               _is_function(plain[began:at + 1]))
        if began is not None and depth == 0 and ends:
            found.append(_piece(plain, began, at))
            began = None

    for piece in found:
        piece.top = _comment_above(lines, piece.start)
    return sorted(found, key=lambda piece: piece.start)


def _is_function(text):
    """Does a piece that ends in a brace end a function?"""
    before = text.partition("{")[0]
    return re.search(r"\)[\s\w()]*$", before) is not None and "=" not in before


def _piece(plain, began, at):
    text = plain[began:at + 1]
    before, _, body = text.partition("{")
    is_function = text.endswith("}") and _is_function(text)
    names = set()
    if is_function:
        names.add(name_of_call(before))
    elif re.match(r"(struct|enum|union) \w+;", text):
        pass  # only says that there is such a thing
    else:
        names.update(re.findall(r"\b((?:struct|enum|union) \w+)\s*\{", text))
        if re.match(r"(typedef )?enum\b", text):
            names.update(re.findall(r"\b(\w+)\s*(?=[,=}])", body))
        if variable := re.search(r"(\w+)\s*(?:\[[^]]*\]\s*)*(?:=[^=]|;$)", text):
            names.add(variable[1])
        if call := name_of_call(before):
            names.add(call)
    if text.startswith("typedef"):
        for found in re.findall(r"\(\*(\w+)\)|(\w+);$", text)[-1:]:
            names.update(found)  # none: a type of functions, found as a call
    return Piece({n for n in names if n}, is_function,
                 plain.count("\n", 0, began), plain.count("\n", 0, at) + 1)


def name_of_call(text):
    """`pool_pick` of `struct backend *pool_pick(struct pool *pool`."""
    call = re.search(r"(\w+)\s*\(", text)
    return call[1] if call else None


def _comment_above(lines, start):
    """The first line of the comment that ends just above a line."""
    if start == 0 or not lines[start - 1].rstrip().endswith("*/"):
        return start
    top = start - 1
    while top > 0 and "/*" not in lines[top]:
        top -= 1
    return top


def span(code, name):
    """The lines of what is called so, its comment included; None if absent.

    A definition wins over a promise of the same name.
    """
    named = [piece for piece in pieces(code) if name in piece.names]
    named.sort(key=lambda piece: not piece.is_function)
    if not named:
        return None
    return code.splitlines()[named[0].top:named[0].end]


def functions(code):
    """(name, lines of code) of each function."""
    found = []
    lines = code.splitlines()
    for piece in pieces(code):
        if piece.is_function:
            whole = "\n".join(lines[piece.start:piece.end])
            found.append((min(piece.names), len(code_lines(whole))))
    return found

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""Colours for code: the classes are those of Doxygen, so both look alike."""

import re
from html import escape

KEYWORDS = set("""auto break case const continue default do else enum extern
    for goto if inline register restrict return sizeof static struct switch
    typedef union volatile while _Alignas _Atomic _Bool _Noreturn
    _Static_assert _Thread_local""".split())
TYPES = set("""bool char double float int long short signed unsigned void
    size_t ssize_t int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t
    uint64_t""".split())
TOKEN = re.compile(
    r"""(?P<comment>/\*.*?\*/|//[^\n]*)
      | (?P<stringliteral>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
      | (?P<preprocessor>^[ \t]*\#[ \t]*\w+)
      | (?P<word>[A-Za-z_]\w*)""", re.S | re.X | re.M)


def colour_c(text):
    """C as HTML."""
    def one(match):
        kind, word = match.lastgroup, escape(match[0])
        if kind == "word":
            if match[0] in TYPES:
                kind = "keywordtype"
            elif match[0] in KEYWORDS:
                kind = "keyword"
            else:
                return word
        # A span must not go over the end of a line: lines have their own.
        return "\n".join(f'<span class="{kind}">{line}</span>'
                         for line in word.split("\n"))

    done, at = [], 0
    for match in TOKEN.finditer(text):
        done += [escape(text[at:match.start()]), one(match)]
        at = match.end()
    return "".join(done) + escape(text[at:])


def colour_console(text):
    """What was typed stands out from what came."""
    return "\n".join(
        f'<span class="prompt">$</span> <span class="typed">{escape(line[2:])}'
        "</span>" if line.startswith("$ ") else escape(line)
        for line in text.split("\n"))


def colour(language, text):
    if language in ("c", "h"):
        return colour_c(text)
    if language == "console":
        return colour_console(text)
    return escape(text)

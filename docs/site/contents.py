# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""What is in the site, in the order of the book.

To add a page: write a Markdown file, and add a row here. It then stands in the
menu, in the chain of next and previous, and in the search.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ["control", "proxy", "upstream", "net", "event", "http", "base"]


@dataclass
class Page:
    """A page of text."""

    source: str  # Markdown, from the top of the repository
    out: str  # where it stands in the site
    menu: str  # its name in the menu
    below: list = field(default_factory=list)  # menu rows under it: Page, Link
    in_book: bool = True  # is it in the chain of next and previous?
    folded: bool = False  # the rows under it show only on its own pages

    @property
    def run(self):
        """The folder of the Doxygen run that the page belongs to."""
        return str(Path(self.out).parent)

    @property
    def name(self):
        return Path(self.out).stem


@dataclass
class Link:
    """A row in the menu that is no page of text."""

    menu: str
    out: str


@dataclass
class Run:
    """One Doxygen run: the code of one program, and the pages that speak of it.

    The same names stand in every chapter, so each has a run of its own, and a
    page links only to names of its own run.
    """

    out: str  # folder in the site, "." for the book
    title: str
    code: list  # folders, from the top of the repository


def reference(out):
    """The menu rows of a program's reference."""
    return [Link("Files", f"{out}/files.html"),
            Link("All names", f"{out}/names.html"),
            Link("Structures", f"{out}/annotated.html")]


def chapters():
    return sorted(path.parent.name
                  for path in ROOT.glob("chapters/[0-9]*/Makefile"))


def words(name):
    """`04-retries` as people write it."""
    number, _, rest = name.partition("-")
    return f"{number} {rest.replace('-', ' ')}"


def chapter_pages():
    for place, name in enumerate(chapters()):
        below = reference(f"chapters/{name}")
        if place > 0:
            below.insert(0, Link("The step, word by word",
                                 f"chapters/{name}/step.html"))
        yield Page(f"chapters/{name}/README.md", f"chapters/{name}/index.html",
                   words(name), below, folded=True)


def exercise_pages():
    for path in sorted(ROOT.glob("exercises/[0-9]*/README.md")):
        name = path.parent.name
        yield Page(f"exercises/{name}/README.md", f"exercises-{name}.html",
                   words(name))


def floor_pages():
    for floor in FLOORS:
        yield Page(f"docs/floors/{floor}.md", f"final/floor-{floor}.html",
                   f"{floor}/")


FIGURES = ROOT / "build/docs/figures"


def figures():
    """Pages that run code in the browser, if they were built before the site:
    they bring their own frame, and are taken as they are."""
    for path in sorted(FIGURES.glob("*.html")):
        title = re.search(r"<title>\s*(.*?)\s*(?:- Steelyard\s*)?</title>",
                          path.read_text(), re.S)
        yield Link(title[1] if title else path.stem, f"figures/{path.name}")


# (heading in the menu, its pages). @name@ in a page is filled in by made.py.
CONTENTS = [
    ("The book", [
        Page("docs/start.md", "index.html", "Start here"),
        Page("chapters/README.md", "map.html", "The map"),
        *chapter_pages(),
    ]),
    ("steelyard", [
        Page("final/README.md", "final/index.html", "The full balancer"),
        Page("docs/request.md", "final/request.html", "The way of a request"),
        Page("docs/states.md", "final/states.html", "The states of a session"),
        Page("docs/floors/README.md", "final/floors.html", "The floors",
             list(floor_pages()), folded=True),
        Page("docs/operating.md", "final/operating.html", "Operating it"),
        Page("docs/configuration.md", "final/configuration.html",
             "All that can be set"),
        Page("docs/log.md", "final/log.html", "What the log says"),
        Page("docs/metrics.md", "final/metrics.html", "The metrics"),
        Page("docs/interface.md", "final/interface.html", "The API"),
        *reference("final"),
    ]),
    ("Practice", [
        Page("exercises/README.md", "exercises.html", "Exercises",
             list(exercise_pages()), folded=True),
        Page("backend/README.md", "backend/index.html",
             "The backend that misbehaves", reference("backend"), folded=True),
        Page("docs/habits.md", "habits.html", "Habits from elsewhere"),
        Page("tests/bench/README.md", "measuring.html", "Measuring"),
    ]),
    ("Try it out", list(figures())),
    ("More", [
        Page("docs/teaching.md", "teaching.html", "Teaching with it"),
        Page("docs/glossary.md", "glossary.html", "Glossary"),
        Page("CONTRIBUTING.md", "contributing.html", "Contributing"),
        Page("docs/README.md", "about.html", "How this site is made"),
        Page("docs/figures/README.md", "figures.html",
             "Figures that run the code"),
        Page("README.md", "readme.html", "The README", in_book=False),
    ]),
]

RUNS = [
    Run(".", "Steelyard", []),
    *(Run(f"chapters/{name}", f"Chapter {words(name)}", [f"chapters/{name}"])
      for name in chapters()),
    Run("final", "steelyard", ["final"]),
    Run("backend", "backend", ["backend"]),
]


def pages():
    """All pages in the order of the book."""
    def walk(rows):
        for row in rows:
            if isinstance(row, Page):
                yield row
                yield from walk(row.below)
    for _, rows in CONTENTS:
        yield from walk(rows)

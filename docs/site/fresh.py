# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""Is a site as new as all that it was made of? When a site is finished, a file
beside it lists its sources. One that has come since, is gone, or was changed
makes the site old."""

import os
import subprocess
from pathlib import Path

FOLDERS = ["*.md", "docs", "chapters", "final", "backend", "exercises"]


def sources(root):
    """The files below root that a site is made of; git knows of those that
    were removed, too, so they are left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "-co", "--exclude-standard", "--", *FOLDERS],
        cwd=root, text=True, capture_output=True, check=True).stdout
    return {root / name for name in listed.split("\0")
            if name and (root / name).is_file()}


def note(made_at, paths, began):
    """The site is finished. The file gets the time when that was begun, so who
    changed a source meanwhile, changed it."""
    made_at.write_text("".join(f"{path}\n" for path in sorted(paths)))
    os.utime(made_at, (began, began))


def is_fresh(made_at, paths):
    """Was the site made of these files, as they are now?"""
    if not made_at.exists():
        return False
    noted = {Path(line) for line in made_at.read_text().splitlines()}
    then = made_at.stat().st_mtime
    return set(paths) <= noted and all(
        path.exists() and path.stat().st_mtime <= then for path in noted)

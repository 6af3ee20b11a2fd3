# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""The capstone: a whole balancer, tried from outside by the staircase.

Its tests are the behaviours in tests/behaviours, the same that prove the
chapters. They know a balancer by its command line only; so it may be written
in any language. Its Makefile says how it is built and started.
"""
import glob
import os
import re
import subprocess

import exercises
from exercises import CAPSTONE, ROOT, Result, Test, Trouble

SUITE = os.path.join(ROOT, 'build', 'tests', 'behaviours')
BACKEND = os.path.join(ROOT, 'backend', 'backend')
FIRST = 'get'  # without it, nothing else is worth trying


def suite(*words, folder=ROOT, limit=None):
    return subprocess.run([SUITE, '--backend', BACKEND, *words], cwd=folder,
                          text=True, errors='replace', timeout=limit,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT,
                          env=exercises.clean_environment()).stdout


def tests():
    """The behaviours, as tests. Builds the suite, if it is not there."""
    made = subprocess.run(['make', '-s', '-C', ROOT, 'backend',
                           'build/tests/behaviours'], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=exercises.clean_environment())
    if made.returncode:
        raise Trouble('the tests of the capstone do not build; they need the '
                      'packages libcurl4-openssl-dev and libjansson-dev\n'
                      + made.stdout)
    newest = os.path.basename(max(glob.glob(
        os.path.join(ROOT, 'chapters', '[0-9]*'))))[:2]
    # What comes after the chapters is of the full balancer alone.
    return [Test(name, int(points), f'{title} (chapter {chapter})')
            for chapter, name, points, title in re.findall(
                r'^(\d\d) (\S+) +(\d+) +(.*)', suite('--list'), re.M)
            if chapter <= newest]


def judge(said, wanted):
    """Mark what the suite said. A suite that did not end has said nothing."""
    failed = dict(re.findall(
        r'^FAILED (\S+) \(chapter \d+\): .*\n((?:    .*\n)+)', said, re.M))
    tally = re.search(r'^(\d+) passed, (\d+) failed\n?\Z', said, re.M)
    whole = tally and int(tally[1]) + int(tally[2]) == len(wanted) \
        and int(tally[2]) == len(failed)
    for test in wanted:
        if whole and test.name not in failed:
            test.verdict = 'passed'
        elif whole:
            test.verdict = 'failed'
            test.story = failed[test.name].strip()


def run_command(command, folder=ROOT, only=''):
    """Try the balancer that this command starts; or one behaviour of it."""
    result = Result(CAPSTONE, tests())
    newest = max(re.search(r'(\d\d)\)$', test.title)[1]
                 for test in result.tests)
    start = ('--command', command, '--upto', newest)
    first = [test for test in result.tests if test.name == (only or FIRST)]
    if not first:
        raise Trouble(f'there is no behaviour "{only}"; `make test` shows '
                      'their names')
    judge(suite(*start, '--only', first[0].name, folder=folder), first)
    if first[0].passed and not only:
        judge(suite(*start, folder=folder), result.tests)
        return result
    for test in result.tests:
        if test not in first:
            test.story = f'ONLY={only} was asked for.' if only else \
                f'first, {FIRST} has to pass.'
    return result


def run(build=None):
    """Build the student's balancer, and try it."""
    build = build or exercises.Build(CAPSTONE)
    made = build.make('all')
    if made.returncode:
        return Result(CAPSTONE, tests(), compiler=made.stdout)
    command = build.make('command').stdout.strip()
    result = run_command(command, exercises.folder_of(CAPSTONE),
                         os.environ.get('ONLY', ''))
    result.warnings = made.stdout
    return result

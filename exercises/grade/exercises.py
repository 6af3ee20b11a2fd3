# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""What exercises there are, and how one is built and run.

The tests of an exercise stand in its tests.c; which there are is read from
that text, so that a test which never ran is known, and is worth nothing.
Verdicts come from grade.c on a pipe. What a student's code prints does not
come that way.
"""
import concurrent.futures
import dataclasses
import functools
import os
import re
import secrets
import shutil
import subprocess
import sys

GRADE = os.path.dirname(os.path.realpath(__file__))
FOLDERS = os.path.dirname(GRADE)
ROOT = os.path.dirname(FOLDERS)
BUILD = os.path.join(ROOT, 'build', 'exercises')
JOBS = os.cpu_count() or 1
CAPSTONE = '11-capstone'


class Trouble(Exception):
    """Asked for what cannot be done; says what, and what would help."""


@dataclasses.dataclass
class Test:
    """One graded test, and how it came out."""
    name: str
    points: int
    title: str
    verdict: str = 'did-not-run'
    number: int = 0
    word: str = ''
    story: str = ''
    report: str = ''
    printed: str = ''
    ms: int = 0
    step: str = ''  # what was asked of the code last

    @property
    def passed(self):
        return self.verdict == 'passed'

    @property
    def earned(self):
        return self.points if self.passed else 0


@dataclasses.dataclass
class Result:
    """What came of one exercise."""
    name: str
    tests: list
    compiler: str = ''   # what it said, if it did not compile
    warnings: str = ''   # what it said, if it did

    @property
    def earned(self):
        return sum(test.earned for test in self.tests)

    @property
    def points(self):
        return sum(test.points for test in self.tests)

    @property
    def passed(self):
        return sum(test.passed for test in self.tests)

    @property
    def done(self):
        return bool(self.tests) and self.passed == len(self.tests)

    @property
    def next(self):
        """The first test that did not pass; rather one that was tried."""
        failed = [test for test in self.tests if not test.passed]
        return next((test for test in failed if test.verdict != 'did-not-run'),
                    failed[0] if failed else None)


# --- which exercises there are -------------------------------------------------

def names():
    """All of them, in order. The capstone's tests are elsewhere."""
    return sorted(name for name in os.listdir(FOLDERS)
                  if re.match(r'\d\d-', name)
                  and (name == CAPSTONE or os.path.exists(
                      os.path.join(FOLDERS, name, 'tests.c'))))


def after(name):
    """The exercise that follows this one, or ''."""
    return next((other for other in names() if other[:2] > name[:2]), '')


def folder_of(name):
    return os.path.join(FOLDERS, name)


def one_wanted():
    """The exercise that EX names, by number or name; or a Trouble."""
    asked = os.environ.get('EX', '')
    if not asked:
        raise Trouble('say which exercise, by its number: EX=02')
    for name in names():
        if name == asked or (asked.isdigit()
                             and int(asked) == int(name[:2])):
            return name
    raise Trouble(f'there is no exercise "{asked}"; EX is one of '
                  + ', '.join(name[:2] for name in names()))


def wanted(folder=None):
    """The names of the exercises that are asked for."""
    if folder:
        return [os.path.basename(os.path.realpath(folder))]
    return [one_wanted()] if os.environ.get('EX') else names()


def sources_of(name):
    """The student's files in an exercise, as its Makefile says."""
    with open(os.path.join(folder_of(name), 'Makefile')) as makefile:
        found = re.search(r'^SOURCES\s*:?=\s*(.*)$', makefile.read(), re.M)
    if not found:
        raise Trouble(f'{name}/Makefile does not say SOURCES')
    return found[1].split()


def tests_of(name):
    """The tests that stand in tests.c, in the order of GRADE_TESTS()."""
    if name == CAPSTONE:
        import capstone
        return capstone.tests()
    with open(os.path.join(folder_of(name), 'tests.c')) as file:
        text = file.read()
    found = {}
    for test in re.finditer(r'^GRADE_TEST(?:_WITH)?\(\s*(\w+)\s*,\s*(\d+)\s*,'
                            r'\s*((?:"(?:[^"\\]|\\.)*"\s*)+)', text, re.M):
        title = ''.join(re.findall(r'"((?:[^"\\]|\\.)*)"', test[3]))
        found[test[1]] = Test(test[1], int(test[2]),
                              re.sub(r'\\(.)', r'\1', title))
    order = re.search(r'^GRADE_TESTS\(([\w\s,]*)\)', text, re.M)
    listed = re.findall(r'\w+', order[1]) if order else []
    if sorted(listed) != sorted(found):
        odd = set(listed) ^ set(found)
        raise Trouble(f'{name}/tests.c: GRADE_TESTS does not list each test '
                      f'once: {", ".join(sorted(odd))}')
    return [found[test] for test in listed]


# --- building --------------------------------------------------------------------

def check_tools(asked):
    """See that what is needed to build is there, or say what to install."""
    if not shutil.which('make'):
        raise Trouble('make is missing: please install the package make')
    compiler = (os.environ.get('CC') or 'cc').split()[0]
    if not shutil.which(compiler) and compiler in ('cc', 'gcc', 'clang'):
        raise Trouble(f'the compiler "{compiler}" is missing: please install '
                      f'the package {"clang" if "l" in compiler else "gcc"}')
    if not shutil.which(compiler):
        raise Trouble(f'CC={compiler}: there is no such compiler; CC is '
                      'gcc, clang, or nothing')
    if not shutil.which('pkg-config'):
        raise Trouble('pkg-config is missing: please install the package '
                      'pkg-config')
    libraries = {'check': 'check'}
    if CAPSTONE in asked:
        libraries.update({'libcurl': 'libcurl4-openssl-dev',
                          'jansson': 'libjansson-dev'})
    for library, package in libraries.items():
        if subprocess.run(['pkg-config', '--exists', library]).returncode:
            raise Trouble(
                f'the library {library}, which the tests are written with, is '
                f'missing: please install the package {package} (macOS: '
                f'brew install {"curl" if "curl" in library else library})')


def clean_environment(**more):
    """Ours, without what a make above us has left there, or a shell's."""
    skip = ('MAKEFLAGS', 'MAKELEVEL', 'MFLAGS', 'MAKEOVERRIDES', 'CDPATH')
    kept = {name: value for name, value in os.environ.items()
            if name not in skip and not name.startswith(('CK_', 'CHECK_'))}
    kept.update(more, LC_ALL='C')
    return kept


@dataclasses.dataclass
class Build:
    """Which code, and how it is compiled."""
    name: str             # of the exercise
    source: str = ''      # the folder of the student's files; '': its own
    into: str = ''        # where to build; '': the usual place
    cc: str = ''
    strict: bool = False  # a warning is an error

    def make(self, target):
        words = ['make', '-s', '-C', folder_of(self.name), target]
        if self.source:
            words.append(f'FROM={self.source}')
        if self.into:
            words.append(f'BUILD={self.into}')
        if self.cc:
            words.append(f'CC={self.cc}')
        if self.strict:
            words.append('EXTRA_CFLAGS=-Werror')
        return subprocess.run(words, text=True, errors='replace',
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              env=clean_environment())

    def program(self):
        """Build. Returns the words that start the program, or None, and what
        the compiler said."""
        made = self.make('all')
        if made.returncode:
            return None, made.stdout
        kind, path = self.make('where').stdout.strip().split(' ', 1)
        before = without_random_layout() if kind == 'thread' else []
        return [*before, path], made.stdout


def compiler_words(said):
    """What the compiler said; first in our words, if we know better ones."""
    if re.search(r"multiple definition of `main'|duplicate symbol '?_main",
                 said):
        return ('Your file has a main(); the tests bring their own. Take '
                'yours out, or keep it in\na file that SOURCES does not name.'
                '\n\n' + said)
    return said


# --- running ---------------------------------------------------------------------

def scale():
    try:
        return max(float(os.environ.get('TIME_SCALE') or 1), 0.1)
    except ValueError:
        raise Trouble('TIME_SCALE is a number, like 3 for a slow machine') \
            from None


def runtime_environment():
    """Sanitizers name the line only if they find a symbolizer."""
    more = {}
    for tool in ('llvm-symbolizer', 'llvm-symbolizer-18', 'llvm-symbolizer-17',
                 'llvm-symbolizer-16', 'llvm-symbolizer-15',
                 'llvm-symbolizer-14'):
        if shutil.which(tool):
            for name in ('ASAN', 'TSAN', 'UBSAN', 'LSAN'):
                more[f'{name}_SYMBOLIZER_PATH'] = shutil.which(tool)
            break
    for name in ('ASAN_OPTIONS', 'TSAN_OPTIONS', 'UBSAN_OPTIONS',
                 'LSAN_OPTIONS'):
        more[name] = ''
    return clean_environment(**more)


@functools.cache
def without_random_layout():
    """ThreadSanitizer stumbles over a memory layout that is too random."""
    if sys.platform == 'linux' and shutil.which('setarch'):
        tried = subprocess.run(['setarch', os.uname().machine, '-R', 'true'],
                               stderr=subprocess.DEVNULL)
        if tried.returncode == 0:
            return ['setarch', os.uname().machine, '-R']
    return []


def records(data):
    """What grade.c wrote: eleven fields to a record, each ended by a zero."""
    fields = [field.decode(errors='replace') for field in data.split(b'\0')]
    for i in range(0, len(fields) - 11, 11):
        name, points, title, verdict, number, word, story, report, printed, \
            ms, step = fields[i:i + 11]
        yield Test(name, int(points), title, verdict, int(number), word, story,
                   report, printed, int(ms), step)


def play(program, tests, only=(), patience=0):
    """Run a program of tests; say how each came out.

    A test may have ended the process that keeps the results. What was earned
    before stays, and a new one goes on with the test after it. With patience,
    no more tests are run when so many have not ended in time.
    """
    if patience:
        program = [*program, '--patience', str(patience)]
    left = {test.name: test for test in tests
            if not only or test.name in only}
    came = {}
    killed = True
    while left and killed:
        ended, killed = play_some(program, list(left))
        for test in ended:
            if left.pop(test.name, None):
                came[test.name] = test
        if left and killed:
            name = next(iter(left))
            came[name] = dataclasses.replace(left.pop(name),
                                             verdict='referee')
    if patience and sum(test.verdict == 'time'
                        for test in came.values()) >= patience:
        for test in left.values():
            test.story = f'{patience} tests before had not ended in time.'
    return [came.get(test.name, test) for test in tests]


def play_some(program, only):
    """Run these tests of a program. Returns those that came to an end, and
    whether a signal has ended the program."""
    ours, theirs = os.pipe()
    words = [*program, '--results', str(theirs), *only]
    limit = 60 * len(only)
    with subprocess.Popen(words, pass_fds=[theirs], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, start_new_session=True,
                          env=runtime_environment()) as process:
        os.close(theirs)
        with concurrent.futures.ThreadPoolExecutor(1) as reader, \
                os.fdopen(ours, 'rb') as pipe:
            data = reader.submit(pipe.read)
            try:
                process.wait(timeout=limit * scale())
            except subprocess.TimeoutExpired:
                process.kill()
            data = data.result()
    return list(records(data)), process.returncode < 0


def run(name, build=None, only=(), patience=0):
    """Build one exercise and run its tests."""
    if name == CAPSTONE:
        import capstone
        return capstone.run(build)
    scale()
    build = build or Build(name)
    result = Result(name, tests_of(name))
    program, said = build.program()
    if program is None:
        result.compiler = compiler_words(said)
        return result
    result.warnings = said
    result.tests = play(program, result.tests, only, patience)
    return result


def run_all(asked):
    """Build and run some exercises, several at once."""
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return list(pool.map(run, asked))


def secret_folder(kind):
    """A new folder under build/ that nothing else uses."""
    folder = os.path.join(BUILD, kind, secrets.token_hex(6))
    os.makedirs(folder)
    return folder

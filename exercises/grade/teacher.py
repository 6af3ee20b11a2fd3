# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""What a teacher needs: proofs that the grading is right, and packages.

A student's copy does not have this file.
"""
import concurrent.futures
import functools
import glob
import io
import os
import re
import shutil
import subprocess
import tarfile
import zipfile

import capstone
import exercises
import student
import words
from exercises import BUILD, CAPSTONE, FOLDERS, GRADE, JOBS, ROOT, Build, \
    Trouble

COMPILERS = ('gcc', 'clang')
SOLUTIONS = os.path.join(FOLDERS, 'solutions')
WRONG = os.path.join(ROOT, 'tests', 'grader', 'exercises')
WRONG_LEAST = 6
NAME = 'steelyard-exercises'


def each(function, jobs):
    """Several at once; the answers in order."""
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        return list(pool.map(function, jobs))


def say(good, what):
    print(f'{"ok    " if good else "not ok"}  {what}', flush=True)
    return good


def verdict(goods):
    """The last line, and the exit status."""
    passed = sum(map(bool, goods))
    print(f'{passed} passed, {len(goods) - passed} failed')
    return 0 if goods and passed == len(goods) else 1


@functools.cache
def kind_of(name):
    """With which sanitizers an exercise is built now: objects of two kinds
    cannot be linked with each other, so each kind has folders of its own."""
    return 'plain' if name == CAPSTONE \
        else Build(name).make('where').stdout.split(' ')[0]


def into(name, what):
    """Where to build it."""
    return os.path.join(BUILD, name, f'{what}-{kind_of(name)}')


# --- starters and solutions --------------------------------------------------------

def starter_run(job):
    """Compile a starter with every warning an error, and run its tests."""
    name, cc = job
    return exercises.run(name, Build(name, cc=cc, strict=True,
                                     into=into(name, f'{cc}-starter')))


def starters(_folder):
    """Each starter compiles without a warning, and earns nothing."""
    jobs = [(name, cc) for name in exercises.wanted() for cc in COMPILERS]
    goods = []
    for (name, cc), result in zip(jobs, each(starter_run, jobs)):
        good = not result.compiler and result.earned == 0 and result.tests
        goods.append(say(good, f'{name} with {cc}: the starter earns '
                         f'{result.earned} of {result.points}'))
        for test in result.tests:
            if test.passed:
                print(f'        {test.name} passes for a starter')
        print(result.compiler, end='')
    return verdict(goods)


def solution_run(job):
    name, cc = job
    if name == CAPSTONE:
        newest = sorted(glob.glob(os.path.join(ROOT, 'chapters/[0-9]*')))[-1]
        made = subprocess.run(['make', '-s', '-C', newest, f'CC={cc}'],
                              env=exercises.clean_environment())
        if made.returncode:
            raise Trouble(f'{newest} does not build')
        return capstone.run_command(
            f'{newest}/lb --port {{port}} --backends {{backends}}')
    return exercises.run(name, Build(
        name, source=os.path.join(SOLUTIONS, name), cc=cc, strict=True,
        into=into(name, f'{cc}-solution')))


def solutions(_folder):
    """Each solution earns all, with both compilers. The capstone's solution
    is the newest chapter; it is tried once."""
    jobs = [(name, cc) for name in exercises.wanted() for cc in COMPILERS
            if name != CAPSTONE or cc == COMPILERS[0]]
    goods = []
    for (name, cc), result in zip(jobs, each(solution_run, jobs)):
        goods.append(say(result.done and not result.warnings.strip(),
                         f'{name} with {cc}: the solution earns '
                         f'{result.earned} of {result.points}'))
        print(result.compiler, end='')
        for test in result.tests:
            if not test.passed and not result.compiler:
                print(f'        {test.name}: {words.sentence(test)}')
    return verdict(goods)


# --- wrong solutions ---------------------------------------------------------------

class Wrong:
    """One wrong solution: what is wrong, and which test must catch it."""

    def __init__(self, name, path):
        self.exercise, self.path = name, path
        self.name = os.path.splitext(os.path.basename(path))[0]
        lines = student.read(path).splitlines()[:4] + [''] * 4
        wrong = re.fullmatch(r'/\* wrong: (.*) \*/', lines[2])
        caught = re.fullmatch(r'/\* caught by: (\w+) \*/', lines[3])
        if not wrong or not caught:
            raise Trouble(f'{path}: lines 3 and 4 should be "/* wrong: ... */"'
                          ' and "/* caught by: ... */"')
        self.wrong, self.test = wrong[1], caught[1]

    def build(self):
        """A folder like the student's, with this in it."""
        folder = os.path.join(BUILD, self.exercise, 'wrong', self.name)
        source = os.path.join(folder, 'source')
        os.makedirs(source, exist_ok=True)
        main, *others = exercises.sources_of(self.exercise)
        self.copy(self.path, os.path.join(source, main))
        for other in others:
            self.copy(os.path.join(SOLUTIONS, self.exercise, other),
                      os.path.join(source, other))
        return Build(self.exercise, source=source,
                     into=os.path.join(folder, kind_of(self.exercise)))

    @staticmethod
    def copy(one, other):
        """Leave a file that is the same alone: it need not be built again."""
        if not os.path.exists(other) or student.read(one) \
                != student.read(other):
            shutil.copyfile(one, other)


def wrong_run(wrong):
    """Returns whether it was caught, and what the student would read."""
    tests = {test.name: test for test in exercises.tests_of(wrong.exercise)}
    if wrong.test not in tests:
        return False, f'there is no test {wrong.test}'
    program, said = wrong.build().program()
    if program is None:
        return False, 'it does not compile:\n' + said
    test = exercises.play(program, [tests[wrong.test]], [wrong.test])[0]
    if test.passed:
        # What depends on time may pass once on a busy machine.
        test = exercises.play(program, [tests[wrong.test]], [wrong.test])[0]
    if test.verdict == 'did-not-run':
        return False, 'the test did not run'
    if test.passed:
        return False, f'{wrong.test} passes'
    return True, '\n'.join(words.story(test, 70))


def wrong_ones(name):
    return [Wrong(name, path)
            for path in sorted(glob.glob(os.path.join(WRONG, name, '*.c')))]


def common_build(name):
    """What all programs of an exercise share, before they are built at once."""
    return Build(name).make('common').returncode


def mutants(_folder):
    """Each wrong solution loses the test that it names."""
    names = [name for name in exercises.wanted() if name != CAPSTONE]
    each(common_build, names)
    every = [wrong for name in names for wrong in wrong_ones(name)]
    came = dict(zip(every, each(wrong_run, every)))
    stories, goods = os.environ.get('STORIES'), []
    print(f'{"exercise":20} {"caught":>8}')
    for name in names:
        ours = [wrong for wrong in every if wrong.exercise == name]
        caught = sum(came[wrong][0] for wrong in ours)
        goods += [came[wrong][0] for wrong in ours]
        print(f'{name:20} {f"{caught} of {len(ours)}":>8}')
        for wrong in ours:
            if stories or not came[wrong][0]:
                print(f'    {wrong.name}: {wrong.wrong}')
                print('        ' + came[wrong][1].replace('\n', '\n        '))
        if len(ours) < WRONG_LEAST:
            goods.append(say(False, f'{name} has {len(ours)} wrong solutions, '
                             f'not {WRONG_LEAST}'))
    if not os.environ.get('EX'):
        print('11-capstone          its wrong solutions are the balancers of '
              'tests/grader/run')
    return verdict(goods)


# --- packages ----------------------------------------------------------------------

def files_of(folder):
    """What belongs to a folder: nothing that was built."""
    listed = student.git('ls-files', '-co', '--exclude-standard', '--',
                         folder).split('\n')
    listed = [path for path in listed
              if path and os.path.isfile(os.path.join(ROOT, path))]
    if listed:
        return sorted(set(listed))
    return sorted(
        os.path.relpath(os.path.join(where, file), ROOT)
        for where, _, names in os.walk(os.path.join(ROOT, folder))
        for file in names if '.' in file[1:] or file in ('Makefile', 'grade')
        if not file.endswith(('.o', '.pyc')))


def starter_text(name, source):
    """A starter, certainly not a solution: all of its TODOs stand in it."""
    folder = exercises.folder_of(name)
    text = student.read(os.path.join(folder, source))
    hints = student.hints_of(student.read(os.path.join(folder, 'README.md')))
    if all(f'TODO({todo})' in text for todo in hints if '.' in todo):
        return text
    return student.starter_of(name, source)


def is_handed_out(path):
    """No solutions, and none that somebody left beside a starter."""
    parts = path.split('/')
    if re.match(r'exercises/\d\d-', path):
        name, file = parts[1], parts[-1]
        return not re.search(r'\.c\b', file) or file == 'tests.c' \
            or file in exercises.sources_of(name)
    if parts[:2] == ['exercises', 'solutions']:
        return False
    if parts[:2] == ['exercises', 'grade']:
        return parts[2] not in ('teacher.py', 'handout.mk', 'handout.readme',
                                'gradescope', 'starters')
    return True


def handed_out(path, text):
    """A file as students get it: what they have not got is said."""
    if path != 'chapters/README.md':
        return text
    heading, rest = text.split(b'\n', 1)
    return heading + b"""

> This map is that of the whole repository. A handout has the chapters and
> `make diff-04`, but not `final`, `make staircase` and `make measure`.
""" + rest


def handout_files():
    """What students get: {path: (bytes, executable)}."""
    files = {}
    for folder in ('exercises', 'chapters', 'backend', 'tests/behaviours',
                   'tests/support'):
        for path in filter(is_handed_out, files_of(folder)):
            full = os.path.join(ROOT, path)
            with open(full, 'rb') as file:
                files[path] = (handed_out(path, file.read()),
                               os.access(full, os.X_OK))
    for name in exercises.names():
        for source in exercises.sources_of(name):
            text = starter_text(name, source).encode()
            files[f'exercises/{name}/{source}'] = text, False
            files[f'exercises/grade/starters/{name}/{source}'] = text, False
    for path, ours in (('Makefile', 'exercises/grade/handout.mk'),
                       ('README.md', 'exercises/grade/handout.readme'),
                       ('tests/tools/diff', 'tests/tools/diff'),
                       ('LICENSE', 'LICENSE')):
        with open(os.path.join(ROOT, ours), 'rb') as file:
            files[path] = file.read(), False
    return dict(sorted(files.items()))


def handout(_folder):
    """Pack what students get."""
    path = os.path.join(BUILD, NAME + '.tar.gz')
    os.makedirs(BUILD, exist_ok=True)
    with tarfile.open(path, 'w:gz') as tar:
        for name, (text, executable) in handout_files().items():
            entry = tarfile.TarInfo(f'{NAME}/{name}')
            entry.size = len(text)
            entry.mode = 0o755 if executable else 0o644
            entry.mtime = 1767225600
            tar.addfile(entry, io.BytesIO(text))
    print(f'{os.path.relpath(path)}: unpack it, and try `make grade`')
    return 0


def zip_entry(archive, path, text, executable):
    entry = zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0))
    entry.external_attr = (0o100755 if executable else 0o100644) << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, text)


def autograder(_folder):
    """Pack what Gradescope takes, for EX or for all exercises."""
    name = exercises.one_wanted() if os.environ.get('EX') else ''
    path = os.path.join(BUILD, f'autograder{"-" + name if name else ""}.zip')
    os.makedirs(BUILD, exist_ok=True)
    with zipfile.ZipFile(path, 'w') as archive:
        for file in ('setup.sh', 'run_autograder'):
            with open(os.path.join(GRADE, 'gradescope', file), 'rb') as script:
                zip_entry(archive, file, script.read(), True)
        zip_entry(archive, 'exercise', name + '\n', False)
        for file, (text, executable) in handout_files().items():
            zip_entry(archive, f'{NAME}/{file}', text, executable)
    print(f'{os.path.relpath(path)}: '
          f'{f"grades {name}" if name else "grades all exercises"}')
    return 0

# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""What helps a student on the way: hints, a fresh start, grading at each save."""
import os
import re
import shutil
import subprocess
import textwrap
import time

import exercises
import words
from exercises import Trouble

WATCHED = 'GRADE_WATCHED'  # in the environment of a grading after a save
STARTERS = os.path.join(exercises.GRADE, 'starters')


def read(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read()
    except OSError as error:
        raise Trouble(f'{os.path.relpath(path)} cannot be read: '
                      f'{error.strerror}') from None


def show_list(_folder):
    """The exercises, and what each is worth."""
    for name in exercises.names():
        tests = exercises.tests_of(name)
        print(f'{name:20}  {len(tests):3} tests  '
              f'{sum(test.points for test in tests):3} points')
    return 0


# --- hints -----------------------------------------------------------------------

def hints_of(readme):
    """The hints for each TODO: {'02.1': {1: text, 2: text, 3: text}, ...}."""
    found, todo, group = {}, '', 0
    pattern = (r'^#+ [^\n]*?\b(\d\d\.\d)\b|'
               r'<details>\s*<summary>[^<]*?Hint (\d)[^<]*</summary>(.*?)'
               r'</details>')
    for match in re.finditer(pattern, readme, re.S | re.M):
        if match[1]:
            todo = match[1]
            continue
        number = int(match[2])
        group += number == 1
        found.setdefault(todo or str(group), {})[number] = match[3].strip()
    return found


def todos_of(name):
    """The TODOs that still stand in the student's files."""
    left = []
    for source in exercises.sources_of(name):
        path = os.path.join(exercises.folder_of(name), source)
        if os.path.exists(path):
            left += re.findall(r'TODO\((\d\d\.\d+)\)', read(path))
    return left


def hint(_folder):
    """Hint N for TODO; else for the first that is not done yet: of those that
    stand in the file, or the one of the first test that does not pass."""
    name = exercises.one_wanted()
    asked = os.environ.get('N') or '1'
    wanted = re.sub(r'^TODO\((.*)\)$', r'\1', os.environ.get('TODO') or '')
    hints = hints_of(read(os.path.join(exercises.folder_of(name),
                                       'README.md')))
    most = max((max(each) for each in hints.values()), default=0)
    if not asked.isdigit() or not 1 <= int(asked) <= most:
        raise Trouble(f'there is no hint "{asked}"; N is a number from 1 to '
                      f'{most}')
    if wanted and wanted not in hints:
        raise Trouble(f'there is no TODO "{wanted}"; TODO is one of '
                      + ', '.join(hints))
    left = [wanted] if wanted else \
        [todo for todo in todos_of(name) if todo in hints]
    if not left:
        result = exercises.run(name)
        if result.done:
            print(f'{name}: nothing is left to hint at, all tests pass.')
            return 0
        left = [words.hint_for(result.next)[0]]
    for todo in left[:1] if left[0] in hints else list(hints):
        print(f'{name}, hint {asked} for TODO({todo}):\n')
        print(textwrap.indent(hints[todo].get(int(asked), '(there is none)'),
                              '    ') + '\n')
    if int(asked) < most:
        print(f'One more: make hint EX={name[:2]}'
              + (f' TODO={wanted}' if wanted else '')
              + f' N={int(asked) + 1}.'
              + ('' if wanted else ' When its tests pass, take the TODO out '
                 'of\nthe file, and the hints will be for the next.'))
    return 0


# --- starting again --------------------------------------------------------------

def git(*words):
    done = subprocess.run(['git', '-C', exercises.ROOT, *words], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout if done.returncode == 0 else ''


def starter_from_git(name, source, todos):
    """The newest version in git that has all its TODOs yet."""
    path = f'exercises/{name}/{source}'
    for commit in git('log', '--format=%H', '--', path).split():
        text = git('show', f'{commit}:{path}')
        if todos and all(f'TODO({todo})' in text for todo in todos):
            return text
    return ''


def starter_of(name, source):
    """The text of a starter as it was handed out; or a Trouble."""
    kept = os.path.join(STARTERS, name, source)
    if os.path.exists(kept):
        return read(kept)
    readme = read(os.path.join(exercises.folder_of(name), 'README.md'))
    todos = [todo for todo in hints_of(readme) if '.' in todo]
    text = starter_from_git(name, source, todos)
    if not text:
        raise Trouble(f'the starter of {name} is neither in exercises/grade/'
                      'starters nor in git; take it from where the exercises '
                      'came from')
    return text


def keep(path):
    """Move a file aside, under a name that nothing has yet."""
    kept = path + time.strftime('.%Y-%m-%d-%H%M%S')
    number = 1
    while os.path.exists(kept):
        number += 1
        kept = re.sub(r'(-\d{6})(-\d+)?$', rf'\1-{number}', kept)
    shutil.move(path, kept)
    return kept


def reset(_folder):
    """Put the starter back; what was there is kept beside it."""
    name = exercises.one_wanted()
    starters = {source: starter_of(name, source)
                for source in exercises.sources_of(name)}
    for source, text in starters.items():
        path = os.path.join(exercises.folder_of(name), source)
        if os.path.exists(path) and read(path) == text:
            print(f'{name}/{source} is the starter already')
            continue
        if os.path.exists(path):
            kept = keep(path)
            print(f'{name}/{source} is the starter again; yours is now '
                  f'{os.path.basename(kept)}')
        else:
            print(f'{name}/{source} is the starter again')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
    return 0


# --- grading at each save --------------------------------------------------------

def watch(_folder):
    """Grade again whenever a file of the exercise is saved."""
    name = exercises.one_wanted()
    if not shutil.which('entr'):
        raise Trouble('entr, which sees that a file was saved, is missing: '
                      'please install the package entr')
    folder = exercises.folder_of(name)
    files = [os.path.join(folder, file) for file in sorted(os.listdir(folder))
             if file.endswith(('.c', '.h')) or file == 'Makefile']
    command = os.path.join(exercises.GRADE, 'grade')
    words = ['entr', '-c', command, 'grade', '--folder', folder]
    if not os.isatty(0):
        words.insert(1, '-n')
    return subprocess.run(words, input='\n'.join(files), text=True,
                          env={**os.environ, WATCHED: 'yes'}).returncode

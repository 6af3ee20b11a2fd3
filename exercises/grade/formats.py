# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""The results as text, for a person, and in the formats that machines read.

  text        a table; for one exercise, each failure with its story
  json        our own, everything that is known; `version` is 1
  tap         Test Anything Protocol, version 14
  junit       JUnit XML, as Jenkins, GitLab and most others read it
  gradescope  results.json, as the autograder specifications say
  classroom   what GitHub Classroom's autograding reporter reads, once base64
              is put around it
"""
import json
import re
import textwrap
import xml.etree.ElementTree as xml

import exercises
import words

STORIES_MAX = 10   # shown at a time
MESSAGE_MAX = 300  # letters: a workflow passes all messages in one variable


def tally(results):
    """Points earned, and points there are."""
    return (sum(result.earned for result in results),
            sum(result.points for result in results))


def told(result, test):
    """The story of a test that did not pass, as one text."""
    if test.verdict == 'did-not-run' and test.story:
        return f'Not tried: {test.story}'
    if result.compiler and test is not result.tests[0]:
        return f'It does not compile: see {result.tests[0].name}.'
    if result.compiler:
        return 'It does not compile:\n' + result.compiler.rstrip()
    return '\n'.join(words.story(test))


# --- for a person ----------------------------------------------------------------

def mark(test):
    """For a table: passed, failed, or not even tried."""
    if test.verdict == 'did-not-run':
        return '..'
    return 'ok' if test.passed else '--'


def alike(tests):
    """Tests in groups of which only one need be told: those that stopped at
    the same place, or of which the same is to be said. A failed expect() has
    a story of its own."""
    groups = {}
    for test in tests:
        key = test.name if test.verdict == 'failed' else \
            words.reported(test) or words.sentence(test)
        groups.setdefault((test.verdict, key), []).append(test)
    return list(groups.values())


def stories(result):
    """What happened in the tests that did not pass."""
    lines, failed = [], [test for test in result.tests if not test.passed]
    tried = [test for test in failed if test.verdict != 'did-not-run']
    groups = alike(tried)
    for first, *others in groups[:STORIES_MAX]:
        lines += ['', f'{first.name}: {first.title}']
        lines += ['    ' + line for line in words.story(first, 74)]
        if others:
            lines += ['    ' + line for line in textwrap.wrap(
                'The same happens in ' + count(others, 'more test',
                                               'more tests') + ': '
                + ', '.join(test.name for test in others) + '.', 74)]
    if len(groups) > STORIES_MAX:
        lines += ['', f'... and {len(groups) - STORIES_MAX} more, each '
                  'with a story of its own.']
    for first, *others in alike([test for test in failed
                                 if test.verdict == 'did-not-run']):
        lines += ['', count([first, *others], 'test was', 'tests were')
                  + ' not tried: ' + (first.story or 'the tests ended before '
                                      'that.')]
    return lines


def count(things, one, more):
    return f'{len(things)} {one if len(things) == 1 else more}'


def next_lines(result):
    """The last line for one exercise: what to do now."""
    if result.compiler:
        return []
    if result.done:
        after = exercises.after(result.name)
        return [f'Done. See "Going further" in exercises/{result.name}/'
                'README.md' + (f',\nthen exercises/{after}.' if after else '.')]
    todo, number = words.hint_for(result.next)
    return [f'Next: {result.next.name}. For a hint: make hint '
            f'EX={result.name[:2]} ' + (f'TODO={todo} ' if todo else '')
            + f'N={number or 1}']


def text_one(result):
    """One exercise: its tests, then the stories of those that failed."""
    lines = [result.name, '']
    if result.compiler:
        lines += ['It does not compile, so no test ran:', '',
                  result.compiler.rstrip(), '']
    width = max((len(test.name) for test in result.tests), default=0)
    for test in result.tests:
        lines.append(f'  {mark(test)}  {test.earned} of {test.points}  '
                     f'{test.name:{width}}  {test.title}')
    if not result.compiler:
        if result.warnings.strip():
            lines += ['', 'The compiler warns:', '', result.warnings.rstrip()]
        lines += stories(result)
    lines += ['', f'{result.earned} of {result.points} points, '
              f'{result.passed} of {len(result.tests)} tests']
    lines += next_lines(result)
    return '\n'.join(lines) + '\n'


def next_words(result):
    if result.compiler:
        return 'it does not compile'
    return 'done' if result.done else result.next.title


def text_all(results):
    """All exercises: a line each, then what to do next."""
    width = max(len(result.name) for result in results)
    lines = [f'{"exercise":{width}}  {"tests":>8}  {"points":>8}  '
             'next thing to do']
    for result in results:
        tests = f'{result.passed} of {len(result.tests)}'
        points = f'{result.earned} of {result.points}'
        lines.append(f'{result.name:{width}}  {tests:>8}  {points:>8}  '
                     f'{next_words(result)}')
    earned, points = tally(results)
    passed = sum(result.passed for result in results)
    tests = sum(len(result.tests) for result in results)
    lines.append(f'{"all":{width}}  {f"{passed} of {tests}":>8}  '
                 f'{f"{earned} of {points}":>8}')
    first = next((result for result in results if not result.done), None)
    lines += ['', f'Next: exercises/{first.name}/README.md, then make grade '
              f'EX={first.name[:2]}' if first else
              'All is done. You have built every part of it.']
    return '\n'.join(lines) + '\n'


def as_text(results, one):
    return text_one(results[0]) if one else text_all(results)


# --- for machines ----------------------------------------------------------------

def dump(value):
    return json.dumps(value, indent=2, ensure_ascii=False) + '\n'


def as_json(results, _one):
    earned, points = tally(results)
    return dump({
        'version': 1,
        'points': earned,
        'points_max': points,
        'done': all(result.done for result in results),
        'exercises': [{
            'name': result.name,
            'points': result.earned,
            'points_max': result.points,
            'done': result.done,
            'compiles': not result.compiler,
            'tests': [{
                'name': test.name,
                'title': test.title,
                'points': test.earned,
                'points_max': test.points,
                'verdict': test.verdict,
                'story': '' if test.passed else told(result, test),
                'ms': test.ms,
            } for test in result.tests],
        } for result in results],
    })


def tap_escape(text):
    return re.sub(r'([\\#])', r'\\\1', text)


def as_tap(results, _one):
    """Version 14: a test point each, with YAML below the ones that failed."""
    lines = ['TAP version 14',
             f'1..{sum(len(result.tests) for result in results)}']
    number = 0
    for result in results:
        for test in result.tests:
            number += 1
            lines.append(f'{"ok" if test.passed else "not ok"} {number} - '
                         + tap_escape(f'{result.name} {test.name}: '
                                      f'{test.title}'))
            if test.passed:
                continue
            lines += ['  ---', '  severity: fail',
                      f'  points: {test.earned}',
                      f'  points_max: {test.points}', '  message: |2']
            lines += [f'    {line}'.rstrip()
                      for line in told(result, test).splitlines()]
            lines.append('  ...')
    return '\n'.join(lines) + '\n'


def xml_clean(text):
    """XML has no place for most control characters, escaped or not."""
    return re.sub('[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]',
                  '\ufffd', text)


def as_junit(results, _one):
    everything = xml.Element('testsuites', name='exercises')
    for result in results:
        failed = len(result.tests) - result.passed
        suite = xml.SubElement(
            everything, 'testsuite', name=result.name,
            tests=str(len(result.tests)), failures=str(failed), errors='0',
            skipped='0',
            time=f'{sum(test.ms for test in result.tests) / 1000:.3f}')
        properties = xml.SubElement(suite, 'properties')
        for name, value in (('points', result.earned),
                            ('points_max', result.points)):
            xml.SubElement(properties, 'property', name=name,
                           value=str(value))
        for test in result.tests:
            case = xml.SubElement(suite, 'testcase', name=test.name,
                                  classname=f'exercises.{result.name}',
                                  time=f'{test.ms / 1000:.3f}')
            if not test.passed:
                failure = xml.SubElement(case, 'failure', type=test.verdict,
                                         message=xml_clean(test.title))
                failure.text = xml_clean(told(result, test))
    xml.indent(everything)
    return ('<?xml version="1.0" encoding="UTF-8"?>\n'
            + xml.tostring(everything, encoding='unicode') + '\n')


def as_gradescope(results, _one):
    """The total is not said: Gradescope adds the tests up."""
    tests = []
    for exercise, result in enumerate(results, 1):
        for i, test in enumerate(result.tests, 1):
            tests.append({
                'name': f'{result.name}: {test.title}',
                'number': f'{exercise}.{i}',
                'score': test.earned,
                'max_score': test.points,
                'status': 'passed' if test.passed else 'failed',
                'output': '' if test.passed else told(result, test),
                'output_format': 'text',
                'visibility': 'visible',
                'extra_data': {'test': test.name, 'verdict': test.verdict},
            })
    ms = sum(test.ms for result in results for test in result.tests)
    earned, points = tally(results)
    return dump({
        'output': f'{earned} of {points} points',
        'output_format': 'text',
        'execution_time': round(ms / 1000),
        'visibility': 'visible',
        'stdout_visibility': 'hidden',
        'tests': tests,
    })


def as_classroom(results, _one):
    earned, points = tally(results)
    return dump({
        'version': 1,
        'status': 'pass' if earned == points else 'fail',
        'max_score': points,
        'tests': [{
            'name': f'{result.name}: {test.title}',
            'status': 'pass' if test.passed else 'fail',
            'score': test.earned,
            'message': '' if test.passed else told(result, test)[:MESSAGE_MAX],
            'test_code': f'make grade EX={result.name[:2]}',
            'filename': f'exercises/{result.name}/tests.c',
            'line_no': 0,
            'duration': test.ms,
        } for result in results for test in result.tests],
    })


FORMATS = {
    'text': as_text,
    'json': as_json,
    'tap': as_tap,
    'junit': as_junit,
    'gradescope': as_gradescope,
    'classroom': as_classroom,
}

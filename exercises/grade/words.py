# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""What happened in a test, in a sentence for the one whose code it was."""
import os
import re
import signal
import textwrap

OUTSIDE = ': beyond its end, or before its beginning (an index of -1?)'
# What a sanitizer calls it, and what that means.
MEANS = {
    'heap-buffer-overflow': 'it reads or writes outside memory that came '
                            'from malloc()' + OUTSIDE,
    'stack-buffer-overflow': 'it reads or writes outside a local array'
                             + OUTSIDE,
    'stack-buffer-underflow': 'it reads or writes outside a local array'
                              + OUTSIDE,
    'global-buffer-overflow': 'it reads or writes outside a global or static '
                              'array, or a string' + OUTSIDE,
    'dynamic-stack-buffer-overflow': 'it reads or writes outside a local '
                                     'array' + OUTSIDE,
    'stack-overflow': 'the stack is full: does a function call itself without '
                      'end?',
    'heap-use-after-free': 'it uses memory that has been freed',
    'stack-use-after-return': 'it uses a local variable of a function that '
                              'has returned',
    'stack-use-after-scope': 'it uses a local variable beyond its block',
    'attempting double-free': 'it frees the same memory twice',
    'attempting free on address which was not malloc()-ed':
        'it frees what did not come from malloc()',
    'bad-free': 'it frees what did not come from malloc()',
    'double-free': 'it frees the same memory twice',
    'SEGV': 'it follows a pointer to nowhere, perhaps NULL',
    'FPE': 'it divides by zero',
    'memcpy-param-overlap': 'memcpy() was given two places that overlap; '
                            'memmove() may be',
    'negative-size-param': 'a length is negative',
    'data race': 'two threads touch the same memory at the same time, one of '
                 'them writes, and no lock is held by both',
    'thread leak': 'a thread was started and neither joined nor detached',
    'lock-order-inversion (potential deadlock)':
        'two locks are taken in one order here and in the other order there',
    'double lock of a mutex': 'a thread locks a mutex that it holds',
    'unlock of an unlocked mutex (or by a wrong thread)':
        'a mutex is unlocked by one who does not hold it',
    'destroy of a locked mutex': 'a mutex is destroyed while it is held',
}
SIGNALS = {
    signal.SIGSEGV: 'it reads or writes memory that is not its own: a pointer '
                    'to nowhere, an index beyond the end, or a function that '
                    'calls itself without end',
    signal.SIGBUS: 'it reads or writes memory that is not there',
    signal.SIGFPE: 'it divides by zero',
    signal.SIGPIPE: 'it wrote to a connection whose other side had closed, '
                    'without MSG_NOSIGNAL',
    signal.SIGKILL: 'something killed it: did it use up the memory, or kill '
                    'its own processes?',
    signal.SIGXFSZ: 'it printed or wrote more than 16 MiB',
    signal.SIGALRM: 'it set an alarm',
}
# How a test can end without a word about what had been asked of the code.
SUDDEN = ('left', 'signal', 'time', 'memory', 'forks')
# Compilers call these where the code says something else, like strcpy().
THEIR_OWN = ('memcpy', 'memset')
STANDARD = {0: 'standard input', 1: 'standard output', 2: 'standard error'}


def is_ours(path):
    """Whether this is a file of an exercise, and not one of the runtime's."""
    if path.startswith(('/usr/', '../', '/build/')) \
            and not os.path.exists(path) or '/lib' in path[:9]:
        return False
    return os.path.basename(path) != 'grade.c'


def library_function(name):
    """How a sanitizer's stand-in for a function is called by its users."""
    name = re.sub(r'^_*(interceptor_|asan_)?_*', '', name)
    return '' if name in THEIR_OWN else name


def place(report, library=False):
    """The first line of code in a report that is not the runtime's. With
    `library`, also the function of the C library that was called there."""
    called = ''
    for function, rest in re.findall(
            r'^ *#\d+ (?:0x[0-9a-f]+ in )?([^\s(]+)(.*)', report, re.M):
        at = re.search(r'\s(/?[^\s:]+):(\d+)', rest)
        if at and is_ours(at[1]):
            where = f'{os.path.basename(at[1])}:{at[2]}, in {function}()'
            return f'{called}(), called in {where}' if called and library \
                else where
        called = library_function(function)
    return ''


def sanitizer(report):
    """What a sanitizer reported, or '' if none did."""
    found = re.search(r'^(\S+?):(\d+):\d+: runtime error: (.*)', report, re.M)
    if found:
        return (f'UndefinedBehaviorSanitizer: {found[3]} in '
                f'{os.path.basename(found[1])}:{found[2]}.')
    found = re.search(r'LeakSanitizer: detected memory leaks', report)
    if found:
        leaked = re.search(r'SUMMARY: \w+: (\d+) byte\(s\) leaked', report)
        at = place(report)
        return ((f'{leaked[1]} bytes' if leaked else 'Memory')
                + ' from malloc() were not freed when the test had ended '
                f'(LeakSanitizer){": allocated in " + at if at else ""}.')
    found = re.search(r'(AddressSanitizer|ThreadSanitizer): ?'
                      r'(requested allocation size|attempting double-free|'
                      r'attempting free on address which was not malloc\(\)-ed'
                      r'|data race|thread leak|lock-order-inversion '
                      r'\(potential deadlock\)|double lock of a mutex|unlock '
                      r'of an unlocked mutex \(or by a wrong thread\)|'
                      r'destroy of a locked mutex|[\w-]+)', report)
    if not found:
        return ''
    at, what = place(report, library=True), found[2]
    means = MEANS.get(what, '')
    return (f'{found[1]}: {what}{" in " + at if at else ""}'
            f'{": " + means if means else ""}.').replace('?.', '?')


def after_signal(test):
    claim = re.search(r"(\S+): Assertion [`'](.*)' failed", test.printed)
    if test.number == signal.SIGABRT and claim:
        return f'Your code called abort(): the assertion {claim[2]} failed.'
    if test.number == signal.SIGABRT:
        return 'Your code called abort() in the middle of the test.'
    try:
        name = signal.Signals(test.number).name
        means = SIGNALS.get(signal.Signals(test.number), '')
    except ValueError:
        name, means = f'signal {test.number}', ''
    return (f'Your code was ended by {name}{": " + means if means else ""}'
            + ('' if means.endswith('?') else '.'))


def sentence(test):
    """Why the test did not pass, and what was asked of the code last."""
    if test.verdict in SUDDEN and test.step:
        return f'{reason(test)}\nThis was being done: {test.step}'
    return reason(test)


def reported(test):
    """What a sanitizer said, if it has ended the test; else ''."""
    if test.verdict not in ('left', 'signal', 'after-end'):
        return ''
    # gcc's UBSan has a runtime of its own, which writes to standard error.
    return sanitizer(test.report) or sanitizer(test.printed)


def reason(test):
    """Why the test did not pass."""
    if test.verdict == 'failed':
        return test.story or 'The test failed, and does not say why.'
    if reported(test):
        return reported(test)
    if test.verdict == 'left':
        return (f'Your code called {test.word}({test.number}) in the middle '
                'of the test. A function that is asked for something returns; '
                'it does not end the program.')
    if test.verdict == 'after-end':
        return (f'The test had ended well, but then the process ended with '
                f'status {test.number}: did your code register something with '
                'atexit()?')
    if test.verdict == 'signal':
        return after_signal(test)
    if test.verdict == 'time':
        return (f'It did not end within {test.number} s. Is there a loop that '
                'does not move on, or a wait for something that never comes? '
                '(On a slow machine, TIME_SCALE=3 gives three times as long.)')
    if test.verdict == 'memory':
        return ('Your code held more than 128 MiB of memory at one time: is '
                'there a loop that allocates and never ends?')
    if test.verdict == 'forks':
        return ('Your code started more than 50 processes in one test: is '
                'there a loop that forks, or a child that goes on with the '
                "parent's loop?")
    if test.verdict == 'child':
        return ('Your code started a process and did not wait for it: when '
                'the test had ended, it was still there.')
    if test.verdict == 'stdio':
        return (f'Your code closed or replaced descriptor {test.number}, '
                f'{STANDARD.get(test.number, "")}, which belongs to the '
                'program. Was a descriptor closed twice, or one closed that '
                'was never opened?')
    if test.verdict == 'referee':
        return ('Your code ended the process that keeps the results. Does it '
                'call kill() with a number that fork() has not given to it, '
                'perhaps with that of its parent?')
    return test.story or 'It did not run: the tests ended before it.'


def hint_for(test):
    """The hint that the story names: (TODO or '', number or '')."""
    found = re.search(r'\bhints? (\d)[^.;:]*? of TODO[ (](\d\d\.\d+)',
                      sentence(test))
    if found:
        return found[2], found[1]
    todo = re.search(r'\bTODO[ (](\d\d\.\d+)', sentence(test))
    number = re.search(r'\bhints? (\d)', sentence(test))
    return todo[1] if todo else '', number[1] if number else ''


def harmless(text):
    """What a terminal might obey is shown as a number."""
    return re.sub(r'[^\n\t\x20-\x7e\xa0-\uffff]',
                  lambda found: f'\\x{ord(found[0]):02x}', text)


def excerpt(text, most=12):
    """The last lines of what was printed."""
    lines = text.rstrip().splitlines()
    cut = ['...'] if len(lines) > most else []
    return cut + lines[-most:]


def story(test, width=78):
    """The whole story of a test that did not pass, as lines."""
    lines = []
    for part in harmless(sentence(test)).splitlines():
        lines += textwrap.wrap(part, width) or ['']
    called = re.search(r'/(tests\.c):(\d+)', test.report + test.printed)
    if test.verdict == 'failed' and test.word:
        lines.append(f'({test.word}, line {test.number})')
    elif reported(test) and called:
        lines.append(f'(asked for by {called[1]}, line {called[2]})')
    printed = re.sub(r'^\S+:\d+:\d+: runtime error: .*', '', test.printed,
                     flags=re.S | re.M)
    if printed.strip():
        lines.append('Your code printed:')
        lines += ['| ' + line for line in excerpt(harmless(printed))]
    return lines

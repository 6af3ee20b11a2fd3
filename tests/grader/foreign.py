#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 the Steelyard authors
"""A balancer in another language, to grade the grader with.

It does what chapters 01 to 04 do, and with --fault NAME it does one thing
wrong. expected.txt says which behaviours each fault has to lose: those and no
others.
"""
import argparse
import http.client
import os
import re
import select
import signal
import socket
import sys
import threading
import time

FAULTS = {
    'none': 'nothing is wrong',
    'one-recv': 'believes that one recv() is one request',
    'no-body': 'sends on only as much body as came with the head',
    'all-fields': 'sends hop-by-hop fields on',
    'obeys-connection': 'lets Connection name any field',
    'lenient': 'refuses nothing',
    'own-length': 'takes a response whole, and gives it a length of its own',
    'no-continue': 'never says 100 Continue',
    'first-only': 'always picks the first backend',
    'in-pairs': 'gives each backend two turns running',
    'blind': 'never probes',
    'one-strike': 'one bad probe takes a backend down, one good brings it up',
    'chatty': 'logs every probe',
    'repeats-post': 'repeats any method',
    'no-blame': 'does not mark a backend that failed a request down',
    'all-tries': 'tries every backend there is',
    'second-half': 'repeats what the client has begun to get',
    'no-second-body': 'repeats a PUT without its body',
}
HOP = {b'connection', b'keep-alive', b'proxy-connection', b'te', b'trailer',
       b'transfer-encoding', b'upgrade'}
REPEATABLE = {b'GET', b'HEAD', b'PUT', b'DELETE', b'OPTIONS', b'TRACE'}
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")


class Refused(Exception):
    """A request that gets an answer of our own."""


class Backend:
    def __init__(self, url):
        found = re.fullmatch(r'http://(\[[0-9a-fA-F:]+\]|[\w.-]+):(\d+)/?', url)
        if not found:
            sys.exit(usage(f'--backends wants http://HOST:PORT, not "{url}"'))
        self.url = url.rstrip('/')
        self.where = (found[1].strip('[]'), int(found[2]))
        self.up, self.passed, self.failed = True, 0, 0
        self.lock = threading.Lock()

    def turn(self, up, why):
        if self.up != up or options.fault == 'chatty':
            log(f'{self.url} [{"up" if up else "down"}] ({why})')
        self.up = up

    def judge(self, good, why, rise, fall):
        with self.lock:
            self.passed = self.passed + 1 if good else 0
            self.failed = 0 if good else self.failed + 1
            if good and (self.up or self.passed >= rise):
                self.turn(True, why)
            elif not good and (not self.up or self.failed >= fall):
                self.turn(False, why)

    def blame(self):
        with self.lock:
            self.passed = 0
            self.turn(False, 'a request failed')


def usage(why):
    print(f'foreign: {why}', file=sys.stderr)
    sys.exit(2)


def log(line):
    print(line, file=sys.stderr, flush=True)


# --- what a request says -----------------------------------------------------

def check_bytes(head):
    if re.search(rb'(?<!\r)\n|\r(?!\n|\Z)|[\0-\x08\x0b\x0c\x0e-\x1f\x7f]', head):
        raise Refused(400, 'a byte that no head may have')


def read_fields(lines):
    fields = []
    for line in lines:
        name, colon, value = line.partition(b':')
        if options.fault == 'lenient':
            name = name.strip() or b'X'
        elif not colon or not TOKEN.match(name):
            raise Refused(400, 'a field line that is not NAME: VALUE')
        fields.append((name, value.strip(b' \t')))
    return fields


def all_of(fields, name):
    return [value for key, value in fields if key.lower() == name]


def body_length(fields):
    lengths = all_of(fields, b'content-length')
    codings = all_of(fields, b'transfer-encoding')
    if options.fault == 'lenient':
        return int(re.sub(rb'\D.*', b'', lengths[0].strip(b'+')) or 0) \
            if lengths else 0
    if len(lengths) > 1 or (lengths and not re.fullmatch(rb'\d+', lengths[0])):
        raise Refused(400, 'not one Content-Length')
    if codings and (lengths or codings != [b'chunked']):
        raise Refused(400, 'a length and a coding, or a strange coding')
    if codings:
        raise Refused(411, 'a body needs a Content-Length here')
    return int(lengths[0]) if lengths else 0


def read_head(head):
    request, *lines = head[:-4].split(b'\r\n')
    words = request.split(b' ')
    if options.fault == 'lenient':
        words = (words + [b'/', b'HTTP/1.1'])[:3]
    elif (len(words) != 3 or not TOKEN.match(words[0])
          or words[1][:1] not in b'/*' or not words[1]
          or words[2] not in (b'HTTP/1.0', b'HTTP/1.1')):
        raise Refused(400, 'the request line is not METHOD TARGET HTTP/1.1')
    fields = read_fields(lines)
    hosts = len(all_of(fields, b'host'))
    if options.fault != 'lenient' and \
            (hosts > 1 or (hosts == 0 and words[2] == b'HTTP/1.1')):
        raise Refused(400, 'not exactly one Host')
    return words, fields


def receive_head(client):
    data = b''
    while b'\r\n\r\n' not in data:
        piece = client.recv(16384)
        if not piece:
            return None, data
        data += piece
        if options.fault != 'lenient':
            check_bytes(data.partition(b'\r\n\r\n')[0])
        if options.fault == 'one-recv' and b'\r\n\r\n' not in data:
            raise Refused(400, 'that was not a whole request')
        if b'\r\n\r\n' not in data[:16384] and len(data) >= 16384:
            raise Refused(431, 'the head is larger than 16 KiB')
    end = data.index(b'\r\n\r\n') + 4
    return data[:end], data[end:]


def forward_head(words, fields):
    named = {name.strip().lower() for value in all_of(fields, b'connection')
             for name in value.split(b',')}
    if options.fault != 'obeys-connection':
        named -= {b'content-length', b'host'}
    gone = HOP | named
    if options.fault == 'all-fields':
        gone = {b'connection'}
    if options.fault == 'lenient':
        gone -= {b'transfer-encoding'}
    if options.fault != 'no-continue':
        gone = gone | {b'expect'}
    lines = [b' '.join(words)] + [name + b': ' + value
                                  for name, value in fields
                                  if name.lower() not in gone]
    return b'\r\n'.join(lines + [b'Connection: close', b'', b''])


# --- one exchange ------------------------------------------------------------

class Exchange:
    def __init__(self, client):
        self.client = client
        self.begun = False          # has the client got a byte of a response?
        self.body = b''
        self.left = 0               # bytes of body that have not come

    def receive_body(self, early, length, waits):
        self.body, self.left = early[:length], length - len(early[:length])
        if options.fault == 'no-body':
            self.left = 0
        if waits and self.left > 0 and options.fault != 'no-continue':
            self.client.sendall(b'HTTP/1.1 100 Continue\r\n\r\n')
        while self.left > 0 and length <= 65536:
            piece = self.client.recv(min(self.left, 65536))
            if not piece:
                raise ConnectionError('the client left')
            self.body += piece
            self.left -= len(piece)

    def send_request(self, upstream, head, again):
        upstream.sendall(head)
        if not (again and options.fault == 'no-second-body'):
            upstream.sendall(self.body)
        while self.left > 0:
            piece = self.client.recv(min(self.left, 65536))
            if not piece:
                raise ConnectionError('the client left')
            self.left -= len(piece)
            upstream.sendall(piece)

    def pass_response(self, upstream):
        pieces = []
        try:
            while piece := upstream.recv(65536):
                if options.fault == 'own-length':
                    pieces.append(piece)
                else:
                    self.begun = True
                    self.client.sendall(piece)
        except ConnectionResetError:
            pass
        if pieces:
            head, _, body = b''.join(pieces).partition(b'\r\n\r\n')
            head = re.sub(rb'\r\nContent-Length: \d+', b'', head)
            if b' 304 ' not in head[:16] and b' 204 ' not in head[:16]:
                head += b'\r\nContent-Length: %d' % len(body)
            self.begun = True
            self.client.sendall(head + b'\r\n\r\n' + body)

    def attempt(self, backend, head, again):
        """True: the client has its answer. None: the backend never knew."""
        try:
            upstream = socket.create_connection(backend.where, 3)
        except OSError:
            return None
        upstream.settimeout(None)
        with upstream:
            try:
                self.send_request(upstream, head, again)
            except (BrokenPipeError, ConnectionResetError):
                pass                # it may have answered already
            self.pass_response(upstream)
        return self.begun

    def run(self, words, fields, early):
        length = body_length(fields)
        waits = b'100-continue' in all_of(fields, b'expect')
        self.receive_body(early, length, waits)
        head, tried = forward_head(words, fields), []
        most = 99 if options.fault == 'all-tries' else 3
        while len(tried) < most and (backend := pick(tried)):
            log(f'{words[0].decode()} {words[1].decode("latin1")} -> '
                f'{backend.url}')
            ended = self.attempt(backend, head, bool(tried))
            tried.append(backend)
            if ended and not (options.fault == 'second-half'
                              and b'cut-body' in words[1]):
                return
            if options.fault != 'no-blame' and not ended:
                backend.blame()
            if ended is False and options.fault != 'repeats-post' and \
                    (words[0] not in REPEATABLE or length > 65536):
                break
        if not self.begun:
            raise Refused(502 if tried else 503, 'no backend has answered')


turns = -1
turns_lock = threading.Lock()


def pick(tried):
    global turns
    with turns_lock:
        able = [b for b in backends if b.up and b not in tried]
        turns += 1
        if options.fault == 'first-only':
            return able[0] if able else None
        turn = turns // 2 if options.fault == 'in-pairs' else turns
        return able[turn % len(able)] if able else None


def linger(client):
    client.shutdown(socket.SHUT_WR)
    client.settimeout(1)
    end = time.monotonic() + 1
    while time.monotonic() < end and client.recv(65536):
        pass


def serve(client):
    exchange, status, bare = Exchange(client), 0, False
    try:
        head, early = receive_head(client)
        if head is None:
            return
        with busy:
            words, fields = read_head(head)
            bare = words[0] == b'HEAD'
            exchange.run(words, fields, early)
    except Refused as refused:
        status, why = refused.args
        text = f'{status} {why}\n'.encode()
        log(f'{status} {why}')
        client.sendall(b'HTTP/1.1 %d No\r\nContent-Length: %d\r\n'
                       b'Connection: close\r\n\r\n%s'
                       % (status, len(text), b'' if bare else text))
    except OSError as error:
        log(f'{error}')
    finally:
        try:
            if status or exchange.left:
                linger(client)
        except OSError:
            pass
        client.close()


class Busy:
    """Counts requests under way, so that a stop can wait for them."""
    def __init__(self):
        self.count, self.change = 0, threading.Condition()

    def __enter__(self):
        with self.change:
            self.count += 1

    def __exit__(self, *_):
        with self.change:
            self.count -= 1
            self.change.notify_all()

    def wait(self):
        with self.change:
            self.change.wait_for(lambda: self.count == 0, 10)


# --- health ------------------------------------------------------------------

def probe(backend, rise, fall):
    host, port = backend.where
    try:
        if options.health_path:
            asked = http.client.HTTPConnection(host, port,
                                               timeout=options.health_timeout)
            asked.request('GET', options.health_path)
            status = asked.getresponse().status
            asked.close()
            backend.judge(200 <= status < 400, f'status {status}', rise, fall)
        else:
            socket.create_connection(backend.where,
                                     options.health_timeout).close()
            backend.judge(True, 'it accepts', rise, fall)
    except (OSError, http.client.HTTPException) as error:
        backend.judge(False, error or 'no answer', rise, fall)


def probe_for_ever():
    rise, fall = options.rise, options.fall
    if options.fault == 'one-strike':
        rise = fall = 1
    while True:
        time.sleep(options.health_interval)
        for backend in backends:
            probe(backend, rise, fall)


# --- the program -------------------------------------------------------------

def duration(text):
    found = re.fullmatch(r'([\d.]+)(ms|s|m)', text)
    if not found:
        usage(f'a time such as 250ms, not "{text}"')
    return float(found[1]) * {'ms': 0.001, 's': 1, 'm': 60}[found[2]]


def read_options():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument('--port', type=int, default=3030)
    parser.add_argument('--backends', action='append', required=True)
    parser.add_argument('--fault', choices=FAULTS, default='none')
    parser.add_argument('--health-interval', type=duration, default=5)
    parser.add_argument('--health-timeout', type=duration, default=1)
    parser.add_argument('--health-path')
    parser.add_argument('--rise', type=int, default=2)
    parser.add_argument('--fall', type=int, default=3)
    return parser.parse_args()


options = read_options()
backends = [Backend(url) for urls in options.backends for url in urls.split(',')]
busy = Busy()
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    listener.bind(('127.0.0.1', options.port))
except OSError as error:
    usage(f'cannot listen on port {options.port}: {error}')


# A signal becomes a byte in a pipe, which select() waits for with the rest.
wake, woken = os.pipe()
os.set_blocking(woken, False)
signal.set_wakeup_fd(woken)
signal.signal(signal.SIGTERM, lambda *_: None)
if options.fault != 'blind':
    for backend in backends:
        probe(backend, 1, 1)
    threading.Thread(target=probe_for_ever, daemon=True).start()
listener.listen(128)     # whoever can connect finds us ready
print('listening on http://127.0.0.1:%d' % listener.getsockname()[1], flush=True)
while wake not in select.select([listener, wake], [], [])[0]:
    threading.Thread(target=serve, args=[listener.accept()[0]],
                     daemon=True).start()
listener.close()
busy.wait()
os._exit(0)     # what clients say nothing in is not waited for

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The graded tests of steady I/O. The code under test has one end of a socket,
 * and a process of its own, the peer, has the other. The peer cuts what it
 * sends, dawdles, interrupts and leaves:
 *
 *       the test                                the peer
 *    +-------------+      pair.ours           +----------+
 *    | steady_...  | <----------------------> | peer_... |
 *    +-------------+           pair.theirs    +----------+
 *           |                                      |
 *           +----- shared: memory of both ---------+
 *
 * What takes time here waits for something to happen. Where a test needs a peer
 * that is silent, how long it is so does not decide what is right.
 */
#include "grade.h"
#include "steady_io.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LONG_MS = 60000, SILENT_MS = 300 };

static const char *const head = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

/** A socket, by its two ends. */
struct pair {
    int ours, theirs;
};

/** What the test and its peer both see. */
static struct shared {
    pid_t test;          /**< who is to be interrupted */
    atomic_uint signals; /**< so many have been handled */
    atomic_bool stop;    /**< the peer may stop what it does */
} * shared;

static const char *steady_name(enum steady result)
{
    static const char *const names[] = {
        [STEADY_DONE] = "STEADY_DONE",
        [STEADY_CLOSED] = "STEADY_CLOSED",
        [STEADY_CUT] = "STEADY_CUT",
        [STEADY_TOO_LONG] = "STEADY_TOO_LONG",
        [STEADY_LATE] = "STEADY_LATE",
        [STEADY_GONE] = "STEADY_GONE",
        [STEADY_BROKEN] = "STEADY_BROKEN",
    };
    size_t count = sizeof(names) / sizeof(names[0]);

    return (size_t)result < count ? names[result] : "no result that there is";
}

/** With 1, `byte`; with another number, `bytes`. */
static const char *bytes_word(size_t count)
{
    return count == 1 ? "byte" : "bytes";
}

static int64_t now_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void pause_ms(int ms)
{
    struct timespec left = {.tv_nsec = (long)ms * 1000000};

    while (nanosleep(&left, &left) == -1 && errno == EINTR)
        continue;
}

static void on_signal(int number)
{
    (void)number;
    atomic_fetch_add(&shared->signals, 1);
}

/** Fresh shared memory, and a handler that does not restart what it
    interrupts. */
static void shared_begin(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    expect(shared != MAP_FAILED, "No shared memory: %s.", strerror(errno));
    shared->test = getpid();
    sigaction(SIGUSR1, &action, NULL);
}

/** A socket of this system alone, with small buffers. */
static struct pair pair_open(int flags)
{
    int ends[2], small = 4096;

    if (shared == NULL)
        shared_begin();
    expect(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "No socketpair: %s.",
           strerror(errno));
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    fcntl(ends[0], F_SETFL, fcntl(ends[0], F_GETFL) | flags);
    return (struct pair){.ours = ends[0], .theirs = ends[1]};
}

/** The same, but over TCP, so that it can be reset. */
static struct pair pair_tcp(void)
{
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(where);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct pair pair = {.theirs = socket(AF_INET, SOCK_STREAM, 0)};

    expect(bind(listener, (struct sockaddr *)&where, length) == 0 &&
               listen(listener, 1) == 0 &&
               getsockname(listener, (struct sockaddr *)&where, &length) == 0 &&
               connect(pair.theirs, (struct sockaddr *)&where, length) == 0,
           "No TCP on 127.0.0.1: %s.", strerror(errno));
    pair.ours = accept(listener, NULL, NULL);
    close(listener);
    return pair;
}

/** Start a peer that does this; then it has its end alone. */
static pid_t peer_start(struct pair *pair, void (*act)(struct pair *, int),
                        int how)
{
    pid_t peer = fork();

    expect(peer != -1, "No process for the peer: %s.", strerror(errno));
    if (peer == 0) {
        act(pair, how);
        _exit(0);
    }
    close(pair->theirs);
    return peer;
}

/** The test has what it wants: wait for the end of the peer. */
static void peer_end(pid_t peer, struct pair *pair)
{
    int status = 0;

    close(pair->ours);
    atomic_store(&shared->stop, true);
    while (waitpid(peer, &status, 0) == -1 && errno == EINTR)
        continue;
    expect(status == 0, "The peer ended with status %d.", status);
}

/* --- what peers do --------------------------------------------------------- */

/** Wait until our end has taken all that was sent to it. */
static void peer_wait_taken(const struct pair *pair)
{
    int waiting = 1;

    while (ioctl(pair->ours, FIONREAD, &waiting) == 0 && waiting > 0 &&
           getppid() == shared->test && !atomic_load(&shared->stop))
        usleep(50);
}

/** Interrupt the test, and nobody else. Once it has ended, so does the peer. */
static void peer_signal(void)
{
    if (getppid() != shared->test)
        _exit(0);
    kill(shared->test, SIGUSR1);
}

/** Interrupt the test so often, each time once it has handled the last one. */
static void peer_interrupt(unsigned times)
{
    for (unsigned i = 0; i < times && !atomic_load(&shared->stop); i++) {
        unsigned before = atomic_load(&shared->signals);

        peer_signal();
        while (atomic_load(&shared->signals) == before &&
               getppid() == shared->test && !atomic_load(&shared->stop))
            usleep(50);
    }
}

static void peer_send(const struct pair *pair, const char *bytes, size_t length)
{
    if (send(pair->theirs, bytes, length, MSG_NOSIGNAL) != (ssize_t)length)
        _exit(0); /* the test has left, and says why itself */
}

/** Send the head byte by byte, with so many interruptions before each. */
static void peer_bytes(struct pair *pair, int interruptions)
{
    for (const char *next = head; *next != '\0'; next++) {
        peer_wait_taken(pair);
        peer_interrupt((unsigned)interruptions);
        peer_send(pair, next, 1);
    }
}

/** Send the head after a silence. */
static void peer_silent(struct pair *pair, int silent_ms)
{
    pause_ms(silent_ms);
    peer_send(pair, head, strlen(head));
}

enum drip { NOTHING, BYTES, SIGNALS };

/** Until told to stop, or for two seconds: a byte now and then, or a signal, or
    nothing. Then, if told, the rest of the head. */
static void peer_drip(struct pair *pair, int drip)
{
    int64_t end = now_ms(CLOCK_MONOTONIC) + 2000;

    while (!atomic_load(&shared->stop) && now_ms(CLOCK_MONOTONIC) < end) {
        if (drip == SIGNALS)
            peer_signal();
        if (drip == BYTES)
            peer_send(pair, "x", 1);
        pause_ms(5);
    }
    if (atomic_load(&shared->stop))
        peer_send(pair, "y\r\n\r\n", 5);
}

/** The byte that stands at this place of what is written. */
static char byte_at(size_t place)
{
    return (char)(place * 31 + place / 251);
}

/** Read all that comes, in pieces of all sizes, and compare it. */
static void peer_read(struct pair *pair, int want)
{
    static const size_t sizes[] = {1, 700, 3, 2048, 64, 5000};
    char piece[5000];
    size_t taken = 0;
    ssize_t got = 1;

    close(pair->ours);
    for (size_t turn = 0; got > 0; turn++) {
        if (turn % 16 == 0)
            peer_interrupt(2);
        got = recv(pair->theirs, piece, sizes[turn % 6], 0);
        for (ssize_t i = 0; i < got; i++, taken++)
            expect(piece[i] == byte_at(taken),
                   "%d %s written with steady_write_all(), and read in small "
                   "pieces. Byte %zu came as 0x%02x instead of 0x%02x. "
                   "After a short write, go on where it stopped: hint 1 of "
                   "TODO(01.4).",
                   want, want == 1 ? "byte was" : "bytes were", taken,
                   (unsigned char)piece[i], (unsigned char)byte_at(taken));
    }
    expect(taken == (size_t)want,
           "%d %s written with steady_write_all(), but only %zu came. "
           "send() may take less than it is given: hint 1 of TODO(01.4).",
           want, want == 1 ? "byte was" : "bytes were", taken);
}

/** Read after a silence, then all. */
static void peer_read_late(struct pair *pair, int want)
{
    pause_ms(SILENT_MS);
    peer_read(pair, want);
}

/** Until told to stop, or for two seconds: read a little now and then, or
    nothing. Then leave. */
static void peer_reluctant(struct pair *pair, int bytes)
{
    int64_t end = now_ms(CLOCK_MONOTONIC) + 2000;
    char piece[1000];

    close(pair->ours);
    while (!atomic_load(&shared->stop) && now_ms(CLOCK_MONOTONIC) < end) {
        if (bytes > 0 && recv(pair->theirs, piece, (size_t)bytes, 0) <= 0)
            return;
        pause_ms(5);
    }
}

/** Read a little, and leave. */
static void peer_leave(struct pair *pair, int bytes)
{
    char piece[1000];

    close(pair->ours);
    recv(pair->theirs, piece, (size_t)bytes, MSG_WAITALL);
}

/* --- reading --------------------------------------------------------------- */

/** A buffer of exactly that room, so that the sanitizer sees one byte more. */
static struct steady_buffer buffer_new(size_t room)
{
    struct steady_buffer buffer = {.bytes = malloc(room), .room = room};

    expect(buffer.bytes != NULL, "No memory for a buffer.");
    return buffer;
}

/** Read; then the buffer should begin with this head. Returns its length. */
static size_t expect_head(int fd, struct steady_buffer *buffer,
                          unsigned limit_ms, const char *want, const char *when)
{
    size_t length = 0;
    enum steady got;

    step("%s; steady_read_head() is called.", when);
    got = steady_read_head(fd, buffer, limit_ms, &length);
    expect(got == STEADY_DONE,
           "%s. steady_read_head() should say STEADY_DONE; yours said %s.",
           when, steady_name(got));
    expect(length == strlen(want) && buffer->length >= length,
           "%s. The head is %zu bytes long, its empty line included; yours was "
           "%zu long, and the buffer's length was %zu.",
           when, strlen(want), length, buffer->length);
    expect(memcmp(buffer->bytes, want, length) == 0,
           "%s. The buffer does not begin with the head that was sent. Does "
           "each piece go behind the one before?",
           when);
    return length;
}

static void read_byte_by_byte(int flags, int interruptions, const char *when)
{
    struct pair pair = pair_open(flags);
    struct steady_buffer buffer = buffer_new(strlen(head));
    pid_t peer = peer_start(&pair, peer_bytes, interruptions);

    expect_head(pair.ours, &buffer, LONG_MS, head, when);
    peer_end(peer, &pair);
    free(buffer.bytes);
}

GRADE_TEST(byte_by_byte, 1, "a head comes whole, however it is cut")
{
    read_byte_by_byte(0, 0,
                      "A head came byte by byte, into a buffer that has just "
                      "room for it (hint 1 of TODO(01.1))");
    read_byte_by_byte(O_NONBLOCK, 0,
                      "A head came byte by byte, on a descriptor that does not "
                      "block (hint 1 of TODO(01.2))");
}

GRADE_TEST(surplus_stays, 1, "what comes behind a head is kept")
{
    static const char *const first = "GET /1 HTTP/1.1\r\n\r\n";
    static const char *const second = "PUT /2 HTTP/1.1\r\nA: \r\n\r\n";
    struct pair pair = pair_open(0);
    struct steady_buffer buffer = buffer_new(200);
    size_t length = 0;
    char all[200];

    snprintf(all, sizeof(all), "%s%s%.20s", first, second, head);
    peer_send(&pair, all, strlen(all));
    length = expect_head(pair.ours, &buffer, 1000, first,
                         "Two heads and a half came in one piece");
    step("Two heads and a half are in the buffer, %zu bytes, and the first %zu "
         "are dropped; see hint 2 of TODO(01.3).",
         buffer.length, length);
    steady_drop(&buffer, length);
    shutdown(pair.theirs, SHUT_WR);
    length = expect_head(
        pair.ours, &buffer, 1000, second,
        "Two heads and a half came in one piece, and the first was "
        "dropped; the second was in the buffer already (hints 1 and 2 "
        "of TODO(01.3))");
    step("A head and a half are in the buffer, %zu bytes, and the first %zu "
         "are dropped; see hint 2 of TODO(01.3).",
         buffer.length, length);
    steady_drop(&buffer, length);
    expect(buffer.length == 20 && memcmp(buffer.bytes, head, 20) == 0,
           "Two heads and a half came, and two were dropped. The buffer should "
           "hold the 20 bytes of the half; it holds %zu, or not those (hint 2 "
           "of TODO(01.3)).",
           buffer.length);
    step("steady_drop() is called with a `count` of 1000, but the buffer holds "
         "20 bytes. Was `count` larger than `length`? Then only what is there "
         "may go; see hint 3 of TODO(01.3).");
    steady_drop(&buffer, 1000);
    expect(buffer.length == 0,
           "steady_drop() of more than there is should leave nothing; the "
           "length is still %zu. See hint 3 of TODO(01.3).",
           buffer.length);
    close(pair.ours);
    close(pair.theirs);
    free(buffer.bytes);
}

/** The peer sends this and ends; what does reading say? */
static void expect_end(const char *sent, size_t room, enum steady want,
                       const char *look)
{
    struct pair pair = pair_open(0);
    struct steady_buffer buffer = buffer_new(room);
    size_t length = 0;
    enum steady got;

    peer_send(&pair, sent, strlen(sent));
    close(pair.theirs);
    step("A peer sent %zu %s of a head and closed; the buffer has room for "
         "%zu. steady_read_head() should say %s. %s",
         strlen(sent), bytes_word(strlen(sent)), room, steady_name(want), look);
    got = steady_read_head(pair.ours, &buffer, LONG_MS, &length);
    expect(got == want,
           "A peer sent %zu %s of a head and closed; the buffer has room for "
           "%zu. steady_read_head() should say %s; yours said %s. %s",
           strlen(sent), bytes_word(strlen(sent)), room, steady_name(want),
           steady_name(got), look);
    expect(memcmp(buffer.bytes, sent, buffer.length) == 0 &&
               buffer.length == (strlen(sent) < room ? strlen(sent) : room),
           "A peer sent %zu %s and closed; the buffer has room for %zu, and "
           "should hold the first of them. It holds %zu.",
           strlen(sent), bytes_word(strlen(sent)), room, buffer.length);
    close(pair.ours);
    free(buffer.bytes);
}

GRADE_TEST(ends_differ, 1, "closed, cut off, too long and broken are four")
{
    static const char *const cut =
        "It ended in the middle of a head: hint 2 of TODO(01.1).";
    static const char *const full =
        "All the room is used, and not a byte more: hint 3 of TODO(01.1).";
    struct linger reset = {.l_onoff = 1};
    struct pair pair = pair_tcp();
    struct steady_buffer buffer = buffer_new(100);
    size_t length = 0;
    enum steady got;

    expect_end("", 100, STEADY_CLOSED,
               "It ended between two heads, as it may: hint 2 of TODO(01.1).");
    expect_end("G", 100, STEADY_CUT, cut);
    expect_end("GET / HTTP/1.1\r\n\r", 100, STEADY_CUT, cut);
    expect_end("GET / HTTP/1.1\n\nand more", 100, STEADY_CUT,
               "Only CR LF CR LF ends a head.");
    expect_end("GET / HTTP/1.1\r\n\r\n", 18, STEADY_DONE, full);
    expect_end("GET / HTTP/1.1\r\n\r\n", 17, STEADY_TOO_LONG, full);
    expect_end("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 5, STEADY_TOO_LONG, full);

    setsockopt(pair.theirs, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(pair.theirs);
    got = steady_read_head(pair.ours, &buffer, LONG_MS, &length);
    expect(got == STEADY_GONE,
           "A peer reset the connection (ECONNRESET). steady_read_head() "
           "should say STEADY_GONE; yours said %s.",
           steady_name(got));
    close(pair.ours);
    got = steady_read_head(pair.ours, &buffer, LONG_MS, &length);
    expect(got == STEADY_BROKEN,
           "The descriptor was closed before the call (EBADF). "
           "steady_read_head() should say STEADY_BROKEN; yours said %s.",
           steady_name(got));
    free(buffer.bytes);
}

/* --- writing --------------------------------------------------------------- */

static void write_all(int flags, size_t length, void (*act)(struct pair *, int),
                      const char *when)
{
    struct pair pair = pair_open(flags);
    char *bytes = malloc(length);
    pid_t peer = peer_start(&pair, act, (int)length);
    enum steady got;

    expect(bytes != NULL, "No memory.");
    for (size_t i = 0; i < length; i++)
        bytes[i] = byte_at(i);
    step("%zu %s to be written%s; steady_write_all() is called. See hints 1 "
         "and 3 of TODO(01.4).",
         length, length == 1 ? "byte is" : "bytes are", when);
    got = steady_write_all(pair.ours, bytes, length, LONG_MS);
    expect(got == STEADY_DONE,
           "%zu %s to be written%s. steady_write_all() should say "
           "STEADY_DONE; yours said %s (hint 1 of TODO(01.4); for EINTR and "
           "EAGAIN hints 1 and 2 of TODO(01.2)).",
           length, length == 1 ? "byte was" : "bytes were", when,
           steady_name(got));
    peer_end(peer, &pair);
    free(bytes);
}

GRADE_TEST(signals, 2, "a signal that interrupts is no error")
{
    read_byte_by_byte(0, 4,
                      "A head came byte by byte, and before each byte there "
                      "were four signals (EINTR: hint 2 of TODO(01.2))");
    read_byte_by_byte(O_NONBLOCK, 4,
                      "A head came byte by byte, and before each byte there "
                      "were four signals; the descriptor does not block "
                      "(poll() may be interrupted, too: hint 2 of "
                      "TODO(01.2))");
    write_all(0, 100000, peer_read, " while signals came (EINTR)");
    write_all(O_NONBLOCK, 100000, peer_read,
              " on a descriptor that does not block, while signals came");
}

GRADE_TEST(writes_all, 1, "all is written, in order, however little is taken")
{
    write_all(0, 1, peer_read, "");
    write_all(0, 400000, peer_read, " to a peer that takes small pieces");
    write_all(O_NONBLOCK, 400000, peer_read,
              " on a descriptor that does not block, to a peer that takes "
              "small pieces");
}

/** Of a wait of SILENT_MS, so much may be spent computing. */
static void expect_idle(int64_t before_ms, const char *what)
{
    int64_t used_ms = now_ms(CLOCK_PROCESS_CPUTIME_ID) - before_ms;

    expect(used_ms <= SILENT_MS / 5,
           "The peer did nothing for %d ms. %s used %d ms of processor time "
           "meanwhile: it asks again and again. After EAGAIN, wait in poll(): "
           "hint 1 of TODO(01.2).",
           SILENT_MS, what, (int)used_ms);
}

GRADE_TEST(waits_in_poll, 1, "whoever waits uses no processor")
{
    struct pair pair = pair_open(O_NONBLOCK);
    struct steady_buffer buffer = buffer_new(100);
    pid_t peer = peer_start(&pair, peer_silent, SILENT_MS);
    int64_t before_ms = now_ms(CLOCK_PROCESS_CPUTIME_ID);

    expect_head(pair.ours, &buffer, LONG_MS, head,
                "A head came after a silence, on a descriptor that does not "
                "block (hint 1 of TODO(01.2))");
    expect_idle(before_ms, "steady_read_head()");
    peer_end(peer, &pair);
    free(buffer.bytes);
    atomic_store(&shared->stop, false);
    before_ms = now_ms(CLOCK_PROCESS_CPUTIME_ID);
    write_all(O_NONBLOCK, 50000, peer_read_late,
              " on a descriptor that does not block, to a peer that does not "
              "read at first");
    expect_idle(before_ms, "steady_write_all()");
}

/* --- limits ---------------------------------------------------------------- */

/** Read with a limit of 100 ms from a peer that never completes a head. */
static void expect_late(int flags, enum drip drip, const char *what)
{
    struct pair pair = pair_open(flags);
    struct steady_buffer buffer = buffer_new(4096);
    size_t length = 0, before;
    pid_t peer = peer_start(&pair, peer_drip, (int)drip);
    int64_t start = now_ms(CLOCK_MONOTONIC);
    enum steady got;
    int took;

    step("With a limit of 100 ms, a head is read on a descriptor that %s, from "
         "a peer that %s; steady_read_head() should say STEADY_LATE. See hint "
         "3 of TODO(01.2).",
         flags ? "does not block" : "blocks", what);
    got = steady_read_head(pair.ours, &buffer, 100, &length);
    took = (int)(now_ms(CLOCK_MONOTONIC) - start);

    expect(got == STEADY_LATE,
           "With a limit of 100 ms, a head was read from a peer that %s for 2 "
           "s, and never ended it. steady_read_head() should say STEADY_LATE; "
           "yours said %s after %d ms. Does each byte, or each signal, begin "
           "the limit anew? See hint 3 of TODO(01.2).",
           what, steady_name(got), took);
    expect(took >= 98,
           "With a limit of 100 ms, yours said STEADY_LATE after %d ms. A "
           "signal or a byte may end a poll() too early; look at the clock: "
           "hint 3 of TODO(01.2).",
           took);
    before = buffer.length;
    atomic_store(&shared->stop, true);
    step("After STEADY_LATE the rest of the head comes, and steady_read_head() "
         "is called again.");
    got = steady_read_head(pair.ours, &buffer, LONG_MS, &length);
    expect(got == STEADY_DONE && length == buffer.length && length > before,
           "After STEADY_LATE, with %zu %s in the buffer, the rest of the head "
           "came. A second call should say STEADY_DONE; yours said %s. No byte "
           "may be lost.",
           before, bytes_word(before), steady_name(got));
    expect((fcntl(pair.ours, F_GETFL) & O_NONBLOCK) == flags,
           "O_NONBLOCK of the descriptor was changed. Leave its flags alone: "
           "hint 1 of TODO(01.2).");
    peer_end(peer, &pair);
    atomic_store(&shared->stop, false);
    free(buffer.bytes);
}

GRADE_TEST_WITH(limit_holds, 1, "the time limit counts from the call",
                .seconds = 10)
{
    struct pair pair = pair_open(0);
    struct steady_buffer buffer = buffer_new(100);
    size_t length = 0;
    enum steady got = steady_read_head(pair.ours, &buffer, 0, &length);

    expect(got == STEADY_LATE,
           "Nothing has come, and the limit is 0 ms: STEADY_LATE; yours said "
           "%s.",
           steady_name(got));
    peer_send(&pair, head, strlen(head));
    expect_head(pair.ours, &buffer, 0, head,
                "A head was there, and the limit was 0 ms");
    close(pair.ours);
    close(pair.theirs);
    free(buffer.bytes);
    expect_late(0, NOTHING, "sent nothing");
    expect_late(O_NONBLOCK, NOTHING, "sent nothing");
    expect_late(0, BYTES, "sent a byte each 5 ms");
    expect_late(O_NONBLOCK, BYTES, "sent a byte each 5 ms");
    expect_late(0, SIGNALS, "sent nothing, while signals came");
}

/** Write a megabyte with a limit of 100 ms to a peer that does not take it. */
static void expect_write_late(int flags, int bytes, const char *what)
{
    struct pair pair = pair_open(flags);
    size_t length = (size_t)1 << 20;
    char *much = calloc(1, length);
    pid_t peer = peer_start(&pair, peer_reluctant, bytes);
    int64_t start = now_ms(CLOCK_MONOTONIC);
    enum steady got;
    int took;

    step("With a limit of 100 ms, a megabyte is written on a descriptor that "
         "%s, to a peer that %s; steady_write_all() should say STEADY_LATE. "
         "See hint 3 of TODO(01.4).",
         flags ? "does not block" : "blocks", what);
    got = steady_write_all(pair.ours, much, length, 100);
    took = (int)(now_ms(CLOCK_MONOTONIC) - start);

    expect(got == STEADY_LATE,
           "With a limit of 100 ms, a megabyte was written on a descriptor "
           "that %s, to a peer that %s for 2 s and then left. "
           "steady_write_all() should say STEADY_LATE; yours said %s after %d "
           "ms. See hint 3 of TODO(01.4).",
           flags ? "does not block" : "blocks", what, steady_name(got), took);
    expect(took >= 98,
           "With a limit of 100 ms, yours said STEADY_LATE after %d ms.", took);
    expect((fcntl(pair.ours, F_GETFL) & O_NONBLOCK) == flags,
           "O_NONBLOCK of the descriptor was changed. Leave its flags alone: "
           "hint 3 of TODO(01.4).");
    peer_end(peer, &pair);
    atomic_store(&shared->stop, false);
    free(much);
}

GRADE_TEST_WITH(write_limit, 1, "who does not read cannot hold us",
                .seconds = 10)
{
    expect_write_late(O_NONBLOCK, 0, "read nothing");
    expect_write_late(0, 0, "read nothing");
    expect_write_late(0, 1000, "read 1000 bytes each 5 ms");
}

GRADE_TEST(peer_gone, 1, "a peer that has gone is an answer, not a signal")
{
    struct pair pair = pair_open(0);
    size_t length = (size_t)1 << 20;
    char *much = calloc(1, length);
    struct sigaction now;
    enum steady got;
    pid_t peer;

    signal(SIGPIPE, SIG_DFL);
    peer = peer_start(&pair, peer_leave, 1000);
    step("A peer reads 1000 bytes of a megabyte and leaves; steady_write_all() "
         "should say STEADY_GONE. See hint 2 of TODO(01.4).");
    got = steady_write_all(pair.ours, much, length, LONG_MS);
    expect(got == STEADY_GONE,
           "A peer read 1000 bytes of a megabyte and left. steady_write_all() "
           "should say STEADY_GONE; yours said %s.",
           steady_name(got));
    got = steady_write_all(pair.ours, "x", 1, LONG_MS);
    expect(got == STEADY_GONE,
           "One more byte for a peer that has left (EPIPE): STEADY_GONE; yours "
           "said %s.",
           steady_name(got));
    sigaction(SIGPIPE, NULL, &now);
    expect(now.sa_handler == SIG_DFL,
           "What the program does at SIGPIPE was changed. That is for the "
           "program to decide; there is a flag for send(): hint 2 of "
           "TODO(01.4).");
    peer_end(peer, &pair);
    got = steady_write_all(pair.ours, "x", 1, LONG_MS);
    expect(got == STEADY_BROKEN,
           "The descriptor was closed before the call (EBADF): STEADY_BROKEN; "
           "yours said %s.",
           steady_name(got));
    free(much);
}

GRADE_TESTS(byte_by_byte, surplus_stays, ends_differ, signals, writes_all,
            waits_in_poll, limit_holds, write_limit, peer_gone)

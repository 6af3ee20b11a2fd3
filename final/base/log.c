/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 *     worker 1  --> ring --\
 *     worker 2  --> ring ---+--> writer --> stderr (events), access book
 *     control   --> ring --/
 *
 * A ring has one thread that puts and one that takes, so two counters that only
 * ever grow are enough: `put` belongs to the one, `taken` to the other. A
 * record is a byte that names the book, two bytes of length, and the line.
 *
 * The writer sleeps in poll(). Before it does, it says so in `asleep`, and looks
 * once more: so a line is never left lying, and a busy thread pays for a wake-up
 * only when there is somebody to wake.
 */
#include "base/log.h"

#include "base/clock.h"
#include "base/must.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    RING_BYTES = 1 << 18, /* a power of two */
    RINGS_MAX = 520,
    LINE_MAX_BYTES = 8192,
    CLOSE_MS = 1000, /* log_close() waits no longer for a stuck sink */
    TELL_MS = 1000,  /* between two complaints about a book */
    RECORD_HEAD = 3,
    BATCH_BYTES = 1 << 16,
};

enum book { BOOK_EVENTS, BOOK_ACCESS, BOOK_COUNT };

struct ring {
    _Atomic uint64_t put;   /**< bytes ever put: the owner writes */
    _Atomic uint64_t taken; /**< bytes ever taken: the writer writes */
    _Atomic uint64_t dropped;
    _Atomic uint64_t lines; /**< lines ever put: the owner writes */
    char bytes[RING_BYTES];
};

/** Bytes of one book that are to be written with one call. */
struct batch {
    size_t length;
    uint64_t lines; /**< so many are in it */
    char bytes[BATCH_BYTES];
};

static struct {
    atomic_int level;    /**< enum log_level */
    char access[512];    /**< where to; empty: no access book */
    int fds[BOOK_COUNT]; /**< the access one is owned if it is a file */
    bool owns_access;
    bool is_open;
    pthread_t writer;
    int wake[2]; /**< owned: a pipe */
    atomic_bool asleep;
    atomic_bool stops;
    atomic_bool reopens;
    atomic_uint ring_count;
    struct ring *_Atomic rings[RINGS_MAX]; /**< owned */
    struct batch batches[BOOK_COUNT];      /**< the writer's */
    uint64_t told_dropped, told_lost;      /**< already told; its too */
    int64_t told_ms;                       /**< when; its too */
    _Atomic uint64_t written;              /**< lines that their books took */
    _Atomic uint64_t lost;                 /**< lines that they did not take */

    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool has_ended; /**< under `lock`: the writer has */
} books = {.level = LOG_INFO, .fds = {STDERR_FILENO, -1}, .wake = {-1, -1}};

static _Thread_local struct ring *mine;
static _Thread_local bool has_news;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

bool log_level_find(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
        if (strcmp(level_names[i], name) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&books.level, (int)level, memory_order_relaxed);
}

bool log_tells(enum log_level level)
{
    return (int)level <=
           atomic_load_explicit(&books.level, memory_order_relaxed);
}

bool log_has_access(void)
{
    /* Not by the descriptor: that is the writer's to change. */
    return books.access[0] != '\0';
}

/** Write all of it; false: it was not taken whole. */
static bool write_out(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t wrote = write(fd, bytes, length);

        if (wrote == -1 && errno == EINTR)
            continue;
        if (wrote == -1 && errno == EAGAIN) {
            /* Whoever started us may have left it non-blocking. */
            struct pollfd room = {.fd = fd, .events = POLLOUT};

            poll(&room, 1, -1);
            continue;
        }
        if (wrote <= 0)
            return false;
        bytes += wrote;
        length -= (size_t)wrote;
    }
    return true;
}

/** Copy into the ring, around its end. */
static void ring_copy_in(struct ring *ring, uint64_t at, const void *bytes,
                         size_t length)
{
    size_t place = at % RING_BYTES;
    size_t first = RING_BYTES - place < length ? RING_BYTES - place : length;

    memcpy(ring->bytes + place, bytes, first);
    memcpy(ring->bytes, (const char *)bytes + first, length - first);
}

static void ring_copy_out(const struct ring *ring, uint64_t at, void *bytes,
                          size_t length)
{
    size_t place = at % RING_BYTES;
    size_t first = RING_BYTES - place < length ? RING_BYTES - place : length;

    memcpy(bytes, ring->bytes + place, first);
    memcpy((char *)bytes + first, ring->bytes, length - first);
}

static void ring_put(struct ring *ring, enum book book, const char *line,
                     size_t length)
{
    uint64_t put = atomic_load_explicit(&ring->put, memory_order_relaxed);
    uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_acquire);
    unsigned char head[RECORD_HEAD] = {(unsigned char)book,
                                       (unsigned char)(length >> 8),
                                       (unsigned char)(length & 0xff)};

    if (put - taken + RECORD_HEAD + length > RING_BYTES) {
        atomic_fetch_add_explicit(&ring->dropped, 1, memory_order_relaxed);
        return;
    }
    ring_copy_in(ring, put, head, RECORD_HEAD);
    ring_copy_in(ring, put + RECORD_HEAD, line, length);
    atomic_fetch_add_explicit(&ring->lines, 1, memory_order_relaxed);
    atomic_store_explicit(&ring->put, put + RECORD_HEAD + length,
                          memory_order_release);
    has_news = true;
}

static void put_line(enum book book, const char *line, size_t length)
{
    if (mine != NULL)
        ring_put(mine, book, line, length);
    else if (books.fds[book] != -1)
        write_out(books.fds[book], line, length);
}

void log_event(enum log_level level, const char *format, ...)
{
    char line[2048];
    char now[CLOCK_PRINT_MAX];
    va_list values;
    int used, more;

    if (!log_tells(level))
        return;
    clock_print(now);
    used =
        snprintf(line, sizeof(line) - 1, "%s %-5s ", now, level_names[level]);
    va_start(values, format);
    more =
        vsnprintf(line + used, sizeof(line) - 1 - (size_t)used, format, values);
    va_end(values);
    used += more < (int)sizeof(line) - 2 - used ? more
                                                : (int)sizeof(line) - 2 - used;
    line[used++] = '\n';
    put_line(BOOK_EVENTS, line, (size_t)used);
}

void log_access(const char *line, size_t length)
{
    if (log_has_access() && length <= LINE_MAX_BYTES)
        put_line(BOOK_ACCESS, line, length);
}

static void wake_writer(void)
{
    if (atomic_exchange(&books.asleep, false))
        (void)!write(books.wake[1], "", 1);
}

void log_flush(void)
{
    if (!has_news)
        return;
    has_news = false;
    wake_writer();
}

uint64_t log_dropped(void)
{
    uint64_t dropped = 0;
    unsigned count = atomic_load(&books.ring_count);

    for (unsigned i = 0; i < count; i++) {
        struct ring *ring = atomic_load(&books.rings[i]);

        if (ring != NULL)
            dropped += atomic_load(&ring->dropped);
    }
    return dropped;
}

/* --- the writer ------------------------------------------------------------ */

static void batch_write(enum book book)
{
    struct batch *batch = &books.batches[book];

    if (batch->length == 0)
        return;
    if (write_out(books.fds[book], batch->bytes, batch->length))
        atomic_fetch_add(&books.written, batch->lines);
    else
        atomic_fetch_add(&books.lost, batch->lines);
    batch->length = 0;
    batch->lines = 0;
}

/** Take the records of one ring; false when there were none. */
static bool ring_drain(struct ring *ring)
{
    uint64_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
    uint64_t put = atomic_load_explicit(&ring->put, memory_order_acquire);
    bool some = taken != put;

    while (taken != put) {
        unsigned char head[RECORD_HEAD];

        ring_copy_out(ring, taken, head, RECORD_HEAD);
        must(head[0] < BOOK_COUNT);

        struct batch *batch = &books.batches[head[0]];
        size_t length = (size_t)head[1] << 8 | head[2];

        if (batch->length + length > BATCH_BYTES)
            batch_write((enum book)head[0]);
        ring_copy_out(ring, taken + RECORD_HEAD, batch->bytes + batch->length,
                      length);
        batch->length += length;
        batch->lines++;
        taken += RECORD_HEAD + length;
        atomic_store_explicit(&ring->taken, taken, memory_order_release);
    }
    return some;
}

/** What is missing is told; how much, if not what. */
static void tell(const char *what, const char *how, uint64_t missing,
                 uint64_t *told)
{
    char line[160];
    int length;

    if (missing == *told)
        return;
    length = snprintf(line, sizeof(line),
                      "%s: %llu lines were %s (all in all %llu)\n", what,
                      (unsigned long long)(missing - *told), how,
                      (unsigned long long)missing);
    write_out(STDERR_FILENO, line, (size_t)length);
    *told = missing;
}

static void tell_missing(void)
{
    int64_t now_ms = clock_ms();

    tell("warn  the log is too slow", "dropped", log_dropped(),
         &books.told_dropped);
    /* A full disk stays full for a while: not for each line. */
    if (now_ms - books.told_ms < TELL_MS && !atomic_load(&books.stops))
        return;
    books.told_ms = now_ms;
    tell("error a book of the log takes no more", "lost",
         atomic_load(&books.lost), &books.told_lost);
}

static bool drain_all(void)
{
    bool some = false;
    unsigned count = atomic_load(&books.ring_count);

    for (unsigned i = 0; i < count; i++) {
        struct ring *ring = atomic_load(&books.rings[i]);

        if (ring != NULL && ring_drain(ring))
            some = true;
    }
    for (int book = 0; book < BOOK_COUNT; book++)
        batch_write((enum book)book);
    tell_missing();
    return some;
}

/** Open the access book; false when the file cannot be opened. */
static bool access_open(void)
{
    int fd;

    if (books.access[0] == '\0')
        return true;
    if (strcmp(books.access, "stdout") == 0) {
        books.fds[BOOK_ACCESS] = STDOUT_FILENO;
        return true;
    }
    if (strcmp(books.access, "stderr") == 0) {
        books.fds[BOOK_ACCESS] = STDERR_FILENO;
        return true;
    }
    fd = open(books.access, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd == -1)
        return false;
    if (books.owns_access)
        close(books.fds[BOOK_ACCESS]);
    books.fds[BOOK_ACCESS] = fd;
    books.owns_access = true;
    return true;
}

static void *writer_run(void *arg)
{
    static const char not_reopened[] =
        "error the access log cannot be opened again; the old file goes on\n";
    struct pollfd wake = {.fd = books.wake[0], .events = POLLIN};
    char bytes[64];

    (void)arg;
    while (!atomic_load(&books.stops)) {
        if (atomic_exchange(&books.reopens, false) && !access_open())
            write_out(STDERR_FILENO, not_reopened, sizeof(not_reopened) - 1);
        if (drain_all())
            continue;
        atomic_store(&books.asleep, true);
        if (!drain_all() && !atomic_load(&books.stops) &&
            !atomic_load(&books.reopens)) {
            poll(&wake, 1, 1000);
            if (wake.revents & POLLIN)
                (void)!read(wake.fd, bytes, sizeof(bytes));
        }
        atomic_store(&books.asleep, false);
    }
    drain_all();
    pthread_mutex_lock(&books.lock);
    books.has_ended = true;
    pthread_cond_signal(&books.ended);
    pthread_mutex_unlock(&books.lock);
    return NULL;
}

/** The writer's end is waited for on a clock that nobody sets back. */
static void ended_init(void)
{
    pthread_condattr_t steady;

    books.has_ended = false;
    pthread_mutex_init(&books.lock, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&books.ended, &steady);
    pthread_condattr_destroy(&steady);
}

/** Has the writer ended in time? */
static bool writer_ends(void)
{
    struct timespec until;
    bool ended;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += CLOSE_MS / 1000;
    pthread_mutex_lock(&books.lock);
    while (!books.has_ended &&
           pthread_cond_timedwait(&books.ended, &books.lock, &until) == 0)
        continue;
    ended = books.has_ended;
    pthread_mutex_unlock(&books.lock);
    return ended;
}

/** The writer is stuck: say how much it leaves behind, if that can be said. */
static void tell_left(void)
{
    struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};
    uint64_t left = 0;
    char line[160];
    int length;

    for (unsigned i = 0; i < atomic_load(&books.ring_count); i++)
        left += atomic_load(&atomic_load(&books.rings[i])->lines);
    left -= atomic_load(&books.written) + atomic_load(&books.lost);
    length = snprintf(line, sizeof(line),
                      "error the log is stuck: at most %llu lines were lost\n",
                      (unsigned long long)left);
    /* If it is stderr that is stuck, we would be, too. */
    if (poll(&room, 1, 0) == 1 && (room.revents & POLLOUT))
        (void)!write(STDERR_FILENO, line, (size_t)length);
}

bool log_open(enum log_level level, const char *access, struct fault *fault)
{
    log_set_level(level);
    if (strcmp(access, "off") != 0)
        snprintf(books.access, sizeof(books.access), "%s", access);
    if (!access_open())
        return fault_say(fault, "cannot open the access log %s: %s", access,
                         strerror(errno));
    if (pipe(books.wake) == -1)
        return fault_say(fault, "cannot start the log: %s", strerror(errno));
    for (int i = 0; i < 2; i++) {
        fcntl(books.wake[i], F_SETFD, FD_CLOEXEC);
        fcntl(books.wake[i], F_SETFL, O_NONBLOCK);
    }
    ended_init();
    errno = pthread_create(&books.writer, NULL, writer_run, NULL);
    if (errno != 0)
        return fault_say(fault, "cannot start the log: %s", strerror(errno));
    books.is_open = true;
    return true;
}

void log_join(void)
{
    unsigned place;

    if (!books.is_open || mine != NULL)
        return;
    place = atomic_fetch_add(&books.ring_count, 1);
    must(place < RINGS_MAX);
    mine = xnew(1, sizeof(*mine));
    atomic_store(&books.rings[place], mine);
}

void log_reopen(void)
{
    atomic_store(&books.reopens, true);
    wake_writer();
}

void log_close(void)
{
    unsigned count = atomic_load(&books.ring_count);

    if (!books.is_open)
        return;
    atomic_store(&books.stops, true);
    wake_writer();
    books.is_open = false;
    mine = NULL;
    if (!writer_ends()) {
        /* What it still uses is left to it: the program ends. */
        tell_left();
        pthread_detach(books.writer);
        return;
    }
    pthread_join(books.writer, NULL);
    pthread_cond_destroy(&books.ended);
    pthread_mutex_destroy(&books.lock);
    for (unsigned i = 0; i < count; i++)
        free(atomic_exchange(&books.rings[i], NULL));
    close(books.wake[0]);
    close(books.wake[1]);
    if (books.owns_access)
        close(books.fds[BOOK_ACCESS]);
    books.fds[BOOK_ACCESS] = -1;
    books.access[0] = '\0';
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The base and event floors of the full balancer: lists, chance, the log,
 * alarms, and the loop with each of its pollers.
 *
 * A turn of a loop waits for nothing here unless a test says so: a call from
 * outside, which does nothing, ends the wait, and what was ready before is told
 * in the same turn.
 */
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/random.h"
#include "event/loop.h"
#include "event/signals.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* --- lists ------------------------------------------------------------------ */

struct bead {
    int number;
    struct link link;
};

/** The numbers of a list, in order, as one decimal number. */
static int string_of(struct link *list)
{
    int all = 0;

    for (struct link *at = list->after; at != list; at = at->after)
        all = all * 10 + list_item(at, struct bead, link)->number;
    return all;
}

START_TEST(a_list_keeps_its_order)
{
    struct bead beads[5] = {{.number = 0},
                            {.number = 1},
                            {.number = 2},
                            {.number = 3},
                            {.number = 4}};
    struct link list;

    list_init(&list);
    ck_assert(list_is_empty(&list));
    ck_assert_ptr_null(list_take_first(&list));
    ck_assert(!link_is_on(&beads[1].link));
    for (int i = 1; i <= 3; i++)
        list_put_last(&list, &beads[i].link);
    ck_assert(link_is_on(&beads[1].link));
    ck_assert_int_eq(string_of(&list), 123);
    list_put_after(&list, &beads[4].link);
    ck_assert_int_eq(string_of(&list), 4123);
    list_remove(&beads[2].link);
    list_remove(&beads[2].link);
    ck_assert(!link_is_on(&beads[2].link));
    ck_assert_int_eq(string_of(&list), 413);
    list_put_after(&beads[1].link, &beads[2].link);
    ck_assert_int_eq(string_of(&list), 4123);
    ck_assert_ptr_eq(list_take_first(&list), &beads[4].link);
    ck_assert(!link_is_on(&beads[4].link));
    while (list_take_first(&list) != NULL)
        continue;
    ck_assert(list_is_empty(&list));
}
END_TEST

/* --- chance ----------------------------------------------------------------- */

START_TEST(the_same_seed_gives_the_same_numbers)
{
    struct random one = {7}, same = {7}, other = {8};
    unsigned alike = 0;

    for (int i = 0; i < 1000; i++) {
        uint64_t number = random_next(&one);

        ck_assert_uint_eq(number, random_next(&same));
        alike += number == random_next(&other);
    }
    ck_assert_uint_eq(alike, 0);
    ck_assert_uint_ne(random_seed(), random_seed());
}
END_TEST

/** 9 degrees of freedom: by chance above 27.9 in one run of a thousand. */
START_TEST(chance_below_a_limit_is_even)
{
    static const uint64_t limits[] = {10, 1000, UINT64_C(1) << 40,
                                      UINT64_MAX / 3 * 2};
    enum { DRAWS = 200000, PARTS = 10 };
    struct random random = {1};
    uint64_t limit = limits[_i];
    unsigned parts[PARTS] = {0};
    double far = 0;

    for (int i = 0; i < DRAWS; i++) {
        uint64_t number = random_below(&random, limit);

        ck_assert_uint_lt(number, limit);
        parts[(unsigned)((double)number / (double)limit * PARTS)]++;
    }
    for (int i = 0; i < PARTS; i++) {
        double off = parts[i] - (double)DRAWS / PARTS;

        far += off * off / ((double)DRAWS / PARTS);
    }
    ck_assert_double_lt(far, 27.9);
    ck_assert_uint_eq(random_below(&random, 1), 0);
}
END_TEST

START_TEST(jitter_reaches_its_bounds_and_no_further)
{
    struct random random = {3};
    int64_t least = INT64_MAX, most = 0;

    for (int i = 0; i < 10000; i++) {
        int64_t ms = random_jitter(&random, 2000, 10);

        least = ms < least ? ms : least;
        most = ms > most ? ms : most;
    }
    ck_assert_int_eq(least, 1800);
    ck_assert_int_eq(most, 2200);
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(random_jitter(&random, 2000, 0), 2000);
        ck_assert_int_eq(random_jitter(&random, 5, 10), 5);
        ck_assert_int_ge(random_jitter(&random, 100, 100), 0);
        ck_assert_int_le(random_jitter(&random, 100, 100), 200);
    }
}
END_TEST

/* --- the log ---------------------------------------------------------------- */

/** A folder for the log of a test, and what stderr is turned into. */
struct desk {
    char folder[64];
    char access[80];
    char events[80];
};

static void desk_set(struct desk *desk)
{
    int fd;

    strcpy(desk->folder, "/tmp/steelyard-unit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(desk->folder));
    snprintf(desk->access, sizeof(desk->access), "%s/access", desk->folder);
    snprintf(desk->events, sizeof(desk->events), "%s/events", desk->folder);
    fd = open(desk->events, O_WRONLY | O_CREAT | O_APPEND, 0600);
    ck_assert_int_ne(fd, -1);
    fflush(stderr);
    dup2(fd, STDERR_FILENO);
    close(fd);
}

static void desk_clear(const struct desk *desk)
{
    unlink(desk->access);
    unlink(desk->events);
    ck_assert_int_eq(rmdir(desk->folder), 0);
}

/** What stands in a file. The caller frees it. */
static char *contents(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t room = 0;

    ck_assert_msg(file != NULL, "%s: %s", path, strerror(errno));
    if (getdelim(&text, &room, '\0', file) == -1) {
        free(text);
        text = strdup("");
    }
    fclose(file);
    return text;
}

static void assert_contents(const char *path, const char *wanted)
{
    char *text = contents(path);

    ck_assert_str_eq(text, wanted);
    free(text);
}

/** Wait until the writer has come so far. The limit is that of the test. */
static void await_contents(const char *path, const char *wanted)
{
    for (;;) {
        char *text = access(path, R_OK) == 0 ? contents(path) : strdup("");
        bool has = strstr(text, wanted) != NULL;

        free(text);
        if (has)
            return;
        poll(NULL, 0, 1);
    }
}

static void open_log(enum log_level level, const char *access)
{
    struct fault fault;

    ck_assert_msg(log_open(level, access, &fault), "%s", fault.text);
    log_join();
}

static void put_access(const char *line)
{
    log_access(line, strlen(line));
    log_flush();
}

START_TEST(levels_have_names)
{
    enum log_level level = LOG_INFO;

    ck_assert(log_level_find("error", &level) && level == LOG_ERROR);
    ck_assert(log_level_find("warn", &level) && level == LOG_WARN);
    ck_assert(log_level_find("info", &level) && level == LOG_INFO);
    ck_assert(log_level_find("debug", &level) && level == LOG_DEBUG);
    ck_assert(!log_level_find("", &level));
    ck_assert(!log_level_find("Error", &level));
    ck_assert(!log_level_find("warning", &level));
    ck_assert_int_eq(level, LOG_DEBUG);
}
END_TEST

static int asked;

static int costly(void)
{
    return ++asked;
}

/** 0: before the log is open, 1: with a ring. */
START_TEST(events_are_told_up_to_a_level)
{
    struct desk desk;
    char *text;

    desk_set(&desk);
    if (_i == 1)
        open_log(LOG_WARN, "off");
    log_error("the sky falls %d", 1);
    log_warn("a leaf falls");
    log_debug("one more: %d", costly());
    ck_assert_int_eq(asked, 0);
    log_info("night falls");
    ck_assert(log_tells(LOG_WARN));
    ck_assert(!log_tells(LOG_DEBUG));
    ck_assert(!log_has_access());
    log_close();
    text = contents(desk.events);
    ck_assert_ptr_nonnull(strstr(text, "Z error the sky falls 1\n"));
    ck_assert_ptr_nonnull(strstr(text, "Z warn  a leaf falls\n"));
    ck_assert_int_eq(strstr(text, "night falls") != NULL, _i == 0);
    free(text);
    desk_clear(&desk);
}
END_TEST

START_TEST(a_long_event_is_cut_and_still_a_line)
{
    struct desk desk;
    char words[5000];
    char *text;

    desk_set(&desk);
    memset(words, 'w', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    open_log(LOG_INFO, "off");
    log_info("%s", words);
    log_info("next");
    log_close();
    text = contents(desk.events);
    ck_assert_ptr_nonnull(strstr(text, "www\n"));
    ck_assert_ptr_nonnull(strstr(text, "info  next\n"));
    ck_assert_uint_lt(strlen(text), 2200);
    ck_assert_uint_gt(strlen(text), 2000);
    free(text);
    desk_clear(&desk);
}
END_TEST

START_TEST(access_lines_are_appended_as_they_are)
{
    struct desk desk;
    struct fault fault = {""};

    desk_set(&desk);
    ck_assert(!log_open(LOG_INFO, "/nowhere/at/all", &fault));
    ck_assert_ptr_nonnull(strstr(fault.text, "/nowhere/at/all"));
    ck_assert_ptr_nonnull(strstr(fault.text, strerror(ENOENT)));
    open_log(LOG_INFO, desk.access);
    ck_assert(log_has_access());
    put_access("one\n");
    put_access("two\n");
    log_close();
    assert_contents(desk.access, "one\ntwo\n");
    ck_assert(!log_has_access());
    put_access("three\n");
    assert_contents(desk.access, "one\ntwo\n");
    assert_contents(desk.events, "");
    desk_clear(&desk);
}
END_TEST

START_TEST(the_access_file_is_opened_again)
{
    struct desk desk;
    char moved[100];

    desk_set(&desk);
    snprintf(moved, sizeof(moved), "%s.1", desk.access);
    open_log(LOG_INFO, desk.access);
    put_access("before\n");
    await_contents(desk.access, "before\n");
    ck_assert_int_eq(rename(desk.access, moved), 0);
    log_reopen();
    while (access(desk.access, F_OK) == -1)
        poll(NULL, 0, 1);
    put_access("after\n");
    log_close();
    assert_contents(moved, "before\n");
    assert_contents(desk.access, "after\n");
    unlink(moved);
    desk_clear(&desk);
}
END_TEST

START_TEST(when_it_cannot_be_opened_again_the_old_file_goes_on)
{
    struct desk desk, moved;
    struct stat told_all;
    char *text;

    desk_set(&desk);
    open_log(LOG_INFO, desk.access);
    put_access("before\n");
    await_contents(desk.access, "before\n");
    snprintf(moved.folder, sizeof(moved.folder), "%.50s.1", desk.folder);
    snprintf(moved.access, sizeof(moved.access), "%s/access", moved.folder);
    snprintf(moved.events, sizeof(moved.events), "%s/events", moved.folder);
    ck_assert_int_eq(rename(desk.folder, moved.folder), 0);
    log_reopen();
    await_contents(moved.events, "cannot be opened again");
    put_access("after\n");
    log_close();
    assert_contents(moved.access, "before\nafter\n");
    text = contents(moved.events);
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
    ck_assert_int_eq(strncmp(text, "error ", 6), 0);
    ck_assert_int_eq(stat(moved.events, &told_all), 0);
    ck_assert_int_eq(told_all.st_size, strlen(text)); /* no zero bytes */
    free(text);
    desk_clear(&moved);
}
END_TEST

enum { WRITERS = 4, LINES = 1000 };

/** Each line says whose it is, and which. */
static void *write_lines(void *arg)
{
    const int *who = arg;
    char line[64];

    log_join();
    for (int i = 0; i < LINES; i++) {
        int length = snprintf(line, sizeof(line), "%d %d of many\n", *who, i);

        log_access(line, (size_t)length);
        if (i % 10 == 0)
            log_flush();
    }
    return NULL;
}

/** Count the lines of each; within one, none is lost, torn or overtaken. */
static void assert_all_lines(char *text)
{
    int next[WRITERS] = {0};
    char *rest = text;
    const char *line;

    while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
        char *end;
        long who = strtol(line, &end, 10);
        long which = strtol(end, &end, 10);

        ck_assert(who >= 0 && who < WRITERS);
        ck_assert_str_eq(end, " of many");
        ck_assert_int_eq(which, next[who]++);
    }
    for (int i = 0; i < WRITERS; i++)
        ck_assert_int_eq(next[i], LINES);
}

START_TEST(several_threads_write_whole_lines_in_order)
{
    pthread_t threads[WRITERS];
    int numbers[WRITERS];
    struct desk desk;
    char *text;

    desk_set(&desk);
    open_log(LOG_INFO, desk.access);
    for (int i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, write_lines, &numbers[i]), 0);
        log_reopen();
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(log_dropped(), 0);
    log_close();
    text = contents(desk.access);
    assert_all_lines(text);
    free(text);
    desk_clear(&desk);
}
END_TEST

/** What came out of a slow sink. */
struct sink {
    int fd;
    unsigned lines;
    long last;
    bool in_order;
};

/** Read numbers, a line each, to the end. */
static void *sink_drain(void *arg)
{
    struct sink *sink = arg;
    FILE *file = fdopen(sink->fd, "r");
    char line[256];

    sink->in_order = true;
    while (fgets(line, sizeof(line), file) != NULL) {
        long number = strtol(line, NULL, 10);

        if (number <= sink->last)
            sink->in_order = false;
        sink->last = number;
        sink->lines++;
    }
    fclose(file);
    return NULL;
}

/** Nobody reads; so much is put that no buffer on the way holds it. */
START_TEST(a_slow_sink_costs_lines_that_are_counted_and_no_time)
{
    enum { PUT = 100000 };
    struct sink sink = {.last = 0};
    pthread_t reader;
    struct desk desk;
    uint64_t dropped;
    char words[64];

    desk_set(&desk);
    ck_assert_int_eq(mkfifo(desk.access, 0600), 0);
    sink.fd = open(desk.access, O_RDONLY | O_NONBLOCK);
    ck_assert_int_ne(sink.fd, -1);
    fcntl(sink.fd, F_SETFL, 0);
    open_log(LOG_INFO, desk.access);
    for (int i = 1; i <= PUT; i++) {
        char line[128];
        int length = snprintf(line, sizeof(line), "%-60d\n", i);

        log_access(line, (size_t)length);
        log_flush();
    }
    dropped = log_dropped();
    ck_assert_uint_gt(dropped, PUT / 2);
    pthread_create(&reader, NULL, sink_drain, &sink);
    log_close();
    pthread_join(reader, NULL);
    ck_assert(sink.in_order);
    ck_assert_uint_eq(sink.lines + dropped, PUT);
    snprintf(words, sizeof(words), "(all in all %llu)\n",
             (unsigned long long)dropped);
    await_contents(desk.events, words);
    desk_clear(&desk);
}
END_TEST

/** Nobody ever reads: the end comes nevertheless, and says what it cost. */
START_TEST(a_stuck_sink_does_not_hold_up_the_end)
{
    enum { PUT = 4000 }; /* more than a pipe holds, less than a ring */
    struct desk desk;
    unsigned long lost = 0;
    int64_t began;
    char *said;
    int fd;

    desk_set(&desk);
    ck_assert_int_eq(mkfifo(desk.access, 0600), 0);
    fd = open(desk.access, O_RDONLY | O_NONBLOCK);
    ck_assert_int_ne(fd, -1);
    open_log(LOG_INFO, desk.access);
    for (int i = 1; i <= PUT; i++) {
        char line[128];
        int length = snprintf(line, sizeof(line), "%-60d\n", i);

        log_access(line, (size_t)length);
        log_flush();
    }
    ck_assert_uint_eq(log_dropped(), 0);
    began = clock_ms();
    log_close();
    ck_assert_int_ge(clock_ms() - began, 900);
    ck_assert_int_lt(clock_ms() - began, 10000);
    said = contents(desk.events);
    ck_assert_ptr_nonnull(strstr(said, "error the log is stuck: at most "));
    sscanf(strstr(said, "at most "), "at most %lu lines were lost\n", &lost);
    ck_assert_uint_gt(lost, PUT / 2);
    ck_assert_uint_le(lost, PUT);
    free(said);
    desk_clear(&desk); /* the end stays open: the writer is left behind */
}
END_TEST

/** A full disk, for one. */
START_TEST(what_a_book_does_not_take_is_counted)
{
    struct desk desk;

    desk_set(&desk);
    open_log(LOG_INFO, "/dev/full");
    for (int i = 0; i < 3; i++)
        log_access("a line\n", 7);
    log_info("an event");
    log_close();
    await_contents(desk.events, "an event");
    await_contents(desk.events, "error a book of the log takes no more: 3 "
                                "lines were lost (all in all 3)\n");
    desk_clear(&desk);
}
END_TEST

/** Whoever starts us may hand us a pipe that does not wait. */
START_TEST(a_sink_that_does_not_wait_loses_nothing)
{
    enum { PUT = 3000 }; /* more than a pipe holds, less than a ring */
    struct sink sink = {.last = 0};
    pthread_t reader;
    struct desk desk;
    int ends[2];

    desk_set(&desk);
    ck_assert_int_eq(pipe(ends), 0);
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    fflush(stdout);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    sink.fd = ends[0];
    open_log(LOG_INFO, "stdout");
    for (int i = 1; i <= PUT; i++) {
        char line[128];
        int length = snprintf(line, sizeof(line), "%-60d\n", i);

        log_access(line, (size_t)length);
        log_flush();
    }
    ck_assert_uint_eq(log_dropped(), 0);
    pthread_create(&reader, NULL, sink_drain, &sink);
    log_close();
    close(STDOUT_FILENO);
    pthread_join(reader, NULL);
    ck_assert(sink.in_order);
    ck_assert_uint_eq(sink.lines, PUT);
    desk_clear(&desk);
}
END_TEST

/* --- alarms ----------------------------------------------------------------- */

/** An alarm that leaves a trace: its digit. */
struct bell {
    struct timer timer;
    int digit;
    void (*also)(struct bell *bell);
};

static struct timers timers;
static struct bell bells[6];
static int rung;
static int64_t now;

static void on_bell(void *arg)
{
    struct bell *bell = arg;

    ck_assert(!timer_is_set(&bell->timer));
    rung = rung * 10 + bell->digit;
    if (bell->also != NULL)
        bell->also(bell);
}

static void bells_set_up(void)
{
    timers_init(&timers);
    for (int i = 0; i < (int)COUNT(bells); i++)
        bells[i] = (struct bell){
            .timer = {.on_alarm = on_bell, .arg = &bells[i]}, .digit = i};
    rung = 0;
    now = 1000;
}

/** What rings at that time: digits, in order. */
static int rings_at(int64_t time)
{
    rung = 0;
    now = time;
    timers_fire(&timers, time);
    return rung;
}

START_TEST(a_row_rings_in_the_order_it_was_set)
{
    struct timer_row *row;

    bells_set_up();
    row = timer_row(&timers, 10);
    timer_set(&bells[2].timer, row, 1000);
    timer_set(&bells[1].timer, row, 1000);
    timer_set(&bells[3].timer, row, 1003);
    ck_assert(timer_is_set(&bells[1].timer));
    ck_assert_int_eq(rings_at(1009), 0);
    ck_assert_int_eq(rings_at(1010), 21);
    ck_assert_int_eq(rings_at(1010), 0);
    ck_assert(!timer_is_set(&bells[1].timer));
    ck_assert_int_eq(rings_at(5000), 3);
}
END_TEST

START_TEST(a_length_has_one_row)
{
    struct timer_row *row;

    bells_set_up();
    row = timer_row(&timers, 10);
    ck_assert_ptr_ne(timer_row(&timers, 20), row);
    ck_assert_ptr_eq(timer_row(&timers, 10), row);
}
END_TEST

START_TEST(a_row_lives_as_long_as_it_is_needed)
{
    struct timer_row *row, *same, *other;

    bells_set_up();
    row = timer_row(&timers, 10);
    same = timer_row(&timers, 10);
    other = timer_row(&timers, 20);
    timer_set(&bells[1].timer, row, now);
    timer_row_drop(&same);
    ck_assert_ptr_null(same);
    timer_row_drop(&other);
    ck_assert_int_eq(timers_next_ms(&timers, now), 10);
    ck_assert_int_eq(rings_at(1010), 1);
    timer_row_drop(&row);
    ck_assert(list_is_empty(&timers.rows));
    row = timer_row(&timers, 10);
    timer_set(&bells[2].timer, row, now);
    ck_assert_int_eq(rings_at(1020), 2);
    timers_fini(&timers);
    ck_assert(list_is_empty(&timers.rows));
}
END_TEST

/** Rows that alarms drop. */
static struct timer_row *needed[2];

static void drop_rows(struct bell *bell)
{
    (void)bell;
    timer_row_drop(&needed[0]);
    timer_row_drop(&needed[1]);
}

/** 0: the other row comes first, 1: its own does. */
START_TEST(an_alarm_may_be_the_last_that_needs_its_row_and_the_next)
{
    bells_set_up();
    needed[_i] = timer_row(&timers, 10);
    needed[1 - _i] = timer_row(&timers, 20);
    bells[1].also = drop_rows;
    timer_set(&bells[1].timer, needed[_i], now);
    ck_assert_int_eq(rings_at(1010), 1);
    ck_assert(list_is_empty(&timers.rows));
    ck_assert_int_eq(timers_next_ms(&timers, now), -1);
}
END_TEST

START_TEST(alarms_of_any_length_ring_by_time_and_ties_by_order)
{
    bells_set_up();
    timer_set_in(&timers, &bells[1].timer, 30, now);
    timer_set_in(&timers, &bells[2].timer, 10, now);
    timer_set_in(&timers, &bells[3].timer, 30, now);
    timer_set_in(&timers, &bells[4].timer, 20, now);
    timer_set_in(&timers, &bells[5].timer, 10, now);
    ck_assert_int_eq(rings_at(1009), 0);
    ck_assert_int_eq(rings_at(1010), 25);
    ck_assert_int_eq(rings_at(2000), 413);
}
END_TEST

START_TEST(what_is_set_anew_rings_once_and_later)
{
    struct timer_row *row;

    bells_set_up();
    row = timer_row(&timers, 10);
    timer_set(&bells[1].timer, row, 1000);
    timer_set(&bells[2].timer, row, 1001);
    timer_set(&bells[1].timer, row, 1005);
    ck_assert_int_eq(rings_at(1014), 2);
    ck_assert_int_eq(rings_at(1015), 1);
    timer_set_in(&timers, &bells[3].timer, 5, 1015);
    timer_set(&bells[3].timer, row, 1015);
    ck_assert_int_eq(rings_at(1020), 0);
    ck_assert_int_eq(rings_at(1025), 3);
}
END_TEST

START_TEST(the_last_one_of_any_length_may_be_set_anew)
{
    bells_set_up();
    timer_set_in(&timers, &bells[1].timer, 5, now);
    timer_set_in(&timers, &bells[2].timer, 10, now);
    timer_set_in(&timers, &bells[2].timer, 20, now);
    ck_assert_int_eq(rings_at(1019), 1);
    ck_assert_int_eq(rings_at(1020), 2);
}
END_TEST

START_TEST(what_is_cleared_does_not_ring)
{
    struct timer_row *row;

    bells_set_up();
    row = timer_row(&timers, 10);
    timer_clear(&bells[1].timer);
    timer_set(&bells[1].timer, row, now);
    timer_set(&bells[2].timer, row, now);
    timer_set_in(&timers, &bells[3].timer, 10, now);
    timer_clear(&bells[1].timer);
    timer_clear(&bells[1].timer);
    timer_clear(&bells[3].timer);
    ck_assert(!timer_is_set(&bells[1].timer));
    ck_assert_int_eq(rings_at(1010), 2);
}
END_TEST

START_TEST(length_0_never_rings)
{
    struct timer_row *never;

    bells_set_up();
    never = timer_row(&timers, 0);
    timer_set(&bells[1].timer, timer_row(&timers, 10), now);
    timer_set(&bells[1].timer, never, now); /* takes back what was set */
    timer_set(&bells[2].timer, never, now);
    ck_assert(!timer_is_set(&bells[1].timer));
    ck_assert(!timer_is_set(&bells[2].timer));
    ck_assert_int_eq(timers_next_ms(&timers, now), -1);
    ck_assert_int_eq(rings_at(INT64_MAX), 0);
}
END_TEST

START_TEST(how_long_until_the_next_alarm)
{
    bells_set_up();
    ck_assert_int_eq(timers_next_ms(&timers, now), -1);
    timer_set(&bells[1].timer, timer_row(&timers, 500), now);
    ck_assert_int_eq(timers_next_ms(&timers, now), 500);
    timer_set(&bells[2].timer, timer_row(&timers, 200), now + 100);
    ck_assert_int_eq(timers_next_ms(&timers, now + 100), 200);
    timer_set_in(&timers, &bells[3].timer, 50, now + 100);
    ck_assert_int_eq(timers_next_ms(&timers, now + 100), 50);
    ck_assert_int_eq(timers_next_ms(&timers, now + 149), 1);
    ck_assert_int_eq(timers_next_ms(&timers, now + 150), 0);
    ck_assert_int_eq(timers_next_ms(&timers, now + 999), 0);
    rings_at(now + 999);
    ck_assert_int_eq(timers_next_ms(&timers, now), -1);
}
END_TEST

static void clear_next(struct bell *bell)
{
    timer_clear(&bells[bell->digit + 1].timer);
}

static void set_next(struct bell *bell)
{
    timer_set(&bells[bell->digit + 1].timer, timer_row(&timers, 10), now);
}

static void set_self_at_once(struct bell *bell)
{
    timer_set_in(&timers, &bell->timer, 0, now);
}

static void set_self_in_row(struct bell *bell)
{
    timer_set(&bell->timer, timer_row(&timers, 10), now);
}

START_TEST(an_alarm_may_clear_one_that_is_due_as_well)
{
    bells_set_up();
    bells[1].also = clear_next;
    for (int i = 1; i <= 3; i++)
        timer_set(&bells[i].timer, timer_row(&timers, 10), now);
    ck_assert_int_eq(rings_at(1010), 13);
    ck_assert_int_eq(rings_at(9999), 0);
}
END_TEST

START_TEST(an_alarm_may_set_others_and_itself)
{
    bells_set_up();
    bells[1].also = set_next;
    bells[2].also = set_self_in_row;
    timer_set(&bells[1].timer, timer_row(&timers, 10), now);
    ck_assert_int_eq(rings_at(1010), 1);
    ck_assert_int_eq(rings_at(1019), 0);
    ck_assert_int_eq(rings_at(1020), 2);
    ck_assert_int_eq(rings_at(1025), 0);
    ck_assert_int_eq(rings_at(1030), 2);
}
END_TEST

START_TEST(an_alarm_that_sets_itself_for_now_leaves_the_turn)
{
    bells_set_up();
    bells[1].also = set_self_at_once;
    timer_set_in(&timers, &bells[1].timer, 10, now);
    timer_set_in(&timers, &bells[2].timer, 10, now);
    ck_assert_int_eq(rings_at(1010), 12);
    ck_assert_int_eq(timers_next_ms(&timers, now), 0);
    ck_assert_int_eq(rings_at(1010), 1);
}
END_TEST

enum { MODEL_TIMERS = 40, MODEL_STEPS = 20000 };

/** Alarms as a plain table. */
static struct {
    struct timer timer;
    int64_t due_ms; /**< -1: not set */
} models[MODEL_TIMERS];
static unsigned model_rung;

static void on_model(void *arg)
{
    int64_t *due_ms = arg;

    ck_assert_int_ne(*due_ms, -1);
    ck_assert_int_le(*due_ms, now);
    *due_ms = -1;
    model_rung++;
}

static void model_step(uint64_t *seed)
{
    static const int64_t lengths[] = {0, 10, 100, 1000};
    size_t which = unit_chance(seed, MODEL_TIMERS);
    int64_t length = lengths[unit_chance(seed, COUNT(lengths))];

    switch (unit_chance(seed, 4)) {
    case 0:
        timer_clear(&models[which].timer);
        models[which].due_ms = -1;
        break;
    case 1:
        length = unit_chance(seed, 2000);
        timer_set_in(&timers, &models[which].timer, length, now);
        models[which].due_ms = now + length;
        break;
    default:
        timer_set(&models[which].timer, timer_row(&timers, length), now);
        models[which].due_ms = length == 0 ? -1 : now + length;
    }
}

START_TEST(alarms_do_what_a_plain_table_would)
{
    uint64_t seed = 5;

    timers_init(&timers);
    now = 0;
    for (size_t i = 0; i < MODEL_TIMERS; i++) {
        models[i].timer =
            (struct timer){.on_alarm = on_model, .arg = &models[i].due_ms};
        models[i].due_ms = -1;
    }
    for (int step = 0; step < MODEL_STEPS; step++) {
        int64_t next = INT64_MAX;

        model_step(&seed);
        now += unit_chance(&seed, 20);
        timers_fire(&timers, now);
        for (size_t i = 0; i < MODEL_TIMERS; i++) {
            int64_t due_ms = models[i].due_ms;

            ck_assert(due_ms == -1 || due_ms > now);
            ck_assert_int_eq(timer_is_set(&models[i].timer), due_ms != -1);
            if (due_ms != -1 && due_ms < next)
                next = due_ms;
        }
        ck_assert_int_eq(timers_next_ms(&timers, now),
                         next == INT64_MAX ? -1 : next - now);
    }
    ck_assert_uint_gt(model_rung, MODEL_STEPS / 10);
}
END_TEST

/* --- the loop --------------------------------------------------------------- */

static const char *const pollers[] = {"auto", "poll"};

/** Somebody who listens at one end of a connection. */
struct ear {
    struct watch watch;
    struct loop *loop;
    int peer;       /**< the other end */
    unsigned calls; /**< how often it was told something */
    void (*also)(struct ear *ear);
};

static unsigned turns;

static void stop_it(void *loop)
{
    loop_stop(loop);
}

static void count_turn(void *arg)
{
    (void)arg;
    turns++;
}

static void do_nothing(void *arg)
{
    (void)arg;
}

static struct loop *make_loop(const char *poller)
{
    struct loop *loop = loop_new(poller_find(poller));

    ck_assert_ptr_nonnull(loop);
    loop_on_turn(loop, stop_it, loop);
    return loop;
}

/** One turn, which may wait for something. */
static void turn_that_waits(struct loop *loop)
{
    loop_run(loop);
}

/** One turn that waits for nothing. */
static void turn(struct loop *loop)
{
    loop_call(loop, do_nothing, NULL);
    loop_run(loop);
}

static void on_ear(void *arg)
{
    struct ear *ear = arg;

    ear->calls++;
    if (ear->also != NULL)
        ear->also(ear);
}

static void ear_watch(struct ear *ear, struct loop *loop, int fd, int peer)
{
    *ear = (struct ear){.loop = loop, .peer = peer};
    ear->watch = (struct watch){.fd = fd, .on_event = on_ear, .arg = ear};
    fcntl(fd, F_SETFL, O_NONBLOCK);
    ck_assert(loop_watch(loop, &ear->watch));
}

static void ear_open(struct ear *ear, struct loop *loop)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ear_watch(ear, loop, ends[0], ends[1]);
}

/** Two ends of a TCP connection. */
static void tcp_pair(int ends[2])
{
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof(where);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(bind(listener, (struct sockaddr *)&where, length), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&where, &length);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(ends[0], (struct sockaddr *)&where, length), 0);
    ends[1] = accept(listener, NULL, NULL);
    ck_assert_int_ne(ends[1], -1);
    close(listener);
}

static void ear_close(struct ear *ear)
{
    loop_forget(ear->loop, &ear->watch);
    close(ear->watch.fd);
    close(ear->peer);
}

static void speak(const struct ear *ear)
{
    ck_assert_int_eq(write(ear->peer, "words", 5), 5);
}

/** Read all there is, and say so. */
static void hear(struct ear *ear)
{
    char bytes[64];

    while (read(ear->watch.fd, bytes, sizeof(bytes)) > 0)
        continue;
    watch_wait(&ear->watch, READY_READ);
}

/** Close one with a reset. */
static void slam(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    close(fd);
}

START_TEST(pollers_are_found_by_name)
{
    ck_assert_ptr_nonnull(poller_find("auto"));
    ck_assert_ptr_eq(poller_find("poll"), &poller_poll);
    ck_assert_ptr_null(poller_find(""));
    ck_assert_ptr_null(poller_find("Poll"));
    ck_assert_ptr_null(poller_find("select"));
#if defined(__linux__)
    ck_assert_ptr_eq(poller_find("epoll"), &poller_epoll);
    ck_assert_ptr_eq(poller_find("auto"), &poller_epoll);
#endif
}
END_TEST

START_TEST(readiness_is_told_once)
{
    struct loop *loop = make_loop(pollers[_i]);
    struct ear ear;

    ear_open(&ear, loop);
    turn(loop);
    ck_assert_uint_eq(ear.calls, 1);
    ck_assert_uint_eq(ear.watch.ready, READY_WRITE);
    speak(&ear);
    turn(loop);
    ck_assert_uint_eq(ear.calls, 2);
    ck_assert_uint_eq(ear.watch.ready, READY_READ | READY_WRITE);
    for (int i = 0; i < 5; i++)
        turn(loop); /* nobody reads, nobody is told again */
    ck_assert_uint_eq(ear.calls, 2);
    hear(&ear);
    turn(loop);
    ck_assert_uint_eq(ear.calls, 2);
    ck_assert_uint_eq(ear.watch.ready, READY_WRITE);
    speak(&ear);
    turn(loop);
    ck_assert_uint_eq(ear.calls, 3);
    ck_assert_uint_eq(ear.watch.ready, READY_READ | READY_WRITE);
    ear_close(&ear);
    loop_free(&loop);
    ck_assert_ptr_null(loop);
}
END_TEST

START_TEST(room_is_told_again_once_it_was_used_up)
{
    struct loop *loop = make_loop(pollers[_i]);
    char bytes[4096] = {0};
    struct ear ear;

    ear_open(&ear, loop);
    turn(loop);
    while (write(ear.watch.fd, bytes, sizeof(bytes)) > 0)
        continue;
    ck_assert_int_eq(errno, EAGAIN);
    watch_wait(&ear.watch, READY_WRITE);
    turn(loop);
    ck_assert_uint_eq(ear.calls, 1);
    ck_assert_uint_eq(ear.watch.ready, 0);
    fcntl(ear.peer, F_SETFL, O_NONBLOCK);
    while (read(ear.peer, bytes, sizeof(bytes)) > 0)
        continue;
    turn(loop);
    ck_assert_uint_ge(ear.calls, 2);
    ck_assert_uint_eq(ear.watch.ready, READY_WRITE);
    ear_close(&ear);
    loop_free(&loop);
}
END_TEST

START_TEST(the_peers_last_byte_is_told)
{
    struct loop *loop = make_loop(pollers[_i]);
    struct ear ear;
    char byte;

    ear_open(&ear, loop);
    speak(&ear);
    shutdown(ear.peer, SHUT_WR);
    turn(loop);
    ck_assert_uint_eq(ear.watch.ready, READY_READ | READY_WRITE | READY_END);
    ck_assert_uint_eq(ear.calls, 1);
    turn(loop);
    turn(loop);
    ck_assert_uint_eq(ear.calls, 1);
    ck_assert_int_eq(write(ear.watch.fd, "!", 1), 1); /* that way is open */
    ck_assert_int_eq(read(ear.peer, &byte, 1), 1);
    ear_close(&ear);
    loop_free(&loop);
}
END_TEST

START_TEST(a_reset_is_told)
{
    struct loop *loop = make_loop(pollers[_i]);
    struct ear ear;
    int ends[2];

    tcp_pair(ends);
    ear_watch(&ear, loop, ends[0], ends[1]);
    turn(loop);
    ck_assert_uint_eq(ear.watch.ready, READY_WRITE);
    slam(ear.peer);
    while (ear.calls < 2)
        turn_that_waits(loop);
    ck_assert_uint_eq(ear.watch.ready,
                      READY_READ | READY_WRITE | READY_END | READY_BROKEN);
    loop_forget(loop, &ear.watch);
    close(ear.watch.fd);
    loop_free(&loop);
}
END_TEST

/** Bytes that nobody reads, an end, a reset: none of them wakes us for ever. */
START_TEST(a_watch_left_alone_does_not_make_the_loop_spin)
{
    struct loop *loop = make_loop(pollers[_i]);
    struct timer stop = {.on_alarm = stop_it, .arg = loop};
    struct ear full, ended, broken;
    int ends[2];

    tcp_pair(ends);
    ear_open(&full, loop);
    ear_open(&ended, loop);
    ear_watch(&broken, loop, ends[0], ends[1]);
    turn(loop);
    speak(&full);
    shutdown(ended.peer, SHUT_WR);
    slam(broken.peer);
    while (!(broken.watch.ready & READY_BROKEN))
        turn_that_waits(loop);
    turns = 0;
    loop_on_turn(loop, count_turn, NULL);
    timer_set_in(loop_timers(loop), &stop, 50, loop_now(loop));
    loop_run(loop);
    ck_assert_uint_ge(turns, 1);
    ck_assert_uint_le(turns, 4); /* one that spins takes thousands */
    ck_assert_uint_le(full.calls, 2);
    ck_assert_uint_le(ended.calls, 2);
    ear_close(&full);
    ear_close(&ended);
    loop_forget(loop, &broken.watch);
    close(broken.watch.fd);
    loop_free(&loop);
}
END_TEST

/** One of two that are ready at once forgets the other, and frees it. */
static struct ear *pair[2];

static void forget_the_other(struct ear *ear)
{
    int other = pair[0] == ear ? 1 : 0;

    ear_close(pair[other]);
    free(pair[other]);
    pair[other] = NULL;
}

START_TEST(who_is_forgotten_is_not_called_any_more)
{
    struct loop *loop = make_loop(pollers[_i]);

    for (int i = 0; i < 2; i++) {
        pair[i] = malloc(sizeof(*pair[i]));
        ear_open(pair[i], loop);
    }
    turn(loop);
    for (int i = 0; i < 2; i++) {
        pair[i]->also = forget_the_other;
        speak(pair[i]);
    }
    turn(loop);
    turn(loop);
    ck_assert((pair[0] == NULL) != (pair[1] == NULL));

    struct ear *left = pair[0] != NULL ? pair[0] : pair[1];

    ck_assert_uint_eq(left->calls, 2);
    left->also = NULL;
    loop_again(loop, &left->watch); /* and who has asked for a turn */
    ear_close(left);
    free(left);
    turn(loop);
    loop_free(&loop);
}
END_TEST

static void forget_self(struct ear *ear)
{
    ear_close(ear);
    free(ear);
}

START_TEST(who_is_called_may_go)
{
    struct loop *loop = make_loop(pollers[_i]);
    struct ear *ear = malloc(sizeof(*ear));

    ear_open(ear, loop);
    ear->also = forget_self;
    turn(loop);
    turn(loop);
    loop_free(&loop);
}
END_TEST

/** Another descriptor leads to the same socket, as in a process that takes it
 * over: that it is closed here does not make the kernel forget it. */
START_TEST(what_others_have_open_is_forgotten_too)
{
    struct loop *loop = make_loop(pollers[_i]);
    struct ear ear;
    int other;

    ear_open(&ear, loop);
    turn(loop);
    hear(&ear);
    other = dup(ear.watch.fd);
    loop_forget(loop, &ear.watch);
    close(ear.watch.fd);
    ear.calls = 0;
    speak(&ear);
    turn(loop);
    turn(loop);
    ck_assert_uint_eq(ear.calls, 0);
    close(other);
    close(ear.peer);
    loop_free(&loop);
}
END_TEST

/** More than a poller asks for at once; then some of them leave. */
START_TEST(many_are_told_each_once)
{
    enum { MANY = 300 };
    struct loop *loop = make_loop(pollers[_i]);
    struct ear *ears = calloc(MANY, sizeof(*ears));

    for (int i = 0; i < MANY; i++)
        ear_open(&ears[i], loop);
    for (int i = 0; i < 3; i++)
        turn(loop);
    for (int i = 0; i < MANY; i++) {
        ck_assert_uint_eq(ears[i].calls, 1);
        if (i % 3 == 0)
            ear_close(&ears[i]);
        else
            speak(&ears[i]);
    }
    for (int i = 0; i < 3; i++)
        turn(loop);
    for (int i = 0; i < MANY; i++) {
        ck_assert_uint_eq(ears[i].calls, i % 3 == 0 ? 1 : 2);
        if (i % 3 != 0)
            ear_close(&ears[i]);
    }
    free(ears);
    loop_free(&loop);
}
END_TEST

/** Watches come and go by chance; who is there and was spoken to is told. */
START_TEST(watches_come_and_go)
{
    enum { SEATS = 90, ROUNDS = 2000 };
    struct loop *loop = make_loop(pollers[_i]);
    static struct ear ears[SEATS];
    static bool is_there[SEATS];
    uint64_t seed = 11;

    for (int round = 0; round < ROUNDS; round++) {
        size_t seat = unit_chance(&seed, SEATS);

        if (!is_there[seat])
            ear_open(&ears[seat], loop);
        else
            ear_close(&ears[seat]);
        is_there[seat] = !is_there[seat];
        seat = unit_chance(&seed, SEATS);
        if (!is_there[seat])
            continue;
        turn(loop);
        hear(&ears[seat]);
        speak(&ears[seat]);
        ears[seat].calls = 0;
        turn(loop);
        ck_assert_uint_eq(ears[seat].calls, 1);
        ck_assert(ears[seat].watch.ready & READY_READ);
    }
    for (int seat = 0; seat < SEATS; seat++)
        if (is_there[seat])
            ear_close(&ears[seat]);
    loop_free(&loop);
}
END_TEST

static struct ear couple[2];
static int order;

static void ask_again(struct ear *ear)
{
    order = order * 10 + (ear == &couple[0] ? 1 : 2);
    if (ear->calls < 4)
        loop_again(ear->loop, &ear->watch);
}

START_TEST(who_is_not_done_has_the_next_turn)
{
    struct loop *loop = make_loop(pollers[_i]);

    order = 0;
    for (int i = 0; i < 2; i++) {
        ear_open(&couple[i], loop);
        turn(loop);
    }
    for (int i = 0; i < 2; i++) {
        couple[i].also = ask_again;
        loop_again(loop, &couple[i].watch);
        loop_again(loop, &couple[i].watch); /* asking twice is asking once */
    }
    turn_that_waits(loop); /* but it does not: somebody has work to do */
    ck_assert_int_eq(order, 12);
    turn_that_waits(loop);
    ck_assert_int_eq(order, 1212);
    turn_that_waits(loop);
    ck_assert_int_eq(order, 121212);
    turn(loop);
    ck_assert_int_eq(order, 121212);
    ear_close(&couple[0]);
    ear_close(&couple[1]);
    loop_free(&loop);
}
END_TEST

static void note_watch(struct ear *ear)
{
    order = order * 10 + 1;
    loop_stop(ear->loop); /* the turn is finished all the same */
}

static void note_alarm(void *arg)
{
    (void)arg;
    order = order * 10 + 2;
}

static void note_turn(void *arg)
{
    (void)arg;
    order = order * 10 + 3;
}

START_TEST(a_turn_is_watches_alarms_and_its_end)
{
    struct loop *loop = make_loop(pollers[_i]);
    struct timer alarm = {.on_alarm = note_alarm};
    struct ear ear;

    order = 0;
    ear_open(&ear, loop);
    ear.also = note_watch;
    loop_on_turn(loop, note_turn, NULL);
    timer_set_in(loop_timers(loop), &alarm, 0, loop_now(loop));
    loop_run(loop);
    ck_assert_int_eq(order, 123);
    ear_close(&ear);
    loop_free(&loop);
}
END_TEST

START_TEST(an_alarm_ends_the_wait_and_not_too_early)
{
    struct loop *loop = make_loop(pollers[_i]);
    struct timer alarm = {.on_alarm = stop_it, .arg = loop};
    int64_t began = clock_ms();

    loop_on_turn(loop, NULL, NULL);
    timer_set(&alarm, timer_row(loop_timers(loop), 20), began);
    loop_run(loop);
    ck_assert_int_ge(clock_ms() - began, 20);
    ck_assert_int_ge(loop_now(loop), began + 20);
    ck_assert_int_le(loop_now(loop), clock_ms());
    loop_free(&loop);
}
END_TEST

enum { CALLERS = 3, CALLS = 500 };

/** One who calls a loop from outside, and what came of it. */
struct caller {
    struct loop *loop;
    pthread_t loops_own; /**< the thread of the loop */
    unsigned done;       /**< the loop's */
};

static void count_call(void *arg)
{
    struct caller *caller = arg;

    ck_assert(pthread_equal(pthread_self(), caller->loops_own));
    caller->done++;
}

static void *call_often(void *arg)
{
    struct caller *caller = arg;

    for (int i = 0; i < CALLS; i++)
        loop_call(caller->loop, count_call, caller);
    return NULL;
}

START_TEST(other_threads_have_the_loop_do_things)
{
    struct loop *loop = make_loop(pollers[_i]);
    struct caller callers[CALLERS];
    pthread_t threads[CALLERS];

    for (int i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){loop, pthread_self(), 0};
        pthread_create(&threads[i], NULL, call_often, &callers[i]);
    }
    for (int i = 0; i < CALLERS; i++)
        while (callers[i].done < CALLS)
            turn_that_waits(loop);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(threads[i], NULL);
    loop_call(loop, do_nothing, NULL); /* never done, and yet not leaked */
    loop_free(&loop);
}
END_TEST

static void call_from_a_call(void *arg)
{
    struct caller *caller = arg;

    loop_call(caller->loop, count_call, caller);
}

START_TEST(a_call_may_call)
{
    struct loop *loop = make_loop(pollers[_i]);
    struct caller caller = {loop, pthread_self(), 0};

    loop_call(loop, call_from_a_call, &caller);
    while (caller.done == 0)
        turn_that_waits(loop);
    ck_assert_uint_eq(caller.done, 1);
    loop_free(&loop);
}
END_TEST

/* --- signals ---------------------------------------------------------------- */

static unsigned told[65];

static void on_signal_told(void *arg, int number)
{
    ck_assert_ptr_eq(arg, told);
    told[number]++;
    if (told[number] < 3)
        order = order * 10 + (number == SIGUSR1 ? 1 : 2);
}

START_TEST(signals_are_told_in_the_loops_turn)
{
    static const int numbers[] = {SIGUSR1, SIGUSR2, 0};
    struct loop *loop = make_loop(pollers[_i]);

    ck_assert(signals_open(numbers));
    raise(SIGPIPE); /* does nothing */
    errno = ENOTTY;
    raise(SIGUSR2); /* one that comes before anybody listens */
    ck_assert_int_eq(errno, ENOTTY);
    ck_assert(signals_watch(loop, on_signal_told, told));
    raise(SIGUSR1);
    ck_assert_int_eq(order, 0);
    turn(loop);
    ck_assert_int_eq(order, 21);
    turn(loop);
    ck_assert_int_eq(order, 21);
    signals_close(loop);
    loop_free(&loop);
}
END_TEST

START_TEST(a_heap_of_signals_is_told_whole)
{
    static const int numbers[] = {SIGUSR1, 0};
    struct loop *loop = make_loop(pollers[_i]);

    ck_assert(signals_open(numbers));
    ck_assert(signals_watch(loop, on_signal_told, told));
    for (int i = 0; i < 48; i++)
        raise(SIGUSR1);
    turn(loop);
    turn(loop);
    ck_assert_uint_eq(told[SIGUSR1], 48);
    raise(SIGUSR1);
    turn(loop);
    ck_assert_uint_eq(told[SIGUSR1], 49);
    signals_close(loop);
    loop_free(&loop);
}
END_TEST

START_TEST(signals_go_to_the_next_loop)
{
    static const int numbers[] = {SIGUSR1, 0};
    struct loop *loop = make_loop(pollers[_i]);

    ck_assert(signals_open(numbers));
    ck_assert(signals_watch(loop, on_signal_told, told));
    turn(loop);
    signals_close(loop);
    loop_free(&loop);
    raise(SIGUSR1);
    loop = make_loop(pollers[_i]);
    ck_assert(signals_watch(loop, on_signal_told, told));
    turn(loop);
    ck_assert_uint_eq(told[SIGUSR1], 1);
    signals_close(loop);
    loop_free(&loop);
}
END_TEST

static void add_base(Suite *suite)
{
    unit_add(suite, a_list_keeps_its_order, 1);
    unit_add(suite, the_same_seed_gives_the_same_numbers, 1);
    unit_add(suite, chance_below_a_limit_is_even, 4);
    unit_add(suite, jitter_reaches_its_bounds_and_no_further, 1);
    unit_add(suite, levels_have_names, 1);
    unit_add(suite, events_are_told_up_to_a_level, 2);
    unit_add(suite, a_long_event_is_cut_and_still_a_line, 1);
    unit_add(suite, access_lines_are_appended_as_they_are, 1);
    unit_add(suite, the_access_file_is_opened_again, 1);
    unit_add(suite, when_it_cannot_be_opened_again_the_old_file_goes_on, 1);
    unit_add(suite, several_threads_write_whole_lines_in_order, 1);
    unit_add(suite, a_slow_sink_costs_lines_that_are_counted_and_no_time, 1);
    unit_add(suite, a_sink_that_does_not_wait_loses_nothing, 1);
    unit_add(suite, a_stuck_sink_does_not_hold_up_the_end, 1);
    unit_add(suite, what_a_book_does_not_take_is_counted, 1);
}

static void add_timer(Suite *suite)
{
    unit_add(suite, a_row_rings_in_the_order_it_was_set, 1);
    unit_add(suite, a_length_has_one_row, 1);
    unit_add(suite, a_row_lives_as_long_as_it_is_needed, 1);
    unit_add(suite, an_alarm_may_be_the_last_that_needs_its_row_and_the_next,
             2);
    unit_add(suite, alarms_of_any_length_ring_by_time_and_ties_by_order, 1);
    unit_add(suite, what_is_set_anew_rings_once_and_later, 1);
    unit_add(suite, the_last_one_of_any_length_may_be_set_anew, 1);
    unit_add(suite, what_is_cleared_does_not_ring, 1);
    unit_add(suite, length_0_never_rings, 1);
    unit_add(suite, how_long_until_the_next_alarm, 1);
    unit_add(suite, an_alarm_may_clear_one_that_is_due_as_well, 1);
    unit_add(suite, an_alarm_may_set_others_and_itself, 1);
    unit_add(suite, an_alarm_that_sets_itself_for_now_leaves_the_turn, 1);
    unit_add(suite, alarms_do_what_a_plain_table_would, 1);
}

static void add_loop(Suite *suite)
{
    const int each = COUNT(pollers);

    unit_add(suite, pollers_are_found_by_name, 1);
    unit_add(suite, readiness_is_told_once, each);
    unit_add(suite, room_is_told_again_once_it_was_used_up, each);
    unit_add(suite, the_peers_last_byte_is_told, each);
    unit_add(suite, a_reset_is_told, each);
    unit_add(suite, a_watch_left_alone_does_not_make_the_loop_spin, each);
    unit_add(suite, who_is_forgotten_is_not_called_any_more, each);
    unit_add(suite, what_others_have_open_is_forgotten_too, each);
    unit_add(suite, who_is_called_may_go, each);
    unit_add(suite, many_are_told_each_once, each);
    unit_add(suite, watches_come_and_go, each);
    unit_add(suite, who_is_not_done_has_the_next_turn, each);
    unit_add(suite, a_turn_is_watches_alarms_and_its_end, each);
    unit_add(suite, an_alarm_ends_the_wait_and_not_too_early, each);
    unit_add(suite, other_threads_have_the_loop_do_things, each);
    unit_add(suite, a_call_may_call, each);
    unit_add(suite, signals_are_told_in_the_loops_turn, each);
    unit_add(suite, a_heap_of_signals_is_told_whole, each);
    unit_add(suite, signals_go_to_the_next_loop, each);
}

int main(void)
{
    Suite *suite = suite_create("event");

    add_base(suite);
    add_timer(suite);
    add_loop(suite);
    return unit_run(suite);
}

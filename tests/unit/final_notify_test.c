/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What a service manager is told, with the test as the manager: to the letter,
 * since nobody else reads it.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "control/notify.h"
#include "event/loop.h"
#include "unit.h"

#include <inttypes.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAIT_MS = 5000, PATIENCE_BEATS = 3 };

/** The manager's end. */
struct manager {
    int fd;
    char folder[32];
    char path[64];
};

static struct fault fault;

static void manager_begin(struct manager *manager)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    snprintf(manager->folder, sizeof(manager->folder), "%s",
             "/tmp/notify.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(manager->folder));
    snprintf(manager->path, sizeof(manager->path), "%s/socket",
             manager->folder);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", manager->path);
    manager->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    ck_assert_int_ge(manager->fd, 0);
    ck_assert_int_eq(
        bind(manager->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    setenv("NOTIFY_SOCKET", manager->path, 1);
}

static void manager_end(struct manager *manager)
{
    close(manager->fd);
    unlink(manager->path);
    rmdir(manager->folder);
}

/** The next thing told; waits for it. */
static const char *told(int fd)
{
    static char text[1024];
    struct pollfd asked = {.fd = fd, .events = POLLIN};
    ssize_t length;

    ck_assert_msg(poll(&asked, 1, WAIT_MS) == 1, "nothing is told");
    length = recv(fd, text, sizeof(text) - 1, 0);
    ck_assert_int_ge(length, 0);
    text[length] = '\0';
    return text;
}

static bool is_silent(int fd)
{
    struct pollfd asked = {.fd = fd, .events = POLLIN};

    return poll(&asked, 1, 0) == 0;
}

START_TEST(each_message_is_as_the_manager_wants_it)
{
    struct manager manager;
    struct notify notify;
    const char *text;
    int64_t before_us = clock_us(), said_us;

    manager_begin(&manager);
    ck_assert(notify_open(&notify, &fault));
    notify_ready(&notify, "serving over %d backends", 3);
    ck_assert_str_eq(told(manager.fd),
                     "READY=1\nSTATUS=serving over 3 backends");
    notify_reloading(&notify);
    text = told(manager.fd);
    ck_assert_int_eq(
        sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%" SCNd64, &said_us), 1);
    ck_assert_int_ge(said_us, before_us);
    ck_assert_int_le(said_us, clock_us());
    notify_stopping(&notify);
    ck_assert_str_eq(told(manager.fd), "STOPPING=1\nSTATUS=stopping");
    notify_close(&notify);
    manager_end(&manager);
}
END_TEST

START_TEST(a_status_is_one_line)
{
    struct manager manager;
    struct notify notify;
    char words[2000];

    manager_begin(&manager);
    ck_assert(notify_open(&notify, &fault));
    notify_ready(&notify, "%s", "one\nSTOPPING=1");
    ck_assert_str_eq(told(manager.fd), "READY=1\nSTATUS=one");
    memset(words, 'x', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    notify_ready(&notify, "%s", words);
    ck_assert_uint_eq(strlen(told(manager.fd)), 511);
    notify_close(&notify);
    manager_end(&manager);
}
END_TEST

START_TEST(nobody_wants_to_know)
{
    struct notify notify;

    unsetenv("NOTIFY_SOCKET");
    setenv("WATCHDOG_USEC", "1000", 1);
    ck_assert(notify_open(&notify, &fault));
    ck_assert_int_eq(notify.beat_ms, 0);
    notify_ready(&notify, "serving");
    notify_stopping(&notify);
    notify_close(&notify);
    setenv("NOTIFY_SOCKET", "", 1);
    ck_assert(notify_open(&notify, &fault));
    ck_assert_int_eq(notify.fd, -1);
    notify_close(&notify);
}
END_TEST

START_TEST(who_cannot_be_told_is_named)
{
    struct notify notify;
    char longest[200];

    setenv("NOTIFY_SOCKET", "here", 1);
    ck_assert(!notify_open(&notify, &fault));
    ck_assert_str_eq(fault.text, "NOTIFY_SOCKET=here is no socket");
    memset(longest, '/', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    setenv("NOTIFY_SOCKET", longest, 1);
    ck_assert(!notify_open(&notify, &fault));
    setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
    ck_assert(!notify_open(&notify, &fault));
    ck_assert_str_eq(fault.text,
                     "NOTIFY_SOCKET=/nowhere/at/all cannot be told how it "
                     "goes: No such file or directory");
    notify_ready(&notify, "serving");
    notify_close(&notify);
}
END_TEST

START_TEST(a_manager_that_is_gone_does_no_harm)
{
    struct manager manager;
    struct notify notify;

    manager_begin(&manager);
    ck_assert(notify_open(&notify, &fault));
    manager_end(&manager);
    notify_ready(&notify, "serving");
    notify_stopping(&notify);
    notify_close(&notify);
}
END_TEST

#ifdef __linux__
START_TEST(a_socket_may_have_no_file)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct notify notify;
    char name[64];
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    size_t length;

    snprintf(name, sizeof(name), "@steelyard-notify-%d", (int)getpid());
    length = strlen(name);
    memcpy(address.sun_path, name, length);
    address.sun_path[0] = '\0';
    ck_assert_int_eq(
        bind(fd, (struct sockaddr *)&address,
             (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
        0);
    setenv("NOTIFY_SOCKET", name, 1);
    ck_assert_msg(notify_open(&notify, &fault), "%s", fault.text);
    notify_ready(&notify, "serving");
    ck_assert_str_eq(told(fd), "READY=1\nSTATUS=serving");
    notify_close(&notify);
    close(fd);
}
END_TEST
#endif

/* --- the watchdog ---------------------------------------------------------- */

static struct manager watching;
static struct loop *loop;
static unsigned beats;

static void on_turn(void *arg)
{
    (void)arg;
    while (!is_silent(watching.fd)) {
        ck_assert_str_eq(told(watching.fd), "WATCHDOG=1");
        beats++;
    }
    if (beats >= PATIENCE_BEATS)
        loop_stop(loop);
}

START_TEST(the_watchdog_sees_that_the_loop_runs)
{
    struct notify notify;
    int64_t began_ms;

    manager_begin(&watching);
    setenv("WATCHDOG_USEC", "40000", 1);
    ck_assert(notify_open(&notify, &fault));
    ck_assert_int_eq(notify.beat_ms, 20);
    loop = loop_new(poller_find("poll"));
    loop_on_turn(loop, on_turn, NULL);
    began_ms = clock_ms();
    notify_watch(&notify, loop);
    loop_run(loop);
    /* The first comes at once, the others one by one. */
    ck_assert_int_ge(clock_ms() - began_ms, 20 * (PATIENCE_BEATS - 1) - 1);
    notify_close(&notify);
    loop_free(&loop);
    manager_end(&watching);
}
END_TEST

START_TEST(a_watchdog_may_mean_another)
{
    static const struct {
        const char *usec;
        int64_t beat_ms;
    } times[] = {{"30000000", 15000}, {"1000", 1}, {"0", 0},
                 {"-5", 0},           {"5x", 0},   {"", 0}};
    struct manager manager;
    struct notify notify;
    char pid[20];

    manager_begin(&manager);
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        setenv("WATCHDOG_USEC", times[i].usec, 1);
        ck_assert(notify_open(&notify, &fault));
        ck_assert_int_eq(notify.beat_ms, times[i].beat_ms);
        notify_close(&notify);
    }
    setenv("WATCHDOG_USEC", "1000000", 1);
    for (int i = 0; i < 2; i++) {
        snprintf(pid, sizeof(pid), "%d", (int)getpid() + i);
        setenv("WATCHDOG_PID", pid, 1);
        ck_assert(notify_open(&notify, &fault));
        ck_assert_int_eq(notify.beat_ms, i == 0 ? 500 : 0);
        notify_close(&notify);
    }
    manager_end(&manager);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("notify");

    unit_add(suite, each_message_is_as_the_manager_wants_it, 1);
    unit_add(suite, a_status_is_one_line, 1);
    unit_add(suite, nobody_wants_to_know, 1);
    unit_add(suite, who_cannot_be_told_is_named, 1);
    unit_add(suite, a_manager_that_is_gone_does_no_harm, 1);
#ifdef __linux__
    unit_add(suite, a_socket_may_have_no_file, 1);
#endif
    unit_add(suite, the_watchdog_sees_that_the_loop_runs, 1);
    unit_add(suite, a_watchdog_may_mean_another, 1);
    return unit_run(suite);
}

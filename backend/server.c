/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The loop. Each turn asks every session what it waits for, sleeps in poll()
 * until one of them has it, and lets those move:
 *
 *     watch  ->  poll()  ->  move sessions  ->  accept new ones  ->  stop?
 *
 * A signal only writes one byte into a pipe that poll() watches too, so it
 * cannot slip in between the question and the sleep.
 */
#include "server.h"

#include "fault.h"
#include "listener.h"
#include "options.h"
#include "origin.h"
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/** However many descriptors we may have, so many sessions are enough. */
#define SESSIONS_MAX 16384

/** Descriptors that are not sessions: the three of stdio, listener, pipe. */
#define DESCRIPTORS_SPARE 16

/** What a graceful stop may take. */
#define STOP_MS_MAX 5000

/** The two first places in the list for poll(). */
enum { POLL_SIGNAL, POLL_LISTENER, POLL_SESSIONS };

struct server {
    struct origin origin;      /**< what sessions share */
    struct listener listener;  /**< where they come from */
    struct session **sessions; /**< owned: count of them, each owned */
    size_t count;              /**< sessions open now */
    size_t count_max;          /**< sessions that may be open */
    bool has_gaps;             /**< some of them have just ended */
    struct pollfd *polled;     /**< owned: signal, listener, sessions */
    int64_t stop_by_ms;        /**< once stopping: the end of patience */
};

/* --- signals -------------------------------------------------------------- */

static int signal_pipe[2] = {-1, -1};
static volatile sig_atomic_t signal_came;

static void on_signal(int number)
{
    int saved = errno;

    (void)number;
    if (signal_came)
        _exit(1);
    signal_came = 1;
    if (write(signal_pipe[1], "", 1) == -1) {
        /* A full pipe has woken us already. */
    }
    errno = saved;
}

static bool signals_open(struct fault *fault)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    if (pipe(signal_pipe) == -1)
        return fault_say(fault, "no pipe");
    for (int i = 0; i < 2; i++) {
        must(fcntl(signal_pipe[i], F_SETFL, O_NONBLOCK) != -1);
        must(fcntl(signal_pipe[i], F_SETFD, FD_CLOEXEC) != -1);
    }
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    return true;
}

/* --- beginning and end ---------------------------------------------------- */

/** Ask for as many descriptors as we are allowed and can use. */
static size_t descriptors_raise(void)
{
    struct rlimit limit;
    rlim_t wish = SESSIONS_MAX + DESCRIPTORS_SPARE;

    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        return 256;
    if (limit.rlim_max != RLIM_INFINITY && wish > limit.rlim_max)
        wish = limit.rlim_max;
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= wish)
        return (size_t)wish;
    struct rlimit more = {.rlim_cur = wish, .rlim_max = limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &more) == -1)
        return (size_t)limit.rlim_cur;
    return (size_t)wish;
}

static void server_init(struct server *server, const struct options *options)
{
    size_t descriptors = descriptors_raise();

    *server = (struct server){.listener.fd = -1, .count_max = 1};
    if (descriptors > DESCRIPTORS_SPARE)
        server->count_max = descriptors - DESCRIPTORS_SPARE;
    server->sessions = xnew(server->count_max * sizeof(struct session *));
    server->polled =
        xnew((server->count_max + POLL_SESSIONS) * sizeof(*server->polled));
    origin_init(&server->origin, options);
}

static void server_fini(struct server *server)
{
    while (server->count > 0)
        session_free(&server->sessions[--server->count]);
    listener_close(&server->listener);
    origin_fini(&server->origin);
    free(server->sessions);
    free(server->polled);
}

/** Leaves a gap; server_close_gaps() must follow before the turn is over. */
static void server_end_session(struct server *server, size_t i)
{
    session_free(&server->sessions[i]);
    server->has_gaps = true;
}

/* The order stays: who came first is served first, so luck is repeatable. */
static void server_close_gaps(struct server *server)
{
    size_t kept = 0;

    if (!server->has_gaps)
        return;
    for (size_t i = 0; i < server->count; i++)
        if (server->sessions[i] != NULL)
            server->sessions[kept++] = server->sessions[i];
    server->count = kept;
    server->has_gaps = false;
}

/* --- one turn ------------------------------------------------------------- */

static bool is_frozen(const struct origin *origin)
{
    return origin->now_ms < origin->freeze_until_ms;
}

static struct pollfd poll_entry(int fd, short events)
{
    return (struct pollfd){.fd = fd, .events = events};
}

/** Fill in the list for poll(). @return how long it is */
static nfds_t server_watch(struct server *server)
{
    bool has_room = server->count < server->count_max;
    bool may_accept = server->listener.is_listening && has_room;

    server->polled[POLL_SIGNAL] =
        poll_entry(server->origin.stopping ? -1 : signal_pipe[0], POLLIN);
    if (is_frozen(&server->origin))
        return POLL_LISTENER;
    server->polled[POLL_LISTENER] =
        poll_entry(may_accept ? server->listener.fd : -1, POLLIN);
    for (size_t i = 0; i < server->count; i++) {
        const struct session *session = server->sessions[i];

        server->polled[POLL_SESSIONS + i] =
            poll_entry(session_fd(session), session_wants(session));
    }
    return POLL_SESSIONS + (nfds_t)server->count;
}

static int64_t earlier(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

/** The time at which something must be done even if nothing happens. */
static int64_t server_wakes_ms(const struct server *server)
{
    const struct origin *origin = &server->origin;
    int64_t wakes_ms = origin->stopping ? server->stop_by_ms : INT64_MAX;

    if (is_frozen(origin))
        return earlier(wakes_ms, origin->freeze_until_ms);
    if (!server->listener.is_listening && !origin->stopping)
        wakes_ms = earlier(wakes_ms, origin->refuse_until_ms);
    for (size_t i = 0; i < server->count; i++)
        wakes_ms = earlier(wakes_ms, session_wakes_ms(server->sessions[i]));
    return wakes_ms;
}

/** Sleep until something happens. @return false if it is not for sessions */
static bool server_poll(struct server *server)
{
    nfds_t length = server_watch(server);
    int64_t wakes_ms = server_wakes_ms(server);
    int64_t wait_ms = wakes_ms - server->origin.now_ms;

    if (wakes_ms == INT64_MAX)
        wait_ms = -1;
    else if (wait_ms < 0)
        wait_ms = 0;
    else if (wait_ms > 60000)
        wait_ms = 60000;
    if (poll(server->polled, length, (int)wait_ms) == -1) {
        must(errno == EINTR || errno == EAGAIN);
        for (nfds_t i = 0; i < length; i++)
            server->polled[i].revents = 0;
    }
    origin_set_clock(&server->origin);
    return length >= POLL_SESSIONS;
}

static void server_move_sessions(struct server *server)
{
    for (size_t i = 0; i < server->count && !is_frozen(&server->origin); i++) {
        struct session *session = server->sessions[i];
        short events = server->polled[POLL_SESSIONS + i].revents;
        bool is_due = session_wakes_ms(session) <= server->origin.now_ms;

        if ((events != 0 || is_due) && !session_on_event(session, events))
            server_end_session(server, i);
    }
    server_close_gaps(server);
}

/* They are looked at after the next poll(): the old ones have their turn. */
static void server_accept(struct server *server)
{
    while (server->count < server->count_max) {
        int fd = listener_accept(&server->listener);

        if (fd == -1)
            return;
        server->sessions[server->count++] = session_new(fd, &server->origin);
    }
}

/** Nobody new, and those who want nothing just now may go. */
static void server_begin_stop(struct server *server)
{
    struct origin *origin = &server->origin;

    if (server->listener.is_listening)
        server_accept(server);
    listener_close(&server->listener);
    origin->stopping = true;
    server->stop_by_ms = origin->now_ms + STOP_MS_MAX;
    for (size_t i = 0; i < server->count; i++)
        if (!session_on_event(server->sessions[i], POLLIN))
            server_end_session(server, i);
    server_close_gaps(server);
}

/** @return true when there is nothing left to wait for */
static bool server_has_stopped(struct server *server)
{
    if (!server->origin.stopping)
        return false;
    for (size_t i = 0; i < server->count; i++)
        if (session_may_end(server->sessions[i]))
            server_end_session(server, i);
    server_close_gaps(server);
    if (server->origin.now_ms < server->stop_by_ms)
        return server->count == 0;
    fprintf(stderr, "backend: stopped after %d ms, %zu connections cut off\n",
            STOP_MS_MAX, server->count);
    return true;
}

/** Open the door or close it, as the misbehaviour "refuse" wants it. */
static bool server_mind_door(struct server *server, struct fault *fault)
{
    const struct origin *origin = &server->origin;
    bool shall_listen = origin->now_ms >= origin->refuse_until_ms;

    if (origin->stopping || server->listener.is_listening == shall_listen)
        return true;
    if (shall_listen)
        return listener_listen(&server->listener, fault);
    return listener_refuse(&server->listener, fault);
}

static bool server_turn(struct server *server, struct fault *fault)
{
    if (!server_mind_door(server, fault))
        return false;
    bool is_for_sessions = server_poll(server);
    if (signal_came && !server->origin.stopping) {
        server_begin_stop(server);
        return true;
    }
    if (!is_for_sessions)
        return true;
    server_move_sessions(server);
    if (server->polled[POLL_LISTENER].revents != 0 &&
        !is_frozen(&server->origin))
        server_accept(server);
    return true;
}

static bool server_open(struct server *server, const struct options *options,
                        struct fault *fault)
{
    char where[128];

    if (!listener_open(&server->listener, options->host, options->port, fault))
        return false;
    if (!server_mind_door(server, fault))
        return false;
    server->origin.port = listener_port(&server->listener);
    listener_print(&server->listener, where, sizeof(where));
    printf("listening on http://%s\n", where);
    fflush(stdout);
    return true;
}

bool server_run(const struct options *options, struct fault *fault)
{
    struct server server;
    bool is_well;

    server_init(&server, options);
    is_well = signals_open(fault) && server_open(&server, options, fault);
    while (is_well && !server_has_stopped(&server))
        is_well = server_turn(&server, fault);
    server_fini(&server);
    return is_well;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Ask every session what it waits for, put all of that into one list, and let
 * poll() wait for the whole list. Whoever got an event goes on. Again.
 *
 *     wants[0]                    the pipe that says stop
 *     wants[1]                    the listener
 *     wants[at[0]] and following  what session 0 waits for
 *     wants[at[1]] and following  what session 1 waits for, and so on
 *
 * Only sockets that somebody waits for are in the list: poll() refuses one that
 * is longer than the limit on open files.
 */
#include "loop.h"

#include "net.h"
#include "session.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    WANTS_STOP,
    WANTS_LISTENER,
    WANTS_SESSIONS,      /* from here on: none, one or two for each */
    ACCEPT_AT_ONCE = 64, /* then the sessions have their turn */
    REST_MS = 100,       /* try to accept again after this time */
    END_MS = 10000,      /* how long requests in flight may take to end */
};

struct loop {
    struct loop_settings settings;
    struct session **sessions; /**< owned; `count` of them */
    size_t count;              /**< sessions that are open */
    size_t room;               /**< sessions there may be */
    size_t *at;                /**< owned: where in `wants` each one begins */
    struct pollfd *wants;      /**< owned: room for all */
    size_t want_count;         /**< how many are filled in */
    long end_ms;               /**< stop by then; 0: nobody has asked */
    bool resting;              /**< no descriptor for another client */
    unsigned accepted;         /**< sessions so far */
    unsigned long wake_ups;    /**< for the trace */
};

struct loop *loop_new(const struct loop_settings *settings)
{
    struct loop *loop = calloc(1, sizeof(*loop));

    if (loop == NULL)
        return NULL;
    loop->settings = *settings;
    loop->room = settings->sessions_max + LOOP_REFUSED_MAX;
    loop->sessions = calloc(loop->room, sizeof(struct session *));
    loop->wants =
        calloc(WANTS_SESSIONS + 2 * loop->room, sizeof(struct pollfd));
    loop->at = calloc(loop->room + 1, sizeof(size_t));
    if (loop->sessions == NULL || loop->at == NULL || loop->wants == NULL)
        loop_free(&loop);
    return loop;
}

void loop_free(struct loop **loop)
{
    for (size_t i = 0; i < (*loop)->count; i++)
        session_free(&(*loop)->sessions[i]);
    if ((*loop)->settings.listener != -1)
        close((*loop)->settings.listener);
    free((*loop)->sessions);
    free((*loop)->at);
    free((*loop)->wants);
    free(*loop);
    *loop = NULL;
}

static int sooner(int one_ms, int other_ms)
{
    if (one_ms == -1 || other_ms == -1)
        return one_ms == -1 ? other_ms : one_ms;
    return one_ms < other_ms ? one_ms : other_ms;
}

static int ms_left(long end_ms)
{
    long left = end_ms - clock_ms();

    return left > 0 ? (int)left : 0;
}

/** Put what this session waits for at the end of the list. */
static int gather_session(struct loop *loop, size_t i)
{
    struct pollfd wants[2];
    int limit_ms = session_wants(loop->sessions[i], wants);

    loop->at[i] = loop->want_count;
    for (size_t side = 0; side < 2; side++)
        if (wants[side].fd != -1)
            loop->wants[loop->want_count++] = wants[side];
    loop->at[i + 1] = loop->want_count;
    return limit_ms;
}

/** Fill in what everybody waits for; tell after how long to go on anyway. */
static int gather_wants(struct loop *loop)
{
    bool stopping = loop->end_ms != 0;
    bool accepting = !stopping && !loop->resting && loop->count < loop->room;
    int limit_ms = -1;

    loop->wants[WANTS_STOP] = (struct pollfd){
        .fd = stopping ? -1 : loop->settings.stop, .events = POLLIN};
    loop->wants[WANTS_LISTENER] = (struct pollfd){
        .fd = accepting ? loop->settings.listener : -1, .events = POLLIN};
    loop->want_count = WANTS_SESSIONS;
    for (size_t i = 0; i < loop->count; i++)
        limit_ms = sooner(limit_ms, gather_session(loop, i));
    if (loop->resting)
        limit_ms = sooner(limit_ms, REST_MS);
    if (stopping)
        limit_ms = sooner(limit_ms, ms_left(loop->end_ms));
    return limit_ms;
}

/** Has something come that this session waits for, or is its time up? */
static bool has_event(const struct loop *loop, size_t i)
{
    for (size_t k = loop->at[i]; k < loop->at[i + 1]; k++)
        if (loop->wants[k].revents != 0)
            return true;
    return session_is_late(loop->sessions[i]);
}

/** End a session; the last one takes its place. */
static void session_remove(struct loop *loop, size_t i)
{
    session_free(&loop->sessions[i]);
    loop->sessions[i] = loop->sessions[--loop->count];
}

/** Let those go on who have something to go on with. */
static void serve_sessions(struct loop *loop)
{
    /* Backwards: what takes the place of a removed one has had its turn. */
    for (size_t i = loop->count; i-- > 0;)
        if (has_event(loop, i) && !session_on_event(loop->sessions[i]))
            session_remove(loop, i);
}

static void session_add(struct loop *loop, int client)
{
    struct session *session =
        session_new(client, loop->settings.pool, ++loop->accepted);

    if (session == NULL)
        return;
    if (loop->count >= loop->settings.sessions_max)
        session_refuse(session);
    loop->sessions[loop->count++] = session;
}

/** Accept those who wait, unless we are out of descriptors: then rest. */
static void accept_some(struct loop *loop)
{
    for (int i = 0; i < ACCEPT_AT_ONCE && loop->count < loop->room; i++) {
        int client = listener_accept(loop->settings.listener);

        if (client == -1 && descriptors_are_short()) {
            if (!loop->resting)
                fprintf(stderr,
                        "out of descriptors with %zu clients: "
                        "the next ones have to wait\n",
                        loop->count);
            loop->resting = true;
            return;
        }
        if (client == -1) {
            loop->resting = false;
            return; /* nobody waits */
        }
        session_add(loop, client);
    }
}

/** No new clients from now on; those who have not asked yet may go. */
static void stop_begin(struct loop *loop)
{
    loop->end_ms = clock_ms() + END_MS;
    close(loop->settings.listener);
    loop->settings.listener = -1;
    for (size_t i = loop->count; i-- > 0;)
        if (session_is_idle(loop->sessions[i]))
            session_remove(loop, i);
}

/** Wait once, and do what there is to do. */
static void loop_turn(struct loop *loop)
{
    int limit_ms = gather_wants(loop);
    int ready = poll(loop->wants, loop->want_count, limit_ms);

    if (ready == -1) {
        assert(errno == EINTR); /* what the signal wrote to `stop` comes next */
        return;
    }
    if (loop->settings.trace)
        fprintf(stderr, "wake-up %lu: %d ready\n", ++loop->wake_ups, ready);
    serve_sessions(loop);
    if (loop->wants[WANTS_STOP].revents != 0)
        stop_begin(loop);
    else if (loop->wants[WANTS_LISTENER].revents != 0 || loop->resting)
        accept_some(loop);
}

unsigned loop_run(struct loop *loop)
{
    while (loop->end_ms == 0 || (loop->count > 0 && clock_ms() < loop->end_ms))
        loop_turn(loop);
    return (unsigned)loop->count;
}

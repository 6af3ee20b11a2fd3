/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A turn:
 *
 *     wait      until a descriptor is ready, an alarm is due, or a call comes
 *     watches   those whose `ready` has grown, in the order they were told
 *     alarms    those that are due
 *     on_turn   what is done once per turn
 *
 * The watches to be called are on a list, and who is forgotten leaves that list
 * too: so nobody is called after it has gone, however things fell out.
 */
#include "event/loop.h"

#include "base/clock.h"
#include "base/must.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/** What another thread wants done. */
struct call {
    struct link link;
    void (*call)(void *arg);
    void *arg;
};

struct loop {
    const struct poller_kind *kind;
    struct poller *poller; /**< owned */
    struct timers timers;
    struct link pending;    /**< watches to be called */
    struct link again;      /**< watches to be called in the next turn */
    int64_t now_us, now_ms; /**< the same moment */
    bool stops;
    void (*on_turn)(void *arg);
    void *turn_arg;

    /* Other threads write here, and wake us through the pipe. */
    pthread_mutex_t lock;
    struct link calls; /**< owned; under `lock` */
    int wake[2];       /**< owned */
    struct watch woken;
};

/** Do what other threads have asked for. */
static void on_woken(void *arg)
{
    struct loop *loop = arg;
    char bytes[64];
    struct link *link;
    ssize_t count;

    do
        count = read(loop->wake[0], bytes, sizeof(bytes));
    while (count > 0 || (count == -1 && errno == EINTR));
    watch_wait(&loop->woken, READY_READ);
    pthread_mutex_lock(&loop->lock);
    while ((link = list_take_first(&loop->calls)) != NULL) {
        struct call *call = list_item(link, struct call, link);

        pthread_mutex_unlock(&loop->lock);
        call->call(call->arg);
        free(call);
        pthread_mutex_lock(&loop->lock);
    }
    pthread_mutex_unlock(&loop->lock);
}

void loop_call(struct loop *loop, void (*call)(void *arg), void *arg)
{
    struct call *wanted = xnew(1, sizeof(*wanted));

    wanted->call = call;
    wanted->arg = arg;
    pthread_mutex_lock(&loop->lock);
    list_put_last(&loop->calls, &wanted->link);
    /* Within the lock: the call may be the one that ends this loop. */
    while (write(loop->wake[1], "", 1) == -1 && errno == EINTR)
        continue; /* full is good: it will be woken anyway */
    pthread_mutex_unlock(&loop->lock);
}

static bool pipe_open(int ends[2])
{
    if (pipe(ends) == -1)
        return false;
    for (int i = 0; i < 2; i++) {
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    return true;
}

/** Once per turn, since it costs too much to do it for each event. */
static void read_clock(struct loop *loop)
{
    loop->now_us = clock_us();
    loop->now_ms = loop->now_us / 1000;
}

struct loop *loop_new(const struct poller_kind *kind)
{
    struct loop *loop = xnew(1, sizeof(*loop));

    loop->kind = kind;
    read_clock(loop);
    timers_init(&loop->timers);
    list_init(&loop->pending);
    list_init(&loop->again);
    list_init(&loop->calls);
    pthread_mutex_init(&loop->lock, NULL);
    if (!pipe_open(loop->wake))
        goto undo_loop;
    loop->poller = kind->create();
    if (loop->poller == NULL)
        goto undo_pipe;
    loop->woken =
        (struct watch){.fd = loop->wake[0], .on_event = on_woken, .arg = loop};
    if (!loop_watch(loop, &loop->woken))
        goto undo_poller;
    return loop;

undo_poller:
    kind->destroy(&loop->poller);
undo_pipe:
    close(loop->wake[0]);
    close(loop->wake[1]);
undo_loop:
    pthread_mutex_destroy(&loop->lock);
    free(loop);
    return NULL;
}

void loop_free(struct loop **owned)
{
    struct loop *loop = *owned;
    struct link *link;

    while ((link = list_take_first(&loop->calls)) != NULL)
        free(list_item(link, struct call, link));
    loop->kind->destroy(&loop->poller);
    close(loop->wake[0]);
    close(loop->wake[1]);
    timers_fini(&loop->timers);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
    *owned = NULL;
}

bool loop_watch(struct loop *loop, struct watch *watch)
{
    must(!watch->is_added);
    watch->is_added = loop->kind->add(loop->poller, watch);
    return watch->is_added;
}

void loop_forget(struct loop *loop, struct watch *watch)
{
    list_remove(&watch->pending);
    if (watch->is_added)
        loop->kind->remove(loop->poller, watch);
    watch->is_added = false;
}

void loop_again(struct loop *loop, struct watch *watch)
{
    if (!link_is_on(&watch->pending))
        list_put_last(&loop->again, &watch->pending);
}

int64_t loop_now(const struct loop *loop)
{
    return loop->now_ms;
}

int64_t loop_now_us(const struct loop *loop)
{
    return loop->now_us;
}

struct timers *loop_timers(struct loop *loop)
{
    return &loop->timers;
}

void loop_on_turn(struct loop *loop, void (*on_turn)(void *arg), void *arg)
{
    loop->on_turn = on_turn;
    loop->turn_arg = arg;
}

static int wait_ms(const struct loop *loop)
{
    int64_t wait = timers_next_ms(&loop->timers, clock_ms());

    if (!list_is_empty(&loop->again))
        return 0;
    return wait > INT_MAX ? INT_MAX : (int)wait;
}

/** Those who asked for another turn have it. */
static void recall(struct loop *loop)
{
    struct link *link;

    while ((link = list_take_first(&loop->again)) != NULL)
        list_put_last(&loop->pending, link);
}

static void call_watches(struct loop *loop)
{
    struct link *link;

    while ((link = list_take_first(&loop->pending)) != NULL) {
        struct watch *watch = list_item(link, struct watch, pending);

        watch->on_event(watch->arg);
    }
}

void loop_run(struct loop *loop)
{
    loop->stops = false;
    while (!loop->stops) {
        int wait = wait_ms(loop);

        recall(loop);
        loop->kind->wait(loop->poller, wait, &loop->pending);
        read_clock(loop);
        call_watches(loop);
        timers_fire(&loop->timers, loop->now_ms);
        if (loop->on_turn != NULL)
            loop->on_turn(loop->turn_arg);
    }
}

void loop_stop(struct loop *loop)
{
    loop->stops = true;
}

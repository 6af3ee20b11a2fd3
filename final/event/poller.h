/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file poller.h
 * @brief Asking the kernel which descriptors are ready: one promise, several
 * fillings.
 *
 * What is known of a descriptor is kept in its watch: `ready` says what can be
 * done now, as far as we know. A poller only ever adds to it; whoever finds that
 * nothing more can be done (no more bytes, no more room) takes the bit away
 * with watch_wait(). So a descriptor is registered once for its whole life, and
 * each of its changes is told once.
 *
 * With epoll this is what the kernel calls edge-triggered. With poll() it is
 * done by asking only for what is not known yet.
 *
 * @floor{event}
 * @thread{the one whose loop it is}
 */
#ifndef EVENT_POLLER_H
#define EVENT_POLLER_H

#include "base/list.h"

#include <stdbool.h>
#include <stddef.h>

/** What can be done with a descriptor. */
enum {
    READY_READ = 1,   /**< there are bytes, or the end */
    READY_WRITE = 2,  /**< there is room */
    READY_END = 4,    /**< the peer will send no more; READ stays set */
    READY_BROKEN = 8, /**< the connection has failed; READ and WRITE are set */
};

/** Somebody who waits for a descriptor. */
struct watch {
    int fd;                      /**< borrowed; -1: none */
    unsigned ready;              /**< what can be done, as far as we know */
    bool is_added;               /**< a poller knows it; private */
    size_t place;                /**< where in a poller; private */
    void (*on_event)(void *arg); /**< called when `ready` has grown */
    void *arg;                   /**< goes to `on_event`; borrowed */
    struct link pending;         /**< on the list of those to be called */
};

struct poller;

/** One way of asking the kernel. */
struct poller_kind {
    const char *name; /**< as written after `--poller` */

    /** Make one that watches nothing yet; NULL when the system refuses. */
    struct poller *(*create)(void);

    /** Tell it of a watch; false when the system refuses. */
    bool (*add)(struct poller *poller, struct watch *watch);

    /** Forget a watch; its descriptor is closed right after. */
    void (*remove)(struct poller *poller, struct watch *watch);

    /**
     * Wait until something happens, for @p wait_ms at most (-1: for ever), and
     * put each watch whose `ready` has grown last on @p pending, if it is not
     * on that list already.
     */
    void (*wait)(struct poller *poller, int wait_ms, struct link *pending);

    /** End it, and empty the pointer; what it watched stays open. */
    void (*destroy)(struct poller **poller);
};

/**
 * The way with this name; `auto` is the best that the system has.
 *
 * @return NULL when this system has none of that name
 */
const struct poller_kind *poller_find(const char *name);

/** Nothing more can be done of that kind, until it is told again. */
static inline void watch_wait(struct watch *watch, unsigned what)
{
    watch->ready &= ~what;
}

/** Some of these have come to be known; for pollers. */
static inline void watch_tell(struct watch *watch, unsigned what,
                              struct link *pending)
{
    watch->ready |= what;
    if (!link_is_on(&watch->pending))
        list_put_last(pending, &watch->pending);
}

#if defined(__linux__)
extern const struct poller_kind poller_epoll; /**< Linux */
#endif
extern const struct poller_kind poller_poll; /**< everywhere */

#endif

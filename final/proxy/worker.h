/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file worker.h
 * @brief What a thread that serves clients has: its loop, its memory, its
 * connections at rest, and what all threads share.
 *
 * Sessions borrow all of it. Who accepts clients and starts the threads stands
 * above, in crew.h.
 *
 * @floor{proxy}
 * @thread{see each part}
 */
#ifndef PROXY_WORKER_H
#define PROXY_WORKER_H

#include "base/random.h"
#include "event/loop.h"
#include "net/address.h"
#include "proxy/flow.h"
#include "proxy/state.h"
#include "upstream/idle_cache.h"
#include "upstream/pool.h"

#include <stdatomic.h>
#include <stdbool.h>

struct exchange;

/** What all workers share. */
struct proxy {
    const struct settings *settings; /**< borrowed: outlives the proxy */
    struct pool *pool;               /**< borrowed: likewise */
    struct address_block *trusted;   /**< owned: who is believed */
    size_t trusted_count;
    unsigned sessions_max; /**< clients at once */

    atomic_uint sessions;         /**< clients now */
    atomic_bool drains;           /**< no new requests on old connections */
    _Atomic uint64_t exchanges;   /**< requests so far */
    _Atomic uint64_t identifiers; /**< for request ids */
    uint64_t identity;            /**< of this run: a random number */
};

/** One thread. */
struct worker {
    struct proxy *proxy;                 /**< shared; borrowed */
    struct loop *loop;                   /**< owned */
    struct timer_row *rows[STATE_COUNT]; /**< alarms for each state */
    struct blocks blocks;
    struct random random;
    struct policy *policy;                  /**< owned; NULL: needs none */
    struct idle_cache caches[BACKENDS_MAX]; /**< by place in the pool */
    struct link spare_exchanges;            /**< owned */
    struct link sessions;                   /**< those that live; all */
    struct link waiting;                    /**< exchanges without a place */
    unsigned sessions_now;                  /**< how many there are */
    struct timer sweep;                     /**< for the idle caches */
};

/**
 * Make what a worker needs.
 *
 * @return false with errno set when the system refuses
 */
bool worker_init(struct worker *worker, struct proxy *proxy);

/** End it; it has no sessions any more. */
void worker_fini(struct worker *worker);

#endif

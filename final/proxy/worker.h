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
#include "proxy/complaint.h"
#include "proxy/counts.h"
#include "proxy/flow.h"
#include "proxy/terms.h"
#include "upstream/idle_cache.h"

#include <stdatomic.h>
#include <stdbool.h>

struct exchange;

/** What all workers share. */
struct proxy {
    atomic_uint sessions_max;     /**< clients at once */
    atomic_uint sessions;         /**< clients now */
    atomic_bool drains;           /**< no new requests on old connections */
    atomic_bool ends;             /**< and those that rest are closed */
    _Atomic uint64_t exchanges;   /**< requests so far */
    _Atomic uint64_t identifiers; /**< for request ids */
    unsigned tls_port;            /**< where clients come by TLS; 0: nowhere.
                                       Set before they do */
    uint64_t identity;            /**< of this run: a random number */
    struct complaints complaints; /**< what was told lately */
};

/** One thread. */
struct worker {
    struct proxy *proxy;   /**< shared; borrowed */
    struct loop *loop;     /**< owned */
    struct terms *terms;   /**< held: those of requests that begin now */
    struct blocks blocks;  /**< memory for its flows */
    struct random random;  /**< chance of its own */
    struct counts *counts; /**< owned: what it has done */
    struct idle_cache caches[BACKEND_SLOTS]; /**< by the backend's slot */
    struct link spare_exchanges;             /**< owned */
    struct link sessions;                    /**< those that live; all */
    struct link unwatched; /**< sessions whose client is not watched yet: for
                                some milliseconds */
    struct link waiting;   /**< exchanges without a place */
    unsigned sessions_now; /**< how many there are */
    struct timer sweep;    /**< for the idle caches */
};

/**
 * Make what a worker needs.
 *
 * @param configuration what to serve by; outlives it, or its terms
 * @return false with errno set when the system refuses
 */
bool worker_init(struct worker *worker, struct proxy *proxy,
                 struct configuration *configuration);

/** Requests that begin from now on are served by another configuration, in
 * which the worker was counted when it was told. */
void worker_adopt(struct worker *worker, struct configuration *configuration);

/** A backend is gone for good: close what rests of its connections. */
void worker_forget(struct worker *worker, struct backend *backend);

/** End it; it has no sessions any more. */
void worker_fini(struct worker *worker);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file pool.h
 * @brief The backends that we balance over, and how busy each of them is.
 */
#ifndef POOL_H
#define POOL_H

#include "net.h"
#include "policy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/** One server that we send requests to. */
struct backend {
    struct address address; /**< where it listens; never changes */

    /** May it serve? Read by all, at any time; written under `verdict`. */
    atomic_bool up;

    /** Whoever changes `up`, or a count that leads to it, holds this lock. */
    pthread_mutex_t verdict;
    unsigned passed; /**< good probes in a row */
    unsigned failed; /**< bad probes in a row */

    unsigned in_flight; /**< requests it is busy with; the pool's lock */
};

/** All of them. pool_init() makes an empty one. */
struct pool {
    struct backend backends[BACKENDS_MAX]; /**< in the order they were given */
    size_t count;                          /**< how many there are */
    const struct policy *policy;           /**< picks; never changes */

    /** To look, to pick and to count is one step: it needs this lock. */
    pthread_mutex_t lock;
    size_t next; /**< picks so far; under `lock` */
};

/**
 * Make an empty pool.
 *
 * @param policy the rule that pool_pick() goes by
 */
void pool_init(struct pool *pool, const struct policy *policy);

/**
 * Add a backend. It is up until a probe has found it down.
 *
 * @param url `http://HOST:PORT`
 * @return false when @p url is anything else; the pool is as it was
 */
bool pool_add(struct pool *pool, const char *url);

/**
 * Pick the backend for the next request, by the pool's policy, among those that
 * are up. It counts as busy with one request more, until pool_give().
 *
 * @param tried those that this request has been sent to: bit 0 stands for the
 *              first backend. The one that is picked is added.
 * @return a backend, borrowed from the pool, or NULL when none is left
 */
struct backend *pool_pick(struct pool *pool, uint64_t *tried);

/** A request that pool_pick() has found a backend for has ended, somehow. */
void pool_give(struct pool *pool, struct backend *backend);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file pool.h
 * @brief The backends that we balance over, and whose turn it is.
 */
#ifndef POOL_H
#define POOL_H

#include "net.h"

#include <stdatomic.h>

/** How many backends a pool may have. */
enum { BACKENDS_MAX = 64 };

/** One server that we send requests to. */
struct backend {
    struct address address; /**< where it listens; never changes */

    /** May it serve? The health thread writes, the main thread reads. */
    atomic_bool up;

    unsigned passed; /**< good probes in a row; the health thread's alone */
    unsigned failed; /**< bad ones in a row; likewise */
};

/** All of them. A pool of zeros is an empty pool. */
struct pool {
    struct backend backends[BACKENDS_MAX]; /**< in the order they were given */
    size_t count;                          /**< how many there are */
    size_t next;                           /**< turns taken so far */
};

/**
 * Add a backend. It is up until a probe has found it down.
 *
 * @param url `http://HOST:PORT`
 * @return false when @p url is anything else; the pool is as it was
 */
bool pool_add(struct pool *pool, const char *url);

/**
 * Pick the backend for the next request: those that are up take turns.
 *
 * @return a backend, borrowed from the pool, or NULL when none is up
 */
struct backend *pool_pick(struct pool *pool);

#endif

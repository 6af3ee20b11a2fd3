/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file pool.h
 * @brief The backends that we balance over, and whose turn it is.
 */
#ifndef POOL_H
#define POOL_H

#include "net.h"

/** How many backends a pool may have. */
enum { BACKENDS_MAX = 64 };

/** One server that we send requests to. */
struct backend {
    struct address address; /**< where it listens */
};

/** All of them. A pool of zeros is an empty pool. */
struct pool {
    struct backend backends[BACKENDS_MAX]; /**< in the order they were given */
    size_t count;                          /**< how many there are */
    size_t next;                           /**< turns taken so far */
};

/**
 * Add a backend.
 *
 * @param url `http://HOST:PORT`
 * @return false when @p url is anything else; the pool is as it was
 */
bool pool_add(struct pool *pool, const char *url);

/**
 * Pick the backend for the next request: they take turns.
 *
 * @return a backend, borrowed from the pool, which must not be empty
 */
struct backend *pool_pick(struct pool *pool);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file idle_cache.h
 * @brief Connections to one backend that rest between two requests.
 *
 * Opening a connection costs a round trip, and under TLS two or three. The idle
 * cache keeps those whose last response was read to its end, so that the next
 * request can start at once.
 *
 *  - idle_cache_take() hands over the connection that has rested least, or NULL;
 *  - idle_cache_give() lets one rest, once its response has been read whole;
 *  - idle_cache_sweep() closes those that have rested too long.
 *
 * A resting connection is watched: when its backend closes it, or says anything
 * that nobody asked for, it is closed at once.
 *
 * Each worker has its own cache for each backend: nothing here is shared, so
 * nothing here is locked.
 *
 * @floor{upstream}
 * @thread{the worker that made it}
 */
#ifndef UPSTREAM_IDLE_CACHE_H
#define UPSTREAM_IDLE_CACHE_H

#include "base/list.h"

#include <stddef.h>
#include <stdint.h>

struct settings;
struct upstream;

/** Connections at rest. */
struct idle_cache {
    const struct settings *settings; /**< borrowed: how many, how long */
    struct link resting;             /**< owned: the latest first */
    size_t count;                    /**< how many there are */
};

/** Make it empty. */
void idle_cache_init(struct idle_cache *cache, const struct settings *settings);

/** Close all that rests here. */
void idle_cache_fini(struct idle_cache *cache);

/**
 * Hand over the connection that has rested least.
 *
 * A peer may close a resting connection at any moment, so the taker treats its
 * first failure as "try a fresh one", not as a fault of the backend.
 *
 * @param rested_max_ms one that has rested longer will not do
 * @return a connection the caller now owns, or NULL when there is none
 */
struct upstream *idle_cache_take(struct idle_cache *cache, int64_t now_ms,
                                 int64_t rested_max_ms);

/**
 * Let a connection rest; or close it, when there is no place left, or it is too
 * old.
 *
 * @param owned by the caller until now; emptied
 */
void idle_cache_give(struct idle_cache *cache, struct upstream **owned,
                     int64_t now_ms);

/** Close those that have rested for as long as they may. */
void idle_cache_sweep(struct idle_cache *cache, int64_t now_ms);

#endif

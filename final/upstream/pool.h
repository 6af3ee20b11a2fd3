/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file pool.h
 * @brief The backends that we balance over, and which one gets a request.
 *
 *  - pool_new() makes it from the settings;
 *  - pool_pick() finds a backend for a request, by the policy, among those that
 *    may serve, have room, and were not tried yet; pool_give() gives its place
 *    back;
 *  - pool_begin_retry() asks the budget for one more try.
 *
 * @floor{upstream}
 * @thread{any; nothing on the way of a request is locked}
 */
#ifndef UPSTREAM_POOL_H
#define UPSTREAM_POOL_H

#include "upstream/backend.h"
#include "upstream/policy.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct roster;
struct settings;

/** All backends that are configured. */
struct pool {
    const struct settings *settings;        /**< borrowed: outlives the pool */
    const struct policy_kind *kind;         /**< which policy */
    struct roster *roster;                  /**< borrowed: likewise */
    struct backend *backends[BACKENDS_MAX]; /**< held: see roster.h */
    size_t count;                           /**< how many there are */

    _Atomic uint64_t turn; /**< picks so far */
    atomic_uint in_flight; /**< exchanges that have a backend */
    atomic_uint retrying;  /**< those of them that are second tries */
    atomic_uint saved;     /**< hundredths of retries, for a bad moment */
    atomic_uint waiting;   /**< exchanges that wait for a place */
    atomic_bool all_down;  /**< none is up: told once */
};

/** What pool_pick() is asked. */
struct pool_question {
    struct policy *policy;     /**< borrowed: the worker's own */
    struct backend_set tried;  /**< those that were tried already */
    bool was_refused;          /**< one of them could not be connected to */
    uint64_t key;              /**< what to hash by */
    uint64_t chance[2];        /**< two random numbers */
    struct backend *preferred; /**< by the cookie; NULL: none */
    int64_t now_ms;            /**< for the slow start */
};

/** How picking ended. */
enum picked {
    PICKED_BACKEND, /**< there is one, and it has a request more */
    PICKED_FULL,    /**< there are some, but they have no room */
    PICKED_NONE,    /**< none may serve, or all were tried */
};

/**
 * Make the pool.
 *
 * @param settings borrowed: outlives the pool
 * @param roster   borrowed: likewise
 * @return owned by the caller, who ends it with pool_free(); NULL when the
 *         roster has too few slots left
 */
struct pool *pool_new(const struct settings *settings, struct roster *roster);

/** End it, and empty the pointer. */
void pool_free(struct pool **owned);

/** Find a backend; with it goes a place, until pool_give(). */
enum picked pool_pick(struct pool *pool, const struct pool_question *question,
                      struct backend **backend);

/** Give the place back. */
void pool_give(struct pool *pool, struct backend *backend);

/**
 * Is it down, while others serve? What it was busy with when it went may all be
 * tried again, whatever the budget says: that is so much and no more, as it gets
 * nothing new. The budget is for backends that go on failing.
 */
bool pool_has_left_out(struct pool *pool, const struct backend *backend);

/**
 * A request went well: it pays its part (`retry_budget`) of a retry. So when a
 * backend dies, all that it was busy with can be tried again; when all of them
 * go on failing, what was saved is soon spent, and the budget is what it is.
 */
void pool_save(struct pool *pool);

/** May one more request be tried again now? If so, end it with the next. */
bool pool_begin_retry(struct pool *pool);

/** The second try has ended. */
void pool_end_retry(struct pool *pool);

/** The backend with this identity, or NULL. */
struct backend *pool_find(struct pool *pool, uint64_t identity);

#endif

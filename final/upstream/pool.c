/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Who is asked for, in this order:
 *
 *     up, and no backup       the usual
 *     up                      when all the usual ones are down
 *     any                     when none is up, if the settings say so: a request
 *                             that may fail is better than one that must
 *
 * Those that drain are never asked for.
 *
 * Among those, the ones that were tried for this request already are left out.
 * When that leaves nobody, a backup that is up is better than no answer.
 */
#include "upstream/pool.h"

#include "base/log.h"
#include "base/must.h"
#include "base/settings.h"
#include "upstream/roster.h"

#include <stdlib.h>

/** While a backend starts slowly, all weights are finer, by this much. */
enum { WEIGHT_STEPS = 10 };

/** So many retries can be saved for a bad moment. */
enum { SAVED_MAX = 1000 };

/** A selection of the backends. */
struct able {
    size_t count;
    struct backend *at[BACKENDS_MAX];
};

struct pool *pool_new(const struct settings *settings, struct roster *roster)
{
    struct pool *pool = xnew(1, sizeof(*pool));

    pool->settings = settings;
    pool->roster = roster;
    pool->kind = policy_find(settings_word(settings, SETTING_policy));
    must(pool->kind != NULL);
    must(settings->backend_count <= BACKENDS_MAX);
    while (pool->count < settings->backend_count) {
        struct backend *backend =
            roster_hold(roster, &settings->backends[pool->count]);

        if (backend == NULL) {
            pool_free(&pool);
            return NULL;
        }
        pool->backends[pool->count++] = backend;
    }
    /* Now that nothing can go wrong any more. */
    for (size_t i = 0; i < pool->count; i++)
        backend_configure(pool->backends[i], &settings->backends[i], settings);
    return pool;
}

void pool_free(struct pool **owned)
{
    struct pool *pool = *owned;

    for (size_t i = 0; i < pool->count; i++)
        roster_drop(pool->backends[i]);
    free(pool);
    *owned = NULL;
}

/** Those that are up, on one tier. */
static void able_gather(struct able *able, struct pool *pool, bool backups)
{
    able->count = 0;
    for (size_t i = 0; i < pool->count; i++) {
        struct backend *backend = pool->backends[i];

        if (atomic_load_explicit(&backend->is_backup, memory_order_relaxed) ==
                backups &&
            backend_may_serve(backend))
            able->at[able->count++] = backend;
    }
}

/** All of them, up or not, or none, by the settings. Never one that drains: a
 * person has said so. */
static void able_desperate(struct able *able, struct pool *pool)
{
    bool tries = pool->settings->none_healthy == SETTINGS_NONE_HEALTHY_TRY_ALL;

    able->count = 0;
    for (size_t i = 0; tries && i < pool->count; i++)
        if (!atomic_load(&pool->backends[i]->draining))
            able->at[able->count++] = pool->backends[i];
}

/** None is up: that is said once. */
static void tell_all_down(struct pool *pool)
{
    bool tries = pool->settings->none_healthy == SETTINGS_NONE_HEALTHY_TRY_ALL;

    if (!atomic_exchange(&pool->all_down, true))
        log_error("no backend is up: %s (setting none-healthy)",
                  tries ? "requests are sent to all of them, come what may"
                        : "requests get 503");
}

/** Who may serve? */
static void able_find(struct able *able, struct pool *pool)
{
    able_gather(able, pool, false);
    if (able->count == 0)
        able_gather(able, pool, true);
    if (able->count == 0) {
        tell_all_down(pool);
        able_desperate(able, pool);
    } else if (atomic_load_explicit(&pool->all_down, memory_order_relaxed) &&
               atomic_exchange(&pool->all_down, false)) {
        log_warn("there are backends again that are up");
    }
}

/** How many tenths of its weight a backend has, that came up a while ago. */
static unsigned warmth(const struct pool *pool, const struct backend *backend,
                       int64_t now_ms)
{
    int64_t since =
        atomic_load_explicit(&backend->up_since_ms, memory_order_relaxed);
    int64_t whole = pool->settings->slow_start_ms;

    if (whole == 0 || since == 0 || now_ms - since >= whole)
        return WEIGHT_STEPS;
    return 1 + (unsigned)((now_ms - since) * (WEIGHT_STEPS - 1) / whole);
}

/** Leave out those that were tried, and those without room. */
static size_t able_narrow(struct able *able, const struct backend_set *tried)
{
    size_t kept = 0, fresh = 0;

    for (size_t i = 0; i < able->count; i++) {
        struct backend *backend = able->at[i];
        unsigned most =
            atomic_load_explicit(&backend->in_flight_max, memory_order_relaxed);

        if (backend_set_has(tried, backend))
            continue;
        fresh++;
        if (most == 0 || atomic_load(&backend->in_flight) < most)
            able->at[kept++] = backend;
    }
    able->count = kept;
    return fresh;
}

static struct backend *able_ask(const struct able *able, struct pool *pool,
                                const struct pool_question *question)
{
    struct candidate list[BACKENDS_MAX];
    struct candidates from = {
        .at = list,
        .count = able->count,
        .turn = atomic_fetch_add_explicit(&pool->turn, 1, memory_order_relaxed),
        .key = question->key,
        .chance = {question->chance[0], question->chance[1]},
    };
    size_t picked;

    for (size_t i = 0; i < able->count; i++) {
        const struct backend *backend = able->at[i];

        list[i] = (struct candidate){
            .identity = backend->identity,
            .weight =
                atomic_load_explicit(&backend->weight, memory_order_relaxed) *
                warmth(pool, backend, question->now_ms),
            .in_flight =
                atomic_load_explicit(&backend->in_flight, memory_order_relaxed),
            .latency_us = atomic_load_explicit(&backend->latency_us,
                                               memory_order_relaxed),
        };
    }
    picked = pool->kind->pick(question->policy, &from);
    must(picked < able->count);
    return able->at[picked];
}

static bool able_has(const struct able *able, const struct backend *backend)
{
    for (size_t i = 0; i < able->count; i++)
        if (able->at[i] == backend)
            return true;
    return false;
}

/**
 * Those who may be asked for this request, and have room. When those that are
 * up refuse connections, health checks have only not found out yet that none is
 * up.
 *
 * @return how many there are, with those that have no room
 */
static size_t able_choose(struct able *able, struct pool *pool,
                          const struct pool_question *question)
{
    size_t fresh;

    able_find(able, pool);
    fresh = able_narrow(able, &question->tried);
    if (fresh > 0)
        return fresh;
    able_gather(able, pool, true);
    fresh = able_narrow(able, &question->tried);
    if (fresh > 0 || !question->was_refused)
        return fresh;
    able_desperate(able, pool);
    return able_narrow(able, &question->tried);
}

enum picked pool_pick(struct pool *pool, const struct pool_question *question,
                      struct backend **backend)
{
    struct able able;
    size_t fresh = able_choose(&able, pool, question);

    while (able.count > 0) {
        struct backend *picked = able_has(&able, question->preferred)
                                     ? question->preferred
                                     : able_ask(&able, pool, question);

        if (backend_take_place(picked)) {
            atomic_fetch_add(&pool->in_flight, 1);
            *backend = picked;
            return PICKED_BACKEND;
        }
        /* Somebody was quicker. By now another may have room that had none
         * before: all are looked at again. */
        fresh = able_choose(&able, pool, question);
    }
    return fresh > 0 ? PICKED_FULL : PICKED_NONE;
}

void pool_give(struct pool *pool, struct backend *backend)
{
    unsigned before = atomic_fetch_sub(&pool->in_flight, 1);

    must(before > 0);
    backend_give_place(backend);
}

bool pool_has_left_out(struct pool *pool, const struct backend *backend)
{
    if (atomic_load(&backend->up))
        return false;
    for (size_t i = 0; i < pool->count; i++)
        if (atomic_load(&pool->backends[i]->up))
            return true;
    return false;
}

void pool_save(struct pool *pool)
{
    unsigned saved = atomic_load_explicit(&pool->saved, memory_order_relaxed);

    /* Mostly there is enough: then nothing is written that all share. */
    if (saved < SAVED_MAX * 100)
        atomic_fetch_add_explicit(&pool->saved, pool->settings->retry_budget,
                                  memory_order_relaxed);
}

/** Pay for one retry with what was saved. */
static bool spend(struct pool *pool)
{
    unsigned saved = atomic_load(&pool->saved);

    while (saved >= 100)
        if (atomic_compare_exchange_weak(&pool->saved, &saved, saved - 100))
            return true;
    return false;
}

bool pool_begin_retry(struct pool *pool)
{
    unsigned allowed =
        atomic_load(&pool->in_flight) * pool->settings->retry_budget / 100;

    if (allowed < pool->settings->retry_budget_min)
        allowed = pool->settings->retry_budget_min;
    if (atomic_fetch_add(&pool->retrying, 1) < allowed || spend(pool))
        return true;
    atomic_fetch_sub(&pool->retrying, 1);
    return false;
}

void pool_end_retry(struct pool *pool)
{
    unsigned before = atomic_fetch_sub(&pool->retrying, 1);

    must(before > 0);
}

struct backend *pool_find(struct pool *pool, uint64_t identity)
{
    for (size_t i = 0; i < pool->count; i++)
        if (pool->backends[i]->identity == identity)
            return pool->backends[i];
    return NULL;
}

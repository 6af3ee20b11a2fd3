/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A backend may serve when it is well, as far as probes tell, and not ejected,
 * as far as requests tell:
 *
 *     probes      fall bad ones in a row      -> not well
 *                 rise good ones in a row     -> well, and no longer ejected
 *     requests    failures_max in a row       -> ejected for a while
 *     time        the while is over           -> no longer ejected
 *
 * The first ejection lasts ejection_ms, the second in a row twice that, and so
 * on. A request that goes well after an ejection ends the row.
 */
#include "upstream/health.h"

#include "base/log.h"
#include "base/settings.h"
#include "upstream/pool.h"
#include "upstream/roster.h"

#include <stdio.h>

/** Write down a change, and tell whoever wants to know. */
static void tell(struct pool *pool, struct backend *backend,
                 enum backend_state from, const char *why, int64_t now_ms)
{
    struct roster *roster = pool->roster;
    struct health_change change = {.backend = backend,
                                   .from = from,
                                   .to = backend_state(backend),
                                   .why = why};

    backend->health.changed_ms = now_ms;
    if (roster->on_change != NULL && change.from != change.to)
        roster->on_change(roster->change_arg, &change);
}

/** Make the verdict again from what is known; tell of a change. */
static void verdict(struct pool *pool, struct backend *backend, const char *why,
                    int64_t now_ms)
{
    bool may = backend->health.well && !backend->health.ejected;
    enum backend_state from = backend_state(backend);

    if (atomic_load(&backend->up) == may)
        return;
    snprintf(backend->health.why, sizeof(backend->health.why), "%s", why);
    if (may)
        atomic_store(&backend->up_since_ms, now_ms);
    atomic_store(&backend->up, may);
    if (may)
        log_info("%s [up] (%s; was down)", backend->url, why);
    else
        log_warn("%s [down] (%s; was up)", backend->url, why);
    tell(pool, backend, from, why, now_ms);
}

/** One that was never up does not go down; people want to know all the same. */
static void tell_new(struct backend *backend, const char *why)
{
    snprintf(backend->health.why, sizeof(backend->health.why), "%s", why);
    log_warn("%s [down] (%s; it is new)", backend->url, why);
}

static void end_ejection(struct backend *backend)
{
    backend->health.ejected = false;
    atomic_store(&backend->failures_in_row, 0);
    atomic_store(&backend->redeemed, false);
}

/** The first probe decides; afterwards it takes several in a row. */
static void count_probe(struct health_state *health, bool passed,
                        const struct settings *settings)
{
    *(passed ? &health->passed : &health->failed) += 1;
    health->passed_row = passed ? health->passed_row + 1 : 0;
    health->failed_row = passed ? 0 : health->failed_row + 1;
    if (!health->probed)
        health->well = passed;
    if (health->passed_row >= settings->rise)
        health->well = true;
    if (health->failed_row >= settings->fall)
        health->well = false;
    health->probed = true;
}

void health_judge(struct pool *pool, struct backend *backend, bool passed,
                  const char *why, int64_t now_ms)
{
    struct health_state *health = &backend->health;
    char words[160];

    pthread_mutex_lock(&pool->roster->verdict);
    if (!passed && !health->probed && !atomic_load(&backend->up))
        tell_new(backend, why);
    count_probe(health, passed, pool->settings);
    if (health->ejected && health->well &&
        health->passed_row >= pool->settings->rise)
        end_ejection(backend);
    snprintf(words, sizeof(words), "%.130s; %u in a row", why,
             health->failed_row);
    verdict(pool, backend,
            passed                    ? "probes pass"
            : health->failed_row == 1 ? why
                                      : words,
            now_ms);
    pthread_mutex_unlock(&pool->roster->verdict);
}

void health_doubt(struct pool *pool, struct backend *backend)
{
    pthread_mutex_lock(&pool->roster->verdict);
    backend->health.well = false;
    /* Whatever was known of it, when it was here before, is old. */
    backend->health.probed = false;
    backend->health.passed_row = backend->health.failed_row = 0;
    snprintf(backend->health.why, sizeof(backend->health.why),
             "it is new and was not probed yet");
    atomic_store(&backend->up, false);
    pthread_mutex_unlock(&pool->roster->verdict);
}

void health_trust(struct pool *pool, struct backend *backend, int64_t now_ms)
{
    pthread_mutex_lock(&pool->roster->verdict);
    backend->health.well = true;
    backend->health.probed = false;
    backend->health.passed_row = backend->health.failed_row = 0;
    verdict(pool, backend, "it is not probed any more", now_ms);
    pthread_mutex_unlock(&pool->roster->verdict);
}

/** Would one more ejection leave enough of the pool? */
static bool may_eject(const struct pool *pool, const struct backend *backend)
{
    size_t ejected = 1, others_up = 0;

    for (size_t i = 0; i < pool->count; i++) {
        const struct backend *other = pool->backends[i];

        if (other->health.ejected)
            ejected++;
        if (other != backend && backend_may_serve(other))
            others_up++;
    }
    return others_up > 0 &&
           ejected * 100 <= pool->count * pool->settings->ejection_percent;
}

static void eject(struct pool *pool, struct backend *backend, const char *why,
                  int64_t now_ms)
{
    const struct settings *settings = pool->settings;
    struct health_state *health = &backend->health;
    int64_t length;
    char words[160];

    if (atomic_load(&backend->redeemed))
        health->ejections = 0;
    length = settings->ejection_ms * (int64_t)++health->ejections;
    if (length > settings->ejection_ms_max)
        length = settings->ejection_ms_max;
    health->ejected = true;
    health->ejected_times++;
    health->passed_row = 0;
    health->ejected_until_ms = now_ms + length;
    snprintf(words, sizeof(words),
             "%u requests failed in a row, the last one: %s; ejected for "
             "%lld ms",
             atomic_load(&backend->failures_in_row), why, (long long)length);
    verdict(pool, backend, words, now_ms);
}

void health_failed(struct pool *pool, struct backend *backend, const char *why,
                   int64_t now_ms)
{
    unsigned row = atomic_fetch_add(&backend->failures_in_row, 1) + 1;
    unsigned limit = pool->settings->failures_max;

    atomic_fetch_add_explicit(&backend->failures, 1, memory_order_relaxed);
    if (limit == 0 || row < limit)
        return;
    pthread_mutex_lock(&pool->roster->verdict);
    if (!backend->health.ejected && may_eject(pool, backend))
        eject(pool, backend, why, now_ms);
    pthread_mutex_unlock(&pool->roster->verdict);
}

void health_served(struct backend *backend)
{
    /* Written only when it changes, so that workers do not fight for it. */
    if (atomic_load_explicit(&backend->failures_in_row, memory_order_relaxed) !=
        0)
        atomic_store(&backend->failures_in_row, 0);
    if (!atomic_load_explicit(&backend->redeemed, memory_order_relaxed))
        atomic_store(&backend->redeemed, true);
}

void health_sweep(struct pool *pool, int64_t now_ms)
{
    pthread_mutex_lock(&pool->roster->verdict);
    for (size_t i = 0; i < pool->count; i++) {
        struct backend *backend = pool->backends[i];

        if (!backend->health.ejected ||
            now_ms < backend->health.ejected_until_ms)
            continue;
        end_ejection(backend);
        verdict(pool, backend, "the time of its ejection is over", now_ms);
    }
    pthread_mutex_unlock(&pool->roster->verdict);
}

void health_set_ready(struct pool *pool, struct backend *backend, bool ready,
                      int64_t now_ms)
{
    static const char *const words[] = {"set not ready", "set ready again"};
    enum backend_state from;

    pthread_mutex_lock(&pool->roster->verdict);
    from = backend_state(backend);
    if (atomic_load(&backend->draining) == ready) {
        atomic_store(&backend->draining, !ready);
        if (ready)
            atomic_store(&backend->up_since_ms, now_ms);
        log_info("%s [%s] (%s; was %s)", backend->url,
                 backend_state_word(backend_state(backend)), words[ready],
                 backend_state_word(from));
        tell(pool, backend, from, words[ready], now_ms);
    }
    pthread_mutex_unlock(&pool->roster->verdict);
}

/** Why it is as it is, in words. */
static const char *reason(const struct backend *backend,
                          enum backend_state state)
{
    const struct health_state *health = &backend->health;

    if (state == BACKEND_DRAINING)
        return "set not ready";
    if (state == BACKEND_UNRESOLVED)
        return "its name was not found";
    if (health->why[0] != '\0')
        return health->why;
    return health->probed ? "probes pass" : "it was not probed";
}

void health_look(struct pool *pool, const struct backend *backend,
                 int64_t now_ms, struct health_view *view)
{
    const struct health_state *health = &backend->health;

    pthread_mutex_lock(&pool->roster->verdict);
    *view = (struct health_view){
        .state = backend_state(backend),
        .health = backend_state_of_health(backend),
        .changed_ms = health->changed_ms,
        .probed = health->probed,
        .last_passed = health->failed_row == 0,
        .passed = health->passed,
        .failed = health->failed,
        .ejected_times = health->ejected_times,
    };
    if (health->ejected && health->ejected_until_ms > now_ms)
        view->ejected_ms = health->ejected_until_ms - now_ms;
    snprintf(view->why, sizeof(view->why), "%s", reason(backend, view->state));
    snprintf(view->health_why, sizeof(view->health_why), "%s",
             reason(backend, view->health));
    pthread_mutex_unlock(&pool->roster->verdict);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "control/resolver.h"

#include "base/log.h"
#include "base/must.h"
#include "base/settings.h"
#include "upstream/pool.h"
#include "upstream/roster.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/** Whose names are looked up, and how often. */
struct names {
    struct backend *at[BACKENDS_MAX]; /**< held */
    size_t count;
    int64_t refresh_ms;
};

struct resolver {
    uint64_t told[BACKEND_SLOTS]; /**< said that this one was not found: its
                                       identity, since slots are used again */
    pthread_t thread;
    pthread_mutex_t looking; /**< held while a name is looked up */
    pthread_mutex_t lock;
    pthread_cond_t news;
    struct names names; /**< under `lock` */
    bool is_new;        /**< they are; likewise */
    bool stops;         /**< likewise */
};

static void names_hold(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        atomic_fetch_add(&names->at[i]->holders, 1);
}

static void names_drop(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        roster_drop(names->at[i]);
    names->count = 0;
}

static void look_up(struct resolver *resolver, struct backend *backend)
{
    uint64_t *told = &resolver->told[backend->slot];
    bool knows, found, is_told;
    const char *why = "";

    pthread_mutex_lock(&resolver->looking);
    knows = atomic_load(&backend->addresses) != NULL;
    found = backend_find(backend, &why);
    is_told = *told == backend->identity;
    *told = found ? 0 : backend->identity;
    pthread_mutex_unlock(&resolver->looking);
    if (!found && !is_told)
        log_warn("%s [unresolved] (%s)%s", backend->url, why,
                 knows ? "; the last good answer is kept" : "");
    if (found && is_told)
        log_info("%s [resolved]", backend->url);
}

static void look_all_up(struct resolver *resolver, const struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        look_up(resolver, names->at[i]);
    log_flush();
}

/** Wait for the next time, or for other names; false: it is time to stop. */
static bool next_time(struct resolver *resolver, struct names *names)
{
    struct timespec until;
    bool goes_on;

    clock_gettime(CLOCK_MONOTONIC, &until);
    pthread_mutex_lock(&resolver->lock);
    until.tv_sec += resolver->names.refresh_ms / 1000;
    while (!resolver->stops && !resolver->is_new &&
           pthread_cond_timedwait(&resolver->news, &resolver->lock, &until) ==
               0)
        continue;
    resolver->is_new = false;
    goes_on = !resolver->stops;
    *names = resolver->names;
    names_hold(names);
    pthread_mutex_unlock(&resolver->lock);
    return goes_on;
}

static void *run(void *arg)
{
    struct resolver *resolver = arg;
    struct names names;

    log_join();
    while (next_time(resolver, &names)) {
        look_all_up(resolver, &names);
        names_drop(&names);
    }
    names_drop(&names);
    return NULL;
}

static void names_take(struct names *names, const struct pool *pool)
{
    names->count = pool->count;
    for (size_t i = 0; i < pool->count; i++)
        names->at[i] = pool->backends[i];
    names->refresh_ms = pool->settings->dns_refresh_ms;
    names_hold(names);
}

/** Its thread has ended, or there never was one. */
static void resolver_forget(struct resolver *resolver)
{
    names_drop(&resolver->names);
    pthread_cond_destroy(&resolver->news);
    pthread_mutex_destroy(&resolver->lock);
    pthread_mutex_destroy(&resolver->looking);
    free(resolver);
}

struct resolver *resolver_new(struct pool *pool, struct fault *fault)
{
    struct resolver *resolver = xnew(1, sizeof(*resolver));
    pthread_condattr_t steady;
    int error;

    pthread_mutex_init(&resolver->looking, NULL);
    names_take(&resolver->names, pool);
    look_all_up(resolver, &resolver->names);
    pthread_mutex_init(&resolver->lock, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&resolver->news, &steady);
    pthread_condattr_destroy(&steady);
    error = pthread_create(&resolver->thread, NULL, run, resolver);
    if (error == 0)
        return resolver;
    fault_say(fault, "cannot start to look up names: %s", strerror(error));
    resolver_forget(resolver);
    return NULL;
}

/**
 * Requests come as soon as the pool serves. Those backends whose host is an
 * address are found at once; names are left to the thread, unless there would
 * be nobody to go to.
 */
static void look_new_up(struct resolver *resolver, const struct pool *pool)
{
    const char *why;
    bool some = false;
    union address address;

    for (size_t i = 0; i < pool->count; i++) {
        struct backend *backend = pool->backends[i];

        if (atomic_load(&backend->addresses) == NULL &&
            address_parse(&address, text_of(backend->host), backend->port))
            backend_find(backend, &why); /* the thread does not know it */
        some |= atomic_load(&backend->addresses) != NULL;
    }
    for (size_t i = 0; !some && i < pool->count; i++)
        look_up(resolver, pool->backends[i]);
}

void resolver_follow(struct resolver *resolver, struct pool *pool)
{
    look_new_up(resolver, pool);
    pthread_mutex_lock(&resolver->lock);
    names_drop(&resolver->names);
    names_take(&resolver->names, pool);
    resolver->is_new = true;
    pthread_cond_signal(&resolver->news);
    pthread_mutex_unlock(&resolver->lock);
}

void resolver_free(struct resolver **owned)
{
    struct resolver *resolver = *owned;

    pthread_mutex_lock(&resolver->lock);
    resolver->stops = true;
    pthread_cond_signal(&resolver->news);
    pthread_mutex_unlock(&resolver->lock);
    pthread_join(resolver->thread, NULL);
    resolver_forget(resolver);
    *owned = NULL;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "control/resolver.h"

#include "base/log.h"
#include "base/must.h"
#include "base/settings.h"
#include "upstream/pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

struct resolver {
    struct pool *pool; /**< borrowed */
    bool *known;       /**< owned: was its name found the last time? */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool stops; /**< under `lock` */
};

static void look_up(struct resolver *resolver, bool is_first)
{
    for (size_t i = 0; i < resolver->pool->count; i++) {
        struct backend *backend = &resolver->pool->backends[i];
        const char *why = "";
        bool found = backend_find(backend, &why);

        if (!found && (resolver->known[i] || is_first))
            log_warn("%s [unresolved] (%s)%s", backend->url, why,
                     is_first ? "" : "; the last good answer is kept");
        if (found && !resolver->known[i] && !is_first)
            log_info("%s [resolved]", backend->url);
        resolver->known[i] = found;
    }
}

/** Wait for the next time; false: it is time to stop. */
static bool next_time(struct resolver *resolver)
{
    struct timespec until;
    bool stops;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += resolver->pool->settings->dns_refresh_ms / 1000;
    pthread_mutex_lock(&resolver->lock);
    while (!resolver->stops &&
           pthread_cond_timedwait(&resolver->stopped, &resolver->lock,
                                  &until) == 0)
        continue;
    stops = resolver->stops;
    pthread_mutex_unlock(&resolver->lock);
    return !stops;
}

static void *run(void *arg)
{
    struct resolver *resolver = arg;

    while (next_time(resolver))
        look_up(resolver, false);
    return NULL;
}

struct resolver *resolver_new(struct pool *pool)
{
    struct resolver *resolver = xnew(1, sizeof(*resolver));
    pthread_condattr_t steady;

    resolver->pool = pool;
    resolver->known = xnew(pool->count, sizeof(*resolver->known));
    look_up(resolver, true);
    pthread_mutex_init(&resolver->lock, NULL);
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&resolver->stopped, &steady);
    pthread_condattr_destroy(&steady);
    must(pthread_create(&resolver->thread, NULL, run, resolver) == 0);
    return resolver;
}

void resolver_free(struct resolver **owned)
{
    struct resolver *resolver = *owned;

    pthread_mutex_lock(&resolver->lock);
    resolver->stops = true;
    pthread_cond_signal(&resolver->stopped);
    pthread_mutex_unlock(&resolver->lock);
    pthread_join(resolver->thread, NULL);
    pthread_cond_destroy(&resolver->stopped);
    pthread_mutex_destroy(&resolver->lock);
    free(resolver->known);
    free(resolver);
    *owned = NULL;
}

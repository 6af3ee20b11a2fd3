/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The pool knows who may serve and how busy they are; the policy knows how to
 * choose. Two threads that looked at the counts at once, before either had
 * added its own request, would both choose the same backend: so looking,
 * choosing and counting happen under one lock.
 */
#include "pool.h"

void pool_init(struct pool *pool, const struct policy *policy)
{
    *pool = (struct pool){.policy = policy};
    pthread_mutex_init(&pool->lock, NULL);
}

bool pool_add(struct pool *pool, const char *url)
{
    struct backend *backend = &pool->backends[pool->count];

    if (!address_parse(&backend->address, url))
        return false;
    pthread_mutex_init(&backend->verdict, NULL);
    atomic_store(&backend->up, true);
    pool->count++;
    return true;
}

/** Gather those that may serve, and let the policy pick. */
static struct backend *pick_one(struct pool *pool, uint64_t tried)
{
    size_t able[BACKENDS_MAX];
    unsigned in_flight[BACKENDS_MAX];
    struct candidates from = {.in_flight = in_flight, .turn = pool->next};

    for (size_t i = 0; i < pool->count; i++) {
        if (atomic_load(&pool->backends[i].up) && (tried >> i & 1) == 0) {
            able[from.count] = i;
            in_flight[from.count] = pool->backends[i].in_flight;
            from.count++;
        }
    }
    if (from.count == 0)
        return NULL;
    return &pool->backends[able[pool->policy->pick(&from)]];
}

struct backend *pool_pick(struct pool *pool, uint64_t *tried)
{
    struct backend *backend;

    pthread_mutex_lock(&pool->lock);
    backend = pick_one(pool, *tried);
    if (backend != NULL) {
        backend->in_flight++;
        pool->next++;
    }
    pthread_mutex_unlock(&pool->lock);
    if (backend != NULL)
        *tried |= UINT64_C(1) << (backend - pool->backends);
    return backend;
}

void pool_give(struct pool *pool, struct backend *backend)
{
    pthread_mutex_lock(&pool->lock);
    backend->in_flight--;
    pthread_mutex_unlock(&pool->lock);
}

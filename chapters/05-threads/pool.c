/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Round robin: one, two, three, one, two, three. `next` counts the turns that
 * were taken; the rest of a division by the number of backends that are able to
 * serve says whose turn it is.
 */
#include "pool.h"

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

struct backend *pool_pick(struct pool *pool, uint64_t *tried)
{
    size_t able[BACKENDS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < pool->count; i++)
        if (atomic_load(&pool->backends[i].up) && (*tried >> i & 1) == 0)
            able[count++] = i;
    if (count == 0)
        return NULL;

    size_t picked = able[atomic_fetch_add(&pool->next, 1) % count];

    *tried |= UINT64_C(1) << picked;
    return &pool->backends[picked];
}

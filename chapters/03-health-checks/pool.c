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
    atomic_store(&backend->up, true);
    pool->count++;
    return true;
}

struct backend *pool_pick(struct pool *pool)
{
    struct backend *able[BACKENDS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < pool->count; i++)
        if (atomic_load(&pool->backends[i].up))
            able[count++] = &pool->backends[i];
    return count == 0 ? NULL : able[pool->next++ % count];
}

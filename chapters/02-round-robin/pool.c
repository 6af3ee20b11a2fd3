/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Round robin: one, two, three, one, two, three. `next` counts the turns that
 * were taken; the rest of a division by the number of backends says whose turn
 * it is.
 */
#include "pool.h"

bool pool_add(struct pool *pool, const char *url)
{
    struct backend *backend = &pool->backends[pool->count];

    if (!address_parse(&backend->address, url))
        return false;
    pool->count++;
    return true;
}

struct backend *pool_pick(struct pool *pool)
{
    return &pool->backends[pool->next++ % pool->count];
}

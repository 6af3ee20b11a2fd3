/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Write here what happens in this file, as you would tell a colleague.
 */
#include "hash_ring.h"

#include "ring_hash.h"

#include <stdlib.h>
#include <string.h>

struct hash_ring {
    /* TODO(08.1): backends, and their points. Replace this field. */
    size_t backend_count;
};

struct hash_ring *hash_ring_new(void)
{
    return calloc(1, sizeof(struct hash_ring));
}

void hash_ring_free(struct hash_ring **ring)
{
    /* TODO(08.1): what the ring owns ends with it. */
    free(*ring);
    *ring = NULL;
}

bool hash_ring_add(struct hash_ring *ring, const char *name, unsigned weight)
{
    /* TODO(08.1): a backend comes, with all its points. */
    (void)ring;
    (void)name;
    (void)weight;
    return false;
}

bool hash_ring_remove(struct hash_ring *ring, const char *name)
{
    /* TODO(08.3): a backend goes, with all its points. */
    (void)ring;
    (void)name;
    return false;
}

const char *hash_ring_find(const struct hash_ring *ring, uint64_t place)
{
    /* TODO(08.2): the first point from this place on, without looking at all
     * of them. */
    (void)ring;
    (void)place;
    return NULL;
}

const char *hash_ring_take(struct hash_ring *ring, uint64_t place)
{
    /* TODO(08.4): the first point from this place on that is not full. */
    (void)ring;
    (void)place;
    return NULL;
}

bool hash_ring_give(struct hash_ring *ring, const char *name)
{
    /* TODO(08.4): one request fewer. */
    (void)ring;
    (void)name;
    return false;
}

unsigned hash_ring_in_flight(const struct hash_ring *ring, const char *name)
{
    /* TODO(08.4): how many there are. */
    (void)ring;
    (void)name;
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file hash_ring.h
 * @brief The same key goes to the same backend, even if others come and go.
 *
 * Each backend has points on a ring of 2^64 places, 100 for each unit of its
 * weight. A key has a place as well, and belongs to the first point from there
 * on, upwards; behind the last point comes the first one.
 *
 *  - hash_ring_new() makes an empty ring, hash_ring_free() ends it;
 *  - hash_ring_add() and hash_ring_remove() let a backend come and go;
 *  - hash_ring_find() tells whose a key is;
 *  - hash_ring_take() does so for a request that begins: nobody gets much more
 *    than a fair share, so a backend that is full is passed over;
 *  - hash_ring_give() says that such a request has ended.
 *
 * Whose a key is depends on who is on the ring, not on the order in which they
 * came. (Two points at one place would break this. With 64 bits, nobody has
 * ever seen it happen: you need not care.)
 */
#ifndef HASH_RING_H
#define HASH_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How many points a backend has, and how strong it may be. */
enum {
    POINTS_PER_WEIGHT = 100, /**< points for each unit of weight */
    WEIGHT_MAX = 1000,       /**< units */
};

/** A ring and the backends on it. */
struct hash_ring;

/** Make an empty ring; the caller owns it. NULL when there is no memory. */
struct hash_ring *hash_ring_new(void);

/** End a ring with all that is on it, and empty the caller's pointer. */
void hash_ring_free(struct hash_ring **ring);

/**
 * Let a backend come. Its points are `ring_point(name, 0)` and so on, up to
 * number `weight * POINTS_PER_WEIGHT - 1`; see ring_hash.h.
 *
 * @param name   borrowed for this call
 * @param weight from 1 to #WEIGHT_MAX
 * @return false, and nothing has changed, when the weight is not in this range,
 *         when there is a backend of this name, or when there is no memory
 */
bool hash_ring_add(struct hash_ring *ring, const char *name, unsigned weight);

/**
 * Let a backend go. Its requests in flight go with it.
 *
 * @param name borrowed for this call; it may be what hash_ring_find() gave
 * @return false when there is none of this name
 */
bool hash_ring_remove(struct hash_ring *ring, const char *name);

/**
 * Whose is this key? Takes O(log n) steps for n points.
 *
 * @param place of the key, such as ring_hash() gives; a point at this very place
 *              is the first one from there on
 * @return the backend's name, borrowed until it is removed; NULL when there is
 *         nobody on the ring
 */
const char *hash_ring_find(const struct hash_ring *ring, uint64_t place);

/**
 * A request for this key begins: who gets it? The first point from @p place on
 * whose backend is not full. Its count of requests in flight goes up by one.
 *
 * A backend is full when it has its limit in flight: 5/4 of its fair share by
 * weight of all the requests in flight, this new one counted, and rounded up.
 *
 *     limit = ceil(5/4 * (in flight on the whole ring + 1)
 *                  * weight of this backend / weight of all)
 *
 * All backends together have room for more than there is in flight, so there is
 * always one that is not full.
 *
 * @return as hash_ring_find()
 */
const char *hash_ring_take(struct hash_ring *ring, uint64_t place);

/**
 * A request that was taken has ended.
 *
 * @param name whom hash_ring_take() gave
 * @return false when there is none of this name, or nothing in flight there; so
 *         it may be called for a backend that has gone in the meantime
 */
bool hash_ring_give(struct hash_ring *ring, const char *name);

/** How many requests a backend has in flight; 0 if there is none of this name. */
unsigned hash_ring_in_flight(const struct hash_ring *ring, const char *name);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A ring of numbers, 0 to 2^64 - 1. Each backend has many points on it, more if
 * it weighs more. A key is a place on the ring, too, and belongs to the backend
 * of the next point. When a backend goes, its points go, and its keys fall to
 * many others; no other key moves (Karger and others, 1997).
 *
 * One key may be much asked for, so there is a bound: whoever has more in
 * flight than 1.25 times its fair share is passed over, and the next point on
 * the ring decides (Mirrokni, Thorup and Zadimoghaddam, 2016).
 *
 * Points are sorted when the ring is made, and that takes a while. So the ring
 * stays when somebody is missing: its points are passed over. It is made anew
 * only for one that is not on it, or that weighs otherwise now.
 */
#include "base/must.h"
#include "upstream/policy.h"

#include <stdbool.h>
#include <stdlib.h>
#include <xxhash.h>

enum {
    POINTS_PER_WEIGHT = 64,
    POINTS_MAX = 32768, /* above this, everybody has half as many, and so on */
};

/** One place on the ring. */
struct point {
    uint64_t at;
    uint64_t owner; /* the place of a backend in `identity` */
};

struct policy {
    size_t count; /* of those who are on the ring */
    uint64_t identity[BACKENDS_MAX];
    unsigned weight[BACKENDS_MAX];
    size_t points; /* how many are in use */
    struct point ring[POINTS_MAX];
};

/** Who on the ring is here now, and which candidate that is. */
struct presence {
    uint64_t free; /* a bit for each owner: may it have one more? */
    uint64_t here; /* a bit for each owner */
    uint8_t candidate[BACKENDS_MAX];
};

static struct policy *create(void)
{
    return xnew(1, sizeof(struct policy));
}

static void destroy(struct policy **policy)
{
    free(*policy);
    *policy = NULL;
}

static int point_compare(const void *left, const void *right)
{
    const struct point *a = left, *b = right;

    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return (a->owner > b->owner) - (a->owner < b->owner);
}

/** How many points a weight has, halved so many times. */
static uint64_t points_of(unsigned weight, unsigned halved)
{
    uint64_t points = (uint64_t)weight * POINTS_PER_WEIGHT >> halved;

    return points > 0 ? points : 1;
}

/** How often must points be halved until all have room? */
static unsigned find_halved(const struct candidates *from)
{
    for (unsigned halved = 0;; halved++) {
        uint64_t sum = 0;

        for (size_t i = 0; i < from->count; i++)
            sum += points_of(from->at[i].weight, halved);
        if (sum <= POINTS_MAX)
            return halved;
    }
}

/** Where a point is depends on its owner and its number, on nobody else. */
static void ring_add(struct policy *policy, size_t owner, uint64_t points)
{
    for (uint64_t number = 0; number < points; number++) {
        const uint64_t both[] = {policy->identity[owner], number};

        policy->ring[policy->points++] =
            (struct point){XXH3_64bits(both, sizeof(both)), owner};
    }
}

static void ring_make(struct policy *policy, const struct candidates *from)
{
    unsigned halved = find_halved(from);

    must(from->count > 0 && from->count <= BACKENDS_MAX);
    policy->count = from->count;
    policy->points = 0;
    for (size_t i = 0; i < from->count; i++) {
        must(from->at[i].weight > 0);
        policy->identity[i] = from->at[i].identity;
        policy->weight[i] = from->at[i].weight;
        ring_add(policy, i, points_of(policy->weight[i], halved));
    }
    qsort(policy->ring, policy->points, sizeof(policy->ring[0]), point_compare);
}

/**
 * Find the owners among the candidates. Both are in the order in which they
 * were configured, so one walk is enough.
 *
 * @return false: somebody is not on the ring, or not with this weight
 */
static bool presence_find(struct presence *presence,
                          const struct policy *policy,
                          const struct candidates *from)
{
    size_t owner = 0;

    presence->here = 0;
    for (size_t i = 0; i < from->count; i++, owner++) {
        while (owner < policy->count &&
               policy->identity[owner] != from->at[i].identity)
            owner++;
        if (owner == policy->count ||
            policy->weight[owner] != from->at[i].weight)
            return false;
        presence->here |= UINT64_C(1) << owner;
        presence->candidate[owner] = (uint8_t)i;
    }
    return true;
}

/**
 * Who may have one more? The bound is 5/4 of its share of all that would be in
 * flight then, rounded up. Not all can be at it, so somebody may. The figures
 * fit as long as the sum of the weights has no more than 24 bits.
 */
static void presence_bound(struct presence *presence, size_t owners,
                           const struct candidates *from)
{
    uint64_t in_flight = 1, weight = 0; /* of all; 1: the one to come */

    for (size_t i = 0; i < from->count; i++) {
        in_flight += from->at[i].in_flight;
        weight += from->at[i].weight;
    }
    presence->free = 0;
    for (size_t owner = 0; owner < owners; owner++) {
        const struct candidate *one = &from->at[presence->candidate[owner]];

        if ((presence->here >> owner & 1) != 0 &&
            4 * weight * one->in_flight < 5 * in_flight * one->weight)
            presence->free |= UINT64_C(1) << owner;
    }
    if (presence->free == 0) /* they did not fit: better any than none */
        presence->free = presence->here;
}

/** The first point at or after @p at; maybe one past the last. */
static size_t ring_find(const struct policy *policy, uint64_t at)
{
    size_t low = 0, high = policy->points;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (policy->ring[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t pick(struct policy *policy, const struct candidates *from)
{
    struct presence presence = {0};
    size_t at;

    if (!presence_find(&presence, policy, from)) {
        ring_make(policy, from);
        must(presence_find(&presence, policy, from));
    }
    presence_bound(&presence, policy->count, from);
    at = ring_find(policy, XXH3_64bits(&from->key, sizeof(from->key)));
    for (;; at++) {
        uint64_t owner = policy->ring[at % policy->points].owner;

        if ((presence.free >> owner & 1) != 0)
            return presence.candidate[owner];
    }
}

const struct policy_kind policy_consistent_hash = {
    .name = "consistent-hash",
    .hashes = true,
    .create = create,
    .pick = pick,
    .destroy = destroy,
};

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Rendezvous, or highest random weight (Thaler and Ravishankar, 1996): for each
 * key, every candidate draws a lot that depends on the key and on itself, and
 * the best lot wins. Key modulo count would be shorter, but when one of three
 * goes, two thirds of all keys would change their backend. Here only the keys
 * of the one that goes do, nothing has to be remembered, and shares are exact.
 *
 * The lot is a time: how long until something happens that happens `weight`
 * times a second on average, -ln(chance) / weight. The chance that it happens
 * to one candidate first is just its share of all weights.
 */
#include "upstream/policy.h"

#include <math.h>
#include <xxhash.h>

/** A chance above 0 and below 1 that belongs to this key and this candidate. */
static double chance_of(uint64_t key, uint64_t identity)
{
    const uint64_t both[] = {key, identity};
    uint64_t hash = XXH3_64bits(both, sizeof(both));

    return ((double)(hash >> 12) + 0.5) * 0x1p-52; /* a double has 53 bits */
}

static size_t pick(struct policy *policy, const struct candidates *from)
{
    double soonest = INFINITY;
    size_t winner = 0;

    (void)policy;
    for (size_t i = 0; i < from->count; i++) {
        const struct candidate *one = &from->at[i];
        double time = -log(chance_of(from->key, one->identity)) / one->weight;

        if (time < soonest) {
            soonest = time;
            winner = i;
        }
    }
    return winner;
}

const struct policy_kind policy_address_hash = {
    .name = "address-hash",
    .hashes = true,
    .pick = pick,
};

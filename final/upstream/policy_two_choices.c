/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Draw two, take the less busy one (Mitzenmacher, 1996). It is nearly as even
 * as looking at all of them, and when several balancers work side by side, each
 * with figures that are a little old, they do not all run to the same backend.
 *
 * Weights count twice. Heavier ones are drawn more often; and being busy is
 * measured by weight. The request itself is not counted here: two idle ones are
 * equal, and then the one that was drawn first is taken. So when little is
 * going on, everybody gets exactly its share.
 */
#include "upstream/policy.h"
#include "upstream/policy_draw.h"

#include <stdbool.h>

static bool is_less_busy(const struct candidate *a, const struct candidate *b)
{
    return (uint64_t)a->in_flight * b->weight <
           (uint64_t)b->in_flight * a->weight;
}

static size_t pick(struct policy *policy, const struct candidates *from)
{
    struct policy_pair pair = policy_draw(from);

    (void)policy;
    return is_less_busy(&from->at[pair.second], &from->at[pair.first])
               ? pair.second
               : pair.first;
}

const struct policy_kind policy_two_choices = {
    .name = "two-choices",
    .pick = pick,
};

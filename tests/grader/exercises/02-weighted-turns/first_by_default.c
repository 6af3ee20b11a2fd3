/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* wrong: picks the first when nobody may serve */
/* caught by: nobody_is_no_turn */
#include "weighted_turns.h"

static bool is_in(const struct turn *turn)
{
    return turn->may_serve && turn->weight > 0;
}

int turns_pick(struct turn *turns, size_t count)
{
    int64_t earned = 0;
    size_t best = 0;
    bool found = false;

    for (size_t i = 0; i < count; i++) {
        if (!is_in(&turns[i])) {
            turns[i].credit = 0;
            continue;
        }
        turns[i].credit += turns[i].weight;
        earned += turns[i].weight;
        if (!found || turns[i].credit > turns[best].credit)
            best = i, found = true;
    }
    if (count > 0)
        turns[best].credit -= earned;
    return (int)best;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* wrong: one that is away earns credit all the same, and spends it in a burst */
/* caught by: back_without_burst */
#include "weighted_turns.h"

static bool is_in(const struct turn *turn)
{
    return turn->may_serve && turn->weight > 0;
}

int turns_pick(struct turn *turns, size_t count)
{
    int64_t earned = 0;
    int best = TURNS_NONE;

    for (size_t i = 0; i < count; i++) {
        if (!is_in(&turns[i])) {
            turns[i].credit += turns[i].weight;
            continue;
        }
        turns[i].credit += turns[i].weight;
        earned += turns[i].weight;
        if (best == TURNS_NONE || turns[i].credit > turns[best].credit)
            best = (int)i;
    }
    if (best != TURNS_NONE)
        turns[best].credit -= earned;
    return best;
}

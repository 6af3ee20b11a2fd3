/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* wrong: of two with the same credit, picks the last */
/* caught by: ties_go_to_the_first */
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
            turns[i].credit = 0;
            continue;
        }
        turns[i].credit += turns[i].weight;
        earned += turns[i].weight;
        if (best == TURNS_NONE || turns[i].credit >= turns[best].credit)
            best = (int)i;
    }
    if (best != TURNS_NONE)
        turns[best].credit -= earned;
    return best;
}

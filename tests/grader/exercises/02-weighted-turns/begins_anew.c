/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* wrong: forgets all credit whenever one comes or goes */
/* caught by: comings_and_goings */
#include "weighted_turns.h"

static bool is_in(const struct turn *turn)
{
    return turn->may_serve && turn->weight > 0;
}

/** Has anybody come or gone since the pick before? */
static bool has_changed(const struct turn *turns, size_t count)
{
    static uint64_t before;
    uint64_t now = 0;
    bool changed;

    for (size_t i = 0; i < count; i++)
        now |= (uint64_t)is_in(&turns[i]) << i;
    changed = now != before;
    before = now;
    return changed;
}

int turns_pick(struct turn *turns, size_t count)
{
    bool anew = has_changed(turns, count);
    int64_t earned = 0;
    int best = TURNS_NONE;

    for (size_t i = 0; i < count; i++) {
        if (anew)
            turns[i].credit = 0;
        if (!is_in(&turns[i])) {
            turns[i].credit = 0;
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

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* wrong: gives each all of its turns at once, one backend after the other */
/* caught by: smooth_order */
#include "weighted_turns.h"

/** The first that has turns left; when none has, everybody gets new ones. */
int turns_pick(struct turn *turns, size_t count)
{
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < count; i++) {
            if (turns[i].may_serve && turns[i].credit > 0) {
                turns[i].credit--;
                return (int)i;
            }
        }
        for (size_t i = 0; i < count; i++)
            turns[i].credit = turns[i].may_serve ? turns[i].weight : 0;
    }
    return TURNS_NONE;
}

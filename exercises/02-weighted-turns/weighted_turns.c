/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Smooth weighted turns. Yours to write: README.md tells how it works, and
 * weighted_turns.h what is promised. `make test` says how far you are.
 */
#include "weighted_turns.h"

int turns_pick(struct turn *turns, size_t count)
{
    /*
     * TODO(02.1): give each backend its weight as credit, pick the one that
     * has the most, and let it pay for its turn.
     */

    /*
     * TODO(02.2): leave out those that may not serve; when nobody is left, say
     * TURNS_NONE.
     */

    /*
     * TODO(02.3): see to it that a backend that was away comes back with a
     * credit of 0, neither owed nor owing, and that a sum of large weights
     * fits.
     */
    (void)turns;
    (void)count;
    return TURNS_NONE;
}

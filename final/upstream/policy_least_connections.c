/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Who would be the least busy for its weight if it got this request, too? The
 * request itself is counted, so that of two idle ones the heavier goes first.
 * Turns are taken only among equals: else the first in the list would get all
 * requests whenever little is going on.
 */
#include "upstream/policy.h"

/** Is a / a's weight less than, equal to, more than b's: -1, 0 or 1. */
static int compare(const struct candidate *a, const struct candidate *b)
{
    /* a/x < b/y is a*y < b*x, which is exact; 64 bits hold any product. */
    uint64_t left = ((uint64_t)a->in_flight + 1) * b->weight;
    uint64_t right = ((uint64_t)b->in_flight + 1) * a->weight;

    return (left > right) - (left < right);
}

static size_t pick(struct policy *policy, const struct candidates *from)
{
    size_t least[BACKENDS_MAX] = {0}; /* those who are the least busy */
    size_t equals = 1;                /* how many they are */

    (void)policy;
    for (size_t i = 1; i < from->count; i++) {
        int order = compare(&from->at[i], &from->at[least[0]]);

        if (order > 0)
            continue;
        if (order < 0)
            equals = 0;
        least[equals++] = i;
    }
    return least[from->turn % equals];
}

const struct policy_kind policy_least_connections = {
    .name = "least-connections",
    .pick = pick,
};

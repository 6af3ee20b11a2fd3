/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Round robin asks whose turn it is. Least connections asks who has the least
 * to do, and asks whose turn it is only among equals.
 */
#include "policy.h"

#include <string.h>

static size_t pick_round_robin(const struct candidates *from)
{
    return from->turn % from->count;
}

static size_t pick_least_connections(const struct candidates *from)
{
    size_t first = from->turn % from->count;
    size_t best = first;

    /* Begin somewhere else each time: among equals, the first one wins. */
    for (size_t i = 1; i < from->count; i++) {
        size_t other = (first + i) % from->count;

        if (from->in_flight[other] < from->in_flight[best])
            best = other;
    }
    return best;
}

const struct policy *policy_find(const char *name)
{
    static const struct policy policies[] = {
        {"round-robin", pick_round_robin},
        {"least-connections", pick_least_connections},
    };

    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++)
        if (strcmp(policies[i].name, name) == 0)
            return &policies[i];
    return NULL;
}

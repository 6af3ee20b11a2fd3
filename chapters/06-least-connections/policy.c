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
    size_t least[BACKENDS_MAX] = {0}; /* those who have the least to do */
    size_t equals = 1;                /* how many they are */

    for (size_t i = 1; i < from->count; i++) {
        if (from->in_flight[i] > from->in_flight[least[0]])
            continue;
        if (from->in_flight[i] < from->in_flight[least[0]])
            equals = 0;
        least[equals++] = i;
    }
    return least[from->turn % equals];
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

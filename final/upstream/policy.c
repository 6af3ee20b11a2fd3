/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * All the policies there are. To add one: fill a struct policy_kind in a file
 * of its own, declare it in policy.h, and write it into this list.
 */
#include "upstream/policy.h"

#include <string.h>

const struct policy_kind *policy_find(const char *name)
{
    static const struct policy_kind *const kinds[] = {
        &policy_round_robin,  &policy_least_connections, &policy_two_choices,
        &policy_address_hash, &policy_consistent_hash,   &policy_latency,
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}

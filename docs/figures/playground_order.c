/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The command's flags and the page's address say the same with the same words,
 * because both are read here.
 */
#include "base/text.h"
#include "playground.h"

#include <string.h>

static bool order_setting(struct playground *playground, size_t setting,
                          const char *value, struct fault *fault)
{
    const struct setting_range *range = &setting_ranges[setting];
    uint64_t number;

    if (text_number(text_of(value), &number) && number <= range->highest &&
        playground_set(playground, (enum playground_setting)setting,
                       (unsigned)number))
        return true;
    return fault_say(fault, "%s is a number from %u to %u, not \"%s\"",
                     range->name, range->lowest, range->highest, value);
}

static bool order_policy(struct playground *playground, size_t side,
                         const char *value, struct fault *fault)
{
    return playground_set_policy(playground, side, value) ||
           fault_say(fault, "there is no policy \"%s\"", value);
}

static bool order_weight(struct playground *playground, const char *backend,
                         const char *value, struct fault *fault)
{
    uint64_t number, weight;

    if (text_number(text_of(backend), &number) && number >= 1 &&
        number <= PLAYGROUND_BACKENDS && text_number(text_of(value), &weight) &&
        weight <= PLAYGROUND_WEIGHT_MAX &&
        playground_set_weight(playground, (size_t)number - 1, (unsigned)weight))
        return true;
    return fault_say(fault,
                     "weight-N is a number from 1 to %d for backend N, "
                     "which is 1 to %d",
                     (int)PLAYGROUND_WEIGHT_MAX, (int)PLAYGROUND_BACKENDS);
}

/** `2@3000`: backend 2, after 3000 ms. */
static bool order_plan(struct playground *playground, bool alive,
                       const char *value, struct fault *fault)
{
    struct text rest = text_of(value), backend;
    uint64_t number, at_ms;

    if (text_cut(&rest, '@', &backend) && text_number(backend, &number) &&
        number >= 1 &&
        number <= playground_setting(playground, SETTING_BACKENDS) &&
        text_number(rest, &at_ms) && at_ms <= INT32_MAX &&
        playground_plan(playground, (size_t)number - 1, alive,
                        (int64_t)at_ms * 1000))
        return true;
    return fault_say(fault,
                     "\"%s\" is not a plan such as 2@3000: backend 2, "
                     "after 3000 ms",
                     value);
}

bool playground_order(struct playground *playground, const char *name,
                      const char *value, struct fault *fault)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        if (strcmp(name, setting_ranges[i].name) == 0)
            return order_setting(playground, i, value, fault);
    if (strcmp(name, "a") == 0)
        return order_policy(playground, 0, value, fault);
    if (strcmp(name, "b") == 0)
        return order_policy(playground, 1, value, fault);
    if (strncmp(name, "weight-", strlen("weight-")) == 0)
        return order_weight(playground, name + strlen("weight-"), value, fault);
    if (strcmp(name, "kill") == 0)
        return order_plan(playground, false, value, fault);
    if (strcmp(name, "revive") == 0)
        return order_plan(playground, true, value, fault);
    return fault_say(fault, "there is nothing called \"%s\" here", name);
}

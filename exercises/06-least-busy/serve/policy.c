/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Your picks in a real balancer. This file takes the place of the chapter's
 * policy.c and keeps the promises of policy.h:
 *
 *     a policy                             your functions
 *     in_flight of each who may serve      loads[i].in_flight
 *     nobody knows of weights              loads[i].weight, always 1
 *     at least one may serve               so NOBODY would be wrong
 *
 * least_busy_pick() picks, or, with PICK=two-choices in the environment,
 * two_choices_pick(). --policy is taken, but decides nothing here.
 */
#include "policy.h"

#include "least_busy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Chance for two_choices_pick(): the same in each run. */
static uint32_t roll(void *state)
{
    uint64_t *number = state;

    /* Knuth's constants; the high bits are the better ones. */
    *number =
        *number * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*number >> 32);
}

static void fill(struct load loads[BACKENDS_MAX], const struct candidates *from)
{
    for (size_t i = 0; i < from->count; i++)
        loads[i] = (struct load){.in_flight = from->in_flight[i], .weight = 1};
}

/** What was picked, if it is one of them. Else say so, and end. */
static size_t checked(const char *function, size_t picked, size_t count)
{
    if (picked < count)
        return picked;
    fprintf(stderr, "exercises/06-least-busy: %s() gave ", function);
    if (picked == NOBODY)
        fputs("NOBODY", stderr);
    else
        fprintf(stderr, "%zu", picked);
    fprintf(stderr,
            " for %zu backends.\nDo the TODOs first: make grade EX=06\n",
            count);
    exit(2);
}

/* Policies are asked one at a time, under the pool's lock. So they may have
 * memory of their own. */

static size_t pick_least_busy(const struct candidates *from)
{
    static size_t next;
    struct load loads[BACKENDS_MAX];

    fill(loads, from);
    return checked("least_busy_pick",
                   least_busy_pick(loads, from->count, &next), from->count);
}

static size_t pick_two_choices(const struct candidates *from)
{
    static uint64_t state = 1;
    const struct dice dice = {roll, &state};
    struct load loads[BACKENDS_MAX];

    fill(loads, from);
    return checked("two_choices_pick",
                   two_choices_pick(loads, from->count, &dice), from->count);
}

/** Better now than in front of clients. */
static void rehearse(const struct policy *policy)
{
    static const unsigned in_flight[] = {2, 1, 3};

    for (size_t count = 3; count > 0; count--)
        for (int i = 0; i < 16; i++)
            policy->pick(&(struct candidates){count, in_flight, 0});
}

const struct policy *policy_find(const char *name)
{
    static const struct policy least_busy = {"least-busy", pick_least_busy};
    static const struct policy two_choices = {"two-choices", pick_two_choices};
    const char *asked = getenv("PICK");
    const struct policy *policy = &least_busy;

    if (strcmp(name, "round-robin") != 0 &&
        strcmp(name, "least-connections") != 0)
        return NULL;
    if (asked != NULL && strcmp(asked, two_choices.name) == 0)
        policy = &two_choices;
    else if (asked != NULL && strcmp(asked, least_busy.name) != 0) {
        fprintf(stderr, "PICK wants least-busy or two-choices, not \"%s\"\n",
                asked);
        exit(2);
    }
    rehearse(policy);
    return policy;
}

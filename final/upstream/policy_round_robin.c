/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Weights 5, 1, 1 shall not give a a a a a b c, a burst for one, but
 * a a b a c a a. The rule (nginx calls it smooth): in each turn everybody gains
 * its weight; the richest is picked, and pays the sum of all weights. After as
 * many turns as that sum, everybody has nothing again and it all repeats.
 *
 * Riches would have to be shared by the workers, under a lock. Turns are easier
 * to share: a counter. So we write down the order of one whole period, once,
 * and then look up whose turn it is. It is written anew when somebody comes or
 * goes or weighs otherwise.
 */
#include "base/must.h"
#include "upstream/policy.h"

#include <stdbool.h>
#include <stdlib.h>

enum {
    WEIGHT_USUAL = 256,                       /* heaviest in a config file */
    PLACES_MAX = BACKENDS_MAX * WEIGHT_USUAL, /* in a period */
};

struct policy {
    size_t count; /* of those the schedule is for */
    uint64_t identity[BACKENDS_MAX];
    unsigned weight[BACKENDS_MAX];
    size_t period;                /* how many places are in use */
    uint8_t schedule[PLACES_MAX]; /* whose turn it is: an index */
};

static struct policy *create(void)
{
    return xnew(1, sizeof(struct policy));
}

static void destroy(struct policy **policy)
{
    free(*policy);
    *policy = NULL;
}

/** Is the schedule for these candidates? */
static bool is_for(const struct policy *policy, const struct candidates *from)
{
    if (policy->count != from->count)
        return false;
    for (size_t i = 0; i < from->count; i++)
        if (policy->identity[i] != from->at[i].identity ||
            policy->weight[i] != from->at[i].weight)
            return false;
    return true;
}

static unsigned common_divisor(unsigned a, unsigned b)
{
    while (b != 0) {
        unsigned rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/**
 * Find small shares that stand in the proportion of the weights. Where even
 * these are too many for the schedule, they are rounded.
 *
 * @return their sum, at most PLACES_MAX
 */
static size_t find_shares(const struct candidates *from, int64_t *shares)
{
    const uint64_t room = PLACES_MAX - BACKENDS_MAX; /* one each is certain */
    uint64_t sum = 0, shares_sum = 0;
    unsigned divisor = 0;

    for (size_t i = 0; i < from->count; i++) {
        divisor = common_divisor(from->at[i].weight, divisor);
        sum += from->at[i].weight;
    }
    must(divisor > 0);
    /* cppcheck-suppress zerodiv */
    sum /= divisor;
    for (size_t i = 0; i < from->count; i++) {
        uint64_t whole = from->at[i].weight / divisor;

        if (sum > PLACES_MAX)
            whole = whole * room / sum;
        shares[i] = whole > 0 ? (int64_t)whole : 1;
        shares_sum += (uint64_t)shares[i];
    }
    return shares_sum;
}

static void write_schedule(struct policy *policy, const struct candidates *from)
{
    int64_t shares[BACKENDS_MAX], riches[BACKENDS_MAX] = {0};

    policy->period = find_shares(from, shares);
    for (size_t turn = 0; turn < policy->period; turn++) {
        size_t richest = 0;

        for (size_t i = 0; i < from->count; i++) {
            riches[i] += shares[i];
            if (riches[i] > riches[richest])
                richest = i;
        }
        riches[richest] -= (int64_t)policy->period;
        policy->schedule[turn] = (uint8_t)richest;
    }
}

static void remember(struct policy *policy, const struct candidates *from)
{
    must(from->count > 0 && from->count <= BACKENDS_MAX);
    policy->count = from->count;
    for (size_t i = 0; i < from->count; i++) {
        must(from->at[i].weight > 0);
        policy->identity[i] = from->at[i].identity;
        policy->weight[i] = from->at[i].weight;
    }
}

static size_t pick(struct policy *policy, const struct candidates *from)
{
    if (!is_for(policy, from)) {
        remember(policy, from);
        write_schedule(policy, from);
    }
    must(policy->period > 0);
    return policy->schedule[from->turn % policy->period];
}

const struct policy_kind policy_round_robin = {
    .name = "round-robin",
    .create = create,
    .pick = pick,
    .destroy = destroy,
};

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Who would answer soonest? Latency times what would be in flight, by weight:
 * that is how long a queue takes to get to us. The latency rises at once and
 * falls slowly ("peak" average), so one that became slow is spared at once.
 *
 * The best of all would be the obvious choice. But latencies are known only
 * after an answer, so for a while everybody would run to the same one. Two are
 * drawn, the heavier ones more often (else one that weighs as much as all
 * others together could not get its share), and the better one is taken.
 *
 * The latency of one that is never asked is never measured again: once slow, it
 * would be slow for ever. So one request in a hundred goes to whoever was drawn
 * first, come what may.
 */
#include "base/random.h"
#include "upstream/policy.h"
#include "upstream/policy_draw.h"

#include <stdbool.h>

enum {
    TRY_ONE_IN = 100,
    FAILURE_FACTOR = 8,        /* so much slower than known is a failure */
    FAILURE_US = 100000,       /* at least, if nothing is known */
    FAILURE_US_MAX = 60000000, /* but it has to find its way back some day */
};

/** One that has become slow shall be spared now, and trusted again later. */
unsigned latency_average(unsigned known_us, int64_t took_us)
{
    unsigned now = took_us > UINT32_MAX ? UINT32_MAX : (unsigned)took_us;

    if (now < known_us)
        now = known_us - (known_us - now) / 8;
    return now > 0 ? now : 1;
}

/** Whoever fails at once would look quick, and get all requests to fail. */
unsigned latency_of_failure(unsigned known_us, int64_t took_us)
{
    int64_t slow =
        known_us == 0 ? FAILURE_US : (int64_t)known_us * FAILURE_FACTOR;

    if (slow > FAILURE_US_MAX)
        slow = FAILURE_US_MAX;
    return latency_average(known_us, took_us > slow ? took_us : slow);
}

/** One that is not known is taken to be as quick as the other: it gets its
 * requests soon, but not all of them at once. */
static uint64_t latency_of(const struct candidate *one,
                           const struct candidate *other)
{
    if (one->latency_us != 0)
        return one->latency_us;
    return other->latency_us != 0 ? other->latency_us : 1;
}

/** Would a answer sooner than b? */
static bool is_sooner(const struct candidate *a, const struct candidate *b)
{
    /* Three factors of 32 bits may not fit into 64. A double rounds them, and
     * that does no harm: the latencies are rough anyway. */
    double left = (double)latency_of(a, b);
    double right = (double)latency_of(b, a);

    left *= ((double)a->in_flight + 1) * b->weight;
    right *= ((double)b->in_flight + 1) * a->weight;
    return left < right;
}

static bool shall_try(const struct candidates *from)
{
    struct random random = {.state = from->chance[0] ^ from->chance[1]};

    return random_below(&random, TRY_ONE_IN) == 0;
}

static size_t pick(struct policy *policy, const struct candidates *from)
{
    struct policy_pair pair = policy_draw(from);

    (void)policy;
    if (is_sooner(&from->at[pair.second], &from->at[pair.first]) &&
        !shall_try(from))
        return pair.second;
    return pair.first;
}

const struct policy_kind policy_latency = {
    .name = "latency",
    .pick = pick,
};

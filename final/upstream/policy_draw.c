/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Each draw is a number below the sum of all weights: we walk along the
 * candidates until their weights have used it up. The second draw is the same
 * without the one that was drawn first, so nothing has to be drawn again.
 */
#include "upstream/policy_draw.h"

#include "base/random.h"

/** Draw one, but not @p except (`count`: all may be drawn). */
static size_t draw(const struct candidates *from, size_t except,
                   uint64_t chance)
{
    struct random random = {.state = chance};
    uint64_t sum = 0, lot;
    size_t i = 0;

    for (size_t j = 0; j < from->count; j++)
        if (j != except)
            sum += from->at[j].weight;
    lot = random_below(&random, sum);
    for (;; i++) {
        if (i == except)
            continue;
        if (lot < from->at[i].weight)
            return i;
        lot -= from->at[i].weight;
    }
}

struct policy_pair policy_draw(const struct candidates *from)
{
    struct policy_pair pair = {0, 0};

    if (from->count == 1)
        return pair;
    pair.first = draw(from, from->count, from->chance[0]);
    pair.second = draw(from, pair.first, from->chance[1]);
    return pair;
}

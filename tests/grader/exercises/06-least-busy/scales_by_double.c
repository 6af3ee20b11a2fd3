/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* wrong: scales a roll down by floating point, and reaches the bound */
/* caught by: draws_are_even */
/*
 * Fractions are compared by multiplying across: a/b < c/d exactly if a*d < c*b.
 * The factors have 32 bits, so the products fit 64.
 *
 * Chance comes in portions of 32 bits. They can only be shared out evenly among
 * `bound` numbers if the few that are left over are thrown away.
 */
#include "least_busy.h"

bool load_is_less(struct load a, struct load b)
{
    return (uint64_t)a.in_flight * b.weight < (uint64_t)b.in_flight * a.weight;
}

size_t least_busy_pick(const struct load *loads, size_t count, size_t *next)
{
    size_t begin = *next < count ? *next : 0;
    size_t best = NOBODY;

    /* Whoever comes first from `begin` on stays, unless another is better. */
    for (size_t i = 0; i < count; i++) {
        size_t at = i < count - begin ? begin + i : i - (count - begin);

        if (loads[at].weight == 0)
            continue;
        if (best == NOBODY || load_is_less(loads[at], loads[best]))
            best = at;
    }
    if (best != NOBODY)
        *next = best + 1 < count ? best + 1 : 0;
    return best;
}

uint32_t draw_below(const struct dice *dice, uint32_t bound)
{
    /* 2^32 modulo bound: so many rolls are left over. */
    uint32_t left_over = (UINT32_MAX - bound + 1) % bound;
    uint32_t roll;

    do
        roll = dice->roll(dice->arg);
    while (roll < left_over);
    return (uint32_t)((double)roll / UINT32_MAX * bound + 0.5);
}

void draw_pair(const struct dice *dice, uint32_t bound, uint32_t pair[2])
{
    pair[0] = draw_below(dice, bound);
    pair[1] = draw_below(dice, bound - 1); /* of those that are left ... */
    if (pair[1] >= pair[0])
        pair[1]++; /* ... which have a gap where the first one was */
}

/** How many backends may be picked? */
static uint32_t count_able(const struct load *loads, size_t count)
{
    uint32_t able = 0;

    for (size_t i = 0; i < count; i++)
        able += loads[i].weight > 0;
    return able;
}

/** The index of one of them, by its number among them. */
static size_t find_able(const struct load *loads, uint32_t number)
{
    size_t at = 0;

    while (loads[at].weight == 0 || number-- > 0)
        at++;
    return at;
}

size_t two_choices_pick(const struct load *loads, size_t count,
                        const struct dice *dice)
{
    uint32_t able = count_able(loads, count);
    uint32_t pair[2];
    size_t first;
    size_t second;

    if (able == 0)
        return NOBODY;
    if (able == 1)
        return find_able(loads, 0);
    draw_pair(dice, able, pair);
    first = find_able(loads, pair[0]);
    second = find_able(loads, pair[1]);
    return load_is_less(loads[second], loads[first]) ? second : first;
}

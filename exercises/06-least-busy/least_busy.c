/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Write here what happens in this file, as you would tell a colleague.
 */
#include "least_busy.h"

bool load_is_less(struct load a, struct load b)
{
    /* TODO(06.1): compare in_flight / weight, exactly. */
    (void)a;
    (void)b;
    return false;
}

size_t least_busy_pick(const struct load *loads, size_t count, size_t *next)
{
    /* TODO(06.2): the least busy one; those who are equal take turns. */
    (void)loads;
    (void)count;
    (void)next;
    return NOBODY;
}

uint32_t draw_below(const struct dice *dice, uint32_t bound)
{
    /* TODO(06.3): each number below the bound, as likely as the others. */
    (void)dice;
    (void)bound;
    return 0;
}

void draw_pair(const struct dice *dice, uint32_t bound, uint32_t pair[2])
{
    /* TODO(06.4): two that differ. */
    (void)dice;
    (void)bound;
    pair[0] = 0;
    pair[1] = 0;
}

size_t two_choices_pick(const struct load *loads, size_t count,
                        const struct dice *dice)
{
    /* TODO(06.5): draw two backends, and take the less busy one. */
    (void)loads;
    (void)count;
    (void)dice;
    return NOBODY;
}

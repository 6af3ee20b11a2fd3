/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file least_busy.h
 * @brief Two ways to find a backend that has little to do.
 *
 *  - least_busy_pick() looks at all backends, and takes the least busy one;
 *  - two_choices_pick() draws two by lot, and takes the less busy one of them.
 *
 * How busy a backend is, is the number of its requests in flight, divided by
 * its weight: 6 requests on a backend of weight 3 are as much as 2 requests on
 * one of weight 1. A backend of weight 0 is not to get any request.
 *
 * All functions are pure but for what they are given to change: no socket, no
 * lock, no clock, no random numbers of their own.
 */
#ifndef LEAST_BUSY_H
#define LEAST_BUSY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** No backend can be picked. */
#define NOBODY SIZE_MAX

/** What there is to know about a backend. */
struct load {
    uint32_t in_flight; /**< requests that it is busy with; any number */
    uint32_t weight;    /**< how strong it is; any number; 0: takes none */
};

/** The caller's source of chance. */
struct dice {
    /** Give a number from 0 to `UINT32_MAX`, each as likely as the others. */
    uint32_t (*roll)(void *arg);
    void *arg; /**< borrowed: handed to roll() as it is */
};

/**
 * Is @p a less busy than @p b? Exact for all numbers: nothing is rounded, and
 * nothing overflows. Both weights are at least 1.
 */
bool load_is_less(struct load a, struct load b);

/**
 * Pick the least busy backend of weight 1 or more.
 *
 * If several are equally busy, they take turns: the first of them from @p next
 * on has it; behind the last backend comes the first one again. Then @p next is
 * set to the one behind the picked one (again, the first one behind the last).
 *
 * @param loads borrowed: the backends
 * @param count how many; 0 is allowed
 * @param next  whose turn it is; 0 to begin with, any number is allowed (from
 *              @p count on, it means 0: a backend may have been taken away).
 *              Not changed if there is nobody
 * @return an index below @p count, or #NOBODY
 */
size_t least_busy_pick(const struct load *loads, size_t count, size_t *next);

/**
 * Draw a number below @p bound, each as likely as the others, exactly.
 *
 * Rolls as often as needed, which is less than twice on average.
 *
 * @param bound at least 1
 */
uint32_t draw_below(const struct dice *dice, uint32_t bound);

/**
 * Draw two different numbers below @p bound. Each pair is as likely as the
 * others, and each order of it.
 *
 * @param bound at least 2
 */
void draw_pair(const struct dice *dice, uint32_t bound, uint32_t pair[2]);

/**
 * Pick one of two backends that are drawn from those of weight 1 or more: the
 * less busy one, or, if both are equally busy, the one drawn first. The weight
 * does not make it likelier that a backend is drawn. If only one backend may be
 * drawn, it is picked.
 *
 * @param loads borrowed: the backends
 * @param count how many, below 2^32; 0 is allowed
 * @return an index below @p count, or #NOBODY
 */
size_t two_choices_pick(const struct load *loads, size_t count,
                        const struct dice *dice);

#endif

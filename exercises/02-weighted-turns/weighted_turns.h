/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file weighted_turns.h
 * @brief Whose turn is it, when some backends are stronger than others?
 *
 * A backend of weight 5 gets five turns for each one of a backend of weight 1.
 * The turns are smooth: its five are spread over the round and not taken in
 * one burst, because a burst is just the load that a backend is worst at.
 *
 *  - the caller has an array with one struct turn for each backend, in which
 *    it has set `weight` and `may_serve`, and all else is zero;
 *  - turns_pick() says whose turn it is, and remembers it in the array;
 *  - between two picks the caller may change `weight` and `may_serve`.
 *
 * Nothing is allocated, nothing is shared: one thread, one array.
 */
#ifndef WEIGHTED_TURNS_H
#define WEIGHTED_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What turns_pick() says when nobody may serve. */
#define TURNS_NONE (-1)

/** One backend, as far as turns go. */
struct turn {
    unsigned weight; /**< its share; any value; 0 means none at all */
    bool may_serve;  /**< false while it is down, or drains */
    int64_t credit;  /**< yours: 0 at first, and nobody else looks at it */
};

/**
 * Whose turn is it?
 *
 * With S for the sum of the weights of those that may serve:
 *
 *  - from zero credits, and while nothing changes, any S picks in a row give
 *    each backend exactly as many turns as its weight says;
 *  - the turns of each are spread as evenly as the weights allow: over weights
 *    5,1,1 the order is 0 0 1 0 2 0 0, and then the same again;
 *  - where two have waited alike, the one that stands first is picked;
 *  - a backend with `may_serve` false, or with weight 0, is never picked, and
 *    the others share its turns as their own weights say;
 *  - to be away earns nothing, and settles all: a backend that comes back
 *    begins with a credit of 0. It has its share from then on, and no burst to
 *    make up for what it missed;
 *  - a change leaves the credits of the others alone. What they are owed from
 *    before is paid first, at the new weights, and that can take many picks.
 *    So however often one comes and goes, all the others still get turns.
 *
 * @param turns borrowed; its credits may be changed, weight and may_serve not
 * @param count how many there are; it may be 0
 * @return the place in the array, from 0 to count - 1, or TURNS_NONE
 */
int turns_pick(struct turn *turns, size_t count);

#endif

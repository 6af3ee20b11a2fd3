/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file rise_fall.h
 * @brief From a history of probes to up and down, with flapping damped.
 *
 * One probe proves little, so several of a kind in a row are wanted: `fall` bad
 * ones to take a backend down, `rise` good ones to bring it up. The very first
 * probe decides alone: nothing else is known. A request that fails counts as a
 * bad probe, at once. And a backend that goes up and down all the time has to
 * be good for longer and longer before it is believed.
 *
 *  - rise_fall_init() begins a history;
 *  - rise_fall_probe() tells of a probe, rise_fall_blame() of a failed request;
 *  - rise_fall_is_up() is the verdict, rise_fall_rise() what it takes to rise.
 *
 * Nothing here asks the time: the caller brings it, in milliseconds of a clock
 * that never goes back (but may stand still). It may begin anywhere, also below
 * zero.
 */
#ifndef RISE_FALL_H
#define RISE_FALL_H

#include <stdbool.h>
#include <stdint.h>

/** Numbers that somebody has configured; all at least 1. */
struct rise_fall_settings {
    unsigned rise;     /**< good probes in a row to come up, in calm times */
    unsigned fall;     /**< bad ones in a row to go down */
    unsigned rise_max; /**< however it flaps, so many are enough; >= rise */
    int64_t window_ms; /**< two changes closer than that are flapping */
};

/** The history of one backend, as far as it matters. Private; in memory of the
    caller. */
struct rise_fall {
    struct rise_fall_settings settings;
    bool is_known;      /**< there was a probe, so there is a verdict */
    bool is_up;         /**< the verdict */
    unsigned good;      /**< good probes in a row */
    unsigned bad;       /**< bad ones in a row, failed requests included */
    bool has_changed;   /**< there was a change, and changed_ms holds */
    int64_t changed_ms; /**< when the verdict last changed */
    unsigned rise;      /**< good probes in a row to come up, as it is now */
};

/** What the caller should tell the world. */
enum rise_fall_news {
    NEWS_NONE, /**< the verdict is what it was */
    NEWS_UP,   /**< it is up from now on */
    NEWS_DOWN, /**< it is down from now on */
};

/**
 * Begin: nothing is known, and until something is, it is down.
 *
 * @param settings copied
 */
void rise_fall_init(struct rise_fall *history,
                    const struct rise_fall_settings *settings);

/**
 * A probe has ended, well or not.
 *
 *  - The first one decides alone. Its verdict is told as news, also if it is
 *    "down"; but it is no change.
 *  - While up: `fall` bad ones in a row take it down.
 *  - While down: as many good ones in a row as rise_fall_rise() says bring it
 *    up.
 *  - A good one ends a row of bad ones, and the other way round. Each verdict
 *    begins with no row of either kind.
 *
 * At each change (from up to down or from down to up) the rise is set anew. If
 * it comes less than window_ms after the change before, the rise is doubled, up
 * to rise_max; else, and at the first change ever, it is what was configured.
 */
enum rise_fall_news rise_fall_probe(struct rise_fall *history, bool is_good,
                                    int64_t now_ms);

/**
 * A request that was sent to the backend has failed by the backend's fault.
 *
 *  - It counts like a bad probe, at once.
 *  - But if it was sent before the last change, it tells of other times, and is
 *    ignored. (One that was sent in the same millisecond counts.)
 *  - Before the first probe it is ignored, too: that one decides.
 *
 * @param sent_ms when the request was sent; not later than now
 */
enum rise_fall_news rise_fall_blame(struct rise_fall *history, int64_t sent_ms,
                                    int64_t now_ms);

/** May it get requests? */
bool rise_fall_is_up(const struct rise_fall *history);

/** How many good probes in a row bring it up, or would if it were down. */
unsigned rise_fall_rise(const struct rise_fall *history);

#endif

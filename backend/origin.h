/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file origin.h
 * @brief What all sessions of one backend share.
 *
 * One thread does everything here, so nothing is locked.
 */
#ifndef ORIGIN_H
#define ORIGIN_H

#include "stats.h"

#include <stdbool.h>
#include <stdint.h>

struct options;

/** Room for a Date. */
#define ORIGIN_DATE_BYTES 64

/** The one place that knows who we are and how we are doing. */
struct origin {
    const struct options *options; /**< borrowed: outlives us */
    const char *name;              /**< borrowed from the options */
    unsigned port;                 /**< the one we really listen on */
    bool ready;                    /**< what /readyz says */
    bool stopping;                 /**< a signal came: no new requests */
    int64_t now_ms;                /**< monotonic time of this turn */
    struct stats stats;            /**< what was counted */

    uint64_t chance;         /**< where the seeded dice are */
    uint64_t crash_in;       /**< so many requests to the crash; 0: none */
    int64_t freeze_until_ms; /**< nothing is done before this time */
    int64_t refuse_until_ms; /**< nobody may connect before this time */

    int64_t date_s;               /**< the second that date tells */
    char date[ORIGIN_DATE_BYTES]; /**< as the Date field wants it */
};

/** Begin with what the options say. */
void origin_init(struct origin *origin, const struct options *options);

/** End it. */
void origin_fini(struct origin *origin);

/** Look at the clock; done once each turn. */
void origin_set_clock(struct origin *origin);

/** The time of day for the Date field; good until the next call. */
const char *origin_date(struct origin *origin);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file history.h
 * @brief The last five minutes, second by second.
 *
 * @floor{control}
 * @thread{control's}
 */
#ifndef CONTROL_HISTORY_H
#define CONTROL_HISTORY_H

#include <stddef.h>
#include <stdint.h>

enum { HISTORY_POINTS = 300, HISTORY_STEP_MS = 1000 };

/** What happened in one second. */
struct history_point {
    int64_t time_ms;    /**< its end, by clock_ms() */
    uint64_t requests;  /**< that ended */
    uint64_t errors;    /**< those of them with a status of 500 or more */
    uint64_t retries;   /**< second and later tries */
    unsigned in_flight; /**< at its end */
    double p50_ms;      /**< half of the requests took no longer */
    double p90_ms;      /**< nine of ten */
    double p99_ms;      /**< 99 of 100 */
};

/** A ring of them. All zero: empty. */
struct history {
    struct history_point points[HISTORY_POINTS]; /**< the oldest is at `next`,
                                                      once it is full */
    size_t next;                                 /**< where the next one goes */
    size_t count;                                /**< how many there are */
};

/** Add a point; the oldest makes room. */
void history_add(struct history *history, const struct history_point *point);

/** The points, the oldest first: 0 to count - 1. */
const struct history_point *history_at(const struct history *history,
                                       size_t number);

#endif

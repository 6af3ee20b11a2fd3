/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file histogram.h
 * @brief How long things took: many times, in fixed memory.
 *
 * A time is counted in the bucket it falls into. Up to 100 microseconds there is
 * a bucket for each; from there on, 90 for each power of ten, so that a bucket
 * is never wider than a tenth of the times in it:
 *
 *     1us 2us ... 100us | 110us 120us ... 1ms | 1.1ms 1.2ms ... 10ms | ...
 *
 * A bucket holds the times up to its edge, the edge included. All edges have two
 * digits, so the round numbers that people ask for (2.5 ms, 50 ms, 10 s) are
 * edges, and counts up to them are exact.
 *
 *  - histogram_note() counts a time: one thread does so, without a lock;
 *  - histogram_add_to() adds it to a sum, in any thread, at any time;
 *  - histogram_quantile() and histogram_up_to() ask a sum.
 *
 * @floor{base}
 * @thread{one writes, any reads; a sum belongs to one}
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

enum {
    HISTOGRAM_DECADES = 8, /**< beyond the first 100 us: up to 10,000 s */
    HISTOGRAM_BUCKETS = 100 + 90 * HISTOGRAM_DECADES,
};

/** What one thread has counted. All zero: nothing. */
struct histogram {
    _Atomic uint64_t sum_us;                     /**< of all times */
    _Atomic uint64_t buckets[HISTOGRAM_BUCKETS]; /**< see above */
};

/** What several have counted, together. All zero: nothing. */
struct histogram_sum {
    uint64_t count;                      /**< how many times */
    uint64_t sum_us;                     /**< all of them together */
    uint64_t buckets[HISTOGRAM_BUCKETS]; /**< how many in each */
};

/** The bucket of a time. What is longer than all of them is in the last. */
unsigned histogram_bucket(int64_t us);

/** The longest time that a bucket holds, in microseconds. */
uint64_t histogram_edge(unsigned bucket);

/** Count a time; for the one thread that writes. */
void histogram_note(struct histogram *histogram, int64_t us);

/** Begin again with nothing; likewise. */
void histogram_clear(struct histogram *histogram);

/** Add all that was counted so far. */
void histogram_add_to(const struct histogram *histogram,
                      struct histogram_sum *sum);

/** Take away what was counted before: @p sum holds what came since. */
void histogram_take_away(struct histogram_sum *sum,
                         const struct histogram_sum *before);

/**
 * The time that so many of them did not exceed: 0.99 is the 99th percentile.
 *
 * @return microseconds, the edge of the bucket where it lies; 0: none counted
 */
uint64_t histogram_quantile(const struct histogram_sum *sum, double part);

/** How many took no longer than this? Exact at the edges of buckets. */
uint64_t histogram_up_to(const struct histogram_sum *sum, uint64_t us);

#endif

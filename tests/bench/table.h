/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file table.h
 * @brief All figures of a bench, and what is made of them.
 *
 * Others use the machine too, and it is faster in one minute than in the
 * next. So contestants take turns, and what is compared is what they did in
 * the same turn: the ratio of two contestants is the median over the
 * repetitions of the ratios within each.
 */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include "load.h"

#include <stddef.h>
#include <stdio.h>

enum {
    CONTESTANTS_MOST = 16,
    WORKLOADS_MOST = 8,
    REPETITIONS_MOST = 32,
};

/** Who did what how often. */
struct results {
    const struct contestant *contestants[CONTESTANTS_MOST]; /**< borrowed */
    size_t contestant_count;
    const struct workload *workloads[WORKLOADS_MOST]; /**< borrowed */
    size_t workload_count;
    size_t repetitions;
    unsigned seconds; /**< of each run */
    unsigned redone;  /**< runs, because others took the cores */
    struct figure figures[WORKLOADS_MOST][CONTESTANTS_MOST][REPETITIONS_MOST];
};

/** The median; 0 of none. Sorts the values. */
double median_of(double *values, size_t count);

/**
 * The median cost of a contestant in a workload, times that of another.
 *
 * @return 0 when there is no repetition that both took part in
 */
double ratio_of(const struct results *results, size_t workload,
                size_t contestant, const char *base);

/** The table, in Markdown, with what is to be known about it. */
void table_print(const struct results *results, const struct setting *setting,
                 FILE *out);

/** Every single figure. False when it could not be written. */
bool table_save(const struct results *results, const char *path);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file random.h
 * @brief Numbers that look like chance, and come again from the same seed.
 *
 * Not for secrets: whoever sees a few of them can tell the next.
 *
 * @floor{base}
 * @thread{any; a struct random belongs to one}
 */
#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

#include <stdint.h>

/** Where we are in the row of numbers. */
struct random {
    uint64_t state; /**< the seed, at first */
};

/** A seed that differs from run to run. */
uint64_t random_seed(void);

/** The next number. */
uint64_t random_next(struct random *random);

/** The next number below @p limit (which is not 0), all as likely. */
uint64_t random_below(struct random *random, uint64_t limit);

/** A length of time that lies up to @p percent above or below @p ms. */
int64_t random_jitter(struct random *random, int64_t ms, unsigned percent);

#endif

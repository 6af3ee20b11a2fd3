/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file clock.h
 * @brief Time that nobody sets back, and time for people.
 *
 * @floor{base}
 * @thread{any}
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/** Milliseconds since some moment; for limits. */
int64_t clock_ms(void);

/** Microseconds since the same moment; for measuring. */
int64_t clock_us(void);

/** Room that clock_print() needs. */
enum { CLOCK_PRINT_MAX = 32 };

/** Write the date and time as `2026-11-21T09:30:00.123Z`. */
void clock_print(char out[CLOCK_PRINT_MAX]);

/** The same for a moment of clock_ms(), if nobody has set the date since. */
void clock_print_at(int64_t ms, char out[CLOCK_PRINT_MAX]);

#endif

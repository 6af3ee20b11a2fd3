/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file report.h
 * @brief What the soak says: what is done, what is wrong, and the sum of it.
 *
 *  - report_begin() sets the clock of all lines to nothing;
 *  - report_note() tells what happens;
 *  - report_wrong() tells what is wrong, and counts it to the check that runs;
 *  - report_check() ends a check: it has passed if nothing was wrong;
 *  - report_end() says `N passed, M failed`.
 */
#ifndef SOAK_REPORT_H
#define SOAK_REPORT_H

#include <stdbool.h>
#include <stdint.h>

/** Lines count their time from now on. @param is_loud tell each deed, too */
void report_begin(bool is_loud);

/** Seconds since then, of a now_ms(). */
double report_seconds(int64_t at_ms);

/** Tell of a deed, if it is to be loud. */
__attribute__((format(printf, 1, 2))) void report_note(const char *format, ...);

/** Tell what is wrong; after twenty lines of one check, they are only
 * counted. */
__attribute__((format(printf, 1, 2))) void report_wrong(const char *format,
                                                        ...);

/** The check that these words describe is over. */
__attribute__((format(printf, 1, 2))) void report_check(const char *format,
                                                        ...);

/** @return whether all checks have passed */
bool report_end(void);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file top_text.h
 * @brief Numbers, times and small pictures in the words of a terminal.
 *
 * All of them write into room of the caller, end with a zero byte and never
 * write more than fits. Everything is plain ASCII, so that one byte is one
 * column, but for the sparkline.
 *
 * @floor{control}
 * @thread{any}
 */
#ifndef CONTROL_TOP_TEXT_H
#define CONTROL_TOP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/** What stands for a number that is not known. */
#define TOP_UNKNOWN (-1.0)

/**
 * Copy words that came from elsewhere. A terminal obeys control characters, and
 * some others turn a line around or take no room: whatever is not printable
 * ASCII becomes a `?`, one for each character.
 *
 * @param words UTF-8, or anything; NULL is nothing
 */
void top_text_clean(char *out, size_t room, const char *words);

/** A count with commas: `12,345`; `-` when it is not known. */
const char *top_text_count(char *out, size_t room, double number);

/** Milliseconds with a unit: `0.85 ms`, `123 ms`, `1.23 s`. */
const char *top_text_ms(char *out, size_t room, double ms);

/** A length of time with its greatest unit: `5 seconds`, `2 hours`. */
const char *top_text_duration(char *out, size_t room, double seconds);

/** The moment that `2026-11-21T09:30:00.123Z` means, in seconds since 1970. */
double top_text_time(const char *words);

/**
 * Draw the last numbers of a list as a row of bars, the newest at the right.
 * The highest of those shown is a full bar; what is not known is a gap.
 *
 * @param columns as many are drawn, fewer when there are fewer numbers
 * @param utf8    with blocks (three bytes each); else with ASCII
 * @return how many columns were drawn
 */
size_t top_text_sparkline(char *out, size_t room, const double *numbers,
                          size_t count, size_t columns, bool utf8);

#endif

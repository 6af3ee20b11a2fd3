/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file verdict.h
 * @brief What the bench says on the way, and whether anything was wrong.
 *
 *  - note() tells the person at the screen how it goes;
 *  - complain() does too, and it counts: the bench will not end with 0;
 *  - interrupted() tells whether somebody has pressed Ctrl-C.
 *
 * All words go to stderr: stdout is for the table.
 */
#ifndef BENCH_VERDICT_H
#define BENCH_VERDICT_H

#include <stdbool.h>

/** Say something. A line break is added. */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** Say what was wrong, and remember that something was; nothing of both once
 * interrupted. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** How many complaints there were since the last call. */
unsigned complaints_take(void);

/** Say nothing of complaints, only count them: for tests that provoke them. */
void complaints_hush(bool hush);

/** From now on SIGINT, SIGTERM and SIGHUP do not end this program. */
void interrupts_catch(void);

/** The signal that asked us to end, or 0. */
int interrupted(void);

/** Wait so many milliseconds; less when interrupted. */
void let_pass(long ms);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file drain.h
 * @brief `steelyard drain` and `steelyard ready`: take a backend out of service
 * and put it back, in a steelyard that runs.
 *
 * @floor{control}
 * @thread{main; nothing else runs}
 */
#ifndef CONTROL_DRAIN_H
#define CONTROL_DRAIN_H

/**
 * Set a backend not ready, or ready again.
 *
 *     drain BACKEND [--wait[=SECONDS]] [--url URL] [--token TOKEN]
 *     ready BACKEND [--wait[=SECONDS]] [--url URL] [--token TOKEN]
 *
 * With `--wait`, `drain` ends when the backend has nothing in flight any more;
 * `ready` first waits until a new probe of the backend was good, and ends when
 * it serves.
 *
 * @param argv the command line, from the word `drain` or `ready` on
 * @return an exit status: 0, it is so; 1, it is not, refused or not in time, and
 *         stderr says why; 2, not understood
 */
int drain_main(int argc, char **argv);
/** The other way round: see drain_main(). */
int ready_main(int argc, char **argv);

#endif

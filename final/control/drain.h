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
 * Set a backend not ready.
 *
 *     drain BACKEND [--wait[=SECONDS]] [--url URL] [--token TOKEN]
 *
 * With `--wait` it ends when the backend has nothing in flight any more.
 *
 * @param argv the command line, from the word `drain` on
 * @return an exit status: 0, it is so; 1, it is not, refused or not in time, and
 *         stderr says why; 2, not understood
 */
int drain_main(int argc, char **argv);

/**
 * Set a backend ready again.
 *
 *     ready BACKEND [--wait[=SECONDS]] [--url URL] [--token TOKEN]
 *
 * With `--wait` it first waits until a new probe of the backend was good, and
 * ends when it serves.
 *
 * @return likewise
 */
int ready_main(int argc, char **argv);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file calls.h
 * @brief System calls for each request: a figure that is free of noise.
 *
 * strace counts them while our own clients, which can be told to the request,
 * ask for a known number of answers.
 */
#ifndef BENCH_CALLS_H
#define BENCH_CALLS_H

#include "load.h"

#include <stdbool.h>
#include <stddef.h>

enum { CALLS_MOST = 64 };

/** One system call. */
struct call {
    char name[32];
    double each; /**< how often, for each request */
};

/** What a balancer did. */
struct calls {
    struct call list[CALLS_MOST]; /**< the most frequent first */
    size_t count;
    double sum; /**< for each request */
};

/** Can system calls be counted here? Tried on any process of ours. If not,
 * say why. */
bool calls_can_be_counted(const struct process *process);

/** Read what `strace -c` has printed.
 *
 * @param requests by which all counts are divided
 */
void calls_read(struct calls *calls, const char *text, size_t requests);

/**
 * Count the system calls of a balancer that runs.
 *
 * @return false, and a complaint, when that went wrong
 */
bool calls_count(struct calls *calls, const struct workload *workload,
                 const struct balancer *balancer);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file load.h
 * @brief The workloads, and one measured run of one of them.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "contestants.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/** What the cost of a run is counted in. */
enum unit {
    UNIT_MICROSECONDS, /**< of processor time, for each request */
    UNIT_GIB_SECONDS,  /**< of processor time, for each GiB of bodies */
    UNIT_BYTES,        /**< of memory, for each idle client connection */
};

/** A kind of load. */
struct workload {
    const char *title;
    size_t size;     /**< bytes of each body */
    size_t clients;  /**< connections at the same time */
    const char *aim; /**< what steelyard wants to reach, in words */
    enum unit unit;  /**< of its figures */
    char letter;     /**< its name, for short */
    bool one_each;   /**< a new connection for each request */
};

/** What one run has found. */
struct figure {
    bool is_taken;  /**< or there is nothing in here */
    double cost;    /**< in the workload's unit */
    double user;    /**< microseconds of each request that are not the
                         kernel's */
    double rate;    /**< requests in a second */
    double busy;    /**< part of its core that the balancer used */
    double others;  /**< part of the cores in use that others took */
    double between; /**< by which part the two accounts of the kernel differ */
    unsigned long answers; /**< in the time that was measured */
};

/** What wrk has counted in all. */
struct wrk_count {
    unsigned long requests, bytes, connect, read, write, status, timeout;
};

/** All workloads, ended by a letter that is 0. Borrowed for ever. */
const struct workload *workloads_all(void);

/**
 * Put a load on a balancer that runs, and measure.
 *
 * Complains of wrong answers and errors.
 *
 * @param seconds how long wrk runs
 */
struct figure load_run(const struct workload *workload,
                       const struct balancer *balancer,
                       const struct setting *setting,
                       const struct origin *origin, unsigned seconds);

/** Read what bench.lua has made wrk print. False when it is not whole. */
bool wrk_read(const char *text, struct wrk_count *count);

/** Complain of what wrk says that cannot be right.
 *
 * @param answered by the origin in the same time
 */
void wrk_judge(const struct wrk_count *count, const struct workload *workload,
               unsigned long answered);

#endif

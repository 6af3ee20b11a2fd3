/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file contestants.h
 * @brief The programs that are compared, and the origin behind them.
 *
 *  - origin_start() starts the backends, once for all;
 *  - contestant_start() starts one balancer before them, on a core of its
 *    own; contestant_stop() ends it with all its children.
 *
 * A contestant is a command line in which `{port}`, `{backends}` and so on
 * stand for what differs from run to run. One with `--port 0` says
 * where it listens; for another a port is sought that nobody uses.
 */
#ifndef BENCH_CONTESTANTS_H
#define BENCH_CONTESTANTS_H

#include "process.h"

#include <stdbool.h>
#include <stddef.h>

/** How the machine is divided, and where things are. */
struct setting {
    int balancer_core, load_core; /**< may be the same when there is one */
    size_t core_count;            /**< 1 or 2: how many of these differ */
    size_t idle_most;             /**< client connections that descriptors
                                       allow a balancer with two for each */
    char folder[4096];            /**< for files made here; absolute */
};

/** One program that is compared. */
struct contestant {
    const char *name;
    const char *command; /**< words with one blank between */
    const char *config;  /**< template of its configuration, or NULL */
    const char *option;  /**< for `{option}` in its configuration, or NULL */
    const char *version; /**< flag that makes it tell its version, or NULL */
    const char *only;    /**< letters of its workloads; NULL: all of them */
};

/** A balancer that runs. */
struct balancer {
    const struct contestant *contestant;
    struct process process;
    unsigned port;
};

/** The backends, that run. */
struct origin {
    struct process process;
    struct tally *tally; /**< owned: a page shared with it */
    unsigned port;       /**< its first */
    char urls[512];      /**< all of them, with commas between */
};

/**
 * Who takes part when nothing else is said, ended by a name that is NULL.
 * Borrowed for ever.
 */
const struct contestant *contestants_all(void);

/** Can it be started? Its program is there; else say that it is left out. */
bool contestant_is_here(const struct contestant *contestant);

/** Its version, such as `1.22.1`, or an empty string. Valid till the next
 * call. */
const char *contestant_version(const struct contestant *contestant);

/** Start the origin with one more flag and its value, or NULL twice. */
bool origin_start(struct origin *origin, const struct setting *setting,
                  const char *flag, const char *value);
void origin_stop(struct origin *origin);

/**
 * Start a balancer before the origin and wait until it answers.
 *
 * @return false, and a complaint, when it does not
 */
bool contestant_start(struct balancer *balancer,
                      const struct contestant *contestant,
                      const struct setting *setting,
                      const struct origin *origin);
void contestant_stop(struct balancer *balancer);

/** The whole path of a program, or NULL. Valid till the next call. */
const char *program_find(const char *name);

#endif

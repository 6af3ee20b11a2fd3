/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file loop.h
 * @brief One thread that waits for all sessions at once.
 *
 *  - loop_new() makes a loop for a listener;
 *  - loop_run() serves clients until it is time to stop;
 *  - loop_free() ends it.
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>

struct loop;
struct pool;

/** So many clients at once may be told that there are too many. */
enum { LOOP_REFUSED_MAX = 64 };

/** What a loop works on. */
struct loop_settings {
    struct pool *pool;     /**< borrowed: outlives the loop */
    int listener;          /**< owned by the loop from now on */
    int stop;              /**< readable when it is time to stop */
    unsigned sessions_max; /**< more clients than this get 503 */
    bool trace;            /**< print each wake-up */
};

/**
 * Make a loop.
 *
 * @return owned by the caller, who ends it with loop_free(); NULL when there is
 *         no memory
 */
struct loop *loop_new(const struct loop_settings *settings);

/**
 * Serve clients until it is time to stop; then close the listener, and serve
 * those whose request has come, for ten seconds at most.
 *
 * @return how many requests were cut off by the end of that time
 */
unsigned loop_run(struct loop *loop);

/** Close all that is open, and empty the pointer. */
void loop_free(struct loop **loop);

#endif

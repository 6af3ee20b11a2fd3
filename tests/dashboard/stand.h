/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file stand.h
 * @brief A steelyard with its admin listener, over three backends.
 *
 *  - stand_main() runs a suite whose tests use stands;
 *  - stand_open() starts one, stand_close() ends it;
 *  - stand_kill() and stand_revive() do things to backends;
 *  - stand_stop_balancer() and stand_start_balancer() are a restart on the same
 *    ports.
 *
 * What goes wrong in here fails the test that called it.
 */
#ifndef DASHBOARD_STAND_H
#define DASHBOARD_STAND_H

#include "fetch.h"
#include "process.h"
#include "wait.h"

#include <check.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { STAND_BACKENDS = 3 };

/** The token of every stand. */
#define STAND_TOKEN "a-token-for-tests"

/** Balancer and backends. Its fields are for reading. */
struct stand {
    struct process backends[STAND_BACKENDS];
    unsigned ports[STAND_BACKENDS]; /**< where they listen; kept by a revived */
    int keepers[STAND_BACKENDS];    /**< owned: keep the ports of dead ones */
    struct process balancer;
    unsigned port;       /**< where clients come */
    unsigned admin_port; /**< where operators come */
    char admin[64];      /**< the same as `http://127.0.0.1:PORT` */
};

/** The steelyard under test, as the command line gave it. */
const char *stand_steelyard(void);

/** Start three backends, and the balancer; all are up when it returns. */
void stand_open(struct stand *stand);

/** End the balancer, which must end well, and the backends. */
void stand_close(struct stand *stand);

/** Kill a backend at once; start it again on its port. */
void stand_kill(struct stand *stand, size_t which);
void stand_revive(struct stand *stand, size_t which);

/** End the balancer; start it again on the same ports. */
void stand_stop_balancer(struct stand *stand);
void stand_start_balancer(struct stand *stand);

/** So many requests, one after the other; each must be answered with 200. */
void stand_load(const struct stand *stand, unsigned count);

/** How many requests a backend has got for a path. */
long stand_count(const struct stand *stand, size_t which, const char *path);

/** What the API says of a backend, such as `state`; owned by the caller. */
json_t *stand_fact(const struct stand *stand, size_t which, const char *name);

/** Is that backend in this state, by the API, within 10 s (stretched)? */
bool stand_is(const struct stand *stand, size_t which, const char *state);

/** A backend as operators know it. Good until the fourth call after. */
const char *stand_url(const struct stand *stand, size_t which);

/**
 * Run a suite. The command line names steelyard and backend.
 *
 * @param lacks why nothing can be tested here, or NULL: then that is said, and
 *              no test is run
 * @return an exit status
 */
int stand_main(int argc, char **argv, Suite *suite, const char *lacks);

/** Insist, or fail with a story. */
#define insist(condition, ...)         \
    do {                               \
        if (!(condition))              \
            ck_abort_msg(__VA_ARGS__); \
    } while (0)

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file policy.h
 * @brief The rule that picks one backend out of those that may serve.
 *
 * A policy gets numbers and gives back a number. It knows no sockets, no locks
 * and no backends, so any rule can be tested with a pencil. And it never sees a
 * backend that is down: it cannot pick wrongly, only less well.
 */
#ifndef POLICY_H
#define POLICY_H

#include <stddef.h>

/** How many backends there may be. */
enum { BACKENDS_MAX = 64 };

/** Those who may serve, as a policy sees them. */
struct candidates {
    size_t count;              /**< at least one */
    const unsigned *in_flight; /**< how many requests each is busy with */
    size_t turn;               /**< how many picks there were before this one */
};

/** One way of picking. */
struct policy {
    const char *name; /**< as written after `--policy` */

    /** Pick one: an index below `count`. */
    size_t (*pick)(const struct candidates *from);
};

/**
 * Find the policy with this name.
 *
 * @return NULL when there is none; else it is there for ever
 */
const struct policy *policy_find(const char *name);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file roster.h
 * @brief Every backend there is: those that are configured, and those that were
 * and still have something to finish.
 *
 * The pool changes when a new configuration is read; a backend that stays keeps
 * what is known of it: its health, its counts, its connections at rest. So
 * pools only hold backends, and the roster owns them.
 *
 *  - roster_hold() finds a backend, or makes it; roster_drop() lets go of it;
 *  - roster_sweep() ends those that nobody holds.
 *
 * @floor{upstream}
 * @thread{control's; the lock is for all}
 */
#ifndef UPSTREAM_ROSTER_H
#define UPSTREAM_ROSTER_H

#include "upstream/backend.h"

#include <pthread.h>

struct health_change;
struct settings_backend;

/** All backends. */
struct roster {
    struct backend *at[BACKEND_SLOTS]; /**< owned, by slot; NULL: free */
    pthread_mutex_t verdict;           /**< for health.h */

    /** Told of each change of a backend's state, in whatever thread made it, so
     * it must be quick; NULL: nobody. Set before there are other threads. */
    void (*on_change)(void *arg, const struct health_change *change);
    void *change_arg; /**< borrowed: goes there */
};

/** Make an empty one, owned by the caller, who ends it with roster_free(). */
struct roster *roster_new(void);

/** End it and all backends, and empty the pointer; nobody holds one. */
void roster_free(struct roster **owned);

/**
 * Find the backend with this URL, or make it.
 *
 * @return borrowed until roster_drop(); NULL when there is no slot left
 */
struct backend *roster_hold(struct roster *roster,
                            const struct settings_backend *settings);

/** One who holds it less. */
void roster_drop(struct backend *backend);

/**
 * Look for backends that nobody holds. Of each, its connections have to be
 * closed first, by those who have them.
 *
 * @param forget called once for each that is to go; it sets `forgetting` to the
 *               number of those who are told, and each of them takes one off
 *               when it has forgotten the backend
 */
void roster_sweep(struct roster *roster,
                  void (*forget)(void *arg, struct backend *backend),
                  void *arg);

#endif

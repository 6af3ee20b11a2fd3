/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file health.h
 * @brief May a backend serve? Probes and requests tell what they saw; the
 * verdict is made here.
 *
 *  - health_judge() counts a probe: `rise` good ones in a row bring a backend
 *    up, `fall` bad ones in a row take it down;
 *  - health_failed() and health_served() count requests: so many failures in a
 *    row eject a backend for a while, which grows from time to time; but never
 *    more than a part of the pool, and never the last one that serves;
 *  - health_sweep() ends ejections whose time is over;
 *  - health_set_ready() is a person's word: a backend that is not ready drains;
 *  - health_look() tells how a backend stands.
 *
 * Each change is told in the log: who, from what, to what, and why; and to
 * roster->on_change().
 *
 * @floor{upstream}
 * @thread{any; verdicts are made under a lock that no request waits for, unless
 * it has just failed too often}
 */
#ifndef UPSTREAM_HEALTH_H
#define UPSTREAM_HEALTH_H

#include "upstream/backend.h"

#include <stdbool.h>
#include <stdint.h>

struct pool;

/** A backend's state has changed. */
struct health_change {
    const struct backend *backend; /**< borrowed for the call */
    enum backend_state from;       /**< what it was */
    enum backend_state to;         /**< what it is */
    const char *why;               /**< borrowed for the call */
};

/** How a backend stands. */
struct health_view {
    enum backend_state state;  /**< in a word */
    char why[128];             /**< in words, why it is so; never empty */
    enum backend_state health; /**< what it would be if it were ready */
    char health_why[128];      /**< why that; never empty */
    int64_t changed_ms;     /**< since when, by clock_ms(); 0: from the start */
    bool probed;            /**< there has been a probe */
    bool last_passed;       /**< the last probe was good */
    uint64_t passed;        /**< good probes */
    uint64_t failed;        /**< bad probes */
    int64_t ejected_ms;     /**< so long is it still ejected; 0: it is not */
    uint64_t ejected_times; /**< ejections so far */
};

/**
 * Count a probe of this backend. The first one decides at once.
 *
 * @param why what was wrong with it, if it was bad
 */
void health_judge(struct pool *pool, struct backend *backend, bool passed,
                  const char *why, int64_t now_ms);

/** This one is new: it serves when its first probe was good. */
void health_doubt(struct pool *pool, struct backend *backend);

/** It is not probed any more: as far as that goes, it may serve. */
void health_trust(struct pool *pool, struct backend *backend, int64_t now_ms);

/** A request failed by this backend's fault. */
void health_failed(struct pool *pool, struct backend *backend, const char *why,
                   int64_t now_ms);

/** A request went well. */
void health_served(struct backend *backend);

/**
 * A person wants it to get requests, or none any more: then it drains. What it
 * has in flight goes on.
 */
void health_set_ready(struct pool *pool, struct backend *backend, bool ready,
                      int64_t now_ms);

/** How does it stand? */
void health_look(struct pool *pool, const struct backend *backend,
                 int64_t now_ms, struct health_view *view);

/** End the ejections whose time is over. */
void health_sweep(struct pool *pool, int64_t now_ms);

#endif

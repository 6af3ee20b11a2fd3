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
 *  - health_sweep() ends ejections whose time is over.
 *
 * Each change is told in the log: who, from what, to what, and why.
 *
 * @floor{upstream}
 * @thread{any; verdicts are made under a lock that no request waits for, unless
 * it has just failed too often}
 */
#ifndef UPSTREAM_HEALTH_H
#define UPSTREAM_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

struct backend;
struct pool;

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

/** End the ejections whose time is over. */
void health_sweep(struct pool *pool, int64_t now_ms);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file probe.h
 * @brief Asking the backends: active health checks, by libcurl on our own loop.
 *
 * A probe connects to the backend or, with a path, asks for it by HTTP and looks
 * at the status and the text of the response. What came of it goes to
 * health_judge().
 *
 *  - prober_new() makes one; prober_ask_all() probes all backends once, and
 *    waits for that: what it finds is believed at once;
 *  - prober_start() goes on probing while the loop runs;
 *  - prober_free() ends it.
 *
 * @floor{control}
 * @thread{control's}
 */
#ifndef CONTROL_PROBE_H
#define CONTROL_PROBE_H

struct loop;
struct pool;
struct prober;
struct tls_context;

/**
 * Make one that does nothing yet.
 *
 * @param loop borrowed: outlives it
 * @param pool borrowed: likewise
 * @param tls  borrowed: likewise; whom to believe; NULL if no backend is at
 *             https
 * @return owned by the caller, who ends it with prober_free()
 */
struct prober *prober_new(struct loop *loop, struct pool *pool,
                          const struct tls_context *tls);

/** Probe all of them once; returns when all have answered, or are too late. */
void prober_ask_all(struct prober *prober);

/** Probe them again and again from now on; those that never were, at once. */
void prober_start(struct prober *prober);

/** End it, and empty the pointer. */
void prober_free(struct prober **owned);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file health.h
 * @brief Active health checks: a thread asks each backend whether it can serve.
 *
 * A probe connects to the backend or, with a path, sends `GET path` and wants
 * a status from 200 to 399. One good or bad probe proves little, so it takes
 * `rise` good ones in a row to bring a backend up, and `fall` bad ones in a row
 * to take it down.
 *
 *  - health_start() probes all of them once, then goes on in a thread;
 *  - health_stop() ends the thread.
 *
 * What a probe concludes is written to `up` in struct backend.
 */
#ifndef HEALTH_H
#define HEALTH_H

struct health;
struct pool;

/** How to probe, and when to believe it. */
struct health_settings {
    unsigned interval_ms; /**< from the end of a round to the next one */
    unsigned timeout_ms;  /**< a probe that takes longer has failed */
    unsigned rise;        /**< good probes in a row until a backend is up */
    unsigned fall;        /**< bad probes in a row until it is down */
    const char *path;     /**< what to GET; NULL: connecting is enough */
};

/**
 * Probe every backend once, and believe that one probe; then start a thread
 * that goes on probing.
 *
 * @param pool     borrowed: outlives the thread
 * @param settings copied
 * @param stop     a descriptor that becomes readable when it is time to stop
 * @return owned by the caller, who ends it with health_stop(); NULL with errno
 *         set when there could be no thread
 */
struct health *health_start(struct pool *pool,
                            const struct health_settings *settings, int stop);

/** Wait for the thread, which `stop` has ended, and empty the pointer. */
void health_stop(struct health **health);

#endif

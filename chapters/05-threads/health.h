/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file health.h
 * @brief Which backends can serve: a thread asks them, and requests find out.
 *
 * A probe connects to the backend or, with a path, sends `GET path` and wants
 * a status from 200 to 399. One good or bad probe proves little, so it takes
 * `rise` good ones in a row to bring a backend up, and `fall` bad ones in a row
 * to take it down.
 *
 *  - health_start() probes all of them once, then goes on in a thread;
 *  - health_stop() ends the thread;
 *  - health_blame() takes a backend down at once, when a request found out.
 */
#ifndef HEALTH_H
#define HEALTH_H

struct backend;
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

/**
 * A request found that this backend cannot serve: take it down now. It needs
 * `rise` good probes to come back. Any thread may call this.
 *
 * @param why a few words for the log
 */
void health_blame(struct backend *backend, const char *why);

/** Wait for the thread, which `stop` has ended, and empty the pointer. */
void health_stop(struct health **health);

#endif

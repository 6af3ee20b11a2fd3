/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file complaint.h
 * @brief Telling the log what went wrong with a request, and not too often.
 *
 * A line names the request, what happened, the step, the client, the backend,
 * the limit of that step and the setting that it comes from.
 *
 * When a backend is gone, every request may fail in the same way. Of each kind
 * one line a second is written, and then how many there were beside it. (The
 * access log has a line for each request, come what may.)
 *
 *  - complaint_tell() tells of one failure;
 *  - complaints_sum_up() tells how many were not told.
 *
 * @floor{proxy}
 * @thread{any}
 */
#ifndef PROXY_COMPLAINT_H
#define PROXY_COMPLAINT_H

#include "base/settings.h"
#include "proxy/state.h"
#include "upstream/backend.h"

#include <stdatomic.h>
#include <stdint.h>

struct pool;

/** Those of one kind: at one backend, in one step. */
struct complaint {
    _Atomic int64_t next_ms; /**< until then, they are only counted */
    atomic_uint untold;      /**< so many were */
};

/** All kinds; those without a backend come last. */
struct complaints {
    struct complaint at[BACKEND_SLOTS + 1][STATE_COUNT]; /**< by slot, step */
};

/** What went wrong. */
struct complaint_facts {
    const char *request_id; /**< borrowed, as are all of them; NULL: there
                                        was no request yet */
    const char *client;     /**< its address */
    const struct backend *backend; /**< with whom; NULL: with nobody */
    unsigned try_count;            /**< tries so far, this one included */
    enum state step;               /**< while doing what */
    enum setting limit;            /**< the setting that bounds it */
    const char *why;               /**< in words */
    int64_t now_ms;                /**< when */
};

/** Tell of it, or count it. */
void complaint_tell(struct complaints *complaints,
                    const struct settings *settings,
                    const struct complaint_facts *facts);

/** Tell how many were not told, of those kinds whose second is over. */
void complaints_sum_up(struct complaints *complaints, const struct pool *pool,
                       int64_t now_ms);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file meter.h
 * @brief What all workers have counted, added up: in all, and in the last second.
 *
 *  - meter_tick(), once a second, reads the counts and remembers what has come
 *    since the tick before;
 *  - meter_total() reads them again, as of now.
 *
 * @floor{control}
 * @thread{control's}
 */
#ifndef CONTROL_METER_H
#define CONTROL_METER_H

#include "control/history.h"
#include "proxy/counts.h"
#include "upstream/backend.h"

struct crew;
struct roster;

/** What a backend did in the last second. */
struct meter_backend {
    uint64_t requests; /**< that it answered */
    uint64_t errors;   /**< those of them with a status of 500 or more */
    double p50_ms;     /**< until it began to answer */
    double p99_ms;     /**< the same for 99 of 100 */
};

/** The sums. */
struct meter {
    const struct crew *crew;                      /**< borrowed: outlives it */
    const struct roster *roster;                  /**< borrowed: likewise */
    struct counts_sum total;                      /**< as of meter_total() */
    struct counts_sum before;                     /**< as of the last tick */
    struct history_point last;                    /**< the last second */
    struct meter_backend backends[BACKEND_SLOTS]; /**< likewise, by slot */
    uint64_t identities[BACKEND_SLOTS];           /**< who had the slots then */
    struct history history; /**< the seconds before, and it */
};

/** Begin to count. @return owned: end it with meter_free() */
struct meter *meter_new(const struct crew *crew, const struct roster *roster);

/** End it, and empty the pointer. */
void meter_free(struct meter **owned);

/** A second has passed. */
void meter_tick(struct meter *meter, int64_t now_ms);

/** How many requests have a backend now? */
unsigned meter_in_flight(const struct meter *meter);

/** Everything so far. Borrowed until the next call of this or of meter_tick(). */
const struct counts_sum *meter_total(struct meter *meter);

#endif

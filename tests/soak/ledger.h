/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file ledger.h
 * @brief The books: what the access log and the backends say, put beside what
 * the clients have seen.
 *
 *  - ledger_read() reads them, and notes in each record what they say of it;
 *  - judge_requests() finds what nothing excuses;
 *  - judge_counters() adds up.
 */
#ifndef SOAK_LEDGER_H
#define SOAK_LEDGER_H

#include "client.h"
#include "stand.h"

#include <stddef.h>

/** The sums of the access log. */
struct ledger {
    char **texts; /**< owned: the files; records point into them */
    unsigned count;
    unsigned long lines;
    unsigned long nameless; /**< those without a name of ours */
    unsigned long arrivals; /**< requests that backends told of */

    /* Of the process that served last. */
    char identity[16]; /**< how the names of its requests begin */
    unsigned long its_lines;
    unsigned long by_class[6]; /**< by the first digit of the status */
    unsigned long retries;     /**< second and later tries */
    unsigned long tries_to[BACKENDS];
};

/** Read all. */
void ledger_read(struct ledger *ledger, const struct stand *stand,
                 struct clients *clients);

/** End it; records must not be looked at any more. */
void ledger_free(struct ledger *ledger);

/** Each request came to what it ought to, or there is an excuse; and each
 * stands in the books, once. */
void judge_requests(const struct ledger *ledger, const struct clients *clients);

/** What steelyard has counted is what stands in the access log. */
void judge_counters(const struct ledger *ledger, const struct stand *stand,
                    const char *metrics);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file terms.h
 * @brief The terms on which requests are served: one configuration, and what a
 * worker makes of it.
 *
 * A new configuration must not change the rules of a request that has begun. So
 * a configuration never changes; there is a new one, and each worker goes over
 * to it when it is told. An exchange keeps the terms it began on until it ends,
 * and terms end with the last exchange on them.
 *
 *     control             worker 1              worker 2
 *     configuration 1     terms: 3 exchanges    (gone over already)
 *     configuration 2     terms: present        terms: present
 *
 *  - configuration_new(), configuration_free();
 *  - terms_new() for each worker; terms_hold() and terms_drop() for each
 *    exchange, and for the worker while they are its present ones.
 *
 * @floor{proxy}
 * @thread{a configuration is control's, and all read it; terms are a worker's}
 */
#ifndef PROXY_TERMS_H
#define PROXY_TERMS_H

#include "event/timer.h"
#include "net/address.h"
#include "proxy/state.h"
#include "upstream/pool.h"

#include <stdatomic.h>

struct fault;
struct tls_context;

/** One configuration, and what follows from it. */
struct configuration {
    const struct settings *settings;  /**< borrowed: outlives it */
    struct pool *pool;                /**< owned */
    struct address_block *trusted;    /**< owned: who is believed */
    size_t trusted_count;             /**< how many of them */
    struct address_block *announcing; /**< owned: who sends PROXY headers */
    size_t announcing_count;          /**< how many of them */
    struct tls_context *tls;          /**< held: who we are for clients that
                                          come by TLS; NULL: none do */
    struct tls_context *tls_out;      /**< held: whom we believe among backends
                                          at https; NULL: there are none */
    unsigned generation; /**< 1 for the first one, 2 for the next */
    atomic_uint workers; /**< how many serve by it, or were told to */
};

/**
 * Make one.
 *
 * @param settings borrowed: outlives it
 * @param roster   borrowed: likewise
 * @return owned by the caller, who ends it with configuration_free(); NULL, with
 *         @p fault, when there are too many backends at a time, or a certificate
 *         is of no use
 */
struct configuration *configuration_new(const struct settings *settings,
                                        struct roster *roster,
                                        struct fault *fault);

/**
 * Would configuration_new() do? It reads the certificates that these settings
 * name, and forgets them.
 *
 * @return false, with a sentence, if not
 */
bool configuration_check(const struct settings *settings, struct fault *fault);

/** Know clients again that have met the one before it. */
void configuration_inherit(struct configuration *configuration,
                           const struct configuration *older);

/** End it, and empty the pointer; no worker serves on it. */
void configuration_free(struct configuration **owned);

/** One configuration, as a worker serves by it. */
struct terms {
    struct configuration *configuration; /**< shared */
    const struct settings *settings;     /**< its own; borrowed */
    struct pool *pool;                   /**< likewise */
    struct timer_row *rows[STATE_COUNT]; /**< alarms for each state */
    struct policy *policy;               /**< owned; NULL: needs none */
    unsigned holders;                    /**< exchanges, and the worker */
};

/** Make them for a worker that was counted in the configuration; the caller
 * holds them. */
struct terms *terms_new(struct configuration *configuration,
                        struct timers *timers);

/** One more who needs them. @return the same */
struct terms *terms_hold(struct terms *terms);

/** One less, and empty the pointer: the last one ends them. */
void terms_drop(struct terms **owned);

#endif

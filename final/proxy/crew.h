/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file crew.h
 * @brief All workers: threads that accept clients and serve them.
 *
 *  - crew_open() makes them and opens their listeners: from now on, clients
 *    find somebody;
 *  - crew_start() starts their threads;
 *  - crew_drain() has them accept nobody any more, and end what is idle;
 *  - crew_end() ends what is left, and the threads.
 *
 * @floor{proxy}
 * @thread{main}
 */
#ifndef PROXY_CREW_H
#define PROXY_CREW_H

#include "base/fault.h"
#include "net/address.h"

#include <stdbool.h>

struct backend;
struct configuration;
struct counts_sum;
struct crew;
struct proxy;

/**
 * Make the workers, and listen.
 *
  * @param proxy borrowed: outlives the crew
 * @param configuration borrowed: what to serve by, until crew_adopt()
 * @param count how many
 * @return owned by the caller, who ends it with crew_end(); NULL, with @p fault,
 *         when that is not possible
 */
struct crew *crew_open(struct proxy *proxy, struct configuration *configuration,
                       unsigned count, struct fault *fault);

/** Where they listen. */
void crew_address(const struct crew *crew, union address *address);

/** The same for clients that come by TLS; false when none can. */
bool crew_address_secure(const struct crew *crew, union address *address);

/**
 * Start the threads; they serve nobody yet.
 *
 * @return false when that is not possible, with @p fault
 */
bool crew_start(struct crew *crew, struct fault *fault);

/** Have all workers serve by another configuration, soon. */
void crew_adopt(struct crew *crew, struct configuration *configuration);

/** Have all workers forget a backend, soon; see roster_sweep(). */
void crew_forget(struct crew *crew, struct backend *backend);

/** Serve, from now on. */
void crew_serve(struct crew *crew);

/** How many workers there are. */
unsigned crew_size(const struct crew *crew);

/** Add up what all workers have counted so far. */
void crew_count(const struct crew *crew, struct counts_sum *sum);

/** Accept nobody any more; end idle sessions; let exchanges go on. */
void crew_drain(struct crew *crew);

/** End everything, and empty the pointer. */
void crew_end(struct crew **owned);

#endif

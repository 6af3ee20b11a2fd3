/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file crew.h
 * @brief All workers: threads that accept clients and serve them.
 *
 *  - crew_open() makes them and opens their listeners: from now on, clients
 *    find somebody;
 *  - crew_start() starts their threads;
 *  - crew_settle() has them serve where another process has served so far;
 *  - crew_hand() lists their listeners for the process that comes after us;
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
struct handed;
struct proxy;

/**
 * Make the workers, and listen.
 *
  * @param proxy borrowed: outlives the crew
 * @param configuration borrowed: what to serve by, until crew_adopt()
 * @param count how many
 * @param handed listeners of another process, which are taken in place of new
 *              ones where they are at the right address, all of them: the
 *              kernel deals clients out to each
 * @return owned by the caller, who ends it with crew_end(); NULL, with @p fault,
 *         when that is not possible
 */
struct crew *crew_open(struct proxy *proxy, struct configuration *configuration,
                       unsigned count, struct handed *handed,
                       struct fault *fault);

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

/**
 * What was handed to us is ours alone: set it up as the settings have it, and
 * give each worker a listener of its own. Before crew_serve().
 */
void crew_settle(struct crew *crew);

/** List all listeners. They stay the crew's. False: there are too many. */
bool crew_hand(const struct crew *crew, struct handed *handed);

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

/**
 * Accept nobody any more, and let exchanges go on.
 *
 * @param ends end idle sessions, too; else each may ask once more, and is told
 *             then to go
 */
void crew_drain(struct crew *crew, bool ends);

/** End everything, and empty the pointer. */
void crew_end(struct crew **owned);

#endif

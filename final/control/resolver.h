/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file resolver.h
 * @brief What the backends' names stand for, now and later.
 *
 * To look a name up takes as long as it takes, so a thread of its own does it.
 *
 * @floor{control}
 * @thread{main; it makes one of its own}
 */
#ifndef CONTROL_RESOLVER_H
#define CONTROL_RESOLVER_H

#include "base/fault.h"

struct pool;
struct resolver;

/**
 * Look all names up once, and go on doing so in a thread: an answer that came
 * is kept until there is another one.
 *
 * @param pool borrowed until it returns; its backends are held
 * @return owned by the caller, who ends it with resolver_free(); NULL when
 *         there can be no thread, with @p fault
 */
struct resolver *resolver_new(struct pool *pool, struct fault *fault);

/**
 * From now on, look up the names of this pool; borrowed until it returns. If
 * none of its backends has an address yet, it waits for the first look-up.
 */
void resolver_follow(struct resolver *resolver, struct pool *pool);

/** End it, and empty the pointer. */
void resolver_free(struct resolver **owned);

#endif

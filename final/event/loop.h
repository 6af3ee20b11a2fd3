/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file loop.h
 * @brief One thread that waits for many things at once.
 *
 *  - loop_new() makes a loop; loop_watch() adds a descriptor to it, loop_forget()
 *    takes it away;
 *  - loop_run() waits and calls, until loop_stop();
 *  - loop_call() has another thread's loop do something.
 *
 * Time stands still within a turn: the clock is read once after each wait, and
 * loop_now() and loop_now_us() tell what it said.
 *
 * @floor{event}
 * @thread{the one that runs it, but for loop_call()}
 */
#ifndef EVENT_LOOP_H
#define EVENT_LOOP_H

#include "event/poller.h"
#include "event/timer.h"

#include <stdbool.h>
#include <stdint.h>

struct loop;

/**
 * Make a loop.
 *
 * @param kind how it asks the kernel
 * @return owned by the caller, who ends it with loop_free(); NULL with errno
 *         set when the system refuses
 */
struct loop *loop_new(const struct poller_kind *kind);

/** End a loop that does not run, and empty the pointer. */
void loop_free(struct loop **owned);

/**
 * From now on, call watch->on_event() when `ready` grows.
 *
 * @param watch borrowed until loop_forget(); with fd, on_event and arg set, and
 *              `pending` zero
 * @return false when the system refuses
 */
bool loop_watch(struct loop *loop, struct watch *watch);

/** Forget a watch, if it is watched; the descriptor is closed right after. */
void loop_forget(struct loop *loop, struct watch *watch);

/** Call this watch again in the next turn, without waiting: it is not done. */
void loop_again(struct loop *loop, struct watch *watch);

/** Milliseconds, as of this turn. */
int64_t loop_now(const struct loop *loop);

/** Microseconds, as of this turn. */
int64_t loop_now_us(const struct loop *loop);

/** The alarms that this loop calls. Borrowed. */
struct timers *loop_timers(struct loop *loop);

/** Call @p on_turn at the end of each turn, before waiting. */
void loop_on_turn(struct loop *loop, void (*on_turn)(void *arg), void *arg);

/** Wait and call until loop_stop(). */
void loop_run(struct loop *loop);

/** Let loop_run() return at the end of this turn. */
void loop_stop(struct loop *loop);

/**
 * Have the loop call @p call(@p arg) in its own thread, soon. Any thread may ask
 * this at any time while the loop lives.
 */
void loop_call(struct loop *loop, void (*call)(void *arg), void *arg);

#endif

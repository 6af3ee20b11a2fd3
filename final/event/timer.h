/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file timer.h
 * @brief Alarms: what happens when something takes too long.
 *
 * Nearly all alarms of a balancer have one of a few lengths: ten seconds for a
 * head, a minute for a response. Those of one length end in the order in which
 * they were set, so a row of them is a list, and to set one is to put it last:
 * no heap, no search. Alarms of any other length go to a row that is searched,
 * and that is for a few only.
 *
 *  - timers_init(), then timer_row() for each length, until timer_row_drop();
 *  - timer_set() sets an alarm in a row, anew if it was set already;
 *  - timer_set_in() sets one of any length;
 *  - timer_clear() forgets it;
 *  - timers_next_ms() says how long nothing will be due, timers_fire() calls
 *    those that are.
 *
 * @floor{event}
 * @thread{the one whose loop it is}
 */
#ifndef EVENT_TIMER_H
#define EVENT_TIMER_H

#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

/** An alarm, in the thing it belongs to. All zero but these two: not set. */
struct timer {
    struct link link;            /**< on a row while it is set; private */
    int64_t due_ms;              /**< when, while it is set */
    void (*on_alarm)(void *arg); /**< what to do then; it is not set any more */
    void *arg;                   /**< goes to `on_alarm`; borrowed */
};

/** Alarms of one length. */
struct timer_row {
    int64_t length_ms;   /**< 0: these alarms never come */
    struct link waiting; /**< those that are set, the next one first */
    struct link link;    /**< among the rows of a loop */
    unsigned users;      /**< how many asked for it */
};

/** All alarms of a loop. */
struct timers {
    struct link rows;   /**< owned */
    struct link others; /**< those of any length, the next one first */
};

/** Make it empty. */
void timers_init(struct timers *timers);

/** End the rows that are left; no alarm is set in them. */
void timers_fini(struct timers *timers);

/**
 * The row for alarms of that length; 0 is for alarms that never come.
 *
 * @return borrowed, until timer_row_drop()
 */
struct timer_row *timer_row(struct timers *timers, int64_t length_ms);

/** Empty the pointer: this row is needed once less, and none of its alarms is
 * set by who needed it. */
void timer_row_drop(struct timer_row **row);

/** Set an alarm: it comes after the length of its row. */
void timer_set(struct timer *timer, struct timer_row *row, int64_t now_ms);

/** Set an alarm that comes after @p in_ms. */
void timer_set_in(struct timers *timers, struct timer *timer, int64_t in_ms,
                  int64_t now_ms);

/** Forget an alarm, if it is set. */
void timer_clear(struct timer *timer);

/** Is it set? */
bool timer_is_set(const struct timer *timer);

/** How long until the next one is due; -1: there is none. */
int64_t timers_next_ms(const struct timers *timers, int64_t now_ms);

/** Call all that are due. */
void timers_fire(struct timers *timers, int64_t now_ms);

#endif

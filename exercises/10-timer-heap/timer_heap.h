/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file timer_heap.h
 * @brief Many timers of any length, the next one always at hand.
 *
 * A timer says what is to be done and when. The heap holds those that are set,
 * in a binary heap: an array in which none is due before its parent (the one at
 * place 0 has none; the parent of place p is at (p - 1) / 2). Each timer knows
 * its place, so any of them can be cancelled without a search.
 *
 *  - timer_heap_init() makes an empty one;
 *  - timer_heap_set() sets a timer, or sets it anew; timer_heap_cancel() takes
 *    it back;
 *  - timer_heap_wait_ms() says how long poll() may sleep;
 *  - timer_heap_fire() calls those that are due;
 *  - timer_heap_fini() forgets all that are still set.
 *
 * With n timers set, set and cancel look at about log2(n) places of the array,
 * and a call of fire at so many for each timer that it calls; none looks at all
 * of them. (But once in a while set has to make the array larger.)
 *
 * Times are in milliseconds of a clock that never goes back. Nothing here asks
 * the time. One thread uses a heap.
 */
#ifndef TIMER_HEAP_H
#define TIMER_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * A timer, in the thing that it belongs to. Before it is set for the first
 * time, all is zero but the two that the caller fills in.
 */
struct heap_timer {
    void (*on_due)(void *arg); /**< filled by the caller: what to do */
    void *arg;                 /**< filled by the caller: goes to on_due */
    int64_t due_ms;            /**< when, while it is set */
    uint64_t number;           /**< private: the how-manieth to be set */
    size_t place;              /**< private: place in the heap PLUS ONE; 0: not
                                    set */
};

/** Those that are set. Private; in memory of the caller. */
struct timer_heap {
    struct heap_timer *
        *at;           /**< owned, from malloc(); the timers are borrowed */
    size_t count;      /**< so many are set */
    size_t room;       /**< so many fit into the array; never fewer than
                                 before */
    uint64_t numbers;  /**< how many have been set so far */
    bool is_firing;    /**< a call of timer_heap_fire() is under way */
    int64_t firing_ms; /**< if so: its now_ms */
};

/** Make it empty. Needs no memory yet. */
void timer_heap_init(struct timer_heap *heap);

/** Give its memory back. Timers that are still set become timers that are not,
    and nothing is called. */
void timer_heap_fini(struct timer_heap *heap);

/**
 * Set a timer. If it is set already, it moves: as if it had been cancelled and
 * set again, but it cannot fail.
 *
 * From inside an on_due, it is due at least 1 ms after the time for which the
 * timers are fired: so a timer that sets itself again cannot keep
 * timer_heap_fire() from returning.
 *
 * @param timer  borrowed: must live until it is due, cancelled, or the heap
 *               ends
 * @param due_ms when; may be in the past
 * @return false: there is no memory for one more; nothing has changed
 */
bool timer_heap_set(struct timer_heap *heap, struct heap_timer *timer,
                    int64_t due_ms);

/**
 * Take it back; afterwards the heap knows it no more, and its memory may go.
 *
 * @return false: it was not set
 */
bool timer_heap_cancel(struct timer_heap *heap, struct heap_timer *timer);

/** Is it set? Not any more when its on_due is called. */
bool heap_timer_is_set(const struct heap_timer *timer);

/** How long until the next one is due, as poll() wants it: -1 if none is set, 0
    if one is due now or since long, INT_MAX if it is even longer. */
int timer_heap_wait_ms(const struct timer_heap *heap, int64_t now_ms);

/**
 * Call on_due of each timer that is due at @p now_ms: the one that is due first
 * first, and of two that are due at the same time the one that was set first.
 *
 * An on_due may set and cancel any timer, itself and others that are due, too
 * (one that is cancelled is not called). It may free the memory of its own
 * timer. It may not call timer_heap_fire().
 *
 * @param now_ms less than INT64_MAX
 * @return how many were called
 */
size_t timer_heap_fire(struct timer_heap *heap, int64_t now_ms);

#endif

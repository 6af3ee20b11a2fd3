/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file work_queue.h
 * @brief A queue with a bound, and a pool of threads that work it off.
 *
 * Whoever has work pushes it in, whoever is free pops it out, first in, first
 * out. The queue never holds more than its bound: a push into a full one waits
 * or is refused. Whoever waits sleeps and uses no processor.
 *
 *  - work_queue_init(), then push, try_push and pop from any thread;
 *  - work_queue_close() says that no more is to come: what is in it is still
 *    popped, and all who wait are woken;
 *  - work_queue_fini() when no thread uses it any more.
 *
 * A pool is a queue with threads of its own:
 *
 *  - work_pool_new() starts them;
 *  - work_pool_give() and work_pool_offer() bring work;
 *  - work_pool_end() lets them finish all of it, and joins them.
 */
#ifndef WORK_QUEUE_H
#define WORK_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * A queue, in memory of the caller. Who reads or writes a field but `bound`
 * holds `lock`. (It stands here, and not in the .c, so that a test can look at
 * it, and can ring a bell for no reason.)
 */
struct work_queue {
    pthread_mutex_t lock;
    pthread_cond_t has_work; /**< bell: whoever pops may look again */
    pthread_cond_t has_room; /**< bell: whoever pushes may look again */
    void **ring;             /**< owned: `bound` places */
    size_t bound;            /**< never changes */
    size_t first;            /**< the place of the one that was pushed first */
    size_t count;            /**< so many are in it, never more than `bound` */
    bool is_closed;          /**< once true, for ever */
};

/** How an attempt to push ended. */
enum work_push {
    WORK_PUSHED, /**< it is in the queue, which looks after it from now on */
    WORK_FULL,   /**< there is no room; it still belongs to the caller */
    WORK_CLOSED, /**< the queue is closed; it still belongs to the caller */
};

/**
 * Make an empty queue.
 *
 * @param bound how many it may hold: at least 1
 * @return false: there is no memory, and nothing to end
 */
bool work_queue_init(struct work_queue *queue, size_t bound);

/** End a queue that no thread uses any more. What is in it is the caller's. */
void work_queue_fini(struct work_queue *queue);

/**
 * Push, and wait as long as the queue is full and open.
 *
 * @return WORK_PUSHED, or WORK_CLOSED if it was closed before there was room
 */
enum work_push work_queue_push(struct work_queue *queue, void *work);

/** Push if there is room now; never wait for room. A queue that is both full
    and closed is WORK_CLOSED. */
enum work_push work_queue_try_push(struct work_queue *queue, void *work);

/**
 * Take the one that was pushed first, and wait as long as the queue is empty
 * and open.
 *
 * @param work filled with what was pushed, which may be NULL
 * @return false: it is closed and empty, and so it will stay
 */
bool work_queue_pop(struct work_queue *queue, void **work);

/** No more is to come. To close twice is to close once. */
void work_queue_close(struct work_queue *queue);

/** What a worker does with a piece of work. Called without any lock held. */
typedef void work_fn(void *context, void *work);

struct work_pool;

/**
 * Start so many threads, which pop work and run it, side by side.
 *
 * @param bound   how many may wait to be run: at least 1
 * @param run     called for each piece of work, in one of the threads
 * @param context goes to @p run; borrowed: outlives the pool
 * @return owned by the caller, who ends it with work_pool_end(); NULL if there
 *         is no memory or no thread: then none is left running
 */
struct work_pool *work_pool_new(unsigned workers, size_t bound, work_fn *run,
                                void *context);

/** Hand over work; wait for room. WORK_PUSHED: it will be run. */
enum work_push work_pool_give(struct work_pool *pool, void *work);

/** Hand over work, but do not wait: WORK_PUSHED or WORK_FULL. */
enum work_push work_pool_offer(struct work_pool *pool, void *work);

/**
 * Take no more work, wait until all that was handed over has been run and the
 * threads have ended (joined, not only done), and empty the pointer. Not to be
 * called by a worker, nor while another thread still hands over work.
 */
void work_pool_end(struct work_pool **pool);

#endif

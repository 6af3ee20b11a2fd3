/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Yours to write. The header says what each function promises, the README what
 * it is good for, with an example and hints.
 */
#include "work_queue.h"

/* TODO(05.1): a ring behind a lock: init and fini, a push and a pop that do not
   wait yet, and the bound. */
bool work_queue_init(struct work_queue *queue, size_t bound)
{
    *queue = (struct work_queue){.bound = bound};
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->has_work, NULL);
    pthread_cond_init(&queue->has_room, NULL);
    return true;
}

void work_queue_fini(struct work_queue *queue)
{
    pthread_cond_destroy(&queue->has_room);
    pthread_cond_destroy(&queue->has_work);
    pthread_mutex_destroy(&queue->lock);
}

enum work_push work_queue_try_push(struct work_queue *queue, void *work)
{
    (void)queue;
    (void)work;
    return WORK_CLOSED;
}

/* TODO(05.2): wait: for room, and for work. */
enum work_push work_queue_push(struct work_queue *queue, void *work)
{
    (void)queue;
    (void)work;
    return WORK_CLOSED;
}

bool work_queue_pop(struct work_queue *queue, void **work)
{
    (void)queue;
    (void)work;
    return false;
}

/* TODO(05.3): close, and wake all who wait. */
void work_queue_close(struct work_queue *queue)
{
    (void)queue;
}

/* TODO(05.4): threads that pop and run. What does a pool need to remember? */
struct work_pool {
    struct work_queue queue;
};

struct work_pool *work_pool_new(unsigned workers, size_t bound, work_fn *run,
                                void *context)
{
    (void)workers;
    (void)bound;
    (void)run;
    (void)context;
    return NULL;
}

enum work_push work_pool_give(struct work_pool *pool, void *work)
{
    (void)pool;
    (void)work;
    return WORK_CLOSED;
}

enum work_push work_pool_offer(struct work_pool *pool, void *work)
{
    (void)pool;
    (void)work;
    return WORK_CLOSED;
}

/* TODO(05.5): no more work, all of it done, all threads joined. */
void work_pool_end(struct work_pool **pool)
{
    *pool = NULL;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* wrong: forgets that the ring goes round when it puts */
/* caught by: order_is_kept */
#include "work_queue.h"

#include <stdlib.h>

bool work_queue_init(struct work_queue *queue, size_t bound)
{
    *queue = (struct work_queue){.bound = bound,
                                 .ring = calloc(bound, sizeof(void *))};
    if (queue->ring == NULL)
        return false;
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
    free(queue->ring);
}

/** Put it in, if that is possible now. The lock is held. */
static enum work_push put(struct work_queue *queue, void *work)
{
    if (queue->is_closed)
        return WORK_CLOSED;
    if (queue->count == queue->bound)
        return WORK_FULL;
    queue->ring[queue->count] = work;
    queue->count++;
    pthread_cond_signal(&queue->has_work);
    return WORK_PUSHED;
}

enum work_push work_queue_push(struct work_queue *queue, void *work)
{
    enum work_push result;

    pthread_mutex_lock(&queue->lock);
    while ((result = put(queue, work)) == WORK_FULL)
        pthread_cond_wait(&queue->has_room, &queue->lock);
    pthread_mutex_unlock(&queue->lock);
    return result;
}

enum work_push work_queue_try_push(struct work_queue *queue, void *work)
{
    enum work_push result;

    pthread_mutex_lock(&queue->lock);
    result = put(queue, work);
    pthread_mutex_unlock(&queue->lock);
    return result;
}

bool work_queue_pop(struct work_queue *queue, void **work)
{
    bool is_there;

    pthread_mutex_lock(&queue->lock);
    while (queue->count == 0 && !queue->is_closed)
        pthread_cond_wait(&queue->has_work, &queue->lock);
    is_there = queue->count > 0;
    if (is_there) {
        *work = queue->ring[queue->first];
        queue->first = (queue->first + 1) % queue->bound;
        queue->count--;
        pthread_cond_signal(&queue->has_room);
    }
    pthread_mutex_unlock(&queue->lock);
    return is_there;
}

void work_queue_close(struct work_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closed = true;
    pthread_cond_broadcast(&queue->has_work);
    pthread_cond_broadcast(&queue->has_room);
    pthread_mutex_unlock(&queue->lock);
}

struct work_pool {
    struct work_queue queue;
    work_fn *run;
    void *context;      /**< borrowed: outlives the pool */
    unsigned started;   /**< so many of the threads run */
    pthread_t *threads; /**< owned */
};

/** What each worker does: until the queue is closed and empty. */
static void *worker_run(void *arg)
{
    struct work_pool *pool = arg;
    void *work;

    while (work_queue_pop(&pool->queue, &work))
        pool->run(pool->context, work);
    return NULL;
}

struct work_pool *work_pool_new(unsigned workers, size_t bound, work_fn *run,
                                void *context)
{
    struct work_pool *pool = calloc(1, sizeof(*pool));

    if (pool == NULL)
        return NULL;
    pool->threads = calloc(workers, sizeof(*pool->threads));
    if (pool->threads == NULL || !work_queue_init(&pool->queue, bound)) {
        free(pool->threads);
        free(pool);
        return NULL;
    }
    pool->run = run;
    pool->context = context;
    for (; pool->started < workers; pool->started++)
        if (pthread_create(&pool->threads[pool->started], NULL, worker_run,
                           pool) != 0)
            break;
    if (pool->started < workers)
        work_pool_end(&pool);
    return pool;
}

enum work_push work_pool_give(struct work_pool *pool, void *work)
{
    return work_queue_push(&pool->queue, work);
}

enum work_push work_pool_offer(struct work_pool *pool, void *work)
{
    return work_queue_try_push(&pool->queue, work);
}

void work_pool_end(struct work_pool **pool)
{
    struct work_pool *all = *pool;

    work_queue_close(&all->queue);
    for (unsigned i = 0; i < all->started; i++)
        pthread_join(all->threads[i], NULL);
    work_queue_fini(&all->queue);
    free(all->threads);
    free(all);
    *pool = NULL;
}

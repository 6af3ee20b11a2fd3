/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The main thread accepts clients and hands each to a new thread, which serves
 * it and ends. The threads are detached: nobody waits for a certain one of
 * them. But somebody has to know how many there are, for two reasons: there is
 * a limit, and at the end we wait until there are none.
 */
#include "threads.h"

#include "proxy.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    STACK_BYTES = 512 * 1024, /* the default, often 8 MiB, is far too much */
    END_SECONDS = 10,         /* how long requests in flight may take to end */
};

struct threads {
    struct pool *pool; /**< borrowed; the pointer never changes */
    unsigned max;      /**< never changes */
    int stop;          /**< never changes */

    pthread_mutex_t lock; /**< held by whoever reads or writes `running` */
    unsigned running;     /**< how many threads there are */
    pthread_cond_t fewer; /**< signalled when one of them has ended */
};

/** What a new thread is given. */
struct task {
    struct threads *threads; /**< borrowed: outlives the thread */
    int client;              /**< owned */
};

struct threads *threads_new(struct pool *pool, unsigned max, int stop)
{
    struct threads *threads = calloc(1, sizeof(*threads));

    if (threads == NULL)
        return NULL;
    threads->pool = pool;
    threads->max = max;
    threads->stop = stop;
    pthread_mutex_init(&threads->lock, NULL);
    pthread_cond_init(&threads->fewer, NULL);
    return threads;
}

/** Count one more, unless there are as many as there may be. */
static bool one_more(struct threads *threads)
{
    bool may;

    pthread_mutex_lock(&threads->lock);
    may = threads->running < threads->max;
    if (may)
        threads->running++;
    pthread_mutex_unlock(&threads->lock);
    return may;
}

static void one_less(struct threads *threads)
{
    pthread_mutex_lock(&threads->lock);
    threads->running--;
    pthread_cond_signal(&threads->fewer);
    pthread_mutex_unlock(&threads->lock);
}

/** What each thread does. */
static void *task_run(void *arg)
{
    struct task *task = arg;
    struct threads *threads = task->threads;

    proxy_serve(task->client, threads->pool, threads->stop);
    close(task->client);
    free(task);
    one_less(threads);
    return NULL;
}

/** Make the thread. False: the system does not let us have another. */
static bool task_start(struct threads *threads, int client)
{
    struct task *task = malloc(sizeof(*task));
    pthread_attr_t how;
    pthread_t thread;
    int failed;

    if (task == NULL)
        return false;
    *task = (struct task){.threads = threads, .client = client};
    pthread_attr_init(&how);
    pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&how, STACK_BYTES);
    failed = pthread_create(&thread, &how, task_run, task);
    pthread_attr_destroy(&how);
    if (failed != 0)
        free(task);
    return failed == 0;
}

void threads_serve(struct threads *threads, int client)
{
    if (one_more(threads)) {
        if (task_start(threads, client))
            return;
        one_less(threads);
    }
    proxy_refuse(client);
    close(client);
}

unsigned threads_end(struct threads **threads)
{
    struct threads *all = *threads;
    struct timespec end;
    unsigned left;
    int late = 0;

    /* pthread_cond_timedwait() goes by this clock unless told otherwise. */
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += END_SECONDS;

    pthread_mutex_lock(&all->lock);
    while (all->running > 0 && late == 0)
        late = pthread_cond_timedwait(&all->fewer, &all->lock, &end);
    left = all->running;
    pthread_mutex_unlock(&all->lock);
    if (left == 0) {
        pthread_mutex_destroy(&all->lock);
        pthread_cond_destroy(&all->fewer);
        free(all);
        *threads = NULL;
    }
    return left;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Your turns in a real balancer. This file takes the place of the chapter's
 * pool.c and keeps the promises of pool.h, so nobody else notices:
 *
 *     the pool                             your function
 *     backend number i                     turns[i], kept from pick to pick
 *     up, and not yet tried                may_serve
 *     the environment, WEIGHTS=5,1,1       weight; 1, if nothing is said
 *     nobody is left: NULL                 TURNS_NONE
 *
 * Why the pool, and not the policy? A policy is shown those who may serve, but
 * not who they are. A weight and a credit belong to one backend, and stay with
 * it while it is away. So --policy is taken, but decides nothing here.
 */
#include "pool.h"

#include "weighted_turns.h"

#include <stdio.h>
#include <stdlib.h>

/** One for each backend; a balancer has one pool. Under the pool's lock. */
static struct turn turns[BACKENDS_MAX];

static bool is_in(const struct turn *turn)
{
    return turn->may_serve && turn->weight > 0;
}

/** A wrong pick: say what was picked, and out of what, and end. */
static _Noreturn void blame(const struct turn *among, size_t count, int pick)
{
    fprintf(stderr,
            "exercises/02-weighted-turns: turns_pick() gave %d for %zu "
            "backends, of which these may serve:",
            pick, count);
    for (size_t i = 0; i < count; i++)
        if (is_in(&among[i]))
            fprintf(stderr, " %zu", i);
    fputs(".\nDo the TODOs first: make grade EX=02\n", stderr);
    exit(2);
}

/** Your pick, if it is one that the header allows. */
static int pick(struct turn *among, size_t count)
{
    int picked = turns_pick(among, count);
    bool any = false;

    for (size_t i = 0; i < count; i++)
        any |= is_in(&among[i]);
    if (any ? picked < 0 || picked >= (int)count || !is_in(&among[picked])
            : picked != TURNS_NONE)
        blame(among, count, picked);
    return picked;
}

/** Better now than in front of clients: three backends; then one is down. */
static void rehearse(void)
{
    struct turn three[] = {{2, true, 0}, {1, true, 0}, {1, true, 0}};

    for (int i = 0; i < 16; i++) {
        three[1].may_serve = i < 8;
        pick(three, 3);
    }
}

/** `5,1,1`, in the order of the backends; those that are left out get 1. */
static void read_weights(const char *list)
{
    for (size_t i = 0; i < BACKENDS_MAX; i++) {
        char *end;

        turns[i].weight = 1;
        if (*list < '0' || *list > '9')
            continue;
        turns[i].weight = (unsigned)strtoul(list, &end, 10);
        list = *end == ',' ? end + 1 : end;
    }
    if (*list != '\0') {
        fprintf(stderr, "WEIGHTS wants numbers as in 5,1,1: not \"%s\"\n",
                list);
        exit(2);
    }
}

void pool_init(struct pool *pool, const struct policy *policy)
{
    const char *weights = getenv("WEIGHTS");

    *pool = (struct pool){.policy = policy};
    pthread_mutex_init(&pool->lock, NULL);
    read_weights(weights == NULL ? "" : weights);
    rehearse();
}

bool pool_add(struct pool *pool, const char *url)
{
    struct backend *backend = &pool->backends[pool->count];

    if (!address_parse(&backend->address, url))
        return false;
    pthread_mutex_init(&backend->verdict, NULL);
    atomic_store(&backend->up, true);
    pool->count++;
    return true;
}

struct backend *pool_pick(struct pool *pool, uint64_t *tried)
{
    struct backend *backend = NULL;
    int picked;

    pthread_mutex_lock(&pool->lock);
    for (size_t i = 0; i < pool->count; i++)
        turns[i].may_serve =
            atomic_load(&pool->backends[i].up) && (*tried >> i & 1) == 0;
    picked = pick(turns, pool->count);
    if (picked != TURNS_NONE) {
        backend = &pool->backends[picked];
        backend->in_flight++;
        *tried |= UINT64_C(1) << picked;
    }
    pthread_mutex_unlock(&pool->lock);
    return backend;
}

void pool_give(struct pool *pool, struct backend *backend)
{
    pthread_mutex_lock(&pool->lock);
    backend->in_flight--;
    pthread_mutex_unlock(&pool->lock);
}

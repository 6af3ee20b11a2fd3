/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Two threads add one to the same counter, a million times each, in three
 * ways. The first way is wrong. `make race/race && race/race`
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { ADDITIONS = 1000000 };

static volatile unsigned plain; /* volatile: really load it, really store it */
static atomic_uint atomic;
static unsigned locked;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *add(void *nothing)
{
    for (int i = 0; i < ADDITIONS; i++) {
        plain = plain + 1; /* load, add, store: the other may come between */
        atomic_fetch_add(&atomic, 1);
        pthread_mutex_lock(&lock);
        locked++;
        pthread_mutex_unlock(&lock);
    }
    return nothing;
}

int main(void)
{
    pthread_t one, two;

    if (pthread_create(&one, NULL, add, NULL) != 0 ||
        pthread_create(&two, NULL, add, NULL) != 0) {
        fprintf(stderr, "race: cannot make two threads\n");
        return 1;
    }
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    printf("both together added  %d\n", 2 * ADDITIONS);
    printf("plain counter says   %u\n", plain);
    printf("atomic counter says  %u\n", atomic_load(&atomic));
    printf("locked counter says  %u\n", locked);
    return 0;
}

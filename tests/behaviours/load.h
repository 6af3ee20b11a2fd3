/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file load.h
 * @brief Clients that ask the balancer without a pause while a test does things
 * to it and to its backends.
 *
 * Half of them GET and half of them POST, each on a connection of its own; or
 * all of them GET.
 *
 *  - load_begin(), load_goes_on() between two things that are done, load_end().
 */
#ifndef BEHAVIOURS_LOAD_H
#define BEHAVIOURS_LOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct lab;

enum { LOAD_CLIENTS = 4 };

/** Those clients. Its fields are for reading. */
struct load {
    const struct lab *lab; /**< borrowed */
    bool posts;            /**< half of the requests are POSTs */
    pthread_t threads[LOAD_CLIENTS];
    atomic_bool stops;
    atomic_long asked;             /**< requests that were made so far */
    atomic_long lost;              /**< those without a whole 200 */
    char story[LOAD_CLIENTS][300]; /**< what each of them lost last */
};

/** Begin to ask for `/livez`. */
void load_begin(struct load *load, const struct lab *lab, bool posts);

/** Wait until so many more were asked, so that there is load between steps. */
void load_goes_on(struct load *load, long more);

/** Have them stop; fail if a request was lost. */
void load_end(struct load *load);

#endif

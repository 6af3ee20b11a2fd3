/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file threads.h
 * @brief A thread for each client, and a limit on how many.
 *
 *  - threads_new() makes room for them;
 *  - threads_serve() gives a client its thread;
 *  - threads_end() waits until the last of them has ended, but not for ever.
 */
#ifndef THREADS_H
#define THREADS_H

#include <stdbool.h>

struct pool;
struct threads;

/**
 * @param pool borrowed: outlives the threads
 * @param max  how many threads there may be at once
 * @param stop a descriptor that becomes readable when it is time to stop
 * @return owned by the caller, who ends it with threads_end(); NULL when there
 *         is no memory
 */
struct threads *threads_new(struct pool *pool, unsigned max, int stop);

/**
 * Serve this client in a thread of its own. When there are too many threads,
 * the client is told so with status 503.
 *
 * @param client owned by the caller until now; will be closed
 */
void threads_serve(struct threads *threads, int client);

/**
 * Wait until all of them have ended, for ten seconds at most. If they have,
 * empty the pointer.
 *
 * @return how many have not ended: they go on until the program does
 */
unsigned threads_end(struct threads **threads);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file clients.h
 * @brief Clients that look at every byte of what they get.
 *
 * wrk makes more load, but it does not read bodies, and nobody can tell it
 * how many requests it shall do. These can be told, to the request.
 *
 *  - crowd_open() opens connections;
 *  - crowd_ask() asks for a number of answers over them, and waits;
 *  - crowd_close() closes them.
 *
 * What is wrong with an answer is said with complain().
 */
#ifndef BENCH_CLIENTS_H
#define BENCH_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>

/** Some connections to one port of this machine. */
struct crowd;

/**
 * Open connections.
 *
 * @return owned by the caller, who ends it with crowd_close(); NULL, and a
 *         complaint, when not all could be opened
 */
struct crowd *crowd_open(unsigned port, size_t count);

/**
 * Get `/bytes/SIZE` so many times, by all clients at the same time, each
 * asking again when it has its answer.
 *
 * @param requests  in all; when fewer than clients, the first ones ask
 * @param size      bytes of each body
 * @param one_each  a new connection for each, with `Connection: close`
 * @return how many answers were right; after one that was not, or ten
 *         seconds (stretched) without any, no more are waited for
 */
size_t crowd_ask(struct crowd *crowd, size_t requests, size_t size,
                 bool one_each);

/** Close the connections, and empty the pointer. */
void crowd_close(struct crowd **crowd);

/** One client that asks once: was the answer right? */
bool taste(unsigned port, size_t size, bool one_each);

#endif

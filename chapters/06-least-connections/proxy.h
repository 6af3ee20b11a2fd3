/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file proxy.h
 * @brief One exchange: a request goes to a backend, its response comes back.
 */
#ifndef PROXY_H
#define PROXY_H

struct pool;

/**
 * Serve one request of this client, from its first byte to the last byte of
 * the response. Blocks until that is done or has failed; a failure is answered
 * if it still can be, and logged.
 *
 * @param client a connected socket; stays the caller's, who closes it
 * @param pool   who may answer
 * @param stop   readable when it is time to stop: a request whose head, and
 *               body if it is small enough to be kept, is not whole by then
 *               is not served
 */
void proxy_serve(int client, struct pool *pool, int stop);

/** Tell a client that there are too many, with 503; takes a second at most. */
void proxy_refuse(int client);

#endif

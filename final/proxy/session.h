/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file session.h
 * @brief One client connection, from accept to close.
 *
 * @floor{proxy}
 * @thread{the worker it belongs to}
 */
#ifndef PROXY_SESSION_H
#define PROXY_SESSION_H

#include "net/address.h"
#include "net/stream.h"

struct session;
struct worker;

/**
 * Serve this client from now on, as far as it can be done at once. The session
 * ends by itself.
 *
 * @param client    its descriptor is owned by the session from now on
 * @param is_secure it comes by TLS
 */
void session_begin(struct worker *worker, const struct stream *client,
                   const union address *from, bool is_secure);

/** Watch the clients that were left alone until now: see worker->unwatched. */
void sessions_watch(struct worker *worker);

/** End the sessions of a worker that wait for a request; the others, when their
 * exchange is over. */
void sessions_drain(struct worker *worker);

/** The worker has other terms now: they hold for sessions at rest, too, whose
 * time begins anew. */
void sessions_adopt(struct worker *worker);

/** End all sessions of a worker, now. */
void sessions_end(struct worker *worker);

/** Let the exchanges go on that wait for a place, if there is one. */
void sessions_wake_waiting(struct worker *worker);

#endif

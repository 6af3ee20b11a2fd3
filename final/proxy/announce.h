/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file announce.h
 * @brief PROXY headers: who the client is, told to us and by us.
 *
 * A proxy that is listed (setting `accept-proxy`) begins each connection with a
 * PROXY header. Whom it names is the client from then on, everywhere. Nobody
 * else is believed: what looks like a PROXY header is then a bad request.
 *
 * We say the same to backends, if we are to (setting `send-proxy`).
 *
 *  - announce_is_due(): does this one owe us a header?
 *  - announce_read() until it is whole, then announce_take();
 *  - announce_print() writes ours for a backend.
 *
 * @floor{proxy}
 * @thread{the worker of the session}
 */
#ifndef PROXY_ANNOUNCE_H
#define PROXY_ANNOUNCE_H

#include "http/proxy_header.h"
#include "net/stream.h"

struct configuration;
struct exchange;

/** Is this one listed? Then its first bytes must be a PROXY header. */
bool announce_is_due(const struct configuration *configuration,
                     const union address *peer);

/**
 * Read on. What stands behind the header stays in @p client.
 *
 * @return #IO_DONE: it is whole; #IO_BROKEN: it is refused, see `why`, or the
 *         connection is broken
 */
enum io announce_read(struct proxy_header *header, struct stream *client);

/** Go by a header that is whole: if it has told the ends, they become these. */
void announce_take(const struct proxy_header *header, union address *from,
                   union address *to);

/**
 * Write what the backend of this exchange is told first.
 *
 * @param out has room for PROXY_LINE_MAX bytes
 * @return its length; 0: it is told nothing
 */
size_t announce_print(const struct exchange *exchange, char *out);

#endif

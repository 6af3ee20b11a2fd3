/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file stream.h
 * @brief A connection that carries bytes both ways, and never waits.
 *
 * Bytes go as they are, or under TLS, once stream_tls.h has begun that.
 *
 * A call does what can be done now, and says how that ended. What a stream
 * knows of itself is in its watch: a call that cannot succeed is not made.
 *
 *  - stream_receive() and stream_send() move bytes;
 *  - stream_shut() says that no more will be sent;
 *  - stream_close() ends it.
 *
 * @floor{net}
 * @thread{the worker it belongs to}
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "net/address.h"
#include "net/stream_part.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

struct loop;

/**
 * Begin with a descriptor; it is not watched yet.
 *
 * @param fd    owned by the caller until now; non-blocking
 * @param ready what to believe of it at first
 */
void stream_init(struct stream *stream, int fd, unsigned ready);

/** Receive what has come, at most @p room bytes; @p got is 0 if not #IO_DONE. */
enum io stream_receive(struct stream *stream, void *bytes, size_t room,
                       size_t *got);

/** Send what fits of @p count pieces; @p sent is 0 if not #IO_DONE. */
enum io stream_send(struct stream *stream, const struct iovec *pieces,
                    int count, size_t *sent);

/**
 * The same for bytes that others follow at once, or stream_shut(), or
 * stream_close(): they may go with those, in one packet.
 */
enum io stream_send_more(struct stream *stream, const struct iovec *pieces,
                         int count, size_t *sent);

/** See what has come and leave it there; for streams that are not under TLS
 * yet. */
enum io stream_peek(struct stream *stream, void *bytes, size_t room,
                    size_t *got);

/** The address of our end; false when the system does not say. */
bool stream_address(const struct stream *stream, union address *address);

/**
 * Has something come although nothing was asked for: bytes, or the end? A stream
 * at rest of which this is true is of no further use.
 */
bool stream_has_news(struct stream *stream);

/** Say that no more will be sent. */
void stream_shut(struct stream *stream);

/** Let the peer have a reset: what was sent is not whole, and shall not look so. */
void stream_reset_at_close(struct stream *stream);

/** Count it as broken: the system could not do something for it. */
void stream_break(struct stream *stream);

/** Does it go under TLS? */
static inline bool stream_is_secure(const struct stream *stream)
{
    return stream->tls != NULL;
}

/** Is it open? */
bool stream_is_open(const struct stream *stream);

/** Close it, if it is open, and forget it in @p loop. */
void stream_close(struct stream *stream, struct loop *loop);

/** Is it broken because we are short of descriptors, memory or ports, whatever the
 * peer does? */
bool stream_is_short(const struct stream *stream);

/** Why it is broken, in words. A constant. */
const char *stream_words(const struct stream *stream);

#endif

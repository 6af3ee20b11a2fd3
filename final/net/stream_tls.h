/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file stream_tls.h
 * @brief Bytes under TLS: a stream over which the peers have shaken hands.
 *
 *  - tls_accept() or tls_connect() begins it on a stream that is connected;
 *  - tls_shake() goes on with the handshake until it is done;
 *  - from then on stream_receive() and stream_send() move bytes in clear.
 *
 * READY_READ of such a stream means that a call is worth it: there are bytes in
 * the kernel, or some that came earlier wait inside.
 *
 * @floor{net}
 * @thread{the worker it belongs to}
 */
#ifndef NET_STREAM_TLS_H
#define NET_STREAM_TLS_H

#include "net/stream_part.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

struct tls;
struct tls_context;

/**
 * Begin TLS with a client.
 *
 * @param stream  must stay where it is in memory until it is closed
 * @param context a server's; held until then
 */
void tls_accept(struct stream *stream, struct tls_context *context);

/**
 * Begin TLS with a server.
 *
 * @param context a client's; held until the stream is closed
 * @param host    the name or the address that its certificate must be for
 */
void tls_connect(struct stream *stream, struct tls_context *context,
                 const char *host);

/** Go on with the handshake: #IO_DONE, #IO_WAIT, #IO_END (the peer has left), or
 * #IO_BROKEN. */
enum io tls_shake(struct stream *stream);

/** Did the peers know each other from an earlier connection? */
bool tls_is_resumed(const struct stream *stream);

/** Was it begun with this context? */
bool tls_is_of(const struct stream *stream, const struct tls_context *context);

/** Has the handshake failed because the client spoke HTTP without TLS? */
bool tls_met_http(const struct stream *stream);

/** Receive; see stream_receive(). */
enum io tls_receive(struct stream *stream, void *bytes, size_t room,
                    size_t *got);

/** Send; see stream_send(). */
enum io tls_send(struct stream *stream, const struct iovec *pieces, int count,
                 size_t *sent);

/** See stream_has_news(): what only concerns TLS is no news. */
bool tls_has_news(struct stream *stream);

/** Say that no more will be sent, if it can be said at once. */
void tls_shut(struct stream *stream);

/** Say nothing at the end: what was sent is not whole. */
void tls_hush(struct stream *stream);

/** End TLS on this stream; its descriptor stays open. */
void tls_end(struct stream *stream);

/** What went wrong, in words. A constant; NULL: nothing that TLS knows of. */
const char *tls_words(const struct stream *stream);

#endif

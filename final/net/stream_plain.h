/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file stream_plain.h
 * @brief Bytes as they are: what the system does for a stream. For this floor.
 *
 * @floor{net}
 * @thread{the worker it belongs to}
 */
#ifndef NET_STREAM_PLAIN_H
#define NET_STREAM_PLAIN_H

#include "net/stream_part.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

/** Receive; see stream_receive(). */
enum io plain_receive(struct stream *stream, void *bytes, size_t room,
                      size_t *got);

/** See stream_peek(). */
enum io plain_peek(struct stream *stream, void *bytes, size_t room,
                   size_t *got);

/** Send; see stream_send(). @param flags for send() */
enum io plain_send(struct stream *stream, const struct iovec *pieces, int count,
                   int flags, size_t *sent);

/** See stream_has_news(). */
bool plain_has_news(struct stream *stream);

/**
 * What errno says of a call on this stream: #IO_WAIT, until @p what is told
 * again, or #IO_BROKEN.
 */
enum io plain_fail(struct stream *stream, unsigned what);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file socket.h
 * @brief Connecting to a backend, and how many descriptors there may be.
 *
 * @floor{net}
 * @thread{any}
 */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include "net/address.h"
#include "net/stream.h"

/**
 * A socket for TCP, non-blocking and not inherited, for somebody else to use.
 *
 * @param is_short set if there is none because we lack descriptors or memory
 * @return owned by the caller; -1: none
 */
int socket_open(int family, bool *is_short);

/**
 * Begin to connect, without waiting for it.
 *
 * @param stream made ready: closed, unless the answer is #IO_DONE (it can be
 *               used) or #IO_WAIT (when it is writable, ask socket_connected())
 */
enum io socket_connect(struct stream *stream, const union address *to);

/** Has it succeeded by now? The answer is one of socket_connect()'s. */
enum io socket_connected(struct stream *stream);

/** The same for tunnels: find out, in the end, that the peer is dead. */
void socket_keep_alive(struct stream *stream, unsigned idle_secs);

/**
 * Raise this program's limit on open descriptors as far as it may.
 *
 * @return how many there can be
 */
unsigned descriptors_raise(void);

#endif

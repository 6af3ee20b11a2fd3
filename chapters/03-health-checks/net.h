/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file net.h
 * @brief Sockets: listen, accept, connect, and move bytes without losing any.
 *
 * TCP carries a stream of bytes, not messages. One call may move fewer bytes
 * than were asked for, and a signal may end it before it moved any. The
 * functions here take both into account, so that no other file has to.
 *
 *  - address_parse() reads `http://HOST:PORT`;
 *  - listener_open() and listener_accept() bring clients in;
 *  - upstream_open() connects to a backend;
 *  - socket_wait(), socket_receive() and socket_send_all() move bytes;
 *  - socket_linger() says goodbye to a client that may still be sending.
 */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** Where a backend listens. */
struct address {
    char url[300];  /**< `http://HOST:PORT`, for the log */
    char host[256]; /**< a name, an IPv4 or an IPv6 address */
    char port[6];   /**< digits */
};

/**
 * Read an address out of `http://HOST:PORT`; an IPv6 host stands in brackets.
 *
 * @return false when @p url is anything else
 */
bool address_parse(struct address *address, const char *url);

/**
 * Listen on 127.0.0.1.
 *
 * @param port 0 lets the kernel choose; listener_port() tells what it chose
 * @return a socket the caller owns, or -1 with errno set
 */
int listener_open(unsigned port);

/** The port that @p listener has. */
unsigned listener_port(int listener);

/**
 * Wait for the next client.
 *
 * @param stop a descriptor that becomes readable when it is time to stop
 * @return a socket the caller owns, or -1 when it is time to stop
 */
int listener_accept(int listener, int stop);

/**
 * Connect to a backend, trying each address that its name has.
 *
 * The name is looked up at each call, so a backend may move to another address.
 *
 * @return a socket the caller owns, or -1 after a line in the log
 */
int upstream_open(const struct address *address);

/**
 * Wait until something has come.
 *
 * @param stop a descriptor that becomes readable when it is time to stop
 * @return false when it is time to stop, and nothing has come
 */
bool socket_wait(int fd, int stop);

/**
 * Receive what has come, waiting until something has.
 *
 * @param room at most so many bytes
 * @return how many bytes came; 0 when the peer has sent its last byte; -1 when
 *         the connection is broken
 */
ssize_t socket_receive(int fd, void *bytes, size_t room);

/**
 * Send all of the bytes, however many calls that takes.
 *
 * @return false when the connection is broken
 */
bool socket_send_all(int fd, const void *bytes, size_t length);

/**
 * Say that no more will be sent, then read and forget what still comes, for
 * one second at most.
 *
 * Closing a socket with unread bytes in it makes the kernel send a reset, and
 * a reset can destroy an answer that the client has not read yet
 * (RFC 9112, 9.6).
 */
void socket_linger(int fd);

#endif

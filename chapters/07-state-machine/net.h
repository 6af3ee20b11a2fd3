/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file net.h
 * @brief Sockets that never wait: listen, accept, connect, and move bytes.
 *
 * The sockets of clients and backends are non-blocking: a call does what can be
 * done now, and says so when that is nothing. What it found is a word of
 * enum io; no other file looks at errno for it.
 *
 *  - address_parse() reads `http://HOST:PORT`, address_find() looks it up;
 *  - listener_open() and listener_accept() bring clients in;
 *  - upstream_open() and upstream_finish() connect to a backend;
 *  - socket_receive() and socket_send() move bytes;
 *  - descriptors_raise() asks for more descriptors than a program gets at first.
 */
#ifndef NET_H
#define NET_H

#include <stdbool.h>
#include <stddef.h>

struct addrinfo;

/** Where a backend listens. */
struct address {
    char url[300];  /**< `http://HOST:PORT`, for the log */
    char host[256]; /**< a name, an IPv4 or an IPv6 address */
    char port[6];   /**< digits */

    struct addrinfo *list; /**< owned: what the name stands for */
};

/**
 * Read an address out of `http://HOST:PORT`; an IPv6 host stands in brackets.
 *
 * @return false when @p url is anything else
 */
bool address_parse(struct address *address, const char *url);

/**
 * Look the host up, once: a program that never waits cannot do it later.
 *
 * @return NULL, or why it cannot be found
 */
const char *address_find(struct address *address);

/** Free what address_find() has found. */
void address_forget(struct address *address);

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
 * @return a non-blocking socket the caller owns, or -1 when it is time to stop
 */
int listener_accept(int listener, int stop);

/** How an attempt to move bytes, or to connect, has ended. */
enum io {
    IO_DONE,   /**< some bytes have moved; the connection is made */
    IO_WAIT,   /**< not now: try again after poll() */
    IO_END,    /**< the peer has sent its last byte */
    IO_BROKEN, /**< the connection is of no further use */
};

/**
 * Begin to connect to a backend, without waiting for it.
 *
 * @param to one of its addresses
 * @param fd where the socket goes, which the caller then owns; -1 for none
 * @return #IO_DONE, #IO_BROKEN, or #IO_WAIT: ask upstream_finish() when poll()
 *         finds the socket writable
 */
enum io upstream_open(const struct addrinfo *to, int *fd);

/** Has upstream_open() succeeded by now? The answer is one of its own. */
enum io upstream_finish(int fd);

/** Did the last call fail for want of descriptors, or of memory for them? */
bool descriptors_are_short(void);

/** Say in words why the last call answered #IO_BROKEN. */
void socket_words(char *words, size_t room);

/**
 * Wait until something has come.
 *
 * @param stop a descriptor that becomes readable when it is time to stop
 * @return false when it is time to stop, and nothing has come
 */
bool socket_wait(int fd, int stop);

/**
 * Receive what has come, without waiting for more.
 *
 * @param room at most so many bytes
 * @param got  how many bytes came; 0 unless the answer is #IO_DONE
 */
enum io socket_receive(int fd, void *bytes, size_t room, size_t *got);

/**
 * Send as many of the bytes as the socket takes now.
 *
 * @param sent how many it took; 0 unless the answer is #IO_DONE
 */
enum io socket_send(int fd, const void *bytes, size_t length, size_t *sent);

/** Milliseconds on a clock that nobody sets back. */
long clock_ms(void);

/**
 * Raise this program's limit on open descriptors as far as it may.
 *
 * @param want how many there should be
 * @return how many there can be: @p want or less
 */
unsigned descriptors_raise(unsigned want);

#endif

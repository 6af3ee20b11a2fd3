/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file tube.h
 * @brief A pipe of the kernel, through which bytes go from one connection to
 * another without coming into our memory.
 *
 *  - tubes_init() and tubes_fini() keep some for a worker;
 *  - tube_take() lends one, tube_give() takes it back;
 *  - tube_fill() moves bytes from a connection into it, tube_drain() out of it
 *    into another.
 *
 * Only Linux can do this. Where it cannot be done, tube_take() has none to lend,
 * and whoever asked copies the bytes instead.
 *
 * @floor{net}
 * @thread{the worker it belongs to}
 */
#ifndef NET_TUBE_H
#define NET_TUBE_H

#include "base/list.h"
#include "net/stream.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    TUBES_MAX = 16,          /**< of a worker; each needs two descriptors */
    TUBE_BYTES = 256 * 1024, /**< so much at most is in one */
};

/** The tubes of a worker. */
struct tubes {
    struct link spare; /**< owned: those that nobody has */
    unsigned count;    /**< how many there are, with those that were lent */
    bool is_refused;   /**< this system does not do it */
};

/** One of them. */
struct tube {
    struct link link;    /**< among the spare ones */
    struct tubes *tubes; /**< borrowed: where it belongs */
    int in;              /**< owned: the end of the pipe that is written to */
    int out;             /**< owned: the other end, read from */
    size_t held;         /**< bytes in it */
};

/** Have none, to begin with. */
void tubes_init(struct tubes *tubes);

/** Close those that nobody has; all have been given back. */
void tubes_fini(struct tubes *tubes);

/**
 * Lend one that is empty.
 *
 * @return owned by the caller until tube_give(); NULL when all are lent, or the
 *         system has no more: that is no error
 */
struct tube *tube_take(struct tubes *tubes);

/** Give it back, if there is one, and empty the pointer. Bytes that are left in
 * it are lost. */
void tube_give(struct tube **owned);

/**
 * Receive what has come, at most @p most bytes, into a tube that is empty.
 *
 * @param got how many; 0 if not #IO_DONE. Also 0 with #IO_DONE when the system
 *            does not do this at all: from then on tube_take() lends none
 */
enum io tube_fill(struct tube *tube, struct stream *from, size_t most,
                  size_t *got);

/**
 * Send what fits of a tube that is not empty; @p sent is 0 if not #IO_DONE.
 * splice() cannot be told to raise no SIGPIPE, so this is for programs that
 * ignore it.
 */
enum io tube_drain(struct tube *tube, struct stream *to, size_t *sent);

#endif

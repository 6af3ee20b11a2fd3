/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file steady_io.h
 * @brief Read a whole head and write all bytes, however TCP cuts them.
 *
 *  - steady_read_head() waits until a whole head is in a buffer;
 *  - steady_drop() takes it out, and leaves what came behind it;
 *  - steady_write_all() does not return before all is written, or cannot be.
 *
 * What to know:
 *
 *  - One call of recv() may bring one byte, or two heads and a half. One call
 *    of send() may take less than it was given.
 *  - A signal may interrupt any wait (EINTR). That is no error, and it does not
 *    make the time limit any longer.
 *  - A descriptor may block or not (O_NONBLOCK); both must work, and its flags
 *    are left as they are. Whoever waits, waits in poll(): no loop that asks
 *    again and again.
 *  - No call takes much longer than its limit, whatever the other side does, also
 *    if it sends or takes a byte now and then.
 *  - A peer that has gone is an answer, not a signal: SIGPIPE is never raised.
 *    How the program handles signals is its own affair and is left alone.
 *
 * Time limits are in milliseconds and count from the call (CLOCK_MONOTONIC).
 * With a limit of 0 whatever is possible at once is done, without any wait.
 */
#ifndef STEADY_IO_H
#define STEADY_IO_H

#include <stddef.h>

/** How reading or writing ended. */
enum steady {
    STEADY_DONE,   /**< the head is there; all is written */
    STEADY_CLOSED, /**< read: the peer ended before the first byte of a head */
    STEADY_CUT,    /**< read: the peer ended in the middle of a head */
    STEADY_TOO_LONG, /**< read: the buffer is full, and there is no whole head */
    STEADY_LATE,     /**< the time limit is over */
    STEADY_GONE,     /**< the connection was broken: EPIPE, ECONNRESET */
    STEADY_BROKEN,   /**< any other error, for instance EBADF */
};

/** Bytes that have been read and not dropped yet. */
struct steady_buffer {
    char *bytes;   /**< owned by the caller, who has made `room` of them; no
                        zero byte stands behind them */
    size_t room;   /**< the most that may be in it; never more are read */
    size_t length; /**< so many are in it, from bytes[0] on */
};

/**
 * Read until the buffer begins with a whole head: all up to and including the
 * first empty line (CR LF CR LF).
 *
 * What is in the buffer already counts. If a whole head is among it, nothing is
 * read, and nothing is waited for. Bytes behind the head, which may have come
 * along, stay in the buffer. Whatever the result, no byte is lost: after
 * STEADY_LATE one can call again and go on.
 *
 * @param fd          borrowed: a connected stream socket
 * @param head_length only if STEADY_DONE: filled with the length of the head,
 *                    the empty line included
 */
enum steady steady_read_head(int fd, struct steady_buffer *buffer,
                             unsigned limit_ms, size_t *head_length);

/** Take the first @p count bytes out (at most `length`); the others move to the
    front, in order. */
void steady_drop(struct steady_buffer *buffer, size_t count);

/**
 * Write all of these bytes, in order.
 *
 * @param fd borrowed: a connected stream socket
 * @return STEADY_DONE, STEADY_LATE, STEADY_GONE or STEADY_BROKEN. If it is not
 *         STEADY_DONE, some of the bytes may have gone, and nobody knows how
 *         many the peer will see: the connection is of no further use.
 */
enum steady steady_write_all(int fd, const void *bytes, size_t length,
                             unsigned limit_ms);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file rude.h
 * @brief A client without manners: it sends exactly the bytes it is told to.
 *
 *  - rude_open() connects to a port of this machine;
 *  - rude_send() sends bytes, rude_send_slowly() one at a time;
 *  - rude_hear() and rude_hear_end() read;
 *  - rude_shut() says that no more will be sent, rude_reset() slams the door.
 *
 * It plays a server as well: rude_listen() opens a port, and rude_accept()
 * takes a client that has come there.
 */
#ifndef SUPPORT_RUDE_H
#define SUPPORT_RUDE_H

#include <stdbool.h>
#include <stddef.h>

/** A connection, and all that has been read from it. */
struct rude {
    int fd;        /**< owned; -1 when it is closed */
    bool ended;    /**< the peer has sent its last byte */
    bool broken;   /**< the connection was reset */
    char *text;    /**< owned; what was read, ended by a zero byte */
    size_t length; /**< how much of it there is */
};

/** Connect; false when nobody listens there. */
bool rude_open(struct rude *rude, unsigned port);

/** Send; false when the peer does not take it (for three seconds, stretched).*/
bool rude_send(struct rude *rude, const void *bytes, size_t length);

/** Send a string. */
bool rude_say(struct rude *rude, const char *text);

/** Send a string one byte at a time, each in a packet of its own. */
bool rude_say_slowly(struct rude *rude, const char *text);

/** Read until these words have come, for @p ms at most (stretched). */
bool rude_hear(struct rude *rude, const char *words, long ms);

/**
 * Read until a body in chunks has brought this content, however it was cut into
 * chunks, and these words behind it: such as `0\r\n\r\n`, or nothing. For
 * @p ms at most (stretched). The first message that is in chunks counts.
 */
bool rude_hear_chunks(struct rude *rude, const char *content, const char *rest,
                      long ms);

/** Read until the connection ends, for @p ms at most (stretched). */
bool rude_hear_end(struct rude *rude, long ms);

/** Forget what was read so far. */
void rude_forget(struct rude *rude);

/** Read what comes within @p ms (stretched), at most @p room bytes of it. */
size_t rude_take(struct rude *rude, size_t room, long ms);

/** The status of the response that was read; 0 when there is none. */
int rude_status(const struct rude *rude);

/** Say that no more will be sent. */
void rude_shut(struct rude *rude);

/** Close with a reset. */
void rude_reset(struct rude *rude);

/** Close, and free what was read. */
void rude_close(struct rude *rude);

/**
 * Listen on a port that the kernel chooses.
 *
 * @return the listener, owned by the caller; -1 when there can be none
 */
int rude_listen(unsigned *port);

/** Take a client that comes within @p ms (stretched); false when none does. */
bool rude_accept(struct rude *rude, int listener, long ms);

#endif

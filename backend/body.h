/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file body.h
 * @brief The body of a request: its bytes without their wrapping.
 *
 *  - body_begin() learns from the head how the body is wrapped;
 *  - body_read() unwraps what has arrived, as far as there is room;
 *  - body.state tells whether more is to come.
 *
 * Nothing here waits: what has not arrived is asked for again later.
 */
#ifndef BODY_H
#define BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer;
struct request;

/** Where in the body we are. */
enum body_state {
    BODY_DATA,      /**< in plain bytes; body.left says how many */
    BODY_SIZE,      /**< before the line that says a chunk's size */
    BODY_CHUNK_END, /**< before the empty line behind a chunk */
    BODY_TRAILER,   /**< in the lines behind the last chunk */
    BODY_ENDED,     /**< everything has been read */
    BODY_BAD,       /**< the chunks make no sense */
};

/** How far the body of one request has been read. */
struct body {
    enum body_state state;  /**< where we are */
    bool chunked;           /**< it comes in chunks */
    uint64_t left;          /**< bytes left of it, or of this chunk */
    uint64_t bytes;         /**< bytes read so far, wrapping not counted */
    unsigned trailer_bytes; /**< what the lines at the end have cost so far */
};

/** Get ready for the body that belongs to @p request. */
void body_begin(struct body *body, const struct request *request);

/** What follows is no message: every byte counts, until the connection ends. */
void body_begin_tunnel(struct body *body);

/** Is there something left to be read? False also when it is bad. */
bool body_is_open(const struct body *body);

/**
 * Unwrap bytes that have arrived.
 *
 * @param in   where they arrived; what is used is taken away
 * @param to   where the body's bytes go, or NULL to throw them away
 * @param room how many may go there
 * @return how many did; 0 if more must arrive first, or the body is over
 */
size_t body_read(struct body *body, struct buffer *in, char *to, size_t room);

#endif

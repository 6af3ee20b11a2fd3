/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file flow.h
 * @brief Bytes on their way in one direction: what has come, what is to go.
 *
 * A flow has two blocks of memory. Into `in` goes what one side sends; what was
 * understood of it stands there as content. Into `out` we write what we add:
 * the head, and the framing of chunks.
 *
 *     in:   | head |  sent  | content to be sent | raw bytes |   room   |
 *                  begin    sent                 content     filled
 *     out:  | sent | to be sent |
 *
 * What is in `out` goes before the content, and with it in one call. A block is
 * taken when there is something to put into it, and filled only when what it
 * held has gone: whoever sends faster than the other side receives has to wait,
 * and our memory does not grow.
 *
 * What is left of a large body may go another way: through a tube, inside the
 * kernel. It is filled when all else has been sent, and all that is in it is
 * sent before anything else comes in.
 *
 * @floor{proxy}
 * @thread{the worker it belongs to}
 */
#ifndef PROXY_FLOW_H
#define PROXY_FLOW_H

#include "base/list.h"
#include "http/body.h"
#include "net/stream.h"
#include "net/tube.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A head of the largest size that may be set, and what we add to it. */
enum { BLOCK_BYTES = 64 * 1024 + 8 * 1024 };

/** A piece of memory. */
struct block {
    struct link link;        /**< in blocks, while nobody has it */
    char bytes[BLOCK_BYTES]; /**< what is in it: see struct flow */
};

/** Blocks and tubes that nobody has; what was given back last is taken first. */
struct blocks {
    struct link spare;  /**< owned */
    size_t count;       /**< how many are spare */
    struct tubes tubes; /**< owned: pipes that nobody has */
};

/** Have none, to begin with. */
void blocks_init(struct blocks *blocks);

/** Free those that nobody has. */
void blocks_fini(struct blocks *blocks);

/** One direction. */
struct flow {
    struct blocks *blocks; /**< borrowed: where blocks come from */
    struct block *in;      /**< owned; NULL while there is nothing in it */
    size_t begin;          /**< see the picture */
    size_t sent;           /**< up to here it went out */
    size_t content;        /**< up to here it is known to be content */
    size_t filled;         /**< up to here there are bytes */
    struct block *out;     /**< owned; NULL likewise */
    size_t out_sent;       /**< bytes of it that went out */
    size_t out_filled;     /**< bytes in it */
    struct block *tail; /**< owned; NULL likewise: trailers of a body that has
                             been understood whole */
    struct tube *tube;  /**< owned; NULL: content comes into our memory */
    bool is_chunked;    /**< content goes out in chunks */
    bool ends;      /**< what is in it now is the last, and the connection is
                             closed or shut as soon as it has gone */
    bool keeps;     /**< content that was sent is kept, for another try */
    uint64_t moved; /**< bytes of content that went out, all in all */
};

/** Begin with nothing. */
void flow_init(struct flow *flow, struct blocks *blocks);

/** Give back its blocks. */
void flow_fini(struct flow *flow);

/** Receive what has come into the room that is left; there is some. */
enum io flow_fill(struct flow *flow, struct stream *from);

/**
 * Take a tube for the rest of this body: when that is long and goes out as it
 * comes in, and nothing is kept or waits to be sent. One that is there already
 * stays.
 *
 * @return false when the rest has to be copied, with flow_fill()
 */
bool flow_take_tube(struct flow *flow, const struct body *body);

/** Receive content into the tube, and tell the body of it. The tube is given
 * back when nothing has come. */
enum io flow_fill_tube(struct flow *flow, struct stream *from,
                       struct body *body);

/** How many raw bytes have not been understood yet? */
size_t flow_raw(const struct flow *flow);

/** The first of them. */
char *flow_bytes(struct flow *flow);

/** The first @p length raw bytes were a head: what follows is a body. */
void flow_skip_head(struct flow *flow, size_t length);

/** Understand what is there of the body: it becomes content. Its trailers are
 * kept until flow_restart(), and `body->trailers` shows them there. */
enum body_result flow_decode(struct flow *flow, struct body *body);

/** Room to write at least @p room bytes to go out; say how many with flow_wrote().
 * NULL when there is not so much. */
char *flow_write(struct flow *flow, size_t room);

/** Room that is left to write into. */
size_t flow_room(const struct flow *flow);

/** So many were written. */
void flow_wrote(struct flow *flow, size_t length);

/** Make a chunk of the content, if it goes out in chunks and there is any. */
void flow_chunk(struct flow *flow);

/** Is there anything to be sent? */
bool flow_is_empty(const struct flow *flow);

/** Send as much as goes, in one call. */
enum io flow_drain(struct flow *flow, struct stream *to);

/** Make room, when all content was sent: what is kept for another try is given
 * up only if there is no room without. */
void flow_make_room(struct flow *flow);

/** Forget all but the raw bytes: they belong to the next message. */
void flow_restart(struct flow *flow);

/** Send everything again that is kept. */
void flow_rewind(struct flow *flow);

#endif

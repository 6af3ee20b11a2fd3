/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "proxy/flow.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

enum {
    SPARE_MAX = 256,        /* so many spare blocks are kept; more are freed */
    TOGETHER_BYTES = 2048,  /* to copy so much costs less than a second piece */
    TUBE_LEAST = 64 * 1024, /* a tube is not worth its calls for less */
};

void blocks_init(struct blocks *blocks)
{
    list_init(&blocks->spare);
    blocks->count = 0;
    tubes_init(&blocks->tubes);
}

void blocks_fini(struct blocks *blocks)
{
    struct link *link;

    while ((link = list_take_first(&blocks->spare)) != NULL)
        free(list_item(link, struct block, link));
    tubes_fini(&blocks->tubes);
}

/** Not zeroed: it is filled before it is read. */
static struct block *block_take(struct blocks *blocks)
{
    struct link *link = list_take_first(&blocks->spare);
    struct block *block;

    if (link != NULL) {
        blocks->count--;
        return list_item(link, struct block, link);
    }
    block = malloc(sizeof(*block));
    must(block != NULL);
    block->link = (struct link){NULL, NULL};
    return block;
}

static void block_give(struct blocks *blocks, struct block **owned)
{
    if (*owned == NULL)
        return;
    if (blocks->count < SPARE_MAX) {
        list_put_after(&blocks->spare, &(*owned)->link);
        blocks->count++;
    } else {
        free(*owned);
    }
    *owned = NULL;
}

void flow_init(struct flow *flow, struct blocks *blocks)
{
    *flow = (struct flow){.blocks = blocks};
}

void flow_fini(struct flow *flow)
{
    tube_give(&flow->tube);
    block_give(flow->blocks, &flow->in);
    block_give(flow->blocks, &flow->out);
    block_give(flow->blocks, &flow->tail);
}

enum io flow_fill(struct flow *flow, struct stream *from)
{
    size_t got;
    enum io io;

    must(flow->filled < BLOCK_BYTES);
    if (!(from->watch.ready & READY_READ))
        return IO_WAIT;
    if (flow->in == NULL)
        flow->in = block_take(flow->blocks);
    io = stream_receive(from, flow->in->bytes + flow->filled,
                        BLOCK_BYTES - flow->filled, &got);
    flow->filled += got;
    if (flow->filled == 0)
        block_give(flow->blocks, &flow->in);
    return io;
}

size_t flow_raw(const struct flow *flow)
{
    return flow->filled - flow->content;
}

char *flow_bytes(struct flow *flow)
{
    return flow->in == NULL ? NULL : flow->in->bytes + flow->content;
}

void flow_skip_head(struct flow *flow, size_t length)
{
    flow->content += length;
    flow->begin = flow->sent = flow->content;
}

/** What follows the body will be moved to where the trailers stand. */
static void keep_trailers(struct flow *flow, struct text *trailers)
{
    flow->tail = block_take(flow->blocks);
    memcpy(flow->tail->bytes, trailers->at, trailers->length);
    trailers->at = flow->tail->bytes;
}

enum body_result flow_decode(struct flow *flow, struct body *body)
{
    size_t used, made;
    char *raw = flow_bytes(flow);
    enum body_result result =
        body_read(body, raw, flow_raw(flow), &used, &made);

    if (result == BODY_DONE && body->trailers.length > 0 && flow->tail == NULL)
        keep_trailers(flow, &body->trailers);
    if (used != made)
        memmove(raw + made, raw + used, flow_raw(flow) - used);
    flow->filled -= used - made;
    flow->content += made;
    return result;
}

char *flow_write(struct flow *flow, size_t room)
{
    if (flow->out == NULL)
        flow->out = block_take(flow->blocks);
    if (flow->out_sent == flow->out_filled)
        flow->out_sent = flow->out_filled = 0;
    if (BLOCK_BYTES - flow->out_filled < room)
        return NULL;
    return flow->out->bytes + flow->out_filled;
}

size_t flow_room(const struct flow *flow)
{
    return BLOCK_BYTES -
           (flow->out_sent == flow->out_filled ? 0 : flow->out_filled);
}

void flow_wrote(struct flow *flow, size_t length)
{
    flow->out_filled += length;
    must(flow->out_filled <= BLOCK_BYTES);
}

/** The size line, the content, and CR LF: with as much content as finds room. */
void flow_chunk(struct flow *flow)
{
    size_t length = flow->content - flow->sent;
    char *out = NULL;
    size_t room, line;

    if (!flow->is_chunked || length == 0)
        return;
    out = flow_write(flow, CHUNK_PRINT_MAX + 3);
    if (out == NULL)
        return;
    room = BLOCK_BYTES - flow->out_filled - CHUNK_PRINT_MAX - 2;
    if (length > room)
        length = room;
    line = chunk_print(length, out);
    memcpy(out + line, flow->in->bytes + flow->sent, length);
    out[line + length] = '\r';
    out[line + length + 1] = '\n';
    flow_wrote(flow, line + length + 2);
    flow->sent += length;
    flow->moved += length;
}

/** How much content goes out as it stands? */
static size_t plain(const struct flow *flow)
{
    return flow->is_chunked ? 0 : flow->content - flow->sent;
}

bool flow_is_empty(const struct flow *flow)
{
    return flow->out_sent == flow->out_filled && plain(flow) == 0 &&
           (flow->tube == NULL || flow->tube->held == 0);
}

/**
 * Is the rest of it long? Where nobody says how long it is, we go by what has
 * come so far.
 */
static bool is_long(const struct flow *flow, const struct body *body)
{
    if (body->framing == FRAMING_LENGTH)
        return body->left >= TUBE_LEAST;
    return body->framing == FRAMING_CLOSE && flow->moved >= TUBE_LEAST;
}

bool flow_take_tube(struct flow *flow, const struct body *body)
{
    if (flow->tube != NULL)
        return true;
    if (!is_long(flow, body) || flow->is_chunked || flow->keeps ||
        flow_raw(flow) > 0 || !flow_is_empty(flow))
        return false;
    flow->tube = tube_take(&flow->blocks->tubes);
    return flow->tube != NULL;
}

enum io flow_fill_tube(struct flow *flow, struct stream *from,
                       struct body *body)
{
    size_t most = body->framing == FRAMING_LENGTH && body->left < TUBE_BYTES
                      ? (size_t)body->left
                      : TUBE_BYTES;
    size_t got;
    enum io io = tube_fill(flow->tube, from, most, &got);

    if (got == 0)
        tube_give(&flow->tube);
    else
        body_pass(body, got);
    return io;
}

/** Send what is in the tube. */
static enum io drain_tube(struct flow *flow, struct stream *to)
{
    size_t sent;
    enum io io;

    if (flow->tube == NULL || flow->tube->held == 0)
        return IO_DONE;
    io = tube_drain(flow->tube, to, &sent);
    flow->moved += sent;
    return io;
}

/** A little content goes behind what we wrote: then there is one piece. */
static void put_together(struct flow *flow)
{
    size_t length = plain(flow);

    if (flow->out_sent == flow->out_filled || length == 0 ||
        length > TOGETHER_BYTES || length > BLOCK_BYTES - flow->out_filled)
        return;
    memcpy(flow->out->bytes + flow->out_filled, flow->in->bytes + flow->sent,
           length);
    flow_wrote(flow, length);
    flow->sent += length;
    flow->moved += length;
}

enum io flow_drain(struct flow *flow, struct stream *to)
{
    struct iovec pieces[2];
    int count = 0;
    size_t ours, sent;
    enum io io;

    put_together(flow);
    ours = flow->out_filled - flow->out_sent;
    if (ours > 0)
        pieces[count++] =
            (struct iovec){flow->out->bytes + flow->out_sent, ours};
    if (plain(flow) > 0)
        pieces[count++] =
            (struct iovec){flow->in->bytes + flow->sent, plain(flow)};
    if (count == 0)
        return drain_tube(flow, to);
    io = flow->ends ? stream_send_more(to, pieces, count, &sent)
                    : stream_send(to, pieces, count, &sent);
    if (sent < ours)
        ours = sent;
    flow->out_sent += ours;
    flow->sent += sent - ours;
    flow->moved += sent - ours;
    if (flow->out_sent == flow->out_filled) {
        flow->out_sent = flow->out_filled = 0;
        block_give(flow->blocks, &flow->out);
    }
    return io;
}

void flow_make_room(struct flow *flow)
{
    if (flow->keeps && flow->filled < BLOCK_BYTES)
        return;
    flow->keeps = false;
    if (flow->sent == flow->begin)
        return;
    memmove(flow->in->bytes + flow->begin, flow->in->bytes + flow->sent,
            flow->filled - flow->sent);
    flow->content -= flow->sent - flow->begin;
    flow->filled -= flow->sent - flow->begin;
    flow->sent = flow->begin;
}

void flow_restart(struct flow *flow)
{
    size_t raw = flow_raw(flow);

    tube_give(&flow->tube);
    if (raw > 0 && flow->in != NULL)
        memmove(flow->in->bytes, flow_bytes(flow), raw);
    else
        block_give(flow->blocks, &flow->in);
    block_give(flow->blocks, &flow->out);
    block_give(flow->blocks, &flow->tail);
    *flow =
        (struct flow){.blocks = flow->blocks, .in = flow->in, .filled = raw};
}

void flow_rewind(struct flow *flow)
{
    must(flow->keeps || flow->sent == flow->begin);
    flow->sent = flow->begin;
    flow->out_sent = flow->out_filled = 0;
}

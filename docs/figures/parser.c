/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The way of bytes is that of a balancer's session. While a head is read, all
 * its bytes are kept, since the facts of the head are views into them. A body's
 * bytes are given to body_read(), which turns them into content in their own
 * place; what it did not use is offered again, with more behind it. When a
 * message is whole, what is left over begins the next one.
 */
#include "parser.h"

#include "base/must.h"

#include <string.h>

/** As in steelyard's usual settings. */
static const struct head_limits limits = {32768, 8192};

static struct message *last_of(struct parser *parser)
{
    return &parser->messages[parser->count - 1];
}

static void message_begin(struct parser *parser, size_t begin)
{
    struct message *message = &parser->messages[parser->count++];

    message->stage = MESSAGE_HEAD;
    message->begin = begin;
    message->used = 0;
    message->has_head = false;
    message->content_length = message->trailers_length = 0;
    head_begin(&message->head, parser->kind, &limits);
    parser->unread_length = 0;
}

void parser_begin(struct parser *parser, enum head_kind kind)
{
    parser->kind = kind;
    parser->length = parser->read = 0;
    parser->count = 0;
    message_begin(parser, 0);
}

/** @return true: the next stage may have something to read, too */
static bool read_head(struct parser *parser, struct message *message)
{
    const char *bytes = parser->bytes + message->begin;
    size_t length = parser->length - message->begin;

    switch (head_read(&message->head, bytes, length)) {
    case HEAD_MORE: return false;
    case HEAD_REFUSED: message->stage = MESSAGE_REFUSED; return false;
    case HEAD_DONE: break;
    }
    message->has_head = true;
    message->stage = MESSAGE_BODY;
    message->used = message->head.length;
    body_begin(&message->body, &message->head);
    parser->unread_length = length - message->used;
    memcpy(parser->unread, bytes + message->used, parser->unread_length);
    return true;
}

static void keep(char *to, size_t *length, const char *bytes, size_t more)
{
    must(*length + more <= PARSER_BYTES);
    memcpy(to + *length, bytes, more);
    *length += more;
}

static bool read_body(struct parser *parser, struct message *message)
{
    size_t used, made;
    enum body_result result = body_read(&message->body, parser->unread,
                                        parser->unread_length, &used, &made);

    keep(message->content, &message->content_length, parser->unread, made);
    message->used += used;
    if (result == BODY_DONE)
        keep(message->trailers, &message->trailers_length,
             message->body.trailers.at, message->body.trailers.length);
    parser->unread_length -= used;
    memmove(parser->unread, parser->unread + used, parser->unread_length);
    if (result == BODY_REFUSED)
        message->stage = MESSAGE_REFUSED;
    if (result == BODY_DONE)
        message->stage = MESSAGE_DONE;
    return result == BODY_DONE;
}

/** What is left over belongs to the next message, if there may be one. */
static bool read_next(struct parser *parser, const struct message *message)
{
    size_t begin = message->begin + message->used;

    if (begin == parser->length || parser->count == PARSER_MESSAGES ||
        !message->head.keeps_alive)
        return false;
    message_begin(parser, begin);
    return true;
}

static bool read_on(struct parser *parser)
{
    struct message *message = last_of(parser);

    switch (message->stage) {
    case MESSAGE_HEAD: return read_head(parser, message);
    case MESSAGE_BODY: return read_body(parser, message);
    case MESSAGE_DONE: return read_next(parser, message);
    case MESSAGE_REFUSED: return false;
    }
    return false;
}

bool parser_feed(struct parser *parser, const char *bytes, size_t length)
{
    if (length > PARSER_BYTES - parser->length)
        return false;
    if (last_of(parser)->stage == MESSAGE_BODY) {
        memcpy(parser->unread + parser->unread_length, bytes, length);
        parser->unread_length += length;
    }
    memcpy(parser->bytes + parser->length, bytes, length);
    parser->length += length;
    if (last_of(parser)->stage != MESSAGE_REFUSED)
        parser->read = parser->length;
    while (read_on(parser))
        continue;
    return true;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A body is either so many bytes, or chunks (RFC 9112, 7.1):
 *
 *     5 CR LF  hello CR LF     a size in hex, so many bytes, an empty line
 *     0 CR LF  CR LF           the last one, then trailer lines, mostly none
 *
 * Lines are short by rule, so a line is taken when it is whole in the buffer.
 */
#include "body.h"

#include "buffer.h"
#include "request.h"

#include <ctype.h>
#include <string.h>

/** A size line, or one trailer line, may be this long. */
#define LINE_BYTES_MAX 1024

/** All trailer lines together may be this long. */
#define TRAILER_BYTES_MAX 8192

/** A chunk's size may have this many digits. */
#define SIZE_DIGITS_MAX 15

void body_begin(struct body *body, const struct request *request)
{
    *body = (struct body){
        .chunked = request->chunked,
        .left = request->length,
        .state = request->chunked ? BODY_SIZE : BODY_DATA,
    };
    if (!request->chunked && request->length == 0)
        body->state = BODY_ENDED;
}

void body_begin_tunnel(struct body *body)
{
    *body = (struct body){.left = UINT64_MAX, .state = BODY_DATA};
}

bool body_is_open(const struct body *body)
{
    return body->state != BODY_ENDED && body->state != BODY_BAD;
}

/** Bytes of a body or a chunk: move as many as there are and may be. */
static size_t read_data(struct body *body, struct buffer *in, char *to,
                        size_t room)
{
    size_t bytes = buffer_length(in);

    if (bytes > room)
        bytes = room;
    if (bytes > body->left)
        bytes = (size_t)body->left;
    if (to != NULL && bytes > 0)
        memcpy(to, buffer_front(in), bytes);
    buffer_drop(in, bytes);
    body->left -= bytes;
    body->bytes += bytes;
    if (body->left == 0)
        body->state = body->chunked ? BODY_CHUNK_END : BODY_ENDED;
    return bytes;
}

/** A size in hex, then the end of the line or `;` and what we do not know. */
static enum body_state take_size(struct body *body, struct span line)
{
    size_t digits = 0;

    body->left = 0;
    while (digits < line.length && isxdigit((unsigned char)line.at[digits])) {
        int digit = tolower((unsigned char)line.at[digits++]);

        digit -= isdigit(digit) ? '0' : 'a' - 10;
        body->left = body->left * 16 + (uint64_t)digit;
        if (digits > SIZE_DIGITS_MAX)
            return BODY_BAD;
    }
    if (digits == 0)
        return BODY_BAD;
    if (digits < line.length && line.at[digits] != ';')
        return BODY_BAD;
    return body->left > 0 ? BODY_DATA : BODY_TRAILER;
}

/** Trailer lines are dropped; the empty one ends the body. */
static enum body_state take_trailer(struct body *body, struct span line)
{
    if (line.length == 0)
        return BODY_ENDED;
    body->trailer_bytes += (unsigned)line.length;
    return body->trailer_bytes > TRAILER_BYTES_MAX ? BODY_BAD : BODY_TRAILER;
}

static enum body_state take_line(struct body *body, struct span line)
{
    if (memchr(line.at, '\r', line.length) != NULL)
        return BODY_BAD;
    if (body->state == BODY_SIZE)
        return take_size(body, line);
    if (body->state == BODY_CHUNK_END)
        return line.length == 0 ? BODY_SIZE : BODY_BAD;
    return take_trailer(body, line);
}

/** Take the next line if it is whole. False: it is not, or makes no sense. */
static bool read_line(struct body *body, struct buffer *in)
{
    const char *front = buffer_front(in);
    const char *end = memchr(front, '\n', buffer_length(in));

    if (end == NULL) {
        if (buffer_length(in) > LINE_BYTES_MAX)
            body->state = BODY_BAD;
        return false;
    }
    size_t length = (size_t)(end - front);
    if (length == 0 || length > LINE_BYTES_MAX || end[-1] != '\r')
        body->state = BODY_BAD;
    else
        body->state = take_line(body, (struct span){front, length - 1});
    buffer_drop(in, length + 1);
    return body->state != BODY_BAD;
}

size_t body_read(struct body *body, struct buffer *in, char *to, size_t room)
{
    size_t total = 0;

    while (body_is_open(body)) {
        if (body->state != BODY_DATA) {
            if (!read_line(body, in))
                break;
            continue;
        }
        if (buffer_length(in) == 0 || total == room)
            break;
        total +=
            read_data(body, in, to == NULL ? NULL : to + total, room - total);
    }
    return total;
}

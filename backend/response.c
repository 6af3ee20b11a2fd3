/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Writing a response: head, padding (if somebody wants a head too long), body,
 * and behind chunks the last one. Every step stops when the buffer is full and
 * goes on there when it is called again.
 *
 *     fill_head  ->  fill_body  ->  fill_last_chunk
 */
#include "response.h"

#include "body.h"
#include "buffer.h"
#include "fault.h"
#include "origin.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Below this much room nothing is written: a piece must be worth it. */
#define ROOM_BYTES_MIN ((size_t)256)

/** A chunk's size is always written with four digits: it fits our buffer. */
#define CHUNK_HEAD_BYTES 6
#define CHUNK_TAIL_BYTES 2
_Static_assert(BUFFER_BYTES <= 0xffff, "a chunk's size has four digits");

/** One line of padding, with its CR LF. */
#define PAD_LINE_BYTES 1024u

/** One server-sent event is shorter than this. */
#define EVENT_BYTES_MAX ROOM_BYTES_MIN

/* --- deciding ------------------------------------------------------------- */

static const char *reason_of(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {101, "Switching Protocols"},
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {413, "Content Too Large"},
        {417, "Expectation Failed"},
        {418, "I'm a teapot"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unnamed Status";
}

void response_init(struct response *response)
{
    *response = (struct response){
        .status = 200,
        .type = "text/plain",
        .cut_at = RESPONSE_UNKNOWN,
    };
}

void response_fini(struct response *response)
{
    free(response->text);
    response->text = NULL;
}

void response_set_text(struct response *response, char *text)
{
    free(response->text);
    response->text = text;
    response->length = strlen(text);
    response->source = RESPONSE_TEXT;
}

void response_print(struct response *response, const char *format, ...)
{
    va_list list;
    va_list again;

    va_start(list, format);
    va_copy(again, list);
    int bytes = vsnprintf(NULL, 0, format, list);
    va_end(list);
    must(bytes >= 0);
    char *text = xnew((size_t)bytes + 1);
    vsnprintf(text, (size_t)bytes + 1, format, again);
    va_end(again);
    response_set_text(response, text);
}

/** Some statuses never have a body. RFC 9112, 6.3 */
static bool status_has_body(int status)
{
    return status != 204 && status != 304;
}

void response_set_status(struct response *response, int status)
{
    response->status = status;
    if (status_has_body(status))
        response_print(response, "%d %s\n", status, reason_of(status));
    else
        response_print(response, "%s", "");
}

/* --- the head ------------------------------------------------------------- */

static bool has_body(const struct response *response)
{
    return !response->is_head && status_has_body(response->status);
}

/** How the reader shall know where the body ends; may be a lie. */
static void print_framing(const struct response *response, struct buffer *out)
{
    int64_t length = (int64_t)response->length + response->length_lie;

    if (response->chunked)
        buffer_print(out, "Transfer-Encoding: chunked\r\n");
    else if (response->length != RESPONSE_UNKNOWN &&
             status_has_body(response->status))
        buffer_print(out, "Content-Length: %" PRId64 "\r\n",
                     length > 0 ? length : 0);
}

static void print_head(const struct response *response, struct origin *origin,
                       struct buffer *out)
{
    buffer_print(out, "HTTP/1.1 %d %s\r\n", response->status,
                 reason_of(response->status));
    buffer_print(out, "Date: %s\r\n", origin_date(origin));
    buffer_print(out, "X-Backend: %s\r\n", origin->name);
    if (response->upgrade != NULL) {
        buffer_print(out, "Upgrade: %s\r\nConnection: upgrade\r\n",
                     response->upgrade);
        return;
    }
    if (status_has_body(response->status))
        buffer_print(out, "Content-Type: %s\r\n", response->type);
    print_framing(response, out);
    if (response->allow != NULL)
        buffer_print(out, "Allow: %s\r\n", response->allow);
    if (response->close)
        buffer_print(out, "Connection: close\r\n");
    else if (response->minor == 0)
        buffer_print(out, "Connection: keep-alive\r\n");
}

/** Now is the time for what could not be known before. */
static void begin(struct response *response, const struct origin *origin,
                  const struct body *body)
{
    if (response->source == RESPONSE_COUNT)
        response_print(response, "read %" PRIu64 " bytes\n", body->bytes);
    response->chunked =
        response->upgrade == NULL &&
        (response->bad_chunks ||
         (response->length == RESPONSE_UNKNOWN && response->minor == 1));
    if (origin->stopping && response->end == RESPONSE_KEEP) {
        response->close = true;
        response->end = RESPONSE_LEAVE;
    }
    response->event_ms = origin->now_ms;
    response->begun = true;
}

/** @return true when the head is all written */
static bool fill_head(struct response *response, struct origin *origin,
                      struct buffer *out, const struct body *body)
{
    size_t room;

    if (!response->begun) {
        begin(response, origin, body);
        if (!response->headless)
            print_head(response, origin, out);
    }
    for (;;) {
        buffer_back(out, &room);
        if (room <= PAD_LINE_BYTES)
            return false;
        if (response->padded >= response->pad_bytes)
            break;
        buffer_print(out, "X-Padding: %0*d\r\n",
                     (int)(PAD_LINE_BYTES - strlen("X-Padding: \r\n")), 0);
        response->padded += PAD_LINE_BYTES;
    }
    if (!response->headless)
        buffer_print(out, "\r\n");
    response->has_head = true;
    return true;
}

/* --- the body ------------------------------------------------------------- */

static size_t text_read(const struct response *response, char *to, size_t room)
{
    uint64_t left = response->length - response->sent;
    size_t bytes = left < room ? (size_t)left : room;

    memcpy(to, response->text + response->sent, bytes);
    return bytes;
}

/** Each byte depends on its place, so that a lost piece is seen. */
static size_t letters_read(const struct response *response, char *to,
                           size_t room)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    enum { COUNT = sizeof(letters) - 1 };
    uint64_t left = response->length - response->sent;
    size_t bytes = left < room ? (size_t)left : room;

    for (size_t i = 0; i < bytes && i < COUNT; i++)
        to[i] = letters[(response->sent + i) % COUNT];
    for (size_t done = COUNT; done < bytes; done *= 2)
        memcpy(to + done, to, done < bytes - done ? done : bytes - done);
    return bytes;
}

static size_t event_read(struct response *response, const struct origin *origin,
                         char *to, size_t room)
{
    if (origin->now_ms < response->event_ms || room < EVENT_BYTES_MAX)
        return 0;
    response->event_ms = origin->now_ms + response->event_gap_ms;
    response->events--;
    return (size_t)snprintf(to, room,
                            "data: hello from %s, %" PRIu64 " to come\n\n",
                            origin->name, response->events);
}

/** Get the next bytes of the body; 0 when there are none now. */
static size_t source_read(struct response *response,
                          const struct origin *origin, struct body *body,
                          struct buffer *in, char *to, size_t room)
{
    switch (response->source) {
    case RESPONSE_TEXT: return text_read(response, to, room);
    case RESPONSE_LETTERS: return letters_read(response, to, room);
    case RESPONSE_EVENTS: return event_read(response, origin, to, room);
    case RESPONSE_ECHO: return body_read(body, in, to, room);
    case RESPONSE_COUNT: break;
    }
    must(!"a count has become a text");
}

static bool is_cut(const struct response *response)
{
    return response->sent >= response->cut_at;
}

/** Is there no more body to write? */
static bool is_over(const struct response *response, const struct body *body)
{
    if (!has_body(response) || is_cut(response))
        return true;
    switch (response->source) {
    case RESPONSE_TEXT:
    case RESPONSE_LETTERS: return response->sent == response->length;
    case RESPONSE_EVENTS: return response->events == 0;
    case RESPONSE_ECHO: return body->state == BODY_ENDED;
    case RESPONSE_COUNT: break;
    }
    must(!"a count has become a text");
}

/** Put a chunk's size before, and its end behind, @p bytes already there. */
static void wrap_chunk(const struct response *response, char *at, size_t bytes)
{
    char head[CHUNK_HEAD_BYTES + 1] = "zzzz\r\n";
    char *tail = at + CHUNK_HEAD_BYTES + bytes;

    if (!response->bad_chunks)
        snprintf(head, sizeof(head), "%04x\r\n", (unsigned)bytes & 0xffff);
    for (size_t i = 0; i < CHUNK_HEAD_BYTES; i++)
        at[i] = head[i];
    tail[0] = '\r';
    tail[1] = '\n';
}

/** Write one piece of body. @return how many bytes of it; 0: none now */
static size_t fill_piece(struct response *response, const struct origin *origin,
                         struct buffer *out, struct body *body,
                         struct buffer *in)
{
    size_t room;
    char *back = buffer_back(out, &room);
    size_t head = response->chunked ? CHUNK_HEAD_BYTES : 0;
    size_t tail = response->chunked ? CHUNK_TAIL_BYTES : 0;

    room -= head + tail;
    if (room > response->cut_at - response->sent &&
        response->source != RESPONSE_EVENTS)
        room = (size_t)(response->cut_at - response->sent);
    size_t bytes = source_read(response, origin, body, in, back + head, room);
    if (bytes == 0)
        return 0;
    if (response->chunked)
        wrap_chunk(response, back, bytes);
    buffer_grow(out, head + bytes + tail);
    response->sent += bytes;
    return bytes;
}

/** @return RESPONSE_DONE when the body is all written */
static enum response_fill fill_body(struct response *response,
                                    const struct origin *origin,
                                    struct buffer *out, struct body *body,
                                    struct buffer *in)
{
    while (!is_over(response, body)) {
        size_t room;

        buffer_back(out, &room);
        if (room < 2 * ROOM_BYTES_MIN)
            return RESPONSE_MORE;
        if (fill_piece(response, origin, out, body, in) > 0)
            continue;
        if (body->state == BODY_BAD)
            return RESPONSE_LOST;
        if (!is_over(response, body))
            return RESPONSE_WAIT;
    }
    return RESPONSE_DONE;
}

/** @return true when what ends chunks is written, or not wanted */
static bool fill_last_chunk(struct response *response, struct buffer *out)
{
    size_t room;

    buffer_back(out, &room);
    if (room < ROOM_BYTES_MIN)
        return false;
    if (response->chunked && has_body(response) && !is_cut(response))
        buffer_print(out, "0\r\n\r\n");
    return true;
}

enum response_fill response_fill(struct response *response,
                                 struct origin *origin, struct buffer *out,
                                 struct body *body, struct buffer *in)
{
    if (response->over || response->mute)
        return RESPONSE_DONE;
    if (!response->has_head && !fill_head(response, origin, out, body))
        return RESPONSE_MORE;
    enum response_fill fill = fill_body(response, origin, out, body, in);
    if (fill != RESPONSE_DONE)
        return fill;
    if (!fill_last_chunk(response, out))
        return RESPONSE_MORE;
    response->over = true;
    return RESPONSE_DONE;
}

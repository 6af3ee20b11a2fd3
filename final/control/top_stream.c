/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Lines are gathered until they are whole. `event:`, `data:` and `id:` fill the
 * present event; an empty line tells it and begins the next one. Comments,
 * which begin with a colon, keep the connection alive and mean nothing.
 */
#include "control/top_stream.h"

#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Add bytes to a text that grows, and keep a zero byte behind them. */
static bool text_add(char **text, size_t *length, size_t *room,
                     const char *bytes, size_t count)
{
    if (*length + count + 1 > TOP_STREAM_MAX)
        return false;
    if (*length + count + 1 > *room) {
        *room = 2 * (*length + count + 1);
        *text = realloc(*text, *room);
        must(*text != NULL);
    }
    memcpy(*text + *length, bytes, count);
    *length += count;
    (*text)[*length] = '\0';
    return true;
}

static void tell_event(struct top_stream *stream)
{
    if (stream->data_length > 0) {
        stream->data[stream->data_length - 1] = '\0'; /* its last newline */
        stream->on_event(stream->arg,
                         stream->kind[0] == '\0' ? "message" : stream->kind,
                         stream->data);
    }
    stream->data_length = 0;
    stream->kind[0] = '\0';
}

/** @param value what stands behind the colon */
static bool take_field(struct top_stream *stream, const char *name,
                       const char *value)
{
    if (strcmp(name, "event") == 0)
        snprintf(stream->kind, sizeof(stream->kind), "%s", value);
    else if (strcmp(name, "id") == 0 && strlen(value) < sizeof(stream->last_id))
        memcpy(stream->last_id, value, strlen(value) + 1);
    else if (strcmp(name, "data") == 0)
        return text_add(&stream->data, &stream->data_length, &stream->data_room,
                        value, strlen(value)) &&
               text_add(&stream->data, &stream->data_length, &stream->data_room,
                        "\n", 1);
    return true;
}

static bool take_line(struct top_stream *stream)
{
    char *line = stream->line;
    char *value;

    if (stream->line_length > 0 && line[stream->line_length - 1] == '\r')
        line[--stream->line_length] = '\0';
    if (stream->line_length == 0) {
        tell_event(stream);
        return true;
    }
    stream->line_length = 0;
    value = strchr(line, ':');
    if (value == line)
        return true; /* a comment */
    if (value == NULL)
        return take_field(stream, line, "");
    *value++ = '\0';
    return take_field(stream, line, *value == ' ' ? value + 1 : value);
}

bool top_stream_feed(struct top_stream *stream, const char *bytes,
                     size_t length)
{
    while (length > 0) {
        const char *end = memchr(bytes, '\n', length);
        size_t count = end == NULL ? length : (size_t)(end - bytes);

        if (!text_add(&stream->line, &stream->line_length, &stream->line_room,
                      bytes, count))
            return false;
        if (end == NULL)
            return true;
        if (!take_line(stream))
            return false;
        bytes += count + 1;
        length -= count + 1;
    }
    return true;
}

void top_stream_reset(struct top_stream *stream)
{
    stream->line_length = 0;
    stream->data_length = 0;
    stream->kind[0] = '\0';
}

void top_stream_fini(struct top_stream *stream)
{
    free(stream->line);
    free(stream->data);
    stream->line = NULL;
    stream->data = NULL;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* A box of bytes. What is left in it moves to the front when room is wanted. */
#include "buffer.h"

#include "fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void buffer_init(struct buffer *buffer)
{
    buffer->from = 0;
    buffer->to = 0;
}

size_t buffer_length(const struct buffer *buffer)
{
    return buffer->to - buffer->from;
}

const char *buffer_front(const struct buffer *buffer)
{
    return buffer->at + buffer->from;
}

void buffer_drop(struct buffer *buffer, size_t bytes)
{
    must(bytes <= buffer_length(buffer));
    buffer->from += bytes;
    if (buffer->from == buffer->to)
        buffer_init(buffer);
}

char *buffer_back(struct buffer *buffer, size_t *room)
{
    size_t length = buffer_length(buffer);

    if (buffer->from > 0) {
        memmove(buffer->at, buffer->at + buffer->from, length);
        buffer->from = 0;
        buffer->to = length;
    }
    *room = BUFFER_BYTES - length;
    return buffer->at + length;
}

void buffer_grow(struct buffer *buffer, size_t bytes)
{
    must(bytes <= BUFFER_BYTES - buffer->to);
    buffer->to += bytes;
}

void buffer_print(struct buffer *buffer, const char *format, ...)
{
    size_t room;
    char *back = buffer_back(buffer, &room);
    va_list list;

    va_start(list, format);
    int bytes = vsnprintf(back, room, format, list);
    va_end(list);
    must(bytes >= 0);
    must((size_t)bytes < room);
    buffer_grow(buffer, (size_t)bytes);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file buffer.h
 * @brief Bytes on their way in or out: a box of fixed size.
 *
 * Bytes go in at the back and come out at the front. A full buffer is how the
 * backend says "not now": whoever fills it stops until somebody has drained it.
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <stddef.h>

/** What one buffer holds; a request's head must fit in it. */
#define BUFFER_BYTES 16384

/** The box. The bytes from @c from up to @c to are in it. */
struct buffer {
    size_t from;           /**< where the first byte lies */
    size_t to;             /**< behind the last byte */
    char at[BUFFER_BYTES]; /**< the bytes */
};

/** Make it empty. */
void buffer_init(struct buffer *buffer);

/** How many bytes are in it. */
size_t buffer_length(const struct buffer *buffer);

/** The first byte in it; good until the next call that changes the buffer. */
const char *buffer_front(const struct buffer *buffer);

/** Take @p bytes away at the front. */
void buffer_drop(struct buffer *buffer, size_t bytes);

/**
 * Room for more, in one piece.
 *
 * @param room how many bytes may be written at the place returned; 0 if full
 * @return where to write; tell buffer_grow() how many were written
 */
char *buffer_back(struct buffer *buffer, size_t *room);

/** Say that @p bytes were written at buffer_back(). */
void buffer_grow(struct buffer *buffer, size_t bytes);

/** Add text as printf() would. That it fits is the caller's promise. */
void buffer_print(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

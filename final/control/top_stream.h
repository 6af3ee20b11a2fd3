/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file top_stream.h
 * @brief Server-sent events: bytes in, events out.
 *
 *  - top_stream_feed() takes bytes as they come, and tells each whole event;
 *  - top_stream_reset() forgets half an event, before another connection;
 *  - top_stream_fini() ends it.
 *
 * The form is that of the HTML standard, "9.2 Server-sent events".
 *
 * @floor{control}
 * @thread{one}
 */
#ifndef CONTROL_TOP_STREAM_H
#define CONTROL_TOP_STREAM_H

#include <stdbool.h>
#include <stddef.h>

/** The most bytes of one event; what is longer ends the stream. */
enum { TOP_STREAM_MAX = 4 << 20 };

/** What is told of a whole event. @param data ended by a zero byte, borrowed */
typedef void top_stream_fn(void *arg, const char *kind, const char *data);

/** A stream that is being read. */
struct top_stream {
    char *line;              /**< owned: what has come of the present line */
    size_t line_length;      /**< bytes of it */
    size_t line_room;        /**< room there is */
    char *data;              /**< owned: the data of the present event */
    size_t data_length;      /**< bytes of it */
    size_t data_room;        /**< room there is */
    char kind[32];           /**< its name */
    char last_id[32];        /**< of the last event that had one */
    top_stream_fn *on_event; /**< set by the owner */
    void *arg;               /**< borrowed; for on_event */
};

/** @return false when an event is too long: give up this connection */
bool top_stream_feed(struct top_stream *stream, const char *bytes,
                     size_t length);

/** Forget what has come of the present event; last_id stays. */
void top_stream_reset(struct top_stream *stream);

/** End what it owns. */
void top_stream_fini(struct top_stream *stream);

#endif

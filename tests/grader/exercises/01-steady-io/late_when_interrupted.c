/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* wrong: takes any end of poll() without an event for the end of the time */
/* caught by: limit_holds */
#include "steady_io.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t deadline_ns(unsigned limit_ms)
{
    return now_ns() + (int64_t)limit_ms * 1000000;
}

/** Milliseconds until then, rounded up: better wait a little than spin. */
static int wait_left_ms(int64_t deadline)
{
    int64_t left_ms = (deadline - now_ns() + 999999) / 1000000;

    if (left_ms < 0)
        return 0;
    return left_ms > INT_MAX ? INT_MAX : (int)left_ms;
}

/** Wait until something can be done with the socket. */
static enum steady wait_for(int fd, short events, int64_t deadline)
{
    struct pollfd wait = {.fd = fd, .events = events};
    int left_ms = wait_left_ms(deadline);

    if (left_ms == 0)
        return STEADY_LATE;
    /* Interrupted, or too early: the caller tries again and comes back here,
       with less time left. */
    return poll(&wait, 1, left_ms) == 1 ? STEADY_DONE : STEADY_LATE;
}

/** A call has failed with this errno. STEADY_DONE: it may be tried again. */
static enum steady after_error(int error, int fd, short events,
                               int64_t deadline)
{
    if (error == EINTR)
        return STEADY_DONE;
    if (error == EAGAIN || error == EWOULDBLOCK)
        return wait_for(fd, events, deadline);
    if (error == EPIPE || error == ECONNRESET)
        return STEADY_GONE;
    return STEADY_BROKEN;
}

/** Where the head ends, searched from a place on; 0: not in there yet. */
static size_t head_end(const struct steady_buffer *buffer, size_t from)
{
    for (size_t end = from + 4; end <= buffer->length; end++)
        if (memcmp(buffer->bytes + end - 4, "\r\n\r\n", 4) == 0)
            return end;
    return 0;
}

enum steady steady_read_head(int fd, struct steady_buffer *buffer,
                             unsigned limit_ms, size_t *head_length)
{
    int64_t deadline = deadline_ns(limit_ms);
    enum steady result = STEADY_DONE;
    size_t searched = 0;

    while (result == STEADY_DONE) {
        size_t end = head_end(buffer, searched);
        ssize_t got;

        if (end > 0) {
            *head_length = end;
            return STEADY_DONE;
        }
        if (buffer->length == buffer->room)
            return STEADY_TOO_LONG;
        /* The end may begin in the last three bytes that we have. */
        searched = buffer->length < 3 ? 0 : buffer->length - 3;
        got = recv(fd, buffer->bytes + buffer->length,
                   buffer->room - buffer->length, MSG_DONTWAIT);
        if (got == 0)
            return buffer->length == 0 ? STEADY_CLOSED : STEADY_CUT;
        if (got > 0)
            buffer->length += (size_t)got;
        else
            result = after_error(errno, fd, POLLIN, deadline);
    }
    return result;
}

void steady_drop(struct steady_buffer *buffer, size_t count)
{
    if (count > buffer->length)
        count = buffer->length;
    buffer->length -= count;
    memmove(buffer->bytes, buffer->bytes + count, buffer->length);
}

enum steady steady_write_all(int fd, const void *bytes, size_t length,
                             unsigned limit_ms)
{
    int64_t deadline = deadline_ns(limit_ms);
    const char *next = bytes;
    enum steady result = STEADY_DONE;

    while (result == STEADY_DONE && length > 0) {
        ssize_t sent = send(fd, next, length, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent >= 0) {
            next += sent;
            length -= (size_t)sent;
        } else {
            result = after_error(errno, fd, POLLOUT, deadline);
        }
    }
    return result;
}

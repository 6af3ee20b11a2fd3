/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * errno stops here: what the system answers becomes a word of enum io.
 *
 * A call that moved less than it could have has found the end of what can be
 * done now, so no second call is made to be told EAGAIN. The one exception: when
 * the peer's end is known to have come (READY_END), nothing will tell of it
 * again, so READ stays set until the end itself has been read.
 */
#include "net/stream_plain.h"

#include <errno.h>
#include <sys/socket.h>

enum io plain_fail(struct stream *stream, unsigned what)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        watch_wait(&stream->watch, what);
        return IO_WAIT;
    }
    /* The first fault is the reason of those that follow from it. */
    if (stream->error == 0)
        stream->error = errno;
    /* When the peer has ended it, its last bytes may still be read, and the
     * poller tells of the end. If the fault is ours (no memory), it shall do so
     * too: who sends counts on it. */
    if (errno != EPIPE && errno != ECONNRESET)
        shutdown(stream->watch.fd, SHUT_RDWR);
    return IO_BROKEN;
}

enum io plain_receive(struct stream *stream, void *bytes, size_t room,
                      size_t *got)
{
    ssize_t count;

    *got = 0;
    if (!(stream->watch.ready & READY_READ))
        return IO_WAIT;
    do
        count = recv(stream->watch.fd, bytes, room, 0);
    while (count == -1 && errno == EINTR);
    if (count == -1)
        return plain_fail(stream, READY_READ);
    if (count == 0)
        return IO_END;
    if ((size_t)count < room && !(stream->watch.ready & READY_END))
        watch_wait(&stream->watch, READY_READ);
    *got = (size_t)count;
    return IO_DONE;
}

/** What is left there is told of again, so READ stays as it is. */
enum io plain_peek(struct stream *stream, void *bytes, size_t room, size_t *got)
{
    ssize_t count;

    *got = 0;
    if (!(stream->watch.ready & READY_READ))
        return IO_WAIT;
    do
        count = recv(stream->watch.fd, bytes, room, MSG_PEEK);
    while (count == -1 && errno == EINTR);
    if (count == -1)
        return plain_fail(stream, READY_READ);
    *got = (size_t)count;
    return count == 0 ? IO_END : IO_DONE;
}

static size_t pieces_length(const struct iovec *pieces, int count)
{
    size_t length = 0;

    for (int i = 0; i < count; i++)
        length += pieces[i].iov_len;
    return length;
}

/** One piece by send(), which is cheaper; more by sendmsg(). */
static ssize_t send_pieces(int fd, const struct iovec *pieces, int count,
                           int flags)
{
    struct msghdr message = {.msg_iov = (struct iovec *)pieces,
                             .msg_iovlen = (size_t)count};

    if (count == 1)
        return send(fd, pieces[0].iov_base, pieces[0].iov_len, flags);
    return sendmsg(fd, &message, flags);
}

enum io plain_send(struct stream *stream, const struct iovec *pieces, int count,
                   int flags, size_t *sent)
{
    ssize_t moved;

    *sent = 0;
    if (!(stream->watch.ready & READY_WRITE))
        return IO_WAIT;
    do
        moved = send_pieces(stream->watch.fd, pieces, count, flags);
    while (moved == -1 && errno == EINTR);
    if (moved == -1)
        return plain_fail(stream, READY_WRITE);
    if ((size_t)moved < pieces_length(pieces, count))
        watch_wait(&stream->watch, READY_WRITE);
    *sent = (size_t)moved;
    return IO_DONE;
}

bool plain_has_news(struct stream *stream)
{
    char byte;
    ssize_t count;

    if (!(stream->watch.ready & READY_READ))
        return false;
    do
        count = recv(stream->watch.fd, &byte, 1, MSG_PEEK);
    while (count == -1 && errno == EINTR);
    if (count == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        watch_wait(&stream->watch, READY_READ);
        return false;
    }
    return true;
}

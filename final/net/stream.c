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
#include "net/stream.h"

#include "event/loop.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void stream_init(struct stream *stream, int fd, unsigned ready)
{
    stream->watch.fd = fd;
    stream->watch.ready = ready;
    stream->watch.is_added = false;
    stream->watch.pending = (struct link){NULL, NULL};
    stream->error = 0;
}

enum io stream_fail(struct stream *stream, unsigned what)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        watch_wait(&stream->watch, what);
        return IO_WAIT;
    }
    stream->error = errno;
    /* When the peer has ended it, its last bytes may still be read, and the
     * poller tells of the end. If the fault is ours (no memory), it shall do so
     * too: who sends counts on it. */
    if (stream->error != EPIPE && stream->error != ECONNRESET)
        shutdown(stream->watch.fd, SHUT_RDWR);
    return IO_BROKEN;
}

enum io stream_receive(struct stream *stream, void *bytes, size_t room,
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
        return stream_fail(stream, READY_READ);
    if (count == 0)
        return IO_END;
    if ((size_t)count < room && !(stream->watch.ready & READY_END))
        watch_wait(&stream->watch, READY_READ);
    *got = (size_t)count;
    return IO_DONE;
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

static enum io send_with(struct stream *stream, const struct iovec *pieces,
                         int count, int flags, size_t *sent)
{
    ssize_t moved;

    *sent = 0;
    if (!(stream->watch.ready & READY_WRITE))
        return IO_WAIT;
    do
        moved = send_pieces(stream->watch.fd, pieces, count, flags);
    while (moved == -1 && errno == EINTR);
    if (moved == -1)
        return stream_fail(stream, READY_WRITE);
    if ((size_t)moved < pieces_length(pieces, count))
        watch_wait(&stream->watch, READY_WRITE);
    *sent = (size_t)moved;
    return IO_DONE;
}

enum io stream_send(struct stream *stream, const struct iovec *pieces,
                    int count, size_t *sent)
{
    return send_with(stream, pieces, count, MSG_NOSIGNAL, sent);
}

enum io stream_send_last(struct stream *stream, const struct iovec *pieces,
                         int count, size_t *sent)
{
#ifdef MSG_MORE
    return send_with(stream, pieces, count, MSG_NOSIGNAL | MSG_MORE, sent);
#else
    return stream_send(stream, pieces, count, sent);
#endif
}

bool stream_has_news(struct stream *stream)
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

void stream_shut(struct stream *stream)
{
    shutdown(stream->watch.fd, SHUT_WR);
}

void stream_reset_at_close(struct stream *stream)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    setsockopt(stream->watch.fd, SOL_SOCKET, SO_LINGER, &linger,
               sizeof(linger));
}

void stream_break(struct stream *stream)
{
    stream->error = errno;
}

bool stream_is_open(const struct stream *stream)
{
    return stream->watch.fd != -1;
}

void stream_close(struct stream *stream, struct loop *loop)
{
    if (!stream_is_open(stream))
        return;
    loop_forget(loop, &stream->watch);
    close(stream->watch.fd);
    stream->watch.fd = -1;
}

bool stream_is_short(const struct stream *stream)
{
    switch (stream->error) {
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case ENOSPC: /* no more can be watched by epoll */
    case EADDRNOTAVAIL: return true;
    default: return false;
    }
}

const char *stream_words(const struct stream *stream)
{
    switch (stream->error) {
    case 0: return "the connection ended";
    case ECONNREFUSED: return "connection refused";
    case ECONNRESET: return "connection reset by peer";
    case EPIPE: return "the peer has closed the connection";
    case ETIMEDOUT: return "the network gave no answer";
    case EHOSTUNREACH: return "no route to the host";
    case ENETUNREACH: return "no route to the network";
    case EADDRNOTAVAIL: return "no local port is left";
    case ENOMEM:
    case ENOBUFS: return "the system is out of memory for it";
    case EMFILE:
    case ENFILE: return "out of descriptors";
    case ENOSPC: return "the system watches no more connections";
    default: return strerror(stream->error);
    }
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A stream is plain or under TLS: who asks it for something need not know.
 */
#include "net/stream.h"

#include "base/must.h"
#include "event/loop.h"
#include "net/stream_plain.h"
#include "net/stream_tls.h"

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
    stream->tls = NULL;
    stream->error = 0;
}

enum io stream_receive(struct stream *stream, void *bytes, size_t room,
                       size_t *got)
{
    if (stream->tls != NULL)
        return tls_receive(stream, bytes, room, got);
    return plain_receive(stream, bytes, room, got);
}

enum io stream_send(struct stream *stream, const struct iovec *pieces,
                    int count, size_t *sent)
{
    if (stream->tls != NULL)
        return tls_send(stream, pieces, count, sent);
    return plain_send(stream, pieces, count, MSG_NOSIGNAL, sent);
}

enum io stream_send_more(struct stream *stream, const struct iovec *pieces,
                         int count, size_t *sent)
{
#ifdef MSG_MORE
    if (stream->tls == NULL)
        return plain_send(stream, pieces, count, MSG_NOSIGNAL | MSG_MORE, sent);
#endif
    return stream_send(stream, pieces, count, sent);
}

enum io stream_peek(struct stream *stream, void *bytes, size_t room,
                    size_t *got)
{
    must(stream->tls == NULL);
    return plain_peek(stream, bytes, room, got);
}

bool stream_address(const struct stream *stream, union address *address)
{
    socklen_t length = sizeof(*address);

    *address = (union address){.any.sa_family = AF_UNSPEC};
    return getsockname(stream->watch.fd, &address->any, &length) == 0;
}

bool stream_has_news(struct stream *stream)
{
    return stream->tls != NULL ? tls_has_news(stream) : plain_has_news(stream);
}

void stream_shut(struct stream *stream)
{
    if (stream->tls != NULL)
        tls_shut(stream);
    shutdown(stream->watch.fd, SHUT_WR);
}

void stream_reset_at_close(struct stream *stream)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    if (stream->tls != NULL)
        tls_hush(stream);
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
    if (stream->tls != NULL) {
        tls_shut(stream);
        tls_end(stream);
    }
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
    if (stream->tls != NULL && tls_words(stream) != NULL)
        return tls_words(stream);
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

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <unistd.h>

/** A non-blocking socket that no other program inherits; -1 with errno set. */
static int socket_new(int family)
{
#ifdef SOCK_NONBLOCK
    return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
    int fd = socket(family, SOCK_STREAM, 0);

    if (fd != -1) {
        fcntl(fd, F_SETFL, O_NONBLOCK);
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    return fd;
#endif
}

int socket_open(int family, bool *is_short)
{
    int fd = socket_new(family);
    struct stream none = {.error = errno};

    *is_short = fd == -1 && stream_is_short(&none);
    return fd;
}

enum io socket_connect(struct stream *stream, const union address *to)
{
    static const int on = 1;
    int fd = socket_new(to->any.sa_family);

    stream_init(stream, fd, 0);
    if (fd == -1) {
        stream->error = errno;
        return IO_BROKEN;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, &to->any, address_length(to)) == 0) {
        stream->watch.ready = READY_WRITE;
        return IO_DONE;
    }
    /* One that was interrupted goes on by itself; to ask again would be told
     * EALREADY (POSIX, connect()). */
    if (errno == EINPROGRESS || errno == EINTR)
        return IO_WAIT;
    stream->error = errno;
    close(fd);
    stream->watch.fd = -1;
    return IO_BROKEN;
}

enum io socket_connected(struct stream *stream)
{
    socklen_t length = sizeof(stream->error);

    if (!(stream->watch.ready & (READY_WRITE | READY_BROKEN)))
        return IO_WAIT;
    stream->error = 0;
    if (getsockopt(stream->watch.fd, SOL_SOCKET, SO_ERROR, &stream->error,
                   &length) == -1)
        stream->error = errno;
    return stream->error == 0 ? IO_DONE : IO_BROKEN;
}

void socket_keep_alive(struct stream *stream, unsigned idle_secs)
{
    int on = 1;
    int idle = (int)idle_secs;

    setsockopt(stream->watch.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
#ifdef TCP_KEEPIDLE
    setsockopt(stream->watch.fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle,
               sizeof(idle));
#else
    (void)idle;
#endif
}

unsigned descriptors_raise(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
        return 256;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > 1000000 ? 1000000 : (unsigned)limit.rlim_cur;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096, DEFER_SECS = 1 };

/*
 * What is set on a listener, its clients inherit, and that saves a call for
 * each. Without TCP_NODELAY, the second half of a response would wait until the
 * client has said that it got the first.
 */
void listener_tune(int fd, const struct listener_settings *settings)
{
    static const int on = 1;
    int defer = settings->defers ? DEFER_SECS : 0;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (settings->where.any.sa_family == AF_INET6) {
        static const int off = 0; /* `::` is to mean IPv4 as well */

        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    }
#ifdef SO_REUSEPORT
    if (settings->is_shared)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
#endif
#ifdef TCP_DEFER_ACCEPT
    setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &defer, sizeof(defer));
#else
    (void)defer;
#endif
}

bool listener_open(const struct listener_settings *settings, int *fd,
                   struct fault *fault)
{
    char where[ADDRESS_PRINT_MAX];
    int family = settings->where.any.sa_family;
    int opened = socket(family, SOCK_STREAM, 0);

    if (opened == -1)
        return fault_say(fault, "no socket to listen on: %s", strerror(errno));
    fcntl(opened, F_SETFL, O_NONBLOCK);
    fcntl(opened, F_SETFD, FD_CLOEXEC);
    listener_tune(opened, settings);
    if (bind(opened, &settings->where.any, address_length(&settings->where)) ==
        -1)
        goto undo_socket;
    if (listen(opened, BACKLOG) == -1)
        goto undo_socket;
    *fd = opened;
    return true;

undo_socket:
    address_print(&settings->where, where);
    fault_say(fault, "cannot listen on %s port %u: %s; port 0 is a free one",
              where, address_port(&settings->where), strerror(errno));
    close(opened);
    return false;
}

/** Remove a socket where nobody listens any more. */
static void remove_stale(const struct sockaddr_un *where)
{
    struct stat status;
    int fd;

    if (lstat(where->sun_path, &status) == -1 || !S_ISSOCK(status.st_mode))
        return;
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd == -1)
        return;
    if (connect(fd, (const struct sockaddr *)where, sizeof(*where)) == -1 &&
        errno == ECONNREFUSED)
        unlink(where->sun_path);
    close(fd);
}

bool listener_open_path(const char *path, int *fd, struct fault *fault)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    mode_t mask;
    int opened, result;

    if (strlen(path) >= sizeof(where.sun_path))
        return fault_say(fault, "the path %s is too long for a socket", path);
    memcpy(where.sun_path, path, strlen(path) + 1);
    opened = socket(AF_UNIX, SOCK_STREAM, 0);
    if (opened == -1)
        return fault_say(fault, "no socket to listen on: %s", strerror(errno));
    fcntl(opened, F_SETFL, O_NONBLOCK);
    fcntl(opened, F_SETFD, FD_CLOEXEC);
    remove_stale(&where);
    mask = umask(0117);
    result = bind(opened, (const struct sockaddr *)&where, sizeof(where));
    umask(mask);
    if (result == 0 && listen(opened, BACKLOG) == 0) {
        *fd = opened;
        return true;
    }
    fault_say(fault, "cannot listen on %s: %s", path, strerror(errno));
    close(opened);
    return false;
}

bool listener_address(int fd, union address *address)
{
    socklen_t length = sizeof(*address);

    memset(address, 0, sizeof(*address));
    return getsockname(fd, &address->any, &length) == 0;
}

static int accept_one(int fd, union address *from)
{
    socklen_t length = sizeof(*from);

#ifdef SOCK_NONBLOCK
    return accept4(fd, &from->any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
#else
    int client = accept(fd, &from->any, &length);

    if (client != -1) {
        fcntl(client, F_SETFL, O_NONBLOCK);
        fcntl(client, F_SETFD, FD_CLOEXEC);
    }
    return client;
#endif
}

/**
 * Did this happen to a client while it waited, and not to us? Linux tells
 * through accept() what has become of the new connection (accept(2)).
 */
static bool is_lost(int error)
{
    switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
#ifdef ENONET
    case ENONET:
#endif
    case EHOSTUNREACH:
    case ENETUNREACH: return true;
    default: return false;
    }
}

enum accepted listener_accept(int fd, struct stream *stream,
                              union address *from)
{
    int client = accept_one(fd, from);

    if (client != -1) {
        stream_init(stream, client, READY_READ | READY_WRITE);
        return ACCEPTED_CLIENT;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return ACCEPTED_NONE;
    return is_lost(errno) ? ACCEPTED_LOST : ACCEPTED_SHORT;
}

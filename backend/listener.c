/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Listening. A socket that is bound but does not listen keeps its port and
 * refuses every client: so "refuse" needs no trick, only listen() left out.
 */
#include "listener.h"

#include "fault.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void listener_print(const struct listener *listener, char *to, size_t bytes)
{
    char host[NI_MAXHOST] = "?";
    char port[NI_MAXSERV] = "?";
    bool is_six = listener->addr.ss_family == AF_INET6;

    getnameinfo((const struct sockaddr *)&listener->addr, listener->addr_bytes,
                host, sizeof(host), port, sizeof(port),
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(to, bytes, is_six ? "[%s]:%s" : "%s:%s", host, port);
}

unsigned listener_port(const struct listener *listener)
{
    if (listener->addr.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&listener->addr)->sin6_port);
    return ntohs(((const struct sockaddr_in *)&listener->addr)->sin_port);
}

static bool socket_set_manners(int fd)
{
    return fcntl(fd, F_SETFL, O_NONBLOCK) != -1 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) != -1;
}

static bool say_not_bound(const struct listener *listener, struct fault *fault)
{
    char where[NI_MAXHOST + NI_MAXSERV];

    listener_print(listener, where, sizeof(where));
    return fault_say(fault,
                     "cannot listen on %s: %s; choose another --port or "
                     "--host (--port 0 takes any free port)",
                     where, strerror(errno));
}

/** Bind to listener->addr; with port 0, find out what we were given. */
static bool listener_bind(struct listener *listener, struct fault *fault)
{
    static const int on = 1;
    struct sockaddr *addr = (struct sockaddr *)&listener->addr;

    listener->is_listening = false;
    listener->fd = socket(addr->sa_family, SOCK_STREAM, 0);
    if (listener->fd == -1)
        return fault_say(fault, "no socket: %s", strerror(errno));
    if (socket_set_manners(listener->fd) &&
        setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) !=
            -1 &&
        bind(listener->fd, addr, listener->addr_bytes) != -1 &&
        getsockname(listener->fd, addr, &listener->addr_bytes) != -1)
        return true;
    say_not_bound(listener, fault);
    listener_close(listener);
    return false;
}

bool listener_open(struct listener *listener, const char *host, unsigned port,
                   struct fault *fault)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE};
    struct addrinfo *found = NULL;
    char service[16];

    snprintf(service, sizeof(service), "%u", port);
    int error = getaddrinfo(host, service, &hints, &found);
    if (error != 0)
        return fault_say(fault,
                         "--host \"%s\" is no address of this machine: %s; "
                         "try 127.0.0.1, 0.0.0.0 or ::1",
                         host, gai_strerror(error));
    must(found->ai_addrlen <= sizeof(listener->addr));
    *listener = (struct listener){.fd = -1, .addr_bytes = found->ai_addrlen};
    memcpy(&listener->addr, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return listener_bind(listener, fault);
}

bool listener_listen(struct listener *listener, struct fault *fault)
{
    if (listen(listener->fd, SOMAXCONN) == -1)
        return say_not_bound(listener, fault);
    listener->is_listening = true;
    return true;
}

bool listener_refuse(struct listener *listener, struct fault *fault)
{
    listener_close(listener);
    return listener_bind(listener, fault);
}

int listener_accept(const struct listener *listener)
{
    static const int on = 1;
    int fd = accept(listener->fd, NULL, NULL);

    if (fd == -1)
        return -1;
    if (!socket_set_manners(fd)) {
        close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

void listener_close(struct listener *listener)
{
    if (listener->fd != -1)
        close(listener->fd);
    listener->fd = -1;
    listener->is_listening = false;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * All system calls on sockets but close() and poll() are here. Three rules hold
 * for each of them: a call that a signal cut short (EINTR) is made again, a call
 * that moved less than we asked for is not a failure, and a call that would have
 * to wait says so (EAGAIN) instead.
 */
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

bool address_parse(struct address *address, const char *url)
{
    /* %n tells how much of the URL was used up to there. */
    static const char *const shapes[] = {
        "http://[%255[0-9A-Fa-f:.]]:%5[0-9]%n",
        "http://%255[0-9A-Za-z._-]:%5[0-9]%n",
    };

    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        int used = 0;

        if (sscanf(url, shapes[i], address->host, address->port, &used) != 2)
            continue;
        if (strcmp(url + used, "") != 0 && strcmp(url + used, "/") != 0)
            return false;
        snprintf(address->url, sizeof(address->url), "%.*s", used, url);
        return atoi(address->port) >= 1 && atoi(address->port) <= 65535;
    }
    return false;
}

const char *address_find(struct address *address)
{
    struct addrinfo want = {.ai_socktype = SOCK_STREAM};
    int wrong =
        getaddrinfo(address->host, address->port, &want, &address->list);

    return wrong == 0 ? NULL : gai_strerror(wrong);
}

void address_forget(struct address *address)
{
    freeaddrinfo(address->list);
    address->list = NULL;
}

/** From now on, no call on this socket waits. */
static void socket_unblock(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

int listener_open(unsigned port)
{
    static const int on = 1;
    struct sockaddr_in where = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd == -1)
        return -1;
    /* A port we have just left may be taken again at once. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
        bind(fd, (const struct sockaddr *)&where, sizeof(where)) == -1 ||
        listen(fd, SOMAXCONN) == -1) {
        int why = errno;

        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

unsigned listener_port(int listener)
{
    struct sockaddr_in where = {.sin_port = 0};
    socklen_t length = sizeof(where);

    getsockname(listener, (struct sockaddr *)&where, &length);
    return ntohs(where.sin_port);
}

bool socket_wait(int fd, int stop)
{
    struct pollfd wait[] = {
        {.fd = fd, .events = POLLIN},
        {.fd = stop, .events = POLLIN},
    };

    /* A signal ends this poll(); the next one finds what it wrote to `stop`. */
    while (poll(wait, 2, -1) == -1)
        continue;
    return wait[0].revents != 0;
}

static bool is_readable(int fd)
{
    struct pollfd now = {.fd = fd, .events = POLLIN};

    return poll(&now, 1, 0) == 1;
}

int listener_accept(int listener, int stop)
{
    /* Once asked to stop we take no new client, not even one in the queue. */
    while (socket_wait(listener, stop) && !is_readable(stop)) {
        int client = accept(listener, NULL, NULL);

        if (client != -1) {
            socket_unblock(client);
            return client;
        } /* else it left while it waited for us */
    }
    return -1;
}

bool descriptors_are_short(void)
{
    return errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
           errno == ENOMEM;
}

/** What the last call's errno means for a connection. */
static enum io io_of_errno(void)
{
    bool later =
        errno == EAGAIN || errno == EWOULDBLOCK || errno == EINPROGRESS;

    return later ? IO_WAIT : IO_BROKEN;
}

enum io upstream_open(const struct addrinfo *to, int *fd)
{
    *fd = socket(to->ai_family, to->ai_socktype, to->ai_protocol);
    if (*fd == -1)
        return IO_BROKEN;
    socket_unblock(*fd);
    /* A signal does not stop a connection that does not wait for anything. */
    if (connect(*fd, to->ai_addr, to->ai_addrlen) == 0)
        return IO_DONE;
    return io_of_errno();
}

enum io upstream_finish(int fd)
{
    struct pollfd now = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t length = sizeof(error);

    if (poll(&now, 1, 0) != 1)
        return IO_WAIT; /* somebody was woken for another reason */
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    errno = error;
    return error == 0 ? IO_DONE : IO_BROKEN;
}

void socket_words(char *words, size_t room)
{
    strerror_r(errno, words, room); /* strerror() is not for threads */
}

enum io socket_receive(int fd, void *bytes, size_t room, size_t *got)
{
    ssize_t count;

    do
        count = recv(fd, bytes, room, 0);
    while (count == -1 && errno == EINTR);
    *got = count > 0 ? (size_t)count : 0;
    if (count == 0)
        return IO_END;
    return count > 0 ? IO_DONE : io_of_errno();
}

enum io socket_send(int fd, const void *bytes, size_t length, size_t *sent)
{
    ssize_t count;

    do
        count = send(fd, bytes, length, 0);
    while (count == -1 && errno == EINTR);
    *sent = count > 0 ? (size_t)count : 0;
    return count >= 0 ? IO_DONE : io_of_errno();
}

long clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}

unsigned descriptors_raise(unsigned want)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < want) {
        limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur < want ? (unsigned)limit.rlim_cur : want;
}

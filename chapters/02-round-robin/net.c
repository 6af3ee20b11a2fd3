/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * All system calls on sockets but close() are here. Two rules hold for each of
 * them: a call that a signal cut short (EINTR) is made again, and a call that
 * moved less than we asked for is not a failure.
 */
#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

        if (client != -1)
            return client; /* else it left while it waited for us */
    }
    return -1;
}

/** Connect, also when a signal comes in the middle. */
static bool connect_fully(int fd, const struct addrinfo *to)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t length = sizeof(error);

    if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
        return true;
    if (errno != EINTR)
        return false;

    /* The kernel goes on connecting; a second connect() would fail. */
    while (poll(&wait, 1, -1) == -1)
        continue;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    errno = error;
    return error == 0;
}

/** Connect to the first of these addresses that accepts us. */
static int connect_to_any(const struct addrinfo *list)
{
    int why = 0;

    for (const struct addrinfo *to = list; to != NULL; to = to->ai_next) {
        int fd = socket(to->ai_family, to->ai_socktype, to->ai_protocol);

        if (fd != -1 && connect_fully(fd, to))
            return fd;
        why = errno;
        if (fd != -1)
            close(fd);
    }
    errno = why;
    return -1;
}

int upstream_open(const struct address *address)
{
    struct addrinfo want = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int wrong = getaddrinfo(address->host, address->port, &want, &list);

    if (wrong != 0) {
        fprintf(stderr, "%s: %s\n", address->url, gai_strerror(wrong));
        return -1;
    }

    int fd = connect_to_any(list);

    if (fd == -1)
        fprintf(stderr, "%s: %s\n", address->url, strerror(errno));
    freeaddrinfo(list);
    return fd;
}

ssize_t socket_receive(int fd, void *bytes, size_t room)
{
    ssize_t got;

    do
        got = recv(fd, bytes, room, 0);
    while (got == -1 && errno == EINTR);
    return got;
}

bool socket_send_all(int fd, const void *bytes, size_t length)
{
    const char *next = bytes;

    while (length > 0) {
        ssize_t sent = send(fd, next, length, 0);

        if (sent == -1 && errno == EINTR)
            continue;
        if (sent == -1)
            return false;
        next += sent;
        length -= (size_t)sent;
    }
    return true;
}

/** Milliseconds on a clock that nobody sets back. */
static long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000L + now.tv_nsec / 1000000L;
}

void socket_linger(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    char forgotten[4096];
    long end = now_ms() + 1000;

    shutdown(fd, SHUT_WR);
    for (long left = 1000; left > 0; left = end - now_ms()) {
        if (poll(&wait, 1, (int)left) <= 0)
            continue; /* a signal, or the second is over */
        if (socket_receive(fd, forgotten, sizeof(forgotten)) <= 0)
            return;
    }
}

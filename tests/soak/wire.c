/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "wire.h"

#include "wait.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

bool wire_open(struct wire *wire, unsigned port)
{
    static const int on = 1;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    wire->held = 0;
    wire->ended = false;
    wire->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(wire->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(wire->fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return true;
    wire_close(wire, false);
    return false;
}

void wire_close(struct wire *wire, bool rudely)
{
    static const struct linger none = {.l_onoff = 1, .l_linger = 0};

    if (wire->fd == -1)
        return;
    if (rudely)
        setsockopt(wire->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    close(wire->fd);
    wire->fd = -1;
}

void wire_shut(struct wire *wire)
{
    shutdown(wire->fd, SHUT_WR);
}

static bool is_ready(const struct wire *wire, short events)
{
    struct pollfd wait = {.fd = wire->fd, .events = events};

    return poll(&wait, 1, (int)patience(LATE_MS)) == 1;
}

bool wire_send(struct wire *wire, const char *bytes, size_t length)
{
    while (length > 0 && is_ready(wire, POLLOUT)) {
        ssize_t sent =
            send(wire->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent == -1 && errno != EAGAIN && errno != EINTR)
            return false;
        bytes += sent > 0 ? sent : 0;
        length -= sent > 0 ? (size_t)sent : 0;
    }
    return length == 0;
}

bool wire_say(struct wire *wire, const char *text)
{
    return wire_send(wire, text, strlen(text));
}

/** Read once. @return false at the end, or when nothing comes */
static bool fill(struct wire *wire, size_t most)
{
    size_t room = WIRE_BYTES - 1 - wire->held;
    ssize_t got;

    if (wire->ended || room == 0 || !is_ready(wire, POLLIN))
        return false;
    if (most > 0 && room > most)
        room = most;
    got = recv(wire->fd, wire->bytes + wire->held, room, 0);
    wire->ended = got <= 0;
    wire->held += got > 0 ? (size_t)got : 0;
    wire->bytes[wire->held] = '\0';
    return got > 0;
}

bool wire_hold(struct wire *wire, size_t bytes)
{
    while (wire->held < bytes)
        if (!fill(wire, 0))
            return false;
    return true;
}

void wire_drop(struct wire *wire, size_t bytes)
{
    wire->held -= bytes;
    memmove(wire->bytes, wire->bytes + bytes, wire->held + 1);
}

/** The number behind a field's name, in the head; -1: there is none. */
static long field_of(const char *head, const char *end, const char *name)
{
    const char *at = strcasestr(head, name);

    return at == NULL || at > end ? -1 : strtol(at + strlen(name), NULL, 10);
}

/** Read a head. @return the length of the body, or -1 */
static long hear_head(struct wire *wire, struct wire_response *response)
{
    const char *end;
    long length;

    wire->bytes[wire->held] = '\0';
    while ((end = strstr(wire->bytes, "\r\n\r\n")) == NULL)
        if (!fill(wire, 0))
            return -1;
    if (strncmp(wire->bytes, "HTTP/1.1 ", 9) != 0)
        return -1;
    response->status = (unsigned)strtoul(wire->bytes + 9, NULL, 10);
    response->closes =
        field_of(wire->bytes, end, "\r\nConnection: close") != -1;
    length = field_of(wire->bytes, end, "\r\nContent-Length: ");
    if (length == -1 && response->status == 101)
        length = 0;
    wire_drop(wire, (size_t)(end + 4 - wire->bytes));
    return length;
}

/** What is held of the body goes to the response. */
static void take(struct wire *wire, struct wire_response *response,
                 size_t length)
{
    size_t bytes = wire->held;

    if (bytes > length - response->length)
        bytes = length - response->length;
    for (size_t i = 0; i < bytes; i++) {
        size_t place = response->length + i;

        if (wire->bytes[i] != (char)('a' + place % 26))
            response->is_wrong = true;
        if (place + 1 < sizeof(response->body))
            response->body[place] = wire->bytes[i];
    }
    response->length += bytes;
    wire_drop(wire, bytes);
}

enum came wire_hear(struct wire *wire, const struct wire_manner *manner,
                    struct wire_response *response)
{
    bool had_some = wire->held > 0;
    long length;

    *response = (struct wire_response){.status = 0};
    length = hear_head(wire, response);
    if (length == -1 && !wire->ended && response->status == 0)
        return CAME_LATE;
    if (length == -1)
        return wire->held > 0 || had_some ? CAME_CUT : CAME_NOTHING;
    for (;;) {
        take(wire, response, (size_t)length);
        if (response->length == (size_t)length ||
            (manner->enough > 0 && response->length >= manner->enough))
            return CAME_WHOLE;
        if (manner->pause_ms > 0)
            nanosleep(
                &(struct timespec){.tv_nsec = (long)manner->pause_ms * 1000000},
                NULL);
        if (!fill(wire, manner->piece))
            return wire->ended ? CAME_CUT : CAME_LATE;
    }
}

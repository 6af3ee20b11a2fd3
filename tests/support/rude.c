/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "rude.h"

#include "tcp_table.h"
#include "wait.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void rude_init(struct rude *rude, int fd)
{
    static const int on = 1;

    *rude = (struct rude){.fd = fd, .text = calloc(1, 1)};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

bool rude_open(struct rude *rude, unsigned port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    rude_init(rude, socket(AF_INET, SOCK_STREAM, 0));
    if (connect(rude->fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return true;
    rude_close(rude);
    return false;
}

/** Wait until the socket is ready, up to a moment. */
static bool ready(const struct rude *rude, short events, int64_t end)
{
    struct pollfd wait = {.fd = rude->fd, .events = events};
    int64_t left = end - now_ms();

    return poll(&wait, 1, left > 0 ? (int)left : 0) == 1;
}

bool rude_send(struct rude *rude, const void *bytes, size_t length)
{
    int64_t end = now_ms() + patience(3000);
    const char *next = bytes;

    while (length > 0 && ready(rude, POLLOUT, end)) {
        ssize_t sent =
            send(rude->fd, next, length, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent == -1 && errno != EAGAIN)
            return false;
        next += sent > 0 ? sent : 0;
        length -= sent > 0 ? (size_t)sent : 0;
    }
    return length == 0;
}

bool rude_say(struct rude *rude, const char *text)
{
    return rude_send(rude, text, strlen(text));
}

static unsigned port_of(int fd, int (*name)(int fd, struct sockaddr *address,
                                            socklen_t *length))
{
    struct sockaddr_in address;
    socklen_t length = sizeof(address);

    if (name(fd, (struct sockaddr *)&address, &length) == -1)
        return 0;
    return ntohs(address.sin_port);
}

/** Let the peer read what was sent; or not, if it does not want to. */
static void let_read(const struct rude *rude)
{
    unsigned port = port_of(rude->fd, getpeername);
    unsigned ours = port_of(rude->fd, getsockname);
    int64_t end = now_ms() + 100;

    while (tcp_has_read(port, ours) == TCP_NO && now_ms() < end)
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

bool rude_say_slowly(struct rude *rude, const char *text)
{
    enum { SURELY_ALONE = 4 }; /* to look at the table takes its time */

    for (size_t i = 0; text[i] != '\0'; i++) {
        if (!rude_send(rude, &text[i], 1))
            return false;
        /* Give the reader a chance to see this byte alone. */
        if (i < SURELY_ALONE)
            let_read(rude);
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
    return true;
}

size_t rude_take(struct rude *rude, size_t room, long ms)
{
    int64_t end = now_ms() + patience(ms);
    ssize_t got;

    if (rude->ended || rude->broken || !ready(rude, POLLIN, end))
        return 0;
    rude->text = realloc(rude->text, rude->length + room + 1);
    got = recv(rude->fd, rude->text + rude->length, room, 0);
    rude->ended = got == 0;
    rude->broken = got == -1;
    rude->length += got > 0 ? (size_t)got : 0;
    rude->text[rude->length] = '\0';
    return got > 0 ? (size_t)got : 0;
}

bool rude_hear(struct rude *rude, const char *words, long ms)
{
    int64_t end = now_ms() + patience(ms);

    while (strstr(rude->text, words) == NULL) {
        if (rude->ended || rude->broken || now_ms() >= end)
            return false;
        rude_take(rude, 65536, 50);
    }
    return true;
}

/** How much is in the chunk that begins here? 0: it is the last one, or none
 * that everybody reads in the same way. */
static size_t chunk_size(const char *at, const char **content)
{
    size_t digits = strspn(at, "0123456789abcdefABCDEF");

    if (digits == 0 || digits > 8 || strncmp(at + digits, "\r\n", 2) != 0)
        return 0;
    *content = at + digits + 2;
    return strtoul(at, NULL, 16);
}

/** What chunks carry, as if it were all in one, and what stands behind. */
static void unchunk(const char *at, char *out)
{
    const char *content = at;
    size_t size;

    while ((size = chunk_size(at, &content)) > 0 &&
           strnlen(content, size + 2) == size + 2 &&
           strncmp(content + size, "\r\n", 2) == 0) {
        memcpy(out, content, size);
        out += size;
        at = content + size + 2;
    }
    memcpy(out, at, strlen(at) + 1);
}

/** Has it come? */
static bool has_chunks(const struct rude *rude, const char *content,
                       const char *rest)
{
    const char *field = strstr(rude->text, "chunked\r\n");
    const char *body = field == NULL ? NULL : strstr(field, "\r\n\r\n");
    size_t length = strlen(content);
    char *joined;
    bool has;

    if (body == NULL)
        return false;
    joined = malloc(strlen(body) + 1);
    unchunk(body + 4, joined);
    has = strncmp(joined, content, length) == 0 &&
          strncmp(joined + length, rest, strlen(rest)) == 0;
    free(joined);
    return has;
}

bool rude_hear_chunks(struct rude *rude, const char *content, const char *rest,
                      long ms)
{
    int64_t end = now_ms() + patience(ms);

    while (!has_chunks(rude, content, rest)) {
        if (rude->ended || rude->broken || now_ms() >= end)
            return false;
        rude_take(rude, 65536, 50);
    }
    return true;
}

bool rude_hear_end(struct rude *rude, long ms)
{
    int64_t end = now_ms() + patience(ms);

    while (!rude->ended && !rude->broken && now_ms() < end)
        rude_take(rude, 65536, 50);
    return rude->ended || rude->broken;
}

void rude_forget(struct rude *rude)
{
    rude->length = 0;
    rude->text[0] = '\0';
}

int rude_status(const struct rude *rude)
{
    int status = 0;

    sscanf(rude->text, "HTTP/1.%*1[01] %3d", &status);
    return status;
}

void rude_shut(struct rude *rude)
{
    shutdown(rude->fd, SHUT_WR);
}

void rude_reset(struct rude *rude)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(rude->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    rude_close(rude);
}

void rude_close(struct rude *rude)
{
    if (rude->fd != -1)
        close(rude->fd);
    rude->fd = -1;
    free(rude->text);
    rude->text = NULL;
}

int rude_listen(unsigned *port)
{
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(where);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (bind(fd, (struct sockaddr *)&where, length) == 0 &&
        listen(fd, 16) == 0 &&
        getsockname(fd, (struct sockaddr *)&where, &length) == 0) {
        *port = ntohs(where.sin_port);
        return fd;
    }
    close(fd);
    return -1;
}

bool rude_accept(struct rude *rude, int listener, long ms)
{
    struct rude door = {.fd = listener};

    if (!ready(&door, POLLIN, now_ms() + patience(ms)))
        return false;
    rude_init(rude, accept(listener, NULL, NULL));
    return rude->fd != -1;
}

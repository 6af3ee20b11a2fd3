/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Each client waits for its answer in a poll() over all of them. A head is
 * gathered until its blank line; after it, as many bytes as Content-Length
 * says are compared with what the body must be, as they come.
 */
#include "clients.h"

#include "body.h"
#include "verdict.h"
#include "wait.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEAD_SIZE = 4096,       /* the longest response head */
    PIECE_SIZE = 64 * 1024, /* received at once */
    SILENCE_MS = 10 * 1000, /* after which nothing more is awaited */
};

struct client {
    int fd;
    bool waits;  /**< for an answer, or for the rest of one */
    size_t used; /**< bytes of the head */
    size_t size; /**< of the body it asked for */
    size_t seen; /**< bytes of the body so far */
    bool in_body;
    char head[HEAD_SIZE + 1];
};

struct crowd {
    unsigned port;
    size_t count;
    struct client *clients;
    struct pollfd *polled;
};

/** What came of reading once. */
enum heard { HEARD_PART, HEARD_ALL, HEARD_WRONG };

static char *expected; /* PIECE_SIZE bytes of body from any place on */

static int dial(unsigned port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    complain("cannot connect to port %u: %s", port, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool client_ask(struct client *client, size_t size, bool is_last)
{
    char text[160];
    int length = snprintf(text, sizeof(text),
                          "GET /bytes/%zu HTTP/1.1\r\nHost: bench\r\n%s\r\n",
                          size, is_last ? "Connection: close\r\n" : "");

    client->waits = true;
    client->in_body = false;
    client->used = client->seen = 0;
    client->size = size;
    if (send(client->fd, text, (size_t)length, MSG_NOSIGNAL) == length)
        return true;
    complain("cannot send a request: %s", strerror(errno));
    return false;
}

static enum heard hear_body(struct client *client, const char *bytes,
                            size_t length)
{
    const char *right = expected + client->seen % BODY_PERIOD;

    if (length > client->size - client->seen ||
        memcmp(bytes, right, length) != 0) {
        complain("a body of %zu bytes is wrong after its first %zu",
                 client->size, client->seen);
        return HEARD_WRONG;
    }
    client->seen += length;
    return client->seen == client->size ? HEARD_ALL : HEARD_PART;
}

/** The head is whole: is it one that we can like? */
static bool head_is_right(struct client *client)
{
    const char *length = strcasestr(client->head, "\r\nContent-Length:");

    if (strncmp(client->head, "HTTP/1.1 200 ", 13) != 0) {
        complain("an answer began with \"%.32s\"", client->head);
        return false;
    }
    if (length == NULL || strtoul(length + 17, NULL, 10) != client->size) {
        complain("an answer of %zu bytes did not say so", client->size);
        return false;
    }
    return true;
}

static enum heard hear_head(struct client *client, const char *bytes,
                            size_t length)
{
    size_t before = client->used, taken = HEAD_SIZE - before;
    char *end;

    if (taken > length)
        taken = length;
    memcpy(client->head + before, bytes, taken);
    client->head[before + taken] = '\0';
    client->used += taken;
    end = strstr(client->head, "\r\n\r\n");
    if (end == NULL && client->used < HEAD_SIZE)
        return HEARD_PART;
    if (end == NULL || !head_is_right(client))
        return HEARD_WRONG;
    client->in_body = true;
    taken = (size_t)(end + 4 - client->head) - before;
    return hear_body(client, bytes + taken, length - taken);
}

static enum heard client_hear(struct client *client)
{
    static char piece[PIECE_SIZE];
    ssize_t got = recv(client->fd, piece, sizeof(piece), MSG_DONTWAIT);

    if (got > 0)
        return client->in_body ? hear_body(client, piece, (size_t)got)
                               : hear_head(client, piece, (size_t)got);
    if (got < 0 && errno == EAGAIN)
        return HEARD_PART;
    complain("a connection ended %s: %s",
             client->in_body ? "inside a body" : "before an answer",
             got == 0 ? "closed" : strerror(errno));
    return HEARD_WRONG;
}

/** The rest of an answer will not come, or nobody wants it. */
static void client_leave(struct client *client)
{
    if (client->fd >= 0)
        close(client->fd);
    client->fd = -1;
    client->waits = false;
}

struct crowd *crowd_open(unsigned port, size_t count)
{
    struct crowd *crowd = calloc(1, sizeof(*crowd));

    if (expected == NULL) {
        expected = malloc(PIECE_SIZE + BODY_PERIOD);
        body_fill(expected, PIECE_SIZE + BODY_PERIOD);
    }
    crowd->port = port;
    crowd->clients = calloc(count, sizeof(*crowd->clients));
    crowd->polled = calloc(count, sizeof(*crowd->polled));
    while (crowd->count < count) {
        int fd = dial(port);

        if (fd < 0) {
            crowd_close(&crowd);
            return NULL;
        }
        crowd->clients[crowd->count++].fd = fd;
    }
    return crowd;
}

/** Wait until some client has something to read. */
static bool crowd_wait(struct crowd *crowd)
{
    size_t i;

    for (i = 0; i < crowd->count; i++) {
        struct client *client = &crowd->clients[i];

        crowd->polled[i] = (struct pollfd){
            .fd = client->waits ? client->fd : -1, .events = POLLIN};
    }
    if (poll(crowd->polled, crowd->count, (int)patience(SILENCE_MS)) > 0)
        return true;
    if (!interrupted())
        complain("no answer for %d seconds", SILENCE_MS / 1000);
    return false;
}

/** Let this client ask, over a new connection if need be. */
static bool crowd_send(struct crowd *crowd, size_t i, size_t size,
                       bool one_each)
{
    struct client *client = &crowd->clients[i];

    if (client->fd < 0)
        client->fd = dial(crowd->port);
    return client->fd >= 0 && client_ask(client, size, one_each);
}

/** How far crowd_ask() has got. */
struct progress {
    size_t sent, answered, wanted, size;
    bool one_each;
};

/** Read what came for one client, and let it ask again. */
static bool crowd_hear(struct crowd *crowd, size_t i, struct progress *progress)
{
    struct client *client = &crowd->clients[i];
    enum heard heard = client_hear(client);

    if (heard == HEARD_WRONG) {
        client_leave(client);
        return false;
    }
    if (heard == HEARD_PART)
        return true;
    client->waits = false;
    progress->answered++;
    if (progress->one_each)
        client_leave(client);
    if (progress->sent == progress->wanted)
        return true;
    progress->sent++;
    return crowd_send(crowd, i, progress->size, progress->one_each);
}

/** Those who still wait when all is over close their connections. */
static void crowd_calm(struct crowd *crowd)
{
    size_t i;

    for (i = 0; i < crowd->count; i++)
        if (crowd->clients[i].waits)
            client_leave(&crowd->clients[i]);
}

size_t crowd_ask(struct crowd *crowd, size_t requests, size_t size,
                 bool one_each)
{
    struct progress progress = {0, 0, requests, size, one_each};
    bool goes_on = true;
    size_t i;

    for (i = 0; i < crowd->count && i < requests && goes_on; i++) {
        progress.sent++;
        goes_on = crowd_send(crowd, i, size, one_each);
    }
    while (goes_on && progress.answered < requests && crowd_wait(crowd))
        for (i = 0; i < crowd->count && goes_on; i++)
            if (crowd->polled[i].revents != 0)
                goes_on = crowd_hear(crowd, i, &progress);
    crowd_calm(crowd);
    return progress.answered;
}

void crowd_close(struct crowd **crowd)
{
    size_t i;

    if (*crowd == NULL)
        return;
    for (i = 0; i < (*crowd)->count; i++)
        client_leave(&(*crowd)->clients[i]);
    free((*crowd)->clients);
    free((*crowd)->polled);
    free(*crowd);
    *crowd = NULL;
}

bool taste(unsigned port, size_t size, bool one_each)
{
    struct crowd *crowd = crowd_open(port, 1);
    bool is_right = crowd != NULL && crowd_ask(crowd, 1, size, one_each) == 1;

    crowd_close(&crowd);
    return is_right;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The floor: what it costs to carry bytes from one socket to another, and
 * nothing else. No balancer that copies can be cheaper, so the distance to
 * this program is what a balancer pays for understanding what it carries.
 *
 * Each client connection gets an upstream connection of its own, the backends
 * taking turns, for both to live and die together: where one request ends and
 * the next begins, this program cannot know. A request with its response is
 * four data calls: receive and send, receive and send. Each socket is
 * registered once, edge-triggered, and a short read means that it is empty.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BUFFER_SIZE = 64 * 1024,
    MAX_BACKENDS = 16,
    MAX_EVENTS = 256,
    MAX_ACCEPTS = 64, /* in a row, before others have their turn */
    BACKLOG = 4096,
};

/** One end of a pair: bytes come in here and leave by the other end. */
struct end {
    int fd;
    struct end *other;
    struct pair *pair;
    bool is_readable; /**< there may be more to receive */
    bool has_ended;   /**< it will send no more than that */
    char *held;       /**< owned; what the other end did not take yet */
    size_t held_from, held_to;
};

struct pair {
    struct end client, upstream;
    bool is_closed;
    struct pair *next_closed;
};

static struct sockaddr_in backends[MAX_BACKENDS];
static size_t backend_count, backend_turn;
static int poller, listener;
static char buffer[BUFFER_SIZE]; /* one is enough: it is empty between turns */
static struct pair *closed;      /* to be freed once no event can mean them */

static void pair_close(struct pair *pair)
{
    if (pair->is_closed)
        return;
    close(pair->client.fd);
    close(pair->upstream.fd);
    free(pair->client.held);
    free(pair->upstream.held);
    pair->is_closed = true;
    pair->next_closed = closed;
    closed = pair;
}

/** Free what was closed in this turn of the loop. */
static void bury(void)
{
    while (closed != NULL) {
        struct pair *pair = closed;

        closed = pair->next_closed;
        free(pair);
    }
}

/** Keep bytes until the other end takes them. */
static bool hold(struct end *from, const char *bytes, size_t length)
{
    if (from->held == NULL)
        from->held = malloc(BUFFER_SIZE);
    if (from->held == NULL)
        return false;
    memcpy(from->held, bytes, length);
    from->held_from = 0;
    from->held_to = length;
    return true;
}

/** Send what is held. False when the connection is broken. */
static bool send_held(struct end *from)
{
    while (from->held_from < from->held_to) {
        ssize_t sent = send(from->other->fd, from->held + from->held_from,
                            from->held_to - from->held_from, MSG_NOSIGNAL);

        if (sent < 0)
            return errno == EAGAIN;
        from->held_from += (size_t)sent;
    }
    return true;
}

/** Receive once and send it on. False when the connection is broken. */
static bool carry_once(struct end *from)
{
    ssize_t got = recv(from->fd, buffer, sizeof(buffer), 0);
    ssize_t sent;

    if (got <= 0) {
        from->is_readable = false;
        from->has_ended = from->has_ended || got == 0;
        return got == 0 || errno == EAGAIN;
    }
    if ((size_t)got < sizeof(buffer) && !from->has_ended)
        from->is_readable = false;
    sent = send(from->other->fd, buffer, (size_t)got, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        return false;
    if (sent < 0)
        sent = 0;
    return sent == got || hold(from, buffer + sent, (size_t)(got - sent));
}

/** Carry all that can be carried now. False when the pair is at its end. */
static bool carry(struct end *from)
{
    do {
        if (!send_held(from))
            return false;
        if (from->held_from < from->held_to)
            return true;
        if (from->is_readable && !carry_once(from))
            return false;
    } while (from->is_readable);
    return !from->has_ended || from->held_from < from->held_to;
}

static bool watch(struct end *end)
{
    int yes = 1;
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        .data.ptr = end,
    };

    setsockopt(end->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    return epoll_ctl(poller, EPOLL_CTL_ADD, end->fd, &event) == 0;
}

static int dial(void)
{
    const struct sockaddr_in *to = &backends[backend_turn++ % backend_count];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)to, sizeof(*to)) != 0 &&
        errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

static void pair_open(int client)
{
    int upstream = dial();
    struct pair *pair = upstream < 0 ? NULL : calloc(1, sizeof(*pair));

    if (pair == NULL) {
        close(client);
        if (upstream >= 0)
            close(upstream);
        return;
    }
    pair->client =
        (struct end){.fd = client, .other = &pair->upstream, .pair = pair};
    pair->upstream =
        (struct end){.fd = upstream, .other = &pair->client, .pair = pair};
    if (!watch(&pair->client) || !watch(&pair->upstream))
        pair_close(pair);
}

static void accept_some(void)
{
    int i;

    for (i = 0; i < MAX_ACCEPTS; i++) {
        int client =
            accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (client < 0)
            return;
        pair_open(client);
    }
}

static void on_event(struct end *end, uint32_t events)
{
    if (end->pair->is_closed)
        return;
    if (events & (EPOLLERR | EPOLLHUP)) {
        /* What came before the end is still to be carried. */
        end->is_readable = end->has_ended = true;
        carry(end);
        pair_close(end->pair);
        return;
    }
    if (events & EPOLLRDHUP)
        end->has_ended = true;
    if (events & (EPOLLIN | EPOLLRDHUP))
        end->is_readable = true;
    if (end->is_readable && !carry(end)) {
        pair_close(end->pair);
        return;
    }
    if ((events & EPOLLOUT) && end->other->held_from < end->other->held_to &&
        !carry(end->other))
        pair_close(end->pair);
}

/** Learn the ports out of `http://127.0.0.1:PORT,...`. */
static bool backends_read(char *urls)
{
    char *url, *rest = NULL;

    for (url = strtok_r(urls, ",", &rest);
         url != NULL && backend_count < MAX_BACKENDS;
         url = strtok_r(NULL, ",", &rest)) {
        const char *colon = strrchr(url, ':');

        if (colon == NULL)
            return false;
        backends[backend_count++] = (struct sockaddr_in){
            .sin_family = AF_INET,
            .sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10)),
            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
    }
    return backend_count > 0;
}

static bool start_listening(unsigned port)
{
    struct epoll_event event = {.events = EPOLLIN};
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof(address);

    poller = epoll_create1(EPOLL_CLOEXEC);
    listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&address, length) != 0 ||
        listen(listener, BACKLOG) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &length) != 0 ||
        epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) != 0)
        return false;
    printf("listening on http://127.0.0.1:%u\n", ntohs(address.sin_port));
    return fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
    struct epoll_event events[MAX_EVENTS];

    if (argc != 5 || strcmp(argv[1], "--port") != 0 ||
        strcmp(argv[3], "--backends") != 0 || !backends_read(argv[4])) {
        fputs("usage: floor --port PORT --backends URL,URL,...\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (!start_listening((unsigned)strtoul(argv[2], NULL, 10))) {
        perror("floor: cannot listen");
        return 1;
    }
    for (;;) {
        int count = epoll_wait(poller, events, MAX_EVENTS, -1), i;

        for (i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL)
                accept_some();
            else
                on_event(events[i].data.ptr, events[i].events);
        }
        bury();
    }
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The origin of the bench: backends that cost as little as possible, so that
 * what is measured is the balancer. One thread stands behind several ports.
 * `GET /bytes/N` is answered by N bytes; answers are made once and sent from
 * memory, head and body in one call. What it has sent, it counts in a page of
 * memory shared with the bench, which can look at any moment without asking.
 *
 * For the test of the bench itself it can burn processor time for each
 * request, and give wrong answers.
 */
#include "body.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    INPUT_SIZE = 4096, /* the longest request head */
    MAX_ANSWERS = 16,  /* sizes, each with and without close */
    MAX_PORTS = 8,
    MAX_DESCRIPTORS = 64 * 1024,
    MAX_EVENTS = 256,
    MAX_ACCEPTS = 64,
    BACKLOG = 4096,
    WRONG_EVERY = 100, /* of answers whose status is wrong */
};

/** A response as it goes over the wire. */
struct answer {
    size_t body;    /**< bytes asked for */
    bool is_last;   /**< with `Connection: close` */
    const char *as; /**< owned; all of it, or NULL in an empty place */
    size_t length;
};

struct connection {
    int fd;
    bool is_last;    /**< close when the answer has gone */
    const char *out; /**< borrowed from an answer: what is left to send */
    size_t out_left;
    size_t used; /**< bytes of input */
    char input[INPUT_SIZE];
};

static struct answer answers[MAX_ANSWERS];
static struct connection *connections[MAX_DESCRIPTORS]; /* by descriptor */
static struct tally *tally;
static int poller, listeners[MAX_PORTS];
static unsigned port_count = 3;
static long burn_us;             /* processor time for each request */
static const char *wrong = "no"; /* or: byte, short, status */
static unsigned long served;

/* --- what is answered ---------------------------------------------------- */

static bool answer_make(struct answer *answer, size_t body, bool is_last)
{
    size_t sent = strcmp(wrong, "short") == 0 && body > 0 ? body - 1 : body;
    char *bytes = malloc(body + 256);
    int head;

    if (bytes == NULL)
        return false;
    head = snprintf(bytes, 256,
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                    "%sContent-Length: %zu\r\n\r\n",
                    is_last ? "Connection: close\r\n" : "", sent);
    body_fill(bytes + head, sent);
    if (strcmp(wrong, "byte") == 0 && sent > 0)
        bytes[head + (int)(sent / 2)] ^= 1;
    answer->body = body;
    answer->is_last = is_last;
    answer->as = bytes;
    answer->length = (size_t)head + sent;
    return true;
}

/** The answer of this size, made when it is asked for the first time. */
static const struct answer *answer_of(size_t body, bool is_last)
{
    static const char bad[] = "HTTP/1.1 500 Wrong\r\nContent-Length: 0\r\n\r\n";
    static const struct answer refusal = {0, false, bad, sizeof(bad) - 1};
    size_t i;

    if (strcmp(wrong, "status") == 0 && ++served % WRONG_EVERY == 0)
        return &refusal;
    for (i = 0; i < MAX_ANSWERS && answers[i].as != NULL; i++)
        if (answers[i].body == body && answers[i].is_last == is_last)
            return &answers[i];
    if (i == MAX_ANSWERS || body > BODY_MOST ||
        !answer_make(&answers[i], body, is_last))
        return &refusal;
    return &answers[i];
}

static int64_t thread_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void burn(void)
{
    int64_t end = thread_us() + burn_us;
    volatile int idle;

    /* The clock is the kernel's; most of the time shall be ours. */
    while (thread_us() < end)
        for (idle = 0; idle < 10000; idle++)
            ;
}

/** Does a request head ask to close? */
static bool asks_to_close(const char *head, const char *end)
{
    const char *line = head;

    while ((line = memmem(line, (size_t)(end - line), "\r\n", 2)) != NULL) {
        line += 2;
        if (end - line > 17 && strncasecmp(line, "connection: close", 17) == 0)
            return true;
    }
    return false;
}

/** Take one request out of the input. False when it is not whole yet. */
static bool take_request(struct connection *connection)
{
    char *head = connection->input;
    char *end = memmem(head, connection->used, "\r\n\r\n", 4);
    const struct answer *answer;
    size_t body = 0;

    if (end == NULL)
        return false;
    end += 4;
    if (strncmp(head, "GET /bytes/", 11) == 0)
        body = strtoul(head + 11, NULL, 10);
    connection->is_last = asks_to_close(head, end);
    answer = answer_of(body, connection->is_last);
    if (burn_us > 0)
        burn();
    connection->out = answer->as;
    connection->out_left = answer->length;
    connection->used -= (size_t)(end - head);
    memmove(head, end, connection->used);
    tally->answers++;
    return true;
}

/* --- connections --------------------------------------------------------- */

/** Send what is left of an answer. False when the connection is broken. */
static bool send_some(struct connection *connection)
{
    while (connection->out_left > 0) {
        ssize_t sent = send(connection->fd, connection->out,
                            connection->out_left, MSG_NOSIGNAL);

        if (sent < 0)
            return errno == EAGAIN;
        connection->out += sent;
        connection->out_left -= (size_t)sent;
        tally->bytes += (unsigned long)sent;
    }
    return true;
}

/** Answer what has come. False when the connection is at its end. */
static bool answer_all(struct connection *connection)
{
    do {
        if (!send_some(connection))
            return false;
        if (connection->out_left > 0)
            return true;
        if (connection->is_last)
            return false;
    } while (take_request(connection));
    return connection->used < sizeof(connection->input);
}

/** Receive until there is nothing more. False at the end. */
static bool receive_all(struct connection *connection)
{
    for (;;) {
        size_t room = sizeof(connection->input) - connection->used;
        ssize_t got =
            recv(connection->fd, connection->input + connection->used, room, 0);

        if (got <= 0)
            return got < 0 && errno == EAGAIN;
        connection->used += (size_t)got;
        if (!answer_all(connection))
            return false;
        if (connection->out_left > 0 || (size_t)got < room)
            return true;
    }
}

static void on_event(int fd, uint32_t events)
{
    struct connection *connection = connections[fd];
    bool goes_on = !(events & (EPOLLERR | EPOLLHUP));

    if (goes_on && connection->out_left > 0)
        goes_on = answer_all(connection);
    if (goes_on && connection->out_left == 0)
        goes_on = receive_all(connection);
    if (goes_on && !((events & EPOLLRDHUP) && connection->out_left == 0))
        return;
    connections[fd] = NULL;
    close(fd);
    free(connection);
}

static bool watch(int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    return epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void accept_one(int fd)
{
    int yes = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    if (fd < MAX_DESCRIPTORS)
        connections[fd] = malloc(sizeof(struct connection));
    if (fd >= MAX_DESCRIPTORS || connections[fd] == NULL) {
        close(fd);
        return;
    }
    connections[fd]->fd = fd;
    connections[fd]->is_last = false;
    connections[fd]->out_left = connections[fd]->used = 0;
    watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

static void accept_some(int listener)
{
    int i;

    for (i = 0; i < MAX_ACCEPTS; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0)
            return;
        accept_one(fd);
    }
}

/* --- start --------------------------------------------------------------- */

static unsigned start_listening(int *listener)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t length = sizeof(address);

    *listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(*listener, (struct sockaddr *)&address, length) != 0 ||
        listen(*listener, BACKLOG) != 0 ||
        getsockname(*listener, (struct sockaddr *)&address, &length) != 0 ||
        !watch(*listener, EPOLLIN))
        return 0;
    return ntohs(address.sin_port);
}

/** Count in this file, or for ourselves alone. */
static bool tally_open(const char *path)
{
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
    int flags = path == NULL ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;

    tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, flags, fd, 0);
    if (fd >= 0)
        close(fd);
    return tally != MAP_FAILED;
}

/** Read the flags; give the file to count in. */
static bool flags_read(char **argv, const char **path)
{
    for (argv++; argv[0] != NULL; argv += 2) {
        if (argv[1] == NULL)
            return false;
        if (strcmp(argv[0], "--ports") == 0)
            port_count = (unsigned)strtoul(argv[1], NULL, 10);
        else if (strcmp(argv[0], "--tally") == 0)
            *path = argv[1];
        else if (strcmp(argv[0], "--burn") == 0)
            burn_us = strtol(argv[1], NULL, 10);
        else if (strcmp(argv[0], "--wrong") == 0)
            wrong = argv[1];
        else
            return false;
    }
    return port_count >= 1 && port_count <= MAX_PORTS;
}

/** Open all ports, and say all of them at once. */
static bool open_ports(void)
{
    char text[MAX_PORTS * 64];
    size_t length = 0;
    unsigned i;

    poller = epoll_create1(EPOLL_CLOEXEC);
    for (i = 0; i < port_count; i++) {
        unsigned port = start_listening(&listeners[i]);

        if (port == 0)
            return false;
        length += (size_t)snprintf(text + length, sizeof(text) - length,
                                   "listening on http://127.0.0.1:%u\n", port);
    }
    return write(STDOUT_FILENO, text, length) == (ssize_t)length;
}

static bool is_listener(int fd)
{
    unsigned i;

    for (i = 0; i < port_count; i++)
        if (listeners[i] == fd)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    struct epoll_event events[MAX_EVENTS];
    const char *path = NULL;

    (void)argc;
    if (!flags_read(argv, &path)) {
        fputs("usage: origin [--ports COUNT] [--tally FILE]\n"
              "              [--burn MICROSECONDS] [--wrong byte|short|status]"
              "\n",
              stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (!tally_open(path) || !open_ports()) {
        perror("origin: cannot start");
        return 1;
    }
    for (;;) {
        int count = epoll_wait(poller, events, MAX_EVENTS, -1), i;

        for (i = 0; i < count; i++) {
            if (is_listener(events[i].data.fd))
                accept_some(events[i].data.fd);
            else
                on_event(events[i].data.fd, events[i].events);
        }
    }
}

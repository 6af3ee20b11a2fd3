/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * One exchange, in the order in which it happens:
 *
 *     client                       lb                      backend
 *       |  head, perhaps in pieces  |                          |
 *       | ------------------------> |  request_receive         |
 *       |                           |  pool_pick               |
 *       |                           |  upstream_open --------> |
 *       |                           |  head_send ------------> |
 *       |  body, Content-Length     |                          |
 *       | ------------------------> |  body_relay -----------> |
 *       |                           |  response_relay          |
 *       | <------------------------ | <----------------------- |
 *
 * When a backend gives no response, and retry_may agrees, the way begins again
 * at pool_pick. Each step waits for the one before; the other threads do not.
 */
#include "proxy.h"

#include "health.h"
#include "http.h"
#include "net.h"
#include "pool.h"
#include "retry.h"

#include <stdio.h>
#include <unistd.h>

/** A body of up to so many bytes is kept, so that it can be sent again. */
enum { BODY_KEPT_MAX = 65536 };

/** One request and its response. */
struct exchange {
    int client; /**< borrowed: the caller closes it */
    /** The head; behind it the body, if it is small enough to be kept. */
    char in[HEAD_BYTES_MAX + BODY_KEPT_MAX];
    size_t in_length;   /**< bytes received into it */
    struct head head;   /**< views into `in` */
    uint64_t body_left; /**< bytes of body that have not come yet */
};

/** Give an answer of our own instead of a backend's. */
static void answer(const struct exchange *exchange, unsigned status,
                   const char *why)
{
    char out[512];
    size_t length =
        answer_print(&exchange->head, status, why, out, sizeof(out));

    fprintf(stderr, "%u %s\n", status, why);
    socket_send_all(exchange->client, out, length);
}

/** Receive some more of the request. False: the client left. */
static bool receive_more(struct exchange *exchange)
{
    ssize_t got =
        socket_receive(exchange->client, exchange->in + exchange->in_length,
                       sizeof(exchange->in) - exchange->in_length);

    if (got <= 0) {
        fprintf(stderr, "the client left before its request was whole\n");
        return false;
    }
    exchange->in_length += (size_t)got;
    return true;
}

/** Receive until the head is whole. False: there is nothing to forward. */
static bool request_receive(struct exchange *exchange, int stop)
{
    enum head_result result = HEAD_MORE;

    while (result == HEAD_MORE) {
        if (!socket_wait(exchange->client, stop) || !receive_more(exchange))
            return false;
        result = head_read(&exchange->head, exchange->in, exchange->in_length);
    }
    if (result == HEAD_REFUSED) {
        answer(exchange, exchange->head.status, exchange->head.why);
        return false;
    }
    exchange->body_left = exchange->head.body_length;
    return true;
}

static bool head_send(const struct exchange *exchange, int upstream)
{
    char out[FORWARD_BYTES_MAX];

    return socket_send_all(upstream, out, forward_print(&exchange->head, out));
}

static size_t smaller(size_t room, uint64_t left)
{
    return left < room ? (size_t)left : room;
}

/** What came of the body together with the head. */
static bool body_send_early(struct exchange *exchange, int upstream)
{
    const char *body = exchange->in + exchange->head.length;
    size_t length = smaller(exchange->in_length - exchange->head.length,
                            exchange->body_left);

    exchange->body_left -= length;
    return socket_send_all(upstream, body, length);
}

/** Some clients wait for this before they send a body (RFC 9110, 10.1.1). */
static void continue_send(const struct exchange *exchange)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

    if (exchange->head.expects_continue)
        socket_send_all(exchange->client, go_on, sizeof(go_on) - 1);
}

/** Receive a small body whole before the first try. False: the client left. */
static bool body_keep(struct exchange *exchange, int stop)
{
    uint64_t whole = exchange->head.length + exchange->head.body_length;

    if (exchange->head.body_length > BODY_KEPT_MAX)
        return true;
    if (exchange->in_length < whole)
        continue_send(exchange);
    while (exchange->in_length < whole)
        if (!socket_wait(exchange->client, stop) || !receive_more(exchange))
            return false;
    return true;
}

/** Pass the body on, piece by piece. False: the client left in the middle. */
static bool body_relay(struct exchange *exchange, int upstream)
{
    char piece[16384];
    bool taken = body_send_early(exchange, upstream);

    if (exchange->body_left > 0)
        continue_send(exchange);
    /* A backend that takes no more has perhaps answered already: stop sending
     * and look. */
    while (taken && exchange->body_left > 0) {
        ssize_t got =
            socket_receive(exchange->client, piece,
                           smaller(sizeof(piece), exchange->body_left));

        if (got <= 0)
            return false;
        exchange->body_left -= (size_t)got;
        taken = socket_send_all(upstream, piece, (size_t)got);
    }
    return true;
}

/** Pass the response on until the backend ends it; tell how long it was. */
static uint64_t response_relay(const struct exchange *exchange, int upstream)
{
    char piece[16384];
    uint64_t relayed = 0;

    for (;;) {
        ssize_t got = socket_receive(upstream, piece, sizeof(piece));

        if (got <= 0)
            return relayed;
        relayed += (uint64_t)got;
        if (!socket_send_all(exchange->client, piece, (size_t)got)) {
            fprintf(stderr, "the client left before the response ended\n");
            return relayed;
        }
    }
}

/** Send the request to a backend that has accepted us, and relay its answer. */
static enum attempt relay(struct exchange *exchange, int upstream)
{
    /* A second try sends the whole body again. */
    exchange->body_left = exchange->head.body_length;
    /* A backend that refuses our head may already have answered, so we look for
     * a response even if sending failed. */
    if (head_send(exchange, upstream) && !body_relay(exchange, upstream)) {
        fprintf(stderr, "the client left before its body was whole\n");
        return ATTEMPT_ABANDONED;
    }
    return response_relay(exchange, upstream) == 0 ? ATTEMPT_UNANSWERED
                                                   : ATTEMPT_ANSWERED;
}

/** One try: take the request to this backend. */
static enum attempt try_backend(struct exchange *exchange,
                                struct backend *backend)
{
    const struct head *head = &exchange->head;
    enum attempt ended;
    int upstream;

    fprintf(stderr, "%.*s %.*s -> %s\n", (int)head->method.length,
            head->method.at, (int)head->target.length, head->target.at,
            backend->address.url);
    upstream = upstream_open(&backend->address);
    if (upstream == -1) {
        health_blame(backend, "no connection");
        return ATTEMPT_UNCONNECTED;
    }
    ended = relay(exchange, upstream);
    close(upstream);
    if (ended == ATTEMPT_UNANSWERED)
        health_blame(backend, "no response");
    return ended;
}

/** Take the request to a backend, and to another if need be and it may. */
static void forward(struct exchange *exchange, struct pool *pool)
{
    bool body_kept = exchange->head.body_length <= BODY_KEPT_MAX;
    struct backend *backend;
    uint64_t tried = 0;
    unsigned tries = 0;
    char why[64];

    while (tries < TRIES_MAX && (backend = pool_pick(pool, &tried)) != NULL) {
        enum attempt ended = try_backend(exchange, backend);

        pool_give(pool, backend);
        tries++;
        /* Over: the client has a response, or has left. */
        if (ended == ATTEMPT_ANSWERED || ended == ATTEMPT_ABANDONED)
            return;
        if (!retry_may(ended, &exchange->head, body_kept))
            break;
    }
    if (tries == 0) {
        answer(exchange, 503, "no backend is up");
        return;
    }
    snprintf(why, sizeof(why), "no backend has answered (tries: %u)", tries);
    answer(exchange, 502, why);
}

void proxy_serve(int client, struct pool *pool, int stop)
{
    struct exchange exchange = {.client = client};

    if (request_receive(&exchange, stop) && body_keep(&exchange, stop))
        forward(&exchange, pool);
    /* More of the request may be on its way, if we refused its head or did not
     * want its body. */
    if (exchange.head.status != 0 || exchange.body_left > 0)
        socket_linger(client);
}

void proxy_refuse(int client)
{
    struct exchange exchange = {.client = client};

    answer(&exchange, 503, "too many clients at once");
    socket_linger(client);
}

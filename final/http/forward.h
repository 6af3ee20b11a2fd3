/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file forward.h
 * @brief The heads that we pass on: what goes, what stays, what we add.
 *
 * A head is not copied but written anew from what was understood: fields that
 * were meant for one connection go (RFC 9110, 7.6.1), the framing is our own,
 * and we say who asked and that the message came through us.
 *
 *  - forward_print_request() writes the head for a backend;
 *  - forward_print_response() writes the head for a client.
 *
 * @floor{http}
 * @thread{any}
 */
#ifndef HTTP_FORWARD_H
#define HTTP_FORWARD_H

#include "http/head.h"

/** What we know that the client's head does not say. */
struct forward_request {
    struct text client;     /**< address of the peer, such as `192.0.2.7` or
                                 `2001:db8::1`, without a port */
    struct text scheme;     /**< `http` or `https`, as the client spoke to us */
    struct text request_id; /**< for X-Request-Id; used when the client is not
                                 trusted or sent none */
    struct text via;        /**< our name in Via, such as `steelyard` */
    bool is_trusted;        /**< the peer is one of the listed proxies: what it
                                 says in X-Forwarded-* and Forwarded stands and
                                 is added to; else it is replaced */
    unsigned attempt;       /**< 1, 2, ...; from 2 on told in
                                 `X-Steelyard-Attempt` */
    bool is_last;           /**< the connection serves no request after it */
    bool passes_trailers;   /**< ask for trailers: `TE: trailers` goes on */
};

/** What we decided about a response. */
struct forward_response {
    enum framing framing; /**< how the client finds the end of the body: the
                                backend's, but FRAMING_CLOSE where chunks are
                                not understood, FRAMING_CHUNKED where the
                                backend's end is the end of the connection */
    bool closes;          /**< write `Connection: close` */
    bool says_keep_alive; /**< write `Connection: keep-alive` (HTTP/1.0) */
    struct text via;      /**< our name in Via */
    struct text cookie;   /**< a whole Set-Cookie value to add, or empty */
    struct text backend;  /**< for `X-Steelyard-Backend`, or empty */
    struct text date;     /**< for Date if the backend sent none (RFC 9110,
                                6.6.1), or empty */
};

/** Bytes that a head may grow by, beyond the texts of the facts above. */
enum { FORWARD_GROWTH_MAX = 1024 };

/**
 * Write the head of a request for a backend.
 *
 * - An absolute-form target becomes origin-form, and its authority replaces
 *   Host (RFC 9112, 3.2.2). The version is HTTP/1.1; `Host` stands first; an
 *   HTTP/1.0 request without Host gets `Host:` with an empty value.
 * - Content-Length or `Transfer-Encoding: chunked` by `head->framing`. A
 *   request with #FRAMING_NONE has neither, but `Content-Length: 0` if the
 *   client sent it.
 * - Expect goes on, but not from HTTP/1.0. Upgrade and `Connection: upgrade` go
 *   on when the head wants_upgrade; `TE: trailers` and `Connection: TE` when the
 *   client sent it and we pass trailers; `Connection: close` when it is the
 *   last one and no upgrade; else no Connection field is written (HTTP/1.1
 *   persists).
 * - X-Forwarded-For, -Proto, -Host, Forwarded (for, host, proto; RFC 7239, with
 *   quotes where needed), Via (RFC 9110, 7.6.3), X-Request-Id.
 *
 * @param out  where it goes
 * @param room bytes there; head->length plus FORWARD_GROWTH_MAX plus the
 *             lengths of the facts (the client's and the host's counted twice)
 *             are enough
 * @return how many bytes were written; 0 when there was not enough room
 */
size_t forward_print_request(const struct head *head,
                             const struct forward_request *facts, char *out,
                             size_t room);

/**
 * Write the head of a response for a client: status line (HTTP/1.1, with the
 * backend's status and reason), its fields, our framing, our additions. For
 * 1xx, 204 and 304, and for responses to HEAD, the framing fields stand as the
 * backend wrote them where that is allowed (RFC 9110, 8.6) and nothing is
 * added to 1xx but Via. 101 keeps Upgrade and `Connection: upgrade`.
 *
 * @return as above
 */
size_t forward_print_response(const struct head *head,
                              const struct forward_response *facts, char *out,
                              size_t room);

#endif

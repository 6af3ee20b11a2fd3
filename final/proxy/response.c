/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The head of a response is understood, and written anew for the client. There
 * may be several: `100 Continue` and its like come first.
 */
#include "proxy/response.h"

#include "http/forward.h"
#include "proxy/attempt.h"
#include "proxy/exchange.h"
#include "proxy/worker.h"

#include <stdio.h>

/** Does the client find the end of this response, and how? */
static enum framing framing_down(const struct exchange *exchange)
{
    bool old = exchange->request.minor == 0;

    switch (exchange->response.framing) {
    case FRAMING_CHUNKED:
    case FRAMING_CLOSE: return old ? FRAMING_CLOSE : FRAMING_CHUNKED;
    case FRAMING_LENGTH: return FRAMING_LENGTH;
    case FRAMING_NONE: break;
    }
    return FRAMING_NONE;
}

/** All tries, the last of which is being answered: who served this? */
static struct text show_tries(const struct exchange *exchange, char *out,
                              size_t room)
{
    size_t used = 0;

    for (unsigned i = 0; i < exchange->try_count && used < room; i++) {
        const struct try *try = &exchange->tries[i];
        bool is_last = i + 1 == exchange->try_count;

        used += (size_t)snprintf(
            out + used, room - used, "%s%s=%s", i > 0 ? ", " : "",
            try->backend->url, is_last ? "served" : attempt_words(try->ended));
    }
    return text_of(used < room ? out : exchange->backend->url);
}

/** Print the response's head for the client; false: there is no room for it,
 * behind other heads that the client has not taken. */
static bool pass_head(struct exchange *exchange, enum framing framing)
{
    const struct settings *settings = exchange_settings(exchange);
    char cookie[160] = "", tries[1024] = "";
    size_t room = flow_room(&exchange->down);
    char *out = flow_write(&exchange->down, room);
    struct forward_response facts = {
        .framing = framing,
        .closes = exchange->closes,
        .says_keep_alive = exchange->request.minor == 0 && !exchange->closes,
        .via = text_of(settings->via),
        .backend = settings->show_backend
                       ? show_tries(exchange, tries, sizeof(tries))
                       : text_of(""),
    };
    size_t length;

    if (*settings->sticky_cookie != '\0' &&
        exchange_preferred(exchange) != exchange->backend)
        snprintf(cookie, sizeof(cookie), "%s=%016llx; Path=/; HttpOnly",
                 settings->sticky_cookie,
                 (unsigned long long)exchange->backend->identity);
    facts.cookie = text_of(cookie);
    length = forward_print_response(&exchange->response, &facts, out, room);
    flow_wrote(&exchange->down, length);
    return length > 0;
}

/** `100 Continue` and its like: pass it on, and go on waiting. */
static bool pass_interim(struct exchange *exchange)
{
    const struct head_limits limits = exchange->response.limits;
    enum head_kind kind = exchange->response.kind;

    if (exchange->request.minor == 1 && !pass_head(exchange, FRAMING_NONE))
        return false;
    if (exchange->response.status == 100)
        exchange->said_continue = true;
    flow_skip_head(&exchange->down, exchange->response.length);
    head_begin(&exchange->response, kind, &limits);
    return true;
}

/** From now on, bytes are passed on as they come. */
static void begin_tunnel(struct exchange *exchange)
{
    exchange->is_tunnel = true;
    exchange->closes = true;
    body_begin_endless(&exchange->request_body);
    body_begin_endless(&exchange->response_body);
    exchange->up.keeps = exchange->up.is_chunked = false;
    exchange->request_over = false;
    if (flow_raw(&exchange->up) > 0)
        flow_decode(&exchange->up, &exchange->request_body);
}

/** The final head has come. */
static bool begin_response(struct exchange *exchange)
{
    struct head *head = &exchange->response;
    enum framing framing = framing_down(exchange);
    bool tunnels = head->status == 101 && exchange->request.wants_upgrade;
    int64_t took_us;

    exchange->has_response = true;
    exchange->status = head->status;
    exchange->first_byte_us = loop_now_us(exchange->worker->loop);
    took_us = exchange->first_byte_us -
              exchange->tries[exchange->try_count - 1].began_us;
    if (head->status >= 500)
        backend_add_failure(exchange->backend, took_us);
    else
        backend_add_latency(exchange->backend, took_us);
    if (framing == FRAMING_CLOSE || !exchange->request_over ||
        atomic_load_explicit(&exchange->worker->proxy->drains,
                             memory_order_relaxed))
        exchange->closes = true;
    if (!pass_head(exchange, framing))
        return false;
    flow_skip_head(&exchange->down, head->length);
    body_begin(&exchange->response_body, head);
    exchange->down.is_chunked = framing == FRAMING_CHUNKED;
    if (tunnels)
        begin_tunnel(exchange);
    return true;
}

/** The first bytes of a response have come. Until then its head is left alone:
 * with many requests under way, it would be out of the cache again by now. */
static void expect_head(struct exchange *exchange)
{
    struct head_limits limits = {
        .head_bytes = exchange_settings(exchange)->response_head_bytes};

    if (!exchange->expects_head)
        return;
    exchange->expects_head = false;
    head_begin(&exchange->response,
               exchange->request.method_id == METHOD_HEAD
                   ? HEAD_RESPONSE_TO_HEAD
                   : HEAD_RESPONSE,
               &limits);
}

bool response_take(struct exchange *exchange)
{
    struct flow *down = &exchange->down;
    bool is_under_way = exchange->has_response;

    expect_head(exchange);
    while (!exchange->has_response && flow_raw(down) > 0) {
        switch (
            head_read(&exchange->response, flow_bytes(down), flow_raw(down))) {
        case HEAD_MORE: return true;
        case HEAD_REFUSED: return false;
        case HEAD_DONE: break;
        }
        bool is_interim =
            exchange->response.status < 200 && exchange->response.status != 101;

        if (is_interim ? !pass_interim(exchange) : !begin_response(exchange))
            return false;
    }
    if (!exchange->has_response || flow_raw(down) == 0)
        return true;
    if (flow_decode(down, &exchange->response_body) != BODY_REFUSED)
        return true;
    /* When its head has come just now, not a byte of it has gone out yet, and
     * the client can still be told. */
    if (!is_under_way) {
        exchange->has_response = false;
        exchange->response.why = exchange->response_body.why;
    }
    return false;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * An exchange from its first byte to the last, but for what it has to do with a
 * backend:
 *
 *     exchange_take()    it is made
 *     exchange_read()    head_read(), then the beginning of the body
 *     exchange_answer()  an answer of our own, when there is none from a backend
 *     exchange_next()    it becomes the next one; exchange_give() ends it
 *
 * Its tries to reach a backend stand in attempt.c, what is done with the bytes
 * then in relay.c.
 */
#include "proxy/exchange.h"

#include "base/must.h"
#include "http/answer.h"
#include "http/bytes.h"
#include "proxy/client.h"
#include "proxy/complaint.h"
#include "proxy/worker.h"
#include "upstream/connection.h"

#include <stdlib.h>
#include <string.h>

enum {
    BODY_GRACE_MS = 3000
}; /* a body may come as slowly as it likes for this */

const struct settings *exchange_settings(const struct exchange *exchange)
{
    return exchange->terms->settings;
}

static int64_t now_us(const struct exchange *exchange)
{
    return loop_now_us(exchange->worker->loop);
}

/* --- made and ended -------------------------------------------------------- */

/** All but its memory, and the bytes that may have come already. */
static void reset(struct exchange *exchange)
{
    const struct settings *settings = exchange_settings(exchange);
    struct head_limits limits = {.head_bytes = settings->head_bytes,
                                 .target_bytes = settings->target_bytes};

    head_begin(&exchange->request, HEAD_REQUEST, &limits);
    exchange->try_count = exchange->unconnected = exchange->repeated = 0;
    exchange->tried = (struct backend_set){{0}};
    exchange->has_begun = exchange->is_reused = exchange->was_stale = false;
    exchange->is_retry = exchange->was_sent = exchange->request_over = false;
    exchange->up_ended = exchange->has_response = exchange->down_ended = false;
    exchange->is_tunnel = exchange->client_ended = false;
    exchange->client_left = false;
    exchange->backend_ended = exchange->said_continue = false;
    exchange->closes = exchange->is_cut = exchange->has_moved = false;
    exchange->is_hungry = exchange->expects_head = false;
    exchange->request_body = (struct body){.framing = FRAMING_NONE};
    exchange->body_taken = 0;
    exchange->body_waited_ms = exchange->body_wait_ms = 0;
    exchange->response_body = (struct body){.framing = FRAMING_NONE};
    exchange->status = 0;
    exchange->end_reason = NULL;
    exchange->request_id[0] = '\0';
    exchange->began_us = exchange->connected_us = exchange->first_byte_us = 0;
}

struct exchange *exchange_take(struct worker *worker, struct stream *client,
                               const union address *from,
                               const union address *to,
                               void (*wake)(void *session), void *session)
{
    struct link *link = list_take_first(&worker->spare_exchanges);
    struct exchange *exchange;

    if (link != NULL)
        exchange = list_item(link, struct exchange, waiting);
    else
        exchange = xnew(1, sizeof(*exchange));
    exchange->magic = EXCHANGE_MAGIC;
    exchange->worker = worker;
    exchange->terms = terms_hold(worker->terms);
    exchange->client = client;
    exchange->from = from;
    exchange->to = to;
    exchange->wake = wake;
    exchange->session = session;
    flow_init(&exchange->up, &worker->blocks);
    flow_init(&exchange->down, &worker->blocks);
    reset(exchange);
    return exchange;
}

void exchange_note_try(struct exchange *exchange, bool served,
                       enum attempt ended)
{
    struct try *try = &exchange->tries[exchange->try_count - 1];

    try->took_us = now_us(exchange) - try->began_us;
    try->served = served;
    try->ended = ended;
}

void exchange_leave_queue(struct exchange *exchange)
{
    if (!link_is_on(&exchange->waiting))
        return;
    list_remove(&exchange->waiting);
    atomic_fetch_sub(&exchange->terms->pool->waiting, 1);
}

void exchange_release(struct exchange *exchange)
{
    struct pool *pool = exchange->terms->pool;

    exchange_leave_queue(exchange);
    timer_clear(&exchange->patience);
    upstream_free(&exchange->upstream);
    if (exchange->backend != NULL)
        pool_give(pool, exchange->backend);
    exchange->backend = NULL;
    if (exchange->is_retry)
        pool_end_retry(pool);
    exchange->is_retry = false;
}

void exchange_abandon(struct exchange *exchange, const char *why)
{
    if (exchange->backend != NULL && exchange->try_count > 0)
        exchange_note_try(exchange, false, ATTEMPT_ABANDONED);
    exchange_release(exchange);
    exchange->end_reason = why;
    exchange->is_cut = true;
    if (exchange->status == 0)
        exchange->status = 499;
}

void exchange_lose_client(struct exchange *exchange)
{
    exchange->client_left = true;
    exchange_abandon(exchange, "the client left");
}

void exchange_give(struct exchange **owned)
{
    struct exchange *exchange = *owned;

    exchange_release(exchange);
    terms_drop(&exchange->terms);
    flow_fini(&exchange->up);
    flow_fini(&exchange->down);
    list_put_after(&exchange->worker->spare_exchanges, &exchange->waiting);
    *owned = NULL;
}

void exchanges_forget(struct worker *worker)
{
    struct link *link;

    while ((link = list_take_first(&worker->spare_exchanges)) != NULL)
        free(list_item(link, struct exchange, waiting));
}

bool exchange_has_more(const struct exchange *exchange)
{
    return flow_raw(&exchange->up) > 0;
}

void exchange_next(struct exchange *exchange)
{
    struct flow *up = &exchange->up;

    exchange_release(exchange);
    terms_drop(&exchange->terms);
    exchange->terms = terms_hold(exchange->worker->terms);
    flow_fini(&exchange->down);
    flow_init(&exchange->down, &exchange->worker->blocks);
    flow_restart(up);
    reset(exchange);
}

void exchange_complain(const struct exchange *exchange,
                       const struct backend *backend, enum state now,
                       enum setting limit, const char *why)
{
    struct complaint_facts facts = {
        .request_id = exchange->request_id,
        .client = exchange->client_text,
        .backend = backend,
        .try_count = exchange->try_count,
        .step = now,
        .limit = limit,
        .why = why,
        .now_ms = loop_now(exchange->worker->loop),
    };

    complaint_tell(&exchange->worker->proxy->complaints,
                   exchange_settings(exchange), &facts);
}

/* --- the request ----------------------------------------------------------- */

/** The name that a listed proxy has given to this request, if we can log it. */
static bool take_name(struct exchange *exchange)
{
    const struct field *field =
        head_find(&exchange->request, FIELD_X_REQUEST_ID);
    struct text name = field == NULL ? text_of("") : field->value;

    if (name.length >= sizeof(exchange->request_id) ||
        !text_is_of(name, BYTE_TOKEN) ||
        !client_is_trusted(exchange->terms->configuration, exchange->from))
        return false;
    memcpy(exchange->request_id, name.at, name.length);
    exchange->request_id[name.length] = '\0';
    return true;
}

/** A number that nobody else has, for people who ask about this request. */
static void name_request(struct exchange *exchange)
{
    struct proxy *proxy = exchange->worker->proxy;
    uint64_t number;
    char *out = exchange->request_id;

    if (take_name(exchange))
        return;
    number =
        atomic_fetch_add_explicit(&proxy->identifiers, 1, memory_order_relaxed);
    out += hex_print(proxy->identity >> 32, 8, out);
    *out++ = '-';
    out += hex_print(number, 8, out);
    *out = '\0';
}

/** This body goes no further. @return false */
static bool refuse_body(struct exchange *exchange, unsigned status,
                        const char *why)
{
    exchange->refused_with = status;
    exchange->refused = why;
    return false;
}

bool exchange_take_body(struct exchange *exchange)
{
    const struct settings *settings = exchange_settings(exchange);
    struct flow *up = &exchange->up;
    size_t before = up->content;
    enum body_result result = flow_decode(up, &exchange->request_body);
    int64_t waited_ms = exchange->body_waited_ms;

    exchange->body_taken += up->content - before;
    if (up->tube != NULL)
        exchange->body_taken += up->tube->held; /* what has just come */
    if (result == BODY_REFUSED)
        return refuse_body(exchange, 400, exchange->request_body.why);
    if (settings->body_bytes > 0 && exchange->body_taken > settings->body_bytes)
        return refuse_body(exchange, 413,
                           "the body is larger than the limit (body-bytes)");
    if (result == BODY_MORE && waited_ms > BODY_GRACE_MS &&
        exchange->body_taken * 1000 / (uint64_t)waited_ms < settings->body_rate)
        return refuse_body(exchange, 408,
                           "the body comes slower than allowed (body-rate)");
    return true;
}

static enum state redirect(struct exchange *exchange);

/** The request was understood; its body may have begun. */
static enum state begin(struct exchange *exchange)
{
    struct head *head = &exchange->request;
    const struct settings *settings = exchange_settings(exchange);
    union address client;

    exchange->has_begun = true;
    name_request(exchange);
    client = client_find(exchange->terms->configuration, head, exchange->from);
    address_print(&client, exchange->client_text);
    flow_skip_head(&exchange->up, head->length);
    body_begin(&exchange->request_body, head);
    exchange->up.is_chunked = head->framing == FRAMING_CHUNKED;
    exchange->up.keeps = true;
    exchange->closes = !head->keeps_alive;
    if (settings->body_bytes > 0 && head->framing == FRAMING_LENGTH &&
        head->body_length > settings->body_bytes)
        return exchange_answer(
            exchange, 413, "the body is larger than the limit (body-bytes)");
    if (flow_raw(&exchange->up) > 0 && !body_is_done(&exchange->request_body) &&
        !exchange_take_body(exchange))
        return exchange_answer(exchange, exchange->refused_with,
                               exchange->refused);
    if (settings->tls_redirect && !stream_is_secure(exchange->client))
        return redirect(exchange);
    return STATE_PICK;
}

static enum state refuse(struct exchange *exchange)
{
    unsigned status = exchange->request.status;

    exchange->has_begun = true;
    exchange->closes = true;
    name_request(exchange);
    address_print(exchange->from, exchange->client_text);
    return exchange_answer(exchange, status, exchange->request.why);
}

/** What there is may be whole, or not, or never be. */
static enum state look(struct exchange *exchange)
{
    switch (head_read(&exchange->request, flow_bytes(&exchange->up),
                      flow_raw(&exchange->up))) {
    case HEAD_DONE: return begin(exchange);
    case HEAD_REFUSED: return refuse(exchange);
    case HEAD_MORE: break;
    }
    return STATE_READ;
}

enum state exchange_read(struct exchange *exchange)
{
    enum state next = STATE_READ;

    if (exchange->began_us == 0)
        exchange->began_us = now_us(exchange);
    if (flow_raw(&exchange->up) > 0)
        next = look(exchange);
    while (next == STATE_READ) {
        switch (flow_fill(&exchange->up, exchange->client)) {
        case IO_DONE: next = look(exchange); break;
        case IO_WAIT: return STATE_READ;
        case IO_END:
        case IO_BROKEN: return STATE_LEAVE;
        }
    }
    return next;
}

/**
 * A client that says it will send no more may only have finished sending. But
 * while nobody works for it yet, it is taken at its word: the request goes to
 * no backend. A reset is clear at any time.
 */
bool exchange_is_abandoned(struct exchange *exchange, enum state now)
{
    unsigned ready = exchange->client->watch.ready;

    if (ready & READY_BROKEN)
        return true;
    return (ready & READY_END) &&
           (now == STATE_WAIT_PLACE || now == STATE_DIAL);
}

/* --- answers of our own ---------------------------------------------------- */

/** @param location where to send the client; NULL: nowhere */
static enum state answer_at(struct exchange *exchange, unsigned status,
                            const char *why,
                            const struct answer_location *location)
{
    size_t room = ANSWER_BYTES_MAX;
    struct flow *down = &exchange->down;
    struct answer answer = {
        .status = status,
        .why = why,
        .retry_after = status == 503 ? 1 : 0,
        .request_id = text_of(exchange->request_id),
        .location = location,
        .is_bare = exchange->request.method_id == METHOD_HEAD,
    };
    char *out;

    exchange_release(exchange);
    if (!body_is_done(&exchange->request_body))
        exchange->closes = true;
    answer.closes = exchange->closes;
    exchange->status = status;
    if (exchange->end_reason == NULL)
        exchange->end_reason = why;
    flow_restart(down);
    if (location != NULL)
        room += location->host.length + location->path.length;
    out = flow_write(down, room);
    must(out != NULL);
    flow_wrote(down, answer_print(&answer, out, room));
    return STATE_ANSWER;
}

enum state exchange_answer(struct exchange *exchange, unsigned status,
                           const char *why)
{
    return answer_at(exchange, status, why, NULL);
}

/** The same place at https (RFC 9110, 15.4.9: by the same method). */
static enum state redirect(struct exchange *exchange)
{
    const struct head *head = &exchange->request;
    unsigned port = exchange_settings(exchange)->tls_redirect_port;
    struct answer_location location = {head->authority, port, head->path};

    for (size_t i = location.host.length; i-- > 0;) {
        if (location.host.at[i] == ']')
            break;
        if (location.host.at[i] == ':')
            location.host.length = i;
    }
    if (port == 0)
        location.port = exchange->worker->proxy->tls_port;
    if (text_is(location.path, "*"))
        location.path = text_of("/");
    if (location.host.length == 0)
        return exchange_answer(exchange, 400,
                               "this place is at https only, and the request "
                               "names no host");
    return answer_at(exchange, 308, "this place is at https", &location);
}

enum state exchange_finish_answer(struct exchange *exchange)
{
    exchange->down.ends = exchange->closes;
    while (!flow_is_empty(&exchange->down)) {
        switch (flow_drain(&exchange->down, exchange->client)) {
        case IO_DONE: break;
        case IO_WAIT: return STATE_ANSWER;
        case IO_END:
        case IO_BROKEN:
            exchange->is_cut = exchange->client_left = true;
            return STATE_LEAVE;
        }
    }
    if (exchange->closes)
        return STATE_LEAVE;
    return exchange_has_more(exchange) ? STATE_READ : STATE_REST;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The one way back on the way of an exchange:
 *
 *     exchange_pick()    pool_pick(), idle_cache_take() or upstream_open()   <--+
 *     exchange_dial()    upstream_finish()                                      |
 *     ...                the request goes out: relay.c                          |
 *          |                                                                    |
 *     exchange_fail()    retry_may()? ------------------------------------------+
 *                        else exchange_answer()
 */
#include "proxy/attempt.h"

#include "base/must.h"
#include "http/cookie.h"
#include "http/forward.h"
#include "proxy/announce.h"
#include "proxy/client.h"
#include "proxy/exchange.h"
#include "proxy/worker.h"
#include "upstream/connection.h"
#include "upstream/health.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum {
    POST_REST_MS_MAX = 1000, /* a POST goes on no connection older than this */
    CONTINUE_MS = 1000,      /* so long may a backend think about Expect */
};

/** What the policy may go by, if it hashes. */
static uint64_t hash_key(const struct exchange *exchange)
{
    const char *on = exchange_settings(exchange)->hash_on;
    const struct head *head = &exchange->request;
    struct text text = text_of(exchange->client_text);

    if (strcmp(on, "path") == 0)
        text = head->path;
    else if (strncmp(on, "header:", 7) == 0)
        text = field_value(head, on + 7);
    else if (strncmp(on, "cookie:", 7) == 0)
        text = cookie_value(head, on + 7);
    return XXH3_64bits(text.at, text.length);
}

/** The backend that a cookie names, if there is one. */
struct backend *exchange_preferred(const struct exchange *exchange)
{
    const char *name = exchange_settings(exchange)->sticky_cookie;
    char word[20];
    struct text value;

    if (*name == '\0')
        return NULL;
    value = cookie_value(&exchange->request, name);
    if (value.length != 16)
        return NULL;
    memcpy(word, value.at, 16);
    word[16] = '\0';
    return pool_find(exchange->terms->pool, strtoull(word, NULL, 16));
}

/** The backend says nothing about Expect: the client is told to go on by us
 * (RFC 9110, 10.1.1). */
static void on_patience(void *arg)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct exchange *exchange = must_be(struct exchange, EXCHANGE_MAGIC, arg);
    char *out;

    if (exchange->said_continue || exchange->has_response ||
        exchange->request_over)
        return;
    out = flow_write(&exchange->down, sizeof(go_on));
    if (out == NULL)
        return;
    memcpy(out, go_on, sizeof(go_on) - 1);
    flow_wrote(&exchange->down, sizeof(go_on) - 1);
    exchange->said_continue = true;
    exchange->wake(exchange->session);
}

/** Write the request's head for this backend. */
static void send_head(struct exchange *exchange)
{
    const struct settings *settings = exchange_settings(exchange);
    char peer[ADDRESS_PRINT_MAX] = "";
    struct forward_request facts = {
        .scheme =
            text_of(stream_is_secure(exchange->client) ? "https" : "http"),
        .request_id = text_of(exchange->request_id),
        .via = text_of(settings->via),
        .is_trusted =
            client_is_trusted(exchange->terms->configuration, exchange->from),
        .attempt = exchange->try_count,
        .is_last = upstream_is_personal(exchange->upstream),
        .passes_trailers = true,
    };
    char *out = flow_write(&exchange->up, BLOCK_BYTES);
    size_t length;

    /* The client may be somebody behind the peer; we add the peer. */
    if (facts.is_trusted)
        address_print(exchange->from, peer);
    facts.client = text_of(facts.is_trusted ? peer : exchange->client_text);
    length =
        forward_print_request(&exchange->request, &facts, out, BLOCK_BYTES);
    must(length > 0);
    flow_wrote(&exchange->up, length);
    exchange->connected_us = loop_now_us(exchange->worker->loop);
    exchange->was_sent = exchange->request_over = exchange->up_ended = false;
    exchange->has_moved = true;
    exchange->patience.on_alarm = on_patience;
    exchange->patience.arg = exchange;
    if (exchange->request.expects_continue && !exchange->said_continue)
        timer_set_in(loop_timers(exchange->worker->loop), &exchange->patience,
                     CONTINUE_MS, loop_now(exchange->worker->loop));
    exchange->expects_head = true;
}

/** The limit of this step; or what makes us short; or that of a response head, if
 * it was that. */
static enum setting limit_of(const struct exchange *exchange, enum state now,
                             enum attempt ended)
{
    if (ended == ATTEMPT_SHORT)
        return SETTING_sessions_max;
    if (!exchange->has_response &&
        flow_raw(&exchange->down) >=
            exchange_settings(exchange)->response_head_bytes)
        return SETTING_response_head_bytes;
    return state_row(now)->limit;
}

/** What the decision to try again is made from. */
static bool may_retry(struct exchange *exchange, enum attempt ended)
{
    struct retry_facts facts = {
        .is_idempotent = method_is_idempotent(exchange->request.method_id),
        .is_kept = exchange->up.keeps,
        .was_sent = exchange->was_sent,
        .unconnected = exchange->unconnected,
        .repeated = exchange->repeated,
        .was_stale = exchange->was_stale,
    };
    struct pool *pool = exchange->terms->pool;
    const struct backend *backend =
        exchange->tries[exchange->try_count - 1].backend;

    if (!retry_may(ended, &facts, exchange_settings(exchange)))
        return false;
    /* Only what a backend may have worked on is work done twice. */
    if (ended != ATTEMPT_UNANSWERED || pool_has_left_out(pool, backend))
        return true;
    exchange->is_retry = pool_begin_retry(pool);
    if (!exchange->is_retry)
        exchange_complain(exchange, backend, STATE_PICK, SETTING_retry_budget,
                          "too many are tried again already");
    return exchange->is_retry;
}

/** Nobody has answered, and nobody else can be asked. */
static enum state unanswered(struct exchange *exchange)
{
    for (unsigned i = 0; i < exchange->try_count; i++)
        if (exchange->tries[i].ended == ATTEMPT_SHORT)
            return exchange_answer(exchange, 503,
                                   "the balancer is short of descriptors, "
                                   "memory or ports");
    return exchange_answer(exchange, 502, "no backend has answered");
}

/** Is it the backend's fault? Not if we had no memory to go on with it. */
static bool is_blamed(const struct exchange *exchange, enum attempt ended)
{
    return attempt_is_blamed(ended) &&
           (exchange->upstream == NULL ||
            !stream_is_short(&exchange->upstream->stream));
}

/** This try is over, without a response that could be passed on. */
enum state exchange_fail(struct exchange *exchange, enum state now,
                         enum attempt ended, const char *why)
{
    struct pool *pool = exchange->terms->pool;
    struct backend *backend = exchange->backend;

    exchange_complain(exchange, backend, now, limit_of(exchange, now, ended),
                      why);
    exchange_note_try(exchange, false, ended);
    if (is_blamed(exchange, ended)) {
        health_failed(pool, backend, why, loop_now(exchange->worker->loop));
        backend_add_failure(backend,
                            exchange->tries[exchange->try_count - 1].took_us);
    }
    if (ended == ATTEMPT_UNCONNECTED || ended == ATTEMPT_SHORT)
        exchange->unconnected++;
    if (ended != ATTEMPT_STALE)
        backend_set_add(&exchange->tried, backend);
    exchange_release(exchange);
    exchange->end_reason = why;
    if (exchange->has_response) {
        exchange->is_cut = true;
        return STATE_LEAVE;
    }
    flow_restart(&exchange->down);
    if (may_retry(exchange, ended)) {
        if (ended == ATTEMPT_STALE)
            exchange->was_stale = true;
        else if (ended == ATTEMPT_UNANSWERED)
            exchange->repeated++;
        flow_rewind(&exchange->up);
        return STATE_PICK;
    }
    if (ended == ATTEMPT_SLOW)
        return exchange_answer(exchange, 504,
                               "the backend did not answer in time");
    if (ended == ATTEMPT_ANSWERED)
        return exchange_answer(exchange, 502,
                               "the backend gave no proper answer");
    return unanswered(exchange);
}

/** How a try ends that has got no connection. */
static enum attempt unconnected(bool is_ours)
{
    return is_ours ? ATTEMPT_SHORT : ATTEMPT_UNCONNECTED;
}

/** Use a connection that rests, or begin a new one. */
static enum state connect_to(struct exchange *exchange)
{
    struct worker *worker = exchange->worker;
    struct idle_cache *cache = &worker->caches[exchange->backend->slot];
    int64_t rested_max = method_is_idempotent(exchange->request.method_id)
                             ? INT64_MAX
                             : POST_REST_MS_MAX;
    struct tls_context *tls = exchange->terms->configuration->tls_out;
    char opening[UPSTREAM_OPENING_MAX];
    struct upstream_manner manner = {
        .tls = tls,
        .opening = {opening, announce_print(exchange, opening)},
    };
    struct upstream_fault fault = {"", false};
    enum io io = IO_DONE;

    exchange->is_reused = false;
    /* What rests here has named no client. */
    if (!exchange->was_stale && manner.opening.length == 0)
        exchange->upstream = idle_cache_take(
            cache, loop_now(exchange->worker->loop), rested_max);
    while (exchange->upstream != NULL &&
           !upstream_is_of(exchange->upstream, tls)) {
        upstream_free(&exchange->upstream);
        exchange->upstream = idle_cache_take(
            cache, loop_now(exchange->worker->loop), rested_max);
    }
    if (exchange->upstream != NULL) {
        exchange->is_reused = true;
        upstream_use(exchange->upstream, exchange->wake, exchange->session);
    } else {
        io = upstream_open(worker->loop, exchange->backend, &manner,
                           exchange->wake, exchange->session,
                           &exchange->upstream, &fault);
    }
    switch (io) {
    case IO_DONE: send_head(exchange); return STATE_SEND;
    case IO_WAIT: return STATE_DIAL;
    case IO_END:
    case IO_BROKEN: break;
    }
    return exchange_fail(exchange, STATE_DIAL, unconnected(fault.is_ours),
                         fault.why);
}

/** Nobody may serve, or everybody has been asked. */
static enum state nobody(struct exchange *exchange)
{
    if (exchange->try_count > 0)
        return unanswered(exchange);
    exchange_complain(exchange, NULL, STATE_PICK, SETTING_none_healthy,
                      "no backend is up");
    exchange->end_reason = "no backend is up";
    return exchange_answer(exchange, 503, "no backend is up");
}

/** There are backends, but they have no room: wait for it, if that is allowed. */
static enum state enqueue(struct exchange *exchange)
{
    struct worker *worker = exchange->worker;
    struct pool *pool = exchange->terms->pool;

    if (link_is_on(&exchange->waiting))
        return STATE_WAIT_PLACE;
    if (atomic_fetch_add(&pool->waiting, 1) >= pool->settings->queue_max) {
        atomic_fetch_sub(&pool->waiting, 1);
        exchange_complain(exchange, NULL, STATE_PICK, SETTING_queue_max,
                          "too many wait");
        return exchange_answer(exchange, 503,
                               "all backends are busy, and so is the queue "
                               "before them");
    }
    list_put_last(&worker->waiting, &exchange->waiting);
    return STATE_WAIT_PLACE;
}

enum state exchange_pick(struct exchange *exchange)
{
    struct worker *worker = exchange->worker;
    struct pool *pool = exchange->terms->pool;
    struct pool_question question = {
        .policy = exchange->terms->policy,
        .tried = exchange->tried,
        .was_refused = exchange->unconnected > 0,
        .key = pool->kind->hashes ? hash_key(exchange) : 0,
        .chance = {random_next(&worker->random), random_next(&worker->random)},
        .preferred = exchange_preferred(exchange),
        .now_ms = loop_now(exchange->worker->loop),
    };

    switch (pool_pick(pool, &question, &exchange->backend)) {
    case PICKED_NONE: return nobody(exchange);
    case PICKED_FULL: return enqueue(exchange);
    case PICKED_BACKEND: break;
    }
    exchange_leave_queue(exchange);
    if (exchange->try_count == TRIES_MAX)
        exchange->try_count--; /* the last one stands for the rest */
    exchange->tries[exchange->try_count++] =
        (struct try){.backend = exchange->backend,
                     .began_us = loop_now_us(exchange->worker->loop)};
    atomic_fetch_add_explicit(&exchange->backend->tries, 1,
                              memory_order_relaxed);
    return connect_to(exchange);
}

enum state exchange_dial(struct exchange *exchange)
{
    switch (upstream_finish(exchange->upstream)) {
    case IO_DONE: send_head(exchange); return STATE_SEND;
    case IO_WAIT: return STATE_DIAL;
    case IO_END:
    case IO_BROKEN: break;
    }
    return exchange_fail(
        exchange, STATE_DIAL,
        unconnected(stream_is_short(&exchange->upstream->stream)),
        stream_words(&exchange->upstream->stream));
}

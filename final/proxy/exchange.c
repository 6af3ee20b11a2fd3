/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The way of an exchange, and its one way back:
 *
 *     exchange_read()    head_read(), then the beginning of the body
 *     exchange_pick()    pool_pick(), idle_cache_take() or upstream_open()   <--+
 *     exchange_dial()    upstream_finish()                                      |
 *     exchange_relay()   upload() and download(), in turn                       |
 *          |                                                                    |
 *          +-- a try that fails: retry_may()? ----------------------------------+
 *                                  else exchange_answer()
 */
#include "proxy/exchange.h"

#include "base/must.h"
#include "http/answer.h"
#include "http/bytes.h"
#include "http/cookie.h"
#include "http/forward.h"
#include "proxy/client.h"
#include "proxy/complaint.h"
#include "proxy/worker.h"
#include "upstream/connection.h"
#include "upstream/health.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum {
    EXCHANGE_MAGIC = 0x65786368,
    POST_REST_MS_MAX = 1000, /* a POST goes on no connection older than this */
    TURNS_MAX = 16,          /* then others have their turn */
    CONTINUE_MS = 1000,      /* so long may a backend think about Expect */
    BODY_GRACE_MS = 3000, /* a body may come as slowly as it likes for this */
};

/** The backend says nothing about Expect: the client is told to go on by us
 * (RFC 9110, 10.1.1). */
static void on_patience(void *arg);

static const struct settings *settings_of(const struct exchange *exchange)
{
    return exchange->terms->settings;
}

static int64_t now_ms(const struct exchange *exchange)
{
    return loop_now(exchange->worker->loop);
}

static int64_t now_us(const struct exchange *exchange)
{
    return loop_now_us(exchange->worker->loop);
}

/* --- made and ended -------------------------------------------------------- */

/** All but its memory, and the bytes that may have come already. */
static void reset(struct exchange *exchange)
{
    const struct settings *settings = settings_of(exchange);
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
    exchange->wake = wake;
    exchange->session = session;
    exchange->patience =
        (struct timer){.on_alarm = on_patience, .arg = exchange};
    flow_init(&exchange->up, &worker->blocks);
    flow_init(&exchange->down, &worker->blocks);
    reset(exchange);
    return exchange;
}

/** Note how the present try ended. */
static void note_try(struct exchange *exchange, bool served, enum attempt ended)
{
    struct try *try = &exchange->tries[exchange->try_count - 1];

    try->took_us = now_us(exchange) - try->began_us;
    try->served = served;
    try->ended = ended;
}

/** It waits for a place no longer. */
static void leave_queue(struct exchange *exchange)
{
    if (!link_is_on(&exchange->waiting))
        return;
    list_remove(&exchange->waiting);
    atomic_fetch_sub(&exchange->terms->pool->waiting, 1);
}

/** Let go of the backend and what belongs to it. */
static void release(struct exchange *exchange)
{
    struct pool *pool = exchange->terms->pool;

    leave_queue(exchange);
    timer_clear(&exchange->patience);
    upstream_free(&exchange->upstream);
    if (exchange->backend != NULL)
        pool_give(pool, exchange->backend);
    exchange->backend = NULL;
    if (exchange->is_retry)
        pool_end_retry(pool);
    exchange->is_retry = false;
}

void exchange_give(struct exchange **owned)
{
    struct exchange *exchange = *owned;

    release(exchange);
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

    release(exchange);
    terms_drop(&exchange->terms);
    exchange->terms = terms_hold(exchange->worker->terms);
    flow_fini(&exchange->down);
    flow_init(&exchange->down, &exchange->worker->blocks);
    flow_restart(up);
    reset(exchange);
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

/**
 * Understand what has come of the body.
 *
 * @return false: it is refused, see `refused_with` and `refused`
 */
static bool take_body(struct exchange *exchange)
{
    const struct settings *settings = settings_of(exchange);
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

/** The request was understood; its body may have begun. */
static enum state begin(struct exchange *exchange)
{
    struct head *head = &exchange->request;
    const struct settings *settings = settings_of(exchange);
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
        !take_body(exchange))
        return exchange_answer(exchange, exchange->refused_with,
                               exchange->refused);
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

/* --- the backend ----------------------------------------------------------- */

/** What the policy may go by, if it hashes. */
static uint64_t hash_key(const struct exchange *exchange)
{
    const char *on = settings_of(exchange)->hash_on;
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
static struct backend *preferred(const struct exchange *exchange)
{
    const char *name = settings_of(exchange)->sticky_cookie;
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

/** Write the request's head for this backend. */
static void send_head(struct exchange *exchange)
{
    const struct settings *settings = settings_of(exchange);
    char peer[ADDRESS_PRINT_MAX] = "";
    struct forward_request facts = {
        .scheme = text_of("http"),
        .request_id = text_of(exchange->request_id),
        .via = text_of(settings->via),
        .is_trusted =
            client_is_trusted(exchange->terms->configuration, exchange->from),
        .attempt = exchange->try_count,
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
    exchange->connected_us = now_us(exchange);
    exchange->was_sent = exchange->request_over = exchange->up_ended = false;
    exchange->has_moved = true;
    if (exchange->request.expects_continue && !exchange->said_continue)
        timer_set_in(loop_timers(exchange->worker->loop), &exchange->patience,
                     CONTINUE_MS, now_ms(exchange));
    exchange->expects_head = true;
}

/** Say what went wrong, with whom, and which limit has to do with it. */
static void complain(const struct exchange *exchange,
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
        .now_ms = now_ms(exchange),
    };

    complaint_tell(&exchange->worker->proxy->complaints, settings_of(exchange),
                   &facts);
}

/** The limit of this step, or that of a response head, if it was that. */
static enum setting limit_of(const struct exchange *exchange, enum state now)
{
    if (!exchange->has_response &&
        flow_raw(&exchange->down) >= settings_of(exchange)->response_head_bytes)
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

    if (!retry_may(ended, &facts, settings_of(exchange)))
        return false;
    /* Only what a backend may have worked on is work done twice. */
    if (ended != ATTEMPT_UNANSWERED)
        return true;
    exchange->is_retry = pool_begin_retry(pool);
    if (!exchange->is_retry)
        complain(exchange, exchange->tries[exchange->try_count - 1].backend,
                 STATE_PICK, SETTING_retry_budget,
                 "too many are tried again already");
    return exchange->is_retry;
}

/** This try is over, without a response that could be passed on. */
static enum state fail(struct exchange *exchange, enum state now,
                       enum attempt ended, const char *why)
{
    struct pool *pool = exchange->terms->pool;
    struct backend *backend = exchange->backend;

    complain(exchange, backend, now, limit_of(exchange, now), why);
    note_try(exchange, false, ended);
    if (attempt_is_blamed(ended)) {
        health_failed(pool, backend, why, now_ms(exchange));
        backend_add_failure(backend,
                            exchange->tries[exchange->try_count - 1].took_us);
    }
    if (ended == ATTEMPT_UNCONNECTED)
        exchange->unconnected++;
    if (ended != ATTEMPT_STALE)
        backend_set_add(&exchange->tried, backend);
    release(exchange);
    exchange->end_reason = why;
    if (exchange->has_response) {
        exchange->is_cut = true;
        return STATE_LEAVE;
    }
    flow_restart(&exchange->down);
    if (may_retry(exchange, ended)) {
        if (ended == ATTEMPT_STALE)
            exchange->was_stale = true;
        else if (ended != ATTEMPT_UNCONNECTED)
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
    return exchange_answer(exchange, 502, "no backend has answered");
}

/** Use a connection that rests, or begin a new one. */
static enum state connect_to(struct exchange *exchange)
{
    struct worker *worker = exchange->worker;
    struct idle_cache *cache = &worker->caches[exchange->backend->slot];
    int64_t rested_max = method_is_idempotent(exchange->request.method_id)
                             ? INT64_MAX
                             : POST_REST_MS_MAX;
    const char *why = "";
    enum io io = IO_DONE;

    exchange->is_reused = false;
    if (!exchange->was_stale)
        exchange->upstream =
            idle_cache_take(cache, now_ms(exchange), rested_max);
    if (exchange->upstream != NULL) {
        exchange->is_reused = true;
        upstream_use(exchange->upstream, exchange->wake, exchange->session);
    } else {
        io = upstream_open(worker->loop, exchange->backend, exchange->wake,
                           exchange->session, &exchange->upstream, &why);
    }
    switch (io) {
    case IO_DONE: send_head(exchange); return STATE_SEND;
    case IO_WAIT: return STATE_DIAL;
    case IO_END:
    case IO_BROKEN: break;
    }
    return fail(exchange, STATE_DIAL, ATTEMPT_UNCONNECTED, why);
}

/** Nobody may serve, or everybody has been asked. */
static enum state nobody(struct exchange *exchange)
{
    if (exchange->try_count > 0)
        return exchange_answer(exchange, 502, "no backend has answered");
    complain(exchange, NULL, STATE_PICK, SETTING_none_healthy,
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
        complain(exchange, NULL, STATE_PICK, SETTING_queue_max,
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
        .key = pool->kind->hashes ? hash_key(exchange) : 0,
        .chance = {random_next(&worker->random), random_next(&worker->random)},
        .preferred = preferred(exchange),
        .now_ms = now_ms(exchange),
    };

    switch (pool_pick(pool, &question, &exchange->backend)) {
    case PICKED_NONE: return nobody(exchange);
    case PICKED_FULL: return enqueue(exchange);
    case PICKED_BACKEND: break;
    }
    leave_queue(exchange);
    if (exchange->try_count == TRIES_MAX)
        exchange->try_count--; /* the last one stands for the rest */
    exchange->tries[exchange->try_count++] = (struct try){
        .backend = exchange->backend, .began_us = now_us(exchange)};
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
    return fail(exchange, STATE_DIAL, ATTEMPT_UNCONNECTED,
                stream_words(&exchange->upstream->stream));
}

/* --- bytes to the backend -------------------------------------------------- */

/** How moving bytes one way ended, for now. */
enum moved {
    MOVED_ALL,     /**< there is no more to move */
    MOVED_SOME,    /**< others have their turn; then it goes on */
    MOVED_WAIT,    /**< nothing can be moved now */
    MOVED_CLIENT,  /**< the client is gone */
    MOVED_BACKEND, /**< the backend is gone */
    MOVED_BAD,     /**< what came makes no sense */
};

/** Write the last chunk, once. */
static void end_chunks(struct flow *flow, struct text trailers, bool *ended)
{
    if (flow->is_chunked && !*ended) {
        size_t room = trailers.length + 8;
        char *out = flow_write(flow, room);

        must(out != NULL);
        flow_wrote(flow, chunk_print_last(trailers, out, room));
    }
    *ended = true;
}

/** Receive what comes next: into our memory, or into a tube if that pays. */
static enum io fill(const struct exchange *exchange, struct flow *flow,
                    struct stream *from, struct body *body)
{
    if (settings_of(exchange)->splice && !exchange->is_tunnel &&
        flow_take_tube(flow, body))
        return flow_fill_tube(flow, from, body);
    return flow_fill(flow, from);
}

/**
 * Is it for the client that we wait? Not while it waits itself, for 100
 * Continue; nor while the backend takes nothing, for then we do not ask.
 */
static void begin_wait(struct exchange *exchange)
{
    bool holds = exchange->request.expects_continue &&
                 !exchange->said_continue && exchange->body_taken == 0;

    if (exchange->body_wait_ms == 0 && !exchange->is_tunnel && !holds)
        exchange->body_wait_ms = now_ms(exchange);
}

static void end_wait(struct exchange *exchange)
{
    exchange->has_moved = true;
    if (exchange->body_wait_ms != 0)
        exchange->body_waited_ms += now_ms(exchange) - exchange->body_wait_ms;
    exchange->body_wait_ms = 0;
}

/** One step of the request. */
static enum moved upload_step(struct exchange *exchange)
{
    struct flow *up = &exchange->up;

    flow_chunk(up);
    if (!flow_is_empty(up)) {
        switch (flow_drain(up, &exchange->upstream->stream)) {
        case IO_DONE:
            exchange->was_sent = exchange->has_moved = true;
            return MOVED_SOME;
        case IO_WAIT: return MOVED_WAIT;
        case IO_END:
        case IO_BROKEN: break;
        }
        return MOVED_BACKEND;
    }
    if (body_is_done(&exchange->request_body)) {
        if (exchange->up_ended || !up->is_chunked)
            return MOVED_ALL;
        end_chunks(up,
                   settings_of(exchange)->request_trailers
                       ? exchange->request_body.trailers
                       : text_of(""),
                   &exchange->up_ended);
        return MOVED_SOME;
    }
    flow_make_room(up);
    switch (fill(exchange, up, exchange->client, &exchange->request_body)) {
    case IO_DONE:
        end_wait(exchange);
        return take_body(exchange) ? MOVED_SOME : MOVED_BAD;
    case IO_WAIT: begin_wait(exchange); return MOVED_WAIT;
    case IO_END:
        exchange->client_ended = true;
        if (exchange->is_tunnel && body_end(&exchange->request_body)) {
            stream_shut(&exchange->upstream->stream);
            return MOVED_ALL;
        }
        break;
    case IO_BROKEN: break;
    }
    return MOVED_CLIENT;
}

/** The request, as far as it goes. */
static enum moved upload(struct exchange *exchange)
{
    enum moved moved = MOVED_SOME;

    if (exchange->request_over)
        return MOVED_ALL;
    for (int turn = 0; moved == MOVED_SOME && turn < TURNS_MAX; turn++)
        moved = upload_step(exchange);
    if (moved == MOVED_ALL)
        exchange->request_over = true;
    return moved;
}

/* --- bytes to the client --------------------------------------------------- */

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
    const struct settings *settings = settings_of(exchange);
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
        preferred(exchange) != exchange->backend)
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
    exchange->first_byte_us = now_us(exchange);
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
        .head_bytes = settings_of(exchange)->response_head_bytes};

    if (!exchange->expects_head)
        return;
    exchange->expects_head = false;
    head_begin(&exchange->response,
               exchange->request.method_id == METHOD_HEAD
                   ? HEAD_RESPONSE_TO_HEAD
                   : HEAD_RESPONSE,
               &limits);
}

/** Understand what has come of the response. */
static enum moved take_response(struct exchange *exchange)
{
    struct flow *down = &exchange->down;

    expect_head(exchange);
    while (!exchange->has_response && flow_raw(down) > 0) {
        switch (
            head_read(&exchange->response, flow_bytes(down), flow_raw(down))) {
        case HEAD_MORE: return MOVED_SOME;
        case HEAD_REFUSED: return MOVED_BAD;
        case HEAD_DONE: break;
        }
        bool is_interim =
            exchange->response.status < 200 && exchange->response.status != 101;

        if (is_interim ? !pass_interim(exchange) : !begin_response(exchange))
            return MOVED_BAD;
    }
    if (!exchange->has_response || flow_raw(down) == 0)
        return MOVED_SOME;
    return flow_decode(down, &exchange->response_body) == BODY_REFUSED
               ? MOVED_BAD
               : MOVED_SOME;
}

/** The backend will send no more: is that the proper end? */
static enum moved end_response(struct exchange *exchange)
{
    exchange->backend_ended = true;
    if (!exchange->has_response || !body_end(&exchange->response_body))
        return MOVED_BACKEND;
    return MOVED_SOME;
}

/** Write the last chunk behind the last content, as soon as that is written and
 * there is room: so both go out in one call. */
static void end_download(struct exchange *exchange)
{
    struct flow *down = &exchange->down;
    struct text trailers = exchange->request.takes_trailers
                               ? exchange->response_body.trailers
                               : text_of("");

    if (exchange->has_response && body_is_done(&exchange->response_body) &&
        down->is_chunked && down->sent == down->content &&
        flow_room(down) >= trailers.length + 8)
        end_chunks(down, trailers, &exchange->down_ended);
}

/** Is the rest of the response in our hands, and nothing comes behind it? */
static bool ends_session(const struct exchange *exchange)
{
    return exchange->closes && exchange->has_response &&
           body_is_done(&exchange->response_body) &&
           (exchange->down_ended || !exchange->down.is_chunked);
}

/** One step of the response. */
static enum moved download_step(struct exchange *exchange)
{
    struct flow *down = &exchange->down;

    flow_chunk(down);
    end_download(exchange);
    if (!flow_is_empty(down)) {
        down->ends = ends_session(exchange);
        switch (flow_drain(down, exchange->client)) {
        case IO_DONE: exchange->has_moved = true; return MOVED_SOME;
        case IO_WAIT: return MOVED_WAIT;
        case IO_END:
        case IO_BROKEN: break;
        }
        return MOVED_CLIENT;
    }
    if (exchange->has_response && body_is_done(&exchange->response_body)) {
        must(exchange->down_ended || !down->is_chunked);
        return MOVED_ALL;
    }
    if (exchange->upstream == NULL)
        return MOVED_WAIT;
    flow_make_room(down);
    if (down->filled == BLOCK_BYTES)
        return MOVED_BAD;
    switch (fill(exchange, down, &exchange->upstream->stream,
                 &exchange->response_body)) {
    case IO_DONE: exchange->has_moved = true; return take_response(exchange);
    case IO_WAIT: return MOVED_WAIT;
    case IO_END: return end_response(exchange);
    case IO_BROKEN: break;
    }
    return MOVED_BACKEND;
}

/** The response, as far as it goes. */
static enum moved download(struct exchange *exchange)
{
    enum moved moved = MOVED_SOME;

    for (int turn = 0; moved == MOVED_SOME && turn < TURNS_MAX; turn++)
        moved = download_step(exchange);
    return moved;
}

/* --- both ways ------------------------------------------------------------- */

/** The response is whole, and the client has it. */
static enum state served(struct exchange *exchange)
{
    struct upstream *upstream = exchange->upstream;
    int64_t rest_ms = settings_of(exchange)->upstream_idle_ms;
    unsigned hint = exchange->response.keep_alive_secs;

    note_try(exchange, true, ATTEMPT_ANSWERED);
    exchange->end_reason = NULL; /* a try before may have left one */
    health_served(exchange->backend);
    if (hint > 0 && (int64_t)hint * 1000 - 1000 < rest_ms)
        rest_ms = (int64_t)hint * 1000 - 1000;
    if (exchange->request_over && exchange->response.keeps_alive &&
        !exchange->backend_ended && !exchange->is_tunnel &&
        flow_raw(&exchange->down) == 0 &&
        !(upstream->stream.watch.ready & (READY_END | READY_BROKEN))) {
        struct worker *worker = exchange->worker;

        upstream->exchanges++;
        upstream->rest_ms = rest_ms;
        if (upstream->exchanges == 1)
            upstream->dies_ms =
                now_ms(exchange) +
                random_jitter(&worker->random,
                              settings_of(exchange)->upstream_age_ms, 10);
        idle_cache_give(&worker->caches[exchange->backend->slot],
                        &exchange->upstream, now_ms(exchange));
    }
    release(exchange);
    if (exchange->closes || !exchange->request_over)
        return STATE_LEAVE;
    return exchange_has_more(exchange) ? STATE_READ : STATE_REST;
}

/** The backend has ended before its response did. */
static enum state backend_lost(struct exchange *exchange, enum state now)
{
    const char *words = stream_words(&exchange->upstream->stream);
    bool mute = !exchange->has_response && flow_raw(&exchange->down) == 0;

    if (!mute)
        return fail(exchange, now, ATTEMPT_ANSWERED, words);
    if (exchange->is_reused)
        return fail(exchange, now, ATTEMPT_STALE, words);
    return fail(exchange, now, ATTEMPT_UNANSWERED, words);
}

void exchange_abandon(struct exchange *exchange, const char *why)
{
    if (exchange->backend != NULL && exchange->try_count > 0)
        note_try(exchange, false, ATTEMPT_ABANDONED);
    release(exchange);
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

static enum state client_lost(struct exchange *exchange)
{
    exchange_lose_client(exchange);
    return STATE_LEAVE;
}

/** Where are we, seen from outside? */
static enum state relay_state(const struct exchange *exchange)
{
    if (exchange->is_tunnel)
        return STATE_TUNNEL;
    if (exchange->has_response)
        return STATE_PASS;
    return exchange->request_over ? STATE_WAIT : STATE_SEND;
}

enum state exchange_relay(struct exchange *exchange, enum state now)
{
    enum moved up = upload(exchange);
    enum moved down = download(exchange);

    /* The backend may have answered before it stopped listening, so what it
     * said comes first. */
    switch (down) {
    case MOVED_ALL: return served(exchange);
    case MOVED_CLIENT: return client_lost(exchange);
    case MOVED_BACKEND: return backend_lost(exchange, now);
    case MOVED_BAD:
        return fail(exchange, now, ATTEMPT_ANSWERED,
                    exchange->has_response ? exchange->response_body.why
                                           : exchange->response.why);
    case MOVED_SOME:
    case MOVED_WAIT: break;
    }
    switch (up) {
    case MOVED_CLIENT: return client_lost(exchange);
    case MOVED_BAD:
        exchange_abandon(exchange, exchange->refused);
        exchange->is_cut = exchange->has_response;
        exchange->closes = true;
        if (exchange->has_response)
            return STATE_LEAVE;
        return exchange_answer(exchange, exchange->refused_with,
                               exchange->refused);
    case MOVED_BACKEND: /* its answer, or its end, will come by itself */
    case MOVED_ALL:
    case MOVED_SOME:
    case MOVED_WAIT: break;
    }
    exchange->is_hungry = up == MOVED_SOME || down == MOVED_SOME;
    return relay_state(exchange);
}

/* --- answers of our own ---------------------------------------------------- */

enum state exchange_answer(struct exchange *exchange, unsigned status,
                           const char *why)
{
    struct flow *down = &exchange->down;
    struct answer answer = {
        .status = status,
        .why = why,
        .retry_after = status == 503 ? 1 : 0,
        .request_id = text_of(exchange->request_id),
        .is_bare = exchange->request.method_id == METHOD_HEAD,
    };
    char *out;

    release(exchange);
    if (!body_is_done(&exchange->request_body))
        exchange->closes = true;
    answer.closes = exchange->closes;
    exchange->status = status;
    if (exchange->end_reason == NULL)
        exchange->end_reason = why;
    flow_restart(down);
    out = flow_write(down, ANSWER_BYTES_MAX);
    must(out != NULL);
    flow_wrote(down, answer_print(&answer, out, ANSWER_BYTES_MAX));
    return STATE_ANSWER;
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

enum state exchange_late(struct exchange *exchange, enum state now)
{
    switch (now) {
    case STATE_READ:
        exchange->closes = true;
        return exchange_answer(exchange, 408,
                               "the request did not come in time "
                               "(head-timeout)");
    case STATE_WAIT_PLACE:
        complain(exchange, NULL, now, SETTING_queue_ms, "no backend had room");
        return exchange_answer(exchange, 503,
                               "no backend had room in time (queue-timeout)");
    case STATE_DIAL:
        return fail(exchange, now, ATTEMPT_UNCONNECTED,
                    "no connection in time");
    case STATE_SEND:
        if (flow_is_empty(&exchange->up)) {
            exchange_abandon(exchange, "the body did not come in time");
            exchange->is_cut = false;
            exchange->closes = true;
            return exchange_answer(exchange, 408,
                                   "the body did not come in time "
                                   "(body-timeout)");
        }
        return fail(exchange, now, ATTEMPT_SLOW,
                    "the backend takes no more of the request");
    case STATE_WAIT:
        return fail(exchange, now, ATTEMPT_SLOW, "no response in time");
    case STATE_PASS:
    case STATE_TUNNEL:
        complain(exchange, exchange->backend, now, state_row(now)->limit,
                 "nothing has moved");
        exchange_abandon(exchange, "nothing has moved for too long");
        return STATE_LEAVE;
    case STATE_REST:
    case STATE_PICK:
    case STATE_ANSWER:
    case STATE_LEAVE:
    case STATE_COUNT: break;
    }
    exchange->is_cut = true;
    return STATE_LEAVE;
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

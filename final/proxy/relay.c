/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Bytes go both ways at once, and each way as far as they can:
 *
 *     upload()      client -> flow `up` -> backend
 *     download()    client <- flow `down` <- backend
 *
 * exchange_relay() does both, and says from how they ended where to go.
 */
#include "proxy/relay.h"

#include "base/must.h"
#include "proxy/attempt.h"
#include "proxy/exchange.h"
#include "proxy/response.h"
#include "proxy/worker.h"
#include "upstream/connection.h"
#include "upstream/health.h"

enum { TURNS_MAX = 16 }; /* then others have their turn */

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

/** May bytes go past us? Not if they are to be hidden, or come hidden. */
static bool may_splice(const struct exchange *exchange)
{
    return exchange_settings(exchange)->splice && !exchange->is_tunnel &&
           !stream_is_secure(exchange->client) && exchange->upstream != NULL &&
           !stream_is_secure(&exchange->upstream->stream);
}

/** Receive what comes next: into our memory, or into a tube if that pays. */
static enum io fill(const struct exchange *exchange, struct flow *flow,
                    struct stream *from, struct body *body)
{
    if (may_splice(exchange) && flow_take_tube(flow, body))
        return flow_fill_tube(flow, from, body);
    return flow_fill(flow, from);
}

/* --- bytes to the backend -------------------------------------------------- */

/**
 * Is it for the client that we wait? Not while it waits itself, for 100
 * Continue; nor while the backend takes nothing, for then we do not ask.
 */
static void begin_wait(struct exchange *exchange)
{
    bool holds = exchange->request.expects_continue &&
                 !exchange->said_continue && exchange->body_taken == 0;

    if (exchange->body_wait_ms == 0 && !exchange->is_tunnel && !holds)
        exchange->body_wait_ms = loop_now(exchange->worker->loop);
}

static void end_wait(struct exchange *exchange)
{
    exchange->has_moved = true;
    if (exchange->body_wait_ms != 0)
        exchange->body_waited_ms +=
            loop_now(exchange->worker->loop) - exchange->body_wait_ms;
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
                   exchange_settings(exchange)->request_trailers
                       ? exchange->request_body.trailers
                       : text_of(""),
                   &exchange->up_ended);
        return MOVED_SOME;
    }
    flow_make_room(up);
    switch (fill(exchange, up, exchange->client, &exchange->request_body)) {
    case IO_DONE:
        end_wait(exchange);
        return exchange_take_body(exchange) ? MOVED_SOME : MOVED_BAD;
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
    case IO_DONE:
        exchange->has_moved = true;
        return response_take(exchange) ? MOVED_SOME : MOVED_BAD;
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
    int64_t rest_ms = exchange_settings(exchange)->upstream_idle_ms;
    unsigned hint = exchange->response.keep_alive_secs;

    exchange_note_try(exchange, true, ATTEMPT_ANSWERED);
    exchange->end_reason = NULL; /* a try before may have left one */
    health_served(exchange->backend);
    pool_save(exchange->terms->pool);
    if (hint > 0 && (int64_t)hint * 1000 - 1000 < rest_ms)
        rest_ms = (int64_t)hint * 1000 - 1000;
    if (exchange->request_over && exchange->response.keeps_alive &&
        !upstream_is_personal(upstream) && !exchange->backend_ended &&
        !exchange->is_tunnel && flow_raw(&exchange->down) == 0 &&
        !(upstream->stream.watch.ready & (READY_END | READY_BROKEN))) {
        struct worker *worker = exchange->worker;

        upstream->exchanges++;
        upstream->rest_ms = rest_ms;
        if (upstream->exchanges == 1)
            upstream->dies_ms =
                loop_now(exchange->worker->loop) +
                random_jitter(&worker->random,
                              exchange_settings(exchange)->upstream_age_ms, 10);
        idle_cache_give(&worker->caches[exchange->backend->slot],
                        &exchange->upstream, loop_now(exchange->worker->loop));
    }
    exchange_release(exchange);
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
        return exchange_fail(exchange, now, ATTEMPT_ANSWERED, words);
    if (exchange->is_reused)
        return exchange_fail(exchange, now, ATTEMPT_STALE, words);
    return exchange_fail(exchange, now, ATTEMPT_UNANSWERED, words);
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
        return exchange_fail(exchange, now, ATTEMPT_ANSWERED,
                             exchange->has_response
                                 ? exchange->response_body.why
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

enum state exchange_late(struct exchange *exchange, enum state now)
{
    switch (now) {
    case STATE_READ:
        exchange->closes = true;
        return exchange_answer(exchange, 408,
                               "the request did not come in time "
                               "(head-timeout)");
    case STATE_WAIT_PLACE:
        exchange_complain(exchange, NULL, now, SETTING_queue_ms,
                          "no backend had room");
        return exchange_answer(exchange, 503,
                               "no backend had room in time (queue-timeout)");
    case STATE_DIAL:
        return exchange_fail(exchange, now, ATTEMPT_UNCONNECTED,
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
        return exchange_fail(exchange, now, ATTEMPT_SLOW,
                             "the backend takes no more of the request");
    case STATE_WAIT:
        return exchange_fail(exchange, now, ATTEMPT_SLOW,
                             "no response in time");
    case STATE_PASS:
    case STATE_TUNNEL:
        exchange_complain(exchange, exchange->backend, now,
                          state_row(now)->limit, "nothing has moved");
        exchange_abandon(exchange, "nothing has moved for too long");
        return STATE_LEAVE;
    case STATE_GREETING:
    case STATE_HANDSHAKE:
    case STATE_REST:
    case STATE_PICK:
    case STATE_ANSWER:
    case STATE_LEAVE:
    case STATE_COUNT: break;
    }
    exchange->is_cut = true;
    return STATE_LEAVE;
}

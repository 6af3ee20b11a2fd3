/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The life of a session. Downwards, all goes well; the table in state.h has all
 * the roads.
 *
 *     GREETING    a proxy says who the client is: only if it is listed
 *       |
 *     HANDSHAKE   client and we agree on keys: only if it comes by TLS
 *       |
 *     REST        nothing is asked; the session has no memory but itself  <--+
 *       |                                                                    |
 *     READ        the head of a request comes in                             |
 *       |                                                                    |
 *     PICK        a backend is picked      (all are full: WAIT_PLACE)        |
 *       |                                                                    |
 *     DIAL        a connection is made     (one that rested needs none)      |
 *       |                                                                    |
 *     SEND        the request goes out                                       |
 *       |                                                                    |
 *     WAIT        it has gone; nothing has come back                         |
 *       |                                                                    |
 *     PASS        the response goes to the client  (ANSWER sends our own) ---+
 *       |
 *     LEAVE       what the client still sends is read and forgotten
 */
#include "proxy/session.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "http/answer.h"
#include "net/stream_tls.h"
#include "proxy/access.h"
#include "proxy/announce.h"
#include "proxy/attempt.h"
#include "proxy/complaint.h"
#include "proxy/counts.h"
#include "proxy/exchange.h"
#include "proxy/relay.h"
#include "proxy/worker.h"

#include <stdlib.h>

enum {
    SESSION_MAGIC = 0x73657373,
    LEAVE_TURNS_MAX = 16, /* pieces of an unwanted body; then others go on */
};

/** What a step asks for next. */
enum step {
    STEP_ON,   /**< the state changed: take the next step now */
    STEP_STAY, /**< nothing more can be done until an event comes */
    STEP_END,  /**< the session is over */
};

struct session {
    unsigned magic;
    enum state state;
    struct stream client;        /**< owned */
    union address from;          /**< the client's address */
    union address to;            /**< where it has connected to, if a proxy has
                                    told us; else none */
    struct proxy_header *header; /**< owned: as far as it has come; or NULL */
    struct timer alarm;          /**< the limit of the state */
    struct worker *worker;       /**< borrowed: outlives every session */
    struct exchange *exchange;   /**< owned; NULL at rest */
    struct link link;            /**< among the worker's sessions */
    struct link unwatched;       /**< among those that are not watched yet */
    int64_t born_ms;             /**< when it was accepted */
    bool is_secure;              /**< it comes by TLS */
    bool is_shut;                /**< we have said our last byte */
    bool limit_begins;           /**< the time of its state counts from now */
};

/** Most states are left in the turn in which they were entered, so the alarm is
 * set when the session waits, and not before. */
static void alarm_set(struct session *session)
{
    const struct terms *terms = session->exchange != NULL
                                    ? session->exchange->terms
                                    : session->worker->terms;

    if (!session->limit_begins)
        return;
    session->limit_begins = false;
    timer_set(&session->alarm, terms->rows[session->state],
              loop_now(session->worker->loop));
}

/** The only way into a state: is the road open, say so, begin its limit. */
static void session_enter(struct session *session, enum state to)
{
    must(state_row(session->state)->next & (1u << to));
    log_debug("session %p: %s -> %s", (void *)session,
              state_row(session->state)->name, state_row(to)->name);
    session->state = to;
    session->limit_begins = true;
}

/** The try that has brought the response; NULL: there is none. */
static const struct try *try_that_answered(const struct exchange *exchange)
{
    if (!exchange->has_response || exchange->try_count == 0)
        return NULL;
    return &exchange->tries[exchange->try_count - 1];
}

/** When it ended. The last try has looked at the clock, if it did well. */
static int64_t ended_us(const struct exchange *exchange, const struct try *try)
{
    /* How long a tunnel was open is nobody's waiting time. */
    if (exchange->is_tunnel)
        return exchange->first_byte_us;
    if (try != NULL && try->served)
        return try->began_us + try->took_us;
    return clock_us();
}

/** Put an exchange that has ended into the books. */
static void account(const struct exchange *exchange)
{
    const struct try *try = try_that_answered(exchange);
    struct counts_facts facts = {
        .status = exchange->status,
        .is_own = try == NULL && exchange->status != 499,
        .client_left = exchange->client_left,
        .tries = exchange->try_count,
        .received = exchange->up.moved,
        .sent = exchange->down.moved,
    };

    if (!exchange->has_begun)
        return;
    access_log(exchange);
    facts.took_us = ended_us(exchange, try) - exchange->began_us;
    if (try != NULL) {
        facts.backend = try->backend;
        facts.answered_us = exchange->first_byte_us - try->began_us;
    }
    counts_exchange(exchange->worker->counts, &facts);
}

static void session_free(struct session *session)
{
    struct worker *worker = session->worker;

    timer_clear(&session->alarm);
    if (session->exchange != NULL) {
        account(session->exchange);
        exchange_give(&session->exchange);
    }
    free(session->header);
    stream_close(&session->client, worker->loop);
    list_remove(&session->unwatched);
    list_remove(&session->link);
    worker->sessions_now--;
    atomic_fetch_sub(&worker->proxy->sessions, 1);
    session->magic = 0;
    free(session);
}

/* --- the steps ------------------------------------------------------------- */

static void on_wake(void *arg);

/** It has come to nothing before there was a request: say so. */
static void complain(const struct session *session, enum setting limit,
                     const char *why)
{
    struct worker *worker = session->worker;
    char client[ADDRESS_PRINT_MAX];
    struct complaint_facts facts = {
        .client = client,
        .step = session->state,
        .limit = limit,
        .why = why,
        .now_ms = loop_now(worker->loop),
    };

    address_print(&session->from, client);
    complaint_tell(&worker->proxy->complaints, worker->terms->settings, &facts);
}

/** A listed proxy has not said who the client is. */
static enum step greeting_failed(const struct session *session,
                                 enum setting limit, const char *why)
{
    counts_proxy_header(session->worker->counts, false);
    complain(session, limit, why);
    return STEP_END;
}

/** The client begins to speak, for us as it would without a proxy. */
static void meet(struct session *session)
{
    struct worker *worker = session->worker;

    if (session->is_secure) {
        tls_accept(&session->client, worker->terms->configuration->tls);
        session_enter(session, STATE_HANDSHAKE);
    } else {
        session_enter(session, STATE_REST);
    }
}

/** At a stop, a client that had its time and has asked nothing may go. */
static enum step rest_or_end(const struct session *session)
{
    return atomic_load(&session->worker->proxy->ends) &&
                   !(session->client.watch.ready & READY_READ)
               ? STEP_END
               : STEP_ON;
}

/** Has a listed proxy said who the client is? */
static enum step step_greeting(struct session *session)
{
    struct proxy_header *header = session->header;

    switch (announce_read(header, &session->client)) {
    case IO_WAIT: return STEP_STAY;
    case IO_DONE: break;
    case IO_END:
    case IO_BROKEN:
        if (header->length == 0) /* it only looked whether we are there */
            return STEP_END;
        return greeting_failed(session, SETTING_accept_proxy,
                               header->why != NULL
                                   ? header->why
                                   : "the connection ended within it");
    }
    counts_proxy_header(session->worker->counts, true);
    announce_take(header, &session->from, &session->to);
    free(header);
    session->header = NULL;
    meet(session);
    return session->is_secure ? STEP_ON : rest_or_end(session);
}

static void handshake_failed(struct session *session, const char *why)
{
    counts_handshake(session->worker->counts, false, false);
    complain(session, SETTING_tls_ms, why);
}

/** It speaks HTTP where we speak TLS: say so, in its own words. */
static void answer_in_plain(struct session *session)
{
    char bytes[ANSWER_BYTES_MAX];
    struct answer answer = {.status = 400,
                            .why = "this port wants https, and plain http came",
                            .closes = true};
    struct iovec piece = {bytes, answer_print(&answer, bytes, sizeof(bytes))};
    size_t sent;

    tls_end(&session->client);
    stream_send(&session->client, &piece, 1, &sent);
    stream_shut(&session->client);
}

/** Does the client know us, and do we agree? */
static enum step step_handshake(struct session *session)
{
    switch (tls_shake(&session->client)) {
    case IO_WAIT: return STEP_STAY;
    case IO_DONE:
        counts_handshake(session->worker->counts, true,
                         tls_is_resumed(&session->client));
        session_enter(session, STATE_REST);
        return rest_or_end(session);
    case IO_END: handshake_failed(session, "the client left"); return STEP_END;
    case IO_BROKEN: break;
    }
    handshake_failed(session, stream_words(&session->client));
    if (tls_met_http(&session->client))
        answer_in_plain(session);
    return STEP_END;
}

/** Has the client begun to ask something? */
static enum step step_rest(struct session *session)
{
    if (!(session->client.watch.ready & READY_READ))
        return STEP_STAY;
    session->exchange =
        exchange_take(session->worker, &session->client, &session->from,
                      &session->to, on_wake, session);
    switch (flow_fill(&session->exchange->up, &session->client)) {
    case IO_DONE: session_enter(session, STATE_READ); return STEP_ON;
    case IO_WAIT: exchange_give(&session->exchange); return STEP_STAY;
    case IO_END:
    case IO_BROKEN: break;
    }
    return STEP_END;
}

/** This exchange is over, and the session is not. */
static void next_exchange(struct session *session)
{
    account(session->exchange);
    timer_clear(&session->alarm); /* its row may end with the terms */
    if (exchange_has_more(session->exchange))
        exchange_next(session->exchange);
    else
        exchange_give(&session->exchange);
}

/** The end has begun: may we just close? */
static enum step begin_leave(struct session *session)
{
    struct exchange *exchange = session->exchange;
    bool all_read = body_is_done(&exchange->request_body) &&
                    !exchange_has_more(exchange) && exchange->has_begun;

    if (exchange->is_cut) {
        stream_reset_at_close(&session->client);
        return STEP_END;
    }
    /* Nobody has said anything yet, or nothing more will come. */
    if ((!exchange->has_begun && exchange->status == 0) ||
        (all_read && !exchange->is_tunnel))
        return STEP_END;
    return STEP_ON;
}

/** Go where the exchange says. */
static enum step go(struct session *session, enum state next)
{
    struct exchange *exchange = session->exchange;
    bool moved;

    must(exchange != NULL);
    moved = exchange->has_moved;
    exchange->has_moved = false;
    if (next == session->state) {
        if (moved)
            session->limit_begins = true;
        /* Nothing would wake it there: a connection could not even be begun,
         * and another backend is to be picked. */
        return next == STATE_PICK ? STEP_ON : STEP_STAY;
    }
    if (session->state == STATE_READ && next == STATE_PICK &&
        loop_now(session->worker->loop) - session->born_ms >
            exchange->terms->settings->session_age_ms)
        exchange->closes = true;
    if (next == STATE_REST || next == STATE_READ)
        next_exchange(session);
    session_enter(session, next);
    if (next == STATE_LEAVE)
        return begin_leave(session);
    return STEP_ON;
}

/**
 * Read and forget: a client that is still sending must not be reset before it
 * has read what we said (RFC 9112, 9.6). Many send all they have before they
 * read, so the limit is the time of this state and no number of bytes.
 */
static enum step step_leave(struct session *session)
{
    char bytes[16384];
    size_t got;
    enum io io = IO_DONE;

    if (!session->is_shut)
        stream_shut(&session->client);
    session->is_shut = true;
    for (int turn = 0; io == IO_DONE && turn < LEAVE_TURNS_MAX; turn++)
        io = stream_receive(&session->client, bytes, sizeof(bytes), &got);
    session->exchange->is_hungry = io == IO_DONE;
    return io == IO_DONE || io == IO_WAIT ? STEP_STAY : STEP_END;
}

static enum step session_step(struct session *session)
{
    struct exchange *exchange = session->exchange;

    switch (session->state) {
    case STATE_GREETING: return step_greeting(session);
    case STATE_HANDSHAKE: return step_handshake(session);
    case STATE_REST: return step_rest(session);
    case STATE_READ: return go(session, exchange_read(exchange));
    case STATE_PICK:
    case STATE_WAIT_PLACE: return go(session, exchange_pick(exchange));
    case STATE_DIAL: return go(session, exchange_dial(exchange));
    case STATE_SEND:
    case STATE_WAIT:
    case STATE_PASS:
    case STATE_TUNNEL:
        return go(session, exchange_relay(exchange, session->state));
    case STATE_ANSWER: return go(session, exchange_finish_answer(exchange));
    case STATE_LEAVE: return step_leave(session);
    case STATE_COUNT: break;
    }
    return STEP_END;
}

/* --- from one event to the next -------------------------------------------- */

/** What is always true of a session between two events. */
static void session_audit(const struct session *session)
{
    must(session->magic == SESSION_MAGIC);
    must(session->client.watch.is_added != link_is_on(&session->unwatched));
    must((session->exchange == NULL) ==
         (session->state == STATE_REST || session->state == STATE_HANDSHAKE ||
          session->state == STATE_GREETING));
    must((session->header != NULL) == (session->state == STATE_GREETING));
}

/** The system cannot tell us of this client (it has no memory for that). */
static void give_up(struct session *session)
{
    stream_break(&session->client);
    log_error("a client cannot be watched, and is let go: %s",
              stream_words(&session->client));
    if (session->exchange != NULL)
        exchange_abandon(session->exchange, "the client could not be watched");
}

/** Have the loop watch the client; false when the system refuses. */
static bool watch_client(struct session *session)
{
    list_remove(&session->unwatched);
    return session->client.watch.is_added ||
           loop_watch(session->worker->loop, &session->client.watch);
}

/**
 * A new client that has said all and waits for its answer is left alone for a
 * moment. Nearly always the answer is sooner, and many a client goes with its
 * first one; then it need not be watched at all.
 */
static bool watch_client_in_time(struct session *session)
{
    struct link *unwatched = &session->worker->unwatched;

    if (session->client.watch.is_added || session->state != STATE_WAIT)
        return watch_client(session);
    if (!link_is_on(&session->unwatched))
        list_put_last(unwatched, &session->unwatched);
    return true;
}

/** Something happened: walk as far as we can, then rest. */
static void session_run(struct session *session)
{
    struct worker *worker = session->worker;
    enum step next = STEP_ON;

    if (session->exchange != NULL && session->state != STATE_LEAVE &&
        exchange_is_abandoned(session->exchange, session->state)) {
        exchange_lose_client(session->exchange);
        next = STEP_END;
    }
    while (next == STEP_ON)
        next = session_step(session);
    if (next == STEP_STAY && !watch_client_in_time(session)) {
        give_up(session);
        next = STEP_END;
    }
    if (next == STEP_END) {
        session_free(session);
        return;
    }
    alarm_set(session);
    if (session->exchange != NULL && session->exchange->is_hungry)
        loop_again(worker->loop, &session->client.watch);
    session_audit(session);
}

static void on_wake(void *arg)
{
    struct session *session = must_be(struct session, SESSION_MAGIC, arg);
    struct worker *worker = session->worker;

    session_run(session);
    if (!list_is_empty(&worker->waiting))
        sessions_wake_waiting(worker);
}

/** The time of this state is up. */
static void on_alarm(void *arg)
{
    struct session *session = must_be(struct session, SESSION_MAGIC, arg);
    enum step next;

    if (session->state == STATE_GREETING)
        greeting_failed(session, SETTING_head_ms,
                        session->header->length == 0
                            ? "no PROXY header has come in time"
                            : "it was not whole in time");
    if (session->state == STATE_HANDSHAKE)
        handshake_failed(session, "it was not done in time");
    if (session->exchange == NULL || session->state == STATE_LEAVE) {
        session_free(session);
        return;
    }
    next = go(session, exchange_late(session->exchange, session->state));
    if (next == STEP_END)
        session_free(session);
    else
        session_run(session);
}

void session_begin(struct worker *worker, const struct stream *client,
                   const union address *from, bool is_secure)
{
    struct session *session = xnew(1, sizeof(*session));

    session->magic = SESSION_MAGIC;
    session->worker = worker;
    session->client = *client;
    session->client.watch.on_event = on_wake;
    session->client.watch.arg = session;
    session->from = *from;
    session->born_ms = loop_now(worker->loop);
    session->alarm.on_alarm = on_alarm;
    session->alarm.arg = session;
    session->is_secure = is_secure;
    session->state = STATE_REST;
    if (announce_is_due(worker->terms->configuration, from)) {
        session->state = STATE_GREETING;
        session->header = xnew(1, sizeof(*session->header));
        proxy_header_begin(session->header);
    } else if (is_secure) {
        session->state = STATE_HANDSHAKE;
        tls_accept(&session->client, worker->terms->configuration->tls);
    }
    list_put_last(&worker->sessions, &session->link);
    worker->sessions_now++;
    session->limit_begins = true;
    on_wake(session);
}

/* --- all sessions of a worker ---------------------------------------------- */

void sessions_wake_waiting(struct worker *worker)
{
    size_t count = 0;
    struct link *link;

    for (link = worker->waiting.after; link != &worker->waiting;
         link = link->after)
        count++;
    /* Each of them once: those that find no place stay where they are. */
    link = worker->waiting.after;
    while (count-- > 0 && link != &worker->waiting) {
        struct exchange *exchange = list_item(link, struct exchange, waiting);

        link = link->after;
        session_run(exchange->session);
    }
}

void sessions_watch(struct worker *worker)
{
    struct link *link = worker->unwatched.after;

    while (link != &worker->unwatched) {
        struct session *session = list_item(link, struct session, unwatched);

        link = link->after;
        if (!watch_client(session)) {
            give_up(session);
            session_free(session);
        }
    }
}

void sessions_drain(struct worker *worker)
{
    struct link *link = worker->sessions.after;

    while (link != &worker->sessions) {
        struct session *session = list_item(link, struct session, link);

        link = link->after;
        if (session->state == STATE_REST || session->state == STATE_LEAVE ||
            (session->header != NULL && session->header->length == 0))
            session_free(session);
    }
}

void sessions_adopt(struct worker *worker)
{
    for (struct link *link = worker->sessions.after; link != &worker->sessions;
         link = link->after) {
        struct session *session = list_item(link, struct session, link);

        if (session->exchange != NULL)
            continue;
        session->limit_begins = true; /* anew, on a row of the new terms */
        alarm_set(session);
    }
}

void sessions_end(struct worker *worker)
{
    struct link *link = worker->sessions.after;

    while (link != &worker->sessions) {
        struct session *session = list_item(link, struct session, link);

        link = link->after;
        if (session->exchange != NULL)
            exchange_abandon(session->exchange, "the balancer was stopped");
        session_free(session);
    }
    exchanges_forget(worker);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The life of a session. Downwards, all goes well; on the right, it does not.
 *
 *     READ    the client's request comes in         (refused: ANSWER)
 *       |
 *     PICK    a backend is picked                   (none left: ANSWER)
 *       |
 *     DIAL    we connect to it                      (no connection: PICK;
 *       |                                            no descriptor: ANSWER)
 *     SEND    the request goes out                  (unanswered: PICK, ANSWER)
 *       |
 *     WAIT    all of it is sent; nothing came back  (unanswered: PICK, ANSWER)
 *       |
 *     PASS    the response goes to the client       (ANSWER sends our own)
 *       |
 *     LEAVE   what the client still sends is read and forgotten
 *
 * In SEND and PASS, bytes may move both ways. There is one small buffer
 * for each way, which is filled only when it is empty: whoever sends faster
 * than the other side receives has to wait, and our memory does not grow.
 */
#include "session.h"

#include "health.h"
#include "http.h"
#include "net.h"
#include "pool.h"
#include "retry.h"

#include <assert.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* clang-format off */
/*    state    failed while ...              may lead to                      */
#define SESSION_STATES(X)                                                      \
    X(READ,   "reading the request",        BIT(PICK) | BIT(ANSWER))           \
    X(PICK,   "picking a backend",          BIT(DIAL) | BIT(ANSWER))           \
    X(DIAL,   "connecting to the backend",  BIT(SEND) | BIT(PICK)              \
                                            | BIT(ANSWER))                     \
    X(SEND,   "sending the request",        BIT(WAIT) | BIT(PASS) | BIT(PICK)  \
                                            | BIT(ANSWER))                     \
    X(WAIT,   "waiting for the response",   BIT(PASS) | BIT(PICK)              \
                                            | BIT(ANSWER))                     \
    X(PASS,   "passing the response",       BIT(LEAVE))                        \
    X(ANSWER, "giving our own answer",      BIT(LEAVE))                        \
    X(LEAVE,  "leaving the client",         0)
/* clang-format on */

enum state {
#define X(state, words, next) STATE_##state,
    SESSION_STATES(X)
#undef X
};

#define BIT(state) (1u << STATE_##state)

/** A row of the table. */
static const struct {
    const char *name;  /**< for the trace */
    const char *words; /**< for the log: "while ..." */
    unsigned next;     /**< a bit for each state it may lead to */
} rows[] = {
#define X(state, words, next) {#state, words, next},
    SESSION_STATES(X)
#undef X
};

/** What a step asks for next. */
enum step {
    STEP_ON,   /**< the state has changed: take the next step now */
    STEP_STAY, /**< nothing more can be done until an event comes */
    STEP_END,  /**< the session is over */
};

enum {
    BODY_KEPT_MAX = 65536,          /**< a body up to this size can be resent */
    FLOW_BYTES = FORWARD_BYTES_MAX, /**< room on the way in one direction */
    LEAVE_MS = 1000,                /**< so long may a client go on sending */
};

/** Bytes on their way: received from one side, not yet sent to the other. */
struct flow {
    size_t start, end;      /**< they are bytes[start] to bytes[end - 1] */
    char bytes[FLOW_BYTES]; /**< the rest is room */
};

/** One request and its response: there is none until its first byte comes. */
struct exchange {
    struct head head;          /**< views into `in` */
    struct backend *backend;   /**< borrowed from the pool, while we try it */
    const struct addrinfo *to; /**< which of the backend's addresses we try */
    uint64_t tried;            /**< backends tried so far, as bits */
    unsigned tries;            /**< how many tries that were */
    uint64_t body_taken;  /**< bytes of body put into `request`, this try */
    bool request_over;    /**< all of it is sent, or no more is taken */
    struct flow request;  /**< to the backend */
    struct flow response; /**< to the client */
    size_t in_length;     /**< bytes received into `in` */
    /** The head; behind it the body, if it is small enough to be kept. */
    char in[HEAD_BYTES_MAX + BODY_KEPT_MAX];
};

struct session {
    unsigned number;
    enum state state;
    int client;                /**< owned */
    int upstream;              /**< owned; -1 when there is none */
    long deadline_ms;          /**< leave by then; 0: no hurry */
    struct pool *pool;         /**< borrowed */
    struct exchange *exchange; /**< owned; NULL until the client speaks */
};

static bool tracing;

void session_trace(void)
{
    tracing = true;
}

/** A line about this session, if somebody wants to see everything. */
static void trace(const struct session *session, const char *format, ...)
{
    char words[160];
    va_list values;

    if (!tracing)
        return;
    va_start(values, format);
    vsnprintf(words, sizeof(words), format, values);
    va_end(values);
    fprintf(stderr, "  session %u %s\n", session->number, words);
}

/** A line for the log: what went wrong, and during what. */
static void complain(const struct session *session, const char *what)
{
    fprintf(stderr, "session %u: %s, while %s\n", session->number, what,
            rows[session->state].words);
}

/** The only way into a state: is the road open? */
static void session_enter(struct session *session, enum state to)
{
    assert((rows[session->state].next & (1u << to)) != 0);
    trace(session, "%s -> %s", rows[session->state].name, rows[to].name);
    session->state = to;
}

static bool flow_is_empty(const struct flow *flow)
{
    return flow->start == flow->end;
}

/** Add bytes of our own to those on their way; there must be room. */
static void flow_put(struct flow *flow, const char *bytes, size_t length)
{
    assert(length <= sizeof(flow->bytes) - flow->end);
    memcpy(flow->bytes + flow->end, bytes, length);
    flow->end += length;
}

/** Send what is on its way, as far as the socket takes it. */
static enum io flow_drain(struct flow *flow, int fd)
{
    enum io io = IO_DONE;
    size_t sent;

    if (!flow_is_empty(flow)) {
        io = socket_send(fd, flow->bytes + flow->start, flow->end - flow->start,
                         &sent);
        flow->start += sent;
    }
    if (flow_is_empty(flow))
        flow->start = flow->end = 0;
    return io;
}

static struct exchange *exchange_new(void)
{
    /* Not calloc(): the buffers are large, and most of them stay unused. */
    struct exchange *exchange = malloc(sizeof(*exchange));

    if (exchange == NULL)
        return NULL;
    exchange->head = (struct head){.length = 0};
    exchange->backend = NULL;
    exchange->to = NULL;
    exchange->tried = 0;
    exchange->tries = 0;
    exchange->body_taken = 0;
    exchange->request_over = false;
    exchange->request.start = exchange->request.end = 0;
    exchange->response.start = exchange->response.end = 0;
    exchange->in_length = 0;
    return exchange;
}

/** Give an answer of our own instead of a backend's. */
static enum step answer(struct session *session, unsigned status,
                        const char *why)
{
    struct exchange *exchange = session->exchange;
    char out[512];
    size_t length =
        answer_print(&exchange->head, status, why, out, sizeof(out));

    fprintf(stderr, "%u %s\n", status, why);
    flow_put(&exchange->response, out, length);
    session_enter(session, STATE_ANSWER);
    return STEP_ON;
}

/** The upstream connection is not needed any more. */
static void upstream_end(struct session *session)
{
    if (session->upstream != -1)
        close(session->upstream);
    session->upstream = -1;
    if (session->exchange->backend != NULL)
        pool_give(session->pool, session->exchange->backend);
    session->exchange->backend = NULL;
}

/** A try has failed: let another backend try, if the request may be repeated. */
static enum step try_failed(struct session *session, enum attempt ended,
                            const char *why)
{
    struct exchange *exchange = session->exchange;
    bool may_resend = exchange->head.body_length <= BODY_KEPT_MAX;
    char words[64];

    health_blame(exchange->backend, why);
    upstream_end(session);
    if (retry_may(ended, &exchange->head, may_resend)) {
        session_enter(session, STATE_PICK);
        return STEP_ON;
    }
    snprintf(words, sizeof(words), "no backend has answered (tries: %u)",
             exchange->tries);
    return answer(session, 502, words);
}

/** Bytes of body that are in `in`, behind the head. */
static uint64_t body_kept(const struct exchange *exchange)
{
    uint64_t kept = exchange->in_length - exchange->head.length;

    return kept < exchange->head.body_length ? kept
                                             : exchange->head.body_length;
}

/** Has all come that has to come before we pick a backend? */
static bool request_is_ready(const struct exchange *exchange)
{
    return exchange->head.body_length > BODY_KEPT_MAX ||
           body_kept(exchange) == exchange->head.body_length;
}

/** Some clients wait for this before they send a body (RFC 9110, 10.1.1). */
static void continue_put(struct exchange *exchange)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

    if (exchange->head.expects_continue &&
        body_kept(exchange) < exchange->head.body_length)
        flow_put(&exchange->response, go_on, sizeof(go_on) - 1);
}

/** Receive some of the request into `in`. */
static enum io request_receive(struct session *session)
{
    struct exchange *exchange = session->exchange;
    size_t got;
    enum io io =
        socket_receive(session->client, exchange->in + exchange->in_length,
                       sizeof(exchange->in) - exchange->in_length, &got);

    exchange->in_length += got;
    if (io == IO_DONE)
        trace(session, "has %zu bytes from the client", got);
    return io;
}

/** More of the request has come: is it enough to go on? */
static enum step request_look(struct session *session)
{
    struct exchange *exchange = session->exchange;
    struct head *head = &exchange->head;

    if (head->length == 0) {
        switch (head_read(head, exchange->in, exchange->in_length)) {
        case HEAD_MORE: return STEP_STAY;
        case HEAD_REFUSED: return answer(session, head->status, head->why);
        case HEAD_DONE: continue_put(exchange); break;
        }
    }
    if (!request_is_ready(exchange))
        return STEP_STAY;
    session_enter(session, STATE_PICK);
    return STEP_ON;
}

static enum step step_read(struct session *session)
{
    if (session->exchange == NULL)
        session->exchange = exchange_new();
    if (session->exchange == NULL)
        return STEP_END;
    flow_drain(&session->exchange->response, session->client);
    switch (request_receive(session)) {
    case IO_DONE: return request_look(session);
    case IO_WAIT: return STEP_STAY;
    case IO_END:
    case IO_BROKEN: break;
    }
    complain(session, "the client left");
    return STEP_END;
}

static enum step step_pick(struct session *session)
{
    struct exchange *exchange = session->exchange;
    const struct head *head = &exchange->head;
    char words[64];

    if (exchange->tries < TRIES_MAX)
        exchange->backend = pool_pick(session->pool, &exchange->tried);
    if (exchange->backend == NULL && exchange->tries == 0)
        return answer(session, 503, "no backend is up");
    if (exchange->backend == NULL) {
        snprintf(words, sizeof(words), "no backend has answered (tries: %u)",
                 exchange->tries);
        return answer(session, 502, words);
    }
    fprintf(stderr, "%.*s %.*s -> %s\n", (int)head->method.length,
            head->method.at, (int)head->target.length, head->target.at,
            exchange->backend->address.url);
    exchange->tries++;
    exchange->to = exchange->backend->address.list;
    session_enter(session, STATE_DIAL);
    return STEP_ON;
}

/** We are connected: the head goes first. */
static void try_begin(struct exchange *exchange)
{
    struct flow *flow = &exchange->request;

    flow->start = 0;
    flow->end = forward_print(&exchange->head, flow->bytes);
    exchange->body_taken = 0;
    exchange->request_over = false;
}

/** That is our own trouble: no reason to blame the backend. */
static enum step no_descriptor(struct session *session)
{
    upstream_end(session);
    return answer(session, 503, "out of descriptors");
}

static enum step step_dial(struct session *session)
{
    struct exchange *exchange = session->exchange;
    char words[128];

    for (; exchange->to != NULL; exchange->to = exchange->to->ai_next) {
        enum io io = session->upstream == -1
                         ? upstream_open(exchange->to, &session->upstream)
                         : upstream_finish(session->upstream);

        if (io == IO_WAIT)
            return STEP_STAY;
        if (io == IO_DONE) {
            try_begin(exchange);
            session_enter(session, STATE_SEND);
            return STEP_ON;
        }
        if (session->upstream == -1 && descriptors_are_short())
            return no_descriptor(session);
        socket_words(words, sizeof(words));
        complain(session, words);
        if (session->upstream != -1)
            close(session->upstream);
        session->upstream = -1;
    }
    return try_failed(session, ATTEMPT_UNCONNECTED, "no connection");
}

static size_t smaller(size_t room, uint64_t left)
{
    return left < room ? (size_t)left : room;
}

/** The next piece of the body: what we kept, then what comes. */
static enum io body_take(struct session *session)
{
    struct exchange *exchange = session->exchange;
    struct flow *flow = &exchange->request;
    uint64_t taken = exchange->body_taken;
    uint64_t kept = body_kept(exchange);
    uint64_t whole = exchange->head.body_length;
    enum io io = IO_DONE;
    size_t got = 0;

    if (taken < kept) {
        got = smaller(sizeof(flow->bytes), kept - taken);
        memcpy(flow->bytes, exchange->in + exchange->head.length + taken, got);
    } else if (taken < whole) {
        io = socket_receive(session->client, flow->bytes,
                            smaller(sizeof(flow->bytes), whole - taken), &got);
    }
    flow->end = got;
    exchange->body_taken += got;
    return io;
}

/** Move the request a piece on. False: the client left in the middle of it. */
static bool request_move(struct session *session)
{
    struct exchange *exchange = session->exchange;
    struct flow *flow = &exchange->request;
    enum io io = IO_DONE;

    if (exchange->request_over)
        return true;
    if (flow_is_empty(flow))
        io = body_take(session);
    if (io == IO_END || io == IO_BROKEN)
        return false;
    /* A backend that takes no more has perhaps answered already. */
    exchange->request_over =
        flow_drain(flow, session->upstream) == IO_BROKEN ||
        (flow_is_empty(flow) &&
         exchange->body_taken == exchange->head.body_length);
    return true;
}

/**
 * Receive the next piece of the response, if the client has taken the last one;
 * IO_WAIT if it has not, or if nothing has come.
 */
static enum io response_move(struct session *session)
{
    struct flow *flow = &session->exchange->response;
    enum io io;

    if (!flow_is_empty(flow))
        return IO_WAIT;
    io = socket_receive(session->upstream, flow->bytes, sizeof(flow->bytes),
                        &flow->end);
    if (io == IO_DONE)
        trace(session, "has %zu bytes from the backend", flow->end);
    return io;
}

/**
 * Both ways at once: what comes back is looked at while the request goes. This is
 * the step of WAIT, too, where nothing is left to go.
 */
static enum step step_send(struct session *session)
{
    struct exchange *exchange = session->exchange;

    if (!request_move(session) ||
        flow_drain(&exchange->response, session->client) == IO_BROKEN) {
        complain(session, "the client left");
        return STEP_END;
    }
    switch (response_move(session)) {
    case IO_DONE: session_enter(session, STATE_PASS); return STEP_ON;
    case IO_END:
    case IO_BROKEN:
        return try_failed(session, ATTEMPT_UNANSWERED, "no response");
    case IO_WAIT: break;
    }
    if (session->state == STATE_SEND && exchange->request_over)
        session_enter(session, STATE_WAIT);
    return STEP_STAY;
}

static enum step step_pass(struct session *session)
{
    struct exchange *exchange = session->exchange;
    enum io io = response_move(session);

    if (flow_drain(&exchange->response, session->client) == IO_BROKEN ||
        !request_move(session)) {
        complain(session, "the client left");
        return STEP_END;
    }
    if (io == IO_DONE || io == IO_WAIT)
        return STEP_STAY;
    /* The end shows only when the flow is empty: the client has got all. */
    upstream_end(session);
    session_enter(session, STATE_LEAVE);
    return STEP_ON;
}

static enum step step_answer(struct session *session)
{
    struct flow *flow = &session->exchange->response;

    if (flow_drain(flow, session->client) == IO_BROKEN)
        return STEP_END;
    if (!flow_is_empty(flow))
        return STEP_STAY;
    session_enter(session, STATE_LEAVE);
    return STEP_ON;
}

/** Has all of the request come? Else a close would reset the connection. */
static bool request_is_read(const struct exchange *exchange)
{
    return exchange->head.status == 0 &&
           (body_kept(exchange) == exchange->head.body_length ||
            exchange->body_taken == exchange->head.body_length);
}

/** Say that no more will be sent; forget what still comes, for one second. */
static enum step step_leave(struct session *session)
{
    char forgotten[4096];
    size_t got;

    if (request_is_read(session->exchange))
        return STEP_END;
    if (session->deadline_ms == 0) {
        session->deadline_ms = clock_ms() + LEAVE_MS;
        shutdown(session->client, SHUT_WR);
    }
    switch (
        socket_receive(session->client, forgotten, sizeof(forgotten), &got)) {
    case IO_DONE:
    case IO_WAIT: break;
    case IO_END:
    case IO_BROKEN: return STEP_END;
    }
    return session_is_late(session) ? STEP_END : STEP_STAY;
}

static enum step session_step(struct session *session)
{
    switch (session->state) {
    case STATE_READ: return step_read(session);
    case STATE_PICK: return step_pick(session);
    case STATE_DIAL: return step_dial(session);
    case STATE_SEND:
    case STATE_WAIT: return step_send(session);
    case STATE_PASS: return step_pass(session);
    case STATE_ANSWER: return step_answer(session);
    case STATE_LEAVE: return step_leave(session);
    }
    return STEP_END;
}

bool session_on_event(struct session *session)
{
    enum step next = STEP_ON;

    trace(session, "wakes in %s", rows[session->state].name);
    while (next == STEP_ON)
        next = session_step(session);
    if (next == STEP_END)
        trace(session, "ends in %s", rows[session->state].name);
    return next == STEP_STAY;
}

struct session *session_new(int client, struct pool *pool, unsigned number)
{
    struct session *session = malloc(sizeof(*session));

    if (session == NULL) {
        close(client);
        return NULL;
    }
    *session = (struct session){.number = number,
                                .state = STATE_READ,
                                .client = client,
                                .upstream = -1,
                                .pool = pool};
    return session;
}

void session_refuse(struct session *session)
{
    session->exchange = exchange_new();
    if (session->exchange == NULL)
        return; /* then it is served like the others, if memory comes back */
    /* Nothing of its request is read: with this, LEAVE knows, and lingers. */
    session->exchange->head.status = 503;
    answer(session, 503, "too many clients at once");
}

void session_free(struct session **session)
{
    if ((*session)->exchange != NULL)
        upstream_end(*session);
    free((*session)->exchange);
    close((*session)->client);
    free(*session);
    *session = NULL;
}

bool session_is_late(const struct session *session)
{
    return session->deadline_ms != 0 && clock_ms() >= session->deadline_ms;
}

bool session_is_idle(const struct session *session)
{
    return session->state == STATE_READ;
}

/** Is the next piece of the request still with the client? */
static bool body_is_awaited(const struct exchange *exchange)
{
    return !exchange->request_over && flow_is_empty(&exchange->request) &&
           exchange->body_taken >= body_kept(exchange);
}

/** What must happen at the client before we can go on. */
static short client_wants(const struct session *session)
{
    const struct exchange *exchange = session->exchange;
    short wants = 0;

    if (exchange == NULL)
        return POLLIN; /* it has not said anything yet */
    if (session->state == STATE_DIAL)
        return 0; /* the backend comes first */
    if (session->state == STATE_READ || session->state == STATE_LEAVE)
        wants |= POLLIN;
    if (!flow_is_empty(&exchange->response))
        wants |= POLLOUT;
    if (session->upstream != -1 && body_is_awaited(exchange))
        wants |= POLLIN;
    return wants;
}

/** The same for the backend. */
static short upstream_wants(const struct session *session)
{
    const struct exchange *exchange = session->exchange;
    short wants = 0;

    if (session->upstream == -1)
        return 0;
    if (session->state == STATE_DIAL)
        return POLLOUT;
    if (flow_is_empty(&exchange->response))
        wants |= POLLIN;
    if (!exchange->request_over && !body_is_awaited(exchange))
        wants |= POLLOUT;
    return wants;
}

int session_wants(const struct session *session, struct pollfd wants[2])
{
    short client = client_wants(session);
    short upstream = upstream_wants(session);
    wants[0] = (struct pollfd){client != 0 ? session->client : -1, client, 0};
    wants[1] =
        (struct pollfd){upstream != 0 ? session->upstream : -1, upstream, 0};
    if (session->deadline_ms == 0)
        return -1;

    long left = session->deadline_ms - clock_ms();

    return left > 0 ? (int)left : 0;
}

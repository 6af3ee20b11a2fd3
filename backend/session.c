/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The life of a session:
 *
 *     REST -> HEAD -> BODY -> PAUSE -> SEND -> REST, for the next request
 *      |        \_______________________^  |
 *      |         a bad head is refused     +--> LEAVE  said all, closes gently
 *      v                                   +--> HOLD   says nothing any more
 *     end
 *
 * What happens is only ever decided from the state and the two buffers, so a
 * full output buffer stops the reading of an echo by itself.
 */
#include "session.h"

#include "body.h"
#include "buffer.h"
#include "fault.h"
#include "misbehave.h"
#include "options.h"
#include "origin.h"
#include "pages.h"
#include "request.h"
#include "response.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* clang-format off */
/*    state   at most ms  what goes on                                       */
#define SESSION_STATES(X)                                                     \
    X(REST,    60000)  /* waiting for a request                            */ \
    X(HEAD,    10000)  /* reading its head                                 */ \
    X(BODY,    30000)  /* reading its body, unless it is an echo           */ \
    X(PAUSE,      -1)  /* waiting, because the response shall be late      */ \
    X(SEND,    60000)  /* sending the response                             */ \
    X(HOLD,   600000)  /* keeping the connection open and silent           */ \
    X(LEAVE,    2000)  /* all is said: waiting for the client to close     */
/* clang-format on */

enum session_state {
#define X(state, limit_ms) SESSION_##state,
    SESSION_STATES(X)
#undef X
};

static const int limits_ms[] = {
#define X(state, limit_ms) limit_ms,
    SESSION_STATES(X)
#undef X
};

/** So often one response may fill the buffer before others have a turn. */
#define SEND_TURNS_MAX 16

struct session {
    int fd;                   /**< owned */
    struct origin *origin;    /**< borrowed: outlives us */
    enum session_state state; /**< only session_enter() changes it */
    bool in_ended;            /**< the client has said its last byte */
    bool stale;               /**< the next request is to be dropped */
    int64_t alarm_ms;         /**< when the state has lasted too long */
    int64_t pause_until_ms;   /**< when PAUSE is over */
    int64_t drip_ms;          /**< when the next byte may drip */
    struct body body;         /**< of the request */
    struct response response; /**< to the request */
    struct buffer in;         /**< what arrived */
    struct buffer out;        /**< what has to go */
};

/** How an attempt to move bytes ended. */
enum io {
    IO_DONE,   /**< all that could be moved was moved */
    IO_WAIT,   /**< the rest has to wait */
    IO_BROKEN, /**< the connection is of no further use */
};

/** What a step asks for next. */
enum step {
    STEP_ON,   /**< the state changed: take the next step now */
    STEP_STAY, /**< nothing more can be done until an event comes */
    STEP_END,  /**< the session is over */
};

/* --- beginning and end ---------------------------------------------------- */

/** The state may last so long from now on; slowness on purpose comes on top. */
static void session_set_alarm(struct session *session)
{
    const struct response *response = &session->response;
    int64_t limit_ms = limits_ms[session->state];

    if (session->state == SESSION_SEND)
        limit_ms += (int64_t)response->drip_ms + response->event_gap_ms;
    session->alarm_ms =
        limit_ms < 0 ? INT64_MAX : session->origin->now_ms + limit_ms;
}

/** The only way into a state. */
static void session_enter(struct session *session, enum session_state state)
{
    session->state = state;
    session_set_alarm(session);
}

/* The buffers stay as they are: clearing 32 KiB costs more than the rest. */
struct session *session_new(int fd, struct origin *origin)
{
    struct session *session = xnew(sizeof(*session));

    memset(session, 0, offsetof(struct session, in));
    buffer_init(&session->in);
    buffer_init(&session->out);
    session->fd = fd;
    session->origin = origin;
    session_enter(session, SESSION_REST);
    origin->stats.sessions++;
    origin->stats.open++;
    return session;
}

void session_free(struct session **session)
{
    struct session *old = *session;

    *session = NULL;
    old->origin->stats.open--;
    response_fini(&old->response);
    close(old->fd);
    free(old);
}

int session_fd(const struct session *session)
{
    return session->fd;
}

/** Make the coming close() send a reset and throw away what is on its way. */
static void session_reset(struct session *session)
{
    static const struct linger none = {.l_onoff = 1, .l_linger = 0};

    setsockopt(session->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

/* --- bytes in and out ----------------------------------------------------- */

static enum io session_fill(struct session *session)
{
    size_t room;
    char *back = buffer_back(&session->in, &room);
    ssize_t bytes = recv(session->fd, back, room, 0);

    if (bytes == -1) {
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
            return IO_WAIT;
        return IO_BROKEN;
    }
    if (bytes == 0)
        session->in_ended = true;
    buffer_grow(&session->in, (size_t)bytes);
    return IO_DONE;
}

/** While it drips, is it too soon for the next byte? */
static bool session_is_dripping(const struct session *session)
{
    return session->response.drip_ms > 0 &&
           session->origin->now_ms < session->drip_ms;
}

static enum io session_flush(struct session *session)
{
    struct buffer *out = &session->out;
    unsigned drip_ms = session->response.drip_ms;

    while (buffer_length(out) > 0) {
        if (session_is_dripping(session))
            return IO_WAIT;
        ssize_t bytes = send(session->fd, buffer_front(out),
                             drip_ms > 0 ? 1 : buffer_length(out), 0);
        if (bytes == -1 && errno == EINTR)
            continue;
        if (bytes == -1)
            return errno == EAGAIN || errno == EWOULDBLOCK ? IO_WAIT
                                                           : IO_BROKEN;
        buffer_drop(out, (size_t)bytes);
        session_set_alarm(session);
        session->drip_ms = session->origin->now_ms + drip_ms;
    }
    return IO_DONE;
}

/* --- answering ------------------------------------------------------------ */

static void log_request(const struct session *session,
                        const struct request *request)
{
    const struct origin *origin = session->origin;
    const struct response *response = &session->response;

    if (!origin->options->verbose)
        return;
    fprintf(stderr, "%s: %.*s %.*s%s%.*s -> %d%s%s\n", origin->name,
            (int)request->method.length, request->method.at,
            (int)request->path.length, request->path.at,
            request->query.length > 0 ? "?" : "", (int)request->query.length,
            request->query.at, response->status,
            response->mischief != NULL ? ", misbehaves: " : "",
            response->mischief != NULL ? response->mischief : "");
}

/** The request makes no sense: say so, and close. */
static enum step session_refuse(struct session *session, int status)
{
    struct response *response = &session->response;

    response_fini(response);
    response_init(response);
    response_set_status(response, status);
    response->minor = 1;
    response->close = true;
    response->end = RESPONSE_LEAVE;
    if (session->origin->options->verbose)
        fprintf(stderr, "%s: a bad request -> %d\n", session->origin->name,
                status);
    session_enter(session, SESSION_SEND);
    return STEP_ON;
}

/** Decide everything about the response, while the head is at hand. */
static void session_decide(struct session *session,
                           const struct request *request)
{
    struct response *response = &session->response;
    struct origin *origin = session->origin;

    response_init(response);
    response->is_head = span_is(request->method, "HEAD");
    response->minor = request->minor;
    response->close = !request->keep || origin->stopping;
    response->end = response->close ? RESPONSE_LEAVE : RESPONSE_KEEP;
    if (!span_is(request->path, "/stats"))
        stats_count_request(&origin->stats, request->path);
    pages_answer(origin, request, response);
    misbehave_by_flag(origin, request, response);
    log_request(session, request);
}

static enum step session_on_request(struct session *session,
                                    const struct request *request)
{
    size_t head_bytes = request->head.length;

    session_decide(session, request);
    if (session->response.upgrade != NULL)
        body_begin_tunnel(&session->body);
    else
        body_begin(&session->body, request);
    if (request->expect_continue && body_is_open(&session->body) &&
        !session->response.early)
        buffer_print(&session->out, "HTTP/1.1 100 Continue\r\n\r\n");
    buffer_drop(&session->in, head_bytes);
    session_enter(session, SESSION_BODY);
    return STEP_ON;
}

/** Does the response need the body as it comes? */
static bool session_is_echo(const struct session *session)
{
    return session->response.source == RESPONSE_ECHO &&
           !session->response.is_head;
}

static void session_count_body(struct session *session)
{
    const struct body *body = &session->body;

    if (body->state == BODY_ENDED && (body->chunked || body->bytes > 0))
        session->origin->stats.bodies++;
}

/** The response is over; so is the session, mostly if somebody asked for it. */
static enum step session_finish(struct session *session)
{
    enum response_end end = session->response.end;

    if (session_is_echo(session))
        session_count_body(session);
    response_fini(&session->response);
    switch (end) {
    case RESPONSE_STALE: session->stale = true; /* fall through */
    case RESPONSE_KEEP: session_enter(session, SESSION_REST); return STEP_ON;
    case RESPONSE_HOLD: session_enter(session, SESSION_HOLD); return STEP_ON;
    case RESPONSE_LEAVE:
        shutdown(session->fd, SHUT_WR);
        session_enter(session, SESSION_LEAVE);
        return STEP_ON;
    case RESPONSE_RESET: session_reset(session); return STEP_END;
    case RESPONSE_DROP: return STEP_END;
    }
    must(!"a response has an end");
}

/* --- one step for each state ---------------------------------------------- */

/** Empty lines before a request are forgiven. RFC 9112, 2.2 */
static void skip_empty_lines(struct buffer *in)
{
    while (buffer_length(in) >= 2 && memcmp(buffer_front(in), "\r\n", 2) == 0)
        buffer_drop(in, 2);
}

static enum step session_rest(struct session *session)
{
    skip_empty_lines(&session->in);
    if (buffer_length(&session->in) == 0)
        return session->in_ended ? STEP_END : STEP_STAY;
    if (session->stale) {
        session_reset(session);
        return STEP_END;
    }
    session_enter(session, SESSION_HEAD);
    return STEP_ON;
}

static enum step session_read_head(struct session *session)
{
    struct request request;
    size_t length = buffer_length(&session->in);

    switch (request_parse(&request, buffer_front(&session->in), length)) {
    case REQUEST_WHOLE: return session_on_request(session, &request);
    case REQUEST_BAD: return session_refuse(session, request.status);
    case REQUEST_NOT_YET: break;
    }
    if (length == BUFFER_BYTES)
        return session_refuse(session, 431);
    return session->in_ended ? STEP_END : STEP_STAY;
}

static enum step session_read_body(struct session *session)
{
    struct body *body = &session->body;

    if (session_flush(session) == IO_BROKEN)
        return STEP_END;
    if (!session->response.early && !session_is_echo(session)) {
        if (body_read(body, &session->in, NULL, BUFFER_BYTES) > 0)
            session_set_alarm(session);
        if (body->state == BODY_BAD)
            return session_refuse(session, 400);
        if (body_is_open(body))
            return session->in_ended ? STEP_END : STEP_STAY;
        session_count_body(session);
    }
    session->pause_until_ms =
        session->origin->now_ms + session->response.pause_ms;
    session_enter(session, SESSION_PAUSE);
    return STEP_ON;
}

static enum step session_pause(struct session *session)
{
    if (session->origin->now_ms < session->pause_until_ms)
        return STEP_STAY;
    session_enter(session, SESSION_SEND);
    return STEP_ON;
}

/** Nothing to send now. An echo waits for bytes that may never come. */
static enum step session_await(const struct session *session)
{
    return session_is_echo(session) && session->in_ended ? STEP_END : STEP_STAY;
}

/** Fill and flush by turns, until one of them cannot go on. */
static enum step session_send(struct session *session)
{
    for (int turn = 0;; turn++) {
        enum response_fill fill =
            response_fill(&session->response, session->origin, &session->out,
                          &session->body, &session->in);

        if (turn >= SEND_TURNS_MAX && buffer_length(&session->out) > 0)
            return STEP_STAY;
        if (session_flush(session) == IO_BROKEN)
            return STEP_END;
        if (buffer_length(&session->out) > 0)
            return STEP_STAY;
        switch (fill) {
        case RESPONSE_MORE: continue;
        case RESPONSE_WAIT: return session_await(session);
        case RESPONSE_DONE: return session_finish(session);
        case RESPONSE_LOST:
            session->response.end = RESPONSE_LEAVE;
            return session_finish(session);
        }
    }
}

/** Whatever still comes is thrown away, until the client closes. */
static enum step session_discard(struct session *session)
{
    buffer_init(&session->in);
    return session->in_ended ? STEP_END : STEP_STAY;
}

static enum step session_step(struct session *session)
{
    switch (session->state) {
    case SESSION_REST: return session_rest(session);
    case SESSION_HEAD: return session_read_head(session);
    case SESSION_BODY: return session_read_body(session);
    case SESSION_PAUSE: return session_pause(session);
    case SESSION_SEND: return session_send(session);
    case SESSION_HOLD:
    case SESSION_LEAVE: return session_discard(session);
    }
    must(!"a session has a state");
}

/* --- events --------------------------------------------------------------- */

/** Is there somebody here who wants more bytes from the client? */
static bool session_is_reading(const struct session *session)
{
    if (session->in_ended || buffer_length(&session->in) == BUFFER_BYTES)
        return false;
    switch (session->state) {
    case SESSION_PAUSE: return false;
    case SESSION_SEND:
        return session_is_echo(session) && body_is_open(&session->body);
    case SESSION_REST:
    case SESSION_HEAD:
    case SESSION_BODY:
    case SESSION_HOLD:
    case SESSION_LEAVE: return true;
    }
    must(!"a session has a state");
}

short session_wants(const struct session *session)
{
    short wants = 0;

    if (session_is_reading(session))
        wants |= POLLIN;
    if (buffer_length(&session->out) > 0 && !session_is_dripping(session))
        wants |= POLLOUT;
    return wants;
}

int64_t session_wakes_ms(const struct session *session)
{
    const struct response *response = &session->response;
    int64_t wakes_ms = session->alarm_ms;

    if (session->state == SESSION_PAUSE)
        return session->pause_until_ms;
    if (session_is_dripping(session) && buffer_length(&session->out) > 0)
        return session->drip_ms;
    if (session->state == SESSION_SEND && buffer_length(&session->out) == 0 &&
        response->source == RESPONSE_EVENTS && !response->over)
        return response->event_ms;
    return wakes_ms;
}

/** The state has lasted too long. A client with half a head is told so. */
static bool session_on_alarm(struct session *session)
{
    if (session->state != SESSION_HEAD)
        return false;
    session_refuse(session, 408);
    return true;
}

bool session_on_event(struct session *session, short events)
{
    enum step next = STEP_ON;

    if ((events & (POLLERR | POLLNVAL)) != 0)
        return false;
    if ((events & (POLLIN | POLLHUP)) != 0) {
        /* Gone in both directions while we do not read: nobody is left. */
        if (!session_is_reading(session) && (events & POLLHUP) != 0)
            return false;
        if (session_is_reading(session) && session_fill(session) == IO_BROKEN)
            return false;
    } else if (events == 0 && session->origin->now_ms >= session->alarm_ms &&
               !session_on_alarm(session)) {
        return false;
    }
    while (next == STEP_ON)
        next = session_step(session);
    return next == STEP_STAY;
}

bool session_may_end(const struct session *session)
{
    return session->state == SESSION_REST || session->state == SESSION_HOLD;
}

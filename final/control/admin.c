/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A session here is the same as a client's, only smaller, as answers are small
 * and whole:
 *
 *     HEAD    the head of a request comes in        <--+
 *       |                                              |
 *     BODY    its body, if the guard admits it         |
 *       |  |                                           |
 *       |  WAIT   the answer takes its time            |
 *       |  |                                           |
 *     SEND    the answer goes out  --------------------+
 *       |  |
 *       |  STREAM   events follow, until one side ends
 *     LEAVE   what is still coming is read and forgotten
 *
 * One timer, once a second, reads the counts and tells those who stream.
 */
#include "control/admin.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/list.h"
#include "base/log.h"
#include "base/must.h"
#include "base/settings.h"
#include "control/api.h"
#include "control/control.h"
#include "control/drift.h"
#include "control/events.h"
#include "control/guard.h"
#include "control/meter.h"
#include "control/view.h"
#include "event/loop.h"
#include "http/body.h"
#include "net/handed.h"
#include "net/listener.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SESSION_MAGIC = 0x61646d69,
    HEAD_BYTES = 16384,
    TARGET_BYTES = 2048,
    BODY_BYTES = 1 << 20,
    RAW_BYTES = BODY_BYTES + 65536, /* chunks have sizes, too */
    BEHIND_BYTES = 256 * 1024, /* who is so far behind the events is let go */
    ACCEPTS_MAX = 16,
    REST_MS = 100,
    HEAD_MS = 10000,
    BODY_MS = 30000,
    SEND_MS = 30000,
    IDLE_MS = 65000,
    LEAVE_MS = 2000,
    TICK_MS = HISTORY_STEP_MS,
    SIGNS_OF_LIFE = 15, /* ticks between two remarks in a stream */
    TOKEN_BYTES = 16,
};

enum session_step {
    STEP_HEAD,
    STEP_BODY,
    STEP_WAIT,
    STEP_SEND,
    STEP_STREAM,
    STEP_LEAVE
};

/** One connection. */
struct session {
    unsigned magic;
    enum session_step step;
    struct admin *admin;  /**< borrowed */
    struct stream client; /**< owned */
    struct timer alarm;   /**< the limit of the step */
    struct link link;     /**< among all of them */

    char *in;          /**< owned: what has come */
    size_t in_room;    /**< bytes there */
    size_t filled;     /**< of them, in use */
    struct head head;  /**< views into `in` */
    struct body body;  /**< how far it has been read */
    size_t content;    /**< bytes of the body that are understood: they stand
                            right behind the head, raw bytes behind them */
    bool closes;       /**< no further request */
    bool is_streaming; /**< an answer without end */

    char *out;       /**< owned: what is to be sent; NULL: nothing */
    size_t out_room; /**< bytes there */
    size_t out_length, out_sent;
};

struct admin {
    struct loop *loop;         /**< borrowed */
    struct overview *overview; /**< borrowed */
    struct guard guard;
    struct settings_place place;
    struct watch watch;   /**< the listener, owned */
    struct timer rest;    /**< accepting is paused until then */
    struct timer tick;    /**< once a second */
    struct link sessions; /**< owned */
    size_t session_count; /**< how many there are */
    size_t stream_count;  /**< those of them that stream */
    unsigned ticks;       /**< so far */
    char *token;          /**< owned */
    char *where;          /**< owned: what `place` was read from */
    bool is_lent;         /**< the listener is another process's, so far */
    bool is_left;         /**< another process is asked from now on */
};

/* --- one session ----------------------------------------------------------- */

static void alarm_in(struct session *session, int64_t ms)
{
    struct loop *loop = session->admin->loop;

    timer_set_in(loop_timers(loop), &session->alarm, ms, loop_now(loop));
}

static void session_free(struct session *session)
{
    struct admin *admin = session->admin;

    timer_clear(&session->alarm);
    stream_close(&session->client, admin->loop);
    list_remove(&session->link);
    admin->session_count--;
    admin->stream_count -= session->is_streaming;
    free(session->in);
    free(session->out);
    session->magic = 0;
    free(session);
}

/** Put bytes behind those that are to be sent. */
static void session_write(struct session *session, const char *bytes,
                          size_t length)
{
    size_t left = session->out_length - session->out_sent;

    if (left > 0 && session->out_sent > 0)
        memmove(session->out, session->out + session->out_sent, left);
    session->out_sent = 0;
    session->out_length = left;
    if (left + length > session->out_room) {
        char *room;

        session->out_room = (left + length) * 2;
        room = realloc(session->out, session->out_room);
        must(room != NULL);
        session->out = room;
    }
    memcpy(session->out + left, bytes, length);
    session->out_length += length;
}

static void head_start(struct session *session)
{
    static const struct head_limits limits = {.head_bytes = HEAD_BYTES,
                                              .target_bytes = TARGET_BYTES};

    head_begin(&session->head, HEAD_REQUEST, &limits);
    session->content = 0;
    session->step = STEP_HEAD;
}

/* --- answering ------------------------------------------------------------- */

/** Write an answer; it goes out when the session is run on. */
static void send_reply(struct session *session, const struct reply *reply)
{
    size_t length;
    char *text;

    if (reply->streams)
        session->closes = true;
    text = reply_print(reply, session->head.method_id == METHOD_HEAD,
                       session->closes, &length);
    session_write(session, text, length);
    free(text);
    session->step = STEP_SEND;
    alarm_in(session, SEND_MS);
}

static void refuse(struct session *session, unsigned status, const char *why)
{
    struct reply reply = {0};

    session->closes = true;
    reply_refuse(&reply, status, "%s", why);
    send_reply(session, &reply);
    reply_fini(&reply);
}

/** An event, as a stream has it (HTML, 9.2.6). */
static void write_event(struct session *session, const struct event *event)
{
    char line[64];
    int length = snprintf(line, sizeof(line), "id: %llu\nevent: %s\ndata: ",
                          (unsigned long long)event->number, event->kind);

    session_write(session, line, (size_t)length);
    session_write(session, event->json, strlen(event->json));
    session_write(session, "\n\n", 2);
}

static void write_status(struct session *session, const char *json)
{
    static const char line[] = "event: status\ndata: ";

    session_write(session, line, sizeof(line) - 1);
    session_write(session, json, strlen(json));
    session_write(session, "\n\n", 2);
}

static char *status_text(const struct admin *admin)
{
    json_t *status = view_status(admin->overview);
    char *text = json_dumps(status, JSON_COMPACT | JSON_REAL_PRECISION(10));

    must(text != NULL);
    json_decref(status);
    return text;
}

/** What this client has seen last, as it says. */
static uint64_t last_seen(const struct head *head)
{
    uint64_t number = 0;

    for (size_t i = 0; i < head->field_count; i++)
        if (name_is(head->fields[i].name, "Last-Event-ID"))
            text_number(head->fields[i].value, &number);
    return number;
}

/** The answer was the head of a stream: begin with what is kept. */
static void begin_stream(struct session *session, uint64_t seen)
{
    struct admin *admin = session->admin;
    char *status = status_text(admin);
    const struct event *event;

    session->is_streaming = true;
    admin->stream_count++;
    write_status(session, status);
    free(status);
    /* Numbers begin again with each run: one that is not there yet is old. */
    if (seen > events_last(admin->overview->events))
        seen = 0;
    while ((event = events_after(admin->overview->events, seen)) != NULL) {
        write_event(session, event);
        seen = event->number;
    }
}

/** So many may watch, so that others can still ask something. */
static size_t streams_max(const struct admin *admin)
{
    return admin->overview->admin_sessions_max * 3 / 4;
}

/** The request is whole. */
static void answer(struct session *session)
{
    struct admin *admin = session->admin;
    struct reply reply = {0};
    struct api_request request = {
        .method = session->head.method_id,
        .path = session->head.path,
        .body = {session->in + session->head.length, session->content},
    };
    struct text path;

    if (text_cut(&request.path, '?', &path)) {
        request.query = request.path;
        request.path = path;
    }
    api_answer(admin->overview, &request, &reply);
    if (reply.waits) {
        session->step = STEP_WAIT;
        session->closes = true;
        timer_clear(&session->alarm);
        return;
    }
    session->closes |= admin->is_left;
    if (reply.streams && admin->stream_count >= streams_max(admin)) {
        refuse(session, 503, "too many watch the events at once");
        return;
    }
    send_reply(session, &reply);
    if (reply.streams && request.method != METHOD_HEAD)
        begin_stream(session, last_seen(&session->head));
    reply_fini(&reply);
}

/* --- the request ----------------------------------------------------------- */

/** The head is whole: may it be answered, and is there a body to wait for? */
static void judge_head(struct session *session)
{
    const struct head *head = &session->head;
    struct reply reply = {0};

    session->closes = !head->keeps_alive;
    if (!guard_admits(&session->admin->guard, head, &reply)) {
        session->closes |= head->framing != FRAMING_NONE;
        send_reply(session, &reply);
        reply_fini(&reply);
        return;
    }
    if (head->framing == FRAMING_LENGTH && head->body_length > BODY_BYTES) {
        refuse(session, 413, "the body is larger than 1 MiB");
        return;
    }
    if (head->expects_continue && session->filled == head->length) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

        session_write(session, go_on, sizeof(go_on) - 1);
    }
    body_begin(&session->body, head);
    session->step = STEP_BODY;
    alarm_in(session, BODY_MS);
}

/** Room for more; what stood there may move, and with it the head's texts. */
static void make_room(struct session *session)
{
    char *room;

    if (session->filled < session->in_room)
        return;
    session->in_room = session->in_room == 0 ? 4096 : session->in_room * 2;
    room = realloc(session->in, session->in_room);
    must(room != NULL);
    session->in = room;
    if (session->step == STEP_BODY) {
        const struct head_limits limits = session->head.limits;

        head_begin(&session->head, HEAD_REQUEST, &limits);
        must(head_read(&session->head, session->in, session->filled) ==
             HEAD_DONE);
    }
}

/** Understand what has come. @return false: more has to come first */
static bool read_on(struct session *session)
{
    size_t used, made, at;

    if (session->step == STEP_HEAD) {
        switch (head_read(&session->head, session->in, session->filled)) {
        case HEAD_MORE: return false;
        case HEAD_REFUSED:
            refuse(session, session->head.status, session->head.why);
            return true;
        case HEAD_DONE: judge_head(session); return true;
        }
    }
    at = session->head.length + session->content;
    if (!body_is_done(&session->body)) {
        enum body_result result = body_read(&session->body, session->in + at,
                                            session->filled - at, &used, &made);

        memmove(session->in + at + made, session->in + at + used,
                session->filled - at - used);
        session->filled -= used - made;
        session->content += made;
        if (result == BODY_REFUSED) {
            refuse(session, 400, session->body.why);
            return true;
        }
        if (session->content > BODY_BYTES || session->filled > RAW_BYTES) {
            refuse(session, 413, "the body is larger than 1 MiB");
            return true;
        }
        if (result == BODY_MORE)
            return false;
    }
    answer(session);
    return true;
}

/** The answer has gone. */
static void next_request(struct session *session)
{
    size_t used = session->head.length + session->content;

    if (session->is_streaming) {
        session->step = STEP_STREAM;
        timer_clear(&session->alarm);
        return;
    }
    if (session->closes) {
        stream_shut(&session->client);
        session->step = STEP_LEAVE;
        alarm_in(session, LEAVE_MS);
        return;
    }
    memmove(session->in, session->in + used, session->filled - used);
    session->filled -= used;
    head_start(session);
    alarm_in(session, session->filled > 0 ? HEAD_MS : IDLE_MS);
}

/* --- from event to event --------------------------------------------------- */

/** Send what there is. @return IO_DONE: all of it has gone */
static enum io send_out(struct session *session)
{
    while (session->out_sent < session->out_length) {
        struct iovec piece = {session->out + session->out_sent,
                              session->out_length - session->out_sent};
        size_t sent;
        enum io io = stream_send(&session->client, &piece, 1, &sent);

        if (io != IO_DONE)
            return io;
        session->out_sent += sent;
    }
    session->out_sent = session->out_length = 0;
    return IO_DONE;
}

/** Receive into the room there is. */
static enum io receive(struct session *session)
{
    size_t got;
    enum io io;

    make_room(session);
    io = stream_receive(&session->client, session->in + session->filled,
                        session->in_room - session->filled, &got);
    if (io == IO_DONE && session->filled == 0 && session->step == STEP_HEAD)
        alarm_in(session, HEAD_MS);
    session->filled += got;
    return io;
}

/** Read and forget. @return how that ended */
static enum io forget(struct session *session)
{
    char bytes[4096];
    size_t got;
    enum io io = IO_DONE;

    for (int turn = 0; io == IO_DONE && turn < 256; turn++)
        io = stream_receive(&session->client, bytes, sizeof(bytes), &got);
    return io == IO_DONE ? IO_BROKEN : io; /* it does not stop talking */
}

/** One step. @return IO_DONE: go on; IO_WAIT: rest; else it is over */
static enum io session_step(struct session *session)
{
    enum io io = send_out(session);

    if (io != IO_DONE && io != IO_WAIT)
        return io;
    switch (session->step) {
    case STEP_HEAD:
    case STEP_BODY:
        if (session->filled > 0 && read_on(session))
            return IO_DONE;
        return receive(session);
    case STEP_SEND:
        if (io == IO_WAIT)
            return IO_WAIT;
        next_request(session);
        return IO_DONE;
    case STEP_WAIT:
    case STEP_STREAM:
    case STEP_LEAVE: break;
    }
    return forget(session);
}

/** Go as far as possible; the session may be gone afterwards. */
static void session_run(struct session *session)
{
    enum io io;

    do
        io = session_step(session);
    while (io == IO_DONE);
    if (io != IO_WAIT)
        session_free(session);
}

static void on_session(void *arg)
{
    session_run(must_be(struct session, SESSION_MAGIC, arg));
}

static void on_alarm(void *arg)
{
    session_free(must_be(struct session, SESSION_MAGIC, arg));
}

static void session_begin(struct admin *admin, const struct stream *client)
{
    struct session *session = xnew(1, sizeof(*session));

    session->magic = SESSION_MAGIC;
    session->admin = admin;
    session->client = *client;
    session->client.watch.on_event = on_session;
    session->client.watch.arg = session;
    session->alarm = (struct timer){.on_alarm = on_alarm, .arg = session};
    list_put_last(&admin->sessions, &session->link);
    admin->session_count++;
    head_start(session);
    alarm_in(session, HEAD_MS);
    if (!loop_watch(admin->loop, &session->client.watch)) {
        session_free(session);
        return;
    }
    if (admin->session_count > admin->overview->admin_sessions_max)
        refuse(session, 503, "too many connections to the admin listener");
    session_run(session);
}

/* --- accepting ------------------------------------------------------------- */

static void on_clients(void *arg)
{
    struct admin *admin = arg;

    for (int i = 0; i < ACCEPTS_MAX; i++) {
        struct stream client;
        union address from;

        switch (listener_accept(admin->watch.fd, &client, &from)) {
        case ACCEPTED_CLIENT: session_begin(admin, &client); break;
        case ACCEPTED_LOST: break;
        case ACCEPTED_NONE: watch_wait(&admin->watch, READY_READ); return;
        case ACCEPTED_SHORT:
            timer_set_in(loop_timers(admin->loop), &admin->rest, REST_MS,
                         loop_now(admin->loop));
            return;
        }
    }
    loop_again(admin->loop, &admin->watch);
}

/* --- events ---------------------------------------------------------------- */

/** Bytes were added for a stream: send them, or let it go. */
static void stream_push(struct session *session)
{
    if (session->out_length - session->out_sent > BEHIND_BYTES)
        session_free(session);
    else
        session_run(session);
}

static void on_event(void *arg, const struct event *event)
{
    struct admin *admin = arg;
    struct link *link = admin->sessions.after;

    while (link != &admin->sessions) {
        struct session *session = list_item(link, struct session, link);

        link = link->after;
        if (!session->is_streaming)
            continue;
        write_event(session, event);
        stream_push(session);
    }
}

static void tell_status(struct admin *admin)
{
    static const char sign[] = ": still here\n\n";
    char *status = status_text(admin);
    bool signs = admin->ticks % SIGNS_OF_LIFE == 0;
    struct link *link = admin->sessions.after;

    while (link != &admin->sessions) {
        struct session *session = list_item(link, struct session, link);

        link = link->after;
        if (!session->is_streaming)
            continue;
        write_status(session, status);
        if (signs)
            session_write(session, sign, sizeof(sign) - 1);
        stream_push(session);
    }
    free(status);
}

static void on_tick(void *arg)
{
    struct admin *admin = arg;

    meter_tick(admin->overview->meter, clock_ms());
    drift_look(admin->overview);
    admin->ticks++;
    if (admin->stream_count > 0)
        tell_status(admin);
    timer_set_in(loop_timers(admin->loop), &admin->tick, TICK_MS,
                 loop_now(admin->loop));
}

/* --- made and ended -------------------------------------------------------- */

/** The settings may be gone, one day, while we are still here. */
static char *copy(const char *text)
{
    char *mine = strdup(text);

    must(mine != NULL);
    return mine;
}

/** The token of the settings, or the one that was made for the process before
 * us, or one for this run. Owned by the caller. */
static char *token_new(const struct settings *settings, const char *made)
{
    unsigned char bytes[TOKEN_BYTES];
    char text[2 * TOKEN_BYTES + 1];

    if (*settings->admin_token != '\0')
        return copy(settings->admin_token);
    if (*made != '\0')
        return copy(made);
    must(RAND_bytes(bytes, sizeof(bytes)) == 1);
    for (size_t i = 0; i < sizeof(bytes); i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    log_info("admin token: %s, made for this run (setting admin-token)", text);
    return copy(text);
}

static bool listen_at(struct admin *admin, struct handed *handed,
                      struct fault *fault)
{
    const struct settings_place *place = &admin->place;
    struct listener_settings settings = {.is_shared = false};

    if (place->kind == SETTINGS_AT_PATH) {
        admin->watch.fd = handed_take_path(handed, place->path);
        admin->is_lent = admin->watch.fd != -1;
        return admin->is_lent ||
               listener_open_path(place->path, &admin->watch.fd, fault);
    }
    must(address_parse(&settings.where, text_of(place->address), place->port));
    admin->watch.fd = handed_take(handed, HANDED_ADMIN, &settings.where);
    return admin->watch.fd != -1 ||
           listener_open(&settings, &admin->watch.fd, fault);
}

struct admin *admin_open(struct loop *loop, struct overview *overview,
                         struct handed *handed, const char *token,
                         struct fault *fault)
{
    struct admin *admin = xnew(1, sizeof(*admin));
    struct fault why = {"it cannot be watched"};

    admin->loop = loop;
    admin->overview = overview;
    list_init(&admin->sessions);
    admin->tick = (struct timer){.on_alarm = on_tick, .arg = admin};
    admin->rest = (struct timer){.on_alarm = on_clients, .arg = admin};
    admin->watch =
        (struct watch){.fd = -1, .on_event = on_clients, .arg = admin};
    admin->where = copy(control_settings(overview->control)->admin);
    must(settings_place_read(&admin->place, admin->where));
    overview->meter =
        meter_new(overview->control->crew, overview->control->roster);
    events_watch(overview->events, on_event, admin);
    if (!listen_at(admin, handed, &why) || !loop_watch(loop, &admin->watch)) {
        fault_say(fault, "the admin listener: %s (setting admin)", why.text);
        admin_free(&admin);
        return NULL;
    }
    admin->token = token_new(control_settings(overview->control), token);
    admin->guard = (struct guard){
        .token = admin->token,
        .address =
            admin->place.kind == SETTINGS_AT_PATH ? NULL : admin->place.address,
        .is_local = admin->place.is_local,
    };
    timer_set_in(loop_timers(loop), &admin->tick, TICK_MS, clock_ms());
    return admin;
}

void admin_print_where(const struct admin *admin, FILE *out)
{
    union address address;
    char text[ADDRESS_PRINT_MAX];
    bool is_v6;

    if (admin->place.kind == SETTINGS_AT_PATH) {
        fprintf(out, "unix:%s", admin->place.path);
        return;
    }
    if (!listener_address(admin->watch.fd, &address)) {
        /* The system does not say (it has no memory for that): then what was
         * asked for. */
        fprintf(out, "http://%s:%u", admin->place.address, admin->place.port);
        return;
    }
    address_print(&address, text);
    is_v6 = address.any.sa_family == AF_INET6;
    fprintf(out, "http://%s%s%s:%u", is_v6 ? "[" : "", text, is_v6 ? "]" : "",
            address_port(&address));
}

static void listener_end(struct admin *admin)
{
    timer_clear(&admin->rest);
    if (admin->watch.fd == -1)
        return;
    loop_forget(admin->loop, &admin->watch);
    close(admin->watch.fd);
    admin->watch.fd = -1;
}

/* --- from process to process ----------------------------------------------- */

void admin_settle(struct admin *admin)
{
    admin->is_lent = false;
}

bool admin_hand(const struct admin *admin, struct handed *handed)
{
    return handed_add(handed, HANDED_ADMIN, admin->watch.fd);
}

const char *admin_made_token(const struct admin *admin)
{
    const struct settings *settings =
        control_settings(admin->overview->control);

    return *settings->admin_token == '\0' ? admin->token : "";
}

void admin_answer_waiting(struct admin *admin, const struct reply *reply)
{
    struct link *link = admin->sessions.after;

    while (link != &admin->sessions) {
        struct session *session = list_item(link, struct session, link);

        link = link->after;
        if (session->step != STEP_WAIT)
            continue;
        send_reply(session, reply);
        session_run(session);
    }
}

void admin_leave(struct admin *admin)
{
    struct link *link = admin->sessions.after;

    admin->is_left = true;
    listener_end(admin);
    while (link != &admin->sessions) {
        struct session *session = list_item(link, struct session, link);
        bool is_idle = session->step == STEP_HEAD && session->filled == 0;

        link = link->after;
        if (is_idle || session->is_streaming)
            session_free(session);
    }
}

void admin_free(struct admin **owned)
{
    struct admin *admin = *owned;
    struct link *link;

    while ((link = list_take_first(&admin->sessions)) != NULL)
        session_free(list_item(link, struct session, link));
    timer_clear(&admin->tick);
    if (admin->place.kind == SETTINGS_AT_PATH && admin->watch.fd != -1 &&
        !admin->is_lent)
        unlink(admin->place.path);
    listener_end(admin);
    events_watch(admin->overview->events, NULL, NULL);
    meter_free(&admin->overview->meter);
    free(admin->token);
    free(admin->where);
    free(admin);
    *owned = NULL;
}

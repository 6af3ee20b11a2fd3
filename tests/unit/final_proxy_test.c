/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The rooms of the proxy floor that need no network around them: bytes on their
 * way, the decision to try again, the table of states, and the access line.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/settings.h"
#include "proxy/access.h"
#include "proxy/exchange.h"
#include "proxy/flow.h"
#include "proxy/retry.h"
#include "proxy/state.h"
#include "proxy/terms.h"
#include "unit.h"
#include "upstream/backend.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static struct settings settings;

static void set(enum setting setting, const char *text)
{
    struct fault fault;

    ck_assert_msg(settings_set(&settings, setting, text, &fault), "%s",
                  fault.text);
}

/* --- flows ------------------------------------------------------------------- */

/** A flow with a connection on each side; the far ends are ours. */
struct channel {
    struct blocks blocks;
    struct flow flow;
    struct stream from, to;
    int source, sink;
};

static void channel_open(struct channel *channel)
{
    int in[2], out[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, in),
                     0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, out),
                     0);
    blocks_init(&channel->blocks);
    flow_init(&channel->flow, &channel->blocks);
    stream_init(&channel->from, in[0], READY_READ | READY_WRITE);
    stream_init(&channel->to, out[0], READY_READ | READY_WRITE);
    channel->source = in[1];
    channel->sink = out[1];
}

static void channel_close(struct channel *channel)
{
    flow_fini(&channel->flow);
    blocks_fini(&channel->blocks);
    close(channel->from.watch.fd);
    close(channel->to.watch.fd);
    close(channel->source);
    close(channel->sink);
}

static struct body body_of(enum framing framing, uint64_t length)
{
    static struct head head;
    struct body body;

    head.framing = framing;
    head.body_length = length;
    body_begin(&body, &head);
    return body;
}

/** These bytes come in. */
static void come(struct channel *channel, const void *bytes, size_t length)
{
    ck_assert_int_eq(send(channel->source, bytes, length, 0), (ssize_t)length);
    channel->from.watch.ready |= READY_READ;
    ck_assert_int_eq(flow_fill(&channel->flow, &channel->from), IO_DONE);
}

static void come_text(struct channel *channel, const char *text)
{
    come(channel, text, strlen(text));
}

/** Everything goes out; what comes of it at the other end. */
static size_t leave(struct channel *channel, char *bytes, size_t room)
{
    size_t length = 0;

    while (!flow_is_empty(&channel->flow)) {
        ssize_t got;

        channel->to.watch.ready |= READY_WRITE;
        ck_assert_int_ne(flow_drain(&channel->flow, &channel->to), IO_BROKEN);
        while ((got = recv(channel->sink, bytes + length, room - length, 0)) >
               0)
            length += (size_t)got;
    }
    return length;
}

/** What goes out is this text. */
static void leaves(struct channel *channel, const char *expected)
{
    char bytes[1024];
    size_t length = leave(channel, bytes, sizeof(bytes));

    ck_assert_uint_eq(length, strlen(expected));
    ck_assert_mem_eq(bytes, expected, length);
}

static void add(struct flow *flow, const char *text)
{
    char *out = flow_write(flow, strlen(text));

    ck_assert_ptr_nonnull(out);
    memcpy(out, text, strlen(text));
    flow_wrote(flow, strlen(text));
}

START_TEST(nothing_holds_no_memory)
{
    struct channel channel;

    channel_open(&channel);
    ck_assert_int_eq(flow_fill(&channel.flow, &channel.from), IO_WAIT);
    ck_assert_ptr_null(channel.flow.in);
    ck_assert_ptr_null(channel.flow.out);
    ck_assert(flow_is_empty(&channel.flow));
    ck_assert_int_eq(flow_drain(&channel.flow, &channel.to), IO_DONE);
    ck_assert_uint_eq(channel.blocks.count, 1); /* was tried, and given back */
    close(channel.source);
    channel.from.watch.ready |= READY_READ;
    ck_assert_int_eq(flow_fill(&channel.flow, &channel.from), IO_END);
    ck_assert_ptr_null(channel.flow.in);
    channel.source = -1;
    channel_close(&channel);
}
END_TEST

START_TEST(what_we_add_goes_before_the_content)
{
    struct body body = body_of(FRAMING_LENGTH, 5);
    struct channel channel;
    struct flow *flow = &channel.flow;

    channel_open(&channel);
    come_text(&channel, "HEADhelloNEXT");
    flow_skip_head(flow, 4);
    ck_assert(flow_is_empty(flow)); /* raw bytes are not content yet */
    ck_assert_int_eq(flow_decode(flow, &body), BODY_DONE);
    add(flow, "head ");
    leaves(&channel, "head hello");
    ck_assert_uint_eq(flow->moved, 5);
    ck_assert_ptr_null(flow->out); /* it has gone: no memory for it */
    ck_assert_uint_eq(flow_raw(flow), 4);
    flow_restart(flow);
    ck_assert_uint_eq(flow_raw(flow), 4);
    ck_assert_mem_eq(flow_bytes(flow), "NEXT", 4);
    ck_assert_uint_eq(flow->moved, 0);
    channel_close(&channel);
}
END_TEST

START_TEST(framing_goes_and_comes)
{
    struct body body = body_of(FRAMING_CHUNKED, 0);
    struct channel channel;
    struct flow *flow = &channel.flow;

    channel_open(&channel);
    flow->is_chunked = true;
    flow_chunk(flow);
    ck_assert(flow_is_empty(flow)); /* no empty chunk: it would be the last */
    come_text(&channel, "5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\n\r\nmore");
    ck_assert_int_eq(flow_decode(flow, &body), BODY_DONE);
    ck_assert_uint_eq(flow_raw(flow), 4);
    ck_assert(flow_is_empty(flow)); /* content goes out in chunks only */
    flow_chunk(flow);
    leaves(&channel, "8\r\nhelloabc\r\n");
    ck_assert_uint_eq(flow->moved, 8);
    ck_assert_mem_eq(flow_bytes(flow), "more", 4);
    channel_close(&channel);
}
END_TEST

/** Content that fills a block does not fit into another with its framing. */
START_TEST(a_block_of_content_goes_in_two_chunks)
{
    static char content[BLOCK_BYTES], out[2 * BLOCK_BYTES];
    struct body body = body_of(FRAMING_CLOSE, 0);
    struct body back = body_of(FRAMING_CHUNKED, 0);
    struct channel channel;
    struct flow *flow = &channel.flow;
    size_t length = 0, used, made;

    channel_open(&channel);
    memset(content, 'c', sizeof(content));
    come(&channel, content, sizeof(content));
    ck_assert_int_eq(flow_decode(flow, &body), BODY_MORE);
    flow->is_chunked = true;
    for (int i = 0; i < 2; i++) {
        flow_chunk(flow);
        length += leave(&channel, out + length, sizeof(out) - length);
    }
    ck_assert_uint_eq(flow->moved, BLOCK_BYTES);
    memcpy(out + length, "0\r\n\r\n", 5);
    ck_assert_int_eq(body_read(&back, out, length + 5, &used, &made),
                     BODY_DONE);
    ck_assert_uint_eq(used, length + 5);
    ck_assert_uint_eq(made, BLOCK_BYTES);
    ck_assert_mem_eq(out, content, BLOCK_BYTES);
    channel_close(&channel);
}
END_TEST

/** A little room at the other end: it goes bit by bit, and in order. */
START_TEST(a_slow_receiver_gets_everything_in_order)
{
    static char content[BLOCK_BYTES], out[2 * BLOCK_BYTES];
    static const int little = 1;
    struct body body = body_of(FRAMING_CLOSE, 0);
    struct channel channel;

    channel_open(&channel);
    setsockopt(channel.to.watch.fd, SOL_SOCKET, SO_SNDBUF, &little,
               sizeof(little));
    for (size_t i = 0; i < sizeof(content); i++)
        content[i] = (char)('a' + i % 26);
    come(&channel, content, sizeof(content));
    flow_decode(&channel.flow, &body);
    add(&channel.flow, "0123456789");
    ck_assert_int_eq(flow_drain(&channel.flow, &channel.to), IO_DONE);
    ck_assert(!flow_is_empty(&channel.flow));
    ck_assert_uint_eq(leave(&channel, out, sizeof(out)), 10 + sizeof(content));
    ck_assert_mem_eq(out, "0123456789", 10);
    ck_assert_mem_eq(out + 10, content, sizeof(content));
    ck_assert_uint_eq(channel.flow.moved, sizeof(content));
    channel_close(&channel);
}
END_TEST

START_TEST(what_is_kept_goes_out_again)
{
    struct body body = body_of(FRAMING_LENGTH, 10);
    struct channel channel;
    struct flow *flow = &channel.flow;

    channel_open(&channel);
    flow->keeps = true;
    come_text(&channel, "HEADhello");
    flow_skip_head(flow, 4);
    flow_decode(flow, &body);
    add(flow, "try 1 ");
    leaves(&channel, "try 1 hello");
    flow_make_room(flow);
    ck_assert(flow->keeps); /* there is room without */
    come_text(&channel, "world");
    ck_assert_int_eq(flow_decode(flow, &body), BODY_DONE);
    leaves(&channel, "world");
    flow_rewind(flow);
    add(flow, "try 2 ");
    leaves(&channel, "try 2 helloworld");
    channel_close(&channel);
}
END_TEST

START_TEST(what_is_kept_is_given_up_when_there_is_no_room)
{
    static char content[BLOCK_BYTES], out[2 * BLOCK_BYTES];
    struct body body = body_of(FRAMING_CLOSE, 0);
    struct channel channel;
    struct flow *flow = &channel.flow;

    channel_open(&channel);
    flow->keeps = true;
    memset(content, 'k', sizeof(content));
    memcpy(content, "HEAD", 4);
    come(&channel, content, sizeof(content));
    flow_skip_head(flow, 4);
    flow_decode(flow, &body);
    ck_assert_uint_eq(leave(&channel, out, sizeof(out)), BLOCK_BYTES - 4);
    flow_make_room(flow);
    ck_assert(!flow->keeps);
    ck_assert_uint_eq(flow->filled, 4); /* the head stays where it is */
    come_text(&channel, "and on");
    flow_decode(flow, &body);
    leaves(&channel, "and on");
    ck_assert_mem_eq(flow->in->bytes, "HEAD", 4);
    channel_close(&channel);
}
END_TEST

START_TEST(what_has_gone_makes_room)
{
    struct body body = body_of(FRAMING_CLOSE, 0);
    struct channel channel;
    struct flow *flow = &channel.flow;

    channel_open(&channel);
    come_text(&channel, "HEADcontent");
    flow_skip_head(flow, 4);
    flow_decode(flow, &body);
    leaves(&channel, "content");
    flow_make_room(flow);
    ck_assert_uint_eq(flow->filled, 4);
    channel_close(&channel);
}
END_TEST

START_TEST(there_is_so_much_room_to_write)
{
    struct channel channel;
    struct flow *flow = &channel.flow;

    channel_open(&channel);
    ck_assert_uint_eq(flow_room(flow), BLOCK_BYTES);
    ck_assert_ptr_nonnull(flow_write(flow, BLOCK_BYTES));
    ck_assert_ptr_null(flow_write(flow, BLOCK_BYTES + 1));
    add(flow, "some");
    ck_assert_uint_eq(flow_room(flow), BLOCK_BYTES - 4);
    ck_assert_ptr_null(flow_write(flow, BLOCK_BYTES - 3));
    ck_assert_ptr_nonnull(flow_write(flow, BLOCK_BYTES - 4));
    leaves(&channel, "some");
    ck_assert_uint_eq(flow_room(flow), BLOCK_BYTES);
    channel_close(&channel);
}
END_TEST

START_TEST(a_restart_gives_back_what_is_not_needed)
{
    struct body body = body_of(FRAMING_LENGTH, 3);
    struct channel channel;
    struct flow *flow = &channel.flow;

    channel_open(&channel);
    come_text(&channel, "abc");
    flow_decode(flow, &body);
    add(flow, "never sent");
    flow_restart(flow);
    ck_assert_ptr_null(flow->in);
    ck_assert_ptr_null(flow->out);
    ck_assert_uint_eq(channel.blocks.count, 2);
    ck_assert(flow_is_empty(flow));
    channel_close(&channel);
}
END_TEST

/* --- to try again ------------------------------------------------------------ */

static const enum attempt attempts[] = {
    ATTEMPT_UNCONNECTED, ATTEMPT_SHORT, ATTEMPT_STALE,
    ATTEMPT_UNANSWERED,  ATTEMPT_SLOW,  ATTEMPT_ANSWERED,
    ATTEMPT_ABANDONED,
};

/** All facts there can be, one for each number. */
static struct retry_facts facts_of(int number)
{
    return (struct retry_facts){
        .is_idempotent = number & 1,
        .is_kept = number & 2,
        .was_sent = number & 4,
        .was_stale = number & 8,
        .unconnected = (unsigned)number >> 4 & 3,
        .repeated = (unsigned)number >> 6 & 3,
    };
}

enum { FACTS = 256 };

/** For all facts: what was sent is sent again only if that does no harm. */
START_TEST(nothing_is_done_twice)
{
    struct retry_facts facts = facts_of(_i);
    bool harmless = !facts.was_sent || (facts.is_idempotent && facts.is_kept);

    settings_init(&settings);
    set(SETTING_retries, "2");
    for (size_t i = 0; i < COUNT(attempts); i++) {
        bool may = retry_may(attempts[i], &facts, &settings);

        if (!harmless && attempts[i] != ATTEMPT_UNCONNECTED &&
            attempts[i] != ATTEMPT_SHORT)
            ck_assert(!may);
        if (attempts[i] == ATTEMPT_STALE)
            ck_assert_int_eq(may, harmless && !facts.was_stale);
        if (attempts[i] == ATTEMPT_UNANSWERED)
            ck_assert_int_eq(may, harmless && facts.repeated < 2);
    }
    settings_fini(&settings);
}
END_TEST

/** For all facts: who slept, spoke, or left is not asked again. */
START_TEST(slow_is_not_dead)
{
    struct retry_facts facts = facts_of(_i);

    settings_init(&settings);
    set(SETTING_retries, "10");
    ck_assert(!retry_may(ATTEMPT_SLOW, &facts, &settings));
    ck_assert(!retry_may(ATTEMPT_ANSWERED, &facts, &settings));
    ck_assert(!retry_may(ATTEMPT_ABANDONED, &facts, &settings));
    settings_fini(&settings);
}
END_TEST

START_TEST(so_many_backends_are_tried)
{
    struct retry_facts facts = {.was_sent = false};

    settings_init(&settings);
    set(SETTING_connect_tries, "3");
    for (unsigned i = 0; i < 5; i++) {
        facts.unconnected = i;
        ck_assert_int_eq(retry_may(ATTEMPT_UNCONNECTED, &facts, &settings),
                         i < 3);
        ck_assert_int_eq(retry_may(ATTEMPT_SHORT, &facts, &settings), i < 3);
    }
    set(SETTING_retries, "0");
    ck_assert(!retry_may(ATTEMPT_UNANSWERED, &facts, &settings));
    ck_assert(retry_may(ATTEMPT_STALE, &facts, &settings));
    settings_fini(&settings);
}
END_TEST

START_TEST(the_backend_is_blamed_for_its_own_faults)
{
    ck_assert(attempt_is_blamed(ATTEMPT_UNCONNECTED));
    ck_assert(attempt_is_blamed(ATTEMPT_UNANSWERED));
    ck_assert(attempt_is_blamed(ATTEMPT_SLOW));
    ck_assert(attempt_is_blamed(ATTEMPT_ANSWERED));
    ck_assert(!attempt_is_blamed(ATTEMPT_SHORT));
    ck_assert(!attempt_is_blamed(ATTEMPT_STALE));
    ck_assert(!attempt_is_blamed(ATTEMPT_ABANDONED));
}
END_TEST

/* --- states ------------------------------------------------------------------ */

/** All that can come after a state, sooner or later. */
static unsigned reach(enum state state)
{
    unsigned reached = state_row(state)->next, before;

    do {
        before = reached;
        for (int i = 0; i < STATE_COUNT; i++)
            if (reached & (1u << i))
                reached |= state_row((enum state)i)->next;
    } while (reached != before);
    return reached;
}

/** 0 to STATE_COUNT - 1: each state. */
START_TEST(each_state_can_be_reached_and_left)
{
    enum state state = (enum state)_i;

    ck_assert_uint_eq(state_row(state)->next >> STATE_COUNT, 0);
    ck_assert_uint_eq(state_row(state)->next & (1u << state), 0);
    /* A session begins with a PROXY header, else with the handshake, else at
     * rest. */
    ck_assert(state == STATE_GREETING || state == STATE_HANDSHAKE ||
              (reach(STATE_REST) & (1u << state)));
    ck_assert(reach(STATE_GREETING) & (1u << STATE_HANDSHAKE));
    ck_assert(reach(STATE_HANDSHAKE) & (1u << STATE_REST));
    if (state == STATE_LEAVE)
        ck_assert_uint_eq(state_row(state)->next, 0);
    else
        ck_assert(state_row(state)->next & (1u << STATE_LEAVE));
}
END_TEST

/** The one road back is open until the client has heard something. */
START_TEST(a_retry_begins_before_the_response)
{
    static const unsigned from = 1u << STATE_WAIT_PLACE | 1u << STATE_DIAL |
                                 1u << STATE_SEND | 1u << STATE_WAIT |
                                 1u << STATE_READ;

    for (int i = 0; i < STATE_COUNT; i++)
        ck_assert_int_eq(
            (state_row((enum state)i)->next & (1u << STATE_PICK)) != 0,
            (from & (1u << i)) != 0);
}
END_TEST

START_TEST(a_response_that_began_is_not_replaced)
{
    static const enum state heard[] = {STATE_PASS, STATE_TUNNEL, STATE_ANSWER,
                                       STATE_LEAVE};

    for (size_t i = 0; i < COUNT(heard); i++)
        ck_assert(!(reach(heard[i]) & (1u << STATE_ANSWER)) ||
                  !(state_row(heard[i])->next & (1u << STATE_ANSWER)));
}
END_TEST

START_TEST(each_state_has_its_limit_and_its_words)
{
    static const struct {
        enum state state;
        enum setting setting;
    } rows[] = {
        {STATE_GREETING, SETTING_head_ms},
        {STATE_HANDSHAKE, SETTING_tls_ms},
        {STATE_REST, SETTING_keep_alive_ms},
        {STATE_READ, SETTING_head_ms},
        {STATE_PICK, SETTING_queue_ms},
        {STATE_WAIT_PLACE, SETTING_queue_ms},
        {STATE_DIAL, SETTING_connect_ms},
        {STATE_SEND, SETTING_body_ms},
        {STATE_WAIT, SETTING_response_ms},
        {STATE_PASS, SETTING_stall_ms},
        {STATE_TUNNEL, SETTING_tunnel_ms},
        {STATE_ANSWER, SETTING_stall_ms},
        {STATE_LEAVE, SETTING_half_closed_ms},
    };

    settings_init(&settings);
    ck_assert_uint_eq(COUNT(rows), STATE_COUNT);
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[16];

        /* Another time for each, so that none stands for another. */
        snprintf(text, sizeof(text), "%zus", 100 + i);
        set(rows[i].setting, text);
        ck_assert_int_eq(state_limit_ms(rows[i].state, &settings),
                         100000 + (int64_t)i * 1000);
        ck_assert_int_eq(state_row(rows[i].state)->limit, rows[i].setting);
        ck_assert(*state_row(rows[i].state)->words != '\0');
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(state_row(rows[i].state)->words,
                             state_row(rows[k].state)->words);
    }
    ck_assert_str_eq(state_row(STATE_WAIT_PLACE)->name, "WAIT_PLACE");
    settings_fini(&settings);
}
END_TEST

/* --- the access line --------------------------------------------------------- */

static struct terms terms = {.settings = &settings};
static struct backend backends[2];

/** An exchange that has got nowhere: `GET /` by 192.0.2.7, a second ago. */
static struct exchange *exchange_make(const char *format)
{
    struct exchange *exchange = calloc(1, sizeof(*exchange));

    settings_init(&settings);
    set(SETTING_access_format, format);
    snprintf(backends[0].url, sizeof(backends[0].url), "http://one:1");
    snprintf(backends[1].url, sizeof(backends[1].url), "http://two:2");
    exchange->terms = &terms;
    exchange->has_begun = true;
    exchange->request.method = text_of("GET");
    exchange->request.target = text_of("/");
    exchange->request.minor = 1;
    exchange->status = 200;
    exchange->began_us = clock_us() - 1000000;
    snprintf(exchange->request_id, sizeof(exchange->request_id), "id-1");
    snprintf(exchange->client_text, sizeof(exchange->client_text), "192.0.2.7");
    return exchange;
}

static void try_add(struct exchange *exchange, size_t which, bool served,
                    enum attempt ended, int64_t took_us)
{
    exchange->tries[exchange->try_count++] =
        (struct try){.backend = &backends[which],
                     .took_us = took_us,
                     .served = served,
                     .ended = ended};
}

/** Its line, as it stands in the book; the caller frees it. */
static char *line_of(struct exchange *exchange)
{
    char path[] = P_tmpdir "/steelyard-access-XXXXXX";
    int fd = mkstemp(path);
    char *text = calloc(1, 20000);
    struct fault fault;

    ck_assert_msg(log_open(LOG_ERROR, path, &fault), "%s", fault.text);
    log_join();
    access_log(exchange);
    log_close();
    ck_assert_int_ge(pread(fd, text, 19999, 0), 0);
    close(fd);
    unlink(path);
    free(exchange);
    settings_fini(&settings);
    return text;
}

/** The line says this between the time when and the time it took in all. */
static void says(struct exchange *exchange, const char *words, const char *end)
{
    char *line = line_of(exchange);
    char *from = strchr(line, ' ');
    char *total;

    ck_assert_ptr_nonnull(from);
    ck_assert_int_eq(from[-1], 'Z');
    total = strstr(from, " total=");
    ck_assert_ptr_nonnull(total);
    *total = '\0';
    ck_assert_str_eq(from + 1, words);
    ck_assert_int_ge(strtol(total + 7, &total, 10), 1000);
    ck_assert_str_eq(total, end);
    free(line);
}

START_TEST(a_line_tells_what_was_asked_and_answered)
{
    struct exchange *exchange = exchange_make("text");

    exchange->down.moved = 128;
    exchange->connected_us = exchange->began_us + 250;
    exchange->first_byte_us = exchange->began_us + 1499;
    try_add(exchange, 0, true, ATTEMPT_ANSWERED, 1500);
    says(exchange,
         "id-1 192.0.2.7 \"GET / HTTP/1.1\" 200 128 http://one:1=served/2ms "
         "connect=0ms first=1ms",
         "ms -\n");
}
END_TEST

START_TEST(a_line_tells_all_tries_and_the_reason)
{
    static const enum attempt ends[] = {ATTEMPT_UNCONNECTED, ATTEMPT_STALE,
                                        ATTEMPT_UNANSWERED,  ATTEMPT_SLOW,
                                        ATTEMPT_ANSWERED,    ATTEMPT_ABANDONED};
    struct exchange *exchange = exchange_make("text");

    for (size_t i = 0; i < COUNT(ends); i++)
        try_add(exchange, i % 2, false, ends[i], (int64_t)i * 1000);
    exchange->request.minor = 0;
    exchange->status = 499;
    exchange->end_reason = "the client left";
    says(exchange,
         "id-1 192.0.2.7 \"GET / HTTP/1.0\" 499 0 http://one:1=unconnected/0ms "
         "http://two:2=stale/1ms http://one:1=unanswered/2ms "
         "http://two:2=slow/3ms http://one:1=broken/4ms "
         "http://two:2=abandoned/5ms connect=-1ms first=-1ms",
         "ms the client left\n");
}
END_TEST

/** What a client sends cannot make a second line, nor end the quotes. */
START_TEST(a_line_is_one_line)
{
    struct exchange *exchange = exchange_make("text");

    exchange->request.method = text_of("GE T");
    exchange->request.target =
        (struct text){"/a\"b\\c\r\nd\0e\x7f\xc3\xa9 f", 16};
    says(exchange,
         "id-1 192.0.2.7 \"GE\\x20T /a\\x22b\\x5cc\\x0d\\x0ad\\x00e\\x7f\\xc3"
         "\\xa9\\x20f HTTP/1.1\" 200 0 connect=-1ms first=-1ms",
         "ms -\n");
}
END_TEST

/** 0: as text, 1: as JSON. */
START_TEST(a_line_is_written_however_long_it_is)
{
    static char target[10000];
    struct exchange *exchange = exchange_make(_i == 0 ? "text" : "json");
    char *line;

    memset(target, '"', sizeof(target));
    exchange->request.target = (struct text){target, sizeof(target)};
    memset(backends[0].url, 'u', sizeof(backends[0].url) - 1);
    for (int i = 0; i < TRIES_MAX; i++)
        try_add(exchange, i == TRIES_MAX - 1, i == TRIES_MAX - 1,
                ATTEMPT_UNCONNECTED, 0);
    line = line_of(exchange);
    ck_assert_ptr_nonnull(strstr(line, "id-1"));
    ck_assert_ptr_nonnull(strstr(line, "192.0.2.7"));
    ck_assert_ptr_nonnull(strstr(line, "\\x22"));
    ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
    if (_i == 1) {
        json_t *object = json_loads(line, 0, NULL);

        ck_assert_ptr_nonnull(object);
        ck_assert_int_eq(json_integer_value(json_object_get(object, "status")),
                         200);
        json_decref(object);
    }
    free(line);
}
END_TEST

static const char *word(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text == NULL ? "" : text;
}

START_TEST(a_line_may_be_json)
{
    struct exchange *exchange = exchange_make("json");
    json_t *object, *tries;
    char *line;

    exchange->request.target = (struct text){"/\"\n\xff", 4};
    exchange->status = 502;
    exchange->down.moved = 7;
    exchange->connected_us = exchange->began_us + 250;
    exchange->first_byte_us = exchange->began_us + 2500;
    exchange->end_reason = "no backend has answered";
    try_add(exchange, 0, false, ATTEMPT_STALE, 1500);
    try_add(exchange, 1, true, ATTEMPT_ANSWERED, 250);
    line = line_of(exchange);
    object = json_loads(line, 0, NULL);
    ck_assert_ptr_nonnull(object);
    ck_assert_ptr_eq(strchr(line, '\n'), line + strlen(line) - 1);
    ck_assert_uint_eq(json_object_size(object), 12);
    ck_assert_uint_eq(strlen(word(object, "time")),
                      strlen("2026-11-21T09:30:00.123Z"));
    ck_assert_str_eq(word(object, "id"), "id-1");
    ck_assert_str_eq(word(object, "client"), "192.0.2.7");
    ck_assert_str_eq(word(object, "method"), "GET");
    ck_assert_str_eq(word(object, "target"), "/\\x22\\x0a\\xff");
    ck_assert_int_eq(json_integer_value(json_object_get(object, "status")),
                     502);
    ck_assert_int_eq(json_integer_value(json_object_get(object, "bytes")), 7);
    ck_assert(json_real_value(json_object_get(object, "connect_ms")) == 0.25);
    ck_assert(json_real_value(json_object_get(object, "first_byte_ms")) == 2.5);
    ck_assert(json_real_value(json_object_get(object, "total_ms")) >= 1000);
    ck_assert_str_eq(word(object, "end_reason"), "no backend has answered");
    tries = json_object_get(object, "tries");
    ck_assert_uint_eq(json_array_size(tries), 2);
    ck_assert_str_eq(word(json_array_get(tries, 0), "backend"), "http://one:1");
    ck_assert_str_eq(word(json_array_get(tries, 0), "result"), "stale");
    ck_assert_str_eq(word(json_array_get(tries, 1), "result"), "served");
    ck_assert(json_real_value(
                  json_object_get(json_array_get(tries, 0), "ms")) == 1.5);
    json_decref(object);
    free(line);
}
END_TEST

START_TEST(json_leaves_out_what_is_not_there)
{
    char *line = line_of(exchange_make("json"));
    json_t *object = json_loads(line, 0, NULL);

    ck_assert_ptr_nonnull(object);
    ck_assert_ptr_null(json_object_get(object, "end_reason"));
    ck_assert(json_real_value(json_object_get(object, "first_byte_ms")) == -1);
    ck_assert_uint_eq(json_array_size(json_object_get(object, "tries")), 0);
    json_decref(object);
    free(line);
}
END_TEST

START_TEST(who_asked_nothing_has_no_line)
{
    struct exchange *exchange = exchange_make("text");
    char *line;

    exchange->has_begun = false;
    line = line_of(exchange);
    ck_assert_str_eq(line, "");
    free(line);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("final proxy");

    unit_add(suite, nothing_holds_no_memory, 1);
    unit_add(suite, what_we_add_goes_before_the_content, 1);
    unit_add(suite, framing_goes_and_comes, 1);
    unit_add(suite, a_block_of_content_goes_in_two_chunks, 1);
    unit_add(suite, a_slow_receiver_gets_everything_in_order, 1);
    unit_add(suite, what_is_kept_goes_out_again, 1);
    unit_add(suite, what_is_kept_is_given_up_when_there_is_no_room, 1);
    unit_add(suite, what_has_gone_makes_room, 1);
    unit_add(suite, there_is_so_much_room_to_write, 1);
    unit_add(suite, a_restart_gives_back_what_is_not_needed, 1);
    unit_add(suite, nothing_is_done_twice, FACTS);
    unit_add(suite, slow_is_not_dead, FACTS);
    unit_add(suite, so_many_backends_are_tried, 1);
    unit_add(suite, the_backend_is_blamed_for_its_own_faults, 1);
    unit_add(suite, each_state_can_be_reached_and_left, STATE_COUNT);
    unit_add(suite, a_retry_begins_before_the_response, 1);
    unit_add(suite, a_response_that_began_is_not_replaced, 1);
    unit_add(suite, each_state_has_its_limit_and_its_words, 1);
    unit_add(suite, a_line_tells_what_was_asked_and_answered, 1);
    unit_add(suite, a_line_tells_all_tries_and_the_reason, 1);
    unit_add(suite, a_line_is_one_line, 1);
    unit_add(suite, a_line_is_written_however_long_it_is, 2);
    unit_add(suite, a_line_may_be_json, 1);
    unit_add(suite, json_leaves_out_what_is_not_there, 1);
    unit_add(suite, who_asked_nothing_has_no_line, 1);
    return unit_run(suite);
}

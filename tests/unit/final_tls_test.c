/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Streams under TLS: two ends in one loop, with each of its pollers, and
 * certificates that openssl makes here.
 *
 * Nothing here sleeps. A test turns the loop until what it waits for has come.
 */
#include "base/fault.h"
#include "event/loop.h"
#include "net/listener.h"
#include "net/socket.h"
#include "net/stream.h"
#include "net/stream_tls.h"
#include "net/tls.h"
#include "unit.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const char *const pollers[] = {"auto", "poll"};

/* --- certificates ------------------------------------------------------------ */

static char folder[] = "/tmp/steelyard-tls-XXXXXX";

/** A file in the folder of this run. Good until the eighth call after. */
static const char *file(const char *name)
{
    static char paths[8][100];
    static unsigned next;
    char *path = paths[next++ % COUNT(paths)];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

/** A certificate that vouches for itself: NAME.pem and NAME.key. */
static void make(const char *name, const char *names, const char *more)
{
    char command[700];

    snprintf(command, sizeof(command),
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
             "-nodes -subj /CN=%s -addext subjectAltName=%s -keyout %s/%s.key "
             "-out %s/%s.pem %s >%s/log 2>&1",
             name, names, folder, name, folder, name, more, folder);
    if (system(command) != 0) {
        fprintf(stderr, "does not work: %s\n", command);
        exit(2);
    }
}

/** One that is over already: req makes none of that kind. */
static void make_old(void)
{
    char command[300];

    snprintf(command, sizeof(command),
             "cd %s && cp one.key old.key && openssl x509 -in one.pem "
             "-signkey one.key -days 0 -out old.pem 2>log",
             folder);
    if (system(command) != 0)
        exit(2);
}

static void make_all(void)
{
    if (mkdtemp(folder) == NULL)
        exit(2);
    make("one", "DNS:one.test,IP:127.0.0.1", "-days 30");
    make("two", "DNS:two.test,DNS:*.two.test", "-days 30");
    make("three", "DNS:www.two.test", "-days 30");
    make_old();
}

static void remove_all(void)
{
    char command[100];

    snprintf(command, sizeof(command), "rm -r %s", folder);
    if (system(command) != 0)
        perror("rm");
}

static struct tls_context *server_of(const char *files, struct fault *fault)
{
    char *list[3];
    char *rest = strdup(files);
    struct tls_server_settings settings = {.certificates = list,
                                           .client_ca = ""};
    struct tls_context *context;

    for (char *at = rest; (at = strtok(at, ",")) != NULL; at = NULL) {
        char name[200];
        char *colon = strchr(at, ':');

        *colon = '\0';
        snprintf(name, sizeof(name), "%s:%s", file(at), file(colon + 1));
        list[settings.count++] = strdup(name);
    }
    context = tls_server_new(&settings, fault);
    for (size_t i = 0; i < settings.count; i++)
        free(list[i]);
    free(rest);
    return context;
}

static struct tls_context *server_new(const char *files)
{
    struct fault fault;
    struct tls_context *context = server_of(files, &fault);

    ck_assert_msg(context != NULL, "%s", fault.text);
    return context;
}

static struct tls_context *client_new(const char *ca)
{
    struct fault fault;
    struct tls_context *context = tls_client_new(file(ca), true, &fault);

    ck_assert_msg(context != NULL, "%s", fault.text);
    return context;
}

/* --- a loop and two ends ----------------------------------------------------- */

struct line {
    struct loop *loop;
    int listener;
    struct stream client, server;
    enum io client_io, server_io; /**< how the handshakes ended */
};

static void stop_it(void *loop)
{
    loop_stop(loop);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

static void watch(struct line *line, struct stream *stream)
{
    stream->watch.on_event = do_nothing;
    stream->watch.arg = NULL;
    ck_assert(loop_watch(line->loop, &stream->watch));
}

/** A turn that waits for nothing. */
static void turn(struct line *line)
{
    loop_call(line->loop, do_nothing, NULL);
    loop_run(line->loop);
}

static void line_open(struct line *line, const char *poller)
{
    struct listener_settings settings = {0};
    union address from;
    struct fault fault;
    struct pollfd one = {.events = POLLIN};

    ck_assert(address_parse(&settings.where, text_of("127.0.0.1"), 0));
    line->loop = loop_new(poller_find(poller));
    loop_on_turn(line->loop, stop_it, line->loop);
    ck_assert(listener_open(&settings, &line->listener, &fault));
    ck_assert(listener_address(line->listener, &settings.where));
    ck_assert_int_ne(socket_connect(&line->client, &settings.where), IO_BROKEN);
    one.fd = line->listener;
    ck_assert_int_eq(poll(&one, 1, -1), 1);
    ck_assert_int_eq(listener_accept(line->listener, &line->server, &from),
                     ACCEPTED_CLIENT);
    watch(line, &line->client);
    watch(line, &line->server);
    while (socket_connected(&line->client) == IO_WAIT)
        turn(line);
}

/** Shake hands, as far as it goes. */
static void line_shake(struct line *line, struct tls_context *server,
                       struct tls_context *client, const char *host)
{
    tls_accept(&line->server, server);
    tls_connect(&line->client, client, host);
    line->client_io = line->server_io = IO_WAIT;
    while (line->client_io == IO_WAIT || line->server_io == IO_WAIT) {
        if (line->client_io == IO_WAIT)
            line->client_io = tls_shake(&line->client);
        if (line->server_io == IO_WAIT)
            line->server_io = tls_shake(&line->server);
        turn(line);
    }
}

/** Both: a line whose ends have shaken hands. */
static void line_tls(struct line *line, const char *poller)
{
    struct tls_context *server = server_new("one.pem:one.key");
    struct tls_context *client = client_new("one.pem");

    line_open(line, poller);
    line_shake(line, server, client, "one.test");
    ck_assert_int_eq(line->client_io, IO_DONE);
    ck_assert_int_eq(line->server_io, IO_DONE);
    tls_context_drop(&server);
    tls_context_drop(&client);
}

static void line_close(struct line *line)
{
    stream_close(&line->client, line->loop);
    stream_close(&line->server, line->loop);
    close(line->listener);
    loop_free(&line->loop);
}

static void say(struct stream *stream, const char *words)
{
    struct iovec piece = {(void *)words, strlen(words)};
    size_t sent;

    ck_assert_int_eq(stream_send(stream, &piece, 1, &sent), IO_DONE);
    ck_assert_uint_eq(sent, strlen(words));
}

/** Receive once, as soon as there is something. */
static enum io hear(struct line *line, struct stream *stream, char *bytes,
                    size_t room, size_t *got)
{
    enum io io;

    while ((io = stream_receive(stream, bytes, room, got)) == IO_WAIT)
        turn(line);
    return io;
}

/* --- the tests --------------------------------------------------------------- */

START_TEST(words_go_both_ways)
{
    struct line line;
    char bytes[100];
    size_t got;

    line_tls(&line, pollers[_i]);
    say(&line.client, "hello");
    ck_assert_int_eq(hear(&line, &line.server, bytes, sizeof(bytes), &got),
                     IO_DONE);
    ck_assert_uint_eq(got, 5);
    ck_assert_mem_eq(bytes, "hello", 5);
    say(&line.server, "good day");
    ck_assert_int_eq(hear(&line, &line.client, bytes, sizeof(bytes), &got),
                     IO_DONE);
    ck_assert_mem_eq(bytes, "good day", 8);
    ck_assert_int_eq(stream_receive(&line.client, bytes, 1, &got), IO_WAIT);
    ck_assert(!(line.client.watch.ready & READY_READ));
    line_close(&line);
}
END_TEST

START_TEST(what_waits_inside_is_not_forgotten)
{
    struct line line;
    char byte;
    size_t got;
    enum io io;

    line_tls(&line, pollers[_i]);
    say(&line.client, "abc");
    say(&line.client, "def");
    ck_assert_int_eq(hear(&line, &line.server, &byte, 1, &got), IO_DONE);
    /* Both records have come by now, in one piece; the kernel has none left. */
    for (const char *rest = "bcdef"; *rest != '\0'; rest++) {
        ck_assert(line.server.watch.ready & READY_READ);
        ck_assert_int_eq(stream_receive(&line.server, &byte, 1, &got), IO_DONE);
        ck_assert_int_eq(byte, *rest);
    }
    while ((io = stream_receive(&line.server, &byte, 1, &got)) == IO_DONE)
        ck_abort_msg("more has come than was sent");
    ck_assert_int_eq(io, IO_WAIT);
    line_close(&line);
}
END_TEST

/** Send what fits of the rest of some bytes, in two pieces. */
static void pour(struct stream *to, const char *bytes, size_t length,
                 size_t *done)
{
    size_t left = length - *done, sent;
    size_t first = left > 1000 ? 1000 : left;
    struct iovec pieces[] = {{(void *)(bytes + *done), first},
                             {(void *)(bytes + *done + first), left - first}};
    enum io io = left == 0 ? IO_WAIT : stream_send(to, pieces, 2, &sent);

    ck_assert(io == IO_DONE || io == IO_WAIT);
    if (io == IO_DONE)
        *done += sent;
}

START_TEST(much_goes_both_ways_at_once_and_nothing_is_lost)
{
    enum { MUCH = 3 * 1024 * 1024 + 17 };
    char *bytes = malloc(MUCH), *there = malloc(MUCH), *back = malloc(MUCH);
    size_t up = 0, down = 0, at_server = 0, at_client = 0, got;
    uint64_t seed = 7;
    struct line line;

    line_tls(&line, pollers[_i]);
    for (size_t i = 0; i < MUCH; i++)
        bytes[i] = (char)unit_chance(&seed, 256);
    while (at_server < MUCH || at_client < MUCH) {
        /* Readers that rest now and then: the sockets fill up. */
        for (int i = 0; i < 40; i++) {
            pour(&line.client, bytes, MUCH, &up);
            pour(&line.server, bytes, MUCH, &down);
        }
        turn(&line);
        while (stream_receive(&line.server, there + at_server,
                              MUCH - at_server > 5000 ? 5000 : MUCH - at_server,
                              &got) == IO_DONE &&
               at_server + got < MUCH)
            at_server += got;
        at_server += got;
        while (stream_receive(&line.client, back + at_client, MUCH - at_client,
                              &got) == IO_DONE &&
               at_client + got < MUCH)
            at_client += got;
        at_client += got;
    }
    ck_assert_mem_eq(bytes, there, MUCH);
    ck_assert_mem_eq(bytes, back, MUCH);
    line_close(&line);
    free(bytes);
    free(there);
    free(back);
}
END_TEST

START_TEST(the_end_is_said_and_the_other_side_goes_on)
{
    struct line line;
    char bytes[10];
    size_t got;

    line_tls(&line, pollers[_i]);
    say(&line.client, "a");
    stream_shut(&line.client);
    ck_assert_int_eq(hear(&line, &line.server, bytes, sizeof(bytes), &got),
                     IO_DONE);
    ck_assert_int_eq(hear(&line, &line.server, bytes, sizeof(bytes), &got),
                     IO_END);
    ck_assert_int_eq(stream_receive(&line.server, bytes, 1, &got), IO_END);
    say(&line.server, "b");
    ck_assert_int_eq(hear(&line, &line.client, bytes, sizeof(bytes), &got),
                     IO_DONE);
    ck_assert_int_eq(bytes[0], 'b');
    line_close(&line);
}
END_TEST

START_TEST(an_end_that_is_not_said_is_no_end)
{
    struct line line;
    char bytes[10];
    size_t got;

    line_tls(&line, pollers[_i]);
    shutdown(line.client.watch.fd, SHUT_WR);
    ck_assert_int_eq(hear(&line, &line.server, bytes, sizeof(bytes), &got),
                     IO_BROKEN);
    ck_assert_str_eq(stream_words(&line.server),
                     "the connection ended without the close that TLS asks "
                     "for");
    line_close(&line);
}
END_TEST

START_TEST(tickets_are_no_news_and_bytes_are)
{
    struct line line;

    line_tls(&line, pollers[_i]);
    /* The server has sent tickets behind its handshake (TLS 1.3). */
    while (!(line.client.watch.ready & READY_READ))
        turn(&line);
    ck_assert(!stream_has_news(&line.client));
    say(&line.server, "a");
    while (!stream_has_news(&line.client))
        turn(&line);
    stream_close(&line.server, line.loop);
    ck_assert(stream_has_news(&line.client));
    line_close(&line);
}
END_TEST

static const struct {
    const char *ca, *host, *words;
} strangers[] = {
    {"two.pem", "one.test", "self-signed certificate"},
    {"one.pem", "two.test", "hostname mismatch"},
    {"one.pem", "127.0.0.2", "IP address mismatch"},
};

START_TEST(a_server_that_is_another_is_refused)
{
    struct tls_context *server = server_new("one.pem:one.key");
    struct tls_context *client = client_new(strangers[_i].ca);
    struct line line;

    line_open(&line, "auto");
    line_shake(&line, server, client, strangers[_i].host);
    ck_assert_int_eq(line.client_io, IO_BROKEN);
    ck_assert_str_eq(stream_words(&line.client), strangers[_i].words);
    line_close(&line);
    tls_context_drop(&server);
    tls_context_drop(&client);
}
END_TEST

/** What is asked for, and whose certificate has to come. */
static const struct {
    const char *host, *ca;
} wanted[] = {
    {"one.test", "one.pem"},       {"127.0.0.1", "one.pem"},
    {"two.test", "two.pem"},       {"any.two.test", "two.pem"},
    {"www.two.test", "three.pem"},
};

START_TEST(the_name_picks_the_certificate)
{
    struct tls_context *server =
        server_new("one.pem:one.key,two.pem:two.key,three.pem:three.key");
    struct tls_context *client = client_new(wanted[_i].ca);
    struct line line;

    line_open(&line, "auto");
    line_shake(&line, server, client, wanted[_i].host);
    ck_assert_msg(line.client_io == IO_DONE, "%s", stream_words(&line.client));
    line_close(&line);
    tls_context_drop(&server);
    tls_context_drop(&client);
}
END_TEST

static const struct {
    const char *files, *words;
} refused[] = {
    {"none.pem:one.key", "No such file"},
    {"one.pem:none.key", "No such file"},
    {"log:one.key", "holds no certificate"},
    {"one.pem:log", "holds no private key"},
    {"one.pem:two.key", "is not that of the certificate"},
    {"one.pem:one.key,old.pem:old.key", "has expired on 20"},
};

START_TEST(what_cannot_be_used_is_refused_with_words)
{
    struct fault fault;

    ck_assert_ptr_null(server_of(refused[_i].files, &fault));
    ck_assert_msg(strstr(fault.text, refused[_i].words) != NULL, "%s",
                  fault.text);
}
END_TEST

START_TEST(http_without_tls_is_known)
{
    struct tls_context *server = server_new("one.pem:one.key");
    struct line line;
    enum io io;

    line_open(&line, "auto");
    tls_accept(&line.server, server);
    say(&line.client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    while ((io = tls_shake(&line.server)) == IO_WAIT)
        turn(&line);
    ck_assert_int_eq(io, IO_BROKEN);
    ck_assert(tls_met_http(&line.server));
    line_close(&line);
    tls_context_drop(&server);
}
END_TEST

int main(void)
{
    const int each = COUNT(pollers);
    Suite *suite = suite_create("tls");
    int status;

    make_all();
    unit_add(suite, words_go_both_ways, each);
    unit_add(suite, what_waits_inside_is_not_forgotten, each);
    unit_add(suite, much_goes_both_ways_at_once_and_nothing_is_lost, each);
    unit_add(suite, the_end_is_said_and_the_other_side_goes_on, each);
    unit_add(suite, an_end_that_is_not_said_is_no_end, each);
    unit_add(suite, tickets_are_no_news_and_bytes_are, each);
    unit_add(suite, a_server_that_is_another_is_refused, COUNT(strangers));
    unit_add(suite, the_name_picks_the_certificate, COUNT(wanted));
    unit_add(suite, what_cannot_be_used_is_refused_with_words, COUNT(refused));
    unit_add(suite, http_without_tls_is_known, 1);
    status = unit_run(suite);
    remove_all();
    return status;
}

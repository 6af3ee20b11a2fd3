/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What only steelyard does with messages: connections that go on, bodies in
 * every framing, what HTTP/1.1 says between head and body, and tunnels. Where it
 * matters how bytes are cut up, or where a backend must do something odd, the
 * test plays the backend itself.
 */
#include "behaviours.h"
#include "lab.h"

#include <string.h>

#define GET(path)    "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define OLD(path)    "GET " path " HTTP/1.0\r\n\r\n"
#define OK(length)   "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n"
#define CHUNKED      "Transfer-Encoding: chunked\r\n\r\n"
#define POST_CHUNKED "POST /echo HTTP/1.1\r\nHost: a\r\n" CHUNKED
#define OK_CHUNKED   "HTTP/1.1 200 OK\r\n" CHUNKED
#define POST_EXPECTED                                     \
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n" \
    "Expect: 100-continue\r\n\r\n"
#define UPGRADE                                                \
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n" \
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"      \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

static void part(struct lab *lab, struct rude *client)
{
    rude_close(client);
    lab_end(lab);
}

/* --- connections that go on ----------------------------------------------- */

static void many_on_one(void)
{
    struct lab lab;
    struct rude client;
    long before;

    lab_solo(&lab);
    lab_meet(&lab, &client);
    before = lab_connections(&lab, 0);
    for (int i = 0; i < 50; i++)
        lab_ask(&client, GET("/"), "hello from one");
    insist(lab_connections(&lab, 0) == before + 2,
           "50 requests on one connection; expected one connection to the "
           "backend for all of them; counted %ld",
           lab_connections(&lab, 0) - before - 2);
    part(&lab, &client);
}

static void clients_share(void)
{
    struct lab lab;
    struct rude client;
    long before;

    lab_solo(&lab);
    lab_meet(&lab, &client);
    before = lab_connections(&lab, 0);
    for (int i = 0; i < 10; i++) {
        lab_ask(&client, GET("/"), lab_hello(&lab, 0));
        rude_close(&client);
        lab_rude(&lab, &client);
    }
    insist(lab_connections(&lab, 0) == before + 2,
           "10 clients, one after another; expected them to go over one "
           "connection to the backend; counted %ld",
           lab_connections(&lab, 0) - before - 2);
    part(&lab, &client);
}

static void old_clients_may_stay(void)
{
    struct lab lab;
    struct rude client;

    lab_solo(&lab);
    lab_meet(&lab, &client);
    for (int i = 0; i < 3; i++) {
        lab_ask(&client, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
                "hello from one");
        lab_has(&client, "Connection: keep-alive\r\n");
    }
    lab_ask(&client, OLD("/"), "hello from one");
    lab_hear_end(&client);
    lab_lacks(&client, "keep-alive");
    part(&lab, &client);
}

static void close_is_obeyed(void)
{
    struct lab lab;
    struct rude client;

    lab_solo(&lab);
    lab_meet(&lab, &client);
    lab_ask(&client, GET("/"), "hello from one");
    lab_lacks(&client, "Connection: close");
    lab_ask(&client, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            "hello from one");
    lab_hear_end(&client);
    lab_has(&client, "Connection: close\r\n");
    insist(!client.broken, "asked to close; expected an end, got a reset");
    part(&lab, &client);
}

static void rest_has_an_end(void)
{
    struct lab lab;
    struct rude client;
    int64_t begin;

    lab_solo(&lab);
    lab_flag(&lab, 99, "--keep-alive", "300ms");
    lab_meet(&lab, &client);
    lab_ask(&client, GET("/slow?ms=500"), "hello from one");
    begin = now_ms();
    lab_ask(&client, GET("/"), "hello from one");
    lab_hear_end(&client);
    insist(now_ms() - begin >= 200,
           "keep-alive is 300ms; expected the connection to rest that long; it "
           "ended after %lld ms",
           (long long)(now_ms() - begin));
    part(&lab, &client);
}

/** Ask once more: is that said to be the last one? */
static bool is_last(struct rude *client)
{
    lab_ask(client, GET("/"), "hello from one");
    return strstr(client->text, "Connection: close\r\n") != NULL;
}

static void sessions_age(void)
{
    struct lab lab;
    struct rude client;

    lab_solo(&lab);
    lab_flag(&lab, 99, "--session-age", "1s");
    lab_meet(&lab, &client);
    insist(!is_last(&client), "the first request ended the connection");
    insist(holds_within(4000, is_last(&client)),
           "session-age is 1s; expected a request after that to be the last");
    lab_hear_end(&client);
    part(&lab, &client);
}

static void pipelined_in_order(void)
{
    struct lab lab;
    struct rude client;
    const char *slow, *third;

    lab_solo(&lab);
    lab_meet(&lab, &client);
    lab_ask(&client, GET("/slow?ms=300") GET("/status/404") GET("/status/418"),
            "HTTP/1.1 418");
    slow = strstr(client.text, "hello from one");
    third = strstr(client.text, "HTTP/1.1 404");
    insist(slow != NULL && third != NULL && slow < third,
           "three requests in one packet, the first of them slow; expected the "
           "answers in that order; got \"%.900s\"",
           client.text);
    part(&lab, &client);
}

static void rests_are_no_poison(void)
{
    struct lab lab;
    struct rude client;

    lab_solo(&lab);
    lab_meet(&lab, &client);
    lab_ask(
        &client,
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 47\r\n\r\n"
        "GET /status/418 HTTP/1.1\r\nHost: a\r\nX-Odd: x\r\n\r\n" POST_CHUNKED
        "5;a=b\r\nworld\r\n0\r\n\r\n" GET("/status/404"),
        "HTTP/1.1 404");
    lab_has(&client, "Host: a\r\nX-Odd: x\r\n\r\nHTTP/1.1 200 OK\r\n");
    lab_hear_chunks(&client, "world", "0\r\n\r\nHTTP/1.1 404");
    insist(lab_count(&lab, 0, "/status/418") == 0,
           "a body that looks like a request was run as one");
    part(&lab, &client);
}

static void backends_rests_are_no_poison(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, GET("/"));
    rude_say(&scene.backend, OK("2") "ok" OK("6") "poison");
    lab_hear(&scene.client, "\r\n\r\nok");
    lab_hear_end(&scene.backend);
    rude_close(&scene.backend);
    scene_ask(&scene, GET("/"));
    rude_say(&scene.backend, OK("5") "fresh");
    lab_hear(&scene.client, "\r\n\r\nfresh");
    rude_say(&scene.backend, OK("6") "poison");
    lab_hear_end(&scene.backend);
    rude_close(&scene.backend);
    scene_ask(&scene, GET("/"));
    rude_say(&scene.backend, OK("5") "clean");
    lab_hear(&scene.client, "\r\n\r\nclean");
    lab_lacks(&scene.client, "poison");
    scene_close(&scene);
}

/* --- the framing of bodies ------------------------------------------------ */

static void chunks_in_any_cut(void)
{
    struct lab lab;
    struct rude client;

    lab_solo(&lab);
    lab_meet(&lab, &client);
    rude_say_slowly(&client, "POST /sink HTTP/1.1\r\nHost: a\r\n" CHUNKED
                             "5;a=b;c=\"d\"\r\nhello\r\n00a\r\n, world, w\r\n"
                             "0;last\r\n\r\n" GET("/status/404"));
    lab_hear(&client, "HTTP/1.1 404");
    lab_has(&client, "read 15 bytes\n");
    part(&lab, &client);
}

static void extensions_stay(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, POST_CHUNKED "5;a=b\r\nhello\r\n0\r\n\r\n");
    lab_hear_chunks(&scene.backend, "hello", "0\r\n\r\n");
    rude_say(&scene.backend, OK_CHUNKED "2;x=y\r\nok\r\n0\r\n\r\n");
    lab_hear_chunks(&scene.client, "ok", "0\r\n\r\n");
    scene_close(&scene);
}

static void response_in_any_cut(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, GET("/"));
    rude_say_slowly(&scene.backend, OK_CHUNKED "4;x=y\r\nwiki\r\n05\r\n"
                                               "pedia\r\n0\r\nX-Sum: 1\r\n"
                                               "\r\n");
    lab_hear_chunks(&scene.client, "wikipedia", "0\r\n\r\n");
    scene_close(&scene);
}

static void no_chunks_for_old_clients(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, OLD("/"));
    rude_say(&scene.backend, OK_CHUNKED "4\r\nwiki\r\n5\r\npedia\r\n0\r\n\r\n");
    lab_hear_end(&scene.client);
    lab_has(&scene.client, "\r\n\r\nwikipedia");
    lab_lacks(&scene.client, "chunked");
    insist(!scene.client.broken, "expected a clean end; got a reset");
    scene_close(&scene);
}

static void end_by_closing(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, GET("/"));
    rude_say(&scene.backend, "HTTP/1.0 200 OK\r\n\r\nall of it");
    rude_close(&scene.backend);
    lab_hear_chunks(&scene.client, "all of it", "0\r\n\r\n");
    lab_has(&scene.client, "Transfer-Encoding: chunked\r\n");
    scene_ask(&scene, GET("/"));
    rude_say(&scene.backend, OK("4") "more");
    lab_hear(&scene.client, "more");
    scene_close(&scene);
}

static void cut_is_no_end(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, GET("/"));
    rude_say(&scene.backend, "HTTP/1.0 200 OK\r\n\r\nthe first half");
    lab_hear_chunks(&scene.client, "the first half", "");
    rude_reset(&scene.backend);
    lab_hear_end(&scene.client);
    lab_lacks(&scene.client, "0\r\n\r\n");
    rude_close(&scene.client);
    /* One without chunks sees the end alone, so that must be no good one. */
    lab_rude(&scene.lab, &scene.client);
    scene_ask(&scene, OLD("/"));
    rude_say(&scene.backend, "HTTP/1.0 200 OK\r\n\r\nthe first half");
    lab_hear(&scene.client, "the first half");
    rude_reset(&scene.backend);
    lab_hear_end(&scene.client);
    insist(scene.client.broken, "expected a reset; got an end that looks good");
    scene_close(&scene);
}

static void nothing_where_nothing_is(void)
{
    struct lab lab;
    struct rude client;

    lab_solo(&lab);
    lab_meet(&lab, &client);
    lab_ask(&client,
            "HEAD /bytes/1000 HTTP/1.1\r\nHost: a\r\n\r\n" GET("/status/204")
                GET("/status/304") GET("/status/404"),
            "HTTP/1.1 404");
    lab_has(&client, "Content-Length: 1000\r\n");
    lab_has(&client, "\r\n\r\nHTTP/1.1 204");
    lab_has(&client, "\r\n\r\nHTTP/1.1 304");
    lab_has(&client, "\r\n\r\nHTTP/1.1 404");
    part(&lab, &client);
}

/* --- trailers ------------------------------------------------------------- */

#define TRAILERS                                   \
    "X-Sum: 1\r\nContent-Length: 7\r\nHost: b\r\n" \
    "Connection: close\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"

static void response_trailers(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, "GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n"
                      "Connection: TE\r\n\r\n");
    lab_has(&scene.backend, "TE: trailers\r\n");
    rude_say(&scene.backend, OK_CHUNKED "2\r\nok\r\n0\r\n" TRAILERS);
    lab_hear_chunks(&scene.client, "ok", "0\r\nX-Sum: 1\r\n\r\n");
    rude_forget(&scene.backend);
    lab_ask(&scene.client, GET("/"), "");
    lab_hear(&scene.backend, "\r\n\r\n");
    rude_say(&scene.backend, OK_CHUNKED "2\r\nok\r\n0\r\n" TRAILERS);
    lab_hear_chunks(&scene.client, "ok", "0\r\n\r\n");
    scene_close(&scene);
}

static void request_trailers_go(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, POST_CHUNKED "2\r\nok\r\n0\r\n" TRAILERS GET("/next"));
    lab_hear_chunks(&scene.backend, "ok", "0\r\n\r\n");
    rude_forget(&scene.backend);
    rude_say(&scene.backend, OK("2") "ok");
    lab_hear(&scene.backend, "GET /next HTTP/1.1\r\n");
    lab_hear(&scene.backend, "\r\n\r\n");
    rude_say(&scene.backend, OK("4") "next");
    lab_hear(&scene.client, "next");
    scene_close(&scene);
}

static void request_trailers_stay(void)
{
    struct scene scene;

    scene_open(&scene, "--request-trailers=true", NULL);
    scene_ask(&scene, POST_CHUNKED "2\r\nok\r\n0\r\n" TRAILERS GET("/next"));
    lab_hear_chunks(&scene.backend, "ok", "0\r\nX-Sum: 1\r\n\r\n");
    rude_say(&scene.backend, OK("2") "ok");
    lab_hear(&scene.backend, "GET /next HTTP/1.1\r\n");
    rude_say(&scene.backend, OK("4") "next");
    lab_hear(&scene.client, "next");
    scene_close(&scene);
}

/* --- between head and body ------------------------------------------------ */

static void hints_pass(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, GET("/"));
    rude_say(&scene.backend,
             "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n");
    lab_hear(&scene.client, "HTTP/1.1 103 Early Hints\r\n");
    lab_hear(&scene.client, "Link: </style.css>\r\n");
    rude_say(&scene.backend, OK("2") "ok");
    lab_hear(&scene.client, "\r\n\r\nHTTP/1.1 200 OK\r\n");
    scene_close(&scene);
}

static void continue_is_the_backends(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, POST_EXPECTED);
    lab_has(&scene.backend, "Expect: 100-continue\r\n");
    insist(!rude_hear(&scene.client, "HTTP", 200),
           "the backend has not said 100, and the client heard \"%.100s\"",
           scene.client.text);
    rude_say(&scene.backend, "HTTP/1.1 100 Continue\r\n\r\n");
    lab_hear(&scene.client, "HTTP/1.1 100 Continue\r\n");
    rude_say(&scene.client, "data");
    lab_hear(&scene.backend, "data");
    rude_say(&scene.backend, OK("2") "ok");
    lab_hear(&scene.client, "ok");
    scene_close(&scene);
}

static void continue_is_ours(void)
{
    struct scene scene;
    int64_t begin;

    scene_open(&scene, NULL, NULL);
    begin = now_ms();
    scene_ask(&scene, POST_EXPECTED);
    rude_say(&scene.backend, "HTTP/1.1 103 Early Hints\r\n\r\n");
    lab_hear(&scene.client, "HTTP/1.1 100 Continue\r\n");
    insist(now_ms() - begin >= 900,
           "the backend says nothing about Expect; expected it to get a second "
           "for that; it got %lld ms",
           (long long)(now_ms() - begin));
    rude_say(&scene.client, "data");
    lab_hear(&scene.backend, "data");
    rude_say(&scene.backend, OK("2") "ok");
    lab_hear(&scene.client, "ok");
    scene_close(&scene);
}

static void final_instead(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, POST_EXPECTED);
    rude_say(&scene.backend, "HTTP/1.1 403 Forbidden\r\n"
                             "Content-Length: 2\r\n\r\nno");
    lab_hear_end(&scene.client);
    lab_has(&scene.client, "HTTP/1.1 403 Forbidden\r\n");
    lab_has(&scene.client, "\r\n\r\nno");
    lab_lacks(&scene.client, "100 Continue");
    scene_close(&scene);
}

/* --- tunnels -------------------------------------------------------------- */

static void agree(struct scene *scene)
{
    scene_ask(scene, UPGRADE);
    lab_has(&scene->backend, "Upgrade: websocket\r\n");
    lab_has(&scene->backend, "Connection: upgrade\r\n");
    rude_say(&scene->backend, "HTTP/1.1 101 Switching Protocols\r\n"
                              "Connection: Upgrade\r\n"
                              "Upgrade: websocket\r\n\r\nwelcome");
    lab_hear(&scene->client, "HTTP/1.1 101 ");
    lab_hear(&scene->client, "Upgrade: websocket\r\n");
    lab_hear(&scene->client, "\r\n\r\nwelcome");
}

static void tunnel_goes_both_ways(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    agree(&scene);
    rude_say(&scene.client, "ping 1 ");
    lab_hear(&scene.backend, "ping 1 ");
    rude_say(&scene.backend, "pong 1 ");
    lab_hear(&scene.client, "pong 1 ");
    rude_say(&scene.client, "ping 2 ");
    lab_hear(&scene.backend, "ping 2 ");
    rude_shut(&scene.client);
    lab_hear_end(&scene.backend);
    rude_say(&scene.backend, "goodbye");
    lab_hear(&scene.client, "goodbye");
    scene_close(&scene);
}

static void tunnel_keeps_early_bytes(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, UPGRADE "early");
    rude_say(&scene.backend, "HTTP/1.1 101 Switching Protocols\r\n"
                             "Connection: Upgrade\r\n"
                             "Upgrade: websocket\r\n\r\n");
    lab_hear(&scene.backend, "\r\n\r\nearly");
    rude_say(&scene.backend, "late");
    lab_hear(&scene.client, "\r\n\r\nlate");
    scene_close(&scene);
}

static void tunnel_rests_and_ends(void)
{
    struct scene scene;
    int64_t begin = now_ms();

    scene_open(&scene, "--tunnel-timeout", "1s");
    agree(&scene);
    lab_hear_end(&scene.client);
    lab_hear_end(&scene.backend);
    insist(now_ms() - begin >= 900, "a tunnel may rest for 1s; it got %lld ms",
           (long long)(now_ms() - begin));
    scene_close(&scene);
}

static void upgrade_may_be_refused(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, UPGRADE);
    rude_say(&scene.backend,
             "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    lab_hear(&scene.client, "\r\n\r\nno");
    rude_forget(&scene.backend);
    lab_ask(&scene.client, GET("/"), "");
    lab_hear(&scene.backend, "GET / HTTP/1.1\r\n");
    lab_hear(&scene.backend, "\r\n\r\n");
    rude_say(&scene.backend, OK("2") "ok");
    lab_hear(&scene.client, "\r\n\r\nok");
    scene_close(&scene);
}

static const struct behaviour list[] = {
    {"keep-alive", 99, 2, "Many requests go over one connection, on each side.",
     many_on_one},
    {"shared-upstream", 99, 1, "Clients share the connections to a backend.",
     clients_share},
    {"http10-stays", 99, 1, "HTTP/1.0 may keep its connection if it asks.",
     old_clients_may_stay},
    {"close-obeyed", 99, 1, "A client that asks to close is obeyed.",
     close_is_obeyed},
    {"rest-ends", 99, 1, "A connection rests for a time, then ends.",
     rest_has_an_end},
    {"session-age", 99, 1, "A connection that is too old gets no new request.",
     sessions_age},
    {"pipelined", 99, 2, "Pipelined requests are answered in order.",
     pipelined_in_order},
    {"no-poison", 99, 2, "A body is never taken for the next request.",
     rests_are_no_poison},
    {"no-answer-left", 99, 2, "What a backend says too much reaches nobody.",
     backends_rests_are_no_poison},
    {"chunk-cuts", 99, 1, "Chunks of a request may come in any pieces.",
     chunks_in_any_cut},
    {"extensions", 99, 1, "Chunk extensions are not sent on.", extensions_stay},
    {"response-cuts", 99, 1, "Chunks of a response may come in any pieces.",
     response_in_any_cut},
    {"unchunked", 99, 1, "HTTP/1.0 gets a body in chunks without them.",
     no_chunks_for_old_clients},
    {"closed-body", 99, 1, "A body that ends by closing goes on in chunks.",
     end_by_closing},
    {"cut-body", 99, 2, "One that is cut off does not look whole.",
     cut_is_no_end},
    {"no-body", 99, 1, "HEAD, 204 and 304 have no body.",
     nothing_where_nothing_is},
    {"trailers-back", 99, 1, "Trailers come back to those who take them.",
     response_trailers},
    {"trailers-dropped", 99, 1, "Trailers of a request are not sent on.",
     request_trailers_go},
    {"trailers-sent", 99, 1, "They are, but for dangerous ones, if so set.",
     request_trailers_stay},
    {"early-hints", 99, 1, "103 Early Hints pass at once.", hints_pass},
    {"continue-passed", 99, 1, "100 Continue is the backend's to say.",
     continue_is_the_backends},
    {"continue-said", 99, 1, "If it is silent, we say it after a second.",
     continue_is_ours},
    {"continue-never", 99, 1, "A final answer instead of 100 passes.",
     final_instead},
    {"tunnel", 99, 2, "A WebSocket passes both ways.", tunnel_goes_both_ways},
    {"tunnel-early", 99, 1, "Bytes right behind the handshake are kept.",
     tunnel_keeps_early_bytes},
    {"tunnel-rest", 99, 1, "A tunnel has a time limit of its own.",
     tunnel_rests_and_ends},
    {"tunnel-refused", 99, 1, "An upgrade may be refused as any request.",
     upgrade_may_be_refused},
};

const struct behaviours final_http = {list, sizeof(list) / sizeof(list[0])};

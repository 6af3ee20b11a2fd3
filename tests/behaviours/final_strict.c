/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What only steelyard does with heads: targets in all their forms, the fields
 * that tell who asked, and the refusal of all that two programs could read in
 * two ways. Such a request comes second on a connection, behind a good one. If
 * it is the head, no backend may see anything of it; if it is the body, none may
 * take it for whole.
 */
#include "behaviours.h"
#include "lab.h"

#include <stdio.h>
#include <string.h>

#define GET(path)    "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK(length)   "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n"
#define POST         "POST /sink HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED      "Transfer-Encoding: chunked\r\n\r\n"
#define POST_CHUNKED POST CHUNKED

/* --- targets and fields --------------------------------------------------- */

static void whole_urls(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, "GET http://example.org:81/x?y HTTP/1.1\r\n"
                      "Host: other\r\n\r\n");
    lab_has(&scene.backend, "GET /x?y HTTP/1.1\r\n");
    lab_has(&scene.backend, "\r\nHost: example.org:81\r\n");
    lab_lacks(&scene.backend, "other");
    rude_say(&scene.backend, OK("2") "ok");
    lab_hear(&scene.client, "ok");
    scene_close(&scene);
}

static void asterisk(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    lab_has(&scene.backend, "OPTIONS * HTTP/1.1\r\n");
    rude_say(&scene.backend, OK("2") "ok");
    lab_hear(&scene.client, "ok");
    scene_close(&scene);
}

static void no_connect(void)
{
    struct lab lab;
    struct rude client;

    lab_solo(&lab);
    lab_meet(&lab, &client);
    lab_ask(&client, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
            "HTTP/1.1 501 ");
    insist(lab_count(&lab, 0, NULL) == 0, "CONNECT came to the backend");
    rude_close(&client);
    lab_end(&lab);
}

#define CLAIMS                           \
    "GET / HTTP/1.1\r\nHost: a\r\n"      \
    "X-Forwarded-For: 203.0.113.9\r\n"   \
    "X-Forwarded-Proto: https\r\n"       \
    "X-Forwarded-Host: shop.example\r\n" \
    "Forwarded: for=203.0.113.9\r\n"     \
    "X-Steelyard-Attempt: 7\r\n"         \
    "Via: 1.0 fred\r\nX-Request-Id: mine\r\n\r\n"

static void strangers_are_not_believed(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, CLAIMS);
    lab_has(&scene.backend, "\r\nX-Forwarded-For: 127.0.0.1\r\n");
    lab_has(&scene.backend, "\r\nX-Forwarded-Proto: http\r\n");
    lab_has(&scene.backend, "\r\nX-Forwarded-Host: a\r\n");
    lab_has(&scene.backend,
            "\r\nForwarded: for=127.0.0.1;host=a;proto=http\r\n");
    lab_has(&scene.backend, "\r\nVia: 1.0 fred, 1.1 steelyard\r\n");
    lab_has(&scene.backend, "\r\nX-Request-Id: ");
    lab_lacks(&scene.backend, "mine");
    lab_lacks(&scene.backend, "203.0.113.9");
    lab_lacks(&scene.backend, "X-Steelyard-Attempt");
    rude_say(&scene.backend, OK("2") "ok");
    lab_hear(&scene.client, "\r\nVia: 1.1 steelyard\r\n");
    insist(lab_prints(&scene.lab, " 127.0.0.1 \"GET / ", 3000),
           "expected the stranger's own address in the log; got \"%s\"",
           process_text(scene.lab.lb.out));
    scene_close(&scene);
}

static void listed_proxies_are_believed(void)
{
    struct scene scene;

    scene_open(&scene, "--trusted", "127.0.0.0/8");
    scene_ask(&scene, CLAIMS);
    lab_has(&scene.backend, "\r\nX-Forwarded-For: 203.0.113.9, 127.0.0.1\r\n");
    lab_has(&scene.backend, "\r\nX-Forwarded-Proto: https\r\n");
    lab_has(&scene.backend, "\r\nX-Forwarded-Host: shop.example\r\n");
    lab_has(&scene.backend, "\r\nForwarded: for=203.0.113.9, for=127.0.0.1;");
    lab_has(&scene.backend, "\r\nVia: 1.0 fred, 1.1 steelyard\r\n");
    lab_has(&scene.backend, "\r\nX-Request-Id: mine\r\n");
    rude_say(&scene.backend, OK("2") "ok");
    lab_hear(&scene.client, "ok");
    insist(lab_prints(&scene.lab, " mine 203.0.113.9 \"GET / ", 3000),
           "expected the name and the client that the proxy tells in the log; "
           "got \"%s\"",
           process_text(scene.lab.lb.out));
    scene_close(&scene);
}

static void client_is_first_from_the_right(void)
{
    struct scene scene;

    scene_open(&scene, "--trusted", "127.0.0.0/8,10.0.0.0/8");
    scene_ask(&scene, "GET / HTTP/1.1\r\nHost: a\r\n"
                      "X-Forwarded-For: 192.0.2.1, 203.0.113.9\r\n"
                      "X-Forwarded-For: 10.1.2.3\r\n\r\n");
    lab_has(&scene.backend, "\r\nX-Forwarded-For: 192.0.2.1, 203.0.113.9, "
                            "10.1.2.3, 127.0.0.1\r\n");
    rude_say(&scene.backend, OK("2") "ok");
    lab_hear(&scene.client, "ok");
    insist(lab_prints(&scene.lab, " 203.0.113.9 \"GET / ", 3000),
           "expected the first from the right that is not listed to be taken "
           "for the client; got \"%s\"",
           process_text(scene.lab.lb.out));
    scene_close(&scene);
}

/** Some proxies tell the port, too. */
static void ports_are_no_part_of_the_client(void)
{
    static const char *const cases[][2] = {
        {"203.0.113.9:40000, 10.1.2.3:5000", " 203.0.113.9 \"GET / "},
        {"[2001:db8::7]:443, [fd00::1]", " 2001:db8::7 \"GET / "},
        {"2001:db8::8, fd00::1", " 2001:db8::8 \"GET / "},
        {"203.0.113.9, 10.1.2.3:nine", " 127.0.0.1 \"GET / "},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene scene;
        char request[200];

        snprintf(request, sizeof(request),
                 "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: %s\r\n\r\n",
                 cases[i][0]);
        scene_open(&scene, "--trusted", "127.0.0.0/8,10.0.0.0/8,fd00::/8");
        scene_ask(&scene, request);
        rude_say(&scene.backend, OK("2") "ok");
        lab_hear(&scene.client, "ok");
        insist(lab_prints(&scene.lab, cases[i][1], 3000),
               "X-Forwarded-For: %s: expected%s in the log; got \"%s\"",
               cases[i][0], cases[i][1], process_text(scene.lab.lb.out));
        scene_close(&scene);
    }
}

static void one_hop_only(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene,
              "GET / HTTP/1.1\r\nHost: a\r\nX-Mine: 1\r\n"
              "Connection: X-Mine, keep-alive\r\nKeep-Alive: 5\r\n"
              "TE: gzip\r\nProxy-Connection: close\r\nX-Fine: 1\r\n\r\n");
    lab_has(&scene.backend, "\r\nX-Fine: 1\r\n");
    lab_lacks(&scene.backend, "X-Mine");
    lab_lacks(&scene.backend, "Keep-Alive");
    lab_lacks(&scene.backend, "TE:");
    lab_lacks(&scene.backend, "Proxy-Connection");
    rude_say(&scene.backend,
             "HTTP/1.1 200 OK\r\nX-Yours: 1\r\nConnection: X-Yours\r\n"
             "Keep-Alive: timeout=9\r\nX-Fine: 2\r\n"
             "Content-Length: 2\r\n\r\nok");
    lab_hear(&scene.client, "ok");
    lab_has(&scene.client, "\r\nX-Fine: 2\r\n");
    lab_lacks(&scene.client, "X-Yours");
    lab_lacks(&scene.client, "Keep-Alive");
    scene_close(&scene);
}

/* --- what can be read in two ways ----------------------------------------- */

/** Something that must be refused, and why. */
struct riddle {
    const char *what;
    const char *text;
    size_t length;
};

#define RIDDLE(what, text)           \
    {                                \
        what, text, sizeof(text) - 1 \
    }

/** Each comes second on a connection, so that what came first may not save it.
 * What is counted at the backend, "requests" or "bodies", stays as it was. */
static void are_refused(const struct riddle *riddles, size_t count,
                        const char *counted)
{
    struct lab lab;
    struct rude client;

    lab_solo(&lab);
    lab_start_alone(&lab);
    for (size_t i = 0; i < count; i++) {
        long before;

        lab_rude(&lab, &client);
        lab_ask(&client, GET("/"), lab_hello(&lab, 0));
        before = lab_stat(&lab, 0, counted);
        rude_forget(&client);
        rude_send(&client, riddles[i].text, riddles[i].length);
        insist(rude_hear_end(&client, 2000) && rude_status(&client) == 400,
               "%s: expected 400 and the end; got \"%.300s\"", riddles[i].what,
               client.text);
        insist(lab_stat(&lab, 0, counted) == before,
               "%s: it came to the backend", riddles[i].what);
        rude_close(&client);
    }
    lab_end(&lab);
}

static void lengths_are_plain(void)
{
    static const struct riddle riddles[] = {
        RIDDLE("two lengths",
               POST "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"),
        RIDDLE("length and chunks",
               POST "Content-Length: 5\r\n" CHUNKED "0\r\n\r\n"),
        RIDDLE("chunks and length", POST "Transfer-Encoding: chunked\r\n"
                                         "Content-Length: 5\r\n\r\n0\r\n\r\n"),
        RIDDLE("a list of lengths", POST "Content-Length: 5, 5\r\n\r\nabcde"),
        RIDDLE("a sign", POST "Content-Length: +5\r\n\r\nabcde"),
        RIDDLE("a base", POST "Content-Length: 0x5\r\n\r\nabcde"),
        RIDDLE("no digits", POST "Content-Length: \r\n\r\nabcde"),
        RIDDLE("too many digits",
               POST "Content-Length: 18446744073709551621\r\n\r\nabcde"),
        RIDDLE("chunked is not last",
               POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        RIDDLE("chunked twice",
               POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
        RIDDLE("chunked in two lines",
               POST "Transfer-Encoding: chunked\r\n" CHUNKED "0\r\n\r\n"),
        RIDDLE("an odd blank",
               POST "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n"),
        RIDDLE("chunks in HTTP/1.0",
               "POST /echo HTTP/1.0\r\n" CHUNKED "0\r\n\r\n"),
    };

    are_refused(riddles, sizeof(riddles) / sizeof(riddles[0]), "requests");
}

static void lines_are_plain(void)
{
    static const struct riddle riddles[] = {
        RIDDLE("a blank before the colon",
               "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        RIDDLE("a folded line",
               "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n two\r\n\r\n"),
        RIDDLE("a blank before the first field",
               "GET / HTTP/1.1\r\n Host: a\r\n\r\n"),
        RIDDLE("a bare CR",
               "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\rX-B: 2\r\n\r\n"),
        RIDDLE("a bare LF", "GET / HTTP/1.1\nHost: a\n\n"),
        RIDDLE("a zero byte",
               "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\0002\r\n\r\n"),
        RIDDLE("an odd name", "GET / HTTP/1.1\r\nHost: a\r\nX(A): 1\r\n\r\n"),
        RIDDLE("no name", "GET / HTTP/1.1\r\nHost: a\r\n: 1\r\n\r\n"),
        RIDDLE("no colon", "GET / HTTP/1.1\r\nHost: a\r\nX-A\r\n\r\n"),
        RIDDLE("no Host", "GET / HTTP/1.1\r\nX-A: 1\r\n\r\n"),
        RIDDLE("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        RIDDLE("an odd Host", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
        RIDDLE("a target that is no path",
               "GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n"),
        RIDDLE("two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        RIDDLE("no version", "GET /\r\nHost: a\r\n\r\n"),
        RIDDLE("an odd version", "GET / HTTP/1.10\r\nHost: a\r\n\r\n"),
        RIDDLE("no HTTP", "\x16\x03\x01\x02\x01 and so on, for TLS\r\n\r\n"),
    };

    are_refused(riddles, sizeof(riddles) / sizeof(riddles[0]), "requests");
}

static void chunks_are_plain(void)
{
    static const struct riddle riddles[] = {
        RIDDLE("no size", POST_CHUNKED "\r\nhello\r\n0\r\n\r\n"),
        RIDDLE("a size that is none", POST_CHUNKED "5x\r\nhello\r\n0\r\n\r\n"),
        RIDDLE("a signed size", POST_CHUNKED "-5\r\nhello\r\n0\r\n\r\n"),
        RIDDLE("a base", POST_CHUNKED "0x5\r\nhello\r\n0\r\n\r\n"),
        RIDDLE("a blank first", POST_CHUNKED " 5\r\nhello\r\n0\r\n\r\n"),
        RIDDLE("a huge size",
               POST_CHUNKED "10000000000000005\r\nhello\r\n0\r\n\r\n"),
        RIDDLE("a size too small", POST_CHUNKED "4\r\nhello\r\n0\r\n\r\n"),
        RIDDLE("a bare LF", POST_CHUNKED "5\nhello\r\n0\r\n\r\n"),
        RIDDLE("a bare LF behind", POST_CHUNKED "5\r\nhello\n0\r\n\r\n"),
        RIDDLE("a bare CR in an extension",
               POST_CHUNKED "5;a\rb\r\nhello\r\n0\r\n\r\n"),
        RIDDLE("a bad trailer", POST_CHUNKED "0\r\nX A: 1\r\n\r\n"),
    };

    are_refused(riddles, sizeof(riddles) / sizeof(riddles[0]), "bodies");
}

/** What a backend may not say: 502, and nothing of it passes. */
static void responses_are_plain(void)
{
    static const char *const texts[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nevils",
        "HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: evil\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\nX-A : evil\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\nX-A: 1\r\n evil\r\n\r\nevil",
        "HTTP/1.1 200 OK\r\nX-A: 1\revil\r\n\r\nevil",
        "HTTP/1.1 20 OK\r\n\r\nevil",
        "HTTP/2.0 200 OK\r\n\r\nevil",
        "evil\r\n\r\n",
    };
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        scene_ask(&scene, GET("/"));
        rude_say(&scene.backend, texts[i]);
        lab_hear(&scene.client, "HTTP/1.1 502 ");
        lab_lacks(&scene.client, "evil");
        lab_hear_end(&scene.backend);
        rude_close(&scene.backend);
        rude_close(&scene.client);
        lab_rude(&scene.lab, &scene.client);
    }
    scene_close(&scene);
}

static const struct behaviour list[] = {
    {"whole-url", 99, 1, "A target that is a whole URL replaces Host.",
     whole_urls},
    {"asterisk", 99, 1, "OPTIONS * passes.", asterisk},
    {"no-connect", 99, 1, "CONNECT is answered with 501.", no_connect},
    {"strangers", 99, 2, "What strangers say about who asked is replaced.",
     strangers_are_not_believed},
    {"trusted", 99, 2, "What listed proxies say stands and is added to.",
     listed_proxies_are_believed},
    {"behind-proxies", 99, 1, "The client is the first who is not listed.",
     client_is_first_from_the_right},
    {"forwarded-ports", 99, 1, "Ports in X-Forwarded-For are passed over.",
     ports_are_no_part_of_the_client},
    {"one-hop", 99, 1, "Fields for one connection stay there, both ways.",
     one_hop_only},
    {"plain-lengths", 99, 3, "Lengths that can be read in two ways: 400.",
     lengths_are_plain},
    {"plain-lines", 99, 2, "Lines that can be read in two ways: 400.",
     lines_are_plain},
    {"plain-chunks", 99, 2, "Chunks that can be read in two ways: 400.",
     chunks_are_plain},
    {"plain-responses", 99, 2, "Responses that can be read in two ways: 502.",
     responses_are_plain},
};

const struct behaviours final_strict = {list, sizeof(list) / sizeof(list[0])};

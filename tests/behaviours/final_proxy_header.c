/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * PROXY headers: a proxy before the balancer says who the client is, and the
 * balancer says so to its backends. Everybody here is 127.0.0.1, so addresses
 * of 192.0.2.0/24 can only have come by a header.
 */
#include "behaviours.h"
#include "lab.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define LAST(path) \
    "GET " path " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
#define OK      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define LINE    "PROXY TCP4 192.0.2.7 192.0.2.1 50000 443\r\n"
#define LINE_V6 "PROXY TCP6 2001:db8::7 2001:db8::1 50000 443\r\n"

/* Version 2: the signature; then version, command, family and length. */
#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define FROM_TO   "\xc0\x00\x02\x07\xc0\x00\x02\x01\xc3\x50\x01\xbb"
#define BLOCK     SIGNATURE "\x21\x11\x00\x0c" FROM_TO
#define BLOCK_MORE                                         \
    SIGNATURE "\x21\x11\x00\x17" FROM_TO "\x04\x00\x03NOP" \
              "\xe0\x00\x02\r\n"
#define BLOCK_V6                                                         \
    SIGNATURE "\x21\x21\x00\x24"                                         \
              "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" \
              "\x00\x07"                                                 \
              "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" \
              "\x00\x01\xc3\x50\x01\xbb"
#define LOCAL SIGNATURE "\x20\x00\x00\x00"

/** Bytes, with zero bytes among them, and how many. */
#define BYTES(string) string, sizeof(string) - 1

/** A lab whose balancer believes this one, and has one backend that behaves. */
static void believing(struct lab *lab, const char *whom)
{
    lab_init(lab);
    lab_backends(lab, 1);
    lab_flag(lab, 0, "--accept-proxy", whom);
    lab_start(lab);
}

/** Say a header and ask something in one packet, and hear who we are. */
static void expect_client(const struct lab *lab, const char *header,
                          size_t length, const char *client)
{
    char bytes[400], words[100];
    struct rude rude;

    memcpy(bytes, header, length);
    memcpy(bytes + length, GET("/headers"), sizeof(GET("/headers")));
    lab_rude(lab, &rude);
    rude_send(&rude, bytes, length + sizeof(GET("/headers")) - 1);
    snprintf(words, sizeof(words), "X-Forwarded-For: %s\r\n", client);
    lab_hear(&rude, words);
    lab_has(&rude, "\r\n\r\nGET /headers HTTP/1.1\r\n");
    rude_close(&rude);
}

/* --- told to us ----------------------------------------------------------- */

static void a_line_names_the_client(void)
{
    struct lab lab;
    struct rude rude;

    believing(&lab, "10.0.0.0/8,127.0.0.1");
    lab_rude(&lab, &rude);
    rude_say(&rude, LINE GET("/headers"));
    lab_hear(&rude, "Forwarded: for=192.0.2.7;");
    lab_has(&rude, "X-Forwarded-For: 192.0.2.7\r\n");
    lab_ask(&rude, LAST("/headers"), "X-Forwarded-For: 192.0.2.7\r\n");
    lab_hear_end(&rude);
    rude_close(&rude);
    insist(lab_prints(&lab, " 192.0.2.7 \"GET /headers HTTP/1.1\" 200 ", 3000),
           "a PROXY header for 192.0.2.7; expected the access log to have it; "
           "got %s",
           process_text(lab.lb.out));
    lab_end(&lab);
}

static void a_block_names_the_client(void)
{
    struct lab lab;
    struct answer answer;

    believing(&lab, "127.0.0.0/8");
    expect_client(&lab, BYTES(BLOCK), "192.0.2.7");
    expect_client(&lab, BYTES(BLOCK_MORE), "192.0.2.7");
    answer = fetch_url(lab_admin(&lab, "/metrics"));
    insist(answer.status == 200 &&
               strstr(answer.body, "\nsteelyard_proxy_headers_total 2\n") !=
                   NULL &&
               strstr(answer.body, "\nsteelyard_proxy_headers_refused_total "
                                   "0\n") != NULL,
           "expected two PROXY headers to be counted; got %ld and %s",
           answer.status, answer.body);
    answer_free(&answer);
    lab_end(&lab);
}

static void clients_by_ipv6(void)
{
    struct lab lab;
    struct rude rude;

    believing(&lab, "127.0.0.1");
    expect_client(&lab, BYTES(LINE_V6), "2001:db8::7");
    expect_client(&lab, BYTES(BLOCK_V6), "2001:db8::7");
    lab_rude(&lab, &rude);
    rude_say(&rude, LINE_V6 GET("/headers"));
    lab_hear(&rude, "Forwarded: for=\"[2001:db8::7]\";");
    rude_close(&rude);
    lab_end(&lab);
}

static void no_client_is_named(void)
{
    struct lab lab;

    believing(&lab, "127.0.0.1");
    expect_client(&lab, BYTES("PROXY UNKNOWN\r\n"), "127.0.0.1");
    expect_client(&lab, BYTES("PROXY UNKNOWN ffff::1 192.0.2.9 and so on\r\n"),
                  "127.0.0.1");
    expect_client(&lab, BYTES(LOCAL), "127.0.0.1");
    lab_end(&lab);
}

/** Send each byte in a packet of its own. */
static void send_apart(struct rude *rude, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        insist(rude_send(rude, &bytes[i], 1), "byte %zu was not taken", i);
        nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
    }
}

static void headers_come_in_pieces(void)
{
    struct lab lab;
    struct rude rude;

    believing(&lab, "127.0.0.1");
    lab_rude(&lab, &rude);
    send_apart(&rude, BYTES(LINE GET("/headers")));
    lab_hear(&rude, "X-Forwarded-For: 192.0.2.7\r\n");
    rude_close(&rude);
    lab_rude(&lab, &rude);
    send_apart(&rude, BYTES(BLOCK_MORE GET("/headers")));
    lab_hear(&rude, "X-Forwarded-For: 192.0.2.7\r\n");
    rude_close(&rude);
    lab_end(&lab);
}

/** What is no header, and how the log calls that. */
static const struct {
    const char *bytes;
    size_t length;
    const char *words;
} refused[] = {
    {BYTES(GET("/")), "it does not begin with a PROXY header"},
    {BYTES("PROXY TCP4 192.0.2.7 192.0.2.1 50000\r\n" GET("/")),
     "wants two addresses and two ports"},
    {BYTES("PROXY TCP4 192.0.2.256 192.0.2.1 1 2\r\n" GET("/")),
     "an address in the PROXY header is none of its family"},
    {BYTES("PROXY TCP4 192.0.2.7 192.0.2.1 1 65536\r\n" GET("/")),
     "a port in the PROXY header is none"},
    {BYTES("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\n" GET("/")),
     "does not end with CR LF"},
    {BYTES(SIGNATURE "\x31\x11\x00\x0c" FROM_TO GET("/")),
     "is of no known version"},
    {BYTES(SIGNATURE "\x21\x11\x00\x0b" FROM_TO GET("/")),
     "is too short for its addresses"},
    {BYTES(SIGNATURE "\x21\x11\xff\xff" FROM_TO GET("/")),
     "is longer than 4096 bytes"},
};

static void other_bytes_are_refused(void)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct lab lab;
        struct rude rude;

        believing(&lab, "127.0.0.1");
        lab_rude(&lab, &rude);
        rude_send(&rude, refused[i].bytes, refused[i].length);
        insist(rude_hear_end(&rude, 3000) || rude.broken,
               "a listed sender sent \"%.40s\"; expected the connection to end",
               refused[i].bytes);
        insist(rude.length == 0, "expected no answer; got \"%.100s\"",
               rude.text);
        rude_close(&rude);
        insist(lab_logs(&lab, refused[i].words, 3000) &&
                   lab_logs(&lab, "while reading the PROXY header", 3000),
               "expected the log to say \"%s\"; got %s", refused[i].words,
               process_text(lab.lb.err));
        insist(lab_count_all(&lab, "/") == 0, "expected no request to pass");
        lab_end(&lab);
    }
}

/** So many without a header. */
static void come_without(const struct lab *lab, int times)
{
    while (times-- > 0)
        lab_talk(lab, LAST("/"));
}

static void many_are_summed_up(void)
{
    struct lab lab;

    believing(&lab, "127.0.0.1");
    come_without(&lab, 1);
    insist(holds_within(4000, (come_without(&lab, 5),
                               process_said(lab.lb.err,
                                            "more clients failed while reading "
                                            "the PROXY header"))),
           "many without a PROXY header; expected the log to say how many; it "
           "says %s",
           process_text(lab.lb.err));
    lab_end(&lab);
}

static void headers_have_their_time(void)
{
    struct lab lab;
    struct rude rude;
    int64_t began;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 0, "--accept-proxy", "127.0.0.1");
    lab_flag(&lab, 0, "--head-timeout", "300ms");
    lab_start(&lab);
    lab_rude(&lab, &rude);
    rude_say(&rude, "PROXY TCP4 192.0.2.7 ");
    began = now_ms();
    insist(rude_hear_end(&rude, 3000) && now_ms() - began >= 250,
           "half a PROXY header, with --head-timeout 300ms; expected the end "
           "after that; after %ld ms it had%s come",
           (long)(now_ms() - began), rude.ended ? "" : " not");
    rude_close(&rude);
    insist(lab_logs(&lab, "it was not whole in time", 3000),
           "expected the log to tell of it");
    lab_end(&lab);
}

static void others_are_not_believed(void)
{
    struct lab lab;

    believing(&lab, "192.0.2.0/24,2001:db8::/32");
    lab_who(&lab, "/");
    insist(strstr(lab_talk(&lab, LINE GET("/headers")), "HTTP/1.1 400 ") !=
               NULL,
           "a PROXY header from somebody who is not listed; expected 400");
    expect_client(&lab, BYTES(""), "127.0.0.1");
    lab_end(&lab);
}

/** Which backend answers clients of this address? */
static char backend_for(const struct lab *lab, unsigned last)
{
    char bytes[200];
    const char *said;

    snprintf(bytes, sizeof(bytes),
             "PROXY TCP4 192.0.2.%u 192.0.2.1 50000 443\r\n%s", last,
             LAST("/"));
    said = strstr(lab_talk(lab, bytes), "hello from ");
    insist(said != NULL, "expected to be served");
    return said[strlen("hello from ")];
}

static void the_named_are_hashed(void)
{
    struct lab lab;
    char first = 0, other = 0;

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_flag(&lab, 0, "--accept-proxy", "127.0.0.1");
    lab_flag(&lab, 0, "--policy", "address-hash");
    lab_start(&lab);
    for (unsigned i = 1; i <= 20; i++) {
        char who = backend_for(&lab, i);

        insist(who == backend_for(&lab, i),
               "192.0.2.%u came twice; expected the same backend", i);
        if (first == 0)
            first = who;
        if (who != first)
            other = who;
    }
    insist(other != 0, "20 addresses by PROXY headers and address-hash; "
                       "expected them at both backends");
    lab_end(&lab);
}

#define SERVED \
    "\"port\": 0, \"admin\": {\"listen\": \"off\"}, \"backends\": [\"{0}\"]"

static void a_reload_lists_others(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_config_kept(&lab, "{" SERVED "}");
    lab_start(&lab);
    expect_client(&lab, BYTES(""), "127.0.0.1");
    lab_reload(&lab,
               "{" SERVED
               ", \"forwarded\": {\"accept_proxy\": [\"127.0.0.0/8\"]}}",
               true);
    expect_client(&lab, BYTES(LINE), "192.0.2.7");
    lab_reload(&lab, "{" SERVED "}", true);
    expect_client(&lab, BYTES(""), "127.0.0.1");
    lab_end(&lab);
}

/* --- told by us ----------------------------------------------------------- */

/** A client that names nobody, a balancer, and a backend that the test plays. */
static void scene_out(struct scene *scene, const char *version)
{
    scene_open(scene, "--send-proxy", version);
}

/** Hear exactly these bytes first. */
static void hear_bytes(struct rude *rude, const char *bytes, size_t length)
{
    while (rude->length < length &&
           rude_take(rude, length - rude->length, 3000) > 0)
        ;
    insist(rude->length == length && memcmp(rude->text, bytes, length) == 0,
           "expected a PROXY header; got %zu bytes: \"%.100s\"", rude->length,
           rude->length > 0 ? rude->text : "");
    rude_forget(rude);
}

static unsigned port_of(const struct rude *rude)
{
    struct sockaddr_in address = {0};
    socklen_t length = sizeof(address);

    insist(getsockname(rude->fd, (struct sockaddr *)&address, &length) == 0,
           "the system does not tell a port");
    return ntohs(address.sin_port);
}

/** The header for this client. @return its length */
static size_t line_for(const struct lab *lab, const struct rude *client,
                       char *out)
{
    return (size_t)sprintf(out, "PROXY TCP4 127.0.0.1 127.0.0.1 %u %u\r\n",
                           port_of(client), lab->port);
}

static void backends_hear_a_line(void)
{
    struct scene scene;
    char line[108];

    scene_out(&scene, "v1");
    rude_say(&scene.client, GET("/"));
    lab_accept(&scene.lab, 0, &scene.backend);
    hear_bytes(&scene.backend, line, line_for(&scene.lab, &scene.client, line));
    lab_hear(&scene.backend, "GET / HTTP/1.1\r\n");
    lab_hear(&scene.backend, "\r\n\r\n");
    lab_has(&scene.backend, "\r\nConnection: close\r\n");
    rude_say(&scene.backend, OK);
    lab_hear(&scene.client, "\r\n\r\nok");
    lab_lacks(&scene.client, "Connection: close");
    scene_close(&scene);
}

static void backends_hear_a_block(void)
{
    char block[28] = SIGNATURE "\x21\x11\x00\x0c\x7f\x00\x00\x01\x7f\x00\x00";
    struct scene scene;
    unsigned port;

    scene_out(&scene, "v2");
    port = port_of(&scene.client);
    rude_say(&scene.client, GET("/"));
    lab_accept(&scene.lab, 0, &scene.backend);
    block[23] = 1;
    block[24] = (char)(port >> 8);
    block[25] = (char)port;
    block[26] = (char)(scene.lab.port >> 8);
    block[27] = (char)scene.lab.port;
    hear_bytes(&scene.backend, block, sizeof(block));
    lab_hear(&scene.backend, "\r\n\r\n");
    lab_has(&scene.backend, "GET / HTTP/1.1\r\n");
    rude_say(&scene.backend, OK);
    lab_hear(&scene.client, "\r\n\r\nok");
    scene_close(&scene);
}

/** Another client of the scene asks, and a connection of its own is opened. */
static void ask_on_a_new_one(struct scene *scene, struct rude *client)
{
    struct rude backend;
    char line[108];

    rude_forget(client);
    rude_say(client, GET("/"));
    lab_accept(&scene->lab, 0, &backend);
    hear_bytes(&backend, line, line_for(&scene->lab, client, line));
    lab_hear(&backend, "\r\n\r\n");
    lab_has(&backend, "GET / HTTP/1.1\r\n");
    rude_say(&backend, OK);
    lab_hear(client, "\r\n\r\nok");
    lab_hear_end(&backend);
    rude_close(&backend);
}

static void connections_are_not_shared(void)
{
    struct scene scene;
    struct rude other;

    scene_out(&scene, "v1");
    lab_rude(&scene.lab, &other);
    ask_on_a_new_one(&scene, &scene.client);
    ask_on_a_new_one(&scene, &other);
    ask_on_a_new_one(&scene, &scene.client);
    rude_close(&other);
    scene.backend = (struct rude){.fd = -1};
    scene_close(&scene);
}

static void one_backend_of_two_hears_it(void)
{
    struct lab lab;
    struct rude client, backend;

    lab_init(&lab);
    lab_play(&lab);
    lab_play(&lab);
    lab_config(&lab, "{\"port\": 0, \"admin\": {\"listen\": \"off\"}, "
                     "\"health\": false, \"backends\": [\"{0}\", "
                     "{\"url\": \"{1}\", \"send_proxy\": \"v1\"}]}");
    lab_start(&lab);
    lab_rude(&lab, &client);
    for (size_t i = 0; i < 2; i++) {
        rude_forget(&client);
        rude_say(&client, GET("/"));
        lab_accept(&lab, i, &backend);
        lab_hear(&backend, "\r\n\r\n");
        insist((strncmp(backend.text, "PROXY TCP4 ", 11) == 0) == (i == 1),
               "backend %zu; got \"%s\"", i, backend.text);
        rude_say(&backend, OK);
        lab_hear(&client, "\r\n\r\nok");
        rude_close(&backend);
    }
    rude_close(&client);
    lab_end(&lab);
}

/** What was told to us is told on, the address that was asked for, too. */
static void what_was_told_is_told_on(void)
{
    struct lab lab;
    struct rude client, backend;

    lab_init(&lab);
    lab_play(&lab);
    lab_flag(&lab, 0, "--accept-proxy", "127.0.0.1");
    lab_flag(&lab, 0, "--send-proxy", "v1");
    lab_meet(&lab, &client);
    rude_send(&client, BYTES(BLOCK_V6 GET("/")));
    lab_accept(&lab, 0, &backend);
    hear_bytes(&backend, BYTES(LINE_V6));
    lab_hear(&backend, "\r\n\r\n");
    lab_has(&backend, "GET / HTTP/1.1\r\n");
    rude_say(&backend, OK);
    lab_hear(&client, "\r\n\r\nok");
    rude_close(&backend);
    rude_close(&client);
    lab_end(&lab);
}

/** A balancer before another one, to which it sends this. */
static void chain(struct lab *first, struct lab *second, char *url,
                  const char *version)
{
    believing(second, "127.0.0.1");
    sprintf(url, "http://127.0.0.1:%u", second->port);
    lab_init(first);
    first->also = url;
    lab_flag(first, 0, "--accept-proxy", "127.0.0.1");
    lab_flag(first, 0, "--send-proxy", version);
    lab_flag(first, 0, "--none-healthy", "fail");
    lab_flag(first, 0, "--health-path", "/healthz");
    lab_start(first);
}

static void the_client_passes_two_balancers(void)
{
    static const char *const versions[] = {"v1", "v2"};

    for (int i = 0; i < 2; i++) {
        struct lab first, second;
        char url[60];

        chain(&first, &second, url, versions[i]);
        expect_client(&first, BYTES(LINE), "192.0.2.7");
        expect_client(&first, BYTES(BLOCK_V6), "2001:db8::7");
        lab_end(&first);
        lab_end(&second);
    }
}

static void probes_say_it_too(void)
{
    static const char *const versions[] = {"v1", "v2"};

    for (int i = 0; i < 2; i++) {
        struct lab first, second;
        char url[60];

        chain(&first, &second, url, versions[i]);
        insist(holds_within(5000, lab_count(&second, 0, "/healthz") > 3),
               "expected probes to reach a backend that wants PROXY headers");
        insist(lab_logged(&first, "is down") == 0 &&
                   lab_logged(&second, "PROXY header") == 0,
               "expected them to do well; got %s and %s",
               process_text(first.lb.err), process_text(second.lb.err));
        lab_end(&first);
        lab_end(&second);
    }
}

static const struct behaviour list[] = {
    {"proxy-header-v1", 99, 2, "A listed proxy names the client in a line.",
     a_line_names_the_client},
    {"proxy-header-v2", 99, 2, "A listed proxy names it in a block of bytes.",
     a_block_names_the_client},
    {"proxy-header-ipv6", 99, 1, "The named client may come by IPv6.",
     clients_by_ipv6},
    {"proxy-header-unknown", 99, 1, "A header may name nobody.",
     no_client_is_named},
    {"proxy-header-pieces", 99, 1, "A header may come byte by byte.",
     headers_come_in_pieces},
    {"proxy-header-refused", 99, 2, "What is no header ends the connection.",
     other_bytes_are_refused},
    {"proxy-header-many", 99, 1, "Many without one are told of together.",
     many_are_summed_up},
    {"proxy-header-late", 99, 1, "A header has its time, and no more.",
     headers_have_their_time},
    {"proxy-header-unlisted", 99, 2, "Nobody else is believed a header.",
     others_are_not_believed},
    {"proxy-header-hash", 99, 1, "Policies go by the named client.",
     the_named_are_hashed},
    {"proxy-header-reload", 99, 1, "A reload may list others.",
     a_reload_lists_others},
    {"send-proxy-v1", 99, 2, "A backend is told who the client is, in a line.",
     backends_hear_a_line},
    {"send-proxy-v2", 99, 2, "Or in a block of bytes.", backends_hear_a_block},
    {"send-proxy-alone", 99, 2,
     "Connections that name a client are not shared.",
     connections_are_not_shared},
    {"send-proxy-one", 99, 1, "Each backend may be told, or not.",
     one_backend_of_two_hears_it},
    {"send-proxy-on", 99, 1, "What a header has told is told on.",
     what_was_told_is_told_on},
    {"send-proxy-chain", 99, 1, "The named client is named to the next one.",
     the_client_passes_two_balancers},
    {"send-proxy-probes", 99, 1, "Probes begin with a PROXY header, too.",
     probes_say_it_too},
};

const struct behaviours final_proxy_header = {list,
                                              sizeof(list) / sizeof(list[0])};

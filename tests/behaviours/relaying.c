/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Chapter 01: what passes through a proxy, whole and unchanged.
 */
#include "behaviours.h"
#include "lab.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/** Letters that are easy to compare: the caller frees them. */
static char *letters(size_t length)
{
    char *text = malloc(length + 1);

    for (size_t i = 0; i < length; i++)
        text[i] = (char)('a' + i % 26);
    text[length] = '\0';
    return text;
}

static void get_passes(void)
{
    struct lab lab;
    struct answer answer;

    lab_usual(&lab, 1);
    answer = lab_get(&lab, "/");
    insist(answer.whole && answer.status == 200,
           "GET / through the balancer: expected 200; got %ld (%s)",
           answer.status, answer.error);
    insist(strncmp(answer.body, "hello from one", 14) == 0,
           "GET /: expected the backend's words \"hello from one ...\"; got "
           "\"%.100s\"",
           answer.body);
    answer_free(&answer);
    lab_end(&lab);
}

static void status_passes(void)
{
    static const int statuses[] = {201, 204, 304, 404, 418, 500, 503};
    struct lab lab;

    lab_usual(&lab, 1);
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        char path[32];
        struct answer answer;

        snprintf(path, sizeof(path), "/status/%d", statuses[i]);
        answer = lab_get(&lab, path);
        insist(answer.status == statuses[i] &&
                   strcmp(answer.backend, "one") == 0,
               "GET %s: expected the backend's own %d; got %ld from \"%s\"",
               path, statuses[i], answer.status, answer.backend);
        answer_free(&answer);
    }
    lab_end(&lab);
}

static void head_in_pieces(void)
{
    struct lab lab;
    struct rude rude;

    lab_usual(&lab, 1);
    lab_rude(&lab, &rude);
    insist(rude_say_slowly(&rude, "GET / HTTP/1.1\r\nHost: a\r\n"
                                  "Connection: close\r\n\r\n"),
           "sent a head byte by byte; the balancer closed before it was whole");
    insist(rude_hear(&rude, "hello from one", 3000),
           "sent a GET byte by byte; expected the backend's answer; got "
           "\"%.200s\". One recv() is not one request",
           rude.text);
    rude_close(&rude);
    lab_end(&lab);
}

static void post_echo(size_t length)
{
    char *body = letters(length);
    struct lab lab;
    struct answer answer;

    lab_usual(&lab, 1);
    answer = fetch(&(struct request){
        .url = lab_url(&lab, "/echo"), .body = body, .body_length = length});
    insist(answer.whole && answer.status == 200,
           "POST of %zu bytes to /echo: expected 200; got %ld (%s)", length,
           answer.status, answer.error);
    insist(answer.length == length && memcmp(answer.body, body, length) == 0,
           "POST of %zu bytes to /echo: expected the same bytes back; got %zu "
           "bytes",
           length, answer.length);
    answer_free(&answer);
    free(body);
    lab_end(&lab);
}

static void small_body_passes(void)
{
    post_echo(20);
}

static void body_passes(void)
{
    post_echo(60000);
}

static void body_in_pieces(void)
{
    struct lab lab;
    struct rude rude;

    lab_init(&lab);
    lab_backends(&lab, 1);
    /* On a busy machine the pieces may be seconds apart. */
    lab_flag(&lab, 99, "--body-rate", "0");
    lab_start(&lab);
    lab_rude(&lab, &rude);
    rude_say(&rude, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n"
                    "Connection: close\r\n\r\n01");
    /* So that one who does not wait for the rest shows it. */
    (void)holds_within(300, lab_count(&lab, 0, "/echo") == 1);
    rude_say_slowly(&rude, "23456789");
    insist(rude_hear(&rude, "0123456789", 3000),
           "sent a head with 2 of 10 bytes of body, then 8 more one by one; "
           "expected all ten back from /echo; got \"%.300s\"",
           rude.text);
    rude_close(&rude);
    lab_end(&lab);
}

static void large_body_passes(void)
{
    size_t length = 5000000;
    char *body = letters(length);
    struct lab lab;
    struct answer answer;

    lab_usual(&lab, 1);
    answer = fetch(&(struct request){
        .url = lab_url(&lab, "/sink"), .body = body, .body_length = length});
    insist(answer.whole && strcmp(answer.body, "read 5000000 bytes\n") == 0,
           "POST of 5,000,000 bytes to /sink: expected \"read 5000000 bytes\"; "
           "got %ld \"%.100s\" (%s)",
           answer.status, answer.body == NULL ? "" : answer.body, answer.error);
    answer_free(&answer);
    free(body);
    lab_end(&lab);
}

static void large_response_passes(void)
{
    size_t length = 64 << 20;
    char *expected = letters(length);
    struct lab lab;
    struct answer answer;

    lab_usual(&lab, 1);
    answer = fetch(&(struct request){.url = lab_url(&lab, "/bytes/67108864"),
                                     .timeout_ms = 10000});
    insist(answer.whole && answer.length == length,
           "GET /bytes/67108864: expected 67108864 bytes; got %zu (%s)",
           answer.length, answer.error);
    insist(memcmp(answer.body, expected, length) == 0,
           "GET /bytes/67108864: the length is right, but the bytes differ");
    answer_free(&answer);
    free(expected);
    lab_end(&lab);
}

static void slow_response_passes(void)
{
    struct lab lab;
    struct answer answer;

    lab_usual(&lab, 1);
    answer = lab_get(&lab, "/misbehave/drip?ms=2");
    insist(answer.whole && answer.status == 200 && answer.length > 0,
           "the backend answered byte by byte; expected the whole answer; got "
           "%ld and %zu bytes (%s)",
           answer.status, answer.length, answer.error);
    answer_free(&answer);
    lab_end(&lab);
}

static void head_request_passes(void)
{
    struct lab lab;
    struct rude rude;

    lab_usual(&lab, 1);
    lab_rude(&lab, &rude);
    rude_say(&rude, "HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    insist(rude_hear_end(&rude, 3000) && rude_status(&rude) == 200,
           "HEAD /: expected a head with 200, then the end; got \"%.200s\"",
           rude.text);
    insist(strstr(rude.text, "Content-Length: ") != NULL &&
               strstr(rude.text, "hello") == NULL,
           "HEAD /: expected the length of the body, but no body; got "
           "\"%.300s\"",
           rude.text);
    rude_close(&rude);
    lab_end(&lab);
}

/** What arrives at the backend when these fields are sent. */
static char *head_that_arrives(const struct lab *lab, const char *const *fields)
{
    struct answer answer = fetch(
        &(struct request){.url = lab_url(lab, "/headers"), .fields = fields});

    insist(answer.whole && answer.status == 200,
           "GET /headers: expected 200; got %ld (%s)", answer.status,
           answer.error);
    return answer.body;
}

/** Does a text have these words, in upper or lower case? */
static bool has_words(const char *text, const char *words)
{
    for (; *text != '\0'; text++)
        if (strncasecmp(text, words, strlen(words)) == 0)
            return true;
    return false;
}

static void insist_absent(const char *head, const char *field)
{
    insist(!has_words(head, field),
           "sent a hop-by-hop field; expected it to stay between us; but "
           "\"%s\" arrived at the backend:\n%.600s",
           field, head);
}

static void hop_by_hop_stays(void)
{
    struct lab lab;
    char *head;

    lab_usual(&lab, 1);
    head = head_that_arrives(
        &lab,
        (const char *const[]){"Keep-Alive: timeout=9", "Proxy-Connection: x",
                              "TE: gzip", "Connection: keep-alive", NULL});
    insist_absent(head, "\nKeep-Alive:");
    insist_absent(head, "\nProxy-Connection:");
    insist_absent(head, "\nTE:");
    free(head);
    lab_end(&lab);
}

static void named_fields_stay(void)
{
    struct lab lab;
    char *head;

    lab_usual(&lab, 1);
    head = head_that_arrives(
        &lab,
        (const char *const[]){"Connection: close, X-Mine , x-yours",
                              "X-Mine: 1", "X-Yours: 2", "X-Open: 3", NULL});
    insist_absent(head, "\nX-Mine:");
    insist_absent(head, "\nX-Yours:");
    insist(strstr(head, "X-Open: 3") != NULL,
           "X-Open is not named by Connection; expected it at the backend; "
           "got:\n%.600s",
           head);
    free(head);
    lab_end(&lab);
}

static void length_cannot_be_hidden(void)
{
    struct lab lab;
    struct rude rude;

    lab_usual(&lab, 1);
    lab_rude(&lab, &rude);
    rude_say(&rude, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n"
                    "Connection: Content-Length, close\r\n\r\nwxyz");
    rude_hear_end(&rude, 3000);
    insist(rude_status(&rude) == 400 || strstr(rude.text, "wxyz") != NULL,
           "sent Connection: Content-Length; expected the body to arrive with "
           "its length, or 400; got \"%.300s\"",
           rude.text);
    rude_close(&rude);
    lab_end(&lab);
}

static void fields_pass(void)
{
    struct lab lab;
    const char *one, *two, *three;
    char *head;

    lab_usual(&lab, 1);
    head = head_that_arrives(
        &lab, (const char *const[]){"X-One: a  b", "Cookie: c=d; e=\"f\"",
                                    "X-One: \xc3\xa9", NULL});
    one = strstr(head, "X-One: a  b");
    two = strstr(head, "Cookie: c=d; e=\"f\"");
    three = strstr(head, "X-One: \xc3\xa9");
    insist(one != NULL && two > one && three > two,
           "sent X-One, Cookie, X-One again; expected all three at the "
           "backend, unchanged and in this order; got:\n%.600s",
           head);
    free(head);
    lab_end(&lab);
}

static void chunked_body_is_whole_or_refused(void)
{
    struct lab lab;
    struct answer answer;

    lab_usual(&lab, 1);
    answer = fetch(&(struct request){.url = lab_url(&lab, "/echo"),
                                     .body = "in chunks",
                                     .body_length = 9,
                                     .is_chunked = true});
    insist(answer.status == 411 ||
               (answer.status == 200 && answer.body != NULL &&
                strcmp(answer.body, "in chunks") == 0),
           "POST in chunks to /echo: expected 411, or the body back; got %ld "
           "\"%.100s\" (%s)",
           answer.status, answer.body == NULL ? "" : answer.body, answer.error);
    answer_free(&answer);
    lab_end(&lab);
}

static void old_client_is_served(void)
{
    struct lab lab;
    struct rude rude;

    lab_usual(&lab, 1);
    lab_rude(&lab, &rude);
    rude_say(&rude, "GET / HTTP/1.0\r\n\r\n");
    insist(rude_hear_end(&rude, 3000) &&
               strstr(rude.text, "hello from one") != NULL,
           "GET by HTTP/1.0, without Host; expected the answer, then the end "
           "of the connection; got \"%.300s\"",
           rude.text);
    insist(!has_words(rude.text, "chunked"),
           "a client of HTTP/1.0 got chunks, which it does not know");
    rude_close(&rude);
    lab_end(&lab);
}

static void waiting_client_is_told_to_go_on(void)
{
    struct lab lab;
    struct rude rude;

    lab_usual(&lab, 1);
    lab_rude(&lab, &rude);
    rude_say(&rude, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                    "Expect: 100-continue\r\nConnection: close\r\n\r\n");
    insist(rude_hear(&rude, "HTTP/1.1 100", 3000),
           "sent Expect: 100-continue and waited; expected 100; got \"%.200s\"",
           rude.text);
    rude_say(&rude, "yes");
    insist(rude_hear(&rude, "\r\n\r\nyes", 3000),
           "went on after the 100; expected the body back from /echo; got "
           "\"%.300s\"",
           rude.text);
    rude_close(&rude);
    lab_end(&lab);
}

static void early_answer_arrives(void)
{
    char *body = letters(3000000);
    struct lab lab;
    struct answer answer;

    lab_usual(&lab, 1);
    answer =
        fetch(&(struct request){.url = lab_url(&lab, "/misbehave/early-answer"),
                                .body = body,
                                .body_length = 3000000});
    insist(answer.status == 413,
           "the backend refused a body of 3,000,000 bytes with 413 before it "
           "had come, and closed; expected the client to see that 413; got "
           "%ld (%s)",
           answer.status, answer.error);
    answer_free(&answer);
    free(body);
    lab_end(&lab);
}

static void cut_response_is_seen(void)
{
    struct lab lab;
    struct answer answer;

    lab_usual(&lab, 1);
    answer = lab_get(&lab, "/misbehave/cut-body");
    insist(answer.status == 200 && !answer.whole,
           "the backend closed in the middle of a body; expected the client "
           "to see 200 and an incomplete body; got %ld and a body that looks "
           "%s",
           answer.status, answer.whole ? "whole" : "incomplete");
    answer_free(&answer);
    lab_end(&lab);
}

/** A backend that listens on this host, and is written like that. */
static void found_at(const char *listens, const char *written)
{
    struct lab lab;

    lab_init(&lab);
    lab_backend(&lab, "--host", listens);
    lab.host = written;
    lab_start(&lab);
    for (int i = 0; i < 3; i++) {
        struct answer answer = lab_get(&lab, "/");

        insist(answer.status == 200,
               "the backend was given as http://%s:%u; expected 200; got %ld "
               "(%s)",
               written, lab.backends[0].port, answer.status, answer.error);
        answer_free(&answer);
    }
    lab_end(&lab);
}

static void name_is_found(void)
{
    found_at("127.0.0.1", "localhost");
}

static void ipv6_is_found(void)
{
    found_at("::1", "[::1]");
}

static void leaving_clients_hurt_nobody(void)
{
    struct lab lab;

    lab_usual(&lab, 1);
    for (int i = 0; i < 5; i++) {
        struct rude rude;

        lab_rude(&lab, &rude);
        rude_say(&rude, "GET /bytes/50000000 HTTP/1.1\r\nHost: a\r\n\r\n");
        rude_take(&rude, 1000, 1000);
        if (i % 2 == 0)
            rude_reset(&rude);
        else
            rude_close(&rude);
        lab_rude(&lab, &rude);
        rude_say(&rude, "POST /echo HTTP/1.1\r\nHost: a\r\n"
                        "Content-Length: 100\r\n\r\nhalf");
        rude_close(&rude);
    }
    insist(strcmp(lab_who(&lab, "/"), "one") == 0,
           "five clients left in the middle; expected the next to be served");
    lab_end(&lab);
}

static void dead_backend_gives_502_or_503(void)
{
    struct lab lab;
    struct answer answer;

    lab_usual(&lab, 1);
    insist(strcmp(lab_who(&lab, "/"), "one") == 0, "nobody answers");
    lab_kill(&lab, 0);
    answer = lab_get(&lab, "/");
    insist(answer.whole && (answer.status == 502 || answer.status == 503),
           "the only backend is dead; expected 502 or 503; got %ld (%s)",
           answer.status, answer.error);
    answer_free(&answer);
    lab_revive(&lab, 0);
    insist(holds_within(12000, lab_try(&lab, "/").status == 200),
           "the only backend was dead and lives again; expected it to serve");
    lab_end(&lab);
}

static void stop_finishes_the_request(void)
{
    struct lab lab;
    struct fetches *fetches;

    lab_usual(&lab, 1);
    fetches = fetches_begin(
        &(struct request){.url = lab_url(&lab, "/slow?ms=500")}, 1);
    insist(holds_within(3000, (fetches_run(fetches, 5),
                               lab_count(&lab, 0, "/slow") == 1)),
           "a request was sent; it never reached the backend");
    kill(lab.lb.pid, SIGTERM);
    fetches_run(fetches, 3000);
    insist(fetches_count(fetches, 200) == 1,
           "SIGTERM came while a request was under way; expected its answer "
           "to arrive all the same; got %ld (%s)",
           fetches_answer(fetches, 0)->status,
           fetches_answer(fetches, 0)->error);
    fetches_end(&fetches);

    int status = -1;

    insist(holds_within(3000, process_has_ended(&lab.lb, &status)) &&
               status == 0,
           "after the last answer, expected the balancer to end with status "
           "0; got %d",
           status);
}

static void silent_client_does_not_hold_up_a_stop(void)
{
    struct lab lab;
    struct rude rude;

    lab_usual(&lab, 1);
    lab_who(&lab, "/");
    lab_rude(&lab, &rude);
    lab_end(&lab);
    rude_close(&rude);
}

static void bad_flag_is_refused(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 1, "--prot", "80");
    lab_refuses(&lab, "--prot");
}

static void bad_backend_is_refused(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 1, "--backends", "ftp://nowhere");
    lab_refuses(&lab, "ftp://nowhere");
}

static void taken_port_is_refused(void)
{
    struct lab lab;
    char port[16];

    lab_init(&lab);
    lab_backends(&lab, 1);
    snprintf(port, sizeof(port), "%u", lab.backends[0].port);
    lab_flag(&lab, 1, "--port", port);
    lab_refuses(&lab, port);
}

static const struct behaviour list[] = {
    {"get", 1, 1, "A GET reaches the backend, and its answer comes back.",
     get_passes},
    {"statuses", 1, 1, "Whatever status the backend answers with passes.",
     status_passes},
    {"head-in-pieces", 1, 2, "A head may come one byte at a time.",
     head_in_pieces},
    {"small-body", 1, 1, "A small body arrives.", small_body_passes},
    {"body", 1, 1, "A body of 60,000 bytes arrives unchanged.", body_passes},
    {"body-in-pieces", 1, 2, "A body may come one byte at a time.",
     body_in_pieces},
    {"large-body", 1, 1, "A body of 5 MB arrives whole.", large_body_passes},
    {"large-response", 1, 1, "A response of 64 MiB arrives unchanged.",
     large_response_passes},
    {"slow-response", 1, 1, "A response may come one byte at a time.",
     slow_response_passes},
    {"head-method", 1, 1, "HEAD is answered with a head alone.",
     head_request_passes},
    {"hop-by-hop", 1, 1, "Fields for one connection only are not sent on.",
     hop_by_hop_stays},
    {"connection-names", 1, 1, "Fields that Connection names are not sent on.",
     named_fields_stay},
    {"length-stays", 1, 1, "Nobody can have the length of a body removed.",
     length_cannot_be_hidden},
    {"fields", 1, 1, "All other fields pass, unchanged and in order.",
     fields_pass},
    {"chunked", 1, 1, "A body in chunks arrives whole, or is refused with 411.",
     chunked_body_is_whole_or_refused},
    {"http-1.0", 1, 1, "A client that speaks HTTP/1.0 is served.",
     old_client_is_served},
    {"continue", 1, 1, "A client that waits for 100 Continue gets it.",
     waiting_client_is_told_to_go_on},
    {"early-answer", 1, 1, "An answer that comes before the body ends arrives.",
     early_answer_arrives},
    {"cut-response", 1, 1, "A response that was cut short does not look whole.",
     cut_response_is_seen},
    {"names", 1, 1, "A backend may be given by name.", name_is_found},
    {"ipv6", 1, 1, "A backend may have an IPv6 address.", ipv6_is_found},
    {"leavers", 1, 1, "Clients that leave in the middle hurt nobody else.",
     leaving_clients_hurt_nobody},
    {"dead-backend", 1, 1,
     "A dead backend gives 502 or 503, and may come back.",
     dead_backend_gives_502_or_503},
    {"stop", 1, 1, "A stop lets the request in progress finish.",
     stop_finishes_the_request},
    {"stop-silent", 1, 1, "A client that says nothing does not hold up a stop.",
     silent_client_does_not_hold_up_a_stop},
    {"bad-flag", 1, 1, "An unknown flag is refused by name, with status 2.",
     bad_flag_is_refused},
    {"bad-backend", 1, 1, "A backend that is no URL is refused, with status 2.",
     bad_backend_is_refused},
    {"taken-port", 1, 1, "A port that is taken is refused, with status 2.",
     taken_port_is_refused},
};

const struct behaviours relaying = {list, sizeof(list) / sizeof(list[0])};

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Chapter 04: what happens when a backend fails under a request. Probes come
 * once a minute here, so that only the requests themselves can find out.
 */
#include "behaviours.h"
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Has a try of this path on this backend been told? */
static bool tells_try(struct lab *lab, const char *path, size_t which)
{
    char words[80];

    /* The chapters tell each try as it begins; steelyard tells all tries of a
     * request in one line of its access log. */
    if (lab_chapter() < 99) {
        snprintf(words, sizeof(words), "%s -> http://127.0.0.1:%u", path,
                 lab->backends[which].port);
        return lab_logs(lab, words, 1000);
    }
    snprintf(words, sizeof(words),
             " http://127.0.0.1:%u=", lab->backends[which].port);
    return holds_within(1000, process_said(lab->lb.out, words));
}

/** A backend that misbehaves so, and one that behaves. */
static void bad_and_good(struct lab *lab, const char *misbehaviour)
{
    lab_init(lab);
    lab->interval = "60s";
    lab_backend(lab, "--misbehave", misbehaviour);
    lab_backends(lab, 1);
    lab_start(lab);
}

static void refused_goes_elsewhere(void)
{
    struct lab lab;

    lab_init(&lab);
    lab.interval = "60s";
    lab_backends(&lab, 3);
    lab_start(&lab);
    lab_kill(&lab, 0);
    for (int i = 0; i < 12; i++)
        lab_who(&lab, "/");
    lab_end(&lab);
}

static void unanswered_get_goes_elsewhere(const char *misbehaviour)
{
    struct lab lab;

    bad_and_good(&lab, misbehaviour);
    for (int i = 0; i < 4; i++)
        insist(strcmp(lab_who(&lab, "/"), "two") == 0,
               "backend one does \"%s\"; expected two to answer", misbehaviour);
    lab_end(&lab);
}

static void reset_get_is_repeated(void)
{
    unanswered_get_goes_elsewhere("reset");
}

static void closed_get_is_repeated(void)
{
    unanswered_get_goes_elsewhere("close-early");
}

static void failing_backend_is_left_alone(void)
{
    struct lab lab;

    bad_and_good(&lab, "close-early");
    for (int i = 0; i < 20; i++)
        lab_who(&lab, "/livez");
    insist(lab_count(&lab, 0, "/livez") <= 5,
           "backend one fails each request; 20 were sent; expected it to be "
           "tried once, or five times at most, then left alone; it was tried "
           "%ld times",
           lab_count(&lab, 0, "/livez"));
    lab_end(&lab);
}

/** What may not be repeated runs once for each request; a GET is repeated. */
static void runs_once(const struct request *request)
{
    struct lab lab;

    lab_init(&lab);
    lab.interval = "60s";
    lab_backend(&lab, "--misbehave", "close-early");
    lab_backend(&lab, "--misbehave", "close-early");
    lab_backends(&lab, 1);
    lab_flag(&lab, 99, "--retries", "2");
    lab_start(&lab);
    for (int i = 0; i < 2; i++) {
        struct request copy = *request;
        struct answer answer;

        copy.url = lab_url(&lab, "/echo");
        answer = fetch(&copy);
        insist(answer.status == 502 || answer.status == 200,
               "%s: expected 200 or 502; got %ld (%s)", request->method,
               answer.status, answer.error);
        answer_free(&answer);
    }
    insist(lab_count_all(&lab, "/echo") == 2,
           "2 times %s, over backends that take a request and do not answer; "
           "expected 2 executions; counted %ld. What may have run must not "
           "run again",
           request->method, lab_count_all(&lab, "/echo"));
    for (int i = 0; i < 3; i++)
        lab_who(&lab, "/");
    lab_end(&lab);
}

static void post_runs_once(void)
{
    runs_once(
        &(struct request){.method = "POST", .body = "buy", .body_length = 3});
}

static void unknown_method_runs_once(void)
{
    runs_once(&(struct request){.method = "ORDER"});
}

static void refused_post_goes_elsewhere(void)
{
    struct lab lab;

    lab_init(&lab);
    lab.interval = "60s";
    lab_backends(&lab, 2);
    lab_start(&lab);
    lab_kill(&lab, 0);
    for (int i = 0; i < 4; i++) {
        struct answer answer = fetch(&(struct request){
            .url = lab_url(&lab, "/echo"), .body = "buy", .body_length = 3});

        insist(answer.status == 200 && strcmp(answer.body, "buy") == 0,
               "a dead backend never saw the POST; expected the other to "
               "serve it; got %ld",
               answer.status);
        answer_free(&answer);
    }
    insist(lab_count(&lab, 1, "/echo") == 4, "4 POSTs; counted %ld",
           lab_count(&lab, 1, "/echo"));
    lab_end(&lab);
}

static void put_is_repeated_whole(void)
{
    struct lab lab;
    char *body = malloc(50001);

    for (size_t i = 0; i < 50000; i++)
        body[i] = (char)('a' + i % 23);
    body[50000] = '\0';
    bad_and_good(&lab, "reset");
    for (int i = 0; i < 3; i++) {
        struct answer answer =
            fetch(&(struct request){.method = "PUT",
                                    .url = lab_url(&lab, "/echo"),
                                    .body = body,
                                    .body_length = 50000});

        insist(answer.status == 200 && answer.length == 50000 &&
                   memcmp(answer.body, body, 50000) == 0,
               "PUT of 50,000 bytes; backend one resets; expected the same "
               "bytes back from two; got %ld and %zu bytes (%s)",
               answer.status, answer.length, answer.error);
        answer_free(&answer);
    }
    free(body);
    lab_end(&lab);
}

static void begun_response_is_not_repeated(void)
{
    struct lab lab;
    struct answer answer;

    lab_init(&lab);
    lab.interval = "60s";
    lab_backends(&lab, 3);
    lab_start(&lab);
    lab_kill(&lab, 0);
    for (int i = 0; i < 3; i++)
        lab_who(&lab, "/"); /* a failure before that is repeated */
    answer = lab_get(&lab, "/misbehave/cut-body");
    insist(answer.status == 200 && !answer.whole,
           "a response was cut short; expected to see that; got %ld, %s",
           answer.status, answer.whole ? "whole" : "incomplete");
    answer_free(&answer);
    insist(lab_count_all(&lab, "/misbehave/cut-body") == 1,
           "a part of a response had reached the client; expected no second "
           "try; counted %ld tries",
           lab_count_all(&lab, "/misbehave/cut-body"));
    lab_end(&lab);
}

static void three_tries_at_most(void)
{
    struct lab lab;
    struct answer answer;

    lab_init(&lab);
    lab.interval = "60s";
    for (int i = 0; i < 5; i++)
        lab_backend(&lab, "--misbehave", "close-early");
    lab_start(&lab);
    answer = lab_get(&lab, "/try");
    insist(answer.status == 502,
           "all backends close without an answer; expected 502; got %ld",
           answer.status);
    answer_free(&answer);
    insist(lab_count_all(&lab, "/try") >= 2 && lab_count_all(&lab, "/try") <= 3,
           "5 backends that fail; expected a second and a third try and no "
           "more; counted %ld",
           lab_count_all(&lab, "/try"));
    lab_end(&lab);
}

static void kill_in_traffic_loses_nothing(void)
{
    struct lab lab;
    size_t good = 0;

    lab_init(&lab);
    lab_backends(&lab, 3);
    lab_start(&lab);
    for (int round = 0; round < 20; round++) {
        struct fetches *fetches =
            fetches_begin(&(struct request){.url = lab_url(&lab, "/slow?ms=5"),
                                            .timeout_ms = 5000},
                          8);

        if (round == 8)
            lab_kill(&lab, 0);
        fetches_run(fetches, 5000);
        good += fetches_count(fetches, 200);
        fetches_end(&fetches);
    }
    insist(good == 160,
           "160 GETs, 8 at a time; a backend was killed in the middle; "
           "expected all to be answered; %zu were",
           good);
    lab_end(&lab);
}

static void every_try_is_logged(void)
{
    struct lab lab;
    bad_and_good(&lab, "reset");
    lab_who(&lab, "/livez");
    lab_who(&lab, "/livez");
    insist(tells_try(&lab, "/livez", 0) && tells_try(&lab, "/livez", 1),
           "a request was tried on backend one, then on two; expected both "
           "tries in the log");
    lab_end(&lab);
}

static void blamed_comes_back(void)
{
    struct lab lab;
    char words[64];

    lab_init(&lab);
    lab.interval = "300ms";
    lab_backends(&lab, 2);
    lab_flag(&lab, 99, "--failures-max", "1");
    lab_start(&lab);
    for (int i = 0; i < 2; i++) {
        struct answer answer = lab_get(&lab, "/misbehave/reset");

        answer_free(&answer);
    }
    snprintf(words, sizeof(words), "http://127.0.0.1:%u [down]",
             lab.backends[0].port);
    insist(lab_logs(&lab, words, 100),
           "a backend reset a connection; expected \"%s\" in the log", words);
    insist(holds_within(4000, strcmp(lab_try(&lab, "/").backend, "one") == 0),
           "the backend is fine but for one request; expected probes to bring "
           "it back");
    lab_end(&lab);
}

static const struct behaviour list[] = {
    {"refused-elsewhere", 4, 2, "Nobody notices a backend that refuses.",
     refused_goes_elsewhere},
    {"reset-repeated", 4, 2, "A GET that a backend resets goes to another.",
     reset_get_is_repeated},
    {"closed-repeated", 4, 1, "So does one that gets no answer.",
     closed_get_is_repeated},
    {"left-alone", 4, 2, "A backend that failed a request is down at once.",
     failing_backend_is_left_alone},
    {"post-once", 4, 3, "A POST is never run twice, though a GET is repeated.",
     post_runs_once},
    {"unknown-once", 4, 1, "Nor is a method that we do not know.",
     unknown_method_runs_once},
    {"post-refused", 4, 1, "A POST that nobody saw goes to another backend.",
     refused_post_goes_elsewhere},
    {"put-whole", 4, 2, "A PUT is repeated with its whole body.",
     put_is_repeated_whole},
    {"no-second-half", 4, 2,
     "What the client has begun to get is not repeated.",
     begun_response_is_not_repeated},
    {"three-tries", 4, 1, "A request is tried three times at most.",
     three_tries_at_most},
    {"kill-in-traffic", 4, 3, "A kill in the middle of traffic loses no GET.",
     kill_in_traffic_loses_nothing},
    {"tries-logged", 4, 1, "The log names every backend that was tried.",
     every_try_is_logged},
    {"blamed-back", 4, 1, "A backend that was blamed comes back by probes.",
     blamed_comes_back},
};

const struct behaviours retrying = {list, sizeof(list) / sizeof(list[0])};

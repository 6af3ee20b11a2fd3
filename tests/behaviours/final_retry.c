/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The full balancer: what becomes of a try that failed, and what is said about
 * it. Where it matters what a backend does to the byte, the test plays it.
 */
#include "behaviours.h"
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char plain_get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
static const char played_answer[] =
    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nplayed";

/**
 * A backend that the test plays, then so many that behave, and nobody who
 * probes them. With one worker, the first request goes to the first backend.
 */
static void lab_played(struct lab *lab, size_t good)
{
    lab_init(lab);
    lab_play(lab);
    lab_backends(lab, good);
    lab_flag(lab, 0, "--workers", "1");
}

/** Send a request, and wait until it is with the backend that is played. */
static void begin(const struct lab *lab, const char *request,
                  struct rude *client, struct rude *backend)
{
    lab_rude(lab, client);
    rude_say(client, request);
    lab_accept(lab, 0, backend);
    insist(rude_hear(backend, "\r\n\r\n", 2000),
           "expected a request; got \"%s\"", backend->text);
}

/** What the client has to get in the end. */
static void ends_with(struct rude *client, const char *words)
{
    insist(rude_hear(client, words, 3000), "expected \"%s\"; got \"%s\"", words,
           client->text);
}

/* --- no connection --------------------------------------------------------- */

static void connect_tries_are_counted(void)
{
    struct lab lab;
    struct answer answer;

    lab_init(&lab);
    lab_backends(&lab, 4);
    lab_flag(&lab, 0, "--no-health", NULL);
    lab_flag(&lab, 0, "--failures-max", "0");
    lab_flag(&lab, 0, "--connect-tries", "4");
    lab_start(&lab);
    for (size_t i = 0; i < 3; i++)
        lab_kill(&lab, i);
    for (int i = 0; i < 4; i++) {
        answer = fetch(&(struct request){
            .url = lab_url(&lab, "/echo"), .body = "buy", .body_length = 3});
        insist(answer.status == 200,
               "3 of 4 backends refuse, with --connect-tries 4; expected the "
               "fourth to get the POST; got %ld",
               answer.status);
        answer_free(&answer);
    }
    insist(lab_count(&lab, 3, "/echo") == 4, "expected 4 executions; got %ld",
           lab_count(&lab, 3, "/echo"));
    lab_end(&lab);
}

static void connect_tries_have_an_end(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 4);
    lab_flag(&lab, 0, "--no-health", NULL);
    lab_flag(&lab, 0, "--connect-tries", "2");
    lab_start(&lab);
    for (size_t i = 0; i < 4; i++)
        lab_kill(&lab, i);
    insist(lab_try(&lab, "/").status == 502, "all refuse; expected 502");
    insist(lab_prints(&lab, " total=", 3000), "nothing is noted");
    insist(lab_noted(&lab, "=unconnected/") == 2,
           "with --connect-tries 2, expected two tries; noted were %zu",
           lab_noted(&lab, "=unconnected/"));
    lab_end(&lab);
}

/* --- no answer ------------------------------------------------------------- */

static void one_more_try_for_a_get(void)
{
    struct lab lab;

    lab_init(&lab);
    for (int i = 0; i < 4; i++)
        lab_backend(&lab, "--misbehave", "reset");
    lab_flag(&lab, 0, "--no-health", NULL);
    lab_flag(&lab, 0, "--access-log", "stdout");
    lab_start(&lab);
    insist(lab_try(&lab, "/livez").status == 502, "expected 502");
    insist(lab_count_all(&lab, "/livez") == 2,
           "every backend resets; expected two tries; counted %ld",
           lab_count_all(&lab, "/livez"));
    insist(lab_logs(&lab,
                    "connection reset by peer, while waiting for the "
                    "response",
                    3000),
           "expected the log to tell what happened, and at which step; it "
           "says %s",
           process_text(lab.lb.err));
    lab_end(&lab);
}

static void post_is_502_and_ran_once(void)
{
    struct lab lab;
    struct rude client, backend;

    lab_played(&lab, 1);
    lab_start(&lab);
    begin(&lab,
          "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nbuy",
          &client, &backend);
    rude_close(&backend);
    ends_with(&client, "502 Bad Gateway: no backend has answered\n");
    insist(lab_count(&lab, 1, NULL) == 0,
           "a backend took a POST and died; expected no other to get it");
    rude_close(&client); /* then it is over, and is logged */
    insist(lab_prints(&lab, "=unanswered/", 3000),
           "expected the access log to say that the try went unanswered; it "
           "says %s",
           process_text(lab.lb.out));
    lab_end(&lab);
}

static void second_try_has_its_number(void)
{
    struct lab lab;
    struct rude client, backend;

    lab_played(&lab, 1);
    lab_start(&lab);
    begin(&lab,
          "GET /headers HTTP/1.1\r\nHost: a\r\nX-Steelyard-Attempt: 9\r\n"
          "\r\n",
          &client, &backend);
    insist(strstr(backend.text, "X-Steelyard-Attempt") == NULL,
           "a first try; expected no X-Steelyard-Attempt, though the client "
           "sent one; got %s",
           backend.text);
    rude_reset(&backend);
    ends_with(&client, "X-Steelyard-Attempt: 2\r\n");
    rude_close(&client);
    lab_end(&lab);
}

static void slow_is_not_dead(void)
{
    struct lab lab;
    struct rude client, backend;

    lab_played(&lab, 1);
    lab_flag(&lab, 0, "--response-timeout", "200ms");
    lab_start(&lab);
    begin(&lab, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", &client, &backend);
    ends_with(&client,
              "504 Gateway Timeout: the backend did not answer in time\n");
    insist(lab_count(&lab, 1, NULL) == 0,
           "a backend is slow; expected no second try elsewhere");
    insist(lab_logs(&lab, "while waiting for the response", 3000) &&
               lab_logs(&lab, "limit 200ms, setting response-timeout", 3000),
           "expected the log to name the step, the limit and the setting "
           "response-timeout; it says %s",
           process_text(lab.lb.err));
    rude_close(&backend);
    rude_close(&client);
    lab_end(&lab);
}

/* --- a body ---------------------------------------------------------------- */

/** PUT so many bytes to a backend that reads them all and dies. */
static void put_dies(struct lab *lab, struct rude *client, size_t length)
{
    char head[128];
    char *body = malloc(length);
    struct rude backend;

    memset(body, 'x', length);
    lab_played(lab, 1);
    lab_start(lab);
    snprintf(head, sizeof(head),
             "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n",
             length);
    begin(lab, head, client, &backend);
    rude_send(client, body, length);
    free(body);
    insist(holds_within(
               3000, (rude_take(&backend, 65536, 50), backend.length > length)),
           "expected the backend to get the whole body; it got %zu bytes",
           backend.length);
    rude_close(&backend);
}

static void held_body_is_sent_again(void)
{
    struct lab lab;
    struct rude client;

    put_dies(&lab, &client, 40000);
    ends_with(&client, "HTTP/1.1 200 OK\r\n");
    insist(holds_within(3000, lab_stat(&lab, 1, "bodies") == 1) &&
               lab_count(&lab, 1, "/echo") == 1,
           "a PUT of 40,000 bytes was sent again; expected it to be whole");
    rude_close(&client);
    lab_end(&lab);
}

static void large_body_is_not_held(void)
{
    struct lab lab;
    struct rude client;

    put_dies(&lab, &client, 400000);
    ends_with(&client, "HTTP/1.1 502 Bad Gateway\r\n");
    insist(lab_count(&lab, 1, NULL) == 0,
           "a PUT of 400,000 bytes cannot be held; expected no second try");
    rude_close(&client);
    lab_end(&lab);
}

/* --- a connection that had rested ------------------------------------------ */

/** Send a GET over a connection that rests afterwards. */
static void make_one_rest(const struct lab *lab, struct rude *client,
                          struct rude *backend)
{
    begin(lab, "GET /one HTTP/1.1\r\nHost: a\r\n\r\n", client, backend);
    rude_say(backend, played_answer);
    ends_with(client, "played");
    rude_forget(client);
    rude_forget(backend);
}

/** Send this on the same client connection; it has to come over the resting
 * one, which is then closed without an answer. */
static void say_on_stale(struct rude *client, struct rude *backend,
                         const char *request)
{
    rude_say(client, request);
    insist(rude_hear(backend, "\r\n\r\n", 2000),
           "expected the request on the connection that rests");
    rude_close(backend);
}

static void stale_is_replayed_fresh(void)
{
    struct lab lab;
    struct rude clients[2], backends[2], fresh;

    lab_played(&lab, 0);
    lab_start(&lab);
    /* Two connections rest. When the one has died, who trusts the other? */
    begin(&lab, plain_get, &clients[0], &backends[0]);
    begin(&lab, plain_get, &clients[1], &backends[1]);
    for (int i = 0; i < 2; i++) {
        rude_say(&backends[i], played_answer);
        ends_with(&clients[i], "played");
        rude_forget(&backends[i]);
    }
    rude_forget(&clients[0]);
    say_on_stale(&clients[0], &backends[1],
                 "GET /two HTTP/1.1\r\nHost: a\r\n\r\n");
    lab_accept(&lab, 0, &fresh);
    insist(rude_hear(&fresh, "GET /two ", 2000) && backends[0].length == 0,
           "expected the request again, on a fresh connection");
    rude_say(&fresh, played_answer);
    ends_with(&clients[0], "played");
    insist(lab_prints(&lab, "=stale/", 3000), "expected =stale/ to be noted");
    for (int i = 0; i < 2; i++)
        rude_close(&clients[i]);
    rude_close(&backends[0]);
    rude_close(&fresh);
    lab_end(&lab);
}

static void stale_blames_nobody(void)
{
    struct lab lab;
    struct rude client, backend;

    lab_played(&lab, 1); /* the last one would not be ejected anyway */
    lab_flag(&lab, 0, "--failures-max", "1");
    lab_start(&lab);
    make_one_rest(&lab, &client, &backend);
    rude_say(&client, plain_get); /* the turn of the other */
    ends_with(&client, "hello from two");
    rude_forget(&client);
    say_on_stale(&client, &backend, plain_get);
    ends_with(&client, "hello from two");
    insist(lab_prints(&lab, "=stale/", 3000), "expected =stale/ to be noted");
    insist(lab_logged(&lab, "[down]") == 0,
           "a connection that had rested ended; expected no blame for it");
    rude_close(&client);
    lab_end(&lab);
}

static void stale_is_replayed_once(void)
{
    struct lab lab;
    struct rude client, backend, other;

    lab_played(&lab, 0);
    lab_start(&lab);
    make_one_rest(&lab, &client, &backend);
    say_on_stale(&client, &backend, "GET /two HTTP/1.1\r\nHost: a\r\n\r\n");
    lab_accept(&lab, 0, &other);
    insist(rude_hear(&other, "\r\n\r\n", 2000), "no request came");
    rude_close(&other);
    ends_with(&client, "HTTP/1.1 502 Bad Gateway\r\n");
    insist(!lab_is_called(&lab, 0, 100), "expected no third try");
    rude_close(&client);
    lab_end(&lab);
}

static void stale_post_is_not_replayed(void)
{
    struct lab lab;
    struct rude client, backend;

    lab_played(&lab, 1);
    lab_start(&lab);
    make_one_rest(&lab, &client, &backend);
    rude_say(&client, plain_get); /* the turn of the other */
    ends_with(&client, "hello from two");
    rude_forget(&client);
    say_on_stale(&client, &backend,
                 "POST /buy HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    ends_with(&client, "HTTP/1.1 502 Bad Gateway\r\n");
    insist(!lab_is_called(&lab, 0, 100) && lab_count(&lab, 1, "/buy") == 0,
           "a POST went out and was not answered; expected no second try");
    rude_close(&client);
    lab_end(&lab);
}

static void post_avoids_old_connections(void)
{
    struct lab lab;
    struct rude client, backend, fresh;

    lab_played(&lab, 0);
    lab_start(&lab);
    make_one_rest(&lab, &client, &backend);
    /* Nothing happens on it for a while: so it becomes old. */
    rude_hear(&backend, "anything", 1200);
    insist(!backend.ended, "a connection that rests was closed after 1.2 s");
    rude_say(&client,
             "POST /buy HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    lab_accept(&lab, 0, &fresh);
    insist(rude_hear(&fresh, "POST /buy ", 2000) && backend.length == 0,
           "a POST; expected a fresh connection, not one that has rested for "
           "over a second");
    rude_say(&fresh, played_answer);
    ends_with(&client, "played");
    rude_close(&fresh);
    rude_close(&backend);
    rude_close(&client);
    lab_end(&lab);
}

/* --- the budget ------------------------------------------------------------ */

enum { CROWD_MAX = 20 };

/**
 * Send requests over a played backend and one that behaves, half to each. Then
 * all those of the first fail at the same moment.
 *
 * @return how many of them were repeated
 */
static long fail_together(struct lab *lab, size_t count)
{
    struct rude backends[CROWD_MAX];
    struct fetches *slow;
    long repeated;

    lab_start(lab);
    slow = fetches_begin(&(struct request){.url = lab_url(lab, "/slow?ms=1500"),
                                           .timeout_ms = 8000},
                         count);
    for (size_t i = 0; i < count / 2; i++) {
        insist(holds_within(3000,
                            (fetches_run(slow, 1), lab_is_called(lab, 0, 0))),
               "expected %zu requests at backend one; got %zu", count / 2, i);
        lab_accept(lab, 0, &backends[i]);
        rude_hear(&backends[i], "\r\n\r\n", 2000);
    }
    for (size_t i = 0; i < count / 2; i++)
        rude_close(&backends[i]);
    fetches_run(slow, 8000);
    repeated = lab_count(lab, 1, "/slow") - (long)(count / 2);
    insist((long)fetches_count(slow, 200) == (long)(count / 2) + repeated &&
               (long)fetches_count(slow, 502) == (long)(count / 2) - repeated,
           "%zu requests, half of them failed, %ld were repeated; expected "
           "200 for those that were served, 502 for the others; got %zu and "
           "%zu",
           count, repeated, fetches_count(slow, 200), fetches_count(slow, 502));
    fetches_end(&slow);
    return repeated;
}

static void budget_has_a_floor(void)
{
    struct lab lab;
    long repeated;

    lab_played(&lab, 1);
    lab_flag(&lab, 0, "--failures-max", "0");
    repeated = fail_together(&lab, 8);
    insist(repeated == 3,
           "4 of 8 requests failed at the same time; expected 3 retries, the "
           "floor of the budget; counted %ld",
           repeated);
    insist(lab_logs(&lab, "setting retry-budget", 3000),
           "expected the log to name the setting retry-budget; it says %s",
           process_text(lab.lb.err));
    lab_end(&lab);
}

static void budget_is_a_part(void)
{
    struct lab lab;
    long repeated;

    lab_played(&lab, 1);
    lab_flag(&lab, 0, "--failures-max", "0");
    repeated = fail_together(&lab, 40);
    insist(repeated >= 4 && repeated <= 8,
           "20 of 40 requests failed at the same time; expected at most 8 "
           "retries, a fifth; counted %ld",
           repeated);
    lab_end(&lab);
}

static void budget_may_be_nothing(void)
{
    struct lab lab;

    lab_played(&lab, 1);
    lab_flag(&lab, 0, "--retry-budget", "0%");
    lab_flag(&lab, 0, "--retry-budget-min", "1");
    lab_flag(&lab, 0, "--failures-max", "0");
    insist(fail_together(&lab, 8) == 1, "a budget of one; expected one retry");
    lab_end(&lab);
}

static void budget_is_not_for_the_dead(void)
{
    struct lab lab;
    long repeated;

    lab_played(&lab, 1);
    repeated = fail_together(&lab, 40);
    insist(repeated == 20,
           "a backend that is down took 20 of 40 requests with it, and another "
           "one serves; expected all of them to be repeated; counted %ld",
           repeated);
    lab_end(&lab);
}

/* --- what is said ---------------------------------------------------------- */

static void failures_tell_all(void)
{
    struct lab lab;
    char words[128];
    struct answer answer;

    lab_init(&lab);
    lab_backend(&lab, "--misbehave", "big-head=100");
    lab_flag(&lab, 0, "--no-health", NULL);
    lab_flag(&lab, 0, "--workers", "1");
    lab_start(&lab);
    answer = lab_get(&lab, "/");
    insist(answer.status == 502 && answer.body != NULL &&
               strncmp(answer.body, "502 Bad Gateway: ", 17) == 0,
           "a head of 100 KiB; expected 502 and a sentence; got %ld",
           answer.status);
    answer_free(&answer);
    snprintf(words, sizeof(words), "backend http://127.0.0.1:%u, try 1",
             lab.backends[0].port);
    insist(lab_logs(&lab, words, 3000) &&
               lab_logs(&lab, "while waiting for the response", 3000) &&
               lab_logs(&lab, "limit 64k, setting response-head-bytes", 3000),
           "expected the log to name the backend, the step, the limit and the "
           "setting response-head-bytes; it says %s",
           process_text(lab.lb.err));
    lab_end(&lab);
}

static void repeats_are_summed_up(void)
{
    struct lab lab;
    int64_t began = now_ms(), seconds;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 0, "--no-health", NULL);
    lab_flag(&lab, 0, "--failures-max", "0");
    lab_start(&lab);
    lab_kill(&lab, 0);
    for (int i = 0; i < 100; i++)
        insist(lab_try(&lab, "/").status == 502, "expected 502");
    seconds = (now_ms() - began) / 1000;
    insist((int64_t)lab_logged(&lab, "connection refused") <= seconds + 2,
           "100 requests were refused within %lld s; expected the log to tell "
           "that once a second; it does so %zu times",
           (long long)seconds + 1, lab_logged(&lab, "connection refused"));
    insist(holds_within(4000,
                        (lab_try(&lab, "/"),
                         process_said(lab.lb.err, "more tries failed while "))),
           "expected the log to say how many more there were; it says %s",
           process_text(lab.lb.err));
    lab_end(&lab);
}

/* --- a response that goes wrong --------------------------------------------- */

static void bad_chunk_at_once_is_502(void)
{
    static const char chunks[] = "HTTP/1.1 200 OK\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n";
    struct lab lab;
    struct rude client, backend;

    lab_played(&lab, 0);
    lab_start(&lab);
    begin(&lab, plain_get, &client, &backend);
    rude_say(&backend, "HTTP/1.1 200 OK\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n"
                       "3\r\nabc\r\nno size\r\n");
    ends_with(&client, "HTTP/1.1 502 ");
    rude_close(&backend);
    lab_ask(&client, plain_get, "");
    lab_accept(&lab, 0, &backend);
    rude_say(&backend, chunks);
    ends_with(&client, "HTTP/1.1 200 OK\r\n");
    rude_say(&backend, "no size\r\n");
    lab_hear_end(&client);
    lab_lacks(&client, "502");
    rude_close(&client);
    rude_close(&backend);
    lab_end(&lab);
}

static const struct behaviour list[] = {
    {"connect-tries", 99, 2, "Nobody who refuses stops a POST.",
     connect_tries_are_counted},
    {"connect-end", 99, 1, "But only so many are asked to connect.",
     connect_tries_have_an_end},
    {"get-twice", 99, 2, "A GET without an answer is tried once more.",
     one_more_try_for_a_get},
    {"post-502", 99, 3, "A POST without an answer is 502, and ran once.",
     post_is_502_and_ran_once},
    {"attempt", 99, 1, "A second try says that it is the second.",
     second_try_has_its_number},
    {"slow-504", 99, 3, "A slow backend is 504, and nobody else is asked.",
     slow_is_not_dead},
    {"body-held", 99, 2, "A body that fits is held, and sent again.",
     held_body_is_sent_again},
    {"body-too-large", 99, 1, "A body that does not fit is not.",
     large_body_is_not_held},
    {"stale", 99, 3, "A GET on a connection that had died is sent afresh.",
     stale_is_replayed_fresh},
    {"stale-blame", 99, 1, "Nobody is blamed for that.", stale_blames_nobody},
    {"stale-once", 99, 1, "That happens once.", stale_is_replayed_once},
    {"stale-post", 99, 3, "It happens to no POST.", stale_post_is_not_replayed},
    {"post-fresh", 99, 2, "No POST goes out on a connection that is old.",
     post_avoids_old_connections},
    {"budget-floor", 99, 2, "Three retries are always allowed.",
     budget_has_a_floor},
    {"budget", 99, 2, "Retries are no more than a fifth of the requests.",
     budget_is_a_part},
    {"budget-dead", 99, 2,
     "A backend that dies costs no GET, however many it had.",
     budget_is_not_for_the_dead},
    {"budget-set", 99, 1, "Or than what is set.", budget_may_be_nothing},
    {"bad-at-once", 99, 2,
     "A response that is bad at once is 502; later, it ends.",
     bad_chunk_at_once_is_502},
    {"promise-six", 99, 2, "A failure is told with the limit and the setting.",
     failures_tell_all},
    {"log-repeats", 99, 1, "The same failure again and again is summed up.",
     repeats_are_summed_up},
};

const struct behaviours final_retry = {list, sizeof(list) / sizeof(list[0])};

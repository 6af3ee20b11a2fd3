/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The full balancer: connections to backends that rest between two requests.
 */
#include "behaviours.h"
#include "lab.h"

#include <stdio.h>
#include <string.h>

static const char one[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none";
static const char two[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo";
static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/** A backend that the test plays, and nobody who probes it. */
static void lab_played(struct lab *lab)
{
    lab_init(lab);
    lab_play(lab);
    lab_flag(lab, 0, "--workers", "1");
    lab_start(lab);
}

/** One that behaves, and is probed no more after the start. */
static void lab_rested(struct lab *lab, const char *flag, const char *value)
{
    lab_init(lab);
    lab->interval = "60s";
    lab_backends(lab, 1);
    lab_flag(lab, 0, "--workers", "1");
    lab_flag(lab, 0, flag, value);
    lab_start(lab);
}

/** The backend gets a request and says this; the client gets it. */
static void exchange(struct rude *client, struct rude *backend,
                     const char *response, const char *words)
{
    insist(rude_hear(backend, "\r\n\r\n", 2000), "no request came");
    rude_forget(backend);
    rude_say(backend, response);
    insist(rude_hear(client, words, 2000), "expected \"%s\"; got \"%s\"", words,
           client->text);
    rude_forget(client);
}

/** A client, its request and its answer: then a connection rests, maybe. */
static void begin(const struct lab *lab, struct rude *client,
                  struct rude *backend, const char *response)
{
    lab_rude(lab, client);
    rude_say(client, get);
    lab_accept(lab, 0, backend);
    exchange(client, backend, response, "one");
}

static void one_connection_serves_many(void)
{
    struct lab lab;
    long before;

    lab_rested(&lab, "--upstream-idle", "4s");
    before = lab_stat(&lab, 0, "connections");
    for (int i = 0; i < 20; i++)
        lab_who(&lab, "/");
    insist(lab_stat(&lab, 0, "connections") == before + 2,
           "20 requests, one after another; expected one connection to the "
           "backend, and ours that asks; counted %ld",
           lab_stat(&lab, 0, "connections") - before);
    lab_end(&lab);
}

static void rest_has_an_end(void)
{
    struct lab lab;

    lab_rested(&lab, "--upstream-idle", "300ms");
    lab_who(&lab, "/");
    insist(lab_stat(&lab, 0, "open") == 2,
           "expected the connection to rest; open are %ld, ours among them",
           lab_stat(&lab, 0, "open"));
    insist(holds_within(2500, lab_stat(&lab, 0, "open") == 1),
           "with --upstream-idle 300ms, expected it to be closed soon");
    lab_end(&lab);
}

static void age_has_an_end(void)
{
    struct lab lab;
    long before;
    int64_t began = now_ms();

    lab_rested(&lab, "--upstream-age", "1s");
    lab_who(&lab, "/");
    before = lab_stat(&lab, 0, "connections");
    /* Each time we look, our own connection is one more. */
    insist(holds_within(4000, (lab_who(&lab, "/"),
                               lab_stat(&lab, 0, "connections") > ++before)),
           "with --upstream-age 1s and requests all the time, expected a new "
           "connection after about a second");
    insist(now_ms() - began > 800, "it came after %lld ms",
           (long long)(now_ms() - began));
    lab_end(&lab);
}

static void few_may_rest(void)
{
    struct lab lab;
    struct fetches *slow;

    lab_rested(&lab, "--idle-max", "2");
    slow = fetches_begin(
        &(struct request){.url = lab_url(&lab, "/slow?ms=300")}, 6);
    insist(holds_within(3000,
                        (fetches_run(slow, 1), lab_stat(&lab, 0, "open") == 7)),
           "6 requests at once; expected 6 connections");
    fetches_run(slow, 3000);
    insist(holds_within(1000, lab_stat(&lab, 0, "open") == 3),
           "with --idle-max 2, expected 2 connections to rest; open are %ld, "
           "ours among them",
           lab_stat(&lab, 0, "open"));
    fetches_end(&slow);
    lab_end(&lab);
}

static void backend_may_hint(void)
{
    struct lab lab;
    struct rude client, backend;

    lab_played(&lab);
    begin(&lab, &client, &backend,
          "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=2, max=9\r\n"
          "Content-Length: 3\r\n\r\none");
    /* So long, however patient we are. */
    for (int64_t end = now_ms() + 600; now_ms() < end && !backend.ended;
         pause_briefly())
        rude_take(&backend, 4096, 0);
    insist(!backend.ended,
           "the backend keeps connections for 2 s; expected it to be used for "
           "one of them; it was closed at once");
    insist(rude_hear_end(&backend, 1200),
           "the backend closes connections after 2 s; expected us to be "
           "quicker, by a second");
    rude_close(&backend);
    rude_close(&client);
    lab_end(&lab);
}

/** After this response, the next request has to come by another connection. */
static void is_not_used_again(const char *response, const char *words)
{
    struct lab lab;
    struct rude client, backend, fresh;

    lab_played(&lab);
    begin(&lab, &client, &backend, response);
    insist(rude_hear_end(&backend, 2000), "%s; expected it to be closed",
           words);
    rude_say(&client, get);
    lab_accept(&lab, 0, &fresh);
    exchange(&client, &fresh, two, "two");
    rude_close(&fresh);
    rude_close(&backend);
    rude_close(&client);
    lab_end(&lab);
}

static void close_is_honoured(void)
{
    is_not_used_again("HTTP/1.1 200 OK\r\nConnection: close\r\n"
                      "Content-Length: 3\r\n\r\none",
                      "the backend said that it closes the connection");
}

static void old_backend_does_not_rest(void)
{
    is_not_used_again("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\none",
                      "a backend of HTTP/1.0 promised nothing");
}

static void leftovers_poison_nobody(void)
{
    is_not_used_again("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"
                      "oneHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
                      "more came than the response");
}

static void unasked_bytes_end_it(void)
{
    struct lab lab;
    struct rude client, backend, fresh;

    lab_played(&lab);
    begin(&lab, &client, &backend, one);
    rude_say(&backend, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    insist(rude_hear_end(&backend, 2000),
           "a connection at rest said something that nobody had asked; "
           "expected it to be closed");
    rude_say(&client, get);
    lab_accept(&lab, 0, &fresh);
    exchange(&client, &fresh, two, "two");
    rude_close(&fresh);
    rude_close(&backend);
    rude_close(&client);
    lab_end(&lab);
}

static void dead_at_rest_is_noticed(void)
{
    struct lab lab;
    struct rude client, backend, fresh;

    lab_played(&lab);
    begin(&lab, &client, &backend, one);
    rude_shut(&backend);
    insist(rude_hear_end(&backend, 2000),
           "a backend closed a connection at rest; expected us to do the same");
    rude_say(&client,
             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    lab_accept(&lab, 0, &fresh);
    exchange(&client, &fresh, two, "two");
    insist(lab_noted(&lab, "=stale/") == 0,
           "expected nobody to use what is known to be dead");
    rude_close(&fresh);
    rude_close(&backend);
    rude_close(&client);
    lab_end(&lab);
}

static void the_last_to_rest_is_first(void)
{
    struct lab lab;
    struct rude clients[2], backends[2];

    lab_played(&lab);
    for (int i = 0; i < 2; i++) {
        lab_rude(&lab, &clients[i]);
        rude_say(&clients[i], get);
        lab_accept(&lab, 0, &backends[i]);
    }
    exchange(&clients[1], &backends[1], one, "one");
    exchange(&clients[0], &backends[0], one, "one");
    for (int i = 0; i < 3; i++) {
        rude_say(&clients[1], get);
        exchange(&clients[1], &backends[0], two, "two");
    }
    insist(backends[1].length == 0,
           "two connections rest; expected the one that rested last to be "
           "used, so that the other may go");
    for (int i = 0; i < 2; i++) {
        rude_close(&clients[i]);
        rude_close(&backends[i]);
    }
    lab_end(&lab);
}

static const struct behaviour list[] = {
    {"reuse", 99, 2, "One connection to a backend serves many requests.",
     one_connection_serves_many},
    {"upstream-idle", 99, 2, "It does not rest for long.", rest_has_an_end},
    {"upstream-age", 99, 1, "Nor does it live for ever.", age_has_an_end},
    {"idle-max", 99, 1, "Only so many rest.", few_may_rest},
    {"idle-hint", 99, 2, "A backend may say how long it keeps one.",
     backend_may_hint},
    {"idle-close", 99, 1, "Or that it does not.", close_is_honoured},
    {"idle-old", 99, 1, "HTTP/1.0 says so by keeping silent.",
     old_backend_does_not_rest},
    {"leftovers", 99, 2, "What follows a response is no other response.",
     leftovers_poison_nobody},
    {"unasked", 99, 2, "A connection at rest that speaks is closed.",
     unasked_bytes_end_it},
    {"dead-at-rest", 99, 2, "One that dies at rest is never used.",
     dead_at_rest_is_noticed},
    {"newest-first", 99, 1, "The one that rested last is used first.",
     the_last_to_rest_is_first},
};

const struct behaviours final_idle = {list, sizeof(list) / sizeof(list[0])};

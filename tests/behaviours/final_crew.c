/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The full balancer: several workers that share the backends, and what happens
 * at the limits of clients and descriptors.
 */
#include "behaviours.h"
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const char get[] =
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/** How much processor time it uses in half a second in which nothing happens:
 * nothing comes on that connection, that is. */
static long used_at_rest(const struct lab *lab, struct rude *rude)
{
    long before = process_cpu_ms(&lab->lb);

    rude_take(rude, 1, 500);
    return process_cpu_ms(&lab->lb) - before;
}

/** Traffic of all kinds: served, cut, broken off, timed out. */
static void trouble(const struct lab *lab)
{
    struct fetches *fetches;
    struct rude rude;

    for (int round = 0; round < 4; round++) {
        fetches = fetches_begin(
            &(struct request){.url = lab_url(lab, "/slow?ms=5")}, 16);
        lab_rude(lab, &rude);
        rude_say(&rude, "GET /slow?ms=50 HTTP/1.1\r\nHost: a\r\n\r\n");
        lab_try(lab, "/misbehave/reset");
        lab_try(lab, "/misbehave/cut-body");
        rude_reset(&rude);
        insist(fetches_run(fetches, 10000) && fetches_count(fetches, 200) == 16,
               "16 requests at once over places that come free: expected 200 "
               "for all; got %zu",
               fetches_count(fetches, 200));
        fetches_end(&fetches);
    }
}

static void counts_are_exact(void)
{
    struct lab lab;
    int64_t began;
    long share;

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_flag(&lab, 0, "--workers", "2");
    lab_flag(&lab, 0, "--in-flight-max", "1");
    lab_flag(&lab, 0, "--failures-max", "0");
    lab_start(&lab);
    trouble(&lab);
    /* Were a count one too high, a backend would be full for ever. A request
     * that comes before the last one was given back goes to the other one. */
    began = now_ms();
    for (int i = 0; i < 20; i++)
        lab_who(&lab, "/livez");
    share = lab_count(&lab, 0, "/livez");
    insist(share >= 5 && share <= 15 && now_ms() - began < 3000,
           "after all kinds of trouble; expected both backends to have room "
           "again; of 20 requests, one got %ld",
           share);
    lab_end(&lab);
}

static void workers_are_threads(void)
{
    struct lab one, three;

    lab_init(&one);
    lab_backends(&one, 1);
    lab_flag(&one, 0, "--workers", "1");
    lab_start(&one);
    lab_init(&three);
    lab_backends(&three, 1);
    lab_flag(&three, 0, "--workers", "3");
    lab_start(&three);
    insist(holds_within(3000, process_threads(&three.lb) ==
                                  process_threads(&one.lb) + 2),
           "3 workers, and 1; expected two threads more; got %ld and %ld",
           process_threads(&three.lb), process_threads(&one.lb));
    lab_end(&one);
    lab_end(&three);
}

static void one_client_too_many(void)
{
    struct lab lab;
    struct rude clients[3];
    long used;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 0, "--sessions-max", "3");
    lab_flag(&lab, 0, "--no-defer-accept", NULL);
    lab_start(&lab);
    for (int i = 0; i < 3; i++) {
        lab_rude(&lab, &clients[i]);
        rude_say(&clients[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        insist(rude_hear(&clients[i], "hello from one", 3000),
               "client %d: expected to be served; got %s", i, clients[i].text);
    }
    insist(holds_within(3000, strstr(lab_talk(&lab, get), " 503 ") != NULL),
           "three clients are connected, with --sessions-max 3; expected 503 "
           "for the fourth");
    insist(strstr(lab_talk(&lab, get), "\r\nRetry-After: ") != NULL,
           "expected Retry-After");
    used = used_at_rest(&lab, &clients[0]);
    insist(used < 100,
           "full, and nothing to do; expected the balancer to rest; in half a "
           "second it used %ld ms of processor time",
           used);
    rude_close(&clients[0]);
    insist(holds_within(3000, strstr(lab_talk(&lab, get), " 200 ") != NULL),
           "one of them left; expected the next to be served");
    rude_close(&clients[1]);
    rude_close(&clients[2]);
    lab_end(&lab);
}

static void clients_wait_for_descriptors(void)
{
    enum { CROWD = 60 };
    struct rude crowd[CROWD], last;
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 0, "--no-defer-accept", NULL);
    lab_start(&lab);
    lab_who(&lab, "/");
    insist(process_limit_files(&lab.lb, 40), "prlimit does not work here");
    for (size_t i = 0; i < CROWD; i++)
        lab_rude(&lab, &crowd[i]);
    insist(lab_logs(&lab, "out of descriptors", 3000),
           "60 clients came, and there are 40 descriptors; expected the log to "
           "say so");
    lab_rude(&lab, &last);
    rude_say(&last, get);
    insist(used_at_rest(&lab, &last) < 150 && last.length == 0,
           "out of descriptors; expected the next client to wait, and the "
           "balancer to rest");
    for (size_t i = 0; i < CROWD; i++)
        rude_close(&crowd[i]);
    insist(rude_hear(&last, "hello from one", 3000),
           "the others left; expected the one who waited to be served; got %s",
           last.text);
    rude_close(&last);
    lab_end(&lab);
}

static void ceiling_is_below_the_limit(void)
{
    enum { CROWD = 60 };
    static struct rude crowd[CROWD];
    struct rlimit before, few;
    struct lab lab;
    char *log;
    unsigned most = 0;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 0, "--workers", "1");
    lab_flag(&lab, 0, "--no-defer-accept", NULL);
    getrlimit(RLIMIT_NOFILE, &before);
    few = before;
    few.rlim_cur = few.rlim_max = 140;
    insist(setrlimit(RLIMIT_NOFILE, &few) == 0, "setrlimit fails");
    lab_start(&lab);
    insist(lab_logs(&lab, "clients at once", 3000), "the limit is not told");
    log = process_text(lab.lb.err);
    sscanf(strstr(log, "at most "), "at most %u clients", &most);
    free(log);
    insist(most > 10 && most < CROWD - 5,
           "140 descriptors, two for each client, some for the rest; expected "
           "the log to tell how many clients that makes; got %u",
           most);
    for (size_t i = 0; i < CROWD; i++)
        lab_rude(&lab, &crowd[i]);
    insist(rude_hear(&crowd[CROWD - 1], " 503 ", 3000),
           "%d clients, and room for %u; expected 503 for the last", CROWD,
           most);
    rude_say(&crowd[0], get);
    insist(rude_hear(&crowd[0], "hello from one", 3000),
           "expected the first to be served; got %s", crowd[0].text);
    insist(lab_logged(&lab, "out of descriptors") == 0,
           "expected descriptors to be left");
    for (size_t i = 0; i < CROWD; i++)
        rude_close(&crowd[i]);
    lab_end(&lab);
}

static void poller_has_a_name(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_flag(&lab, 0, "--poller", "poll");
    lab_start(&lab);
    for (int i = 0; i < 10; i++)
        lab_who(&lab, "/");
    lab_end(&lab);
    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 0, "--poller", "pol");
    lab_refuses(&lab, "poll");
}

static const struct behaviour list[] = {
    {"crew-counts", 99, 3, "Two workers count together, to the last one.",
     counts_are_exact},
    {"crew-threads", 99, 1, "There are as many workers as are set.",
     workers_are_threads},
    {"clients-max", 99, 2, "One client too many: 503, and no spinning.",
     one_client_too_many},
    {"descriptors-wait", 99, 2, "Out of descriptors, clients wait, then go on.",
     clients_wait_for_descriptors},
    {"ceiling", 99, 2, "Clients have a ceiling below the descriptors'.",
     ceiling_is_below_the_limit},
    {"poller", 99, 1, "How to wait can be chosen.", poller_has_a_name},
};

const struct behaviours final_crew = {list, sizeof(list) / sizeof(list[0])};

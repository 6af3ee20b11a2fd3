/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Chapters 05 to 08: many clients at once.
 */
#include "behaviours.h"
#include "lab.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/** Begin requests, and wait until all of them are with the backends. */
static struct fetches *begin_slow(const struct lab *lab, size_t count, int ms)
{
    char path[32];
    long before = lab_count_all(lab, "/slow");
    struct fetches *fetches;

    snprintf(path, sizeof(path), "/slow?ms=%d", ms);
    fetches = fetches_begin(
        &(struct request){.url = lab_url(lab, path), .timeout_ms = 10000},
        count);
    insist(holds_within(3000,
                        (fetches_run(fetches, 5),
                         lab_count_all(lab, "/slow") == before + (long)count)),
           "%zu slow requests were sent at once; expected all to reach the "
           "backends while the first is still being answered; %ld did",
           count, lab_count_all(lab, "/slow") - before);
    return fetches;
}

static void finish(struct fetches *fetches, size_t count)
{
    fetches_run(fetches, 10000);
    insist(fetches_count(fetches, 200) == count,
           "%zu slow requests; expected 200 for all; got %zu", count,
           fetches_count(fetches, 200));
    fetches_end(&fetches);
}

static void slow_stalls_nobody(void)
{
    struct lab lab;
    struct fetches *slow;
    struct answer answer;

    lab_usual(&lab, 1);
    slow = begin_slow(&lab, 1, 1500);
    answer = lab_get(&lab, "/");
    insist(answer.status == 200 && answer.seconds < 1,
           "while one request takes 1.5 s, another was sent; expected its "
           "answer at once; got %ld after %.1f s",
           answer.status, answer.seconds);
    answer_free(&answer);
    finish(slow, 1);
    lab_end(&lab);
}

static void silent_stalls_nobody(void)
{
    struct lab lab;
    struct rude silent[5];

    lab_usual(&lab, 1);
    for (size_t i = 0; i < 5; i++) {
        lab_rude(&lab, &silent[i]);
        rude_say(&silent[i], i % 2 == 0 ? "" : "GET / HT");
    }
    lab_who(&lab, "/");
    for (size_t i = 0; i < 5; i++)
        rude_close(&silent[i]);
    lab_end(&lab);
}

static void hundred_at_once(void)
{
    struct lab lab;
    int64_t begin;

    lab_usual(&lab, 3);
    begin = now_ms();
    finish(begin_slow(&lab, 100, 300), 100);
    insist(now_ms() - begin < patience(6000),
           "100 requests of 300 ms at once took %lld ms",
           (long long)(now_ms() - begin));
    lab_end(&lab);
}

static void limit_gives_503(void)
{
    struct lab lab;
    struct fetches *slow;
    struct answer answer;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 5, "--sessions-max", "2");
    lab_start(&lab);
    slow = begin_slow(&lab, 2, 1500);
    answer = lab_get(&lab, "/");
    insist(answer.status == 503,
           "with --sessions-max 2 and two requests under way, a third came; "
           "expected 503; got %ld (%s)",
           answer.status, answer.error);
    answer_free(&answer);
    finish(slow, 2);
    insist(holds_within(2000, lab_try(&lab, "/").status == 200),
           "the two are done; expected the next client to be served");
    lab_end(&lab);
}

static void stop_waits_for_all(void)
{
    struct lab lab;
    struct fetches *slow;
    int status = -1;

    lab_usual(&lab, 2);
    slow = begin_slow(&lab, 20, 800);
    kill(lab.lb.pid, SIGTERM);
    finish(slow, 20);
    insist(holds_within(3000, process_has_ended(&lab.lb, &status)) &&
               status == 0,
           "after the last of 20 answers, expected the end with status 0; "
           "got %d",
           status);
}

/** Three backends and the policy that counts. */
static void start_counting(struct lab *lab)
{
    lab_init(lab);
    lab_backends(lab, 3);
    lab_flag(lab, 6, "--policy", "least-connections");
    lab_start(lab);
}

/**
 * A GET, until the balancer closes the connection: then it has done with it,
 * and has given back what it had counted.
 */
static void get_to_the_end(const struct lab *lab, const char *path)
{
    struct rude rude;
    char request[128];

    lab_rude(lab, &rude);
    snprintf(request, sizeof(request),
             "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path);
    rude_say(&rude, request);
    insist(rude_hear_end(&rude, 3000) && rude_status(&rude) == 200,
           "GET %s: expected 200, then the end; got \"%.200s\"", path,
           rude.text);
    rude_close(&rude);
}

/** One slow request keeps one backend busy: the other two share the rest. */
static void insist_idle_share(struct lab *lab, const char *path)
{
    long before[3], now[3];
    struct fetches *slow;

    for (size_t i = 0; i < 3; i++)
        before[i] = lab_count(lab, i, "/slow");
    slow = begin_slow(lab, 1, 1500);
    for (int i = 0; i < 12; i++)
        get_to_the_end(lab, path);
    for (size_t i = 0; i < 3; i++) {
        bool busy = lab_count(lab, i, "/slow") > before[i];

        now[i] = lab_count(lab, i, path);
        insist(now[i] == (busy ? 0 : 6),
               "one of three backends is busy with a slow request; 12 more "
               "were sent one by one; expected 6 for each idle backend and "
               "none for the busy one; backend %s, which is %s, got %ld. Is a "
               "count given back on every path?",
               lab->backends[i].name, busy ? "busy" : "idle", now[i]);
    }
    finish(slow, 1);
}

static void least_busy_is_picked(void)
{
    struct lab lab;

    start_counting(&lab);
    insist_idle_share(&lab, "/livez");
    lab_end(&lab);
}

static void together_they_spread(void)
{
    struct lab lab;
    struct fetches *slow;

    start_counting(&lab);
    slow = begin_slow(&lab, 30, 700);
    for (size_t i = 0; i < 3; i++)
        insist(lab_count(&lab, i, "/slow") == 10,
               "30 requests at once over three backends; expected 10 each; "
               "backend %s got %ld",
               lab.backends[i].name, lab_count(&lab, i, "/slow"));
    finish(slow, 30);
    insist_idle_share(&lab, "/livez");
    lab_end(&lab);
}

/** One request of the kind that upsets counts. */
static void cause_trouble(const struct lab *lab, size_t kind)
{
    static const char *const ways[] = {
        "/misbehave/reset", "/misbehave/cut-body", "/misbehave/close-early",
        "/bytes/3000000",   "/status/500",         "/no/such/page"};
    struct rude rude;
    char request[128];

    lab_rude(lab, &rude);
    snprintf(request, sizeof(request),
             "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
             ways[kind % 6]);
    rude_say(&rude, request);
    if (kind % 5 == 0) {
        rude_reset(&rude);
    } else {
        rude_hear_end(&rude, 1000);
        rude_close(&rude);
    }
}

static void counts_come_back(void)
{
    struct lab lab;

    start_counting(&lab);
    for (size_t i = 0; i < 30; i++)
        cause_trouble(&lab, i);
    lab_kill(&lab, 1);
    for (size_t i = 0; i < 4; i++)
        cause_trouble(&lab, 4);
    lab_revive(&lab, 1);
    for (size_t i = 0; i < 3; i++)
        insist(holds_within(4000, strcmp(lab_try(&lab, "/").backend,
                                         lab.backends[i].name) == 0),
               "after some chaos, expected backend %s to serve again",
               lab.backends[i].name);
    insist_idle_share(&lab, "/healthz");
    lab_end(&lab);
}

static void policies_have_names(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 1, "--policy", "best");
    lab_refuses(&lab, "least-connections");
}

static void both_ways_at_once(void)
{
    size_t length = 128 << 20; /* more than all sockets can hold */
    char *body = malloc(length);
    struct lab lab;
    struct answer answer;

    for (size_t i = 0; i < length; i++)
        body[i] = (char)('a' + i % 26);
    lab_usual(&lab, 1);
    answer = fetch(&(struct request){.url = lab_url(&lab, "/echo"),
                                     .body = body,
                                     .body_length = length,
                                     .timeout_ms = 8000});
    insist(answer.whole && answer.length == length &&
               memcmp(answer.body, body, length) == 0,
           "POST of 128 MiB to /echo, which answers while the body is still "
           "coming; expected the same bytes back; got %zu bytes (%s)",
           answer.length, answer.error);
    answer_free(&answer);
    free(body);
    lab_end(&lab);
}

static void slow_reader_costs_no_memory(void)
{
    struct lab lab;
    struct rude rude;
    long before, after;

    lab_usual(&lab, 1);
    lab_who(&lab, "/");
    before = process_memory(&lab.lb);
    lab_rude(&lab, &rude);
    rude_say(&rude, "GET /bytes/200000000 HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; i < 20; i++)
        rude_take(&rude, 10000, 200);
    after = process_memory(&lab.lb);
    insist(after - before < 8000,
           "a client reads a response of 200 MB slowly; expected the "
           "balancer's memory to stay as it was; it grew by %ld KiB",
           after - before);
    rude_close(&rude);
    lab_end(&lab);
}

static void few_threads(void)
{
    struct lab lab;
    struct fetches *slow;
    long threads;

    lab_usual(&lab, 3);
    slow = begin_slow(&lab, 80, 1000);
    threads = process_threads(&lab.lb);
    insist(threads <= 24,
           "80 requests are under way; expected far fewer threads than that; "
           "counted %ld",
           threads);
    finish(slow, 80);
    lab_end(&lab);
}

static void thousands_may_idle(void)
{
    enum { IDLE = 3000 };
    static struct rude idle[IDLE];
    struct rlimit limit;
    struct lab lab;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    insist(limit.rlim_max > IDLE + 100,
           "this needs more open files than the system allows; see ulimit -Hn");
    lab_usual(&lab, 2);
    for (size_t i = 0; i < IDLE; i++)
        lab_rude(&lab, &idle[i]);
    for (int i = 0; i < 5; i++)
        finish(begin_slow(&lab, 32, 10), 32);
    for (size_t i = 0; i < IDLE; i++)
        rude_close(&idle[i]);
    lab_end(&lab);
}

static void stop_has_an_end(void)
{
    struct lab lab;
    struct fetches *slow;
    int64_t begin;
    int status = -1;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 99, "--stop-timeout", "2s");
    lab_start(&lab);
    slow =
        fetches_begin(&(struct request){.url = lab_url(&lab, "/slow?ms=60000"),
                                        .timeout_ms = 60000},
                      1);
    insist(holds_within(
               3000, (fetches_run(slow, 5), lab_count(&lab, 0, "/slow") == 1)),
           "a request was sent; it never reached the backend");
    begin = now_ms();
    kill(lab.lb.pid, SIGTERM);
    insist(holds_within(13000, process_has_ended(&lab.lb, &status)),
           "SIGTERM came while a request takes a minute; expected the balancer "
           "to wait for a while, then to end; after 13 s it goes on");
    insist(status == 1 && now_ms() - begin > 1000,
           "SIGTERM came while a request takes a minute; expected the balancer "
           "to wait for a while, then to end with status 1, since a request "
           "was cut off; got status %d after %lld ms",
           status, (long long)(now_ms() - begin));
    fetches_end(&slow);
}

static void descriptors_may_run_out(void)
{
    enum { CROWD = 100 };
    static struct rude crowd[CROWD];
    struct lab lab;
    long before, used;

    lab_usual(&lab, 1);
    lab_who(&lab, "/");
    insist(process_limit_files(&lab.lb, 40), "prlimit does not work here");
    for (size_t i = 0; i < CROWD; i++)
        lab_rude(&lab, &crowd[i]);
    insist(lab_logs(&lab, "out of descriptors", 3000),
           "a hundred clients came, and there are 40 descriptors; expected "
           "\"out of descriptors\" in the log");
    before = process_cpu_ms(&lab.lb);
    rude_hear_end(&crowd[0], 500);
    used = process_cpu_ms(&lab.lb) - before;
    insist(used < 200,
           "out of descriptors, and nothing to do; expected the balancer to "
           "rest; in half a second it used %ld ms of processor time",
           used);
    for (size_t i = 0; i < CROWD; i++)
        rude_close(&crowd[i]);
    insist(holds_within(3000, lab_try(&lab, "/").status == 200),
           "the crowd has left; expected the next client to be served");
    lab_end(&lab);
}

static const struct behaviour list[] = {
    {"slow-memory", 1, 1, "A slow reader costs no memory.",
     slow_reader_costs_no_memory},
    {"slow-alone", 5, 2, "A slow request stalls nobody else.",
     slow_stalls_nobody},
    {"silent-alone", 5, 2, "A silent client stalls nobody else.",
     silent_stalls_nobody},
    {"hundred", 5, 1, "A hundred requests may be under way at once.",
     hundred_at_once},
    {"limit", 5, 2, "One client too many gets 503.", limit_gives_503},
    {"stop-all", 5, 2, "A stop waits for all requests under way.",
     stop_waits_for_all},
    {"stop-bounded", 5, 1, "But it does not wait for ever.", stop_has_an_end},
    {"least-busy", 6, 2, "The least busy backend is picked.",
     least_busy_is_picked},
    {"equals", 6, 1, "Among equals, turns decide.", together_they_spread},
    {"counts", 6, 3, "After any kind of failure, the counts are right.",
     counts_come_back},
    {"policy-names", 6, 1, "An unknown policy is refused, with the known ones.",
     policies_have_names},
    {"both-ways", 7, 2, "Both sides may send at the same time.",
     both_ways_at_once},
    {"few-threads", 8, 2, "Many requests do not take many threads.",
     few_threads},
    {"descriptors", 8, 2, "Out of descriptors, it says so, rests, and goes on.",
     descriptors_may_run_out},
    {"idle-crowd", 8, 2, "Thousands of idle clients hinder nobody.",
     thousands_may_idle},
};

const struct behaviours crowds = {list, sizeof(list) / sizeof(list[0])};

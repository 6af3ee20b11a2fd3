/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The full balancer: who may serve, as far as probes and requests tell.
 */
#include "behaviours.h"
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Insist that the log says so, soon. */
static void is_logged(const struct lab *lab, const char *words)
{
    insist(lab_logs(lab, words, 4000), "expected \"%s\" in the log; it says %s",
           words, process_text(lab->lb.err));
}

/** A lab whose backends are probed once a minute: requests tell. */
static void lab_unprobed(struct lab *lab)
{
    lab_init(lab);
    lab->interval = "60s";
}

/* --- probes ---------------------------------------------------------------- */

static void probes_say_why(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_flag(&lab, 0, "--health-interval-down", "50ms");
    lab_start(&lab);
    lab_kill(&lab, 0);
    is_logged(&lab, lab_change(&lab, 0, "down"));
    insist(lab_logs(&lab, "(probe: ", 0) && lab_logs(&lab, "; was up)", 0),
           "expected the log to say why the backend is down, and what it was; "
           "it says %s",
           process_text(lab.lb.err));
    lab_end(&lab);
}

static void probe_is_as_configured(void)
{
    struct lab lab;
    struct rude probe;

    lab_init(&lab);
    lab_play(&lab);
    lab_flag(&lab, 0, "--health", NULL);
    lab_flag(&lab, 0, "--health-path", "/check?deep=no");
    lab_flag(&lab, 0, "--health-method", "HEAD");
    lab_flag(&lab, 0, "--health-host", "www.example.org");
    lab_start(&lab);
    lab_accept(&lab, 0, &probe);
    insist(rude_hear(&probe, "\r\n\r\n", 2000), "no probe came");
    insist(strncmp(probe.text, "HEAD /check?deep=no HTTP/1.1\r\n", 30) == 0 &&
               strstr(probe.text, "\r\nHost: www.example.org\r\n") != NULL,
           "expected the probe to have that method, path and host; got %s",
           probe.text);
    rude_close(&probe);
    lab_end(&lab);
}

static void status_decides(void)
{
    struct lab lab;
    char words[128];

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_flag(&lab, 0, "--health-path", "/status/418");
    lab_flag(&lab, 0, "--health-method", "HEAD");
    lab_flag(&lab, 0, "--health-status", "200,400-417");
    lab_start(&lab);
    snprintf(words, sizeof(words),
             "%s (probe: HEAD /status/418 gave status 418, not 200,400-417",
             lab_change(&lab, 1, "down"));
    is_logged(&lab, words);
    lab_end(&lab);
}

static void statuses_may_be_ranges(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 0, "--health-path", "/status/418");
    lab_flag(&lab, 0, "--health-status", "200,400-420");
    lab_flag(&lab, 0, "--none-healthy", "fail");
    lab_start(&lab);
    lab_who(&lab, "/");
    lab_end(&lab);
}

static void text_decides(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_flag(&lab, 0, "--health-path", "/");
    lab_flag(&lab, 0, "--health-text", "hello from two");
    lab_start(&lab);
    is_logged(&lab, "\"hello from two\" is not in the response");
    for (int i = 0; i < 4; i++)
        insist(strcmp(lab_who(&lab, "/"), "two") == 0,
               "only two says what it has to say; expected it to serve");
    lab_end(&lab);
}

static void down_has_an_interval_of_its_own(void)
{
    struct lab lab;

    lab_init(&lab);
    lab.interval = "60s";
    lab_backends(&lab, 2);
    lab_kill(&lab, 0);
    lab_flag(&lab, 0, "--health-interval-down", "100ms");
    lab_start(&lab);
    is_logged(&lab, lab_change(&lab, 0, "down"));
    lab_revive(&lab, 0);
    is_logged(&lab, lab_change(&lab, 0, "up"));
    lab_end(&lab);
}

/** What we cannot ask for want of descriptors tells nothing of a backend. */
static void short_probes_do_not_count(void)
{
    enum { CROWD = 60 };
    struct rude crowd[CROWD];
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_flag(&lab, 0, "--workers", "2");
    lab_flag(&lab, 0, "--log-level", "debug");
    lab_flag(&lab, 0, "--no-defer-accept", NULL);
    lab_start(&lab);
    lab_who(&lab, "/");
    insist(process_limit_files(&lab.lb, 40), "prlimit does not work here");
    for (size_t i = 0; i < CROWD; i++)
        lab_rude(&lab, &crowd[i]);
    is_logged(&lab, "probes cannot be made: out of descriptors");
    insist(holds_within(5000, lab_logged(&lab, ": not made") >= 12),
           "out of descriptors; expected six probes of each not to be made; "
           "the log says %s",
           process_text(lab.lb.err));
    insist(lab_logged(&lab, "[down]") == 0,
           "we are out of descriptors; a backend was taken for down: %s",
           process_text(lab.lb.err));
    for (size_t i = 0; i < CROWD; i++)
        rude_close(&crowd[i]);
    is_logged(&lab, "probes are made again");
    lab_kill(&lab, 0);
    is_logged(&lab, lab_change(&lab, 0, "down"));
    lab_who(&lab, "/");
    lab_end(&lab);
}

/* --- requests -------------------------------------------------------------- */

static void five_in_a_row_eject(void)
{
    struct lab lab;

    lab_unprobed(&lab);
    lab_backend(&lab, "--misbehave", "close-early");
    lab_backends(&lab, 1);
    lab_flag(&lab, 0, "--ejection-time", "1m");
    lab_start(&lab);
    for (int i = 0; i < 20; i++)
        lab_who(&lab, "/livez");
    insist(lab_count(&lab, 0, "/livez") == 5,
           "backend one fails each request; expected it to be left alone after "
           "five; it got %ld",
           lab_count(&lab, 0, "/livez"));
    is_logged(&lab, "[down] (5 requests failed in a row, the last one: the "
                    "connection ended; ejected for 60000 ms; was up)");
    lab_end(&lab);
}

static void success_ends_the_row(void)
{
    struct lab lab;

    lab_unprobed(&lab);
    lab_backends(&lab, 2);
    lab_flag(&lab, 0, "--failures-max", "3");
    lab_flag(&lab, 0, "--retries", "0");
    lab_flag(&lab, 0, "--upstream-idle", "0"); /* stale ones do not count */
    lab_start(&lab);
    for (int i = 0; i < 4; i++) {
        /* They take turns: each of them fails twice, and serves once. */
        for (int k = 0; k < 4; k++)
            lab_try(&lab, "/misbehave/close-early");
        lab_who(&lab, "/");
        lab_who(&lab, "/");
    }
    insist(lab_count(&lab, 0, "/misbehave/close-early") == 8,
           "16 requests that fail over 2 backends; expected 8 each; got %ld",
           lab_count(&lab, 0, "/misbehave/close-early"));
    insist(lab_logged(&lab, "[down]") == 0,
           "never three failures in a row; expected no ejection");
    lab_end(&lab);
}

static void ejections_grow(void)
{
    struct lab lab;

    lab_unprobed(&lab);
    lab_backend(&lab, "--misbehave", "close-early");
    lab_backends(&lab, 1);
    lab_flag(&lab, 0, "--ejection-time", "200ms");
    lab_flag(&lab, 0, "--ejection-time-max", "500ms");
    lab_flag(&lab, 0, "--failures-max", "2");
    lab_start(&lab);
    insist(holds_within(6000, (lab_who(&lab, "/"),
                               process_said(lab.lb.err, "ejected for 500 ms"))),
           "expected ejections to grow from 200 ms to 500 ms; the log says %s",
           process_text(lab.lb.err));
    is_logged(&lab, "ejected for 200 ms");
    is_logged(&lab, "ejected for 400 ms");
    is_logged(&lab, "[up] (the time of its ejection is over; was down)");
    lab_end(&lab);
}

static void good_probes_end_an_ejection(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backend(&lab, "--misbehave", "close-early");
    lab_backends(&lab, 1);
    lab_flag(&lab, 0, "--ejection-time", "1m");
    lab_start(&lab);
    insist(holds_within(
               3000, (lab_who(&lab, "/"),
                      process_said(lab.lb.err, lab_change(&lab, 0, "down")))),
           "backend one fails each request; expected it to be down");
    is_logged(&lab, "[up] (probes pass; was down)");
    lab_end(&lab);
}

static void half_are_never_ejected(void)
{
    struct lab lab;

    lab_unprobed(&lab);
    for (int i = 0; i < 4; i++)
        lab_backend(&lab, "--misbehave", "close-early");
    lab_backends(&lab, 1);
    lab_flag(&lab, 0, "--ejection-time", "1m");
    lab_start(&lab);
    for (int i = 0; i < 60; i++)
        lab_try(&lab, "/livez");
    insist(lab_logged(&lab, "[down]") == 2,
           "4 of 5 backends fail each request; expected two of them to be "
           "ejected, and no more than half of all; the log says so of %zu",
           lab_logged(&lab, "[down]"));
    lab_end(&lab);
}

static void the_last_one_stays(void)
{
    struct lab lab;

    lab_unprobed(&lab);
    lab_backend(&lab, "--misbehave", "close-early");
    lab_backend(&lab, "--misbehave", "close-early");
    lab_flag(&lab, 0, "--ejection-time", "1m");
    lab_flag(&lab, 0, "--ejection-percent", "100%");
    lab_start(&lab);
    for (int i = 0; i < 30; i++)
        lab_try(&lab, "/livez");
    insist(lab_logged(&lab, "[down]") == 1,
           "both backends fail each request, and all may be ejected, but the "
           "last; expected one to be; the log says so of %zu",
           lab_logged(&lab, "[down]"));
    lab_end(&lab);
}

static void refusing_counts_at_once(void)
{
    struct lab lab;

    lab_unprobed(&lab);
    lab_backends(&lab, 2);
    lab_flag(&lab, 0, "--ejection-time", "1m");
    lab_start(&lab);
    lab_kill(&lab, 0);
    for (int i = 0; i < 10; i++)
        lab_who(&lab, "/");
    is_logged(&lab, "[down] (5 requests failed in a row, the last one: "
                    "connection refused");
    lab_end(&lab);
}

static void hang_ups_blame_nobody(void)
{
    struct lab lab;

    lab_unprobed(&lab);
    lab_backends(&lab, 2); /* the last one would not be ejected anyway */
    lab_flag(&lab, 0, "--failures-max", "1");
    lab_start(&lab);
    for (long i = 1; i <= 6; i++) {
        struct rude rude;

        lab_rude(&lab, &rude);
        rude_say(&rude, "GET /slow?ms=1000 HTTP/1.1\r\nHost: a\r\n\r\n");
        insist(holds_within(3000, lab_count_all(&lab, "/slow") == i),
               "request %ld does not reach the backend", i);
        rude_reset(&rude);
    }
    insist(holds_within(3000, lab_noted(&lab, "=abandoned/") == 6) &&
               lab_noted(&lab, "\" 499 ") == 6,
           "6 clients left; expected 499 in the access log for each; it says "
           "%s",
           process_text(lab.lb.out));
    insist(lab_logged(&lab, "[down]") == 0,
           "6 clients left; expected nobody to blame the backend");
    lab_who(&lab, "/");
    lab_end(&lab);
}

static void half_a_response_is_a_failure(void)
{
    struct lab lab;

    lab_unprobed(&lab);
    lab_backend(&lab, "--misbehave", "cut-body");
    lab_backends(&lab, 1);
    lab_flag(&lab, 0, "--failures-max", "2");
    lab_flag(&lab, 0, "--ejection-time", "1m");
    lab_start(&lab);
    for (int i = 0; i < 10; i++)
        lab_try(&lab, "/livez");
    insist(lab_count(&lab, 0, "/livez") == 2,
           "backend one cuts each response; expected it to be ejected after "
           "two; it got %ld",
           lab_count(&lab, 0, "/livez"));
    lab_end(&lab);
}

/* --- after it -------------------------------------------------------------- */

/** How many of so many requests does this backend get? */
static long share(const struct lab *lab, size_t which, int of)
{
    long before = lab_count(lab, which, "/livez");

    for (int i = 0; i < of; i++)
        lab_who(lab, "/livez");
    return lab_count(lab, which, "/livez") - before;
}

static void start_is_slow(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_flag(&lab, 0, "--slow-start", "3s");
    lab_start(&lab);
    insist(share(&lab, 0, 20) == 10, "nobody has come up yet; expected turns");
    lab_kill(&lab, 0);
    is_logged(&lab, lab_change(&lab, 0, "down"));
    lab_revive(&lab, 0);
    is_logged(&lab, lab_change(&lab, 0, "up"));
    insist(share(&lab, 0, 20) <= 6,
           "a backend has just come up, with --slow-start 3s; expected it to "
           "get little");
    insist(holds_within(5000, share(&lab, 0, 20) == 10),
           "3 s later, expected it to get its share");
    lab_end(&lab);
}

static void none_healthy(struct lab *lab, const char *what)
{
    lab_init(lab);
    lab_backends(lab, 2);
    lab_flag(lab, 0, "--health-path", "/readyz");
    lab_flag(lab, 0, "--none-healthy", what);
    lab_start(lab);
    lab_tell(lab, 0, "/not-ready");
    lab_tell(lab, 1, "/not-ready");
    is_logged(lab, lab_change(lab, 0, "down"));
    is_logged(lab, lab_change(lab, 1, "down"));
}

static void none_healthy_tries_all(void)
{
    struct lab lab;

    none_healthy(&lab, "try-all");
    insist(strcmp(lab_who(&lab, "/"), lab_who(&lab, "/")) != 0,
           "no backend is up; expected all to be tried, in turn");
    is_logged(&lab, "no backend is up: requests are sent to all of them, come "
                    "what may (setting none-healthy)");
    lab_tell(&lab, 1, "/ready");
    is_logged(&lab, lab_change(&lab, 1, "up"));
    for (int i = 0; i < 3; i++)
        insist(strcmp(lab_who(&lab, "/"), "two") == 0,
               "one backend is up again; expected it to get all requests");
    is_logged(&lab, "there are backends again that are up");
    insist(lab_logged(&lab, "no backend is up") == 1,
           "expected that to be told once");
    lab_end(&lab);
}

/** One backend answers, but its probes fail; the other one dies, and its probes
 * take a while to find that out. */
static void refused_by_those_that_are_up(void)
{
    struct answer answer;
    struct lab lab;

    lab_init(&lab);
    lab.interval = "5s";
    lab_backend(&lab, NULL);
    lab_backend(&lab, "--misbehave", "fail=100", "--spare", "/", "--spare",
                "/echo");
    lab_flag(&lab, 0, "--health-path", "/healthz");
    lab_start(&lab);
    is_logged(&lab, lab_change(&lab, 1, "down"));
    lab_kill(&lab, 0);
    insist(strcmp(lab_who(&lab, "/"), "two") == 0,
           "the one that is up refuses; expected the other one to be tried");
    answer = fetch(&(struct request){
        .url = lab_url(&lab, "/echo"), .body = "buy", .body_length = 3});
    insist(answer.status == 200, "and for a POST, too; got %ld", answer.status);
    answer_free(&answer);
    lab_end(&lab);
}

static void none_healthy_fails(void)
{
    struct lab lab;
    const char *answer;

    none_healthy(&lab, "fail");
    answer = lab_talk(&lab,
                      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    insist(strstr(answer, " 503 ") != NULL &&
               strstr(answer, "\r\nRetry-After: ") != NULL &&
               strstr(answer, "no backend is up") != NULL,
           "expected 503 with Retry-After, and why; got %s", answer);
    is_logged(&lab, "requests get 503 (setting none-healthy)");
    lab_end(&lab);
}

static void nameless_does_not_stop_the_start(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab.also = "http://nobody.invalid:80";
    lab_flag(&lab, 0, "--dns-refresh", "1s");
    lab_start(&lab);
    is_logged(&lab, "http://nobody.invalid:80 [unresolved] (");
    for (int i = 0; i < 6; i++)
        insist(strcmp(lab_who(&lab, "/"), "one") == 0,
               "expected the other backend to serve");
    lab_end(&lab);
}

static void names_are_found(void)
{
    struct lab lab;

    lab_init(&lab);
    lab.host = "localhost";
    lab_backends(&lab, 2);
    lab_flag(&lab, 0, "--dns-refresh", "1s");
    lab_flag(&lab, 0, "--none-healthy", "fail");
    lab_start(&lab);
    insist(strcmp(lab_who(&lab, "/"), lab_who(&lab, "/")) != 0,
           "two backends at localhost; expected turns");
    lab_end(&lab);
}

static const struct behaviour list[] = {
    {"probe-why", 99, 1, "A failed probe says why.", probes_say_why},
    {"probe-form", 99, 1, "A probe has the method, path and host that are set.",
     probe_is_as_configured},
    {"probe-status", 99, 1, "Its status decides.", status_decides},
    {"probe-ranges", 99, 1, "Good statuses may be ranges.",
     statuses_may_be_ranges},
    {"probe-text", 99, 1, "A text in the response may decide.", text_decides},
    {"interval-down", 99, 1, "Who is down may be asked more often.",
     down_has_an_interval_of_its_own},
    {"five-eject", 99, 2, "Five failures in a row eject a backend.",
     five_in_a_row_eject},
    {"row-ends", 99, 2, "One success in between, and they do not.",
     success_ends_the_row},
    {"probe-short", 99, 1,
     "A probe that we have no descriptor for does not count.",
     short_probes_do_not_count},
    {"eject-grows", 99, 1, "Each ejection is longer than the last.",
     ejections_grow},
    {"eject-ends", 99, 1, "Good probes end an ejection early.",
     good_probes_end_an_ejection},
    {"eject-half", 99, 2, "Never more than half are ejected.",
     half_are_never_ejected},
    {"eject-last", 99, 2, "Never the last one.", the_last_one_stays},
    {"eject-refused", 99, 1, "A connection that is refused counts at once.",
     refusing_counts_at_once},
    {"eject-cut", 99, 1, "So does a response that is cut.",
     half_a_response_is_a_failure},
    {"hang-up", 99, 3, "A client that hangs up blames nobody: 499.",
     hang_ups_blame_nobody},
    {"slow-start", 99, 2, "A backend that came up gets its share by and by.",
     start_is_slow},
    {"none-try-all", 99, 2, "When none is up, all are tried, loudly.",
     none_healthy_tries_all},
    {"none-left", 99, 2, "So are they for who is refused by all that are up.",
     refused_by_those_that_are_up},
    {"none-fail", 99, 1, "Or the answer is 503, if that is set.",
     none_healthy_fails},
    {"nameless", 99, 2, "A name that is not found does not stop the start.",
     nameless_does_not_stop_the_start},
    {"host-names", 99, 1, "Backends may have names.", names_are_found},
};

const struct behaviours final_health = {list, sizeof(list) / sizeof(list[0])};

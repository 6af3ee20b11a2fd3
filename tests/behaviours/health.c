/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Chapter 03: a backend that is down gets no requests, and who says so.
 */
#include "behaviours.h"
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** The words by which the log tells of a change. */
static const char *change(const struct lab *lab, size_t which, const char *to)
{
    static char words[128];

    snprintf(words, sizeof(words), "http://127.0.0.1:%u [%s]",
             lab->backends[which].port, to);
    return words;
}

static size_t count_words(const struct lab *lab, const char *words)
{
    char *text = process_text(lab->lb.err);
    size_t count = 0;

    for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
        count++;
    free(text);
    return count;
}

/** Many requests, all of them answered by a backend. */
static void all_are_served(const struct lab *lab, int count)
{
    for (int i = 0; i < count; i++)
        lab_who(lab, "/");
}

/** Has a request come to this backend, of six that were sent? */
static bool takes_part(const struct lab *lab, size_t which)
{
    bool part = false;

    for (int i = 0; i < 6; i++) {
        struct answer answer = lab_get(lab, "/");

        part |= strcmp(answer.backend, lab->backends[which].name) == 0;
        answer_free(&answer);
    }
    return part;
}

/** Wait until it is out: no request in six fails or comes to it. */
static bool is_out(const struct lab *lab, size_t which)
{
    bool out = true;

    for (int i = 0; i < 6; i++) {
        struct answer answer = lab_get(lab, "/");

        out &= answer.status == 200 &&
               strcmp(answer.backend, lab->backends[which].name) != 0;
        answer_free(&answer);
    }
    return out;
}

static void dead_gets_nothing(void)
{
    struct lab lab;

    lab_usual(&lab, 3);
    lab_kill(&lab, 0);
    insist(holds_within(3000, is_out(&lab, 0)),
           "one of three backends was killed; expected its requests to go to "
           "the others soon; after 3 s some still fail");
    all_are_served(&lab, 30);
    lab_end(&lab);
}

static void dead_at_the_start(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 3);
    lab_kill(&lab, 0);
    lab_start(&lab);
    all_are_served(&lab, 12);
    lab_end(&lab);
}

static void comes_back(void)
{
    struct lab lab;

    lab_usual(&lab, 3);
    lab_kill(&lab, 2);
    insist(holds_within(3000, is_out(&lab, 2)),
           "one of three backends was killed; its requests still fail");
    lab_revive(&lab, 2);
    insist(holds_within(3000, takes_part(&lab, 2)),
           "the backend lives again; expected it to serve again soon");
    all_are_served(&lab, 12);
    lab_end(&lab);
}

static void none_up_is_503(void)
{
    struct lab lab;
    struct answer answer = {.status = 0};

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_flag(&lab, 99, "--none-healthy", "fail");
    lab_start(&lab);
    lab_kill(&lab, 0);
    lab_kill(&lab, 1);
    insist(
        holds_within(3000, (answer_free(&answer), answer = lab_get(&lab, "/"),
                            answer.status == 503)),
        "all backends are dead; expected 503; got %ld (%s)", answer.status,
        answer.error);
    insist(answer.seconds < 0.5, "503 came after %.1f s; expected it at once",
           answer.seconds);
    answer_free(&answer);
    lab_end(&lab);
}

static void path_decides(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_flag(&lab, 3, "--health-path", "/readyz");
    lab_start(&lab);
    lab_tell(&lab, 0, "/not-ready");
    insist(holds_within(3000, is_out(&lab, 0)),
           "with --health-path /readyz, a backend answers 503 there; expected "
           "its requests to go elsewhere");
    lab_tell(&lab, 0, "/ready");
    insist(holds_within(3000, takes_part(&lab, 0)),
           "/readyz is 200 again; expected the backend to serve again");
    lab_end(&lab);
}

static void silence_is_failure(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backend(&lab, "--misbehave", "silent");
    lab_backends(&lab, 1);
    lab_flag(&lab, 3, "--health-path", "/healthz");
    lab_start(&lab);
    all_are_served(&lab, 6);
    lab_end(&lab);
}

static void garbage_is_failure(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backend(&lab, "--misbehave", "garbage");
    lab_backends(&lab, 1);
    lab_flag(&lab, 3, "--health-path", "/healthz");
    lab_start(&lab);
    all_are_served(&lab, 6);
    lab_end(&lab);
}

static void changes_are_told_once(void)
{
    struct lab lab;

    lab_usual(&lab, 2);
    lab_who(&lab, "/");
    lab_kill(&lab, 0);
    insist(lab_logs(&lab, change(&lab, 0, "down"), 3000),
           "a backend was killed; expected \"%s\" in the log",
           change(&lab, 0, "down"));
    lab_revive(&lab, 0);
    insist(lab_logs(&lab, change(&lab, 0, "up"), 3000),
           "the backend lives again; expected \"%s\" in the log",
           change(&lab, 0, "up"));
    /* Several rounds of probes later the words are still there once. */
    lab_tell(&lab, 1, "/not-ready"); /* means nothing: probes only connect */
    long before = lab_count(&lab, 0, NULL);
    insist(holds_within(700, lab_count(&lab, 0, NULL) < before) == false,
           "requests were forgotten");
    insist(count_words(&lab, change(&lab, 0, "down")) == 1 &&
               count_words(&lab, change(&lab, 0, "up")) == 1,
           "expected one line for each change, not for each probe; got %zu "
           "times down",
           count_words(&lab, change(&lab, 0, "down")));
    lab_end(&lab);
}

static void one_bad_probe_is_not_enough(void)
{
    struct lab lab;
    long before, after;

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_flag(&lab, 3, "--health-path", "/readyz");
    lab_flag(&lab, 3, "--fall", "4");
    lab_flag(&lab, 3, "--rise", "3");
    lab_start(&lab);
    lab_who(&lab, "/");
    before = lab_count(&lab, 0, "/readyz");
    lab_tell(&lab, 0, "/not-ready");
    insist(lab_logs(&lab, change(&lab, 0, "down"), 4000),
           "expected \"%s\" in the log", change(&lab, 0, "down"));
    after = lab_count(&lab, 0, "/readyz");
    insist(after - before >= 4,
           "with --fall 4, expected 4 bad probes before a backend is down; "
           "got %ld",
           after - before);
    before = lab_count(&lab, 0, "/readyz");
    lab_tell(&lab, 0, "/ready");
    insist(lab_logs(&lab, change(&lab, 0, "up"), 4000),
           "expected \"%s\" in the log", change(&lab, 0, "up"));
    after = lab_count(&lab, 0, "/readyz");
    insist(after - before >= 3,
           "with --rise 3, expected 3 good probes before it is up; got %ld",
           after - before);
    lab_end(&lab);
}

static const struct behaviour list[] = {
    {"dead-out", 3, 2, "A dead backend soon gets no more requests.",
     dead_gets_nothing},
    {"dead-at-start", 3, 1, "A backend that is dead at the start gets none.",
     dead_at_the_start},
    {"back-in", 3, 2, "A backend that lives again serves again.", comes_back},
    {"none-up", 3, 1, "When all are down, the answer is 503, at once.",
     none_up_is_503},
    {"health-path", 3, 2, "A path to probe decides who may serve.",
     path_decides},
    {"probe-silence", 3, 1, "A probe that gets no answer has failed.",
     silence_is_failure},
    {"probe-garbage", 3, 1, "A probe that gets no HTTP has failed.",
     garbage_is_failure},
    {"told-once", 3, 1, "Each change is in the log, once.",
     changes_are_told_once},
    {"rise-and-fall", 3, 2, "Only probes in a row change a verdict.",
     one_bad_probe_is_not_enough},
};

const struct behaviours health = {list, sizeof(list) / sizeof(list[0])};

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The full balancer: backends are taken out of service and put back by commands,
 * and restarted one after the other by a script.
 */
#include "behaviours.h"
#include "lab.h"
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TOKEN "a-token-for-this-test"

/** A lab whose token is in the environment, where the commands look for it. */
static void drain_lab(struct lab *lab, size_t count, const char *interval)
{
    setenv("STEELYARD_ADMIN_TOKEN", TOKEN, 1);
    lab_init(lab);
    lab->interval = interval;
    lab_backends(lab, count);
    lab_flag(lab, 0, "--workers", "2");
    lab_start(lab);
    setenv("LOAD_BALANCER_URL", lab_admin(lab, ""), 1);
}

/** Start `steelyard COMMAND BACKEND MORE`. */
static void begin(struct process *process, const struct lab *lab,
                  const char *command, size_t which, const char *more)
{
    char backend[64];
    const char *argv[] = {lab_program(), command, backend, more, NULL};

    snprintf(backend, sizeof(backend), "127.0.0.1:%u",
             lab->backends[which].port);
    insist(process_start(process, argv), "cannot start steelyard %s", command);
}

/** Wait for its end. @return its status */
static int end(struct process *process)
{
    int status = -1;

    insist(holds_within(10000, process_has_ended(process, &status)),
           "the command does not end");
    return status;
}

/** Do that, and insist on the status and on words on stderr. */
static void run(const struct lab *lab, const char *command, size_t which,
                const char *more, int status, const char *words)
{
    struct process process;
    int got;

    begin(&process, lab, command, which, more);
    got = end(&process);
    insist(got == status, "%s %s: expected status %d; got %d: %s", command,
           more == NULL ? "" : more, status, got, process_text(process.err));
    insist(process_said(status == 0 ? process.out : process.err, words),
           "%s: expected \"%s\"; got %s%s", command, words,
           process_text(process.out), process_text(process.err));
}

/** What is said of it in the list of backends. */
static bool list_says(const struct lab *lab, size_t which, const char *words)
{
    struct answer answer = fetch_url(lab_admin(lab, "/api/v1/backends"));
    char port[32];
    const char *at, *next;
    bool says;

    snprintf(port, sizeof(port), "127.0.0.1:%u\"", lab->backends[which].port);
    at = answer.body == NULL ? NULL : strstr(answer.body, port);
    insist(at != NULL, "%s is not in the list: %s", port, answer.body);
    next = strstr(at, "\"id\":");
    at = strstr(at, words);
    says = at != NULL && (next == NULL || at < next);
    answer_free(&answer);
    return says;
}

static void drain_waits(void)
{
    struct lab lab;
    struct process process;
    struct fetches *fetches;
    struct request slow = {.timeout_ms = 8000};
    int status;

    drain_lab(&lab, 2, "100ms");
    slow.url = lab_url(&lab, "/slow?ms=1500");
    fetches = fetches_begin(&slow, 2);
    insist(holds_within(3000, fetches_run(fetches, 1) ||
                                  (list_says(&lab, 0, "\"in_flight\":1") &&
                                   list_says(&lab, 1, "\"in_flight\":1"))),
           "two slow requests; expected each backend to have one");
    run(&lab, "drain", 0, NULL, 0, "is draining: 1 request in flight");
    run(&lab, "drain", 0, "--wait=0.2", 1,
        "still has 1 request in flight after 0.2 s; it goes on draining");
    begin(&process, &lab, "drain", 0, "--wait");
    insist(!process_has_ended(&process, &status) ||
               !list_says(&lab, 0, "\"in_flight\":1"),
           "a request is in flight, and drain --wait has ended");
    insist(fetches_run(fetches, 5000) && fetches_count(fetches, 200) == 2,
           "a request was lost");
    insist(end(&process) == 0 &&
               process_said(process.out, "0 requests in flight"),
           "nothing is in flight; expected status 0; got %s",
           process_text(process.err));
    insist(list_says(&lab, 0, "\"in_flight\":0"), "the API does not say so");
    run(&lab, "ready", 0, NULL, 0, "is ready: up");
    fetches_end(&fetches);
    lab_end(&lab);
}

static void ready_waits(void)
{
    struct lab lab;
    struct process process;
    int status;

    drain_lab(&lab, 2, "100ms");
    run(&lab, "drain", 0, "--wait=5", 0, "0 requests in flight");
    lab_kill(&lab, 0);
    insist(holds_within(5000, list_says(&lab, 0, "\"health\":\"down\"")),
           "it is dead; expected the API to know, though it drains");
    run(&lab, "ready", 0, "--wait=0.3", 1, "it stays as it was, draining");
    insist(list_says(&lab, 0, "\"ready\":false"), "it was made ready");
    begin(&process, &lab, "ready", 0, "--wait=8");
    insist(!process_has_ended(&process, &status),
           "a dead backend; ready --wait has ended: %s",
           process_text(process.err));
    lab_revive(&lab, 0);
    insist(end(&process) == 0 && process_said(process.out, "is ready: up"),
           "it is well; expected status 0; got %s", process_text(process.err));
    insist(list_says(&lab, 0, "\"state\":\"up\""), "it is not up");
    lab_end(&lab);
}

/** A probe that was good before it died tells nothing. */
static void ready_believes(void)
{
    struct lab lab;

    drain_lab(&lab, 2, "60s");
    run(&lab, "drain", 0, "--wait=5", 0, "0 requests in flight");
    lab_kill(&lab, 0);
    insist(list_says(&lab, 0, "\"health\":\"up\""),
           "nobody has looked since; expected it to seem up");
    run(&lab, "ready", 0, "--wait=0.3", 1, "is not well after 0.3 s");
    insist(list_says(&lab, 0, "\"ready\":false"), "it was made ready");
    lab_end(&lab);
}

/** Run `steelyard drain` with these words. @return its status */
static int try_words(const char *one, const char *two)
{
    const char *argv[] = {lab_program(), "drain", one, two, NULL};
    struct process process;

    insist(process_start(&process, argv), "cannot start it");
    return end(&process);
}

static void drain_refused(void)
{
    struct lab lab;

    drain_lab(&lab, 2, "100ms");
    run(&lab, "drain", 0, "--token=wrong", 1, "that is not the admin token");
    setenv("STEELYARD_ADMIN_TOKEN", "", 1);
    run(&lab, "drain", 0, NULL, 1, "this takes the admin token");
    setenv("STEELYARD_ADMIN_TOKEN", TOKEN, 1);
    run(&lab, "drain", 0, "--url=http://127.0.0.1:1", 1, "cannot reach");
    insist(try_words("127.0.0.1:1", NULL) == 1, "unknown: expected status 1");
    insist(try_words(NULL, NULL) == 2, "no backend: expected status 2");
    insist(try_words("a", "b") == 2, "two of them: expected status 2");
    run(&lab, "drain", 0, "--quux", 2, "--quux is no flag");
    run(&lab, "drain", 0, "--wait=soon", 2, "--wait=soon is no time");
    run(&lab, "drain", 0, "--url=ftp://here", 2, "is no address");
    insist(list_says(&lab, 0, "\"state\":\"up\""), "what was refused was done");
    lab_end(&lab);
}

/* --- the script ---------------------------------------------------------------- */

/** Start it with a command that asks us: it makes a file named like the port,
 * and goes on when that is gone. */
static void begin_script(struct process *script, const char *folder,
                         const char *command)
{
    static char words[300];
    const char *argv[] = {
        "final/rolling-restart", "--do", words, "--wait", "20", NULL};

    snprintf(words, sizeof(words),
             "f=%s/{port}; : >$f; while [ -e $f ]; do sleep 0.05; done; %s",
             folder, command);
    setenv("STEELYARD", lab_program(), 1);
    insist(process_start(script, argv), "cannot start final/rolling-restart");
}

/** The file by which it asks for a restart of this one. */
static const char *wish(const struct lab *lab, const char *folder, size_t which)
{
    static char path[80];

    snprintf(path, sizeof(path), "%s/%u", folder, lab->backends[which].port);
    return path;
}

/** Wait until it is the turn of this one, and restart it the hard way. */
static void grant(struct lab *lab, const struct process *script,
                  const char *folder, size_t which)
{
    insist(holds_within(10000, access(wish(lab, folder, which), F_OK) == 0),
           "expected the script to restart backend %zu; it says %s", which,
           process_text(script->err));
    lab_kill(lab, which);
    lab_revive(lab, which);
    unlink(wish(lab, folder, which));
}

static void script_loses_nothing(void)
{
    char folder[] = "/tmp/steelyard-XXXXXX";
    struct lab lab;
    struct load load;
    struct process script;

    insist(mkdtemp(folder) != NULL, "no folder");
    drain_lab(&lab, 3, "100ms");
    load_begin(&load, &lab, true);
    load_goes_on(&load, 50);
    begin_script(&script, folder, "true");
    for (size_t i = 0; i < 3; i++) {
        grant(&lab, &script, folder, i);
        load_goes_on(&load, 50);
    }
    insist(end(&script) == 0, "the script failed: %s",
           process_text(script.err));
    load_end(&load);
    for (size_t i = 0; i < 3; i++)
        insist(list_says(&lab, i, "\"state\":\"up\"") &&
                   lab_count(&lab, i, "/livez") > 0,
               "backend %zu does not serve again", i);
    rmdir(folder);
    lab_end(&lab);
}

static void script_stops(void)
{
    char folder[] = "/tmp/steelyard-XXXXXX";
    struct lab lab;
    struct process script;

    insist(mkdtemp(folder) != NULL, "no folder");
    drain_lab(&lab, 3, "100ms");
    begin_script(&script, folder, "exit 7");
    insist(holds_within(10000, access(wish(&lab, folder, 0), F_OK) == 0),
           "the script does not begin: %s", process_text(script.err));
    insist(list_says(&lab, 0, "\"state\":\"draining\""),
           "it is restarted and does not drain");
    unlink(wish(&lab, folder, 0));
    insist(end(&script) == 1, "the command fails: expected status 1");
    insist(process_said(script.err, "failed with status 7"),
           "expected to be told; got %s", process_text(script.err));
    insist(list_says(&lab, 0, "\"state\":\"up\""), "it was left draining");
    rmdir(folder);
    lab_end(&lab);
}

static const struct behaviour list[] = {
    {"drain-waits", 99, 1,
     "steelyard drain --wait ends when nothing is in flight any more.",
     drain_waits},
    {"ready-waits", 99, 1,
     "steelyard ready --wait ends when the backend is well and serves.",
     ready_waits},
    {"ready-believes", 99, 1,
     "It believes no probe that is older than the command.", ready_believes},
    {"drain-refused", 99, 1,
     "Without the token, or of an unknown backend, drain does nothing.",
     drain_refused},
    {"drain-rolling", 99, 2,
     "The script restarts three backends under load, and loses nothing.",
     script_loses_nothing},
    {"drain-script", 99, 1,
     "When a restart fails, the script stops and drains nobody.", script_stops},
};

const struct behaviours final_drain = {list, sizeof(list) / sizeof(list[0])};

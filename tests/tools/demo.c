/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The demonstration: three backends, a balancer, real requests, and a backend
 * that is killed in the middle of them. It tells the story while it happens,
 * and ends with what was promised and whether it was kept.
 *
 *     demo --lb PROGRAM --backend PROGRAM [--stay]
 */
#include "fetch.h"
#include "process.h"
#include "wait.h"

#include <curl/curl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BACKENDS = 3,
    VICTIM = 1,  /* who is killed */
    CLIENTS = 8, /* requests under way at once */
    ROUNDS = 50, /* so many times that, in each phase */
    PHASES_MAX = 8,
    BACK_MS = 10000, /* so long may it take to come back */
};

static const char *const names[BACKENDS] = {"one", "two", "three"};

/** What came of the requests of one part of the story. */
struct phase {
    const char *name;
    unsigned asked;
    unsigned served[BACKENDS];
    unsigned failed;
    char why[256]; /**< why the first of them failed */
};

/** The demonstration. */
struct demo {
    const char *lb_program;
    const char *backend_program;
    bool stays; /**< it is left running */
    struct process backends[BACKENDS];
    unsigned ports[BACKENDS];
    struct process lb;
    char url[64];
    struct phase phases[PHASES_MAX];
    size_t phase_count;
};

/** Say what cannot be done, end what was started, and end. */
static _Noreturn void give_up(struct demo *demo, const char *what,
                              const char *why)
{
    fprintf(stderr, "demo: %s: %s\n", what, why);
    for (size_t i = 0; i < BACKENDS; i++)
        process_kill(&demo->backends[i]);
    process_kill(&demo->lb);
    exit(2);
}

static void start_backend(struct demo *demo, size_t i)
{
    char port[16];
    const char *argv[] = {
        demo->backend_program, "--port", port, "--name", names[i], NULL};

    snprintf(port, sizeof(port), "%u", demo->ports[i]);
    if (process_start(&demo->backends[i], argv))
        demo->ports[i] = process_port(&demo->backends[i]);
    if (demo->ports[i] == 0)
        give_up(demo, demo->backend_program,
                process_text(demo->backends[i].err));
}

static void start_balancer(struct demo *demo)
{
    char list[128];
    const char *argv[] = {demo->lb_program, "--port", "0",
                          "--backends",     list,     "--health-interval",
                          "500ms",          NULL};
    unsigned port = 0;

    snprintf(list, sizeof(list),
             "http://127.0.0.1:%u,http://127.0.0.1:%u,http://127.0.0.1:%u",
             demo->ports[0], demo->ports[1], demo->ports[2]);
    /* Left running, it has its usual place; else any will do. */
    if (!demo->stays)
        setenv("STEELYARD_ADMIN", "127.0.0.1:0", 0);
    if (process_start(&demo->lb, argv))
        port = process_port(&demo->lb);
    if (port == 0)
        give_up(demo, demo->lb_program, process_text(demo->lb.err));
    snprintf(demo->url, sizeof(demo->url), "http://127.0.0.1:%u", port);
}

static void start_all(struct demo *demo)
{
    for (size_t i = 0; i < BACKENDS; i++)
        start_backend(demo, i);
    start_balancer(demo);
    for (size_t i = 0; i < BACKENDS; i++)
        printf("  backend %-6s http://127.0.0.1:%u  (process %d)\n", names[i],
               demo->ports[i], (int)demo->backends[i].pid);
    printf("  balancer       %s  (process %d)\n\n", demo->url,
           (int)demo->lb.pid);
}

static struct phase *phase_begin(struct demo *demo, const char *name)
{
    struct phase *phase = &demo->phases[demo->phase_count++];

    phase->name = name;
    printf("%zu. %s\n", demo->phase_count, name);
    fflush(stdout);
    return phase;
}

static void phase_count(struct phase *phase, const struct answer *answer)
{
    phase->asked++;
    if (!answer->whole || answer->status != 200) {
        if (phase->failed++ == 0)
            snprintf(phase->why, sizeof(phase->why), "status %ld %.200s",
                     answer->status, answer->error);
        return;
    }
    for (size_t i = 0; i < BACKENDS; i++)
        phase->served[i] += strcmp(answer->backend, names[i]) == 0;
}

/** Some requests at once; @p kill_in_between one backend while they run. */
static void ask(struct demo *demo, struct phase *phase, bool kill_in_between)
{
    char url[128];
    struct request request = {.url = url, .timeout_ms = 10000};
    struct fetches *fetches;

    snprintf(url, sizeof(url), "%s/slow?ms=10", demo->url);
    fetches = fetches_begin(&request, CLIENTS);
    if (kill_in_between) {
        fetches_run(fetches, 5);
        process_kill(&demo->backends[VICTIM]);
    }
    fetches_run(fetches, 10000);
    for (size_t i = 0; i < CLIENTS; i++)
        phase_count(phase, fetches_answer(fetches, i));
    fetches_end(&fetches);
}

static void ask_many(struct demo *demo, const char *name, bool kill_in_between)
{
    struct phase *phase = phase_begin(demo, name);

    for (int round = 0; round < ROUNDS; round++)
        ask(demo, phase, kill_in_between && round == ROUNDS / 2);
}

/** Ask until the victim has answered; tell after how many milliseconds. */
static int64_t wait_until_back(struct demo *demo)
{
    struct phase *phase = phase_begin(
        demo, "two is started again; requests go on until it serves one");
    int64_t begin = now_ms();

    start_backend(demo, VICTIM);
    while (phase->served[VICTIM] == 0 && now_ms() - begin < BACK_MS)
        ask(demo, phase, false);
    return now_ms() - begin;
}

static void print_table(const struct demo *demo)
{
    printf("\n  %-5s %9s %7s %7s %7s %8s\n", "part", "requests", names[0],
           names[1], names[2], "failed");
    for (size_t i = 0; i < demo->phase_count; i++) {
        const struct phase *phase = &demo->phases[i];

        printf("  %-5zu %9u %7u %7u %7u %8u\n", i + 1, phase->asked,
               phase->served[0], phase->served[1], phase->served[2],
               phase->failed);
    }
    printf("\n");
}

/** One promise: say whether it was kept. */
static bool promise(bool kept, const char *words)
{
    printf("  %s  %s\n", kept ? "kept  " : "BROKEN", words);
    return kept;
}

static bool judge(struct demo *demo, int64_t back_ms)
{
    const struct phase *last = &demo->phases[demo->phase_count - 1];
    unsigned failed = 0;
    bool kept;
    char words[320];

    for (size_t i = 0; i < demo->phase_count; i++) {
        const struct phase *phase = &demo->phases[i];

        if (failed == 0 && phase->failed > 0)
            snprintf(words, sizeof(words), "no request was lost: %s",
                     phase->why);
        failed += phase->failed;
    }
    kept = promise(failed == 0, failed == 0 ? "no request was lost" : words);
    kept &= promise(demo->phases[0].served[0] > 0 &&
                        demo->phases[0].served[1] > 0 &&
                        demo->phases[0].served[2] > 0,
                    "all three backends shared the work");
    kept &= promise(demo->phases[2].served[VICTIM] == 0 &&
                        demo->phases[2].failed == 0,
                    "while two was dead, the others did its work");
    snprintf(words, sizeof(words), "two was back at work after %.1f s",
             (double)back_ms / 1000);
    kept &= promise(last->served[VICTIM] > 0, words);
    return kept;
}

/** What the balancer said, but for its line about each request. */
static void print_last_words(const struct demo *demo)
{
    char *text = process_text(demo->lb.err);

    fflush(stdout);
    fputs("\ndemo: the balancer did not end well. It has said:\n", stderr);
    for (char *line = strtok(text, "\n"); line != NULL;
         line = strtok(NULL, "\n"))
        if (strstr(line, " -> http://") == NULL)
            fprintf(stderr, "  %s\n", line);
    free(text);
}

/** True: the balancer ran until it was asked to stop, and ended well. */
static bool stop_all(struct demo *demo)
{
    int status;
    bool ended_early = process_has_ended(&demo->lb, &status);

    if (!ended_early)
        status = process_stop(&demo->lb, 12000);
    for (size_t i = 0; i < BACKENDS; i++)
        process_kill(&demo->backends[i]);
    if (ended_early || status != 0)
        print_last_words(demo);
    return !ended_early && status == 0;
}

/** The whole story. */
static int tell(struct demo *demo)
{
    int64_t back_ms;
    bool kept;

    ask_many(demo, "three backends take turns", false);
    ask_many(demo, "requests go on, and in the middle of them two is killed",
             true);
    ask_many(demo, "two is dead; requests go on", false);
    back_ms = wait_until_back(demo);
    ask_many(demo, "three backends take turns again", false);
    print_table(demo);
    kept = judge(demo, back_ms);
    kept &= promise(stop_all(demo), "asked to stop, the balancer ended well");
    printf("\n%s\n", kept ? "All promises were kept."
                          : "A promise was broken: see above.");
    return kept ? 0 : 1;
}

/** Where it can be watched, and what it wants to be told before it is changed;
 * balancers of the chapters have no such place. */
static void print_dashboard(const struct demo *demo)
{
    char *said = process_text(demo->lb.out), *log;
    const char *where = strstr(said, "admin on "), *token;

    if (where != NULL)
        (void)holds_within(1000, process_said(demo->lb.err, "admin token: "));
    log = process_text(demo->lb.err);
    token = strstr(log, "admin token: ");
    if (where != NULL)
        printf("Watch it: %.*s\n", (int)strcspn(where + 9, "\n"), where + 9);
    if (where != NULL && token != NULL)
        printf("Token:    %.*s\n", (int)strcspn(token + 13, ",\n"), token + 13);
    free(said);
    free(log);
}

/** Leave all running until somebody has had enough. */
static int stay(struct demo *demo)
{
    sigset_t both;
    int number;

    sigemptyset(&both);
    sigaddset(&both, SIGINT);
    sigaddset(&both, SIGTERM);
    sigprocmask(SIG_BLOCK, &both, NULL);
    print_dashboard(demo);
    printf("Try it:   curl %s/\n"
           "Break it: kill -9 %d        (that is backend one)\n"
           "End it:   Ctrl-C\n",
           demo->url, (int)demo->backends[0].pid);
    fflush(stdout);
    sigwait(&both, &number);
    return stop_all(demo) ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const struct option flags[] = {
        {"lb", required_argument, NULL, 'l'},
        {"backend", required_argument, NULL, 'b'},
        {"stay", no_argument, NULL, 's'},
        {NULL, 0, NULL, 0},
    };
    static struct demo demo;
    int flag;

    while ((flag = getopt_long(argc, argv, "", flags, NULL)) != -1) {
        switch (flag) {
        case 'l': demo.lb_program = optarg; break;
        case 'b': demo.backend_program = optarg; break;
        case 's': demo.stays = true; break;
        default: return 2;
        }
    }
    if (demo.lb_program == NULL || demo.backend_program == NULL) {
        fputs("usage: demo --lb PROGRAM --backend PROGRAM [--stay]\n", stderr);
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    printf("%s over three backends:\n\n", demo.lb_program);
    start_all(&demo);
    return demo.stays ? stay(&demo) : tell(&demo);
}

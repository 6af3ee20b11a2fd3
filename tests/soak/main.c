/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A soak: clients of all manners, while a schedule made from a seed does bad
 * things to backends and all that operators do to steelyard.
 *
 *   warm up     all clients, and nothing bad: now all memory is there that is
 *               needed for this load
 *   rest        no clients; the idle cache runs empty. What steelyard has now,
 *               descriptors and memory, is the baseline
 *   soak        all clients, and the schedule
 *   rest        the same as before; it must have what it had
 *   judge       each request by itself (judge.c), and all of them by counting
 */
#include "client.h"
#include "ledger.h"
#include "plan.h"
#include "report.h"
#include "stand.h"
#include "wait.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

enum {
    WARM_MS = 1500,
    WARM_STOP_MS = 500,
    FILES_MAX = 4096, /* a crowd has that many connections, and more */
    REST_MS = 20000,
    /* Memory counts when it is written to. steelyard keeps up to 256 blocks of
     * 72 KiB for each worker, and it depends on the load how much of each was
     * written to so far: so it may have some more than before, however long the
     * soak is. What it loses with each of 100,000 requests would be more. */
    MEMORY_KIB = 8192,
    LONG_STOP_MS = RESPONSE_MS + 1500,
    TUBES_MAX = 16, /* pairs of descriptors that a worker keeps for splice() */
};

/** What was asked for. */
static struct {
    const char *steelyard, *backend;
    uint64_t seed;
    int64_t seconds;
    long memory_kib; /**< may be more after than before; 0: any */
    bool only_plans, is_loud;
} options = {.steelyard = "final/steelyard",
             .backend = "backend/backend",
             .seconds = 120,
             .memory_kib = MEMORY_KIB};

static struct stand stand;
static struct plan plan;
static struct clients clients;

/** What steelyard has at rest. */
struct baseline {
    long descriptors; /**< without pipes */
    long pipes;
    long memory_kib;
};

static void sleep_until(int64_t ms)
{
    int64_t left = ms - now_ms();

    if (left > 0)
        nanosleep(&(struct timespec){.tv_sec = left / 1000,
                                     .tv_nsec = left % 1000 * 1000000},
                  NULL);
}

/** Nobody is served, and no connection rests. */
static bool is_at_rest(char **metrics)
{
    static const char *const zero[] = {"steelyard_sessions",
                                       "steelyard_requests_in_flight",
                                       "steelyard_requests_waiting"};
    char name[100];

    free(*metrics);
    *metrics = stand_ask(&stand, "GET", "/metrics", NULL, 200);
    if (*metrics == NULL)
        return false;
    for (size_t i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
        if (stand_metric(*metrics, zero[i]) != 0)
            return false;
    for (unsigned i = 0; i < BACKENDS_LASTING; i++) {
        snprintf(name, sizeof(name),
                 "steelyard_backend_in_flight{backend=\"http://127.0.0.1:%u\"}",
                 stand.backends[i].port);
        if (stand_metric(*metrics, name) != 0)
            return false;
    }
    return true;
}

/** Descriptors that are no pipes. */
static long plain_descriptors(void)
{
    long pipes, all = stand_descriptors(&stand, &pipes);

    return all - pipes;
}

/** Wait until it has come to rest: @return what it has then. */
static struct baseline rest(const struct baseline *before, char **metrics)
{
    struct baseline now;

    if (!holds_within(REST_MS, is_at_rest(metrics)))
        report_wrong("nobody is there, and it does not come to rest: "
                     "sessions %.0f, in flight %.0f, waiting %.0f",
                     stand_metric(*metrics, "steelyard_sessions"),
                     stand_metric(*metrics, "steelyard_requests_in_flight"),
                     stand_metric(*metrics, "steelyard_requests_waiting"));
    /* Upstream connections rest for a second; what is probed has one, too. */
    if (before == NULL)
        sleep_until(now_ms() + patience(2500));
    else
        (void)holds_within(5000, plain_descriptors() <= before->descriptors);
    now.descriptors = stand_descriptors(&stand, &now.pipes);
    now.descriptors -= now.pipes;
    for (int i = 0; i < 20; i++) { /* a probe may be under way */
        long count = plain_descriptors();

        if (count < now.descriptors)
            now.descriptors = count;
        pause_briefly();
    }
    now.memory_kib = process_memory(&stand.lb);
    return now;
}

static void compare(const struct baseline *before, const struct baseline *after)
{
    /* A new process has not opened all that an old one keeps. */
    if (stand.hand_overs > 0 ? after->descriptors > before->descriptors
                             : after->descriptors != before->descriptors)
        report_wrong("descriptors: %ld before, %ld after", before->descriptors,
                     after->descriptors);
    if (after->pipes > before->pipes + 4 * TUBES_MAX * WORKERS)
        report_wrong("ends of pipes: %ld", after->pipes);
    report_check("descriptors are what they were: %ld (and %ld, %ld ends of "
                 "pipes)",
                 after->descriptors, before->pipes, after->pipes);
    if (options.memory_kib == 0)
        return;
    if (after->memory_kib > before->memory_kib + options.memory_kib)
        report_wrong(
            "memory: %ld KiB before, %ld KiB after; %ld KiB more would "
            "do",
            before->memory_kib, after->memory_kib, options.memory_kib);
    report_check("memory is what it was: %ld KiB before, %ld KiB after",
                 before->memory_kib, after->memory_kib);
}

static void soak(void)
{
    int64_t began;

    report_begin(options.is_loud);
    began = now_ms();
    clients_start(&clients);
    for (size_t i = 0; i < plan.count; i++) {
        sleep_until(began + plan.steps[i].at_ms);
        stand_do(&stand, &plan.steps[i]);
    }
    sleep_until(began + options.seconds * 1000);
    clients_stop(&clients);
    report_check(
        "%zu deeds were done as planned, %u of them configurations, %u "
        "hand-overs",
        plan.count, stand.reloads, stand.hand_overs);
}

static void signal_all(int number)
{
    for (unsigned i = 0; i < BACKENDS; i++)
        kill(stand.backends[i].process.pid, number);
}

/**
 * All clients, and a crowd that comes while all backends are stopped: each of its
 * requests waits in steelyard's memory, so that it keeps more of it spare than
 * the load of the soak ever needs. What it has then is the baseline. Nothing may
 * fail here: no limit is reached.
 */
static void warm_up(void)
{
    struct wire *crowd;

    clients_start(&clients);
    sleep_until(now_ms() + WARM_MS);
    signal_all(SIGSTOP);
    crowd = crowd_begin(&stand);
    sleep_until(now_ms() + WARM_STOP_MS);
    signal_all(SIGCONT);
    crowd_end(crowd);
    sleep_until(now_ms() + WARM_MS);
    clients_stop(&clients);
}

static bool run(void)
{
    struct baseline before, after;
    struct ledger ledger;
    char *metrics = NULL;

    report_begin(options.is_loud);
    if (!stand_open(&stand)) {
        report_check("everything starts");
        return report_end();
    }
    clients_init(&clients, &stand, options.seed);
    warm_up();
    before = rest(NULL, &metrics);
    report_check("it comes to rest after a warm-up");
    soak();
    after = rest(&before, &metrics);
    report_check("it comes to rest: no session, nothing in flight");
    compare(&before, &after);
    stand_ask_last(&stand);
    (void)holds_within(3000, is_at_rest(&metrics));
    ledger_read(&ledger, &stand, &clients);
    judge_requests(&ledger, &clients);
    judge_counters(&ledger, &stand, metrics);
    stand_close(&stand);
    report_check(
        "steelyard ends well, and has found nothing wrong with itself");
    ledger_free(&ledger);
    free(metrics);
    return report_end();
}

static int usage(const char *program)
{
    fprintf(stderr,
            "usage: %s [--steelyard PATH] [--backend PATH] [--seconds N]\n"
            "    [--seed N] [--memory KIB] [--plan] [--loud]\n",
            program);
    return 2;
}

static bool parse(int argc, char **argv)
{
    static const struct option names[] = {
        {"steelyard", required_argument, NULL, 'l'},
        {"backend", required_argument, NULL, 'b'},
        {"seconds", required_argument, NULL, 't'},
        {"seed", required_argument, NULL, 's'},
        {"memory", required_argument, NULL, 'm'},
        {"plan", no_argument, NULL, 'p'},
        {"loud", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int option;

    options.seed = (uint64_t)time(NULL) % 100000;
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1)
        switch (option) {
        case 'l': options.steelyard = optarg; break;
        case 'b': options.backend = optarg; break;
        case 't': options.seconds = strtol(optarg, NULL, 10); break;
        case 's': options.seed = strtoull(optarg, NULL, 10); break;
        case 'm': options.memory_kib = strtol(optarg, NULL, 10); break;
        case 'p': options.only_plans = true; break;
        case 'v': options.is_loud = true; break;
        default: return false;
        }
    return optind == argc && options.seconds >= 5;
}

/** Asked to end: a process that was handed over to is no child of ours, and would
 * stay. */
static void on_signal(int number)
{
    (void)number;
    if (stand.lb.pid > 0)
        kill(stand.lb.pid, SIGKILL);
    _exit(1);
}

/** Whom our children leave behind is ours. */
static void mind_children(void)
{
    struct rlimit limit;

#ifdef __linux__
    prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < FILES_MAX) {
        limit.rlim_cur =
            limit.rlim_max < FILES_MAX ? limit.rlim_max : FILES_MAX;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
}

int main(int argc, char **argv)
{
    struct plan_wish wish = {.long_stop_ms = LONG_STOP_MS};
    bool passed;

    if (!parse(argc, argv))
        return usage(argv[0]);
    wish.seed = options.seed;
    wish.length_ms = options.seconds * 1000;
    wish.hands_over = stand_can_hand_over(options.steelyard);
    plan_make(&plan, &wish);
    if (options.only_plans) {
        plan_print(&plan, stdout);
        return 0;
    }
    printf("seed %llu, %lld s, %zu deeds\n", (unsigned long long)options.seed,
           (long long)options.seconds, plan.count);
    fflush(stdout);
    mind_children();
    curl_global_init(CURL_GLOBAL_ALL);
    stand.steelyard = options.steelyard;
    stand.backend = options.backend;
    passed = run();
    if (passed)
        stand_forget(&stand);
    else
        printf("its files stay in %s\n", stand.folder);
    return passed ? 0 : 1;
}

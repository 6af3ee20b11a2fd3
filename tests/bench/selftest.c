/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The origin serves as a balancer whose cost is known: it can be told how much
 * processor time each request shall burn, and to answer wrongly. Here it runs
 * with no backends behind it; for each test it is started anew.
 */
#include "selftest.h"

#include "accounts.h"
#include "body.h"
#include "calls.h"
#include "clients.h"
#include "load.h"
#include "table.h"
#include "verdict.h"
#include "wait.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    BURNT_US = 500, /* by each request, in the test of that */
    BURNT_MS = 60,  /* by each member of a family */
};

static unsigned passed, failed;

static void expect(bool holds, const char *what)
{
    printf("%s: %s\n", holds ? "ok" : "FAILED", what);
    passed += holds;
    failed += !holds;
}

static bool is_near(double value, double right, double tolerance)
{
    return value >= right * (1 - tolerance) && value <= right * (1 + tolerance);
}

/* --- what is made of numbers --------------------------------------------- */

static void test_medians(void)
{
    double odd[] = {9, 1, 5}, even[] = {4, 1, 3, 100};

    expect(is_near(median_of(odd, 3), 5, 0), "the median of three");
    expect(is_near(median_of(even, 4), 3.5, 0), "the median of four");
}

/** A machine that is three times slower in its second minute must not change
 * a ratio, though it changes the medians. */
static void test_ratios(void)
{
    static struct results results;
    static const double ours[] = {10, 30, 10}, theirs[] = {20, 60, 60};
    const struct contestant *who = contestants_all();
    size_t i;

    results.contestants[0] = &who[0];
    results.contestants[1] = &who[1];
    results.contestant_count = 2;
    results.workload_count = 1;
    results.repetitions = 3;
    for (i = 0; i < 3; i++) {
        results.figures[0][0][i] =
            (struct figure){.is_taken = true, .cost = ours[i]};
        results.figures[0][1][i] =
            (struct figure){.is_taken = true, .cost = theirs[i]};
    }
    expect(is_near(ratio_of(&results, 0, 0, "haproxy"), 0.5, 0),
           "a ratio is that of figures of the same turn");
    results.figures[0][1][0].is_taken = false;
    expect(is_near(ratio_of(&results, 0, 0, "haproxy"), 1.0 / 3, 0.001),
           "a turn that one of them missed does not count");
    expect(ratio_of(&results, 0, 0, "nobody") <= 0,
           "there is no ratio to who was not there");
}

static void test_strace_output(void)
{
    static const char text[] =
        "% time     seconds  usecs/call     calls    errors syscall\n"
        "------ ----------- ----------- --------- --------- --------------\n"
        " 60.00    0.006000           3       200           sendto\n"
        " 40.00    0.004000           2       210        10 recvfrom\n"
        "------ ----------- ----------- --------- --------- --------------\n"
        "100.00    0.010000           2       410        10 total\n";
    struct calls calls;

    calls_read(&calls, text, 100);
    expect(calls.count == 2 && is_near(calls.sum, 4.1, 0.001),
           "what strace counts is divided by requests");
    expect(strcmp(calls.list[0].name, "recvfrom") == 0 &&
               is_near(calls.list[0].each, 2.1, 0.001),
           "the most frequent call comes first");
}

/** How many complaints there are about such an outcome. */
static unsigned judged(struct wrk_count count, unsigned long answered)
{
    complaints_hush(true);
    wrk_judge(&count, workloads_all(), answered);
    complaints_hush(false);
    return complaints_take();
}

static void test_judging(void)
{
    static const char text[] = "Running 1s test\nbench\trequests 100\t"
                               "bytes 20000\tconnect 0\tread 0\twrite 0\t"
                               "status 0\ttimeout 0\n";
    struct wrk_count right, wrong;

    expect(wrk_read(text, &right) && right.requests == 100 &&
               right.bytes == 20000,
           "what wrk has counted is read");
    expect(!wrk_read("Running 1s test\n", &wrong), "a wrk that broke off");
    expect(judged(right, 110) == 0, "no complaint when all is right");
    expect(judged(right, 90) == 1, "answers that no backend gave");
    expect(judged(right, 300) == 1, "requests that were done twice");
    wrong = right;
    wrong.status = 1;
    expect(judged(wrong, 110) == 1, "one answer that was an error");
    wrong = right;
    wrong.read = 1;
    expect(judged(wrong, 110) == 1, "one connection that broke");
    wrong = right;
    wrong.bytes = 100;
    expect(judged(wrong, 110) == 1, "bodies that were not there");
}

/* --- processor time ------------------------------------------------------ */

/** Burn some time, say so, and live on. */
static void *burn_and_rest(void *done)
{
    struct timespec now;
    long ms;

    do {
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
        ms = (long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    } while (ms < BURNT_MS);
    if (write(*(int *)done, "x", 1) == 1)
        for (;;)
            pause();
    return NULL;
}

/** A process with a second thread and a child: each burns the same time. */
static void family_live(int done)
{
    pthread_t thread;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (fork() == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    else
        pthread_create(&thread, NULL, burn_and_rest, &done);
    burn_and_rest(&done);
    _exit(1);
}

/** Start a family; its pipe says when a member has burnt its time. */
static pid_t family_start(int *done)
{
    int ends[2];
    pid_t root;

    if (pipe(ends) != 0)
        return 0;
    root = fork();
    if (root == 0)
        family_live(ends[1]);
    close(ends[1]);
    *done = ends[0];
    return root;
}

static void test_family(void)
{
    const double burnt = 3 * BURNT_MS / 1e3;
    struct usage used;
    int done, i;
    pid_t root = family_start(&done);
    bool is_good = root > 0;
    char byte;

    for (i = 0; i < 3 && is_good; i++)
        is_good = read(done, &byte, 1) == 1;
    expect(is_good, "a family burns time");
    if (root <= 0)
        return;
    used = usage_of(root);
    kill(root, SIGKILL);
    waitpid(root, NULL, 0);
    close(done);
    printf("three burnt %.0f ms: %.1f by the scheduler, %.0f in ticks\n",
           burnt * 1e3, used.all * 1e3, used.ticks * 1e3);
    expect(used.all >= burnt * 0.99 && used.all < burnt + 0.1,
           "the time of a process, its thread and its child is measured");
    expect(used.ticks > used.all - 0.1 && used.ticks < used.all + 0.1,
           "the two accounts of the kernel agree");
}

/** The origin alone, as if it were a balancer. */
static struct figure alone_run(const struct setting *setting, const char *flag,
                               const char *value)
{
    static const struct contestant itself = {.name = "origin"};
    const struct workload *workload = workloads_all();
    struct figure figure = {.is_taken = false};
    struct balancer balancer = {.contestant = &itself};
    struct origin origin;

    if (!origin_start(&origin, setting, flag, value))
        return figure;
    balancer.process = origin.process;
    balancer.port = origin.port;
    figure = load_run(workload, &balancer, setting, &origin, 1);
    origin_stop(&origin);
    return figure;
}

static void test_burning(const struct setting *setting)
{
    char burnt[16];
    struct figure idle, busy;

    snprintf(burnt, sizeof(burnt), "%d", BURNT_US);
    idle = alone_run(setting, "--burn", "0");
    busy = alone_run(setting, "--burn", burnt);
    printf("a request costs %.1f us, and %.1f us (%.1f of its own) when it "
           "burns %d\n",
           idle.cost, busy.cost, busy.user, BURNT_US);
    expect(idle.is_taken && busy.is_taken && complaints_take() == 0,
           "both runs were good");
    expect(is_near(busy.cost, BURNT_US + idle.cost, 0.05),
           "the time that a request burns is measured");
    expect(is_near(busy.user, BURNT_US, 0.4),
           "most of it is the program's own");
}

/* --- wrong answers ------------------------------------------------------- */

static void test_wrong(const struct setting *setting, const char *how)
{
    char what[64];

    snprintf(what, sizeof(what), "a wrong %s is noticed", how);
    complaints_hush(true);
    alone_run(setting, "--wrong", how);
    complaints_hush(false);
    expect(complaints_take() > 0, what);
}

static void test_crowd(const struct setting *setting)
{
    struct crowd *crowd;
    struct origin origin;
    unsigned long count;

    if (!origin_start(&origin, setting, NULL, NULL)) {
        expect(false, "the origin could be started");
        return;
    }
    crowd = crowd_open(origin.port, 7);
    expect(crowd != NULL && crowd_ask(crowd, 100, 100000, false) == 100 &&
               crowd_ask(crowd, 100, 128, true) == 100 &&
               crowd_ask(crowd, 3, 0, false) == 3,
           "a crowd gets what it asks for");
    crowd_close(&crowd);
    count = origin.tally->answers;
    expect(count == 203, "and asks exactly so often");
    origin_stop(&origin);
}

unsigned selftest_run(const struct setting *setting)
{
    test_medians();
    test_ratios();
    test_strace_output();
    test_judging();
    test_family();
    test_crowd(setting);
    test_burning(setting);
    test_wrong(setting, "byte");
    test_wrong(setting, "short");
    test_wrong(setting, "status");
    printf("%u passed, %u failed\n", passed, failed);
    return failed;
}

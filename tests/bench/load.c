/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * wrk makes the load, for a whole second or more. The figures are taken in the
 * middle of that time, when all connections are there: at its two ends we look
 * at the kernel's account of the balancer and at the origin's count of what it
 * has answered. So neither the start nor the end of wrk is in them. Meanwhile
 * a client of our own asks now and then, and reads every byte.
 */
#include "load.h"

#include "accounts.h"
#include "body.h"
#include "clients.h"
#include "verdict.h"
#include "wait.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    LEAD_MS = 300,    /* after the start of wrk, until all is in full swing */
    TAIL_MS = 50,     /* left before the end of wrk */
    TASTES = 3,       /* answers that are read whole, in each run */
    WAVE = 50,        /* idle clients are made so many at a time */
    WAVES_MOST = 200, /* more of them than any workload wants */
    SETTLE_MS = 300,  /* after the last of them */
};

static const struct workload all[] = {
    {"keep-alive, 128 B, 64 connections", 128, 64, "0.75 x HAProxy",
     UNIT_MICROSECONDS, 'a', false},
    {"keep-alive, 16 KiB, 64 connections", 16 * 1024, 64, "0.75 x HAProxy",
     UNIT_MICROSECONDS, 'b', false},
    {"keep-alive, 1 MiB, 16 connections", 1024 * 1024, 16, "0.60 x HAProxy",
     UNIT_GIB_SECONDS, 'c', false},
    {"connection per request, 128 B, 64 at a time", 128, 64, "0.70 x HAProxy",
     UNIT_MICROSECONDS, 'd', true},
    {"keep-alive, 128 B, 1000 connections", 128, 1000, "0.65 x HAProxy",
     UNIT_MICROSECONDS, 'e', false},
    {"memory of idle client connections", 128, 9000, "400 bytes", UNIT_BYTES,
     'f', false},
    {NULL, 0, 0, NULL, UNIT_BYTES, 0, false},
};

const struct workload *workloads_all(void)
{
    return all;
}

/* --- wrk ----------------------------------------------------------------- */

bool wrk_read(const char *text, struct wrk_count *count)
{
    const char *begin = strstr(text, "bench\t");

    return begin != NULL &&
           sscanf(begin,
                  "bench\trequests %lu\tbytes %lu\tconnect %lu\tread %lu"
                  "\twrite %lu\tstatus %lu\ttimeout %lu",
                  &count->requests, &count->bytes, &count->connect,
                  &count->read, &count->write, &count->status,
                  &count->timeout) == 7;
}

void wrk_judge(const struct wrk_count *count, const struct workload *workload,
               unsigned long answered)
{
    unsigned long most = count->requests + workload->clients + TASTES + 1;

    if (count->connect + count->read + count->write + count->timeout > 0)
        complain("wrk could not connect %lu times, not read %lu times, not "
                 "write %lu times, and waited in vain %lu times",
                 count->connect, count->read, count->write, count->timeout);
    if (count->status > 0)
        complain("%lu of %lu answers were errors", count->status,
                 count->requests);
    if (count->requests == 0)
        complain("wrk got no answer at all");
    if (count->bytes < count->requests * workload->size)
        complain("%lu answers of %zu bytes came in %lu bytes", count->requests,
                 workload->size, count->bytes);
    if (answered < count->requests || answered > most)
        complain("wrk got %lu answers, but the backends gave %lu",
                 count->requests, answered);
}

static bool wrk_start(struct process *wrk, const struct workload *workload,
                      unsigned port, unsigned seconds)
{
    char clients[24], duration[16], timeout[24], url[64];
    const char *argv[] = {program_find("wrk"),
                          "-t1",
                          "-c",
                          clients,
                          "-d",
                          duration,
                          "--timeout",
                          timeout,
                          "-s",
                          "tests/bench/bench.lua",
                          url,
                          workload->one_each ? "-H" : NULL,
                          "Connection: close",
                          NULL};

    snprintf(clients, sizeof(clients), "%zu", workload->clients);
    snprintf(duration, sizeof(duration), "%us", seconds);
    snprintf(timeout, sizeof(timeout), "%lds", (long)patience(20000) / 1000);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/bytes/%zu", port,
             workload->size);
    if (argv[0] != NULL && process_start(wrk, argv))
        return true;
    complain("wrk could not be started");
    return false;
}

/** Wait for its end; what it has counted. */
static bool wrk_end(struct process *wrk, unsigned seconds,
                    struct wrk_count *count)
{
    int status = -1;
    bool is_good =
        holds_within(seconds * 1000 + 5000, process_has_ended(wrk, &status));
    char *text = process_text(wrk->out);

    process_kill(wrk);
    is_good = is_good && status == 0 && wrk_read(text, count);
    if (!is_good && !interrupted())
        complain("wrk did not end well");
    free(text);
    close(wrk->out);
    close(wrk->err);
    return is_good;
}

/* --- a run with load ----------------------------------------------------- */

/** All accounts at one moment. */
struct moment {
    double seconds;
    struct usage balancer, origin, wrk, bench;
    double cores;
    unsigned long answers, bytes;
};

static double clock_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct moment moment_now(const struct balancer *balancer,
                                const struct process *wrk,
                                const struct setting *setting,
                                const struct origin *origin)
{
    struct moment moment = {
        /* First the two that the figure is made of, one next to the other. */
        .balancer = usage_of(balancer->process.pid),
        .answers = origin->tally->answers,
        .bytes = origin->tally->bytes,
        .seconds = clock_seconds(),
        .origin = usage_of(origin->process.pid),
        .wrk = usage_of(wrk->pid),
    };

    moment.bench.all = (double)clock() / CLOCKS_PER_SEC;
    moment.cores = core_busy(setting->balancer_core);
    if (setting->core_count > 1)
        moment.cores += core_busy(setting->load_core);
    return moment;
}

/** What part of the cores was used by none of ours. */
static double others_between(const struct moment *from, const struct moment *to,
                             const struct setting *setting)
{
    double ours = usage_since(from->balancer, to->balancer).all +
                  usage_since(from->origin, to->origin).all +
                  usage_since(from->wrk, to->wrk).all + to->bench.all -
                  from->bench.all;
    double share =
        (to->cores - from->cores - ours) /
        ((to->seconds - from->seconds) * (double)setting->core_count);

    return share > 0 ? share : 0;
}

static struct figure figure_make(const struct workload *workload,
                                 const struct moment *from,
                                 const struct moment *to,
                                 const struct setting *setting)
{
    struct usage used = usage_since(from->balancer, to->balancer);
    double seconds = to->seconds - from->seconds;
    double answers = (double)(to->answers - from->answers);
    double gib = (double)(to->bytes - from->bytes) / (1 << 30);
    struct figure figure = {.is_taken = answers > 0 && used.all > 0};

    if (!figure.is_taken)
        return figure;
    figure.cost = workload->unit == UNIT_GIB_SECONDS ? used.all / gib
                                                     : used.all / answers * 1e6;
    /* The ticks tell the parts, the scheduler tells the whole. */
    figure.user = used.ticks > 0 ? used.all * used.user / used.ticks : 0;
    figure.user *= 1e6 / answers;
    figure.rate = answers / seconds;
    figure.busy = used.all / seconds;
    figure.others = others_between(from, to, setting);
    figure.between = fabs(used.ticks - used.all) / used.all;
    figure.answers = to->answers - from->answers;
    return figure;
}

/** Let the time of measuring pass, tasting an answer now and then. */
static bool taste_for(const struct workload *workload, unsigned port, long ms)
{
    int i;

    for (i = 0; i < TASTES && !interrupted(); i++) {
        let_pass(ms / (TASTES + 1));
        if (!interrupted() && !taste(port, workload->size, workload->one_each))
            return false;
    }
    return true;
}

static struct figure busy_run(const struct workload *workload,
                              const struct balancer *balancer,
                              const struct setting *setting,
                              const struct origin *origin, unsigned seconds)
{
    unsigned long before = origin->tally->answers;
    int64_t end = now_ms() + seconds * 1000 - TAIL_MS;
    struct wrk_count count;
    struct moment from, to;
    struct process wrk;

    if (!wrk_start(&wrk, workload, balancer->port, seconds))
        return (struct figure){0};
    let_pass(LEAD_MS);
    from = moment_now(balancer, &wrk, setting, origin);
    taste_for(workload, balancer->port, end - now_ms());
    let_pass(end - now_ms());
    to = moment_now(balancer, &wrk, setting, origin);
    if (!wrk_end(&wrk, seconds, &count))
        return (struct figure){0};
    wrk_judge(&count, workload, origin->tally->answers - before);
    return figure_make(workload, &from, &to, setting);
}

/* --- a run without ------------------------------------------------------- */

/** Open connections wave by wave, with one request on each. */
static size_t waves_open(struct crowd **waves, size_t count,
                         const struct workload *workload, unsigned port)
{
    size_t i;

    for (i = 0; i < count && !interrupted(); i++) {
        waves[i] = crowd_open(port, WAVE);
        if (waves[i] == NULL ||
            crowd_ask(waves[i], WAVE, workload->size, false) != WAVE)
            break;
    }
    return i;
}

/** How much memory do connections take that do nothing? */
static struct figure idle_run(const struct workload *workload,
                              const struct balancer *balancer,
                              const struct setting *setting)
{
    size_t most = workload->clients < setting->idle_most ? workload->clients
                                                         : setting->idle_most;
    size_t count = most / WAVE, made, i;
    struct crowd *waves[WAVES_MOST] = {NULL};
    struct figure figure = {0};
    double before;

    taste(balancer->port, workload->size, false);
    let_pass(SETTLE_MS);
    before = memory_of(balancer->process.pid);
    made = waves_open(waves, count, workload, balancer->port);
    let_pass(SETTLE_MS);
    if (made > 0 && made == count) {
        figure.is_taken = true;
        figure.answers = made * WAVE;
        figure.cost = (memory_of(balancer->process.pid) - before) /
                      (double)figure.answers;
    }
    for (i = 0; i <= made && i < count; i++)
        crowd_close(&waves[i]);
    return figure;
}

struct figure load_run(const struct workload *workload,
                       const struct balancer *balancer,
                       const struct setting *setting,
                       const struct origin *origin, unsigned seconds)
{
    if (workload->unit == UNIT_BYTES)
        return idle_run(workload, balancer, setting);
    return busy_run(workload, balancer, setting, origin, seconds);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What does it cost to balance a request? The same loads on several
 * balancers, in turns, and one table. README.md in this folder tells how to
 * read it.
 *
 * From top to bottom: what was asked for, the machine, the runs, the counting
 * of system calls, main().
 */
#include "accounts.h"
#include "calls.h"
#include "clients.h"
#include "contestants.h"
#include "guard.h"
#include "load.h"
#include "selftest.h"
#include "table.h"
#include "verdict.h"
#include "wait.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
    "usage: tests/bench/bench [--full] [--only LETTERS] [--json FILE]\n"
    "                         [--contestants NAME,NAME,...]\n"
    "                         [--add 'NAME=COMMAND'] [--repetitions N]\n"
    "                         [--seconds N]\n"
    "       tests/bench/bench --calls [--check] [...]\n"
    "       tests/bench/bench --selftest\n"
    "\n"
    "Compare what balancers cost; print a table in Markdown.\n"
    "\n"
    "  --full         seven repetitions of three seconds, ten minutes in all,\n"
    "                 not three of one second in two minutes\n"
    "  --only         of the workloads a to f, such as ad\n"
    "  --json         write every single figure to this file\n"
    "  --contestants  of: steelyard, haproxy, haproxy-splice, nginx, floor\n"
    "  --add          one more; {port} and {backends} in its command are\n"
    "                 filled in; with `--port 0` it must print where it\n"
    "                 listens, as ours do\n"
    "  --calls        count system calls instead\n"
    "  --check        and fail if steelyard makes more than it should\n"
    "  --selftest     does the bench measure what it says?\n"
    "\n"
    "It ends with 1 when an answer was wrong, never because of a figure.\n";

enum {
    REDO_MOST = 2,   /* times that a run is done again */
    REDO_SHARE = 10, /* of all runs, one in so many may be */
    ADDED_MOST = 8,  /* contestants on the command line */
    IDLE_MOST = 9000 /* client connections of workload (f) */
};

/** Above this, others took too much of the cores for a figure to be good. */
static const double others_most = 0.10;

/** What was asked for. */
struct wishes {
    bool full, calls, check, selftest;
    const char *only, *json, *names;
    unsigned repetitions, seconds;
    struct contestant added[ADDED_MOST];
    size_t added_count;
};

/* --- what was asked for -------------------------------------------------- */

/** `NAME=COMMAND` from the command line. */
static bool add_contestant(struct wishes *wishes, char *text)
{
    char *equals = strchr(text, '=');

    if (equals == NULL || equals == text || wishes->added_count == ADDED_MOST ||
        strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") !=
            (size_t)(equals - text))
        return false;
    *equals = '\0';
    wishes->added[wishes->added_count++] =
        (struct contestant){.name = text, .command = equals + 1};
    return true;
}

static bool number_read(const char *text, unsigned most, unsigned *number)
{
    *number = (unsigned)strtoul(text, NULL, 10);
    return *number >= 1 && *number <= most;
}

/** A flag without a value. */
static bool switch_read(const char *flag, struct wishes *wishes)
{
    if (strcmp(flag, "--full") == 0)
        wishes->full = true;
    else if (strcmp(flag, "--calls") == 0)
        wishes->calls = true;
    else if (strcmp(flag, "--check") == 0)
        wishes->check = true;
    else if (strcmp(flag, "--selftest") == 0)
        wishes->selftest = true;
    else
        return false;
    return true;
}

/** A flag with a value. */
static bool flag_read(const char *flag, char *value, struct wishes *wishes)
{
    if (strcmp(flag, "--only") == 0)
        wishes->only = value;
    else if (strcmp(flag, "--json") == 0)
        wishes->json = value;
    else if (strcmp(flag, "--contestants") == 0)
        wishes->names = value;
    else if (strcmp(flag, "--add") == 0)
        return add_contestant(wishes, value);
    else if (strcmp(flag, "--repetitions") == 0)
        return number_read(value, REPETITIONS_MOST, &wishes->repetitions);
    else if (strcmp(flag, "--seconds") == 0)
        return number_read(value, 60, &wishes->seconds);
    else
        return false;
    return true;
}

static bool wishes_read(char **argv, struct wishes *wishes)
{
    for (argv++; *argv != NULL; argv++) {
        if (switch_read(*argv, wishes))
            continue;
        if (argv[1] == NULL || !flag_read(argv[0], argv[1], wishes))
            return false;
        argv++;
    }
    if (wishes->repetitions == 0)
        wishes->repetitions = wishes->full ? 7 : 3;
    if (wishes->seconds == 0)
        wishes->seconds = wishes->full ? 3 : 1;
    return wishes->only == NULL ||
           strspn(wishes->only, "abcdef") == strlen(wishes->only);
}

/** Is this name in a list with commas? */
static bool is_listed(const char *list, const char *name)
{
    size_t length = strlen(name);

    while (list != NULL && *list != '\0') {
        size_t here = strcspn(list, ",");

        if (here == length && strncmp(list, name, length) == 0)
            return true;
        list += here + (list[here] == ',');
    }
    return list == NULL;
}

/** Is every name in the list one that we know? If not, say which. */
static bool names_are_known(const char *names)
{
    const struct contestant *all = contestants_all();
    size_t i, length;

    for (; names != NULL && *names != '\0'; names += length) {
        names += *names == ',';
        length = strcspn(names, ",");
        for (i = 0; all[i].name != NULL; i++)
            if (strlen(all[i].name) == length &&
                strncmp(all[i].name, names, length) == 0)
                break;
        if (all[i].name == NULL) {
            note("nobody is called \"%.*s\"", (int)length, names);
            return false;
        }
    }
    return true;
}

/** Who takes part, and in what. False when there is nobody. */
static bool results_prepare(struct results *results,
                            const struct wishes *wishes)
{
    const struct contestant *contestant;
    const struct workload *workload;
    size_t i;

    results->repetitions = wishes->repetitions;
    results->seconds = wishes->seconds;
    for (contestant = contestants_all(); contestant->name != NULL; contestant++)
        if (is_listed(wishes->names, contestant->name) &&
            contestant_is_here(contestant))
            results->contestants[results->contestant_count++] = contestant;
    for (i = 0; i < wishes->added_count; i++)
        if (contestant_is_here(&wishes->added[i]))
            results->contestants[results->contestant_count++] =
                &wishes->added[i];
    for (workload = workloads_all(); workload->letter != 0; workload++)
        if (wishes->only == NULL || strchr(wishes->only, workload->letter))
            results->workloads[results->workload_count++] = workload;
    return results->contestant_count > 0;
}

/* --- the machine --------------------------------------------------------- */

/** Write a setting of the kernel; it is no harm if that may not be. */
static void kernel_set(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (write(fd, value, strlen(value)) < 0)
        note("%s stays as it is", path);
    close(fd);
}

/** A network of our own, where no port can be in use: root may have that. */
static void network_leave(void)
{
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd;

    if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0)
        return;
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &loopback) != 0)
        note("the loopback of our own network does not work");
    if (fd >= 0)
        close(fd);
    kernel_set("/proc/sys/net/ipv4/ip_local_port_range", "10000 65000");
    kernel_set("/proc/sys/net/core/somaxconn", "4096");
}

static void descriptors_raise(struct setting *setting)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    setting->idle_most = IDLE_MOST;
    if (limit.rlim_cur / 2 < IDLE_MOST + 300)
        setting->idle_most =
            limit.rlim_cur > 700 ? (limit.rlim_cur - 600) / 2 : 50;
}

static bool setting_make(struct setting *setting)
{
    int cores[2] = {0, 0};

    setting->core_count = cores_allowed(cores, 2);
    setting->balancer_core = cores[0];
    setting->load_core = setting->core_count > 1 ? cores[1] : cores[0];
    descriptors_raise(setting);
    mkdir("build", 0777);
    mkdir("build/bench", 0777);
    mkdir("build/bench/run", 0777);
    return realpath("build/bench/run", setting->folder) != NULL;
}

/* --- the runs ------------------------------------------------------------ */

/** May a run be done again? Not so often that the bench takes much longer. */
static bool may_redo(const struct results *results)
{
    size_t runs = results->repetitions * results->workload_count *
                  results->contestant_count;

    return results->redone < runs / REDO_SHARE + 1;
}

/** One contestant, one workload, once. */
static struct figure run_once(const struct workload *workload,
                              const struct contestant *contestant,
                              const struct setting *setting,
                              const struct origin *origin, unsigned seconds)
{
    struct figure figure = {.is_taken = false};
    struct balancer balancer;

    if (!contestant_start(&balancer, contestant, setting, origin))
        return figure;
    if (taste(balancer.port, workload->size, false))
        figure = load_run(workload, &balancer, setting, origin, seconds);
    contestant_stop(&balancer);
    return figure;
}

/** The same, and again when others took the cores; the quietest counts. */
static struct figure run_quietly(struct results *results, size_t w, size_t c,
                                 const struct setting *setting,
                                 const struct origin *origin)
{
    struct figure best = {.is_taken = false};
    int redone = 0;

    for (;;) {
        struct figure figure =
            run_once(results->workloads[w], results->contestants[c], setting,
                     origin, results->seconds);

        if (!best.is_taken || (figure.is_taken && figure.others < best.others))
            best = figure;
        if (best.others <= others_most || interrupted() ||
            redone == REDO_MOST || !may_redo(results))
            return best;
        redone++;
        results->redone++;
    }
}

/** Does this one take part in this workload, this time? What is idle is
 * quiet: memory is measured no more than three times. */
static bool takes_part(const struct results *results, size_t w, size_t c,
                       size_t repetition)
{
    const struct workload *workload = results->workloads[w];
    const char *only = results->contestants[c]->only;
    size_t most = results->repetitions > 3 ? 3 : 1;

    return (only == NULL || strchr(only, workload->letter) != NULL) &&
           (workload->unit != UNIT_BYTES || repetition < most);
}

static void run_turn(struct results *results, size_t w, size_t repetition,
                     const struct setting *setting, const struct origin *origin)
{
    size_t c;

    for (c = 0; c < results->contestant_count && !interrupted(); c++)
        if (takes_part(results, w, c, repetition))
            results->figures[w][c][repetition] =
                run_quietly(results, w, c, setting, origin);
}

/** All runs; the table. */
static void compare(struct results *results, const struct setting *setting,
                    const struct origin *origin, const char *json)
{
    size_t i, w;

    for (i = 0; i < results->repetitions && !interrupted(); i++)
        for (w = 0; w < results->workload_count && !interrupted(); w++) {
            note("turn %zu of %zu, (%c) %s", i + 1, results->repetitions,
                 results->workloads[w]->letter, results->workloads[w]->title);
            run_turn(results, w, i, setting, origin);
        }
    if (interrupted())
        return;
    table_print(results, setting, stdout);
    if (json != NULL && !table_save(results, json))
        complain("cannot write %s: %s", json, strerror(errno));
}

/* --- system calls -------------------------------------------------------- */

/** What steelyard has promised, for each request of a workload. */
static const struct {
    char letter;
    double most;
} promises[] = {{'a', 4.6}, {'d', 7}, {'c', 16}};

static void calls_print(const struct calls *calls,
                        const struct workload *workload, const char *name)
{
    size_t i;

    printf("| (%c) | %-14s | %6.2f | ", workload->letter, name, calls->sum);
    for (i = 0; i < calls->count && calls->list[i].each >= 0.005; i++)
        printf("%s%s %.2f", i == 0 ? "" : ", ", calls->list[i].name,
               calls->list[i].each);
    puts(" |");
    fflush(stdout);
}

/** Count for one contestant; the sum, or 0 when that went wrong. */
static double calls_of(const struct workload *workload,
                       const struct contestant *contestant,
                       const struct setting *setting,
                       const struct origin *origin)
{
    struct balancer balancer;
    struct calls calls;
    bool is_good;

    if (!contestant_start(&balancer, contestant, setting, origin))
        return 0;
    is_good = calls_count(&calls, workload, &balancer);
    contestant_stop(&balancer);
    if (!is_good)
        return 0;
    calls_print(&calls, workload, contestant->name);
    return calls.sum;
}

/** The row of a workload in the list of promises. */
static double promised(const struct workload *workload)
{
    size_t i;

    for (i = 0; i < sizeof(promises) / sizeof(promises[0]); i++)
        if (promises[i].letter == workload->letter)
            return promises[i].most;
    return 0;
}

/** Count the calls of all in the workloads that something is promised of. */
static void count_calls(const struct results *results,
                        const struct setting *setting,
                        const struct origin *origin)
{
    size_t w, c;

    puts("System calls for each request:\n\n"
         "|     | balancer       |    all | which |\n"
         "| --- | --- | ---: | --- |");
    for (w = 0; w < results->workload_count; w++)
        for (c = 0; c < results->contestant_count && !interrupted(); c++)
            if (promised(results->workloads[w]) > 0 &&
                takes_part(results, w, c, 0))
                calls_of(results->workloads[w], results->contestants[c],
                         setting, origin);
}

/** Does steelyard keep its promises? */
static void check_calls(const struct results *results,
                        const struct setting *setting,
                        const struct origin *origin)
{
    unsigned passed = 0, failed = 0;
    size_t w;

    for (w = 0; w < results->workload_count && !interrupted(); w++) {
        const struct workload *workload = results->workloads[w];
        double most = promised(workload), sum;

        if (most <= 0)
            continue;
        sum = calls_of(workload, results->contestants[0], setting, origin);
        if (sum > 0 && sum <= most) {
            passed++;
            continue;
        }
        failed++;
        complain("(%c) %s: %.2f calls, at most %.1f were promised",
                 workload->letter, workload->title, sum, most);
    }
    if (!interrupted())
        printf("%u passed, %u failed\n", passed, failed);
}

static void calls_run(const struct results *results,
                      const struct wishes *wishes,
                      const struct setting *setting,
                      const struct origin *origin)
{
    if (!calls_can_be_counted(&origin->process)) {
        puts("skipped: system calls cannot be counted here");
        if (wishes->check)
            puts("0 passed, 0 failed");
    } else if (wishes->check) {
        check_calls(results, setting, origin);
    } else {
        count_calls(results, setting, origin);
    }
}

/* --- main ---------------------------------------------------------------- */

static void everything(struct results *results, const struct wishes *wishes,
                       const struct setting *setting)
{
    struct origin origin;

    if (!origin_start(&origin, setting, NULL, NULL))
        return;
    if (wishes->calls)
        calls_run(results, wishes, setting, &origin);
    else
        compare(results, setting, &origin, wishes->json);
    origin_stop(&origin);
}

/** Read what is asked for. False when that makes no sense; it was said. */
static bool wishes_take(char **argv, struct wishes *wishes)
{
    if (!wishes_read(argv, wishes)) {
        fputs(usage, stderr);
        return false;
    }
    if (!names_are_known(wishes->names))
        return false;
    if (!wishes->calls && program_find("wrk") == NULL) {
        note("wrk is not installed (Debian: apt install wrk)");
        return false;
    }
    if (wishes->check)
        wishes->names = "steelyard";
    return true;
}

int main(int argc, char **argv)
{
    static struct wishes wishes;
    static struct results results;
    static struct setting setting;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) < 0;
    if (!wishes_take(argv, &wishes))
        return 2;
    interrupts_catch();
    guard_begin();
    network_leave();
    if (!setting_make(&setting)) {
        note("there is no place for files: %s", strerror(errno));
        return 2;
    }
    if (wishes.selftest)
        return selftest_run(&setting) > 0;
    if (!results_prepare(&results, &wishes)) {
        note("nobody is there to be measured");
        if (wishes.check)
            puts("0 passed, 1 failed");
        return 1;
    }
    everything(&results, &wishes, &setting);
    if (interrupted())
        return 128 + interrupted();
    return complaints_take() > 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * strace joins a balancer whose clients are connected and have had an answer
 * each; then they ask for so many more; then strace leaves. So nothing is
 * counted but these requests, and what the balancer does by itself meanwhile,
 * such as probing its backends.
 */
#include "calls.h"

#include "accounts.h"
#include "clients.h"
#include "verdict.h"
#include "wait.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    REQUESTS = 6400,      /* that are counted */
    REQUESTS_LARGE = 320, /* of those with large bodies */
};

/** Start strace on all processes of a balancer; it writes to stdout. */
static bool strace_start(struct process *strace, pid_t root)
{
    const char *argv[5 + 2 * FAMILY_MOST + 1] = {program_find("strace"), "-c",
                                                 "-f", "-o", "/dev/stdout"};
    pid_t members[FAMILY_MOST];
    char pids[FAMILY_MOST][16];
    size_t count = family_of(root, members), at = 5, i;

    for (i = 0; i < count; i++) {
        snprintf(pids[i], sizeof(pids[i]), "%d", (int)members[i]);
        argv[at++] = "-p";
        argv[at++] = pids[i];
    }
    return argv[0] != NULL && count > 0 && process_start(strace, argv);
}

/** Has it joined every process that it was told to? It says so of each. */
static bool strace_has_joined(const struct process *strace, pid_t root)
{
    pid_t members[FAMILY_MOST];
    size_t count = family_of(root, members), i;
    bool all = count > 0;
    char words[64];

    for (i = 0; i < count && all; i++) {
        snprintf(words, sizeof(words), "Process %d attached", (int)members[i]);
        all = process_said(strace->err, words);
    }
    return all;
}

/** Let it leave, and wait until it has printed. Its output, or NULL. */
static char *strace_end(struct process *strace)
{
    char *text = NULL;
    int status;

    if (strace->pid > 0)
        kill(strace->pid, SIGINT);
    if (holds_within(5000, process_has_ended(strace, &status)))
        text = process_text(strace->out);
    process_kill(strace);
    close(strace->out);
    close(strace->err);
    return text;
}

bool calls_can_be_counted(const struct process *process)
{
    struct process strace;
    bool can;

    if (program_find("strace") == NULL) {
        note("strace is not installed (Debian: apt install strace)");
        return false;
    }
    if (!strace_start(&strace, process->pid))
        return false;
    can = holds_within(2000, strace_has_joined(&strace, process->pid));
    if (!can)
        note("strace may not look into other processes here");
    free(strace_end(&strace));
    return can;
}

static int compare(const void *a, const void *b)
{
    const struct call *one = a, *two = b;

    return (one->each < two->each) - (one->each > two->each);
}

/** A line such as ` 40.12    0.001234    12    103    3 recvfrom`, in which
 * the errors, before the name, may be absent. The last line is the total. */
static bool line_read(const char *line, size_t length, struct call *call)
{
    char text[128];
    const char *name;

    snprintf(text, sizeof(text), "%.*s", (int)length, line);
    name = strrchr(text, ' ');
    if (name == NULL || strcmp(name, " total") == 0 ||
        sscanf(text, " %*f %*f %*u %lf", &call->each) != 1)
        return false;
    snprintf(call->name, sizeof(call->name), "%.31s", name + 1);
    return true;
}

void calls_read(struct calls *calls, const char *text, size_t requests)
{
    const char *line = text;

    *calls = (struct calls){.count = 0};
    while (line != NULL && calls->count < CALLS_MOST) {
        struct call *call = &calls->list[calls->count];

        if (line_read(line, strcspn(line, "\n"), call)) {
            call->each /= (double)requests;
            calls->sum += call->each;
            calls->count++;
        }
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    qsort(calls->list, calls->count, sizeof(*calls->list), compare);
}

/** Ask while strace counts. Its output, or NULL. */
static char *count_while(struct crowd *crowd, size_t requests,
                         const struct workload *workload, pid_t root)
{
    struct process strace;
    bool is_good;
    char *text;

    if (!strace_start(&strace, root))
        return NULL;
    is_good = holds_within(3000, strace_has_joined(&strace, root)) &&
              crowd_ask(crowd, requests, workload->size, workload->one_each) ==
                  requests;
    text = strace_end(&strace);
    if (is_good)
        return text;
    free(text);
    return NULL;
}

bool calls_count(struct calls *calls, const struct workload *workload,
                 const struct balancer *balancer)
{
    size_t requests = workload->size > 65536 ? REQUESTS_LARGE : REQUESTS;
    struct crowd *crowd = crowd_open(balancer->port, workload->clients);
    char *text = NULL;

    if (crowd != NULL && crowd_ask(crowd, workload->clients, workload->size,
                                   workload->one_each) == workload->clients)
        text = count_while(crowd, requests, workload, balancer->process.pid);
    crowd_close(&crowd);
    if (text == NULL) {
        complain("the system calls of %s could not be counted",
                 balancer->contestant->name);
        return false;
    }
    calls_read(calls, text, requests);
    free(text);
    return true;
}

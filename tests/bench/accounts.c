/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * All of this is read from /proc. The scheduler's account of a thread, in
 * /proc/PID/task/TID/schedstat, is in nanoseconds; the older one, in
 * /proc/PID/stat, in ticks of a hundredth of a second. The first makes the
 * figures, the second says which part was the program's own and serves to
 * check the first.
 */
#include "accounts.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Read one small file of /proc; false when there is none (any more). */
static bool file_read(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    size_t length;

    if (file == NULL)
        return false;
    length = fread(text, 1, size - 1, file);
    text[length] = '\0';
    fclose(file);
    return length > 0;
}

/** /proc/PID/stat from the state on, that is, after the name of the program,
 * which may hold anything. */
static bool stat_read(pid_t pid, char *text, size_t size, const char **facts)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    if (!file_read(path, text, size) || strrchr(text, ')') == NULL)
        return false;
    *facts = strrchr(text, ')') + 2;
    return true;
}

static pid_t parent_of(pid_t pid)
{
    char text[1024];
    const char *facts;
    int parent = 0;

    if (stat_read(pid, text, sizeof(text), &facts))
        sscanf(facts, "%*c %d", &parent);
    return parent;
}

static bool is_member(pid_t pid, const pid_t *members, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        if (members[i] == pid)
            return true;
    return false;
}

/** Look once through all processes for children of those we have. */
static size_t family_grow(pid_t *members, size_t count)
{
    DIR *processes = opendir("/proc");
    struct dirent *entry;

    while (processes != NULL && (entry = readdir(processes)) != NULL) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (pid > 0 && count < FAMILY_MOST && !is_member(pid, members, count) &&
            is_member(parent_of(pid), members, count))
            members[count++] = pid;
    }
    if (processes != NULL)
        closedir(processes);
    return count;
}

size_t family_of(pid_t root, pid_t *members)
{
    size_t count = 1, before;

    if (root <= 0 || parent_of(root) == 0)
        return 0;
    members[0] = root;
    do {
        before = count;
        count = family_grow(members, count);
    } while (count > before);
    return count;
}

/** Seconds that the threads of one process have run, by the scheduler. */
static bool scheduled(pid_t pid, double *seconds)
{
    char path[320], text[128];
    struct dirent *entry;
    bool found = false;
    DIR *threads;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    threads = opendir(path);
    while (threads != NULL && (entry = readdir(threads)) != NULL) {
        unsigned long long nanoseconds;

        snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid,
                 entry->d_name);
        if (entry->d_name[0] == '.' || !file_read(path, text, sizeof(text)) ||
            sscanf(text, "%llu", &nanoseconds) != 1)
            continue;
        *seconds += (double)nanoseconds / 1e9;
        found = true;
    }
    if (threads != NULL)
        closedir(threads);
    return found;
}

static void add_process(struct usage *sum, pid_t pid)
{
    char text[1024];
    const char *facts;
    unsigned long user = 0, kernel = 0;
    double second = (double)sysconf(_SC_CLK_TCK);

    if (!stat_read(pid, text, sizeof(text), &facts))
        return;
    sscanf(facts, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
           &kernel);
    sum->user += (double)user / second;
    sum->ticks += (double)(user + kernel) / second;
    sum->is_exact = scheduled(pid, &sum->all) && sum->is_exact;
}

struct usage usage_of(pid_t root)
{
    struct usage sum = {.is_exact = true};
    pid_t members[FAMILY_MOST];
    size_t count = family_of(root, members), i;

    for (i = 0; i < count; i++)
        add_process(&sum, members[i]);
    if (!sum.is_exact)
        sum.all = sum.ticks;
    return sum;
}

struct usage usage_since(struct usage before, struct usage now)
{
    return (struct usage){
        .all = now.all - before.all,
        .ticks = now.ticks - before.ticks,
        .user = now.user - before.user,
        .is_exact = now.is_exact && before.is_exact,
    };
}

double memory_of(pid_t root)
{
    pid_t members[FAMILY_MOST];
    size_t count = family_of(root, members), i;
    unsigned long pages, sum = 0;
    char path[64], text[128];

    for (i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "/proc/%d/statm", (int)members[i]);
        if (file_read(path, text, sizeof(text)) &&
            sscanf(text, "%*u %lu", &pages) == 1)
            sum += pages;
    }
    return (double)sum * (double)sysconf(_SC_PAGESIZE);
}

/** A line of /proc/stat: user, nice, system, idle, iowait, irq, softirq,
 * stolen. */
static double busy_in(const char *line)
{
    unsigned long long t[8] = {0};

    sscanf(line, "%*s %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1],
           &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]);
    return (double)(t[0] + t[1] + t[2] + t[5] + t[6] + t[7]) /
           (double)sysconf(_SC_CLK_TCK);
}

double core_busy(int core)
{
    FILE *file = fopen("/proc/stat", "r");
    char line[512], name[32];
    double busy = 0;

    snprintf(name, sizeof(name), "cpu%d ", core);
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            busy = busy_in(line);
    if (file != NULL)
        fclose(file);
    return busy;
}

size_t cores_allowed(int *cores, size_t room)
{
    cpu_set_t set;
    size_t count = 0;
    int core;

    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof(set), &set);
    for (core = 0; core < CPU_SETSIZE && count < room; core++)
        if (CPU_ISSET(core, &set))
            cores[count++] = core;
    return count;
}

void run_on_core(int core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(core, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

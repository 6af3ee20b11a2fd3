/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What a program prints goes to files that have no name any more: they vanish
 * with the last descriptor, and a program that prints much never blocks as it
 * would on a pipe.
 */
#include "process.h"

#include "wait.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

static int nameless_file(void)
{
    char name[] = P_tmpdir "/steelyard-test-XXXXXX";
    int fd = mkstemp(name);

    if (fd != -1)
        unlink(name);
    return fd;
}

static void become(const char *const *argv, int out, int err)
{
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execv(argv[0], (char *const *)argv);
    perror(argv[0]);
    _exit(127);
}

bool process_start(struct process *process, const char *const *argv)
{
    process->out = nameless_file();
    process->err = nameless_file();
    process->pid = fork();
    if (process->pid == 0)
        become(argv, process->out, process->err);
    return process->pid > 0;
}

char *process_text(int file)
{
    struct stat facts = {.st_size = 0};
    char *text;
    ssize_t got;

    fstat(file, &facts);
    text = malloc((size_t)facts.st_size + 1);
    got = pread(file, text, (size_t)facts.st_size, 0);
    text[got > 0 ? got : 0] = '\0';
    return text;
}

bool process_said(int file, const char *words)
{
    char *text = process_text(file);
    bool found = strstr(text, words) != NULL;

    free(text);
    return found;
}

static bool has_gone(const struct process *process)
{
    siginfo_t info = {.si_pid = 0};

    waitid(P_PID, (id_t)process->pid, &info, WEXITED | WNOHANG | WNOWAIT);
    return info.si_pid != 0;
}

unsigned process_port(const struct process *process)
{
    unsigned port = 0;
    char *text;

    if (!holds_within(5000,
                      process_said(process->out, "\n") || has_gone(process)))
        return 0;
    text = process_text(process->out);
    text[strcspn(text, "\n")] = '\0'; /* other lines may follow */
    if (strncmp(text, "listening on http://", 20) == 0)
        port = (unsigned)strtoul(strrchr(text, ':') + 1, NULL, 10);
    free(text);
    return port;
}

/** A number out of /proc/PID/status. */
static long process_fact(const struct process *process, const char *name)
{
    char path[64], line[256];
    size_t length = strlen(name);
    long value = 0;
    FILE *facts;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)process->pid);
    facts = fopen(path, "r");
    while (facts != NULL && fgets(line, sizeof(line), facts) != NULL)
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            value = strtol(line + length + 1, NULL, 10);
    if (facts != NULL)
        fclose(facts);
    return value;
}

long process_memory(const struct process *process)
{
    return process_fact(process, "VmRSS");
}

long process_threads(const struct process *process)
{
    return process_fact(process, "Threads");
}

long process_cpu_ms(const struct process *process)
{
    char path[64], line[1024];
    unsigned long user = 0, kernel = 0;
    FILE *facts;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)process->pid);
    facts = fopen(path, "r");
    if (facts != NULL && fgets(line, sizeof(line), facts) != NULL &&
        strrchr(line, ')') != NULL)
        sscanf(strrchr(line, ')'),
               ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
               &kernel);
    if (facts != NULL)
        fclose(facts);
    return (long)(user + kernel) * 1000 / sysconf(_SC_CLK_TCK);
}

bool process_limit_files(const struct process *process, unsigned count)
{
    char pid[16], limit[32];
    const char *argv[] = {"/usr/bin/prlimit", "--pid", pid, limit, NULL};
    struct process prlimit;
    int status = -1;

    snprintf(pid, sizeof(pid), "%d", (int)process->pid);
    snprintf(limit, sizeof(limit), "--nofile=%u:%u", count, count);
    return process_start(&prlimit, argv) &&
           holds_within(3000, process_has_ended(&prlimit, &status)) &&
           status == 0;
}

static int status_of(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status)
                             : ENDED_BY_SIGNAL + WTERMSIG(status);
}

bool process_has_ended(struct process *process, int *status)
{
    int how;

    if (process->pid == 0 || waitpid(process->pid, &how, WNOHANG) == 0)
        return false;
    process->pid = 0;
    *status = status_of(how);
    return true;
}

int process_stop(struct process *process, long ms)
{
    int status = ENDED_BY_SIGNAL + SIGKILL;

    kill(process->pid, SIGTERM);
    if (!holds_within(ms, process_has_ended(process, &status)))
        process_kill(process);
    return status;
}

void process_kill(struct process *process)
{
    if (process->pid == 0)
        return;
    kill(process->pid, SIGKILL);
    waitpid(process->pid, NULL, 0);
    process->pid = 0;
}

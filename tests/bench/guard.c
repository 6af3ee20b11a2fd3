/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Linux gives orphans to the nearest ancestor that has asked for them. So the
 * parent here asks, and when its child has ended, all who are still below it
 * are those that somebody forgot.
 */
#include "guard.h"

#include "accounts.h"
#include "verdict.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_MS = 100 }; /* how often we look whether the child has ended */

/** Wait for the child; pass on to it, once, that we are to end. */
static int child_await(pid_t child)
{
    bool is_told = false;
    int status = 0;

    while (waitpid(child, &status, WNOHANG) == 0) {
        if (interrupted() && !is_told) {
            kill(child, interrupted());
            is_told = true;
        }
        usleep(LOOK_MS * 1000);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void orphans_end(void)
{
    pid_t members[FAMILY_MOST];
    size_t count = family_of(getpid(), members), i;

    for (i = 1; i < count; i++)
        kill(members[i], SIGKILL);
}

void guard_begin(void)
{
    pid_t child;
    int status;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    child = fork();
    if (child < 0)
        return;
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        return;
    }
    status = child_await(child);
    orphans_end();
    exit(status);
}

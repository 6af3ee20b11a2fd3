/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A handler may do next to nothing, for it may come in the middle of anything.
 * Ours writes the signal's number into a pipe, and the loop reads it when it is
 * its turn.
 */
#include "event/signals.h"

#include "event/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static int ends[2] = {-1, -1};
static struct watch watch;
static void (*told)(void *arg, int number);
static void *told_arg;

static void on_signal(int number)
{
    int saved = errno;
    unsigned char byte = (unsigned char)number;

    while (write(ends[1], &byte, 1) == -1 && errno == EINTR)
        continue;
    errno = saved;
}

bool signals_open(const int *numbers)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    if (pipe(ends) == -1)
        return false;
    for (int i = 0; i < 2; i++) {
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
        fcntl(ends[i], F_SETFL, O_NONBLOCK);
    }
    action.sa_flags = SA_RESTART;
    sigfillset(&action.sa_mask);
    sigaction(SIGPIPE, &ignore, NULL);
    for (; *numbers != 0; numbers++)
        if (sigaction(*numbers, &action, NULL) == -1)
            return false;
    return true;
}

static void on_readable(void *arg)
{
    unsigned char number;
    ssize_t count;

    (void)arg;
    do {
        count = read(ends[0], &number, 1);
        if (count == 1)
            told(told_arg, number);
    } while (count == 1 || (count == -1 && errno == EINTR));
    watch_wait(&watch, READY_READ);
}

bool signals_watch(struct loop *loop, void (*on_told)(void *arg, int number),
                   void *arg)
{
    told = on_told;
    told_arg = arg;
    watch = (struct watch){.fd = ends[0], .on_event = on_readable};
    return loop_watch(loop, &watch);
}

void signals_close(struct loop *loop)
{
    loop_forget(loop, &watch);
}

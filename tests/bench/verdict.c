/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "verdict.h"

#include "wait.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static unsigned complaints;
static bool is_hushed;
static volatile sig_atomic_t caught;

static void say(const char *before, const char *format, va_list words)
{
    fputs(before, stderr);
    vfprintf(stderr, format, words);
    fputc('\n', stderr);
}

void note(const char *format, ...)
{
    va_list words;

    va_start(words, format);
    say("", format, words);
    va_end(words);
}

void complain(const char *format, ...)
{
    va_list words;

    /* Ctrl-C reaches the balancers as well: then errors are no wonder. */
    if (interrupted())
        return;
    complaints++;
    if (is_hushed)
        return;
    va_start(words, format);
    say("WRONG: ", format, words);
    va_end(words);
}

unsigned complaints_take(void)
{
    unsigned count = complaints;

    complaints = 0;
    return count;
}

void complaints_hush(bool hush)
{
    is_hushed = hush;
}

static void on_signal(int number)
{
    caught = number;
}

void interrupts_catch(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

int interrupted(void)
{
    return caught;
}

void let_pass(long ms)
{
    int64_t end = now_ms() + ms, left;

    while ((left = end - now_ms()) > 0 && !caught) {
        struct timespec rest = {.tv_sec = left / 1000,
                                .tv_nsec = left % 1000 * 1000000};

        nanosleep(&rest, NULL);
    }
}

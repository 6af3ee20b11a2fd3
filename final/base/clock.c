/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

int64_t clock_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_ms(void)
{
    return clock_us() / 1000;
}

/** Milliseconds since 1970. */
static int64_t date_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void print(int64_t date_ms, char *out)
{
    time_t seconds = (time_t)(date_ms / 1000);
    struct tm parts;
    size_t length;

    gmtime_r(&seconds, &parts);
    length = strftime(out, CLOCK_PRINT_MAX, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out + length, CLOCK_PRINT_MAX - length, ".%03dZ",
             (int)(date_ms % 1000));
}

void clock_print(char out[CLOCK_PRINT_MAX])
{
    print(date_now_ms(), out);
}

void clock_print_at(int64_t ms, char out[CLOCK_PRINT_MAX])
{
    print(date_now_ms() - (clock_ms() - ms), out);
}

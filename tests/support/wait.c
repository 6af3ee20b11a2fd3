/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "wait.h"

#include <stdlib.h>
#include <time.h>

int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t patience(int64_t ms)
{
    const char *scale = getenv("TIME_SCALE");
    double factor = scale == NULL ? 1 : strtod(scale, NULL);

    return factor > 0 ? (int64_t)((double)ms * factor) : ms;
}

void pause_briefly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

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

void clock_print(char out[CLOCK_PRINT_MAX])
{
    struct timespec now;
    struct tm parts;
    size_t length;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    length = strftime(out, CLOCK_PRINT_MAX, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out + length, CLOCK_PRINT_MAX - length, ".%03dZ",
             (int)(now.tv_nsec / 1000000 % 1000));
}

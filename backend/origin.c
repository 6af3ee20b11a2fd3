/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* The shared state, and its two clocks: one to measure with, one to show. */
#include "origin.h"

#include "misbehave.h"
#include "options.h"

#include <time.h>

void origin_init(struct origin *origin, const struct options *options)
{
    *origin = (struct origin){
        .options = options,
        .name = options->name,
        .ready = true,
        .chance = options->seed,
        .date_s = -1,
    };
    stats_init(&origin->stats);
    origin_set_clock(origin);
    misbehave_from_start(origin);
}

void origin_fini(struct origin *origin)
{
    stats_fini(&origin->stats);
}

void origin_set_clock(struct origin *origin)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    origin->now_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

const char *origin_date(struct origin *origin)
{
    time_t now = time(NULL);
    struct tm parts;

    if (origin->date_s != (int64_t)now && gmtime_r(&now, &parts) != NULL) {
        strftime(origin->date, sizeof(origin->date),
                 "%a, %d %b %Y %H:%M:%S GMT", &parts);
        origin->date_s = (int64_t)now;
    }
    return origin->date;
}

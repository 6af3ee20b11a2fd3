/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "control/history.h"

#include "base/must.h"

void history_add(struct history *history, const struct history_point *point)
{
    history->points[history->next] = *point;
    history->next = (history->next + 1) % HISTORY_POINTS;
    if (history->count < HISTORY_POINTS)
        history->count++;
}

const struct history_point *history_at(const struct history *history,
                                       size_t number)
{
    size_t first = history->next + HISTORY_POINTS - history->count;

    must(number < history->count);
    return &history->points[(first + number) % HISTORY_POINTS];
}

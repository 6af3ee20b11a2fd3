/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "event/timer.h"

#include "base/must.h"

static struct timer *timer_of(struct link *link)
{
    return list_item(link, struct timer, link);
}

void timers_init(struct timers *timers)
{
    timers->count = 0;
    list_init(&timers->others);
}

struct timer_row *timer_row(struct timers *timers, int64_t length_ms)
{
    struct timer_row *row;

    for (unsigned i = 0; i < timers->count; i++)
        if (timers->rows[i].length_ms == length_ms)
            return &timers->rows[i];
    must(timers->count < TIMER_ROWS_MAX);
    row = &timers->rows[timers->count++];
    row->length_ms = length_ms;
    list_init(&row->waiting);
    return row;
}

void timer_clear(struct timer *timer)
{
    list_remove(&timer->link);
}

bool timer_is_set(const struct timer *timer)
{
    return link_is_on(&timer->link);
}

void timer_set(struct timer *timer, struct timer_row *row, int64_t now_ms)
{
    timer_clear(timer);
    if (row->length_ms == 0)
        return;
    timer->due_ms = now_ms + row->length_ms;
    list_put_last(&row->waiting, &timer->link);
}

void timer_set_in(struct timers *timers, struct timer *timer, int64_t in_ms,
                  int64_t now_ms)
{
    struct link *place;

    timer_clear(timer); /* first, for it may be the last one on the row */
    timer->due_ms = now_ms + in_ms;
    place = timers->others.before;
    while (place != &timers->others && timer_of(place)->due_ms > timer->due_ms)
        place = place->before;
    list_put_after(place, &timer->link);
}

/** The one that is due first in a row; NULL when it is empty. */
static struct timer *row_first(const struct link *row)
{
    return list_is_empty(row) ? NULL : timer_of(row->after);
}

int64_t timers_next_ms(const struct timers *timers, int64_t now_ms)
{
    const struct timer *next = row_first(&timers->others);

    for (unsigned i = 0; i < timers->count; i++) {
        const struct timer *first = row_first(&timers->rows[i].waiting);

        if (first != NULL && (next == NULL || first->due_ms < next->due_ms))
            next = first;
    }
    if (next == NULL)
        return -1;
    return next->due_ms > now_ms ? next->due_ms - now_ms : 0;
}

/**
 * An alarm may set and clear others, so the first is looked up each time. Those
 * that are due stand aside first: one that is set anew for this very moment
 * comes in the next turn, and cannot keep us here for ever.
 */
static void row_fire(struct link *row, int64_t now_ms)
{
    struct link due;
    struct timer *first;

    list_init(&due);
    while ((first = row_first(row)) != NULL && first->due_ms <= now_ms) {
        timer_clear(first);
        list_put_last(&due, &first->link);
    }
    while ((first = row_first(&due)) != NULL) {
        timer_clear(first);
        first->on_alarm(first->arg);
    }
}

void timers_fire(struct timers *timers, int64_t now_ms)
{
    row_fire(&timers->others, now_ms);
    for (unsigned i = 0; i < timers->count; i++)
        row_fire(&timers->rows[i].waiting, now_ms);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "event/timer.h"

#include "base/must.h"

#include <stdlib.h>

static struct timer *timer_of(struct link *link)
{
    return list_item(link, struct timer, link);
}

static struct timer_row *row_of(struct link *link)
{
    return list_item(link, struct timer_row, link);
}

void timers_init(struct timers *timers)
{
    list_init(&timers->rows);
    list_init(&timers->others);
}

static void row_free(struct timer_row *row)
{
    must(list_is_empty(&row->waiting));
    list_remove(&row->link);
    free(row);
}

void timers_fini(struct timers *timers)
{
    struct link *link;

    while ((link = list_take_first(&timers->rows)) != NULL)
        row_free(row_of(link));
}

struct timer_row *timer_row(struct timers *timers, int64_t length_ms)
{
    struct timer_row *row;

    for (struct link *at = timers->rows.after; at != &timers->rows;
         at = at->after) {
        row = row_of(at);
        if (row->length_ms == length_ms) {
            row->users++;
            return row;
        }
    }
    row = xnew(1, sizeof(*row));
    row->length_ms = length_ms;
    row->users = 1;
    list_init(&row->waiting);
    list_put_last(&timers->rows, &row->link);
    return row;
}

void timer_row_drop(struct timer_row **row)
{
    if (--(*row)->users == 0)
        row_free(*row);
    *row = NULL;
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

    for (struct link *at = timers->rows.after; at != &timers->rows;
         at = at->after) {
        const struct timer *first = row_first(&row_of(at)->waiting);

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
    struct link *at = timers->rows.after;

    row_fire(&timers->others, now_ms);
    while (at != &timers->rows) {
        struct timer_row *row = row_of(at);

        /* An alarm may be the last one that needed its row. */
        row->users++;
        row_fire(&row->waiting, now_ms);
        at = at->after;
        timer_row_drop(&row);
    }
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* wrong: a timer that is set again keeps its place among equals */
/* caught by: ties_keep_order */
#include "timer_heap.h"

#include <limits.h>
#include <stdlib.h>

enum { ROOM_FIRST = 16 };

void timer_heap_init(struct timer_heap *heap)
{
    *heap = (struct timer_heap){.at = NULL};
}

void timer_heap_fini(struct timer_heap *heap)
{
    for (size_t i = 0; i < heap->count; i++)
        heap->at[i]->place = 0;
    free(heap->at);
    timer_heap_init(heap);
}

bool heap_timer_is_set(const struct heap_timer *timer)
{
    return timer->place > 0;
}

/** Does this one come first? Never true of both ways round. */
static bool is_before(const struct heap_timer *one,
                      const struct heap_timer *other)
{
    if (one->due_ms != other->due_ms)
        return one->due_ms < other->due_ms;
    return one->number < other->number;
}

static void put(struct timer_heap *heap, size_t place, struct heap_timer *timer)
{
    heap->at[place] = timer;
    timer->place = place + 1;
}

/** Carry a timer up from this place, as long as it comes before its parent.
    Returns where it could stay. */
static size_t rise(struct timer_heap *heap, size_t place,
                   const struct heap_timer *timer)
{
    while (place > 0) {
        size_t parent = (place - 1) / 2;

        if (!is_before(timer, heap->at[parent]))
            break;
        put(heap, place, heap->at[parent]);
        place = parent;
    }
    return place;
}

/** Carry a timer down from this place, as long as a child comes before it. */
static size_t sink(struct timer_heap *heap, size_t place,
                   const struct heap_timer *timer)
{
    for (;;) {
        size_t child = 2 * place + 1;

        if (child >= heap->count)
            break;
        if (child + 1 < heap->count &&
            is_before(heap->at[child + 1], heap->at[child]))
            child++;
        if (!is_before(heap->at[child], timer))
            break;
        put(heap, place, heap->at[child]);
        place = child;
    }
    return place;
}

/** This timer is to be at this place, or above or below it. */
static void settle(struct timer_heap *heap, size_t place,
                   struct heap_timer *timer)
{
    put(heap, sink(heap, rise(heap, place, timer), timer), timer);
}

/** Make room for one more. */
static bool make_room(struct timer_heap *heap)
{
    size_t room = heap->room == 0 ? ROOM_FIRST : heap->room * 2;
    struct heap_timer **at;

    if (heap->count < heap->room)
        return true;
    at = realloc(heap->at, room * sizeof(struct heap_timer *));
    if (at == NULL)
        return false;
    heap->at = at;
    heap->room = room;
    return true;
}

bool timer_heap_set(struct timer_heap *heap, struct heap_timer *timer,
                    int64_t due_ms)
{
    if (!heap_timer_is_set(timer) && !make_room(heap))
        return false;
    if (heap->is_firing && due_ms <= heap->firing_ms)
        due_ms = heap->firing_ms + 1;
    timer->due_ms = due_ms;
    if (!heap_timer_is_set(timer))
        timer->number = heap->numbers++;
    settle(heap, heap_timer_is_set(timer) ? timer->place - 1 : heap->count++,
           timer);
    return true;
}

bool timer_heap_cancel(struct timer_heap *heap, struct heap_timer *timer)
{
    struct heap_timer *last;

    if (!heap_timer_is_set(timer))
        return false;
    last = heap->at[--heap->count];
    if (last != timer)
        settle(heap, timer->place - 1, last);
    timer->place = 0;
    return true;
}

int timer_heap_wait_ms(const struct timer_heap *heap, int64_t now_ms)
{
    int64_t due_ms;

    if (heap->count == 0)
        return -1;
    due_ms = heap->at[0]->due_ms;
    if (due_ms <= now_ms)
        return 0;
    /* The difference may not fit into 64 bits, but as unsigned it does. */
    if ((uint64_t)due_ms - (uint64_t)now_ms > INT_MAX)
        return INT_MAX;
    return (int)(due_ms - now_ms);
}

size_t timer_heap_fire(struct timer_heap *heap, int64_t now_ms)
{
    size_t called = 0;

    heap->is_firing = true;
    heap->firing_ms = now_ms;
    while (heap->count > 0 && heap->at[0]->due_ms <= now_ms) {
        struct heap_timer *first = heap->at[0];

        timer_heap_cancel(heap, first);
        called++;
        first->on_due(first->arg); /* after this it may be gone */
    }
    heap->is_firing = false;
    return called;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Yours to write. The header says what each function promises, the README what
 * it is good for, with an example and hints.
 */
#include "timer_heap.h"

void timer_heap_init(struct timer_heap *heap)
{
    *heap = (struct timer_heap){.at = NULL};
}

/* TODO(10.1): set: at the end of the array, then up. Ties, growth, and the
   memory given back. */
void timer_heap_fini(struct timer_heap *heap)
{
    (void)heap;
}

bool heap_timer_is_set(const struct heap_timer *timer)
{
    (void)timer;
    return false;
}

bool timer_heap_set(struct timer_heap *heap, struct heap_timer *timer,
                    int64_t due_ms)
{
    (void)heap;
    (void)timer;
    (void)due_ms;
    return false;
}

/* TODO(10.2): the next one is at place 0. */
int timer_heap_wait_ms(const struct timer_heap *heap, int64_t now_ms)
{
    (void)heap;
    (void)now_ms;
    return -1;
}

/* TODO(10.3): cancel: the last one takes the place, then up or down. */
bool timer_heap_cancel(struct timer_heap *heap, struct heap_timer *timer)
{
    (void)heap;
    (void)timer;
    return false;
}

/* TODO(10.4): fire, with an on_due that may do almost anything. */
size_t timer_heap_fire(struct timer_heap *heap, int64_t now_ms)
{
    (void)heap;
    (void)now_ms;
    return 0;
}

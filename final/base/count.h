/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file count.h
 * @brief A number that one thread counts up, and any may read.
 *
 * As nobody else writes, to add is to read, add and write: no locked
 * instruction, and so no waiting for other processors. That both are atomic
 * keeps readers from seeing half a number.
 *
 * @floor{base}
 * @thread{one adds, any reads}
 */
#ifndef BASE_COUNT_H
#define BASE_COUNT_H

#include <stdatomic.h>
#include <stdint.h>

/** Count up; for the one thread that does. */
static inline void count_add(_Atomic uint64_t *count, uint64_t more)
{
    uint64_t now = atomic_load_explicit(count, memory_order_relaxed);

    atomic_store_explicit(count, now + more, memory_order_relaxed);
}

/** How many by now? */
static inline uint64_t count_now(const _Atomic uint64_t *count)
{
    return atomic_load_explicit(count, memory_order_relaxed);
}

/** Back to nothing; likewise. */
static inline void count_clear(_Atomic uint64_t *count)
{
    atomic_store_explicit(count, 0, memory_order_relaxed);
}

#endif

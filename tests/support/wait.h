/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file wait.h
 * @brief Waiting for something to become true, and never longer than that.
 */
#ifndef SUPPORT_WAIT_H
#define SUPPORT_WAIT_H

#include <stdbool.h>
#include <stdint.h>

/** Milliseconds on a clock that nobody sets back. */
int64_t now_ms(void);

/**
 * How many milliseconds a time limit of @p ms is on this machine: the
 * environment variable TIME_SCALE stretches all of them.
 */
int64_t patience(int64_t ms);

/** Wait a few milliseconds, between two looks at something that can only be
 * looked at. */
void pause_briefly(void);

/**
 * Look again and again until @p condition holds, for @p ms at most (stretched).
 * It is an expression: whether the condition came to hold.
 */
#define holds_within(ms, condition)             \
    __extension__({                             \
        int64_t end_ = now_ms() + patience(ms); \
        bool held_ = (condition);               \
        while (!held_ && now_ms() < end_) {     \
            pause_briefly();                    \
            held_ = (condition);                \
        }                                       \
        held_;                                  \
    })

#endif

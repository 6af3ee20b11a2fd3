/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file body.h
 * @brief What origin answers: the body of `/bytes/N`, and what it counts.
 *
 * Every byte follows from its place, so whoever reads the body can tell
 * whether one is wrong, missing, or twice there.
 */
#ifndef BENCH_BODY_H
#define BENCH_BODY_H

#include <stdatomic.h>
#include <stddef.h>

/** After so many bytes the body begins anew: no power of two, so that two
 * buffers in the wrong order do not look right. */
enum { BODY_PERIOD = 251 };

/** The largest body that may be asked for: 16 MiB. */
enum { BODY_MOST = 16 * 1024 * 1024 };

/** Fill a buffer with the first bytes of the body. */
static inline void body_fill(char *bytes, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++)
        bytes[i] = (char)(33 + i % BODY_PERIOD % 90);
}

/** What origin has done so far: a page that it shares with the bench. */
struct tally {
    _Atomic unsigned long answers; /**< whose first byte was sent */
    _Atomic unsigned long bytes;   /**< of bodies and heads, sent */
};

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * SplitMix64 (Steele, Lea and Flood, 2014): a counter, well stirred. It is
 * small, fast, and good enough to spread requests and to avoid waves.
 */
#include "base/random.h"

#include "base/clock.h"

#include <sys/random.h>
#include <unistd.h>

uint64_t random_seed(void)
{
    uint64_t seed;

    if (getentropy(&seed, sizeof(seed)) == -1)
        seed = (uint64_t)clock_us() ^ ((uint64_t)getpid() << 32);
    return seed;
}

uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

uint64_t random_below(struct random *random, uint64_t limit)
{
    /* The last, incomplete round of the numbers would favour the small ones. */
    uint64_t fair = UINT64_MAX - UINT64_MAX % limit;
    uint64_t number;

    do
        number = random_next(random);
    while (number >= fair);
    return number % limit;
}

int64_t random_jitter(struct random *random, int64_t ms, unsigned percent)
{
    int64_t reach = ms * (int64_t)percent / 100;

    if (reach <= 0)
        return ms;
    return ms - reach + (int64_t)random_below(random, (uint64_t)reach * 2 + 1);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * 7,350 us, less one because edges are included, is 7349; cut to two digits it
 * is 73, and two digits were cut off. So its bucket is the 73rd of the third
 * power of ten:
 *
 *     0 .. 99                 times of two digits, as they are
 *     90 + (10 .. 99)         times of three digits: the first two of them
 *     180 + (10 .. 99)        times of four, and so on
 */
#include "base/histogram.h"

#include "base/count.h"

unsigned histogram_bucket(int64_t us)
{
    uint64_t digits = us > 0 ? (uint64_t)us - 1 : 0;
    unsigned base = 0;

    while (digits >= 100) {
        digits /= 10;
        base += 90;
    }
    base += (unsigned)digits;
    return base < HISTOGRAM_BUCKETS ? base : HISTOGRAM_BUCKETS - 1;
}

uint64_t histogram_edge(unsigned bucket)
{
    uint64_t unit = 1;

    while (bucket >= 100) {
        bucket -= 90;
        unit *= 10;
    }
    return (bucket + 1) * unit;
}

void histogram_note(struct histogram *histogram, int64_t us)
{
    count_add(&histogram->buckets[histogram_bucket(us)], 1);
    count_add(&histogram->sum_us, us > 0 ? (uint64_t)us : 0);
}

void histogram_clear(struct histogram *histogram)
{
    count_clear(&histogram->sum_us);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        count_clear(&histogram->buckets[i]);
}

void histogram_add_to(const struct histogram *histogram,
                      struct histogram_sum *sum)
{
    sum->sum_us += count_now(&histogram->sum_us);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t count = count_now(&histogram->buckets[i]);

        sum->buckets[i] += count;
        sum->count += count;
    }
}

void histogram_take_away(struct histogram_sum *sum,
                         const struct histogram_sum *before)
{
    sum->count -= before->count;
    sum->sum_us -= before->sum_us;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        sum->buckets[i] -= before->buckets[i];
}

uint64_t histogram_quantile(const struct histogram_sum *sum, double part)
{
    double wanted = part * (double)sum->count;
    uint64_t so_far = 0;

    if (sum->count == 0)
        return 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        so_far += sum->buckets[i];
        if (so_far > 0 && (double)so_far >= wanted)
            return histogram_edge(i);
    }
    return histogram_edge(HISTOGRAM_BUCKETS - 1);
}

uint64_t histogram_up_to(const struct histogram_sum *sum, uint64_t us)
{
    uint64_t count = 0;

    for (unsigned i = 0; i < HISTOGRAM_BUCKETS && histogram_edge(i) <= us; i++)
        count += sum->buckets[i];
    return count;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What is counted must be what was told: no time in a wrong bucket, no exchange
 * in a wrong class, and sums that do not depend on who has counted.
 */
#include "unit.h"

#include "base/histogram.h"
#include "proxy/counts.h"
#include "upstream/backend.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct histogram histogram;
static struct histogram_sum sum;

static void start_anew(void)
{
    memset(&histogram, 0, sizeof(histogram));
    memset(&sum, 0, sizeof(sum));
}

static void note_all(const int64_t *times, size_t count)
{
    start_anew();
    for (size_t i = 0; i < count; i++)
        histogram_note(&histogram, times[i]);
    histogram_add_to(&histogram, &sum);
}

START_TEST(every_time_is_under_the_edge_of_its_bucket_and_above_the_one_before)
{
    for (int64_t us = 1; us < 9999999999; us += 1 + us / 777) {
        unsigned bucket = histogram_bucket(us);

        ck_assert_uint_le((uint64_t)us, histogram_edge(bucket));
        if (bucket > 0)
            ck_assert_uint_gt((uint64_t)us, histogram_edge(bucket - 1));
    }
}
END_TEST

START_TEST(edges_grow_by_a_tenth_at_most)
{
    for (unsigned i = 1; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t low = histogram_edge(i - 1), high = histogram_edge(i);

        ck_assert_uint_gt(high, low);
        if (low >= 100)
            ck_assert_uint_le((high - low) * 10, low);
        else
            ck_assert_uint_eq(high - low, 1);
    }
}
END_TEST

START_TEST(an_edge_is_in_its_own_bucket)
{
    static const int64_t edges[] = {1,     100,    1000,    2500,
                                    50000, 250000, 1000000, 60000000};

    for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
        ck_assert_uint_eq(histogram_edge(histogram_bucket(edges[i])),
                          (uint64_t)edges[i]);
}
END_TEST

START_TEST(what_is_too_long_or_backwards_is_still_counted)
{
    static const int64_t times[] = {-5, 0, INT64_MAX};

    note_all(times, 3);
    ck_assert_uint_eq(sum.count, 3);
    ck_assert_uint_eq(sum.buckets[0], 2);
    ck_assert_uint_eq(sum.buckets[HISTOGRAM_BUCKETS - 1], 1);
}
END_TEST

START_TEST(counts_up_to_round_numbers_are_exact)
{
    static const int64_t times[] = {999, 1000, 1001, 2499, 2500, 2501, 9999999};

    note_all(times, 7);
    ck_assert_uint_eq(histogram_up_to(&sum, 1000), 2);
    ck_assert_uint_eq(histogram_up_to(&sum, 2500), 5);
    ck_assert_uint_eq(histogram_up_to(&sum, 5000), 6);
    ck_assert_uint_eq(histogram_up_to(&sum, 10000000), 7);
    ck_assert_uint_eq(sum.sum_us,
                      999 + 1000 + 1001 + 2499 + 2500 + 2501 + 9999999);
}
END_TEST

START_TEST(quantiles_are_within_a_tenth)
{
    start_anew();
    for (int64_t us = 1; us <= 100000; us++)
        histogram_note(&histogram, us);
    histogram_add_to(&histogram, &sum);
    for (int percent = 1; percent < 100; percent++) {
        double wanted = percent * 1000.0;
        double got = (double)histogram_quantile(&sum, percent / 100.0);

        ck_assert_double_le(fabs(got - wanted), wanted / 10 + 1);
    }
    ck_assert_uint_eq(histogram_quantile(&sum, 1), 100000);
}
END_TEST

START_TEST(quantiles_of_nothing_and_of_one)
{
    note_all(NULL, 0);
    ck_assert_uint_eq(histogram_quantile(&sum, 0.5), 0);
    note_all((const int64_t[]){42}, 1);
    ck_assert_uint_eq(histogram_quantile(&sum, 0), 42);
    ck_assert_uint_eq(histogram_quantile(&sum, 0.5), 42);
    ck_assert_uint_eq(histogram_quantile(&sum, 1), 42);
}
END_TEST

START_TEST(a_difference_is_what_came_since)
{
    struct histogram_sum before;

    note_all((const int64_t[]){10, 20}, 2);
    before = sum;
    histogram_note(&histogram, 5000);
    memset(&sum, 0, sizeof(sum));
    histogram_add_to(&histogram, &sum);
    histogram_take_away(&sum, &before);
    ck_assert_uint_eq(sum.count, 1);
    ck_assert_uint_eq(sum.sum_us, 5000);
    ck_assert_uint_eq(histogram_quantile(&sum, 0.5), 5000);
}
END_TEST

/* --- counts ---------------------------------------------------------------- */

static struct backend backends[2] = {{.slot = 0}, {.slot = 1}};

static struct counts_sum sum_of(const struct counts *one,
                                const struct counts *other)
{
    struct counts_sum all;

    counts_sum_init(&all, 2);
    counts_add_to(one, &all);
    if (other != NULL)
        counts_add_to(other, &all);
    return all;
}

START_TEST(an_exchange_is_counted_where_it_belongs)
{
    struct counts *counts = counts_new(2);
    struct counts_sum all;

    counts_exchange(counts, &(struct counts_facts){.status = 204,
                                                   .tries = 3,
                                                   .took_us = 70,
                                                   .backend = &backends[1],
                                                   .answered_us = 50,
                                                   .received = 5,
                                                   .sent = 9});
    all = sum_of(counts, NULL);
    ck_assert_uint_eq(all.all.by_class[1], 1);
    ck_assert_uint_eq(counts_total(&all.all), 1);
    ck_assert_uint_eq(counts_total(&all.backends[0]), 0);
    ck_assert_uint_eq(all.backends[1].by_class[1], 1);
    ck_assert_uint_eq(all.backends[1].took.sum_us, 50);
    ck_assert_uint_eq(all.all.took.sum_us, 70);
    ck_assert_uint_eq(all.retries, 2);
    ck_assert_uint_eq(all.received_bytes, 5);
    ck_assert_uint_eq(all.sent_bytes, 9);
    ck_assert_uint_eq(all.own[1], 0);
    counts_sum_fini(&all);
    counts_free(&counts);
    ck_assert_ptr_null(counts);
}
END_TEST

START_TEST(our_own_answers_and_clients_that_left_are_told_apart)
{
    struct counts *counts = counts_new(2);
    struct counts_sum all;

    counts_exchange(counts,
                    &(struct counts_facts){.status = 503, .is_own = true});
    counts_exchange(counts,
                    &(struct counts_facts){.status = 499, .client_left = true});
    all = sum_of(counts, NULL);
    ck_assert_uint_eq(all.own[4], 1);
    ck_assert_uint_eq(all.own[3], 0);
    ck_assert_uint_eq(all.client_left, 1);
    ck_assert_uint_eq(all.retries, 0);
    ck_assert_uint_eq(counts_total(&all.all), 2);
    ck_assert_uint_eq(all.all.took.count, 2);
    counts_sum_fini(&all);
    counts_free(&counts);
}
END_TEST

START_TEST(statuses_that_nobody_knows_count_as_failures)
{
    struct counts *counts = counts_new(0);
    struct counts_sum all;

    counts_exchange(counts, &(struct counts_facts){.status = 0});
    counts_exchange(counts, &(struct counts_facts){.status = 999});
    all = sum_of(counts, NULL);
    ck_assert_uint_eq(all.all.by_class[4], 2);
    counts_sum_fini(&all);
    counts_free(&counts);
}
END_TEST

START_TEST(the_counts_of_two_workers_add_up)
{
    struct counts *one = counts_new(2), *other = counts_new(2);
    struct counts_sum all;
    struct counts_facts facts = {
        .status = 200, .took_us = 30, .backend = &backends[0]};

    counts_exchange(one, &facts);
    counts_exchange(other, &facts);
    counts_client(one, false);
    counts_client(other, true);
    all = sum_of(one, other);
    ck_assert_uint_eq(all.all.by_class[1], 2);
    ck_assert_uint_eq(all.backends[0].took.count, 2);
    ck_assert_uint_eq(all.sessions, 1);
    ck_assert_uint_eq(all.refused, 1);
    counts_sum_clear(&all);
    ck_assert_uint_eq(counts_total(&all.all), 0);
    ck_assert_uint_eq(all.backends[0].took.count, 0);
    counts_sum_fini(&all);
    counts_free(&one);
    counts_free(&other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("counts");

    unit_add(
        suite,
        every_time_is_under_the_edge_of_its_bucket_and_above_the_one_before, 1);
    unit_add(suite, edges_grow_by_a_tenth_at_most, 1);
    unit_add(suite, an_edge_is_in_its_own_bucket, 1);
    unit_add(suite, what_is_too_long_or_backwards_is_still_counted, 1);
    unit_add(suite, counts_up_to_round_numbers_are_exact, 1);
    unit_add(suite, quantiles_are_within_a_tenth, 1);
    unit_add(suite, quantiles_of_nothing_and_of_one, 1);
    unit_add(suite, a_difference_is_what_came_since, 1);
    unit_add(suite, an_exchange_is_counted_where_it_belongs, 1);
    unit_add(suite, our_own_answers_and_clients_that_left_are_told_apart, 1);
    unit_add(suite, statuses_that_nobody_knows_count_as_failures, 1);
    unit_add(suite, the_counts_of_two_workers_add_up, 1);
    return unit_run(suite);
}

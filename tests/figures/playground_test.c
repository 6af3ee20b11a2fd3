/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The playground simulates what it says: nothing gets lost uncounted, the dead
 * get nothing, weights count, and queues grow as the theory of queues has it.
 */
#include "playground.h"
#include "unit.h"

#include <string.h>

enum { SECOND = 1000000, POLICIES = 6, SEEDS = 5 };

static struct playground *made_of(uint32_t seed)
{
    struct playground *playground = playground_create(seed);

    ck_assert_ptr_nonnull(playground);
    return playground;
}

static void set(struct playground *playground, const char *name,
                const char *value)
{
    struct fault fault = {""};

    ck_assert_msg(playground_order(playground, name, value, &fault), "%s",
                  fault.text);
}

static uint64_t picked(const struct playground *playground, size_t side,
                       size_t backend)
{
    return playground_backend(playground, side, backend, BACKEND_PICKED);
}

/** Are these two alike in all their facts? */
static void must_be_alike(const struct playground *one,
                          const struct playground *other)
{
    for (size_t side = 0; side < PLAYGROUND_SIDES; side++) {
        for (size_t fact = 0; fact < SIDE_FACT_COUNT; fact++)
            ck_assert_uint_eq(playground_side(one, side, fact),
                              playground_side(other, side, fact));
        for (size_t i = 0; i < PLAYGROUND_BACKENDS; i++)
            for (size_t fact = 0; fact < BACKEND_FACT_COUNT; fact++)
                ck_assert_uint_eq(playground_backend(one, side, i, fact),
                                  playground_backend(other, side, i, fact));
    }
}

/** What came is what was served, what is on its way, and what was lost. */
static void must_add_up(const struct playground *playground)
{
    for (size_t side = 0; side < PLAYGROUND_SIDES; side++) {
        uint64_t sums[BACKEND_FACT_COUNT] = {0};

        ck_assert_uint_eq(
            playground_side(playground, side, SIDE_ARRIVALS),
            playground_side(playground, side, SIDE_SERVED) +
                playground_side(playground, side, SIDE_IN_FLIGHT) +
                playground_side(playground, side, SIDE_LOST));
        for (size_t i = 0; i < PLAYGROUND_BACKENDS; i++)
            for (size_t fact = 0; fact < BACKEND_FACT_COUNT; fact++)
                sums[fact] += playground_backend(playground, side, i, fact);
        ck_assert_uint_eq(sums[BACKEND_PICKED], sums[BACKEND_SERVED] +
                                                    sums[BACKEND_IN_FLIGHT] +
                                                    sums[BACKEND_LOST]);
    }
    ck_assert_uint_eq(playground_side(playground, 0, SIDE_ARRIVALS),
                      playground_side(playground, 1, SIDE_ARRIVALS));
}

START_TEST(same_seed_same_numbers)
{
    struct playground *one = made_of(7), *other = made_of(7);

    playground_run(one, 20 * SECOND);
    for (int64_t piece = 1, left = 20 * SECOND; left > 0; left -= piece) {
        piece = piece * 7 % 30011 + 1;
        if (piece > left)
            piece = left;
        playground_run(other, piece);
    }
    ck_assert_uint_gt(playground_side(one, 0, SIDE_SERVED), 2000);
    must_be_alike(one, other);
    playground_destroy(&one);
    playground_destroy(&other);
    ck_assert_ptr_null(one);
}
END_TEST

START_TEST(another_seed_other_numbers)
{
    struct playground *one = made_of(7), *other = made_of(8);

    playground_run(one, 20 * SECOND);
    playground_run(other, 20 * SECOND);
    ck_assert_uint_ne(playground_side(one, 0, SIDE_ARRIVALS),
                      playground_side(other, 0, SIDE_ARRIVALS));
    playground_destroy(&one);
    playground_destroy(&other);
}
END_TEST

START_TEST(same_policy_same_numbers)
{
    struct playground *playground = made_of(3);

    set(playground, "a", playground_policies[_i]);
    set(playground, "b", playground_policies[_i]);
    set(playground, "kill", "2@4000");
    playground_run(playground, 10 * SECOND);
    for (size_t fact = 0; fact < SIDE_FACT_COUNT; fact++)
        ck_assert_uint_eq(playground_side(playground, 0, fact),
                          playground_side(playground, 1, fact));
    playground_destroy(&playground);
}
END_TEST

/** With all that can go wrong: too many, a slow one, deaths, nobody left. */
START_TEST(nothing_is_lost_uncounted)
{
    struct playground *playground = made_of((uint32_t)_i / POLICIES);

    set(playground, "a", playground_policies[_i % POLICIES]);
    set(playground, "backends", "3");
    set(playground, "slow", "8");
    set(playground, "rate", "140");
    set(playground, "kill", "2@3000");
    set(playground, "kill", "1@4000");
    set(playground, "kill", "3@4000");
    set(playground, "revive", "3@6000");
    for (size_t i = 0; i < 100; i++) {
        playground_run(playground, SECOND / 10);
        must_add_up(playground);
    }
    ck_assert_uint_gt(playground_side(playground, 0, SIDE_LOST), 0);
    ck_assert_uint_gt(playground_side(playground, 0, SIDE_SERVED), 0);
    playground_destroy(&playground);
}
END_TEST

START_TEST(the_dead_get_nothing)
{
    struct playground *playground = made_of(5);
    uint64_t before[PLAYGROUND_SIDES];

    set(playground, "a", playground_policies[_i]);
    set(playground, "notice", "0");
    playground_run(playground, 3 * SECOND);
    for (size_t side = 0; side < PLAYGROUND_SIDES; side++)
        before[side] = picked(playground, side, 1);
    playground_set_alive(playground, 1, false);
    playground_run(playground, 5 * SECOND);
    for (size_t side = 0; side < PLAYGROUND_SIDES; side++) {
        ck_assert_uint_gt(before[side], 0);
        ck_assert_uint_eq(picked(playground, side, 1), before[side]);
        ck_assert_uint_eq(
            playground_backend(playground, side, 1, BACKEND_IN_FLIGHT), 0);
    }
    playground_set_alive(playground, 1, true);
    playground_run(playground, 3 * SECOND);
    for (size_t side = 0; side < PLAYGROUND_SIDES; side++)
        ck_assert_uint_gt(picked(playground, side, 1), before[side]);
    playground_destroy(&playground);
}
END_TEST

START_TEST(a_death_is_noticed_late)
{
    struct playground *playground = made_of(5);
    uint64_t then;

    set(playground, "notice", "1000");
    set(playground, "slow", "1");
    set(playground, "kill", "2@3000");
    playground_run(playground, 3999 * 1000);
    ck_assert(!playground_is_alive(playground, 1));
    ck_assert(playground_is_up(playground, 1));
    playground_run(playground, 1000);
    ck_assert(!playground_is_up(playground, 1));
    then = picked(playground, 1, 1);
    /* An empty queue looks like an idle backend. */
    ck_assert_uint_gt(playground_side(playground, 1, SIDE_LOST),
                      playground_side(playground, 0, SIDE_LOST));
    playground_run(playground, 3 * SECOND);
    ck_assert_uint_eq(picked(playground, 1, 1), then);
    playground_destroy(&playground);
}
END_TEST

/** To the policy that goes by latency, who fails at once must not look quick. */
START_TEST(failures_count_as_slow)
{
    struct playground *playground = made_of(5);

    set(playground, "a", "latency");
    set(playground, "notice", "5000");
    set(playground, "slow", "1");
    set(playground, "kill", "2@3000");
    playground_run(playground, 8 * SECOND);
    ck_assert_uint_lt(playground_side(playground, 0, SIDE_LOST), 30);
    ck_assert_uint_gt(playground_side(playground, 1, SIDE_LOST), 200);
    playground_destroy(&playground);
}
END_TEST

START_TEST(weights_count)
{
    struct playground *playground = made_of(2);

    set(playground, "weight-2", "3");
    set(playground, "slow", "1");
    set(playground, "rate", "100");
    set(playground, "b", "address-hash");
    playground_run(playground, 700 * (int64_t)SECOND);
    /* 1 + 3 + 1 + 1 + 1 = 7. */
    ck_assert_uint_le(picked(playground, 0, 1),
                      3 * picked(playground, 0, 0) + 3);
    ck_assert_uint_ge(picked(playground, 0, 1) + 3,
                      3 * picked(playground, 0, 0));
    ck_assert_uint_gt(picked(playground, 1, 1), picked(playground, 1, 0) * 2);
    playground_destroy(&playground);
}
END_TEST

/** One queue, half busy: of all requests, 50 % take no longer than ln 2 times
 * 2 services, 99 % no longer than ln 100 times (M/M/1). */
START_TEST(queues_are_as_long_as_they_should)
{
    uint64_t p50 = 0, p99 = 0;

    enum { RUNS = 300 };

    for (uint32_t seed = 0; seed < RUNS; seed++) {
        struct playground *playground = made_of(seed);

        set(playground, "backends", "3");
        set(playground, "slow", "1");
        set(playground, "service", "10");
        set(playground, "rate", "50");
        set(playground, "notice", "0");
        set(playground, "kill", "2@0");
        set(playground, "kill", "3@0");
        playground_run(playground, 60 * (int64_t)SECOND);
        p50 += playground_side(playground, 0, SIDE_P50);
        p99 += playground_side(playground, 0, SIDE_P99);
        playground_destroy(&playground);
    }
    ck_assert_uint_gt(p50 / RUNS, 13863 * 90 / 100);
    ck_assert_uint_lt(p50 / RUNS, 13863 * 110 / 100);
    ck_assert_uint_gt(p99 / RUNS, 92103 * 85 / 100);
    ck_assert_uint_lt(p99 / RUNS, 92103 * 115 / 100);
}
END_TEST

START_TEST(orders_are_checked)
{
    static const char *const wrong[][2] = {
        {"rate", "0"},        {"rate", "1001"},   {"rate", "ten"},
        {"rate", ""},         {"a", "luck"},      {"weight-0", "1"},
        {"weight-9", "1"},    {"weight-1", "0"},  {"weight-1", "11"},
        {"kill", "2"},        {"kill", "6@1000"}, {"kill", "0@1000"},
        {"revive", "1@soon"}, {"colour", "red"},
    };
    struct playground *playground = made_of(1);
    struct fault fault;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        fault.text[0] = '\0';
        ck_assert_msg(
            !playground_order(playground, wrong[i][0], wrong[i][1], &fault),
            "%s %s was taken", wrong[i][0], wrong[i][1]);
        ck_assert_uint_gt(strlen(fault.text), 10);
    }
    playground_run(playground, 1);
    ck_assert(!playground_order(playground, "backends", "4", &fault));
    playground_destroy(&playground);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("playground");

    unit_add(suite, same_seed_same_numbers, 1);
    unit_add(suite, another_seed_other_numbers, 1);
    unit_add(suite, same_policy_same_numbers, POLICIES);
    unit_add(suite, nothing_is_lost_uncounted, POLICIES * SEEDS);
    unit_add(suite, the_dead_get_nothing, POLICIES);
    unit_add(suite, a_death_is_noticed_late, 1);
    unit_add(suite, failures_count_as_slow, 1);
    unit_add(suite, weights_count, 1);
    unit_add(suite, queues_are_as_long_as_they_should, 1);
    unit_add(suite, orders_are_checked, 1);
    return unit_run(suite);
}

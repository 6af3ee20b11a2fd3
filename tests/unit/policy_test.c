/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * policy.c of a chapter: numbers in, a number out.
 */
#include "policy.h"
#include "unit.h"

#include <string.h>

enum { MANY = 8 };

static const char *const names[] = {"round-robin", "least-connections"};

static const struct policy *find(const char *name)
{
    const struct policy *policy = policy_find(name);

    ck_assert_msg(policy != NULL, "there is no policy %s", name);
    ck_assert_str_eq(policy->name, name);
    return policy;
}

START_TEST(only_policies_are_found)
{
    ck_assert_ptr_null(policy_find(""));
    ck_assert_ptr_null(policy_find("round"));
    ck_assert_ptr_null(policy_find("round-robin "));
    ck_assert_ptr_null(policy_find("Round-Robin"));
    find(names[0]);
    find(names[1]);
}
END_TEST

/** For any number of candidates, however busy, at any turn. */
START_TEST(one_of_the_candidates_is_picked)
{
    const struct policy *policy = find(names[_i]);
    uint64_t seed = 1;

    for (int round = 0; round < 100000; round++) {
        unsigned in_flight[MANY];
        struct candidates from = {.count = 1 + unit_chance(&seed, MANY),
                                  .in_flight = in_flight,
                                  .turn = unit_chance(&seed, 10) == 0
                                              ? SIZE_MAX - (size_t)round % 3
                                              : unit_chance(&seed, 1000)};

        for (size_t i = 0; i < from.count; i++)
            in_flight[i] = unit_chance(&seed, 4);
        ck_assert_uint_lt(policy->pick(&from), from.count);
    }
}
END_TEST

START_TEST(round_robin_takes_turns_however_busy_they_are)
{
    const struct policy *policy = find("round-robin");
    const unsigned in_flight[MANY] = {9, 0, 3, 0, 0, 7, 0, 1};

    for (size_t count = 1; count <= MANY; count++) {
        struct candidates from = {.count = count, .in_flight = in_flight};
        size_t first = policy->pick(&from);

        for (from.turn = 0; from.turn < 3 * count; from.turn++)
            ck_assert_uint_eq(policy->pick(&from), (first + from.turn) % count);
    }
}
END_TEST

START_TEST(least_connections_picks_the_least_busy)
{
    const struct policy *policy = find("least-connections");
    uint64_t seed = 2;

    for (int round = 0; round < 100000; round++) {
        unsigned in_flight[MANY];
        struct candidates from = {.count = 1 + unit_chance(&seed, MANY),
                                  .in_flight = in_flight,
                                  .turn = unit_chance(&seed, 100)};
        unsigned least = 100;

        for (size_t i = 0; i < from.count; i++) {
            in_flight[i] = unit_chance(&seed, 5);
            least = in_flight[i] < least ? in_flight[i] : least;
        }
        ck_assert_uint_eq(in_flight[policy->pick(&from)], least);
    }
}
END_TEST

START_TEST(least_connections_takes_turns_among_equals)
{
    const struct policy *policy = find("least-connections");
    const unsigned equal[MANY] = {0};
    struct candidates from = {.count = 3, .in_flight = equal};
    unsigned picked[MANY] = {0};

    for (from.turn = 0; from.turn < 300; from.turn++)
        picked[policy->pick(&from)]++;
    for (size_t i = 0; i < from.count; i++)
        ck_assert_uint_eq(picked[i], 100);
}
END_TEST

/** One is slow and keeps what it gets: the others share the rest. */
START_TEST(least_connections_spares_a_slow_backend)
{
    const struct policy *policy = find("least-connections");
    unsigned in_flight[3] = {0};
    unsigned picked[3] = {0};
    struct candidates from = {.count = 3, .in_flight = in_flight};

    for (from.turn = 0; from.turn < 90; from.turn++) {
        size_t pick = policy->pick(&from);

        picked[pick]++;
        in_flight[0] += pick == 0; /* never done; the others are at once */
    }
    ck_assert_uint_eq(picked[0], 1);
    ck_assert_uint_ge(picked[1], 40);
    ck_assert_uint_ge(picked[2], 40);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy");

    unit_add(suite, only_policies_are_found, 1);
    unit_add(suite, one_of_the_candidates_is_picked, 2);
    unit_add(suite, round_robin_takes_turns_however_busy_they_are, 1);
    unit_add(suite, least_connections_picks_the_least_busy, 1);
    unit_add(suite, least_connections_takes_turns_among_equals, 1);
    unit_add(suite, least_connections_spares_a_slow_backend, 1);
    return unit_run(suite);
}

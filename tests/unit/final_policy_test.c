/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The policies of final: numbers in, a number out. What is drawn by chance is
 * drawn from fixed seeds, so a test that passes once passes always.
 */
#include "unit.h"
#include "upstream/policy.h"
#include "upstream/policy_draw.h"

#include <string.h>

enum { KINDS = 6, WEIGHTINGS = 4, FEW = 4 };

static const char *const names[KINDS] = {"round-robin",     "least-connections",
                                         "two-choices",     "address-hash",
                                         "consistent-hash", "latency"};

/** Weights that a test is run with; 0: no more. */
static const unsigned weightings[WEIGHTINGS][FEW] = {
    {10, 10, 10, 10}, {10, 20, 30, 40}, {50, 10, 10, 0}, {256, 100, 7, 0}};

/** A question under construction, its candidates, and a policy. */
struct bench {
    const struct policy_kind *kind;
    struct policy *policy;
    struct candidate at[BACKENDS_MAX];
    struct candidates from;
    uint64_t seed;
};

static uint64_t wide_chance(uint64_t *seed)
{
    uint64_t high = unit_chance(seed, UINT32_MAX);

    return high << 32 | unit_chance(seed, UINT32_MAX);
}

static uint64_t identity_of(size_t number)
{
    uint64_t seed = 1000 + number;

    return wide_chance(&seed);
}

/** So many candidates, all of weight 10 (a 1, as the pool writes it). */
static struct bench *bench_new(const char *name, size_t count)
{
    static struct bench bench;

    memset(&bench, 0, sizeof(bench));
    bench.kind = policy_find(name);
    ck_assert_msg(bench.kind != NULL, "there is no policy %s", name);
    ck_assert_str_eq(bench.kind->name, name);
    if (bench.kind->create != NULL)
        bench.policy = bench.kind->create();
    for (size_t i = 0; i < count; i++)
        bench.at[i] =
            (struct candidate){.identity = identity_of(i), .weight = 10};
    bench.from.at = bench.at;
    bench.from.count = count;
    bench.seed = 1;
    return &bench;
}

static void bench_free(struct bench *bench)
{
    if (bench->policy != NULL) {
        bench->kind->destroy(&bench->policy);
        ck_assert_ptr_null(bench->policy);
    }
}

/** The next turn, with another key and other chances. */
static size_t bench_pick(struct bench *bench)
{
    size_t picked;

    bench->from.key = wide_chance(&bench->seed);
    bench->from.chance[0] = wide_chance(&bench->seed);
    bench->from.chance[1] = wide_chance(&bench->seed);
    picked = bench->kind->pick(bench->policy, &bench->from);
    if (picked >= bench->from.count) /* an assertion each time takes long */
        ck_abort_msg("%s: there is no number %zu", bench->kind->name, picked);
    bench->from.turn++;
    return picked;
}

/** Pick for this key alone. */
static size_t bench_pick_key(struct bench *bench, uint64_t key)
{
    bench->from.key = key;
    return bench->kind->pick(bench->policy, &bench->from);
}

/** Take one out; those after it move up. */
static struct candidate bench_remove(struct bench *bench, size_t i)
{
    struct candidate gone = bench->at[i];

    bench->from.count--;
    memmove(&bench->at[i], &bench->at[i + 1],
            (bench->from.count - i) * sizeof(bench->at[0]));
    return gone;
}

static void bench_insert(struct bench *bench, size_t i, struct candidate one)
{
    memmove(&bench->at[i + 1], &bench->at[i],
            (bench->from.count - i) * sizeof(bench->at[0]));
    bench->from.count++;
    bench->at[i] = one;
}

static void bench_weigh(struct bench *bench, const unsigned weights[FEW])
{
    bench->from.count = 0;
    for (size_t i = 0; i < FEW && weights[i] != 0; i++) {
        bench->at[i].weight = weights[i];
        bench->from.count++;
    }
}

static uint64_t weight_sum(const struct bench *bench)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < bench->from.count; i++)
        sum += bench->at[i].weight;
    return sum;
}

/** Does everybody's count lie within @p percent of its share, of all picks? */
static void check_shares(const struct bench *bench, const unsigned *picked,
                         double percent)
{
    double sum = 0;

    for (size_t i = 0; i < bench->from.count; i++)
        sum += picked[i];
    for (size_t i = 0; i < bench->from.count; i++) {
        double share = 100.0 * picked[i] / sum;
        double fair = 100.0 * bench->at[i].weight / (double)weight_sum(bench);

        ck_assert_msg(share >= fair - percent && share <= fair + percent,
                      "%s: number %zu got %.2f %%, fair is %.2f %%",
                      bench->kind->name, i, share, fair);
    }
}

START_TEST(only_policies_are_found)
{
    ck_assert_ptr_null(policy_find(""));
    ck_assert_ptr_null(policy_find("round"));
    ck_assert_ptr_null(policy_find("round-robin "));
    ck_assert_ptr_null(policy_find("Latency"));
    for (size_t i = 0; i < KINDS; i++)
        ck_assert_str_eq(policy_find(names[i])->name, names[i]);
}
END_TEST

/** Any number of candidates, any weights, any figures, always changing. */
START_TEST(one_of_the_candidates_is_picked)
{
    static const unsigned extremes[] = {0, 1, 7, UINT32_MAX - 1, UINT32_MAX};
    struct bench *bench = bench_new(names[_i], BACKENDS_MAX);

    for (int round = 0; round < 300; round++) {
        bench->from.count = 1 + unit_chance(&bench->seed, BACKENDS_MAX);
        bench->from.turn = wide_chance(&bench->seed);
        for (size_t i = 0; i < bench->from.count; i++) {
            bench->at[i].identity = wide_chance(&bench->seed);
            bench->at[i].weight = 1 + unit_chance(&bench->seed, 2560);
            bench->at[i].in_flight = extremes[unit_chance(&bench->seed, 5)];
            bench->at[i].latency_us = extremes[unit_chance(&bench->seed, 5)];
        }
        for (int again = 0; again < 20; again++)
            bench_pick(bench);
    }
    bench_free(bench);
}
END_TEST

/** Even with weights that no configuration can have. */
START_TEST(huge_weights_do_no_harm)
{
    struct bench *bench = bench_new(names[_i], BACKENDS_MAX);

    for (size_t i = 0; i < BACKENDS_MAX; i++) {
        bench->at[i].weight = UINT32_MAX - (unsigned)i;
        bench->at[i].in_flight = UINT32_MAX - (unsigned)i * 3;
        bench->at[i].latency_us = UINT32_MAX;
    }
    for (int round = 0; round < 1000; round++)
        bench_pick(bench);
    bench_free(bench);
}
END_TEST

START_TEST(one_candidate_is_the_one)
{
    struct bench *bench = bench_new(names[_i], 1);

    for (unsigned round = 0; round < 1000; round++) {
        bench->at[0].in_flight = round;
        ck_assert_uint_eq(bench_pick(bench), 0);
    }
    bench_free(bench);
}
END_TEST

/** With 64 candidates, all get something, and no other number is picked. */
START_TEST(sixty_four_candidates_all_get_a_share)
{
    struct bench *bench = bench_new(names[_i], BACKENDS_MAX);
    unsigned picked[BACKENDS_MAX] = {0};

    for (int round = 0; round < 64000; round++)
        picked[bench_pick(bench)]++;
    check_shares(bench, picked, 0.5);
    for (size_t i = 0; i < BACKENDS_MAX; i++)
        ck_assert_uint_gt(picked[i], 500);
    bench_free(bench);
}
END_TEST

/** The same question, the same answer: whoever is asked, and however often. */
START_TEST(the_same_question_has_the_same_answer)
{
    struct bench *bench = bench_new(names[_i], 7);
    struct policy *other = NULL;

    if (bench->kind->create != NULL)
        other = bench->kind->create();
    for (unsigned round = 0; round < 2000; round++) {
        bench->at[round % 7].in_flight = unit_chance(&bench->seed, 9);
        size_t picked = bench_pick(bench);

        bench->from.turn--;
        ck_assert_uint_eq(bench->kind->pick(bench->policy, &bench->from),
                          picked);
        ck_assert_uint_eq(bench->kind->pick(other, &bench->from), picked);
        bench->from.turn++;
    }
    if (other != NULL)
        bench->kind->destroy(&other);
    bench_free(bench);
}
END_TEST

/**
 * A busy time: each request takes as long as it takes, and longer the more its
 * backend has to do for its weight. Everybody gets its share in the end.
 */
START_TEST(shares_are_fair_under_load)
{
    enum { AT_ONCE = 200, ROUNDS = 50000 };
    struct bench *bench = bench_new(names[_i / WEIGHTINGS], FEW);
    size_t busy[AT_ONCE];
    unsigned picked[FEW] = {0};

    bench_weigh(bench, weightings[_i % WEIGHTINGS]);
    for (size_t i = 0; i < FEW; i++)
        bench->at[i].latency_us = 1000;
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t place = round;

        if (round >= AT_ONCE) {
            place = unit_chance(&bench->seed, AT_ONCE);
            bench->at[busy[place]].in_flight--;
        }
        busy[place] = bench_pick(bench);
        bench->at[busy[place]].in_flight++;
        picked[busy[place]]++;
    }
    check_shares(bench, picked, 2);
    bench_free(bench);
}
END_TEST

/** Nothing in flight: those that go by turns, chance or key are fair, too. */
START_TEST(shares_are_fair_when_idle)
{
    static const size_t fair_when_idle[] = {0, 2, 3, 4};
    struct bench *bench =
        bench_new(names[fair_when_idle[_i / WEIGHTINGS]], FEW);
    unsigned picked[FEW] = {0};

    bench_weigh(bench, weightings[_i % WEIGHTINGS]);
    for (int round = 0; round < 50000; round++)
        picked[bench_pick(bench)]++;
    check_shares(bench, picked, 3);
    bench_free(bench);
}
END_TEST

/** The turns as letters. */
static void check_turns(const unsigned weights[FEW], const char *letters)
{
    struct bench *bench = bench_new("round-robin", FEW);

    bench_weigh(bench, weights);
    for (size_t round = 0; round < 3 * strlen(letters); round++)
        ck_assert_int_eq("abcd"[bench_pick(bench)],
                         letters[round % strlen(letters)]);
    bench_free(bench);
}

START_TEST(round_robin_is_smooth)
{
    check_turns((const unsigned[FEW]){5, 1, 1}, "aabacaa");
    check_turns((const unsigned[FEW]){1, 1, 1}, "abc");
    check_turns((const unsigned[FEW]){1, 2}, "bab");
    check_turns((const unsigned[FEW]){3, 2, 1}, "abacba");
    check_turns((const unsigned[FEW]){20, 10}, "aba");
    check_turns((const unsigned[FEW]){50, 10, 10}, "aabacaa");
    check_turns((const unsigned[FEW]){256, 256, 256, 256}, "abcd");
}
END_TEST

/** 64 backends, weights without a common divisor: one period, counted. */
START_TEST(round_robin_keeps_weights_exactly_in_a_long_period)
{
    struct bench *bench = bench_new("round-robin", BACKENDS_MAX);
    unsigned picked[BACKENDS_MAX] = {0};

    for (size_t i = 0; i < BACKENDS_MAX; i++)
        bench->at[i].weight = 256 - (unsigned)i % 4;
    bench->from.turn = 12345;
    for (uint64_t i = weight_sum(bench); i > 0; i--)
        picked[bench_pick(bench)]++;
    for (size_t i = 0; i < BACKENDS_MAX; i++)
        ck_assert_uint_eq(picked[i], bench->at[i].weight);
    bench_free(bench);
}
END_TEST

/** Slow start makes weights ten times finer: rounded, nobody left out. */
START_TEST(round_robin_rounds_weights_that_are_too_fine)
{
    struct bench *bench = bench_new("round-robin", BACKENDS_MAX);
    unsigned picked[BACKENDS_MAX] = {0};

    for (size_t i = 0; i < BACKENDS_MAX; i++)
        bench->at[i].weight = 2560;
    bench->at[0].weight = 1;
    bench->at[1].weight = 1281;
    for (int round = 0; round < 160000; round++)
        picked[bench_pick(bench)]++;
    ck_assert_uint_gt(picked[0], 0);
    check_shares(bench, picked, 0.05);
    bench_free(bench);
}
END_TEST

START_TEST(round_robin_follows_a_set_that_changes)
{
    struct bench *bench = bench_new("round-robin", 3);
    struct candidate gone;

    for (unsigned round = 0; round < 6; round++)
        ck_assert_uint_eq(bench_pick(bench), round % 3);
    gone = bench_remove(bench, 1);
    for (unsigned round = 0; round < 6; round++)
        ck_assert_uint_eq(bench_pick(bench), round % 2);
    bench_insert(bench, 1, gone);
    for (unsigned round = 0; round < 6; round++)
        ck_assert_uint_eq(bench_pick(bench), round % 3);
    bench->from.turn = 0;
    bench->at[0].weight = 50; /* the same set, other weights */
    for (unsigned round = 0; round < 7; round++)
        ck_assert_int_eq("abc"[bench_pick(bench)], "aabacaa"[round]);
    bench_free(bench);
}
END_TEST

START_TEST(least_connections_picks_the_least_busy_for_its_weight)
{
    struct bench *bench = bench_new("least-connections", 8);

    for (int round = 0; round < 50000; round++) {
        double least = 1e9;

        for (size_t i = 0; i < bench->from.count; i++) {
            struct candidate *one = &bench->at[i];

            one->weight = 1 + unit_chance(&bench->seed, 4);
            one->in_flight = unit_chance(&bench->seed, 6);
            if ((one->in_flight + 1.0) / one->weight < least)
                least = (one->in_flight + 1.0) / one->weight;
        }
        const struct candidate *picked = &bench->at[bench_pick(bench)];

        ck_assert_double_eq((picked->in_flight + 1.0) / picked->weight, least);
    }
}
END_TEST

START_TEST(least_connections_takes_turns_among_equals)
{
    struct bench *bench = bench_new("least-connections", 4);
    static const size_t equal[] = {0, 1, 3};

    bench->at[1].weight = 20; /* twice the weight, twice the load: equal */
    bench->at[1].in_flight = 3;
    bench->at[0].in_flight = bench->at[3].in_flight = 1;
    bench->at[2].in_flight = 2;
    for (unsigned round = 0; round < 300; round++)
        ck_assert_uint_eq(bench_pick(bench), equal[round % 3]);
}
END_TEST

/** Products of large figures must not wrap at 32 bits. */
START_TEST(least_connections_can_count)
{
    struct bench *bench = bench_new("least-connections", 2);

    bench->at[0] = (struct candidate){.weight = 2560, .in_flight = UINT32_MAX};
    bench->at[1] = (struct candidate){.weight = 2560, .in_flight = 1 << 30};
    ck_assert_uint_eq(bench_pick(bench), 1);
    bench->at[0].in_flight = 1 << 30;
    bench->at[1].in_flight = UINT32_MAX;
    ck_assert_uint_eq(bench_pick(bench), 0);
    ck_assert_uint_eq(bench_pick(bench), 0);
}
END_TEST

START_TEST(two_different_ones_are_drawn)
{
    for (size_t count = 2; count <= BACKENDS_MAX; count++) {
        struct bench *bench = bench_new("two-choices", count);

        bench->at[0].weight = 2560;
        for (int round = 0; round < 500; round++) {
            struct policy_pair pair;

            bench_pick(bench);
            pair = policy_draw(&bench->from);
            ck_assert_uint_ne(pair.first, pair.second);
            ck_assert_uint_lt(pair.first, count);
            ck_assert_uint_lt(pair.second, count);
        }
    }
}
END_TEST

/** All ordered pairs come up as often. */
START_TEST(draws_are_unbiased)
{
    struct bench *bench = bench_new("two-choices", 5);
    unsigned drawn[5][5] = {{0}};

    for (int round = 0; round < 100000; round++) {
        struct policy_pair pair;

        bench_pick(bench);
        pair = policy_draw(&bench->from);
        drawn[pair.first][pair.second]++;
    }
    for (size_t i = 0; i < 5; i++)
        for (size_t j = 0; j < 5; j++)
            ck_assert_msg(i == j || (drawn[i][j] > 4700 && drawn[i][j] < 5300),
                          "%zu then %zu: %u times of 5000", i, j, drawn[i][j]);
}
END_TEST

START_TEST(two_choices_takes_the_less_busy_of_the_two)
{
    struct bench *bench = bench_new("two-choices", 2);

    bench->at[0].in_flight = 4;
    bench->at[1].in_flight = 3;
    for (int round = 0; round < 1000; round++)
        ck_assert_uint_eq(bench_pick(bench), 1);
    bench->at[0].weight = 20; /* 4 for 20 is less than 3 for 10 */
    for (int round = 0; round < 1000; round++)
        ck_assert_uint_eq(bench_pick(bench), 0);
}
END_TEST

/** The busiest of many is never the better one of two. */
START_TEST(two_choices_spares_the_busiest)
{
    struct bench *bench = bench_new("two-choices", 6);

    bench->at[4].in_flight = 1;
    for (int round = 0; round < 10000; round++)
        ck_assert_uint_ne(bench_pick(bench), 4);
}
END_TEST

/** Both hashes: one goes, and its keys alone move; it comes, all is well. */
START_TEST(only_the_keys_of_the_one_that_leaves_move)
{
    enum { KEYS = 20000, COUNT = 10 };
    static const unsigned weights[2] = {10, 40};
    static size_t before[KEYS];
    struct bench *bench =
        bench_new(_i % 2 == 0 ? "address-hash" : "consistent-hash", COUNT);
    size_t leaves = (size_t)_i / 4;
    struct candidate gone;
    unsigned moved = 0, others = 0;
    double fair;

    bench->at[leaves].weight = weights[_i / 2 % 2];
    fair = bench->at[leaves].weight / (double)weight_sum(bench);
    for (size_t key = 0; key < KEYS; key++)
        before[key] = bench_pick_key(bench, key);
    gone = bench_remove(bench, leaves);
    for (int fresh = 0; fresh < 2; fresh++) {
        moved = 0;
        for (size_t key = 0; key < KEYS; key++) {
            size_t after = bench_pick_key(bench, key);

            moved += before[key] == leaves;
            if (before[key] != leaves)
                others += after + (after >= leaves) != before[key];
        }
        if (bench->policy != NULL) { /* as one who never knew the other */
            bench->kind->destroy(&bench->policy);
            bench->policy = bench->kind->create();
        }
    }
    ck_assert_uint_eq(others, 0);
    ck_assert_double_ge(moved, KEYS * fair * 0.85);
    ck_assert_double_le(moved, KEYS * fair * 1.15);
    bench_insert(bench, leaves, gone);
    for (size_t key = 0; key < KEYS; key++)
        others += bench_pick_key(bench, key) != before[key];
    ck_assert_uint_eq(others, 0);
    bench_free(bench);
}
END_TEST

/** The keys of the one that left go to all others, not to one neighbour. */
START_TEST(keys_of_the_one_that_leaves_are_spread)
{
    enum { KEYS = 50000 };
    struct bench *bench =
        bench_new(_i == 0 ? "address-hash" : "consistent-hash", 6);
    static size_t before[KEYS];
    unsigned got[BACKENDS_MAX] = {0};

    for (size_t key = 0; key < KEYS; key++)
        before[key] = bench_pick_key(bench, key);
    bench_remove(bench, 5);
    for (size_t key = 0; key < KEYS; key++)
        if (before[key] == 5)
            got[bench_pick_key(bench, key)]++;
    check_shares(bench, got, _i == 0 ? 2 : 8); /* a ring is coarser */
    bench_free(bench);
}
END_TEST

/** One key only, and nothing is ever done: nobody gets above the bound. */
START_TEST(consistent_hash_bounds_the_load)
{
    struct bench *bench = bench_new("consistent-hash", FEW);
    size_t first;

    bench_weigh(bench, weightings[_i]);
    first = bench_pick_key(bench, 7);
    for (uint64_t sum = 1; sum <= 5000; sum++) {
        size_t picked = bench_pick_key(bench, 7);
        double bound;

        bound = 1.25 * (double)sum * bench->at[picked].weight /
                (double)weight_sum(bench);
        ck_assert_double_lt(bench->at[picked].in_flight, bound);
        bench->at[picked].in_flight++;
    }
    /* The owner of the key got all that it might. */
    ck_assert_double_ge(bench->at[first].in_flight,
                        1.2 * 5000 * bench->at[first].weight /
                            (double)weight_sum(bench));
    bench_free(bench);
}
END_TEST

/** A key whose owner is at its bound moves, and comes back afterwards. */
START_TEST(consistent_hash_returns_when_the_owner_has_room)
{
    struct bench *bench = bench_new("consistent-hash", 5);

    for (uint64_t key = 0; key < 500; key++) {
        size_t owner = bench_pick_key(bench, key), other;

        bench->at[owner].in_flight = 10;
        other = bench_pick_key(bench, key);
        ck_assert_uint_ne(other, owner);
        bench->at[owner].in_flight = 0;
        ck_assert_uint_eq(bench_pick_key(bench, key), owner);
    }
    bench_free(bench);
}
END_TEST

START_TEST(consistent_hash_follows_weights_that_change)
{
    struct bench *bench = bench_new("consistent-hash", 3);
    unsigned picked[3];

    for (unsigned weight = 10; weight <= 100; weight += 30) {
        memset(picked, 0, sizeof(picked));
        bench->at[1].weight = weight;
        for (int round = 0; round < 30000; round++)
            picked[bench_pick(bench)]++;
        check_shares(bench, picked, 3);
    }
    bench_free(bench);
}
END_TEST

/** Those that come and go by chance: the answer is that of a fresh policy. */
START_TEST(a_set_that_changes_gets_the_answer_of_a_fresh_policy)
{
    enum { COUNT = 12 };
    struct bench *bench = bench_new(names[_i], COUNT);
    struct candidate all[COUNT];

    memcpy(all, bench->at, sizeof(all));
    for (int round = 0; round < 500; round++) {
        struct policy *fresh = NULL;
        size_t picked;

        bench->from.count = 0;
        for (size_t i = 0; i < COUNT; i++)
            if (i == (size_t)round % COUNT || unit_chance(&bench->seed, 3) > 0)
                bench->at[bench->from.count++] = all[i];
        picked = bench_pick(bench);
        bench->from.turn--;
        if (bench->kind->create != NULL)
            fresh = bench->kind->create();
        ck_assert_uint_eq(bench->kind->pick(fresh, &bench->from), picked);
        if (fresh != NULL)
            bench->kind->destroy(&fresh);
        bench->from.turn++;
    }
    bench_free(bench);
}
END_TEST

/** How many of 10000 requests each of them gets. */
static void latency_share(struct bench *bench, unsigned *picked)
{
    for (int round = 0; round < 10000; round++)
        picked[bench_pick(bench)]++;
}

START_TEST(latency_picks_the_quicker)
{
    struct bench *bench = bench_new("latency", 2);
    unsigned picked[2] = {0};

    bench->at[0].latency_us = 1000;
    bench->at[1].latency_us = 50000;
    latency_share(bench, picked);
    ck_assert_uint_gt(picked[0], 9900);
    ck_assert_uint_gt(picked[1], 20); /* else it would be slow for ever */
}
END_TEST

/** 1 ms x 51 in flight is longer than 50 ms x 1. */
START_TEST(latency_counts_what_is_in_flight_and_weights)
{
    struct bench *bench = bench_new("latency", 2);
    unsigned picked[2] = {0}, heavier[2] = {0};

    bench->at[0] =
        (struct candidate){.weight = 10, .in_flight = 50, .latency_us = 1000};
    bench->at[1] = (struct candidate){.weight = 10, .latency_us = 50000};
    latency_share(bench, picked);
    ck_assert_uint_gt(picked[1], 9900);
    bench->at[0].weight = 11;
    latency_share(bench, heavier);
    ck_assert_uint_gt(heavier[0], 9900);
}
END_TEST

/** Unknown is as good as the other; with fewer in flight it is better. */
START_TEST(latency_tries_the_unknown_but_does_not_flood_it)
{
    struct bench *bench = bench_new("latency", 2);
    unsigned equal[2] = {0}, idle[2] = {0}, busy[2] = {0};

    bench->at[0].latency_us = 2000;
    latency_share(bench, equal);
    ck_assert_uint_gt(equal[1], 4800);
    ck_assert_uint_lt(equal[1], 5200);
    bench->at[0].in_flight = 1;
    latency_share(bench, idle);
    ck_assert_uint_gt(idle[1], 9900);
    bench->at[1].in_flight = 2;
    latency_share(bench, busy);
    ck_assert_uint_gt(busy[0], 9900);
}
END_TEST

static void add_all(Suite *suite)
{
    unit_add(suite, only_policies_are_found, 1);
    unit_add(suite, one_of_the_candidates_is_picked, KINDS);
    unit_add(suite, huge_weights_do_no_harm, KINDS);
    unit_add(suite, one_candidate_is_the_one, KINDS);
    unit_add(suite, sixty_four_candidates_all_get_a_share, KINDS);
    unit_add(suite, the_same_question_has_the_same_answer, KINDS);
    unit_add(suite, a_set_that_changes_gets_the_answer_of_a_fresh_policy,
             KINDS);
    unit_add(suite, shares_are_fair_under_load, KINDS * WEIGHTINGS);
    unit_add(suite, shares_are_fair_when_idle, 4 * WEIGHTINGS);
}

int main(void)
{
    Suite *suite = suite_create("policy");

    add_all(suite);
    unit_add(suite, round_robin_is_smooth, 1);
    unit_add(suite, round_robin_keeps_weights_exactly_in_a_long_period, 1);
    unit_add(suite, round_robin_rounds_weights_that_are_too_fine, 1);
    unit_add(suite, round_robin_follows_a_set_that_changes, 1);
    unit_add(suite, least_connections_picks_the_least_busy_for_its_weight, 1);
    unit_add(suite, least_connections_takes_turns_among_equals, 1);
    unit_add(suite, least_connections_can_count, 1);
    unit_add(suite, two_different_ones_are_drawn, 1);
    unit_add(suite, draws_are_unbiased, 1);
    unit_add(suite, two_choices_takes_the_less_busy_of_the_two, 1);
    unit_add(suite, two_choices_spares_the_busiest, 1);
    unit_add(suite, only_the_keys_of_the_one_that_leaves_move, 12);
    unit_add(suite, keys_of_the_one_that_leaves_are_spread, 2);
    unit_add(suite, consistent_hash_bounds_the_load, WEIGHTINGS);
    unit_add(suite, consistent_hash_returns_when_the_owner_has_room, 1);
    unit_add(suite, consistent_hash_follows_weights_that_change, 1);
    unit_add(suite, latency_picks_the_quicker, 1);
    unit_add(suite, latency_counts_what_is_in_flight_and_weights, 1);
    unit_add(suite, latency_tries_the_unknown_but_does_not_flood_it, 1);
    return unit_run(suite);
}

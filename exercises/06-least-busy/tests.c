/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Chance here is not left to chance: the dice are a fixed sequence that begins
 * with a seed, so each run sees the same rolls. What is said of likelihoods is
 * counted over so many draws that a right solution is far within the limits.
 */
#include "grade.h"

#include "least_busy.h"

#include <stdio.h>
#include <string.h>

/** Dice with a memory of 64 bits (splitmix64). */
static uint32_t roll_seeded(void *arg)
{
    uint64_t *state = arg;
    uint64_t mixed = *state += 0x9e3779b97f4a7c15u;

    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((mixed ^ (mixed >> 31)) >> 32);
}

/** Is that what load_is_less() says? */
static void must_compare(struct load a, struct load b, bool less)
{
    step("load_is_less() compares %u in flight at weight %u with %u at weight "
         "%u.",
         a.in_flight, a.weight, b.in_flight, b.weight);
    expect(load_is_less(a, b) == less,
           "%u in flight at weight %u is %s busy than %u at weight %u. "
           "load_is_less() said the opposite. See hint 2 of TODO(06.1).",
           a.in_flight, a.weight, less ? "less" : "not less", b.in_flight,
           b.weight);
}

/** The first is less busy than the second, and not the other way round. */
static void must_order(struct load a, struct load b)
{
    must_compare(a, b, true);
    must_compare(b, a, false);
}

GRADE_TEST(quotients_are_exact, 2, "loads are compared exactly")
{
    struct load max = {UINT32_MAX, UINT32_MAX};

    must_order((struct load){1, 1}, (struct load){2, 1});
    must_order((struct load){2, 3}, (struct load){1, 1});
    must_order((struct load){3, 2}, (struct load){5, 3}); /* 1.5 and 1.67 */
    must_order((struct load){0, 1}, (struct load){1, UINT32_MAX});
    must_compare((struct load){6, 3}, (struct load){2, 1}, false);
    must_compare((struct load){2, 1}, (struct load){6, 3}, false);
    must_compare((struct load){0, 1}, (struct load){0, 9}, false);
    must_compare(max, (struct load){1, 1}, false);
    must_compare((struct load){1, 1}, max, false);
    /* A product of 32 bits would be 0 here, or wrap around. */
    must_order((struct load){65535, 65536}, (struct load){65536, 65536});
    must_order((struct load){70000, 70000}, (struct load){70001, 70000});
    must_order((struct load){1, UINT32_MAX}, (struct load){UINT32_MAX, 1});
    /* These differ by less than a double can tell. */
    must_order((struct load){4294967294u, 4294967295u}, max);
    must_order((struct load){4294967293u, 4294967294u},
               (struct load){4294967294u, 4294967295u});
    must_order((struct load){4294967295u, 4294967294u},
               (struct load){4294967294u, 4294967293u});
}

/** The loads, to show them: `2/1 0/3`. */
static const char *shown(const struct load *loads, size_t count)
{
    static char line[400];
    size_t at = 0;

    line[0] = '\0';
    for (size_t i = 0; i < count && at < 360; i++)
        at += (size_t)snprintf(line + at, sizeof(line) - at, "%s%u/%u",
                               i > 0 ? " " : "", loads[i].in_flight,
                               loads[i].weight);
    return line;
}

/** Is that whom it picks, and whose turn is it then? */
static void must_pick(const struct load *loads, size_t count, size_t next,
                      size_t want)
{
    size_t after = next;
    size_t want_after = want + 1 < count ? want + 1 : 0;
    size_t got;

    step("least_busy_pick() is called for %zu backends (in flight/weight: %s), "
         "with next = %zu; see the hints of TODO(06.2).",
         count, shown(loads, count), next);
    got = least_busy_pick(loads, count, &after);
    expect(got == want,
           "Of %zu backends (in flight/weight: %s), with next = %zu, "
           "least_busy_pick() should pick the one with index %zu; yours picked "
           "%s%zu. See hint 1 of TODO(06.2).",
           count, shown(loads, count), next, want,
           got == NOBODY ? "NOBODY, " : "", got);
    expect(after == want_after,
           "Of %zu backends (in flight/weight: %s), with next = %zu, index %zu "
           "was picked, and next should be %zu after it; yours set it to %zu. "
           "See hint 3 of TODO(06.2).",
           count, shown(loads, count), next, want, want_after, after);
}

GRADE_TEST(least_is_found, 1, "the least busy one is picked, weights counted")
{
    static const struct load three[] = {{2, 1}, {1, 1}, {3, 1}};
    static const struct load heavy[] = {{2, 1}, {5, 3}, {4, 2}};
    static const struct load last[] = {{2, 1}, {4, 2}, {1, 1}};
    static const struct load first[] = {{0, 1}, {1, 9}, {1, 9}, {1, 8}};

    for (size_t next = 0; next < 3; next++) {
        must_pick(three, 3, next, 1);
        must_pick(heavy, 3, next, 1);
        must_pick(last, 3, next, 2);
    }
    must_pick(first, 4, 2, 0);
    must_pick(three, 1, 0, 0);
    must_pick(three, 3, 3, 1);
    must_pick(three, 3, NOBODY, 1);
}

GRADE_TEST(equals_take_turns, 2, "those who are equally busy take turns")
{
    static const struct load equal[] = {{2, 1}, {9, 1}, {4, 2}, {6, 3}, {9, 2}};
    struct load loads[5];
    size_t next = 0;
    size_t got[6];

    must_pick(equal, 5, 0, 0);
    must_pick(equal, 5, 1, 2);
    must_pick(equal, 5, 2, 2);
    must_pick(equal, 5, 3, 3);
    must_pick(equal, 5, 4, 0);
    must_pick(equal, 5, 5, 0);
    for (size_t i = 0; i < 6; i++)
        got[i] = least_busy_pick(equal, 5, &next);
    expect(got[0] == 0 && got[1] == 2 && got[2] == 3 && got[3] == 0 &&
               got[4] == 2 && got[5] == 3,
           "Of backends with in flight/weight %s, the indices 0, 2 and 3 are "
           "equally busy. Six picks in a row should be 0 2 3 0 2 3; yours were "
           "%zu %zu %zu %zu %zu %zu.",
           shown(equal, 5), got[0], got[1], got[2], got[3], got[4], got[5]);
    /* The set of equals changes with each pick, and still nobody waits. */
    memset(loads, 0, sizeof(loads));
    next = 0;
    for (size_t i = 0; i < 15; i++) {
        size_t at;

        for (size_t k = 0; k < 5; k++)
            loads[k].weight = 1;
        at = least_busy_pick(loads, 5, &next);
        expect(at == i % 5,
               "Five backends of weight 1 begin with nothing, and each pick "
               "adds a request. Pick number %zu should be index %zu; yours was "
               "%zu. The turn goes on from the backend that was picked last: "
               "see hint 2 of TODO(06.2).",
               i + 1, i % 5, at);
        loads[at].in_flight++;
    }
}

GRADE_TEST(weight_zero_rests, 1,
           "weight 0 gets nothing, and somebody must be there")
{
    static const struct load loads[] = {{0, 0}, {7, 1}, {0, 0}, {9, 1}, {0, 0}};
    uint64_t seed = 1;
    struct dice dice = {roll_seeded, &seed};
    size_t next = 3;

    for (size_t from = 0; from < 5; from++)
        must_pick(loads, 5, from, 1);
    step("two_choices_pick() is called for 5 backends (in flight/weight: %s); "
         "see hint 2 of TODO(06.5).",
         shown(loads, 5));
    for (size_t i = 0; i < 100; i++) {
        size_t got = two_choices_pick(loads, 5, &dice);

        expect(got == 1,
               "Of backends with in flight/weight %s, only the indices 1 and 3 "
               "may be drawn, and 1 is less busy. two_choices_pick() gave %zu. "
               "See hint 2 of TODO(06.5).",
               shown(loads, 5), got);
    }
    step("Only one backend may serve, or none, or there is none: "
         "least_busy_pick() and two_choices_pick() are called. See hint 2 of "
         "TODO(06.5).");
    expect(two_choices_pick(loads, 2, &dice) == 1,
           "Of backends with in flight/weight %s, only index 1 may be drawn, "
           "so two_choices_pick() should pick it.",
           shown(loads, 2));
    expect(least_busy_pick(loads, 1, &next) == NOBODY &&
               least_busy_pick(loads, 0, &next) == NOBODY &&
               two_choices_pick(loads, 1, &dice) == NOBODY &&
               two_choices_pick(loads, 0, &dice) == NOBODY,
           "With no backend at all, or only one of weight 0, all picks should "
           "give NOBODY.");
    expect(next == 3,
           "Nobody was picked, but `next` was changed from 3 to "
           "%zu.",
           next);
}

/** Of many draws below the bound, which share is below @p part? */
static double draw_share(uint32_t bound, uint32_t part)
{
    enum { DRAWS = 30000 };
    uint64_t seed = bound;
    struct dice dice = {roll_seeded, &seed};
    unsigned below = 0;

    step("draw_below() draws with the bound %u. Does the loop that rolls again "
         "end? See hint 2 of TODO(06.3).",
         bound);
    for (unsigned i = 0; i < DRAWS; i++) {
        uint32_t got = draw_below(&dice, bound);

        expect(got < bound, "draw_below() with the bound %u gave %u.", bound,
               got);
        below += got < part;
    }
    return (double)below / DRAWS;
}

/** A third of the draws is below a third of the bound. */
static void must_share(uint32_t bound)
{
    double share = draw_share(bound, bound / 3);

    expect(share > 0.31 && share < 0.36,
           "Of 30000 draws below %u, a share of 0.333 should be below %u; "
           "yours had %.3f. There are 2^32 possible rolls, and %u does not "
           "divide that: some numbers get more rolls than others, unless you "
           "do something about it. See hint 2 of TODO(06.3).",
           bound, bound / 3, share, bound);
}

GRADE_TEST(draws_are_even, 1, "each number is as likely as the others")
{
    uint64_t seed = 1;
    struct dice dice = {roll_seeded, &seed};
    unsigned counts[7] = {0};

    step("draw_below() draws with the bound 7; see hint 1 of TODO(06.3).");
    for (size_t i = 0; i < 21000; i++) {
        uint32_t got = draw_below(&dice, 7);

        expect(got < 7, "draw_below() with the bound 7 gave %u.", got);
        counts[got]++;
    }
    for (size_t i = 0; i < 7; i++)
        expect(counts[i] > 2750 && counts[i] < 3250,
               "Of 21000 draws below 7, about 3000 should be %zu; yours were "
               "%u. See hint 1 of TODO(06.3).",
               i, counts[i]);
    expect(draw_below(&dice, 1) == 0, "Below 1 there is only 0.");
    must_share(3u << 30);
    must_share(3000000000u);
    must_share(UINT32_MAX);
    must_share((1u << 31) + 1);
    expect(draw_share(1u << 31, 1u << 30) < 0.52,
           "Of 30000 draws below 2^31, half should be below 2^30.");
}

GRADE_TEST(pairs_differ, 1, "two different ones, each pair as likely")
{
    static unsigned counts[5][5];
    uint64_t seed = 2;
    struct dice dice = {roll_seeded, &seed};

    step("draw_pair() draws with the bound 5; see hint 1 of TODO(06.4).");
    for (size_t i = 0; i < 40000; i++) {
        uint32_t pair[2] = {9, 9};

        draw_pair(&dice, 5, pair);
        expect(pair[0] < 5 && pair[1] < 5,
               "draw_pair() with the bound 5 gave %u and %u.", pair[0],
               pair[1]);
        expect(pair[0] != pair[1],
               "draw_pair() with the bound 5 gave %u twice. See hint 1 of "
               "TODO(06.4).",
               pair[0]);
        counts[pair[0]][pair[1]]++;
    }
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 5; k++)
            expect(i == k || (counts[i][k] > 1750 && counts[i][k] < 2250),
                   "Of 40000 pairs below 5, there are 20 kinds, and about 2000 "
                   "should be %zu and then %zu; yours were %u. See hint 2 of "
                   "TODO(06.4).",
                   i, k, counts[i][k]);
    step("draw_pair() draws with the bound 2; see hint 1 of TODO(06.4).");
    for (size_t i = 0; i < 100; i++) {
        uint32_t pair[2] = {9, 9};

        draw_pair(&dice, 2, pair);
        expect(pair[0] + pair[1] == 1 && pair[0] < 2,
               "draw_pair() with the bound 2 gave %u and %u.", pair[0],
               pair[1]);
    }
}

/** How often each of four was picked, of 24000 times. */
static void count_picks(const struct load *loads, unsigned counts[4])
{
    uint64_t seed = 3;
    struct dice dice = {roll_seeded, &seed};

    step("two_choices_pick() is called for 4 backends (in flight/weight: %s); "
         "see the hints of TODO(06.5).",
         shown(loads, 4));
    memset(counts, 0, 4 * sizeof(counts[0]));
    for (size_t i = 0; i < 24000; i++) {
        size_t got = two_choices_pick(loads, 4, &dice);

        expect(got < 4,
               "Of 4 backends (in flight/weight: %s), two_choices_pick() gave "
               "%zu.",
               shown(loads, 4), got);
        counts[got]++;
    }
}

GRADE_TEST(the_freer_of_two, 1,
           "of two that are drawn, the less busy one is taken")
{
    static const struct load ranks[] = {{6, 2}, {0, 7}, {9, 1}, {2, 1}};
    static const struct load equal[] = {{0, 1}, {0, 2}, {0, 3}, {0, 4}};
    /* Of 12 ordered pairs, so many have this one as the freer. */
    static const unsigned wins[] = {2, 6, 0, 4};
    unsigned counts[4];

    count_picks(ranks, counts);
    for (size_t i = 0; i < 4; i++)
        expect(counts[i] + 300 > wins[i] * 2000 &&
                   counts[i] < wins[i] * 2000 + 300,
               "Of 4 backends (in flight/weight: %s), index %zu is the less "
               "busy one in %u of the 12 pairs. So of 24000 picks it should "
               "get about %u; yours gave it %u. See hint 1 of TODO(06.5).",
               shown(ranks, 4), i, wins[i], wins[i] * 2000, counts[i]);
    count_picks(equal, counts);
    for (size_t i = 0; i < 4; i++)
        expect(counts[i] > 5700 && counts[i] < 6300,
               "4 backends with nothing to do are equally busy, whatever their "
               "weights. Of 24000 picks, each should get about 6000; yours "
               "gave index %zu %u. See hint 3 of TODO(06.5).",
               i, counts[i]);
}

enum { BACKENDS = 50 };

/** How a request finds its backend, in a simulation. */
enum way { BY_LOT, TWO_CHOICES, LEAST_BUSY, BY_OLD_COUNTS };

/** By lot, but twice as often for those of weight 2. */
static size_t draw_by_weight(const struct dice *dice)
{
    uint32_t roll = dice->roll(dice->arg) % (BACKENDS / 2 * 3);

    return roll / 3 * 2 + (roll % 3 > 0);
}

static size_t choose(enum way way, const struct load *loads,
                     const struct load *old, const struct dice *dice,
                     size_t *next)
{
    switch (way) {
    case BY_LOT: return draw_by_weight(dice);
    case TWO_CHOICES: return two_choices_pick(loads, BACKENDS, dice);
    case LEAST_BUSY: return least_busy_pick(loads, BACKENDS, next);
    case BY_OLD_COUNTS: return two_choices_pick(old, BACKENDS, dice);
    }
    return NOBODY;
}

/**
 * Fifty backends of weight 1 and 2. In each step 66 requests come, and each
 * backend ends as many as its weight says (75 in all). What is the longest
 * queue ever, for its weight?
 */
static unsigned simulate(enum way way, uint64_t seed)
{
    struct dice dice = {roll_seeded, &seed};
    struct load loads[BACKENDS];
    struct load old[BACKENDS];
    unsigned longest = 0;
    size_t next = 0;

    for (size_t i = 0; i < BACKENDS; i++)
        loads[i] = (struct load){0, 1 + (uint32_t)i % 2};
    for (size_t step = 0; step < 200; step++) {
        memcpy(old, loads, sizeof(old));
        for (size_t i = 0; i < 66; i++) {
            size_t at = choose(way, loads, old, &dice, &next);

            expect(at < BACKENDS, "Of %d backends, a pick gave %zu.", BACKENDS,
                   at);
            loads[at].in_flight++;
        }
        for (size_t i = 0; i < BACKENDS; i++) {
            uint32_t queue = loads[i].in_flight / loads[i].weight;
            uint32_t ends = loads[i].weight;

            longest = queue > longest ? queue : longest;
            loads[i].in_flight -=
                ends < loads[i].in_flight ? ends : loads[i].in_flight;
        }
    }
    return longest;
}

GRADE_TEST(queues_stay_short, 1, "over many runs, queues stay short")
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        unsigned lot = simulate(BY_LOT, seed);
        unsigned two = simulate(TWO_CHOICES, seed);
        unsigned least = simulate(LEAST_BUSY, seed);
        unsigned old = simulate(BY_OLD_COUNTS, seed);

        printf("seed %u: by lot %u, two %u, least %u, two by old counts %u\n",
               (unsigned)seed, lot, two, least, old);
        expect(two < 9 && two * 2 < lot,
               "50 backends, 200 steps, 66 requests in each (seed %u). By lot, "
               "the longest queue was %u; with two choices it should be less "
               "than 9 and than half of that; yours was %u.",
               (unsigned)seed, lot, two);
        expect(least < 4,
               "50 backends, 200 steps, 66 requests in each (seed %u). With "
               "the least busy one, the longest queue should be below 4; yours "
               "was %u.",
               (unsigned)seed, least);
        expect(old < 14,
               "The same, but the counts are only looked at once in a step "
               "(seed %u). With two choices, the longest queue should still be "
               "below 14; yours was %u. Do you draw two, or look at all?",
               (unsigned)seed, old);
    }
}

GRADE_TESTS(quotients_are_exact, least_is_found, equals_take_turns,
            weight_zero_rests, draws_are_even, pairs_differ, the_freer_of_two,
            queues_stay_short)

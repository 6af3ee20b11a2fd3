/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The tests have a ring of their own, which is slow and simple: it keeps no
 * points, but asks all of them anew for each key, which is nearest. Whatever
 * yours says is compared with that.
 */
#include "grade.h"

#include "hash_ring.h"
#include "ring_hash.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { NAMES_MAX = 16 };

/** The tests' own idea of who is on the ring. */
struct slow_ring {
    const char *names[NAMES_MAX];
    unsigned weights[NAMES_MAX];
    unsigned in_flight[NAMES_MAX];
    size_t count;
};

static const char *const names[] = {"ada", "bob", "cyd", "dan", "eve", "fay",
                                    "gil", "hal", "ida", "joe", "kim"};

/** The place of key number so-and-so. */
static uint64_t key_place(uint64_t number)
{
    return ring_mix(number + 12345);
}

/** How many are in flight, when one more comes? */
static unsigned slow_all(const struct slow_ring *slow)
{
    unsigned all = 1;

    for (size_t i = 0; i < slow->count; i++)
        all += slow->in_flight[i];
    return all;
}

/** How many may this backend have then? Counted up, not computed. */
static unsigned slow_limit(const struct slow_ring *slow, size_t at)
{
    unsigned weights = 0;
    unsigned limit = 0;

    for (size_t i = 0; i < slow->count; i++)
        weights += slow->weights[i];
    while (4 * weights * limit < 5 * slow_all(slow) * slow->weights[at])
        limit++;
    return limit;
}

/** Who has the nearest point upwards, of all, or of those not full? */
static size_t slow_find(const struct slow_ring *slow, uint64_t place,
                        bool not_full)
{
    uint64_t nearest = UINT64_MAX;
    size_t found = slow->count;

    for (size_t i = 0; i < slow->count; i++) {
        if (not_full && slow->in_flight[i] >= slow_limit(slow, i))
            continue;
        for (unsigned k = 0; k < slow->weights[i] * POINTS_PER_WEIGHT; k++) {
            uint64_t distance = ring_point(slow->names[i], k) - place;

            if (distance <= nearest) {
                nearest = distance;
                found = i;
            }
        }
    }
    return found;
}

static const char *shown(const char *name)
{
    return name == NULL ? "NULL" : name;
}

static struct hash_ring *new_ring(void)
{
    struct hash_ring *ring = hash_ring_new();

    expect(ring != NULL, "hash_ring_new() gave NULL.");
    return ring;
}

static void add(struct hash_ring *ring, const char *name, unsigned weight)
{
    step("hash_ring_add() is called for \"%s\", with weight %u; see the hints "
         "of TODO(08.1).",
         name, weight);
    expect(hash_ring_add(ring, name, weight),
           "hash_ring_add() of \"%s\" with weight %u gave false. See hint 1 of "
           "TODO(08.1).",
           name, weight);
}

/** Is this whose it is? The hint is for when it is not. */
static void must_find(const struct hash_ring *ring, uint64_t place,
                      const char *want, const char *hint)
{
    const char *got;

    step("hash_ring_find() is asked for the place 0x%016llx, which belongs to "
         "\"%s\"; see %s.",
         (unsigned long long)place, want, hint);
    got = hash_ring_find(ring, place);
    expect(got != NULL && strcmp(got, want) == 0,
           "The place 0x%016llx belongs to \"%s\"; hash_ring_find() gave "
           "\"%s\". See %s.",
           (unsigned long long)place, want, shown(got), hint);
}

/** The slow ring, built by your functions. */
static struct hash_ring *build(const struct slow_ring *slow)
{
    struct hash_ring *ring = new_ring();

    for (size_t i = 0; i < slow->count; i++)
        add(ring, slow->names[i], slow->weights[i]);
    return ring;
}

/** The first and the last point of a backend of weight 1. */
static uint64_t outer_point(const char *name, bool last)
{
    uint64_t found = ring_point(name, 0);

    for (unsigned i = 1; i < POINTS_PER_WEIGHT; i++) {
        uint64_t place = ring_point(name, i);

        if (last ? place > found : place < found)
            found = place;
    }
    return found;
}

GRADE_TEST(keys_go_upwards, 2,
           "a key belongs to the first point from its place on")
{
    static const struct slow_ring slow = {
        .names = {"ada", "bob", "cyd"}, .weights = {1, 1, 2}, .count = 3};
    struct hash_ring *ring = new_ring();

    step("hash_ring_find() is called on an empty ring; see hint 1 of "
         "TODO(08.2).");
    expect(hash_ring_find(ring, 5) == NULL,
           "An empty ring should give NULL for each key.");
    add(ring, "ada", 1);
    must_find(ring, 0, "ada", "hint 1 of TODO(08.2)");
    must_find(ring, outer_point("ada", true), "ada", "hint 2 of TODO(08.2)");
    must_find(ring, UINT64_MAX, "ada",
              "hint 2 of TODO(08.2): behind the last point comes the first");
    hash_ring_free(&ring);
    expect(ring == NULL, "hash_ring_free() did not empty the pointer.");
    ring = build(&slow);
    for (unsigned i = 0; i < POINTS_PER_WEIGHT; i++) {
        uint64_t place = ring_point("bob", i);

        must_find(ring, place, "bob",
                  "hint 2 of TODO(08.2): a point lies at this very place");
        must_find(ring, place + 1,
                  slow.names[slow_find(&slow, place + 1, false)],
                  "hint 2 of TODO(08.2): the last point lies just before it");
    }
    must_find(ring, UINT64_MAX, slow.names[slow_find(&slow, UINT64_MAX, false)],
              "hint 2 of TODO(08.2): behind the last point comes the first");
    for (uint64_t i = 0; i < 1500; i++)
        must_find(
            ring, key_place(i),
            slow.names[slow_find(&slow, key_place(i), false)],
            "hint 3 of TODO(08.1) for the points, and hint 1 of TODO(08.2) "
            "for finding them");
    hash_ring_free(&ring);
}

enum { KEYS = 20000 };

/** Which of the names is it? */
static size_t name_index(const char *name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (name != NULL && strcmp(names[i], name) == 0)
            return i;
    expect(false, "hash_ring_find() gave \"%s\", who is not on the ring.",
           shown(name));
    return 0;
}

GRADE_TEST(weights_set_shares, 1, "keys are shared out by weight")
{
    static const unsigned weights[] = {1, 2, 3, 4};
    struct hash_ring *ring = new_ring();
    unsigned counts[11] = {0};

    for (size_t i = 0; i < 4; i++)
        add(ring, names[i], weights[i]);
    step("hash_ring_find() is asked for %d keys; see the hints of TODO(08.2).",
         KEYS);
    for (uint64_t i = 0; i < KEYS; i++)
        counts[name_index(hash_ring_find(ring, key_place(i)))]++;
    for (size_t i = 0; i < 4; i++) {
        unsigned fair = KEYS / 10 * weights[i];

        expect(counts[i] > fair * 3 / 4 && counts[i] < fair * 5 / 4,
               "On a ring of weights 1, 2, 3 and 4, a backend of weight %u "
               "should get about %u of %d keys; yours got %u. See hint 3 of "
               "TODO(08.1).",
               weights[i], fair, KEYS, counts[i]);
    }
    hash_ring_free(&ring);
}

/** Whose is each key now? */
static void note_owners(const struct hash_ring *ring, unsigned char *owners)
{
    step("hash_ring_find() is asked for %d keys; see the hints of TODO(08.2).",
         KEYS);
    for (uint64_t i = 0; i < KEYS; i++)
        owners[i] =
            (unsigned char)name_index(hash_ring_find(ring, key_place(i)));
}

GRADE_TEST(newcomer_takes_its_share, 1,
           "who comes takes a share, and no other key moves")
{
    static unsigned char before[KEYS], after[KEYS], again[KEYS];
    struct hash_ring *ring = new_ring();
    struct hash_ring *other = new_ring();
    unsigned moved = 0;

    for (size_t i = 0; i < 10; i++)
        add(ring, names[i], 1);
    note_owners(ring, before);
    add(ring, names[10], 1);
    note_owners(ring, after);
    for (size_t i = 0; i < KEYS; i++) {
        expect(after[i] == before[i] || after[i] == 10,
               "Ten backends, and \"%s\" came as the eleventh. Then a key of "
               "\"%s\" went to \"%s\". A key may only move to the one who "
               "came. See hint 3 of TODO(08.1).",
               names[10], names[before[i]], names[after[i]]);
        moved += after[i] != before[i];
    }
    expect(moved > KEYS / 11 * 2 / 3 && moved < KEYS / 11 * 3 / 2,
           "Ten backends, and an eleventh came. It should get about %d of %d "
           "keys; yours got %u.",
           KEYS / 11, KEYS, moved);
    for (size_t i = 11; i-- > 0;)
        add(other, names[i], 1);
    note_owners(other, again);
    expect(memcmp(after, again, sizeof(after)) == 0,
           "The same eleven backends were added in the opposite order, and "
           "some keys belong to others now. The order must not matter.");
    hash_ring_free(&ring);
    hash_ring_free(&other);
}

GRADE_TEST(leaver_moves_only_its_own, 2,
           "who goes takes along no key but its own")
{
    static unsigned char before[KEYS], after[KEYS], again[KEYS];
    struct hash_ring *ring = new_ring();
    unsigned moved = 0;
    unsigned gained[11] = {0};

    for (size_t i = 0; i < 10; i++)
        add(ring, names[i], 1 + i % 2);
    note_owners(ring, before);
    step("hash_ring_remove() of \"%s\", one of ten; see the hints of "
         "TODO(08.3).",
         names[3]);
    expect(hash_ring_remove(ring, names[3]),
           "hash_ring_remove() of a backend that is there gave false.");
    note_owners(ring, after);
    for (size_t i = 0; i < KEYS; i++) {
        expect(after[i] != 3,
               "\"%s\" has gone, but a key still belongs to it. See hint 1 of "
               "TODO(08.3).",
               names[3]);
        expect(after[i] == before[i] || before[i] == 3,
               "\"%s\" has gone, and a key of \"%s\" went to \"%s\". Only the "
               "keys of the one who goes may move. See hint 2 of TODO(08.3).",
               names[3], names[before[i]], names[after[i]]);
        moved += before[i] == 3;
        gained[after[i]] += before[i] == 3;
    }
    for (size_t i = 0; i < 10; i++)
        expect(i == 3 || gained[i] * 3 < moved,
               "\"%s\" had %u of %d keys. When it had gone, %u of them went to "
               "\"%s\" alone. Many points are there so that all get some.",
               names[3], moved, KEYS, gained[i], names[i]);
    add(ring, names[3], 2);
    note_owners(ring, again);
    expect(memcmp(before, again, sizeof(before)) == 0,
           "\"%s\" went and came back, and not all keys are where they were.",
           names[3]);
    hash_ring_free(&ring);
}

GRADE_TEST(the_ring_owns_its_names, 1, "names are copied, and found again")
{
    struct hash_ring *ring = new_ring();
    char name[40] = "ada";
    const char *found;

    add(ring, name, 1);
    strcpy(name, "bob");
    must_find(ring, 7, "ada",
              "hint 2 of TODO(08.1): the caller's name is only borrowed");
    step("What cannot be done is asked for: hash_ring_add() of a name that is "
         "there, or of a weight out of range, and hash_ring_remove() of one "
         "that is not there.");
    expect(!hash_ring_add(ring, "ada", 2),
           "\"ada\" was added twice, and hash_ring_add() gave true.");
    expect(!hash_ring_add(ring, "cyd", 0) &&
               !hash_ring_add(ring, "cyd", WEIGHT_MAX + 1),
           "hash_ring_add() with weight 0 or %d should give false.",
           WEIGHT_MAX + 1);
    expect(!hash_ring_remove(ring, "bob"),
           "\"bob\" was never added, but hash_ring_remove() gave true.");
    add(ring, name, 1);
    for (unsigned i = 0; i < 200; i++) {
        sprintf(name, "a-backend-with-a-long-name-%u", i);
        add(ring, name, 1);
    }
    for (unsigned i = 0; i < 200; i++) {
        sprintf(name, "a-backend-with-a-long-name-%u", i);
        step("200 backends were added and are removed one by one; now "
             "hash_ring_remove() of \"%s\". See the hints of TODO(08.3).",
             name);
        expect(hash_ring_remove(ring, name),
               "200 backends were added, then removed one by one. "
               "hash_ring_remove() of \"%s\" gave false.",
               name);
    }
    step("hash_ring_remove() is given the name that hash_ring_find() gave, "
         "which lies in the ring itself; see the hints of TODO(08.3).");
    found = hash_ring_find(ring, 7);
    expect(found != NULL && hash_ring_remove(ring, found),
           "hash_ring_remove() should take the name that hash_ring_find() "
           "gave.");
    found = hash_ring_find(ring, 7);
    expect(found != NULL && hash_ring_remove(ring, found) &&
               hash_ring_find(ring, 7) == NULL,
           "When the last backend is removed, the ring is empty, and gives "
           "NULL.");
    hash_ring_free(&ring);
    hash_ring_free(&ring);
}

/** Nanoseconds of processor time for a lookup; the best of three tries. */
static double time_lookups(const struct hash_ring *ring)
{
    enum { LOOKUPS = 5000 };
    double best = 1e18;

    for (int try = 0; try < 3; try++) {
        struct timespec begin, end;
        size_t found = 0;
        double took;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
        for (uint64_t i = 0; i < LOOKUPS; i++)
            found += hash_ring_find(ring, key_place(i)) != NULL;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
        expect(found == LOOKUPS, "Of %d keys, only %zu belong to anybody.",
               LOOKUPS, found);
        took = (double)(end.tv_sec - begin.tv_sec) * 1e9 +
               (double)(end.tv_nsec - begin.tv_nsec);
        best = took < best ? took : best;
    }
    return best / LOOKUPS;
}

GRADE_TEST_WITH(lookups_are_quick, 1, "a lookup takes O(log n) steps",
                .seconds = 20)
{
    struct hash_ring *small = new_ring();
    struct hash_ring *big = new_ring();
    double small_ns;
    double big_ns;

    add(small, "ada", 1);
    for (size_t i = 0; i < 5; i++)
        add(big, names[i], 100);
    small_ns = time_lookups(small);
    big_ns = time_lookups(big);
    expect(big_ns < small_ns * 40,
           "A lookup took %.0f ns on a ring of 100 points, and %.0f ns on one "
           "of 50,000. That is 500 times as many points, but should be little "
           "more than twice as many steps: 16 instead of 7. See hint 1 of "
           "TODO(08.2).",
           small_ns, big_ns);
    hash_ring_free(&small);
    hash_ring_free(&big);
}

/** A request begins, here and there: do both give it to the same one? */
static void must_take(struct hash_ring *ring, struct slow_ring *slow,
                      uint64_t place, const char *before)
{
    size_t owner = slow_find(slow, place, false);
    size_t want = slow_find(slow, place, true);
    const char *got;

    step(
        "%s. hash_ring_take() is called for the place 0x%016llx; see the hints "
        "of TODO(08.4).",
        before, (unsigned long long)place);
    got = hash_ring_take(ring, place);
    expect(
        got != NULL && strcmp(got, slow->names[want]) == 0,
        "%s. The next request is for the place 0x%016llx of \"%s\". With it, "
        "there are %u in flight, so \"%s\" may have %u. The first one from "
        "there on that is not full is \"%s\", who has %u and may have %u; "
        "hash_ring_take() gave \"%s\". See hint 1 of TODO(08.4).",
        before, (unsigned long long)place, slow->names[owner], slow_all(slow),
        slow->names[owner], slow_limit(slow, owner), slow->names[want],
        slow->in_flight[want], slow_limit(slow, want), shown(got));
    slow->in_flight[want]++;
    expect(hash_ring_in_flight(ring, got) == slow->in_flight[want],
           "\"%s\" has been given a request, and has %u in flight; "
           "hash_ring_in_flight() gave %u.",
           got, slow->in_flight[want], hash_ring_in_flight(ring, got));
}

/** And one ends. */
static void must_give(struct hash_ring *ring, struct slow_ring *slow, size_t at)
{
    expect(hash_ring_give(ring, slow->names[at]),
           "\"%s\" has %u in flight, but hash_ring_give() gave false.",
           slow->names[at], slow->in_flight[at]);
    slow->in_flight[at]--;
}

/** How many are in flight, in words. */
static const char *story(const struct slow_ring *slow)
{
    static char line[300];
    size_t at = 0;

    for (size_t i = 0; i < slow->count; i++)
        at += (size_t)snprintf(line + at, sizeof(line) - at,
                               "%s\"%s\" (weight %u) has %u", i > 0 ? ", " : "",
                               slow->names[i], slow->weights[i],
                               slow->in_flight[i]);
    return line;
}

/** Requests come and go by a fixed lot; half of them for a single key. */
static void take_and_give(struct hash_ring *ring, struct slow_ring *slow,
                          uint64_t seed, size_t steps)
{
    for (size_t i = 0; i < steps; i++) {
        uint64_t lot = ring_mix(seed + i);
        size_t at = (size_t)(lot >> 40) % slow->count;

        if (lot % 5 < 2 && slow->in_flight[at] > 0)
            must_give(ring, slow, at);
        else
            must_take(ring, slow, key_place(lot % 2 == 0 ? 1 : lot),
                      story(slow));
    }
}

GRADE_TEST(full_ones_are_passed_over, 1,
           "nobody gets more than 5/4 of its share")
{
    struct slow_ring three = {
        .names = {"ada", "bob", "cyd"}, .weights = {1, 1, 1}, .count = 3};
    struct slow_ring five = {.names = {"ada", "bob", "cyd", "dan", "eve"},
                             .weights = {1, 2, 1, 3, 1},
                             .count = 5};
    struct hash_ring *ring = new_ring();

    expect(hash_ring_take(ring, 5) == NULL,
           "hash_ring_take() on an empty ring should give NULL.");
    hash_ring_free(&ring);
    ring = build(&three);
    for (size_t i = 0; i < 12; i++)
        must_take(ring, &three, key_place(1), story(&three));
    hash_ring_free(&ring);
    ring = build(&five);
    take_and_give(ring, &five, 100, 400);
    hash_ring_free(&ring);
}

GRADE_TEST(counts_come_back, 1, "what is given back counts no more")
{
    struct slow_ring slow = {.names = {"ada", "bob", "cyd", "dan"},
                             .weights = {1, 2, 1, 3},
                             .count = 4};
    struct hash_ring *ring = build(&slow);

    take_and_give(ring, &slow, 200, 200);
    for (size_t i = 0; i < slow.count; i++)
        while (slow.in_flight[i] > 0)
            must_give(ring, &slow, i);
    expect(!hash_ring_give(ring, "ada") && !hash_ring_give(ring, "zoe"),
           "hash_ring_give() for somebody with nothing in flight, or for "
           "nobody, should give false.");
    must_take(ring, &slow, key_place(2), "All requests have ended");
    take_and_give(ring, &slow, 300, 100);
    /* The last one goes, and with it what it had in flight. */
    expect(slow.in_flight[3] > 0 && hash_ring_remove(ring, "dan"),
           "hash_ring_remove() of \"dan\", who was there, gave false.");
    expect(!hash_ring_give(ring, "dan"),
           "\"dan\" has gone with its requests, but hash_ring_give() gave "
           "true.");
    slow.count = 3;
    must_take(ring, &slow, key_place(1),
              "\"dan\" has gone, and its requests count no more");
    take_and_give(ring, &slow, 400, 100);
    hash_ring_free(&ring);
}

GRADE_TESTS(keys_go_upwards, weights_set_shares, newcomer_takes_its_share,
            leaver_moves_only_its_own, the_ring_owns_its_names,
            lookups_are_quick, full_ones_are_passed_over, counts_come_back)

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The graded tests of the timer heap. A timer of these tests writes its name
 * down when it is called. Chance comes from next_random(), which gives the same
 * numbers in each run.
 *
 * How many places of the array are looked at is measured, not timed: for one
 * call the array is put into memory that must not be touched, and each page
 * that is touched nevertheless is counted, once, by a signal handler. A path up
 * or down the tree touches few pages; a search touches them all.
 */
#include "grade.h"
#include "timer_heap.h"

#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CALLED_MAX = 4000 };

/** A timer with a name, and what it does besides. */
struct thing {
    struct heap_timer timer;
    int name;
    void (*also)(struct thing *thing);
};

static struct timer_heap heap;
static struct thing *called[CALLED_MAX];
static int names[CALLED_MAX]; /* of those called, also if they are gone */
static size_t calls;

/** The same numbers in each run (splitmix64). */
static uint64_t next_random(void)
{
    static uint64_t state = 10;
    uint64_t mixed = state += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

static void on_due(void *arg)
{
    struct thing *thing = arg;

    expect(calls < CALLED_MAX,
           "timer_heap_fire() has called %d timers and does not return. Is "
           "each one taken out before it is called (hint 1 of TODO(10.4))? "
           "Does one that sets itself again wait for the next time (hint 3)?",
           CALLED_MAX);
    called[calls] = thing;
    names[calls++] = thing->name;
    expect(!heap_timer_is_set(&thing->timer),
           "When its on_due is called, a timer is not set any more; "
           "heap_timer_is_set() said it is. See hint 1 of TODO(10.4).");
    if (thing->also != NULL)
        thing->also(thing);
}

static void thing_init(struct thing *thing, int name)
{
    *thing =
        (struct thing){.name = name, .timer = {.on_due = on_due, .arg = thing}};
}

static void thing_set(struct thing *thing, int64_t due_ms)
{
    step("timer_heap_set() for %" PRId64 " ms, when %zu timers are in the "
         "heap; see the hints of TODO(10.1).",
         due_ms, heap.count);
    expect(timer_heap_set(&heap, &thing->timer, due_ms),
           "timer_heap_set() for %" PRId64 " ms returned false.", due_ms);
    expect(heap_timer_is_set(&thing->timer),
           "After timer_heap_set(), heap_timer_is_set() said false.");
}

static void heap_begin(void)
{
    timer_heap_init(&heap);
    calls = 0;
}

/** The names of those called since, as text. */
static const char *names_text(void)
{
    static char text[400];
    size_t length = 0;

    text[0] = '\0';
    for (size_t i = 0; i < calls && length < sizeof(text) - 20; i++)
        length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%d",
                                   i == 0 ? "" : " ", names[i]);
    return calls == 0 ? "nothing" : text;
}

/** Fire, and compare the names of those that are called. */
static void expect_fired(int64_t now_ms, const char *want, const char *story,
                         const char *look)
{
    size_t count, wanted = want[0] != '\0';
    const char *got;

    for (const char *next = want; *next != '\0'; next++)
        wanted += *next == ' ';
    calls = 0;
    step("%s timer_heap_fire() is called at %" PRId64 " ms. See the hints of "
         "TODO(10.4).",
         story, now_ms);
    count = timer_heap_fire(&heap, now_ms);
    got = names_text();
    expect(strcmp(got, want[0] == '\0' ? "nothing" : want) == 0,
           "%s At %" PRId64 " ms these should be called: %s; yours were: %s. "
           "%s",
           story, now_ms, want[0] == '\0' ? "nothing" : want, got, look);
    expect(count == wanted,
           "%s At %" PRId64 " ms, %zu were called, but timer_heap_fire() "
           "returned %zu.",
           story, now_ms, calls, count);
}

/** Set things whose names are the times at which they are due. */
static void set_by_name(struct thing *things, const int *due, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        thing_init(&things[i], due[i]);
        thing_set(&things[i], due[i]);
    }
}

#define SET_BY_NAME(things, ...)                    \
    set_by_name(things, (const int[]){__VA_ARGS__}, \
                sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

GRADE_TEST(fires_in_order, 1, "the one due first is called first")
{
    enum { COUNT = 1000 };
    static struct thing things[COUNT];
    size_t fired = 0;

    heap_begin();
    SET_BY_NAME(things, 50, 20, 90, 10, 70, 30);
    expect_fired(9, "", "Timers were set for 50 20 90 10 70 30 ms.", "");
    expect_fired(30, "10 20 30", "Timers were set for 50 20 90 10 70 30 ms.",
                 "See hint 1 of TODO(10.4).");
    expect_fired(1000, "50 70 90",
                 "Of timers for 50 20 90 10 70 30 ms, three were called.",
                 "See hint 1 of TODO(10.4).");
    for (int i = 0; i < COUNT; i++) {
        thing_init(&things[i], i);
        thing_set(&things[i], (int64_t)(next_random() % 100000) - 50000);
    }
    for (int64_t now_ms = -50000; now_ms < 50000; now_ms += 500) {
        calls = 0;
        step("%d timers were set for random times; timer_heap_fire() is called "
             "at %" PRId64 " ms. See hint 2 of TODO(10.3).",
             COUNT, now_ms);
        fired += timer_heap_fire(&heap, now_ms);
        for (size_t i = 0; i < calls; i++)
            expect(called[i]->timer.due_ms <= now_ms &&
                       (i == 0 ||
                        called[i - 1]->timer.due_ms <= called[i]->timer.due_ms),
                   "%d timers were set for random times. At %" PRId64
                   " ms, the one for %" PRId64 " ms was called too early, or "
                   "after a later one. When one is taken out, does the SMALLER "
                   "child come up? See hint 2 of TODO(10.3).",
                   COUNT, now_ms, called[i]->timer.due_ms);
    }
    fired += timer_heap_fire(&heap, 50000);
    expect(fired == COUNT, "%d timers were set, and %zu called in the end.",
           COUNT, fired);
    timer_heap_fini(&heap);
}

GRADE_TEST(ties_keep_order, 1, "of two due at one time, the first set is first")
{
    static struct thing things[40];
    char want[400] = "";

    heap_begin();
    for (int i = 0; i < 40; i++) {
        thing_init(&things[i], i);
        thing_set(&things[i], i % 4 == 3 ? 5 : 7);
    }
    for (int part = 0; part < 2; part++)
        for (int i = 0; i < 40; i++)
            if ((i % 4 == 3) == (part == 0))
                snprintf(want + strlen(want), sizeof(want) - strlen(want),
                         "%s%d", want[0] == '\0' ? "" : " ", i);
    expect_fired(7, want,
                 "Timers 0 to 39 were set in this order, each fourth (3, 7 "
                 "...) for 5 ms, the others for 7 ms.",
                 "A heap alone keeps no order among equals: hint 2 of "
                 "TODO(10.1).");
    for (int i = 0; i < 5; i++)
        thing_set(&things[i], 20);
    thing_set(&things[1], 20);
    thing_set(&things[3], 19);
    expect_fired(20, "3 0 2 4 1",
                 "Timers 0 to 4 were set for 20 ms; then 1 was set for 20 ms "
                 "again, and 3 for 19.",
                 "Set again is set later: hint 2 of TODO(10.1).");
    timer_heap_fini(&heap);
}

static void expect_wait(int64_t now_ms, int want, const char *story)
{
    int got;

    step("%s timer_heap_wait_ms() is called at %" PRId64 " ms.", story, now_ms);
    got = timer_heap_wait_ms(&heap, now_ms);
    expect(got == want,
           "%s At %" PRId64 " ms, timer_heap_wait_ms() should say %d; yours "
           "said %d. See the hints of TODO(10.2).",
           story, now_ms, want, got);
}

GRADE_TEST(knows_the_next, 1, "how long until the next one is due")
{
    static struct thing things[4];

    heap_begin();
    expect_wait(0, -1, "No timer is set.");
    SET_BY_NAME(things, 500, 300, 400);
    expect_wait(100, 200, "Timers are set for 500, 300, 400 ms.");
    expect_wait(300, 0, "Timers are set for 500, 300, 400 ms.");
    expect_wait(9999, 0, "Timers are set for 500, 300, 400 ms.");
    timer_heap_cancel(&heap, &things[1].timer);
    expect_wait(100, 300,
                "Of timers for 500, 300, 400 ms, the one for 300 was "
                "cancelled.");
    expect_wait(-500, 900, "Timers are set for 500 and 400 ms.");
    timer_heap_fire(&heap, 400);
    expect_wait(401, 99, "One timer is left, for 500 ms.");
    thing_set(&things[0], (int64_t)INT_MAX + 10);
    expect_wait(10, INT_MAX, "A timer is set for INT_MAX + 10 ms.");
    expect_wait(9, INT_MAX, "A timer is set for INT_MAX + 10 ms.");
    expect_wait(11, INT_MAX - 1, "A timer is set for INT_MAX + 10 ms.");
    thing_set(&things[0], INT64_MAX);
    expect_wait(-10, INT_MAX, "A timer is set for INT64_MAX ms.");
    expect_wait(INT64_MAX - 3, 3, "A timer is set for INT64_MAX ms.");
    thing_set(&things[1], INT64_MIN);
    expect_wait(INT64_MAX - 1, 0, "A timer is set for INT64_MIN ms.");
    timer_heap_fire(&heap, 0);
    timer_heap_cancel(&heap, &things[0].timer);
    expect_wait(0, -1, "All timers are gone.");
    timer_heap_fini(&heap);
}

/** No one is before its parent, and each knows its place. */
static void expect_heap(const char *story)
{
    expect(heap.count <= heap.room || heap.at == NULL,
           "%s there are %zu timers, but room for %zu.", story, heap.count,
           heap.room);
    for (size_t i = 0; i < heap.count; i++) {
        const struct heap_timer *parent = heap.at[i == 0 ? 0 : (i - 1) / 2];

        expect(heap.at[i]->place == i + 1,
               "%s the timer at place %zu believes that it is at place %zu. "
               "Whoever moves a timer tells it its place: hint 1 of "
               "TODO(10.3).",
               story, i, heap.at[i]->place - 1);
        expect(parent->due_ms < heap.at[i]->due_ms ||
                   (parent->due_ms == heap.at[i]->due_ms &&
                    parent->number <= heap.at[i]->number),
               "%s the timer at place %zu (due at %" PRId64 ") comes before "
               "its parent at place %zu (due at %" PRId64
               "). One that has a new "
               "place, or a new time, may have to go down OR UP: hint 2 of "
               "TODO(10.3).",
               story, i, heap.at[i]->due_ms, (i - 1) / 2, parent->due_ms);
    }
}

/** A thing in memory of its own, so that the sanitizer sees who touches it when
    it is gone. */
static struct thing *thing_new(int name)
{
    struct thing *thing = malloc(sizeof(*thing));

    expect(thing != NULL, "No memory.");
    thing_init(thing, name);
    return thing;
}

/** Many random steps; after each of them it must be a heap. */
static void cancel_at_random(void)
{
    enum { THINGS = 60, STEPS = 5000 };
    static struct thing *things[THINGS];
    char story[100];
    size_t set = 0;

    for (int step = 1; step <= STEPS; step++) {
        size_t which = next_random() % THINGS;
        bool cancels = things[which] != NULL && next_random() % 3 > 0;

        snprintf(story, sizeof(story),
                 "After %d random steps, the last of them %s,", step,
                 cancels ? "a cancel" : "a set");
        if (cancels) {
            step("%zu timers were set and cancelled at random, and the one at "
                 "place %zu is cancelled. See the hints of TODO(10.3).",
                 heap.count, things[which]->timer.place - 1);
            expect(timer_heap_cancel(&heap, &things[which]->timer),
                   "timer_heap_cancel() of a timer that is set said false.");
            free(things[which]);
            things[which] = NULL;
            set--;
        } else {
            if (things[which] == NULL) {
                things[which] = thing_new((int)which);
                set++;
            }
            thing_set(things[which], (int64_t)(next_random() % 50));
        }
        expect(heap.count == set, "%s %zu timers are set; the heap has %zu.",
               story, set, heap.count);
        expect_heap(story);
    }
    for (size_t i = 0; i < THINGS; i++) {
        if (things[i] != NULL)
            timer_heap_cancel(&heap, &things[i]->timer);
        free(things[i]);
    }
}

GRADE_TEST(cancel_keeps_heap, 2, "after a cancel it is still a heap")
{
    static const char *const story =
        "Timers were set for 1 50 2 60 70 3 4 ms, and 60 and 1 were "
        "cancelled.";
    static struct thing things[7];

    heap_begin();
    SET_BY_NAME(things, 1, 50, 2, 60, 70, 3, 4);
    expect(timer_heap_cancel(&heap, &things[3].timer) &&
               !heap_timer_is_set(&things[3].timer),
           "A timer that was set was cancelled: timer_heap_cancel() should say "
           "true, and then it should not be set.");
    expect(!timer_heap_cancel(&heap, &things[3].timer),
           "A timer was cancelled twice: the second time should be false.");
    expect_heap("Timers were set for 1 50 2 60 70 3 4 ms, and 60 was "
                "cancelled;");
    timer_heap_cancel(&heap, &things[0].timer);
    expect_heap("Timers were set for 1 50 2 60 70 3 4 ms, and 60 and 1 were "
                "cancelled;");
    expect_fired(100, "2 3 4 50 70", story, "See hint 2 of TODO(10.3).");
    SET_BY_NAME(things, 1, 2, 3);
    timer_heap_cancel(&heap, &things[2].timer);
    expect(!heap_timer_is_set(&things[2].timer),
           "Timers were set for 1 2 3 ms; 3, the last in the array, was "
           "cancelled. It should not be set any more: hint 3 of TODO(10.3).");
    timer_heap_cancel(&heap, &things[0].timer);
    expect_fired(100, "2",
                 "Timers were set for 1 2 3 ms; 3, the last in the array, was "
                 "cancelled, then 1.",
                 "See hint 3 of TODO(10.3).");
    cancel_at_random();
    timer_heap_fini(&heap);
}

/* --- how many places are looked at ----------------------------------------- */

enum { PAGES = 128, LOOKS_MAX = 40 };

static char *guarded;         /* where the array is */
static size_t page_bytes;     /* of one page */
static volatile size_t looks; /* pages touched */

/** Somebody touches the array: count the page, and let him. */
static void on_touch(int number, siginfo_t *info, void *context)
{
    char *where = info->si_addr;

    (void)context;
    if (where < guarded || where >= guarded + (PAGES + 1) * page_bytes) {
        signal(number, SIG_DFL);
        return;
    }
    looks++;
    where = guarded + (size_t)(where - guarded) / page_bytes * page_bytes;
    mprotect(where, page_bytes, PROT_READ | PROT_WRITE);
}

/** From now on touching the array is counted. */
static void guard_begin(void)
{
    struct sigaction action = {.sa_sigaction = on_touch,
                               .sa_flags = SA_SIGINFO};

    looks = 0;
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    mprotect(guarded, (PAGES + 1) * page_bytes, PROT_NONE);
}

static void guard_end(const char *what, size_t count)
{
    mprotect(guarded, (PAGES + 1) * page_bytes, PROT_READ | PROT_WRITE);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
    expect(looks > 0, "%s did not touch the array of the heap at all.", what);
    expect(looks <= LOOKS_MAX,
           "With %zu timers set, their array covers %d pages of memory. %s "
           "touched %zu of them; the way up and down a tree touches %d at "
           "most. Do you search, or move all that follow? A timer knows its "
           "place: hints 1 and 3 of TODO(10.3).",
           count, PAGES, what, looks, LOOKS_MAX);
}

GRADE_TEST(looks_at_few, 2, "set, cancel and fire do not look at all of them")
{
    struct heap_timer **own;
    struct thing *things;
    size_t count;

    heap_begin();
    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    count = PAGES * page_bytes / sizeof(struct heap_timer *);
    things = calloc(count, sizeof(*things));
    guarded = mmap(NULL, (PAGES + 1) * page_bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expect(things != NULL && guarded != MAP_FAILED, "No memory.");
    for (size_t i = 0; i < count; i++) {
        thing_init(&things[i], (int)i);
        thing_set(&things[i], (int64_t)(i * 16 + next_random() % 16));
    }
    expect(heap.count == count, "%zu timers were set; the heap has %zu.", count,
           heap.count);
    own = heap.at;
    memcpy(guarded, own, count * sizeof(*own));
    heap.at = (struct heap_timer **)(void *)guarded;
    heap.room = count;

    for (size_t i = 0; i < 50; i++) {
        struct heap_timer *timer = heap.at[heap.count / 2 + i];

        guard_begin();
        timer_heap_cancel(&heap, timer);
        guard_end("timer_heap_cancel() of one in the middle", count);
        guard_begin();
        timer_heap_set(&heap, timer, (int64_t)(next_random() % (count * 8)));
        guard_end("timer_heap_set()", count);
        calls = 0;
        guard_begin();
        timer_heap_fire(&heap, heap.at[0]->due_ms - 1);
        guard_end("timer_heap_fire() with nothing due", count);
    }
    guard_begin();
    calls = 0;
    timer_heap_fire(&heap, heap.at[0]->due_ms);
    guard_end("timer_heap_fire() of the next one", count);

    memcpy(own, guarded, heap.count * sizeof(*own));
    heap.at = own;
    timer_heap_fini(&heap);
    free(things);
}

/* --- what an on_due may do ------------------------------------------------- */

static struct thing actors[6];

static void also_cancel_next_two(struct thing *thing)
{
    (void)thing;
    expect(timer_heap_cancel(&heap, &actors[1].timer) &&
               timer_heap_cancel(&heap, &actors[3].timer),
           "An on_due cancelled two others that were due, too, and set: "
           "timer_heap_cancel() should say true. If you take all that are due "
           "out first, they cannot be cancelled any more: hint 2 of "
           "TODO(10.4).");
}

static void also_cancel_itself(struct thing *thing)
{
    expect(!timer_heap_cancel(&heap, &thing->timer),
           "A timer cancelled itself in its own on_due, when it is not set any "
           "more: timer_heap_cancel() should say false.");
}

static void also_free_itself(struct thing *thing)
{
    free(thing);
}

static void also_set_another(struct thing *thing)
{
    thing_set(&actors[5], thing->timer.due_ms - 1000);
    expect(timer_heap_wait_ms(&heap, 100) == 1,
           "While timers are fired for 100 ms, one was set for a time that is "
           "over. It should be due 1 ms later, at 101; timer_heap_wait_ms() "
           "at 100 says %d. See hint 3 of TODO(10.4).",
           timer_heap_wait_ms(&heap, 100));
}

GRADE_TEST(callbacks_may_do_all, 1, "an on_due may set, cancel and free")
{
    heap_begin();
    for (int i = 0; i < 6; i++)
        thing_init(&actors[i], i);
    actors[0].also = also_cancel_next_two;
    actors[2].also = also_cancel_itself;
    actors[4].also = also_set_another;
    for (int i = 0; i < 5; i++)
        thing_set(&actors[i], i * 10);
    expect_fired(100, "0 2 4",
                 "Timers 0 to 4 were set for 0, 10, 20, 30, 40 ms; 0 cancels 1 "
                 "and 3.",
                 "See hint 2 of TODO(10.4).");
    expect_fired(101, "5", "Timer 4 has set timer 5 in its on_due.", "");
    for (int i = 0; i < 5; i++) {
        struct thing *thing = thing_new(i);

        thing->also = also_free_itself;
        thing_set(thing, 200 - i);
    }
    expect_fired(200, "4 3 2 1 0",
                 "Timers 0 to 4 were set for 200, 199, 198, 197, 196 ms; each "
                 "frees its own memory when it is called.",
                 "");
    timer_heap_fini(&heap);
}

static int64_t again_ms;

static void also_set_itself(struct thing *thing)
{
    thing_set(thing, again_ms);
}

GRADE_TEST(sets_itself_again, 1, "one that sets itself again does not hold us")
{
    static const char *const story =
        "Timer 0 was set for 10 ms, timer 1 for 20 ms. In its on_due, timer 0 "
        "sets itself again for 10 ms.";
    struct thing things[2];

    heap_begin();
    thing_init(&things[0], 0);
    thing_init(&things[1], 1);
    things[0].also = also_set_itself;
    again_ms = 10;
    thing_set(&things[0], 10);
    thing_set(&things[1], 20);
    expect_fired(10, "0", story, "See hint 3 of TODO(10.4).");
    expect(timer_heap_wait_ms(&heap, 10) == 1,
           "%s At 10 ms it was called, and should now be due at 11 ms; "
           "timer_heap_wait_ms() at 10 says %d. See hint 3 of TODO(10.4).",
           story, timer_heap_wait_ms(&heap, 10));
    expect_fired(30, "0 1", story, "See hint 3 of TODO(10.4).");
    expect_fired(30, "",
                 "Timer 0 was called at 30 ms, set itself for 10 ms, and so is "
                 "due at 31 ms.",
                 "See hint 3 of TODO(10.4).");
    things[0].also = NULL;
    expect_fired(31, "0", "Timer 0 is due at 31 ms.", "");
    thing_set(&things[0], 5);
    expect(timer_heap_wait_ms(&heap, 31) == 0,
           "OUTSIDE of an on_due, a timer was set for 5 ms, which is over. It "
           "is due at once; timer_heap_wait_ms() says %d. See hint 3 of "
           "TODO(10.4).",
           timer_heap_wait_ms(&heap, 31));
    expect_fired(31, "0", "Timer 0 was set for 5 ms.", "");
    timer_heap_fini(&heap);
}

GRADE_TEST(grows_and_moves, 1, "any number fits, and one that is set can move")
{
    enum { COUNT = 3000 };
    static struct thing things[COUNT];

    heap_begin();
    for (int i = 0; i < COUNT; i++) {
        thing_init(&things[i], i);
        thing_set(&things[i], 10 * i);
    }
    expect_heap("After 3000 timers were set in order,");
    for (int i = 0; i < COUNT; i += 3) {
        thing_set(&things[i], 10 * (COUNT - i));
        expect_heap("After 3000 timers were set, and some of them moved to "
                    "another time (up or down the tree),");
    }
    expect(heap.count == COUNT,
           "3000 timers were set, and some of them set again; the heap has "
           "%zu. Set again is a move, not one more: hint 3 of TODO(10.1).",
           heap.count);
    calls = 0;
    timer_heap_fire(&heap, 10 * COUNT);
    expect(calls == COUNT, "3000 timers were due, %zu were called.", calls);
    for (size_t i = 1; i < calls; i++)
        expect(called[i - 1]->timer.due_ms <= called[i]->timer.due_ms,
               "Some of 3000 timers were moved; then one for %" PRId64
               " ms was called before one for %" PRId64 " ms.",
               called[i - 1]->timer.due_ms, called[i]->timer.due_ms);
    thing_set(&things[0], 1);
    thing_set(&things[1], 2);
    timer_heap_fini(&heap);
    expect(!heap_timer_is_set(&things[0].timer) &&
               !heap_timer_is_set(&things[1].timer),
           "The heap was ended with two timers set; they should not be set any "
           "more.");
    timer_heap_init(&heap);
    thing_set(&things[1], 2);
    expect_fired(2, "1", "The heap was begun anew, and timer 1 set.", "");
    timer_heap_fini(&heap);
}

GRADE_TESTS(fires_in_order, ties_keep_order, knows_the_next, cancel_keeps_heap,
            looks_at_few, callbacks_may_do_all, sets_itself_again,
            grows_and_moves)

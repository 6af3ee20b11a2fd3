/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The graded tests of the work queue. Whatever may wait is done by an actor, a
 * thread of its own, and the test watches it with patience: an actor that does
 * not end makes a story, not a hang. What an actor must NOT do (go on while the
 * queue is full, say) is watched for a moment; a right program passes however
 * long that moment is.
 */
#include "grade.h"
#include "work_queue.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MOMENT_MS = 50, PATIENCE_MS = 2500, SILENT_MS = 300, ACTORS_MAX = 16 };

/** One thread of a test: what it does, and what came of it. */
struct actor {
    pthread_t thread;
    void (*act)(struct actor *actor);
    struct work_queue *queue;
    struct work_pool *pool;
    size_t from, to;       /**< the numbers that it pushes */
    void *got;             /**< what it popped */
    bool popped;           /**< what pop said */
    enum work_push pushed; /**< what push said */
    atomic_bool has_ended;
};

const char *__tsan_default_suppressions(void);

/* A test that fails leaves its actors behind; that is no news. */
const char *__tsan_default_suppressions(void)
{
    return "thread:actor_start\n";
}

static int64_t now_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/** How long to wait for what should happen at once. */
static int patience_ms(void)
{
    const char *scale = getenv("TIME_SCALE");
    double factor = scale == NULL ? 1 : atof(scale);

    return (int)(PATIENCE_MS * (factor >= 1 ? factor : 1));
}

/** Wait until this is so many, with patience. */
static bool reaches(atomic_size_t *count, size_t want)
{
    int64_t end = now_ms(CLOCK_MONOTONIC) + patience_ms();

    while (atomic_load(count) < want) {
        if (now_ms(CLOCK_MONOTONIC) > end)
            return false;
        usleep(200);
    }
    return true;
}

static void *actor_run(void *arg)
{
    struct actor *actor = arg;

    actor->act(actor);
    atomic_store(&actor->has_ended, true);
    return NULL;
}

static void actor_start(struct actor *actor, void (*act)(struct actor *),
                        struct work_queue *queue)
{
    actor->act = act;
    actor->queue = queue;
    actor->pushed = WORK_FULL;
    atomic_store(&actor->has_ended, false);
    expect(pthread_create(&actor->thread, NULL, actor_run, actor) == 0,
           "No thread for the test.");
}

/** Does it end within this time? Then it is joined. */
static bool actor_ends(struct actor *actor, int within_ms)
{
    int64_t end = now_ms(CLOCK_MONOTONIC) + within_ms;

    while (!atomic_load(&actor->has_ended)) {
        if (now_ms(CLOCK_MONOTONIC) > end)
            return false;
        usleep(200);
    }
    pthread_join(actor->thread, NULL);
    return true;
}

static bool actors_end(struct actor *actors, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!actor_ends(&actors[i], patience_ms()))
            return false;
    return true;
}

/** Numbers travel as pointers: 1 is 0x1. */
static void *number(size_t value)
{
    return (void *)(uintptr_t)value;
}

static void act_pop(struct actor *actor)
{
    actor->popped = work_queue_pop(actor->queue, &actor->got);
}

static void act_push(struct actor *actor)
{
    actor->pushed = work_queue_push(actor->queue, number(actor->from));
}

static void act_try_push(struct actor *actor)
{
    actor->pushed = work_queue_try_push(actor->queue, number(actor->from));
}

static void act_push_range(struct actor *actor)
{
    for (size_t i = actor->from; i < actor->to; i++)
        actor->pushed = work_queue_push(actor->queue, number(i));
}

static void queue_begin(struct work_queue *queue, size_t bound)
{
    expect(work_queue_init(queue, bound), "work_queue_init() said false.");
}

static const char *push_name(enum work_push result)
{
    switch (result) {
    case WORK_PUSHED: return "WORK_PUSHED";
    case WORK_FULL: return "WORK_FULL";
    case WORK_CLOSED: return "WORK_CLOSED";
    }
    return "no result that there is";
}

/** Push without waiting, watched: it should say this. */
static void expect_try(struct work_queue *queue, size_t value,
                       enum work_push want, const char *when)
{
    struct actor actor = {.from = value};

    step("%s, work_queue_try_push() is called.", when);
    actor_start(&actor, act_try_push, queue);
    expect(actor_ends(&actor, patience_ms()),
           "%s, work_queue_try_push() should say %s; yours waits. It may never "
           "wait for room: hint 3 of TODO(05.1).",
           when, push_name(want));
    expect(actor.pushed == want,
           "%s, work_queue_try_push() should say %s; yours said %s. See hint 3 "
           "of TODO(05.1).",
           when, push_name(want), push_name(actor.pushed));
}

/** Pop, watched: this number should come. */
static void expect_pop(struct work_queue *queue, size_t want, const char *when)
{
    struct actor actor = {.got = NULL};

    step("%s, work_queue_pop() is called.", when);
    actor_start(&actor, act_pop, queue);
    expect(actor_ends(&actor, patience_ms()),
           "%s, work_queue_pop() should give number %zu; yours waits.", when,
           want);
    expect(actor.popped,
           "%s, work_queue_pop() should give number %zu; yours "
           "said false.",
           when, want);
    expect(actor.got == number(want),
           "%s, work_queue_pop() should give number %zu; yours gave %zu. First "
           "in, first out: hint 2 of TODO(05.1).",
           when, want, (size_t)(uintptr_t)actor.got);
}

GRADE_TEST_WITH(order_is_kept, 1, "first in, first out, round and round",
                .threads = true)
{
    struct work_queue queue;
    struct actor actor = {.from = 1, .to = 501};
    size_t next = 1;

    queue_begin(&queue, 3);
    for (size_t round = 0; round < 5; round++) {
        for (size_t i = 0; i < 3; i++)
            expect_try(&queue, next + i, WORK_PUSHED,
                       "With a bound of 3 and less than 3 in it");
        expect_try(&queue, 99, WORK_FULL, "With a bound of 3 and 3 in it");
        expect_pop(&queue, next++, "With 3 in the queue");
        expect_pop(&queue, next++, "With 2 in the queue");
        expect_pop(&queue, next++, "With 1 in the queue");
    }
    expect_try(&queue, 0, WORK_PUSHED, "With an empty queue, and NULL as work");
    expect_pop(&queue, 0, "After a push of NULL, which is work like any other");

    actor_start(&actor, act_push_range, &queue);
    for (next = 1; next < 501; next++)
        expect_pop(&queue, next,
                   "While a thread pushes the numbers 1 to 500 in order "
                   "through a queue of 3");
    expect(actor_ends(&actor, patience_ms()),
           "The pushing thread still waits.");
    work_queue_fini(&queue);
}

/** Push a range: every other one without waiting, as often as it takes. */
static void act_push_both_ways(struct actor *actor)
{
    for (size_t i = actor->from; i < actor->to; i++) {
        actor->pushed = i % 2 == 0
                            ? work_queue_push(actor->queue, number(i))
                            : work_queue_try_push(actor->queue, number(i));
        if (actor->pushed == WORK_CLOSED)
            return;
        if (actor->pushed == WORK_FULL) {
            usleep(100);
            i--;
        }
    }
}

static void expect_within_bound(struct work_queue *queue, size_t bound)
{
    size_t count;

    pthread_mutex_lock(&queue->lock);
    count = queue->count;
    pthread_mutex_unlock(&queue->lock);
    expect(count <= bound,
           "Four threads push into a queue of %zu, and there were %zu in it. "
           "Look and put are one step, under one lock: hint 1 of TODO(05.1).",
           bound, count);
}

GRADE_TEST_WITH(bound_holds, 1, "never more than the bound, and none is lost",
                .threads = true)
{
    enum { EACH = 500, ALL = 4 * EACH };
    struct work_queue queue;
    struct actor actors[4] = {{.from = 0}}, pusher = {.from = 4};
    static bool seen[ALL];

    queue_begin(&queue, 3);
    for (size_t i = 1; i <= 3; i++)
        expect_try(&queue, i, WORK_PUSHED, "With room left");
    actor_start(&pusher, act_push, &queue);
    expect(!actor_ends(&pusher, MOMENT_MS),
           "A queue of 3 had 3 in it. work_queue_push() of a fourth should "
           "wait; yours said %s. See hint 1 of TODO(05.2).",
           push_name(pusher.pushed));
    expect_within_bound(&queue, 3);
    expect_pop(&queue, 1, "With a full queue");
    expect(actor_ends(&pusher, patience_ms()) && pusher.pushed == WORK_PUSHED,
           "work_queue_push() waited for room in a full queue, and one was "
           "popped. It should go on and say WORK_PUSHED; yours %s. Who rings "
           "has_room? Hint 2 of TODO(05.2).",
           pusher.has_ended ? push_name(pusher.pushed) : "still waits");
    for (size_t i = 2; i <= 4; i++)
        expect_pop(&queue, i, "After that");

    step("Four threads push into a queue of 3, with and without waiting, and "
         "one pops; see hint 1 of TODO(05.1) and hint 2 of TODO(05.2).");
    for (size_t i = 0; i < 4; i++) {
        actors[i] = (struct actor){.from = i * EACH, .to = (i + 1) * EACH};
        actor_start(&actors[i], act_push_both_ways, &queue);
    }
    for (size_t i = 0; i < ALL; i++) {
        void *work = number(ALL);
        size_t value;

        expect(work_queue_pop(&queue, &work),
               "pop said false, but it is open.");
        value = (size_t)(uintptr_t)work;
        expect(value < ALL && !seen[value],
               "Four threads pushed the numbers 0 to %d, each once. Number %zu "
               "was popped %s.",
               ALL - 1, value, value < ALL ? "twice" : "without a push");
        seen[value] = true;
        expect_within_bound(&queue, 3);
    }
    expect(actors_end(actors, 4),
           "All is popped; a pushing thread still waits.");
    work_queue_fini(&queue);
}

/* --- who waits is woken ---------------------------------------------------- */

enum { CONSUMERS = 4, ROUNDS = 200 };

static atomic_size_t taken;  /* popped in all rounds */
static atomic_size_t rounds; /* begun */

/** In each round pop exactly one. */
static void act_pop_in_rounds(struct actor *actor)
{
    for (size_t round = 1; round <= ROUNDS; round++) {
        while (atomic_load(&rounds) < round)
            usleep(50);
        work_queue_pop(actor->queue, &actor->got);
        atomic_fetch_add(&taken, 1);
    }
}

static void act_pop_range(struct actor *actor)
{
    for (size_t i = actor->from; i < actor->to; i++)
        work_queue_pop(actor->queue, &actor->got);
}

GRADE_TEST_WITH(no_lost_wakeups, 2, "for each piece of work one is woken",
                .threads = true, .seconds = 15)
{
    struct work_queue queue;
    struct actor actors[8] = {{.from = 0}};

    queue_begin(&queue, CONSUMERS);
    expect_try(&queue, 1, WORK_PUSHED, "With an empty queue");
    expect_pop(&queue, 1, "With one in the queue");
    for (size_t i = 0; i < CONSUMERS; i++)
        actor_start(&actors[i], act_pop_in_rounds, &queue);
    step("Four threads pop from a queue of 4, and one pushes four pieces of "
         "work at a time; see hint 2 of TODO(05.2).");
    for (size_t round = 1; round <= ROUNDS; round++) {
        atomic_store(&rounds, round);
        usleep(300); /* so that most of them sleep: likely, not needed */
        for (size_t i = 0; i < CONSUMERS; i++)
            work_queue_push(&queue, number(i));
        expect(reaches(&taken, round * CONSUMERS),
               "%d threads waited in work_queue_pop(), and %d pieces of work "
               "were pushed one right after the other (round %zu). Each thread "
               "should get one; %zu did, the others sleep on beside a queue "
               "that has work. Ring for each piece, not only for the first: "
               "hint 2 of TODO(05.2).",
               CONSUMERS, CONSUMERS, round,
               atomic_load(&taken) - (round - 1) * CONSUMERS);
    }
    expect(actors_end(actors, CONSUMERS), "All is popped; one still waits.");
    work_queue_fini(&queue);

    step("Four threads push and four pop, through a queue of 1; see hint 2 of "
         "TODO(05.2).");
    queue_begin(&queue, 1);
    for (size_t i = 0; i < 8; i++) {
        actors[i] = (struct actor){.from = 0, .to = 1500};
        actor_start(&actors[i], i % 2 == 0 ? act_push_range : act_pop_range,
                    &queue);
    }
    expect(actors_end(actors, 8),
           "Four threads pushed and four popped 1500 each, through a queue of "
           "1. It came to a stop: somebody was to be woken and was not, or the "
           "wrong one was. Two kinds of waiting need two bells: hint 2 of "
           "TODO(05.2).");
    work_queue_fini(&queue);
}

/** Ring both bells for a moment, though nothing has changed. */
static void ring_for_nothing(struct work_queue *queue)
{
    int64_t end = now_ms(CLOCK_MONOTONIC) + 2 * MOMENT_MS;

    while (now_ms(CLOCK_MONOTONIC) < end) {
        pthread_mutex_lock(&queue->lock);
        pthread_cond_broadcast(&queue->has_work);
        pthread_cond_broadcast(&queue->has_room);
        pthread_mutex_unlock(&queue->lock);
        usleep(500);
    }
}

GRADE_TEST_WITH(looks_again, 1, "who wakes up for no reason looks, and sleeps",
                .threads = true)
{
    struct work_queue queue;
    struct actor popper = {.got = NULL}, pusher = {.from = 3};

    queue_begin(&queue, 1);
    actor_start(&popper, act_pop, &queue);
    ring_for_nothing(&queue);
    expect(!actor_ends(&popper, 0),
           "A thread waited in work_queue_pop(), and the bells rang for "
           "nothing (a spurious wake-up). It should look again and wait on; "
           "yours returned %s. Wait in a while, not in an if: hint 3 of "
           "TODO(05.2).",
           popper.popped ? "true, though the queue is empty" : "false");
    step("A thread waits in work_queue_pop(), and work_queue_push() is "
         "called.");
    expect(work_queue_push(&queue, number(2)) == WORK_PUSHED,
           "A push into an empty queue should be WORK_PUSHED.");
    expect(
        actor_ends(&popper, patience_ms()) && popper.got == number(2),
        "After that, number 2 was pushed; the waiting thread should pop it.");

    expect_try(&queue, 1, WORK_PUSHED, "With an empty queue");
    actor_start(&pusher, act_push, &queue);
    ring_for_nothing(&queue);
    expect(!actor_ends(&pusher, 0),
           "A thread waited in work_queue_push() on a full queue, and the "
           "bells rang for nothing. It should look again and wait on; yours "
           "returned %s. Wait in a while, not in an if: hint 3 of TODO(05.2).",
           push_name(pusher.pushed));
    expect_pop(&queue, 1, "With one in the queue");
    expect_pop(&queue, 3, "After the waiting thread had room");
    expect(actor_ends(&pusher, patience_ms()),
           "The pushing thread still waits.");
    work_queue_fini(&queue);
}

GRADE_TEST_WITH(waits_asleep, 1, "who waits uses no processor", .threads = true)
{
    struct work_queue empty, full;
    struct actor poppers[2] = {{.got = NULL}}, pushers[2] = {{.from = 1}};
    int64_t used_ms;

    queue_begin(&empty, 2);
    queue_begin(&full, 1);
    expect_try(&full, 1, WORK_PUSHED, "With an empty queue");
    for (size_t i = 0; i < 2; i++) {
        actor_start(&poppers[i], act_pop, &empty);
        actor_start(&pushers[i], act_push, &full);
    }
    used_ms = now_ms(CLOCK_PROCESS_CPUTIME_ID);
    usleep(SILENT_MS * 1000);
    used_ms = now_ms(CLOCK_PROCESS_CPUTIME_ID) - used_ms;
    expect(used_ms <= SILENT_MS / 5,
           "Two threads waited for work and two for room. In %d ms they used "
           "%d ms of processor time: they ask again and again. Sleep in "
           "pthread_cond_wait(): hint 1 of TODO(05.2).",
           SILENT_MS, (int)used_ms);
    for (size_t i = 0; i < 2; i++) {
        expect_try(&empty, i + 1, WORK_PUSHED, "While two wait for work");
        expect_pop(&full, 1, "While two wait for room");
    }
    expect(actors_end(poppers, 2) && actors_end(pushers, 2),
           "Two threads waited for work and two for room; they got it, but one "
           "still sleeps: hint 2 of TODO(05.2).");
    work_queue_fini(&empty);
    work_queue_fini(&full);
}

/* --- closing --------------------------------------------------------------- */

GRADE_TEST_WITH(close_wakes_all, 1, "closing ends every wait", .threads = true)
{
    struct work_queue empty, full;
    struct actor poppers[3] = {{.got = NULL}}, pushers[3] = {{.from = 7}};

    queue_begin(&empty, 2);
    queue_begin(&full, 1);
    expect_try(&full, 1, WORK_PUSHED, "With an empty queue");
    for (size_t i = 0; i < 3; i++) {
        actor_start(&poppers[i], act_pop, &empty);
        actor_start(&pushers[i], act_push, &full);
    }
    usleep(MOMENT_MS * 1000); /* so that most of them sleep: likely */
    step("Three threads wait in work_queue_pop() on an empty queue, and three "
         "in work_queue_push() on a full one; both are closed. See hint 1 of "
         "TODO(05.3).");
    work_queue_close(&empty);
    work_queue_close(&full);
    expect(actors_end(poppers, 3),
           "Three threads waited in work_queue_pop(); the queue was closed. "
           "All should wake up and return false; one sleeps on. See hint 1 of "
           "TODO(05.3).");
    expect(actors_end(pushers, 3),
           "Three threads waited in work_queue_push() on a full queue; it was "
           "closed. All should wake up and return WORK_CLOSED; one sleeps on. "
           "There are two bells: hint 1 of TODO(05.3).");
    for (size_t i = 0; i < 3; i++) {
        expect(!poppers[i].popped, "The queue was closed and empty, but "
                                   "work_queue_pop() returned true.");
        expect(pushers[i].pushed == WORK_CLOSED,
               "The queue was closed while work_queue_push() waited: "
               "WORK_CLOSED; yours said %s.",
               push_name(pushers[i].pushed));
    }
    work_queue_close(&empty);
    expect_try(&empty, 1, WORK_CLOSED, "With an empty queue that is closed");
    expect_try(&full, 1, WORK_CLOSED, "With a full queue that is closed");
    work_queue_fini(&empty);
    work_queue_fini(&full);
}

GRADE_TEST_WITH(close_while_full, 1,
                "what is in a closed queue is still popped", .threads = true)
{
    struct work_queue queue;
    struct actor pushers[2] = {{.from = 8}, {.from = 9}};
    struct actor last = {.got = NULL};

    queue_begin(&queue, 3);
    for (size_t i = 1; i <= 3; i++)
        expect_try(&queue, i, WORK_PUSHED, "With room left");
    actor_start(&pushers[0], act_push, &queue);
    actor_start(&pushers[1], act_push, &queue);
    usleep(MOMENT_MS * 1000);
    step("A full queue is closed while two threads wait to push; see hint 3 of "
         "TODO(05.3).");
    work_queue_close(&queue);
    for (size_t i = 1; i <= 3; i++)
        expect_pop(&queue, i,
                   "A queue with 1, 2 and 3 was closed while others waited to "
                   "push. What is in it is still to be done (hint 2 of "
                   "TODO(05.3)): so");
    actor_start(&last, act_pop, &queue);
    expect(actor_ends(&last, patience_ms()),
           "A closed queue has been emptied. work_queue_pop() should return "
           "false; yours waits, and nobody will ever push: hint 2 of "
           "TODO(05.3).");
    expect(
        !last.popped,
        "A queue with 1, 2 and 3 was closed while two threads waited to push "
        "8 and 9. After 1, 2 and 3 nothing should come; yours gave %zu. When "
        "a push has room again it has to ask whether it is closed: hint 3 "
        "of TODO(05.3).",
        (size_t)(uintptr_t)last.got);
    expect(actors_end(pushers, 2) && pushers[0].pushed == WORK_CLOSED &&
               pushers[1].pushed == WORK_CLOSED,
           "Two threads waited to push when the queue was closed: both should "
           "end with WORK_CLOSED; yours: %s and %s.",
           push_name(pushers[0].pushed), push_name(pushers[1].pushed));
    work_queue_fini(&queue);
}

/* --- the pool -------------------------------------------------------------- */

enum { WORKERS = 4 };

/** What the work of a test sees as its context. */
struct scene {
    atomic_size_t begun, done;
    atomic_size_t times[300]; /**< how often each number was run */
    atomic_bool gate;         /**< while false, work waits in act_at_gate() */
    pthread_key_t key;
    atomic_size_t ended; /**< threads whose last act is over */
};

static void run_at_gate(void *context, void *work)
{
    struct scene *scene = context;

    atomic_fetch_add(&scene->times[(uintptr_t)work], 1);
    atomic_fetch_add(&scene->begun, 1);
    while (!atomic_load(&scene->gate))
        usleep(200);
    atomic_fetch_add(&scene->done, 1);
}

static struct work_pool *pool_begin(size_t bound, work_fn *run,
                                    struct scene *scene)
{
    struct work_pool *pool;

    step("work_pool_new() is called, with %d workers and a bound of %zu; see "
         "hint 1 of TODO(05.4).",
         WORKERS, bound);
    pool = work_pool_new(WORKERS, bound, run, scene);
    expect(pool != NULL, "work_pool_new() of %d workers returned NULL.",
           WORKERS);
    return pool;
}

static void act_give(struct actor *actor)
{
    actor->pushed = work_pool_give(actor->pool, number(actor->from));
}

static void act_offer(struct actor *actor)
{
    actor->pushed = work_pool_offer(actor->pool, number(actor->from));
}

/** Hand over a piece of work, watched: it should say this. */
static void expect_given(struct work_pool *pool, void (*act)(struct actor *),
                         size_t value, enum work_push want, const char *when)
{
    const char *name =
        act == act_give ? "work_pool_give()" : "work_pool_offer()";
    struct actor actor = {.pool = pool, .from = value};

    step("%s, %s is called.", when, name);
    actor_start(&actor, act, NULL);
    expect(actor_ends(&actor, patience_ms()),
           "%s, %s should say %s; yours waits. See hints 2 and 3 of "
           "TODO(05.4).",
           when, name, push_name(want));
    expect(actor.pushed == want,
           "%s, %s should say %s; yours said %s. See hint 3 of TODO(05.4).",
           when, name, push_name(want), push_name(actor.pushed));
}

static void act_end_pool(struct actor *actor)
{
    work_pool_end(&actor->pool);
}

/** End a pool, watched. */
static void pool_end(struct work_pool *pool)
{
    struct actor actor = {.pool = pool};

    step("work_pool_end() is called; see the hints of TODO(05.5).");
    actor_start(&actor, act_end_pool, NULL);
    expect(actor_ends(&actor, patience_ms()),
           "work_pool_end() does not return. Are all workers woken, and do "
           "they end when the queue is closed and empty? Hint 1 of "
           "TODO(05.5).");
    expect(actor.pool == NULL, "work_pool_end() should empty the pointer.");
}

GRADE_TEST_WITH(runs_side_by_side, 1, "each worker runs work, at one time",
                .threads = true)
{
    static struct scene scene;
    struct work_pool *pool = pool_begin(2, run_at_gate, &scene);

    for (size_t i = 0; i < WORKERS; i++)
        expect_given(pool, act_give, i, WORK_PUSHED,
                     "A pool of 4 workers, with room for 2 that wait, was "
                     "given 4 pieces of work that take long");
    expect(reaches(&scene.begun, WORKERS),
           "A pool of %d workers was given %d pieces of work that take long. "
           "All should run side by side; only %zu began. Is run() called with "
           "a lock held, or by fewer threads? Hint 2 of TODO(05.4).",
           WORKERS, WORKERS, atomic_load(&scene.begun));
    for (size_t i = WORKERS; i < WORKERS + 2; i++)
        expect_given(pool, act_offer, i, WORK_PUSHED,
                     "All workers were busy, and there was room for work that "
                     "waits");
    expect_given(pool, act_offer, 9, WORK_FULL,
                 "All workers were busy, and there was no room for work that "
                 "waits");
    atomic_store(&scene.gate, true);
    step("A pool of %d workers is given 300 pieces of work; see hint 2 of "
         "TODO(05.4).",
         WORKERS);
    for (size_t i = WORKERS + 2; i < 300; i++)
        expect(work_pool_give(pool, number(i)) == WORK_PUSHED,
               "work_pool_give() should say WORK_PUSHED.");
    expect(reaches(&scene.done, 300),
           "A pool was given 300 pieces of work; %zu were done.",
           atomic_load(&scene.done));
    pool_end(pool);
    for (size_t i = 0; i < 300; i++)
        expect(atomic_load(&scene.times[i]) == 1,
               "Each piece of work should be run once; number %zu was run %zu "
               "times.",
               i, atomic_load(&scene.times[i]));
}

/** The last act of a thread that has run work: slow, then counted. */
static void thread_ends(void *value)
{
    struct scene *scene = value;

    usleep(MOMENT_MS * 1000);
    atomic_fetch_add(&scene->ended, 1);
}

static void run_marked(void *context, void *work)
{
    struct scene *scene = context;

    pthread_setspecific(scene->key, scene);
    run_at_gate(context, work);
    usleep(2000);
}

GRADE_TEST_WITH(end_joins, 1, "ending does all the work and joins all threads",
                .threads = true)
{
    static struct scene scene;
    struct work_pool *pool;

    expect(pthread_key_create(&scene.key, thread_ends) == 0, "No key.");
    pool = pool_begin(40, run_marked, &scene);
    step("A pool of %d workers is given 40 pieces of work; see hint 2 of "
         "TODO(05.4).",
         WORKERS);
    for (size_t i = 0; i < 40; i++)
        expect(work_pool_give(pool, number(i)) == WORK_PUSHED,
               "work_pool_give() should say WORK_PUSHED.");
    expect(reaches(&scene.begun, WORKERS),
           "A pool of %d workers was given 40 pieces of work; only %zu were "
           "begun side by side.",
           WORKERS, atomic_load(&scene.begun));
    atomic_store(&scene.gate, true);
    pool_end(pool);
    expect(atomic_load(&scene.done) == 40,
           "40 pieces of work were handed over, then the pool was ended. All "
           "should be done when work_pool_end() returns; %zu were. See hint 2 "
           "of TODO(05.5).",
           atomic_load(&scene.done));
    expect(atomic_load(&scene.ended) == WORKERS,
           "work_pool_end() returned, but of %d threads only %zu had ended. "
           "Join them: hint 3 of TODO(05.5).",
           WORKERS, atomic_load(&scene.ended));
    pthread_key_delete(scene.key);
    pool = pool_begin(1, run_at_gate, &scene);
    pool_end(pool);
}

GRADE_TESTS(order_is_kept, bound_holds, no_lost_wakeups, looks_again,
            waits_asleep, close_wakes_all, close_while_full, runs_side_by_side,
            end_joins)

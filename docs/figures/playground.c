/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A simulation by events. Nothing happens between two events, so time jumps
 * from one to the next. There are few that can be next, and they are found by
 * looking at all of them: a backend's change is noticed, a backend has served
 * the first of its queue, the next request arrives.
 *
 * A backend serves one request after the other. All that is left to chance
 * about a request is drawn before anybody sees it: when it comes, who sends it,
 * how much work it is, and the two lots that a policy may ask for. So both
 * sides get the very same requests, whatever their policies make of them.
 *
 * Gaps and work are exponential, as when many clients know nothing of each
 * other. The usual way to draw such a number takes a logarithm, whose last
 * digit may differ from machine to machine. John von Neumann's way (1951) only
 * compares numbers, and comes out alike everywhere.
 */
#include "playground.h"

#include "base/must.h"
#include "base/random.h"
#include "upstream/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLIENTS = 200 };

/** One request, with all that is left to chance about it. */
struct request {
    int64_t came_us;
    int64_t work_us; /* of a backend that is not slow */
    uint64_t key;    /* which client it is from */
    uint64_t chance[2];
};

/** A backend, as far as both sides share it. */
struct backend {
    uint64_t identity;
    unsigned weight;
    bool is_alive;
    bool is_up;        /* so the balancer believes */
    int64_t notice_us; /* when it will believe what is true */
};

/** A death or a return that will come. */
struct plan {
    int64_t at_us;
    size_t backend;
    bool alive;
};

/** What one side has sent to a backend. */
struct line {
    struct request queue[PLAYGROUND_QUEUE]; /* a ring */
    size_t first, count;                    /* the first is being served */
    int64_t done_us;                        /* when it will have been served */
    unsigned latency_us; /* as the policy `latency` sees it */
    uint64_t facts[BACKEND_FACT_COUNT];
};

/** One balancer. */
struct side {
    const struct policy_kind *kind;
    struct policy *policy;
    uint64_t turn;
    struct line lines[PLAYGROUND_BACKENDS];
    uint64_t facts[SIDE_FACT_COUNT];
    unsigned latencies[PLAYGROUND_LATENCIES];         /* a ring */
    uint64_t latency_count;                           /* ever */
    struct history_point history[PLAYGROUND_HISTORY]; /* a ring */
    struct pick picks[PLAYGROUND_PICKS];              /* a ring */
};

struct playground {
    int64_t now_us;
    struct random random;
    unsigned settings[SETTING_COUNT];
    struct backend backends[PLAYGROUND_BACKENDS];
    struct plan plans[PLAYGROUND_PLANS];
    size_t plan_count;
    struct request next;
    bool has_next; /* the first request is drawn when time begins to pass */
    uint64_t history_count;
    struct side sides[PLAYGROUND_SIDES];
};

const struct setting_range setting_ranges[SETTING_COUNT] = {
#define X(id, name, lowest, usual, highest) {name, lowest, usual, highest},
    PLAYGROUND_SETTINGS(X)
#undef X
};

const struct fact_form side_forms[SIDE_FACT_COUNT] = {
#define X(id, name, is_time) {name, is_time},
    PLAYGROUND_SIDE_FACTS(X)
#undef X
};

const struct fact_form backend_forms[BACKEND_FACT_COUNT] = {
#define X(id, name, is_time) {name, is_time},
    PLAYGROUND_BACKEND_FACTS(X)
#undef X
};

const char *const playground_policies[] = {
    "round-robin",     "least-connections", "two-choices", "address-hash",
    "consistent-hash", "latency",           NULL};

/* --- chance --------------------------------------------------------------- */

/** A fraction of 1 in 32 bits. */
static uint64_t draw_fraction(struct random *random)
{
    return random_next(random) >> 32;
}

/**
 * Draw until the numbers stop falling. When that took an odd number of them,
 * the first is the fraction sought; else one is added, and all begins anew.
 *
 * @return an exponential time with this mean
 */
static int64_t draw_time(struct random *random, int64_t mean_us)
{
    for (uint64_t whole = 0;; whole++) {
        uint64_t first = draw_fraction(random), last = first;
        bool is_odd = true;

        for (;;) {
            uint64_t one = draw_fraction(random);

            if (one >= last)
                break;
            last = one;
            is_odd = !is_odd;
        }
        if (is_odd)
            return (int64_t)(((whole << 32) + first) * (uint64_t)mean_us >> 32);
    }
}

static void draw_request(struct playground *playground)
{
    struct random *random = &playground->random;
    int64_t gap = 1000000 / playground->settings[SETTING_RATE];
    int64_t work = 1000 * (int64_t)playground->settings[SETTING_SERVICE];

    playground->next.came_us = playground->now_us + draw_time(random, gap);
    playground->next.work_us = draw_time(random, work);
    playground->next.key = random_below(random, CLIENTS);
    playground->next.chance[0] = random_next(random);
    playground->next.chance[1] = random_next(random);
}

/* --- making --------------------------------------------------------------- */

struct playground *playground_create(uint32_t seed)
{
    struct playground *playground = xnew(1, sizeof(*playground));

    playground->random.state = seed;
    for (size_t i = 0; i < SETTING_COUNT; i++)
        playground->settings[i] = setting_ranges[i].usual;
    for (size_t i = 0; i < PLAYGROUND_BACKENDS; i++) {
        struct random identity = {.state = i};

        playground->backends[i] =
            (struct backend){.identity = random_next(&identity),
                             .weight = 1,
                             .is_alive = true,
                             .is_up = true,
                             .notice_us = INT64_MAX};
    }
    for (size_t i = 0; i < PLAYGROUND_SIDES; i++)
        must(playground_set_policy(playground, i, playground_policies[i]));
    return playground;
}

static void side_forget_policy(struct side *side)
{
    if (side->policy != NULL)
        side->kind->destroy(&side->policy);
}

void playground_destroy(struct playground **playground)
{
    for (size_t i = 0; i < PLAYGROUND_SIDES; i++)
        side_forget_policy(&(*playground)->sides[i]);
    free(*playground);
    *playground = NULL;
}

/* --- one side ------------------------------------------------------------- */

/** How long does this backend need for it? The first one may be slow. */
static int64_t work_of(const struct playground *playground, size_t backend,
                       const struct request *request)
{
    return backend == 0 ? request->work_us * playground->settings[SETTING_SLOW]
                        : request->work_us;
}

static void line_begin_first(const struct playground *playground,
                             struct line *line, size_t backend)
{
    line->done_us = playground->now_us +
                    work_of(playground, backend, &line->queue[line->first]);
}

/** The first one of the queue has been served. */
static void side_serve(const struct playground *playground, struct side *side,
                       size_t backend)
{
    struct line *line = &side->lines[backend];
    int64_t took = playground->now_us - line->queue[line->first].came_us;
    unsigned latency = took > UINT32_MAX ? UINT32_MAX : (unsigned)took;

    line->first = (line->first + 1) % PLAYGROUND_QUEUE;
    line->count--;
    line->facts[BACKEND_SERVED]++;
    side->facts[SIDE_SERVED]++;
    side->latencies[side->latency_count++ % PLAYGROUND_LATENCIES] = latency;
    line->latency_us = latency_average(line->latency_us, took);
    if (line->count > 0)
        line_begin_first(playground, line, backend);
}

/** One has failed after so long. */
static void side_lose(struct side *side, struct line *line, int64_t took)
{
    line->facts[BACKEND_LOST]++;
    side->facts[SIDE_LOST]++;
    line->latency_us = latency_of_failure(line->latency_us, took);
}

/** All that is with a backend is lost. */
static void side_lose_all(const struct playground *playground,
                          struct side *side, size_t backend)
{
    struct line *line = &side->lines[backend];

    for (; line->count > 0; line->count--) {
        side_lose(side, line,
                  playground->now_us - line->queue[line->first].came_us);
        line->first = (line->first + 1) % PLAYGROUND_QUEUE;
    }
}

/** Send it to that backend, which may be dead, or take no more. */
static void side_send(const struct playground *playground, struct side *side,
                      size_t backend, const struct request *request)
{
    struct line *line = &side->lines[backend];

    line->facts[BACKEND_PICKED]++;
    side->picks[side->turn++ % PLAYGROUND_PICKS] =
        (struct pick){playground->now_us, backend};
    if (!playground->backends[backend].is_alive ||
        line->count == PLAYGROUND_QUEUE) {
        side_lose(side, line, 0);
        return;
    }
    line->queue[(line->first + line->count) % PLAYGROUND_QUEUE] = *request;
    if (line->count++ == 0)
        line_begin_first(playground, line, backend);
}

/** Gather those that are believed to be up, and let the policy pick. */
static void side_take(const struct playground *playground, struct side *side,
                      const struct request *request)
{
    struct candidate at[PLAYGROUND_BACKENDS];
    size_t able[PLAYGROUND_BACKENDS];
    struct candidates from = {
        .at = at,
        .turn = side->turn,
        .key = request->key,
        .chance = {request->chance[0], request->chance[1]}};
    size_t picked;

    side->facts[SIDE_ARRIVALS]++;
    for (size_t i = 0; i < playground->settings[SETTING_BACKENDS]; i++) {
        const struct backend *backend = &playground->backends[i];

        if (!backend->is_up)
            continue;
        able[from.count] = i;
        at[from.count++] =
            (struct candidate){.identity = backend->identity,
                               .weight = backend->weight,
                               .in_flight = (unsigned)side->lines[i].count,
                               .latency_us = side->lines[i].latency_us};
    }
    if (from.count == 0) { /* the balancer would answer 503 */
        side->facts[SIDE_LOST]++;
        return;
    }
    picked = side->kind->pick(side->policy, &from);
    must(picked < from.count);
    side_send(playground, side, able[picked], request);
}

static uint64_t side_in_flight(const struct side *side)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < PLAYGROUND_BACKENDS; i++)
        sum += side->lines[i].count;
    return sum;
}

static int latency_compare(const void *left, const void *right)
{
    unsigned a = *(const unsigned *)left, b = *(const unsigned *)right;

    return (a > b) - (a < b);
}

/** So many percent of the latest responses took no longer than this. */
static unsigned side_percentile(const struct side *side, size_t percent)
{
    unsigned sorted[PLAYGROUND_LATENCIES];
    size_t count = side->latency_count < PLAYGROUND_LATENCIES
                       ? (size_t)side->latency_count
                       : PLAYGROUND_LATENCIES;

    if (count == 0)
        return 0;
    memcpy(sorted, side->latencies, count * sizeof(sorted[0]));
    qsort(sorted, count, sizeof(sorted[0]), latency_compare);
    return sorted[(count * percent + 99) / 100 - 1];
}

/* --- time ----------------------------------------------------------------- */

/** What can be the next event. */
enum event {
    EVENT_NONE,
    EVENT_HISTORY, /* a point is due */
    EVENT_PLAN,    /* a backend dies or comes back, as planned */
    EVENT_NOTICE,  /* and the balancer learns of it */
    EVENT_DONE,    /* a backend has served one */
    EVENT_REQUEST, /* the next request arrives */
};

/** The next event: what, when, and where. */
struct next {
    enum event event;
    int64_t at_us;
    size_t side, backend; /* EVENT_PLAN: `backend` is the plan */
};

/** Keep the earlier one; of two at the same moment, the one seen first. */
static void next_offer(struct next *next, struct next other)
{
    if (other.at_us < next->at_us)
        *next = other;
}

static struct next next_find(const struct playground *playground)
{
    struct next next = {EVENT_NONE, INT64_MAX, 0, 0};
    int64_t history_us =
        (int64_t)(playground->history_count + 1) * PLAYGROUND_HISTORY_MS * 1000;

    next_offer(&next, (struct next){EVENT_HISTORY, history_us, 0, 0});
    for (size_t i = 0; i < playground->plan_count; i++)
        next_offer(&next,
                   (struct next){EVENT_PLAN, playground->plans[i].at_us, 0, i});
    for (size_t i = 0; i < PLAYGROUND_BACKENDS; i++) {
        int64_t notice_us = playground->backends[i].notice_us;

        next_offer(&next, (struct next){EVENT_NOTICE, notice_us, 0, i});
        for (size_t j = 0; j < PLAYGROUND_SIDES; j++) {
            const struct line *line = &playground->sides[j].lines[i];

            if (line->count > 0)
                next_offer(&next,
                           (struct next){EVENT_DONE, line->done_us, j, i});
        }
    }
    next_offer(&next,
               (struct next){EVENT_REQUEST, playground->next.came_us, 0, 0});
    return next;
}

static void history_add(struct playground *playground)
{
    size_t place = playground->history_count++ % PLAYGROUND_HISTORY;

    for (size_t i = 0; i < PLAYGROUND_SIDES; i++) {
        struct side *side = &playground->sides[i];

        side->history[place] = (struct history_point){
            (unsigned)side_in_flight(side), side_percentile(side, 99)};
    }
}

static void backend_notice(struct backend *backend)
{
    backend->is_up = backend->is_alive;
    backend->notice_us = INT64_MAX;
}

static void plan_do(struct playground *playground, size_t number)
{
    struct plan plan = playground->plans[number];

    playground->plan_count--;
    memmove(&playground->plans[number], &playground->plans[number + 1],
            (playground->plan_count - number) * sizeof(plan));
    playground_set_alive(playground, plan.backend, plan.alive);
}

static void next_do(struct playground *playground, const struct next *next)
{
    playground->now_us = next->at_us;
    switch (next->event) {
    case EVENT_NONE: break;
    case EVENT_HISTORY: history_add(playground); break;
    case EVENT_PLAN: plan_do(playground, next->backend); break;
    case EVENT_NOTICE:
        backend_notice(&playground->backends[next->backend]);
        break;
    case EVENT_DONE:
        side_serve(playground, &playground->sides[next->side], next->backend);
        break;
    case EVENT_REQUEST:
        for (size_t i = 0; i < PLAYGROUND_SIDES; i++)
            side_take(playground, &playground->sides[i], &playground->next);
        draw_request(playground);
        break;
    }
}

void playground_run(struct playground *playground, int64_t us)
{
    int64_t until = playground->now_us + us;

    if (!playground->has_next) {
        draw_request(playground);
        playground->has_next = true;
    }
    for (;;) {
        struct next next = next_find(playground);

        if (next.at_us > until)
            break;
        next_do(playground, &next);
    }
    playground->now_us = until;
}

int64_t playground_now(const struct playground *playground)
{
    return playground->now_us;
}

/* --- orders --------------------------------------------------------------- */

bool playground_set(struct playground *playground,
                    enum playground_setting setting, unsigned value)
{
    const struct setting_range *range = &setting_ranges[setting];

    if (value < range->lowest || value > range->highest ||
        (setting == SETTING_BACKENDS && playground->has_next))
        return false;
    playground->settings[setting] = value;
    return true;
}

unsigned playground_setting(const struct playground *playground,
                            enum playground_setting setting)
{
    return playground->settings[setting];
}

bool playground_set_weight(struct playground *playground, size_t backend,
                           unsigned weight)
{
    if (backend >= PLAYGROUND_BACKENDS || weight < 1 ||
        weight > PLAYGROUND_WEIGHT_MAX)
        return false;
    playground->backends[backend].weight = weight;
    return true;
}

bool playground_set_policy(struct playground *playground, size_t side,
                           const char *name)
{
    const struct policy_kind *kind = policy_find(name);
    struct side *at = &playground->sides[side];

    if (kind == NULL)
        return false;
    side_forget_policy(at);
    at->kind = kind;
    at->policy = kind->create != NULL ? kind->create() : NULL;
    return true;
}

const char *playground_policy(const struct playground *playground, size_t side)
{
    return playground->sides[side].kind->name;
}

void playground_set_alive(struct playground *playground, size_t backend,
                          bool alive)
{
    struct backend *at = &playground->backends[backend];

    must(backend < PLAYGROUND_BACKENDS);
    if (at->is_alive == alive)
        return;
    at->is_alive = alive;
    for (size_t i = 0; i < PLAYGROUND_SIDES; i++)
        side_lose_all(playground, &playground->sides[i], backend);
    at->notice_us = playground->now_us +
                    1000 * (int64_t)playground->settings[SETTING_NOTICE];
    if (playground->settings[SETTING_NOTICE] == 0)
        backend_notice(at);
}

bool playground_plan(struct playground *playground, size_t backend, bool alive,
                     int64_t at_us)
{
    if (playground->plan_count == PLAYGROUND_PLANS ||
        backend >= PLAYGROUND_BACKENDS || at_us < playground->now_us)
        return false;
    playground->plans[playground->plan_count++] =
        (struct plan){at_us, backend, alive};
    return true;
}

bool playground_is_alive(const struct playground *playground, size_t backend)
{
    return playground->backends[backend].is_alive;
}

bool playground_is_up(const struct playground *playground, size_t backend)
{
    return playground->backends[backend].is_up;
}

/* --- facts ---------------------------------------------------------------- */

uint64_t playground_side(const struct playground *playground, size_t side,
                         enum side_fact fact)
{
    const struct side *at = &playground->sides[side];

    switch (fact) {
    case SIDE_IN_FLIGHT: return side_in_flight(at);
    case SIDE_P50: return side_percentile(at, 50);
    case SIDE_P99: return side_percentile(at, 99);
    case SIDE_ARRIVALS:
    case SIDE_SERVED:
    case SIDE_LOST:
    case SIDE_FACT_COUNT: break;
    }
    must(fact < SIDE_FACT_COUNT);
    return at->facts[fact];
}

uint64_t playground_backend(const struct playground *playground, size_t side,
                            size_t backend, enum backend_fact fact)
{
    const struct line *line = &playground->sides[side].lines[backend];

    must(fact < BACKEND_FACT_COUNT);
    return fact == BACKEND_IN_FLIGHT ? line->count : line->facts[fact];
}

void fact_print(char out[PLAYGROUND_TEXT], uint64_t fact, bool is_time)
{
    if (is_time)
        snprintf(out, PLAYGROUND_TEXT, "%llu.%llu",
                 (unsigned long long)fact / 1000,
                 (unsigned long long)fact % 1000 / 100);
    else
        snprintf(out, PLAYGROUND_TEXT, "%llu", (unsigned long long)fact);
}

size_t playground_history_count(const struct playground *playground)
{
    return playground->history_count < PLAYGROUND_HISTORY
               ? (size_t)playground->history_count
               : PLAYGROUND_HISTORY;
}

struct history_point playground_history(const struct playground *playground,
                                        size_t side, size_t index)
{
    uint64_t oldest =
        playground->history_count - playground_history_count(playground);

    must(index < playground_history_count(playground));
    return playground->sides[side]
        .history[(oldest + index) % PLAYGROUND_HISTORY];
}

bool playground_pick(const struct playground *playground, size_t side,
                     size_t back, struct pick *pick)
{
    const struct side *at = &playground->sides[side];

    if (back >= at->turn || back >= PLAYGROUND_PICKS)
        return false;
    *pick = at->picks[(at->turn - 1 - back) % PLAYGROUND_PICKS];
    return true;
}

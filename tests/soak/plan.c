/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A plan is made of episodes: a backend is killed and starts again; it is
 * drained and made ready. An episode is one row of a table: how often, its
 * first and last deed, and how long it may take. One backend has one episode at
 * a time, several backends may have theirs at once: so there are moments when
 * one is dead, another is stopped and a third one drains.
 */
#include "plan.h"

#include <stdlib.h>

enum {
    QUIET_MS = 1500,      /* at the end: all is mended */
    NOBODY = DEEDS_COUNT, /* no such deed */
};

const char *const plan_spoils[] = {"close-early", "reset",     "cut-body",
                                   "reset-body",  "garbage",   "fail=40",
                                   "jitter=150",  "bad-chunk", NULL};
enum { SPOILS = 8 };

/** Whom an episode concerns. */
enum whom {
    WHOM_ONE,   /**< one backend */
    WHOM_EXTRA, /**< the one that is added and removed */
    WHOM_ALL,   /**< all that are configured, at once */
    WHOM_NONE,  /**< the balancer alone */
};

/** One kind of episode. */
struct episode {
    unsigned often; /**< among all of them */
    enum whom whom;
    unsigned first, last;          /**< deeds; the last one: or NOBODY */
    unsigned shortest_ms, most_ms; /**< between them */
    unsigned value_from, value_to; /**< for the first deed */
};

static const struct episode episodes[] = {
    {10, WHOM_ONE, DEED_KILL, DEED_START, 200, 2000, 0, 0},
    {4, WHOM_ONE, DEED_QUIT, DEED_START, 200, 1500, 0, 0},
    {6, WHOM_ONE, DEED_STOP, DEED_CONTINUE, 200, 2000, 0, 0},
    {2, WHOM_ONE, DEED_STOP, DEED_CONTINUE, 0, 0, 1, 1}, /* a long one */
    {3, WHOM_ONE, DEED_FREEZE, NOBODY, 1500, 1500, 200, 1200},
    {3, WHOM_ONE, DEED_REFUSE, NOBODY, 1500, 1500, 200, 1200},
    {6, WHOM_ONE, DEED_SPOIL, DEED_MEND, 800, 2500, 0, SPOILS - 1},
    {4, WHOM_ONE, DEED_FAIL_PROBES, DEED_PASS_PROBES, 500, 2500, 0, 0},
    {5, WHOM_ONE, DEED_DRAIN, DEED_UNDRAIN, 300, 2000, 0, 0},
    {4, WHOM_ONE, DEED_ROLL, NOBODY, 3000, 3000, 0, 0},
    {5, WHOM_ONE, DEED_WEIGH, NOBODY, 0, 0, 1, 20},
    {4, WHOM_EXTRA, DEED_ADD, DEED_REMOVE, 500, 4000, 1, 8},
    {2, WHOM_ALL, DEED_KILL, DEED_START, 200, 800, 0, 0},
    {4, WHOM_NONE, DEED_RELOAD_SIGNAL, NOBODY, 0, 0, 0, 99},
    {4, WHOM_NONE, DEED_RELOAD_API, NOBODY, 0, 0, 0, 99},
    {3, WHOM_NONE, DEED_RELOAD_BAD, NOBODY, 0, 0, 0, 2},
    {2, WHOM_NONE, DEED_CERTIFY, NOBODY, 0, 0, 0, 0},
    {2, WHOM_NONE, DEED_ROTATE, NOBODY, 0, 0, 0, 0},
    {3, WHOM_NONE, DEED_HAND_OVER, NOBODY, 0, 0, 0, 0},
};
enum { EPISODES = sizeof(episodes) / sizeof(episodes[0]) };

/** A plan that is being made. */
struct planner {
    struct plan *plan;
    const struct plan_wish *wish;
    uint64_t chance;
    int64_t busy_until_ms[BACKENDS];
};

/* SplitMix64: small, and good enough to plan mischief. */
static uint64_t chance_next(uint64_t *chance)
{
    uint64_t z = (*chance += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

unsigned chance_below(uint64_t *chance, unsigned bound)
{
    return bound == 0 ? 0 : (unsigned)(chance_next(chance) % bound);
}

unsigned chance_between(uint64_t *chance, unsigned from, unsigned to)
{
    return from + chance_below(chance, to - from + 1);
}

const char *backend_name(unsigned backend)
{
    static const char *const names[BACKENDS] = {"one", "two", "three", "four",
                                                "extra"};

    return backend < BACKENDS ? names[backend] : "?";
}

static void put(struct planner *planner, int64_t at_ms, unsigned deed,
                unsigned backend, unsigned value)
{
    struct plan *plan = planner->plan;

    if (plan->count < PLAN_STEPS_MAX)
        plan->steps[plan->count++] = (struct step){
            .at_ms = at_ms, .deed = deed, .backend = backend, .value = value};
}

static const struct episode *draw(struct planner *planner)
{
    unsigned all = 0, drawn;

    for (size_t i = 0; i < EPISODES; i++)
        all += episodes[i].often;
    drawn = chance_below(&planner->chance, all);
    for (size_t i = 0;; i++) {
        if (drawn < episodes[i].often)
            return &episodes[i];
        drawn -= episodes[i].often;
    }
}

/** Which backends does it concern: from the first to before the last. */
static void range_of(struct planner *planner, enum whom whom, unsigned *from,
                     unsigned *to)
{
    unsigned one = chance_below(&planner->chance, BACKENDS_LASTING);

    switch (whom) {
    case WHOM_ONE: *from = one, *to = one + 1; break;
    case WHOM_EXTRA: *from = BACKENDS_LASTING, *to = BACKENDS; break;
    case WHOM_ALL: *from = 0, *to = BACKENDS_LASTING; break;
    case WHOM_NONE: *from = *to = 0; break;
    }
}

static bool is_free(const struct planner *planner, unsigned from, unsigned to,
                    int64_t at_ms)
{
    for (unsigned i = from; i < to; i++)
        if (planner->busy_until_ms[i] > at_ms)
            return false;
    return true;
}

static void put_episode(struct planner *planner, const struct episode *episode,
                        int64_t at_ms)
{
    unsigned value = chance_between(&planner->chance, episode->value_from,
                                    episode->value_to);
    int64_t lasts_ms = chance_between(&planner->chance, episode->shortest_ms,
                                      episode->most_ms);
    unsigned from = 0, to = 0;

    if (episode->first == DEED_STOP && value == 1)
        lasts_ms = planner->wish->long_stop_ms;
    range_of(planner, episode->whom, &from, &to);
    if (!is_free(planner, from, to, at_ms) ||
        at_ms + lasts_ms > planner->wish->length_ms - QUIET_MS)
        return;
    if (episode->whom == WHOM_NONE)
        put(planner, at_ms, episode->first, 0, value);
    for (unsigned i = from; i < to; i++) {
        planner->busy_until_ms[i] = at_ms + lasts_ms + 500;
        put(planner, at_ms, episode->first, i, value);
        if (episode->last != NOBODY)
            put(planner, at_ms + lasts_ms, episode->last, i, 0);
    }
}

static int compare_steps(const void *one, const void *other)
{
    const struct step *a = one, *b = other;

    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    if (a->backend != b->backend)
        return a->backend < b->backend ? -1 : 1;
    return a->deed < b->deed ? -1 : a->deed > b->deed;
}

void plan_make(struct plan *plan, const struct plan_wish *wish)
{
    struct planner planner = {.plan = plan, .wish = wish, .chance = wish->seed};

    plan->count = 0;
    for (int64_t at = 300; at < wish->length_ms - QUIET_MS;
         at += chance_between(&planner.chance, 50, 450)) {
        const struct episode *episode = draw(&planner);

        if (episode->first != DEED_HAND_OVER || wish->hands_over)
            put_episode(&planner, episode, at);
    }
    qsort(plan->steps, plan->count, sizeof(plan->steps[0]), compare_steps);
}

const char *step_words(const struct step *step)
{
    static const struct {
        const char *words;
        bool on_backend;
    } rows[DEEDS_COUNT] = {
#define X(name, words, on_backend) {words, on_backend},
        DEEDS(X)
#undef X
    };
    static char text[160];
    size_t used = 0;

    if (rows[step->deed].on_backend)
        used = (size_t)snprintf(text, sizeof(text), "backend %s ",
                                backend_name(step->backend));
    used += (size_t)snprintf(text + used, sizeof(text) - used, "%s",
                             rows[step->deed].words);
    if (step->deed == DEED_SPOIL)
        snprintf(text + used, sizeof(text) - used, ": %s",
                 plan_spoils[step->value]);
    else if (step->deed == DEED_WEIGH || step->deed == DEED_ADD)
        snprintf(text + used, sizeof(text) - used, ", weight %u", step->value);
    else if (step->deed == DEED_FREEZE || step->deed == DEED_REFUSE)
        snprintf(text + used, sizeof(text) - used, " for %u ms", step->value);
    return text;
}

void plan_print(const struct plan *plan, FILE *out)
{
    for (size_t i = 0; i < plan->count; i++)
        fprintf(out, "%9.3f s  %s\n", (double)plan->steps[i].at_ms / 1000,
                step_words(&plan->steps[i]));
}

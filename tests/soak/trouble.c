/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A list of stretches of time. Only the thread that does the deeds writes it,
 * and it is read when that is over.
 */
#include "trouble.h"

#include "plan.h"
#include "wait.h"

#include <stdio.h>

enum {
    STRETCHES_MAX = PLAN_STEPS_MAX,
    SLACK_MS = 100, /* between a deed and our note of it */
    TOLD_MS = 500,  /* until steelyard has been told to drain */
    REST_MS = 1500, /* until probes have taken a backend back */
};

/** What was wrong, and from when to when. */
struct stretch {
    unsigned backend;
    enum trouble trouble;
    int64_t from_ms, until_ms; /**< INT64_MAX: it goes on */
};

static struct stretch stretches[STRETCHES_MAX];
static unsigned stretch_count;

void trouble_begin(unsigned backend, enum trouble trouble)
{
    int64_t now = now_ms();

    trouble_end(backend, now);
    if (stretch_count < STRETCHES_MAX)
        stretches[stretch_count++] = (struct stretch){
            backend, trouble, .from_ms = now, .until_ms = INT64_MAX};
}

void trouble_end(unsigned backend, int64_t at_ms)
{
    for (unsigned i = stretch_count; i-- > 0;) {
        if (stretches[i].backend != backend)
            continue;
        if (stretches[i].until_ms > at_ms)
            stretches[i].until_ms = at_ms;
        return;
    }
}

static bool overlaps(const struct stretch *stretch, int64_t from_ms,
                     int64_t until_ms)
{
    return stretch->from_ms - SLACK_MS <= until_ms &&
           (stretch->until_ms == INT64_MAX ||
            stretch->until_ms + SLACK_MS >= from_ms);
}

static const char *words_of(enum trouble trouble)
{
    static const char *const words[] = {
#define X(name, words, fates) words,
        TROUBLES(X)
#undef X
    };

    return words[trouble];
}

/** Does a trouble of this kind make tries end so? */
static bool may_cause(enum trouble trouble, enum fate fate)
{
#define X(name, words) name = 1u << FATE_##name,
    enum { FATES(X) NONE = 0 };
#undef X
    static const unsigned fates[] = {
#define X(name, words, fates) fates,
        TROUBLES(X)
#undef X
    };

    return (fates[trouble] & (1u << fate)) != 0;
}

const char *trouble_excuses(unsigned backend, enum fate fate, int64_t from_ms,
                            int64_t until_ms, int64_t slow_ms)
{
    for (unsigned i = 0; i < stretch_count; i++) {
        const struct stretch *stretch = &stretches[i];
        bool is_long = stretch->until_ms == INT64_MAX ||
                       stretch->until_ms - stretch->from_ms >= slow_ms;

        if (stretch->backend != backend ||
            !overlaps(stretch, from_ms, until_ms) ||
            !may_cause(stretch->trouble, fate))
            continue;
        if (stretch->trouble != TROUBLE_STOPPED || is_long)
            return words_of(stretch->trouble);
    }
    return NULL;
}

bool trouble_was_everywhere(unsigned backends, int64_t from_ms,
                            int64_t until_ms)
{
    unsigned in_trouble = 0;

    for (unsigned i = 0; i < stretch_count; i++)
        if (stretches[i].backend < backends &&
            overlaps(&stretches[i], from_ms - patience(REST_MS), until_ms))
            in_trouble |= 1u << stretches[i].backend;
    return in_trouble == (1u << backends) - 1;
}

bool trouble_was_draining(unsigned backend, int64_t from_ms, int64_t until_ms)
{
    for (unsigned i = 0; i < stretch_count; i++)
        if (stretches[i].backend == backend &&
            stretches[i].trouble == TROUBLE_DRAINING &&
            stretches[i].from_ms + patience(TOLD_MS) <= from_ms &&
            stretches[i].until_ms >= until_ms)
            return true;
    return false;
}

const char *trouble_words(int64_t from_ms, int64_t until_ms)
{
    static char text[512];
    size_t used = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < stretch_count; i++)
        if (overlaps(&stretches[i], from_ms, until_ms) &&
            used + 64 < sizeof(text))
            used += (size_t)snprintf(text + used, sizeof(text) - used,
                                     "%s%s %s", used == 0 ? "" : ", ",
                                     backend_name(stretches[i].backend),
                                     words_of(stretches[i].trouble));
    return used == 0 ? "all backends were well" : text;
}

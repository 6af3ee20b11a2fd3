/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Misbehaving. Nearly every kind is a line or two: it changes what was decided
 * about the response, and the writing and the session do the rest.
 */
#include "misbehave.h"

#include "fault.h"
#include "options.h"
#include "origin.h"
#include "response.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- chance --------------------------------------------------------------- */

/*
 * Splitmix64: one number of state, the same numbers for the same seed on every
 * machine. The remainder favours small numbers by a hair; dice for tests may.
 */
static uint64_t chance_below(struct origin *origin, uint64_t limit)
{
    uint64_t mixed = origin->chance += 0x9e3779b97f4a7c15u;

    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
    return (mixed ^ (mixed >> 31)) % limit;
}

/* --- the kinds, in the order of the table --------------------------------- */

/** All spoilers have the same shape; few use all of it. */
#define SPOIL(kind)                                                            \
    static void spoil_##kind(struct origin *origin, struct response *response, \
                             uint64_t value)
#define UNUSED(name) (void)(name)

/** Read the request to its end, then not a byte. */
static void say_nothing(struct response *response, enum response_end end)
{
    response_print(response, "%s", "");
    response->mute = true;
    response->end = end;
}

/** Stop in the middle; where that is not known, as soon as there is a body. */
static void cut(struct response *response, enum response_end end)
{
    if (response->length == RESPONSE_UNKNOWN)
        response->cut_at = 1;
    else
        response->cut_at = response->length / 2;
    response->end = end;
}

SPOIL(silent)
{
    UNUSED(origin), UNUSED(value);
    say_nothing(response, RESPONSE_HOLD);
}

SPOIL(drip)
{
    UNUSED(origin);
    response->drip_ms = (unsigned)value;
}

SPOIL(stall)
{
    UNUSED(origin), UNUSED(value);
    cut(response, RESPONSE_HOLD);
}

SPOIL(close_early)
{
    UNUSED(origin), UNUSED(value);
    say_nothing(response, RESPONSE_LEAVE);
}

SPOIL(reset)
{
    UNUSED(origin), UNUSED(value);
    say_nothing(response, RESPONSE_RESET);
}

SPOIL(cut_body)
{
    UNUSED(origin), UNUSED(value);
    cut(response, RESPONSE_LEAVE);
}

SPOIL(reset_body)
{
    UNUSED(origin), UNUSED(value);
    cut(response, RESPONSE_RESET);
}

SPOIL(short_length)
{
    UNUSED(origin);
    response->length_lie = -(int64_t)value;
}

SPOIL(long_length)
{
    UNUSED(origin);
    response->length_lie = (int64_t)value;
}

SPOIL(bad_chunk)
{
    UNUSED(origin), UNUSED(value);
    response->bad_chunks = true;
    response->end = RESPONSE_LEAVE;
}

SPOIL(garbage)
{
    UNUSED(origin), UNUSED(value);
    response_print(response, "%s",
                   "220 this is not HTTP, ready when you are\n");
    response->headless = true;
    response->end = RESPONSE_LEAVE;
}

SPOIL(big_head)
{
    UNUSED(origin);
    response->pad_bytes = value * 1024;
}

SPOIL(fail)
{
    if (chance_below(origin, 100) < value)
        response_set_status(response, 500);
}

SPOIL(jitter)
{
    response->pause_ms += (unsigned)chance_below(origin, value + 1);
}

SPOIL(early_answer)
{
    UNUSED(origin), UNUSED(value);
    response_set_status(response, 413);
    response->early = true;
    response->close = true;
    response->end = RESPONSE_DROP;
}

SPOIL(linger)
{
    UNUSED(origin), UNUSED(value);
    if (response->end == RESPONSE_LEAVE)
        response->end = RESPONSE_HOLD;
    response->close = false;
}

SPOIL(stale)
{
    UNUSED(origin), UNUSED(value);
    if (response->end == RESPONSE_KEEP)
        response->end = RESPONSE_STALE;
}

SPOIL(freeze)
{
    origin->freeze_until_ms = origin->now_ms + (int64_t)value;
    response->pause_ms += (unsigned)value;
}

SPOIL(refuse)
{
    origin->refuse_until_ms = origin->now_ms + (int64_t)value;
    if (response != NULL)
        response->pause_ms += 1; /* so the door is shut when this is read */
}

SPOIL(crash)
{
    UNUSED(response);
    origin->crash_in = value;
}

/* --- the table ------------------------------------------------------------ */

static const struct misbehaviour kinds[] = {
#define X(function, name, value, usual, max, does) \
    {name, value, usual, max, does, spoil_##function},
    MISBEHAVIOURS(X)
#undef X
};

#define KINDS (sizeof(kinds) / sizeof(*kinds))

const struct misbehaviour *misbehave_find(struct span name)
{
    for (size_t i = 0; i < KINDS; i++)
        if (span_is(name, kinds[i].name))
            return &kinds[i];
    return NULL;
}

void misbehave_print_names(char *to, size_t bytes)
{
    size_t used = 0;

    must(bytes > 0);
    *to = '\0';
    for (size_t i = 0; i < KINDS && used < bytes; i++)
        used += (size_t)snprintf(to + used, bytes - used, "%s%s",
                                 i > 0 ? ", " : "", kinds[i].name);
}

void misbehave_print_help(FILE *file)
{
    for (size_t i = 0; i < KINDS; i++) {
        char number[64] = "";

        if (kinds[i].value != NULL)
            snprintf(number, sizeof(number), "=%s", kinds[i].value);
        fprintf(file, "  %s%-*s  %s", kinds[i].name,
                18 - (int)strlen(kinds[i].name), number, kinds[i].does);
        if (kinds[i].value != NULL)
            fprintf(file, " (%" PRIu64 ")", kinds[i].usual);
        fprintf(file, "\n");
    }
}

const char *misbehave_near(const char *wrong)
{
    for (size_t i = 0; i < KINDS; i++)
        if (fault_distance(wrong, kinds[i].name) <= FAULT_NEAR)
            return kinds[i].name;
    return NULL;
}

/* --- from a flag ---------------------------------------------------------- */

static bool say_unknown(struct span name, struct fault *fault)
{
    char wrong[64];
    char names[512];

    snprintf(wrong, sizeof(wrong), "%.*s", (int)name.length, name.at);
    const char *near = misbehave_near(wrong);
    misbehave_print_names(names, sizeof(names));
    return fault_say(fault, "there is no misbehaviour \"%s\"%s%s%s (%s)", wrong,
                     near != NULL ? "; did you mean " : "; choose one of these",
                     near != NULL ? near : "", near != NULL ? "?" : "", names);
}

static bool parse_value(struct misbehave *misbehave, const char *text,
                        struct fault *fault)
{
    const struct misbehaviour *kind = misbehave->kind;

    if (kind->value == NULL)
        return fault_say(fault, "%s takes no number; write --misbehave %s",
                         kind->name, kind->name);
    if (!span_number((struct span){text, strlen(text)}, kind->max,
                     &misbehave->value))
        return fault_say(fault,
                         "%s needs a whole number from 0 to %" PRIu64
                         ", as in %s=%" PRIu64 ", not \"%s\"",
                         kind->name, kind->max, kind->name, kind->usual, text);
    return true;
}

bool misbehave_parse(struct misbehave *misbehave, const char *text,
                     struct fault *fault)
{
    const char *value = strchr(text, '=');
    size_t length = value != NULL ? (size_t)(value - text) : strlen(text);
    struct span name = {text, length};

    misbehave->kind = misbehave_find(name);
    if (misbehave->kind == NULL)
        return say_unknown(name, fault);
    misbehave->value = misbehave->kind->usual;
    return value == NULL || parse_value(misbehave, value + 1, fault);
}

/** Two kinds belong to the server's life, not to one request of it. */
static bool is_of_the_start(const struct misbehaviour *kind)
{
    return kind->spoil == spoil_crash || kind->spoil == spoil_refuse;
}

void misbehave_from_start(struct origin *origin)
{
    const struct misbehave *asked = &origin->options->misbehave;

    if (asked->kind != NULL && is_of_the_start(asked->kind))
        asked->kind->spoil(origin, NULL, asked->value);
}

/* --- on a request --------------------------------------------------------- */

void misbehave_apply(const struct misbehave *misbehave, struct origin *origin,
                     struct response *response)
{
    misbehave->kind->spoil(origin, response, misbehave->value);
    response->mischief = misbehave->kind->name;
}

/** The last request before the crash is not answered; nor is any other. */
static void crash_if_due(struct origin *origin)
{
    if (origin->crash_in > 0 && --origin->crash_in == 0)
        _exit(MISBEHAVE_CRASH_STATUS);
}

/** Whoever looks from outside shall see well: /stats always behaves. */
static bool is_spared(const struct origin *origin, struct span path)
{
    const struct options *options = origin->options;

    for (size_t i = 0; i < options->spare_count; i++)
        if (span_is(path, options->spare[i]))
            return true;
    return span_is(path, "/stats");
}

void misbehave_by_flag(struct origin *origin, const struct request *request,
                       struct response *response)
{
    const struct misbehave *asked = &origin->options->misbehave;

    if (is_spared(origin, request->path))
        return;
    if (asked->kind != NULL && response->mischief == NULL &&
        !is_of_the_start(asked->kind))
        misbehave_apply(asked, origin, response);
    crash_if_due(origin);
}

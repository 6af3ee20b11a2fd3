/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file trouble.h
 * @brief When was what wrong with a backend? The only excuse there is.
 *
 *  - trouble_begin() and trouble_end() note it while it happens;
 *  - trouble_excuses() tells afterwards whether a try that failed in some way
 *    may have failed so.
 *
 * Weights, reloads, hand-overs: those are no trouble. A backend that drains, or
 * says that it is not ready, is only away: that excuses no try that failed, but
 * that there was no other backend to try.
 */
#ifndef SOAK_TROUBLE_H
#define SOAK_TROUBLE_H

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
/** What may be wrong with a backend, and which tries may fail for it. */
#define TROUBLES(X)                                                            \
    X(DEAD, "was killed", UNCONNECTED | UNANSWERED | BROKEN | STALE)           \
    X(ENDING, "was ending", UNCONNECTED | UNANSWERED | BROKEN | STALE)         \
    X(STOPPED, "was stopped", UNCONNECTED | SLOW | BROKEN)                     \
    X(FROZEN, "was frozen", UNCONNECTED)                                       \
    X(REFUSING, "refused connections", UNCONNECTED | UNANSWERED)                        \
    X(SPOILT, "misbehaved", UNCONNECTED | UNANSWERED | BROKEN | STALE | FIVE)  \
    X(AWAY, "was away", NONE)                                                 \
    X(DRAINING, "was set not ready", NONE)

/** What became of a try, as the access log says. */
#define FATES(X)                                                               \
    X(SERVED, "served")                                                        \
    X(UNCONNECTED, "unconnected")                                              \
    X(SHORT, "short")                                                          \
    X(STALE, "stale")                                                          \
    X(UNANSWERED, "unanswered")                                                \
    X(SLOW, "slow")                                                            \
    X(BROKEN, "broken")                                                        \
    X(ABANDONED, "abandoned")                                                  \
    X(FIVE, "served 500")
/* clang-format on */

/** What became of a try. */
enum fate {
#define X(name, words) FATE_##name,
    FATES(X)
#undef X
        FATES_COUNT
};

/** What was wrong. */
enum trouble {
#define X(name, words, fates) TROUBLE_##name,
    TROUBLES(X)
#undef X
        TROUBLES_COUNT
};

/** It begins now; another one with this backend ends. */
void trouble_begin(unsigned backend, enum trouble trouble);

/** All is well with this backend again, since @p at_ms (now_ms()). */
void trouble_end(unsigned backend, int64_t at_ms);

/**
 * May a try at this backend have come to this, while a request lasted?
 *
 * @param slow_ms a stop excuses slowness if it was that long at least
 * @return the trouble in words, or NULL: there is no excuse
 */
const char *trouble_excuses(unsigned backend, enum fate fate, int64_t from_ms,
                            int64_t until_ms, int64_t slow_ms);

/** Was each of so many backends in trouble or away while a request lasted, or so
 * shortly before that probes may not have taken it back? */
bool trouble_was_everywhere(unsigned backends, int64_t from_ms,
                            int64_t until_ms);

/** Was it set not ready before this time, and was it so still at that one? */
bool trouble_was_draining(unsigned backend, int64_t from_ms, int64_t until_ms);

/** What was wrong at that time, for a report. Good until the next call. */
const char *trouble_words(int64_t from_ms, int64_t until_ms);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file plan.h
 * @brief What shall happen during a soak, and when: made from a seed.
 *
 * A plan is a list of steps in the order of their time. The same seed, length
 * and options make the same plan, on every machine. What is broken by one step
 * is mended by a later one, and the last second is quiet.
 *
 *  - plan_make() makes it, plan_print() shows it;
 *  - chance_below() is the chance that it, and all clients, use.
 */
#ifndef SOAK_PLAN_H
#define SOAK_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    BACKENDS = 5,            /**< the last one is added and removed */
    BACKENDS_LASTING = 4,    /**< those that are configured */
    PLAN_STEPS_MAX = 1 << 14 /**< enough for hours */
};

/* clang-format off */
/** All deeds: the name, what it looks like in a report, whether it is one that
 * is done to a backend. */
#define DEEDS(X)                                                               \
    X(KILL, "is killed", true)                                                 \
    X(QUIT, "is asked to end, while it serves", true)                          \
    X(START, "starts again", true)                                             \
    X(STOP, "is stopped (SIGSTOP)", true)                                      \
    X(CONTINUE, "goes on (SIGCONT)", true)                                     \
    X(FREEZE, "freezes itself", true)                                          \
    X(REFUSE, "refuses connections", true)                                     \
    X(SPOIL, "is started anew, to misbehave", true)                            \
    X(MEND, "is started anew, to behave", true)                                \
    X(FAIL_PROBES, "says that it is not ready", true)                          \
    X(PASS_PROBES, "says that it is ready", true)                              \
    X(DRAIN, "is set not ready", true)                                         \
    X(UNDRAIN, "is set ready", true)                                           \
    X(ROLL, "is drained, started anew and set ready", true)                    \
    X(WEIGH, "gets another weight", true)                                      \
    X(ADD, "is added", true)                                                   \
    X(REMOVE, "is removed", true)                                              \
    X(RELOAD_SIGNAL, "a new configuration (SIGHUP)", false)                    \
    X(RELOAD_API, "a new configuration (API)", false)                          \
    X(RELOAD_BAD, "a configuration that is of no use", false)                  \
    X(CERTIFY, "a new certificate", false)                                     \
    X(ROTATE, "the access log goes on in a new file", false)                   \
    X(HAND_OVER, "a new process takes over (SIGUSR2)", false)
/* clang-format on */

/** What is done. */
enum deed {
#define X(name, words, on_backend) DEED_##name,
    DEEDS(X)
#undef X
        DEEDS_COUNT
};

/** One thing that is done. */
struct step {
    int64_t at_ms;    /**< since the load began */
    enum deed deed;   /**< what */
    unsigned backend; /**< to whom */
    unsigned value;   /**< how: a time in ms, a weight, a misbehaviour */
};

/** All that is done. */
struct plan {
    struct step steps[PLAN_STEPS_MAX];
    size_t count;
};

/** What is to be planned. */
struct plan_wish {
    uint64_t seed;
    int64_t length_ms;    /**< from the first request to the last */
    bool hands_over;      /**< steelyard can, and shall */
    int64_t long_stop_ms; /**< a stop that is longer than any time limit */
};

/** Misbehaviours for DEED_SPOIL, by their value. */
extern const char *const plan_spoils[];

/** Make a plan. */
void plan_make(struct plan *plan, const struct plan_wish *wish);

/** In words, such as `backend two is killed`. Good until the next call. */
const char *step_words(const struct step *step);

/** One line for each step. */
void plan_print(const struct plan *plan, FILE *out);

/** The name of a backend, such as `two`. */
const char *backend_name(unsigned backend);

/** A number from 0 to @p bound - 1, and the next state of chance. */
unsigned chance_below(uint64_t *chance, unsigned bound);

/** A number from @p from to @p to. */
unsigned chance_between(uint64_t *chance, unsigned from, unsigned to);

#endif

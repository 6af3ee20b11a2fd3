/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file playground.h
 * @brief Two policies at work on the same requests, in simulated time.
 *
 * Clients send requests to a balancer; the balancer asks a policy of
 * final/upstream which backend shall serve each. There are two balancers, the
 * sides A and B, and they differ by their policy alone: both get the same
 * requests at the same moments, and their backends fail at the same moments.
 *
 * All figures are whole numbers, so that the same seed and the same orders give
 * the same results to the last digit: as a command, and as a part of a web page.
 *
 * @thread{any; a playground belongs to one}
 */
#ifndef PLAYGROUND_H
#define PLAYGROUND_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How large everything may become. */
enum {
    PLAYGROUND_SIDES = 2,       /**< A and B */
    PLAYGROUND_BACKENDS = 8,    /**< backends at most */
    PLAYGROUND_QUEUE = 100,     /**< requests that a backend takes in at once;
                                     it refuses what comes beyond */
    PLAYGROUND_LATENCIES = 500, /**< p50 and p99 are those of so many responses,
                                     the latest ones */
    PLAYGROUND_HISTORY = 120,   /**< points of the small history */
    PLAYGROUND_HISTORY_MS = 250, /**< from one of them to the next */
    PLAYGROUND_PICKS = 256,      /**< picks that are remembered, to be drawn */
    PLAYGROUND_WEIGHT_MAX = 10,  /**< the heaviest backend */
    PLAYGROUND_PLANS = 16,       /**< deaths and returns planned ahead */
    PLAYGROUND_TEXT = 24,        /**< room for the text of a fact */
};

/* clang-format off */
/** What can be turned: id, name (flag, query, element id), lowest, usual,
 * highest. The times are milliseconds. `slow` is how many times slower backend
 * 1 is than the others; `notice` is how long the balancer does not know that a
 * backend has died, or is back. */
#define PLAYGROUND_SETTINGS(X)         \
    X(RATE,     "rate",      1, 150, 1000) \
    X(SERVICE,  "service",   1,  20,  200) \
    X(BACKENDS, "backends",  3,   5,    8) \
    X(SLOW,     "slow",      1,   4,   10) \
    X(NOTICE,   "notice",    0, 500, 5000)

/** What is counted on a side: id, name, is it a time in microseconds? */
#define PLAYGROUND_SIDE_FACTS(X)  \
    X(ARRIVALS,  "arrivals",  0)  \
    X(SERVED,    "served",    0)  \
    X(IN_FLIGHT, "in-flight", 0)  \
    X(LOST,      "lost",      0)  \
    X(P50,       "p50",       1)  \
    X(P99,       "p99",       1)

/** What is counted of a backend on a side. */
#define PLAYGROUND_BACKEND_FACTS(X)    \
    X(PICKED,    "picked",    0)       \
    X(SERVED,    "served",    0)       \
    X(IN_FLIGHT, "in-flight", 0)       \
    X(LOST,      "lost",      0)
/* clang-format on */

/** Which setting. */
enum playground_setting {
#define X(id, name, lowest, usual, highest) SETTING_##id,
    PLAYGROUND_SETTINGS(X)
#undef X
        SETTING_COUNT
};

/** Which fact about a side. */
enum side_fact {
#define X(id, name, is_time) SIDE_##id,
    PLAYGROUND_SIDE_FACTS(X)
#undef X
        SIDE_FACT_COUNT
};

/** Which fact about a backend. */
enum backend_fact {
#define X(id, name, is_time) BACKEND_##id,
    PLAYGROUND_BACKEND_FACTS(X)
#undef X
        BACKEND_FACT_COUNT
};

/** How a setting is called, and how far it goes. */
struct setting_range {
    const char *name; /**< a constant */
    unsigned lowest;  /**< at least */
    unsigned usual;   /**< if nothing is said */
    unsigned highest; /**< at most */
};

/** How a fact is called, and how it is written. */
struct fact_form {
    const char *name; /**< a constant */
    bool is_time;     /**< kept in microseconds, shown in milliseconds */
};

/** One for each enum playground_setting. */
extern const struct setting_range setting_ranges[SETTING_COUNT];
/** One for each enum side_fact. */
extern const struct fact_form side_forms[SIDE_FACT_COUNT];
/** One for each enum backend_fact. */
extern const struct fact_form backend_forms[BACKEND_FACT_COUNT];

/** The names of the policies that can be chosen, ended by NULL. */
extern const char *const playground_policies[];

/** Two sides and their backends. */
struct playground;

/**
 * Make one at time 0, with usual settings: round robin on side A, least
 * connections on side B.
 *
 * @return owned by the caller, who ends it with playground_destroy()
 */
struct playground *playground_create(uint32_t seed);

/** End it, and empty the pointer. */
void playground_destroy(struct playground **playground);

/**
 * Set it from now on. What has been drawn already stays: the next request, and
 * what is being served. The number of backends can only be set at time 0.
 *
 * @return false, and nothing is changed: it is out of range, or too late
 */
bool playground_set(struct playground *playground,
                    enum playground_setting setting, unsigned value);

/** What it is set to. */
unsigned playground_setting(const struct playground *playground,
                            enum playground_setting setting);

/** Set the weight of a backend, 1 to #PLAYGROUND_WEIGHT_MAX; as above. */
bool playground_set_weight(struct playground *playground, size_t backend,
                           unsigned weight);

/** Set a side's policy by its name. @return false: there is no such policy */
bool playground_set_policy(struct playground *playground, size_t side,
                           const char *name);

/** The name of a side's policy. */
const char *playground_policy(const struct playground *playground, size_t side);

/** A backend dies, and what it was busy with is lost; or it comes back. */
void playground_set_alive(struct playground *playground, size_t backend,
                          bool alive);

/** Have it die, or come back, at that simulated time. @return false: there is
 * no such backend, or there are #PLAYGROUND_PLANS plans already */
bool playground_plan(struct playground *playground, size_t backend, bool alive,
                     int64_t at_us);

/** Does it live? */
bool playground_is_alive(const struct playground *playground, size_t backend);

/** Does the balancer think so, on both sides? */
bool playground_is_up(const struct playground *playground, size_t backend);

/**
 * Follow an order as it stands on a command line or in a page's address:
 * `rate` `150` (or another setting), `a` or `b` and a policy's name, `weight-2`
 * `3`, `kill` `2@3000` and `revive` `2@6000` (backend 2 after so many ms).
 *
 * @return false, with a sentence for the person who wrote it
 */
bool playground_order(struct playground *playground, const char *name,
                      const char *value, struct fault *fault);

/** Let time pass. In how many pieces it passes makes no difference. */
void playground_run(struct playground *playground, int64_t us);

/** Simulated time, in microseconds from the beginning. */
int64_t playground_now(const struct playground *playground);

/** A fact about a side: a count, or microseconds. */
uint64_t playground_side(const struct playground *playground, size_t side,
                         enum side_fact fact);

/** A fact about a backend on a side. */
uint64_t playground_backend(const struct playground *playground, size_t side,
                            size_t backend, enum backend_fact fact);

/** Write a fact as it is shown: `812`, or `12.3` for milliseconds. */
void fact_print(char out[PLAYGROUND_TEXT], uint64_t fact, bool is_time);

/** One point of the history of a side. */
struct history_point {
    unsigned in_flight; /**< requests on their way, at that moment */
    unsigned p99_us;    /**< of the latest responses, at that moment */
};

/** How many points there are by now, #PLAYGROUND_HISTORY at most. */
size_t playground_history_count(const struct playground *playground);

/** A point of the history; the oldest is 0. */
struct history_point playground_history(const struct playground *playground,
                                        size_t side, size_t index);

/** One pick, to be drawn. */
struct pick {
    int64_t at_us;  /**< when */
    size_t backend; /**< who */
};

/** The last pick but @p back; false when there is none. */
bool playground_pick(const struct playground *playground, size_t side,
                     size_t back, struct pick *pick);

#endif

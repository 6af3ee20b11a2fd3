/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file policy.h
 * @brief The rule that picks one backend out of those that may serve.
 *
 * A policy gets numbers and gives back a number. It knows no sockets, no locks
 * and no backends, so any rule can be tested with a pencil. And it never sees a
 * backend that may not serve: it cannot pick wrongly, only less well.
 *
 * There is one promise and several fillings: policy_round_robin.c,
 * policy_least_connections.c, and so on. policy_find() knows them all.
 *
 * @floor{upstream}
 * @thread{each worker makes its own; nothing here is shared}
 */
#ifndef UPSTREAM_POLICY_H
#define UPSTREAM_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How many backends there may be. */
enum { BACKENDS_MAX = 64 };

/** One who may serve, as a policy sees it. */
struct candidate {
    uint64_t identity;   /**< stays the same while it is configured: a hash of
                              its URL */
    unsigned weight;     /**< its share, compared with the others'; not 0 */
    unsigned in_flight;  /**< how many requests it is busy with */
    unsigned latency_us; /**< how long it takes to answer: a peak-sensitive
                              average of recent requests; 0: not known */
};

/** What is asked of a policy. */
struct candidates {
    const struct candidate *at; /**< borrowed: those who may serve, in the order
                                     they were configured */
    size_t count;               /**< how many they are, at least one */
    uint64_t turn;              /**< how many picks there were before this one,
                                     in all workers together */
    uint64_t key;               /**< what the request is hashed by */
    uint64_t chance[2];         /**< two random numbers */
};

/** What a policy remembers. */
struct policy;

/** One way of picking. */
struct policy_kind {
    const char *name; /**< as written after `--policy` */
    bool hashes;      /**< it goes by the key */

    /** Make one; NULL for a kind that remembers nothing. */
    struct policy *(*create)(void);

    /** Pick one: an index below `count`. */
    size_t (*pick)(struct policy *policy, const struct candidates *from);

    /** End what create() has made, and empty the pointer. */
    void (*destroy)(struct policy **policy);
};

/**
 * The average that a candidate's `latency_us` is, with one more answer in it.
 * A slow one counts at once, quick ones little by little.
 *
 * @param known_us the average before; 0: not known
 * @param took_us  how long the answer took
 * @return not 0
 */
unsigned latency_average(unsigned known_us, int64_t took_us);

/** The same, with a failure in it: that counts as slow, however quick it was. */
unsigned latency_of_failure(unsigned known_us, int64_t took_us);

/** Turns, by weight, without bursts. */
extern const struct policy_kind policy_round_robin;
/** The least busy for its weight; turns among equals. */
extern const struct policy_kind policy_least_connections;
/** The less busy of two that were drawn. */
extern const struct policy_kind policy_two_choices;
/** The same key, the same backend, as long as the set stays the same. */
extern const struct policy_kind policy_address_hash;
/** The same key, the same backend, even when others come and go; but never much
 * more than a fair share. */
extern const struct policy_kind policy_consistent_hash;
/** The one that would answer soonest: latency times what is in flight. */
extern const struct policy_kind policy_latency;

/**
 * Find the policy with this name.
 *
 * @return NULL when there is none; else it is there for ever
 */
const struct policy_kind *policy_find(const char *name);

#endif

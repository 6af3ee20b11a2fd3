/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file backend.h
 * @brief One server that we send requests to: what is configured, what workers
 * have seen, and what follows from it.
 *
 * Its fields are grouped by who writes them. Workers only count; the verdict is
 * changed under a lock, by health.h, and read without one.
 *
 * @floor{upstream}
 * @thread{see each group}
 */
#ifndef UPSTREAM_BACKEND_H
#define UPSTREAM_BACKEND_H

#include "net/address.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct settings;
struct settings_backend;

/** How many addresses of one name we keep. */
enum { BACKEND_ADDRESSES_MAX = 8 };

/** So many backends there may be at a time: twice a whole pool, so that every
 * one of them can be exchanged for another. */
enum { BACKEND_SLOTS = 128 };

/** What a name stood for, at some time. Never changes once it is in use. */
struct backend_addresses {
    size_t count;                            /**< how many there are */
    union address at[BACKEND_ADDRESSES_MAX]; /**< in the order they came */
};

/** How a backend stands; under the pool's lock. */
struct health_state {
    bool probed;              /**< there has been a probe */
    bool well;                /**< as far as probes tell */
    unsigned passed_row;      /**< good probes in a row */
    unsigned failed_row;      /**< bad probes in a row */
    bool ejected;             /**< requests have failed too often */
    unsigned ejections;       /**< how often, one after another */
    int64_t ejected_until_ms; /**< until when */
    uint64_t passed;          /**< good probes, all in all */
    uint64_t failed;          /**< bad ones */
    uint64_t ejected_times;   /**< ejections, all in all */
    int64_t changed_ms;       /**< when it changed last; 0: never */
    char why[128];            /**< the reason of the last change */
};

/* clang-format off */
/** What we think of a backend, and the word for it. */
#define BACKEND_STATES(X)                                                      \
    X(UP, "up")                 /* it serves */                                \
    X(DOWN, "down")             /* it has failed too often */                  \
    X(DRAINING, "draining")     /* a person wants it to get nothing new */     \
    X(UNRESOLVED, "unresolved") /* its name was never found */
/* clang-format on */

/** Where a backend stands. */
enum backend_state {
#define X(state, word) BACKEND_##state,
    BACKEND_STATES(X)
#undef X
        BACKEND_STATE_COUNT
};

/** One server. */
struct backend {
    /* What it is: never changes. */
    char url[300];     /**< `http://HOST:PORT` or `https://...` */
    char host[256];    /**< a name or an address */
    unsigned port;     /**< 1 to 65535 */
    bool is_https;     /**< it is spoken to by TLS */
    size_t slot;       /**< a number below BACKEND_SLOTS that is its own */
    uint64_t identity; /**< a hash of its URL */

    /* How it is configured: control writes, all read. */
    atomic_uint weight;         /**< 1 to 256 */
    atomic_uint in_flight_max;  /**< requests at once; 0: any number */
    atomic_uint send_proxy;     /**< as the setting: is it told who the client
                                     is? */
    atomic_bool is_backup;      /**< serves only when no other can */
    unsigned weight_configured; /**< `weight`, before a person changed it */
    atomic_bool draining;       /**< a person wants it to get nothing new */
    int64_t probe_due_ms;       /**< its next probe; control's; 0: not known */

    /* Who needs it: see roster.h. */
    atomic_uint holders;    /**< pools, and others that know it */
    atomic_uint forgetting; /**< workers that have not forgotten it yet */
    bool is_leaving;        /**< they were told to; control's */

    /* Found out by control, read by all: NULL until the name was found. What
     * was there before lives on, in `older`, as somebody may be reading it. */
    struct backend_addresses *_Atomic addresses; /**< owned */
    struct backend_addresses *older;             /**< owned; control's */

    /* Facts: workers write, all read. */
    atomic_uint in_flight;       /**< requests it is busy with */
    atomic_uint next_address;    /**< whose turn it is among its addresses */
    atomic_uint latency_us;      /**< a peak-sensitive average; 0: unknown */
    _Atomic uint64_t tries;      /**< requests sent to it, repeated ones too */
    _Atomic uint64_t failures;   /**< those that failed by its fault */
    atomic_uint failures_in_row; /**< since the last one that went well */
    atomic_bool redeemed;        /**< one went well since the last ejection */

    /* Verdict: health.h writes, under its lock; all read. */
    atomic_bool up;              /**< may it serve? */
    _Atomic int64_t up_since_ms; /**< for the slow start; 0: from the start */
    struct health_state health;  /**< how that came about */
};

/** Some of the backends. */
struct backend_set {
    uint64_t bits[BACKEND_SLOTS / 64]; /**< one for each slot */
};

/** Put one more into it. */
static inline void backend_set_add(struct backend_set *set,
                                   const struct backend *backend)
{
    set->bits[backend->slot / 64] |= (uint64_t)1 << backend->slot % 64;
}

/** Is it in there? */
static inline bool backend_set_has(const struct backend_set *set,
                                   const struct backend *backend)
{
    return set->bits[backend->slot / 64] >> backend->slot % 64 & 1;
}

/**
 * Make one, up and without addresses; see backend_configure() for the rest.
 *
 * @param slot its own number
 */
void backend_init(struct backend *backend,
                  const struct settings_backend *settings, size_t slot);

/**
 * Set what is configured. A weight that a person has changed since stays, as
 * long as the configured one does.
 *
 * @param usual what holds where it says nothing itself
 */
void backend_configure(struct backend *backend,
                       const struct settings_backend *settings,
                       const struct settings *usual);

/** What do we think of it? */
enum backend_state backend_state(const struct backend *backend);

/** What would we think of it if it were ready? Never BACKEND_DRAINING. */
enum backend_state backend_state_of_health(const struct backend *backend);

/** The word for that. A constant. */
const char *backend_state_word(enum backend_state state);

/** May it get new requests? */
bool backend_may_serve(const struct backend *backend);

/** End what it owns. */
void backend_fini(struct backend *backend);

/**
 * Look its name up. This may take seconds; it is for control.
 *
 * @return false, with @p why, when nothing was found: then what was known stays
 */
bool backend_find(struct backend *backend, const char **why);

/** The address whose turn it is; false when none is known. */
bool backend_address(struct backend *backend, union address *address);

/**
 * One request more; false when it has as many as it may have.
 * A place that was taken is given back, whatever becomes of the request.
 */
bool backend_take_place(struct backend *backend);

/** One request less. */
void backend_give_place(struct backend *backend);

/** It took so long to answer. */
void backend_add_latency(struct backend *backend, int64_t us);

/** It took so long to fail: that counts as slow, however quick it was. */
void backend_add_failure(struct backend *backend, int64_t us);

#endif

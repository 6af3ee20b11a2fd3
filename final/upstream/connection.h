/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file connection.h
 * @brief A connection to a backend: made, used, at rest, ended.
 *
 *  - upstream_open() begins one, upstream_finish() tells how that went;
 *  - upstream_free() ends it.
 *
 * Between two exchanges it rests in an idle_cache.
 *
 * @floor{upstream}
 * @thread{the worker that made it}
 */
#ifndef UPSTREAM_CONNECTION_H
#define UPSTREAM_CONNECTION_H

#include "base/text.h"
#include "net/stream.h"

#include <stdbool.h>
#include <stdint.h>

struct backend;
struct idle_cache;
struct loop;
struct tls_context;

/** Room for what is said first: a PROXY header. */
enum { UPSTREAM_OPENING_MAX = 108 };

/** One connection to a backend. */
struct upstream {
    unsigned magic;          /**< tells a living one from a freed one */
    struct stream stream;    /**< owned */
    struct backend *backend; /**< borrowed: outlives it */
    struct loop *loop;       /**< borrowed: the worker's */
    int64_t dies_ms;         /**< it is not used again after this time */
    int64_t rested_ms;       /**< since when it rests, or last did */
    int64_t rest_ms;         /**< so long it may rest; the backend may have said
                                  less than the settings */
    bool is_connected;       /**< the handshake of TLS, if any, may go on */
    struct tls_context *tls; /**< borrowed until it begins; else NULL */
    char opening[UPSTREAM_OPENING_MAX]; /**< what is said first, */
    size_t opening_length;              /**< so many bytes, */
    size_t opening_sent;                /**< of which so many have gone */
    unsigned exchanges;           /**< how many it has served to their end */
    struct link resting;          /**< in an idle cache */
    struct idle_cache *cache;     /**< borrowed: which, while it rests there */
    void (*on_event)(void *user); /**< what to call when it is ready */
    void *user;                   /**< goes there: borrowed */
};

/** How to begin a connection. */
struct upstream_manner {
    struct tls_context *tls; /**< whom we believe; for a backend without TLS,
                                  NULL will do */
    struct text opening;     /**< what to say first, before TLS; copied. Often
                                  nothing; at most UPSTREAM_OPENING_MAX */
};

/** Why there is no connection. */
struct upstream_fault {
    const char *why; /**< in words; a constant */
    bool is_ours;    /**< the backend has nothing to do with it: see
                          stream_is_short() */
};

/**
 * Begin to connect, and to shake hands if the backend is spoken to by TLS.
 *
 * @param manner    how
 * @param on_event  called with @p user when something happens
 * @param owned     where it goes, owned by the caller; NULL for #IO_BROKEN
 * @param fault     filled for #IO_BROKEN
 * @return #IO_DONE, #IO_WAIT (ask upstream_finish() later) or #IO_BROKEN
 */
enum io upstream_open(struct loop *loop, struct backend *backend,
                      const struct upstream_manner *manner,
                      void (*on_event)(void *user), void *user,
                      struct upstream **owned, struct upstream_fault *fault);

/** Is it ready for a request? #IO_DONE, #IO_WAIT, or #IO_BROKEN with stream_words().*/
enum io upstream_finish(struct upstream *upstream);

/** Was it made by these rules? Without TLS there are none. */
bool upstream_is_of(const struct upstream *upstream,
                    const struct tls_context *tls);

/** Was it opened for one client, whom it has named to the backend? Then nobody
 * else may use it. */
bool upstream_is_personal(const struct upstream *upstream);

/** Let somebody use it: who is called from now on. */
void upstream_use(struct upstream *upstream, void (*on_event)(void *user),
                  void *user);

/** Close it, and empty the pointer. */
void upstream_free(struct upstream **owned);

#endif

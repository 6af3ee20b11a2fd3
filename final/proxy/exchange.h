/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file exchange.h
 * @brief One request and its response: what is balanced, retried, counted and
 * logged.
 *
 * An exchange does one step of its way at a time, as far as it can go without
 * waiting, and answers with the state to go to:
 *
 *  - exchange_take() makes one for a client that has begun to speak;
 *  - exchange_read() reads its request;
 *  - exchange_pick() and exchange_dial() find and reach a backend: attempt.h;
 *  - exchange_relay() moves bytes both ways, until the response is whole, and
 *    exchange_late() is asked when a step took too long: relay.h;
 *  - exchange_answer() gives an answer of our own;
 *  - exchange_next() makes it ready for the client's next request;
 *  - exchange_give() ends it.
 *
 * @floor{proxy}
 * @thread{the worker it belongs to}
 */
#ifndef PROXY_EXCHANGE_H
#define PROXY_EXCHANGE_H

#include "event/timer.h"
#include "http/body.h"
#include "http/head.h"
#include "proxy/flow.h"
#include "proxy/retry.h"
#include "proxy/state.h"
#include "proxy/terms.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct upstream;
struct worker;
union address;

enum {
    TRIES_MAX = 16,              /**< so many of one exchange are remembered */
    EXCHANGE_MAGIC = 0x65786368, /**< in `magic`, while it lives */
};

/** One try, for the log. */
struct
try {
    const struct backend *backend; /**< borrowed from the pool */
    int64_t began_us;              /**< when it was picked */
    int64_t took_us;               /**< how long it lasted */
    bool served;                   /**< its response went to the client */
    enum attempt ended;            /**< if it did not: how it ended */
};

/** One request and its response. */
struct exchange {
    unsigned magic;              /**< tells a living one from a freed one */
    struct worker *worker;       /**< borrowed: outlives it */
    struct terms *terms;         /**< held: what it is served by */
    struct stream *client;       /**< borrowed: the session's */
    const union address *from;   /**< borrowed: the client's address */
    const union address *to;     /**< borrowed: where it has connected to, if a
                                      proxy has told us; else none */
    void (*wake)(void *session); /**< called when it can go on */
    void *session;               /**< goes there */

    struct body request_body;  /**< where the request ends */
    struct body response_body; /**< where the response ends */
    struct flow up, down;      /**< to the backend, and back */

    struct backend *backend;   /**< borrowed, with a place in it; or NULL */
    struct upstream *upstream; /**< owned while we talk to a backend */
    unsigned try_count;        /**< how many there are */
    unsigned unconnected;      /**< see struct retry_facts */
    unsigned repeated;         /**< likewise */
    struct backend_set tried;  /**< backends that are not asked again */
    struct link waiting;       /**< for a place at a backend */
    struct timer patience;     /**< with a backend that ought to answer to
                                         Expect */

    bool has_begun;     /**< its request was understood */
    bool is_reused;     /**< the upstream connection had rested */
    bool was_stale;     /**< it met one that had ended: only fresh ones now */
    bool is_retry;      /**< it has a part of the retry budget */
    bool was_sent;      /**< in this try, something was written */
    bool request_over;  /**< all of it went out, or no more will */
    bool up_ended;      /**< the last chunk is written */
    bool expects_head;  /**< nothing of the response has come */
    bool has_response;  /**< the head of the response was passed on */
    bool down_ended;    /**< the last chunk is written */
    bool is_tunnel;     /**< bytes are passed on as they are */
    bool client_left;   /**< before it had everything */
    bool client_ended;  /**< the client will send no more */
    bool backend_ended; /**< nor will the backend */
    bool said_continue; /**< the client was told to go on with its body */
    bool closes;        /**< the session ends after this exchange */
    bool is_cut;        /**< the client shall not take it for whole */
    bool is_hungry; /**< it could go on at once, but others have their turn */
    bool has_moved; /**< bytes moved since this was last looked at */

    unsigned status;        /**< what the client was answered; 0: nothing yet */
    const char *end_reason; /**< why it ended early; NULL: it did not */
    char request_id[40];    /**< ours, or that of a listed proxy */
    char client_text[64];   /**< the client's address without port */
    int64_t began_us;       /**< when its first byte came */
    int64_t connected_us;   /**< when it last had a connection; 0: never */
    int64_t first_byte_us;  /**< when the response began */
    uint64_t body_taken;    /**< bytes of content its body has had so far */
    int64_t body_waited_ms; /**< how long we have waited for them, all in all */
    int64_t body_wait_ms;   /**< since when we wait now; 0: we do not */
    unsigned refused_with;  /**< the status for a body that is refused, */
    const char *refused;    /**< and why it is */

    /* Large, and mostly unused: so they come last. */
    struct head request, response; /**< views into the flows */
    struct try tries[TRIES_MAX];   /**< `try_count` of them */
};

/**
 * Make one.
 *
 * @param client borrowed
 * @param from   borrowed: the client's address
 * @param to     borrowed: where it has connected to, or none
 * @param wake   called with @p session when there is something to be done
 * @return owned by the caller, who ends it with exchange_give()
 */
struct exchange *exchange_take(struct worker *worker, struct stream *client,
                               const union address *from,
                               const union address *to,
                               void (*wake)(void *session), void *session);

/** End it; its memory is kept for another one. */
void exchange_give(struct exchange **owned);

/** Free the memory that was kept. */
void exchanges_forget(struct worker *worker);

/** Go on reading the request: READ, PICK, ANSWER, or LEAVE. */
enum state exchange_read(struct exchange *exchange);

/** Send what is left of our own answer: ANSWER, LEAVE, REST, or READ. */
enum state exchange_finish_answer(struct exchange *exchange);

/** Give an answer of our own instead: ANSWER. */
enum state exchange_answer(struct exchange *exchange, unsigned status,
                           const char *why);

/** Has the client left while nobody works for it yet? */
bool exchange_is_abandoned(struct exchange *exchange, enum state now);

/** Let go of the backend: the client is gone. */
void exchange_abandon(struct exchange *exchange, const char *why);

/** The client has left: let go of the backend, and count it. */
void exchange_lose_client(struct exchange *exchange);

/** Let go of the backend and what belongs to it, if there is one. */
void exchange_release(struct exchange *exchange);

/** Wait for a place no longer, if it does. */
void exchange_leave_queue(struct exchange *exchange);

/** Note how the present try ended. */
void exchange_note_try(struct exchange *exchange, bool served,
                       enum attempt ended);

/**
 * Understand what has come of its body.
 *
 * @return false: it is refused, see `refused_with` and `refused`
 */
bool exchange_take_body(struct exchange *exchange);

/**
 * Say what went wrong, with whom, and which limit has to do with it.
 *
 * @param backend NULL: none
 * @param now     the state in which it did
 */
void exchange_complain(const struct exchange *exchange,
                       const struct backend *backend, enum state now,
                       enum setting limit, const char *why);

/** What the operator has set. Borrowed. */
const struct settings *exchange_settings(const struct exchange *exchange);

/** Be ready for the next request; keep what came of that already. */
void exchange_next(struct exchange *exchange);

/** Do we know of bytes of the next request already? */
bool exchange_has_more(const struct exchange *exchange);

#endif

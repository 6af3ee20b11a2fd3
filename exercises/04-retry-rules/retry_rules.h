/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file retry_rules.h
 * @brief May a try that failed be followed by another one, and when?
 *
 * Three questions, and each has a part of its own here:
 *
 *  - Is it safe? method_is_idempotent() and retry_judge() decide from facts.
 *  - When? retry_backoff_ms() draws a time, retry_after_parse() reads what the
 *    backend asked for, and retry_wait() makes one number of the two.
 *  - Can we afford it? A budget limits how many retries there are at once, in
 *    all exchanges together: exchange_begin(), exchange_failed() and
 *    exchange_end() keep its counts.
 *
 * Nothing here touches a socket or a clock, and chance comes from the caller.
 * So every case can be tested, and happens twice in the same way.
 *
 * All times are in milliseconds. One thread uses a budget and its exchanges.
 */
#ifndef RETRY_RULES_H
#define RETRY_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How far a try came before it failed. Each includes those above it. */
enum try_phase {
    TRY_UNCONNECTED, /**< no connection came about */
    TRY_UNWRITTEN,   /**< a connection, but not one byte was written to it */
    TRY_WRITTEN,     /**< at least one byte was written; no complete head came
                          back */
    TRY_ANSWERED,    /**< we hold the head of a response, with its status */
};

/** What is known about a try that failed. */
struct failed_try {
    const char *method;   /**< borrowed; NOT ended by a zero byte */
    size_t method_length; /**< bytes of the method */
    enum try_phase phase; /**< how far it came */
    unsigned status;      /**< only if TRY_ANSWERED: the status, say 503 */
    unsigned tries;       /**< how many there were, this one included: 1.. */
    bool body_kept;       /**< all of the body (or none) could be sent again */
    bool passed_on;       /**< the client has a byte of some response */
};

/** May there be another try? If several reasons forbid it: the first of them
    in this list. */
enum retry_verdict {
    RETRY_ALLOWED,       /**< yes */
    RETRY_TOO_LATE,      /**< no: the client has a part of a response */
    RETRY_EXHAUSTED,     /**< no: as many tries as there may be */
    RETRY_ANSWER_STANDS, /**< no: a response that is to be passed on */
    RETRY_BODY_GONE,     /**< no: something was written, the body not kept */
    RETRY_UNSAFE,        /**< no: it may have been executed, and once is all */
    RETRY_BUDGET_SPENT,  /**< no: too many retries at the moment */
};

/** Numbers that somebody has configured. None of them changes later. */
struct retry_settings {
    unsigned tries_max;   /**< tries of one request, the first included */
    uint64_t base_ms;     /**< the first backoff is at most so long */
    uint64_t cap_ms;      /**< no backoff is longer */
    uint64_t wait_max_ms; /**< whoever has to wait longer is not retried */
};

/**
 * Does doing it twice mean the same as doing it once (RFC 9110, 9.2.2)?
 *
 * Methods are case-sensitive (RFC 9110, 9.1). One that we do not know may do
 * anything.
 */
bool method_is_idempotent(const char *method, size_t length);

/**
 * The rules, without the budget (so never RETRY_BUDGET_SPENT).
 *
 *  - As long as nothing was written, any method may be tried again: the backend
 *    cannot have done anything.
 *  - Something was written, no complete head came back: only idempotent
 *    methods, and only if the body was kept.
 *  - A response came: it stands, whatever the method, unless its status says
 *    that the backend could not do its work now: 502, 503, 504. Then it is as
 *    if nothing had come back.
 */
enum retry_verdict retry_judge(const struct failed_try *failed,
                               unsigned tries_max);

/**
 * How long to wait before the next try: exponential backoff with full jitter.
 *
 * The ceiling is base_ms after the first try and doubles with each further one,
 * up to cap_ms. The result is from 0 to the ceiling, BOTH INCLUDED, and each
 * is equally likely if all values of @p random are. (A bias of one in a billion
 * is nobody's trouble.) No settings and no number of tries lead to an overflow
 * or a division by zero.
 *
 * @param tries  how many there were: 1.. (taken for 1 if it is 0)
 * @param random any 64 bits, drawn anew by the caller each time
 */
uint64_t retry_backoff_ms(const struct retry_settings *settings, unsigned tries,
                          uint64_t random);

/**
 * Read the value of a field Retry-After that is a number of seconds
 * (RFC 9110, 10.2.3): digits, one at least, with blanks or tabs around them
 * or not, and nothing else.
 *
 * @param value   borrowed; NOT ended by a zero byte
 * @param wait_ms filled with milliseconds, UINT64_MAX if they are too many for
 *                64 bits; untouched if the result is false
 * @return false: it is something else, a date for instance
 */
bool retry_after_parse(const char *value, size_t length, uint64_t *wait_ms);

/**
 * One wait from both: what the backend asked for, and the backoff on top of it,
 * so that not all come back in the same millisecond.
 *
 * @param asked_ms what retry_after_parse() found, 0 if there was nothing
 * @param wait_ms  filled with the sum, but never more than wait_max_ms;
 *                 untouched if the result is false
 * @return false: asked_ms alone is more than wait_max_ms. Do not retry.
 */
bool retry_wait(const struct retry_settings *settings, unsigned tries,
                uint64_t random, uint64_t asked_ms, uint64_t *wait_ms);

/** How many exchanges may be retrying at once. Set percent and at_least, and
    zero the rest. */
struct retry_budget {
    unsigned percent;   /**< so many of a hundred in flight, rounded down ... */
    unsigned at_least;  /**< ... but always so many */
    unsigned in_flight; /**< exchanges that have begun and not ended */
    unsigned retrying;  /**< how many of them hold a token */
};

/** One request and its response, as far as the budget knows of it. Before
    exchange_begin() it may hold anything. */
struct exchange {
    struct retry_budget *budget; /**< borrowed: outlives the exchange */
    bool running;                /**< it is counted in `in_flight` */
    bool has_token;              /**< it is counted in `retrying` */
};

/** A request has come. From now on it is in flight. */
void exchange_begin(struct exchange *exchange, struct retry_budget *budget);

/**
 * A try has failed. If the rules allow another one, take a token for it.
 *
 * A token stands for one try: if the one that failed had been given a token, it
 * goes back FIRST, so that it can be taken again. When the verdict is no, the
 * exchange holds no token.
 *
 * @return RETRY_ALLOWED: try again, with a token. Else do not: the exchange
 *         is still in flight (we owe the client an answer) until it ends.
 */
enum retry_verdict exchange_failed(struct exchange *exchange,
                                   const struct failed_try *failed,
                                   const struct retry_settings *settings);

/**
 * It is over, however it ended: answered, refused, or the client has left.
 * Gives back all that it holds. To end it twice does nothing.
 */
void exchange_end(struct exchange *exchange);

#endif

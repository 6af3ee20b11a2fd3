/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file answer.h
 * @brief Answers of our own, such as 502.
 *
 * @floor{http}
 * @thread{any}
 */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include "base/text.h"

/** Where a client is sent on to: `https://HOST:PORT` and the path. */
struct answer_location {
    struct text host; /**< without a port */
    unsigned port;    /**< 443 is left out */
    struct text path; /**< from its `/` on, with the query */
};

/** What to answer. */
struct answer {
    unsigned status;        /**< such as 502 */
    const char *why;        /**< a sentence for the person who reads it */
    unsigned retry_after;   /**< seconds, for Retry-After; 0: none */
    struct text request_id; /**< for X-Request-Id, so that a person can name
                                 the request; may be empty */
    const struct answer_location *location; /**< borrowed; NULL: none */
    bool is_bare;                           /**< an answer to HEAD: no body */
    bool closes;                            /**< the connection ends after it */
};

/** So much room is enough, and that of the texts of a location. */
enum { ANSWER_BYTES_MAX = 1024 };

/** The words that RFC 9110, 15 gives this status, such as `Bad Gateway`. */
const char *status_words(unsigned status);

/**
 * Write an answer whole: head and, unless it is bare, a short text.
 *
 * @param out  where it goes
 * @param room bytes there; ANSWER_BYTES_MAX are enough
 * @return how many bytes were written
 */
size_t answer_print(const struct answer *answer, char *out, size_t room);

#endif

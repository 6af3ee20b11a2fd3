/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file fetch.h
 * @brief A well-mannered HTTP client: libcurl, with what a test wants to know.
 */
#ifndef SUPPORT_FETCH_H
#define SUPPORT_FETCH_H

#include <stdbool.h>
#include <stddef.h>

/** What came of one request. All zero where nothing came. */
struct answer {
    long status;      /**< such as 200; 0: no response */
    char backend[64]; /**< who says, in `X-Backend`, that it answered */
    char *body;       /**< owned; ended by a zero byte that does not count */
    size_t length;    /**< bytes of body */
    bool whole;       /**< it came to its proper end */
    double seconds;   /**< how long that took */
    char error[256];  /**< libcurl's words, when something was wrong */
};

/** One request. What is zero is left as usual. */
struct request {
    const char *method;        /**< GET, or POST when there is a body */
    const char *url;           /**< whole, with `http://` */
    const char *const *fields; /**< lines such as `X-A: 1`, ended by NULL */
    const char *body;          /**< borrowed */
    size_t body_length;        /**< bytes */
    bool is_chunked;           /**< send the body in chunks */
    long timeout_ms;           /**< 3,000 when 0; stretched */
    const char *from;          /**< the address to come from; NULL: any */
};

/** Do a request; answer_free() what comes of it. */
struct answer fetch(const struct request *request);

/** GET, nothing else. */
struct answer fetch_url(const char *url);

/** A set of requests that run at the same time. */
struct fetches;

/**
 * Begin a number of requests that are all alike.
 *
 * @param count how many
 * @return owned by the caller, who ends it with fetches_end()
 */
struct fetches *fetches_begin(const struct request *request, size_t count);

/**
 * Let them go on for at most @p ms (stretched), or until all have ended.
 *
 * @return whether all have
 */
bool fetches_run(struct fetches *fetches, long ms);

/** What came of one of them. Borrowed. */
const struct answer *fetches_answer(const struct fetches *fetches, size_t i);

/** How many of them were answered whole, with this status. */
size_t fetches_count(const struct fetches *fetches, long status);

/** Break off those that have not ended, and empty the pointer. */
void fetches_end(struct fetches **fetches);

/** Free what an answer holds. */
void answer_free(struct answer *answer);

#endif

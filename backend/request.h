/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file request.h
 * @brief The head of a request: bytes in, facts out.
 *
 * request_parse() is pure: it opens no socket and keeps nothing. It is strict,
 * so that a balancer which passes nonsense on is found out here.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A stretch of somebody else's bytes; not ended by a NUL. */
struct span {
    const char *at; /**< borrowed: the first byte */
    size_t length;  /**< how many */
};

/** What became of an attempt to read a head. */
enum request_result {
    REQUEST_NOT_YET, /**< so far so good: more bytes are needed */
    REQUEST_WHOLE,   /**< the head is there and makes sense */
    REQUEST_BAD,     /**< refuse it with request.status, and close */
};

/** What a head says. The spans point into the bytes that were parsed. */
struct request {
    struct span head;     /**< all of it, with its empty line */
    struct span method;   /**< as written */
    struct span path;     /**< the target up to its question mark */
    struct span query;    /**< what follows the question mark, or nothing */
    unsigned minor;       /**< 0 or 1, of HTTP/1.minor */
    unsigned hosts;       /**< how many Host lines came */
    bool keep;            /**< the connection may serve another request */
    bool close;           /**< the client asked for its end */
    bool chunked;         /**< the body comes in chunks */
    bool has_length;      /**< a Content-Length came */
    bool expect_continue; /**< the client waits for 100 before its body */
    bool upgrade;         /**< the client asks for another protocol */
    uint64_t length;      /**< the Content-Length, or 0 */
    int status;           /**< if bad: the status to refuse it with */
};

/**
 * Read the head at the start of @p length bytes.
 *
 * @param request filled in when the answer is REQUEST_WHOLE; its spans live as
 *                long as @p bytes stay where they are
 */
enum request_result request_parse(struct request *request, const char *bytes,
                                  size_t length);

/** Are these bytes this word? */
bool span_is(struct span span, const char *word);

/** Do these bytes begin with this word? */
bool span_begins(struct span span, const char *word);

/**
 * Read a whole number: digits and nothing else.
 *
 * @return false if it is none, or above @p max; @p number is then untouched
 */
bool span_number(struct span span, uint64_t max, uint64_t *number);

/**
 * Find the value of `name=value` in the query.
 *
 * @return false if the query does not have it
 */
bool request_query(const struct request *request, const char *name,
                   struct span *value);

#endif

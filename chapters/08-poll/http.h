/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file http.h
 * @brief The head of an HTTP/1.1 request: bytes in, facts out.
 *
 * A head is the request line, the field lines, and the empty line that ends
 * them. Nothing here touches a socket: the caller collects bytes, and asks
 * head_read() after each piece whether they make a whole head yet.
 *
 *  - head_read() reads a request's head, and refuses what is ambiguous;
 *  - forward_print() writes the head that we send to the backend;
 *  - answer_print() writes an answer of our own, such as 502.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Limits on a head; beyond them the client gets 431. */
enum {
    HEAD_BYTES_MAX = 16384, /**< from the first byte to the empty line */
    FIELDS_MAX = 100,       /**< field lines */
};

/** Room enough for what forward_print() makes out of any head. */
enum { FORWARD_BYTES_MAX = HEAD_BYTES_MAX + FIELDS_MAX + 64 };

/** A piece of bytes that stand somewhere else; no zero byte ends it. */
struct text {
    const char *at; /**< borrowed: the first byte */
    size_t length;  /**< bytes */
};

/** One field line, `name: value`. */
struct field {
    struct text name;  /**< as it was written; upper and lower case are alike */
    struct text value; /**< without the blanks around it */
};

/** What a request's head says. Its texts are views into the bytes read. */
struct head {
    struct text method;              /**< such as `GET` */
    struct text target;              /**< such as `/index.html?lang=en` */
    unsigned minor;                  /**< 0 for HTTP/1.0, 1 for HTTP/1.1 */
    struct field fields[FIELDS_MAX]; /**< in the order they came */
    size_t field_count;              /**< how many of them are set */
    size_t length;                   /**< bytes, with the empty line */
    uint64_t body_length;            /**< bytes of body that follow */
    bool has_body_length;            /**< a Content-Length line was there */
    bool expects_continue;           /**< the client waits for `100 Continue` */
    unsigned status;                 /**< what to answer to a refused head */
    const char *why;                 /**< and why, in words; a constant */
};

/** How reading a head ended. */
enum head_result {
    HEAD_DONE,    /**< the head is whole */
    HEAD_MORE,    /**< so far so good, but its end has not come */
    HEAD_REFUSED, /**< see `status` and `why` */
};

/**
 * Read a head out of the bytes that have come so far.
 *
 * Call it again with more bytes after #HEAD_MORE: the answer does not depend
 * on how the bytes were cut up. Bytes after the head are not looked at.
 *
 * @param head   where the facts go; borrows from @p bytes
 * @param length how many bytes have come
 */
enum head_result head_read(struct head *head, const char *bytes, size_t length);

/** Is this exactly that word? Methods are compared so. */
bool text_is(struct text text, const char *word);

/** Is this that name, in upper or lower case? Field names are compared so. */
bool name_is(struct text name, const char *word);

/**
 * Write the head that goes to the backend: the client's, without the fields
 * that are meant for one connection only (RFC 9110, 7.6.1), and with
 * `Connection: close`.
 *
 * @param out room for `FORWARD_BYTES_MAX` bytes
 * @return how many bytes were written
 */
size_t forward_print(const struct head *head, char *out);

/**
 * Write an answer of our own, whole, as a short text.
 *
 * @param head   the request it answers: an answer to HEAD has no body
 * @param status such as 502
 * @param why    a sentence for the person who reads it
 * @param out    where it goes
 * @param room   bytes there; 512 are enough
 * @return how many bytes were written
 */
size_t answer_print(const struct head *head, unsigned status, const char *why,
                    char *out, size_t room);

#endif

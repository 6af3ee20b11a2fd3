/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file strict_head.h
 * @brief Reads the head of a request, never guesses, never looks back.
 *
 *  - strict_head_new() makes a reader that waits for a head;
 *  - strict_head_read() reads what has come since it was last called;
 *  - strict_head_facts() tells what the head says, or why it was refused;
 *  - strict_head_free() ends it.
 *
 * What two programs could understand in two ways is refused (RFC 9112, 11.2).
 * Below, "RFC" with no number is RFC 9112.
 */
#ifndef STRICT_HEAD_H
#define STRICT_HEAD_H

#include <stddef.h>
#include <stdint.h>

/** Limits on a head. One more is refused. */
enum {
    TARGET_BYTES_MAX = 8192, /**< else 414 */
    HEAD_BYTES_MAX = 32768,  /**< from the first byte to the empty line: 431 */
    FIELDS_MAX = 100,        /**< field lines: 431 */
};

/** How often bytes may be looked at, on average: see strict_head_read(). */
enum {
    LOOKS_PER_BYTE = 8, /**< for each byte that has come */
    LOOKS_PER_CALL = 8, /**< and for each call */
};

/**
 * The bytes that have come so far. They lie somewhere in the caller's memory,
 * in a ring or a chain of blocks, and may move between two calls: the only way
 * to them is input_at().
 */
struct input;

/**
 * Look at a byte. This function is there already: you call it.
 *
 * @param at which: 0 for the first byte of the head; less than the length that
 *           strict_head_read() was told
 */
unsigned char input_at(const struct input *input, size_t at);

/** A piece of the bytes read. */
struct span {
    size_t at;     /**< where it begins; 0 is the first byte that came */
    size_t length; /**< bytes */
};

/** One field line, `name: value`. */
struct field {
    struct span name;  /**< as it was written */
    struct span value; /**< without the blanks and tabs around it */
};

/** Where the body ends (RFC, 6.3). */
enum framing {
    FRAMING_NONE,    /**< there is no body */
    FRAMING_LENGTH,  /**< after so many bytes */
    FRAMING_CHUNKED, /**< after the last chunk */
};

/** What a head says. */
struct head_facts {
    struct span method;              /**< such as `GET` */
    struct span target;              /**< such as `/index.html?lang=en` */
    unsigned minor;                  /**< 0 for HTTP/1.0, 1 for HTTP/1.1 */
    struct field fields[FIELDS_MAX]; /**< in the order they came */
    size_t field_count;              /**< how many of them are set */
    size_t length;                   /**< bytes of the head, empty line too */
    enum framing framing;            /**< how the body ends */
    uint64_t body_length;            /**< bytes of it, for #FRAMING_LENGTH */
    unsigned status;                 /**< refused: what to answer */
    const char *why;                 /**< refused: why; a constant */
};

/** How reading ended. */
enum head_result {
    HEAD_MORE,    /**< so far so good, but its end has not come */
    HEAD_DONE,    /**< the head is whole */
    HEAD_REFUSED, /**< see `status` and `why` */
};

/** A reader, for one head. */
struct strict_head;

/** Make a reader; the caller owns it. NULL when there is no memory. */
struct strict_head *strict_head_new(void);

/** End a reader, and empty the caller's pointer. An empty one is fine. */
void strict_head_free(struct strict_head **reader);

/**
 * Read on.
 *
 * After #HEAD_MORE, call it again with the same bytes and more behind them. The
 * last answer does not depend on how the bytes were cut. A fault may be told
 * as soon as it is certain or at the end of its line, but if there are several
 * in different lines, then the first line's counts, however long the rest is.
 * After #HEAD_DONE and #HEAD_REFUSED the answer stays the same.
 *
 * Reading may not begin anew with each call: at any time there have been at
 * most #LOOKS_PER_BYTE looks for each byte that has come, and #LOOKS_PER_CALL
 * for each call.
 *
 * Refused with 400, unless another status is named:
 *
 *  - *Lines.* A line ends in CR LF; no CR and no LF stands anywhere else (RFC,
 *    2.2). One empty line before the request line is passed over and counted
 *    in `length`; a second one is refused.
 *  - *Request line* (RFC, 3). Method, one blank, target, one blank, version. A
 *    method is a token (RFC 9110, 5.6.2). A target is printable ASCII, 0x21 to
 *    0x7e; it begins with `/`, or is `*` for the method OPTIONS, or begins with
 *    `http://` or `https://` (upper or lower case) and goes on. The version is
 *    `HTTP/`, digit, dot, digit. One that is not 1.0 or 1.1: 505.
 *  - *Field lines* (RFC, 5). A token, a colon at once, a value. In a value, no
 *    control bytes but tabs; bytes from 0x80 on are allowed. A line that begins
 *    with a blank or a tab is refused (RFC, 5.2).
 *  - *Host* (RFC, 3.2). Exactly one in HTTP/1.1, at most one in 1.0. Its value
 *    is a name of letters, digits, `-`, `.` and `_`, or hexadecimal digits,
 *    colons and dots between `[` and `]`; neither is empty. Then there may be a
 *    colon and a port of 1 to 5 digits, at most 65535.
 *  - *Content-Length* (RFC 9110, 8.6). At most one line of it. Digits only, at
 *    least one, zeros in front as many as one likes; the number fits 64 bits.
 *  - *Transfer-Encoding* (RFC, 6.1 and 6.3). Not in HTTP/1.0, not together with
 *    Content-Length. A list of codings between commas, with blanks and tabs
 *    around them or not; no item is empty. Several lines are one long list. The
 *    last coding is `chunked` (upper or lower case, no parameters), and none
 *    before it is. Any other coding before that one: 501.
 *  - *Limits*: see #TARGET_BYTES_MAX and its neighbours for their statuses.
 *
 * @param input  borrowed for this call; bytes after the head are left alone
 * @param length how many bytes have come since the beginning; it never shrinks
 */
enum head_result strict_head_read(struct strict_head *reader,
                                  const struct input *input, size_t length);

/**
 * What was read: borrowed, until the reader ends. After #HEAD_REFUSED only
 * `status` and `why` count; after #HEAD_MORE nothing does.
 */
const struct head_facts *strict_head_facts(const struct strict_head *reader);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file head.h
 * @brief The head of an HTTP/1.1 message: bytes in, facts out.
 *
 * A head is the request line or status line, the field lines, and the empty
 * line that ends them. Nothing here touches a socket: the caller collects
 * bytes, and asks head_read() after each piece whether they make a whole head.
 *
 *  - head_begin() says what kind of head comes, and within which limits;
 *  - head_read() reads it, and refuses what is ambiguous: what two programs
 *    could understand in two ways is how requests are smuggled (RFC 9112, 11.2);
 *  - head_find() finds a field.
 *
 * All the facts that routing and framing need are worked out once, here.
 *
 * @floor{http}
 * @thread{any; a head belongs to one}
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** So many field lines at most; a request with more gets 431. */
enum { FIELDS_MAX = 100 };

/* clang-format off */
/** The fields that we must know: their names are compared once, at reading. */
#define FIELD_NAMES(X)                          \
    X(HOST,              "Host")                \
    X(CONNECTION,        "Connection")          \
    X(KEEP_ALIVE,        "Keep-Alive")          \
    X(PROXY_CONNECTION,  "Proxy-Connection")    \
    X(TE,                "TE")                  \
    X(TRAILER,           "Trailer")             \
    X(UPGRADE,           "Upgrade")             \
    X(TRANSFER_ENCODING, "Transfer-Encoding")   \
    X(CONTENT_LENGTH,    "Content-Length")      \
    X(EXPECT,            "Expect")              \
    X(VIA,               "Via")                 \
    X(FORWARDED,         "Forwarded")           \
    X(X_FORWARDED_FOR,   "X-Forwarded-For")     \
    X(X_FORWARDED_PROTO, "X-Forwarded-Proto")   \
    X(X_FORWARDED_HOST,  "X-Forwarded-Host")    \
    X(X_REQUEST_ID,      "X-Request-Id")        \
    X(COOKIE,            "Cookie")              \
    X(SET_COOKIE,        "Set-Cookie")          \
    X(DATE,              "Date")                \
    X(X_STEELYARD_ATTEMPT, "X-Steelyard-Attempt") \
    X(X_STEELYARD_BACKEND, "X-Steelyard-Backend") \
    X(PROXY_AUTHENTICATE, "Proxy-Authenticate") \
    X(PROXY_AUTHORIZATION, "Proxy-Authorization")

/** The methods of RFC 9110, 9 and RFC 5789; others are passed on as they are. */
#define METHODS(X)  \
    X(GET) X(HEAD) X(POST) X(PUT) X(DELETE) X(CONNECT) X(OPTIONS) X(TRACE) \
    X(PATCH)
/* clang-format on */

/** Which field this is. */
enum field_id {
    FIELD_OTHER,
#define X(id, name) FIELD_##id,
    FIELD_NAMES(X)
#undef X
        FIELD_ID_COUNT
};

/** Which method this is. */
enum method {
    METHOD_OTHER,
#define X(name) METHOD_##name,
    METHODS(X)
#undef X
};

/** One field line, `name: value`. */
struct field {
    struct text name;  /**< as it was written; upper and lower case are alike */
    struct text value; /**< without the blanks around it */
    enum field_id id;  /**< which one it is, if it is one that we know */
};

/** How the end of a body is found (RFC 9112, 6.3). */
enum framing {
    FRAMING_NONE,    /**< there is no body, or one of no bytes */
    FRAMING_LENGTH,  /**< so many bytes */
    FRAMING_CHUNKED, /**< chunks, until one of size 0 */
    FRAMING_CLOSE,   /**< responses only: all that comes */
};

/** What is being read. */
enum head_kind {
    HEAD_REQUEST,          /**< from a client */
    HEAD_RESPONSE,         /**< from a backend */
    HEAD_RESPONSE_TO_HEAD, /**< likewise; it has no body whatever it says */
};

/** How large a head may be. */
struct head_limits {
    size_t head_bytes;   /**< from the first byte to the empty line */
    size_t target_bytes; /**< of a request's target */
};

/** What a head says. Its texts are views into the bytes read. */
struct head {
    enum head_kind kind;       /**< what it is */
    struct head_limits limits; /**< within which */
    size_t scanned;            /**< bytes that need not be looked at again */
    size_t begin;              /**< where the first line begins */
    size_t start_line;         /**< bytes of it; 0: its end has not come */

    struct text method;    /**< requests: such as `GET` */
    enum method method_id; /**< the same as a number */
    struct text target;    /**< requests: as it was sent */
    struct text path;      /**< the target from its `/` on, with the query;
                                `*` for `OPTIONS *`; CONNECT: the target */
    struct text authority; /**< absolute-form, CONNECT: host and port as in the
                                target; else the value of Host, if any */
    bool is_absolute;      /**< the target is a whole URL */

    unsigned status;    /**< responses: such as 200. Refused: what to answer */
    struct text reason; /**< responses: words after the status, may be empty */

    unsigned minor;     /**< 0 for HTTP/1.0, 1 for HTTP/1.1 */
    uint64_t seen;      /**< bit `id` is set if such a field came */
    size_t length;      /**< bytes, with the empty line */
    size_t field_count; /**< how many of `fields` are set */

    enum framing framing;     /**< how the body ends */
    uint64_t body_length;     /**< bytes of it, for #FRAMING_LENGTH; else what
                                   Content-Length says, or 0 */
    bool keeps_alive;         /**< this side wants the connection to go on */
    bool expects_continue;    /**< the client waits for `100 Continue` */
    bool wants_upgrade;       /**< `Connection: upgrade` and an Upgrade field,
                                   which does not name h2c (RFC 9113, 3.1) */
    bool takes_trailers;      /**< requests: `TE: trailers` */
    bool names_fields;        /**< Connection names fields of this message */
    unsigned keep_alive_secs; /**< responses: `Keep-Alive: timeout=N`; else 0 */

    const char *why; /**< refused: why, in words; a constant. The method and
                          the target are set if they could be told */
    struct field fields[FIELDS_MAX]; /**< in the order they came */
};

/** How reading a head ended. */
enum head_result {
    HEAD_DONE,    /**< the head is whole */
    HEAD_MORE,    /**< so far so good, but its end has not come */
    HEAD_REFUSED, /**< see `status` and `why` */
};

/** Expect a head of that kind; @p head is made ready for head_read(). */
void head_begin(struct head *head, enum head_kind kind,
                const struct head_limits *limits);

/**
 * Read a head out of the bytes that have come so far.
 *
 * Call it again with the same bytes and more after #HEAD_MORE (they may have
 * moved): the answer does not depend on how the bytes were cut up, and bytes
 * that were looked at are not looked at again. Bytes after the head are left
 * alone. Empty lines before a request line are passed over (RFC 9112, 2.2) and
 * count as part of the head.
 *
 * Refused requests tell the status to answer: 400, 414 (target too long), 431
 * (head too large, too many fields), 501 (CONNECT, a transfer coding we do not
 * know), 505. Refused responses tell 502.
 *
 * @param bytes  borrowed; the texts of a head that is done stand in here
 * @param length how many bytes have come
 */
enum head_result head_read(struct head *head, const char *bytes, size_t length);

/** The first field of that kind, or NULL. */
const struct field *head_find(const struct head *head, enum field_id id);

/**
 * Is this field meant for this one connection only (RFC 9110, 7.6.1): one of
 * the known ones, or named by a Connection field? Host and Content-Length never
 * are: whoever could have these removed could smuggle.
 */
bool head_is_hop_by_hop(const struct head *head, const struct field *field);

/** Which field has this name? */
enum field_id field_identify(struct text name);

/**
 * Take a line without its CR LF apart into name, value and which field it is
 * (RFC 9112, 5). Trailers are such lines too. That no control bytes are in the
 * line has been seen to before.
 *
 * @return false when it is not `name: value`
 */
bool field_read(struct field *field, struct text line);

/** Does repeating this method do no harm (RFC 9110, 9.2.2)? */
bool method_is_idempotent(enum method method);

#endif

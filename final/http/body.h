/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file body.h
 * @brief Where a body ends: raw bytes in, content out.
 *
 * What follows a head is cut into the content of the body and its framing. The
 * content is then framed again by us, so that nobody behind us reads a framing
 * that we have not understood ourselves.
 *
 *  - body_begin() starts from a head's facts;
 *  - body_read() takes raw bytes, in any pieces, and leaves only content;
 *  - chunk_print() frames content again.
 *
 * @floor{http}
 * @thread{any; a body belongs to one}
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include "http/head.h"

/** Limits on what chunks carry besides content. */
enum {
    CHUNK_LINE_MAX = 256, /**< a size line, with its extensions */
    TRAILERS_MAX = 8192,  /**< bytes of the whole trailer section */
};

/** How reading a body ended, for now. */
enum body_result {
    BODY_MORE,    /**< all that was given was used; more has to come */
    BODY_DONE,    /**< the body is whole; bytes left over belong to the next */
    BODY_REFUSED, /**< see `why` */
};

/** How far the reading of a body has come. */
struct body {
    enum framing framing; /**< how it ends */
    uint64_t left;        /**< bytes of content until its end, or until the
                                 end of the chunk; unused for FRAMING_CLOSE */
    int step;             /**< where in a chunk we are; private */
    size_t line;          /**< bytes of this size line or trailers; private */
    struct text trailers; /**< chunked and done: field lines, each with its
                                 CRLF, without the empty line; a view into the
                                 raw bytes of the call that returned BODY_DONE */
    const char *why;      /**< refused: why, in words; a constant */
};

/** Begin with the body that follows this head. */
void body_begin(struct body *body, const struct head *head);

/** Begin with all that comes until the connection ends: a tunnel. */
void body_begin_endless(struct body *body);

/** Has all of it been read (at once, when there is none)? */
bool body_is_done(const struct body *body);

/**
 * Read on. Content is moved together at the beginning of @p bytes, where the
 * framing between it is lost:
 *
 *     before:  5 CR LF h e l l o CR LF 3 CR LF a b c CR LF ...
 *     after:   h e l l o a b c         (made 8, used 18)
 *
 * The answer does not depend on how the bytes were cut up. The trailer section
 * is used only when all of it is there: until then body_read() may leave up to
 * #TRAILERS_MAX bytes unused, and wants them again, with more behind them.
 *
 * @param bytes  raw bytes; changed
 * @param length how many
 * @param used   how many of them belonged to this body and have been read
 * @param made   how many bytes of content stand at the beginning of @p bytes now
 */
enum body_result body_read(struct body *body, char *bytes, size_t length,
                           size_t *used, size_t *made);

/** So many bytes of a body that is not in chunks went past us, unread. */
void body_pass(struct body *body, uint64_t length);

/**
 * The connection ended: is the body whole? It is when its end has been seen, or
 * when it was #FRAMING_CLOSE (which is done from now on).
 */
bool body_end(struct body *body);

/** Room that chunk_print() needs. */
enum { CHUNK_PRINT_MAX = 20 };

/**
 * Write the size line that stands before a chunk of content. After the content
 * comes CR LF.
 *
 * @param out room for CHUNK_PRINT_MAX bytes
 * @return how many bytes were written
 */
size_t chunk_print(size_t length, char *out);

/**
 * Write the last chunk, with those trailer fields that may pass: a name for
 * framing, routing, or the connection does not (RFC 9110, 6.5.1).
 *
 * @param trailers as body_read() gave them; an empty text for none
 * @param out      where it goes
 * @param room     bytes there: those of the trailers and 5 are enough
 * @return how many bytes were written
 */
size_t chunk_print_last(struct text trailers, char *out, size_t room);

#endif

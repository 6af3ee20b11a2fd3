/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file chunked.h
 * @brief A body in chunks: framed bytes in, content out (RFC 9112, 7.1).
 *
 * Who does not know how long a body will be sends it in chunks: the size of
 * the chunk in hexadecimal, the chunk, and so on until a chunk of size 0.
 *
 *     5 CR LF h e l l o CR LF 3 CR LF a b c CR LF 0 CR LF CR LF
 *
 *  - chunked_new() makes a decoder that waits for the first byte of a body;
 *  - chunked_read() takes the next piece of it, and gives back content;
 *  - chunked_why() says in words what was wrong;
 *  - chunked_free() ends it.
 *
 * One decoder reads one body. Pieces come as the network cuts them: one byte,
 * half a line, three chunks and the beginning of the next request. What comes
 * out does not depend on how they were cut. The decoder keeps no content, so
 * it is as small after a gigabyte as at the beginning.
 *
 * Whatever is not exactly a chunked body is refused. If we read it in one way
 * and the backend in another, then part of it is a request to the backend that
 * nobody has checked.
 */
#ifndef CHUNKED_H
#define CHUNKED_H

#include <stddef.h>

/** Limits on what is no content. One byte more is refused. */
enum {
    SIZE_DIGITS_MAX = 16, /**< digits of one size, zeros in front as well */
    EXTENSION_BYTES_MAX = 512, /**< of all size lines of a body together: what
                                    stands between the digits and the CR */
    TRAILER_BYTES_MAX = 2048,  /**< of all field lines after the last chunk,
                                   with the CR LF of each */
};

/** How reading a piece ended. */
enum chunked_result {
    CHUNKED_MORE,    /**< so far so good; the end of the body has not come */
    CHUNKED_DONE,    /**< the body is whole */
    CHUNKED_REFUSED, /**< this is no chunked body; see chunked_why() */
};

/** A decoder, for one body. */
struct chunked;

/** Make a decoder; the caller owns it. NULL when there is no memory. */
struct chunked *chunked_new(void);

/** End a decoder, and empty the caller's pointer. An empty one is fine. */
void chunked_free(struct chunked **decoder);

/**
 * Read on.
 *
 * A size line is 1 to #SIZE_DIGITS_MAX hexadecimal digits, upper or lower
 * case, and CR LF. Before the CR there may be extensions (7.1.1): blanks
 * (spaces or tabs) or none, `;`, and then any bytes but control bytes (a tab is
 * allowed). They mean nothing to us and are passed over. But a `"` opens a
 * quoted string, and the next `"` closes it, unless a backslash stands before
 * it; a backslash in a quoted string always takes the next byte with it. A line
 * that ends inside a quoted string is refused, and so are blanks after the
 * digits with no `;`.
 *
 * The chunk is followed by CR LF. A chunk of size 0 has no bytes and no CR LF
 * of its own: after its size line come the trailers (7.1.2), field lines like
 * those of a head, none or several, and then an empty line, which is the end.
 * A trailer is a name (a token, RFC 9110, 5.6.2), a colon, and a value without
 * control bytes other than tabs. Trailers are checked and passed over, but some
 * names, in upper or lower case, are refused at their colon: Content-Length,
 * Transfer-Encoding, Host, Connection, Trailer, and Authorization (RFC 9110,
 * 6.5.1).
 *
 * A byte that cannot be right is refused when it comes, not later. After
 * #CHUNKED_DONE or #CHUNKED_REFUSED the answer stays the same, and nothing
 * more is used or made.
 *
 * @param in     borrowed: the bytes that come next; not changed
 * @param length how many; 0 is allowed
 * @param out    where content goes: room for @p length bytes; not @p in
 * @param used   set: how many bytes of @p in belong to the body. Those after
 *               its end do not, nor do a refused byte and those after it
 * @param made   set: how many bytes of content were written to @p out
 */
enum chunked_result chunked_read(struct chunked *decoder, const char *in,
                                 size_t length, char *out, size_t *used,
                                 size_t *made);

/** What was wrong, in words; a constant. NULL unless it was refused. */
const char *chunked_why(const struct chunked *decoder);

#endif

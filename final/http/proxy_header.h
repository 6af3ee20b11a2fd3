/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file proxy_header.h
 * @brief The PROXY header: who the client is, told by a proxy that passes on
 * bytes, before the first of them.
 *
 * Whoever is spoken to by a proxy sees the proxy's address. A proxy that speaks
 * HTTP adds X-Forwarded-For; one that only passes on bytes cannot, and under
 * TLS nobody can. So it says it first, in a header of its own (the PROXY
 * protocol, proxy-protocol.txt of HAProxy): a line in version 1, a block of
 * bytes in version 2.
 *
 *  - proxy_header_begin(), then proxy_header_read() with what has come, however
 *    it was cut, until it is whole: both versions are known by how they begin;
 *  - proxy_header_print() writes one.
 *
 * Addresses are bytes here, as this floor knows no sockets: net/address.h has
 * what makes them addresses.
 *
 * @floor{http}
 * @thread{any}
 */
#ifndef HTTP_PROXY_HEADER_H
#define HTTP_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>

enum {
    PROXY_LINE_MAX = 107,   /**< version 1 has no more bytes (2.1) */
    PROXY_BLOCK_MAX = 4096, /**< version 2, by our decision: 65551 could be */
    PROXY_KEPT_MAX = 107,   /**< of either, so many are looked at twice */
};

/** Both ends of a connection: addresses as IPv6, IPv4 mapped (RFC 4291,
 * 2.5.5.2). */
struct proxy_ends {
    unsigned char from[16]; /**< the client's address */
    unsigned char to[16];   /**< where it has connected to */
    unsigned from_port;     /**< 0 to 65535 */
    unsigned to_port;       /**< likewise */
};

/** How reading went. */
enum proxy_header_result {
    PROXY_HEADER_MORE,    /**< it goes on */
    PROXY_HEADER_DONE,    /**< it is whole */
    PROXY_HEADER_REFUSED, /**< it is none; see `why` */
};

/** A header as far as it has been read. */
struct proxy_header {
    bool is_told;           /**< whole: `ends` were told; else (UNKNOWN, LOCAL)
                                 they are those of the connection itself */
    struct proxy_ends ends; /**< whose bytes will come */
    const char *why;        /**< refused: why. A constant */
    size_t length;          /**< bytes of it so far */
    size_t whole;           /**< how many it has; 0: not known yet */
    unsigned char kept[PROXY_KEPT_MAX]; /**< the first of them */
};

/** Nothing has come. */
void proxy_header_begin(struct proxy_header *header);

/**
 * Read on. How the bytes were cut up does not matter, and none is read that
 * stands behind the header.
 *
 * @param used how many of these bytes belong to it
 */
enum proxy_header_result proxy_header_read(struct proxy_header *header,
                                           const char *bytes, size_t length,
                                           size_t *used);

/**
 * Write one.
 *
 * @param version 1 or 2
 * @param ends    NULL: not known
 * @param out     has room for PROXY_LINE_MAX bytes; no zero byte ends it
 * @return its length
 */
size_t proxy_header_print(unsigned version, const struct proxy_ends *ends,
                          char *out);

#endif

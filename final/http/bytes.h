/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file bytes.h
 * @brief Which bytes may stand where in a head.
 *
 * @floor{http}
 * @thread{any}
 */
#ifndef HTTP_BYTES_H
#define HTTP_BYTES_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

/** What a byte may be part of. */
enum {
    BYTE_CONTROL = 1, /**< no head may have it, but for CR LF (RFC 9110, 5.5) */
    BYTE_TOKEN = 2,   /**< names are made of these (RFC 9110, 5.6.2) */
    BYTE_HOST = 4,    /**< and host names of these (RFC 3986, 3.2.2) */
    BYTE_HEX = 8,     /**< hexadecimal digits */
};

/** For each byte, the sum of what it may be part of. */
extern const unsigned char byte_kinds[256];

/** May this byte be part of that? */
static inline bool byte_is(char byte, unsigned kind)
{
    return (byte_kinds[(unsigned char)byte] & kind) != 0;
}

/** Is it made of such bytes only, and at least one? */
bool text_is_of(struct text text, unsigned kind);

/** Where from @p at on the next control byte stands; @p stop if none does. */
size_t control_find(const char *bytes, size_t at, size_t stop);

/** A name in DNS has 253 bytes at most; what says who asked holds it twice. */
enum { AUTHORITY_MAX = 300 };

/** `host` or `host:port`, never empty, no user before it (RFC 9110, 4.2), and
 * of no more than #AUTHORITY_MAX bytes? */
bool authority_is_valid(struct text text);

#endif

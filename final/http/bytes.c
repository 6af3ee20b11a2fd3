/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * One table says of each byte what it may be part of. Most bytes of a head are
 * looked at for one question only, whether they are control bytes; that is
 * asked of eight bytes at a time.
 */
#include "http/bytes.h"

#include <string.h>

/* clang-format off */
#define O 0
#define C BYTE_CONTROL
#define T BYTE_TOKEN
#define H BYTE_HOST
#define B (BYTE_TOKEN | BYTE_HOST)
#define X (BYTE_TOKEN | BYTE_HOST | BYTE_HEX)

const unsigned char byte_kinds[256] = {
    C, C, C, C, C, C, C, C, C, O, C, C, C, C, C, C, /* 0x00 */
    C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, C, /* 0x10 */
    O, B, O, T, B, B, B, B, H, H, B, B, H, B, B, O, /* 0x20 */
    X, X, X, X, X, X, X, X, X, X, O, H, O, H, O, O, /* 0x30 */
    O, X, X, X, X, X, X, B, B, B, B, B, B, B, B, B, /* 0x40 */
    B, B, B, B, B, B, B, B, B, B, B, O, O, O, T, B, /* 0x50 */
    T, X, X, X, X, X, X, B, B, B, B, B, B, B, B, B, /* 0x60 */
    B, B, B, B, B, B, B, B, B, B, B, O, T, O, B, C, /* 0x70 */
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* 0x80 */
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* 0x90 */
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* 0xa0 */
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* 0xb0 */
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* 0xc0 */
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* 0xd0 */
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* 0xe0 */
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, /* 0xf0 */
};

#undef O
#undef C
#undef T
#undef H
#undef B
#undef X
/* clang-format on */

/** Is a byte under 32, or 127, among these eight? All are tried at once. */
static bool has_control(uint64_t word)
{
    static const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t under_32 = (word - each * 0x20) & ~word;
    uint64_t zero_if_127 = word ^ (each * 0x7f);
    uint64_t is_127 = (zero_if_127 - each) & ~zero_if_127;

    return ((under_32 | is_127) & (each * 0x80)) != 0;
}

size_t control_find(const char *bytes, size_t at, size_t stop)
{
    uint64_t word;

    for (; stop - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, bytes + at, sizeof(word));
        if (has_control(word))
            break;
    }
    while (at < stop && !byte_is(bytes[at], BYTE_CONTROL))
        at++;
    return at;
}

bool text_is_of(struct text text, unsigned kind)
{
    for (size_t i = 0; i < text.length; i++)
        if (!byte_is(text.at[i], kind))
            return false;
    return text.length > 0;
}

/** `[2001:db8::1]`: what stands between the brackets (RFC 3986, 3.2.2). */
static bool is_ip_literal(struct text text)
{
    bool has_colon = false;

    for (size_t i = 0; i < text.length; i++) {
        has_colon = has_colon || text.at[i] == ':';
        if (text.at[i] != ':' && text.at[i] != '.' &&
            !byte_is(text.at[i], BYTE_HEX))
            return false;
    }
    return has_colon;
}

/** A name or an IPv4 address; `%` only before two digits (RFC 3986, 3.2.2). */
static bool is_host_name(struct text text)
{
    const char *at = text.at;
    size_t left = text.length;

    if (!text_is_of(text, BYTE_HOST))
        return false;
    while ((at = memchr(at, '%', left)) != NULL) {
        left = text.length - (size_t)(at - text.at);
        if (left < 3 || !byte_is(at[1], BYTE_HEX) || !byte_is(at[2], BYTE_HEX))
            return false;
        at += 3;
        left -= 3;
    }
    return true;
}

bool authority_is_valid(struct text text)
{
    struct text host = text;
    struct text inside;
    uint64_t port;

    if (text.length > AUTHORITY_MAX)
        return false;
    if (text.length > 0 && *text.at == '[') {
        host.at++;
        host.length--;
        text = host;
        if (!text_cut(&text, ']', &inside) || !is_ip_literal(inside))
            return false;
        if (text.length == 0)
            return true;
        if (*text.at != ':')
            return false;
        text.at++;
        text.length--;
    } else {
        if (!text_cut(&text, ':', &host))
            return is_host_name(text);
        if (!is_host_name(host))
            return false;
    }
    return text.length == 0 ||
           (text.length <= 5 && text_number(text, &port) && port <= 65535);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Numbers in brackets are sections of proxy-protocol.txt.
 *
 * The bytes are taken one by one, so no cut can matter. The first ones tell the
 * version, and the first wrong one ends it: whoever speaks something else, HTTP
 * say, is not waited for. Then
 *
 *     version 1   PROXY TCP4 192.0.2.7 192.0.2.1 50000 443 CR LF
 *                 is looked at when its line feed has come
 *
 *     version 2   signature   version  family and  length  addresses    more,
 *                 12 bytes    command  transport   2       12, 36, 216  skipped
 *                 has each byte looked at when it comes, and the addresses when
 *                 all of it has
 *
 * Nobody needs more of a header than its first bytes, so no more are kept.
 */
#include "http/proxy_header.h"

#include "base/must.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
    WORD = 6,       /* "PROXY " */
    SIGNATURE = 12, /* as long as that of version 2 */
    FIXED = 16,     /* the part of version 2 that is always there */
    COMMAND = 12,   /* where its bytes stand */
    FAMILY = 13,
    LENGTH = 14,
};

static const unsigned char signature[SIGNATURE + 1] =
    "\r\n\r\n\0\r\nQUIT\n"; /* 2.2 */

/** Before the addresses of IPv4 (RFC 4291, 2.5.5.2). */
static const unsigned char mapped[12] = {0, 0, 0, 0, 0,    0,
                                         0, 0, 0, 0, 0xff, 0xff};

void proxy_header_begin(struct proxy_header *header)
{
    *header = (struct proxy_header){.is_told = false};
}

static enum proxy_header_result refuse(struct proxy_header *header,
                                       const char *why)
{
    header->why = why;
    return PROXY_HEADER_REFUSED;
}

/* --- version 1: a line ----------------------------------------------------- */

/** An address of this family, as 16 bytes. IPv6 with IPv4 at its end is one,
 * too: many a sender writes what inet_ntop() gives it. */
static bool read_address(struct text text, int family, unsigned char *out)
{
    char word[INET6_ADDRSTRLEN];

    if (text.length >= sizeof(word) ||
        memchr(text.at, '\0', text.length) != NULL)
        return false;
    memcpy(word, text.at, text.length);
    word[text.length] = '\0';
    if (family == AF_INET) {
        memcpy(out, mapped, sizeof(mapped));
        out += sizeof(mapped);
    }
    return inet_pton(family, word, out) == 1;
}

static bool read_port(struct text text, unsigned *port)
{
    uint64_t number;

    if (!text_number(text, &number) || number > 65535 ||
        (text.at[0] == '0' && text.length > 1))
        return false;
    *port = (unsigned)number;
    return true;
}

/** What stands behind TCP4 or TCP6. */
static enum proxy_header_result read_ends(struct proxy_header *header,
                                          struct text rest, int family)
{
    struct text from, to, port;
    struct proxy_ends *ends = &header->ends;

    if (!text_cut(&rest, ' ', &from) || !text_cut(&rest, ' ', &to) ||
        !text_cut(&rest, ' ', &port))
        return refuse(header, "the PROXY header wants two addresses and two "
                              "ports");
    if (!read_address(from, family, ends->from) ||
        !read_address(to, family, ends->to))
        return refuse(header, "an address in the PROXY header is none of its "
                              "family");
    if (!read_port(port, &ends->from_port) || !read_port(rest, &ends->to_port))
        return refuse(header, "a port in the PROXY header is none");
    header->is_told = true;
    return PROXY_HEADER_DONE;
}

/** The line has come. */
static enum proxy_header_result read_line(struct proxy_header *header)
{
    struct text rest = {(const char *)header->kept + WORD,
                        header->length - WORD - 2};
    struct text family = rest;
    bool has_more = text_cut(&rest, ' ', &family);

    if (text_is(family, "UNKNOWN")) /* whatever stands behind it */
        return PROXY_HEADER_DONE;
    if (has_more && text_is(family, "TCP4"))
        return read_ends(header, rest, AF_INET);
    if (has_more && text_is(family, "TCP6"))
        return read_ends(header, rest, AF_INET6);
    return refuse(header, "the PROXY header is neither of TCP4 nor of TCP6 nor "
                          "UNKNOWN");
}

/** One more byte of it. */
static enum proxy_header_result take_line(struct proxy_header *header,
                                          unsigned char byte)
{
    bool was_return = header->kept[header->length - 2] == '\r';

    if (was_return != (byte == '\n'))
        return refuse(header, "the line of the PROXY header does not end with "
                              "CR LF");
    if (byte == '\n')
        return read_line(header);
    if (header->length == PROXY_LINE_MAX)
        return refuse(header, "the line of the PROXY header is longer than 107 "
                              "bytes");
    return PROXY_HEADER_MORE;
}

/* --- version 2: a block ---------------------------------------------------- */

static bool is_local(const struct proxy_header *header)
{
    return (header->kept[COMMAND] & 15) == 0;
}

static unsigned read_16(const unsigned char *bytes)
{
    return (unsigned)bytes[0] << 8 | bytes[1];
}

/** How long the addresses are, by the family; 0: there are none to be read. */
static size_t ends_length(const struct proxy_header *header)
{
    unsigned family = header->kept[FAMILY] >> 4;

    if (is_local(header) || (header->kept[FAMILY] & 15) == 0)
        return 0;
    return family == 1 ? 12 : family == 2 ? 36 : family == 3 ? 216 : 0;
}

/** All of it has come. Of what has no addresses of TCP, the connection's own
 * are taken (2.2). */
static enum proxy_header_result read_block(struct proxy_header *header)
{
    struct proxy_ends *ends = &header->ends;
    const unsigned char *at = header->kept + FIXED;
    bool is_v4 = header->kept[FAMILY] == 0x11;
    size_t each = is_v4 ? 4 : 16;

    if (is_local(header) || (!is_v4 && header->kept[FAMILY] != 0x21))
        return PROXY_HEADER_DONE;
    if (is_v4) {
        memcpy(ends->from, mapped, sizeof(mapped));
        memcpy(ends->to, mapped, sizeof(mapped));
    }
    memcpy(ends->from + 16 - each, at, each);
    memcpy(ends->to + 16 - each, at + each, each);
    ends->from_port = read_16(at + 2 * each);
    ends->to_port = read_16(at + 2 * each + 2);
    header->is_told = true;
    return PROXY_HEADER_DONE;
}

/** Its length has come: can it be? */
static enum proxy_header_result take_length(struct proxy_header *header)
{
    size_t rest = read_16(header->kept + LENGTH);

    header->whole = FIXED + rest;
    if (header->whole > PROXY_BLOCK_MAX)
        return refuse(header, "the PROXY header is longer than 4096 bytes");
    if (rest < ends_length(header))
        return refuse(header,
                      "the PROXY header is too short for its addresses");
    return rest == 0 ? read_block(header) : PROXY_HEADER_MORE;
}

/** One more byte behind the signature. */
static enum proxy_header_result take_block(struct proxy_header *header,
                                           unsigned char byte)
{
    switch (header->length - 1) {
    case COMMAND:
        if (byte >> 4 != 2)
            return refuse(header, "the PROXY header is of no known version");
        if ((byte & 15) > 1)
            return refuse(header, "the PROXY header has no known command");
        return PROXY_HEADER_MORE;
    case FAMILY:
        if (!is_local(header) && (byte >> 4 > 3 || (byte & 15) > 2))
            return refuse(header, "the PROXY header is of no known family");
        return PROXY_HEADER_MORE;
    case LENGTH: return PROXY_HEADER_MORE;
    case LENGTH + 1: return take_length(header);
    default: break;
    }
    return header->length == header->whole ? read_block(header)
                                           : PROXY_HEADER_MORE;
}

/* --- both ------------------------------------------------------------------ */

static enum proxy_header_result take(struct proxy_header *header,
                                     unsigned char byte)
{
    size_t at = header->length++;
    bool is_line;

    if (at < PROXY_KEPT_MAX)
        header->kept[at] = byte;
    is_line = header->kept[0] == 'P';
    if (at < (is_line ? (size_t)WORD : (size_t)SIGNATURE))
        return byte == (is_line ? (unsigned char)"PROXY "[at] : signature[at])
                   ? PROXY_HEADER_MORE
                   : refuse(header, "it does not begin with a PROXY header");
    return is_line ? take_line(header, byte) : take_block(header, byte);
}

enum proxy_header_result proxy_header_read(struct proxy_header *header,
                                           const char *bytes, size_t length,
                                           size_t *used)
{
    enum proxy_header_result result = PROXY_HEADER_MORE;

    *used = 0;
    while (result == PROXY_HEADER_MORE && *used < length)
        result = take(header, (unsigned char)bytes[(*used)++]);
    return result;
}

/* --- written --------------------------------------------------------------- */

static bool is_v4(const struct proxy_ends *ends)
{
    return memcmp(ends->from, mapped, sizeof(mapped)) == 0 &&
           memcmp(ends->to, mapped, sizeof(mapped)) == 0;
}

static size_t print_line(const struct proxy_ends *ends, char *out)
{
    char line[PROXY_LINE_MAX + 1], from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
    int family = is_v4(ends) ? AF_INET : AF_INET6;
    size_t skipped = family == AF_INET ? sizeof(mapped) : 0;
    int length;

    inet_ntop(family, ends->from + skipped, from, sizeof(from));
    inet_ntop(family, ends->to + skipped, to, sizeof(to));
    length = snprintf(line, sizeof(line), "PROXY TCP%c %s %s %u %u\r\n",
                      family == AF_INET ? '4' : '6', from, to, ends->from_port,
                      ends->to_port);
    must(length > 0 && length <= PROXY_LINE_MAX);
    memcpy(out, line, (size_t)length);
    return (size_t)length;
}

static void print_16(unsigned number, unsigned char *out)
{
    out[0] = (unsigned char)(number >> 8);
    out[1] = (unsigned char)number;
}

static size_t print_block(const struct proxy_ends *ends, unsigned char *out)
{
    size_t skipped = is_v4(ends) ? sizeof(mapped) : 0;
    size_t each = 16 - skipped;

    out[FAMILY] = skipped > 0 ? 0x11 : 0x21;
    print_16((unsigned)(2 * each + 4), out + LENGTH);
    out += FIXED;
    memcpy(out, ends->from + skipped, each);
    memcpy(out + each, ends->to + skipped, each);
    print_16(ends->from_port, out + 2 * each);
    print_16(ends->to_port, out + 2 * each + 2);
    return FIXED + 2 * each + 4;
}

size_t proxy_header_print(unsigned version, const struct proxy_ends *ends,
                          char *out)
{
    static const char unknown[] = "PROXY UNKNOWN\r\n";
    unsigned char *block = (unsigned char *)out;

    must(version == 1 || version == 2);
    if (version == 1 && ends != NULL)
        return print_line(ends, out);
    if (version == 1) {
        memcpy(out, unknown, sizeof(unknown) - 1);
        return sizeof(unknown) - 1;
    }
    memset(block, 0, FIXED);
    memcpy(block, signature, SIGNATURE);
    block[COMMAND] = 0x21;
    return ends == NULL ? FIXED : print_block(ends, block);
}

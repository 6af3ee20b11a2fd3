/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * PROXY headers, read and written. What is read stands in memory of exactly its
 * size, and each header is read in pieces of every size.
 */
#include "http/proxy_header.h"
#include "unit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

/** A string that may have zero bytes in it, and its length. */
#define BYTES(string) string, sizeof(string) - 1
#define COUNT(list)   (int)(sizeof(list) / sizeof((list)[0]))

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define V4        "\xc0\x00\x02\x07\xc0\x00\x02\x01\xc3\x50\x01\xbb"
#define ZERO_10   "\0\0\0\0\0\0\0\0\0\0"
#define V6_FROM   "\x20\x01\x0d\xb8" ZERO_10 "\x00\x07"
#define V6_TO     "\x20\x01\x0d\xb8" ZERO_10 "\x00\x01"
#define V6        V6_FROM V6_TO "\xc3\x50\x01\xbb"
#define BEHIND    "GET / HTTP/1.1\r\n"

/** Read in pieces of at most so many bytes. @return bytes used */
static size_t read_in(struct proxy_header *header,
                      enum proxy_header_result *result, const char *bytes,
                      size_t length, size_t piece)
{
    size_t at = 0;

    proxy_header_begin(header);
    *result = PROXY_HEADER_MORE;
    while (*result == PROXY_HEADER_MORE && at < length) {
        size_t come = length - at < piece ? length - at : piece;
        char *copy = malloc(come);
        size_t used;

        memcpy(copy, bytes + at, come);
        *result = proxy_header_read(header, copy, come, &used);
        free(copy);
        ck_assert_uint_le(used, come);
        if (*result == PROXY_HEADER_MORE)
            ck_assert_uint_eq(used, come);
        at += used;
    }
    return at;
}

/** What a header says, in words: "192.0.2.7 192.0.2.1 50000 443". */
static const char *words_of(const struct proxy_header *header)
{
    static char words[120];
    char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

    if (!header->is_told)
        return "nothing";
    inet_ntop(AF_INET6, header->ends.from, from, sizeof(from));
    inet_ntop(AF_INET6, header->ends.to, to, sizeof(to));
    snprintf(words, sizeof(words), "%s %s %u %u", from, to,
             header->ends.from_port, header->ends.to_port);
    return words;
}

static const struct {
    const char *bytes;
    size_t length;
    const char *words;
} good[] = {
    {BYTES("PROXY TCP4 192.0.2.7 192.0.2.1 50000 443\r\n"),
     "::ffff:192.0.2.7 ::ffff:192.0.2.1 50000 443"},
    {BYTES("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
     "::ffff:255.255.255.255 ::ffff:255.255.255.255 65535 65535"},
    {BYTES("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"),
     "::ffff:0.0.0.0 ::ffff:0.0.0.0 0 0"},
    {BYTES("PROXY TCP6 2001:DB8::7 2001:0db8:0:0:0:0:0:1 50000 443\r\n"),
     "2001:db8::7 2001:db8::1 50000 443"},
    {BYTES("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535"},
    {BYTES("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n"),
     "::ffff:192.0.2.7 ::1 1 2"},
    {BYTES("PROXY UNKNOWN\r\n"), "nothing"},
    {BYTES("PROXY UNKNOWN \r\n"), "nothing"},
    {BYTES("PROXY UNKNOWN a\0c 192.0.2.1 x y z\r\n"), "nothing"},
    {BYTES("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
     "nothing"},
    {BYTES(SIGNATURE "\x21\x11\x00\x0c" V4),
     "::ffff:192.0.2.7 ::ffff:192.0.2.1 50000 443"},
    {BYTES(SIGNATURE "\x21\x11\x00\x12" V4 "\x04\x00\x03NOP"),
     "::ffff:192.0.2.7 ::ffff:192.0.2.1 50000 443"},
    {BYTES(SIGNATURE "\x21\x21\x00\x24" V6),
     "2001:db8::7 2001:db8::1 50000 443"},
    {BYTES(SIGNATURE "\x21\x21\x00\x25" V6 "\x04"),
     "2001:db8::7 2001:db8::1 50000 443"},
    {BYTES(SIGNATURE "\x20\x00\x00\x00"), "nothing"},
    {BYTES(SIGNATURE "\x20\x11\x00\x0c" V4), "nothing"},
    {BYTES(SIGNATURE "\x20\xff\x00\x03"
                     "abc"),
     "nothing"},
    {BYTES(SIGNATURE "\x21\x00\x00\x00"), "nothing"},
    {BYTES(SIGNATURE "\x21\x00\x00\x0c" V4), "nothing"},
    {BYTES(SIGNATURE "\x21\x10\x00\x00"), "nothing"},
    {BYTES(SIGNATURE "\x21\x12\x00\x0c" V4), "nothing"},
    {BYTES(SIGNATURE "\x21\x22\x00\x24" V6), "nothing"},
};

START_TEST(good_headers_are_read)
{
    char bytes[400];
    size_t length = good[_i].length;
    struct proxy_header header;
    enum proxy_header_result result;

    memcpy(bytes, good[_i].bytes, length);
    memcpy(bytes + length, BEHIND, sizeof(BEHIND));
    for (size_t piece = 1; piece <= length + sizeof(BEHIND); piece++) {
        size_t used = read_in(&header, &result, bytes,
                              length + sizeof(BEHIND) - 1, piece);

        ck_assert_int_eq(result, PROXY_HEADER_DONE);
        ck_assert_uint_eq(used, length);
        ck_assert_uint_eq(header.length, length);
        ck_assert_str_eq(words_of(&header), good[_i].words);
    }
}
END_TEST

START_TEST(half_a_header_is_none)
{
    struct proxy_header header;
    enum proxy_header_result result;

    for (size_t length = 0; length < good[_i].length; length++) {
        read_in(&header, &result, good[_i].bytes, length, length + 1);
        ck_assert_int_eq(result, PROXY_HEADER_MORE);
        ck_assert(!header.is_told);
    }
}
END_TEST

/** What is refused, with how many bytes of it, and in which words. */
static const struct {
    const char *bytes;
    size_t length;
    size_t used;
    const char *why;
} bad[] = {
    {BYTES("GET / HTTP/1.1\r\n"), 1, "does not begin"},
    {BYTES("\x16\x03\x01"), 1, "does not begin"},
    {BYTES("POST / HTTP/1.1\r\n"), 2, "does not begin"},
    {BYTES("PROXY\tTCP4"), 6, "does not begin"},
    {BYTES("proxy TCP4"), 1, "does not begin"},
    {BYTES("\r\nGET / HTTP/1.1\r\n"), 3, "does not begin"},
    {BYTES("\r\n\r\n\0\r\nQUIT\r"), 12, "does not begin"},
    {BYTES("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\n"), 35, "with CR LF"},
    {BYTES("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\rX"), 36, "with CR LF"},
    {BYTES("PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\r\n"), 36, "with CR LF"},
    {BYTES("PROXY UNKNOWNX\r\n"), 16, "neither"},
    {BYTES("PROXY \r\n"), 8, "neither"},
    {BYTES("PROXY  UNKNOWN\r\n"), 16, "neither"},
    {BYTES("PROXY UDP4 192.0.2.7 192.0.2.1 1 2\r\n"), 36, "neither"},
    {BYTES("PROXY tcp4 192.0.2.7 192.0.2.1 1 2\r\n"), 36, "neither"},
    {BYTES("PROXY TCP4\r\n"), 12, "neither"},
    {BYTES("PROXY TCP4 \r\n"), 13, "two addresses"},
    {BYTES("PROXY TCP4 192.0.2.7 192.0.2.1 1\r\n"), 34, "two addresses"},
    {BYTES("PROXY TCP4  192.0.2.7 192.0.2.1 1 2\r\n"), 37, "an address"},
    {BYTES("PROXY TCP4 192.0.2.07 192.0.2.1 1 2\r\n"), 37, "an address"},
    {BYTES("PROXY TCP4 192.0.2 192.0.2.1 1 2\r\n"), 34, "an address"},
    {BYTES("PROXY TCP4 192.0.2.7 192.0.2.256 1 2\r\n"), 38, "an address"},
    {BYTES("PROXY TCP4 ::1 ::2 1 2\r\n"), 24, "an address"},
    {BYTES("PROXY TCP6 192.0.2.7 192.0.2.1 1 2\r\n"), 36, "an address"},
    {BYTES("PROXY TCP6 ::1::2 ::1 1 2\r\n"), 27, "an address"},
    {BYTES("PROXY TCP6 [::1] ::1 1 2\r\n"), 26, "an address"},
    {BYTES("PROXY TCP6 ::1\0 ::1 1 2\r\n"), 25, "an address"},
    {BYTES("PROXY TCP4 192.0.2.7 192.0.2.1 01 2\r\n"), 37, "a port"},
    {BYTES("PROXY TCP4 192.0.2.7 192.0.2.1 1 65536\r\n"), 40, "a port"},
    {BYTES("PROXY TCP4 192.0.2.7 192.0.2.1 1 \r\n"), 35, "a port"},
    {BYTES("PROXY TCP4 192.0.2.7 192.0.2.1 1 +2\r\n"), 37, "a port"},
    {BYTES("PROXY TCP4 192.0.2.7 192.0.2.1 1 2 \r\n"), 37, "a port"},
    {BYTES("PROXY TCP4 192.0.2.7 192.0.2.1 1 2 3\r\n"), 38, "a port"},
    {BYTES(SIGNATURE "\x11\x11\x00\x0c" V4), 13, "no known version"},
    {BYTES(SIGNATURE "\x31\x11\x00\x0c" V4), 13, "no known version"},
    {BYTES(SIGNATURE "\x22\x11\x00\x0c" V4), 13, "no known command"},
    {BYTES(SIGNATURE "\x2f\x11\x00\x0c" V4), 13, "no known command"},
    {BYTES(SIGNATURE "\x21\x41\x00\x0c" V4), 14, "no known family"},
    {BYTES(SIGNATURE "\x21\x13\x00\x0c" V4), 14, "no known family"},
    {BYTES(SIGNATURE "\x21\x11\x00\x0b" V4), 16, "too short"},
    {BYTES(SIGNATURE "\x21\x12\x00\x00" V4), 16, "too short"},
    {BYTES(SIGNATURE "\x21\x21\x00\x23" V6), 16, "too short"},
    {BYTES(SIGNATURE "\x21\x31\x00\xd7" V4), 16, "too short"},
    {BYTES(SIGNATURE "\x21\x11\x0f\xf1" V4), 16, "longer than 4096"},
    {BYTES(SIGNATURE "\x20\x00\xff\xff" V4), 16, "longer than 4096"},
};

START_TEST(bad_headers_are_refused)
{
    struct proxy_header header;
    enum proxy_header_result result;

    for (size_t piece = 1; piece <= bad[_i].length; piece++) {
        size_t used =
            read_in(&header, &result, bad[_i].bytes, bad[_i].length, piece);

        ck_assert_int_eq(result, PROXY_HEADER_REFUSED);
        ck_assert_uint_eq(used, bad[_i].used);
        ck_assert_ptr_nonnull(strstr(header.why, bad[_i].why));
        ck_assert(!header.is_told);
    }
}
END_TEST

START_TEST(lines_have_an_end)
{
    char bytes[200] = "PROXY UNKNOWN ";
    struct proxy_header header;
    enum proxy_header_result result;

    memset(bytes + 14, 'x', sizeof(bytes) - 14);
    ck_assert_uint_eq(read_in(&header, &result, bytes, sizeof(bytes), 200),
                      107);
    ck_assert_int_eq(result, PROXY_HEADER_REFUSED);
    ck_assert_ptr_nonnull(strstr(header.why, "longer than 107"));
    memcpy(bytes + 105, "\r\n", 2);
    ck_assert_uint_eq(read_in(&header, &result, bytes, sizeof(bytes), 200),
                      107);
    ck_assert_int_eq(result, PROXY_HEADER_DONE);
}
END_TEST

START_TEST(much_is_skipped)
{
    char bytes[5000] = SIGNATURE "\x21\x11\x0f\xf0" V4;
    struct proxy_header header;
    enum proxy_header_result result;

    for (size_t piece = 1; piece < sizeof(bytes); piece += 97) {
        ck_assert_uint_eq(
            read_in(&header, &result, bytes, sizeof(bytes), piece), 4096);
        ck_assert_int_eq(result, PROXY_HEADER_DONE);
        ck_assert_str_eq(words_of(&header),
                         "::ffff:192.0.2.7 ::ffff:192.0.2.1 50000 443");
    }
    /* Addresses of sockets in the file system are skipped as well. */
    memcpy(bytes, BYTES(SIGNATURE "\x21\x31\x00\xd8"));
    ck_assert_uint_eq(read_in(&header, &result, bytes, sizeof(bytes), 50), 232);
    ck_assert_int_eq(result, PROXY_HEADER_DONE);
    ck_assert(!header.is_told);
}
END_TEST

/** What is written, in both versions. */
static const struct {
    const char *from, *to;
    const char *line;
    const char *block;
    size_t length;
} written[] = {
    {"::ffff:192.0.2.7", "::ffff:192.0.2.1",
     "PROXY TCP4 192.0.2.7 192.0.2.1 50000 443\r\n",
     BYTES(SIGNATURE "\x21\x11\x00\x0c" V4)},
    {"2001:db8::7", "2001:db8::1",
     "PROXY TCP6 2001:db8::7 2001:db8::1 50000 443\r\n",
     BYTES(SIGNATURE "\x21\x21\x00\x24" V6)},
    /* The families differ: both go as IPv6. */
    {"2001:db8::7", "::ffff:192.0.2.1",
     "PROXY TCP6 2001:db8::7 ::ffff:192.0.2.1 50000 443\r\n",
     BYTES(SIGNATURE "\x21\x21\x00\x24" V6_FROM ZERO_10 "\xff\xff\xc0\x00\x02"
                     "\x01\xc3\x50\x01\xbb")},
};

START_TEST(headers_are_written)
{
    struct proxy_ends ends = {.from_port = 50000, .to_port = 443};
    char out[PROXY_LINE_MAX];
    size_t length;

    inet_pton(AF_INET6, written[_i].from, ends.from);
    inet_pton(AF_INET6, written[_i].to, ends.to);
    length = proxy_header_print(1, &ends, out);
    ck_assert_uint_eq(length, strlen(written[_i].line));
    ck_assert_mem_eq(out, written[_i].line, length);
    length = proxy_header_print(2, &ends, out);
    ck_assert_uint_eq(length, written[_i].length);
    ck_assert_mem_eq(out, written[_i].block, length);
}
END_TEST

START_TEST(nobody_is_written)
{
    char out[PROXY_LINE_MAX];

    ck_assert_uint_eq(proxy_header_print(1, NULL, out), 15);
    ck_assert_mem_eq(out, "PROXY UNKNOWN\r\n", 15);
    ck_assert_uint_eq(proxy_header_print(2, NULL, out), 16);
    ck_assert_mem_eq(out, SIGNATURE "\x21\x00\x00\x00", 16);
}
END_TEST

START_TEST(what_is_written_is_read)
{
    uint64_t seed = 1;

    for (int turn = 0; turn < 2000; turn++) {
        struct proxy_ends ends = {.from_port = unit_chance(&seed, 65536),
                                  .to_port = unit_chance(&seed, 65536)};
        bool is_v4 = unit_chance(&seed, 2) == 0;
        unsigned version = 1 + (unsigned)(turn % 2);
        char out[PROXY_LINE_MAX];
        struct proxy_header header;
        enum proxy_header_result result;
        size_t length;

        for (int i = 0; i < 16; i++) {
            ends.from[i] = (unsigned char)unit_chance(&seed, 256);
            ends.to[i] = (unsigned char)unit_chance(&seed, 256);
        }
        if (is_v4) {
            memcpy(ends.from, ZERO_10 "\xff\xff", 12);
            memcpy(ends.to, ZERO_10 "\xff\xff", 12);
        }
        length = proxy_header_print(version, &ends, out);
        ck_assert_uint_eq(read_in(&header, &result, out, length, 7), length);
        ck_assert_int_eq(result, PROXY_HEADER_DONE);
        ck_assert(header.is_told);
        ck_assert_mem_eq(&header.ends, &ends, sizeof(ends));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("PROXY headers");

    unit_add(suite, good_headers_are_read, COUNT(good));
    unit_add(suite, half_a_header_is_none, COUNT(good));
    unit_add(suite, bad_headers_are_refused, COUNT(bad));
    unit_add(suite, lines_have_an_end, 1);
    unit_add(suite, much_is_skipped, 1);
    unit_add(suite, headers_are_written, COUNT(written));
    unit_add(suite, nobody_is_written, 1);
    unit_add(suite, what_is_written_is_read, 1);
    return unit_run(suite);
}

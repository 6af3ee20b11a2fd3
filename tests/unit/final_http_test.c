/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The http floor of the full balancer: heads, bodies, what is forwarded, and
 * answers of our own. No socket is needed, so everything is tried that the
 * network could do, and much that it rarely does.
 *
 * What is read is read from memory of exactly its size: with AddressSanitizer,
 * one byte read too many ends the test.
 */
#include "http/answer.h"
#include "http/body.h"
#include "http/bytes.h"
#include "http/cookie.h"
#include "http/forward.h"
#include "http/head.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define GET  "GET / HTTP/1.1\r\nHost: h\r\n"
#define POST "POST / HTTP/1.1\r\nHost: h\r\n"
#define OK   "HTTP/1.1 200 OK\r\n"

/** A string that may have zero bytes in it, and its length. */
#define BYTES(string) string, sizeof(string) - 1
#define COUNT(list)   (int)(sizeof(list) / sizeof((list)[0]))

/** Room that is more than enough for every head here. */
enum { ROOM = 16384 };

static const struct head_limits limits = {4096, 1024};

/** A copy that ends where the bytes end. The caller frees it. */
static char *exactly(const char *bytes, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, length);
    return copy;
}

/** Read a head in one go. Its texts are views into `bytes`, not the copy. */
static enum head_result read_whole(struct head *head, enum head_kind kind,
                                   const char *bytes, size_t length)
{
    char *copy = exactly(bytes, length);

    head_begin(head, kind, &limits);
    head_read(head, copy, length);
    free(copy);
    head_begin(head, kind, &limits);
    return head_read(head, bytes, length);
}

/** Read a head of which first so many bytes come, then so many more, ... */
static enum head_result read_pieces(struct head *head, enum head_kind kind,
                                    const char *bytes, size_t length,
                                    size_t first, size_t piece)
{
    enum head_result result = HEAD_MORE;
    size_t come = first;

    head_begin(head, kind, &limits);
    for (;;) {
        char *copy;

        come = come < length ? come : length;
        copy = exactly(bytes, come);
        result = head_read(head, copy, come);
        free(copy);
        if (result != HEAD_MORE || come == length)
            return result;
        come += piece;
    }
}

static void assert_text(struct text text, const char *word, const char *what)
{
    ck_assert_msg(text_is(text, word), "%s should be \"%s\", and is \"%.*s\"",
                  what, word, TEXT_PRINT(text));
}

/** Nothing but the place of the texts may differ. */
static void assert_same(const struct head *one, const struct head *other)
{
    ck_assert_uint_eq(one->status, other->status);
    ck_assert_ptr_eq(one->why, other->why);
    ck_assert_uint_eq(one->length, other->length);
    ck_assert_uint_eq(one->method.length, other->method.length);
    ck_assert_uint_eq(one->target.length, other->target.length);
    ck_assert_uint_eq(one->path.length, other->path.length);
    ck_assert_uint_eq(one->authority.length, other->authority.length);
    ck_assert_uint_eq(one->minor, other->minor);
    ck_assert_uint_eq(one->field_count, other->field_count);
    ck_assert_uint_eq(one->seen, other->seen);
    ck_assert_int_eq(one->framing, other->framing);
    ck_assert_uint_eq(one->body_length, other->body_length);
    ck_assert_int_eq(one->keeps_alive, other->keeps_alive);
}

/** Cut at each place, and into pieces of each size: the answer is the same. */
static void assert_cuts_agree(enum head_kind kind, const char *bytes,
                              size_t length)
{
    struct head whole, cut;
    enum head_result result = read_whole(&whole, kind, bytes, length);

    for (size_t i = 0; i <= length; i++) {
        ck_assert_int_eq(read_pieces(&cut, kind, bytes, length, i, length),
                         result);
        assert_same(&whole, &cut);
    }
    for (size_t i = 1; i <= 9; i++) {
        ck_assert_int_eq(read_pieces(&cut, kind, bytes, length, i, i), result);
        assert_same(&whole, &cut);
    }
}

/* --- texts ---------------------------------------------------------------- */

START_TEST(texts_are_compared)
{
    struct text none = {NULL, 0};

    ck_assert(text_is(text_of("GET"), "GET"));
    ck_assert(!text_is(text_of("GET"), "get"));
    ck_assert(!text_is(text_of("GET"), "GETS"));
    ck_assert(name_is(text_of("hOST"), "Host"));
    ck_assert(!name_is(text_of("h@st"), "h`st")); /* 0x40 is no letter */
    ck_assert(!name_is(text_of("a[b"), "a{b"));   /* nor is 0x5b */
    ck_assert(text_is(none, ""));
    ck_assert(name_equals(none, text_of("")));
    ck_assert(text_begins(text_of("/api/x"), "/api"));
    ck_assert(!text_begins(text_of("/ap"), "/api"));
    ck_assert(text_begins(none, ""));
    assert_text(text_trim(text_of(" \ta b\t ")), "a b", "what is trimmed");
    assert_text(text_trim(text_of(" \t ")), "", "what is all blanks");
}
END_TEST

START_TEST(lists_are_taken_apart)
{
    struct text rest = text_of(" ,a b,, \tc ,");
    struct text item;

    ck_assert(text_next(&rest, &item));
    assert_text(item, "a b", "the first");
    ck_assert(text_next(&rest, &item));
    assert_text(item, "c", "the second");
    ck_assert(!text_next(&rest, &item));
    ck_assert(list_has(text_of("close , X-Trace"), text_of("x-trace")));
    ck_assert(!list_has(text_of("close, X-Trace"), text_of("X-Tra")));
    ck_assert(!list_has(text_of(""), text_of("")));
}
END_TEST

static const struct number {
    const char *text;
    bool is_one;
    uint64_t number;
} numbers[] = {
    {"0", true, 0},
    {"007", true, 7},
    {"18446744073709551615", true, UINT64_MAX},
    {"18446744073709551616", false, 0},
    {"99999999999999999999", false, 0},
    {"", false, 0},
    {"+1", false, 0},
    {"1 ", false, 0},
    {"1e3", false, 0},
};

START_TEST(numbers_are_read)
{
    uint64_t number = 4711;

    ck_assert_int_eq(text_number(text_of(numbers[_i].text), &number),
                     numbers[_i].is_one);
    ck_assert_uint_eq(number, numbers[_i].is_one ? numbers[_i].number : 4711);
}
END_TEST

static const struct {
    uint64_t number;
    size_t least;
    const char *decimal, *hex;
} printed[] = {
    {0, 1, "0", "0"},
    {9, 8, "9", "00000009"},
    {10, 1, "10", "a"},
    {255, 2, "255", "ff"},
    {256, 2, "256", "100"},
    {UINT64_MAX, 8, "18446744073709551615", "ffffffffffffffff"},
};

START_TEST(a_number_is_written_in_digits)
{
    char out[DIGITS_MAX + 1];

    out[decimal_print(printed[_i].number, out)] = '\0';
    ck_assert_str_eq(out, printed[_i].decimal);
    out[hex_print(printed[_i].number, printed[_i].least, out)] = '\0';
    ck_assert_str_eq(out, printed[_i].hex);
}
END_TEST

/* --- requests that are accepted ------------------------------------------- */

static const struct accepted {
    const char *bytes;
    const char *method, *path, *authority;
    unsigned minor;
    enum framing framing;
    uint64_t body_length;
} accepted[] = {
    {GET "\r\n", "GET", "/", "h", 1, FRAMING_NONE, 0},
    {"\r\n\r\n" GET "\r\n", "GET", "/", "h", 1, FRAMING_NONE, 0},
    {"GET /a?b=c%20d|{} HTTP/1.1\r\nhOsT:h\r\n\r\n", "GET", "/a?b=c%20d|{}",
     "h", 1, FRAMING_NONE, 0},
    {"GET / HTTP/1.0\r\n\r\n", "GET", "/", "", 0, FRAMING_NONE, 0},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET", "/", "", 1, FRAMING_NONE, 0},
    {"OPTIONS * HTTP/1.1\r\nHost: h:80\r\n\r\n", "OPTIONS", "*", "h:80", 1,
     FRAMING_NONE, 0},
    {"GET http://a/x?y HTTP/1.1\r\nHost: b\r\n\r\n", "GET", "/x?y", "a", 1,
     FRAMING_NONE, 0},
    {"GET HTTPS://a:8443 HTTP/1.1\r\nHost: b\r\n\r\n", "GET", "/", "a:8443", 1,
     FRAMING_NONE, 0},
    {"OPTIONS http://a HTTP/1.1\r\nHost: b\r\n\r\n", "OPTIONS", "*", "a", 1,
     FRAMING_NONE, 0},
    {"GET //double HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET", "//double",
     "[::1]:80", 1, FRAMING_NONE, 0},
    {"x!#$%&'*+-.^_`|~9 / HTTP/1.1\r\nHost: h\r\n\r\n", "x!#$%&'*+-.^_`|~9",
     "/", "h", 1, FRAMING_NONE, 0},
    {GET "A: \xc3\xa4\xff \t x\r\n\r\n", "GET", "/", "h", 1, FRAMING_NONE, 0},
    {POST "Content-Length: 0\r\n\r\n", "POST", "/", "h", 1, FRAMING_NONE, 0},
    {POST "content-length:\t12 \r\n\r\n", "POST", "/", "h", 1, FRAMING_LENGTH,
     12},
    {POST "Content-Length: 999999999999999999\r\n\r\n", "POST", "/", "h", 1,
     FRAMING_LENGTH, UINT64_C(999999999999999999)},
    {POST "tRANSFER-eNCODING: \tCHUNKED \r\n\r\n", "POST", "/", "h", 1,
     FRAMING_CHUNKED, 0},
    {"POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n", "POST", "/", "", 0,
     FRAMING_LENGTH, 5},
};

/** Where the head ends in a row that may begin with empty lines. */
static size_t head_bytes(const char *bytes)
{
    const char *start = bytes + strspn(bytes, "\r\n");

    return (size_t)(strstr(start, "\r\n\r\n") - bytes) + 4;
}

static void assert_accepted(const struct accepted *row, const struct head *head)
{
    assert_text(head->method, row->method, "the method");
    assert_text(head->path, row->path, "the path");
    assert_text(head->authority, row->authority, "the authority");
    ck_assert_uint_eq(head->minor, row->minor);
    ck_assert_int_eq(head->framing, row->framing);
    ck_assert_uint_eq(head->body_length, row->body_length);
    ck_assert_uint_eq(head->length, head_bytes(row->bytes));
}

START_TEST(a_good_request_is_read)
{
    const struct accepted *row = &accepted[_i];
    size_t length = head_bytes(row->bytes);
    struct head head;

    ck_assert_int_eq(read_whole(&head, HEAD_REQUEST, row->bytes, length),
                     HEAD_DONE);
    assert_accepted(row, &head);
    assert_cuts_agree(HEAD_REQUEST, row->bytes, length);
    for (size_t come = 0; come < length; come++)
        ck_assert_int_eq(read_whole(&head, HEAD_REQUEST, row->bytes, come),
                         HEAD_MORE);
}
END_TEST

START_TEST(what_follows_a_head_is_not_looked_at)
{
    static const char body[] = "\0\n\r\x7f GET / HTTP/7 \r\n\r\n";
    const struct accepted *row = &accepted[_i];
    size_t length = head_bytes(row->bytes);
    char bytes[1024];
    struct head head;

    memcpy(bytes, row->bytes, length);
    memcpy(bytes + length, body, sizeof(body));
    for (size_t more = 0; more <= sizeof(body); more++) {
        ck_assert_int_eq(read_whole(&head, HEAD_REQUEST, bytes, length + more),
                         HEAD_DONE);
        assert_accepted(row, &head);
    }
}
END_TEST

/** Bytes that were looked at are not looked at again: they may be anything. */
START_TEST(reading_goes_on_where_it_stopped)
{
    char bytes[] = GET "A: b\r\nC: d";
    struct head head;

    head_begin(&head, HEAD_REQUEST, &limits);
    ck_assert_int_eq(head_read(&head, bytes, sizeof(bytes) - 1), HEAD_MORE);
    ck_assert_uint_eq(head.scanned, sizeof(bytes) - 1);
}
END_TEST

START_TEST(each_known_method_is_told)
{
    static const struct {
        const char *name;
        enum method method;
        bool is_idempotent;
    } methods[] = {
        {"GET", METHOD_GET, true},       {"HEAD", METHOD_HEAD, true},
        {"POST", METHOD_POST, false},    {"PUT", METHOD_PUT, true},
        {"DELETE", METHOD_DELETE, true}, {"TRACE", METHOD_TRACE, true},
        {"PATCH", METHOD_PATCH, false},  {"OPTIONS", METHOD_OPTIONS, true},
        {"get", METHOD_OTHER, false},    {"BREW", METHOD_OTHER, false},
    };

    for (int i = 0; i < COUNT(methods); i++) {
        char bytes[64];
        struct head head;
        int length =
            snprintf(bytes, sizeof(bytes), "%s / HTTP/1.1\r\nHost:\r\n\r\n",
                     methods[i].name);

        ck_assert_int_eq(read_whole(&head, HEAD_REQUEST, bytes, (size_t)length),
                         HEAD_DONE);
        ck_assert_int_eq(head.method_id, methods[i].method);
        ck_assert_int_eq(method_is_idempotent(head.method_id),
                         methods[i].is_idempotent);
    }
}
END_TEST

START_TEST(each_known_field_is_told)
{
    static const struct {
        enum field_id id;
        const char *name;
    } names[] = {
#define X(id, name) {FIELD_##id, name},
        FIELD_NAMES(X)
#undef X
    };
    char name[64];

    for (int i = 0; i < COUNT(names); i++) {
        size_t length = strlen(names[i].name);

        memcpy(name, names[i].name, length + 1);
        ck_assert_int_eq(field_identify(text_of(name)), names[i].id);
        for (size_t j = 0; j < length; j++)
            if (name[j] != '-')
                name[j] ^= 0x20;
        ck_assert_int_eq(field_identify(text_of(name)), names[i].id);
        name[length - 1] ^= 1;
        ck_assert_int_eq(field_identify(text_of(name)), FIELD_OTHER);
        ck_assert_int_eq(field_identify((struct text){names[i].name, 0}),
                         FIELD_OTHER);
    }
    ck_assert_int_eq(field_identify(text_of("a-name-that-nobody-ever-heard")),
                     FIELD_OTHER);
}
END_TEST

START_TEST(fields_are_found)
{
    static const char bytes[] =
        GET "A: \t b \t c \t\r\nCookie:x\r\nE: \r\ncookie: y\r\n\r\n";
    struct head head;

    ck_assert_int_eq(read_whole(&head, HEAD_REQUEST, BYTES(bytes)), HEAD_DONE);
    ck_assert_uint_eq(head.field_count, 5);
    assert_text(head.fields[1].value, "b \t c", "the value of A");
    assert_text(head.fields[3].value, "", "the value of E");
    ck_assert_ptr_eq(head_find(&head, FIELD_COOKIE), &head.fields[2]);
    ck_assert_ptr_null(head_find(&head, FIELD_VIA));
}
END_TEST

START_TEST(fields_for_one_connection_are_told)
{
    static const char bytes[] =
        POST "Content-Length: 5\r\nTE: x\r\nA: 1\r\nB: 2\r\n"
             "Connection: a, Host, Content-Length\r\n\r\n";
    static const bool told[] = {false, false, true, true, false, true};
    struct head head;

    ck_assert_int_eq(read_whole(&head, HEAD_REQUEST, BYTES(bytes)), HEAD_DONE);
    ck_assert_uint_eq(head.field_count, COUNT(told));
    for (int i = 0; i < COUNT(told); i++)
        ck_assert_int_eq(head_is_hop_by_hop(&head, &head.fields[i]), told[i]);
}
END_TEST

/* --- facts ---------------------------------------------------------------- */

enum {
    KEEPS = 1,
    EXPECTS = 2,
    UPGRADES = 4,
    TRAILERS = 8,
};

static const struct fact {
    enum head_kind kind;
    const char *bytes;
    int facts;
} facts[] = {
    {HEAD_REQUEST, GET "\r\n", KEEPS},
    {HEAD_REQUEST, GET "Connection: close\r\n\r\n", 0},
    {HEAD_REQUEST, GET "Connection: x, CLOSE\r\n\r\n", 0},
    {HEAD_REQUEST, GET "Connection: x\r\nConnection: close\r\n\r\n", 0},
    {HEAD_REQUEST, GET "Connection: closed\r\n\r\n", KEEPS},
    {HEAD_REQUEST, "GET / HTTP/1.0\r\n\r\n", 0},
    {HEAD_REQUEST, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", KEEPS},
    {HEAD_REQUEST, "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
     0},
    {HEAD_REQUEST, POST "Expect: 100-Continue\r\nContent-Length: 5\r\n\r\n",
     KEEPS | EXPECTS},
    {HEAD_REQUEST, POST "Expect: else\r\nContent-Length: 5\r\n\r\n", KEEPS},
    /* HTTP/1.0 knows no 100 (RFC 9110, 10.1.1) */
    {HEAD_REQUEST,
     "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n", 0},
    {HEAD_REQUEST, GET "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
     KEEPS | UPGRADES},
    {HEAD_REQUEST,
     GET "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\n",
     KEEPS | UPGRADES},
    {HEAD_REQUEST, GET "Upgrade: websocket\r\n\r\n", KEEPS},
    {HEAD_REQUEST, GET "Connection: Upgrade\r\n\r\n", KEEPS},
    {HEAD_REQUEST,
     "GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 0},
    {HEAD_REQUEST, GET "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", KEEPS},
    {HEAD_REQUEST,
     GET "Connection: Upgrade\r\nUpgrade: a\r\nUpgrade: b, H2C"
         "\r\n\r\n",
     KEEPS},
    {HEAD_REQUEST, GET "TE: gzip, trailers\r\n\r\n", KEEPS | TRAILERS},
    {HEAD_REQUEST, GET "TE: gzip\r\n\r\n", KEEPS},
    {HEAD_RESPONSE, OK "Content-Length: 5\r\n\r\n", KEEPS},
    {HEAD_RESPONSE, OK "Content-Length: 5\r\nConnection: close\r\n\r\n", 0},
    {HEAD_RESPONSE, OK "\r\n", 0}, /* its end is the connection's */
    {HEAD_RESPONSE, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", 0},
    {HEAD_RESPONSE,
     "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n",
     KEEPS},
    {HEAD_RESPONSE, "HTTP/1.1 204 No Content\r\n\r\n", KEEPS},
    {HEAD_RESPONSE, "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
     KEEPS},
    /* 204 has no body, and one that says it has is not to be trusted */
    {HEAD_RESPONSE, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", 0},
    {HEAD_RESPONSE, "HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n\r\n", 0},
    {HEAD_RESPONSE, "HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n", KEEPS},
    {HEAD_RESPONSE_TO_HEAD, OK "Content-Length: 5\r\n\r\n", KEEPS},
    {HEAD_RESPONSE_TO_HEAD, OK "\r\n", KEEPS},
};

START_TEST(what_follows_from_the_fields_is_told)
{
    const struct fact *row = &facts[_i];
    struct head head;
    int told;

    ck_assert_int_eq(
        read_whole(&head, row->kind, row->bytes, strlen(row->bytes)),
        HEAD_DONE);
    told = (head.keeps_alive ? KEEPS : 0) |
           (head.expects_continue ? EXPECTS : 0) |
           (head.wants_upgrade ? UPGRADES : 0) |
           (head.takes_trailers ? TRAILERS : 0);
    ck_assert_msg(told == row->facts, "of\n%sfacts should be %d, and are %d",
                  row->bytes, row->facts, told);
}
END_TEST

/* --- requests that are refused -------------------------------------------- */

static const struct refused {
    unsigned status;
    const char *bytes;
    size_t length;
} refused[] = {
    /* the request line */
    {400, BYTES("GET\r\n\r\n")},
    {400, BYTES("GET /\r\n\r\n")},
    {400, BYTES("GET / \r\nHost: h\r\n\r\n")},
    {400, BYTES("GET  / HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET /  HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1 \r\nHost: h\r\n\r\n")},
    {400, BYTES("GET / x HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES(" GET / HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("G(T / HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET / http/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.10\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET / HTTP/1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET / HTTP/1,1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET / HTTP/x.1\r\nHost: h\r\n\r\n")},
    {505, BYTES("GET / HTTP/2.0\r\nHost: h\r\n\r\n")},
    {505, BYTES("GET / HTTP/1.2\r\nHost: h\r\n\r\n")},
    {505, BYTES("GET / HTTP/0.9\r\nHost: h\r\n\r\n")},
    {400, BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")},
    {400, BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")},
    /* the target */
    {400, BYTES("GET x HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET ?x HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET * HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("OPTIONS ** HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET /a\tb HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET http:/h HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET http:// HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET http:///x HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET http://:80/ HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET http://me@h/ HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET http://me:pw@h/ HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET http://h:x/ HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET http://h\\x/ HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET http://h?x HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET http://h HTTP/1.1\r\n\r\n")},
    {501, BYTES("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n")},
    {501, BYTES("CONNECT [::1]:443 HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("CONNECT h HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("CONNECT /x HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("CONNECT http://h/ HTTP/1.1\r\nHost: h\r\n\r\n")},
    /* bytes that no head may have */
    {400, BYTES("GET / HTTP/1.1\nHost: h\n\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n")},
    {400, BYTES("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("\r\n\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("\rGET / HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES(GET "A: b\rc\r\n\r\n")},
    {400, BYTES(GET "A: b\r\r\n\r\n")},
    {400, BYTES(GET "A: b\r\n\r\r\n")},
    {400, BYTES(GET "A: b\r\n\n")},
    {400, BYTES(GET "A: b\0c\r\n\r\n")},
    {400, BYTES(GET "A: b\0")},
    {400, BYTES("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES(GET "A: \x7f\r\n\r\n")},
    {400, BYTES(GET "A: a long value, and then \x7f in it\r\n\r\n")},
    {400, BYTES(GET "A: a long value, and then \x01 in it\r\n\r\n")},
    {400, BYTES(GET "A: \x1b[2J\r\n\r\n")},
    {400, BYTES(GET "A: \v\r\n\r\n")},
    /* field lines */
    {400, BYTES(GET "A : b\r\n\r\n")},
    {400, BYTES(GET "A\t: b\r\n\r\n")},
    {400, BYTES(POST "Content-Length : 5\r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding : chunked\r\n\r\n")},
    {400, BYTES(GET " A: b\r\n\r\n")},
    {400, BYTES(GET "A: b\r\n c\r\n\r\n")},
    {400, BYTES(GET "A: b\r\n\tc\r\n\r\n")},
    {400, BYTES(GET "A: b\r\n \r\n\r\n")},
    {400, BYTES(GET "A\r\n\r\n")},
    {400, BYTES(GET ": b\r\n\r\n")},
    {400, BYTES(GET "A(b: c\r\n\r\n")},
    {400, BYTES(GET "A b: c\r\n\r\n")},
    {400, BYTES(GET "\xc3\xa4: c\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\n Host: h\r\nHost: h\r\n\r\n")},
    /* hosts */
    {400, BYTES("GET / HTTP/1.1\r\n\r\n")},
    {400, BYTES(GET "Host: h\r\n\r\n")},
    {400, BYTES(GET "hOST: other\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET http://a/ HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET http://a/ HTTP/1.1\r\nHost: h/x\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: a b\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: me@h\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: a\"b\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: a?b\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: h:80:80\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: h:8x\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: h:65536\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: h:000080\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: :80\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: ::1\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: []\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: [h]\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: %\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: a%2\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: a%20%zz\r\n\r\n")},
    /* lengths */
    {400, BYTES(POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 5\r\ncontent-length: 5\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 0\r\ncontent-length: 0\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 5, 5\r\n\r\n")},
    {400, BYTES(POST "Content-Length: \r\n\r\n")},
    {400, BYTES(POST "Content-Length: +5\r\n\r\n")},
    {400, BYTES(POST "Content-Length: -5\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 5 5\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 0x5\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 5;\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 1e3\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 1000000000000000000\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 0000000000000000005\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 18446744073709551621\r\n\r\n")},
    /* codings */
    {400, BYTES(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"
                     "\r\n")},
    {400, BYTES(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"
                     "\r\n")},
    {400, BYTES(POST "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n"
                     "\r\n")},
    {400, BYTES(POST "Transfer-Encoding: gzip, chunked\r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding: identity\r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding: xchunked\r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding: chunked, identity\r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding: chunked, chunked\r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding: chunked,\r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding: , chunked\r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding: chunked;q=1\r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding: \"chunked\"\r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding: \r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding: chunked\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding: chunked\r\n"
                     "transfer-encoding: identity\r\n\r\n")},
    {400, BYTES("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")},
};

static void assert_refused(const struct head *head, enum head_result result,
                           unsigned status)
{
    ck_assert_int_eq(result, HEAD_REFUSED);
    ck_assert_msg(head->status == status, "should be %u, and is %u (%s)",
                  status, head->status, head->why);
    ck_assert_ptr_nonnull(head->why);
}

START_TEST(an_ambiguous_request_is_refused)
{
    const struct refused *row = &refused[_i];
    struct head head;

    assert_refused(&head,
                   read_whole(&head, HEAD_REQUEST, row->bytes, row->length),
                   row->status);
    assert_cuts_agree(HEAD_REQUEST, row->bytes, row->length);
}
END_TEST

START_TEST(a_refused_request_tells_what_it_wanted)
{
    struct head head;

    assert_refused(
        &head,
        read_whole(&head, HEAD_REQUEST, BYTES("HEAD /x HTTP/1.1\r\nA: \x01")),
        400);
    assert_text(head.method, "HEAD", "the method");
    ck_assert_int_eq(head.method_id, METHOD_HEAD);
    assert_text(head.target, "/x", "the target");
    assert_refused(
        &head,
        read_whole(&head, HEAD_REQUEST, BYTES("HEAD /x HTTP/1.1\r\nA\r\n\r\n")),
        400);
    assert_text(head.target, "/x", "the target");
}
END_TEST

/* --- responses ------------------------------------------------------------ */

static const struct response {
    enum head_kind kind;
    const char *bytes;
    unsigned status;
    const char *reason;
    enum framing framing;
    uint64_t body_length;
    unsigned keep_alive_secs;
} responses[] = {
    {HEAD_RESPONSE, OK "\r\n", 200, "OK", FRAMING_CLOSE, 0, 0},
    {HEAD_RESPONSE, "HTTP/1.0 404 Not  Found \r\n\r\n", 404, "Not  Found ",
     FRAMING_CLOSE, 0, 0},
    {HEAD_RESPONSE, "HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\n", 200, "",
     FRAMING_LENGTH, 5, 0},
    {HEAD_RESPONSE, "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, "",
     FRAMING_NONE, 0, 0},
    {HEAD_RESPONSE, OK "Transfer-Encoding: chunked\r\n\r\n", 200, "OK",
     FRAMING_CHUNKED, 0, 0},
    {HEAD_RESPONSE, "HTTP/1.1 100 Continue\r\n\r\n", 100, "Continue",
     FRAMING_NONE, 0, 0},
    {HEAD_RESPONSE, "HTTP/1.1 101 X\r\nUpgrade: w\r\n\r\n", 101, "X",
     FRAMING_NONE, 0, 0},
    {HEAD_RESPONSE, "HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n", 204, "X",
     FRAMING_NONE, 5, 0},
    {HEAD_RESPONSE, "HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n", 304, "X",
     FRAMING_NONE, 5, 0},
    {HEAD_RESPONSE, "HTTP/1.1 599 \xe4\tb\r\n\r\n", 599, "\xe4\tb",
     FRAMING_CLOSE, 0, 0},
    {HEAD_RESPONSE_TO_HEAD, OK "Content-Length: 5\r\n\r\n", 200, "OK",
     FRAMING_NONE, 5, 0},
    {HEAD_RESPONSE_TO_HEAD, OK "Transfer-Encoding: chunked\r\n\r\n", 200, "OK",
     FRAMING_NONE, 0, 0},
    {HEAD_RESPONSE, OK "Keep-Alive: timeout=5, max=100\r\n\r\n", 200, "OK",
     FRAMING_CLOSE, 0, 5},
    {HEAD_RESPONSE, OK "Keep-Alive: max=100,TimeOut=99999999999\r\n\r\n", 200,
     "OK", FRAMING_CLOSE, 0, UINT32_MAX},
    {HEAD_RESPONSE, OK "Keep-Alive: timeout=-5\r\n\r\n", 200, "OK",
     FRAMING_CLOSE, 0, 0},
    /* Host means nothing in a response */
    {HEAD_RESPONSE, OK "Host: /\r\nHost: /\r\n\r\n", 200, "OK", FRAMING_CLOSE,
     0, 0},
};

START_TEST(a_good_response_is_read)
{
    const struct response *row = &responses[_i];
    size_t length = strlen(row->bytes);
    struct head head;

    ck_assert_int_eq(read_whole(&head, row->kind, row->bytes, length),
                     HEAD_DONE);
    ck_assert_uint_eq(head.status, row->status);
    assert_text(head.reason, row->reason, "the reason");
    ck_assert_int_eq(head.framing, row->framing);
    ck_assert_uint_eq(head.body_length, row->body_length);
    ck_assert_uint_eq(head.keep_alive_secs, row->keep_alive_secs);
    ck_assert_uint_eq(head.length, length);
    assert_cuts_agree(row->kind, row->bytes, length);
}
END_TEST

static const struct refused refused_responses[] = {
    {502, BYTES("\r\n" OK "\r\n")},
    {502, BYTES("HTTP/1.1\r\n\r\n")},
    {502, BYTES("HTTP/2 200 OK\r\n\r\n")},
    {502, BYTES("HTTP/1.2 200 OK\r\n\r\n")},
    {502, BYTES("HTTP/2.0 200 OK\r\n\r\n")},
    {502, BYTES("http/1.1 200 OK\r\n\r\n")},
    {502, BYTES("ICY 200 OK\r\n\r\n")},
    {502, BYTES("HTTP/1.1  200 OK\r\n\r\n")},
    {502, BYTES("HTTP/1.1 20 OK\r\n\r\n")},
    {502, BYTES("HTTP/1.1 2000 OK\r\n\r\n")},
    {502, BYTES("HTTP/1.1 +20 OK\r\n\r\n")},
    {502, BYTES("HTTP/1.1 099 OK\r\n\r\n")},
    {502, BYTES("HTTP/1.1 600 OK\r\n\r\n")},
    {502, BYTES("HTTP/1.1 999 OK\r\n\r\n")},
    {502, BYTES(OK "A: b\n\r\n")},
    {502, BYTES(OK "A: b\0\r\n\r\n")},
    {502, BYTES(OK "A : b\r\n\r\n")},
    {502, BYTES(OK "A: b\r\n c\r\n\r\n")},
    {502, BYTES(OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n")},
    {502, BYTES(OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\n")},
    {502, BYTES(OK "Content-Length: 5, 5\r\n\r\n")},
    {502, BYTES(OK "Content-Length: five\r\n\r\n")},
    {502, BYTES(OK "Transfer-Encoding: gzip\r\n\r\n")},
    {502, BYTES(OK "Transfer-Encoding: gzip, chunked\r\n\r\n")},
    {502, BYTES("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")},
    {502, BYTES("\x15\x03\x03\x00\x02\x02\x16")},
};

START_TEST(an_ambiguous_response_is_refused)
{
    const struct refused *row = &refused_responses[_i];
    struct head head;

    assert_refused(&head,
                   read_whole(&head, HEAD_RESPONSE, row->bytes, row->length),
                   row->status);
    assert_cuts_agree(HEAD_RESPONSE, row->bytes, row->length);
}
END_TEST

/* --- limits --------------------------------------------------------------- */

/** A head of exactly so many bytes; the caller frees it. */
static char *head_of(size_t length)
{
    char *bytes = malloc(length);

    ck_assert_ptr_nonnull(bytes);
    memset(bytes, 'x', length);
    memcpy(bytes, GET "A: ", strlen(GET "A: "));
    memcpy(bytes + length - 4, "\r\n\r\n", 4);
    return bytes;
}

START_TEST(a_head_may_be_as_large_as_the_limit)
{
    char *bytes = head_of(limits.head_bytes);
    struct head head;

    ck_assert_int_eq(read_whole(&head, HEAD_REQUEST, bytes, limits.head_bytes),
                     HEAD_DONE);
    ck_assert_int_eq(
        read_pieces(&head, HEAD_REQUEST, bytes, limits.head_bytes, 1000, 1000),
        HEAD_DONE);
    free(bytes);
}
END_TEST

START_TEST(a_head_may_not_be_larger)
{
    size_t length = limits.head_bytes + 1;
    const size_t pieces[] = {1, 1000, length - 2, length - 1, length};
    char *bytes = head_of(length);
    struct head head;

    for (int i = 0; i < COUNT(pieces); i++)
        assert_refused(&head,
                       read_pieces(&head, HEAD_REQUEST, bytes, length,
                                   pieces[i], pieces[i]),
                       431);
    assert_refused(&head, read_whole(&head, HEAD_RESPONSE, bytes, length), 502);
    /* one that never ends is refused when the limit is reached */
    ck_assert_int_eq(read_whole(&head, HEAD_REQUEST, bytes, length - 2),
                     HEAD_MORE);
    assert_refused(&head, read_whole(&head, HEAD_REQUEST, bytes, length - 1),
                   431);
    free(bytes);
}
END_TEST

START_TEST(empty_lines_without_end_are_refused)
{
    char *bytes = malloc(limits.head_bytes);
    struct head head;

    for (size_t i = 0; i < limits.head_bytes; i += 2)
        memcpy(bytes + i, "\r\n", 2);
    ck_assert_int_eq(
        read_whole(&head, HEAD_REQUEST, bytes, limits.head_bytes - 1),
        HEAD_MORE);
    assert_refused(
        &head, read_whole(&head, HEAD_REQUEST, bytes, limits.head_bytes), 431);
    free(bytes);
}
END_TEST

/** A request whose target has so many bytes; returns the length. */
static size_t print_target(char *bytes, size_t target)
{
    static const char end[] = " HTTP/1.1\r\nHost: h\r\n\r\n";

    memcpy(bytes, "GET /", 5);
    memset(bytes + 5, 'x', target - 1);
    memcpy(bytes + 4 + target, end, sizeof(end) - 1);
    return 4 + target + sizeof(end) - 1;
}

START_TEST(a_target_may_not_be_longer_than_the_limit)
{
    static const size_t longer[] = {1, 40, 50, 64, 70, 1000, 2000};
    char bytes[8192];
    struct head head;
    size_t length = print_target(bytes, limits.target_bytes);

    ck_assert_int_eq(read_whole(&head, HEAD_REQUEST, bytes, length), HEAD_DONE);
    for (int i = 0; i < COUNT(longer); i++) {
        length = print_target(bytes, limits.target_bytes + longer[i]);
        assert_refused(&head, read_whole(&head, HEAD_REQUEST, bytes, length),
                       414);
        assert_cuts_agree(HEAD_REQUEST, bytes, length);
    }
    /* and it is refused long before its end, if it has one */
    assert_refused(
        &head,
        read_whole(&head, HEAD_REQUEST, bytes, limits.target_bytes + 100), 414);
}
END_TEST

/** A fault before the limit comes first, one behind it is never seen. */
/** What is forwarded says it three times, so it has to be short. */
START_TEST(a_host_may_not_be_longer_than_its_limit)
{
    static const char begin[] = "GET / HTTP/1.1\r\nHost: ";
    char bytes[1024];
    struct head head;

    for (size_t host = AUTHORITY_MAX; host <= AUTHORITY_MAX + 1; host++) {
        size_t length = sizeof(begin) - 1 + host;

        memcpy(bytes, begin, sizeof(begin) - 1);
        memset(bytes + sizeof(begin) - 1, 'h', host);
        memcpy(bytes + length, "\r\n\r\n", 4);
        ck_assert_int_eq(read_whole(&head, HEAD_REQUEST, bytes, length + 4),
                         host == AUTHORITY_MAX ? HEAD_DONE : HEAD_REFUSED);
    }
}
END_TEST

START_TEST(a_fault_near_the_limit_is_judged_alike_however_it_is_cut)
{
    size_t most = limits.head_bytes;
    const size_t faults[] = {100,  most - 2, most - 1,
                             most, most + 1, most + 100};
    char *bytes = head_of(most + 2000);
    struct head whole, cut;

    for (int i = 0; i < COUNT(faults); i++) {
        char kept = bytes[faults[i]];

        bytes[faults[i]] = _i == 0 ? '\0' : '\r';
        ck_assert_int_eq(read_whole(&whole, HEAD_REQUEST, bytes, most + 2000),
                         HEAD_REFUSED);
        for (size_t first = most - 3; first < most + 4; first++) {
            ck_assert_int_eq(
                read_pieces(&cut, HEAD_REQUEST, bytes, most + 2000, first, 1),
                HEAD_REFUSED);
            ck_assert_uint_eq(cut.status, whole.status);
        }
        bytes[faults[i]] = kept;
    }
    free(bytes);
}
END_TEST

/** So many field lines, `a:` and a number; returns the length. */
static size_t print_fields(char *bytes, size_t count)
{
    size_t length = (size_t)sprintf(bytes, GET);

    for (size_t i = 1; i < count; i++)
        length += (size_t)sprintf(bytes + length, "a:%zu\r\n", i);
    return length + (size_t)sprintf(bytes + length, "\r\n");
}

START_TEST(there_may_be_so_many_fields_and_no_more)
{
    char bytes[8192];
    struct head head;
    size_t length = print_fields(bytes, FIELDS_MAX);

    ck_assert_int_eq(read_whole(&head, HEAD_REQUEST, bytes, length), HEAD_DONE);
    ck_assert_uint_eq(head.field_count, FIELDS_MAX);
    length = print_fields(bytes, FIELDS_MAX + 1);
    assert_refused(&head, read_whole(&head, HEAD_REQUEST, bytes, length), 431);
}
END_TEST

/* --- requests that are forwarded ------------------------------------------ */

/** What we say behind the fields when nobody is trusted. */
#define SAYS(host)                                              \
    "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n" \
    "X-Forwarded-Host: " host "\r\n"                            \
    "Forwarded: for=192.0.2.7;host=" host ";proto=http\r\n"
#define NAMES "Via: 1.1 lb\r\nX-Request-Id: id-1\r\n\r\n"

static const struct forwarded {
    const char *in, *out;
    const char *client;
    bool is_trusted;
    unsigned attempt;
    bool passes_trailers;
    bool is_last;
} forwarded[] = {
    {.in = GET "\r\n", .out = GET SAYS("h") NAMES},
    /* order, case and values stay; Host comes first */
    {.in = "GET /x?y HTTP/1.1\r\nB:2\r\nhost:  h \r\na: \t1  2\r\nc: \r\n"
           "d:\r\ne: 1 \t\r\nf:  x\r\nb: 3\r\n\r\n",
     .out = "GET /x?y HTTP/1.1\r\nHost: h\r\nB: 2\r\na: 1  2\r\nc: \r\nd: \r\n"
            "e: 1\r\nf: x\r\nb: 3\r\n" SAYS("h") NAMES},
    /* HTTP/1.0 becomes HTTP/1.1, and is told apart in Via */
    {.in = "GET / HTTP/1.0\r\n\r\n",
     .out = "GET / HTTP/1.1\r\nHost:\r\nX-Forwarded-For: 192.0.2.7\r\n"
            "X-Forwarded-Proto: http\r\nForwarded: for=192.0.2.7;proto=http\r\n"
            "Via: 1.0 lb\r\nX-Request-Id: id-1\r\n\r\n"},
    /* a whole URL replaces Host */
    {.in = "GET http://a/x HTTP/1.1\r\nHost: b\r\n\r\n",
     .out = "GET /x HTTP/1.1\r\nHost: a\r\n" SAYS("a") NAMES},
    {.in = "OPTIONS http://a HTTP/1.1\r\nHost: b\r\n\r\n",
     .out = "OPTIONS * HTTP/1.1\r\nHost: a\r\n" SAYS("a") NAMES},
    /* what is meant for one connection goes */
    {.in = GET "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n"
               "proxy-connection: x\r\nTE: trailers\r\nTrailer: X\r\n"
               "Upgrade: websocket\r\nProxy-Authorization: x\r\nA: 1\r\n\r\n",
     .out = GET "A: 1\r\n" SAYS("h") NAMES},
    /* and what Connection names, in one line or several */
    {.in = GET "X-One: 1\r\nConnection: x-one , ,X-TWO\r\nx-two: 2\r\n"
               "X-Three: 3\r\nconnection:x-four\r\nX-Four: 4\r\n\r\n",
     .out = GET "X-Three: 3\r\n" SAYS("h") NAMES},
    {.in = GET "X-One-More: 1\r\nX-On: 2\r\nConnection: X-One\r\n\r\n",
     .out = GET "X-One-More: 1\r\nX-On: 2\r\n" SAYS("h") NAMES},
    /* but never what says where the body ends, or for whom it is */
    {.in = POST "Connection: Content-Length, Host, Via, X-Forwarded-For\r\n"
                "Content-Length: 5\r\nVia: 1.1 a\r\n\r\n",
     .out = POST "Content-Length: 5\r\n" SAYS(
         "h") "Via: 1.1 a, 1.1 lb\r\nX-Request-Id: id-1\r\n\r\n"},
    /* the framing is ours */
    {.in = POST "content-length: 007\r\nA: 1\r\n\r\n",
     .out = POST "A: 1\r\nContent-Length: 7\r\n" SAYS("h") NAMES},
    {.in = POST "Content-Length: 0\r\n\r\n",
     .out = POST "Content-Length: 0\r\n" SAYS("h") NAMES},
    {.in = POST "transfer-encoding: Chunked\r\nA: 1\r\n\r\n",
     .out = POST "A: 1\r\nTransfer-Encoding: chunked\r\n" SAYS("h") NAMES},
    {.in = POST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
     .out =
         POST "Expect: 100-continue\r\nContent-Length: 5\r\n" SAYS("h") NAMES},
    {.in = "POST / HTTP/1.0\r\nHost: h\r\nExpect: 100-continue\r\n"
           "Content-Length: 5\r\n\r\n",
     .out = POST "Content-Length: 5\r\n" SAYS(
         "h") "Via: 1.0 lb\r\nX-Request-Id: id-1\r\n\r\n"},
    {.in = GET "Connection: keep-alive, upgrade\r\nUpgrade: websocket\r\n\r\n",
     .out =
         GET "Upgrade: websocket\r\nConnection: upgrade\r\n" SAYS("h") NAMES},
    {.in = GET "TE: trailers, gzip\r\nConnection: TE\r\n\r\n",
     .out = GET "TE: trailers\r\nConnection: TE\r\n" SAYS("h") NAMES,
     .passes_trailers = true},
    {.in = GET "\r\n", .out = GET SAYS("h") NAMES, .passes_trailers = true},
    {.in = GET "Connection: keep-alive\r\n\r\n",
     .out = GET "Connection: close\r\n" SAYS("h") NAMES,
     .is_last = true},
    {.in = GET "TE: trailers\r\nConnection: TE\r\n\r\n",
     .out = GET "TE: trailers\r\nConnection: close, TE\r\n" SAYS("h") NAMES,
     .passes_trailers = true,
     .is_last = true},
    {.in = GET "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n",
     .out = GET "Upgrade: websocket\r\nConnection: upgrade\r\n" SAYS("h") NAMES,
     .is_last = true},
    /* what strangers say about themselves is replaced */
    {.in = GET "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\n"
               "X-Forwarded-Host: evil\r\nForwarded: for=1.1.1.1\r\n"
               "X-Request-Id: theirs\r\nX-Steelyard-Attempt: 9\r\n\r\n",
     .out = GET SAYS("h") NAMES},
    /* what listed proxies say stands, and is added to */
    {.in = GET
     "X-Forwarded-For: 1.1.1.1, 2.2.2.2\r\nX-Forwarded-Proto: https\r\n"
     "X-Forwarded-For:\r\nx-forwarded-for: 3.3.3.3\r\nX-Forwarded-Host: good\r\n"
     "Forwarded: for=1.1.1.1;by=_x\r\nX-Request-Id: theirs\r\n"
     "Connection: X-Forwarded-Proto, Forwarded\r\n\r\n",
     .out = GET "X-Forwarded-Proto: https\r\nX-Forwarded-Host: good\r\n"
                "X-Request-Id: theirs\r\n"
                "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 192.0.2.7\r\n"
                "Forwarded: for=1.1.1.1;by=_x, for=192.0.2.7;host=h;proto=http"
                "\r\nVia: 1.1 lb\r\n\r\n",
     .is_trusted = true},
    {.in = GET "\r\n", .out = GET SAYS("h") NAMES, .is_trusted = true},
    /* quotes, where RFC 7239 wants them */
    {.in = "GET / HTTP/1.1\r\nHost: h:80\r\n\r\n",
     .out =
         "GET / HTTP/1.1\r\nHost: h:80\r\nX-Forwarded-For: 2001:db8::1\r\n"
         "X-Forwarded-Proto: http\r\nX-Forwarded-Host: h:80\r\n"
         "Forwarded: for=\"[2001:db8::1]\";host=\"h:80\";proto=http\r\n" NAMES,
     .client = "2001:db8::1"},
    /* Via is a list, in one field or several, and trusted or not */
    {.in = GET "Via: 1.1 a, 1.0 b\r\nvia: 1.1 c\r\n\r\n",
     .out = GET SAYS("h") "Via: 1.1 a, 1.0 b, 1.1 c, 1.1 lb\r\n"
                          "X-Request-Id: id-1\r\n\r\n"},
    {.in = GET "\r\n",
     .out = GET SAYS("h") "Via: 1.1 lb\r\nX-Request-Id: id-1\r\n"
                          "X-Steelyard-Attempt: 2\r\n\r\n",
     .attempt = 2},
};

static struct forward_request facts_of(const struct forwarded *row)
{
    return (struct forward_request){
        .client = text_of(row->client != NULL ? row->client : "192.0.2.7"),
        .scheme = text_of("http"),
        .request_id = text_of("id-1"),
        .via = text_of("lb"),
        .is_trusted = row->is_trusted,
        .attempt = row->attempt,
        .passes_trailers = row->passes_trailers,
        .is_last = row->is_last,
    };
}

static void assert_written(const char *in, const char *out, size_t length,
                           const char *want)
{
    /* cppcheck-suppress uninitvar */
    ck_assert_msg(length == strlen(want) && memcmp(out, want, length) == 0,
                  "of\n%sshould become\n%sand becomes\n%.*s", in, want,
                  (int)length, out);
}

START_TEST(a_request_is_forwarded)
{
    const struct forwarded *row = &forwarded[_i];
    struct forward_request told = facts_of(row);
    char out[ROOM];
    struct head head;

    ck_assert_int_eq(read_whole(&head, HEAD_REQUEST, row->in, strlen(row->in)),
                     HEAD_DONE);
    assert_written(row->in, out,
                   forward_print_request(&head, &told, out, sizeof(out)),
                   row->out);
}
END_TEST

/** Each room up to what is needed, and not a byte beyond it is touched. */
START_TEST(a_request_is_forwarded_whole_or_not_at_all)
{
    const struct forwarded *row = &forwarded[_i];
    struct forward_request told = facts_of(row);
    size_t length = strlen(row->out);
    struct head head;

    read_whole(&head, HEAD_REQUEST, row->in, strlen(row->in));
    for (size_t room = 0; room <= length; room++) {
        char *out = malloc(room + 1);

        out[room] = '#';
        ck_assert_uint_eq(forward_print_request(&head, &told, out, room),
                          room < length ? 0 : length);
        ck_assert_int_eq(out[room], '#');
        free(out);
    }
}
END_TEST

/** The head that grows most: as many fields as may be, without blanks. */
START_TEST(the_largest_head_fits_when_it_is_forwarded)
{
    static const struct forwarded row = {
        .client = "2001:db8:1111:2222:3333:4444:5555:6666", .attempt = 4000000};
    struct forward_request told = facts_of(&row);
    struct forward_response mine = {.via = told.via};
    struct text host;
    char *bytes = malloc(limits.head_bytes);
    char *out = malloc(ROOM);
    struct head head;
    size_t length = print_fields(bytes, FIELDS_MAX);

    memset(bytes + length - 4, 'x', limits.head_bytes - length);
    memcpy(bytes + limits.head_bytes - 4, "\r\n\r\n", 4);
    ck_assert_int_eq(read_whole(&head, HEAD_REQUEST, bytes, limits.head_bytes),
                     HEAD_DONE);
    host = head.authority;
    length = forward_print_request(&head, &told, out, ROOM);
    ck_assert_uint_gt(length, 0);
    ck_assert_uint_le(length, head.length + FORWARD_GROWTH_MAX +
                                  2 * (told.client.length + host.length) +
                                  told.scheme.length + told.via.length +
                                  told.request_id.length);
    memcpy(bytes, "HTTP/1.1 200 A\r\n", 16); /* as long as the line before */
    ck_assert_int_eq(read_whole(&head, HEAD_RESPONSE, bytes, limits.head_bytes),
                     HEAD_DONE);
    length = forward_print_response(&head, &mine, out, ROOM);
    ck_assert_uint_le(length, head.length + FORWARD_GROWTH_MAX);
    free(bytes);
    free(out);
}
END_TEST

/* --- responses that are forwarded ----------------------------------------- */

static const struct forwarded_response {
    const char *in, *out;
    enum head_kind kind;
    enum framing framing;
    bool closes, says_keep_alive;
    const char *cookie, *backend, *date;
} forwarded_responses[] = {
    {.kind = HEAD_RESPONSE,
     .framing = FRAMING_LENGTH,
     .in = "HTTP/1.0 200 Fine\r\nA:1\r\nContent-Length: 005\r\n\r\n",
     .out = "HTTP/1.1 200 Fine\r\nA: 1\r\nContent-Length: 5\r\nVia: 1.0 lb\r\n"
            "\r\n"},
    {.kind = HEAD_RESPONSE,
     .framing = FRAMING_CHUNKED,
     .in = "HTTP/1.1 404\r\nTransfer-Encoding: chunked\r\nVia: 1.1 x\r\n"
           "Connection: a\r\nA: 1\r\nSet-Cookie: s=1\r\nSet-Cookie: t=2\r\n"
           "\r\n",
     .out = "HTTP/1.1 404 \r\nSet-Cookie: s=1\r\nSet-Cookie: t=2\r\n"
            "Transfer-Encoding: chunked\r\nVia: 1.1 x, 1.1 lb\r\n\r\n"},
    /* a client of HTTP/1.0 */
    {.kind = HEAD_RESPONSE,
     .framing = FRAMING_CLOSE,
     .closes = true,
     .in = OK "Transfer-Encoding: chunked\r\n\r\n",
     .out = OK "Connection: close\r\nVia: 1.1 lb\r\n\r\n"},
    {.kind = HEAD_RESPONSE,
     .framing = FRAMING_LENGTH,
     .says_keep_alive = true,
     .in = OK "Content-Length: 5\r\nKeep-Alive: timeout=5\r\n\r\n",
     .out = OK "Content-Length: 5\r\nConnection: keep-alive\r\nVia: 1.1 lb\r\n"
               "\r\n"},
    /* the end of the backend's connection becomes a last chunk */
    {.kind = HEAD_RESPONSE,
     .framing = FRAMING_CHUNKED,
     .in = OK "Connection: close\r\n\r\n",
     .out = OK "Transfer-Encoding: chunked\r\nVia: 1.1 lb\r\n\r\n"},
    /* no body, and yet a length */
    {.kind = HEAD_RESPONSE_TO_HEAD,
     .framing = FRAMING_NONE,
     .in = OK "Content-Length: 5\r\n\r\n",
     .out = OK "Content-Length: 5\r\nVia: 1.1 lb\r\n\r\n"},
    {.kind = HEAD_RESPONSE_TO_HEAD,
     .framing = FRAMING_NONE,
     .in = OK "Transfer-Encoding: chunked\r\n\r\n",
     .out = OK "Via: 1.1 lb\r\n\r\n"},
    {.kind = HEAD_RESPONSE,
     .framing = FRAMING_NONE,
     .in = "HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n",
     .out = "HTTP/1.1 304 X\r\nContent-Length: 5\r\nVia: 1.1 lb\r\n\r\n"},
    {.kind = HEAD_RESPONSE,
     .framing = FRAMING_NONE,
     .in = "HTTP/1.1 204 X\r\nContent-Length: 0\r\n\r\n",
     .out = "HTTP/1.1 204 X\r\nVia: 1.1 lb\r\n\r\n"},
    {.kind = HEAD_RESPONSE,
     .framing = FRAMING_NONE,
     .in = OK "Content-Length: 0\r\n\r\n",
     .out = OK "Content-Length: 0\r\nVia: 1.1 lb\r\n\r\n"},
    /* what we add, but not to 1xx */
    {.kind = HEAD_RESPONSE,
     .framing = FRAMING_LENGTH,
     .cookie = "lb=1; Path=/",
     .backend = "web-1",
     .date = "Sat, 21 Nov 2026 09:00:00 GMT",
     .in = OK "Content-Length: 5\r\nX-Steelyard-Backend: forged\r\n\r\n",
     .out = OK "Content-Length: 5\r\nDate: Sat, 21 Nov 2026 09:00:00 GMT\r\n"
               "Set-Cookie: lb=1; Path=/\r\nX-Steelyard-Backend: web-1\r\n"
               "Via: 1.1 lb\r\n\r\n"},
    {.kind = HEAD_RESPONSE,
     .framing = FRAMING_LENGTH,
     .date = "now",
     .in =
         OK "Content-Length: 5\r\nDate: then\r\nX-Steelyard-Backend: a\r\n\r\n",
     .out = OK "Date: then\r\nX-Steelyard-Backend: a\r\nContent-Length: 5\r\n"
               "Via: 1.1 lb\r\n\r\n"},
    {.kind = HEAD_RESPONSE,
     .framing = FRAMING_NONE,
     .cookie = "lb=1",
     .backend = "web-1",
     .date = "now",
     .closes = true,
     .in = "HTTP/1.1 103 Early Hints\r\nLink: x\r\nContent-Length: 0\r\n\r\n",
     .out = "HTTP/1.1 103 Early Hints\r\nLink: x\r\nVia: 1.1 lb\r\n\r\n"},
    {.kind = HEAD_RESPONSE,
     .framing = FRAMING_NONE,
     .in = "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade, x\r\n"
           "Upgrade: websocket\r\nX: 1\r\n\r\n",
     .out = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
            "Connection: upgrade\r\nVia: 1.1 lb\r\n\r\n"},
};

static struct forward_response decided(const struct forwarded_response *row)
{
    return (struct forward_response){
        .framing = row->framing,
        .closes = row->closes,
        .says_keep_alive = row->says_keep_alive,
        .via = text_of("lb"),
        .cookie = text_of(row->cookie != NULL ? row->cookie : ""),
        .backend = text_of(row->backend != NULL ? row->backend : ""),
        .date = text_of(row->date != NULL ? row->date : ""),
    };
}

START_TEST(a_response_is_forwarded)
{
    const struct forwarded_response *row = &forwarded_responses[_i];
    struct forward_response told = decided(row);
    size_t length = strlen(row->out);
    char out[ROOM];
    struct head head;

    ck_assert_int_eq(read_whole(&head, row->kind, row->in, strlen(row->in)),
                     HEAD_DONE);
    assert_written(row->in, out,
                   forward_print_response(&head, &told, out, sizeof(out)),
                   row->out);
    for (size_t room = 0; room <= length; room++) {
        out[room] = '#';
        ck_assert_uint_eq(forward_print_response(&head, &told, out, room),
                          room < length ? 0 : length);
        ck_assert_int_eq(out[room], '#');
    }
}
END_TEST

/* --- bodies --------------------------------------------------------------- */

#define CHUNKED FRAMING_CHUNKED, 0

static const struct whole_body {
    enum framing framing;
    uint64_t body_length;
    const char *raw;
    size_t raw_length;
    const char *content;
    size_t used; /**< of `raw`; the rest belongs to the next message */
    const char *trailers;
} whole_bodies[] = {
    {FRAMING_NONE, 0, BYTES("next"), "", 0, ""},
    {FRAMING_LENGTH, 0, BYTES("next"), "", 0, ""},
    {FRAMING_LENGTH, 5, BYTES("hello"), "hello", 5, ""},
    {FRAMING_LENGTH, 5, BYTES("helloGET /"), "hello", 5, ""},
    {CHUNKED, BYTES("0\r\n\r\n"), "", 5, ""},
    {CHUNKED, BYTES("0\r\n\r\nGET /"), "", 5, ""},
    {CHUNKED, BYTES("5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n"), "helloabc", 23, ""},
    {CHUNKED, BYTES("00000000000000A\r\n0123456789\r\n000\r\n\r\n"),
     "0123456789", 36, ""},
    {CHUNKED, BYTES("a\r\n0\r\n\r\n01234\r\n0\r\n\r\n"), "0\r\n\r\n01234", 20,
     ""},
    {CHUNKED, BYTES("1;a=b;c=\"d;\"\r\nx\r\n0 ;e\r\n\r\n"), "x", 25, ""},
    {CHUNKED, BYTES("1 \t ; a\t=\xff b\r\nx\r\n0;\r\n\r\n"), "x", 23, ""},
    {CHUNKED, BYTES("1\r\nx\r\n0\r\nA: 1\r\nB:2\r\n\r\nGET /"), "x", 22,
     "A: 1\r\nB:2\r\n"},
};

/** A body of which the head says so. */
static void begin(struct body *body, enum framing framing, uint64_t length)
{
    struct head head;

    head_begin(&head, HEAD_RESPONSE, &limits);
    head.framing = framing;
    head.body_length = length;
    body_begin(body, &head);
}

/** What has been read of a body so far. */
struct reading {
    struct body body;
    char content[ROOM];
    size_t made; /**< bytes of content */
    size_t used; /**< bytes of the raw body */
    enum body_result result;
    char trailers[ROOM];
};

/** Read on with what is there up to `come`, in memory of exactly its size. */
static void read_on(struct reading *reading, const char *raw, size_t come)
{
    size_t length = come - reading->used;
    char *copy = exactly(raw + reading->used, length);
    bool was_done = body_is_done(&reading->body);
    struct text trailers;
    size_t used, made;

    reading->result = body_read(&reading->body, copy, length, &used, &made);
    ck_assert_uint_le(used, length);
    ck_assert_uint_le(made, used);
    memcpy(reading->content + reading->made, copy, made);
    reading->made += made;
    reading->used += used;
    trailers = was_done ? text_of(reading->trailers) : reading->body.trailers;
    memmove(reading->trailers, trailers.at, trailers.length);
    reading->trailers[trailers.length] = '\0';
    free(copy);
}

/** Read a body of which first so many bytes come, then so many more, ... */
static void read_body(struct reading *reading, const char *raw, size_t length,
                      size_t first, size_t piece)
{
    size_t come = first;

    reading->made = reading->used = 0;
    reading->result = BODY_MORE;
    for (;;) {
        come = come < length ? come : length;
        read_on(reading, raw, come);
        if (reading->result != BODY_MORE || come == length)
            return;
        come += piece;
    }
}

static void assert_whole(const struct reading *reading,
                         const struct whole_body *row)
{
    ck_assert_msg(reading->result == BODY_DONE, "of \"%s\": %s", row->raw,
                  reading->body.why != NULL ? reading->body.why : "not done");
    ck_assert(body_is_done(&reading->body));
    ck_assert_uint_eq(reading->made, strlen(row->content));
    ck_assert_mem_eq(reading->content, row->content, reading->made);
    ck_assert_uint_eq(reading->used, row->used);
    ck_assert_str_eq(reading->trailers, row->trailers);
}

START_TEST(a_body_is_read_however_it_is_cut)
{
    const struct whole_body *row = &whole_bodies[_i];
    static struct reading reading;

    for (size_t first = 0; first <= row->raw_length; first++) {
        begin(&reading.body, row->framing, row->body_length);
        read_body(&reading, row->raw, row->raw_length, first, ROOM);
        assert_whole(&reading, row);
    }
    for (size_t piece = 1; piece <= row->raw_length; piece++) {
        begin(&reading.body, row->framing, row->body_length);
        read_body(&reading, row->raw, row->raw_length, piece, piece);
        assert_whole(&reading, row);
    }
}
END_TEST

/** Before its end, a body is not done, and its connection may not end. */
START_TEST(a_body_that_is_cut_short_is_known)
{
    const struct whole_body *row = &whole_bodies[_i];
    static struct reading reading;

    for (size_t come = 0; come < row->used; come++) {
        begin(&reading.body, row->framing, row->body_length);
        read_body(&reading, row->raw, come, come, 1);
        ck_assert_int_eq(reading.result, BODY_MORE);
        ck_assert(!body_end(&reading.body));
    }
    begin(&reading.body, row->framing, row->body_length);
    read_body(&reading, row->raw, row->used, 1, 1);
    ck_assert(body_end(&reading.body));
    read_on(&reading, row->raw, row->raw_length); /* what is done stays so */
    assert_whole(&reading, row);
}
END_TEST

START_TEST(bytes_may_go_past_a_body)
{
    struct body body = {.framing = FRAMING_LENGTH};
    struct head head = {.framing = FRAMING_LENGTH, .body_length = 10};
    char bytes[] = "0123456789";
    size_t used, made;

    body_begin(&body, &head);
    body_pass(&body, 4);
    ck_assert(!body_is_done(&body));
    ck_assert_int_eq(body_read(&body, bytes, 3, &used, &made), BODY_MORE);
    ck_assert_uint_eq(used, 3);
    body_pass(&body, 3);
    ck_assert(body_is_done(&body));
    head.framing = FRAMING_CLOSE;
    body_begin(&body, &head);
    body_pass(&body, UINT64_MAX);
    ck_assert(!body_is_done(&body));
    ck_assert(body_end(&body));
}
END_TEST

START_TEST(a_body_may_end_with_its_connection)
{
    static struct reading reading;

    begin(&reading.body, FRAMING_CLOSE, 0);
    read_body(&reading, BYTES("all that comes"), 1, 1);
    ck_assert_int_eq(reading.result, BODY_MORE);
    ck_assert_uint_eq(reading.made, strlen("all that comes"));
    ck_assert(!body_is_done(&reading.body));
    ck_assert(body_end(&reading.body));
    ck_assert(body_is_done(&reading.body));
}
END_TEST

static const struct {
    const char *raw;
    size_t length;
} refused_bodies[] = {
    {BYTES("\r\n")},
    {BYTES(";a\r\n")},
    {BYTES(" 5\r\nhello")},
    {BYTES("\t5\r\nhello")},
    {BYTES("+5\r\nhello")},
    {BYTES("-5\r\nhello")},
    {BYTES("0x5\r\nhello")},
    {BYTES("g\r\n")},
    {BYTES("5 \r\nhello")},
    {BYTES("5 5\r\nhello")},
    {BYTES("5\nhello")},
    {BYTES("5\rhello")},
    {BYTES("5,\r\nhello")},
    {BYTES("5;a\nhello")},
    {BYTES("5;a\rb\r\nhello")},
    {BYTES("5;a\0\r\nhello")},
    {BYTES("5;\x7f\r\nhello")},
    {BYTES("5\r\nhelloX\r\n")},
    {BYTES("5\r\nhelloX\n0\r\n\r\n")},
    {BYTES("5\r\nhello\n0\r\n\r\n")},
    {BYTES("5\r\nhello\rX")},
    {BYTES("5\r\nhello0\r\n\r\n")},
    {BYTES("1000000000000000\r\n")},
    {BYTES("0000000000000005\r\nhello")},
    {BYTES("10000000000000005\r\nhello")},
    {BYTES("0\r\n\n")},
    {BYTES("0\r\n\rX")},
    {BYTES("0\r\nA: b\n\r\n")},
    {BYTES("0\r\nA: b\r\r\n")},
    {BYTES("0\r\nA: \0\r\n\r\n")},
    {BYTES("0\r\nA\r\n\r\n")},
    {BYTES("0\r\nA : b\r\n\r\n")},
    {BYTES("0\r\n A: b\r\n\r\n")},
    {BYTES("0\r\nA: b\r\n c\r\n\r\n")},
    {BYTES("0\r\n: b\r\n\r\n")},
    {BYTES("0\r\nGET / HTTP/1.1\r\n\r\n")},
};

START_TEST(ambiguous_chunks_are_refused_however_they_are_cut)
{
    const char *raw = refused_bodies[_i].raw;
    size_t length = refused_bodies[_i].length;
    static struct reading reading;
    const char *why;

    begin(&reading.body, CHUNKED);
    read_body(&reading, raw, length, length, 1);
    ck_assert_int_eq(reading.result, BODY_REFUSED);
    ck_assert_ptr_nonnull(why = reading.body.why);
    ck_assert(!body_end(&reading.body));
    for (size_t first = 0; first <= length; first++) {
        begin(&reading.body, CHUNKED);
        read_body(&reading, raw, length, first, first % 3 + 1);
        ck_assert_int_eq(reading.result, BODY_REFUSED);
        ck_assert_str_eq(reading.body.why, why);
    }
    read_on(&reading, raw, reading.used); /* what is refused stays so */
    ck_assert_int_eq(reading.result, BODY_REFUSED);
}
END_TEST

/** A chunk whose size line has so many bytes, or trailers of so many. */
static size_t print_long(char *raw, size_t bytes, bool in_trailers)
{
    static const char rest[] = "x\r\n0\r\n\r\n";
    const char *begins = in_trailers ? "0\r\nA:" : "1;";
    size_t all = in_trailers ? 3 + bytes : bytes;

    memset(raw, 'x', all);
    memcpy(raw, begins, strlen(begins));
    memcpy(raw + all - 2, "\r\n", 2);
    if (in_trailers) {
        memcpy(raw + all - 4, "\r\n", 2);
        return all;
    }
    memcpy(raw + all, rest, sizeof(rest) - 1);
    return all + sizeof(rest) - 1;
}

START_TEST(size_lines_and_trailers_have_limits)
{
    static char raw[ROOM];
    static struct reading reading;
    const size_t most = _i == 1 ? TRAILERS_MAX : CHUNK_LINE_MAX;

    for (size_t more = 0; more < 3; more++) {
        size_t length = print_long(raw, most + more, _i == 1);

        for (size_t first = most - 2; first <= length; first++) {
            begin(&reading.body, CHUNKED);
            read_body(&reading, raw, length, first, 1);
            ck_assert_int_eq(reading.result,
                             more == 0 ? BODY_DONE : BODY_REFUSED);
        }
    }
    begin(&reading.body, CHUNKED); /* no more room is wanted than promised */
    read_body(&reading, raw, 3 + most, 3 + most, 1);
    ck_assert_int_eq(reading.result, BODY_REFUSED);
}
END_TEST

/* --- chunks that are written ---------------------------------------------- */

START_TEST(a_chunk_size_is_written)
{
    static const struct {
        size_t length;
        const char *line;
    } sizes[] = {{1, "1\r\n"},
                 {10, "a\r\n"},
                 {16, "10\r\n"},
                 {255, "ff\r\n"},
                 {65536, "10000\r\n"},
                 {0, "0\r\n"},
                 {SIZE_MAX, "ffffffffffffffff\r\n"}};

    for (int i = 0; i < COUNT(sizes); i++) {
        char out[CHUNK_PRINT_MAX + 1] = {0};
        size_t length = chunk_print(sizes[i].length, out);

        ck_assert_str_eq(out, sizes[i].line);
        ck_assert_uint_eq(length, strlen(sizes[i].line));
        ck_assert_uint_le(length, CHUNK_PRINT_MAX);
    }
}
END_TEST

START_TEST(only_harmless_trailers_pass)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", "0\r\n\r\n"},
        {"A: 1\r\nB:2\r\n", "0\r\nA: 1\r\nB:2\r\n\r\n"},
        {"grpc-status: 0\r\n", "0\r\ngrpc-status: 0\r\n\r\n"},
        {"Content-Length: 5\r\nA: 1\r\ntransfer-encoding: chunked\r\n",
         "0\r\nA: 1\r\n\r\n"},
        {"HOST: x\r\nConnection: a\r\nTE: x\r\nTrailer: x\r\nUpgrade: x\r\n"
         "Keep-Alive: x\r\nSet-Cookie: x\r\ncookie: x\r\nauthorization: x\r\n"
         "Content-Type: x\r\nCache-Control: x\r\nX-Forwarded-For: x\r\n",
         "0\r\n\r\n"},
    };

    for (int i = 0; i < COUNT(rows); i++) {
        size_t room = strlen(rows[i].in) + 5;
        char *out = malloc(room);
        size_t length = chunk_print_last(text_of(rows[i].in), out, room);

        assert_written(rows[i].in, out, length, rows[i].out);
        free(out);
    }
}
END_TEST

START_TEST(trailers_without_room_are_left_out)
{
    static const char trailers[] = "A: 1\r\nB: 2\r\n";
    char out[32];

    for (size_t room = 0; room <= sizeof(trailers) + 5; room++) {
        size_t length;

        out[room] = '#';
        length = chunk_print_last(text_of(trailers), out, room);
        ck_assert_int_eq(out[room], '#');
        ck_assert_uint_eq(length, room < 5    ? 0
                                  : room < 11 ? 5
                                  : room < 17 ? 11
                                              : 17);
    }
}
END_TEST

/* --- by chance ------------------------------------------------------------ */

/** Pieces that heads are made of, good ones and bad ones. */
static const char *const scraps[] = {
    "GET / HTTP/1.1\r\n",
    "POST /a HTTP/1.1\r\n",
    "HTTP/1.1 200 OK\r\n",
    "Host: h\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 5, 5\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: close, Host\r\n",
    "Connection: a,b\r\n",
    "Expect: 100-continue\r\n",
    "a: b\r\n",
    "b:\t\r\n",
    " folded\r\n",
    "\r\n",
    "\r\n",
    "\n",
    "\r",
    ":",
    " ",
};

/** A head, or what one could take for it; returns its length. */
static size_t make_up(char *bytes, size_t room, uint64_t *seed)
{
    size_t count = sizeof(scraps) / sizeof(scraps[0]);
    size_t length = 0;

    length +=
        (size_t)snprintf(bytes, room, "%s%s", scraps[unit_chance(seed, 3)],
                         unit_chance(seed, 8) > 0 ? scraps[3] : "");
    for (uint32_t left = unit_chance(seed, 8); left > 0; left--)
        length += (size_t)snprintf(bytes + length, room - length, "%s",
                                   scraps[unit_chance(seed, (uint32_t)count)]);
    length += (size_t)snprintf(bytes + length, room - length, "\r\n");
    if (unit_chance(seed, 4) == 0)
        bytes[unit_chance(seed, (uint32_t)length)] =
            (char)unit_chance(seed, 256);
    return length;
}

START_TEST(by_chance_all_cuts_agree)
{
    uint64_t seed = (uint64_t)_i;
    unsigned done = 0, too_few = 0, bad = 0;

    for (int round = 0; round < 1000; round++) {
        enum head_kind kind = round % 2 == 0 ? HEAD_REQUEST : HEAD_RESPONSE;
        char bytes[1024];
        size_t length = make_up(bytes, sizeof(bytes), &seed);
        size_t first = unit_chance(&seed, (uint32_t)length + 1);
        size_t piece = 1 + unit_chance(&seed, 30);
        struct head whole, cut;
        enum head_result result = read_whole(&whole, kind, bytes, length);

        ck_assert_int_eq(read_pieces(&cut, kind, bytes, length, first, piece),
                         result);
        assert_same(&whole, &cut);
        done += result == HEAD_DONE;
        too_few += result == HEAD_MORE;
        bad += result == HEAD_REFUSED;
    }
    ck_assert_msg(done > 50 && bad > 50 && too_few > 0,
                  "chance is too one-sided: %u, %u, %u", done, bad, too_few);
}
END_TEST

/* --- answers of our own --------------------------------------------------- */

START_TEST(an_answer_of_our_own_is_whole)
{
    static const char bare[] = "HTTP/1.1 503 Service Unavailable\r\n"
                               "Content-Type: text/plain; charset=utf-8\r\n"
                               "Content-Length: 38\r\n"
                               "Cache-Control: no-store\r\n"
                               "Retry-After: 5\r\n"
                               "X-Request-Id: id-1\r\n"
                               "Connection: close\r\n\r\n";
    struct answer answer = {
        .status = 503,
        .why = "all are down",
        .retry_after = 5,
        .request_id = text_of("id-1"),
        .is_bare = true,
        .closes = true,
    };
    char out[ANSWER_BYTES_MAX];
    char whole[sizeof(bare) + 64];

    assert_written("bare", out, answer_print(&answer, out, sizeof(out)), bare);
    answer.is_bare = false;
    snprintf(whole, sizeof(whole), "%s%s", bare,
             "503 Service Unavailable: all are down\n");
    assert_written("whole", out, answer_print(&answer, out, sizeof(out)),
                   whole);
}
END_TEST

START_TEST(an_answer_has_room_whatever_it_says)
{
    char why[5000], id[5000], out[ANSWER_BYTES_MAX];
    struct answer answer = {
        .status = 431,
        .why = why,
        .retry_after = UINT32_MAX,
        .request_id = {id, sizeof(id)},
        .closes = true,
    };
    struct head head;
    size_t length;

    memset(why, 'w', sizeof(why) - 1);
    why[sizeof(why) - 1] = '\0';
    memset(id, 'i', sizeof(id));
    length = answer_print(&answer, out, sizeof(out));
    ck_assert_uint_gt(length, 0);
    ck_assert_int_eq(read_whole(&head, HEAD_RESPONSE, out, length), HEAD_DONE);
    ck_assert_uint_eq(head.length + head.body_length, length);
    ck_assert_uint_eq(answer_print(&answer, out, length), 0);
}
END_TEST

START_TEST(each_status_that_we_give_has_words)
{
    static const unsigned statuses[] = {400, 403, 404, 405, 408, 411,
                                        413, 414, 417, 426, 429, 431,
                                        500, 501, 502, 503, 504, 505};

    for (int i = 0; i < COUNT(statuses); i++)
        ck_assert_str_ne(status_words(statuses[i]), "Unknown");
    ck_assert_str_eq(status_words(502), "Bad Gateway");
    ck_assert_str_eq(status_words(299), "Unknown");
}
END_TEST

/* -------------------------------------------------------------------------- */

static void add_heads(Suite *suite)
{
    unit_add(suite, texts_are_compared, 1);
    unit_add(suite, lists_are_taken_apart, 1);
    unit_add(suite, numbers_are_read, COUNT(numbers));
    unit_add(suite, a_number_is_written_in_digits, COUNT(printed));
    unit_add(suite, a_good_request_is_read, COUNT(accepted));
    unit_add(suite, what_follows_a_head_is_not_looked_at, COUNT(accepted));
    unit_add(suite, reading_goes_on_where_it_stopped, 1);
    unit_add(suite, each_known_method_is_told, 1);
    unit_add(suite, each_known_field_is_told, 1);
    unit_add(suite, fields_are_found, 1);
    unit_add(suite, fields_for_one_connection_are_told, 1);
    unit_add(suite, what_follows_from_the_fields_is_told, COUNT(facts));
    unit_add(suite, an_ambiguous_request_is_refused, COUNT(refused));
    unit_add(suite, a_refused_request_tells_what_it_wanted, 1);
    unit_add(suite, a_good_response_is_read, COUNT(responses));
    unit_add(suite, an_ambiguous_response_is_refused, COUNT(refused_responses));
    unit_add(suite, a_head_may_be_as_large_as_the_limit, 1);
    unit_add(suite, a_head_may_not_be_larger, 1);
    unit_add(suite, empty_lines_without_end_are_refused, 1);
    unit_add(suite, a_target_may_not_be_longer_than_the_limit, 1);
    unit_add(suite, a_host_may_not_be_longer_than_its_limit, 1);
    unit_add(suite, a_fault_near_the_limit_is_judged_alike_however_it_is_cut,
             2);
    unit_add(suite, there_may_be_so_many_fields_and_no_more, 1);
    unit_add(suite, by_chance_all_cuts_agree, 8);
}

static void add_the_rest(Suite *suite)
{
    unit_add(suite, a_request_is_forwarded, COUNT(forwarded));
    unit_add(suite, a_request_is_forwarded_whole_or_not_at_all,
             COUNT(forwarded));
    unit_add(suite, the_largest_head_fits_when_it_is_forwarded, 1);
    unit_add(suite, a_response_is_forwarded, COUNT(forwarded_responses));
    unit_add(suite, a_body_is_read_however_it_is_cut, COUNT(whole_bodies));
    unit_add(suite, a_body_that_is_cut_short_is_known, COUNT(whole_bodies));
    unit_add(suite, bytes_may_go_past_a_body, 1);
    unit_add(suite, a_body_may_end_with_its_connection, 1);
    unit_add(suite, ambiguous_chunks_are_refused_however_they_are_cut,
             COUNT(refused_bodies));
    unit_add(suite, size_lines_and_trailers_have_limits, 2);
    unit_add(suite, a_chunk_size_is_written, 1);
    unit_add(suite, only_harmless_trailers_pass, 1);
    unit_add(suite, trailers_without_room_are_left_out, 1);
    unit_add(suite, an_answer_of_our_own_is_whole, 1);
    unit_add(suite, an_answer_has_room_whatever_it_says, 1);
    unit_add(suite, each_status_that_we_give_has_words, 1);
}

/* --- single values ------------------------------------------------------------ */

/** The head of a request with these field lines. */
static void head_with(struct head *head, const char *fields)
{
    static char bytes[1024];
    int length = snprintf(bytes, sizeof(bytes),
                          "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);

    head_begin(head, HEAD_REQUEST, &limits);
    ck_assert_int_eq(head_read(head, bytes, (size_t)length), HEAD_DONE);
}

START_TEST(the_first_field_with_a_name_is_found)
{
    struct head head;

    head_with(&head, "X-One: 1\r\nx-two:  2 2 \r\nX-Two: 3\r\nX-None:\r\n");
    assert_text(field_value(&head, "x-one"), "1", "x-one");
    assert_text(field_value(&head, "X-Two"), "2 2", "X-Two");
    assert_text(field_value(&head, "Host"), "a", "Host");
    assert_text(field_value(&head, "X-None"), "", "X-None");
    assert_text(field_value(&head, "X-On"), "", "X-On");
    assert_text(field_value(&head, "X-One-More"), "", "X-One-More");
}
END_TEST

static const struct cookie {
    const char *fields;
    const char *name;
    const char *value;
} cookies[] = {
    {"Cookie: a=1\r\n", "a", "1"},
    {"Cookie: a=1; b=2; c=3\r\n", "b", "2"},
    {"Cookie: a=1; b=2; c=3\r\n", "c", "3"},
    {"cookie:a=1;b=2\r\n", "b", "2"},
    {"Cookie:  a=1 ;  b=2 \r\n", "b", "2"},
    {"Cookie: a=1; a=2\r\n", "a", "1"},
    {"Cookie: a=1\r\nCookie: b=2\r\n", "b", "2"},
    {"Cookie: b=1\r\nCookie: b=2\r\n", "b", "1"},
    {"Cookie: aa=1; a=2\r\n", "a", "2"},
    {"Cookie: a=1; aa=2\r\n", "aa", "2"},
    {"Cookie: ba=1\r\n", "a", ""},
    {"Cookie: A=1\r\n", "a", ""},
    {"Cookie: a=b=c\r\n", "a", "b=c"},
    {"Cookie: a=\"q\"\r\n", "a", "\"q\""},
    {"Cookie: a=\r\n", "a", ""},
    {"Cookie: a; b=2\r\n", "a", ""},
    {"Cookie: a; b=2\r\n", "b", "2"},
    {"Cookie: ;; b=2;\r\n", "b", "2"},
    {"Cookie: x=a=1; y=2\r\n", "a", ""},
    {"Cookie:\r\n", "a", ""},
    {"X-Cookie: a=1\r\nSet-Cookie: a=1\r\n", "a", ""},
    {"", "a", ""},
};

START_TEST(a_cookie_is_found)
{
    struct head head;

    head_with(&head, cookies[_i].fields);
    assert_text(cookie_value(&head, cookies[_i].name), cookies[_i].value,
                cookies[_i].fields);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("final http");

    add_heads(suite);
    add_the_rest(suite);
    unit_add(suite, the_first_field_with_a_name_is_found, 1);
    unit_add(suite, a_cookie_is_found, COUNT(cookies));
    return unit_run(suite);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * http.c of a chapter: bytes in, facts out. No socket is needed, so everything
 * is tried that the network could do, and much that it rarely does.
 *
 * Each head is read from memory of exactly its size: with AddressSanitizer, one
 * byte read too many ends the test.
 */
#include "http.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define GET  "GET / HTTP/1.1\r\nHost: h\r\n"
#define POST "POST / HTTP/1.1\r\nHost: h\r\n"
#define HEAD "HEAD / HTTP/1.1\r\nHost: h\r\n"

/** A copy that ends where the bytes end. The caller frees it. */
static char *exactly(const char *bytes, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, length);
    return copy;
}

/** Read a head in one go. Its texts are views into `bytes`, not the copy. */
static enum head_result read_whole(struct head *head, const char *bytes,
                                   size_t length)
{
    char *copy = exactly(bytes, length);

    head_read(head, copy, length);
    free(copy);
    return head_read(head, bytes, length);
}

/** Read a head that grows by so many bytes; 0: by chance. */
static enum head_result read_cut(struct head *head, const char *bytes,
                                 size_t length, size_t piece, uint64_t *seed)
{
    enum head_result result = HEAD_MORE;
    size_t come = 0;

    *head = (struct head){.length = 0};
    while (result == HEAD_MORE && come < length) {
        come += piece > 0 ? piece : 1 + unit_chance(seed, 60);
        come = come < length ? come : length;
        result = read_whole(head, bytes, come);
    }
    return result;
}

static void assert_text(struct text text, const char *word, const char *what)
{
    ck_assert_msg(text_is(text, word), "%s should be \"%s\", and is \"%.*s\"",
                  what, word, (int)text.length, text.at);
}

/* --- what is accepted ----------------------------------------------------- */

static const struct accepted {
    const char *bytes;
    const char *method, *target;
    unsigned minor;
    size_t fields;
    uint64_t body_length;
} accepted[] = {
    {GET "\r\n", "GET", "/", 1, 1, 0},
    {"GET /a?b=c%20d HTTP/1.1\r\nhOsT:h\r\n\r\n", "GET", "/a?b=c%20d", 1, 1, 0},
    {"GET / HTTP/1.0\r\n\r\n", "GET", "/", 0, 0, 0},
    {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS", "*", 1, 1, 0},
    {"GET http://h/x HTTP/1.1\r\nHost: h\r\n\r\n", "GET", "http://h/x", 1, 1,
     0},
    {"GET HTTP://h/x HTTP/1.1\r\nHost: h\r\n\r\n", "GET", "HTTP://h/x", 1, 1,
     0},
    {"x!#$%&'*+-.^_`|~9 / HTTP/1.1\r\nHost: h\r\n\r\n", "x!#$%&'*+-.^_`|~9",
     "/", 1, 1, 0},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET", "/", 1, 1, 0},
    {GET "A: \t b \t c \t\r\n\r\n", "GET", "/", 1, 2, 0},
    {GET "A: a:b::c\r\nA: \r\n\r\n", "GET", "/", 1, 3, 0},
    {GET "A: \xc3\xa4\xff\r\n\r\n", "GET", "/", 1, 2, 0},
    {POST "Content-Length: 0\r\n\r\n", "POST", "/", 1, 2, 0},
    {POST "content-length:\t12 \r\n\r\n", "POST", "/", 1, 2, 12},
    {POST "Content-Length: 000000000000000007\r\n\r\n", "POST", "/", 1, 2, 7},
    {POST "Content-Length: 999999999999999999\r\n\r\n", "POST", "/", 1, 2,
     UINT64_C(999999999999999999)},
    {POST "Content-Length: 5\r\n\r\nab\0\r\n\r\nGET / HTTP/9", "POST", "/", 1,
     2, 5},
};

static void assert_accepted(const struct accepted *row, const struct head *head)
{
    assert_text(head->method, row->method, "the method");
    assert_text(head->target, row->target, "the target");
    ck_assert_uint_eq(head->minor, row->minor);
    ck_assert_uint_eq(head->field_count, row->fields);
    ck_assert_uint_eq(head->body_length, row->body_length);
    ck_assert_uint_eq(head->status, 0);
}

START_TEST(a_good_head_is_read)
{
    const struct accepted *row = &accepted[_i];
    const char *end = strstr(row->bytes, "\r\n\r\n");
    size_t length = (size_t)(end - row->bytes) + 4;
    struct head head;

    ck_assert_int_eq(read_whole(&head, row->bytes, length), HEAD_DONE);
    assert_accepted(row, &head);
    ck_assert_uint_eq(head.length, length);
}
END_TEST

START_TEST(a_good_head_is_read_however_it_is_cut)
{
    const struct accepted *row = &accepted[_i];
    const char *end = strstr(row->bytes, "\r\n\r\n");
    size_t length = (size_t)(end - row->bytes) + 4;
    struct head head;

    for (size_t come = 0; come < length; come++)
        ck_assert_msg(read_whole(&head, row->bytes, come) == HEAD_MORE,
                      "%zu of %zu bytes should be too few; status %u, %s", come,
                      length, head.status, head.why != NULL ? head.why : "");
    for (size_t piece = 1; piece <= length; piece++) {
        ck_assert_int_eq(read_cut(&head, row->bytes, length, piece, NULL),
                         HEAD_DONE);
        assert_accepted(row, &head);
    }
}
END_TEST

START_TEST(what_follows_a_head_is_not_looked_at)
{
    static const char body[] = "\0\n\r\x7f GET / HTTP/7 \r\n\r\n";
    const struct accepted *row = &accepted[_i];
    const char *end = strstr(row->bytes, "\r\n\r\n");
    size_t length = (size_t)(end - row->bytes) + 4;
    char bytes[1024];
    struct head head;

    memcpy(bytes, row->bytes, length);
    memcpy(bytes + length, body, sizeof(body));
    for (size_t more = 0; more <= sizeof(body); more++) {
        ck_assert_int_eq(read_whole(&head, bytes, length + more), HEAD_DONE);
        assert_accepted(row, &head);
        ck_assert_uint_eq(head.length, length);
    }
}
END_TEST

START_TEST(blanks_around_a_value_are_cut_off)
{
    static const char bytes[] = GET "A: \t b \t c \t\r\nB:x\r\nC: \r\n\r\n";
    struct head head;

    ck_assert_int_eq(read_whole(&head, bytes, sizeof(bytes) - 1), HEAD_DONE);
    assert_text(head.fields[1].value, "b \t c", "the value of A");
    assert_text(head.fields[2].value, "x", "the value of B");
    assert_text(head.fields[3].value, "", "the value of C");
}
END_TEST

static const struct expecting {
    const char *bytes;
    bool expects;
} expecting[] = {
    {POST "Expect: 100-continue\r\n\r\n", true},
    {POST "eXPECT: 100-Continue\r\n\r\n", true},
    {POST "Expect: something-else\r\n\r\n", false},
    {POST "\r\n", false},
    /* HTTP/1.0 knows no 100 (RFC 9110, 10.1.1) */
    {"POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", false},
};

START_TEST(a_client_that_waits_is_known)
{
    const struct expecting *row = &expecting[_i];
    struct head head;

    ck_assert_int_eq(read_whole(&head, row->bytes, strlen(row->bytes)),
                     HEAD_DONE);
    ck_assert_int_eq(head.expects_continue, row->expects);
}
END_TEST

/* --- what is refused ------------------------------------------------------ */

/** A string that may have zero bytes in it, and its length. */
#define BYTES(string) string, sizeof(string) - 1

static const struct refused {
    unsigned status;
    const char *bytes;
    size_t length;
} refused[] = {
    /* the request line */
    {400, BYTES("\r\n\r\n")},
    {400, BYTES("GET\r\n\r\n")},
    {400, BYTES("GET /\r\n\r\n")},
    {400, BYTES("GET / \r\nHost: h\r\n\r\n")},
    {400, BYTES("GET  / HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET /  HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1 \r\nHost: h\r\n\r\n")},
    {400, BYTES(" GET / HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("G(T / HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET x HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET / http/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.10\r\nHost: h\r\n\r\n")},
    {400, BYTES("GET / HTTP/1\r\nHost: h\r\n\r\n")},
    {505, BYTES("GET / HTTP/2.0\r\nHost: h\r\n\r\n")},
    {505, BYTES("GET / HTTP/1.2\r\nHost: h\r\n\r\n")},
    /* bytes that no head may have */
    {400, BYTES("GET / HTTP/1.1\nHost: h\n\n")},
    {400, BYTES("GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n")},
    {400, BYTES("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES(GET "A: b\rc\r\n\r\n")},
    {400, BYTES(GET "A: b\r\r\n\r\n")},
    {400, BYTES(GET "A: b\0c\r\n\r\n")},
    {400, BYTES("GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n")},
    {400, BYTES(GET "A: \x7f\r\n\r\n")},
    {400, BYTES(GET "A: \x1b[2J\r\n\r\n")},
    {400, BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")},
    /* field lines */
    {400, BYTES(GET "A : b\r\n\r\n")},
    {400, BYTES(GET " A: b\r\n\r\n")},
    {400, BYTES(GET "A: b\r\n c\r\n\r\n")},
    {400, BYTES(GET "A: b\r\n\tc\r\n\r\n")},
    {400, BYTES(GET "A\r\n\r\n")},
    {400, BYTES(GET ": b\r\n\r\n")},
    {400, BYTES(GET "A(b: c\r\n\r\n")},
    {400, BYTES(GET "\xc3\xa4: c\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.1\r\n Host: h\r\nHost: h\r\n\r\n")},
    /* hosts */
    {400, BYTES("GET / HTTP/1.1\r\n\r\n")},
    {400, BYTES(GET "Host: h\r\n\r\n")},
    {400, BYTES(GET "hOST: other\r\n\r\n")},
    {400, BYTES("GET / HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n")},
    /* lengths */
    {400, BYTES(POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 5\r\ncontent-length: 6\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 5, 6\r\n\r\n")},
    {400, BYTES(POST "Content-Length: \r\n\r\n")},
    {400, BYTES(POST "Content-Length: +5\r\n\r\n")},
    {400, BYTES(POST "Content-Length: -5\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 5 5\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 0x5\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 5;\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 1e3\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 18446744073709551617\r\n\r\n")},
    {400, BYTES(POST "Content-Length: 99999999999999999999999\r\n\r\n")},
    /* codings */
    {400, BYTES(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"
                     "\r\n")},
    {400, BYTES(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"
                     "\r\n")},
    {400, BYTES(POST "Transfer-Encoding: gzip, chunked\r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding: chunked, identity\r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding: xchunked\r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding: \"chunked\"\r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding: \r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding: chunked\r\n"
                     "Transfer-Encoding: chunked\r\n\r\n")},
    {400, BYTES(POST "Transfer-Encoding: chunked\r\n"
                     "transfer-encoding: identity\r\n\r\n")},
    {400, BYTES("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n")},
    {411, BYTES(POST "Transfer-Encoding: chunked\r\n\r\n")},
    {411, BYTES(POST "tRANSFER-eNCODING: CHUNKED\r\n\r\n")},
};

static void assert_refused(const struct head *head, enum head_result result,
                           unsigned status)
{
    ck_assert_int_eq(result, HEAD_REFUSED);
    ck_assert_msg(head->status == status, "should be %u, and is %u (%s)",
                  status, head->status, head->why);
    ck_assert_ptr_nonnull(head->why);
}

START_TEST(what_is_ambiguous_is_refused)
{
    const struct refused *row = &refused[_i];
    struct head head;

    assert_refused(&head, read_whole(&head, row->bytes, row->length),
                   row->status);
}
END_TEST

START_TEST(what_is_ambiguous_is_refused_however_it_is_cut)
{
    const struct refused *row = &refused[_i];
    struct head head;

    for (size_t piece = 1; piece <= row->length; piece++)
        assert_refused(&head,
                       read_cut(&head, row->bytes, row->length, piece, NULL),
                       row->status);
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
    char *bytes = head_of(HEAD_BYTES_MAX);
    struct head head;

    ck_assert_int_eq(read_whole(&head, bytes, HEAD_BYTES_MAX), HEAD_DONE);
    ck_assert_int_eq(read_cut(&head, bytes, HEAD_BYTES_MAX, 1000, NULL),
                     HEAD_DONE);
    free(bytes);
}
END_TEST

START_TEST(a_head_may_not_be_larger)
{
    static const size_t pieces[] = {1000, HEAD_BYTES_MAX - 1, HEAD_BYTES_MAX,
                                    HEAD_BYTES_MAX + 1};
    size_t length = HEAD_BYTES_MAX + 1;
    char *bytes = head_of(length);
    struct head head;

    assert_refused(&head, read_whole(&head, bytes, length), 431);
    assert_refused(&head, read_cut(&head, bytes, length, pieces[_i], NULL),
                   431);
    free(bytes);
}
END_TEST

START_TEST(a_head_that_never_ends_is_refused_at_the_limit)
{
    char *bytes = head_of(HEAD_BYTES_MAX + 4);
    struct head head;

    ck_assert_int_eq(read_whole(&head, bytes, HEAD_BYTES_MAX - 1), HEAD_MORE);
    assert_refused(&head, read_whole(&head, bytes, HEAD_BYTES_MAX), 431);
    free(bytes);
}
END_TEST

/** A fault before the limit comes first, one behind it is never seen. */
START_TEST(a_fault_near_the_limit_is_judged_alike_however_it_is_cut)
{
    static const size_t faults[] = {100, HEAD_BYTES_MAX - 1,
                                    HEAD_BYTES_MAX + 100};
    size_t length = HEAD_BYTES_MAX + 2000;
    char *bytes = head_of(length);
    struct head head;
    unsigned status;

    bytes[faults[_i]] = '\0';
    ck_assert_int_eq(read_cut(&head, bytes, length, 128, NULL), HEAD_REFUSED);
    status = head.status;
    ck_assert_int_eq(read_whole(&head, bytes, length), HEAD_REFUSED);
    ck_assert_msg(head.status == status,
                  "a NUL at byte %zu of %zu: %u when the bytes come in pieces, "
                  "%u when they come at once",
                  faults[_i], length, status, head.status);
    free(bytes);
}
END_TEST

/** So many field lines, `a:` and a byte; returns the length. */
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

    ck_assert_int_eq(read_whole(&head, bytes, length), HEAD_DONE);
    ck_assert_uint_eq(head.field_count, FIELDS_MAX);
    length = print_fields(bytes, FIELDS_MAX + 1);
    assert_refused(&head, read_whole(&head, bytes, length), 431);
}
END_TEST

/* --- what is forwarded ---------------------------------------------------- */

static const struct forwarded {
    const char *in, *out;
} forwarded[] = {
    {GET "\r\n", GET "Connection: close\r\n\r\n"},
    {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\nConnection: close\r\n\r\n"},
    /* order, case and values stay */
    {"GET /x?y HTTP/1.1\r\nB:2\r\nhost:  h \r\na: \t1  2\r\nb: 3\r\n\r\n",
     "GET /x?y HTTP/1.1\r\nB: 2\r\nhost: h\r\na: 1  2\r\nb: 3\r\n"
     "Connection: close\r\n\r\n"},
    /* what is meant for one connection goes */
    {GET "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n"
         "proxy-connection: x\r\nTE: trailers\r\nTrailer: X\r\n"
         "Upgrade: websocket\r\nA: 1\r\n\r\n",
     GET "A: 1\r\nConnection: close\r\n\r\n"},
    /* and what Connection names, in one line or several */
    {GET "X-One: 1\r\nConnection: x-one , ,X-TWO\r\nx-two: 2\r\nX-Three: 3\r\n"
         "connection:x-four\r\nX-Four: 4\r\n\r\n",
     GET "X-Three: 3\r\nConnection: close\r\n\r\n"},
    {GET "X-One-More: 1\r\nX-On: 2\r\nConnection: X-One\r\n\r\n",
     GET "X-One-More: 1\r\nX-On: 2\r\nConnection: close\r\n\r\n"},
    /* but never what says where the body ends, or for whom it is */
    {POST "Connection: Content-Length, Host\r\nContent-Length: 5\r\n\r\n",
     POST "Content-Length: 5\r\nConnection: close\r\n\r\n"},
    /* we answer this ourselves */
    {POST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n",
     POST "Content-Length: 5\r\nConnection: close\r\n\r\n"},
    {POST "Expect: else\r\nContent-Length: 5\r\n\r\n",
     POST "Expect: else\r\nContent-Length: 5\r\nConnection: close\r\n\r\n"},
};

START_TEST(a_head_is_forwarded)
{
    const struct forwarded *row = &forwarded[_i];
    char out[FORWARD_BYTES_MAX];
    struct head head;
    size_t length;

    ck_assert_int_eq(read_whole(&head, row->in, strlen(row->in)), HEAD_DONE);
    length = forward_print(&head, out);
    ck_assert_msg(length == strlen(row->out) &&
                      memcmp(out, row->out, length) == 0,
                  "of\n%sshould become\n%sand becomes\n%.*s", row->in, row->out,
                  (int)length, out);
}
END_TEST

/** The head that grows most: as many fields as may be, without blanks. */
START_TEST(the_largest_head_fits_when_it_is_forwarded)
{
    char *bytes = malloc(HEAD_BYTES_MAX);
    char *out = malloc(FORWARD_BYTES_MAX);
    struct head head;
    size_t length;

    ck_assert_ptr_nonnull(bytes);
    ck_assert_ptr_nonnull(out);
    length = print_fields(bytes, FIELDS_MAX);
    memset(bytes + length - 4, 'x', HEAD_BYTES_MAX - length);
    memcpy(bytes + HEAD_BYTES_MAX - 4, "\r\n\r\n", 4);
    ck_assert_int_eq(read_whole(&head, bytes, HEAD_BYTES_MAX), HEAD_DONE);
    ck_assert_uint_eq(head.field_count, FIELDS_MAX);
    length = forward_print(&head, out);
    ck_assert_uint_le(length, FORWARD_BYTES_MAX);
    ck_assert_int_eq(memcmp(out + length - 4, "\r\n\r\n", 4), 0);
    free(bytes);
    free(out);
}
END_TEST

/* --- by chance ------------------------------------------------------------ */

/** Pieces that heads are made of, good ones and bad ones. */
static const char *const scraps[] = {
    "GET / HTTP/1.1\r\n",
    "POST /a HTTP/1.1\r\n",
    "HEAD * HTTP/1.0\r\n",
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

/** What we forward means to the next reader what it meant to us. */
static void assert_same_meaning(const struct head *head)
{
    char out[FORWARD_BYTES_MAX];
    size_t length = forward_print(head, out);
    struct head again;

    ck_assert_uint_le(length, sizeof(out));
    ck_assert_int_eq(read_whole(&again, out, length), HEAD_DONE);
    ck_assert_uint_eq(again.length, length);
    ck_assert_uint_eq(again.body_length, head->body_length);
    ck_assert_int_eq(again.has_body_length, head->has_body_length);
    ck_assert_uint_eq(again.minor, head->minor);
    ck_assert_uint_eq(again.method.length, head->method.length);
    ck_assert_uint_eq(again.target.length, head->target.length);
    ck_assert_int_eq(again.expects_continue, false);
}

START_TEST(by_chance_all_cuts_agree)
{
    uint64_t seed = (uint64_t)_i;
    unsigned done = 0, too_few = 0, bad = 0;

    for (int round = 0; round < 3000; round++) {
        char bytes[1024];
        size_t length = make_up(bytes, sizeof(bytes), &seed);
        struct head whole, cut;
        enum head_result result = read_whole(&whole, bytes, length);

        ck_assert_int_eq(read_cut(&cut, bytes, length, 0, &seed), result);
        ck_assert_uint_eq(cut.status, whole.status);
        if (result == HEAD_DONE)
            ck_assert_uint_eq(cut.length, whole.length);
        done += result == HEAD_DONE;
        too_few += result == HEAD_MORE;
        bad += result == HEAD_REFUSED;
        if (result == HEAD_DONE)
            assert_same_meaning(&whole);
    }
    ck_assert_msg(done > 100 && bad > 100 && too_few > 0,
                  "chance is too one-sided: %u, %u, %u", done, bad, too_few);
}
END_TEST

/* --- answers of our own --------------------------------------------------- */

static const unsigned statuses[] = {400, 411, 431, 502, 503, 505};

static void assert_answer(const char *out, size_t length, unsigned status,
                          bool has_body)
{
    const char *body = strstr(out, "\r\n\r\n");
    const char *says = strstr(out, "Content-Length: ");
    char line[64];

    snprintf(line, sizeof(line), "HTTP/1.1 %u ", status);
    ck_assert_int_eq(strncmp(out, line, strlen(line)), 0);
    ck_assert_ptr_null(strstr(out, "Error")); /* it has words of its own */
    ck_assert_ptr_nonnull(strstr(out, "\r\nConnection: close\r\n"));
    ck_assert_ptr_nonnull(strstr(out, "\r\nContent-Type: text/plain\r\n"));
    ck_assert_ptr_nonnull(says);
    ck_assert_ptr_nonnull(body);
    body += 4;
    ck_assert_uint_eq(strlen(body), (size_t)(out + length - body));
    if (has_body)
        ck_assert_uint_eq(strlen(body), strtoul(says + 16, NULL, 10));
    else
        ck_assert_str_eq(body, "");
}

START_TEST(an_answer_of_our_own_is_whole)
{
    static const char *const requests[] = {GET "\r\n", "\r\n\r\n", HEAD "\r\n"};

    for (size_t i = 0; i < 3; i++) {
        struct head head;
        char out[512];
        size_t length;

        read_whole(&head, requests[i], strlen(requests[i]));
        length = answer_print(&head, statuses[_i], "because of this", out,
                              sizeof(out));
        ck_assert_uint_lt(length, sizeof(out));
        assert_answer(out, length, statuses[_i], i != 2);
    }
}
END_TEST

#define COUNT(list) (int)(sizeof(list) / sizeof((list)[0]))

int main(void)
{
    Suite *suite = suite_create("http");

    unit_add(suite, a_good_head_is_read, COUNT(accepted));
    unit_add(suite, a_good_head_is_read_however_it_is_cut, COUNT(accepted));
    unit_add(suite, what_follows_a_head_is_not_looked_at, COUNT(accepted));
    unit_add(suite, blanks_around_a_value_are_cut_off, 1);
    unit_add(suite, a_client_that_waits_is_known, COUNT(expecting));
    unit_add(suite, what_is_ambiguous_is_refused, COUNT(refused));
    unit_add(suite, what_is_ambiguous_is_refused_however_it_is_cut,
             COUNT(refused));
    unit_add(suite, a_head_may_be_as_large_as_the_limit, 1);
    unit_add(suite, a_head_may_not_be_larger, 4);
    unit_add(suite, a_head_that_never_ends_is_refused_at_the_limit, 1);
    unit_add(suite, a_fault_near_the_limit_is_judged_alike_however_it_is_cut,
             3);
    unit_add(suite, there_may_be_so_many_fields_and_no_more, 1);
    unit_add(suite, a_head_is_forwarded, COUNT(forwarded));
    unit_add(suite, the_largest_head_fits_when_it_is_forwarded, 1);
    unit_add(suite, by_chance_all_cuts_agree, 8);
    unit_add(suite, an_answer_of_our_own_is_whole, COUNT(statuses));
    return unit_run(suite);
}

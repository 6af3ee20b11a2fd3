/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Each example comes to the verdict that its remark leads to expect, however
 * its bytes are cut up; and what is written down as a belief is true.
 */
#include "parser.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static const char *const verdicts[][2] = {
    {"a plain request", "1 request done"},
    {"a body with a length", "1 request done"},
    {"two requests in one piece", "2 requests done"},
    {"chunks, an extension, trailers", "1 request done"},
    {"absolute form", "1 request done"},
    {"HTTP/1.0 that wants to stay", "2 requests done"},
    {"a head that is cut off",
     "need more: the first line has ended (19 bytes), the empty line that ends "
     "the head has not come"},
    {"smuggling: length and chunks",
     "refused with 400: Content-Length beside Transfer-Encoding"},
    {"smuggling: two lengths",
     "refused with 400: more than one Content-Length"},
    {"smuggling: chunked, and something else",
     "refused with 400: chunked is not the last transfer coding"},
    {"smuggling: a blank before the colon",
     "refused with 400: a field line that is not NAME: VALUE"},
    {"smuggling: a folded line",
     "refused with 400: a field line that is not NAME: VALUE"},
    {"smuggling: a bare CR",
     "refused with 400: a carriage return without its line feed"},
    {"smuggling: a bare LF",
     "refused with 400: a line feed without its carriage return"},
    {"a zero byte in a field", "refused with 400: a control byte in the head"},
    {"smuggling: a chunk size that is none",
     "refused: a chunk size that is not a number"},
    {"smuggling: a chunk longer than its size",
     "refused: a chunk that is longer than its size"},
    {"a length with a sign",
     "refused with 400: Content-Length is not a number of bytes"},
    {"no Host", "refused with 400: no Host"},
    {"HTTPS on the wrong port",
     "refused with 400: this is TLS, and plain HTTP is spoken here"},
    {"a response without a length", "need more: in content"},
    {"a response without a body", "2 responses done"},
};

enum { EXAMPLES = sizeof(verdicts) / sizeof(verdicts[0]) };

static struct parser parser, other;
static char sheet[PARSER_PRINT], other_sheet[PARSER_PRINT];

static void feed(struct parser *into, const struct example *example,
                 size_t piece)
{
    parser_begin(into, example->kind);
    for (size_t at = 0; at < example->length; at += piece) {
        size_t left = example->length - at;

        ck_assert(parser_feed(into, example->bytes + at,
                              left < piece ? left : piece));
    }
}

static void feed_text(const char *text)
{
    parser_begin(&parser, HEAD_REQUEST);
    ck_assert(parser_feed(&parser, text, strlen(text)));
    parser_print(&parser, sheet);
}

static void must_say(const char *line)
{
    ck_assert_msg(strstr(sheet, line) != NULL, "it does not say %s, but:\n%s",
                  line, sheet);
}

START_TEST(examples_end_as_expected)
{
    char verdict[PARSER_VERDICT];

    ck_assert_uint_eq(example_count, EXAMPLES);
    ck_assert_str_eq(examples[_i].name, verdicts[_i][0]);
    feed(&parser, &examples[_i], examples[_i].length);
    parser_print_verdict(&parser, verdict);
    ck_assert_str_eq(verdict, verdicts[_i][1]);
}
END_TEST

/** The pieces do not matter. (A refusal may come sooner in small ones, but what
 * is refused, and why, is the same.) */
START_TEST(pieces_make_no_difference)
{
    feed(&parser, &examples[_i], examples[_i].length);
    parser_print(&parser, sheet);
    for (size_t piece = 1; piece < 40; piece++) {
        feed(&other, &examples[_i], piece);
        parser_print(&other, other_sheet);
        ck_assert_str_eq(other_sheet, sheet);
    }
}
END_TEST

START_TEST(content_is_taken_out_of_chunks)
{
    feed(&parser, &examples[3], 1);
    parser_print(&parser, sheet);
    must_say("\nframing\tchunked: until a chunk of size 0\n");
    must_say("\ncontent\thello, and more\n");
    must_say("\ntrailers\tX-Checksum: 1f2e\\r\\n\n");
    must_say("\nfield\tTransfer-Encoding\tchunked\tunderstood\n");
}
END_TEST

START_TEST(what_is_left_over_begins_the_next)
{
    feed(&parser, &examples[2], examples[2].length);
    parser_print(&parser, sheet);
    ck_assert_uint_eq(parser.count, 2);
    must_say("\ncontent\tabc\n");
    must_say("\ntarget\t/second\n");
    ck_assert_uint_eq(parser.messages[1].begin, parser.messages[0].used);
}
END_TEST

START_TEST(nothing_is_believed_too_early)
{
    feed_text("GET / HTTP/1.1\r\nHost: example.org\r\n");
    must_say("\nstage\thead\n");
    must_say("\nend\ta head would be cut off\n");
    ck_assert_ptr_null(strstr(sheet, "field\t"));
    feed_text("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n");
    must_say("\nfield\tHost\texample.org\tunderstood\n");
    must_say("\nend\tnothing would be missing\n");
}
END_TEST

START_TEST(behind_the_last_one_nothing_is_read)
{
    feed_text("GET / HTTP/1.0\r\n\r\nGET /x HTTP/1.0\r\n\r\n");
    ck_assert_uint_eq(parser.count, 1);
    must_say("verdict\t1 request done; 19 bytes behind it are not read\n");
    feed_text("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab");
    must_say("need more: in content; 2 bytes of it are to come\n");
    must_say("\nend\ta body would be cut off\n");
}
END_TEST

START_TEST(a_refusal_comes_at_its_byte)
{
    const struct example *example = &examples[12]; /* a bare CR */

    feed(&parser, example, 1);
    ck_assert_uint_eq(parser.read, strcspn(example->bytes + 40, "\r") + 42);
    feed(&parser, &examples[0], 1);
    ck_assert_uint_eq(parser.read, examples[0].length);
}
END_TEST

START_TEST(too_much_is_not_taken)
{
    static const char blank[PARSER_BYTES + 1] = "GET ";

    parser_begin(&parser, HEAD_REQUEST);
    ck_assert(!parser_feed(&parser, blank, sizeof(blank)));
    ck_assert_uint_eq(parser.length, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("parser");

    unit_add(suite, examples_end_as_expected, EXAMPLES);
    unit_add(suite, pieces_make_no_difference, EXAMPLES);
    unit_add(suite, content_is_taken_out_of_chunks, 1);
    unit_add(suite, what_is_left_over_begins_the_next, 1);
    unit_add(suite, nothing_is_believed_too_early, 1);
    unit_add(suite, behind_the_last_one_nothing_is_read, 1);
    unit_add(suite, a_refusal_comes_at_its_byte, 1);
    unit_add(suite, too_much_is_not_taken, 1);
    return unit_run(suite);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The tests own the bytes. So they know of every look at them: a look beyond
 * what has come ends the test, and in one test looks are counted.
 */
#include "grade.h"

#include "strict_head.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct input {
    const char *bytes;
    size_t length;    /* how many have come */
    size_t *looks;    /* so far; NULL: nobody counts */
    size_t looks_max; /* at this time */
};

unsigned char input_at(const struct input *input, size_t at)
{
    expect(at < input->length,
           "input_at() was asked for byte %zu when only %zu bytes had come "
           "(the first is byte 0).",
           at, input->length);
    if (input->looks != NULL) {
        ++*input->looks;
        expect(*input->looks <= input->looks_max,
               "A head came byte by byte. When %zu bytes had come, you had "
               "looked at bytes %zu times: more than %d looks for each byte "
               "and %d for each call. Who begins at the start (or at the start "
               "of the line) with each call gets slower with each byte: see "
               "hint 1 of TODO(09.1).",
               input->length, *input->looks, LOOKS_PER_BYTE, LOOKS_PER_CALL);
    }
    return (unsigned char)input->bytes[at];
}

/** Print bytes as they are written in C. */
static size_t print_bytes(char *out, const char *bytes, size_t length)
{
    size_t at = 0;

    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (c == '\r' || c == '\n')
            at += (size_t)sprintf(out + at, "%s", c == '\r' ? "\\r" : "\\n");
        else if (c == '\t' || c == '"' || c == '\\')
            at += (size_t)sprintf(out + at, "\\%c", c == '\t' ? 't' : c);
        else if (c < ' ' || c > '~')
            at += (size_t)sprintf(out + at, "\\x%02x", c);
        else
            out[at++] = (char)c;
    }
    out[at] = '\0';
    return at;
}

/** The same for a message; what is long loses its middle. */
static const char *shown(const char *bytes, size_t length)
{
    static char lines[4][1000];
    static size_t turn;
    char *line = lines[turn++ % 4];

    if (length <= 200)
        print_bytes(line, bytes, length);
    else {
        size_t at = print_bytes(line, bytes, 60);

        at += (size_t)sprintf(line + at, " [... %zu bytes ...] ", length - 90);
        /* cppcheck-suppress pointerOutOfBoundsCond */
        print_bytes(line + at, bytes + length - 30, 30);
    }
    return line;
}

static const char *result_name(enum head_result result)
{
    switch (result) {
    case HEAD_MORE: return "HEAD_MORE";
    case HEAD_DONE: return "HEAD_DONE";
    case HEAD_REFUSED: return "HEAD_REFUSED";
    }
    return "none of the three results";
}

/** What came of a head. */
struct outcome {
    enum head_result result;
    unsigned status;  /* if it was refused */
    char facts[1000]; /* if it is done: in words */
};

/** Print a piece of the head, if it is one. */
static size_t print_span(char *out, const char *bytes, size_t length,
                         struct span span)
{
    expect(span.at <= length && span.length <= length - span.at,
           "A span begins at byte %zu and has %zu bytes, but the head \"%s\" "
           "has only %zu.",
           span.at, span.length, shown(bytes, length), length);
    if (span.length > 100)
        return (size_t)sprintf(out, "(%zu bytes)", span.length);
    return print_bytes(out, bytes + span.at, span.length);
}

/** The facts in words: to compare, and to show. */
static void print_facts(char *out, const struct head_facts *facts,
                        const char *bytes, size_t length)
{
    out += print_span(out, bytes, length, facts->method);
    out += sprintf(out, " ");
    out += print_span(out, bytes, length, facts->target);
    out += sprintf(out, " 1.%u,", facts->minor);
    expect(facts->field_count <= FIELDS_MAX, "field_count is %zu.",
           facts->field_count);
    for (size_t i = 0; i < facts->field_count && facts->field_count < 5; i++) {
        out += sprintf(out, " <");
        out += print_span(out, bytes, length, facts->fields[i].name);
        out += sprintf(out, "> = <");
        out += print_span(out, bytes, length, facts->fields[i].value);
        out += sprintf(out, ">,");
    }
    out += sprintf(out, " %zu fields, head of %zu bytes, ", facts->field_count,
                   facts->length);
    if (facts->framing == FRAMING_LENGTH)
        sprintf(out, "body of %llu bytes",
                (unsigned long long)facts->body_length);
    else
        sprintf(out, "%s",
                facts->framing == FRAMING_NONE ? "no body" : "chunked body");
}

/** Ask once more, with @p length bytes; they lie elsewhere each time. */
static enum head_result ask(struct strict_head *reader, const char *bytes,
                            size_t length)
{
    char *moved = malloc(length);
    enum head_result result;

    step("strict_head_read() is called when %zu bytes have come: \"%s\".",
         length, shown(bytes, length));
    memcpy(moved, bytes, length);
    result = strict_head_read(
        reader, &(struct input){.bytes = moved, .length = length}, length);
    free(moved);
    return result;
}

/** What does the reader say of it now? */
static void conclude(struct strict_head *reader, const char *bytes,
                     size_t length, struct outcome *outcome)
{
    const struct head_facts *facts = strict_head_facts(reader);

    expect(facts != NULL, "strict_head_facts() gave NULL.");
    outcome->status = 0;
    outcome->facts[0] = '\0';
    if (outcome->result == HEAD_REFUSED) {
        outcome->status = facts->status;
        expect(facts->why != NULL,
               "The head \"%s\" was refused, but `why` is NULL.",
               shown(bytes, length));
    }
    if (outcome->result == HEAD_DONE)
        print_facts(outcome->facts, facts, bytes, length);
}

/** Read a head: @p first bytes, and then @p size more with each call. */
static struct outcome read_cut(const char *bytes, size_t length, size_t first,
                               size_t size)
{
    struct strict_head *reader = strict_head_new();
    struct outcome outcome = {HEAD_MORE, 0, ""};
    size_t come = first < length ? first : length;

    expect(reader != NULL, "strict_head_new() gave NULL.");
    outcome.result = ask(reader, bytes, come);
    while (come < length && outcome.result == HEAD_MORE) {
        come = length - come < size ? length : come + size;
        outcome.result = ask(reader, bytes, come);
    }
    conclude(reader, bytes, length, &outcome);
    if (outcome.result != HEAD_MORE) {
        struct outcome again = outcome;

        again.result = ask(reader, bytes, length);
        conclude(reader, bytes, length, &again);
        expect(again.result == outcome.result &&
                   again.status == outcome.status &&
                   strcmp(again.facts, outcome.facts) == 0,
               "The head \"%s\" got the answer %s (%u), and when asked once "
               "more %s (%u). It must stay the same.",
               shown(bytes, length), result_name(outcome.result),
               outcome.status, result_name(again.result), again.status);
    }
    strict_head_free(&reader);
    expect(reader == NULL, "strict_head_free() did not empty the pointer.");
    return outcome;
}

static void must_accept(const char *head, const char *facts, const char *look)
{
    size_t length = strlen(head);
    struct outcome got = read_cut(head, length, length, length);

    expect(got.result == HEAD_DONE,
           "The head \"%s\" is right, and should end as HEAD_DONE; yours said "
           "%s (status %u). See %s.",
           shown(head, length), result_name(got.result), got.status, look);
    expect(strcmp(got.facts, facts) == 0,
           "The head \"%s\" says:\n  %s\nYours understood:\n  %s\nSee %s.",
           shown(head, length), facts, got.facts, look);
}

static void must_refuse_bytes(const char *head, size_t length, unsigned status,
                              const char *why, const char *look)
{
    struct outcome got = read_cut(head, length, length, length);

    expect(got.result == HEAD_REFUSED,
           "The head \"%s\" should be refused: %s. Yours said %s%s%s. See %s.",
           shown(head, length), why, result_name(got.result),
           got.result == HEAD_DONE ? ", and understood: " : "", got.facts,
           look);
    expect(got.status == status,
           "The head \"%s\" should be refused with %u: %s. Yours has status "
           "%u. See %s.",
           shown(head, length), status, why, got.status, look);
}

static void must_refuse(const char *head, unsigned status, const char *why,
                        const char *look)
{
    must_refuse_bytes(head, strlen(head), status, why, look);
}

/** A request with these field lines; each ends in CR LF. */
static const char *with_fields(const char *fields)
{
    static char head[1000];

    snprintf(head, sizeof(head), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
    return head;
}

GRADE_TEST(facts_are_right, 1,
           "the facts are right, and the rest is left alone")
{
    static const char *const look = "hint 2 of TODO(09.1)";

    must_accept("GET / HTTP/1.1\r\nHost: a\r\n\r\n",
                "GET / 1.1, <Host> = <a>, 1 fields, head of 27 bytes, no body",
                look);
    must_accept("\r\nPUT /a?b HTTP/1.1\r\nhOST:a:80\r\nX-y: \t b\tc \t\r\n"
                "CONTENT-length: 5\r\n\r\nhello",
                "PUT /a?b 1.1, <hOST> = <a:80>, <X-y> = <b\\tc>, "
                "<CONTENT-length> = <5>, 3 fields, head of 67 bytes, "
                "body of 5 bytes",
                look);
    must_accept("!x HTTPS://a HTTP/1.0\r\nEmpty: \r\n\r\n\r\nGET\n",
                "!x HTTPS://a 1.0, <Empty> = <>, 1 fields, head of 34 bytes, "
                "no body",
                look);
    must_accept("OPTIONS * HTTP/1.1\r\nHost: a\r\n"
                "Transfer-Encoding:CHUNKED\r\n\r\n",
                "OPTIONS * 1.1, <Host> = <a>, <Transfer-Encoding> = <CHUNKED>, "
                "2 fields, head of 58 bytes, chunked body",
                look);
}

GRADE_TEST(request_lines_are_strict, 1,
           "a request line has exactly three words")
{
    static const char *const look = "hint 2 of TODO(09.2)";
    static const char *const form = "hint 3 of TODO(09.2)";

    must_accept(
        "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://a 1.1, <Host> = <a>, 1 fields, head of 34 bytes, no body",
        form);
    must_refuse("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400,
                "only one empty line may come before it", look);
    must_refuse(" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400,
                "it begins with a blank", look);
    must_refuse("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, "two blanks", look);
    must_refuse("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400, "a tab", look);
    must_refuse("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400,
                "( may not stand in a token", look);
    must_refuse("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400,
                "a blank after the version", look);
    must_refuse("GET / http/1.1\r\nHost: a\r\n\r\n", 400,
                "HTTP is written in upper case", look);
    must_refuse("GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400,
                "a version has two digits", look);
    must_refuse("GET /\r\nHost: a\r\n\r\n", 400, "no version", look);
    must_refuse("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "another version",
                look);
    must_refuse("GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505, "another version",
                look);
    must_refuse("GET /a\x01 HTTP/1.1\r\nHost: a\r\n\r\n", 400,
                "a control byte in the target", form);
    must_refuse("GET /a\x7f HTTP/1.1\r\nHost: a\r\n\r\n", 400,
                "a control byte in the target", form);
    must_refuse("GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", 400,
                "bytes above 0x7e in the target", form);
    must_refuse("GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400,
                "the target is neither a path nor a URL", form);
    must_refuse("GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400, "`*` is for OPTIONS",
                form);
    must_refuse("options * HTTP/1.1\r\nHost: a\r\n\r\n", 400,
                "methods are told apart by case, and this is not OPTIONS",
                form);
    must_refuse("GET http:// HTTP/1.1\r\nHost: a\r\n\r\n", 400,
                "a URL goes on after http://", form);
}

GRADE_TEST(field_lines_are_strict, 2,
           "a field line can be read in one way only")
{
    static const char *const look = "hint 1 of TODO(09.3)";
    static const char *const ends = "hint 2 of TODO(09.3)";
    static const char zero[] = "GET / HTTP/1.1\r\nHost: a\r\nB: c\0d\r\n\r\n";

    must_accept("GET / HTTP/1.1\r\nHost: a\r\nB:c\xe4:d\r\n\r\n",
                "GET / 1.1, <Host> = <a>, <B> = <c\\xe4:d>, 2 fields, "
                "head of 35 bytes, no body",
                look);
    must_refuse(with_fields("B : c\r\n"), 400,
                "a blank stands before the colon", look);
    must_refuse(with_fields("B\t: c\r\n"), 400, "a tab stands before the colon",
                look);
    must_refuse(with_fields(": c\r\n"), 400, "the name is empty", look);
    must_refuse(with_fields("B\r\n"), 400, "there is no colon", look);
    must_refuse(with_fields("B@: c\r\n"), 400, "@ may not stand in a name",
                look);
    must_refuse(with_fields("B: c\r\n d\r\n"), 400,
                "a line begins with a blank: some would join it to the one "
                "before",
                look);
    must_refuse(with_fields("B: c\r\n\td: e\r\n"), 400,
                "a line begins with a tab", look);
    must_refuse("GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400,
                "the first field line begins with a blank", look);
    must_refuse(with_fields("B: c\n"), 400, "the line ends in a bare LF", ends);
    must_refuse(with_fields("B: c\nD: e\r\n"), 400, "a bare LF in a value",
                ends);
    must_refuse(with_fields("B: c\rD: e\r\n"), 400, "a bare CR in a value",
                ends);
    must_refuse(with_fields("B: c\r\r\n"), 400, "two CR before the LF", ends);
    must_refuse("GET / HTTP/1.1\nHost: a\r\n\r\n", 400,
                "the request line ends in a bare LF", ends);
    must_refuse("GET / HTTP/1.1\r\nHost: a\r\n\n\r\n\r\n", 400,
                "the empty line is a bare LF", ends);
    must_refuse("GET / HTTP/1.1\r\nHost: a\r\n\rX\r\n\r\n", 400,
                "after the last CR comes no LF", ends);
    must_refuse_bytes(zero, sizeof(zero) - 1, 400, "a zero byte in a value",
                      ends);
    must_refuse(with_fields("B: \x1b\r\n"), 400, "a control byte in a value",
                ends);
    must_refuse(with_fields("B: \x7f\r\n"), 400, "a control byte in a value",
                ends);
}

/** A head with such a Content-Length is right. */
static void must_take_length(const char *digits, unsigned long long number)
{
    char line[100];
    char facts[200];
    const char *head;

    sprintf(line, "Content-Length: %s\r\n", digits);
    head = with_fields(line);
    sprintf(facts,
            "GET / 1.1, <Host> = <a>, <Content-Length> = <%s>, 2 fields, head "
            "of %zu bytes, body of %llu bytes",
            digits, strlen(head), number);
    must_accept(head, facts, "hint 1 of TODO(09.4)");
}

GRADE_TEST(lengths_are_plain, 1, "Content-Length is one plain number")
{
    static const char *const look = "hint 1 of TODO(09.4)";

    must_take_length("0", 0);
    must_take_length("18446744073709551615", UINT64_MAX);
    must_take_length("000000000000000000000000000042", 42);
    must_refuse(with_fields("Content-Length: +5\r\n"), 400, "a sign", look);
    must_refuse(with_fields("Content-Length: -5\r\n"), 400, "a sign", look);
    must_refuse(with_fields("Content-Length: 0x5\r\n"), 400, "x is not a digit",
                look);
    must_refuse(with_fields("Content-Length: 5 5\r\n"), 400, "a blank", look);
    must_refuse(with_fields("Content-Length: 5, 5\r\n"), 400, "a list", look);
    must_refuse(with_fields("Content-Length: 5;\r\n"), 400,
                "something after the digits", look);
    must_refuse(with_fields("Content-Length:\r\n"), 400, "no digits", look);
    must_refuse(with_fields("Content-Length: 18446744073709551616\r\n"), 400,
                "it does not fit 64 bits", look);
    must_refuse(with_fields("Content-Length: 99999999999999999999\r\n"), 400,
                "it does not fit 64 bits", look);
    must_refuse(with_fields("Content-Length: 5\r\nContent-Length: 6\r\n"), 400,
                "two lengths, which differ", look);
    must_refuse(with_fields("Content-Length: 5\r\ncontent-length: 5\r\n"), 400,
                "two lengths", look);
}

GRADE_TEST(codings_are_known, 1, "the one transfer coding is chunked")
{
    static const char *const look = "hint 2 of TODO(09.4)";

    must_accept(with_fields("Transfer-Encoding: \tChunked \r\n"),
                "GET / 1.1, <Host> = <a>, <Transfer-Encoding> = <Chunked>, "
                "2 fields, head of 57 bytes, chunked body",
                look);
    must_refuse(with_fields("Transfer-Encoding: xchunked\r\n"), 400,
                "this is another coding", look);
    must_refuse(with_fields("Transfer-Encoding: chunkedx\r\n"), 400,
                "this is another coding", look);
    must_refuse(with_fields("Transfer-Encoding: chunked;q=1\r\n"), 400,
                "chunked has no parameters", look);
    must_refuse(with_fields("Transfer-Encoding: identity\r\n"), 400,
                "the last coding is not chunked", look);
    must_refuse(with_fields("Transfer-Encoding: chunked, gzip\r\n"), 400,
                "the last coding is not chunked", look);
    must_refuse(with_fields("Transfer-Encoding: chunked, chunked\r\n"), 400,
                "chunked twice", look);
    must_refuse(with_fields("Transfer-Encoding: chunked\r\n"
                            "Transfer-Encoding: chunked\r\n"),
                400, "chunked twice, in two lines", look);
    must_refuse(with_fields("Transfer-Encoding: chunked\r\n"
                            "Transfer-Encoding: gzip\r\n"),
                400, "several lines are one list, and its last coding is gzip",
                look);
    must_refuse(with_fields("Transfer-Encoding: ,chunked\r\n"), 400,
                "an empty item in the list", look);
    must_refuse(with_fields("Transfer-Encoding:\r\n"), 400, "no coding", look);
    must_refuse(with_fields("Transfer-Encoding: gzip ,\tchunked\r\n"), 501,
                "we do not know gzip, but we do know where the body ends",
                look);
    must_refuse(with_fields("Transfer-Encoding: gzip\r\nA: b\r\n"
                            "Transfer-Encoding: chunked\r\n"),
                501, "the same list, in two lines", look);
    must_refuse(
        with_fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400,
        "both a length and chunks", look);
    must_refuse(
        with_fields("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400,
        "both a length and chunks", look);
    must_refuse("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
                "HTTP/1.0 knows no chunks", look);
}

/** Is this right as the value of Host? */
static void try_host(const char *value, const char *wrong)
{
    char head[200];
    char facts[200];
    int length = sprintf(head, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", value);

    sprintf(facts,
            "GET / 1.1, <Host> = <%s>, 1 fields, head of %d bytes, "
            "no body",
            value, length);
    if (wrong == NULL)
        must_accept(head, facts, "hint 3 of TODO(09.4)");
    else
        must_refuse(head, 400, wrong, "hint 3 of TODO(09.4)");
}

GRADE_TEST(host_is_one, 1, "there is one Host, and it is one")
{
    static const char *const look = "hint 3 of TODO(09.4)";

    try_host("www.Example-1.org", NULL);
    try_host("127.0.0.1:8080", NULL);
    try_host("[2001:db8::1]", NULL);
    try_host("[::1]:65535", NULL);
    must_accept("GET / HTTP/1.0\r\n\r\n",
                "GET / 1.0, 0 fields, head of 18 bytes, no body", look);
    must_refuse("GET / HTTP/1.1\r\nHosts: a\r\n\r\n", 400,
                "HTTP/1.1 needs a Host, and Hosts is another name", look);
    must_refuse("GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400,
                "two Hosts", look);
    must_refuse("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400,
                "two Hosts, which HTTP/1.0 may not have either", look);
    try_host("", "it names nobody");
    try_host("a b", "a blank in it");
    try_host("a,b", "a list");
    try_host("a/b", "a path in it");
    try_host("b@a", "a user in it");
    try_host("a:", "a colon and no port");
    try_host("a:80x", "x is not a digit");
    try_host("a:65536", "there is no such port");
    try_host("a:123456", "a port of 6 digits");
    try_host("a:1:2", "two ports");
    try_host(":80", "a port of nobody");
    try_host("[::1", "the bracket is not closed");
    try_host("[]", "nothing between the brackets");
    try_host("[::1]80", "the colon before the port is missing");
    try_host("[::g]", "g is no hexadecimal digit");
}

/** Room for heads that are too large. */
static char large[3 * HEAD_BYTES_MAX];

/** A head with a target of so many bytes. */
static size_t print_target(size_t bytes)
{
    return (size_t)sprintf(large, "GET /%0*d HTTP/1.1\r\nHost: a\r\n\r\n",
                           (int)bytes - 1, 0);
}

/** A head with so many field lines. */
static size_t print_lines(size_t count)
{
    size_t at = (size_t)sprintf(large, "GET / HTTP/1.1\r\nHost: a\r\n");

    for (size_t i = 1; i < count; i++)
        at += (size_t)sprintf(large + at, "B: c\r\n");
    return at + (size_t)sprintf(large + at, "\r\n");
}

/** A head of so many bytes, most of them in one value. */
static size_t print_head(size_t bytes)
{
    static const char begin[] = "GET / HTTP/1.1\r\nHost: a\r\nB: ";

    return (size_t)sprintf(large, "%s%0*d\r\n\r\n", begin,
                           (int)(bytes - strlen(begin) - 4), 0);
}

/** The head in `large`, in one piece: what status does it get? */
static void must_get(size_t length, unsigned status, const char *what)
{
    struct outcome got = read_cut(large, length, length, length);

    if (status == 0)
        expect(got.result == HEAD_DONE,
               "A head with %s is within the limits, and should end as "
               "HEAD_DONE; yours said %s with status %u. See hint 1 of "
               "TODO(09.5).",
               what, result_name(got.result), got.status);
    else
        expect(got.result == HEAD_REFUSED && got.status == status,
               "A head with %s should be refused with %u; yours said %s with "
               "status %u. See hint 1 of TODO(09.5).",
               what, status, result_name(got.result), got.status);
}

GRADE_TEST(limits_have_a_status, 1, "what is too large gets 414 or 431")
{
    must_get(print_target(8192), 0, "a target of 8192 bytes");
    must_get(print_target(8193), 414, "a target of 8193 bytes");
    must_get(print_lines(100), 0, "100 field lines");
    must_get(print_lines(101), 431, "101 field lines");
    must_get(print_head(32768), 0, "32768 bytes");
    must_get(print_head(32769), 431, "32769 bytes");
    must_get(print_head(90000), 431, "90000 bytes");
    must_get(print_head(90000) - 2, 431, "90000 bytes, less the last two");
    memset(large, 'A', sizeof(large));
    must_get(sizeof(large), 431, "98304 bytes of method, and no end");
}

/** The same, byte by byte, with somebody who counts the looks. */
static void count_looks(size_t length)
{
    struct strict_head *reader = strict_head_new();
    enum head_result result = HEAD_MORE;
    size_t looks = 0;
    size_t come = 0;

    step("A head of %zu bytes comes byte by byte: \"%s\".", length,
         shown(large, length));
    while (result == HEAD_MORE && come < length) {
        struct input input = {.bytes = large, .looks = &looks};

        input.length = ++come;
        input.looks_max = come * (LOOKS_PER_BYTE + LOOKS_PER_CALL);
        result = strict_head_read(reader, &input, come);
    }
    expect(result == HEAD_DONE && come == length,
           "A head of %zu bytes came byte by byte: \"%s\". It should end as "
           "HEAD_DONE with the last one; yours said %s after %zu.",
           length, shown(large, length), result_name(result), come);
    strict_head_free(&reader);
}

GRADE_TEST(no_byte_is_read_again, 1,
           "a head of 32 KiB may come byte by byte, at no great cost")
{
    char *at = large;

    count_looks(print_lines(100));
    count_looks(print_head(32768));
    at += sprintf(at, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (size_t i = 0; i < 99; i++)
        at += sprintf(at, "Transfer-Encodinh: %0300d\r\n", 0);
    at += sprintf(at, "\r\n");
    count_looks((size_t)(at - large));
}

/** Whatever the cut, the answer is the one for the whole. */
static void compare_cut(const char *head, size_t length, size_t first,
                        size_t size)
{
    struct outcome whole = read_cut(head, length, length, length);
    struct outcome got = read_cut(head, length, first, size);

    expect(
        got.result == whole.result && got.status == whole.status,
        "In one piece, the head \"%s\" got the answer %s (status %u). With "
        "%zu bytes at first, then %zu more with each call, it got %s (status "
        "%u). Both must be the same: see hint 3 of TODO(09.1).",
        shown(head, length), result_name(whole.result), whole.status, first,
        size, result_name(got.result), got.status);
    expect(strcmp(got.facts, whole.facts) == 0,
           "In one piece, the head \"%s\" says:\n  %s\nWith %zu bytes at "
           "first, then %zu more with each call:\n  %s\nBoth must be the same.",
           shown(head, length), whole.facts, first, size, got.facts);
}

/** All ways to cut it in two, and pieces of all sizes. */
static void compare_cuts(const char *head)
{
    size_t length = strlen(head);

    for (size_t i = 1; i < length; i++) {
        compare_cut(head, length, i, length);
        compare_cut(head, length, i, i);
    }
}

GRADE_TEST(cuts_change_nothing, 1, "the answer does not depend on the cutting")
{
    static const char good[] =
        "\r\nPOST /a HTTP/1.1\r\nHost: a:1\r\nContent-Length: 12\r\n\r\nGET /";
    size_t length;

    must_accept(good,
                "POST /a 1.1, <Host> = <a:1>, <Content-Length> = <12>, "
                "2 fields, head of 53 bytes, body of 12 bytes",
                "the other tests first");
    compare_cuts(good);
    compare_cuts(with_fields("Transfer-Encoding: chunked \r\n"));
    compare_cuts(with_fields("Transfer-Encoding: gzip, chunked\r\n"));
    compare_cuts(with_fields("Content-Length: 5, 5\r\n"));
    compare_cuts(with_fields("B: c\rD: e\r\n"));
    compare_cuts(with_fields("B: c\rXD: e\r\n"));
    compare_cuts(with_fields("B: c\nD: e\r\n"));
    compare_cuts("GET / HTTP/1.1\r\n\r\n");
    compare_cuts("GET / HTTP/3.1\r\nHost: a\r\nHost: b\r\n\r\n");
    length = print_head(3 * HEAD_BYTES_MAX - 1);
    large[18] = '\n'; /* a fault in the second line: "Ho\nt" */
    compare_cut(large, length, 12, 4096);
    length = print_target(20000);
    compare_cut(large, length, 12, 4096);
}

GRADE_TESTS(facts_are_right, request_lines_are_strict, field_lines_are_strict,
            lengths_are_plain, codings_are_known, host_is_one,
            limits_have_a_status, no_byte_is_read_again, cuts_change_nothing)

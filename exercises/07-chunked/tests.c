/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Each body is fed in pieces, each piece a copy of its own, so that a decoder
 * that reads beyond a piece or keeps a pointer into one is found out.
 */
#include "grade.h"

#include "chunked.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** What came of a body. */
struct outcome {
    enum chunked_result result;
    size_t used;    /* over all pieces */
    size_t made;    /* likewise */
    char *content;  /* owned */
    bool left_some; /* of a piece, though the answer was CHUNKED_MORE */
    bool has_words; /* chunked_why() said something */
    char why[100];  /* what it said */
};

/** Print bytes as they are written in C. */
static size_t print_bytes(char *out, const char *bytes, size_t length)
{
    size_t at = 0;

    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (c == '\r' || c == '\n')
            at += (size_t)sprintf(out + at, "%s", c == '\r' ? "\\r" : "\\n");
        else if (c == '"' || c == '\\')
            at += (size_t)sprintf(out + at, "\\%c", c);
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
    static char lines[4][640];
    static size_t turn;
    char *line = lines[turn++ % 4];

    if (length <= 140)
        print_bytes(line, bytes, length);
    else {
        size_t at = print_bytes(line, bytes, 60);

        at += (size_t)sprintf(line + at, " [... %zu bytes ...] ", length - 100);
        /* cppcheck-suppress pointerOutOfBoundsCond */
        print_bytes(line + at, bytes + length - 40, 40);
    }
    return line;
}

static const char *result_name(enum chunked_result result)
{
    switch (result) {
    case CHUNKED_MORE: return "CHUNKED_MORE";
    case CHUNKED_DONE: return "CHUNKED_DONE";
    case CHUNKED_REFUSED: return "CHUNKED_REFUSED";
    }
    return "none of the three results";
}

/** An answer, and the reason if it gave one, for a message. */
static const char *answer_of(const struct outcome *got)
{
    static char line[160];

    snprintf(line, sizeof(line), "%s%s%s%s", result_name(got->result),
             got->has_words ? " (\"" : "", got->why,
             got->has_words ? "\")" : "");
    return line;
}

/** Where to look; not at the rules of a body if the walk stopped before. */
static const char *where_to_look(const struct outcome *got, const char *hint)
{
    return got->left_some ? "hint 3 of TODO(07.1): `used` must be the whole "
                            "piece if the answer is CHUNKED_MORE"
                          : hint;
}

/** With 1, `byte`; with another number, `bytes`. */
static const char *bytes_word(size_t count)
{
    return count == 1 ? "byte" : "bytes";
}

/** Feed one piece; what is allowed of any piece is checked here. */
static void feed(struct chunked *decoder, const char *bytes, size_t length,
                 struct outcome *outcome)
{
    enum chunked_result before = outcome->result;
    char *in = malloc(length + (length == 0));
    char *out = malloc(length + (length == 0));
    size_t used = SIZE_MAX;
    size_t made = SIZE_MAX;

    memcpy(in, bytes, length);
    outcome->result = chunked_read(decoder, in, length, out, &used, &made);
    expect(used <= length && made <= length,
           "A piece of %zu %s, \"%s\", was said to have %zu %s used and %zu "
           "made. Neither can be more than the piece has.",
           length, bytes_word(length), shown(bytes, length), used,
           bytes_word(used), made);
    if (outcome->result == CHUNKED_MORE && used < length)
        outcome->left_some = true;
    expect(before == CHUNKED_MORE ||
               (outcome->result == before && used == 0 && made == 0),
           "After %s, the next piece got %s, %zu used, %zu made. The answer "
           "must stay the same, with nothing used and nothing made.",
           result_name(before), result_name(outcome->result), used, made);
    memcpy(outcome->content + outcome->made, out, made);
    outcome->used += used;
    outcome->made += made;
    free(in);
    free(out);
}

/** The decoder will be gone: its words are copied. */
static void keep_words(struct outcome *outcome, const char *why)
{
    outcome->has_words = why != NULL;
    if (why != NULL)
        snprintf(outcome->why, sizeof(outcome->why), "%s", why);
}

/** Decode a body: @p first bytes, and then pieces of @p size bytes. */
static struct outcome decode(const char *bytes, size_t length, size_t first,
                             size_t size)
{
    struct outcome outcome = {.content = calloc(1, length + 1)};
    struct chunked *decoder = chunked_new();
    size_t at = first < length ? first : length;

    expect(decoder != NULL, "chunked_new() gave NULL.");
    expect(chunked_why(decoder) == NULL,
           "chunked_why() of a new decoder is not NULL.");
    feed(decoder, bytes, at, &outcome);
    while (at < length) {
        size_t piece = length - at < size ? length - at : size;

        feed(decoder, bytes + at, piece, &outcome);
        at += piece;
    }
    keep_words(&outcome, chunked_why(decoder));
    chunked_free(&decoder);
    expect(decoder == NULL, "chunked_free() did not empty the pointer.");
    return outcome;
}

/** Decode a body in one piece, and say so beforehand. */
static struct outcome decode_whole(const char *body, size_t length,
                                   const char *hint)
{
    step("The body \"%s\" is decoded, in one piece; see %s.",
         shown(body, length), hint);
    return decode(body, length, length, length);
}

/** A body that must be read to its end, all in one piece. */
static void must_accept_bytes(const char *body, size_t length,
                              const char *content, const char *hint)
{
    struct outcome got = decode_whole(body, length, hint);

    expect(got.result == CHUNKED_DONE,
           "The body \"%s\" is right, and should end as CHUNKED_DONE; yours "
           "said %s after %zu of %zu bytes. See %s.",
           shown(body, length), answer_of(&got), got.used, length,
           where_to_look(&got, hint));
    expect(!got.has_words,
           "The body \"%s\" was read to its end, as it should be, but "
           "chunked_why() says \"%s\". It must be NULL unless a body was "
           "refused.",
           shown(body, length), got.why);
    expect(got.used == length,
           "All %zu bytes of the body \"%s\" belong to it; yours used %zu. "
           "See %s.",
           length, shown(body, length), got.used, hint);
    expect(got.made == strlen(content) &&
               memcmp(got.content, content, got.made) == 0,
           "The content of the body \"%s\" is \"%s\" (%zu %s); yours made "
           "\"%s\" (%zu %s). See %s.",
           shown(body, length), shown(content, strlen(content)),
           strlen(content), bytes_word(strlen(content)),
           shown(got.content, got.made), got.made, bytes_word(got.made), hint);
    free(got.content);
}

static void must_accept(const char *body, const char *content, const char *hint)
{
    must_accept_bytes(body, strlen(body), content, hint);
}

/** A body that must be refused, whoever asks. */
static void must_refuse_bytes(const char *body, size_t length, const char *why,
                              const char *hint)
{
    struct outcome got = decode_whole(body, length, hint);

    expect(got.result == CHUNKED_REFUSED,
           "The body \"%s\" should be refused: %s. Yours said %s after %zu of "
           "%zu bytes. See %s.",
           shown(body, length), why, answer_of(&got), got.used, length,
           where_to_look(&got, hint));
    expect(got.has_words,
           "The body \"%s\" was refused, but chunked_why() gave NULL. It "
           "should say what was wrong.",
           shown(body, length));
    free(got.content);
}

static void must_refuse(const char *body, const char *why, const char *hint)
{
    must_refuse_bytes(body, strlen(body), why, hint);
}

GRADE_TEST(chunks_become_content, 1, "chunks become content")
{
    static const char *const hint = "hint 1 of TODO(07.1)";

    must_accept("5\r\nhello\r\n0\r\n\r\n", "hello", hint);
    must_accept("5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n", "helloabc", hint);
    must_accept("0\r\n\r\n", "", hint);
    must_accept("2\r\n\r\n\r\n3\r\n0\r\n\r\n0\r\n\r\n", "\r\n0\r\n",
                "hint 2 of TODO(07.1): content may look like anything");
}

GRADE_TEST(sizes_are_strict, 2, "a size is hexadecimal digits and nothing else")
{
    static const char *const hint = "hint 2 of TODO(07.2)";

    must_accept("a\r\n0123456789\r\n0\r\n\r\n", "0123456789", hint);
    must_accept("0A\r\n0123456789\r\n0\r\n\r\n", "0123456789", hint);
    must_accept("0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n",
                "hello", hint);
    must_accept("00\r\n\r\n", "", hint);
    must_refuse("+5\r\nhello\r\n0\r\n\r\n", "a size has no sign", hint);
    must_refuse("-1\r\nhello\r\n0\r\n\r\n", "a size has no sign", hint);
    must_refuse("0x5\r\nhello\r\n0\r\n\r\n", "a size has no 0x", hint);
    must_refuse(" 5\r\nhello\r\n0\r\n\r\n", "no blank stands before a size",
                hint);
    must_refuse("5 \r\nhello\r\n0\r\n\r\n",
                "blanks after the digits may only stand before a `;`",
                "hint 2 of TODO(07.3)");
    must_refuse("\r\nhello\r\n0\r\n\r\n", "the size line is empty", hint);
    must_refuse(";a\r\nhello\r\n0\r\n\r\n", "there is no size", hint);
    must_refuse("5g\r\nhello\r\n0\r\n\r\n", "g is no hexadecimal digit", hint);
    must_refuse("00000000000000005\r\nhello\r\n0\r\n\r\n", "it has 17 digits",
                hint);
    must_refuse("10000000000000005\r\nhello\r\n0\r\n\r\n",
                "it has 17 digits, and in 64 bits it would look like 5", hint);
}

GRADE_TEST(large_sizes_stay_large, 1, "a size may need all 64 bits")
{
    static const char *const sizes[] = {"100000005", "FFFFFFFFFFFFFFFF",
                                        "8000000000000000"};

    for (size_t i = 0; i < 3; i++) {
        char body[64];
        int length =
            snprintf(body, sizeof(body), "%s\r\nhello\r\n0\r\n\r\n", sizes[i]);
        struct outcome got =
            decode_whole(body, (size_t)length, "hint 3 of TODO(07.2)");

        expect(got.result == CHUNKED_MORE && got.made == 12,
               "A chunk of 0x%s bytes began, and 12 of them came: they are "
               "all content, and more is to come. Yours said %s and made %zu "
               "%s. See %s.",
               sizes[i], answer_of(&got), got.made, bytes_word(got.made),
               where_to_look(&got, "hint 3 of TODO(07.2)"));
        expect(got.used == (size_t)length,
               "A chunk of 0x%s bytes began, and is not whole: all %d bytes of "
               "the piece belong to it; yours used %zu. See `used` in "
               "chunked.h.",
               sizes[i], length, got.used);
        free(got.content);
    }
}

GRADE_TEST(line_ends_are_strict, 1, "a line ends in CR LF, a chunk as well")
{
    static const char *const hint = "hint 3 of TODO(07.1)";

    must_accept("5\r\nhello\r\n0\r\n\r\n", "hello", hint);
    must_refuse("5\nhello\r\n0\r\n\r\n", "the size line ends in a bare LF",
                hint);
    must_refuse("5\r\nhello\n0\r\n\r\n", "the chunk ends in a bare LF", hint);
    must_refuse("5\rhello\r\n0\r\n\r\n", "the size line ends in a bare CR",
                hint);
    must_refuse("5\r\r\nhello\r\n0\r\n\r\n", "two CR stand before the LF",
                hint);
    must_refuse("5\r\nhello0\r\n\r\n", "no CR LF follows the chunk", hint);
    must_refuse("5\r\nhelloXX0\r\n\r\n", "XX follows the chunk, not CR LF",
                hint);
    must_refuse("5\r\nhello\rX0\r\n\r\n", "CR X follows the chunk", hint);
    must_refuse("5\r\nhello\r\n0\n\r\n", "the last size line ends in a bare LF",
                hint);
    must_refuse("5\r\nhello\r\n0\r\n\n", "the empty line is a bare LF", hint);
    must_refuse("5\r\nhello\r\n0\r\n\rX", "after the last CR comes no LF",
                hint);
    must_refuse("5\r\nhello\r\n0\r\nA: b\n\r\n", "a trailer ends in a bare LF",
                hint);
    must_refuse("5\r\nhello\r\n0\r\nA: b\rC: d\r\n\r\n",
                "a bare CR stands in a trailer", hint);
}

/** A body of one chunk, `a`. Its size line: these bytes, so many others, and
    these. Returns the end of the chunk. */
static char *print_extended(char *out, const char *begin, int byte, size_t fill,
                            const char *end)
{
    out += sprintf(out, "%s", begin);
    memset(out, byte, fill);
    return out + fill + sprintf(out + fill, "%s\r\na\r\n", end);
}

/** The same, and the last chunk: it must be read if the bytes between digits
    and CR are as many as are allowed, and refused if they are one more. */
static void check_extension_limit(const char *begin, int byte, size_t fill,
                                  const char *end, const char *what)
{
    static const char *const hint = "EXTENSION_BYTES_MAX in chunked.h";
    size_t bytes = strlen(begin) - 1 + fill + strlen(end);
    char body[2048], story[200];

    sprintf(print_extended(body, begin, byte, fill, end), "0\r\n\r\n");
    if (bytes <= EXTENSION_BYTES_MAX) {
        must_accept(body, "a", hint);
        return;
    }
    snprintf(story, sizeof(story),
             "%s make %zu bytes between the digit and the CR", what, bytes);
    must_refuse(body, story, hint);
}

/** Whatever stands between the digits and the CR is counted. */
static void check_extension_limits(void)
{
    check_extension_limit("1;", 'x', 511, "", "");
    check_extension_limit("1;", 'x', 512, "", "the `;` and 512 bytes after it");
    check_extension_limit("1", ' ', 511, ";", "");
    check_extension_limit("1", ' ', 512, ";", "512 blanks and the `;`");
    check_extension_limit("1;\"", 'x', 509, "\"", "");
    check_extension_limit("1;\"", 'x', 510, "\"",
                          "the `;`, two quotes and 510 bytes between them");
    check_extension_limit("1;\"", '\\', 510, "\"",
                          "the `;`, two quotes and 255 pairs of backslash and "
                          "byte between them");
}

GRADE_TEST(extensions_are_passed_over, 1,
           "extensions are passed over, quotes understood, bytes limited")
{
    static const char *const hint = "hint 1 of TODO(07.3)";
    static const char *const quotes = "hint 3 of TODO(07.3)";
    static const char *const limit = "EXTENSION_BYTES_MAX in chunked.h";
    static char body[2048];
    char *end;

    must_accept("5;a=b;c\r\nhello\r\n0;d\r\n\r\n", "hello", hint);
    must_accept("5 \t;a\r\nhello\r\n0\r\n\r\n", "hello", hint);
    must_accept("5;a\tb=\"\t\"\r\nhello\r\n0\r\n\r\n", "hello", hint);
    must_accept("5;\xc3\xa9=\"\xff\x80\\\xe9\"\r\nhello\r\n0\r\n\r\n", "hello",
                hint);
    must_accept("5;a=\"x;\\\"y\\\\\"\r\nhello\r\n0\r\n\r\n", "hello", quotes);
    must_accept("5;a=\\\r\nhello\r\n0\r\n\r\n", "hello", quotes);
    must_refuse("5;a=\"x\r\nhello\r\n0\r\n\r\n",
                "the line ends inside a quoted string", quotes);
    must_refuse("5;a=\"x\\\"\r\nhello\r\n0\r\n\r\n",
                "the quote after the backslash closes nothing", quotes);
    must_refuse("5;a=\"x\\\r\nhello\r\n0\r\n\r\n",
                "a backslash takes the next byte with it, but no CR", quotes);
    must_refuse("5;a\nb\r\nhello\r\n0\r\n\r\n", "a bare LF in an extension",
                hint);
    must_refuse("5;a=\x7f\r\nhello\r\n0\r\n\r\n", "a control byte", hint);
    must_refuse_bytes("5;a=\0\r\nhello\r\n0\r\n\r\n", 19, "a zero byte", hint);

    check_extension_limits();
    end = print_extended(body, "1;", 'x', 255, "");
    end = print_extended(end, "1;", 'x', 255, "");
    sprintf(end, "0\r\n\r\n");
    must_accept(body, "aa", limit);
    sprintf(end, "0;\r\n\r\n");
    must_refuse(body,
                "two chunks have 256 bytes of extensions each, and the `;` of "
                "the last chunk is the 513th of this body",
                limit);
}

/** Lines of 2048 bytes, and one byte more. */
static void check_trailer_limit(void)
{
    static const char *const limit = "TRAILER_BYTES_MAX in chunked.h";
    char body[4096];

    /* `A: `, 2043 bytes of value, CR LF. */
    sprintf(body, "0\r\nA: %02043d\r\n\r\n", 0);
    must_accept(body, "", limit);
    sprintf(body, "0\r\nA: %02044d\r\n\r\n", 0);
    must_refuse(body, "2049 bytes of trailers, the CR LF of the line counted",
                limit);
    sprintf(body, "0\r\nA: %01019d\r\nB: %01019d\r\n\r\n", 0, 0);
    must_accept(body, "", limit);
    sprintf(body, "0\r\nA: %01019d\r\nB: %01020d\r\n\r\n", 0, 0);
    must_refuse(body,
                "two trailers, together 2049 bytes, the CR LF of each counted",
                limit);
}

GRADE_TEST(trailers_are_checked, 2, "trailers are checked and passed over")
{
    static const char *const hint = "hint 1 of TODO(07.4)";
    static const char *const names = "hint 3 of TODO(07.4)";
    static const char zero[] = "0\r\nA\0B: x\r\n\r\n";
    char body[300];

    must_accept("5\r\nhello\r\n0\r\nExpires: never\r\nA:\r\n\r\n", "hello",
                hint);
    must_accept("0\r\nContent-Lengths: 5\r\nContent-Lengt: 5\r\nHos: t\r\n\r\n",
                "", names);
    must_refuse("0\r\nContent-Length: 5\r\n\r\n", "this name is forbidden",
                names);
    must_refuse("0\r\nA: b\r\ncontent-LENGTH: 5\r\n\r\n",
                "case does not matter in a name", names);
    must_refuse("0\r\nTransfer-Encoding: chunked\r\n\r\n",
                "this name is forbidden", names);
    must_refuse("0\r\nHost: a\r\n\r\n", "this name is forbidden", names);
    must_refuse("0\r\nauthorization: a\r\n\r\n", "this name is forbidden",
                names);
    must_refuse("0\r\nConnection: a\r\n\r\n", "this name is forbidden", names);
    must_refuse("0\r\nTrailer:\r\n\r\n", "this name is forbidden", names);
    must_refuse("0\r\nA : b\r\n\r\n", "a blank stands before the colon", hint);
    must_refuse("0\r\n: b\r\n\r\n", "the name is empty", hint);
    must_refuse("0\r\nabc\r\n\r\n", "there is no colon", hint);
    must_refuse("0\r\nA: b\r\n c\r\n\r\n", "a line begins with a blank", hint);
    must_refuse("0\r\nA: \x01\r\n\r\n", "a control byte in a value", hint);

    must_refuse("0\r\nA: \x7f\r\n\r\n", "a control byte in a value", hint);
    must_refuse_bytes(zero, sizeof(zero) - 1, "a zero byte in a name", hint);
    must_refuse("0\r\n\xe9: a\r\n\r\n", "a byte that no name may have", hint);
    must_accept("0\r\nA:\tb\tc\r\n\r\n", "", hint);
    must_accept("0\r\nA: \xe9\xff\x80\r\n\r\n", "",
                "hint 1 of TODO(07.3): a value has the same bytes");
    must_accept("0\r\n!#$%&'*+-.^_`|~09azAZ: b\r\n\r\n", "", hint);
    sprintf(body, "0\r\nA%0200d: b\r\n\r\n", 0);
    must_accept(body, "", "hint 2 of TODO(07.4)");
    check_trailer_limit();
}

GRADE_TEST(the_rest_is_left_alone, 1, "what comes after the body is left alone")
{
    static const char body[] = "3\r\nabc\r\n0\r\nA: b\r\n\r\n";
    static const char next[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    char both[sizeof(body) + sizeof(next)];
    size_t length = (size_t)sprintf(both, "%s%s", body, next);

    for (size_t size = 1; size <= length; size++) {
        struct outcome got;

        step("The body \"%s\" and the beginning of another request come in "
             "pieces of %zu %s; see hint 2 of TODO(07.1).",
             shown(body, strlen(body)), size, bytes_word(size));
        got = decode(both, length, size, size);
        expect(got.result == CHUNKED_DONE && got.made == 3,
               "The body \"%s\" and the beginning of another request came in "
               "pieces of %zu %s. This should end as CHUNKED_DONE with 3 bytes "
               "of content; yours said %s and made %zu. See %s.",
               shown(body, strlen(body)), size, bytes_word(size),
               answer_of(&got), got.made,
               where_to_look(&got, "hint 2 of TODO(07.1)"));
        expect(got.used == strlen(body),
               "The body has %zu bytes, and after it another request begins "
               "(pieces of %zu %s). `used` should be %zu over all calls; "
               "yours was %zu. What belongs to the next request must stay "
               "with the caller, or it is lost: see `used` in chunked.h.",
               strlen(body), size, bytes_word(size), strlen(body), got.used);
        free(got.content);
    }
}

/** A body, and all that is to be said about it. */
struct sample {
    const char *body;
    enum chunked_result result;
    const char *content;
    size_t used; /* refused: up to the byte that cannot be right */
};

static const struct sample samples[] = {
    {"5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n", CHUNKED_DONE, "helloabc", 23},
    {"0c ;a=\"\\\"x;\"\r\nhello\r\nworld\r\n0;b\r\nExpires: never\r\nAge: 1\r\n"
     "\r\nGET /",
     CHUNKED_DONE, "hello\r\nworld", 59},
    {"2\r\nab\r\n1\r\nc\r\n0\r\nX: y\r\n", CHUNKED_MORE, "abc", 22},
    {"4\r\nabcd\r\n+5\r\nhello\r\n0\r\n\r\n", CHUNKED_REFUSED, "abcd", 9},
    {"4\r\nabcd\r\n5 \r\nhello\r\n0\r\n\r\n", CHUNKED_REFUSED, "abcd", 11},
    {"4\r\nabcd\r\n00000000000000005\r\nhello\r\n0\r\n\r\n", CHUNKED_REFUSED,
     "abcd", 25},
    {"4\r\nabcdX\r\n0\r\n\r\n", CHUNKED_REFUSED, "abcd", 7},
    {"4\r\nabcd\r\n0\r\nA: b\r\nContent-Length: 5\r\n\r\n", CHUNKED_REFUSED,
     "abcd", 32},
    {"4\r\nabcd\r\n0;\"\\\r\n\r\n", CHUNKED_REFUSED, "abcd", 13},
};

/** The same, cut up: is everything as it was in one piece? */
static void compare_cut(const struct sample *sample, size_t first, size_t size)
{
    size_t length = strlen(sample->body);
    struct outcome whole =
        decode_whole(sample->body, length, "hint 2 of TODO(07.1)");
    struct outcome got;
    char how[80];

    expect(whole.result == sample->result,
           "The body \"%s\" came in one piece, and should end as %s; yours "
           "said %s. The other tests say more about it: mend those first.",
           shown(sample->body, length), result_name(sample->result),
           answer_of(&whole));
    if (first == size)
        snprintf(how, sizeof(how), "pieces of %zu %s", size, bytes_word(size));
    else
        snprintf(how, sizeof(how), "two pieces, the first of %zu %s", first,
                 bytes_word(first));
    step("The body \"%s\" is decoded, in %s; see hint 2 of TODO(07.1).",
         shown(sample->body, length), how);
    got = decode(sample->body, length, first, size);
    expect(got.result == sample->result,
           "The body \"%s\" came in %s, and should end as %s; yours said "
           "%s. What must the decoder remember between the two? See %s.",
           shown(sample->body, length), how, result_name(sample->result),
           answer_of(&got), where_to_look(&got, "hint 2 of TODO(07.1)"));
    expect(got.made == strlen(sample->content) &&
               memcmp(got.content, sample->content, got.made) == 0,
           "The body \"%s\" came in %s, and its content should be "
           "\"%s\"; yours made \"%s\".",
           shown(sample->body, length), how,
           shown(sample->content, strlen(sample->content)),
           shown(got.content, got.made));
    expect(got.used == sample->used,
           "Of the body \"%s\", in %s, %zu bytes should be used%s; yours used "
           "%zu. See `used` in chunked.h.",
           shown(sample->body, length), how, sample->used,
           sample->result == CHUNKED_REFUSED
               ? ": the next one is the first that cannot be right"
               : "",
           got.used);
    free(whole.content);
    free(got.content);
}

GRADE_TEST(any_cut_is_alike, 1, "the answer does not depend on the cutting")
{
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        size_t length = strlen(samples[i].body);

        for (size_t size = 1; size < length; size++)
            compare_cut(&samples[i], size, size);
        for (size_t first = 0; first < length; first++)
            compare_cut(&samples[i], first, length);
    }
}

GRADE_TESTS(chunks_become_content, sizes_are_strict, large_sizes_stay_large,
            line_ends_are_strict, extensions_are_passed_over,
            trailers_are_checked, the_rest_is_left_alone, any_cut_is_alike)

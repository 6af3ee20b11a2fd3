/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file fuzz.h
 * @brief What the fuzz targets have in common.
 *
 * A fuzz target is a function that is given bytes, and does with them what the
 * balancer would. It has no expectations of its own about single inputs, but
 * knows what must be true of all of them; must() says when it is not.
 *
 * What is read stands in memory of exactly its size, so that the sanitizers see
 * one byte read too many.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "base/must.h"
#include "http/body.h"
#include "http/head.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/** Called with each input, by libFuzzer or by replay.c. @return 0 */
/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it so */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** A head that was read in some way, and the memory its texts stand in. */
struct head_reading {
    struct head head;
    enum head_result result;
    char *bytes; /**< owned */
};

/** A copy that ends where the bytes end. @return owned by the caller */
static inline char *fuzz_copy(const char *bytes, size_t length)
{
    char *copy = xnew(length, 1);

    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

/** Read a head that comes in pieces of so many bytes. */
static inline void head_reading_begin(struct head_reading *reading,
                                      enum head_kind kind, const char *bytes,
                                      size_t length, size_t piece)
{
    static const struct head_limits limits = {2048, 512};
    size_t come = 0;

    head_begin(&reading->head, kind, &limits);
    reading->bytes = NULL;
    do {
        come = length - come > piece ? come + piece : length;
        free(reading->bytes);
        reading->bytes = fuzz_copy(bytes, come);
        reading->result = head_read(&reading->head, reading->bytes, come);
    } while (reading->result == HEAD_MORE && come < length);
}

static inline void head_reading_end(struct head_reading *reading)
{
    free(reading->bytes);
    reading->bytes = NULL;
}

/** What was read does not depend on how it came. */
static inline void must_be_same_head(const struct head *one,
                                     const struct head *other)
{
    must(one->status == other->status);
    must(one->why == other->why);
    must(one->length == other->length);
    must(text_equals(one->method, other->method));
    must(text_equals(one->target, other->target));
    must(text_equals(one->path, other->path));
    must(text_equals(one->authority, other->authority));
    must(text_equals(one->reason, other->reason));
    must(one->method_id == other->method_id);
    must(one->minor == other->minor);
    must(one->seen == other->seen);
    must(one->framing == other->framing);
    must(one->body_length == other->body_length);
    must(one->keeps_alive == other->keeps_alive);
    must(one->expects_continue == other->expects_continue);
    must(one->wants_upgrade == other->wants_upgrade);
    must(one->takes_trailers == other->takes_trailers);
    must(one->keep_alive_secs == other->keep_alive_secs);
    must(one->field_count == other->field_count);
    for (size_t i = 0; i < one->field_count; i++) {
        must(one->fields[i].id == other->fields[i].id);
        must(text_equals(one->fields[i].name, other->fields[i].name));
        must(text_equals(one->fields[i].value, other->fields[i].value));
    }
}

/** No byte that could end a line, or a C string, is in there. */
static inline void must_be_one_line(struct text text)
{
    for (size_t i = 0; i < text.length; i++)
        must((unsigned char)text.at[i] >= ' ' || text.at[i] == '\t');
}

/** How many fields of this kind there are. */
static inline size_t fuzz_count(const struct head *head, enum field_id id)
{
    size_t count = 0;

    for (size_t i = 0; i < head->field_count; i++)
        count += head->fields[i].id == id;
    return count;
}

/** No line ends in two ways: where there is an LF, there is a CR before it. */
static inline void must_have_whole_lines(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        must(bytes[i] != '\0');
        must((bytes[i] == '\n') == (i > 0 && bytes[i - 1] == '\r'));
    }
}

/** What is true of every head that was accepted. */
static inline void must_be_sound(const struct head *head)
{
    must(head->field_count <= FIELDS_MAX);
    must_be_one_line(head->method);
    must_be_one_line(head->path);
    must_be_one_line(head->authority);
    must_be_one_line(head->reason);
    must(fuzz_count(head, FIELD_CONTENT_LENGTH) +
             fuzz_count(head, FIELD_TRANSFER_ENCODING) <=
         1);
    for (size_t i = 0; i < head->field_count; i++) {
        must(head->fields[i].name.length > 0);
        must_be_one_line(head->fields[i].name);
        must_be_one_line(head->fields[i].value);
    }
}

/** Read a head in pieces of several sizes; all answers must be alike. */
static inline void must_read_alike(enum head_kind kind, const char *bytes,
                                   size_t length)
{
    const size_t pieces[] = {1, 2, 3, 17, length / 2 + 1};
    struct head_reading whole, cut;
    size_t from = length > 400 ? 2 : 0; /* byte by byte takes its time */

    head_reading_begin(&whole, kind, bytes, length, length + 1);
    if (whole.result == HEAD_DONE) {
        must_be_sound(&whole.head);
        must_have_whole_lines(bytes, whole.head.length);
    }
    for (size_t i = from; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        head_reading_begin(&cut, kind, bytes, length, pieces[i]);
        must(cut.result == whole.result);
        must_be_same_head(&whole.head, &cut.head);
        head_reading_end(&cut);
    }
    head_reading_end(&whole);
}

/** A body that was read in some way. */
struct body_reading {
    struct body body;
    enum body_result result;
    char *content;  /**< owned */
    size_t made;    /**< bytes of content */
    size_t used;    /**< bytes of the raw body */
    char *trailers; /**< owned */
    size_t trailer_bytes;
};

/** Read on with what has come; what was not used comes again. */
static inline void body_reading_go_on(struct body_reading *reading,
                                      const char *raw, size_t come)
{
    size_t length = come - reading->used;
    char *copy = fuzz_copy(raw + reading->used, length);
    size_t used, made;

    reading->result = body_read(&reading->body, copy, length, &used, &made);
    must(used <= length);
    must(made <= used);
    if (made > 0)
        memcpy(reading->content + reading->made, copy, made);
    reading->made += made;
    reading->used += used;
    if (reading->result == BODY_DONE) {
        struct text trailers = reading->body.trailers;

        reading->trailers = fuzz_copy(trailers.at, trailers.length);
        reading->trailer_bytes = trailers.length;
    }
    if (reading->result == BODY_MORE)
        must(reading->used == come || come - reading->used <= TRAILERS_MAX);
    free(copy);
}

/** Read the body behind a head; it comes in pieces of so many bytes. */
static inline void body_reading_begin(struct body_reading *reading,
                                      const struct head *head, const char *raw,
                                      size_t length, size_t piece)
{
    size_t come = 0;

    *reading = (struct body_reading){.content = xnew(length, 1)};
    body_begin(&reading->body, head);
    do {
        come = length - come > piece ? come + piece : length;
        body_reading_go_on(reading, raw, come);
    } while (reading->result == BODY_MORE && come < length);
}

static inline void body_reading_end(struct body_reading *reading)
{
    free(reading->content);
    free(reading->trailers);
    reading->content = reading->trailers = NULL;
}

/** Are these alike, byte by byte? */
static inline bool fuzz_same(const char *one, size_t length, const char *other,
                             size_t other_length)
{
    return length == other_length &&
           (length == 0 || memcmp(one, other, length) == 0);
}

static inline void must_be_same_body(const struct body_reading *one,
                                     const struct body_reading *other)
{
    must(one->result == other->result);
    must(one->body.why == other->body.why);
    if (one->result == BODY_REFUSED)
        return; /* how much was read before is nobody's business */
    must(one->used == other->used);
    must(fuzz_same(one->content, one->made, other->content, other->made));
    must(fuzz_same(one->trailers, one->trailer_bytes, other->trailers,
                   other->trailer_bytes));
}

/** Read a body in pieces of several sizes; all answers must be alike. */
static inline void must_read_body_alike(const struct head *head,
                                        const char *raw, size_t length)
{
    const size_t pieces[] = {1, 2, 3, 17, length / 2 + 1};
    struct body_reading whole, cut;

    body_reading_begin(&whole, head, raw, length, length + 1);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        body_reading_begin(&cut, head, raw, length, pieces[i]);
        must_be_same_body(&whole, &cut);
        body_reading_end(&cut);
    }
    body_reading_end(&whole);
}

/** Write content and trailers as chunks. @return owned by the caller */
static inline char *fuzz_chunks(struct text content, struct text trailers,
                                size_t *length)
{
    char *out = xnew(2 * content.length + trailers.length + 64, 1);
    size_t made = 0;
    size_t piece;

    while (content.length > 0) {
        piece = content.length < 100 ? content.length : 100;
        made += chunk_print(piece, out + made);
        memcpy(out + made, content.at, piece);
        memcpy(out + made + piece, "\r\n", 2);
        made += piece + 2;
        content.at += piece;
        content.length -= piece;
    }
    made += chunk_print_last(trailers, out + made, trailers.length + 5);
    *length = made;
    return out;
}

#endif

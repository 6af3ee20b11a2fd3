/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Any bytes, read as a chunked body: how they were cut up must not matter, and
 * what we make of the content, written as chunks by us, must be read as the
 * same content again.
 */
#include "fuzz.h"

/** What passes of the trailers has no field in it that we know. */
static void must_be_harmless(struct text trailers)
{
    struct text line;
    struct field field;

    while (text_cut(&trailers, '\n', &line)) {
        must(line.length > 0 && line.at[line.length - 1] == '\r');
        line.length--;
        must_be_one_line(line);
        must(field_read(&field, line));
        must(field.id == FIELD_OTHER);
    }
    must(trailers.length == 0);
}

static void write_and_read_again(const struct head *head,
                                 const struct body_reading *first)
{
    struct text content = {first->content, first->made};
    struct text trailers = {first->trailers, first->trailer_bytes};
    struct body_reading again;
    size_t length;
    char *chunks = fuzz_chunks(content, trailers, &length);

    body_reading_begin(&again, head, chunks, length, 7);
    must(again.result == BODY_DONE);
    must(again.used == length);
    must(fuzz_same(first->content, first->made, again.content, again.made));
    must(again.trailer_bytes <= first->trailer_bytes);
    must_be_harmless((struct text){again.trailers, again.trailer_bytes});
    body_reading_end(&again);
    free(chunks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct head_limits limits = {2048, 512};
    const char *raw = (const char *)data;
    struct body_reading reading;
    struct head head;

    head_begin(&head, HEAD_REQUEST, &limits);
    head.framing = FRAMING_CHUNKED;
    must_read_body_alike(&head, raw, size);
    body_reading_begin(&reading, &head, raw, size, size + 1);
    if (reading.result == BODY_DONE)
        write_and_read_again(&head, &reading);
    body_reading_end(&reading);
    return 0;
}

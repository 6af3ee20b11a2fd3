/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A request's head, and what follows it: the body, and perhaps a second
 * request. How the bytes were cut up must not matter, and as many bytes as the
 * head says must belong to the body, no less and no more.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct head_reading reading;
    struct body_reading body;
    const struct head *head = &reading.head;

    head_reading_begin(&reading, HEAD_REQUEST, bytes, size, size + 1);
    if (reading.result == HEAD_DONE) {
        const char *raw = bytes + head->length;
        size_t length = size - head->length;

        must_read_body_alike(head, raw, length);
        body_reading_begin(&body, head, raw, length, length + 1);
        if (head->framing == FRAMING_NONE)
            must(body.result == BODY_DONE && body.used == 0);
        if (head->framing == FRAMING_LENGTH) {
            must((body.result == BODY_DONE) == (length >= head->body_length));
            must(body.made == body.used);
            must(body.used <= head->body_length);
        }
        must(body_end(&body.body) == (body.result == BODY_DONE));
        body_reading_end(&body);
    }
    head_reading_end(&reading);
    return 0;
}

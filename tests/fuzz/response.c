/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Any bytes, read as a backend's response, to GET and to HEAD: how they were
 * cut up must not matter, and what we pass on to the client must say the same
 * as what came.
 */
#include "fuzz.h"

#include "http/forward.h"

static const struct forward_response decided = {
    .via = {"lb", 2},
    .cookie = {"lb=1", 4},
    .backend = {"web-1", 5},
    .date = {"now", 3},
};

/** The end of a connection is passed on as a last chunk. */
static enum framing passed_on(enum framing framing)
{
    return framing == FRAMING_CLOSE ? FRAMING_CHUNKED : framing;
}

static void must_mean_the_same(const struct head *came, const struct head *went)
{
    must(went->status == came->status);
    must(text_equals(went->reason, came->reason));
    must(went->framing == passed_on(came->framing));
    if (came->framing == FRAMING_LENGTH)
        must(went->body_length == came->body_length);
    must(went->minor == 1);
    must(head_find(went, FIELD_VIA) != NULL);
    must(head_find(went, FIELD_KEEP_ALIVE) == NULL);
    must((head_find(went, FIELD_UPGRADE) != NULL) ==
         (came->status == 101 && head_find(came, FIELD_UPGRADE) != NULL));
    if (came->status < 200 || came->status == 204) /* RFC 9110, 8.6 */
        must(head_find(went, FIELD_CONTENT_LENGTH) == NULL);
    if (came->status < 200)
        must(head_find(went, FIELD_SET_COOKIE) == NULL ||
             head_find(came, FIELD_SET_COOKIE) != NULL);
}

static void pass_on(const struct head *head)
{
    static const struct head_limits limits = {1 << 20, 1 << 20};
    size_t room = head->length + FORWARD_GROWTH_MAX;
    char *out = xnew(room, 1);
    struct forward_response facts = decided;
    struct head again;
    size_t length;
    enum head_result result;

    facts.framing = passed_on(head->framing);
    length = forward_print_response(head, &facts, out, room);
    must(length > 0);
    head_begin(&again, head->kind, &limits);
    result = head_read(&again, out, length);
    if (result == HEAD_DONE) {
        must(again.length == length);
        must_be_sound(&again);
        must_mean_the_same(head, &again);
    } else { /* we add fields, and that may make them too many */
        must(result == HEAD_REFUSED && again.field_count == FIELDS_MAX);
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum head_kind kinds[] = {HEAD_RESPONSE,
                                           HEAD_RESPONSE_TO_HEAD};
    const char *bytes = (const char *)data;
    struct head_reading reading;

    for (int i = 0; i < 2; i++) {
        must_read_alike(kinds[i], bytes, size);
        head_reading_begin(&reading, kinds[i], bytes, size, size + 1);
        if (reading.result == HEAD_REFUSED)
            must(reading.head.status == 502);
        if (reading.result == HEAD_DONE) {
            pass_on(&reading.head);
            if (i == 0)
                must_read_body_alike(&reading.head, bytes + reading.head.length,
                                     size - reading.head.length);
        }
        head_reading_end(&reading);
    }
    return 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A whole request, read, written anew for a backend, and read again: it must
 * mean to the backend what it meant to us. If it did not, a client could slip
 * something past us that we have never looked at (RFC 9112, 11.2).
 */
#include "fuzz.h"

#include "http/forward.h"

static struct forward_request facts_of(bool is_trusted)
{
    return (struct forward_request){
        .client = text_of("2001:db8::7"),
        .scheme = text_of("https"),
        .request_id = text_of("id-1"),
        .via = text_of("lb"),
        .is_trusted = is_trusted,
        .attempt = is_trusted ? 1 : 2,
        .passes_trailers = true,
    };
}

/**
 * Does this field go on as it is? Said here in other words than in forward.c.
 * `Close` is a name that nobody may give to a field (RFC 9110, 16.3.1).
 */
static bool goes_on(const struct head *head, const struct field *field)
{
    if (field->id != FIELD_OTHER && field->id != FIELD_COOKIE)
        return false;
    if (name_is(field->name, "close"))
        return false;
    for (size_t i = 0; i < head->field_count; i++)
        if (name_is(head->fields[i].name, "Connection") &&
            list_has(head->fields[i].value, field->name))
            return false;
    return true;
}

/** The next field from here that goes on as it is, or NULL. */
static const struct field *next_field(const struct head *head, size_t *at)
{
    while (*at < head->field_count) {
        const struct field *field = &head->fields[(*at)++];

        if (goes_on(head, field))
            return field;
    }
    return NULL;
}

/** All fields that go on, and no others, in the same order. */
static void must_have_same_fields(const struct head *came,
                                  const struct head *went)
{
    const struct field *one, *other;
    size_t i = 0, j = 0;

    do {
        one = next_field(came, &i);
        other = next_field(went, &j);
        must((one == NULL) == (other == NULL));
        if (one != NULL) {
            must(text_equals(one->name, other->name));
            must(text_equals(one->value, other->value));
        }
    } while (one != NULL);
}

static bool ends_with(struct text text, const char *word)
{
    size_t length = strlen(word);

    return text.length >= length &&
           memcmp(text.at + text.length - length, word, length) == 0;
}

/** Who asked is told by us, last, and alone if nobody is trusted. */
static void must_tell_who(const struct head *came, const struct head *went,
                          bool is_trusted)
{
    const struct field *told = head_find(went, FIELD_X_FORWARDED_FOR);

    must(fuzz_count(went, FIELD_X_FORWARDED_FOR) == 1);
    must(fuzz_count(went, FIELD_FORWARDED) == 1);
    must(fuzz_count(went, FIELD_VIA) == 1);
    must(ends_with(head_find(went, FIELD_VIA)->value, " lb"));
    must(ends_with(told->value, "2001:db8::7"));
    if (is_trusted)
        return;
    must(text_is(told->value, "2001:db8::7"));
    must(text_begins(head_find(went, FIELD_FORWARDED)->value,
                     "for=\"[2001:db8::7]\""));
    must(fuzz_count(went, FIELD_X_FORWARDED_PROTO) == 1);
    must(text_is(head_find(went, FIELD_X_REQUEST_ID)->value, "id-1"));
    must(fuzz_count(went, FIELD_X_FORWARDED_HOST) ==
         (came->authority.length > 0));
}

static void must_mean_the_same(const struct head *came, const struct head *went)
{
    must(went->minor == 1);
    must(text_equals(went->method, came->method));
    must(text_equals(went->path, came->path));
    must(text_equals(went->target, came->path));
    must(text_equals(went->authority, came->authority));
    must(went->fields[0].id == FIELD_HOST);
    must(went->framing == came->framing);
    must(went->body_length == came->body_length);
    must(went->wants_upgrade == came->wants_upgrade);
    must(went->takes_trailers == came->takes_trailers);
    must(went->expects_continue == came->expects_continue);
    must(went->keeps_alive);
    must_have_same_fields(came, went);
}

/** Write the body behind the head, as we frame it. @return bytes of both */
static size_t put_body(const struct head *head, const struct body_reading *body,
                       char *out, size_t length)
{
    struct text content = {body->content, body->made};
    struct text none = {"", 0};
    size_t made = body->made;
    char *chunks = NULL;

    if (head->framing == FRAMING_CHUNKED) {
        chunks = fuzz_chunks(content, none, &made);
        memcpy(out + length, chunks, made);
        free(chunks);
    } else if (made > 0) {
        memcpy(out + length, content.at, made);
    }
    return length + made;
}

/** What we sent is one request, with the same content, and nothing behind. */
static void must_have_same_body(const struct head *went,
                                const struct body_reading *body,
                                const char *out, size_t length)
{
    struct body_reading again;

    body_reading_begin(&again, went, out + went->length, length - went->length,
                       5);
    must(again.result == BODY_DONE);
    must(went->length + again.used == length);
    must(fuzz_same(body->content, body->made, again.content, again.made));
    body_reading_end(&again);
}

static void forward(const struct head *head, const struct body_reading *body,
                    bool is_trusted)
{
    static const struct head_limits limits = {1 << 20, 1 << 20};
    struct forward_request facts = facts_of(is_trusted);
    size_t room = head->length + FORWARD_GROWTH_MAX +
                  2 * (head->authority.length + facts.client.length);
    char *out = xnew(room + 2 * body->made + 64, 1);
    size_t length = forward_print_request(head, &facts, out, room);
    struct head again;
    enum head_result result;

    must(length > 0);
    head_begin(&again, HEAD_REQUEST, &limits);
    result = head_read(&again, out, length);
    if (result == HEAD_DONE) {
        must(again.length == length);
        must_be_sound(&again);
        must_mean_the_same(head, &again);
        must_tell_who(head, &again, is_trusted);
        length = put_body(head, body, out, length);
        must_have_same_body(&again, body, out, length);
    } else { /* we add fields, and that may make them too many */
        must(result == HEAD_REFUSED && again.status == 431);
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *bytes = (const char *)data;
    struct head_reading reading;
    struct body_reading body;

    head_reading_begin(&reading, HEAD_REQUEST, bytes, size, size + 1);
    if (reading.result == HEAD_DONE) {
        body_reading_begin(&body, &reading.head, bytes + reading.head.length,
                           size - reading.head.length, size + 1);
        if (body.result == BODY_DONE) {
            forward(&reading.head, &body, false);
            forward(&reading.head, &body, true);
        }
        body_reading_end(&body);
    }
    head_reading_end(&reading);
    return 0;
}

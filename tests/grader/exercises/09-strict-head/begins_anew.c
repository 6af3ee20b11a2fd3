/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* wrong: reads the head from its first byte with each call */
/* caught by: no_byte_is_read_again */
/*
 * Each byte is taken once, by the function for the part of the head it stands
 * in, which says where the next one stands:
 *
 *     START   METHOD TARGET VERSION LINE_LF
 *     FIELD   NAME BLANKS VALUE VALUE_LF   ... until FIELD meets a CR: END_LF
 *
 * When a name or a value is whole, and only if it is one that matters here, its
 * bytes are looked at once more. So a byte costs at most three looks, however
 * the head was cut.
 */
#include "strict_head.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/** Where in the head the next byte stands. */
enum step {
    STEP_START,    /* the first byte, or the empty line before it */
    STEP_START_LF, /* after the CR of that empty line */
    STEP_METHOD,
    STEP_TARGET,
    STEP_VERSION,
    STEP_LINE_LF,  /* after the CR of the request line */
    STEP_FIELD,    /* the first byte of a line */
    STEP_NAME,     /* before the colon */
    STEP_BLANKS,   /* after it, before the value */
    STEP_VALUE,    /* from its first byte to the CR */
    STEP_VALUE_LF, /* after the CR */
    STEP_END_LF,   /* after the CR of the empty line */
    STEP_DONE,
    STEP_REFUSED,
};

struct strict_head {
    enum step step;
    size_t at;         /* of the next byte */
    size_t version_at; /* where the version begins */
    size_t hosts;      /* Host lines so far */
    size_t lengths;    /* Content-Length lines so far */
    size_t codings;    /* items of Transfer-Encoding lines so far */
    size_t chunkeds;   /* how many of them are `chunked` */
    bool ends_chunked; /* the last of them is */
    struct head_facts facts;
};

struct strict_head *strict_head_new(void)
{
    return calloc(1, sizeof(struct strict_head));
}

void strict_head_free(struct strict_head **reader)
{
    free(*reader);
    *reader = NULL;
}

const struct head_facts *strict_head_facts(const struct strict_head *reader)
{
    return &reader->facts;
}

static enum step refuse(struct strict_head *reader, unsigned status,
                        const char *why)
{
    reader->facts.status = status;
    reader->facts.why = why;
    return STEP_REFUSED;
}

static bool is_digit(unsigned char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_letter(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_hex_digit(unsigned char byte)
{
    return is_digit(byte) || (byte >= 'a' && byte <= 'f') ||
           (byte >= 'A' && byte <= 'F');
}

static bool is_blank(unsigned char byte)
{
    return byte == ' ' || byte == '\t';
}

/** May it stand in a name or a method (RFC 9110, 5.6.2)? */
static bool is_token(unsigned char byte)
{
    return is_letter(byte) || is_digit(byte) ||
           (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

/** May it stand in a value (RFC 9110, 5.5)? */
static bool is_text(unsigned char byte)
{
    return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

static unsigned char lower(unsigned char byte)
{
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte | 0x20) : byte;
}

/** Do these bytes begin with that word (itself in lower case)? */
static bool span_begins(const struct input *input, struct span span,
                        const char *word)
{
    for (size_t i = 0; word[i] != '\0'; i++)
        if (i == span.length ||
            lower(input_at(input, span.at + i)) != (unsigned char)word[i])
            return false;
    return true;
}

/** Are they that word, in upper or lower case? */
static bool span_is(const struct input *input, struct span span,
                    const char *word)
{
    return span.length == strlen(word) && span_begins(input, span, word);
}

/** Methods are told apart by case (RFC 9110, 9.1). */
static bool is_options(const struct input *input, struct span method)
{
    static const char name[] = "OPTIONS";
    size_t i = 0;

    while (i < method.length && i < strlen(name) &&
           input_at(input, method.at + i) == (unsigned char)name[i])
        i++;
    return i == method.length && i == strlen(name);
}

/** A path, `*` for OPTIONS, or a URL (RFC 9112, 3.2). */
static bool target_is_valid(const struct input *input,
                            const struct head_facts *facts)
{
    struct span target = facts->target;

    if (target.length == 0)
        return false;
    if (input_at(input, target.at) == '/')
        return true;
    if (target.length == 1 && input_at(input, target.at) == '*')
        return is_options(input, facts->method);
    return (target.length > 7 && span_begins(input, target, "http://")) ||
           (target.length > 8 && span_begins(input, target, "https://"));
}

/** One empty line may come first (RFC 9112, 2.2). */
static enum step read_start(struct strict_head *reader, unsigned char byte)
{
    reader->facts.method.at = reader->at;
    if (byte == '\r' && reader->at == 0)
        return STEP_START_LF;
    if (!is_token(byte))
        return refuse(reader, 400, "the request line begins with no method");
    return STEP_METHOD;
}

static enum step read_method(struct strict_head *reader, unsigned char byte)
{
    struct head_facts *facts = &reader->facts;

    if (is_token(byte))
        return STEP_METHOD;
    if (byte != ' ')
        return refuse(reader, 400, "a byte that no method may have");
    facts->method.length = reader->at - facts->method.at;
    facts->target.at = reader->at + 1;
    return STEP_TARGET;
}

static enum step read_target(struct strict_head *reader,
                             const struct input *input, unsigned char byte)
{
    struct head_facts *facts = &reader->facts;

    facts->target.length = reader->at - facts->target.at;
    if (byte > ' ' && byte <= '~') {
        if (facts->target.length == TARGET_BYTES_MAX)
            return refuse(reader, 414, "the target is larger than 8 KiB");
        return STEP_TARGET;
    }
    if (byte != ' ')
        return refuse(reader, 400, "a byte that no target may have");
    if (!target_is_valid(input, facts))
        return refuse(reader, 400, "the target is neither a path nor a URL");
    reader->version_at = reader->at + 1;
    return STEP_VERSION;
}

/** `HTTP/1.1` and the CR after it. */
static enum step read_version(struct strict_head *reader,
                              const struct input *input, unsigned char byte)
{
    static const char form[] = "HTTP/d.d\r";
    size_t place = reader->at - reader->version_at;
    bool fits = form[place] == 'd' ? is_digit(byte) : byte == form[place];

    if (!fits)
        return refuse(reader, 400, "the request line does not end in HTTP/1.1");
    if (byte != '\r')
        return STEP_VERSION;
    reader->facts.minor = input_at(input, reader->at - 1) - (unsigned)'0';
    if (input_at(input, reader->at - 3) != '1' || reader->facts.minor > 1)
        return refuse(reader, 505, "only HTTP/1.1 and HTTP/1.0 are spoken");
    return STEP_LINE_LF;
}

/** The first byte of a field line, or the CR of the empty line. */
static enum step read_field(struct strict_head *reader, unsigned char byte)
{
    struct head_facts *facts = &reader->facts;

    if (byte == '\r')
        return STEP_END_LF;
    if (facts->field_count == FIELDS_MAX)
        return refuse(reader, 431, "more than 100 field lines");
    if (!is_token(byte))
        return refuse(reader, 400, "a field line that is not NAME: VALUE");
    facts->fields[facts->field_count].name.at = reader->at;
    return STEP_NAME;
}

static enum step read_name(struct strict_head *reader, unsigned char byte)
{
    struct field *field = &reader->facts.fields[reader->facts.field_count];

    if (is_token(byte))
        return STEP_NAME;
    if (byte != ':')
        return refuse(reader, 400, "a field line that is not NAME: VALUE");
    field->name.length = reader->at - field->name.at;
    field->value = (struct span){reader->at + 1, 0};
    return STEP_BLANKS;
}

/** A byte of the value, or of the blanks before and after it. */
static enum step read_value(struct strict_head *reader, unsigned char byte)
{
    struct field *field = &reader->facts.fields[reader->facts.field_count];

    if (byte == '\r')
        return STEP_VALUE_LF;
    if (!is_text(byte))
        return refuse(reader, 400, "a byte that no field value may have");
    if (is_blank(byte))
        return reader->step; /* it counts if something else comes after it */
    if (reader->step == STEP_BLANKS)
        field->value.at = reader->at;
    field->value.length = reader->at + 1 - field->value.at;
    return STEP_VALUE;
}

/** `:` and a port; where the host ended, this begins. */
static bool port_is_valid(const struct input *input, struct span span)
{
    unsigned port = 0;

    if (span.length == 0)
        return true;
    if (span.length < 2 || span.length > 6 || input_at(input, span.at) != ':')
        return false;
    for (size_t i = 1; i < span.length; i++) {
        unsigned char byte = input_at(input, span.at + i);

        if (!is_digit(byte))
            return false;
        port = port * 10 + (byte - (unsigned)'0');
    }
    return port <= 65535;
}

/** How many bytes of it are a name, or an address in brackets; 0 if none. */
static size_t host_length(const struct input *input, struct span span)
{
    size_t i = 0;

    if (span.length > 0 && input_at(input, span.at) == '[') {
        for (i = 1; i < span.length; i++) {
            unsigned char byte = input_at(input, span.at + i);

            if (byte == ']')
                return i > 1 ? i + 1 : 0;
            if (!is_hex_digit(byte) && byte != ':' && byte != '.')
                return 0;
        }
        return 0;
    }
    for (; i < span.length; i++) {
        unsigned char byte = input_at(input, span.at + i);

        if (!is_letter(byte) && !is_digit(byte) && byte != '-' && byte != '.' &&
            byte != '_')
            break;
    }
    return i;
}

/** Whom is this for (RFC 9112, 3.2)? */
static enum step read_host(struct strict_head *reader,
                           const struct input *input, struct span value)
{
    size_t length = host_length(input, value);
    struct span port = {value.at + length, value.length - length};

    if (++reader->hosts > 1)
        return refuse(reader, 400, "more than one Host");
    if (length == 0 || !port_is_valid(input, port))
        return refuse(reader, 400, "Host is not a name and a port");
    return STEP_FIELD;
}

/** Plain digits that fit 64 bits (RFC 9110, 8.6). */
static enum step read_length(struct strict_head *reader,
                             const struct input *input, struct span value)
{
    uint64_t number = 0;

    if (++reader->lengths > 1)
        return refuse(reader, 400, "more than one Content-Length");
    if (value.length == 0)
        return refuse(reader, 400, "Content-Length is empty");
    for (size_t i = 0; i < value.length; i++) {
        unsigned char byte = input_at(input, value.at + i);
        unsigned digit = byte - (unsigned)'0';

        if (!is_digit(byte))
            return refuse(reader, 400, "Content-Length is not a number");
        if (number > (UINT64_MAX - digit) / 10)
            return refuse(reader, 400, "Content-Length is too large");
        number = number * 10 + digit;
    }
    reader->facts.body_length = number;
    return STEP_FIELD;
}

/** One item of the list; remembers what is needed at the end of the head. */
static bool read_coding(struct strict_head *reader, const struct input *input,
                        struct span item)
{
    while (item.length > 0 && is_blank(input_at(input, item.at))) {
        item.at++;
        item.length--;
    }
    while (item.length > 0 &&
           is_blank(input_at(input, item.at + item.length - 1)))
        item.length--;
    reader->ends_chunked = span_is(input, item, "chunked");
    reader->chunkeds += reader->ends_chunked;
    reader->codings++;
    return item.length > 0;
}

/** A list of codings (RFC 9112, 6.1); it may go on in another line. */
static enum step read_codings(struct strict_head *reader,
                              const struct input *input, struct span value)
{
    struct span item = {value.at, 0};

    for (size_t i = 0; i <= value.length; i++) {
        if (i < value.length && input_at(input, value.at + i) != ',') {
            item.length++;
            continue;
        }
        if (!read_coding(reader, input, item))
            return refuse(reader, 400, "an empty Transfer-Encoding");
        item = (struct span){value.at + i + 1, 0};
    }
    return STEP_FIELD;
}

/** A field line is whole: is it one of those that we must understand? */
static enum step end_field(struct strict_head *reader,
                           const struct input *input)
{
    const struct field *field =
        &reader->facts.fields[reader->facts.field_count++];

    if (span_is(input, field->name, "host"))
        return read_host(reader, input, field->value);
    if (span_is(input, field->name, "content-length"))
        return read_length(reader, input, field->value);
    if (span_is(input, field->name, "transfer-encoding"))
        return read_codings(reader, input, field->value);
    return STEP_FIELD;
}

/** The head is whole. One Host? And where does the body end? */
static enum step end_head(struct strict_head *reader)
{
    struct head_facts *facts = &reader->facts;

    facts->length = reader->at + 1;
    if (reader->hosts == 0 && facts->minor == 1)
        return refuse(reader, 400, "no Host");
    if (reader->lengths > 0)
        facts->framing = FRAMING_LENGTH;
    if (reader->codings == 0)
        return STEP_DONE;
    if (reader->lengths > 0)
        return refuse(reader, 400, "Content-Length and Transfer-Encoding");
    if (facts->minor == 0)
        return refuse(reader, 400, "Transfer-Encoding in HTTP/1.0");
    if (!reader->ends_chunked || reader->chunkeds > 1)
        return refuse(reader, 400, "chunked is not the last coding, once");
    if (reader->codings > 1)
        return refuse(reader, 501, "a transfer coding that we do not know");
    facts->framing = FRAMING_CHUNKED;
    return STEP_DONE;
}

/** After a CR. */
static enum step read_line_end(struct strict_head *reader,
                               const struct input *input, unsigned char byte)
{
    if (byte != '\n')
        return refuse(reader, 400, "a CR with no LF after it");
    switch ((int)reader->step) {
    case STEP_START_LF: return STEP_START;
    case STEP_LINE_LF: return STEP_FIELD;
    case STEP_VALUE_LF: return end_field(reader, input);
    default: return end_head(reader);
    }
}

/** Take the next byte: where are we after it? */
static enum step read_byte(struct strict_head *reader,
                           const struct input *input)
{
    unsigned char byte = input_at(input, reader->at);

    switch (reader->step) {
    case STEP_START: return read_start(reader, byte);
    case STEP_METHOD: return read_method(reader, byte);
    case STEP_TARGET: return read_target(reader, input, byte);
    case STEP_VERSION: return read_version(reader, input, byte);
    case STEP_FIELD: return read_field(reader, byte);
    case STEP_NAME: return read_name(reader, byte);
    case STEP_BLANKS:
    case STEP_VALUE: return read_value(reader, byte);
    case STEP_START_LF:
    case STEP_LINE_LF:
    case STEP_VALUE_LF:
    case STEP_END_LF: return read_line_end(reader, input, byte);
    case STEP_DONE:
    case STEP_REFUSED: break;
    }
    return reader->step;
}

enum head_result strict_head_read(struct strict_head *reader,
                                  const struct input *input, size_t length)
{
    *reader = (struct strict_head){0};
    while (reader->at < length && reader->step != STEP_DONE &&
           reader->step != STEP_REFUSED) {
        if (reader->at == HEAD_BYTES_MAX)
            reader->step =
                refuse(reader, 431, "the head is larger than 32 KiB");
        else
            reader->step = read_byte(reader, input);
        reader->at++;
    }
    if (reader->step == STEP_REFUSED)
        return HEAD_REFUSED;
    return reader->step == STEP_DONE ? HEAD_DONE : HEAD_MORE;
}

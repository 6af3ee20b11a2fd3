/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Reading a chunked body is a walk through these steps (RFC 9112, 7.1); the
 * others are a matter of counting.
 *
 *     5 ; name = value CR LF   h e l l o   CR   LF   ...  0 CR LF  X: y CR LF CR LF
 *     |   |              |     |           |    |         |        |
 *     |   EXTENSION      |     CONTENT     |    |         SIZE     TRAILERS
 *     SIZE, BLANK        SIZE_LF           |    CONTENT_LF
 *                                          CONTENT_CR
 *
 * What stands between the content is dropped, and content that comes later is
 * moved down to where it stood. That can be done in place, because content only
 * ever moves towards the beginning.
 *
 * As in a head, nothing is guessed: a line feed alone, a blank where none may
 * be, a size of seventeen digits: each of them is read differently by somebody.
 */
#include "http/body.h"

#include "base/must.h"

#include <string.h>

/** Where in the body the next byte stands. */
enum {
    STEP_SIZE,       /* in the digits of a size */
    STEP_BLANK,      /* in blanks between a size and its extensions */
    STEP_EXTENSION,  /* in what we do not know and drop (RFC 9112, 7.1.1) */
    STEP_SIZE_LF,    /* behind the CR of a size line */
    STEP_CONTENT,    /* in content, of which `left` bytes are to come */
    STEP_CONTENT_CR, /* behind the content of a chunk */
    STEP_CONTENT_LF, /* and behind the CR there */
    STEP_TRAILERS,   /* behind the last chunk */
    STEP_DONE,       /* behind all of it */
    STEP_REFUSED,    /* nowhere any more */
};

/** Digits of a size: as many as surely fit in 64 bits. */
enum { SIZE_DIGITS_MAX = 15 };

void body_begin(struct body *body, const struct head *head)
{
    *body = (struct body){
        .framing = head->framing,
        .step = head->framing == FRAMING_CHUNKED ? STEP_SIZE : STEP_CONTENT,
        .trailers = {"", 0},
    };
    if (head->framing == FRAMING_LENGTH)
        body->left = head->body_length;
    if (head->framing == FRAMING_NONE ||
        (head->framing == FRAMING_LENGTH && body->left == 0))
        body->step = STEP_DONE;
}

void body_begin_endless(struct body *body)
{
    *body = (struct body){
        .framing = FRAMING_CLOSE, .step = STEP_CONTENT, .trailers = {"", 0}};
}

bool body_is_done(const struct body *body)
{
    return body->step == STEP_DONE;
}

bool body_end(struct body *body)
{
    if (body->framing == FRAMING_CLOSE && body->step == STEP_CONTENT)
        body->step = STEP_DONE;
    return body_is_done(body);
}

/** Remember why this body cannot be accepted. */
static void refuse(struct body *body, const char *why)
{
    body->step = STEP_REFUSED;
    body->why = why;
}

/* --- size lines ----------------------------------------------------------- */

/** What this digit is worth; 16 if it is none. */
static unsigned hex_value(char byte)
{
    if (byte >= '0' && byte <= '9')
        return (unsigned)(byte - '0');
    if (byte >= 'a' && byte <= 'f')
        return (unsigned)(byte - 'a') + 10;
    if (byte >= 'A' && byte <= 'F')
        return (unsigned)(byte - 'A') + 10;
    return 16;
}

/** What may follow the digits: blanks and `;`, `;`, or the end of the line. */
static void end_digits(struct body *body, char byte)
{
    if (body->line == 0 && body->step == STEP_SIZE)
        refuse(body, "a chunk without a size");
    else if (byte == ';')
        body->step = STEP_EXTENSION;
    else if (byte == '\r' && body->step == STEP_SIZE)
        body->step = STEP_SIZE_LF;
    else if (byte == ' ' || byte == '\t')
        body->step = STEP_BLANK;
    else
        refuse(body, "a chunk size that is not a number");
}

static void read_digit(struct body *body, char byte)
{
    unsigned value = hex_value(byte);

    if (value == 16) {
        end_digits(body, byte);
        return;
    }
    if (body->line == SIZE_DIGITS_MAX)
        refuse(body, "a chunk size of too many digits");
    body->left = body->left * 16 + value;
}

static bool is_control(char byte)
{
    return ((unsigned char)byte < ' ' && byte != '\t') || byte == 0x7f;
}

static void end_size_line(struct body *body, char byte)
{
    if (byte != '\n')
        refuse(body, "a carriage return without its line feed");
    else if (body->left > 0)
        body->step = STEP_CONTENT;
    else
        body->step = STEP_TRAILERS;
    body->line = 0;
}

/** Read one byte of what is not content. */
static void read_framing(struct body *body, char byte)
{
    switch (body->step) {
    case STEP_SIZE: read_digit(body, byte); break;
    case STEP_BLANK: end_digits(body, byte); break;
    case STEP_EXTENSION:
        if (byte == '\r')
            body->step = STEP_SIZE_LF;
        else if (is_control(byte))
            refuse(body, "a control byte in a chunk extension");
        break;
    case STEP_SIZE_LF: end_size_line(body, byte); return;
    case STEP_CONTENT_CR:
        body->step = STEP_CONTENT_LF;
        if (byte != '\r')
            refuse(body, "a chunk that is longer than its size");
        return;
    case STEP_CONTENT_LF:
        body->step = STEP_SIZE;
        if (byte != '\n')
            refuse(body, "a carriage return without its line feed");
        return;
    default: must(!"a byte of framing is read outside of framing");
    }
    if (++body->line > CHUNK_LINE_MAX - 2 && body->step != STEP_SIZE_LF &&
        body->step != STEP_REFUSED)
        refuse(body, "a chunk's size line is longer than 256 bytes");
}

/* --- trailers ------------------------------------------------------------- */

/** Take a line off; false when it has not come whole, or is refused. */
static bool cut_line(struct body *body, struct text *rest, struct text *line)
{
    for (size_t i = 0; i < rest->length; i++) {
        if (rest->at[i] == '\r') {
            if (i + 1 == rest->length)
                return false;
            if (rest->at[i + 1] != '\n')
                break;
            *line = (struct text){rest->at, i};
            rest->at += i + 2;
            rest->length -= i + 2;
            return true;
        }
        if (is_control(rest->at[i]))
            break;
        if (i + 1 == rest->length)
            return false;
    }
    if (rest->length > 0)
        refuse(body, "a control byte in the trailers");
    return false;
}

/**
 * Read the trailer section if all of it is there (RFC 9112, 7.1.2). Lines that
 * were found to be good are not read again: `line` tells how far they go.
 *
 * @return how many bytes it had; 0 when it is not whole
 */
static size_t read_trailers(struct body *body, struct text bytes)
{
    struct text rest = bytes;
    struct text line;
    struct field field;

    if (rest.length > TRAILERS_MAX)
        rest.length = TRAILERS_MAX;
    rest.at += body->line;
    rest.length -= body->line;
    while (cut_line(body, &rest, &line)) {
        if (line.length == 0) {
            body->trailers = (struct text){bytes.at, body->line};
            body->step = STEP_DONE;
            return body->line + 2;
        }
        if (!field_read(&field, line)) {
            refuse(body, "a trailer that is not NAME: VALUE");
            return 0;
        }
        body->line += line.length + 2;
    }
    if (body->step == STEP_TRAILERS && bytes.length >= TRAILERS_MAX)
        refuse(body, "the trailers are longer than 8192 bytes");
    return 0;
}

/* --- bodies --------------------------------------------------------------- */

/** How much of this belongs to the body, or to the chunk, that we are in? */
static size_t take(struct body *body, size_t length)
{
    size_t taken = length;

    if (body->framing == FRAMING_CLOSE)
        return length;
    if (taken > body->left)
        taken = (size_t)body->left;
    body->left -= taken;
    return taken;
}

/** Read on in a body without chunks: all is content. */
static size_t read_plain(struct body *body, size_t length)
{
    size_t taken = take(body, length);

    if (body->framing == FRAMING_LENGTH && body->left == 0)
        body->step = STEP_DONE;
    return taken;
}

/** Read on in a chunked body, as far as the bytes go. */
static void read_chunked(struct body *body, char *bytes, size_t length,
                         size_t *used, size_t *made)
{
    size_t at = 0;
    size_t taken;

    while (at < length && body->step < STEP_TRAILERS) {
        if (body->step != STEP_CONTENT) {
            read_framing(body, bytes[at++]);
            continue;
        }
        taken = take(body, length - at);
        if (*made != at)
            memmove(bytes + *made, bytes + at, taken);
        *made += taken;
        at += taken;
        if (body->left == 0)
            body->step = STEP_CONTENT_CR;
    }
    if (body->step == STEP_TRAILERS)
        at += read_trailers(body, (struct text){bytes + at, length - at});
    *used = at;
}

enum body_result body_read(struct body *body, char *bytes, size_t length,
                           size_t *used, size_t *made)
{
    *used = *made = 0;
    if (body->framing == FRAMING_CHUNKED)
        read_chunked(body, bytes, length, used, made);
    else if (body->step == STEP_CONTENT)
        *used = *made = read_plain(body, length);
    switch (body->step) {
    case STEP_DONE: return BODY_DONE;
    case STEP_REFUSED: return BODY_REFUSED;
    default: return BODY_MORE;
    }
}

void body_pass(struct body *body, uint64_t length)
{
    must(body->framing != FRAMING_CHUNKED && body->step == STEP_CONTENT);
    if (body->framing == FRAMING_CLOSE)
        return;
    must(length <= body->left);
    body->left -= length;
    if (body->left == 0)
        body->step = STEP_DONE;
}

/* --- writing chunks ------------------------------------------------------- */

static void put_line_end(char *out)
{
    out[0] = '\r';
    out[1] = '\n';
}

size_t chunk_print(size_t length, char *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t count = 1;

    while (count < sizeof(length) * 2 && length >> (4 * count) != 0)
        count++;
    for (size_t i = count; i-- > 0; length >>= 4)
        out[i] = digits[length & 15];
    put_line_end(out + count);
    return count + 2;
}

/**
 * May a field stand in a trailer? Not if whoever read the head has already
 * acted on it (RFC 9110, 6.5.1): framing, routing, the connection, permission,
 * conditions, and how to understand the content. Of the fields that we know
 * none may.
 */
static bool may_trail(const struct field *field)
{
    static const char *const never[] = {
        "Age",
        "Authorization",
        "Cache-Control",
        "Content-Range",
        "Content-Encoding",
        "Content-Type",
        "Date",
        "Expires",
        "If-Match",
        "If-None-Match",
        "If-Range",
        "If-Modified-Since",
        "Location",
        "Max-Forwards",
        "If-Unmodified-Since",
        "Pragma",
        "Range",
        "Retry-After",
        "Vary",
        "WWW-Authenticate",
    };

    if (field->id != FIELD_OTHER)
        return false;
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
        if (name_is(field->name, never[i]))
            return false;
    return true;
}

size_t chunk_print_last(struct text trailers, char *out, size_t room)
{
    size_t made = 3;
    struct text line;
    struct field field;

    if (room < 5)
        return 0;
    out[0] = '0';
    put_line_end(out + 1);
    while (text_cut(&trailers, '\n', &line)) {
        size_t whole = line.length + 1;

        line.length--; /* the carriage return */
        if (!field_read(&field, line) || !may_trail(&field) ||
            whole > room - made - 2)
            continue;
        memcpy(out + made, line.at, whole);
        made += whole;
    }
    put_line_end(out + made);
    return made + 2;
}

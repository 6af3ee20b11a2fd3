/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The head of a request is parsed in two passes: head_end() looks for the empty
 * line and for bytes that no head may have, then the lines are taken one by
 * one. The rules are those of RFC 9112; each names its section.
 */
#include "request.h"

#include <string.h>
#include <strings.h>

/* --- spans ---------------------------------------------------------------- */

bool span_is(struct span span, const char *word)
{
    return span.length == strlen(word) &&
           memcmp(span.at, word, span.length) == 0;
}

bool span_begins(struct span span, const char *word)
{
    size_t length = strlen(word);

    return span.length >= length && memcmp(span.at, word, length) == 0;
}

/** The same, but capital and small letters are one. */
static bool span_is_like(struct span span, const char *word)
{
    return span.length == strlen(word) &&
           strncasecmp(span.at, word, span.length) == 0;
}

bool span_number(struct span span, uint64_t max, uint64_t *number)
{
    uint64_t sum = 0;

    if (span.length == 0)
        return false;
    for (size_t i = 0; i < span.length; i++) {
        unsigned digit = (unsigned)(span.at[i] - '0');

        if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    if (sum > max)
        return false;
    *number = sum;
    return true;
}

/** Cut off what stands before @p byte, and @p byte; all if there is none. */
static struct span span_cut(struct span *rest, char byte)
{
    struct span front = *rest;
    const char *found = memchr(rest->at, byte, rest->length);

    if (found != NULL)
        front.length = (size_t)(found - rest->at);
    size_t used = found != NULL ? front.length + 1 : front.length;
    rest->at += used;
    rest->length -= used;
    return front;
}

/** Without the blanks at both ends. */
static struct span span_trim(struct span span)
{
    while (span.length > 0 && (*span.at == ' ' || *span.at == '\t')) {
        span.at++;
        span.length--;
    }
    while (span.length > 0 && (span.at[span.length - 1] == ' ' ||
                               span.at[span.length - 1] == '\t'))
        span.length--;
    return span;
}

/* --- characters ----------------------------------------------------------- */

/** May this byte stand in a method or a field's name? RFC 9110, 5.6.2 */
static bool is_token_byte(char byte)
{
    if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z'))
        return true;
    if (byte >= '0' && byte <= '9')
        return true;
    return byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL;
}

static bool is_token(struct span span)
{
    for (size_t i = 0; i < span.length; i++)
        if (!is_token_byte(span.at[i]))
            return false;
    return span.length > 0;
}

/** A target is made of visible ASCII. */
static bool is_target(struct span span)
{
    for (size_t i = 0; i < span.length; i++)
        if (span.at[i] <= ' ' || span.at[i] > '~')
            return false;
    return span.length > 0;
}

/** A field's value has no control bytes but the tab. RFC 9110, 5.5 */
static bool is_value(struct span span)
{
    for (size_t i = 0; i < span.length; i++) {
        unsigned char byte = (unsigned char)span.at[i];

        if ((byte < ' ' && byte != '\t') || byte == 0x7f)
            return false;
    }
    return true;
}

/* --- the request line, RFC 9112, 3 ---------------------------------------- */

static bool refuse(struct request *request, int status)
{
    request->status = status;
    return false;
}

static bool parse_version(struct request *request, struct span version)
{
    if (span_is(version, "HTTP/1.1"))
        request->minor = 1;
    else if (span_is(version, "HTTP/1.0"))
        request->minor = 0;
    else if (version.length == 8 && span_begins(version, "HTTP/"))
        return refuse(request, 505);
    else
        return refuse(request, 400);
    request->keep = request->minor == 1;
    return true;
}

/** Origin form, absolute form, or the star of OPTIONS. RFC 9112, 3.2 */
static bool parse_target(struct request *request, struct span target)
{
    static const char scheme[] = "http://";

    if (!is_target(target))
        return refuse(request, 400);
    if (span_begins(target, scheme)) {
        const char *host = target.at + strlen(scheme);
        size_t length = target.length - strlen(scheme);
        const char *path = memchr(host, '/', length);

        if (path == NULL)
            target = (struct span){"/", 1};
        else
            target = (struct span){path, length - (size_t)(path - host)};
    }
    if (*target.at != '/' &&
        !(span_is(target, "*") && span_is(request->method, "OPTIONS")))
        return refuse(request, 400);
    request->path = span_cut(&target, '?');
    request->query = target;
    return true;
}

static bool parse_request_line(struct request *request, struct span line)
{
    request->method = span_cut(&line, ' ');
    struct span target = span_cut(&line, ' ');

    if (!is_token(request->method))
        return refuse(request, 400);
    return parse_version(request, line) && parse_target(request, target);
}

/* --- the fields, RFC 9112, 5 to 7 ----------------------------------------- */

/** Two lengths that differ are two readings of one message: refused. */
static bool take_length(struct request *request, struct span value)
{
    uint64_t length = 0;

    if (!span_number(value, INT64_MAX, &length))
        return refuse(request, 400);
    if (request->has_length && request->length != length)
        return refuse(request, 400);
    request->has_length = true;
    request->length = length;
    return true;
}

/** Chunked, once and alone, is the only coding there is. RFC 9112, 6.1 */
static bool take_coding(struct request *request, struct span value)
{
    if (request->minor == 0 || request->chunked)
        return refuse(request, 400);
    if (!span_is_like(value, "chunked"))
        return refuse(request, 400);
    request->chunked = true;
    return true;
}

/** A list of words; close wins over keep-alive. RFC 9112, 9.3 */
static bool take_connection(struct request *request, struct span value)
{
    while (value.length > 0) {
        struct span word = span_trim(span_cut(&value, ','));

        if (span_is_like(word, "close"))
            request->close = true;
        if (span_is_like(word, "keep-alive"))
            request->keep = true;
        if (span_is_like(word, "upgrade"))
            request->upgrade = request->minor == 1;
    }
    return true;
}

static bool take_expect(struct request *request, struct span value)
{
    if (!span_is_like(value, "100-continue"))
        return refuse(request, 417);
    request->expect_continue = request->minor == 1;
    return true;
}

static bool take_host(struct request *request, struct span value)
{
    (void)value;
    request->hosts++;
    return request->hosts == 1 || refuse(request, 400);
}

/** The fields that mean something to us; all others are only looked over. */
static bool take_field(struct request *request, struct span name,
                       struct span value)
{
    static const struct {
        const char *name;
        bool (*take)(struct request *request, struct span value);
    } known[] = {
        {"Host", take_host},
        {"Connection", take_connection},
        {"Content-Length", take_length},
        {"Transfer-Encoding", take_coding},
        {"Expect", take_expect},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (span_is_like(name, known[i].name))
            return known[i].take(request, value);
    return true;
}

/** A folded line begins with a blank, so its "name" is no token: refused. */
static bool parse_field(struct request *request, struct span line)
{
    if (memchr(line.at, ':', line.length) == NULL)
        return refuse(request, 400);
    struct span name = span_cut(&line, ':');
    struct span value = span_trim(line);

    if (!is_token(name) || !is_value(value))
        return refuse(request, 400);
    return take_field(request, name, value);
}

/** What one line cannot show. RFC 9112, 3.2 and 6.1 */
static bool is_consistent(struct request *request)
{
    if (request->minor == 1 && request->hosts != 1)
        return refuse(request, 400);
    if (request->chunked && request->has_length)
        return refuse(request, 400);
    request->keep = request->keep && !request->close;
    return true;
}

/* --- the head ------------------------------------------------------------- */

/** One line without its CR LF; head_end() made sure that it has them. */
static struct span take_line(struct span *rest)
{
    struct span line = span_cut(rest, '\n');

    line.length--;
    return line;
}

/** Find the end of the head; a NUL or an LF without CR is no HTTP. */
static enum request_result head_end(struct span bytes, size_t *end)
{
    size_t line = 0;

    for (size_t i = 0; i < bytes.length; i++) {
        if (bytes.at[i] == '\0')
            return REQUEST_BAD;
        if (bytes.at[i] != '\n')
            continue;
        if (i == 0 || bytes.at[i - 1] != '\r')
            return REQUEST_BAD;
        if (i - line == 1) {
            *end = i + 1;
            return REQUEST_WHOLE;
        }
        line = i + 1;
    }
    return REQUEST_NOT_YET;
}

static bool parse_lines(struct request *request, struct span rest)
{
    if (!parse_request_line(request, take_line(&rest)))
        return false;
    for (;;) {
        struct span line = take_line(&rest);

        if (line.length == 0)
            return is_consistent(request);
        if (!parse_field(request, line))
            return false;
    }
}

enum request_result request_parse(struct request *request, const char *bytes,
                                  size_t length)
{
    size_t end = 0;
    enum request_result result = head_end((struct span){bytes, length}, &end);

    *request = (struct request){.head = {bytes, end}, .status = 400};
    if (result != REQUEST_WHOLE)
        return result;
    return parse_lines(request, request->head) ? REQUEST_WHOLE : REQUEST_BAD;
}

bool request_query(const struct request *request, const char *name,
                   struct span *value)
{
    struct span rest = request->query;

    while (rest.length > 0) {
        struct span pair = span_cut(&rest, '&');

        if (span_is(span_cut(&pair, '='), name)) {
            *value = pair;
            return true;
        }
    }
    return false;
}

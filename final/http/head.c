/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A head is read in two goes. First its end is looked for, and each byte is
 * looked at once, however many pieces the head comes in: is it one that may
 * stand in a head? Only when the end has come are the lines read:
 *
 *     GET /index.html HTTP/1.1 CR LF      request line: three words
 *     Host: example.org CR LF             field lines: name, colon, value
 *     CR LF                               an empty line ends the head
 *
 * So what the first go refuses is refused by its place among the bytes, and
 * what the second one refuses is refused with all bytes at hand: in both cases
 * it cannot matter how the bytes were cut up.
 *
 * What two programs could understand in two ways is refused, not guessed at:
 * if we and the backend disagree about where a request ends, its body becomes
 * the next request, which nobody has checked. That is called smuggling
 * (RFC 9112, 11.2).
 */
#include "http/bytes.h"
#include "http/head_part.h"

#include <string.h>

/** Room in a request line for all but the target: method, blanks, version. */
enum { REQUEST_LINE_MORE = 64 };

/* --- refusing ------------------------------------------------------------- */

enum head_result head_refuse(struct head *head, unsigned status,
                             const char *why)
{
    head->status = head->kind == HEAD_REQUEST ? status : 502;
    head->why = why;
    return HEAD_REFUSED;
}

/* --- the first go: where is the end? -------------------------------------- */

/** Look no further than here; what has no end by then is too long. */
static size_t head_most(const struct head *head)
{
    size_t most = head->limits.head_bytes;
    size_t line = head->limits.target_bytes + REQUEST_LINE_MORE;

    if (head->kind != HEAD_REQUEST || head->start_line > 0)
        return most;
    return most - head->begin > line ? head->begin + line : most;
}

/** A control byte that is not part of CR LF (RFC 9112, 2.2; RFC 9110, 5.5). */
static enum head_result refuse_byte(struct head *head, const char *bytes,
                                    size_t at)
{
    head->scanned = at;
    if (at == 0 && bytes[at] == 0x16)
        return head_refuse(head, 400,
                           "this is TLS, and plain HTTP is spoken here");
    if (bytes[at] == '\r')
        return head_refuse(head, 400,
                           "a carriage return without its line feed");
    if (bytes[at] == '\n')
        return head_refuse(head, 400,
                           "a line feed without its carriage return");
    return head_refuse(head, 400, "a control byte in the head");
}

/**
 * A line ends at this CR. Is it the empty one that ends the head? Before a
 * request line, empty lines are passed over (RFC 9112, 2.2).
 */
static bool is_last_line(struct head *head, const char *bytes, size_t at)
{
    bool is_empty = at == 0 || bytes[at - 1] == '\n';

    if (!is_empty && head->start_line == 0)
        head->start_line = at - head->begin;
    if (!is_empty)
        return false;
    if (at == head->begin && head->kind == HEAD_REQUEST) {
        head->begin = at + 2;
        return false;
    }
    return true;
}

/** Go on to the end of the head, or to the end of what has come. */
static enum head_result find_end(struct head *head, const char *bytes,
                                 size_t length)
{
    size_t at = head->scanned;
    size_t most = head_most(head);
    size_t stop = length < most ? length : most;

    for (;;) {
        at = control_find(bytes, at, stop);
        if (at == stop || (at + 1 == stop && bytes[at] == '\r'))
            break;
        if (bytes[at] != '\r' || bytes[at + 1] != '\n')
            return refuse_byte(head, bytes, at);
        if (is_last_line(head, bytes, at)) {
            head->length = at + 2;
            return HEAD_DONE;
        }
        at += 2;
        most = head_most(head);
        stop = length < most ? length : most;
    }
    head->scanned = at;
    if (length < most)
        return HEAD_MORE;
    if (head->kind != HEAD_REQUEST)
        return head_refuse(
            head, 502,
            "the head is larger than the limit (response-head-bytes)");
    if (most < head->limits.head_bytes)
        return head_refuse(
            head, 414, "the target is longer than the limit (target-bytes)");
    return head_refuse(head, 431,
                       "the head is larger than the limit (head-bytes)");
}

/* --- the first line ------------------------------------------------------- */

static enum method method_identify(struct text name)
{
#define X(word)               \
    if (text_is(name, #word)) \
        return METHOD_##word;
    METHODS(X)
#undef X
    return METHOD_OTHER;
}

/** `HTTP/1.1`, in these very letters (RFC 9112, 2.3). */
static enum head_result read_version(struct head *head, struct text word)
{
    if (word.length != 8 || memcmp(word.at, "HTTP/", 5) != 0 ||
        word.at[5] < '0' || word.at[5] > '9' || word.at[6] != '.' ||
        word.at[7] < '0' || word.at[7] > '9')
        return head_refuse(head, 400,
                           "the first line has no version of HTTP in it");
    if (word.at[5] != '1' || word.at[7] > '1')
        return head_refuse(head, 505,
                           "only HTTP/1.1 and HTTP/1.0 are spoken here");
    head->minor = word.at[7] == '1';
    return HEAD_DONE;
}

/** `http://example.org:80/path` (RFC 9112, 3.2.2). */
static enum head_result read_absolute_form(struct head *head, size_t scheme)
{
    struct text rest = {head->target.at + scheme, head->target.length - scheme};
    size_t host = 0;

    while (host < rest.length && rest.at[host] != '/' && rest.at[host] != '?')
        host++;
    head->is_absolute = true;
    head->authority = (struct text){rest.at, host};
    head->path = (struct text){rest.at + host, rest.length - host};
    if (!authority_is_valid(head->authority))
        return head_refuse(head, 400,
                           "the target is a URL without a valid host");
    if (head->path.length == 0) /* RFC 9112, 3.2.1 and 3.2.4 */
        head->path = text_of(head->method_id == METHOD_OPTIONS ? "*" : "/");
    if (*head->path.at == '?')
        return head_refuse(head, 400,
                           "the target is a URL with a query, no path");
    return HEAD_DONE;
}

static bool begins_with_scheme(struct text target, const char *scheme)
{
    size_t length = strlen(scheme);

    return target.length >= length &&
           name_is((struct text){target.at, length}, scheme);
}

/** One of four forms (RFC 9112, 3.2), in printable ASCII. */
static enum head_result read_target(struct head *head)
{
    struct text target = head->target;

    for (size_t i = 0; i < target.length; i++)
        if (target.at[i] <= ' ' || target.at[i] > '~' || target.at[i] == '#')
            return head_refuse(head, 400,
                               "a byte in the target that none may have");
    if (target.length > head->limits.target_bytes)
        return head_refuse(
            head, 414, "the target is longer than the limit (target-bytes)");
    head->path = target;
    if (head->method_id == METHOD_CONNECT) {
        head->authority = target;
        if (memchr(target.at, ':', target.length) == NULL ||
            !authority_is_valid(target))
            return head_refuse(head, 400, "CONNECT wants host:port");
        return head_refuse(head, 501, "CONNECT is not spoken here");
    }
    if (target.length > 0 && *target.at == '/')
        return HEAD_DONE;
    if (text_is(target, "*") && head->method_id == METHOD_OPTIONS)
        return HEAD_DONE;
    if (begins_with_scheme(target, "http://"))
        return read_absolute_form(head, strlen("http://"));
    if (begins_with_scheme(target, "https://"))
        return read_absolute_form(head, strlen("https://"));
    return head_refuse(head, 400, "the target is neither a path nor a URL");
}

/** `GET /index.html HTTP/1.1` (RFC 9112, 3). */
static enum head_result read_request_line(struct head *head, struct text line)
{
    enum head_result result;

    if (text_is(line, "PRI * HTTP/2.0")) /* RFC 9113, 3.4 */
        return head_refuse(head, 400,
                           "this is HTTP/2, and HTTP/1.1 is spoken here");
    if (!text_cut(&line, ' ', &head->method) ||
        !text_is_of(head->method, BYTE_TOKEN))
        return head_refuse(head, 400,
                           "the first line does not begin with a method");
    if (!text_cut(&line, ' ', &head->target))
        return head_refuse(head, 400,
                           "the first line has no version of HTTP in it");
    head->method_id = method_identify(head->method);
    result = read_version(head, line);
    return result == HEAD_DONE ? read_target(head) : result;
}

/** `HTTP/1.1 200 OK`; the last blank is often left out (RFC 9112, 4). */
static enum head_result read_status_line(struct head *head, struct text line)
{
    struct text version, code;
    uint64_t status;

    if (!text_cut(&line, ' ', &version) ||
        read_version(head, version) != HEAD_DONE)
        return head_refuse(head, 502,
                           "the status line does not begin as HTTP/1.1");
    if (!text_cut(&line, ' ', &code)) {
        code = line;
        line.at += line.length;
        line.length = 0;
    }
    if (code.length != 3 || !text_number(code, &status) || status < 100 ||
        status > 599) /* RFC 9110, 15 */
        return head_refuse(head, 502, "the status is not one of 100 to 599");
    head->status = (unsigned)status;
    head->reason = line;
    return HEAD_DONE;
}

/* --- both goes ------------------------------------------------------------ */

void head_begin(struct head *head, enum head_kind kind,
                const struct head_limits *limits)
{
    /* The fields are many, and none of them counts until it has been read. */
    memset(head, 0, offsetof(struct head, fields));
    head->kind = kind;
    head->limits = *limits;
    head->method = head->target = head->path = (struct text){"", 0};
    head->authority = head->reason = (struct text){"", 0};
}

static enum head_result read_start_line(struct head *head, const char *bytes)
{
    struct text line = {bytes + head->begin, head->start_line};

    return head->kind == HEAD_REQUEST ? read_request_line(head, line)
                                      : read_status_line(head, line);
}

/** Of a request that is refused half-way, for the log: what did it want? */
static void read_first_words(struct head *head, const char *bytes)
{
    struct text line = {bytes + head->begin, head->start_line};
    struct text method, target;

    if (head->kind != HEAD_REQUEST || !text_cut(&line, ' ', &method) ||
        !text_cut(&line, ' ', &target) || !text_is_of(method, BYTE_TOKEN))
        return;
    head->method = method;
    head->method_id = method_identify(method);
    head->target = target;
}

enum head_result head_read(struct head *head, const char *bytes, size_t length)
{
    enum head_result result = find_end(head, bytes, length);
    const char *fields;

    if (result == HEAD_REFUSED)
        read_first_words(head, bytes);
    if (result != HEAD_DONE)
        return result;
    result = read_start_line(head, bytes);
    if (result != HEAD_DONE)
        return result;
    fields = bytes + head->begin + head->start_line + 2;
    return head_read_fields(head, fields, bytes + head->length - 2);
}

bool method_is_idempotent(enum method method)
{
    switch (method) {
    case METHOD_GET:
    case METHOD_HEAD:
    case METHOD_PUT:
    case METHOD_DELETE:
    case METHOD_OPTIONS:
    case METHOD_TRACE: return true;
    case METHOD_POST:
    case METHOD_CONNECT:
    case METHOD_PATCH:
    case METHOD_OTHER: return false;
    }
    return false;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A head is read in two goes. First: has its end come, and are there only
 * bytes that may stand in a head? Then line by line:
 *
 *     GET /index.html HTTP/1.1 CR LF      request line: three words
 *     Host: example.org CR LF             field lines: name, colon, value
 *     CR LF                               an empty line ends the head
 *
 * What two programs could understand in two ways is refused, not guessed at:
 * if we and the backend disagree about where a request ends, its body becomes
 * the next request, which nobody has checked. That is called smuggling
 * (RFC 9112, 11.2).
 */
#include "http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/** Remember why this head cannot be accepted. */
static enum head_result refuse(struct head *head, unsigned status,
                               const char *why)
{
    head->status = status;
    head->why = why;
    return HEAD_REFUSED;
}

bool text_is(struct text text, const char *word)
{
    return text.length == strlen(word) &&
           memcmp(text.at, word, text.length) == 0;
}

bool name_is(struct text name, const char *word)
{
    return name.length == strlen(word) &&
           strncasecmp(name.at, word, name.length) == 0;
}

/** Letters, digits and the marks that names are made of (RFC 9110, 5.6.2). */
static bool text_is_token(struct text text)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < text.length; i++) {
        char c = text.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';

        if (!letter && !digit && (c == '\0' || strchr(marks, c) == NULL))
            return false;
    }
    return text.length > 0;
}

/** The same text without blanks before and after it. */
static struct text text_trim(struct text text)
{
    while (text.length > 0 && (*text.at == ' ' || *text.at == '\t')) {
        text.at++;
        text.length--;
    }
    while (text.length > 0 && (text.at[text.length - 1] == ' ' ||
                               text.at[text.length - 1] == '\t'))
        text.length--;
    return text;
}

/** Cut off what stands before `mark`; false when there is no such mark. */
static bool text_cut(struct text *rest, char mark, struct text *before)
{
    const char *at = memchr(rest->at, mark, rest->length);

    if (at == NULL)
        return false;
    *before = (struct text){rest->at, (size_t)(at - rest->at)};
    rest->at += before->length + 1;
    rest->length -= before->length + 1;
    return true;
}

/** Where the head ends, or 0 when its end has not come yet. */
static size_t find_end(const char *bytes, size_t length)
{
    for (size_t i = 4; i <= length; i++)
        if (memcmp(bytes + i - 4, "\r\n\r\n", 4) == 0)
            return i;
    return 0;
}

/** Is there a byte that no head may have (RFC 9112, 2.2 and RFC 9110, 5.5)? */
static bool has_forbidden_byte(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (c == '\n' && (i == 0 || bytes[i - 1] != '\r'))
            return true; /* a line feed without its carriage return */
        if (c == '\r' && i + 1 < length && bytes[i + 1] != '\n')
            return true; /* and the other way round */
        if ((c < ' ' && c != '\r' && c != '\n' && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

/** `/path`, `*`, or a whole URL, in printable ASCII (RFC 9112, 3.2). */
static bool target_is_valid(struct text target)
{
    for (size_t i = 0; i < target.length; i++)
        if (target.at[i] <= ' ' || target.at[i] > '~')
            return false;
    return text_is(target, "*") || (target.length > 0 && *target.at == '/') ||
           (target.length > 7 && strncasecmp(target.at, "http://", 7) == 0);
}

/** `GET /index.html HTTP/1.1` (RFC 9112, 3). */
static enum head_result read_request_line(struct head *head, struct text line)
{
    if (!text_cut(&line, ' ', &head->method) ||
        !text_cut(&line, ' ', &head->target) || !text_is_token(head->method))
        return refuse(head, 400,
                      "the request line is not METHOD TARGET HTTP/1.1");
    if (!target_is_valid(head->target))
        return refuse(head, 400, "the target is neither a path nor a URL");
    if (line.length != 8 || memcmp(line.at, "HTTP/", 5) != 0)
        return refuse(head, 400, "the request line does not end in HTTP/1.1");
    if (memcmp(line.at, "HTTP/1.0", 8) != 0 &&
        memcmp(line.at, "HTTP/1.1", 8) != 0)
        return refuse(head, 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    head->minor = line.at[7] == '1';
    return HEAD_DONE;
}

/** `name: value` (RFC 9112, 5). */
static enum head_result read_field_line(struct head *head, struct text line)
{
    struct field *field = &head->fields[head->field_count];

    if (head->field_count == FIELDS_MAX)
        return refuse(head, 431, "more than 100 field lines");
    /* A blank before the colon, and a line that begins with a blank, make a
     * name that is not a token (RFC 9112, 5.1 and 5.2). */
    if (!text_cut(&line, ':', &field->name) || !text_is_token(field->name))
        return refuse(head, 400, "a field line that is not NAME: VALUE");
    field->value = text_trim(line);
    head->field_count++;
    return HEAD_DONE;
}

/** Plain digits, and few enough of them to fit (RFC 9112, 6.3). */
static enum head_result read_body_length(struct head *head, struct text digits)
{
    if (head->has_body_length)
        return refuse(head, 400, "more than one Content-Length");
    if (digits.length == 0 || digits.length > 18)
        return refuse(head, 400, "Content-Length is not a number of bytes");
    for (size_t i = 0; i < digits.length; i++) {
        if (digits.at[i] < '0' || digits.at[i] > '9')
            return refuse(head, 400, "Content-Length is not a number of bytes");
        head->body_length =
            head->body_length * 10 + (uint64_t)(digits.at[i] - '0');
    }
    head->has_body_length = true;
    return HEAD_DONE;
}

/** The value of the last field with this name; `count` tells how many. */
static struct text find_field(const struct head *head, const char *name,
                              size_t *count)
{
    struct text value = {"", 0};

    *count = 0;
    for (size_t i = 0; i < head->field_count; i++) {
        if (name_is(head->fields[i].name, name)) {
            value = head->fields[i].value;
            (*count)++;
        }
    }
    return value;
}

/** Exactly one Host in HTTP/1.1, at most one in 1.0 (RFC 9112, 3.2). */
static enum head_result check_host(struct head *head)
{
    size_t count;

    find_field(head, "Host", &count);
    if (count > 1 || (count == 0 && head->minor == 1))
        return refuse(head, 400, "not exactly one Host");
    return HEAD_DONE;
}

/** Where does the body end? Only one answer may be possible (RFC 9112, 6). */
static enum head_result read_framing(struct head *head)
{
    size_t codings;
    struct text coding = find_field(head, "Transfer-Encoding", &codings);

    for (size_t i = 0; i < head->field_count; i++)
        if (name_is(head->fields[i].name, "Content-Length") &&
            read_body_length(head, head->fields[i].value) == HEAD_REFUSED)
            return HEAD_REFUSED;
    if (codings == 0)
        return HEAD_DONE;
    if (head->has_body_length)
        return refuse(head, 400, "both Content-Length and Transfer-Encoding");
    if (codings > 1 || head->minor == 0 || !name_is(coding, "chunked"))
        return refuse(head, 400, "a Transfer-Encoding that is not chunked");
    return refuse(head, 411, "a body needs a Content-Length here");
}

/** Read the lines of a head that is whole. */
static enum head_result read_lines(struct head *head, struct text rest)
{
    struct text line;
    enum head_result result = HEAD_DONE;

    for (size_t i = 0; result == HEAD_DONE && rest.length > 2; i++) {
        if (!text_cut(&rest, '\n', &line))
            return refuse(head, 400, "a line without an end");
        line.length--; /* the carriage return */
        result = i == 0 ? read_request_line(head, line)
                        : read_field_line(head, line);
    }
    if (result == HEAD_DONE)
        result = check_host(head);
    if (result == HEAD_DONE)
        result = read_framing(head);
    return result;
}

enum head_result head_read(struct head *head, const char *bytes, size_t length)
{
    size_t end = find_end(bytes, length);
    size_t seen = end > 0 ? end : length;
    size_t checked = seen < HEAD_BYTES_MAX ? seen : HEAD_BYTES_MAX;
    size_t count;

    *head = (struct head){.length = end};
    if (has_forbidden_byte(bytes, checked))
        return refuse(head, 400, "a byte that no HTTP head may have");
    if (seen > HEAD_BYTES_MAX || (end == 0 && seen == HEAD_BYTES_MAX))
        return refuse(head, 431, "the head is larger than 16 KiB");
    if (end == 0)
        return HEAD_MORE;

    enum head_result result = read_lines(head, (struct text){bytes, end});

    head->expects_continue =
        head->minor == 1 &&
        name_is(find_field(head, "Expect", &count), "100-continue");
    return result;
}

/** Is this word one of a list such as `close, X-Trace`? */
static bool list_has(struct text list, struct text word)
{
    struct text item;
    bool more = true;

    while (more) {
        more = text_cut(&list, ',', &item);
        if (!more)
            item = list;
        item = text_trim(item);
        if (item.length == word.length &&
            strncasecmp(item.at, word.at, word.length) == 0)
            return true;
    }
    return false;
}

/** Is this field meant for this one connection only (RFC 9110, 7.6.1)? */
static bool is_hop_by_hop(const struct head *head, struct text name)
{
    static const char *const always[] = {
        "Connection", "Keep-Alive", "Proxy-Connection",  "TE",
        "Trailer",    "Upgrade",    "Transfer-Encoding",
    };

    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        if (name_is(name, always[i]))
            return true;
    /* Whoever could have these two removed could smuggle. */
    if (name_is(name, "Content-Length") || name_is(name, "Host"))
        return false;
    for (size_t i = 0; i < head->field_count; i++)
        if (name_is(head->fields[i].name, "Connection") &&
            list_has(head->fields[i].value, name))
            return true;
    return false;
}

size_t forward_print(const struct head *head, char *out)
{
    char *next = out;
    char *end = out + FORWARD_BYTES_MAX;

    next += snprintf(next, (size_t)(end - next), "%.*s %.*s HTTP/1.%u\r\n",
                     (int)head->method.length, head->method.at,
                     (int)head->target.length, head->target.at, head->minor);
    for (size_t i = 0; i < head->field_count; i++) {
        const struct field *field = &head->fields[i];
        bool answered =
            head->expects_continue && name_is(field->name, "Expect");

        if (answered || is_hop_by_hop(head, field->name))
            continue;
        next += snprintf(next, (size_t)(end - next), "%.*s: %.*s\r\n",
                         (int)field->name.length, field->name.at,
                         (int)field->value.length, field->value.at);
    }
    next += snprintf(next, (size_t)(end - next), "Connection: close\r\n\r\n");
    return (size_t)(next - out);
}

/** The words that RFC 9110, 15 gives each status. */
static const char *status_words(unsigned status)
{
    switch (status) {
    case 400: return "Bad Request";
    case 411: return "Length Required";
    case 431: return "Request Header Fields Too Large";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Error";
    }
}

size_t answer_print(const struct head *head, unsigned status, const char *why,
                    char *out, size_t room)
{
    char body[256];
    int length = snprintf(body, sizeof(body), "%u %s: %s\n", status,
                          status_words(status), why);
    bool bare = text_is(head->method, "HEAD");

    return (size_t)snprintf(out, room,
                            "HTTP/1.1 %u %s\r\n"
                            "Content-Type: text/plain\r\n"
                            "Content-Length: %d\r\n"
                            "Connection: close\r\n"
                            "\r\n%s",
                            status, status_words(status), length,
                            bare ? "" : body);
}

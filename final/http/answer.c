/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Answers of our own are for people: a status, and a sentence that says why.
 * They say `no-store`, because some statuses may be kept by caches even when
 * nobody said so (RFC 9110, 15.1), and our trouble of now is nobody's page.
 */
#include "http/answer.h"

#include <stdio.h>
#include <string.h>

/* clang-format off */
/** RFC 9110, 15; 428, 429, 431 and 511 are of RFC 6585. */
#define STATUSES(X)                             \
    X(100, "Continue")                          \
    X(101, "Switching Protocols")               \
    X(200, "OK")                                \
    X(201, "Created")                           \
    X(202, "Accepted")                          \
    X(203, "Non-Authoritative Information")     \
    X(204, "No Content")                        \
    X(205, "Reset Content")                     \
    X(206, "Partial Content")                   \
    X(300, "Multiple Choices")                  \
    X(301, "Moved Permanently")                 \
    X(302, "Found")                             \
    X(303, "See Other")                         \
    X(304, "Not Modified")                      \
    X(305, "Use Proxy")                         \
    X(307, "Temporary Redirect")                \
    X(308, "Permanent Redirect")                \
    X(400, "Bad Request")                       \
    X(401, "Unauthorized")                      \
    X(402, "Payment Required")                  \
    X(403, "Forbidden")                         \
    X(404, "Not Found")                         \
    X(405, "Method Not Allowed")                \
    X(406, "Not Acceptable")                    \
    X(407, "Proxy Authentication Required")     \
    X(408, "Request Timeout")                   \
    X(409, "Conflict")                          \
    X(410, "Gone")                              \
    X(411, "Length Required")                   \
    X(412, "Precondition Failed")               \
    X(413, "Content Too Large")                 \
    X(414, "URI Too Long")                      \
    X(415, "Unsupported Media Type")            \
    X(416, "Range Not Satisfiable")             \
    X(417, "Expectation Failed")                \
    X(421, "Misdirected Request")               \
    X(422, "Unprocessable Content")             \
    X(426, "Upgrade Required")                  \
    X(428, "Precondition Required")             \
    X(429, "Too Many Requests")                 \
    X(431, "Request Header Fields Too Large")   \
    X(500, "Internal Server Error")             \
    X(501, "Not Implemented")                   \
    X(502, "Bad Gateway")                       \
    X(503, "Service Unavailable")               \
    X(504, "Gateway Timeout")                   \
    X(505, "HTTP Version Not Supported")        \
    X(511, "Network Authentication Required")
/* clang-format on */

/** So that an answer has room in #ANSWER_BYTES_MAX, whatever it is told. */
enum { WHY_MAX = 240, REQUEST_ID_MAX = 128 };

const char *status_words(unsigned status)
{
    switch (status) {
#define X(number, words) \
    case number: return words;
        STATUSES(X)
#undef X
    default: return "Unknown";
    }
}

/** What stands in the body; also its length when it is left out. */
static int print_body(const struct answer *answer, char *out, size_t room)
{
    return snprintf(out, room, "%u %s: %.*s\n", answer->status,
                    status_words(answer->status), WHY_MAX, answer->why);
}

/** The fields that not every answer has. */
static void print_extras(const struct answer *answer, char *out, size_t room)
{
    struct text id = answer->request_id;
    size_t used = 0;

    *out = '\0';
    if (id.length > REQUEST_ID_MAX)
        id.length = REQUEST_ID_MAX;
    if (answer->retry_after > 0) /* RFC 9110, 10.2.3 */
        used += (size_t)snprintf(out, room, "Retry-After: %u\r\n",
                                 answer->retry_after);
    if (id.length > 0)
        used += (size_t)snprintf(out + used, room - used,
                                 "X-Request-Id: %.*s\r\n", TEXT_PRINT(id));
    if (answer->closes)
        snprintf(out + used, room - used, "Connection: close\r\n");
}

/** The field that sends the client on; false: there is no room. */
static bool print_location(const struct answer_location *location, char *out,
                           size_t room, size_t *made)
{
    char port[16] = "";
    int length;

    if (location->port != 443)
        snprintf(port, sizeof(port), ":%u", location->port);
    length =
        snprintf(out, room, "Location: https://%.*s%s%.*s\r\n",
                 TEXT_PRINT(location->host), port, TEXT_PRINT(location->path));
    *made = (size_t)length;
    return *made < room;
}

size_t answer_print(const struct answer *answer, char *out, size_t room)
{
    char body[WHY_MAX + 64];
    char extras[REQUEST_ID_MAX + 128];
    int length = print_body(answer, body, sizeof(body));
    size_t located = 0;
    int made, rest;

    print_extras(answer, extras, sizeof(extras));
    made = snprintf(out, room,
                    "HTTP/1.1 %u %s\r\n"
                    "Content-Type: text/plain; charset=utf-8\r\n"
                    "Content-Length: %d\r\n"
                    "Cache-Control: no-store\r\n",
                    answer->status, status_words(answer->status), length);
    if ((size_t)made >= room)
        return 0;
    if (answer->location != NULL &&
        !print_location(answer->location, out + made, room - (size_t)made,
                        &located))
        return 0;
    located += (size_t)made;
    rest = snprintf(out + located, room - located, "%s\r\n%s", extras,
                    answer->is_bare ? "" : body);
    return located + (size_t)rest < room ? located + (size_t)rest : 0;
}

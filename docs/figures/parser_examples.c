/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What to try. The remarks say what there is to see, not what comes out: that
 * is found by running the parser, in the page and in the table for those who
 * read it without scripts.
 */
#include "parser.h"

#define EXAMPLE(name, remark, kind, bytes)           \
    {                                                \
        name, remark, kind, bytes, sizeof(bytes) - 1 \
    }

/* clang-format off */
const struct example examples[] = {
    EXAMPLE("a plain request",
        "Nothing is believed of a field before the empty line has come.",
        HEAD_REQUEST,
        "GET /hello?to=you HTTP/1.1\r\n"
        "Host: example.org\r\n"
        "Accept: */*\r\n"
        "\r\n"),
    EXAMPLE("a body with a length",
        "The content ends after 11 bytes, whatever they are.",
        HEAD_REQUEST,
        "POST /notes HTTP/1.1\r\n"
        "Host: example.org\r\n"
        "Content-Length: 11\r\n"
        "\r\n"
        "hello world"),
    EXAMPLE("two requests in one piece",
        "What is left over after the first is where the second begins.",
        HEAD_REQUEST,
        "POST /first HTTP/1.1\r\n"
        "Host: example.org\r\n"
        "Content-Length: 3\r\n"
        "\r\n"
        "abc"
        "GET /second HTTP/1.1\r\n"
        "Host: example.org\r\n"
        "\r\n"),
    EXAMPLE("chunks, an extension, trailers",
        "Sizes are hexadecimal. Extensions and trailers are not content.",
        HEAD_REQUEST,
        "PUT /notes HTTP/1.1\r\n"
        "Host: example.org\r\n"
        "Transfer-Encoding: chunked\r\n"
        "\r\n"
        "5;note=first\r\nhello\r\n"
        "a\r\n, and more\r\n"
        "0\r\n"
        "X-Checksum: 1f2e\r\n"
        "\r\n"),
    EXAMPLE("absolute form",
        "The host is that of the target; that of the field is ignored.",
        HEAD_REQUEST,
        "GET http://example.org:8080/hello HTTP/1.1\r\n"
        "Host: other.example\r\n"
        "\r\n"),
    EXAMPLE("HTTP/1.0 that wants to stay",
        "HTTP/1.0 ends the connection unless it is asked to keep it.",
        HEAD_REQUEST,
        "GET / HTTP/1.0\r\n"
        "Connection: keep-alive\r\n"
        "\r\n"
        "GET /again HTTP/1.0\r\n"
        "\r\n"),
    EXAMPLE("a head that is cut off",
        "So far so good: a socket would be read again, until a time limit.",
        HEAD_REQUEST,
        "GET /hello HTTP/1.1\r\n"
        "Host: exam"),
    EXAMPLE("smuggling: length and chunks",
        "Whoever goes by the length reads one request here; whoever goes by "
        "the chunks reads two.",
        HEAD_REQUEST,
        "POST / HTTP/1.1\r\n"
        "Host: example.org\r\n"
        "Content-Length: 44\r\n"
        "Transfer-Encoding: chunked\r\n"
        "\r\n"
        "0\r\n"
        "\r\n"
        "GET /admin HTTP/1.1\r\n"
        "Host: internal\r\n"
        "\r\n"),
    EXAMPLE("smuggling: two lengths",
        "One program takes the first length, another one the last.",
        HEAD_REQUEST,
        "POST / HTTP/1.1\r\n"
        "Host: example.org\r\n"
        "Content-Length: 3\r\n"
        "Content-Length: 8\r\n"
        "\r\n"
        "abcGET /"),
    EXAMPLE("smuggling: chunked, and something else",
        "A program that does not know the first coding may not see the second.",
        HEAD_REQUEST,
        "POST / HTTP/1.1\r\n"
        "Host: example.org\r\n"
        "Transfer-Encoding: chunked, identity\r\n"
        "\r\n"
        "0\r\n"
        "\r\n"),
    EXAMPLE("smuggling: a blank before the colon",
        "Some programs take this for Content-Length, others for a field that "
        "they do not know.",
        HEAD_REQUEST,
        "POST / HTTP/1.1\r\n"
        "Host: example.org\r\n"
        "Content-Length : 3\r\n"
        "\r\n"
        "abc"),
    EXAMPLE("smuggling: a folded line",
        "A line that begins with a blank once went on with the one before.",
        HEAD_REQUEST,
        "POST / HTTP/1.1\r\n"
        "Host: example.org\r\n"
        "X-Note: first\r\n"
        " Transfer-Encoding: chunked\r\n"
        "\r\n"),
    EXAMPLE("smuggling: a bare CR",
        "To some programs a CR alone is the end of a line.",
        HEAD_REQUEST,
        "GET / HTTP/1.1\r\n"
        "Host: example.org\r\n"
        "X-Note: a\rContent-Length: 5\r\n"
        "\r\n"),
    EXAMPLE("smuggling: a bare LF",
        "To many programs an LF alone is the end of a line.",
        HEAD_REQUEST,
        "GET / HTTP/1.1\r\n"
        "Host: example.org\n"
        "Content-Length: 5\r\n"
        "\r\n"),
    EXAMPLE("a zero byte in a field",
        "A program written in C might take it for the end of the value.",
        HEAD_REQUEST,
        "GET / HTTP/1.1\r\n"
        "Host: example.org\0.evil.example\r\n"
        "\r\n"),
    EXAMPLE("smuggling: a chunk size that is none",
        "0x5 is 5 to some programs, and 0 to those that stop at the x.",
        HEAD_REQUEST,
        "POST / HTTP/1.1\r\n"
        "Host: example.org\r\n"
        "Transfer-Encoding: chunked\r\n"
        "\r\n"
        "0x5\r\nhello\r\n"
        "0\r\n"
        "\r\n"),
    EXAMPLE("smuggling: a chunk longer than its size",
        "Whoever skips to the next line loses two bytes, and never knows.",
        HEAD_REQUEST,
        "POST / HTTP/1.1\r\n"
        "Host: example.org\r\n"
        "Transfer-Encoding: chunked\r\n"
        "\r\n"
        "3\r\nhello\r\n"
        "0\r\n"
        "\r\n"),
    EXAMPLE("a length with a sign",
        "A function that reads numbers may take the sign; the grammar does "
        "not.",
        HEAD_REQUEST,
        "POST / HTTP/1.1\r\n"
        "Host: example.org\r\n"
        "Content-Length: +3\r\n"
        "\r\n"
        "abc"),
    EXAMPLE("no Host",
        "HTTP/1.1 asks for one: without it nobody knows who is meant.",
        HEAD_REQUEST,
        "GET / HTTP/1.1\r\n"
        "Accept: */*\r\n"
        "\r\n"),
    EXAMPLE("HTTPS on the wrong port",
        "The first byte of TLS is enough to know.",
        HEAD_REQUEST,
        "\x16\x03\x01\x02"),
    EXAMPLE("a response without a length",
        "Its body ends where the connection ends, so it can be cut off unseen.",
        HEAD_RESPONSE,
        "HTTP/1.1 200 OK\r\n"
        "Content-Type: text/plain\r\n"
        "\r\n"
        "hello"),
    EXAMPLE("a response without a body",
        "304 has none, whatever its length says.",
        HEAD_RESPONSE,
        "HTTP/1.1 304 Not Modified\r\n"
        "Content-Length: 1000\r\n"
        "\r\n"
        "HTTP/1.1 200 OK\r\n"
        "Content-Length: 2\r\n"
        "\r\n"
        "ok"),
};
/* clang-format on */

const size_t example_count = sizeof(examples) / sizeof(examples[0]);

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Chapter 01: what a proxy refuses, because it could be read in two ways. In
 * each case nothing may reach the backend, the client gets a reason and the
 * end of the connection, and the next client is served.
 */
#include "behaviours.h"
#include "lab.h"

#include <stdlib.h>
#include <string.h>

/** Send this; expect that status, and nothing at the backend. */
static void is_refused(const char *bytes, size_t length, int status)
{
    struct lab lab;
    struct rude rude;
    long before;

    lab_usual(&lab, 1);
    before = lab_count(&lab, 0, NULL);
    lab_rude(&lab, &rude);
    rude_send(&rude, bytes, length);
    insist(rude_hear_end(&rude, 2500),
           "sent a request that must be refused; expected %d and the end of "
           "the connection; it stays open after \"%.200s\"",
           status, rude.text);
    insist(rude_status(&rude) == status,
           "sent a request that must be refused with %d; got %d: \"%.200s\"%s",
           status, rude_status(&rude), rude.text,
           rude.broken ? " and a reset" : "");
    insist(lab_count(&lab, 0, NULL) == before &&
               strstr(rude.text, "X-Backend:") == NULL,
           "sent a request that must be refused; it reached the backend");
    rude_close(&rude);
    insist(strcmp(lab_who(&lab, "/"), "one") == 0,
           "after a request that was refused, the next is not served");
    lab_end(&lab);
}

#define REFUSED(name, status, text)                     \
    static void name(void)                              \
    {                                                   \
        is_refused((text), sizeof(text) - 1, (status)); \
    }

#define POST "POST /echo HTTP/1.1\r\nHost: a\r\n"

REFUSED(two_lengths, 400,
        POST "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde")
REFUSED(length_and_chunks, 400,
        POST "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
             "0\r\n\r\n")
REFUSED(other_coding, 400,
        POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n")
REFUSED(length_with_sign, 400, POST "Content-Length: +5\r\n\r\nabcde")
REFUSED(length_list, 400, POST "Content-Length: 5, 5\r\n\r\nabcde")
REFUSED(blank_before_colon, 400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n")
REFUSED(folded_line, 400, "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n two\r\n\r\n")
REFUSED(bare_line_feeds, 400, "GET / HTTP/1.1\nHost: a\n\n")
REFUSED(bare_carriage_return, 400,
        "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\rX-B: 2\r\n\r\n")
REFUSED(zero_byte, 400, "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\0002\r\n\r\n")
REFUSED(no_host, 400, "GET / HTTP/1.1\r\nX-A: 1\r\n\r\n")
REFUSED(two_hosts, 400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
REFUSED(bad_name, 400, "GET / HTTP/1.1\r\nHost: a\r\nX(A): 1\r\n\r\n")
REFUSED(bad_target, 400, "GET nowhere HTTP/1.1\r\nHost: a\r\n\r\n")
REFUSED(tls, 400,
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and so on, for TLS")

static void huge_head(void)
{
    static const char begin[] = "GET / HTTP/1.1\r\nHost: a\r\nX-A: ";
    size_t length = 1 << 20;
    char *head = malloc(length);

    memset(head, 'a', length);
    memcpy(head, begin, strlen(begin));
    is_refused(head, length, 431);
    free(head);
}

static void endless_line(void)
{
    size_t length = 200000;
    char *line = malloc(length);

    memset(line, 'a', length);
    /* steelyard takes it for a target, which has a limit of its own. */
    is_refused(line, length, lab_chapter() < 99 ? 431 : 414);
    free(line);
}

static const struct behaviour list[] = {
    {"two-lengths", 1, 2, "Two lengths that differ are refused.", two_lengths},
    {"length-and-chunks", 1, 2, "A length and chunks together are refused.",
     length_and_chunks},
    {"other-coding", 1, 1, "A coding other than chunked is refused.",
     other_coding},
    {"signed-length", 1, 1, "A length of \"+5\" is refused.", length_with_sign},
    {"length-list", 1, 1, "A length of \"5, 5\" is refused.", length_list},
    {"blank-colon", 1, 1, "A blank before the colon is refused.",
     blank_before_colon},
    {"folded-line", 1, 1, "A line folded onto the next is refused.",
     folded_line},
    {"bare-lf", 1, 1, "A line feed without carriage return is refused.",
     bare_line_feeds},
    {"bare-cr", 1, 1, "A carriage return without line feed is refused.",
     bare_carriage_return},
    {"zero-byte", 1, 1, "A zero byte in a head is refused.", zero_byte},
    {"no-host", 1, 1, "HTTP/1.1 without Host is refused.", no_host},
    {"two-hosts", 1, 1, "Two Hosts are refused.", two_hosts},
    {"bad-name", 1, 1, "A field name with a bracket is refused.", bad_name},
    {"bad-target", 1, 1, "A target that is no path is refused.", bad_target},
    {"not-http", 1, 1, "What is not HTTP at all is refused at once.", tls},
    {"huge-head", 1, 1, "A head of 1 MiB is refused with 431.", huge_head},
    {"endless-line", 1, 1, "A line that never ends is refused with 431.",
     endless_line},
};

const struct behaviours refusing = {list, sizeof(list) / sizeof(list[0])};

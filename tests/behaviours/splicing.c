/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The full balancer: large bodies, which it moves inside the kernel if it can.
 * Whether it does cannot be seen from outside; that nothing is lost or changed
 * when it does, and when it does not, can.
 */
#include "behaviours.h"
#include "lab.h"

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE = 100 * 1000 * 1000 };

/** Bytes whose every run is different, so that a piece out of place shows. */
static char *noise(size_t length)
{
    char *bytes = malloc(length + 8);
    uint64_t state = 88172645463325252u;

    insist(bytes != NULL, "there is no memory for this test");
    for (size_t i = 0; i < length; i += 8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        memcpy(bytes + i, &state, 8);
    }
    return bytes;
}

/** A balancer with two flags of its own, over one backend. */
static void start(struct lab *lab, const char *splice, const char *poller)
{
    lab_init(lab);
    lab_backends(lab, 1);
    lab_flag(lab, 0, splice, NULL);
    lab_flag(lab, 0, "--poller", poller);
    lab_start(lab);
}

/** As much goes up and comes back at the same time; then it only goes up. */
static void echo_large(const char *splice, const char *poller)
{
    char *body = noise(LARGE);
    struct lab lab;
    struct answer answer;

    start(&lab, splice, poller);
    answer = fetch(&(struct request){.url = lab_url(&lab, "/echo"),
                                     .body = body,
                                     .body_length = LARGE,
                                     .timeout_ms = 15000});
    insist(answer.whole && answer.status == 200 && answer.length == LARGE,
           "POST of 100 MB to /echo: expected 200 and as many bytes; got %ld "
           "and %zu (%s)",
           answer.status, answer.length, answer.error);
    insist(memcmp(answer.body, body, LARGE) == 0,
           "POST of 100 MB to /echo: as many bytes came back, but not these");
    answer_free(&answer);
    answer = fetch(&(struct request){.url = lab_url(&lab, "/sink"),
                                     .body = body,
                                     .body_length = LARGE,
                                     .timeout_ms = 15000});
    insist(answer.whole && strstr(answer.body, "read 100000000 bytes") != NULL,
           "POST of 100 MB to /sink: expected \"read 100000000 bytes\"; got "
           "%ld \"%.100s\" (%s)",
           answer.status, answer.body == NULL ? "" : answer.body, answer.error);
    answer_free(&answer);
    free(body);
    lab_end(&lab);
}

static void large_bodies_are_spliced(void)
{
    echo_large("--splice", "auto");
}

static void large_bodies_are_copied(void)
{
    echo_large("--no-splice", "auto");
}

static void large_bodies_with_poll(void)
{
    echo_large("--splice", "poll");
}

/** Is this the body of /bytes/N: the alphabet, again and again? */
static bool is_alphabet(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (bytes[i] != (char)('a' + i % 26))
            return false;
    return true;
}

/** Read the rest; it must be the alphabet, all of it. */
static void insist_all(struct rude *rude, size_t wanted)
{
    const char *body;

    rude_hear_end(rude, 10000);
    body = strstr(rude->text, "\r\n\r\n");
    if (body == NULL || rude_status(rude) != 200)
        ck_abort_msg("GET /bytes/%zu, read late; expected a response; got "
                     "\"%.200s\"",
                     wanted, rude->text);
    body += 4;
    insist(rude->text + rude->length - body == (ptrdiff_t)wanted,
           "a late reader expected %zu bytes; got %td", wanted,
           rude->text + rude->length - body);
    insist(is_alphabet(body, wanted),
           "a late reader got as many bytes as it should, but not these");
}

/** More of them than there are pipes: the others are served by copying. */
static void late_readers_get_all(void)
{
    enum { READERS = 60, WANTED = 4 * 1000 * 1000 };
    static struct rude readers[READERS];
    struct lab lab;

    start(&lab, "--splice", "auto");
    for (size_t i = 0; i < READERS; i++) {
        lab_rude(&lab, &readers[i]);
        rude_say(&readers[i], "GET /bytes/4000000 HTTP/1.1\r\nHost: a\r\n"
                              "Connection: close\r\n\r\n");
        insist(rude_take(&readers[i], 1, 3000) == 1,
               "GET /bytes/4000000: expected a response; nothing came");
    }
    for (int i = 0; i < 50; i++)
        lab_who(&lab, "/");
    for (size_t i = 0; i < READERS; i++) {
        insist_all(&readers[i], WANTED);
        rude_close(&readers[i]);
    }
    lab_end(&lab);
}

/** The next request stands right behind the body: it must not go with it. */
static void next_request_is_its_own(void)
{
    enum { BODY = 3000000 };
    static const char post[] = "POST /sink HTTP/1.1\r\nHost: a\r\n"
                               "Content-Length: 3000000\r\n\r\n";
    static const char get[] = "GET /headers HTTP/1.1\r\nHost: a\r\n"
                              "Connection: close\r\n\r\n";
    static char bytes[sizeof(post) + BODY + sizeof(get)];
    struct lab lab;
    struct rude rude;

    memcpy(bytes, post, sizeof(post) - 1);
    memset(bytes + sizeof(post) - 1, 'x', BODY);
    memcpy(bytes + sizeof(post) - 1 + BODY, get, sizeof(get) - 1);
    start(&lab, "--splice", "auto");
    lab_rude(&lab, &rude);
    insist(rude_send(&rude, bytes, sizeof(post) + BODY + sizeof(get) - 2),
           "sent a POST of 3 MB and a GET behind it; expected both to be read");
    rude_hear_end(&rude, 5000);
    insist(rude.length > 0 && strstr(rude.text, "read 3000000 bytes") != NULL &&
               strstr(rude.text, "X-Forwarded-For: ") != NULL,
           "sent a POST of 3 MB and a GET behind it; expected two answers, and "
           "the GET to be forwarded as a request of its own; got \"%.600s\"",
           rude.length == 0 ? "" : rude.text);
    rude_close(&rude);
    lab_end(&lab);
}

/** How many descriptors a process has open (Linux; else 0). */
static unsigned descriptors_of(const struct process *process)
{
    char path[64];
    unsigned count = 0;
    DIR *folder;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)process->pid);
    folder = opendir(path);
    while (folder != NULL && readdir(folder) != NULL)
        count++;
    if (folder != NULL)
        closedir(folder);
    return count;
}

/** Some leave with a reset and some without, in the middle of a body that comes
 * or goes. Pipes that are kept are at most as many as clients came at once. */
static void leave_in_the_middle(struct lab *lab, bool uploads)
{
    static char piece[200000];
    struct rude rude;

    for (int i = 0; i < 10; i++) {
        lab_rude(lab, &rude);
        if (uploads) {
            rude_say(&rude, "POST /sink HTTP/1.1\r\nHost: a\r\n"
                            "Content-Length: 100000000\r\n\r\n");
            rude_send(&rude, piece, sizeof(piece));
            rude_send(&rude, piece, sizeof(piece));
        } else {
            rude_say(&rude, "GET /bytes/100000000 HTTP/1.1\r\nHost: a\r\n\r\n");
            rude_take(&rude, 300000 + (size_t)i, 1000);
        }
        if (i % 2 == 0)
            rude_reset(&rude);
        rude_close(&rude);
    }
}

static void leaving_costs_nothing(void)
{
    struct lab lab;
    struct answer answer;
    unsigned before;

    start(&lab, "--splice", "auto");
    lab_who(&lab, "/");
    before = descriptors_of(&lab.lb);
    leave_in_the_middle(&lab, false);
    leave_in_the_middle(&lab, true);
    insist(holds_within(6000, descriptors_of(&lab.lb) <= before + 4),
           "twenty clients left in the middle of large bodies; expected the "
           "balancer to let go of their descriptors: it had %u, and has %u",
           before, descriptors_of(&lab.lb));
    answer = lab_get(&lab, "/bytes/1000000");
    insist(answer.whole && answer.length == 1000000 &&
               is_alphabet(answer.body, answer.length),
           "clients left in the middle of large bodies; expected the next "
           "answer to be whole and its own; got %ld and %zu bytes (%s)",
           answer.status, answer.length, answer.error);
    answer_free(&answer);
    lab_end(&lab);
}

static void backend_dies_in_the_middle(void)
{
    struct lab lab;
    struct rude rude;

    start(&lab, "--splice", "auto");
    lab_rude(&lab, &rude);
    rude_say(&rude, "GET /bytes/100000000 HTTP/1.1\r\nHost: a\r\n\r\n");
    insist(rude_take(&rude, 1000000, 3000) > 0,
           "GET /bytes/100000000: expected a response; nothing came");
    lab_kill(&lab, 0);
    insist(rude_hear_end(&rude, 5000),
           "the backend died in the middle of 100 MB; expected the connection "
           "to end; it goes on after %zu bytes",
           rude.length);
    insist(rude.broken && rude.length < 100000000,
           "the backend died in the middle of 100 MB; expected a reset, so "
           "that nobody takes what came for whole; got %zu bytes and %s",
           rude.length, rude.broken ? "a reset" : "a proper end");
    rude_close(&rude);
    lab_end(&lab);
}

static const struct behaviour list[] = {
    {"splice", 99, 1, "100 MB pass both ways inside the kernel, unchanged.",
     large_bodies_are_spliced},
    {"splice-off", 99, 1, "And copied, if that is wanted.",
     large_bodies_are_copied},
    {"splice-poll", 99, 1, "And inside the kernel, with poll().",
     large_bodies_with_poll},
    {"splice-late", 99, 1, "Who reads a large body late gets all of it.",
     late_readers_get_all},
    {"splice-next", 99, 1, "A request behind a large body is its own.",
     next_request_is_its_own},
    {"splice-leave", 99, 1, "Clients that leave a large body cost nothing.",
     leaving_costs_nothing},
    {"splice-die", 99, 1, "A large body that breaks off does not look whole.",
     backend_dies_in_the_middle},
};

const struct behaviours splicing = {list, sizeof(list) / sizeof(list[0])};

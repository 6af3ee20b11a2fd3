/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The full balancer: who is picked. Policies, tiers, limits and their queue,
 * and cookies that keep a client with its backend.
 */
#include "behaviours.h"
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/**
 * So many backends that behave, and a balancer with this policy. With one
 * worker, a request is over before the next one of the same client is looked
 * at, so nothing is in flight then.
 */
static void lab_policy(struct lab *lab, size_t count, const char *policy)
{
    lab_init(lab);
    lab_backends(lab, count);
    lab_flag(lab, 0, "--policy", policy);
    lab_flag(lab, 0, "--workers", "1");
    lab_start(lab);
}

/** GET with one more field; which backend answered? */
static const char *who_with(const struct lab *lab, const char *path,
                            const char *field)
{
    static char names[8][64];
    static size_t next;
    char *name = names[next++ % 8];
    const char *const fields[] = {field, NULL};
    struct answer answer =
        fetch(&(struct request){.url = lab_url(lab, path), .fields = fields});

    insist(answer.status == 200, "GET %s with \"%s\": expected 200; got %ld",
           path, field, answer.status);
    snprintf(name, sizeof(names[0]), "%s", answer.backend);
    answer_free(&answer);
    return name;
}

/** Requests at the same time that take so long. */
static struct fetches *begin_slow(const struct lab *lab, size_t count, int ms)
{
    char path[32];

    snprintf(path, sizeof(path), "/slow?ms=%d", ms);
    return fetches_begin(
        &(struct request){.url = lab_url(lab, path), .timeout_ms = 10000},
        count);
}

/** All of them have to be served. */
static void finish(struct fetches *fetches, size_t count)
{
    fetches_run(fetches, 10000);
    insist(fetches_count(fetches, 200) == count,
           "%zu requests at once; expected 200 for all; got %zu", count,
           fetches_count(fetches, 200));
    fetches_end(&fetches);
}

/** Who answers, in short: `a` is backend one, `b` is two. */
static void order_is(const struct lab *lab, const char *expected)
{
    char order[64] = "";

    for (size_t i = 0; i < strlen(expected); i++) {
        const char *who = lab_who(lab, "/");

        for (size_t k = 0; k < lab->count; k++)
            if (strcmp(who, lab->backends[k].name) == 0)
                order[i] = (char)('a' + k);
    }
    insist(strcmp(order, expected) == 0,
           "weights 5, 1 and 1; expected the turns %s; got %s", expected,
           order);
}

/* --- policies -------------------------------------------------------------- */

static void weights_by_flag(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 3);
    lab_flag(&lab, 0, "--weights", "5,1,1");
    lab_start(&lab);
    order_is(&lab, "aabacaaaabacaa");
    lab_end(&lab);
}

static void weights_by_file(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 3);
    lab_config(&lab, "{\"port\": \"127.0.0.1:0\", \"backends\": ["
                     "{\"url\": \"{0}\", \"weight\": 5}, \"{1}\", \"{2}\"]}");
    lab_start(&lab);
    order_is(&lab, "aabacaaaabacaa");
    lab_end(&lab);
}

static void least_busy_by_weight(void)
{
    struct lab lab;
    struct fetches *slow;

    lab_init(&lab);
    lab_backends(&lab, 3);
    lab_flag(&lab, 0, "--weights", "2,1,1");
    lab_flag(&lab, 0, "--policy", "least-connections");
    lab_flag(&lab, 0, "--workers", "1");
    lab_start(&lab);
    slow = begin_slow(&lab, 12, 500);
    finish(slow, 12);
    insist(lab_count(&lab, 0, "/slow") == 6 && lab_count(&lab, 1, "/slow") == 3,
           "12 requests at once, weights 2, 1 and 1; expected 6, 3 and 3; got "
           "%ld and %ld",
           lab_count(&lab, 0, "/slow"), lab_count(&lab, 1, "/slow"));
    for (int i = 0; i < 20; i++)
        lab_who(&lab, "/livez");
    insist(lab_count(&lab, 0, "/livez") == 20,
           "nothing else under way; expected the heaviest to be the least busy "
           "for its weight each time; it got %ld of 20",
           lab_count(&lab, 0, "/livez"));
    lab_end(&lab);
}

static void two_choices_spread(void)
{
    struct lab lab;

    /* Of two backends both are drawn each time, in either order. So the less
     * busy one is always taken: after an even number they are even. */
    lab_policy(&lab, 2, "two-choices");
    for (long round = 1; round <= 3; round++) {
        finish(begin_slow(&lab, 20, 500), 20);
        insist(lab_count(&lab, 0, "/slow") == 10 * round,
               "20 requests at once over 2 backends; of two that are drawn the "
               "less busy one is taken, so expected 10 each; after round %ld "
               "one had got %ld",
               round, lab_count(&lab, 0, "/slow"));
    }
    lab_end(&lab);
}

/** The backend for a client that comes from 127.0.0.@p number. */
static const char *who_for(const struct lab *lab, int number)
{
    static char names[4][64];
    static size_t next;
    char *name = names[next++ % 4];
    char from[32];
    struct answer answer;

    snprintf(from, sizeof(from), "127.0.0.%d", number);
    answer = fetch(&(struct request){.url = lab_url(lab, "/"), .from = from});
    insist(answer.status == 200, "a client at %s: expected 200; got %ld (%s)",
           from, answer.status, answer.error);
    snprintf(name, sizeof(names[0]), "%s", answer.backend);
    answer_free(&answer);
    return name;
}

static void address_decides(const char *policy)
{
    struct lab lab;
    bool differ = false;

    lab_policy(&lab, 3, policy);
    for (int i = 1; i <= 20; i++) {
        const char *who = who_for(&lab, i);

        insist(strcmp(who_for(&lab, i), who) == 0,
               "the same client came twice; expected the same backend");
        differ |= strcmp(who, who_for(&lab, 1)) != 0;
    }
    insist(differ, "20 clients; expected them to be shared; %s got them all",
           who_for(&lab, 1));
    lab_end(&lab);
}

static void address_hash_keeps(void)
{
    address_decides("address-hash");
}

static void consistent_hash_keeps(void)
{
    address_decides("consistent-hash");
}

enum { KEYS = 30 };

/** Who serves each of many paths. */
static void owners_find(const struct lab *lab, char owners[KEYS][16])
{
    for (int i = 0; i < KEYS; i++) {
        char path[32];

        snprintf(path, sizeof(path), "/bytes/%d", i + 1);
        snprintf(owners[i], sizeof(owners[i]), "%s", lab_who(lab, path));
    }
}

static void only_its_keys_move(void)
{
    char before[KEYS][16], after[KEYS][16];
    size_t had = 0;
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 3);
    lab_flag(&lab, 0, "--policy", "consistent-hash");
    lab_flag(&lab, 0, "--hash-on", "path");
    lab_flag(&lab, 0, "--workers", "1");
    lab_start(&lab);
    owners_find(&lab, before);
    lab_kill(&lab, 1);
    insist(lab_logs(&lab, lab_change(&lab, 1, "down"), 3000), "no probe fails");
    owners_find(&lab, after);
    for (int i = 0; i < KEYS; i++) {
        bool was_its = strcmp(before[i], "two") == 0;

        had += was_its;
        insist(was_its || strcmp(before[i], after[i]) == 0,
               "backend two is gone; expected only its keys to move; one of "
               "backend %s is with %s now",
               before[i], after[i]);
    }
    insist(had > 0 && had < KEYS, "of %d keys, backend two had %zu", KEYS, had);
    lab_revive(&lab, 1);
    insist(lab_logs(&lab, lab_change(&lab, 1, "up"), 3000), "it stays down");
    owners_find(&lab, after);
    for (int i = 0; i < KEYS; i++)
        insist(strcmp(before[i], after[i]) == 0,
               "backend two is back; expected all keys to be where they were; "
               "one of backend %s is with %s",
               before[i], after[i]);
    lab_end(&lab);
}

/** The same value, the same backend, whatever the path. */
static void hashed_on(const char *what, const char *form)
{
    struct lab lab;
    char field[64], first[64] = "";
    bool differ = false;

    lab_init(&lab);
    lab_backends(&lab, 3);
    lab_flag(&lab, 0, "--policy", "consistent-hash");
    lab_flag(&lab, 0, "--hash-on", what);
    lab_flag(&lab, 0, "--workers", "1");
    lab_start(&lab);
    for (int i = 0; i < 20; i++) {
        const char *who;

        snprintf(field, sizeof(field), form, i);
        who = who_with(&lab, "/", field);
        insist(strcmp(who_with(&lab, "/livez", field), who) == 0,
               "\"%s\" twice; expected the same backend", field);
        if (i == 0)
            snprintf(first, sizeof(first), "%s", who);
        differ |= strcmp(first, who) != 0;
    }
    insist(differ, "20 values of %s; expected more than one backend", what);
    lab_end(&lab);
}

static void header_decides(void)
{
    hashed_on("header:X-User", "X-User: user-%d");
}

static void cookie_decides(void)
{
    hashed_on("cookie:user", "Cookie: a=b; user=u%d; c=d");
}

static void one_key_has_a_bound(void)
{
    struct lab lab;
    struct fetches *slow;

    lab_init(&lab);
    lab_backends(&lab, 3);
    lab_flag(&lab, 0, "--policy", "consistent-hash");
    lab_flag(&lab, 0, "--hash-on", "path");
    lab_flag(&lab, 0, "--workers", "1");
    lab_start(&lab);
    slow = begin_slow(&lab, 12, 700);
    finish(slow, 12);
    for (size_t i = 0; i < 3; i++)
        insist(lab_count(&lab, i, "/slow") <= 5,
               "12 requests for one path at once; no backend shall have more "
               "than 1.25 times its share, which is 5; %s got %ld",
               lab.backends[i].name, lab_count(&lab, i, "/slow"));
    lab_end(&lab);
}

static void slow_backend_gets_few(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backend(&lab, "--misbehave", "jitter=200");
    lab_backends(&lab, 1);
    lab_flag(&lab, 0, "--policy", "latency");
    lab_start(&lab);
    for (int i = 0; i < 80; i++)
        lab_who(&lab, "/livez");
    insist(lab_count(&lab, 0, "/livez") <= 12,
           "80 requests; backend one takes 100 ms on average, two none; "
           "expected one to get few; it got %ld",
           lab_count(&lab, 0, "/livez"));
    lab_end(&lab);
}

/** One that fails, and fast, is not quick. */
static void fast_failure_attracts_nobody(const char *misbehaviour)
{
    struct lab lab;

    lab_init(&lab);
    lab_backend(&lab, "--misbehave", misbehaviour);
    lab_backend(&lab, "--misbehave", "jitter=30");
    lab_flag(&lab, 0, "--policy", "latency");
    lab_flag(&lab, 0, "--failures-max", "0");
    lab_start(&lab);
    for (int i = 0; i < 60; i++)
        lab_try(&lab, "/livez");
    insist(lab_count(&lab, 0, "/livez") <= 12,
           "60 requests; backend one does \"%s\", at once; two answers "
           "within 30 ms; expected one to get few; it got %ld",
           misbehaviour, lab_count(&lab, 0, "/livez"));
    lab_end(&lab);
}

static void fast_500_attracts_nobody(void)
{
    fast_failure_attracts_nobody("fail=100");
}

static void fast_close_attracts_nobody(void)
{
    fast_failure_attracts_nobody("close-early");
}

/* --- tiers, limits, the queue ---------------------------------------------- */

static void backups_stand_by(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 3);
    lab_config(&lab, "{\"port\": \"127.0.0.1:0\", \"backends\": [\"{0}\", "
                     "\"{1}\", {\"url\": \"{2}\", \"backup\": true}], "
                     "\"health\": {\"interval\": \"100ms\"}}");
    lab_start(&lab);
    for (int i = 0; i < 10; i++)
        insist(strcmp(lab_who(&lab, "/"), "three") != 0,
               "the backup serves though the others are up");
    lab_kill(&lab, 0);
    lab_kill(&lab, 1);
    for (int i = 0; i < 10; i++)
        insist(strcmp(lab_who(&lab, "/"), "three") == 0,
               "the others are dead; expected the backup to serve");
    lab_revive(&lab, 0);
    insist(lab_logs(&lab, lab_change(&lab, 0, "down"), 3000) &&
               lab_logs(&lab, lab_change(&lab, 0, "up"), 3000),
           "backend one was killed and started again; the log does not say so");
    for (int i = 0; i < 10; i++)
        insist(strcmp(lab_who(&lab, "/"), "one") == 0,
               "backend one is up again; expected the backup to rest");
    lab_end(&lab);
}

static void requests_wait_for_room(void)
{
    struct lab lab;
    struct fetches *slow;
    int64_t began;

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_flag(&lab, 0, "--in-flight-max", "1");
    lab_start(&lab);
    began = now_ms();
    slow = begin_slow(&lab, 6, 200);
    finish(slow, 6);
    insist(now_ms() - began >= 590,
           "6 requests of 200 ms, and 2 backends that take one at a time; that "
           "takes 600 ms; it took %lld",
           (long long)(now_ms() - began));
    insist(lab_count(&lab, 0, "/slow") == 3, "expected 3 each; got %ld",
           lab_count(&lab, 0, "/slow"));
    lab_end(&lab);
}

static void backend_has_its_own_limit(void)
{
    struct lab lab;
    struct fetches *slow;

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_config(&lab, "{\"port\": \"127.0.0.1:0\", \"backends\": ["
                     "{\"url\": \"{0}\", \"in_flight_max\": 1}, \"{1}\"]}");
    lab_start(&lab);
    slow = begin_slow(&lab, 8, 500);
    finish(slow, 8);
    insist(lab_count(&lab, 0, "/slow") == 1 && lab_count(&lab, 1, "/slow") == 7,
           "8 requests at once; backend one takes one at a time, two takes "
           "any number; expected 1 and 7; got %ld and %ld",
           lab_count(&lab, 0, "/slow"), lab_count(&lab, 1, "/slow"));
    lab_end(&lab);
}

/** One backend with one place, which is taken for a while. */
static void take_the_place(struct lab *lab, struct rude *first,
                           const char *flag, const char *value)
{
    lab_init(lab);
    lab_backends(lab, 1);
    lab_flag(lab, 0, "--in-flight-max", "1");
    lab_flag(lab, 0, flag, value);
    lab_flag(lab, 0, "--workers", "1");
    lab_start(lab);
    lab_rude(lab, first);
    rude_say(first, "GET /slow?ms=1500 HTTP/1.1\r\nHost: a\r\n\r\n");
    insist(holds_within(3000, lab_count(lab, 0, "/slow") == 1),
           "a request was sent; it does not reach the backend");
}

static const char plain_get[] =
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

/** Is this a 503 as it should be, with these words? */
static void is_busy(const char *answer, const char *words)
{
    insist(strstr(answer, " 503 ") != NULL &&
               strstr(answer, "\r\nRetry-After: ") != NULL &&
               strstr(answer, words) != NULL,
           "expected 503 with Retry-After and \"%s\"; got %s", words, answer);
}

static void full_queue_is_503(void)
{
    struct lab lab;
    struct rude first, second;

    take_the_place(&lab, &first, "--queue-max", "1");
    lab_rude(&lab, &second);
    rude_say(&second, plain_get);
    is_busy(lab_talk(&lab, plain_get), "busy");
    insist(lab_logs(&lab, "setting queue-max", 3000),
           "expected the log to name the setting queue-max; it says %s",
           process_text(lab.lb.err));
    insist(rude_hear(&second, "hello from one", 4000),
           "a request waited for a place; then there was one; expected it to "
           "be served; got %s",
           second.text);
    rude_close(&first);
    rude_close(&second);
    lab_end(&lab);
}

static void waiting_has_an_end(void)
{
    struct lab lab;
    struct rude first;
    int64_t began;

    take_the_place(&lab, &first, "--queue-timeout", "200ms");
    began = now_ms();
    is_busy(lab_talk(&lab, plain_get), "room");
    insist(now_ms() - began >= 190 && now_ms() - began < 1000,
           "with --queue-timeout 200ms, expected 503 after 200 ms; it came "
           "after %lld",
           (long long)(now_ms() - began));
    insist(lab_logs(&lab, "setting queue-timeout", 3000),
           "expected the log to name the setting queue-timeout; it says %s",
           process_text(lab.lb.err));
    rude_close(&first);
    lab_end(&lab);
}

/* --- cookies --------------------------------------------------------------- */

/** Ask with this Cookie, such as `SRV=...`. */
static const char *ask_with(const struct lab *lab, const char *cookie)
{
    static char request[256];

    snprintf(request, sizeof(request),
             "GET / HTTP/1.1\r\nHost: a\r\nCookie: x=y; %s\r\n"
             "Connection: close\r\n\r\n",
             cookie);
    return lab_talk(lab, request);
}

/** The cookie in a response: `SRV=...`, or "". Good until the next call. */
static const char *cookie_in(const char *response)
{
    static char cookie[64];
    const char *at = strstr(response, "\r\nSet-Cookie: ");

    cookie[0] = '\0';
    if (at != NULL)
        sscanf(at, "\r\nSet-Cookie: %63[^;\r]", cookie);
    return cookie;
}

static const char *backend_in(const char *response)
{
    static char names[4][16];
    static size_t next;
    char *name = names[next++ % 4];
    const char *at = strstr(response, "\r\nX-Backend: ");

    name[0] = '\0';
    if (at != NULL)
        sscanf(at, "\r\nX-Backend: %15[a-z]", name);
    return name;
}

static void sticky(struct lab *lab)
{
    lab_init(lab);
    lab_backends(lab, 3);
    lab_flag(lab, 0, "--sticky-cookie", "SRV");
    lab_start(lab);
}

static void cookie_keeps_a_client(void)
{
    struct lab lab;
    char cookie[64], name[16];
    const char *answer;

    sticky(&lab);
    answer = lab_talk(&lab, plain_get);
    snprintf(cookie, sizeof(cookie), "%s", cookie_in(answer));
    snprintf(name, sizeof(name), "%s", backend_in(answer));
    insist(strncmp(cookie, "SRV=", 4) == 0 && strstr(answer, "HttpOnly"),
           "expected Set-Cookie: SRV=...; HttpOnly; got %s", answer);
    for (int i = 0; i < 7; i++) {
        answer = ask_with(&lab, cookie);
        insist(strcmp(backend_in(answer), name) == 0,
               "a client with %s: expected backend %s again; got %s", cookie,
               name, answer);
        insist(*cookie_in(answer) == '\0',
               "the cookie is good; expected no other; got %s", answer);
    }
    lab_end(&lab);
}

static void broken_pin_is_issued_anew(void)
{
    struct lab lab;
    char cookie[64];
    const char *answer, *name;

    sticky(&lab);
    answer = ask_with(&lab, "SRV=0123456789abcdef");
    insist(*cookie_in(answer) != '\0',
           "a cookie that names nobody; expected another; got %s", answer);
    snprintf(cookie, sizeof(cookie), "%s", cookie_in(answer));
    name = backend_in(answer);
    for (size_t i = 0; i < 3; i++)
        if (strcmp(lab.backends[i].name, name) == 0)
            lab_kill(&lab, i);
    answer = ask_with(&lab, cookie);
    insist(strstr(answer, " 200 OK") != NULL && *cookie_in(answer) != '\0' &&
               strcmp(cookie_in(answer), cookie) != 0,
           "the backend that %s names is dead; expected another to serve, and "
           "a new cookie; got %s",
           cookie, answer);
    lab_end(&lab);
}

static const struct behaviour list[] = {
    {"weights", 99, 2, "Weights give turns without bursts.", weights_by_flag},
    {"weights-file", 99, 1, "Weights may stand in the file.", weights_by_file},
    {"weighted-least", 99, 2, "The least busy one is so for its weight.",
     least_busy_by_weight},
    {"two-choices", 99, 1, "Of two that are drawn, the less busy one serves.",
     two_choices_spread},
    {"address-hash", 99, 1, "A client's address decides who serves it.",
     address_hash_keeps},
    {"hash-address", 99, 1, "So it does with a consistent hash.",
     consistent_hash_keeps},
    {"hash-path", 99, 2, "A backend that goes moves no keys but its own.",
     only_its_keys_move},
    {"hash-header", 99, 1, "A header may decide who serves.", header_decides},
    {"hash-cookie", 99, 1, "Or a cookie.", cookie_decides},
    {"hash-bound", 99, 2, "One key for all does not drown one backend.",
     one_key_has_a_bound},
    {"latency", 99, 2, "A slow backend gets few requests.",
     slow_backend_gets_few},
    {"latency-500", 99, 1, "One that answers 500 at once is not quick.",
     fast_500_attracts_nobody},
    {"latency-close", 99, 1, "Nor is one that closes at once.",
     fast_close_attracts_nobody},
    {"backup", 99, 2, "A backup serves only when no other can.",
     backups_stand_by},
    {"wait-for-room", 99, 2, "A request waits for a backend with room.",
     requests_wait_for_room},
    {"limit-each", 99, 1, "A backend may have a limit of its own.",
     backend_has_its_own_limit},
    {"queue-full", 99, 2, "When too many wait, the next one gets 503.",
     full_queue_is_503},
    {"queue-timeout", 99, 1, "Nobody waits for room for ever.",
     waiting_has_an_end},
    {"sticky", 99, 2, "A cookie keeps a client with its backend.",
     cookie_keeps_a_client},
    {"sticky-broken", 99, 2, "A cookie of a dead backend is issued anew.",
     broken_pin_is_issued_anew},
};

const struct behaviours final_pool = {list, sizeof(list) / sizeof(list[0])};

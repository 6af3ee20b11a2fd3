/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Clients that make connections their own way: several requests at once, slow
 * ones, tunnels, and those without manners. The slow ones are slower than they
 * need to be and quicker than any limit, so they get all of it; of the rude ones
 * nothing is expected but that they do not hang, and that those who send
 * nonsense are told.
 */
#include "client.h"
#include "report.h"
#include "stand.h"
#include "wait.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct wire_manner at_once = {0, 0, 0};

static void wait_ms(unsigned ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000,
                                 .tv_nsec = (long)(ms % 1000) * 1000000},
              NULL);
}

/** Begin a request, on a connection of its own. NULL: there is none, and that
 * is noted. */
static struct record *open_for(struct client *client, struct wire *wire,
                               const char *what)
{
    struct record *record = client_begin(client, what);

    if (wire_open(wire, client->stand->port))
        return record;
    client_end(record, CAME_REFUSED, 0);
    record->is_nameless = true;
    return NULL;
}

/** The head of the request that has just begun, for @p path, with more fields,
 * each with its line's end. */
static void print_head(const struct client *client, const char *method,
                       const char *path, const char *fields, char *out,
                       size_t room)
{
    char name[64];

    client_name(client, strchr(path, '?') == NULL ? "?" : "&", name,
                sizeof(name));
    snprintf(out, room, "%s %s%s HTTP/1.1\r\nHost: soak\r\n%s\r\n", method,
             path, name, fields);
}

static bool say_head(struct client *client, struct wire *wire,
                     const char *method, const char *path, const char *fields)
{
    char head[600];

    print_head(client, method, path, fields, head, sizeof(head));
    return wire_say(wire, head);
}

/** Hear the response to a GET of so many bytes, and note it. */
static void hear_bytes(struct wire *wire, struct record *record, size_t length,
                       const struct wire_manner *manner,
                       struct wire_response *response)
{
    enum came came = wire_hear(wire, manner, response);

    if (came == CAME_WHOLE && response->status == 200 &&
        (response->is_wrong || response->length != length))
        came = CAME_WRONG;
    client_end(record, came, response->status);
}

/* --- a pipeline ------------------------------------------------------------ */

enum { PIPELINE_MAX = 6 };

void rough_pipeline(struct client *client)
{
    unsigned count = chance_between(&client->chance, 2, PIPELINE_MAX);
    size_t lengths[PIPELINE_MAX], first = client->count;
    struct wire_response response = {.closes = false};
    char text[PIPELINE_MAX * 300] = "";
    struct wire wire;

    for (unsigned i = 0; i < count; i++) {
        char path[40];
        size_t used = strlen(text);

        lengths[i] = chance_below(&client->chance, 5000);
        client_begin(client, "GET in a pipeline");
        snprintf(path, sizeof(path), "/bytes/%zu", lengths[i]);
        print_head(client, "GET", path, "", text + used, sizeof(text) - used);
    }
    if (!wire_open(&wire, client->stand->port)) {
        client->count = first;
        client_end(client_begin(client, "GET in a pipeline"), CAME_REFUSED, 0);
        client->records[first].is_nameless = true;
        return;
    }
    wire_say(&wire, text);
    for (unsigned i = 0; i < count; i++) {
        struct record *record = &client->records[first + i];

        hear_bytes(&wire, record, lengths[i], &at_once, &response);
        /* Who reads that the connection closes asks again for the rest. */
        if (response.closes || record->came != CAME_WHOLE) {
            for (unsigned k = i + 1; k < count; k++) {
                client_end(record + k - i, CAME_NOTHING, 0);
                record[k - i].is_fine = true;
                record[k - i].is_nameless = true;
            }
            break;
        }
    }
    wire_close(&wire, false);
}

/* --- slow ones ------------------------------------------------------------- */

void rough_reader(struct client *client)
{
    size_t length = chance_between(&client->chance, 100000, 1500000);
    struct wire_manner manner = {.piece = 30000, .pause_ms = 10};
    struct wire_response response;
    struct record *record;
    struct wire wire;
    char path[40];

    record = open_for(client, &wire, "GET, read slowly");
    if (record == NULL)
        return;
    snprintf(path, sizeof(path), "/bytes/%zu", length);
    say_head(client, &wire, "GET", path, "");
    hear_bytes(&wire, record, length, &manner, &response);
    wire_close(&wire, false);
}

/** Send letters in pieces, with pauses. */
static bool send_slowly(struct client *client, struct wire *wire, size_t length,
                        bool in_chunks)
{
    char piece[4096], size[16];

    while (length > 0) {
        size_t most = chance_between(&client->chance, 1, sizeof(piece));
        size_t bytes = most < length ? most : length;

        memset(piece, 'w', bytes);
        snprintf(size, sizeof(size), "%zx\r\n", bytes);
        if ((in_chunks && !wire_say(wire, size)) ||
            !wire_send(wire, piece, bytes) ||
            (in_chunks && !wire_say(wire, "\r\n")))
            return false;
        length -= bytes;
        wait_ms(chance_below(&client->chance, 60));
    }
    return !in_chunks || wire_say(wire, "0\r\n\r\n");
}

void rough_writer(struct client *client)
{
    size_t length = chance_between(&client->chance, 1, 30000);
    bool in_chunks = chance_below(&client->chance, 2) == 0;
    struct wire_response response;
    char fields[64], expected[40];
    struct record *record;
    struct wire wire;
    enum came came;

    record = open_for(client, &wire, "POST, written slowly");
    if (record == NULL)
        return;
    record->is_harmless = false;
    snprintf(fields, sizeof(fields),
             in_chunks ? "Transfer-Encoding: chunked\r\n"
                       : "Content-Length: %zu\r\n",
             length);
    snprintf(expected, sizeof(expected), "read %zu bytes\n", length);
    /* An answer may come before all was sent; then the rest is not taken. */
    if (say_head(client, &wire, "POST", "/sink", fields))
        send_slowly(client, &wire, length, in_chunks);
    came = wire_hear(&wire, &at_once, &response);
    if (came == CAME_WHOLE && response.status == 200 &&
        strcmp(response.body, expected) != 0)
        came = CAME_WRONG;
    client_end(record, came, response.status);
    wire_close(&wire, false);
}

/* --- tunnels --------------------------------------------------------------- */

/** Some words go through, and come back. */
static enum came talk(struct client *client, struct wire *wire)
{
    unsigned turns = chance_between(&client->chance, 1, 20);

    for (unsigned i = 0; i < turns; i++) {
        char words[2000];
        size_t length = chance_between(&client->chance, 1, sizeof(words));

        memset(words, (int)('A' + i), length);
        if (!wire_send(wire, words, length) || !wire_hold(wire, length))
            return wire->ended ? CAME_CUT : CAME_LATE;
        if (memcmp(wire->bytes, words, length) != 0)
            return CAME_WRONG;
        wire_drop(wire, length);
        wait_ms(chance_below(&client->chance, 80));
    }
    return CAME_WHOLE;
}

void rough_tunnel(struct client *client)
{
    struct wire_response response;
    struct record *record;
    struct wire wire;
    enum came came;

    record = open_for(client, &wire, "a tunnel");
    if (record == NULL)
        return;
    say_head(client, &wire, "GET", "/tunnel",
             "Upgrade: echo\r\nConnection: Upgrade\r\n");
    came = wire_hear(&wire, &at_once, &response);
    if (came == CAME_WHOLE && response.status == 101)
        came = talk(client, &wire);
    client_end(record, came, response.status);
    record->is_fine = came == CAME_WHOLE && response.status == 101;
    wire_close(&wire, chance_below(&client->chance, 4) == 0);
}

/* --- half-closed ----------------------------------------------------------- */

void rough_half(struct client *client)
{
    size_t length = chance_below(&client->chance, 100000);
    struct wire_response response;
    struct record *record;
    struct wire wire;
    char path[40];

    record = open_for(client, &wire, "GET, half-closed");
    if (record == NULL)
        return;
    snprintf(path, sizeof(path), "/bytes/%zu", length);
    say_head(client, &wire, "GET", path, "");
    wire_shut(&wire);
    hear_bytes(&wire, record, length, &at_once, &response);
    wire_close(&wire, false);
}

/* --- without manners ------------------------------------------------------- */

/** Nonsense, and the status that tells so. Nobody can read its name. */
static const struct nonsense {
    const char *what, *text;
    unsigned status, or_status;
} nonsense[] = {
    {"garbage", "\x16\x03\x01 is no HTTP\r\n\r\n", 400, 400},
    {"no host", "GET / HTTP/1.1\r\n\r\n", 400, 400},
    {"two lengths",
     "POST /sink HTTP/1.1\r\nHost: s\r\nContent-Length: 3\r\n"
     "Content-Length: 4\r\n\r\nabcd",
     400, 400},
    {"length and chunks",
     "POST /sink HTTP/1.1\r\nHost: s\r\nContent-Length: 3\r\n"
     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, 400},
    {"a blank before a colon", "GET / HTTP/1.1\r\nHost : s\r\n\r\n", 400, 400},
    {"HTTP/3.1", "GET / HTTP/3.1\r\nHost: s\r\n\r\n", 505, 400},
    {"a slow head", "GET / HTTP/1.1\r\nHost: s\r\nX-Slow:", 408, 408},
};
enum { NONSENSE = sizeof(nonsense) / sizeof(nonsense[0]) };

static void talk_nonsense(struct client *client)
{
    const struct nonsense *row =
        &nonsense[chance_below(&client->chance, NONSENSE)];
    struct wire_response response;
    struct record *record;
    struct wire wire;
    enum came came;

    record = open_for(client, &wire, row->what);
    if (record == NULL)
        return;
    wire_say(&wire, row->text);
    came = wire_hear(&wire, &at_once, &response);
    client_end(record, came, response.status);
    record->is_nameless = true;
    record->is_fine = came == CAME_WHOLE && (response.status == row->status ||
                                             response.status == row->or_status);
    wire_close(&wire, false);
}

/** A head longer than any limit. */
static void boast(struct client *client)
{
    struct wire_response response;
    struct record *record;
    struct wire wire;
    enum came came;
    char line[1024];

    record = open_for(client, &wire, "a head too long");
    if (record == NULL)
        return;
    memset(line, 'x', sizeof(line));
    memcpy(line, "X-A: ", 5);
    memcpy(line + sizeof(line) - 2, "\r\n", 2);
    wire_say(&wire, "GET / HTTP/1.1\r\nHost: s\r\n");
    for (int i = 0; i < 40 && wire_send(&wire, line, sizeof(line)); i++)
        ;
    came = wire_hear(&wire, &at_once, &response);
    client_end(record, came, response.status);
    record->is_nameless = true;
    record->is_fine = came == CAME_WHOLE && response.status == 431;
    wire_close(&wire, false);
}

/** Leave in the middle of something. Whatever that comes to is fine. */
static void leave(struct client *client)
{
    static const struct {
        const char *what, *method, *path, *fields, *more;
        size_t hears; /* bytes of the response, before it leaves */
    } rows[] = {
        {"leaves in the middle of its body", "POST", "/sink",
         "Content-Length: 100000\r\n", "some of it", 0},
        {"leaves in the middle of a chunk", "POST", "/sink",
         "Transfer-Encoding: chunked\r\n", "1000\r\nsome", 0},
        {"sends chunks that are none", "POST", "/sink",
         "Transfer-Encoding: chunked\r\n", "zz\r\n\r\n", 0},
        {"leaves while it reads", "GET", "/bytes/3000000", "", "", 100000},
        {"leaves before the answer", "GET", "/slow?ms=400", "", "", 0},
        {"leaves a stream", "GET", "/stream?n=100&ms=50", "", "", 0},
        {"says nothing", NULL, NULL, NULL, NULL, 0},
    };
    unsigned which =
        chance_below(&client->chance, sizeof(rows) / sizeof(*rows));
    struct wire_manner manner = {.enough = rows[which].hears};
    struct wire_response response = {.status = 0};
    struct record *record;
    struct wire wire;

    record = open_for(client, &wire, rows[which].what);
    if (record == NULL)
        return;
    if (rows[which].method == NULL)
        record->is_nameless = true;
    else if (say_head(client, &wire, rows[which].method, rows[which].path,
                      rows[which].fields))
        wire_say(&wire, rows[which].more);
    if (rows[which].hears > 0)
        wire_hear(&wire, &manner, &response);
    wait_ms(chance_below(&client->chance, 150));
    client_end(record, CAME_WHOLE, response.status);
    record->is_fine = true;
    wire_close(&wire, chance_below(&client->chance, 2) == 0);
}

/** Say that a body comes, and send none. */
static void fall_silent(struct client *client)
{
    struct wire_response response;
    struct record *record;
    struct wire wire;
    enum came came;

    record = open_for(client, &wire, "a body that stops");
    if (record == NULL)
        return;
    record->is_harmless = false;
    say_head(client, &wire, "POST", "/sink", "Content-Length: 1000\r\n");
    wire_say(&wire, "some of it");
    came = wire_hear(&wire, &at_once, &response);
    client_end(record, came, response.status);
    record->is_fine = came == CAME_WHOLE && response.status == 408;
    wire_close(&wire, false);
}

void rough_rude(struct client *client)
{
    unsigned drawn = chance_below(&client->chance, 100);

    if (drawn < 35)
        talk_nonsense(client);
    else if (drawn < 40)
        boast(client);
    else if (drawn < 45)
        fall_silent(client);
    else
        leave(client);
}

/* --- a crowd --------------------------------------------------------------- */

enum { CROWD_BYTES = 60000 };

struct wire *crowd_begin(const struct stand *stand)
{
    struct wire *crowd = calloc(CROWD, sizeof(*crowd));
    static char body[CROWD_BYTES - 1];
    char head[200];

    if (crowd == NULL)
        abort();
    snprintf(head, sizeof(head),
             "POST /sink HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n"
             "Content-Length: %d\r\n\r\n",
             CROWD_BYTES);
    for (int i = 0; i < CROWD; i++)
        if (!wire_open(&crowd[i], stand->port) || !wire_say(&crowd[i], head) ||
            !wire_send(&crowd[i], body, sizeof(body)))
            report_wrong("client %d of a crowd does not get in", i);
    return crowd;
}

void crowd_end(struct wire *crowd)
{
    struct wire_response response;

    for (int i = 0; i < CROWD; i++)
        if (crowd[i].fd != -1)
            wire_say(&crowd[i], "z");
    for (int i = 0; i < CROWD; i++) {
        if (crowd[i].fd == -1 ||
            wire_hear(&crowd[i], &at_once, &response) != CAME_WHOLE ||
            response.status != 200)
            report_wrong("client %d of a crowd got %u", i, response.status);
        wire_close(&crowd[i], false);
    }
    free(crowd);
}

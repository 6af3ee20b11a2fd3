/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "client.h"

#include "wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct {
    unsigned count;
    void (*turn)(struct client *client);
    unsigned pause_ms;
    const char *words;
} kinds[KINDS_COUNT] = {
#define X(name, count, turn, pause_ms, words) {count, turn, pause_ms, words},
    CLIENTS(X)
#undef X
};

const char *kind_words(enum kind kind)
{
    return kinds[kind].words;
}

const char *came_words(enum came came)
{
    switch (came) {
    case CAME_WHOLE: return "a whole response";
    case CAME_WRONG: return "a response that is not what was asked for";
    case CAME_CUT: return "a part of a response";
    case CAME_NOTHING: return "no response, and the end of the connection";
    case CAME_REFUSED: return "no connection";
    case CAME_LATE: return "nothing more";
    }
    return "?";
}

struct record *client_begin(struct client *client, const char *what)
{
    struct record *record;

    if (client->count == client->room) {
        client->room = client->room == 0 ? 1024 : client->room * 2;
        client->records =
            realloc(client->records, client->room * sizeof(*client->records));
        if (client->records == NULL)
            abort();
    }
    record = &client->records[client->count++];
    *record = (struct record){.began_ms = now_ms(),
                              .kind = client->kind,
                              .what = what,
                              .is_harmless = true};
    return record;
}

void client_end(struct record *record, enum came came, unsigned status)
{
    record->ended_ms = now_ms();
    record->came = came;
    record->status = status;
    record->is_fine = came == CAME_WHOLE && status == 200;
}

void client_name(const struct client *client, const char *before, char *out,
                 size_t room)
{
    snprintf(out, room, "%ssoak=%u-%zu", before, client->index,
             client->count - 1);
}

static void rest(struct client *client)
{
    unsigned ms = chance_below(&client->chance, kinds[client->kind].pause_ms);

    nanosleep(&(struct timespec){.tv_nsec = (long)ms * 1000000}, NULL);
}

static void *live(void *arg)
{
    struct client *client = arg;

    while (!atomic_load(client->stops)) {
        kinds[client->kind].turn(client);
        rest(client);
    }
    curl_easy_cleanup(client->curl);
    client->curl = NULL;
    return NULL;
}

void clients_init(struct clients *clients, const struct stand *stand,
                  uint64_t seed)
{
    clients->count = 0;
    for (int kind = 0; kind < KINDS_COUNT; kind++)
        clients->count += kinds[kind].count;
    clients->all = calloc(clients->count, sizeof(*clients->all));
    if (clients->all == NULL)
        abort();
    for (unsigned i = 0, kind = 0, left = kinds[0].count; i < clients->count;
         i++, left--) {
        while (left == 0)
            left = kinds[++kind].count;
        clients->all[i] = (struct client){.index = i,
                                          .kind = (enum kind)kind,
                                          .chance = seed * 1000 + i,
                                          .stand = stand,
                                          .stops = &clients->stops};
    }
}

void clients_start(struct clients *clients)
{
    atomic_store(&clients->stops, false);
    for (unsigned i = 0; i < clients->count; i++)
        if (pthread_create(&clients->all[i].thread, NULL, live,
                           &clients->all[i]) != 0)
            abort();
}

void clients_stop(struct clients *clients)
{
    atomic_store(&clients->stops, true);
    for (unsigned i = 0; i < clients->count; i++)
        pthread_join(clients->all[i].thread, NULL);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "load.h"

#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** One of them. */
struct load_client {
    struct load *load; /**< borrowed */
    unsigned number;
};

static void *load_run(void *arg)
{
    struct load_client *client = arg;
    struct load *load = client->load;
    bool posts = load->posts && client->number % 2 == 1;
    char url[64];

    snprintf(url, sizeof(url), "http://127.0.0.1:%u/livez", load->lab->port);
    while (!atomic_load(&load->stops)) {
        struct answer answer =
            fetch(&(struct request){.url = url,
                                    .body = posts ? "an order" : NULL,
                                    .body_length = posts ? 8 : 0});

        atomic_fetch_add(&load->asked, 1);
        if (answer.status != 200 || !answer.whole) {
            atomic_fetch_add(&load->lost, 1);
            snprintf(load->story[client->number],
                     sizeof(load->story[client->number]), "%ld %s %.150s",
                     answer.status, answer.error,
                     answer.body == NULL ? "" : answer.body);
        }
        answer_free(&answer);
    }
    free(client);
    return NULL;
}

void load_begin(struct load *load, const struct lab *lab, bool posts)
{
    memset(load, 0, sizeof(*load));
    load->lab = lab;
    load->posts = posts;
    for (unsigned i = 0; i < LOAD_CLIENTS; i++) {
        struct load_client *client = malloc(sizeof(*client));

        *client = (struct load_client){load, i};
        pthread_create(&load->threads[i], NULL, load_run, client);
    }
}

void load_goes_on(struct load *load, long more)
{
    long from = atomic_load(&load->asked);

    insist(holds_within(5000, atomic_load(&load->asked) >= from + more),
           "expected clients to be served on; they wait");
}

void load_end(struct load *load)
{
    atomic_store(&load->stops, true);
    for (unsigned i = 0; i < LOAD_CLIENTS; i++)
        pthread_join(load->threads[i], NULL);
    for (unsigned i = 0; i < LOAD_CLIENTS; i++)
        insist(load->story[i][0] == '\0', "%ld of %ld requests were lost: %s",
               atomic_load(&load->lost), atomic_load(&load->asked),
               load->story[i]);
}

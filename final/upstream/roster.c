/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A backend goes in three steps: the last pool that had it is gone; the workers
 * are told to close what rests; when the last of them has done so, its memory
 * and its slot are free. Until then it may come back.
 */
#include "upstream/roster.h"

#include "base/must.h"
#include "base/settings.h"

#include <stdlib.h>
#include <string.h>

struct roster *roster_new(void)
{
    struct roster *roster = xnew(1, sizeof(*roster));

    pthread_mutex_init(&roster->verdict, NULL);
    return roster;
}

static void end(struct roster *roster, size_t slot)
{
    backend_fini(roster->at[slot]);
    free(roster->at[slot]);
    roster->at[slot] = NULL;
}

void roster_free(struct roster **owned)
{
    struct roster *roster = *owned;

    for (size_t i = 0; i < BACKEND_SLOTS; i++) {
        if (roster->at[i] == NULL)
            continue;
        must(atomic_load(&roster->at[i]->holders) == 0);
        end(roster, i);
    }
    pthread_mutex_destroy(&roster->verdict);
    free(roster);
    *owned = NULL;
}

static struct backend *find(struct roster *roster, const char *url)
{
    for (size_t i = 0; i < BACKEND_SLOTS; i++)
        if (roster->at[i] != NULL && strcmp(roster->at[i]->url, url) == 0)
            return roster->at[i];
    return NULL;
}

static struct backend *make(struct roster *roster,
                            const struct settings_backend *settings)
{
    size_t slot = 0;

    while (slot < BACKEND_SLOTS && roster->at[slot] != NULL)
        slot++;
    if (slot == BACKEND_SLOTS)
        return NULL;
    roster->at[slot] = xnew(1, sizeof(*roster->at[slot]));
    backend_init(roster->at[slot], settings, slot);
    return roster->at[slot];
}

struct backend *roster_hold(struct roster *roster,
                            const struct settings_backend *settings)
{
    struct backend *backend = find(roster, settings->url);

    if (backend == NULL)
        backend = make(roster, settings);
    if (backend == NULL)
        return NULL;

    backend->is_leaving = false;
    atomic_fetch_add(&backend->holders, 1);
    return backend;
}

void roster_drop(struct backend *backend)
{
    unsigned before = atomic_fetch_sub(&backend->holders, 1);

    must(before > 0);
}

void roster_sweep(struct roster *roster,
                  void (*forget)(void *arg, struct backend *backend), void *arg)
{
    for (size_t i = 0; i < BACKEND_SLOTS; i++) {
        struct backend *backend = roster->at[i];

        if (backend == NULL || atomic_load(&backend->holders) > 0 ||
            atomic_load(&backend->forgetting) > 0)
            continue;
        if (backend->is_leaving) {
            end(roster, i);
            continue;
        }
        backend->is_leaving = true;
        forget(arg, backend);
    }
}

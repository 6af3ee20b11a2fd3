/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "proxy/complaint.h"

#include "base/log.h"
#include "upstream/pool.h"

#include <stdbool.h>
#include <stdio.h>

enum { SILENT_MS = 1000 };

static const char *url_of(const struct backend *backend)
{
    return backend == NULL ? "none" : backend->url;
}

/** Is it time to tell of this kind again? The first who asks tells. */
static bool is_due(struct complaint *kind, int64_t now_ms)
{
    int64_t next_ms = atomic_load(&kind->next_ms);

    return now_ms >= next_ms &&
           atomic_compare_exchange_strong(&kind->next_ms, &next_ms,
                                          now_ms + SILENT_MS);
}

/** The value of a setting, as a person would write it. */
static void print_limit(const struct settings *settings, enum setting limit,
                        char *out, size_t room)
{
    FILE *file = fmemopen(out, room, "w");

    out[0] = '\0';
    if (file == NULL)
        return;
    settings_print(settings, limit, file);
    fclose(file);
}

/** Tell how many of this kind were not told. */
static void tell_rest(struct complaint *kind, const struct backend *backend,
                      enum state step)
{
    unsigned untold = atomic_exchange(&kind->untold, 0);

    if (untold > 0 && (step == STATE_GREETING || step == STATE_HANDSHAKE))
        log_warn("%u more clients failed while %s", untold,
                 state_row(step)->words);
    else if (untold > 0)
        log_warn("%u more tries failed while %s, backend %s (see the access "
                 "log)",
                 untold, state_row(step)->words, url_of(backend));
}

void complaint_tell(struct complaints *complaints,
                    const struct settings *settings,
                    const struct complaint_facts *facts)
{
    size_t slot = facts->backend == NULL ? BACKEND_SLOTS : facts->backend->slot;
    struct complaint *kind = &complaints->at[slot][facts->step];
    char limit[64];

    if (!is_due(kind, facts->now_ms)) {
        atomic_fetch_add(&kind->untold, 1);
        return;
    }
    tell_rest(kind, facts->backend, facts->step);
    print_limit(settings, facts->limit, limit, sizeof(limit));
    if (facts->request_id == NULL) {
        log_warn("client %s: %s, while %s (limit %s, setting %s)",
                 facts->client, facts->why, state_row(facts->step)->words,
                 limit, setting_row(facts->limit)->flag);
        return;
    }
    log_warn("request %s: %s, while %s, client %s, backend %s, try %u "
             "(limit %s, setting %s)",
             facts->request_id, facts->why, state_row(facts->step)->words,
             facts->client, url_of(facts->backend), facts->try_count, limit,
             setting_row(facts->limit)->flag);
}

/** The same for all steps with one backend. */
static void sum_up(struct complaint *kinds, const struct backend *backend,
                   int64_t now_ms)
{
    for (enum state step = 0; step < STATE_COUNT; step++)
        if (now_ms >= atomic_load(&kinds[step].next_ms))
            tell_rest(&kinds[step], backend, step);
}

void complaints_sum_up(struct complaints *complaints, const struct pool *pool,
                       int64_t now_ms)
{
    for (size_t i = 0; i < pool->count; i++)
        sum_up(complaints->at[pool->backends[i]->slot], pool->backends[i],
               now_ms);
    sum_up(complaints->at[BACKEND_SLOTS], NULL, now_ms);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Counts only grow. So the last second is the difference between two readings,
 * and nobody has to reset anything.
 */
#include "control/meter.h"

#include "base/must.h"
#include "proxy/crew.h"
#include "upstream/roster.h"

#include <stdlib.h>
#include <string.h>

enum { FAILURES = STATUS_CLASSES - 1 };

struct meter *meter_new(const struct crew *crew, const struct roster *roster)
{
    struct meter *meter = xnew(1, sizeof(*meter));

    meter->crew = crew;
    meter->roster = roster;
    counts_sum_init(&meter->total, BACKEND_SLOTS);
    counts_sum_init(&meter->before, BACKEND_SLOTS);
    return meter;
}

void meter_free(struct meter **owned)
{
    struct meter *meter = *owned;

    counts_sum_fini(&meter->total);
    counts_sum_fini(&meter->before);
    free(meter);
    *owned = NULL;
}

const struct counts_sum *meter_total(struct meter *meter)
{
    counts_sum_clear(&meter->total);
    crew_count(meter->crew, &meter->total);
    return &meter->total;
}

static double quantile_ms(const struct histogram_sum *sum, double part)
{
    return (double)histogram_quantile(sum, part) / 1000;
}

/** What of `took` came since `before`, which becomes the same as it. */
static struct histogram_sum since(const struct histogram_sum *took,
                                  struct histogram_sum *before)
{
    struct histogram_sum fresh = *took;

    histogram_take_away(&fresh, before);
    *before = *took;
    return fresh;
}

static void tick_all(struct meter *meter, int64_t now_ms)
{
    struct counts_sum *total = &meter->total, *before = &meter->before;
    struct histogram_sum took = since(&total->all.took, &before->all.took);

    meter->last = (struct history_point){
        .time_ms = now_ms,
        .requests = counts_total(&total->all) - counts_total(&before->all),
        .errors =
            total->all.by_class[FAILURES] - before->all.by_class[FAILURES],
        .retries = total->retries - before->retries,
        .in_flight = meter_in_flight(meter),
        .p50_ms = quantile_ms(&took, 0.5),
        .p90_ms = quantile_ms(&took, 0.9),
        .p99_ms = quantile_ms(&took, 0.99),
    };
    before->retries = total->retries;
    memcpy(before->all.by_class, total->all.by_class,
           sizeof(before->all.by_class));
    history_add(&meter->history, &meter->last);
}

static void tick_backend(struct meter_backend *last,
                         const struct counts_part *total,
                         struct counts_part *before)
{
    uint64_t requests = counts_total(total) - counts_total(before);
    struct histogram_sum took;

    *last = (struct meter_backend){.requests = requests};
    if (requests == 0)
        return;
    took = since(&total->took, &before->took);
    last->errors = total->by_class[FAILURES] - before->by_class[FAILURES];
    last->p50_ms = quantile_ms(&took, 0.5);
    last->p99_ms = quantile_ms(&took, 0.99);
    memcpy(before->by_class, total->by_class, sizeof(before->by_class));
}

/** A slot that another backend has got begins again with nothing. */
static void renew(struct meter *meter, size_t slot, const struct backend *now)
{
    if (now == NULL || meter->identities[slot] == now->identity)
        return;
    meter->identities[slot] = now->identity;
    memset(&meter->before.backends[slot], 0,
           sizeof(meter->before.backends[slot]));
}

void meter_tick(struct meter *meter, int64_t now_ms)
{
    meter_total(meter);
    tick_all(meter, now_ms);
    for (size_t i = 0; i < BACKEND_SLOTS; i++) {
        renew(meter, i, meter->roster->at[i]);
        if (meter->roster->at[i] != NULL)
            tick_backend(&meter->backends[i], &meter->total.backends[i],
                         &meter->before.backends[i]);
    }
}

unsigned meter_in_flight(const struct meter *meter)
{
    unsigned count = 0;

    for (size_t i = 0; i < BACKEND_SLOTS; i++)
        if (meter->roster->at[i] != NULL)
            count += atomic_load(&meter->roster->at[i]->in_flight);
    return count;
}

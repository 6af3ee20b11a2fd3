/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Only the worker adds to its counts; readers may come at any time, and see each
 * number as it was before or after.
 *
 * The counts of backends come last, as they are large, and most of their pages
 * are never touched.
 */
#include "proxy/counts.h"

#include "base/count.h"
#include "base/must.h"
#include "upstream/backend.h"

#include <stdlib.h>
#include <string.h>

/** Of all exchanges, or those of one backend. */
struct part {
    _Atomic uint64_t by_class[STATUS_CLASSES];
    struct histogram took;
};

struct counts {
#define X(name, help) _Atomic uint64_t name;
    COUNTS(X)
#undef X
    _Atomic uint64_t own[STATUS_CLASSES];
    struct part all;
    size_t slots;
    struct part backends[];
};

size_t counts_slot(const struct backend *backend)
{
    return backend->slot;
}

struct counts *counts_new(size_t slots)
{
    struct counts *counts =
        xnew(1, sizeof(*counts) + slots * sizeof(counts->backends[0]));

    counts->slots = slots;
    return counts;
}

void counts_free(struct counts **owned)
{
    free(*owned);
    *owned = NULL;
}

static unsigned class_of(unsigned status)
{
    return status >= 100 && status < 600 ? status / 100 - 1
                                         : STATUS_CLASSES - 1;
}

static void note(struct part *part, unsigned class, int64_t us)
{
    count_add(&part->by_class[class], 1);
    histogram_note(&part->took, us);
}

void counts_exchange(struct counts *counts, const struct counts_facts *facts)
{
    unsigned class = class_of(facts->status);

    note(&counts->all, class, facts->took_us);
    if (facts->is_own)
        count_add(&counts->own[class], 1);
    if (facts->client_left)
        count_add(&counts->client_left, 1);
    if (facts->tries > 1)
        count_add(&counts->retries, facts->tries - 1);
    if (facts->received > 0)
        count_add(&counts->received_bytes, facts->received);
    count_add(&counts->sent_bytes, facts->sent);
    if (facts->backend != NULL)
        note(&counts->backends[counts_slot(facts->backend)], class,
             facts->answered_us);
}

void counts_client(struct counts *counts, bool refused)
{
    count_add(refused ? &counts->refused : &counts->sessions, 1);
}

void counts_handshake(struct counts *counts, bool done, bool resumed)
{
    count_add(done ? &counts->handshakes : &counts->handshakes_failed, 1);
    if (resumed)
        count_add(&counts->handshakes_resumed, 1);
}

void counts_proxy_header(struct counts *counts, bool read)
{
    count_add(read ? &counts->proxy_headers : &counts->proxy_headers_refused,
              1);
}

void counts_forget(struct counts *counts, const struct backend *backend)
{
    struct part *part = &counts->backends[counts_slot(backend)];

    for (int i = 0; i < STATUS_CLASSES; i++)
        count_clear(&part->by_class[i]);
    histogram_clear(&part->took);
}

/* --- sums ------------------------------------------------------------------ */

void counts_sum_init(struct counts_sum *sum, size_t slots)
{
    *sum = (struct counts_sum){.slots = slots};
    sum->backends = xnew(slots + 1, sizeof(*sum->backends));
}

void counts_sum_fini(struct counts_sum *sum)
{
    free(sum->backends);
    sum->backends = NULL;
    sum->slots = 0;
}

void counts_sum_clear(struct counts_sum *sum)
{
    struct counts_sum empty = {.slots = sum->slots, .backends = sum->backends};

    /* Most slots are empty: their memory is never touched. */
    for (size_t i = 0; i < sum->slots; i++)
        if (counts_total(&sum->backends[i]) > 0)
            memset(&sum->backends[i], 0, sizeof(sum->backends[i]));
    *sum = empty;
}

static void part_add_to(const struct part *part, struct counts_part *sum)
{
    uint64_t before = counts_total(sum);

    for (int i = 0; i < STATUS_CLASSES; i++)
        sum->by_class[i] += count_now(&part->by_class[i]);
    /* Most backends, on most workers, have done nothing. */
    if (counts_total(sum) != before)
        histogram_add_to(&part->took, &sum->took);
}

void counts_add_to(const struct counts *counts, struct counts_sum *sum)
{
#define X(name, help) sum->name += count_now(&counts->name);
    COUNTS(X)
#undef X
    for (int i = 0; i < STATUS_CLASSES; i++)
        sum->own[i] += count_now(&counts->own[i]);
    part_add_to(&counts->all, &sum->all);
    for (size_t i = 0; i < counts->slots && i < sum->slots; i++)
        part_add_to(&counts->backends[i], &sum->backends[i]);
}

uint64_t counts_total(const struct counts_part *part)
{
    uint64_t total = 0;

    for (int i = 0; i < STATUS_CLASSES; i++)
        total += part->by_class[i];
    return total;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "upstream/backend.h"

#include "base/must.h"
#include "base/settings.h"
#include "upstream/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

void backend_init(struct backend *backend,
                  const struct settings_backend *settings, size_t slot)
{
    memset(backend, 0, sizeof(*backend));
    snprintf(backend->url, sizeof(backend->url), "%s", settings->url);
    snprintf(backend->host, sizeof(backend->host), "%s", settings->host);
    backend->port = settings->port;
    backend->is_https = settings->is_https;
    backend->slot = slot;
    backend->identity = XXH3_64bits(backend->url, strlen(backend->url));
    atomic_store(&backend->up, true);
    backend->health.well = true;
}

void backend_configure(struct backend *backend,
                       const struct settings_backend *settings,
                       const struct settings *usual)
{
    if (backend->weight_configured != settings->weight)
        atomic_store(&backend->weight, settings->weight);
    backend->weight_configured = settings->weight;
    atomic_store(&backend->in_flight_max, settings->in_flight_max > 0
                                              ? settings->in_flight_max
                                              : usual->in_flight_max);
    atomic_store(&backend->send_proxy, settings->send_proxy > 0
                                           ? settings->send_proxy - 1
                                           : usual->send_proxy);
    atomic_store(&backend->is_backup, settings->is_backup);
}

enum backend_state backend_state(const struct backend *backend)
{
    if (atomic_load(&backend->draining))
        return BACKEND_DRAINING;
    return backend_state_of_health(backend);
}

enum backend_state backend_state_of_health(const struct backend *backend)
{
    if (atomic_load(&backend->addresses) == NULL)
        return BACKEND_UNRESOLVED;
    return atomic_load(&backend->up) ? BACKEND_UP : BACKEND_DOWN;
}

const char *backend_state_word(enum backend_state state)
{
    static const char *const words[BACKEND_STATE_COUNT] = {
#define X(state, word) word,
        BACKEND_STATES(X)
#undef X
    };

    must(state < BACKEND_STATE_COUNT);
    return words[state];
}

bool backend_may_serve(const struct backend *backend)
{
    return atomic_load_explicit(&backend->up, memory_order_acquire) &&
           !atomic_load_explicit(&backend->draining, memory_order_relaxed);
}

void backend_fini(struct backend *backend)
{
    free(atomic_exchange(&backend->addresses, NULL));
    free(backend->older);
    backend->older = NULL;
}

static bool addresses_equal(const struct backend_addresses *one,
                            const struct backend_addresses *other)
{
    if (one == NULL || one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++)
        if (!address_equals(&one->at[i], &other->at[i]))
            return false;
    return true;
}

bool backend_find(struct backend *backend, const char **why)
{
    struct backend_addresses *found = xnew(1, sizeof(*found));
    struct backend_addresses *known = atomic_load(&backend->addresses);

    found->count = address_find(backend->host, backend->port, found->at,
                                BACKEND_ADDRESSES_MAX, why);
    if (found->count == 0 || addresses_equal(known, found)) {
        bool some = found->count > 0;

        free(found);
        return some;
    }
    /* A reader copies one address and is gone; between two look-ups lies a
     * second at least. */
    free(backend->older);
    backend->older = known;
    atomic_store(&backend->addresses, found);
    return true;
}

bool backend_address(struct backend *backend, union address *address)
{
    const struct backend_addresses *known = atomic_load(&backend->addresses);
    unsigned turn;

    if (known == NULL)
        return false;
    turn = atomic_fetch_add_explicit(&backend->next_address, 1,
                                     memory_order_relaxed);
    *address = known->at[turn % known->count];
    return true;
}

bool backend_take_place(struct backend *backend)
{
    unsigned now = atomic_load(&backend->in_flight);
    unsigned most = atomic_load(&backend->in_flight_max);

    /* To add one and take it away again would, for a moment, make it look full
     * to somebody else, who then waits although there is room. */
    while (most == 0 || now < most)
        if (atomic_compare_exchange_weak(&backend->in_flight, &now, now + 1))
            return true;
    return false;
}

void backend_give_place(struct backend *backend)
{
    unsigned before = atomic_fetch_sub(&backend->in_flight, 1);

    must(before > 0);
}

void backend_add_latency(struct backend *backend, int64_t us)
{
    unsigned known =
        atomic_load_explicit(&backend->latency_us, memory_order_relaxed);

    atomic_store_explicit(&backend->latency_us, latency_average(known, us),
                          memory_order_relaxed);
}

void backend_add_failure(struct backend *backend, int64_t us)
{
    unsigned known =
        atomic_load_explicit(&backend->latency_us, memory_order_relaxed);

    atomic_store_explicit(&backend->latency_us, latency_of_failure(known, us),
                          memory_order_relaxed);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "proxy/worker.h"

#include "base/must.h"

enum { SWEEP_MS = 500 };

/** Close what has rested too long; again and again. */
static void on_sweep(void *arg)
{
    struct worker *worker = arg;
    int64_t now_ms = loop_now(worker->loop);

    for (size_t i = 0; i < BACKEND_SLOTS; i++)
        idle_cache_sweep(&worker->caches[i], now_ms);
    timer_set_in(loop_timers(worker->loop), &worker->sweep, SWEEP_MS, now_ms);
}

bool worker_init(struct worker *worker, struct proxy *proxy,
                 struct configuration *configuration)
{
    const struct settings *settings = configuration->settings;
    const struct poller_kind *kind =
        poller_find(settings_word(settings, SETTING_poller));

    *worker = (struct worker){.proxy = proxy};
    worker->loop = loop_new(kind);
    if (worker->loop == NULL)
        return false;
    atomic_fetch_add(&configuration->workers, 1);
    worker->terms = terms_new(configuration, loop_timers(worker->loop));
    blocks_init(&worker->blocks);
    worker->random.state = random_seed();
    worker->counts = counts_new(BACKEND_SLOTS);
    for (size_t i = 0; i < BACKEND_SLOTS; i++)
        idle_cache_init(&worker->caches[i], settings);
    list_init(&worker->spare_exchanges);
    list_init(&worker->sessions);
    list_init(&worker->unwatched);
    list_init(&worker->waiting);
    worker->sweep.on_alarm = on_sweep;
    worker->sweep.arg = worker;
    timer_set_in(loop_timers(worker->loop), &worker->sweep, SWEEP_MS,
                 loop_now(worker->loop));
    return true;
}

void worker_adopt(struct worker *worker, struct configuration *configuration)
{
    terms_drop(&worker->terms);
    worker->terms = terms_new(configuration, loop_timers(worker->loop));
    for (size_t i = 0; i < BACKEND_SLOTS; i++)
        worker->caches[i].settings = configuration->settings;
}

void worker_forget(struct worker *worker, struct backend *backend)
{
    struct idle_cache *cache = &worker->caches[backend->slot];

    idle_cache_fini(cache);
    counts_forget(worker->counts, backend);
    atomic_fetch_sub(&backend->forgetting, 1);
}

void worker_fini(struct worker *worker)
{
    must(list_is_empty(&worker->sessions));
    for (size_t i = 0; i < BACKEND_SLOTS; i++)
        idle_cache_fini(&worker->caches[i]);
    terms_drop(&worker->terms);
    blocks_fini(&worker->blocks);
    counts_free(&worker->counts);
    timer_clear(&worker->sweep);
    loop_free(&worker->loop);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The list begins with the one that came last. Those at its end have rested
 * longest: that is where sweeping begins, and under a steady load the few at the
 * beginning do all the work while the others grow old and go.
 */
#include "upstream/idle_cache.h"

#include "base/settings.h"
#include "net/stream.h"
#include "upstream/connection.h"

static struct upstream *upstream_of(struct link *link)
{
    return list_item(link, struct upstream, resting);
}

static void drop(struct idle_cache *cache, struct upstream *upstream)
{
    list_remove(&upstream->resting);
    cache->count--;
    upstream_free(&upstream);
}

void idle_cache_init(struct idle_cache *cache, const struct settings *settings)
{
    cache->settings = settings;
    cache->count = 0;
    list_init(&cache->resting);
}

void idle_cache_fini(struct idle_cache *cache)
{
    while (!list_is_empty(&cache->resting))
        drop(cache, upstream_of(cache->resting.after));
}

/** Has something really happened to a connection at rest? Then it goes. */
static void on_event_at_rest(void *user)
{
    struct upstream *upstream = user;

    if (stream_has_news(&upstream->stream))
        drop(upstream->cache, upstream);
}

/** Has it rested for as long as it may, or lived so long? */
static bool is_over(const struct upstream *upstream, int64_t now_ms)
{
    return now_ms - upstream->rested_ms >= upstream->rest_ms ||
           now_ms >= upstream->dies_ms;
}

/**
 * What has happened to one in this turn may not have been told yet, and nobody
 * may have swept for a while: those that are of no use any more go here.
 */
struct upstream *idle_cache_take(struct idle_cache *cache, int64_t now_ms,
                                 int64_t rested_max_ms)
{
    while (!list_is_empty(&cache->resting)) {
        struct upstream *upstream = upstream_of(cache->resting.after);

        if (now_ms - upstream->rested_ms > rested_max_ms)
            return NULL;
        if (is_over(upstream, now_ms) || stream_has_news(&upstream->stream)) {
            drop(cache, upstream);
            continue;
        }
        list_remove(&upstream->resting);
        cache->count--;
        return upstream;
    }
    return NULL;
}

/**
 * Is there a reason not to use this one again? If its end has come already,
 * nothing will tell of it again.
 */
static bool is_worn(const struct idle_cache *cache, struct upstream *upstream,
                    int64_t now_ms)
{
    return cache->count >= cache->settings->idle_max ||
           upstream->rest_ms <= 0 || now_ms >= upstream->dies_ms ||
           stream_has_news(&upstream->stream);
}

void idle_cache_give(struct idle_cache *cache, struct upstream **owned,
                     int64_t now_ms)
{
    struct upstream *upstream = *owned;

    if (is_worn(cache, upstream, now_ms)) {
        upstream_free(owned);
        return;
    }
    upstream->cache = cache;
    upstream->rested_ms = now_ms;
    upstream_use(upstream, on_event_at_rest, upstream);
    list_put_after(&cache->resting, &upstream->resting);
    cache->count++;
    *owned = NULL;
}

void idle_cache_sweep(struct idle_cache *cache, int64_t now_ms)
{
    struct link *at = cache->resting.before;

    while (at != &cache->resting) {
        struct upstream *upstream = upstream_of(at);

        at = at->before;
        if (is_over(upstream, now_ms))
            drop(cache, upstream);
    }
}

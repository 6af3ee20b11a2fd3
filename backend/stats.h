/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file stats.h
 * @brief What the backend has counted, and the page that tells it.
 */
#ifndef STATS_H
#define STATS_H

#include <stdint.h>

struct json_t;
struct origin;
struct span;

/** The counters. Only stats_count_request() writes @c paths. */
struct stats {
    uint64_t requests;    /**< requests whose head arrived; not /stats itself */
    uint64_t sessions;    /**< connections accepted since the start */
    uint64_t open;        /**< connections open now */
    uint64_t bodies;      /**< request bodies that were read to their end */
    struct json_t *paths; /**< owned: how many requests for each path */
};

/** Begin to count, from nothing. */
void stats_init(struct stats *stats);

/** End it. */
void stats_fini(struct stats *stats);

/** One more request, for this path. A path too many counts as "other". */
void stats_count_request(struct stats *stats, struct span path);

/** The page: JSON and a line feed, owned by the caller; end it with free(). */
char *stats_page(const struct origin *origin);

#endif

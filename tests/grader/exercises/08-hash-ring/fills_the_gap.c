/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* wrong: fills the gap of a removed point with the last one, and breaks the order */
/* caught by: leaver_moves_only_its_own */
/*
 * The ring is an array of points, sorted by place, and a point knows whose it
 * is. A key's point is found by halving the array, as one finds a word in a
 * dictionary. Backends come and go rarely, requests come all the time: so it is
 * coming and going that may take long.
 *
 *     points    [ 12 b | 40 a | 57 b | 91 c | ... ]
 *     backends  [ a | b | c ]
 */
#include "hash_ring.h"

#include "ring_hash.h"

#include <stdlib.h>
#include <string.h>

/** One backend. Points borrow it, so it stays where it is. */
struct backend {
    char *name; /* owned */
    unsigned weight;
    unsigned in_flight;
};

/** A place on the ring that belongs to a backend. */
struct point {
    uint64_t place;
    struct backend *backend; /* borrowed: the ring owns it */
};

struct hash_ring {
    struct backend **backends; /* owned, each of them as well */
    size_t backend_count;
    struct point *points; /* owned; sorted by place */
    size_t point_count;
    uint64_t weights;   /* of all */
    uint64_t in_flight; /* on all */
};

struct hash_ring *hash_ring_new(void)
{
    return calloc(1, sizeof(struct hash_ring));
}

static void backend_free(struct backend *backend)
{
    free(backend->name);
    free(backend);
}

void hash_ring_free(struct hash_ring **ring)
{
    if (*ring == NULL)
        return;
    for (size_t i = 0; i < (*ring)->backend_count; i++)
        backend_free((*ring)->backends[i]);
    free((*ring)->backends);
    free((*ring)->points);
    free(*ring);
    *ring = NULL;
}

/** Which backend has this name? The count if there is none. */
static size_t find_backend(const struct hash_ring *ring, const char *name)
{
    size_t i = 0;

    while (i < ring->backend_count &&
           strcmp(ring->backends[i]->name, name) != 0)
        i++;
    return i;
}

/** For qsort(). Not the difference, which does not fit an int. */
static int compare_points(const void *left, const void *right)
{
    const struct point *a = left;
    const struct point *b = right;

    return (a->place > b->place) - (a->place < b->place);
}

/** Room for one more backend and its points; what is there stays. */
static bool make_room(struct hash_ring *ring, size_t points)
{
    struct backend **backends = realloc(
        ring->backends, (ring->backend_count + 1) * sizeof(struct backend *));
    struct point *more;

    if (backends == NULL)
        return false;
    ring->backends = backends;
    more = realloc(ring->points,
                   (ring->point_count + points) * sizeof(struct point));
    if (more == NULL)
        return false;
    ring->points = more;
    return true;
}

bool hash_ring_add(struct hash_ring *ring, const char *name, unsigned weight)
{
    size_t points = (size_t)weight * POINTS_PER_WEIGHT;
    struct backend *backend;
    char *copy;

    if (weight == 0 || weight > WEIGHT_MAX ||
        find_backend(ring, name) < ring->backend_count ||
        !make_room(ring, points))
        return false;
    backend = malloc(sizeof(*backend));
    copy = strdup(name);
    if (backend == NULL || copy == NULL) {
        free(backend);
        free(copy);
        return false;
    }
    *backend = (struct backend){copy, weight, 0};
    ring->backends[ring->backend_count++] = backend;
    ring->weights += weight;
    for (size_t i = 0; i < points; i++)
        ring->points[ring->point_count++] =
            (struct point){ring_point(name, (unsigned)i), backend};
    qsort(ring->points, ring->point_count, sizeof(ring->points[0]),
          compare_points);
    return true;
}

bool hash_ring_remove(struct hash_ring *ring, const char *name)
{
    size_t at = find_backend(ring, name);
    struct backend *gone;

    if (at == ring->backend_count)
        return false;
    gone = ring->backends[at];
    ring->backends[at] = ring->backends[--ring->backend_count];
    for (size_t i = 0; i < ring->point_count;)
        if (ring->points[i].backend == gone)
            ring->points[i] = ring->points[--ring->point_count];
        else
            i++;
    ring->weights -= gone->weight;
    ring->in_flight -= gone->in_flight;
    backend_free(gone);
    return true;
}

/** The index of the first point from here on. There is at least one point. */
static size_t find_point(const struct hash_ring *ring, uint64_t place)
{
    size_t low = 0;                  /* all before it are too small */
    size_t high = ring->point_count; /* it and all behind it are not */

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (ring->points[middle].place < place)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ring->point_count ? low : 0;
}

const char *hash_ring_find(const struct hash_ring *ring, uint64_t place)
{
    if (ring->point_count == 0)
        return NULL;
    return ring->points[find_point(ring, place)].backend->name;
}

/** Has it as much as it may have, if one more comes to the ring? */
static bool is_full(const struct hash_ring *ring, const struct backend *backend)
{
    uint64_t over = 5 * (ring->in_flight + 1) * backend->weight;
    uint64_t under = 4 * ring->weights;
    uint64_t limit = (over + under - 1) / under;

    return backend->in_flight >= limit;
}

const char *hash_ring_take(struct hash_ring *ring, uint64_t place)
{
    size_t at;

    if (ring->point_count == 0)
        return NULL;
    at = find_point(ring, place);
    while (is_full(ring, ring->points[at].backend))
        at = at + 1 < ring->point_count ? at + 1 : 0;
    ring->points[at].backend->in_flight++;
    ring->in_flight++;
    return ring->points[at].backend->name;
}

bool hash_ring_give(struct hash_ring *ring, const char *name)
{
    size_t at = find_backend(ring, name);

    if (at == ring->backend_count || ring->backends[at]->in_flight == 0)
        return false;
    ring->backends[at]->in_flight--;
    ring->in_flight--;
    return true;
}

unsigned hash_ring_in_flight(const struct hash_ring *ring, const char *name)
{
    size_t at = find_backend(ring, name);

    return at < ring->backend_count ? ring->backends[at]->in_flight : 0;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Counting. A JSON object of jansson's is a fine table of paths: it finds them
 * fast, keeps their order, and knows how to write a strange one down. It has
 * a limit, since the paths come from strangers.
 */
#include "stats.h"

#include "fault.h"
#include "origin.h"
#include "request.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** So many different paths are told apart, and so many bytes of each. */
#define PATHS_MAX      256
#define PATH_BYTES_MAX 256

void stats_init(struct stats *stats)
{
    *stats = (struct stats){.paths = json_object()};
    must(stats->paths != NULL);
}

void stats_fini(struct stats *stats)
{
    json_decref(stats->paths);
    stats->paths = NULL;
}

void stats_count_request(struct stats *stats, struct span path)
{
    char key[PATH_BYTES_MAX] = "other";

    stats->requests++;
    if (path.length < sizeof(key)) {
        memcpy(key, path.at, path.length);
        key[path.length] = '\0';
    }
    json_t *count = json_object_get(stats->paths, key);
    if (count == NULL && json_object_size(stats->paths) >= PATHS_MAX) {
        strcpy(key, "other");
        count = json_object_get(stats->paths, key);
    }
    if (count == NULL)
        must(json_object_set_new(stats->paths, key, json_integer(1)) == 0);
    else
        json_integer_set(count, json_integer_value(count) + 1);
}

char *stats_page(const struct origin *origin)
{
    const struct stats *stats = &origin->stats;
    json_t *page =
        json_pack("{s:s, s:i, s:I, s:I, s:I, s:I, s:O}", "name", origin->name,
                  "port", (int)origin->port, "requests",
                  (json_int_t)stats->requests, "connections",
                  (json_int_t)stats->sessions, "open", (json_int_t)stats->open,
                  "bodies", (json_int_t)stats->bodies, "paths", stats->paths);

    must(page != NULL);
    char *json = json_dumps(page, JSON_COMPACT);
    must(json != NULL);
    char *text = xnew(strlen(json) + sizeof("\n"));
    sprintf(text, "%s\n", json);
    free(json);
    json_decref(page);
    return text;
}

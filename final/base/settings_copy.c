/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Settings are copied and compared as a person would: by writing them down. So
 * a new kind of value needs nothing here.
 */
#include "base/fault.h"
#include "base/must.h"
#include "base/settings.h"

#include <stdlib.h>
#include <string.h>

/** A value as it is written. Owned by the caller. */
static char *written(const struct settings *settings, enum setting setting)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    must(out != NULL);
    settings_write(settings, setting, out);
    must(fclose(out) == 0);
    return text;
}

void settings_copy_one(struct settings *to, const struct settings *from,
                       enum setting setting)
{
    char *text = written(from, setting);
    struct fault fault;

    must(settings_set(to, setting, text, &fault));
    free(text);
}

static void copy_backends(struct settings *to, const struct settings *from)
{
    struct fault fault;

    settings_clear_backends(to);
    for (size_t i = 0; i < from->backend_count; i++) {
        const struct settings_backend *backend = &from->backends[i];
        struct settings_backend *copy =
            settings_add_backend(to, backend->url, &fault);

        must(copy != NULL);
        copy->weight = backend->weight;
        copy->is_backup = backend->is_backup;
        copy->in_flight_max = backend->in_flight_max;
        copy->send_proxy = backend->send_proxy;
    }
}

void settings_copy(struct settings *to, const struct settings *from)
{
    settings_init(to);
    for (enum setting i = 0; i < SETTING_COUNT; i++)
        if (i != SETTING_backends)
            settings_copy_one(to, from, i);
    copy_backends(to, from);
}

static bool backends_same(const struct settings *one,
                          const struct settings *other)
{
    if (one->backend_count != other->backend_count)
        return false;
    for (size_t i = 0; i < one->backend_count; i++) {
        const struct settings_backend *a = &one->backends[i];
        const struct settings_backend *b = &other->backends[i];

        if (strcmp(a->url, b->url) != 0 || a->weight != b->weight ||
            a->is_backup != b->is_backup ||
            a->in_flight_max != b->in_flight_max ||
            a->send_proxy != b->send_proxy)
            return false;
    }
    return true;
}

bool settings_same(const struct settings *one, const struct settings *other,
                   enum setting setting)
{
    char *a, *b;
    bool same;

    if (setting == SETTING_backends)
        return backends_same(one, other);
    a = written(one, setting);
    b = written(other, setting);
    same = strcmp(a, b) == 0;
    free(a);
    free(b);
    return same;
}

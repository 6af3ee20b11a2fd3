/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The table of settings becomes rows, and the rows become settings: every
 * default is read by the same code as what a person writes, so no default can
 * be out of range. How values are read is in settings_read.c, how they are
 * written in settings_print.c.
 */
#include "base/settings.h"
#include "base/fault.h"
#include "base/must.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static const struct setting_row rows[] = {
#define X(field, kind, key, flag, initial, range, help) \
    {#field,                                            \
     key,                                               \
     flag,                                              \
     initial,                                           \
     range,                                             \
     help,                                              \
     SETTING_IS_##kind,                                 \
     offsetof(struct settings, field)},
    SETTINGS(X)
#undef X
};

static const struct {
    const char *words;
    const char *form;
} kinds[] = {
#define X(kind, words, form) {words, form},
    SETTINGS_KINDS(X)
#undef X
};

const struct setting_row *setting_row(enum setting setting)
{
    must(setting < SETTING_COUNT);
    return &rows[setting];
}

const struct setting_alias *setting_alias(size_t number)
{
    static const struct setting_alias aliases[] = {
#define X(kind, name, field) {name, SETTING_##field, kind},
        SETTINGS_ALIASES(X)
#undef X
    };

    return number < COUNT(aliases) ? &aliases[number] : NULL;
}

const struct setting_room *setting_room(size_t number)
{
    static const struct setting_room rooms[] = {
#define X(name, heading) {name, heading},
        SETTINGS_ROOMS(X)
#undef X
    };

    return number < COUNT(rooms) ? &rooms[number] : NULL;
}

const char *setting_key_in(enum setting setting, const char *room)
{
    const char *key = rows[setting].key;
    size_t length = strlen(room);

    if (strncmp(key, room, length) != 0 || key[length] != '.')
        return NULL;
    return key + length + 1;
}

const char *setting_kind_words(enum setting_kind kind)
{
    return kinds[kind].words;
}

const char *setting_kind_form(enum setting_kind kind)
{
    return kinds[kind].form;
}

void settings_init(struct settings *settings)
{
    struct fault fault;

    memset(settings, 0, sizeof(*settings));
    for (enum setting i = 0; i < SETTING_COUNT; i++)
        must(settings_set(settings, i, rows[i].initial, &fault));
}

static void list_fini(struct settings_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->at[i]);
    free(list->at);
    *list = (struct settings_list){0};
}

void settings_clear_backends(struct settings *settings)
{
    for (size_t i = 0; i < settings->backend_count; i++) {
        free(settings->backends[i].url);
        free(settings->backends[i].host);
    }
    free(settings->backends);
    settings->backends = NULL;
    settings->backend_count = 0;
}

void settings_clear_weights(struct settings *settings)
{
    list_fini(&settings->weights);
}

void settings_drop_backend(struct settings *settings, size_t which)
{
    struct settings_backend *backends = settings->backends;

    must(which < settings->backend_count);
    free(backends[which].url);
    free(backends[which].host);
    settings->backend_count--;
    memmove(&backends[which], &backends[which + 1],
            (settings->backend_count - which) * sizeof(*backends));
}

static void field_fini(struct settings *settings, const struct setting_row *row)
{
    void *field = (char *)settings + row->offset;

    switch (row->kind) {
    case SETTING_IS_BOOL:
    case SETTING_IS_COUNT:
    case SETTING_IS_PORT:
    case SETTING_IS_PERCENT:
    case SETTING_IS_BYTES:
    case SETTING_IS_DURATION:
    case SETTING_IS_CHOICE: break;
    case SETTING_IS_ADDRESS:
    case SETTING_IS_PATH:
    case SETTING_IS_METHOD:
    case SETTING_IS_NAME:
    case SETTING_IS_HOST:
    case SETTING_IS_STATUSES:
    case SETTING_IS_TEXT:
    case SETTING_IS_HASH_ON:
    case SETTING_IS_LISTENER:
    case SETTING_IS_SECRET:
    case SETTING_IS_FILE:
    case SETTING_IS_SINK: free(*(char **)field); break;
    case SETTING_IS_ADDRESSES:
    case SETTING_IS_CERTIFICATES:
    case SETTING_IS_WEIGHTS: list_fini(field); break;
    case SETTING_IS_BACKENDS: settings_clear_backends(settings); break;
    }
}

void settings_fini(struct settings *settings)
{
    for (enum setting i = 0; i < SETTING_COUNT; i++)
        field_fini(settings, &rows[i]);
    memset(settings, 0, sizeof(*settings));
}

static bool weights_apply(struct settings *settings, struct fault *fault)
{
    const struct settings_list *weights = &settings->weights;

    if (weights->count == 0)
        return true;
    if (weights->count != settings->backend_count)
        return fault_say(fault,
                         "weights: %zu for %zu backends; give one for each",
                         weights->count, settings->backend_count);
    for (size_t i = 0; i < weights->count; i++)
        settings->backends[i].weight =
            (unsigned)strtoul(weights->at[i], NULL, 10);
    return true;
}

/** Who can be reached by strangers must know whom to obey. */
static bool admin_check(const struct settings *settings, struct fault *fault)
{
    struct settings_place place;

    must(settings_place_read(&place, settings->admin));
    if (place.is_local || *settings->admin_token != '\0')
        return true;
    return fault_say(fault,
                     "admin listens on %s, where other machines reach it: give "
                     "it a token, with the variable STEELYARD_ADMIN_TOKEN, or "
                     "let it listen on 127.0.0.1",
                     settings->admin);
}

/** Who listens for TLS needs a certificate to show. */
static bool tls_check(const struct settings *settings, struct fault *fault)
{
    struct settings_place place;

    must(settings_place_read(&place, settings->tls_listen));
    if (place.kind == SETTINGS_AT_PATH)
        return fault_say(fault, "tls-listen wants a port, or an address with "
                                "a port such as 0.0.0.0:8443, not a path");
    if (place.kind == SETTINGS_AT_PORT && settings->certificates.count == 0)
        return fault_say(fault, "tls-listen needs a certificate; give one with "
                                "--certificates CHAIN.pem:KEY.pem");
    if (settings->tls_redirect && place.kind == SETTINGS_NOWHERE)
        return fault_say(fault, "tls-redirect sends clients to https, but "
                                "nobody listens there; give tls-listen a port");
    return true;
}

bool settings_check(struct settings *settings, struct fault *fault)
{
    if (settings->backend_count == 0)
        return fault_say(
            fault, "no backend; give one with --backends http://HOST:PORT");
    if (settings->target_bytes > settings->head_bytes)
        return fault_say(fault, "target-bytes is more than head-bytes, which "
                                "holds the target; make it less");
    if (settings->ejection_ms > settings->ejection_ms_max)
        return fault_say(fault, "ejection-time is more than ejection-time-max; "
                                "make it less");
    return admin_check(settings, fault) && tls_check(settings, fault) &&
           weights_apply(settings, fault);
}

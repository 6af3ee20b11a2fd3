/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Values in the form that people write: in the largest unit that divides them,
 * so that 60000 ms is 1m and 65000 ms is 65s.
 */
#include "base/must.h"
#include "base/settings.h"

#include <inttypes.h>
#include <string.h>

/** A unit, and how many of the smallest it is. The largest comes first. */
struct unit {
    uint64_t size;
    const char *name;
};

static void print_in_units(uint64_t value, const struct unit *unit, FILE *out)
{
    if (value == 0) {
        fputs("0", out);
        return;
    }
    while (value % unit->size != 0)
        unit++;
    fprintf(out, "%" PRIu64 "%s", value / unit->size, unit->name);
}

static void print_list(const struct settings_list *list, FILE *out)
{
    for (size_t i = 0; i < list->count; i++)
        fprintf(out, "%s%s", i == 0 ? "" : ",", list->at[i]);
}

static void print_backends(const struct settings *settings, FILE *out)
{
    for (size_t i = 0; i < settings->backend_count; i++)
        fprintf(out, "%s%s", i == 0 ? "" : ",", settings->backends[i].url);
}

void settings_print(const struct settings *settings, enum setting setting,
                    FILE *out)
{
    const struct setting_row *row = setting_row(setting);
    const void *field = (const char *)settings + row->offset;

    if (row->kind == SETTING_IS_SECRET && **(char *const *)field != '\0')
        fputs("(set)", out);
    else
        settings_write(settings, setting, out);
}

void settings_write(const struct settings *settings, enum setting setting,
                    FILE *out)
{
    static const struct unit times[] = {
        {86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    static const struct unit sizes[] = {{UINT64_C(1) << 40, "t"},
                                        {1 << 30, "g"},
                                        {1 << 20, "m"},
                                        {1 << 10, "k"},
                                        {1, ""}};
    const struct setting_row *row = setting_row(setting);
    const void *field = (const char *)settings + row->offset;

    switch (row->kind) {
    case SETTING_IS_BOOL:
        fputs(*(const bool *)field ? "true" : "false", out);
        break;
    case SETTING_IS_COUNT:
    case SETTING_IS_PORT: fprintf(out, "%u", *(const unsigned *)field); break;
    case SETTING_IS_PERCENT:
        fprintf(out, "%u%%", *(const unsigned *)field);
        break;
    case SETTING_IS_BYTES:
        print_in_units(*(const uint64_t *)field, sizes, out);
        break;
    case SETTING_IS_DURATION:
        print_in_units((uint64_t) * (const int64_t *)field, times, out);
        break;
    case SETTING_IS_CHOICE: fputs(settings_word(settings, setting), out); break;
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
    case SETTING_IS_SINK: fputs(*(char *const *)field, out); break;
    case SETTING_IS_ADDRESSES:
    case SETTING_IS_CERTIFICATES:
    case SETTING_IS_WEIGHTS: print_list(field, out); break;
    case SETTING_IS_BACKENDS: print_backends(settings, out); break;
    }
}

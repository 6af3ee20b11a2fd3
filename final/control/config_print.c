/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The settings as a file: an object for each room, a line for each setting, and
 * behind each line a remark that says where the value came from.
 */
#include "base/must.h"
#include "control/config.h"

#include <stdlib.h>
#include <string.h>

enum { REMARK_COLUMN = 44 };

/** A string of JSON, in which `${` stands for itself. */
static void print_string(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        if (strncmp(text, "${", 2) == 0)
            fputc('$', out);
        if (byte == '"' || byte == '\\')
            fputc('\\', out);
        if (byte < 0x20)
            fprintf(out, "\\u%04x", byte);
        else
            fputc(byte, out);
    }
    fputc('"', out);
}

/** The value as settings_print() writes it; owned by the caller. */
static char *value_text(const struct settings *settings, enum setting setting)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    must(out != NULL);
    settings_print(settings, setting, out);
    must(fclose(out) == 0);
    return text;
}

static void print_list(const struct settings_list *list, FILE *out)
{
    fputc('[', out);
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0)
            fputs(", ", out);
        print_string(list->at[i], out);
    }
    fputc(']', out);
}

static void print_value(const struct settings *settings, enum setting setting,
                        FILE *out)
{
    const struct setting_row *row = setting_row(setting);
    const void *field = (const char *)settings + row->offset;
    char *text;

    if (row->kind == SETTING_IS_ADDRESSES ||
        row->kind == SETTING_IS_CERTIFICATES) {
        print_list(field, out);
        return;
    }
    text = value_text(settings, setting);
    if (row->kind == SETTING_IS_BOOL || row->kind == SETTING_IS_COUNT ||
        row->kind == SETTING_IS_PORT)
        fputs(text, out);
    else
        print_string(text, out);
    free(text);
}

void config_print_origin(const struct config_origins *origins,
                         enum setting setting, FILE *out)
{
    char name[CONFIG_VARIABLE_MAX];

    switch (origins->of[setting].from) {
    case CONFIG_FROM_DEFAULT: fputs("default", out); break;
    case CONFIG_FROM_FILE:
        fprintf(out, "%s:%u", origins->path, origins->of[setting].line);
        break;
    case CONFIG_FROM_ENVIRONMENT:
        fprintf(out, "variable %s",
                origins->of[setting].name != NULL
                    ? origins->of[setting].name
                    : config_variable(setting, name));
        break;
    case CONFIG_FROM_FLAG:
        fprintf(out, "flag --%s", setting_row(setting)->flag);
        break;
    }
}

/** One line: `"port": 8080,`, and the remark at its column. */
static void print_setting(const struct settings *settings,
                          const struct config_origins *origins,
                          enum setting setting, bool is_last, FILE *out)
{
    char *line = NULL;
    size_t length;
    FILE *start = open_memstream(&line, &length);

    must(start != NULL);
    fprintf(start, "    \"%s\": ", strchr(setting_row(setting)->key, '.') + 1);
    print_value(settings, setting, start);
    fputs(is_last ? "" : ",", start);
    must(fclose(start) == 0);
    fprintf(out, "%-*s // ", REMARK_COLUMN, line);
    config_print_origin(origins, setting, out);
    fputc('\n', out);
    free(line);
}

static void print_backends(const struct settings *settings,
                           const struct config_origins *origins, FILE *out)
{
    fprintf(out, "  %-*s // ", REMARK_COLUMN - 2, "\"backends\": [");
    config_print_origin(origins, SETTING_backends, out);
    if (settings->weights.count > 0) {
        fputs("; weights from ", out);
        config_print_origin(origins, SETTING_weights, out);
    }
    fputc('\n', out);
    for (size_t i = 0; i < settings->backend_count; i++) {
        const struct settings_backend *backend = &settings->backends[i];

        fputs("    {\"url\": ", out);
        print_string(backend->url, out);
        fprintf(out, ", \"weight\": %u, \"backup\": %s, \"in_flight_max\": %u",
                backend->weight, backend->is_backup ? "true" : "false",
                backend->in_flight_max);
        if (backend->send_proxy > 0)
            fprintf(out, ", \"send_proxy\": \"%s\"",
                    setting_word(SETTING_send_proxy, backend->send_proxy - 1));
        fputs(i + 1 < settings->backend_count ? "},\n" : "}\n", out);
    }
    fputs("  ]", out);
}

static void print_room(const struct settings *settings,
                       const struct config_origins *origins, const char *room,
                       FILE *out)
{
    enum setting last = 0;

    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        if (setting_key_in(i, room) != NULL)
            last = i;
    }
    fprintf(out, "  \"%s\": {\n", room);
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        if (setting_key_in(i, room) != NULL)
            print_setting(settings, origins, i, i == last, out);
    }
    fputs("  }", out);
}

void config_print(const struct settings *settings,
                  const struct config_origins *origins, FILE *out)
{
    const struct setting_room *room;

    fputs("{\n", out);
    for (size_t i = 0; (room = setting_room(i)) != NULL; i++) {
        fputs(i == 0 ? "" : ",\n", out);
        if (strcmp(room->name, "backends") == 0)
            print_backends(settings, origins, out);
        else
            print_room(settings, origins, room->name, out);
    }
    fputs("\n}\n", out);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The table of settings for people: `--help`, the settings in steelyard(8), and
 * the reference of the docs. All three go through the rooms in the same order.
 */
#include "base/must.h"
#include "control/options.h"

#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMN = 29, HELP_WIDTH = 80 };

/** The flags that are no settings. */
static const struct {
    const char *flag;
    const char *form;
    const char *help;
} commands[] = {
#define X(name, flag, form, help) {flag, form, help},
    OPTIONS_COMMANDS(X)
#undef X
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

/** Is this setting shown under that heading? */
static bool is_in_room(enum setting setting, const char *room)
{
    const struct setting_row *row = setting_row(setting);

    if (setting_key_in(setting, room) != NULL)
        return true;
    /* Backends are no room of settings, but a list; weights go with them. */
    return strcmp(room, "backends") == 0 && (row->kind == SETTING_IS_BACKENDS ||
                                             row->kind == SETTING_IS_WEIGHTS);
}

/** "auto, epoll or poll" */
static void print_words(enum setting setting, const char *mark, FILE *out)
{
    const char *word;

    for (unsigned i = 0; (word = setting_word(setting, i)) != NULL; i++) {
        bool is_last = setting_word(setting, i + 1) == NULL;

        fprintf(out, "%s%s%s%s",
                i == 0    ? ""
                : is_last ? " or "
                          : ", ",
                mark, word, mark);
    }
}

static bool has_range(enum setting_kind kind)
{
    return kind == SETTING_IS_COUNT || kind == SETTING_IS_PORT ||
           kind == SETTING_IS_PERCENT || kind == SETTING_IS_BYTES ||
           kind == SETTING_IS_DURATION;
}

/** "10ms to 1d" */
static void print_range(const struct setting_row *row, FILE *out)
{
    const char *dots = strstr(row->range, "..");

    fprintf(out, "%.*s to %s", (int)(dots - row->range), row->range, dots + 2);
}

/* --- --help -------------------------------------------------------------- */

/** Print words from HELP_COLUMN on, in lines that are not too long. */
static void print_wrapped(const char *text, FILE *out)
{
    size_t column = HELP_COLUMN;

    while (*text != '\0') {
        size_t length = strcspn(text, " ");

        if (column > HELP_COLUMN && column + 1 + length > HELP_WIDTH) {
            fprintf(out, "\n%*s", HELP_COLUMN, "");
            column = HELP_COLUMN;
        } else if (column > HELP_COLUMN) {
            fputc(' ', out);
            column++;
        }
        fwrite(text, 1, length, out);
        column += length;
        text += length;
        text += strspn(text, " ");
    }
    fputc('\n', out);
}

/** One flag, and what it does beside it, or below if it is long. */
static void print_flag(const char *flag, const char *help, FILE *out)
{
    if (strlen(flag) + 4 <= HELP_COLUMN)
        fprintf(out, "  %-*s", HELP_COLUMN - 2, flag);
    else
        fprintf(out, "  %s\n%*s", flag, HELP_COLUMN, "");
    print_wrapped(help, out);
}

static void print_setting(enum setting setting, FILE *out)
{
    const struct setting_row *row = setting_row(setting);
    char flag[80], *help = NULL;
    size_t length;
    FILE *text = open_memstream(&help, &length);

    must(text != NULL);
    fputs(row->help, text);
    if (row->kind == SETTING_IS_CHOICE) {
        fputs(": ", text);
        print_words(setting, "", text);
    }
    if (*row->initial != '\0')
        fprintf(text, " (%s)", row->initial);
    must(fclose(text) == 0);
    if (row->kind == SETTING_IS_BOOL)
        snprintf(flag, sizeof(flag), "--[no-]%s", row->flag);
    else
        snprintf(flag, sizeof(flag), "--%s %s", row->flag,
                 setting_kind_form(row->kind));
    print_flag(flag, help, out);
    free(help);
}

static void print_command(size_t i, FILE *out)
{
    char flag[80];

    snprintf(flag, sizeof(flag), "--%s %s", commands[i].flag, commands[i].form);
    print_flag(flag, commands[i].help, out);
}

void options_print_help(FILE *out)
{
    const struct setting_room *room;

    fputs("usage: steelyard --backends http://HOST:PORT,... [flags]\n"
          "       steelyard --config FILE [flags]\n",
          out);
#define X(name, flags, help) \
    fprintf(out, "       steelyard %-21s %s\n", name " [flags]", help);
    OPTIONS_SUBCOMMANDS(X)
#undef X
    fputc('\n', out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        print_command(i, out);
    for (size_t i = 0; (room = setting_room(i)) != NULL; i++) {
        fprintf(out, "\n%s:\n", room->heading);
        for (enum setting j = 0; j < SETTING_COUNT; j++) {
            if (is_in_room(j, room->name))
                print_setting(j, out);
        }
    }
    fputs("\nDefaults are in parentheses. TIME is such as 250ms, 5s, 2m or 1h; "
          "SIZE is\nbytes, or such as 16k or 2m. Every setting has a variable "
          "too: --queue-max is\nSTEELYARD_QUEUE_MAX. More: man steelyard, or "
          "--print-reference markdown\n",
          out);
}

/* --- the manual page ----------------------------------------------------- */

/** Text for a manual page: in commands, a hyphen is a minus. */
static void print_roff(const char *text, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
    }
}

/** The form of a value, behind its flag. */
static void print_form(const char *form, FILE *out)
{
    if (*form != '\0')
        fprintf(out, " \\fI%s\\fR", form);
    fputc('\n', out);
}

static void print_man_command(size_t i, FILE *out)
{
    fputs(".TP\n\\fB\\-\\-", out);
    print_roff(commands[i].flag, out);
    fputs("\\fR", out);
    print_form(commands[i].form, out);
    print_roff(commands[i].help, out);
    fputs(".\n", out);
}

/** "Default: 3030 (0 to 65535); key: listen.port." */
static void print_man_facts(enum setting setting, FILE *out)
{
    const struct setting_row *row = setting_row(setting);

    fputs(".br\nDefault: ", out);
    print_roff(*row->initial == '\0' ? "none" : row->initial, out);
    if (row->kind == SETTING_IS_CHOICE) {
        fputs(" (", out);
        print_words(setting, "", out);
        fputs(")", out);
    } else if (has_range(row->kind)) {
        fputs(" (", out);
        print_range(row, out);
        fputs(")", out);
    }
    if (*row->key != '\0')
        fprintf(out, "; key: %s", row->key);
    fputs(".\n", out);
}

static void print_man_setting(enum setting setting, FILE *out)
{
    const struct setting_row *row = setting_row(setting);

    fputs(".TP\n\\fB\\-\\-", out);
    print_roff(row->flag, out);
    if (row->kind == SETTING_IS_BOOL) {
        fputs("\\fR, \\fB\\-\\-no\\-", out);
        print_roff(row->flag, out);
    }
    fputs("\\fR", out);
    print_form(setting_kind_form(row->kind), out);
    print_roff(row->help, out);
    fputs(".\n", out);
    print_man_facts(setting, out);
}

void options_print_man(FILE *out)
{
    const struct setting_room *room;

    fputs(".SS What to do\n", out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        print_man_command(i, out);
    for (size_t i = 0; (room = setting_room(i)) != NULL; i++) {
        fprintf(out, ".SS %s\n", room->heading);
        for (enum setting j = 0; j < SETTING_COUNT; j++) {
            if (is_in_room(j, room->name))
                print_man_setting(j, out);
        }
    }
}

/* --- Markdown ------------------------------------------------------------ */

static void print_cell(const char *text, FILE *out)
{
    if (*text != '\0')
        fprintf(out, " `%s` |", text);
    else
        fputs(" |", out);
}

static void print_markdown_setting(enum setting setting, FILE *out)
{
    const struct setting_row *row = setting_row(setting);
    char name[CONFIG_VARIABLE_MAX];

    fprintf(out, "| `--%s` |", row->flag);
    print_cell(row->key, out);
    print_cell(config_variable(setting, name), out);
    print_cell(row->initial, out);
    fprintf(out, " %s", row->help);
    if (row->kind == SETTING_IS_CHOICE) {
        fputs(": ", out);
        print_words(setting, "`", out);
    } else {
        fputs(". Wants ", out);
        fputs(setting_kind_words(row->kind), out);
        if (has_range(row->kind)) {
            fputs(", ", out);
            print_range(row, out);
        }
    }
    fputs(" |\n", out);
}

void options_print_markdown(FILE *out)
{
    const struct setting_room *room;

    for (size_t i = 0; (room = setting_room(i)) != NULL; i++) {
        fprintf(out, "%s## %s\n\n", i == 0 ? "" : "\n", room->heading);
        fputs("| flag | key in the file | variable | default | what it does |\n"
              "|---|---|---|---|---|\n",
              out);
        for (enum setting j = 0; j < SETTING_COUNT; j++) {
            if (is_in_room(j, room->name))
                print_markdown_setting(j, out);
        }
    }
}

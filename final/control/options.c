/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * getopt_long_only() takes the command line apart. Its list of flags is made
 * from the table of settings, so there is no flag to forget. What is given for
 * a setting is only kept here, and read by config_read() when its turn comes.
 */
#include "control/options.h"
#include "base/fault.h"
#include "base/must.h"
#include "control/config_text.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** What getopt tells us a flag is: far from any character. */
enum flag {
    FLAG_SETTING = 1000, /**< and the number of the setting */
    FLAG_NO = 2000,      /**< the same with --no- */
    FLAG_COMMAND = 3000, /**< those that follow are no settings */
#define X(name, flag, form, help) FLAG_##name,
    OPTIONS_COMMANDS(X)
#undef X
};

enum { FLAGS_MAX = 2 * SETTING_COUNT + 10, FLAG_NAME_MAX = 40 };

/** One reading of one command line. */
struct line {
    struct option flags[FLAGS_MAX + 1];
    char no[SETTING_COUNT][FLAG_NAME_MAX]; /**< the names with no- */
    size_t count;                          /**< of `flags` */
    char *given[SETTING_COUNT];            /**< owned; NULL: not given */
    const char *path;                      /**< of the file; NULL: none */
    enum options_do todo;
    bool is_over; /**< what was asked for needs no more */
};

/* --- the flags there are ------------------------------------------------- */

static void add_flag(struct line *line, const char *name, int has_value,
                     int value)
{
    must(line->count < FLAGS_MAX);
    line->flags[line->count++] = (struct option){name, has_value, NULL, value};
}

static void add_setting(struct line *line, enum setting setting)
{
    const struct setting_row *row = setting_row(setting);
    bool is_bool = row->kind == SETTING_IS_BOOL;

    add_flag(line, row->flag, is_bool ? optional_argument : required_argument,
             FLAG_SETTING + (int)setting);
    if (!is_bool)
        return;
    snprintf(line->no[setting], FLAG_NAME_MAX, "no-%s", row->flag);
    add_flag(line, line->no[setting], no_argument, FLAG_NO + (int)setting);
}

static void add_all(struct line *line)
{
    for (enum setting i = 0; i < SETTING_COUNT; i++)
        add_setting(line, i);
#define X(name, flag, form, help)                                             \
    add_flag(line, flag, (form)[0] == '\0' ? no_argument : required_argument, \
             FLAG_##name);
    OPTIONS_COMMANDS(X)
#undef X
}

/* --- what is wrong ------------------------------------------------------- */

/** How many flags begin so? */
static size_t count_begun(const struct line *line, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < line->count; i++)
        count += strncmp(line->flags[i].name, name, strlen(name)) == 0;
    return count;
}

static bool refuse_flag(const struct line *line, const char *word,
                        struct fault *fault)
{
    const char *names[FLAGS_MAX];
    struct settings_shown shown;
    char name[FLAG_NAME_MAX];
    const char *near;

    settings_show(&shown, word);
    snprintf(name, sizeof(name), "%s", word + strspn(word, "-"));
    name[strcspn(name, "=")] = '\0';
    if (optopt >= FLAG_SETTING)
        return fault_say(fault, "--%s takes no value, as in \"%s\"", name,
                         shown.text);
    if (*name != '\0' && count_begun(line, name) > 1)
        return fault_say(fault,
                         "%s is short for several flags; write more of it, or "
                         "see steelyard --help",
                         shown.text);
    for (size_t i = 0; i < line->count; i++)
        names[i] = line->flags[i].name;
    near = settings_nearest(name, names, line->count);
    if (near != NULL)
        return fault_say(fault, "%s is no flag; did you mean --%s?", shown.text,
                         near);
    return fault_say(fault, "%s is no flag; see steelyard --help", shown.text);
}

static bool refuse_word(const char *word, struct fault *fault)
{
    struct settings_shown shown;

    return fault_say(fault, "\"%s\" is no flag; see steelyard --help",
                     settings_show(&shown, word));
}

/* --- one flag after the other -------------------------------------------- */

/** Lists may be given piece by piece. */
static bool is_list(enum setting setting)
{
    enum setting_kind kind = setting_row(setting)->kind;

    return kind == SETTING_IS_BACKENDS || kind == SETTING_IS_ADDRESSES ||
           kind == SETTING_IS_WEIGHTS || kind == SETTING_IS_CERTIFICATES;
}

static void keep(struct line *line, enum setting setting, const char *value)
{
    char **given = &line->given[setting];
    size_t length = strlen(value) + 1;
    char *before = *given;

    if (before == NULL || !is_list(setting)) {
        *given = xnew(length, 1);
        memcpy(*given, value, length);
    } else {
        length += strlen(before) + 1;
        *given = xnew(length, 1);
        snprintf(*given, length, "%s,%s", before, value);
    }
    free(before);
}

static void ask(struct line *line, enum options_do what)
{
    line->todo = what;
    line->is_over = what == OPTIONS_HELP || what == OPTIONS_VERSION ||
                    what == OPTIONS_REFERENCE_MAN ||
                    what == OPTIONS_REFERENCE_MARKDOWN ||
                    what == OPTIONS_REFERENCE_COMPLETION;
}

static bool ask_reference(struct line *line, const char *form,
                          struct fault *fault)
{
    struct settings_shown shown;

    if (strcmp(form, "man") == 0)
        ask(line, OPTIONS_REFERENCE_MAN);
    else if (strcmp(form, "markdown") == 0)
        ask(line, OPTIONS_REFERENCE_MARKDOWN);
    else if (strcmp(form, "completion") == 0)
        ask(line, OPTIONS_REFERENCE_COMPLETION);
    else
        return fault_say(
            fault,
            "--print-reference wants man, markdown or completion, not \"%s\"",
            settings_show(&shown, form));
    return true;
}

/** Do what this flag says; @p word is how it was written. */
static bool take_flag(struct line *line, int flag, const char *word,
                      struct fault *fault)
{
    struct settings_shown shown;

    if (flag >= FLAG_SETTING && flag < FLAG_SETTING + SETTING_COUNT) {
        keep(line, (enum setting)(flag - FLAG_SETTING),
             optarg == NULL ? "true" : optarg);
        return true;
    }
    if (flag >= FLAG_NO && flag < FLAG_NO + SETTING_COUNT) {
        keep(line, (enum setting)(flag - FLAG_NO), "false");
        return true;
    }
    switch (flag) {
    case FLAG_CONFIG: line->path = optarg; break;
    case FLAG_CHECK_CONFIG: ask(line, OPTIONS_CHECK); break;
    case FLAG_PRINT_CONFIG: ask(line, OPTIONS_PRINT); break;
    case FLAG_PRINT_REFERENCE: return ask_reference(line, optarg, fault);
    case FLAG_TRACE: keep(line, SETTING_log_level, "debug"); break;
    case FLAG_VERSION: ask(line, OPTIONS_VERSION); break;
    case FLAG_HELP: ask(line, OPTIONS_HELP); break;
    case ':':
        return fault_say(fault, "%s wants a value; see steelyard --help",
                         settings_show(&shown, word));
    default: return refuse_flag(line, word, fault);
    }
    return true;
}

static bool read_line(struct line *line, int argc, char **argv,
                      struct fault *fault)
{
    int flag;

    opterr = 0; /* we say ourselves what is wrong */
    optind = 0; /* begin anew, even if this is not the first command line */
    while (!line->is_over &&
           (flag = getopt_long_only(argc, argv, ":", line->flags, NULL)) != -1)
        if (!take_flag(line, flag, argv[optind - 1], fault))
            return false;
    if (!line->is_over && optind < argc)
        return refuse_word(argv[optind], fault);
    return true;
}

/* --- all of it ----------------------------------------------------------- */

static bool read_settings(struct options *options, const struct line *line,
                          struct fault *fault)
{
    static const char variable[] = "STEELYARD_CONFIG";
    struct config_sources sources = {
        .path = line->path,
        .variables = environ,
        .given = (const char *const *)line->given,
    };

    if (sources.path == NULL)
        sources.path =
            config_variable_find(environ, variable, sizeof(variable) - 1);
    return config_read(&options->settings, &options->origins, &sources, fault);
}

bool options_read(struct options *options, int argc, char **argv,
                  struct fault *fault)
{
    struct line line = {.todo = OPTIONS_RUN};
    bool good;

    memset(options, 0, sizeof(*options));
    add_all(&line);
    good = read_line(&line, argc, argv, fault);
    options->todo = line.todo;
    if (good && !line.is_over)
        good = read_settings(options, &line, fault);
    for (enum setting i = 0; i < SETTING_COUNT; i++)
        free(line.given[i]);
    return good;
}

void options_fini(struct options *options)
{
    settings_fini(&options->settings);
}

static void print_fine(const struct settings *settings, FILE *out)
{
    fprintf(out, "config is fine: %zu backend%s, policy %s, port %u\n",
            settings->backend_count, settings->backend_count == 1 ? "" : "s",
            settings_word(settings, SETTING_policy), settings->port);
}

void options_answer(const struct options *options, FILE *out)
{
    switch (options->todo) {
    case OPTIONS_RUN: must(options->todo != OPTIONS_RUN); break;
    case OPTIONS_HELP: options_print_help(out); break;
    case OPTIONS_VERSION:
        fputs("steelyard " STEELYARD_VERSION "\n", out);
        break;
    case OPTIONS_CHECK: print_fine(&options->settings, out); break;
    case OPTIONS_PRINT:
        config_print(&options->settings, &options->origins, out);
        break;
    case OPTIONS_REFERENCE_MAN: options_print_man(out); break;
    case OPTIONS_REFERENCE_MARKDOWN: options_print_markdown(out); break;
    case OPTIONS_REFERENCE_COMPLETION: options_print_completion(out); break;
    }
}

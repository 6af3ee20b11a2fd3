/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "control/command.h"

#include <curl/curl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 3600000 };

/** What its command line says, beyond what is in the command itself. */
struct flags {
    const char *url;   /**< NULL: not said */
    const char *token; /**< likewise */
};

static int wrong(const struct command *command, const char *word,
                 const char *words)
{
    fprintf(stderr, "steelyard %s: %s%s; see steelyard %s --help\n",
            command->name, word, words, command->name);
    return COMMAND_WRONG;
}

/** Seconds, such as `30`, `0.5` or `30s`; or minutes, such as `5m`. */
static bool read_wait(struct command *command, const char *text)
{
    char *unit;
    double number;

    command->waits = true;
    if (text == NULL)
        return true;
    number = strtod(text, &unit);
    if (strcmp(unit, "m") == 0)
        number *= 60;
    else if (*unit != '\0' && strcmp(unit, "s") != 0)
        return false;
    if (unit == text || !(number > 0 && number * 1000 <= 24.0 * HOUR_MS))
        return false;
    command->wait_ms = (int64_t)(number * 1000);
    return true;
}

static int read_flag(struct command *command, struct flags *flags, int flag,
                     char **argv)
{
    switch (flag) {
    case 'u': flags->url = optarg; break;
    case 't': flags->token = optarg; break;
    case 'w':
        if (command->takes_wait && read_wait(command, optarg))
            break;
        return wrong(command, argv[optind - 1],
                     command->takes_wait
                         ? " is no time: write --wait=30 for 30 seconds"
                         : " is no flag");
    case 'h': fputs(command->usage, stdout); return COMMAND_DONE;
    case ':': return wrong(command, argv[optind - 1], " needs a value");
    default: return wrong(command, argv[optind - 1], " is no flag");
    }
    return COMMAND_GOES_ON;
}

static int read_line(struct command *command, struct flags *flags, int argc,
                     char **argv)
{
    static const struct option options[] = {
        {"url", required_argument, NULL, 'u'},
        {"token", required_argument, NULL, 't'},
        {"wait", optional_argument, NULL, 'w'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int flag, status = COMMAND_GOES_ON;

    opterr = 0; /* we say ourselves what is wrong */
    while ((flag = getopt_long_only(argc, argv, ":", options, NULL)) != -1) {
        status = read_flag(command, flags, flag, argv);
        if (status != COMMAND_GOES_ON)
            return status;
    }
    if (command->takes_word && optind < argc)
        command->word = argv[optind++];
    if (optind < argc)
        return wrong(command, argv[optind], " is one word too many");
    if (command->takes_word && command->word == NULL)
        return wrong(command, "", "say which backend");
    return COMMAND_GOES_ON;
}

int command_begin(struct command *command, int argc, char **argv)
{
    struct flags flags = {.url = NULL};
    int status = read_line(command, &flags, argc, argv);

    if (status != COMMAND_GOES_ON)
        return status;
    if (!remote_init(&command->remote, flags.url, flags.token)) {
        command_say(command, "%s", command->remote.fault.text);
        return COMMAND_WRONG;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    remote_find(&command->remote);
    return COMMAND_GOES_ON;
}

int command_end(int status)
{
    curl_global_cleanup();
    return status;
}

int command_say(const struct command *command, const char *format, ...)
{
    va_list list;

    fprintf(stderr, "steelyard %s: ", command->name);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    return COMMAND_FAILED;
}

int command_say_refusal(const struct command *command, long status)
{
    if (status == 401)
        return command_say(command,
                           "%s; give it by the variable STEELYARD_ADMIN_TOKEN "
                           "or by --token",
                           command->remote.token[0] == '\0'
                               ? "this takes the admin token"
                               : "that is not the admin token");
    return command_say(command, "%s", command->remote.fault.text);
}

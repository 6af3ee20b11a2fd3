/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The command line. One table makes what getopt_long_only() reads, what --help
 * shows, and the words that a mistyped flag is compared with. One dash does as
 * well as two.
 */
#include "options.h"

#include "fault.h"
#include "pages.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/** A name must fit in a header line and on a screen. */
#define NAME_BYTES_MAX 64

/* clang-format off */
/*    flag         value   take            what it does */
#define OPTIONS(X)                                                             \
    X("port",      "N",    take_port,                                          \
      "listen on this port (8081); 0 takes any free one")                      \
    X("name",      "NAME", take_name,                                          \
      "what it calls itself (backend)")                                        \
    X("host",      "ADDR", take_host,                                          \
      "the address to listen on (127.0.0.1); 0.0.0.0 is all of them")          \
    X("misbehave", "HOW",  take_misbehave,                                     \
      "be a bad backend: NAME or NAME=VALUE, see below")                       \
    X("spare",     "PATH", take_spare,                                         \
      "never misbehave on this path; may be given up to 8 times")              \
    X("seed",      "N",    take_seed,                                          \
      "where chance begins (1); the same seed, the same luck")                 \
    X("verbose",   NULL,   take_verbose,                                       \
      "write a line to stderr for each request")                               \
    X("help",      NULL,   NULL,                                               \
      "print this")
/* clang-format on */

/* --- taking values -------------------------------------------------------- */

/** @param from how the person calls it: a flag, or a variable */
static bool port_parse(struct options *options, const char *from,
                       const char *text, struct fault *fault)
{
    uint64_t port;

    if (!span_number((struct span){text, strlen(text)}, 65535, &port))
        return fault_say(fault, "%s is a number from 0 to 65535, not \"%s\"",
                         from, text);
    options->port = (unsigned)port;
    return true;
}

/** The name goes into a header line: visible ASCII, and blanks within. */
static bool name_parse(struct options *options, const char *from,
                       const char *text, struct fault *fault)
{
    size_t length = strlen(text);
    bool is_good = length > 0 && length <= NAME_BYTES_MAX;

    for (size_t i = 0; i < length; i++) {
        bool is_edge = i == 0 || i + 1 == length;

        if (text[i] > '~' || text[i] < (is_edge ? '!' : ' '))
            is_good = false;
    }
    if (!is_good)
        return fault_say(fault, "%s has 1 to %d letters of plain ASCII", from,
                         NAME_BYTES_MAX);
    options->name = text;
    return true;
}

static bool take_port(struct options *options, const char *text,
                      struct fault *fault)
{
    return port_parse(options, "--port", text, fault);
}

static bool take_name(struct options *options, const char *text,
                      struct fault *fault)
{
    return name_parse(options, "--name", text, fault);
}

static bool take_host(struct options *options, const char *text,
                      struct fault *fault)
{
    if (*text == '\0')
        return fault_say(fault, "--host needs an address, such as 0.0.0.0");
    options->host = text;
    return true;
}

static bool take_misbehave(struct options *options, const char *text,
                           struct fault *fault)
{
    if (options->misbehave.kind != NULL)
        return fault_say(fault, "--misbehave may be given once; start a second "
                                "backend for a second misbehaviour");
    return misbehave_parse(&options->misbehave, text, fault);
}

static bool take_spare(struct options *options, const char *text,
                       struct fault *fault)
{
    if (*text != '/')
        return fault_say(fault,
                         "--spare needs a path that begins with a slash, such "
                         "as /healthz, not \"%s\"",
                         text);
    if (options->spare_count == OPTIONS_SPARE_MAX)
        return fault_say(fault, "--spare may be given %d times at most",
                         OPTIONS_SPARE_MAX);
    options->spare[options->spare_count++] = text;
    return true;
}

static bool take_seed(struct options *options, const char *text,
                      struct fault *fault)
{
    if (span_number((struct span){text, strlen(text)}, UINT64_MAX,
                    &options->seed))
        return true;
    return fault_say(fault, "--seed is a whole number, not \"%s\"", text);
}

static bool take_verbose(struct options *options, const char *text,
                         struct fault *fault)
{
    (void)text;
    (void)fault;
    options->verbose = true;
    return true;
}

/* --- the table ------------------------------------------------------------ */

static const struct option_row {
    const char *flag;
    const char *value;
    bool (*take)(struct options *options, const char *text,
                 struct fault *fault);
    const char *does;
} rows[] = {
#define X(flag, value, take, does) {flag, value, take, does},
    OPTIONS(X)
#undef X
};

static const struct option flags[] = {
#define X(flag, value, take, does) \
    {flag, (value) != NULL ? required_argument : no_argument, NULL, 0},
    OPTIONS(X)
#undef X
        {NULL, 0, NULL, 0},
};

#define ROWS (sizeof(rows) / sizeof(*rows))

void options_print_help(FILE *file)
{
    fprintf(file, "usage: backend [--port N] [--name NAME] [...]\n\n"
                  "A small HTTP server to balance over. One dash does as well "
                  "as two.\n\n");
    for (size_t i = 0; i < ROWS; i++) {
        const char *value = rows[i].value != NULL ? rows[i].value : "";

        fprintf(file, "  --%s %-*s  %s\n", rows[i].flag,
                15 - (int)strlen(rows[i].flag), value, rows[i].does);
    }
    fprintf(file, "\nPORT, SERVER_PORT and SERVER_NAME in the environment do "
                  "what --port and --name do;\na flag wins, and PORT wins over "
                  "SERVER_PORT.\n\nPages:\n");
    pages_print_help(file);
    fprintf(file, "\nMisbehaviours, as --misbehave NAME=VALUE or as "
                  "/misbehave/NAME?value=VALUE\n(with ms=, n= or percent= for "
                  "value, as shown):\n");
    misbehave_print_help(file);
}

/* --- reading -------------------------------------------------------------- */

/** Say what is wrong with the flag that getopt did not like. */
static bool say_bad_flag(const char *word, int complaint, struct fault *fault)
{
    char flag[64];

    word += strspn(word, "-");
    snprintf(flag, sizeof(flag), "%.*s", (int)strcspn(word, "="), word);
    if (complaint == ':')
        return fault_say(fault, "--%s needs a value; --help shows which", flag);
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(flag, rows[i].flag) == 0)
            return fault_say(fault, "--%s takes no value", flag);
        if (fault_distance(flag, rows[i].flag) <= FAULT_NEAR)
            return fault_say(fault, "there is no --%s; did you mean --%s?",
                             flag, rows[i].flag);
    }
    return fault_say(fault, "there is no --%s; --help lists what there is",
                     flag);
}

/** Flags come last, so that they win. */
static enum options_result read_flags(struct options *options, int argc,
                                      char **argv, struct fault *fault)
{
    opterr = 0;
    for (;;) {
        int place = -1;
        int got = getopt_long_only(argc, argv, ":h", flags, &place);

        if (got == -1)
            break;
        if (got == 'h' || (got == 0 && rows[place].take == NULL))
            return OPTIONS_HELP;
        if (got == '?' || got == ':') {
            say_bad_flag(argv[optind - 1], got, fault);
            return OPTIONS_BAD;
        }
        if (!rows[place].take(options, optarg, fault))
            return OPTIONS_BAD;
    }
    if (optind == argc)
        return OPTIONS_RUN;
    fault_say(fault, "\"%s\" is one word too many; flags begin with --",
              argv[optind]);
    return OPTIONS_BAD;
}

/** A variable that is empty counts as not set. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && *value != '\0' ? value : NULL;
}

static bool read_environment(struct options *options, struct fault *fault)
{
    const char *from = variable("PORT") != NULL ? "PORT" : "SERVER_PORT";
    const char *port = variable(from);
    const char *name = variable("SERVER_NAME");

    if (port != NULL && !port_parse(options, from, port, fault))
        return false;
    return name == NULL || name_parse(options, "SERVER_NAME", name, fault);
}

enum options_result options_read(struct options *options, int argc, char **argv,
                                 struct fault *fault)
{
    *options = (struct options){
        .host = "127.0.0.1",
        .port = 8081,
        .name = "backend",
        .seed = 1,
    };
    if (!read_environment(options, fault))
        return OPTIONS_BAD;
    return read_flags(options, argc, argv, fault);
}

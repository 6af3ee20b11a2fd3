/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file options.h
 * @brief The command line.
 *
 * Each setting has a flag; see settings.h. A flag is written with one dash or
 * two, its value behind `=` or as the next word, and may be cut short as long
 * as it stays one of a kind. What is true or false is switched on by its flag,
 * and off by `--no-` and its flag. Flags with lists may be given several times.
 *
 *  - options_read() reads the command line, then everything that config_read()
 *    reads;
 *  - unless there is a server to run, options_answer() prints what was asked
 *    for;
 *  - options_fini() ends what the options own.
 *
 * @floor{control}
 * @thread{the main one}
 */
#ifndef CONTROL_OPTIONS_H
#define CONTROL_OPTIONS_H

#include "base/settings.h"
#include "control/config.h"

#include <stdbool.h>
#include <stdio.h>

struct fault;

/** As `--version` tells it. */
#ifndef STEELYARD_VERSION
#define STEELYARD_VERSION "0.1.0"
#endif

/** What the command line asks for. */
enum options_do {
    OPTIONS_RUN,                /**< serve */
    OPTIONS_HELP,               /**< --help */
    OPTIONS_VERSION,            /**< --version */
    OPTIONS_CHECK,              /**< --check-config: the settings are fine */
    OPTIONS_PRINT,              /**< --print-config: show them */
    OPTIONS_REFERENCE_MAN,      /**< --print-reference=man: for steelyard(8) */
    OPTIONS_REFERENCE_MARKDOWN, /**< --print-reference=markdown: for the docs */
    OPTIONS_REFERENCE_COMPLETION, /**< --print-reference=completion: for bash */
};

/** All that was asked for. */
struct options {
    enum options_do todo;     /**< what the program is to do */
    struct settings settings; /**< for RUN, CHECK and PRINT; else all zero */
    struct config_origins origins; /**< of these settings */
};

/**
 * Read the command line, the file it names and the environment.
 *
 * @param argv  borrowed as long as the options live; its order may change
 * @param fault filled with a sentence when it cannot be done; then the program
 *              says "steelyard: " and that sentence, and exits with status 2
 * @return false: there is a fault, and nothing to end
 */
bool options_read(struct options *options, int argc, char **argv,
                  struct fault *fault);

/** Print what was asked for. Not for RUN. */
void options_answer(const struct options *options, FILE *out);

/** End what the options own. */
void options_fini(struct options *options);

/** Print what `--help` prints: at most 80 columns. */
void options_print_help(FILE *out);

/** Print all settings as a part of a manual page. */
void options_print_man(FILE *out);

/** Print all settings as tables in Markdown. */
void options_print_markdown(FILE *out);

/** Print what makes bash complete a command line of ours. */
void options_print_completion(FILE *out);

/* clang-format off */
/**
 * What a first word can be that is no flag: it, its own flags, what it does.
 * main() looks for them.
 */
#define OPTIONS_SUBCOMMANDS(X)                                                 \
    X("healthcheck", "--url --ready",                                          \
      "ask one that runs whether it is alive")                                 \
    X("drain", "--wait --url --token --help",                                  \
      "drain a backend of one that runs")                                      \
    X("ready", "--wait --url --token --help", "make it ready again")           \
    X("reload", "--url --token --help",                                        \
      "have one that runs reload its settings")                                \
    X("upgrade", "--url --token --help",                                       \
      "have a new process replace one that runs")                              \
    X("top", "--url --token --once --help", "watch one that runs")

/**
 * The flags that are no settings: the flag, the form of its value ("" if it has
 * none), and what it does.
 */
#define OPTIONS_COMMANDS(X)                                                    \
    X(CONFIG, "config", "FILE",                                                \
      "read settings from this file of JSON; flags win over the environment, " \
      "the environment over the file")                                         \
    X(CHECK_CONFIG, "check-config", "",                                        \
      "only say whether the settings are fine")                                \
    X(PRINT_CONFIG, "print-config", "",                                        \
      "only print the settings, and where each came from")                     \
    X(PRINT_REFERENCE, "print-reference", "FORM",                              \
      "only print all there is to set; FORM is man, markdown or "          \
      "completion")                                                            \
    X(TRACE, "trace", "", "the same as --log-level debug")                     \
    X(VERSION, "version", "", "only print the version")                        \
    X(HELP, "help", "", "only print this")
/* clang-format on */

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file config.h
 * @brief Where the settings come from.
 *
 * There are four sources. Each one wins over those before it:
 *
 *  1. the defaults of the table in settings.h;
 *  2. a file of JSON, in which `// remarks` may stand;
 *  3. the environment: `STEELYARD_PORT=8080`; an empty value counts as none;
 *  4. the flags of the command line.
 *
 * In the strings of the file, `${NAME}` stands for a variable of the
 * environment, `${NAME:-default}` for that or, when it is not set or empty, for
 * the default; `$${` is written for a plain `${`.
 *
 *  - config_read() reads them all, and remembers who gave each value;
 *  - config_print() shows the result, in a form that config_read() reads.
 *
 * What is wrong is said in one sentence that tells where: the flag, the
 * variable, or the file with line and column, counted from 1 in characters.
 * Keys of the file are found again in its text by the way to them. A key that
 * is written with escapes (`"\u0070ort"`) is not; then the place is that of the
 * object it is in. Places of what is no JSON are as the JSON library tells:
 * the end of the word that it could not use.
 *
 * @floor{control}
 * @thread{the main one}
 */
#ifndef CONTROL_CONFIG_H
#define CONTROL_CONFIG_H

#include "base/settings.h"
#include "control/config_source.h"

#include <stdbool.h>
#include <stdio.h>

struct fault;

/**
 * Read the settings from all sources, and check them.
 *
 * @param settings filled; ended by the caller with settings_fini()
 * @param origins  filled; borrows the path of @p sources
 * @return false, with a sentence, when anything is wrong; then there are no
 *         settings to end
 */
bool config_read(struct settings *settings, struct config_origins *origins,
                 const struct config_sources *sources, struct fault *fault);

/**
 * Print all settings as a file that can be read again, each with a remark that
 * says where its value came from.
 */
void config_print(const struct settings *settings,
                  const struct config_origins *origins, FILE *out);

/** Print where a value came from: `flag --port`, `config.json:3`, `default`. */
void config_print_origin(const struct config_origins *origins,
                         enum setting setting, FILE *out);

/** Room for the name of a variable. */
enum { CONFIG_VARIABLE_MAX = 64 };

/** The name of a setting in the environment, such as STEELYARD_QUEUE_MAX. */
const char *config_variable(enum setting setting,
                            char name[CONFIG_VARIABLE_MAX]);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file config_text.h
 * @brief The text of a configuration file: remarks, places, variables.
 *
 * The JSON library gives values, but not where they stood. So a key is looked
 * for again, by the way that leads to it.
 *
 * @floor{control}
 * @thread{any}
 */
#ifndef CONTROL_CONFIG_TEXT_H
#define CONTROL_CONFIG_TEXT_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct fault;

/** One step down: into an object, or into a list. */
struct config_step {
    const char *key; /**< borrowed; NULL: into a list */
    size_t index;    /**< in the list, from 0 */
};

/** The way from the whole file to one value. */
struct config_way {
    struct config_step steps[4]; /**< from the outside in */
    size_t length;               /**< steps; 0: the whole file */
};

/** A place in a file, as people count: from 1, in characters. */
struct config_place {
    unsigned line;   /**< from 1 */
    unsigned column; /**< from 1 */
};

/** What of a value its place is asked for. */
enum config_part {
    CONFIG_KEY,   /**< the key before it, if it has one */
    CONFIG_VALUE, /**< itself */
};

/** Make remarks, from `//` to the end of the line, blank. */
void config_text_clear_remarks(char *text, size_t length);

/**
 * Find a value again.
 *
 * @param text JSON that has been parsed without a fault
 * @return where it is, or where the last part of the way is that was found
 */
struct config_place config_text_find(struct text text,
                                     const struct config_way *way,
                                     enum config_part part);

/**
 * The value of a variable.
 *
 * @param variables "NAME=value" each, ended by NULL
 * @param length    of @p name, bytes
 * @return borrowed; NULL when it is not set, or empty
 */
const char *config_variable_find(char *const *variables, const char *name,
                                 size_t length);

/**
 * Put variables of the environment in the place of `${NAME}`.
 *
 * @return owned by the caller; or NULL, with a sentence
 */
char *config_text_expand(const char *text, char *const *variables,
                         struct fault *fault);

#endif

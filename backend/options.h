/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file options.h
 * @brief What the command line and the environment ask for.
 *
 * A flag wins over PORT and SERVER_NAME, PORT wins over SERVER_PORT, and what
 * nobody asked for has a default.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "misbehave.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct fault;

/** So many paths may be spared. */
#define OPTIONS_SPARE_MAX 8

/** What was asked for. The strings belong to main() and live as long. */
struct options {
    const char *host;                     /**< where to listen */
    unsigned port;                        /**< 0: the kernel chooses */
    const char *name;                     /**< for people and X-Backend */
    struct misbehave misbehave;           /**< for all requests */
    const char *spare[OPTIONS_SPARE_MAX]; /**< paths that never misbehave */
    size_t spare_count;                   /**< how many */
    uint64_t seed;                        /**< of the dice */
    bool verbose;                         /**< a line for each request */
};

/** What to do, now that the options are read. */
enum options_result {
    OPTIONS_RUN,  /**< serve */
    OPTIONS_HELP, /**< print the help and end */
    OPTIONS_BAD,  /**< print the fault and end with status 2 */
};

/** Read flags and environment. */
enum options_result options_read(struct options *options, int argc, char **argv,
                                 struct fault *fault);

/** Print what --help shows. */
void options_print_help(FILE *file);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file command.h
 * @brief What `steelyard drain` and its kin have in common: a command line with
 * `--url`, `--token` and perhaps a word and `--wait`, and a steelyard that runs
 * and is to be changed.
 *
 *  - command_begin() reads the command line, and finds the other steelyard;
 *  - remote_ask() with its `remote` tells that one what is wanted;
 *  - command_say() tells a person what is wrong;
 *  - command_end() ends it.
 *
 * @floor{control}
 * @thread{main; nothing else runs}
 */
#ifndef CONTROL_COMMAND_H
#define CONTROL_COMMAND_H

#include "control/remote.h"

#include <stdbool.h>
#include <stdint.h>

/** The exit status of a command. */
enum command_status {
    COMMAND_GOES_ON = -1, /**< none yet */
    COMMAND_DONE = 0,     /**< what was wanted is so */
    COMMAND_FAILED = 1,   /**< it is not: refused, or not in time */
    COMMAND_WRONG = 2,    /**< the command line is of no use */
};

/** One command under way. */
struct command {
    const char *name;     /**< set by the owner: such as `drain` */
    const char *usage;    /**< likewise: what `--help` prints, with a newline */
    bool takes_word;      /**< likewise: there must be a word */
    bool takes_wait;      /**< likewise: there may be `--wait` */
    const char *word;     /**< borrowed from the command line; NULL: none */
    bool waits;           /**< there was `--wait` */
    int64_t wait_ms;      /**< for so long at most; 0: as long as it takes */
    struct remote remote; /**< who is told */
};

/**
 * Read the command line, and find the other steelyard. What is wrong is told.
 *
 * @param argv the command line, from the name of the command on
 * @return COMMAND_GOES_ON; or the exit status, when that is all
 */
int command_begin(struct command *command, int argc, char **argv);

/** After command_begin() has said to go on. @return @p status */
int command_end(int status);

/** Say in a sentence, on stderr, what is wrong. @return COMMAND_FAILED */
__attribute__((format(printf, 2, 3))) int
command_say(const struct command *command, const char *format, ...);

/** The remote has refused, or nobody answered: say why. @return COMMAND_FAILED */
int command_say_refusal(const struct command *command, long status);

#endif

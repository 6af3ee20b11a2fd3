/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file predecessor.h
 * @brief The process that served before this one, and hands over to it.
 *
 * A process that is to be replaced starts the program anew and tells it by the
 * variable #PREDECESSOR_VARIABLE which descriptors it has passed: listeners, and
 * a channel, a socket on which both speak in lines (see successor.h).
 *
 *  - predecessor_meet() finds out whether there is one, and what it has to say;
 *  - predecessor_refuse() tells it why this process cannot begin;
 *  - predecessor_agree() tells it that this process can serve, and waits until
 *    it has let go;
 *  - predecessor_part() closes what nobody has taken.
 *
 * Where there is none, nothing here does anything.
 *
 * @floor{control}
 * @thread{main}
 */
#ifndef CONTROL_PREDECESSOR_H
#define CONTROL_PREDECESSOR_H

#include "net/handed.h"

#include <stdbool.h>

struct fault;
struct pool;

/** A list of `ROLE:DESCRIPTOR`: the channel, and roles as handed_role_name() has
 * them. */
#define PREDECESSOR_VARIABLE "STEELYARD_HANDOVER"

/* What is said on the channel, each on a line. It: */
#define PREDECESSOR_TOKEN    "token "    /**< the one it has made */
#define PREDECESSOR_DRAINING "draining " /**< the URL of a backend */
#define PREDECESSOR_BEGIN    "begin\n"   /**< that is all */
#define PREDECESSOR_GO       "go\n"      /**< serve: I do not, from now on */
/* And this process: */
#define PREDECESSOR_READY   "ready\n"   /**< I can serve */
#define PREDECESSOR_REFUSED "refused: " /**< I cannot: why */

/**
 * Say words on the channel, all of them; for both sides.
 *
 * @return false: the other one is gone
 */
bool predecessor_say(int channel, const char *words);

/** What a process may have got from another. */
struct predecessor {
    int channel;          /**< owned; -1: there is none */
    struct handed handed; /**< owned: its listeners */
    char *said;           /**< owned: its lines; NULL: none */
    char token[128];      /**< the one it has made for its run; "": none */
    bool agreed;          /**< it has let go */
};

/** Is there one? The variable is gone afterwards. */
void predecessor_meet(struct predecessor *predecessor);

/** What drained there drains here. */
void predecessor_drain(const struct predecessor *predecessor,
                       struct pool *pool);

/** This process cannot begin. */
void predecessor_refuse(struct predecessor *predecessor,
                        const struct fault *fault);

/**
 * Say that this process can serve, and wait until the other has heard it.
 *
 * @return false, with a sentence, when the other one serves on after all
 */
bool predecessor_agree(struct predecessor *predecessor, struct fault *fault);

/** End what is left; what nobody has taken is of no use to anybody. */
void predecessor_part(struct predecessor *predecessor);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file misbehave.h
 * @brief The ways in which this backend can be a bad one, on request.
 *
 * A misbehaviour is asked for by the flag --misbehave, for the whole server, or
 * by the path /misbehave/NAME, for one request. It takes the response that a
 * page has decided on, and spoils it.
 *
 * They are all in one table. The functions, the names, --help, the sentences
 * about wrong names, and a test of the README's table come from it.
 */
#ifndef MISBEHAVE_H
#define MISBEHAVE_H

#include "request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct fault;
struct origin;
struct response;

/* clang-format off */
/** All of them, once: enum, names, help and README are made from this table.
 *    function      name             value  usual        max  what it does */
#define MISBEHAVIOURS(X)                                                       \
    X(silent,       "silent",        NULL,      0,         0,                  \
      "never answers, and leaves the connection open")                         \
    X(drip,         "drip",          "ms",    100,    600000,                  \
      "answers one byte at a time, MS milliseconds apart")                     \
    X(stall,        "stall",         NULL,      0,         0,                  \
      "stops in the middle of the body, and leaves the connection open")       \
    X(close_early,  "close-early",   NULL,      0,         0,                  \
      "closes the connection instead of answering")                            \
    X(reset,        "reset",         NULL,      0,         0,                  \
      "resets the connection instead of answering")                            \
    X(cut_body,     "cut-body",      NULL,      0,         0,                  \
      "closes the connection in the middle of the body")                       \
    X(reset_body,   "reset-body",    NULL,      0,         0,                  \
      "resets the connection in the middle of the body")                       \
    X(short_length, "short-length",  "n",      10,   1000000,                  \
      "says a Content-Length that is N bytes less than the body")              \
    X(long_length,  "long-length",   "n",      10,   1000000,                  \
      "says a Content-Length that is N bytes more than the body")              \
    X(bad_chunk,    "bad-chunk",     NULL,      0,         0,                  \
      "answers in chunks, and writes a chunk size that is no number")          \
    X(garbage,      "garbage",       NULL,      0,         0,                  \
      "answers with bytes that are not HTTP")                                  \
    X(big_head,     "big-head",      "n",     100,     10240,                  \
      "answers with a head that is N KiB long")                                \
    X(fail,         "fail",          "percent", 50,      100,                  \
      "answers 500 to PERCENT of the requests, by seeded chance")              \
    X(jitter,       "jitter",        "ms",    200,    600000,                  \
      "answers after 0 to MS milliseconds, by seeded chance")                  \
    X(early_answer, "early-answer",  NULL,      0,         0,                  \
      "answers 413 before the request's body has come, and closes at once")    \
    X(linger,       "linger",        NULL,      0,         0,                  \
      "keeps the connection open though it was asked to close it")             \
    X(stale,        "stale",         NULL,      0,         0,                  \
      "answers, then resets the connection when it is used again")             \
    X(freeze,       "freeze",        "ms",   1000,    600000,                  \
      "does nothing at all for MS milliseconds, for nobody")                   \
    X(refuse,       "refuse",        "ms",   1000, 600000000,                  \
      "refuses new connections for MS milliseconds; a flag: from its start")   \
    X(crash,        "crash",         "n",       1, 1000000000,                 \
      "ends abruptly, with status 70, when the Nth request comes")
/* clang-format on */

/** The status that a crash leaves behind. */
#define MISBEHAVE_CRASH_STATUS 70

/** One row of the table. */
struct misbehaviour {
    const char *name;  /**< as written after --misbehave and in the path */
    const char *value; /**< what its number is called, or NULL: it has none */
    uint64_t usual;    /**< the number, when none is given */
    uint64_t max;      /**< the highest that is allowed */
    const char *does;  /**< in words */

    /** Spoil a response. */
    void (*spoil)(struct origin *origin, struct response *response,
                  uint64_t value);
};

/** What was asked for: which one, and its number. */
struct misbehave {
    const struct misbehaviour *kind; /**< NULL: behave */
    uint64_t value;                  /**< its number */
};

/**
 * Understand `NAME` or `NAME=VALUE`.
 *
 * @return false, with a sentence, if there is no such thing
 */
bool misbehave_parse(struct misbehave *misbehave, const char *text,
                     struct fault *fault);

/** Find a row by its name, or NULL. */
const struct misbehaviour *misbehave_find(struct span name);

/** Write all names, with commas between them. */
void misbehave_print_names(char *to, size_t bytes);

/** Write the table for --help. */
void misbehave_print_help(FILE *file);

/** The name that is nearest to a wrong one, or NULL if none is near. */
const char *misbehave_near(const char *wrong);

/** Do what the flag asks of a server that starts. */
void misbehave_from_start(struct origin *origin);

/** Do what the flag asks of every request but those to be spared. */
void misbehave_by_flag(struct origin *origin, const struct request *request,
                       struct response *response);

/** Spoil one response. */
void misbehave_apply(const struct misbehave *misbehave, struct origin *origin,
                     struct response *response);

#endif

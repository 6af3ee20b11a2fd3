/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file log.h
 * @brief Two books: events, for people, and one access line per exchange.
 *
 * Whoever serves requests must not wait for a slow disk or terminal. So each
 * thread puts its lines into a ring of its own, without a lock, and one thread
 * writes them out. When a ring is full, the line is dropped and counted, and
 * the count is told as soon as there is room again. What a book does not take
 * (its disk is full) is counted and told on stderr.
 *
 *  - log_open() starts the writer; log_join() gives a thread its ring;
 *  - log_error(), log_warn(), log_info(), log_debug() tell an event;
 *  - log_access() adds a line to the access book;
 *  - log_flush() wakes the writer: once per turn of a loop is enough;
 *  - log_reopen() opens the access file anew, after it was moved away;
 *  - log_close() writes what is left.
 *
 * Before log_open(), and in threads without a ring, events go straight to
 * stderr.
 *
 * @floor{base}
 * @thread{any}
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** How much somebody should care. */
enum log_level {
    LOG_ERROR, /**< someone should act */
    LOG_WARN,  /**< something went wrong, and we coped */
    LOG_INFO,  /**< something changed */
    LOG_DEBUG, /**< each step */
};

/** The level of that name; false when there is none. */
bool log_level_find(const char *name, enum log_level *level);

/**
 * Start the writer.
 *
 * @param level  events above it are not told
 * @param access `off`, `stdout`, `stderr`, or a file to append to
 */
bool log_open(enum log_level level, const char *access, struct fault *fault);

/** Give the calling thread a ring; it lives until log_close(). */
void log_join(void);

/** From now on, events above this level are not told. */
void log_set_level(enum log_level level);

/** Is this level told? For what is costly to say. */
bool log_tells(enum log_level level);

/** Is there an access book? */
bool log_has_access(void);

/** Tell an event: lower case, no full stop, a subject and its circumstances. */
__attribute__((format(printf, 2, 3))) void log_event(enum log_level level,
                                                     const char *format, ...);

/** Tell what someone should act on. */
#define log_error(...) log_event(LOG_ERROR, __VA_ARGS__)
/** Tell what went wrong, and was coped with. */
#define log_warn(...) log_event(LOG_WARN, __VA_ARGS__)
/** Tell what changed. */
#define log_info(...) log_event(LOG_INFO, __VA_ARGS__)
/** Tell a step, to whoever asked for steps. */
#define log_debug(...)                         \
    do {                                       \
        if (log_tells(LOG_DEBUG))              \
            log_event(LOG_DEBUG, __VA_ARGS__); \
    } while (0)

/** Add a line, with its line feed, to the access book. */
void log_access(const char *line, size_t length);

/** Wake the writer, if this thread has lines that it may not know of. */
void log_flush(void);

/** Ask the writer to open the access file again. */
void log_reopen(void);

/** How many lines were dropped so far. */
uint64_t log_dropped(void);

/**
 * Write what is left, and stop the writer. All other threads are done.
 *
 * A sink that is stuck is waited for a second; then how many lines were lost is
 * told on stderr, if that is not stuck as well. The writer is left behind, so
 * the program has to end.
 */
void log_close(void);

#endif

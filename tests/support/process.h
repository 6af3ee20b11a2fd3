/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file process.h
 * @brief Programs under test: started, listened to, and always ended.
 *
 *  - process_start() starts a program, with what it prints going to files;
 *  - process_port() waits for `listening on http://HOST:PORT`;
 *  - process_stop() asks it to stop and tells how it ended;
 *  - process_kill() ends it at once.
 *
 * On Linux a program started here does not outlive the one that started it,
 * however that one ends.
 */
#ifndef SUPPORT_PROCESS_H
#define SUPPORT_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** A program that runs, or has run. */
struct process {
    pid_t pid; /**< 0 when it has ended */
    int out;   /**< owned: a file with what it wrote to stdout */
    int err;   /**< owned: the same for stderr */
};

/** How process_stop() puts an end by a signal: this plus its number. */
enum { ENDED_BY_SIGNAL = 256 };

/**
 * Start a program.
 *
 * @param argv the program and its arguments, ended by NULL
 * @return false when there could be no process
 */
bool process_start(struct process *process, const char *const *argv);

/** All it has written to one of its files so far; the caller frees it. */
char *process_text(int file);

/** Have these words been written to one of its files? */
bool process_said(int file, const char *words);

/**
 * Wait for the line that says where it listens.
 *
 * @return its port, or 0 when it ended or said nothing in time
 */
unsigned process_port(const struct process *process);

/** How many KiB of memory it has, and how many threads (Linux; else 0). */
long process_memory(const struct process *process);
long process_threads(const struct process *process);

/** How much processor time it has used, in milliseconds (Linux; else 0). */
long process_cpu_ms(const struct process *process);

/**
 * Let it have so many descriptors from now on (Linux).
 *
 * @return false where that cannot be done
 */
bool process_limit_files(const struct process *process, unsigned count);

/** Has it ended by itself? If so, its exit status goes to @p status. */
bool process_has_ended(struct process *process, int *status);

/**
 * Send SIGTERM and wait; after @p ms (stretched) it is killed.
 *
 * @return its exit status, or #ENDED_BY_SIGNAL plus the signal's number
 */
int process_stop(struct process *process, long ms);

/** Kill it and wait until it is gone; nothing when it is gone already. */
void process_kill(struct process *process);

#endif

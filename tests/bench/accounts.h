/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file accounts.h
 * @brief What the kernel has written down: processor time and memory.
 *
 * A *family* is a process with all its children and theirs, and all threads
 * of each. What work the kernel does for a process while the process runs,
 * such as carrying its packets over the loopback, is in its time.
 *
 *  - usage_of() tells what a family has used so far; ask twice and subtract;
 *  - cores_busy() tells the same of whole cores, whoever used them.
 */
#ifndef BENCH_ACCOUNTS_H
#define BENCH_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** At most so many processes in a family are looked at. */
enum { FAMILY_MOST = 64 };

/** Processor time, in seconds. */
struct usage {
    double all;    /**< from the scheduler, in nanoseconds where it tells */
    double ticks;  /**< the same from the older account; user plus kernel */
    double user;   /**< the part of @c ticks that is not the kernel's */
    bool is_exact; /**< @c all is the scheduler's, not @c ticks again */
};

/**
 * The members of a family, the root first.
 *
 * @param members room for #FAMILY_MOST of them
 * @return how many there are; 0 when the root has ended
 */
size_t family_of(pid_t root, pid_t *members);

/** What a family has used since each of its processes began. */
struct usage usage_of(pid_t root);

/** The difference. */
struct usage usage_since(struct usage before, struct usage now);

/** Bytes of memory that a family has resident. Pages that two of its
 * processes share count twice. */
double memory_of(pid_t root);

/** Seconds that one core was busy since the machine started. Time in which
 * the machine under a virtual machine was busy with others counts. */
double core_busy(int core);

/**
 * The first cores that this program may run on.
 *
 * @return how many there are, at most @p room
 */
size_t cores_allowed(int *cores, size_t room);

/** Run on this core from now on, as will what is started after. */
void run_on_core(int core);

#endif

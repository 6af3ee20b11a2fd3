/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file fault.h
 * @brief Two manners of failing: a sentence for a person, and a broken promise.
 *
 *  - fault_say() writes the sentence that main() prints when somebody asked for
 *    what cannot be done;
 *  - must() stops the program when it is wrong itself. What a peer may do is
 *    never in a must().
 */
#ifndef FAULT_H
#define FAULT_H

#include <stdbool.h>
#include <stddef.h>

/** Room for one sentence. */
#define FAULT_BYTES 1024

/** Why something that was asked for cannot be done, in words. */
struct fault {
    char text[FAULT_BYTES]; /**< one sentence, without the program's name */
};

/**
 * Write the sentence, as printf() would; what does not fit is left out.
 *
 * @return false, so that a function can say `return fault_say(...)`
 */
bool fault_say(struct fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** How many letters must change to make one word the other. */
size_t fault_distance(const char *one, const char *other);

/** A wrong word this near to a right one was probably meant to be it. */
#define FAULT_NEAR 2

/** Stop the program unless @p promise holds, and say where. */
#define must(promise) \
    ((promise) ? (void)0 : must_stop(#promise, __FILE__, __LINE__))

/** What must() does about a broken promise: it does not return. */
void must_stop(const char *promise, const char *file, int line)
    __attribute__((noreturn));

/** Memory, or the end of the program; the caller owns it. */
void *xnew(size_t bytes);

#endif

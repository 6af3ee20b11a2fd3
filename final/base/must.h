/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file must.h
 * @brief Promises between us, always checked.
 *
 * What a peer or a person may do is never in a must(): it is for what can only
 * be false if the program itself is wrong. Then it says where, and stops.
 *
 * @floor{base}
 * @thread{any}
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#include <stddef.h>

/** Insist on a promise; the program stops with its words when it is broken. */
#define must(promise) \
    ((promise) ? (void)0 : must_stop(#promise, __FILE__, __LINE__))

/** Come back from a `void *`: is it really one of those? */
#define must_be(type, magic_value, pointer) \
    ((type *)must_be_magic((pointer), (magic_value), __FILE__, __LINE__))

/** Say which promise was broken, and abort. */
_Noreturn void must_stop(const char *promise, const char *file, int line);

/** The pointer itself, if the first `unsigned` behind it is @p magic. */
void *must_be_magic(void *pointer, unsigned magic, const char *file, int line);

/**
 * Memory, zeroed. Memory is bounded by design, so its lack is a broken promise.
 *
 * @return owned by the caller, who ends it with free(); never NULL
 */
void *xnew(size_t count, size_t size);

#endif

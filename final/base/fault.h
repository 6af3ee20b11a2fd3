/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file fault.h
 * @brief What to tell a person who asked for something that cannot be done.
 *
 * @floor{base}
 * @thread{any; a fault belongs to one}
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>

/** One sentence, with what is wrong and how to mend it. */
struct fault {
    char text[512]; /**< ended by a zero byte */
};

/**
 * Put a sentence into a fault.
 *
 * @return false, always, so that a failing function can end with
 *         `return fault_say(...)`
 */
__attribute__((format(printf, 2, 3))) bool fault_say(struct fault *fault,
                                                     const char *format, ...);

#endif

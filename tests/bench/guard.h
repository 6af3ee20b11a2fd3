/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file guard.h
 * @brief Nothing that the bench has started outlives it, however it ends.
 *
 * What the bench starts, it ends. But some balancers start children of their
 * own, and those would be left if the bench were killed in the middle.
 */
#ifndef BENCH_GUARD_H
#define BENCH_GUARD_H

/**
 * From here on, this program is two: the caller goes on in a child, and the
 * parent waits for its end, ends whatever is left, and ends as the child did.
 * Signals that ask to end are passed on to the child; if the parent is killed,
 * the child is asked to end.
 */
void guard_begin(void);

#endif

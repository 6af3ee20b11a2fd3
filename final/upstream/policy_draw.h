/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file policy_draw.h
 * @brief Draw two different candidates, for the policies that compare two.
 *
 * @floor{upstream}
 * @thread{any; pure}
 */
#ifndef UPSTREAM_POLICY_DRAW_H
#define UPSTREAM_POLICY_DRAW_H

#include "upstream/policy.h"

/** Two that were drawn: indices, in the order they were drawn. */
struct policy_pair {
    size_t first;  /**< the first that was drawn */
    size_t second; /**< another one than `first`, unless there is only one */
};

/** Draw two, each as likely as its weight says; the second by the weights of
 * those that are left. Goes by `chance` alone. */
struct policy_pair policy_draw(const struct candidates *from);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file selftest.h
 * @brief Does the bench measure what it says, and notice what is wrong?
 */
#ifndef BENCH_SELFTEST_H
#define BENCH_SELFTEST_H

#include "contestants.h"

/**
 * Try it out, and say `N passed, M failed` on stdout.
 *
 * @return how many failed
 */
unsigned selftest_run(const struct setting *setting);

#endif

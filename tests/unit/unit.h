/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file unit.h
 * @brief The end of every unit test: run the suite, and count.
 */
#ifndef UNIT_UNIT_H
#define UNIT_UNIT_H

#include <check.h>

#include <stdint.h>
#include <stdio.h>

/** Add one test, or one that is run for each number from 0 to @p times - 1. */
static inline void unit_add(Suite *suite, const TTest *test, int times)
{
    TCase *tcase = tcase_create(test->name);

    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, test, 0, times);
    suite_add_tcase(suite, tcase);
}

/** Run them all; print what failed, and the tally. @return an exit status */
static inline int unit_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    printf("%d passed, %d failed\n", srunner_ntests_run(runner) - failed,
           failed);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}

/** The same numbers for the same seed, on every machine (splitmix64). */
static inline uint32_t unit_chance(uint64_t *seed, uint32_t below)
{
    uint64_t mixed = *seed += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((mixed ^ (mixed >> 31)) % below);
}

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * One test for each function in rude.h, and good ones among and after them:
 * whatever happens in a test, those after it still run.
 */
#include "grade.h"
#include "rude.h"

#define RUDE_TEST(name_) RUDE_TEST_FOR(name_, 2)
#define RUDE_TEST_FOR(name_, seconds_)                                    \
    GRADE_TEST_WITH(test_##name_, 1, #name_, .seconds = (seconds_))       \
    {                                                                     \
        int answer;                                                       \
                                                                          \
        step("%s() is called", #name_);                                   \
        answer = name_();                                                 \
                                                                          \
        expect(answer == 42, "%s() should return 42; yours returned %d.", \
               #name_, answer);                                           \
    }
RUDE(RUDE_TEST)
RUDE_TEST_FOR(memory_hog, 20)
RUDE_TEST_FOR(print_forever, 20)
RUDE_TEST_FOR(print_much, 20)
RUDE_TEST(close_high)
RUDE_TEST(child_waited)
RUDE_TEST_FOR(allocate_and_free, 20)

#define RUDE_LIST(name_) test_##name_,
GRADE_TESTS(RUDE(RUDE_LIST) test_memory_hog, test_print_forever,
            test_print_much, test_close_high, test_child_waited,
            test_allocate_and_free)

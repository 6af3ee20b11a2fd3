/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file grade.h
 * @brief What the tests of an exercise are written with.
 *
 * A file of tests looks like this:
 *
 *     #include "grade.h"
 *     #include "weighted_turns.h"
 *
 *     GRADE_TEST(first_wins, 2, "of two alike, the first has the first turn")
 *     {
 *         int pick = ...;
 *
 *         expect(pick == 0, "Over weights 1,1 the first pick should be 0; "
 *                           "yours was %d: see hint 1.", pick);
 *     }
 *
 *     GRADE_TESTS(first_wins)
 *
 *  - GRADE_TEST() begins a test: its name, its points, and what it is about;
 *  - expect() ends it as a failure, with a story, when the condition is false;
 *  - step() says beforehand what is asked of the code, for the case that the
 *    code never comes back: it hangs, crashes or ends the program;
 *  - a test that reaches its end has passed, and earns all of its points;
 *  - GRADE_TESTS(), the last line of the file, says which tests there are and
 *    in what order they run.
 *
 * A story says what was done, in order; what was expected; what came; and where
 * to look. grade.c says how a test is kept apart from the others and from the
 * code that it tests.
 */
#ifndef GRADE_H
#define GRADE_H

#include <stdbool.h>
#include <stddef.h>

/** One graded test. Made by GRADE_TEST(), never by hand. */
struct grade_test {
    const char *name;
    unsigned points;   /**< what it is worth; it earns all of them or none */
    const char *title; /**< what it is about, for a table */
    void (*run)(void);
    unsigned seconds; /**< how long it may take; 0: the usual 5 */
    bool threads;     /**< it starts many threads: leave room for stacks */
};

/**
 * Begin a test; its body follows.
 *
 * @param name   a C name, like `burst_is_smooth`
 * @param points what it is worth
 * @param title  a sentence that says what must hold, without a full stop
 */
#define GRADE_TEST(name, points, title) \
    GRADE_TEST_WITH(name, points, title, .seconds = 0)

/**
 * The same, with fields of struct grade_test: `.seconds = 10` gives it longer
 * than 5 seconds (TIME_SCALE in the environment stretches any limit), and
 * `.threads = true` says that it starts many threads.
 */
#define GRADE_TEST_WITH(name_, points_, title_, ...)                 \
    static void name_##_run(void);                                   \
    static const struct grade_test name_[1] = {{.name = #name_,      \
                                                .points = (points_), \
                                                .title = (title_),   \
                                                .run = name_##_run,  \
                                                __VA_ARGS__}};       \
    static void name_##_run(void)

/** The tests of this file, in order. No semicolon after it. */
#define GRADE_TESTS(...) \
    const struct grade_test *const grade_tests[] = {__VA_ARGS__, NULL};

/** Of this file's tests, ended by NULL: see GRADE_TESTS(). */
extern const struct grade_test *const grade_tests[];

/**
 * Go on if the condition holds; else end the test as a failure.
 *
 * What follows the condition is the story, as for printf(). May be called from
 * any thread, and from a process that the test has started.
 */
#define expect(condition, ...) \
    ((condition) ? (void)0 : grade_fail(__FILE__, __LINE__, __VA_ARGS__))

/**
 * Say what is done next, as for printf(), like
 *
 *     step("the body \"%s\" is decoded; see hint 3 of TODO(07.2)", shown);
 *
 * It is shown if the test then ends by a time-out, a crash, an exit or a
 * sanitizer, of which nothing else could say what had been asked for. The
 * newest step counts. To be called by one thread of a test only.
 */
#define step(...) grade_step(__VA_ARGS__)

void grade_step(const char *story, ...) __attribute__((format(printf, 1, 2)));

/** End the test as a failure, with this story. Does not return. */
_Noreturn void grade_fail(const char *file, int line, const char *story, ...)
    __attribute__((format(printf, 3, 4)));

#endif

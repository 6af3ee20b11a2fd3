/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file rude.h
 * @brief A student's code that does everything that one should not do.
 *
 * Each function stands for a task whose right answer is 42. Those whose names
 * are in RUDE do something bad, and then return 42 all the same, if they
 * return; so that a grader that looks only at answers would be content.
 */
#ifndef RUDE_H
#define RUDE_H

/* clang-format off */
#define RUDE(X)                                                                \
    X(exit_zero) X(exit_three) X(exit_in_thread) X(leave_zero) X(leave_quick)  \
    X(abort_now) X(assert_false) X(null_pointer) X(endless_recursion)          \
    X(heap_overflow) X(string_overflow) X(string_endless) X(use_after_free)    \
    X(double_free) X(leak) X(int_overflow) X(divide_by_zero) X(endless_loop) X(endless_wait)  \
    X(stop_itself) X(child_left) X(child_unasked) X(daemon_left)               \
    X(stdout_closed) X(stdout_replaced) X(fork_bomb) X(memory_huge)            \
    X(fake_results) X(fake_and_exit) X(kill_itself) X(broken_pipe)             \
    X(exit_afterwards) X(data_race) X(thread_left) X(kill_parent)              \
    X(orphan_kills)
/* clang-format on */

#define RUDE_DECLARE(name) int name(void);
RUDE(RUDE_DECLARE)
#undef RUDE_DECLARE

/** These are odd, but do no harm: their tests pass. */
int print_much(void);
int close_high(void);
int child_waited(void);
int allocate_and_free(void);

/** As bad as the others, but not quick about it. */
int memory_hog(void);
int print_forever(void);

#endif

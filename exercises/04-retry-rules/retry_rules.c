/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Yours to write. The header says what each function promises, the README what
 * it is good for, with an example and hints. Begin at TODO(04.1) and grade
 * often: each part earns its points alone.
 */
#include "retry_rules.h"

/* TODO(04.1): the six methods that may be repeated. Mind that `method` is not
   ended by a zero byte. */
bool method_is_idempotent(const char *method, size_t length)
{
    (void)method;
    (void)length;
    return false;
}

/* TODO(04.2): the rules, in the order of enum retry_verdict. */
enum retry_verdict retry_judge(const struct failed_try *failed,
                               unsigned tries_max)
{
    (void)failed;
    (void)tries_max;
    return RETRY_UNSAFE;
}

/* TODO(04.3): a ceiling that doubles up to a cap, and a number drawn from 0 to
   the ceiling. No overflow, no division by zero. */
uint64_t retry_backoff_ms(const struct retry_settings *settings, unsigned tries,
                          uint64_t random)
{
    (void)settings;
    (void)tries;
    (void)random;
    return 0;
}

/* TODO(04.4): digits, and only digits; a number that is too large becomes the
   largest. */
bool retry_after_parse(const char *value, size_t length, uint64_t *wait_ms)
{
    (void)value;
    (void)length;
    (void)wait_ms;
    return false;
}

/* TODO(04.5): what was asked for, the backoff on top, and a limit. */
bool retry_wait(const struct retry_settings *settings, unsigned tries,
                uint64_t random, uint64_t asked_ms, uint64_t *wait_ms)
{
    (void)settings;
    (void)tries;
    (void)random;
    (void)asked_ms;
    (void)wait_ms;
    return false;
}

/* TODO(04.6): the budget. One function that takes a token and one that gives it
   back will make the next three short. */
void exchange_begin(struct exchange *exchange, struct retry_budget *budget)
{
    *exchange = (struct exchange){.budget = budget};
}

enum retry_verdict exchange_failed(struct exchange *exchange,
                                   const struct failed_try *failed,
                                   const struct retry_settings *settings)
{
    (void)exchange;
    (void)failed;
    (void)settings;
    return RETRY_BUDGET_SPENT;
}

void exchange_end(struct exchange *exchange)
{
    (void)exchange;
}

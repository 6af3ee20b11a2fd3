/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * retry.c of a chapter: every case of the decision, written out. Each row says
 * what may be done again after a try that ended so: nothing, repeatable methods
 * whose body was kept, or everything.
 */
#include "http.h"
#include "retry.h"
#include "unit.h"

#include <string.h>

/** What may be tried again. */
enum may { NOTHING, REPEATABLE_AND_KEPT, EVERYTHING };

static const struct {
    enum attempt ended;
    enum may may;
} ends[] = {
    {ATTEMPT_UNCONNECTED, EVERYTHING},
    {ATTEMPT_UNANSWERED, REPEATABLE_AND_KEPT},
    {ATTEMPT_ANSWERED, NOTHING},
    {ATTEMPT_ABANDONED, NOTHING},
};

/** Methods are compared by the letter (RFC 9110, 9.1). */
static const struct {
    const char *name;
    bool repeatable;
} methods[] = {
    {"GET", true},    {"HEAD", true},    {"PUT", true},
    {"DELETE", true}, {"OPTIONS", true}, {"TRACE", true},
    {"POST", false},  {"PATCH", false},  {"CONNECT", false},
    {"ORDER", false}, {"get", false},    {"GETS", false},
    {"GE", false},    {"", false},       {"PROPPATCH", false},
};

static bool expected(size_t end, size_t method, bool kept)
{
    switch (ends[end].may) {
    case NOTHING: return false;
    case REPEATABLE_AND_KEPT: return kept && methods[method].repeatable;
    case EVERYTHING: return true;
    }
    return false;
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

START_TEST(only_what_is_safe_is_tried_again)
{
    size_t end = (size_t)_i / COUNT(methods);
    size_t method = (size_t)_i % COUNT(methods);
    const char *name = methods[method].name;
    struct head head = {.method = {name, strlen(name)}};

    for (int kept = 0; kept <= 1; kept++)
        ck_assert_msg(retry_may(ends[end].ended, &head, kept == 1) ==
                          expected(end, method, kept == 1),
                      "%s, %s, after end %d: should %sbe tried again", name,
                      kept == 1 ? "its body kept" : "its body gone",
                      (int)ends[end].ended,
                      expected(end, method, kept == 1) ? "" : "not ");
}
END_TEST

START_TEST(the_first_try_counts)
{
    ck_assert_int_eq(TRIES_MAX, 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("retry");

    unit_add(suite, only_what_is_safe_is_tried_again,
             (int)(COUNT(ends) * COUNT(methods)));
    unit_add(suite, the_first_try_counts, 1);
    return unit_run(suite);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The graded tests of retry rules. All of it is decided from facts, so a test
 * is a list of facts and of what should follow from them. Chance comes from
 * next_random(), which gives the same numbers in each run.
 */
#include "grade.h"
#include "retry_rules.h"

#include <inttypes.h>
#include <string.h>

static const char *const verdict_names[] = {
    [RETRY_ALLOWED] = "RETRY_ALLOWED",
    [RETRY_TOO_LATE] = "RETRY_TOO_LATE",
    [RETRY_EXHAUSTED] = "RETRY_EXHAUSTED",
    [RETRY_ANSWER_STANDS] = "RETRY_ANSWER_STANDS",
    [RETRY_BODY_GONE] = "RETRY_BODY_GONE",
    [RETRY_UNSAFE] = "RETRY_UNSAFE",
    [RETRY_BUDGET_SPENT] = "RETRY_BUDGET_SPENT",
};

static const char *verdict_name(enum retry_verdict verdict)
{
    size_t count = sizeof(verdict_names) / sizeof(verdict_names[0]);

    return (size_t)verdict < count ? verdict_names[verdict]
                                   : "something that is no verdict";
}

/** The same numbers in each run (splitmix64). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ (mixed >> 31);
}

/** A first try of this method that failed in this phase, the body kept. */
static struct failed_try failed_in(const char *method, enum try_phase phase)
{
    return (struct failed_try){.method = method,
                               .method_length = strlen(method),
                               .phase = phase,
                               .tries = 1,
                               .body_kept = true};
}

static void expect_idempotent(const char *bytes, size_t length, bool want)
{
    bool got;

    step("method_is_idempotent() is given \"%s\", and the length %zu; see the "
         "hints of TODO(04.1).",
         bytes, length);
    got = method_is_idempotent(bytes, length);
    expect(got == want,
           "method_is_idempotent() was given %s\"%s\", and the length %zu; "
           "it should say %s, yours said %s. %s",
           length < strlen(bytes) ? "the bytes " : "", bytes, length,
           want ? "yes" : "no", got ? "yes" : "no",
           length < strlen(bytes)
               ? "The method is not ended by a zero byte, its length counts: "
                 "hint 2 of TODO(04.1)."
           : !want && strncmp("DELETE", bytes, length) == 0 && length > 0
               ? "\"DELET\" is not DELETE; compare the lengths: hint 2 of "
                 "TODO(04.1)."
               : "See hint 1 of TODO(04.1).");
}

GRADE_TEST(methods, 1, "six methods may be repeated, no others")
{
    static const char *const repeatable[] = {"GET",    "HEAD",    "PUT",
                                             "DELETE", "OPTIONS", "TRACE"};
    static const char *const others[] = {
        "POST", "PATCH", "CONNECT", "get", "Put", "GETS", "DELET", "MKCOL", ""};

    for (size_t i = 0; i < sizeof(repeatable) / sizeof(repeatable[0]); i++)
        expect_idempotent(repeatable[i], strlen(repeatable[i]), true);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        expect_idempotent(others[i], strlen(others[i]), false);
    expect_idempotent("GET /orders HTTP/1.1", 3, true);
    expect_idempotent("PUTTER", 3, true);
    expect_idempotent("GET", 2, false);
    expect_idempotent("DELETE", 3, false);
}

static void expect_verdict(const struct failed_try *failed, unsigned tries_max,
                           enum retry_verdict want, const char *look)
{
    static const char *const phases[] = {
        [TRY_UNCONNECTED] = "no connection came about",
        [TRY_UNWRITTEN] = "it was connected, but nothing was written",
        [TRY_WRITTEN] = "something was written and no complete head came back",
        [TRY_ANSWERED] = "a response came",
    };
    enum retry_verdict got = retry_judge(failed, tries_max);

    expect(got == want,
           "A %s: %s%s; try %u of %u, the body was %s, the client has %s of "
           "it (status %u). retry_judge() should say %s; yours said %s. %s",
           failed->method, phases[failed->phase],
           failed->passed_on ? ", and a part of it was passed on" : "",
           failed->tries, tries_max, failed->body_kept ? "kept" : "not kept",
           failed->passed_on ? "a part" : "nothing", failed->status,
           verdict_name(want), verdict_name(got), look);
}

/** A response stands, unless it says: not now. */
static void expect_responses(void)
{
    static const unsigned final[] = {200, 404, 429, 500, 501, 505};

    for (unsigned status = 502; status <= 504; status++) {
        struct failed_try failed = failed_in("GET", TRY_ANSWERED);

        failed.status = status;
        expect_verdict(&failed, 3, RETRY_ALLOWED,
                       "Of this status another backend may know better: hint "
                       "2 of TODO(04.2).");
        failed.method = "POST";
        failed.method_length = 4;
        expect_verdict(&failed, 3, RETRY_UNSAFE,
                       "A status does not prove that nothing was done, and "
                       "this method is not idempotent: hint 2 of TODO(04.2).");
    }
    for (size_t i = 0; i < sizeof(final) / sizeof(final[0]); i++) {
        struct failed_try failed = failed_in("GET", TRY_ANSWERED);

        failed.status = final[i];
        expect_verdict(&failed, 3, RETRY_ANSWER_STANDS,
                       "This response is the answer, good or bad: hint 2 of "
                       "TODO(04.2).");
        failed.method = "POST";
        failed.method_length = 4;
        expect_verdict(&failed, 3, RETRY_ANSWER_STANDS,
                       "This response is the answer, whatever the method: "
                       "hint 2 of TODO(04.2).");
    }
}

GRADE_TEST(phases, 2, "how far a try came decides who may try again")
{
    static const struct {
        const char *method;
        enum try_phase phase;
        enum retry_verdict want;
    } cases[] = {
        {"GET", TRY_UNCONNECTED, RETRY_ALLOWED},
        {"POST", TRY_UNCONNECTED, RETRY_ALLOWED},
        {"POST", TRY_UNWRITTEN, RETRY_ALLOWED},
        {"PATCH", TRY_UNWRITTEN, RETRY_ALLOWED},
        {"GET", TRY_WRITTEN, RETRY_ALLOWED},
        {"DELETE", TRY_WRITTEN, RETRY_ALLOWED},
        {"POST", TRY_WRITTEN, RETRY_UNSAFE},
        {"PATCH", TRY_WRITTEN, RETRY_UNSAFE},
        {"BREW", TRY_WRITTEN, RETRY_UNSAFE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct failed_try failed = failed_in(cases[i].method, cases[i].phase);

        expect_verdict(&failed, 3, cases[i].want,
                       "What can the backend have done by then? See the table "
                       "in the README and hint 1 of TODO(04.2).");
    }
    expect_responses();
}

GRADE_TEST(limits, 1, "the limits, and which reason comes first")
{
    static const char *const order =
        "The first reason in the list of enum retry_verdict is the one to "
        "give: hint 3 of TODO(04.2).";
    struct failed_try failed = failed_in("GET", TRY_WRITTEN);

    for (failed.tries = 1; failed.tries <= 4; failed.tries++)
        expect_verdict(&failed, 3,
                       failed.tries < 3 ? RETRY_ALLOWED : RETRY_EXHAUSTED,
                       "The first try counts, too: hint 3 of TODO(04.2).");
    failed.tries = 1;
    failed.body_kept = false;
    expect_verdict(&failed, 3, RETRY_BODY_GONE,
                   "What is not kept cannot be sent again: hint 3 of "
                   "TODO(04.2).");
    failed.phase = TRY_UNWRITTEN;
    expect_verdict(&failed, 3, RETRY_ALLOWED,
                   "No piece of the body was sent yet, so none is missing: "
                   "hint 3 of TODO(04.2).");
    failed = failed_in("PUT", TRY_ANSWERED);
    failed.body_kept = false;
    failed.status = 404;
    expect_verdict(&failed, 3, RETRY_ANSWER_STANDS, order);
    failed.status = 503;
    expect_verdict(&failed, 3, RETRY_BODY_GONE,
                   "A 503 is as if nothing had come back, and what is not kept "
                   "cannot be sent again: hints 2 and 3 of TODO(04.2).");
    failed = failed_in("POST", TRY_WRITTEN);
    failed.body_kept = false;
    expect_verdict(&failed, 3, RETRY_BODY_GONE, order);
    failed.tries = 3;
    expect_verdict(&failed, 3, RETRY_EXHAUSTED, order);
    failed.passed_on = true;
    failed.phase = TRY_ANSWERED;
    failed.status = 503;
    expect_verdict(&failed, 3, RETRY_TOO_LATE, order);
    failed = failed_in("GET", TRY_ANSWERED);
    failed.status = 503;
    failed.passed_on = true;
    expect_verdict(&failed, 3, RETRY_TOO_LATE,
                   "What the client has cannot be taken back.");
}

/** The largest of many draws, which all must be within the ceiling. */
static void expect_ceiling(uint64_t base_ms, uint64_t cap_ms, unsigned tries,
                           uint64_t ceiling)
{
    struct retry_settings settings = {.base_ms = base_ms, .cap_ms = cap_ms};
    uint64_t state = 4, largest = 0;

    step("the backoff after try %u is drawn, with base %" PRIu64 " ms and cap "
         "%" PRIu64 " ms; %s",
         tries, base_ms, cap_ms,
         ceiling == UINT64_MAX
             ? "what is divided by? See hint 3 of TODO(04.3)"
             : "does the loop of doublings end? See hint 2 of TODO(04.3)");
    for (int i = 0; i < 2000; i++) {
        uint64_t random = next_random(&state);
        uint64_t drawn = retry_backoff_ms(&settings, tries, random);

        expect(drawn <= ceiling,
               "With base %" PRIu64 " ms and cap %" PRIu64 " ms, the backoff "
               "after try %u is at most %" PRIu64 " ms; yours drew %" PRIu64
               ". See hint 1 of TODO(04.3), and hint 2 if it is the cap or an "
               "overflow.",
               base_ms, cap_ms, tries, ceiling, drawn);
        if (drawn > largest)
            largest = drawn;
    }
    expect(largest >= ceiling - ceiling / 50,
           "With base %" PRIu64 " ms and cap %" PRIu64 " ms, the backoff after "
           "try %u can be up to %" PRIu64 " ms; but the largest of 2000 draws "
           "of yours was %" PRIu64 ". See hint 1 of TODO(04.3), and hint 2 if "
           "it is the cap or an overflow.",
           base_ms, cap_ms, tries, ceiling, largest);
}

GRADE_TEST(ceiling, 1, "the ceiling doubles up to the cap, without overflow")
{
    expect_ceiling(100, 10000, 1, 100);
    expect_ceiling(100, 10000, 2, 200);
    expect_ceiling(100, 10000, 0, 100);
    expect_ceiling(100, 10000, 7, 6400);
    expect_ceiling(100, 10000, 8, 10000);
    expect_ceiling(500, 300, 1, 300);
    expect_ceiling(0, 300, 9, 0);
    expect_ceiling(0, 300, UINT32_MAX, 0);
    expect_ceiling(100, 10000, 33, 10000);
    expect_ceiling(100, 10000, 65, 10000);
    expect_ceiling(100, 10000, UINT32_MAX, 10000);
    expect_ceiling(3, UINT64_MAX - 1, 64, UINT64_MAX - 1);
    expect_ceiling(1, UINT64_MAX, 64, UINT64_C(1) << 63);
    expect_ceiling(UINT64_MAX, UINT64_MAX, 5, UINT64_MAX);
}

GRADE_TEST(full_jitter, 1, "all from 0 to the ceiling is equally likely")
{
    struct retry_settings settings = {.base_ms = 2, .cap_ms = 100};
    unsigned counts[5] = {0};
    uint64_t state = 7;

    for (int i = 0; i < 10000; i++) {
        uint64_t random = next_random(&state);
        uint64_t drawn = retry_backoff_ms(&settings, 2, random);

        expect(drawn <= 4,
               "With base 2 ms, the backoff after try 2 is 0 to 4 ms; yours "
               "was %" PRIu64 ". See hint 1 of TODO(04.3).",
               drawn);
        counts[drawn]++;
    }
    for (size_t i = 0; i < 5; i++)
        expect(counts[i] >= 1800 && counts[i] <= 2200,
               "With base 2 ms, 10,000 backoffs after try 2 should be 0, 1, 2, "
               "3 and 4 ms 1800 to 2200 times each. Yours were so %u, %u, %u, "
               "%u, %u times. Full jitter goes from 0 to the ceiling, both "
               "included: see hint 3 of TODO(04.3).",
               counts[0], counts[1], counts[2], counts[3], counts[4]);
}

/** As in C: a tab is shown as \\t. */
static const char *shown(const char *value)
{
    static char text[100];
    size_t at = 0;

    for (; *value != '\0' && at + 3 < sizeof(text); value++)
        if (*value == '\t') {
            text[at++] = '\\';
            text[at++] = 't';
        } else {
            text[at++] = *value;
        }
    text[at] = '\0';
    return text;
}

static bool asked(const char *value, uint64_t *wait_ms)
{
    step(
        "retry_after_parse() is given the value of \"Retry-After:%s\", and its "
        "length %zu; see the hints of TODO(04.4).",
        shown(value), strlen(value));
    return retry_after_parse(value, strlen(value), wait_ms);
}

static void expect_asked(const char *value, bool want, uint64_t want_ms)
{
    uint64_t got_ms = 4711;
    bool got = asked(value, &got_ms);
    size_t length = strlen(value);
    bool is_padded = length == 0 || strchr(" \t", value[length - 1]) != NULL;
    int hint = is_padded ? 2 : 1; /* blanks at the end, or nothing else */

    expect(got == want,
           "\"Retry-After:%s\" %s a number of seconds; retry_after_parse() "
           "should return %s. See hint %d of TODO(04.4).",
           shown(value), want ? "is" : "is not", want ? "true" : "false", hint);
    expect(!want || got_ms == want_ms,
           "\"Retry-After:%s\" should be %" PRIu64 " ms; yours were %" PRIu64
           " ms. %s",
           shown(value), want_ms, got_ms,
           want_ms == UINT64_MAX
               ? "What does not fit becomes UINT64_MAX: hint 3 of TODO(04.4)."
               : "The field is in seconds.");
    expect(want || got_ms == 4711,
           "\"Retry-After:%s\" is no number of seconds, but *wait_ms was "
           "changed to %" PRIu64 ". Until the end is seen, keep what you have "
           "in a variable of your own: hint 2 of TODO(04.4).",
           shown(value), got_ms);
}

GRADE_TEST(retry_after, 1, "seconds are digits, and only digits")
{
    static const char *const others[] = {"",
                                         " ",
                                         " +5",
                                         " -5",
                                         " 1.5",
                                         " 5s",
                                         " 0x5",
                                         " 1 2",
                                         " 1e3",
                                         " 5,",
                                         " Fri, 31 Dec 1999 23:59:59 GMT"};
    uint64_t wait_ms = 0;

    expect_asked(" 120", true, 120000);
    expect_asked("7", true, 7000);
    expect_asked(" \t0\t ", true, 0);
    expect_asked(" 007", true, 7000);
    expect_asked(" 18446744073709551", true, UINT64_C(18446744073709551000));
    expect_asked(" 18446744073709552", true, UINT64_MAX);
    expect_asked(" 18446744073709551616", true, UINT64_MAX);
    expect_asked(" 99999999999999999999999999999999", true, UINT64_MAX);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        expect_asked(others[i], false, 0);
    expect(retry_after_parse("1234", 2, &wait_ms) && wait_ms == 12000,
           "retry_after_parse() was given the first 2 bytes of \"1234\": that "
           "is 12 seconds, 12000 ms; yours were %" PRIu64 ". The value is not "
           "ended by a zero byte: hint 2 of TODO(04.4).",
           wait_ms);
}

GRADE_TEST(waits, 1, "never earlier than asked for, never longer than allowed")
{
    struct retry_settings settings = {
        .base_ms = 100, .cap_ms = 100, .wait_max_ms = 5000};
    uint64_t state = 9, smallest = UINT64_MAX, largest = 0, wait_ms = 4711;

    for (int i = 0; i < 2000; i++) {
        expect(retry_wait(&settings, 1, next_random(&state), 2000, &wait_ms),
               "The backend asked for 2 s, and 5 s are allowed: retry_wait() "
               "should return true.");
        smallest = wait_ms < smallest ? wait_ms : smallest;
        largest = wait_ms > largest ? wait_ms : largest;
    }
    expect(smallest >= 2000 && smallest <= 2005 && largest <= 2100 &&
               largest >= 2095,
           "The backend asked for 2000 ms, and the backoff is 0 to 100 ms on "
           "top. 2000 waits should lie between 2000 and 2100 ms; yours were "
           "between %" PRIu64 " and %" PRIu64 ". See hint 1 of TODO(04.5).",
           smallest, largest);
    for (int i = 0; i < 100; i++)
        expect(retry_wait(&settings, 1, next_random(&state), 4990, &wait_ms) &&
                   wait_ms >= 4990 && wait_ms <= 5000,
               "The backend asked for 4990 ms, and 5000 are allowed. The wait "
               "should lie between them; yours was %" PRIu64 ". See hint 3 of "
               "TODO(04.5).",
               wait_ms);
    wait_ms = 4711;
    expect(!retry_wait(&settings, 1, 50, 5001, &wait_ms) && wait_ms == 4711,
           "The backend asked for 5001 ms, and 5000 are allowed: retry_wait() "
           "should return false and leave *wait_ms alone. See hint 2 of "
           "TODO(04.5).");
    settings = (struct retry_settings){
        .base_ms = 100, .cap_ms = 100, .wait_max_ms = UINT64_MAX};
    for (uint64_t random = 1; random < 101; random++)
        expect(retry_wait(&settings, 1, random, UINT64_MAX - 1, &wait_ms) &&
                   wait_ms >= UINT64_MAX - 1,
               "The backend asked for UINT64_MAX - 1 ms, which is allowed; the "
               "wait cannot be less, but yours was %" PRIu64 ". Does the sum "
               "overflow? See hint 3 of TODO(04.5).",
               wait_ms);
}

enum { CROWD = 40 };

static const struct retry_settings three_tries = {.tries_max = 3};

/** So many exchanges begin. */
static void crowd_begin(struct exchange *crowd, size_t count,
                        struct retry_budget *budget)
{
    memset(crowd, 0xa5, count * sizeof(*crowd));
    for (size_t i = 0; i < count; i++)
        exchange_begin(&crowd[i], budget);
    expect(budget->in_flight == count && budget->retrying == 0,
           "%zu exchanges have begun on an empty budget; now in_flight should "
           "be %zu and retrying 0, yours are %u and %u.",
           count, count, budget->in_flight, budget->retrying);
}

/** In each of them a GET fails; how many may try again? */
static unsigned crowd_fails(struct exchange *crowd, size_t count,
                            unsigned tries)
{
    struct failed_try failed = failed_in("GET", TRY_WRITTEN);
    unsigned allowed = 0;

    failed.tries = tries;
    for (size_t i = 0; i < count; i++) {
        enum retry_verdict got =
            exchange_failed(&crowd[i], &failed, &three_tries);

        expect(got == RETRY_ALLOWED || got == RETRY_BUDGET_SPENT,
               "A GET failed with try %u of 3: exchange_failed() should say "
               "RETRY_ALLOWED, or RETRY_BUDGET_SPENT; yours said %s.",
               tries, verdict_name(got));
        allowed += got == RETRY_ALLOWED;
    }
    return allowed;
}

GRADE_TEST(a_fifth_retries, 1,
           "a fifth of those in flight may retry, but always three")
{
    static const struct {
        unsigned in_flight, want;
    } cases[] = {{1, 1}, {4, 3}, {15, 3}, {19, 3}, {20, 4}, {40, 8}};
    struct exchange crowd[CROWD];
    struct retry_budget huge = {.percent = 20, .in_flight = 400000000};
    struct failed_try failed = failed_in("GET", TRY_WRITTEN);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct retry_budget budget = {.percent = 20, .at_least = 3};
        unsigned allowed;

        crowd_begin(crowd, cases[i].in_flight, &budget);
        allowed = crowd_fails(crowd, cases[i].in_flight, 1);
        expect(allowed == cases[i].want && budget.retrying == allowed,
               "A budget of 20 %%, at least 3. All of %u exchanges in flight "
               "failed once: %u should be allowed to retry and hold a token; "
               "%u of yours were, and retrying is %u. See hint 1 of "
               "TODO(04.6).",
               cases[i].in_flight, cases[i].want, allowed, budget.retrying);
    }
    exchange_begin(&crowd[0], &huge);
    huge.retrying = 79999999;
    expect(exchange_failed(&crowd[0], &failed, &three_tries) == RETRY_ALLOWED,
           "A budget of 20 %%; 400,000,001 exchanges are in flight, 79,999,999 "
           "are retrying. One more is within a fifth. Does the product fit "
           "into an unsigned int? See hint 1 of TODO(04.6).");
}

static void expect_counts(const struct retry_budget *budget, unsigned in_flight,
                          unsigned retrying, const char *when)
{
    expect(
        budget->in_flight == in_flight && budget->retrying == retrying,
        "%s, in_flight should be %u and retrying %u; yours are %u and %u. %s",
        when, in_flight, retrying, budget->in_flight, budget->retrying,
        budget->in_flight != in_flight
            ? "Does exchange_begin() set running, and exchange_end() clear "
              "it? See hint 3 of TODO(04.6)."
        : budget->retrying > retrying && budget->retrying <= CROWD
            ? "A token was lost, and is lost for ever: see hint 3 of "
              "TODO(04.6)."
            : "A token was given back twice; does token_give() clear "
              "has_token? See hint 2 of TODO(04.6).");
}

GRADE_TEST(tokens_return, 1, "each token comes back, however it ends")
{
    struct retry_budget budget = {.percent = 20, .at_least = 1};
    struct exchange one, other;
    struct failed_try failed = failed_in("GET", TRY_WRITTEN);
    enum retry_verdict got;

    exchange_begin(&one, &budget);
    exchange_begin(&other, &budget);
    got = exchange_failed(&one, &failed, &three_tries);
    expect(got == RETRY_ALLOWED,
           "A GET failed once, no other is retrying: it "
           "should be allowed; yours said %s.",
           verdict_name(got));
    expect_counts(&budget, 2, 1, "After one of two exchanges began a retry");
    got = exchange_failed(&other, &failed, &three_tries);
    expect(got == RETRY_BUDGET_SPENT,
           "The budget allows one retry at a time, and there is one: another "
           "should get RETRY_BUDGET_SPENT; yours said %s.",
           verdict_name(got));
    failed.tries = 2;
    got = exchange_failed(&one, &failed, &three_tries);
    expect(got == RETRY_ALLOWED,
           "The budget allows one retry at a time. That one failed, so its "
           "token is back before the next try is judged: RETRY_ALLOWED. Yours "
           "said %s. See hint 2 of TODO(04.6).",
           verdict_name(got));
    expect_counts(&budget, 2, 1, "After its second retry began");
    failed.tries = 3;
    got = exchange_failed(&one, &failed, &three_tries);
    expect(got == RETRY_EXHAUSTED,
           "Try 3 of 3 failed: RETRY_EXHAUSTED; yours said %s.",
           verdict_name(got));
    expect_counts(&budget, 2, 0, "After the last try was refused");
    failed = failed_in("POST", TRY_WRITTEN);
    exchange_failed(&other, &failed, &three_tries);
    expect_counts(&budget, 2, 0, "After a POST that may not be retried failed");
    exchange_end(&one);
    exchange_end(&one);
    expect_counts(&budget, 1, 0, "After one exchange was ended (twice)");
    failed.phase = TRY_UNCONNECTED;
    got = exchange_failed(&other, &failed, &three_tries);
    expect(got == RETRY_ALLOWED,
           "A POST met no connection: RETRY_ALLOWED; yours said %s.",
           verdict_name(got));
    exchange_end(&other);
    exchange_end(&other);
    expect_counts(&budget, 0, 0, "After the client left during a retry");
}

GRADE_TESTS(methods, phases, limits, ceiling, full_jitter, retry_after, waits,
            a_fifth_retries, tokens_return)

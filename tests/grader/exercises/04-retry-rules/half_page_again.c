/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* wrong: forgets that the client has a part of the response */
/* caught by: limits */
#include "retry_rules.h"

#include <string.h>

bool method_is_idempotent(const char *method, size_t length)
{
    static const char *const repeatable[] = {"GET",     "HEAD",  "PUT",
                                             "OPTIONS", "TRACE", "DELETE"};

    for (size_t i = 0; i < sizeof(repeatable) / sizeof(repeatable[0]); i++)
        if (strlen(repeatable[i]) == length &&
            memcmp(repeatable[i], method, length) == 0)
            return true;
    return false;
}

/** Statuses by which a backend says: not now, and not because of you. */
static bool is_passing_trouble(unsigned status)
{
    return status == 502 || status == 503 || status == 504;
}

enum retry_verdict retry_judge(const struct failed_try *failed,
                               unsigned tries_max)
{
    if (failed->tries >= tries_max)
        return RETRY_EXHAUSTED;
    if (failed->phase < TRY_WRITTEN)
        return RETRY_ALLOWED;
    if (failed->phase == TRY_ANSWERED && !is_passing_trouble(failed->status))
        return RETRY_ANSWER_STANDS;
    if (!failed->body_kept)
        return RETRY_BODY_GONE;
    if (!method_is_idempotent(failed->method, failed->method_length))
        return RETRY_UNSAFE;
    return RETRY_ALLOWED;
}

/** base_ms, doubled for each try after the first, but cap_ms at most. */
static uint64_t backoff_ceiling(const struct retry_settings *settings,
                                unsigned tries)
{
    uint64_t ceiling = settings->base_ms;

    if (ceiling >= settings->cap_ms)
        return settings->cap_ms;
    if (ceiling == 0)
        return 0;
    for (unsigned doubled = 1; doubled < tries; doubled++) {
        if (ceiling > settings->cap_ms / 2)
            return settings->cap_ms;
        ceiling *= 2;
    }
    return ceiling;
}

uint64_t retry_backoff_ms(const struct retry_settings *settings, unsigned tries,
                          uint64_t random)
{
    uint64_t ceiling = backoff_ceiling(settings, tries);

    return ceiling == UINT64_MAX ? random : random % (ceiling + 1);
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/** The largest number stands for all that are larger. */
static uint64_t multiply_add(uint64_t number, uint64_t times, uint64_t plus)
{
    if (number > (UINT64_MAX - plus) / times)
        return UINT64_MAX;
    return number * times + plus;
}

bool retry_after_parse(const char *value, size_t length, uint64_t *wait_ms)
{
    uint64_t seconds = 0;

    while (length > 0 && is_blank(value[0])) {
        value++;
        length--;
    }
    while (length > 0 && is_blank(value[length - 1]))
        length--;
    if (length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (value[i] < '0' || value[i] > '9')
            return false;
        seconds = multiply_add(seconds, 10, (uint64_t)(value[i] - '0'));
    }
    *wait_ms = multiply_add(seconds, 1000, 0);
    return true;
}

bool retry_wait(const struct retry_settings *settings, unsigned tries,
                uint64_t random, uint64_t asked_ms, uint64_t *wait_ms)
{
    uint64_t backoff = retry_backoff_ms(settings, tries, random);

    if (asked_ms > settings->wait_max_ms)
        return false;
    if (backoff > settings->wait_max_ms - asked_ms)
        backoff = settings->wait_max_ms - asked_ms;
    *wait_ms = asked_ms + backoff;
    return true;
}

static bool token_take(struct exchange *exchange)
{
    struct retry_budget *budget = exchange->budget;
    uint64_t allowed = (uint64_t)budget->in_flight * budget->percent / 100;

    if (allowed < budget->at_least)
        allowed = budget->at_least;
    if (budget->retrying >= allowed)
        return false;
    budget->retrying++;
    exchange->has_token = true;
    return true;
}

static void token_give(struct exchange *exchange)
{
    if (!exchange->has_token)
        return;
    exchange->has_token = false;
    exchange->budget->retrying--;
}

void exchange_begin(struct exchange *exchange, struct retry_budget *budget)
{
    *exchange = (struct exchange){.budget = budget, .running = true};
    budget->in_flight++;
}

enum retry_verdict exchange_failed(struct exchange *exchange,
                                   const struct failed_try *failed,
                                   const struct retry_settings *settings)
{
    enum retry_verdict verdict = retry_judge(failed, settings->tries_max);

    token_give(exchange);
    if (verdict == RETRY_ALLOWED && !token_take(exchange))
        verdict = RETRY_BUDGET_SPENT;
    return verdict;
}

void exchange_end(struct exchange *exchange)
{
    token_give(exchange);
    if (!exchange->running)
        return;
    exchange->running = false;
    exchange->budget->in_flight--;
}

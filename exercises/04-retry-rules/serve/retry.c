/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Your rules in a real balancer. This file takes the place of the chapter's
 * retry.c and keeps the promise of retry.h:
 *
 *     how a try ended                      your phase
 *     ATTEMPT_UNCONNECTED                  TRY_UNCONNECTED
 *     ATTEMPT_UNANSWERED                   TRY_WRITTEN: a part of it, maybe
 *     ATTEMPT_ANSWERED                     TRY_ANSWERED, and passed on
 *     ATTEMPT_ABANDONED                    none: nobody is left to answer to
 *
 * It asks retry_judge(), and with it method_is_idempotent(). This balancer
 * counts the tries itself, tries again at once, and passes each response on as
 * it comes. So your waits, your budget and your rules for 502, 503 and 504 have
 * nothing to do here.
 */
#include "retry.h"

#include "http.h"
#include "retry_rules.h"

#include <stdio.h>
#include <stdlib.h>

/** What your rules have to know of a try, told in their words. */
static struct failed_try told(enum attempt ended, struct text method,
                              bool body_kept)
{
    static const enum try_phase phases[] = {
        [ATTEMPT_UNCONNECTED] = TRY_UNCONNECTED,
        [ATTEMPT_UNANSWERED] = TRY_WRITTEN,
        [ATTEMPT_ANSWERED] = TRY_ANSWERED,
    };

    return (struct failed_try){
        .method = method.at,
        .method_length = method.length,
        .phase = phases[ended],
        .status = 200,
        .tries = 1, /* whoever calls us counts them */
        .body_kept = body_kept,
        .passed_on = ended == ATTEMPT_ANSWERED,
    };
}

static enum retry_verdict judge(enum attempt ended, struct text method,
                                bool body_kept)
{
    struct failed_try failed = told(ended, method, body_kept);

    return retry_judge(&failed, TRIES_MAX);
}

/**
 * Before main() begins: ask for the plainest case of all. Rules that forbid it
 * have not been written yet, and clients should not have to find that out.
 */
__attribute__((constructor)) static void rehearse(void)
{
    if (judge(ATTEMPT_UNCONNECTED, (struct text){"GET", 3}, true) ==
        RETRY_ALLOWED)
        return;
    fputs("exercises/04-retry-rules: retry_judge() does not say RETRY_ALLOWED "
          "for a GET that met no connection.\n"
          "Do the TODOs first: make grade EX=04\n",
          stderr);
    exit(2);
}

bool retry_may(enum attempt ended, const struct head *head, bool body_kept)
{
    if (ended == ATTEMPT_ABANDONED)
        return false;
    return judge(ended, head->method, body_kept) == RETRY_ALLOWED;
}

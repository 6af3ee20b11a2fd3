/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The whole decision stands here, and here alone. It looks at facts and
 * touches nothing, so every case of it can be tested without a network.
 */
#include "retry.h"

#include "http.h"

/** Does doing it twice mean the same as doing it once (RFC 9110, 9.2.2)? */
static bool is_idempotent(struct text method)
{
    static const char *const repeatable[] = {"GET",     "HEAD",  "PUT",
                                             "OPTIONS", "TRACE", "DELETE"};

    for (size_t i = 0; i < sizeof(repeatable) / sizeof(repeatable[0]); i++)
        if (text_is(method, repeatable[i]))
            return true;
    return false; /* what we do not know may do anything */
}

bool retry_may(enum attempt ended, const struct head *head, bool body_kept)
{
    switch (ended) {
    case ATTEMPT_UNCONNECTED: return true;
    case ATTEMPT_UNANSWERED: return body_kept && is_idempotent(head->method);
    case ATTEMPT_ANSWERED:
    case ATTEMPT_ABANDONED: return false;
    }
    return false;
}

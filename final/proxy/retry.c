/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The whole decision stands here, and here alone. It looks at facts and touches
 * nothing, so every case of it can be tested without a network.
 */
#include "proxy/retry.h"

#include "base/settings.h"

bool retry_may(enum attempt ended, const struct retry_facts *facts,
               const struct settings *settings)
{
    bool harmless =
        !facts->was_sent || (facts->is_idempotent && facts->is_kept);

    switch (ended) {
    case ATTEMPT_UNCONNECTED:
    case ATTEMPT_SHORT: /* there may be a connection to another, at rest */
        return facts->unconnected < settings->connect_tries;
    case ATTEMPT_STALE: return harmless && !facts->was_stale;
    case ATTEMPT_UNANSWERED:
        return harmless && facts->repeated < settings->retries;
    case ATTEMPT_SLOW:
    case ATTEMPT_ANSWERED:
    case ATTEMPT_ABANDONED: return false;
    }
    return false;
}

const char *attempt_words(enum attempt ended)
{
    switch (ended) {
    case ATTEMPT_UNCONNECTED: return "unconnected";
    case ATTEMPT_SHORT: return "short";
    case ATTEMPT_STALE: return "stale";
    case ATTEMPT_UNANSWERED: return "unanswered";
    case ATTEMPT_SLOW: return "slow";
    case ATTEMPT_ANSWERED: return "broken";
    case ATTEMPT_ABANDONED: return "abandoned";
    }
    return "";
}

bool attempt_is_blamed(enum attempt ended)
{
    switch (ended) {
    case ATTEMPT_UNCONNECTED:
    case ATTEMPT_UNANSWERED:
    case ATTEMPT_SLOW:
    case ATTEMPT_ANSWERED: return true;
    case ATTEMPT_SHORT:
    case ATTEMPT_STALE:
    case ATTEMPT_ABANDONED: return false;
    }
    return false;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "proxy/state.h"

#define TO(state) (1u << STATE_##state)

const struct state_row *state_row(enum state state)
{
    static const struct state_row rows[] = {
#define X(state, limit, words, next) {#state, words, next, SETTING_##limit},
        SESSION_STATES(X)
#undef X
    };

    return &rows[state];
}

int64_t state_limit_ms(enum state state, const struct settings *settings)
{
    const int64_t limits[] = {
#define X(state, limit, words, next) settings->limit,
        SESSION_STATES(X)
#undef X
    };

    return limits[state];
}

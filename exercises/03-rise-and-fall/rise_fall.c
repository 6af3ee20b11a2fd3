/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Yours to write. The header says what each function promises, the README what
 * it is good for, with an example and hints. The fields of struct rise_fall are
 * a proposal; what they mean stands beside them.
 */
#include "rise_fall.h"

/* TODO(03.1): nothing is known yet. */
void rise_fall_init(struct rise_fall *history,
                    const struct rise_fall_settings *settings)
{
    *history = (struct rise_fall){.settings = *settings};
}

/* TODO(03.2): the first probe decides; then rows are counted.
   TODO(03.3): at each change the rise is set anew. */
enum rise_fall_news rise_fall_probe(struct rise_fall *history, bool is_good,
                                    int64_t now_ms)
{
    (void)history;
    (void)is_good;
    (void)now_ms;
    return NEWS_NONE;
}

/* TODO(03.4): a request has failed; does it tell of now? */
enum rise_fall_news rise_fall_blame(struct rise_fall *history, int64_t sent_ms,
                                    int64_t now_ms)
{
    (void)history;
    (void)sent_ms;
    (void)now_ms;
    return NEWS_NONE;
}

bool rise_fall_is_up(const struct rise_fall *history)
{
    (void)history;
    return false;
}

unsigned rise_fall_rise(const struct rise_fall *history)
{
    (void)history;
    return 0;
}

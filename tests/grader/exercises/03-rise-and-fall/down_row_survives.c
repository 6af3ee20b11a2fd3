/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* wrong: counts only the row that matters now, and leaves the good ones there when it comes up */
/* caught by: rows_begin_anew */
#include "rise_fall.h"

void rise_fall_init(struct rise_fall *history,
                    const struct rise_fall_settings *settings)
{
    *history =
        (struct rise_fall){.settings = *settings, .rise = settings->rise};
}

/** From now on the verdict is this, and both rows are empty. */
static enum rise_fall_news decide(struct rise_fall *history, bool is_up)
{
    history->is_known = true;
    history->is_up = is_up;
    history->bad = 0;
    return is_up ? NEWS_UP : NEWS_DOWN;
}

/** Twice as many as now, but no more than there may be. */
static unsigned rise_doubled(const struct rise_fall *history)
{
    unsigned most = history->settings.rise_max;

    return history->rise > most / 2 ? most : history->rise * 2;
}

/** The other verdict from now on. */
static enum rise_fall_news change(struct rise_fall *history, int64_t now_ms)
{
    bool flaps = history->has_changed &&
                 now_ms - history->changed_ms < history->settings.window_ms;

    history->rise = flaps ? rise_doubled(history) : history->settings.rise;
    history->has_changed = true;
    history->changed_ms = now_ms;
    return decide(history, !history->is_up);
}

/** One more of this kind, and none of the other. */
static enum rise_fall_news count(struct rise_fall *history, bool is_good,
                                 int64_t now_ms)
{
    if (history->is_up)
        history->bad = is_good ? 0 : history->bad + 1;
    else
        history->good = is_good ? history->good + 1 : 0;
    if (history->is_up && history->bad >= history->settings.fall)
        return change(history, now_ms);
    if (!history->is_up && history->good >= history->rise)
        return change(history, now_ms);
    return NEWS_NONE;
}

enum rise_fall_news rise_fall_probe(struct rise_fall *history, bool is_good,
                                    int64_t now_ms)
{
    if (!history->is_known)
        return decide(history, is_good);
    return count(history, is_good, now_ms);
}

enum rise_fall_news rise_fall_blame(struct rise_fall *history, int64_t sent_ms,
                                    int64_t now_ms)
{
    if (!history->is_known)
        return NEWS_NONE;
    if (history->has_changed && sent_ms < history->changed_ms)
        return NEWS_NONE;
    return count(history, false, now_ms);
}

bool rise_fall_is_up(const struct rise_fall *history)
{
    return history->is_up;
}

unsigned rise_fall_rise(const struct rise_fall *history)
{
    return history->rise;
}

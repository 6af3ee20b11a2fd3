/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The graded tests of rise and fall. A history is a string, one letter for each
 * thing that happens, and so is what comes of it:
 *
 *     +  a good probe            U  up
 *     -  a bad probe             D  down
 *     x  a failed request, sent just now
 *
 * One second passes before each of them.
 */
#include "grade.h"
#include "rise_fall.h"

#include <string.h>

enum { STEPS_MAX = 200 };

/** A backend, and what has happened to it so far. */
struct player {
    struct rise_fall history;
    struct rise_fall_settings settings;
    int64_t now_ms;
    char done[STEPS_MAX + 1];     /**< what happened */
    char verdicts[STEPS_MAX + 1]; /**< U or D after each */
    char news[STEPS_MAX + 1];     /**< U, D or . for none, from each */
    size_t length;
};

static void player_begin(struct player *player, unsigned rise, unsigned fall,
                         unsigned rise_max, int64_t window_ms)
{
    *player = (struct player){.settings = {.rise = rise,
                                           .fall = fall,
                                           .rise_max = rise_max,
                                           .window_ms = window_ms}};
    memset(&player->history, 0xa5, sizeof(player->history));
    rise_fall_init(&player->history, &player->settings);
}

static char news_letter(enum rise_fall_news news)
{
    switch (news) {
    case NEWS_NONE: return '.';
    case NEWS_UP: return 'U';
    case NEWS_DOWN: return 'D';
    }
    return '?';
}

/** One thing happens now. */
static void player_step(struct player *player, char what)
{
    enum rise_fall_news news;
    char verdict;

    expect(player->length < STEPS_MAX, "This test is too long.");
    step("With rise %u, fall %u, at most %u, window %d ms. Happened, one per "
         "second: \"%s\"; now comes %c. (+ a good probe, - a bad one, x a "
         "failed request.)",
         player->settings.rise, player->settings.fall,
         player->settings.rise_max, (int)player->settings.window_ms,
         player->done, what);
    news =
        what == 'x'
            ? rise_fall_blame(&player->history, player->now_ms, player->now_ms)
            : rise_fall_probe(&player->history, what == '+', player->now_ms);
    verdict = rise_fall_is_up(&player->history) ? 'U' : 'D';
    player->done[player->length] = what;
    player->verdicts[player->length] = verdict;
    player->news[player->length] = news_letter(news);
    player->length++;
}

/** All of these happen, a second before each; then the verdicts so far, all of
    them or the last ones, are compared. */
static void expect_verdicts(struct player *player, const char *happens,
                            const char *want, const char *look)
{
    const char *got;

    for (; *happens != '\0'; happens++) {
        player->now_ms += 1000;
        player_step(player, *happens);
    }
    got = player->verdicts + player->length - strlen(want);
    expect(strcmp(got, want) == 0,
           "With rise %u, fall %u, at most %u, window %d ms. Happened, one per "
           "second:\n%s\n%s  came as verdict\n%*s%s  should have come. (+ a "
           "good probe, - a bad one, x a failed request; U up, D down.) %s",
           player->settings.rise, player->settings.fall,
           player->settings.rise_max, (int)player->settings.window_ms,
           player->done, player->verdicts, (int)(player->length - strlen(want)),
           "", want, look);
}

static void expect_rise(const struct player *player, unsigned want,
                        const char *when, const char *look)
{
    unsigned got = rise_fall_rise(&player->history);

    expect(got == want,
           "With rise %u, at most %u, window %d ms. Happened, one per "
           "second:\n%s\n%s  as verdict\n%s it should take %u good probes in a "
           "row to come up; rise_fall_rise() says %u. %s",
           player->settings.rise, player->settings.rise_max,
           (int)player->settings.window_ms, player->done, player->verdicts,
           when, want, got, look);
}

GRADE_TEST(first_decides, 1, "the first probe decides alone")
{
    struct player player;

    player_begin(&player, 3, 3, 8, 1000);
    expect(!rise_fall_is_up(&player.history),
           "Before the first probe nothing is known, so it is not up.");
    expect_verdicts(&player, "+", "U", "See hint 1 of TODO(03.2).");
    expect(player.news[0] == 'U', "The first probe was good: that is NEWS_UP.");
    player_begin(&player, 3, 3, 8, 1000);
    expect_verdicts(&player, "-", "D", "See hint 1 of TODO(03.2).");
    expect(player.news[0] == 'D',
           "The first probe was bad: that is NEWS_DOWN, although it was not up "
           "before. Somebody wants to know.");
    expect_verdicts(&player, "++", "DDD",
                    "Only the first one decides alone: hint 1 of TODO(03.2).");
    player_begin(&player, 3, 3, 8, 1000);
    expect_verdicts(&player, "xxx+", "DDDU",
                    "Failed requests before the first probe change nothing: "
                    "hint 1 of TODO(03.4).");
}

GRADE_TEST(rows, 2, "so many in a row, and one of the other kind ends a row")
{
    static const char *const look =
        "Count each row: hints 2 and 3 of TODO(03.2).";
    struct player player;

    player_begin(&player, 2, 3, 2, 1);
    expect_verdicts(&player, "+-+---++", "UUUUUDDU", look);
    expect_verdicts(&player, "--+--+-+--", "UUUUUUUUUU", look);
    expect_verdicts(&player, "-+-+-+-", "DDDDDDD", look);
    expect_verdicts(&player, "++", "DU", look);
    player_begin(&player, 1, 1, 1, 1);
    expect_verdicts(&player, "+-+-", "UDUD", look);
    player_begin(&player, 4, 2, 4, 1);
    expect_verdicts(&player, "--+++-++++-+--", "DDDDDDDDDUUUUD", look);
}

GRADE_TEST(rows_begin_anew, 1, "a verdict begins with no row of either kind")
{
    struct player player;

    player_begin(&player, 3, 2, 3, 1);
    expect_verdicts(&player, "+++++--++", "UUUUUUDDD",
                    "Good ones from before do not count: hint 3 of "
                    "TODO(03.2).");
    player_begin(&player, 2, 3, 2, 1);
    expect_verdicts(&player, "+++++---------++-", "UUUUUUUDDDDDDDDUU",
                    "Bad ones from before do not count: hint 3 of TODO(03.2).");
    player_begin(&player, 2, 2, 2, 1);
    expect_verdicts(&player, "+-", "UU",
                    "The first probe is no part of a row: hint 3 of "
                    "TODO(03.2).");
    player_begin(&player, 2, 2, 2, 1);
    expect_verdicts(&player, "-+", "DD",
                    "The first probe is no part of a row: hint 3 of "
                    "TODO(03.2).");
    player_begin(&player, 2, 2, 2, 1);
    expect_verdicts(&player, "-++--+", "DDUUDD",
                    "The good ones that brought it up do not count again: hint "
                    "3 of TODO(03.2).");
}

GRADE_TEST(told_once, 1, "a change is told once, when it happens")
{
    struct player player;
    static const char *const happens = "++---+---+++---";
    static const char *const want = "U...D......U..D";

    player_begin(&player, 3, 3, 3, 1);
    for (const char *next = happens; *next != '\0'; next++) {
        player.now_ms += 1000;
        player_step(&player, *next);
    }
    expect(strcmp(player.news, want) == 0,
           "With rise 3, fall 3. Happened, one per second:\n%s\n%s  came as "
           "news\n%s  should have come. (U NEWS_UP, D NEWS_DOWN, . NEWS_NONE.) "
           "A change is told when it happens, and not again: see hint 2 of "
           "TODO(03.2).",
           player.done, player.news, want);
}

GRADE_TEST(flapping_is_damped, 2, "a change soon after one makes rising longer")
{
    static const char *const look = "See hints 1 and 2 of TODO(03.3).";
    struct player player;

    player_begin(&player, 2, 1, 16, 10000);
    expect_verdicts(&player, "+-", "UD", "One bad probe is enough here.");
    expect_rise(&player, 2, "After the first change ever,",
                "The first verdict was no change: hint 2 of TODO(03.3).");
    expect_verdicts(&player, "++", "DU", look);
    expect_rise(&player, 4, "After going down and up within 2 s,", look);
    expect_verdicts(&player, "-", "D", look);
    expect_rise(&player, 8, "After down, up and down within 3 s,", look);
    expect_verdicts(&player, "+++++++", "DDDDDDD", look);
    expect_verdicts(&player, "+", "U", look);
    expect_rise(&player, 16, "After coming up 8 s after going down,", look);

    player_begin(&player, 1, 1, 16, 10000);
    expect_verdicts(&player, "-+", "DU", look);
    expect_rise(&player, 1, "After a bad first probe and the first change,",
                "The first verdict was no change: hint 2 of TODO(03.3).");
}

GRADE_TEST(calm_forgets, 1, "damping has a bound, and calm ends it")
{
    static const char *const look =
        "Doubled, but at most so many: hint 3 of TODO(03.3).";
    struct player player;

    player_begin(&player, 3, 1, 10, 5000);
    player.now_ms = -100000;
    expect_verdicts(&player, "+-+++-", "UDDDUD", "See hint 1 of TODO(03.3).");
    expect_rise(&player, 10, "After three changes, each soon after the other,",
                "3, 6, and then not 12 but 10: hint 3 of TODO(03.3).");
    expect_verdicts(&player, "++++++++++", "DDDDDDDDDU", look);
    expect_rise(&player, 3, "After coming up 10 s after going down,",
                "That is longer than the window: calm. Hint 2 of TODO(03.3).");
    player.now_ms += 3999;
    expect_verdicts(&player, "-", "D", look);
    expect_rise(&player, 6, "After going down 4999 ms after coming up,",
                "That is less than the window.");
    expect_verdicts(&player, "++++++", "DDDDDU", look);
    expect_rise(&player, 3, "After coming up again 6 s later,", look);
    player.now_ms += 4000;
    expect_verdicts(&player, "-", "D", look);
    expect_rise(&player, 3, "After going down 5000 ms after coming up,",
                "Exactly the window is not less than the window: hint 2 of "
                "TODO(03.3).");

    player_begin(&player, 1, 1, 4, 10000);
    step("With rise 1, fall 1, at most 4: a good probe, then 50 times a bad "
         "one and four good ones, all in the same millisecond. Does something "
         "overflow? See hint 3 of TODO(03.3).");
    rise_fall_probe(&player.history, true, 0);
    for (int i = 0; i < 50; i++) {
        rise_fall_probe(&player.history, false, 0);
        for (int good = 0; good < 4; good++)
            rise_fall_probe(&player.history, true, 0);
    }
    expect(rise_fall_is_up(&player.history) &&
               rise_fall_rise(&player.history) == 4,
           "With rise 1, fall 1, at most 4: a good probe, then 50 times a bad "
           "one and four good ones, all in the same millisecond. It should be "
           "up, with a rise of 4; it is %s, and rise_fall_rise() says %u. Does "
           "something overflow? Hint 3 of TODO(03.3).",
           rise_fall_is_up(&player.history) ? "up" : "down",
           rise_fall_rise(&player.history));
}

GRADE_TEST(blame_counts, 1, "a failed request counts as a bad probe, at once")
{
    static const char *const look = "See hint 2 of TODO(03.4).";
    struct player player;

    player_begin(&player, 2, 3, 2, 1);
    expect_verdicts(&player, "+xxx", "UUUD", look);
    expect(player.news[3] == 'D',
           "With fall 3, three requests failed: the third is NEWS_DOWN.");
    expect_verdicts(&player, "++-x-", "DUUUD", look);
    expect_verdicts(&player, "+x+", "DDD",
                    "While it is down, a failure ends a row of good ones: hint "
                    "2 of TODO(03.4).");
    expect_verdicts(&player, "+", "U", look);
    expect_verdicts(&player, "xx+xx", "UUUUU",
                    "A good probe ends a row of failed requests: hint 2 of "
                    "TODO(03.4).");
    player_begin(&player, 1, 1, 4, 10000);
    expect_verdicts(&player, "+x+x", "UDUD", look);
    expect_rise(&player, 4, "After three changes, two of them by requests,",
                "A change is a change, whoever caused it: hint 2 of "
                "TODO(03.4).");
}

/** A request fails now that was sent then. */
static void expect_blame(struct player *player, int64_t sent_ms,
                         enum rise_fall_news want, const char *look)
{
    enum rise_fall_news got =
        rise_fall_blame(&player->history, sent_ms, player->now_ms);

    expect(got == want,
           "With rise 1, fall 1. Happened, one per second: %s. Then, at %d ms, "
           "a request failed that was sent at %d ms; the news should be %c, "
           "yours was %c (U up, D down, . none). %s",
           player->done, (int)player->now_ms, (int)sent_ms, news_letter(want),
           news_letter(got), look);
}

GRADE_TEST(old_blame, 1, "what was sent before the last change is ignored")
{
    struct player player;

    player_begin(&player, 1, 1, 1, 1);
    expect_verdicts(&player, "+-+", "UDU", "Rise 1, fall 1.");
    player.now_ms = 3500;
    expect_blame(&player, 500, NEWS_NONE,
                 "The backend has gone down and come up since: hint 3 of "
                 "TODO(03.4).");
    expect_blame(&player, 2999, NEWS_NONE,
                 "It was sent before the backend came up: hint 3 of "
                 "TODO(03.4).");
    expect_blame(&player, 3000, NEWS_DOWN,
                 "It was sent in the millisecond of the change, so it counts: "
                 "hint 3 of TODO(03.4).");
    player_begin(&player, 1, 1, 1, 1);
    player.now_ms = -5000;
    expect_verdicts(&player, "++", "UU", "Rise 1, fall 1.");
    expect_blame(&player, -4500, NEWS_DOWN,
                 "There was no change yet, so nothing is too old, and time may "
                 "begin below zero: hint 3 of TODO(03.4).");
    player_begin(&player, 2, 1, 2, 1);
    expect_verdicts(&player, "+-+", "UDD", "Rise 2, fall 1.");
    rise_fall_blame(&player.history, 1500, player.now_ms);
    expect_verdicts(&player, "+", "U",
                    "Between the two good probes a request failed that had "
                    "been sent before it went down. That may not end the row: "
                    "hint 3 of TODO(03.4).");
}

GRADE_TESTS(first_decides, rows, rows_begin_anew, told_once, flapping_is_damped,
            calm_forgets, blame_counts, old_blame)

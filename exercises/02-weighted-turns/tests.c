/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The graded tests of weighted turns. Backends have letters here, as in the
 * README: a is the one at place 0, b the one at 1; - is TURNS_NONE.
 */
#include "grade.h"
#include "weighted_turns.h"

#include <stdio.h>
#include <string.h>

enum { BACKENDS_MAX = 8, PICKS_MAX = 200 };

/** An array of turns, and what was picked from it. */
struct game {
    struct turn turns[BACKENDS_MAX];
    size_t count;
    char picks[PICKS_MAX + 1]; /* as letters, the latest at the end */
    size_t length;
};

/** Begin with these weights; all may serve. The list ends with -1. */
static void game_begin(struct game *game, const long long *weights)
{
    *game = (struct game){.count = 0};
    for (; weights[game->count] >= 0; game->count++)
        game->turns[game->count] = (struct turn){
            .weight = (unsigned)weights[game->count], .may_serve = true};
}

#define GAME(name, ...) \
    struct game name;   \
    game_begin(&name, (const long long[]){__VA_ARGS__, -1})

/** The weights as a step shows them: `5,1,1 (b may not serve)`. */
static const char *weights_of(const struct game *game)
{
    static char text[200];
    size_t at = 0;

    for (size_t i = 0; i < game->count; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%u",
                               i > 0 ? "," : "", game->turns[i].weight);
    for (size_t i = 0; i < game->count; i++)
        if (!game->turns[i].may_serve)
            at += (size_t)snprintf(text + at, sizeof(text) - at,
                                   " (%c may not serve)", (int)('a' + i));
    return text;
}

/** One more pick, checked for what no pick may do. */
static void game_pick(struct game *game)
{
    int pick;

    step("turns_pick() is called over weights %s, after %zu picks.",
         weights_of(game), game->length);
    pick = turns_pick(game->turns, game->count);
    expect(pick >= TURNS_NONE && pick < (int)game->count,
           "With %zu backends, turns_pick() returned %d, which is no place in "
           "the array.",
           game->count, pick);
    expect(game->length < PICKS_MAX, "The test picks too often.");
    game->picks[game->length++] = "-abcdefgh"[pick + 1];
    game->picks[game->length] = '\0';
}

/** Pick so often; what came is at the returned place. */
static const char *game_run(struct game *game, size_t picks)
{
    size_t from = game->length;

    for (size_t i = 0; i < picks; i++)
        game_pick(game);
    return game->picks + from;
}

/** Picks as a story shows them: what - means is said where there is one. */
static const char *shown(const char *picks)
{
    static char text[PICKS_MAX + 32];

    snprintf(text, sizeof(text), "%s%s", picks,
             strchr(picks, '-') ? " (- is TURNS_NONE)" : "");
    return text;
}

static size_t times(const char *picks, size_t length, char letter)
{
    size_t found = 0;

    for (size_t i = 0; i < length && picks[i] != '\0'; i++)
        found += picks[i] == letter;
    return found;
}

GRADE_TEST(smooth_order, 2, "a heavy backend is not served in a burst")
{
    GAME(game, 5, 1, 1);
    const char *picks = game_run(&game, 7);

    expect(strcmp(picks, "aabacaa") == 0,
           "After 7 picks over weights 5,1,1 the order should be aabacaa; "
           "yours was %s. %s",
           shown(picks),
           strncmp(picks, "aaaaa", 5) == 0
               ? "The heavy backend may not be served in a burst: see the "
                 "table in the README and hint 2 of TODO(02.1)."
           : times(picks, 7, 'a') == 5
               ? "The counts are right, the order is not: in each pick, first "
                 "all earn, then one is picked, then it pays. See the table "
                 "in the README and hint 3 of TODO(02.1)."
           : strcmp(picks, "aaaacaa") == 0
               ? "Does the one that is picked pay its own weight only? It "
                 "pays what all have earned together: hint 2 of TODO(02.1)."
               : "a should have 5 turns, b and c one each: see the table in "
                 "the README and hint 1 of TODO(02.1).");
}

GRADE_TEST(rounds_are_exact, 1, "any round gives each exactly its weight")
{
    static const size_t weights[] = {4, 3, 2};
    GAME(game, 4, 3, 2);
    const char *picks = game_run(&game, 45);

    for (size_t from = 0; from + 9 <= 45; from++)
        for (int i = 0; i < 3; i++)
            expect(times(picks + from, 9, (char)('a' + i)) == weights[i],
                   "Over weights 4,3,2 a round has 9 picks. 45 picks gave %s; "
                   "the 9 that begin at pick %zu hold %zu turns of %c, not "
                   "%zu. Does the one that is picked pay what all have earned "
                   "together? See hint 2 of TODO(02.1).",
                   shown(picks), from + 1,
                   times(picks + from, 9, (char)('a' + i)), 'a' + i,
                   weights[i]);
}

GRADE_TEST(ties_go_to_the_first, 1, "of two alike, the first has its turn")
{
    GAME(game, 1, 1, 1);
    const char *picks = game_run(&game, 7);
    GAME(pair, 2, 2);
    const char *twos = game_run(&pair, 6);

    expect(
        strcmp(picks, "abcabca") == 0,
        "7 picks over weights 1,1,1 should be abcabca; yours were %s. Where "
        "two have the same credit, the one that stands first is picked: hint 3 "
        "of TODO(02.1).",
        shown(picks));
    expect(
        strcmp(twos, "ababab") == 0,
        "6 picks over weights 2,2 should be ababab; yours were %s. Where two "
        "have the same credit, the one that stands first is picked: hint 3 "
        "of TODO(02.1).",
        shown(twos));
}

GRADE_TEST(away_is_left_out, 1, "who is down or has no weight is not picked")
{
    GAME(game, 2, 5, 1, 0);
    const char *picks;

    game.turns[1].may_serve = false;
    picks = game_run(&game, 9);
    expect(times(picks, 9, 'b') == 0,
           "Of backends with weights 2,5,1,0, b was down. 9 picks gave %s: b "
           "was picked. See hint 1 of TODO(02.2).",
           shown(picks));
    expect(times(picks, 9, 'd') == 0,
           "Of backends with weights 2,5,1,0, b was down. 9 picks gave %s: d, "
           "whose weight is 0, was picked. A weight of 0 is like being away: "
           "hint 1 of TODO(02.2).",
           shown(picks));
    expect(strcmp(picks, "acaacaaca") == 0,
           "Of backends with weights 2,5,1,0, b was down. Then a and c share "
           "all turns, two to one: acaacaaca. Yours were %s. Whoever is picked "
           "pays only what those who may serve have earned: see hint 2 of "
           "TODO(02.2).",
           shown(picks));
}

GRADE_TEST(nobody_is_no_turn, 1, "when nobody may serve, nobody is picked")
{
    GAME(game, 2, 1);
    GAME(idle, 0, 0);
    const char *picks = game_run(&game, 3);

    expect(strcmp(picks, "aba") == 0,
           "3 picks over weights 2,1 should be aba; yours were %s. See "
           "TODO(02.1) first.",
           shown(picks));
    game.turns[0].may_serve = game.turns[1].may_serve = false;
    picks = game_run(&game, 2);
    expect(strcmp(picks, "--") == 0,
           "Over weights 2,1 both went down; 2 picks should be TURNS_NONE "
           "both; yours were %s. See hint 3 of TODO(02.2).",
           shown(picks));
    game.turns[1].may_serve = true;
    picks = game_run(&game, 2);
    expect(
        strcmp(picks, "bb") == 0,
        "Over weights 2,1 both went down, then b came back. 2 picks should "
        "be bb; yours were %s. may_serve is read anew at each pick: hint 1 of "
        "TODO(02.2).",
        shown(picks));
    picks = game_run(&idle, 2);
    expect(strcmp(picks, "--") == 0,
           "Over weights 0,0 nobody has a share; 2 picks should be TURNS_NONE "
           "both; yours were %s. A weight of 0 is like being away: hint 1 of "
           "TODO(02.2).",
           shown(picks));
    step("turns_pick() is called with a count of 0.");
    expect(
        turns_pick(game.turns, 0) == TURNS_NONE,
        "With a count of 0, turns_pick() should return TURNS_NONE: hint 3 of "
        "TODO(02.2).");
}

/** One that was ahead of its turns when it went owes nothing when it is back. */
static void expect_no_debt(void)
{
    GAME(game, 6, 1);
    const char *picks;

    game_run(&game, 4);
    game.turns[1].may_serve = false;
    game_run(&game, 10);
    game.turns[1].may_serve = true;
    picks = game_run(&game, 6);
    expect(strcmp(picks, "aaaaab") == 0,
           "Over weights 6,1, b had its turn with pick 4, went down for 10 "
           "picks, and came back. The next 6 should be aaaaab; yours were %s. "
           "One that was away begins with a credit of 0, whether it was owed "
           "turns or had had too many: hint 2 of TODO(02.3).",
           shown(picks));
}

GRADE_TEST(back_without_burst, 2, "who comes back has its share, no burst")
{
    GAME(game, 1, 1, 2);
    const char *picks;

    game_run(&game, 5);
    game.turns[2].may_serve = false;
    picks = game_run(&game, 100);
    expect(times(picks, 100, 'c') == 0,
           "Over weights 1,1,2, c went down; 100 picks gave %s: c was picked "
           "while it was down. See hint 1 of TODO(02.2).",
           shown(picks));
    expect(times(picks, 100, 'a') >= 49 && times(picks, 100, 'b') >= 49,
           "Over weights 1,1,2, c went down; 100 picks should give a and b "
           "49 turns each, or more. They were %s. Whoever is picked pays only "
           "what those who may serve have earned: hint 2 of TODO(02.2).",
           shown(picks));
    game.turns[2].may_serve = true;
    picks = game_run(&game, 16);
    expect(strstr(picks, "ccc") == NULL,
           "Over weights 1,1,2, c was down for 100 picks and came back. The "
           "next 16 were %s: c is served in a burst. It may not earn credit "
           "while it is away: see hint 1 of TODO(02.3).",
           shown(picks));
    expect(times(picks, 16, 'c') >= 7 && times(picks, 16, 'c') <= 9,
           "Over weights 1,1,2, c was down for 100 picks and came back. Of the "
           "next 16 picks, c should have 7 to 9; yours were %s. See hint 2 of "
           "TODO(02.3).",
           shown(picks));
    expect_no_debt();
}

/** A change leaves the credits of the others alone. */
static void expect_debts_paid(void)
{
    GAME(game, 5, 1, 1);
    GAME(pair, 4, 3);
    const char *picks;

    game_run(&game, 3);
    game.turns[0].may_serve = false;
    picks = game_run(&game, 8);
    expect(strcmp(picks, "ccccbcbc") == 0,
           "Over weights 5,1,1, a went down after 3 picks (aab). By then b had "
           "had its turn and c had not. The next 8 should be ccccbcbc; yours "
           "were %s. When one goes, the others keep their credit: hint 2 of "
           "TODO(02.3).",
           shown(picks));
    game_run(&pair, 1);
    pair.turns[0].weight = pair.turns[1].weight = 1;
    picks = game_run(&pair, 6);
    expect(strcmp(picks, "bbbaba") == 0,
           "Over weights 4,3, both were given weight 1 after one pick. b was "
           "owed 3 by then, and that is paid first: bbbaba. Yours were %s. A "
           "change leaves each credit as it is: hint 2 of TODO(02.3).",
           shown(picks));
}

GRADE_TEST(comings_and_goings, 1, "one that flaps does not starve the others")
{
    GAME(game, 3, 1, 1);
    const char *picks;

    for (int i = 0; i < 100; i++) {
        game.turns[2].may_serve = i % 2 == 0;
        game_pick(&game);
    }
    picks = game.picks;
    for (int i = 1; i < 100; i += 2)
        expect(picks[i] != 'c',
               "Over weights 3,1,1, c went down and came back before each "
               "pick; pick %d gave it a turn while it was down. They began "
               "with %.20s. Is may_serve read? See hint 1 of TODO(02.2).",
               i + 1, picks);
    expect(
        times(picks, 100, 'b') >= 15,
        "Over weights 3,1,1, c went down and came back before each pick. Of "
        "100 picks b should still have 15 or more; it had %zu. They began "
        "with %.20s (- is TURNS_NONE). If you begin from nothing at each change, the heavy "
        "one always wins: see hint 2 of TODO(02.3).",
        times(picks, 100, 'b'), picks);
    expect(times(picks, 100, 'a') >= 55,
           "Over weights 3,1,1, c went down and came back before each pick. Of "
           "100 picks a should have 55 or more; it had %zu. They began with "
           "%.20s (- is TURNS_NONE). See hint 2 of TODO(02.3).",
           times(picks, 100, 'a'), picks);
    expect_debts_paid();
}

GRADE_TEST(large_weights, 1, "weights are shares: large ones fit, and change")
{
    GAME(game, 4000000000, 2000000000, 2000000000);
    GAME(even, 1, 1, 1);
    const char *picks = game_run(&game, 8);

    expect(strcmp(picks, "abcaabca") == 0,
           "8 picks over weights 4,000,000,000, 2,000,000,000 and "
           "2,000,000,000 should be abcaabca, as over 2,1,1; yours were %s. If "
           "smooth_order and ties_go_to_the_first pass: does their sum fit? "
           "See hint 3 of TODO(02.3).",
           shown(picks));
    game_run(&even, 3);
    even.turns[1].weight = 4;
    picks = game_run(&even, 12);
    expect(times(picks, 12, 'b') == 8,
           "After 3 picks over weights 1,1,1, b was given weight 4. Of the "
           "next 12 picks b should have 8; yours were %s. The weights are to "
           "be read anew at each pick: hint 3 of TODO(02.1).",
           shown(picks));
}

GRADE_TESTS(smooth_order, rounds_are_exact, ties_go_to_the_first,
            away_is_left_out, nobody_is_no_turn, back_without_burst,
            comings_and_goings, large_weights)

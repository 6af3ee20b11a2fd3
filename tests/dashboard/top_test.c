/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * `steelyard top` in a terminal, over a real steelyard with three backends. The
 * terminal is tmux, with a server of our own (its socket has our name), so that
 * nobody else's sessions are touched.
 */
#include "rude.h"
#include "stand.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 15000 };

static const char *const tmux_paths[] = {"/usr/bin/tmux", "/usr/local/bin/tmux",
                                         "/opt/homebrew/bin/tmux", NULL};

static struct stand stand;
static char socket_name[64];

/* --- tmux ------------------------------------------------------------------ */

static const char *tmux_path(void)
{
    const char *const *path = tmux_paths;

    while (*path != NULL && access(*path, X_OK) != 0)
        path++;
    return *path;
}

/** Run a command of tmux; tells what it prints, owned by the caller. */
static char *tmux_ask(const char *const *words)
{
    const char *argv[24] = {tmux_path(), "-u", "-f",
                            "/dev/null", "-L", socket_name};
    struct process process;
    int status = -1;

    for (size_t i = 0; words[i] != NULL; i++)
        argv[6 + i] = words[i];
    insist(process_start(&process, argv), "cannot start tmux");
    insist(holds_within(5000, process_has_ended(&process, &status)) &&
               status == 0,
           "tmux %s: %s", words[0], process_text(process.err));
    return process_text(process.out);
}

#define tmux(...) free(tmux_ask((const char *const[]){__VA_ARGS__, NULL}))

/** What is on the screen, owned by the caller. */
static char *screen_text(void)
{
    return tmux_ask((const char *const[]){"capture-pane", "-p", NULL});
}

static bool screen_has(const char *words)
{
    char *text = screen_text();
    bool answer = strstr(text, words) != NULL;

    free(text);
    return answer;
}

/** Wait until these words are on the screen, or fail with what is there. */
static void screen_shows(const char *words)
{
    insist(holds_within(PATIENCE_MS, screen_has(words)),
           "there is no \"%s\" on the screen:\n%s", words, screen_text());
}

static void press(const char *key)
{
    tmux("send-keys", key);
}

/** Start top in a terminal of this size; when it has ended, that is told. */
static void top_start(const char *width, const char *height, const char *before)
{
    char command[512];

    snprintf(command, sizeof(command),
             "env -u NO_COLOR LC_ALL=C.UTF-8 %s timeout --foreground 90 %s "
             "top --url %s; echo \"ended with $?\"; stty -a; exec cat",
             before, stand_steelyard(), stand.admin);
    tmux("new-session", "-d", "-x", width, "-y", height, command);
}

static void set_up(void)
{
    snprintf(socket_name, sizeof(socket_name), "steelyard-test-%d",
             (int)getpid());
    stand_open(&stand);
}

static void tear_down(void)
{
    tmux("kill-server");
    stand_close(&stand);
}

static const char *name_of(size_t which)
{
    return stand_url(&stand, which) + strlen("http://");
}

/** Is the selected line that of this backend? */
static void selected_is(size_t which)
{
    char words[64];

    snprintf(words, sizeof(words), ">%s", name_of(which));
    screen_shows(words);
}

/* --- what it shows --------------------------------------------------------- */

START_TEST(three_backends_are_shown_up)
{
    top_start("80", "24", "");
    screen_shows("BACKEND");
    for (size_t i = 0; i < STAND_BACKENDS; i++)
        screen_shows(name_of(i));
    screen_shows("* up");
    screen_shows("round-robin");
    screen_shows("serving for");
    screen_shows("q quit");
    stand_load(&stand, 30);
    screen_shows("tries 30,");
    screen_shows("\xe2\x96\x88"); /* a full bar */
}
END_TEST

START_TEST(a_dead_backend_is_shown_down_with_its_reason)
{
    json_t *why;

    top_start("80", "24", "");
    screen_shows("* up");
    press("Down");
    selected_is(1);
    stand_kill(&stand, 1);
    screen_shows("x down");
    screen_shows("is down, was up");
    why = stand_fact(&stand, 1, "why");
    insist(json_string_length(why) > 0, "there is no reason");
    json_decref(why);
    stand_revive(&stand, 1);
    screen_shows("is up, was down");
}
END_TEST

START_TEST(it_fits_any_window)
{
    static const struct {
        const char *width, *height;
    } sizes[] = {{"60", "15"}, {"200", "50"}, {"20", "5"}, {"80", "24"}};
    char *text;

    top_start("80", "24", "");
    screen_shows("FLIGHT");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        tmux("resize-window", "-x", sizes[i].width, "-y", sizes[i].height);
        screen_shows(i == 2 ? "? help" : name_of(0));
        if (i == 0)
            insist(holds_within(PATIENCE_MS, !screen_has("WEIGHT")),
                   "columns do not make way:\n%s", screen_text());
        if (i == 1)
            screen_shows("WHY");
    }
    screen_shows("WEIGHT");
    text = screen_text();
    ck_assert_int_eq(strncmp(text, "steelyard ", 10), 0);
    free(text);
}
END_TEST

START_TEST(colours_can_be_turned_off)
{
    bool coloured;
    char *text;

    top_start("80", "24", _i == 0 ? "" : "NO_COLOR=1");
    screen_shows("* up");
    text = tmux_ask((const char *const[]){"capture-pane", "-p", "-e", NULL});
    coloured = strstr(text, "\x1b[32m") != NULL;
    insist(coloured == (_i == 0), "%s", text);
    free(text);
}
END_TEST

START_TEST(the_list_is_sorted)
{
    top_start("80", "24", "");
    screen_shows("* up");
    press("s");
    screen_shows("sorted by name");
    press("s");
    screen_shows("sorted by state");
    stand_kill(&stand, 2);
    screen_shows("x down");
    press("Home");
    selected_is(2);
}
END_TEST

/* --- what can be done ------------------------------------------------------ */

START_TEST(a_backend_is_drained_and_brought_back)
{
    long before;

    top_start("80", "24", "");
    screen_shows("* up");
    press("Down");
    selected_is(1);
    press("d");
    screen_shows("(y or n)");
    press("n");
    screen_shows("was not changed");
    press("d");
    screen_shows("(y or n)");
    press("y");
    screen_shows("admin token:");
    tmux("send-keys", "-l", "not this one");
    screen_shows("************");
    press("Enter");
    screen_shows("that is not the token");
    insist(stand_is(&stand, 1, "up"), "drained with a wrong token");
    tmux("send-keys", "-l", STAND_TOKEN);
    press("Enter");
    screen_shows("= draining");
    insist(stand_is(&stand, 1, "draining"), "the balancer does not know");

    before = stand_count(&stand, 1, "/");
    stand_load(&stand, 30);
    ck_assert_int_eq(stand_count(&stand, 1, "/"), before);
    press("r"); /* the token is known by now */
    insist(stand_is(&stand, 1, "up"), "the balancer does not know");
    screen_shows("is up, was draining");
}
END_TEST

START_TEST(it_leaves_the_terminal_as_it_was)
{
    top_start("80", "24", "");
    screen_shows("* up");
    if (_i == 0) {
        press("q");
    } else {
        press("?");
        screen_shows("Any key goes back");
        press("x");
        screen_shows("* up");
        press("C-c");
    }
    screen_shows("ended with 0");
    screen_shows(" echo ");
    screen_shows(" icanon ");
    ck_assert(!screen_has("BACKEND"));
}
END_TEST

START_TEST(a_connection_that_broke_is_said_and_mended)
{
    top_start("80", "24", "");
    screen_shows("* up");
    stand_stop_balancer(&stand);
    screen_shows("! connection lost");
    stand_start_balancer(&stand);
    screen_shows("steelyard was started again");
    insist(holds_within(PATIENCE_MS, !screen_has("! connection lost")),
           "still lost:\n%s", screen_text());
}
END_TEST

/** Others watch the events, so many that nobody else may. */
static size_t watch_all(struct rude *watchers, size_t most)
{
    size_t count = 0;

    do {
        insist(count < most, "there is no end of places to watch from");
        insist(rude_open(&watchers[count], stand.admin_port), "cannot connect");
        rude_say(&watchers[count], "GET /events HTTP/1.1\r\n"
                                   "Host: 127.0.0.1\r\n\r\n");
        insist(rude_hear(&watchers[count], "\r\n\r\n", 5000), "no answer");
        count++;
    } while (strstr(watchers[count - 1].text, "HTTP/1.1 200") != NULL);
    return count;
}

START_TEST(without_events_the_state_is_asked_for)
{
    static struct rude watchers[1024];
    size_t count = watch_all(watchers, 1024);

    top_start("80", "24", "");
    screen_shows("* up");
    screen_shows("NO EVENTS COME: the state is asked for each second");
    stand_kill(&stand, 1);
    screen_shows("x down");
    stand_load(&stand, 20);
    screen_shows("tries 20,");
    insist(!screen_has("connection lost"), "it says that all is lost");
    stand_revive(&stand, 1);
    insist(holds_within(PATIENCE_MS, !screen_has("x down")),
           "it is not up again:\n%s", screen_text());
    while (count > 0) {
        /* tmux and the backend have copies of the descriptor. */
        shutdown(watchers[--count].fd, SHUT_RDWR);
        rude_close(&watchers[count]);
    }
    insist(holds_within(PATIENCE_MS, !screen_has("NO EVENTS COME")),
           "there is place again, and it does not follow:\n%s", screen_text());
}
END_TEST

/* --- without a terminal ---------------------------------------------------- */

/** Run top with these words behind; tells its exit status. */
static int top_run(struct process *process, const char *url)
{
    int status = -1;

    insist(
        process_start(process, (const char *const[]){stand_steelyard(), "top",
                                                     "--url", url, NULL}),
        "cannot start it");
    insist(holds_within(10000, process_has_ended(process, &status)),
           "it does not end");
    return status;
}

START_TEST(without_a_terminal_one_table_is_printed)
{
    struct process process;
    char *text;

    ck_assert_int_eq(top_run(&process, stand.admin), 0);
    text = process_text(process.out);
    ck_assert_ptr_nonnull(strstr(text, "BACKEND"));
    for (size_t i = 0; i < STAND_BACKENDS; i++)
        ck_assert_ptr_nonnull(strstr(text, name_of(i)));
    ck_assert_ptr_null(strchr(text, '\x1b'));
    free(text);
}
END_TEST

START_TEST(nobody_there_is_said)
{
    struct process process;

    stand_stop_balancer(&stand);
    ck_assert_int_eq(top_run(&process, stand.admin), 1);
    ck_assert(process_said(process.err, "steelyard top: cannot reach http://"));
    ck_assert(process_said(process.err, "is steelyard running"));
    ck_assert(!process_said(process.out, "BACKEND"));
}
END_TEST

START_TEST(somebody_else_there_is_said)
{
    struct process process;

    ck_assert_int_eq(top_run(&process, stand_url(&stand, 0)), 1);
    ck_assert(process_said(process.err, "steelyard top: "));
    ck_assert(process_said(process.err, "admin listener"));
}
END_TEST

static void no_terminal_down(void)
{
    stand_close(&stand);
}

static void add(Suite *suite, const TTest *test, int times, void (*after)(void))
{
    TCase *tcase = tcase_create(test->name);

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, after);
    tcase_add_loop_test(tcase, test, 0, times);
    suite_add_tcase(suite, tcase);
}

int main(int argc, char **argv)
{
    Suite *suite = suite_create("top");

    add(suite, three_backends_are_shown_up, 1, tear_down);
    add(suite, a_dead_backend_is_shown_down_with_its_reason, 1, tear_down);
    add(suite, it_fits_any_window, 1, tear_down);
    add(suite, colours_can_be_turned_off, 2, tear_down);
    add(suite, the_list_is_sorted, 1, tear_down);
    add(suite, a_backend_is_drained_and_brought_back, 1, tear_down);
    add(suite, it_leaves_the_terminal_as_it_was, 2, tear_down);
    add(suite, a_connection_that_broke_is_said_and_mended, 1, tear_down);
    add(suite, without_events_the_state_is_asked_for, 1, tear_down);
    add(suite, without_a_terminal_one_table_is_printed, 1, no_terminal_down);
    add(suite, nobody_there_is_said, 1, no_terminal_down);
    add(suite, somebody_else_there_is_said, 1, no_terminal_down);
    return stand_main(
        argc, argv, suite,
        tmux_path() != NULL ? NULL : "tmux is not installed (Debian: tmux)");
}

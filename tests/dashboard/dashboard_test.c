/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The dashboard in a browser, over a real steelyard with three backends: what
 * it shows when things change, and that it can be worked without a mouse, on a
 * phone, in both themes, and after a connection that broke.
 */
#include "stand.h"
#include "webdriver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 15000 };

static struct stand stand;
static struct webdriver web;

#define ROW(n) "#rows tr:nth-child(" #n ") "

/** Wait for a fact on the page, or fail with what is there instead. */
static void page_shows(const char *expression)
{
    char *text;

    if (webdriver_is_true(&web, PATIENCE_MS, expression))
        return;
    text = webdriver_text(&web, "body");
    ck_abort_msg("not true on the page: %s\n%s\n%s", expression, web.fault,
                 text);
}

/** Does the first such element have these words in it? */
static void page_says(const char *selector, const char *words)
{
    json_t *string = json_string(words);
    char *quoted = json_dumps(string, JSON_ENCODE_ANY);
    char expression[1024];

    snprintf(expression, sizeof(expression),
             "document.querySelector('%s').textContent.includes(%s)", selector,
             quoted);
    page_shows(expression);
    free(quoted);
    json_decref(string);
}

static void press(const char *keys)
{
    insist(webdriver_press(&web, keys), "%s", web.fault);
}

static void set_up(void)
{
    stand_open(&stand);
    insist(webdriver_open(&web, 1280, 900), "%s", web.fault);
    insist(webdriver_go(&web, stand.admin), "%s", web.fault);
    page_says("#link-text", "live");
    page_shows("document.querySelectorAll('#rows tr').length === 3");
}

static void tear_down(void)
{
    webdriver_end(&web);
    stand_close(&stand);
}

/** Press Tab until the element has the focus, as somebody without a mouse. */
static void tab_to(const char *selector)
{
    char expression[256];

    snprintf(expression, sizeof(expression),
             "document.activeElement === document.querySelector('%s')",
             selector);
    for (int i = 0; i < 60 && !webdriver_is_true(&web, 0, expression); i++)
        press(WEBDRIVER_TAB);
    page_shows(expression);
}

/** Give the token to the dialog that asks for it. */
static void give_token(const char *token)
{
    page_shows("document.querySelector('#token-dialog').open && "
               "document.activeElement.id === 'token'");
    press(token);
    press(WEBDRIVER_ENTER);
}

/* --- what it shows --------------------------------------------------------- */

static void expect_quiet_console(void)
{
    json_t *lines = webdriver_console(&web);
    char *text = json_dumps(lines, JSON_INDENT(2));

    insist(lines != NULL, "%s", web.fault);
    insist(json_array_size(lines) == 0, "the console says: %s", text);
    free(text);
    json_decref(lines);
}

START_TEST(three_backends_are_shown_up)
{
    for (int i = 0; i < STAND_BACKENDS; i++) {
        char selector[64];

        snprintf(selector, sizeof(selector), "#rows tr:nth-child(%d) .url",
                 i + 1);
        page_says(selector, stand_url(&stand, (size_t)i));
        snprintf(selector, sizeof(selector), "#rows tr:nth-child(%d) .word",
                 i + 1);
        page_says(selector, "up");
    }
    page_says("#summary", "3 up");
    page_says("#fact-state", "serving");
    page_says("#fact-policy", "round-robin");
    expect_quiet_console();
}
END_TEST

START_TEST(requests_are_counted_as_they_come)
{
    page_says("#tile-tries", "0");
    stand_load(&stand, 30);
    page_says("#tile-tries", "30");
    page_says(ROW(1) ".tries", "10");
    page_shows("CHARTS[0].lines[0].path.getAttribute('d').includes('L')");
    page_says("#charts figure:nth-child(1) .reading", "requests 0");
    expect_quiet_console();
}
END_TEST

START_TEST(a_dead_backend_is_shown_down_with_its_reason)
{
    json_t *why;

    stand_kill(&stand, 1);
    insist(stand_is(&stand, 1, "down"), "the balancer does not notice");
    page_says(ROW(2) ".word", "down");
    why = stand_fact(&stand, 1, "why");
    insist(json_string_length(why) > 0, "there is no reason");
    page_shows("document.querySelector('" ROW(2) ".why').textContent !== ''");
    page_says(ROW(2) ".why", json_string_value(why));
    json_decref(why);
    page_says("#summary", "1 down");
    page_says("#events", "is down, was up");
    stand_revive(&stand, 1);
    page_says(ROW(2) ".word", "up");
    page_says("#events li:first-child", "is up, was down");
}
END_TEST

START_TEST(what_comes_from_outside_is_text)
{
    /* All at once: a second later, what is true would stand there again. */
    json_t *found = webdriver_script(
        &web,
        "const evil = '<img src=x onerror=document.title=1>\\u202e\\u0007';"
        "const made = () => document.querySelectorAll('img').length;"
        "addNote({time: new Date().toISOString(), level: evil, text: evil});"
        "showStatus({...status, version: evil, listening: evil, policy: evil,"
        " config: {generation: 1, differs: true, why: evil, file: evil},"
        " backends: [{...status.backends[0], url: evil, why: evil,"
        " state: evil}]});"
        "return {made: made(), text: document.body.textContent};");
    const char *text = json_string_value(json_object_get(found, "text"));

    insist(text != NULL, "%s", web.fault);
    ck_assert_int_eq(json_integer_value(json_object_get(found, "made")), 0);
    ck_assert_ptr_nonnull(strstr(text, "<img src=x"));
    ck_assert_ptr_null(strstr(text, "\xe2\x80\xae"));
    ck_assert_ptr_null(strchr(text, '\a'));
    json_decref(found);
}
END_TEST

/* --- what can be done ------------------------------------------------------ */

START_TEST(a_backend_is_drained_and_brought_back_by_keyboard)
{
    long before;

    press(WEBDRIVER_TAB);
    page_shows("document.activeElement.className === 'skip'");
    tab_to(ROW(2) ".ready");
    press(WEBDRIVER_ENTER);
    give_token("not this one");
    page_says("#token-wrong", "not the token");
    insist(stand_is(&stand, 1, "up"), "drained with a wrong token");
    give_token(STAND_TOKEN);
    page_says(ROW(2) ".word", "draining");
    insist(stand_is(&stand, 1, "draining"), "the balancer does not know");
    page_says("#said", "is draining");

    before = stand_count(&stand, 1, "/");
    stand_load(&stand, 30);
    ck_assert_int_eq(stand_count(&stand, 1, "/"), before);

    /* The focus is where it was, and the token is known by now. */
    page_shows("document.activeElement === document.querySelector('" ROW(
        2) ".ready')");
    press(WEBDRIVER_ENTER);
    page_says(ROW(2) ".word", "up");
    insist(stand_is(&stand, 1, "up"), "the balancer does not know");
    stand_load(&stand, 30);
    ck_assert_int_gt(stand_count(&stand, 1, "/"), before);
}
END_TEST

START_TEST(a_person_who_gives_no_token_changes_nothing)
{
    insist(webdriver_click(&web, ROW(1) ".ready"), "%s", web.fault);
    page_shows("document.querySelector('#token-dialog').open");
    press(WEBDRIVER_ESCAPE);
    page_shows("!document.querySelector('#token-dialog').open");
    page_says("#said", "Nothing was changed");
    insist(stand_is(&stand, 0, "up"), "it was drained");
}
END_TEST

START_TEST(draining_the_last_one_is_asked_twice)
{
    insist(webdriver_click(&web, ROW(1) ".ready"), "%s", web.fault);
    give_token(STAND_TOKEN);
    page_says(ROW(1) ".word", "draining");
    insist(webdriver_click(&web, ROW(2) ".ready"), "%s", web.fault);
    page_says(ROW(2) ".word", "draining");
    insist(webdriver_click(&web, ROW(3) ".ready"), "%s", web.fault);
    page_shows("document.querySelector('#sure-dialog').open");
    press(WEBDRIVER_ENTER); /* on what has the focus: leave it */
    page_shows("!document.querySelector('#sure-dialog').open");
    insist(stand_is(&stand, 2, "up"), "it was drained all the same");
    insist(webdriver_click(&web, ROW(3) ".ready"), "%s", web.fault);
    insist(webdriver_click(&web, "#sure-yes"), "%s", web.fault);
    page_says(ROW(3) ".word", "draining");
    page_says("#fact-state", "no backend is up");
}
END_TEST

START_TEST(a_weight_is_set)
{
    json_t *weight;

    tab_to(ROW(3) ".weight");
    press("5");
    /* What comes meanwhile does not take it away. */
    page_shows("points.length > 2");
    press(WEBDRIVER_ENTER);
    give_token(STAND_TOKEN);
    page_says("#said", "has weight 5 now");
    page_shows("document.querySelector('" ROW(3) ".weight').value === '5'");
    weight = stand_fact(&stand, 2, "weight");
    ck_assert_int_eq(json_integer_value(weight), 5);
    json_decref(weight);
    stand_load(&stand, 70);
    ck_assert_int_eq(stand_count(&stand, 2, "/"), 50);
}
END_TEST

START_TEST(a_moment_of_a_chart_is_read_by_keyboard)
{
    stand_load(&stand, 5);
    tab_to("#charts figure:nth-child(1) .plot");
    press(WEBDRIVER_LEFT WEBDRIVER_LEFT);
    page_says("#charts figure:nth-child(1) .reading", "2 seconds ago");
    page_shows("document.activeElement.getAttribute('aria-valuetext')"
               ".includes('2 seconds ago')");
    press(WEBDRIVER_ESCAPE);
    page_says("#charts figure:nth-child(1) .reading", "at most");
}
END_TEST

/* --- what may go wrong ----------------------------------------------------- */

START_TEST(a_connection_that_broke_is_said_and_mended)
{
    stand_stop_balancer(&stand);
    page_says("#link-text", "lost");
    page_says("#banner", "The connection to steelyard is lost");
    page_shows("document.querySelector('#banner').getClientRects().length > 0");
    stand_start_balancer(&stand);
    page_says("#link-text", "live");
    page_shows("document.querySelector('#banner').hidden");
    page_says("#summary", "3 up");
    page_says("#events", "steelyard was started again");
}
END_TEST

/* --- for everybody --------------------------------------------------------- */

START_TEST(a_phone_needs_no_scrolling_sideways)
{
    static const unsigned widths[] = {320, 360, 600, 900, 1100, 1280};
    char expression[128];

    /* (A phone would make innerWidth as wide as the page.) */
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
        insist(webdriver_size(&web, widths[i], 800), "%s", web.fault);
        snprintf(expression, sizeof(expression),
                 "document.documentElement.scrollWidth <= %u", widths[i]);
        page_shows(expression);
    }
    insist(webdriver_size(&web, 360, 800), "%s", web.fault);
    page_shows("[...document.querySelectorAll('#rows button')].every("
               "(b) => b.getBoundingClientRect().height >= 44)");
}
END_TEST

/* The contrast of all text that is seen, by the formula of WCAG 2.1: what has
 * less than 4.5 to 1 (3 to 1 where it is large). */
static const char contrast[] =
    "const numbers = (c) => c.match(/[0-9.]+/g).map(Number);"
    "const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)"
    "  .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)"
    "  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);"
    "const ground = (e) => { for (; e !== null; e = e.parentElement) {"
    "  const c = numbers(getComputedStyle(e).backgroundColor);"
    "  if (c.length === 3 || c[3] === 1) return c; }"
    "  return [255, 255, 255]; };"
    "const bad = []; let seen = 0;"
    "const look = () => { for (const e of document.querySelectorAll('*')) {"
    "  const own = [...e.childNodes].some((n) => n.nodeType === 3 &&"
    "    n.data.trim() !== '');"
    "  if ((!own && e.tagName !== 'INPUT') || !e.checkVisibility() ||"
    "    e.getClientRects().length === 0) continue;"
    "  const style = getComputedStyle(e);"
    "  const pair = [light(numbers(style.color)), light(ground(e))].sort();"
    "  const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);"
    "  const large = parseFloat(style.fontSize) >= 24; seen++;"
    "  if (ratio < (large ? 3 : 4.5))"
    "    bad.push(`${e.tagName}#${e.id}.${e.className} ${ratio.toFixed(2)}: `"
    "      + e.textContent.trim().slice(0, 40)); } };"
    "document.getElementById('banner').hidden = false;"
    "document.getElementById('banner-text').textContent = 'lost';"
    "say('something is wrong', true);"
    "for (const state of ['up', 'down', 'draining', 'unresolved', 'lost',"
    "  'polling', 'live', 'wait']) {"
    "  for (const badge of document.querySelectorAll('.badge'))"
    "    badge.dataset.state = state;"
    "  look(); }"
    "for (const dialog of document.querySelectorAll('dialog')) {"
    "  dialog.showModal();"
    "  document.getElementById('token-wrong').textContent = 'wrong';"
    "  look(); dialog.close(); }"
    "document.getElementById('banner').hidden = true;"
    "return seen < 100 ? ['too little was looked at'] : [...new Set(bad)];";

START_TEST(text_can_be_read_in_both_themes)
{
    static const char *const themes[] = {"light", "dark"};
    static const char *const grounds[] = {"rgb(243, 245, 248)",
                                          "rgb(15, 20, 26)"};
    char expression[128];
    char *list;
    json_t *bad;

    insist(webdriver_theme(&web, themes[_i]), "%s", web.fault);
    snprintf(expression, sizeof(expression),
             "getComputedStyle(document.body).backgroundColor === '%s'",
             grounds[_i]);
    page_shows(expression);
    bad = webdriver_script(&web, contrast);
    insist(bad != NULL, "%s", web.fault);
    list = json_dumps(bad, JSON_INDENT(2));
    insist(json_array_size(bad) == 0, "hard to read when %s: %s", themes[_i],
           list);
    free(list);
    json_decref(bad);
}
END_TEST

START_TEST(everything_that_can_be_worked_has_a_name)
{
    page_shows("[...document.querySelectorAll('button, input, [tabindex=\"0\"]"
               "')].every((e) => (e.getAttribute('aria-label') ??"
               " e.getAttribute('aria-labelledby') ?? e.labels?.[0] ??"
               " e.textContent) !== '')");
}
END_TEST

static void add(Suite *suite, const TTest *test, int times)
{
    TCase *tcase = tcase_create(test->name);

    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, test, 0, times);
    suite_add_tcase(suite, tcase);
}

int main(int argc, char **argv)
{
    Suite *suite = suite_create("dashboard");

    add(suite, three_backends_are_shown_up, 1);
    add(suite, requests_are_counted_as_they_come, 1);
    add(suite, a_dead_backend_is_shown_down_with_its_reason, 1);
    add(suite, what_comes_from_outside_is_text, 1);
    add(suite, a_backend_is_drained_and_brought_back_by_keyboard, 1);
    add(suite, a_person_who_gives_no_token_changes_nothing, 1);
    add(suite, draining_the_last_one_is_asked_twice, 1);
    add(suite, a_weight_is_set, 1);
    add(suite, a_moment_of_a_chart_is_read_by_keyboard, 1);
    add(suite, a_connection_that_broke_is_said_and_mended, 1);
    add(suite, a_phone_needs_no_scrolling_sideways, 1);
    add(suite, text_can_be_read_in_both_themes, 2);
    add(suite, everything_that_can_be_worked_has_a_name, 1);
    return stand_main(argc, argv, suite,
                      webdriver_is_there() ? NULL
                                           : "chromium and its driver are not "
                                             "installed (Debian: chromium, "
                                             "chromium-driver)");
}

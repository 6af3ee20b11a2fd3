/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The site in a browser. One browser and one server serve all tests. What is
 * asked in a page stands in audit.js; here pages are opened, keys are pressed,
 * and what the figures say is compared with the commands of the same code.
 *
 * All pages of text are opened, and of the reference one in so many; with
 * FULL=yes in the environment, all of it.
 */
#include "process.h"
#include "wait.h"
#include "webdriver.h"

#include <check.h>
#include <curl/curl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { WIDE = 1280, HIGH = 900, PHONE = 360, PATIENCE_MS = 15000 };
enum { STRIDE = 24, LINKS_AT_ONCE = 400, TABS_MAX = 120, SHOT_MAX = 2400 };

#define KEY_DOWN  "\xee\x80\x95"
#define KEY_RIGHT "\xee\x80\x94"

#define SITE    "build/docs/html"
#define FIGURES "build/docs/figures/"
#define SHOTS   "build/site-shots"

/** ck_assert() with words of our own. */
#define insist(condition, ...)         \
    do {                               \
        if (!(condition))              \
            ck_abort_msg(__VA_ARGS__); \
    } while (0)

static struct webdriver web;
static struct process server;
static char root[64]; /* http://127.0.0.1:PORT/ */
static char *audit;   /* what audit.js says */

/* --- what was wrong -------------------------------------------------------- */

/** Sentences about what is wrong, gathered before a test fails. */
struct report {
    char *text; /**< owned */
    size_t length;
    FILE *file; /**< owned: writes into it */
};

static void report_begin(struct report *report)
{
    report->file = open_memstream(&report->text, &report->length);
}

/** Fails when there is anything in it. */
static void report_end(struct report *report)
{
    fclose(report->file);
    insist(report->length == 0, "%.3000s", report->text);
    free(report->text);
}

/* --- asking the page ------------------------------------------------------- */

static char *read_all(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t length = 0;

    insist(file != NULL, "%s cannot be read", path);
    if (getdelim(&text, &length, '\0', file) == -1)
        text[0] = '\0';
    fclose(file);
    return text;
}

/** What an expression is in the page, with audit.js at hand; owned. */
static json_t *ask(const char *expression)
{
    size_t room = strlen(audit) + strlen(expression) + 16;
    char *body = malloc(room);
    json_t *value;

    snprintf(body, room, "%s\nreturn %s;", audit, expression);
    value = webdriver_script(&web, body);
    free(body);
    insist(value != NULL, "%s: %s", expression, web.fault);
    return value;
}

/** The same, for a text; owned. */
static char *ask_text(const char *expression)
{
    json_t *value = ask(expression);
    const char *text = json_string_value(value);
    char *copy;

    insist(text != NULL, "no text: %s", expression);
    copy = strdup(text);
    json_decref(value);
    return copy;
}

/** Wait for a fact on the page, or fail with what the page is then. */
static void page_shows(const char *expression)
{
    char *text;

    if (webdriver_is_true(&web, PATIENCE_MS, expression))
        return;
    text = ask_text("location.href + '\\n' + document.body.innerText");
    ck_abort_msg("not true: %s\n%s\n%.2000s", expression, web.fault, text);
}

static void press(const char *keys)
{
    insist(webdriver_press(&web, keys), "%s", web.fault);
}

static void click(const char *selector)
{
    insist(webdriver_click(&web, selector), "%s: %s", selector, web.fault);
}

static void go(const char *place)
{
    char url[512];

    snprintf(url, sizeof(url), "%s%s", root, place);
    insist(webdriver_go(&web, url), "%s: %s", place, web.fault);
    insist(webdriver_is_true(&web, 0,
                             "performance.getEntriesByType('navigation')[0]"
                             ".responseStatus === 200"),
           "there is no %s", place);
}

static void size(unsigned width)
{
    insist(webdriver_size(&web, width, HIGH), "%s", web.fault);
}

static void theme(const char *name)
{
    insist(webdriver_theme(&web, name), "%s", web.fault);
}

/** Report what a list of sentences says; it is ended here. */
static void report_list(struct report *report, const char *place,
                        json_t *sentences)
{
    json_t *sentence;
    size_t i;

    json_array_foreach(sentences, i, sentence)
        fprintf(report->file, "%s: %s\n", place, json_string_value(sentence));
    json_decref(sentences);
}

/** Report what came to the console and is an error. */
static void report_console(struct report *report, const char *place)
{
    json_t *lines = webdriver_console(&web);
    json_t *line;
    size_t i;

    insist(lines != NULL, "%s", web.fault);
    json_array_foreach(
        lines, i,
        line) if (strcmp(json_string_value(json_object_get(line, "level")),
                         "SEVERE") == 0)
        fprintf(report->file, "%s: on the console: %s\n", place,
                json_string_value(json_object_get(line, "message")));
    json_decref(lines);
}

/* --- asking the command ---------------------------------------------------- */

/** What a command printed, with its end awaited; owned. */
static char *output_of(const char *const *argv)
{
    struct process process;
    int status = -1;
    char *text;

    insist(process_start(&process, argv), "%s", argv[0]);
    insist(holds_within(PATIENCE_MS, process_has_ended(&process, &status)),
           "%s does not end", argv[0]);
    ck_assert_int_eq(status, 0);
    text = process_text(process.out);
    process_kill(&process);
    return text;
}

/* --- which pages there are ------------------------------------------------- */

enum kind { BOOK, OTHER_TEXT, REFERENCE };

static enum kind kind_of(const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    char *text;
    bool is_book;

    if (strcmp(name, "step.html") == 0 || strstr(path, "/figures/") != NULL)
        return OTHER_TEXT;
    text = read_all(path);
    is_book = strstr(text, "<nav class=\"chain\" aria-label=\"The book\">");
    free(text);
    return is_book ? BOOK : REFERENCE;
}

static int by_name(const FTSENT **left, const FTSENT **right)
{
    return strcmp((*left)->fts_name, (*right)->fts_name);
}

/** The places of all pages of a kind, owned by the caller. */
static json_t *pages(enum kind kind)
{
    char top[] = SITE;
    char *const tops[] = {top, NULL};
    FTS *tree = fts_open(tops, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    json_t *list = json_array();
    FTSENT *entry;

    while ((entry = fts_read(tree)) != NULL)
        if (entry->fts_info == FTS_F && entry->fts_namelen > 5 &&
            strcmp(entry->fts_name + entry->fts_namelen - 5, ".html") == 0 &&
            kind_of(entry->fts_path) == kind)
            json_array_append_new(list,
                                  json_string(entry->fts_path + sizeof(SITE)));
    fts_close(tree);
    return list;
}

static bool is_full(void)
{
    const char *full = getenv("FULL");

    return full != NULL && strcmp(full, "yes") == 0;
}

/* --- every page ------------------------------------------------------------ */

/** Add to a set of links those that the page has now. */
static void gather_links(json_t *set)
{
    json_t *links = ask("pageLinks()");
    json_t *link;
    size_t i;

    json_array_foreach(links, i, link)
        json_object_set_new(set, json_string_value(link), json_null());
    json_decref(links);
}

/** Ask the browser where these links lead. */
static void report_dead(struct report *report, json_t *links)
{
    char *list = json_dumps(links, 0);
    size_t room = strlen(list) + 32;
    char *expression = malloc(room);

    snprintf(expression, room, "deadLinks(%s)", list);
    report_list(report, "a link", ask(expression));
    free(expression);
    free(list);
}

/** All links of a set, some at a time. The set is ended. */
static void report_dead_links(struct report *report, json_t *set)
{
    json_t *some = json_array();
    const char *link;
    json_t *none;

    go("index.html");
    json_object_foreach(set, link, none)
    {
        json_array_append_new(some, json_string(link));
        if (json_array_size(some) == LINKS_AT_ONCE) {
            report_dead(report, some);
            json_array_clear(some);
        }
    }
    report_dead(report, some);
    json_decref(some);
    json_decref(set);
}

/** Open a page as on a desk and as on a phone; report what is wrong. */
static void look_at(struct report *report, const char *place, json_t *links)
{
    go(place);
    report_console(report, place);
    report_list(report, place, ask("pageFaults()"));
    gather_links(links);
    size(PHONE);
    report_list(report, place, ask("widthFaults(360)"));
    size(WIDE);
}

/** Look at one in @p stride pages of a kind. */
static void look_at_all(enum kind kind, size_t stride)
{
    json_t *list = pages(kind);
    json_t *links = json_object();
    struct report report;

    insist(json_array_size(list) > 2, "%zu pages", json_array_size(list));
    report_begin(&report);
    for (size_t i = 0; i < json_array_size(list); i += stride)
        look_at(&report, json_string_value(json_array_get(list, i)), links);
    report_dead_links(&report, links);
    report_end(&report);
    json_decref(list);
}

START_TEST(pages_of_the_book_are_sound)
{
    look_at_all(BOOK, 1);
}
END_TEST

START_TEST(steps_and_figures_are_sound)
{
    look_at_all(OTHER_TEXT, 1);
}
END_TEST

START_TEST(pages_of_the_reference_are_sound)
{
    look_at_all(REFERENCE, is_full() ? 1 : STRIDE);
}
END_TEST

/* --- the book from page to page -------------------------------------------- */

/** Follow next or previous to the end; returns the places, owned. */
static json_t *walk(const char *direction, size_t most)
{
    json_t *places = json_array();
    char selector[64], expression[128];
    json_t *follows;
    bool goes_on;

    snprintf(selector, sizeof(selector), "nav.chain a[rel=\"%s\"]", direction);
    snprintf(expression, sizeof(expression),
             "document.querySelector('%s') !== null", selector);
    do {
        json_array_append_new(places, ask("location.pathname.slice(1)"));
        insist(json_array_size(places) <= most, "%s goes round", direction);
        follows = ask(expression);
        goes_on = json_is_true(follows);
        json_decref(follows);
        if (goes_on)
            click(selector);
    } while (goes_on);
    return places;
}

START_TEST(next_and_previous_walk_the_whole_book)
{
    json_t *book = pages(BOOK);
    size_t count = json_array_size(book);
    json_t *there, *back;

    go("index.html");
    there = walk("next", count);
    ck_assert_uint_eq(json_array_size(there), count);
    back = walk("prev", count);
    ck_assert_uint_eq(json_array_size(back), count);
    for (size_t i = 0; i < count; i++)
        ck_assert_str_eq(
            json_string_value(json_array_get(there, i)),
            json_string_value(json_array_get(back, count - 1 - i)));
    json_decref(book);
    json_decref(there);
    json_decref(back);
}
END_TEST

START_TEST(names_lead_to_the_program_of_the_page)
{
    static const char *const programs[] = {"chapters/02-round-robin",
                                           "chapters/04-retries", "final"};
    const char *program = programs[_i];
    char place[64], expression[256];

    snprintf(place, sizeof(place), "%s/index.html", program);
    go(place);
    snprintf(expression, sizeof(expression),
             "(links => links.length > 2 && links.every(link => "
             "link.pathname.startsWith('/%s/')))"
             "([...document.querySelectorAll('main a.el')])",
             program);
    page_shows(expression);
}
END_TEST

/* --- without scripts ------------------------------------------------------- */

static const char *const figures[] = {"playground", "parser"};

/** @p _i one of the figures */
START_TEST(figures_say_the_same_without_scripts)
{
    char program[64], place[64];
    const char *argv[] = {program, "--html", NULL};
    char *said, *shows;

    snprintf(program, sizeof(program), FIGURES "%s", figures[_i]);
    snprintf(place, sizeof(place), "figures/%s.html", figures[_i]);
    said = output_of(argv);
    insist(strstr(said, "<table") != NULL, "%s says: %s", program, said);
    go(place);
    shows = ask_text("document.querySelector('noscript').textContent");
    insist(strstr(shows, said) != NULL, "%s is not in: %s", said, shows);
    free(shows);
    free(said);
}
END_TEST

/* --- search ---------------------------------------------------------------- */

START_TEST(search_finds_a_name_by_keyboard)
{
    struct report report;

    go("index.html");
    press("/");
    page_shows("document.activeElement.id === 'search'");
    press("pool_pick");
    page_shows("!document.querySelector('#search-results').hidden");
    page_shows("document.querySelector('#search-results li a').firstChild.data "
               "=== 'pool_pick'");
    page_shows("/^[1-9]\\d* found$/.test("
               "document.querySelector('#search-said').textContent)");
    report_begin(&report);
    report_list(&report, "search", ask("deadLinks(pageLinks())"));
    press(KEY_DOWN);
    page_shows("document.querySelector('#search-results [aria-selected=true]')"
               ".id === document.activeElement.getAttribute("
               "'aria-activedescendant')");
    press(WEBDRIVER_ENTER);
    page_shows("location.pathname.startsWith('/final/pool_8h')");
    page_shows("document.getElementById(location.hash.slice(1)) !== null");
    page_shows("document.body.innerText.includes('pool_pick')");
    report_console(&report, "search");
    report_end(&report);
}
END_TEST

START_TEST(search_says_when_there_is_nothing)
{
    go("map.html");
    click("#search");
    press("zzyzx_nowhere");
    page_shows("document.querySelector('#search-said').textContent === "
               "'0 found' && document.querySelector('#search-results').hidden");
}
END_TEST

/* --- the keyboard ---------------------------------------------------------- */

static void tab_to(struct report *report, const char *selector)
{
    char expression[256];

    snprintf(expression, sizeof(expression),
             "document.activeElement.matches("
             "'%s')",
             selector);
    for (int i = 0; i < TABS_MAX; i++) {
        press(WEBDRIVER_TAB);
        report_list(report, selector, ask("focusFaults()"));
        if (webdriver_is_true(&web, 0, expression))
            return;
    }
    fprintf(report->file, "Tab does not come to %s\n", selector);
}

START_TEST(the_keyboard_reaches_everything)
{
    struct report report;

    report_begin(&report);
    go("index.html");
    tab_to(&report, ".skip");
    tab_to(&report, "#search");
    tab_to(&report, "#theme");
    tab_to(&report, "#menu a");
    tab_to(&report, "nav.chain a[rel=\"next\"]");
    press(WEBDRIVER_ENTER);
    page_shows("location.pathname === '/map.html'");
    report_end(&report);
}
END_TEST

START_TEST(the_menu_can_be_skipped)
{
    struct report report;

    report_begin(&report);
    go("map.html");
    tab_to(&report, ".skip");
    page_shows("document.activeElement.getBoundingClientRect().left >= 0");
    press(WEBDRIVER_ENTER);
    tab_to(&report, "main a, main summary, main [tabindex]");
    report_end(&report);
}
END_TEST

START_TEST(the_menu_of_a_phone_opens_by_keyboard)
{
    struct report report;

    size(PHONE);
    report_begin(&report);
    go("map.html");
    page_shows("!document.querySelector('#menu').open");
    tab_to(&report, "#menu > summary");
    press(WEBDRIVER_ENTER);
    page_shows("document.querySelector('#menu').open");
    tab_to(&report, "#menu a");
    report_end(&report);
    size(WIDE);
}
END_TEST

/* --- both themes ----------------------------------------------------------- */

static const char *const themes[] = {"light", "dark"};
/* Each kind of page; a figure is shown in a state of its own. */
static const char *const shown[] = {
    "index.html",
    "map.html",
    "chapters/03-health-checks/index.html",
    "chapters/03-health-checks/step.html",
    "exercises-02-weighted-turns.html",
    "backend/index.html",
    "final/index.html",
    "final/request.html",
    "final/states.html",
    "final/floors.html",
    "final/floor-upstream.html",
    "final/operating.html",
    "final/configuration.html",
    "final/log.html",
    "final/metrics.html",
    "final/interface.html",
    "final/pool_8h.html",
    "final/files.html",
    "teaching.html",
    "glossary.html",
    "figures/playground.html?seed=7&run=5000&paused=1&kill=2@3000",
    "figures/parser.html?example=7&at=60",
    NULL};

/** Report the text of a page that is hard to read in the theme of now. */
static void read_page(struct report *report, const char *place)
{
    go(place);
    report_list(report, place, ask("contrastFaults()"));
}

/** The same for one in @p stride pages of a kind. */
static void read_pages(struct report *report, enum kind kind, size_t stride)
{
    json_t *list = pages(kind);

    for (size_t i = 0; i < json_array_size(list); i += stride)
        read_page(report, json_string_value(json_array_get(list, i)));
    json_decref(list);
}

/** @p _i light, dark */
START_TEST(text_can_be_read)
{
    struct report report;

    report_begin(&report);
    theme(themes[_i]);
    read_pages(&report, BOOK, 1);
    read_pages(&report, OTHER_TEXT, 1);
    read_pages(&report, REFERENCE, is_full() ? 1 : STRIDE);
    for (int i = 0; shown[i] != NULL; i++)
        if (strchr(shown[i], '?') != NULL) /* in a state of its own */
            read_page(&report, shown[i]);
    report_end(&report);
    theme("light");
}
END_TEST

START_TEST(the_theme_can_be_chosen)
{
    static const char is_dark[] =
        "document.documentElement.classList.contains('dark-mode') && "
        "getComputedStyle(document.body).colorScheme !== 'light' && "
        "lightness(ground(document.body)) < 0.1";
    json_t *value;

    theme("light");
    go("index.html");
    click("#theme");
    value = ask(is_dark);
    ck_assert(json_is_true(value));
    json_decref(value);
    go("map.html");
    value = ask(is_dark);
    ck_assert_msg(json_is_true(value), "the next page has forgotten it");
    json_decref(value);
    json_decref(ask("localStorage.clear()"));
}
END_TEST

/* --- the playground -------------------------------------------------------- */

/** The page's numbers, as the command would print them; owned. */
static char *numbers_like(const char *said)
{
    json_t *ids = json_array();
    char *copy = strdup(said), *rest = copy, *line, *list, *numbers;
    char expression[8192];

    while ((line = strsep(&rest, "\n")) != NULL)
        if (line[0] != '\0')
            json_array_append_new(ids, json_string(strsep(&line, " ")));
    list = json_dumps(ids, 0);
    snprintf(expression, sizeof(expression), "numbersOf(%s)", list);
    numbers = ask_text(expression);
    free(list);
    free(copy);
    json_decref(ids);
    return numbers;
}

/** Run the command that the page itself names, and compare. */
static void expect_agreement(void)
{
    char *command = webdriver_text(&web, "#command"), *rest = command;
    const char *argv[64];
    char *said, *shows;
    size_t count = 0;

    while (rest != NULL && count < 63)
        argv[count++] = strsep(&rest, " ");
    argv[count] = NULL;
    ck_assert_str_eq(argv[0], FIGURES "playground");
    said = output_of(argv);
    insist(strlen(said) > 200, "the command says: %s", said);
    shows = numbers_like(said);
    ck_assert_str_eq(shows, said);
    free(shows);
    free(said);
    free(command);
}

static void open_playground(const char *query)
{
    char place[256];

    snprintf(place, sizeof(place), "figures/playground.html%s", query);
    go(place);
    page_shows("document.body.dataset.ready === 'yes'");
}

START_TEST(the_playground_agrees_with_the_command)
{
    static const char program[] = FIGURES "playground";
    const char *argv[] = {program, "--seed", "7",       "--run",
                          "5000",  "--a",    "latency", NULL};
    char *said = output_of(argv);
    char *shows;

    open_playground("?seed=7&run=5000&paused=1&a=latency");
    insist(strstr(said, "\na-served ") != NULL, "the command says: %s", said);
    shows = numbers_like(said);
    ck_assert_str_eq(shows, said);
    free(shows);
    free(said);
}
END_TEST

START_TEST(the_playground_moves_and_agrees_after_a_kill)
{
    struct report report;

    json_decref(webdriver_console(&web)); /* what was said before */
    open_playground("?seed=3&speed=5");
    page_shows("Number(document.querySelector('#a-served').textContent) > 20");
    click("#kill-2");
    page_shows(
        "Number(document.querySelector('#b-2-lost').textContent) >= 0 && "
        "document.querySelector('#kill-2').textContent === 'Revive'");
    page_shows("document.querySelector('#a-2').className === 'is-down'");
    click("#run");
    page_shows("document.querySelector('#run').textContent === 'Run'");
    page_shows("/--kill 2@[1-9]/.test("
               "document.querySelector('#command').textContent)");
    expect_agreement();
    click("#step");
    expect_agreement();
    report_begin(&report);
    report_console(&report, "playground");
    report_end(&report);
}
END_TEST

START_TEST(the_playground_obeys_the_keyboard)
{
    open_playground("?seed=3&paused=1");
    json_decref(ask("document.querySelector('#rate').focus()"));
    press(KEY_RIGHT KEY_RIGHT KEY_RIGHT);
    page_shows("document.querySelector('#rate').value === "
               "document.querySelector('#rate-value').textContent");
    json_decref(ask("document.querySelector('#step').focus()"));
    press(WEBDRIVER_ENTER WEBDRIVER_ENTER);
    page_shows("document.querySelector('#time').textContent === '200'");
    expect_agreement();
}
END_TEST

/* --- the parser ------------------------------------------------------------ */

/** What stands behind a name and a tab, if the line begins with it. */
static const char *value_of(const char *line, const char *name)
{
    size_t length = strlen(name);

    return strncmp(line, name, length) == 0 && line[length] == '\t'
               ? line + length + 1
               : NULL;
}

/**
 * Of example @p number, a line for each byte: how many have come, what is said
 * of them, what if it ended here, what is believed of each message.
 *
 * @return owned by the caller
 */
static char *native_steps(char *trace, int number)
{
    const char *example = "", *value;
    char *text, *line;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    int at = -1;

    while ((line = strsep(&trace, "\n")) != NULL) {
        if ((value = value_of(line, "example")) != NULL &&
            strcmp(value, example) != 0) {
            example = value;
            at++;
        }
        if (at != number)
            continue;
        if ((value = value_of(line, "bytes")) != NULL)
            fprintf(out, "%s%s", strcmp(value, "1") == 0 ? "" : "\n", value);
        if ((value = value_of(line, "verdict")) != NULL ||
            (value = value_of(line, "end")) != NULL ||
            (value = value_of(line, "belief")) != NULL)
            fprintf(out, "\t%s", value);
    }
    fputs("\n", out);
    fclose(out);
    return text;
}

static const int examples[] = {2, 3, 7};

/** @p _i one of the examples */
START_TEST(the_parser_agrees_with_the_command)
{
    const char *argv[] = {FIGURES "parser", "--trace", NULL};
    char *trace = output_of(argv);
    char *steps = native_steps(trace, examples[_i]);
    char place[64];
    char *shows;

    snprintf(place, sizeof(place), "figures/parser.html?example=%d",
             examples[_i]);
    go(place);
    page_shows("document.body.dataset.ready === 'yes'");
    insist(strlen(steps) > 500, "the command says: %s", steps);
    shows = ask_text("parserSteps()");
    ck_assert_str_eq(shows, steps);
    free(shows);
    free(steps);
    free(trace);
}
END_TEST

START_TEST(the_parser_steps_by_keyboard)
{
    go("figures/parser.html?example=2");
    page_shows("document.body.dataset.ready === 'yes'");
    json_decref(ask("document.querySelector('#position').focus()"));
    press(KEY_RIGHT KEY_RIGHT KEY_RIGHT WEBDRIVER_LEFT);
    page_shows("document.querySelector('#at').textContent === '2'");
}
END_TEST

/* --- pictures to be looked at ---------------------------------------------- */

/** Make the window as high as the page, up to @ref SHOT_MAX. */
static void unroll(unsigned width)
{
    json_t *height = ask("document.documentElement.scrollHeight");
    unsigned high = (unsigned)json_integer_value(height);

    json_decref(height);
    insist(webdriver_size(&web, width, high < SHOT_MAX ? high : SHOT_MAX), "%s",
           web.fault);
}

/** A picture of each page that is shown, into build/site-shots. */
static void shoot(const char *kind, unsigned width)
{
    for (int i = 0; shown[i] != NULL; i++) {
        char path[256], name[128];

        snprintf(name, sizeof(name), "%s", shown[i]);
        name[strcspn(name, ".")] = '\0';
        for (char *slash = name; (slash = strchr(slash, '/')) != NULL;)
            *slash = '-';
        size(width);
        go(shown[i]);
        unroll(width);
        snprintf(path, sizeof(path), SHOTS "/%s-%s.png", name, kind);
        insist(webdriver_screenshot(&web, path), "%s", web.fault);
    }
}

START_TEST(pictures_are_taken)
{
    mkdir(SHOTS, 0777);
    shoot("light", WIDE);
    theme("dark");
    shoot("dark", WIDE);
    shoot("phone-dark", PHONE);
    theme("light");
    shoot("phone", PHONE);
    size(WIDE);
}
END_TEST

/* --- all of it ------------------------------------------------------------- */

static void set_up(void)
{
    const char *argv[] = {"docs/site/serve", "0", SITE, NULL};
    unsigned port;

    audit = read_all("tests/site/audit.js");
    insist(process_start(&server, argv), "docs/site/serve");
    port = process_port(&server);
    insist(port != 0, "docs/site/serve does not say where it listens");
    snprintf(root, sizeof(root), "http://127.0.0.1:%u/", port);
    insist(webdriver_open(&web, WIDE, HIGH), "%s", web.fault);
}

static void tear_down(void)
{
    webdriver_end(&web);
    process_kill(&server);
    free(audit);
}

static Suite *site_suite(void)
{
    Suite *suite = suite_create("site");
    TCase *tcase = tcase_create("site");

    tcase_set_timeout(tcase, is_full() ? 900 : 180);
    tcase_add_unchecked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, pages_of_the_book_are_sound);
    tcase_add_test(tcase, steps_and_figures_are_sound);
    tcase_add_test(tcase, pages_of_the_reference_are_sound);
    tcase_add_test(tcase, next_and_previous_walk_the_whole_book);
    tcase_add_loop_test(tcase, names_lead_to_the_program_of_the_page, 0, 3);
    tcase_add_loop_test(tcase, figures_say_the_same_without_scripts, 0, 2);
    tcase_add_test(tcase, search_finds_a_name_by_keyboard);
    tcase_add_test(tcase, search_says_when_there_is_nothing);
    tcase_add_test(tcase, the_keyboard_reaches_everything);
    tcase_add_test(tcase, the_menu_can_be_skipped);
    tcase_add_test(tcase, the_menu_of_a_phone_opens_by_keyboard);
    tcase_add_loop_test(tcase, text_can_be_read, 0, 2);
    tcase_add_test(tcase, the_theme_can_be_chosen);
    tcase_add_test(tcase, the_playground_agrees_with_the_command);
    tcase_add_test(tcase, the_playground_moves_and_agrees_after_a_kill);
    tcase_add_test(tcase, the_playground_obeys_the_keyboard);
    tcase_add_loop_test(tcase, the_parser_agrees_with_the_command, 0,
                        sizeof(examples) / sizeof(examples[0]));
    tcase_add_test(tcase, the_parser_steps_by_keyboard);
    if (getenv("SHOTS") != NULL)
        tcase_add_test(tcase, pictures_are_taken);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    SRunner *runner = srunner_create(site_suite());
    int failed;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    printf("%d passed, %d failed\n", srunner_ntests_run(runner) - failed,
           failed);
    srunner_free(runner);
    curl_global_cleanup();
    return failed == 0 ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The screen, from top to bottom:
 *
 *     steelyard 1.0.0  http://127.0.0.1:8080  round-robin     serving for 2 hours
 *     requests   1,234 /s  ▂▃▅▇▆▅▃▂                                  errors 0 /s
 *     p99         4.10 ms  ▂▃▅▇▆▅▃▂                                  p50 1.20 ms
 *     in flight 3, waiting 0, clients 3 of 500, tries 120,034, retries 12
 *     BACKEND               STATE        REQ/S ERR/S ...
 *    >127.0.0.1:8081        * up           411     0 ...
 *     127.0.0.1:8082        x down           0     0 ...
 *     127.0.0.1:8081, up for 2 hours: probes pass             (the selected one)
 *     EVENTS
 *     10:31:07 http://127.0.0.1:8082 is down, was up: connection refused
 *     arrows select  s sort  d drain  r ready  ? help  q quit
 *
 * Where there is little room, columns go first, then events, then backends: the
 * list scrolls. Each line is written whole and cut at the edge. All words of
 * the model are plain ASCII, so bytes are columns.
 */
#include "control/top_draw.h"

#include "control/top_model.h"
#include "control/top_table.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 1024,
    NAME_MIN = 19,   /* columns for the name of a backend, at least */
    REASON_MIN = 20, /* room that is worth a column of reasons */
    HEAD_LINES = 4,
    EVENT_LINES_MIN = 4, /* with their title, when there is room */
    KEY_ESCAPE = 27,
};

enum pair { PAIR_NONE, PAIR_UP, PAIR_DOWN, PAIR_DRAINING, PAIR_OTHER };

static bool is_utf8;
static bool has_pairs;
static SCREEN *screen;

/* --- the terminal ---------------------------------------------------------- */

static void open_colours(void)
{
    const char *none = getenv("NO_COLOR");

    has_pairs = has_colors() && (none == NULL || *none == '\0');
    if (!has_pairs)
        return;
    start_color();
    use_default_colors();
    init_pair(PAIR_UP, COLOR_GREEN, -1);
    init_pair(PAIR_DOWN, COLOR_RED, -1);
    init_pair(PAIR_DRAINING, COLOR_YELLOW, -1);
    init_pair(PAIR_OTHER, COLOR_MAGENTA, -1);
}

bool top_screen_open(void)
{
    setlocale(LC_CTYPE, "");
    is_utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    screen = newterm(NULL, stdout, stdin);
    if (screen == NULL)
        return false;
    set_escdelay(25);
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    curs_set(0);
    open_colours();
    return true;
}

void top_screen_close(void)
{
    endwin();
    delscreen(screen);
    screen = NULL;
}

int top_screen_key(void)
{
    static const struct {
        int key;
        int means;
    } keys[] = {
        {ERR, TOP_KEY_NONE},
        {KEY_UP, TOP_KEY_UP},
        {KEY_DOWN, TOP_KEY_DOWN},
        {KEY_PPAGE, TOP_KEY_PAGE_UP},
        {KEY_NPAGE, TOP_KEY_PAGE_DOWN},
        {KEY_HOME, TOP_KEY_HOME},
        {KEY_END, TOP_KEY_END},
        {KEY_ENTER, TOP_KEY_ENTER},
        {'\r', TOP_KEY_ENTER},
        {'\n', TOP_KEY_ENTER},
        {KEY_BACKSPACE, TOP_KEY_ERASE},
        {'\b', TOP_KEY_ERASE},
        {127, TOP_KEY_ERASE},
        {KEY_ESCAPE, TOP_KEY_LEAVE},
        {KEY_RESIZE, TOP_KEY_RESIZE},
    };
    int key = getch();

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (keys[i].key == key)
            return keys[i].means;
    return key;
}

/* --- lines ----------------------------------------------------------------- */

static attr_t colour_of(const char *state)
{
    static const struct {
        const char *state;
        enum pair pair;
    } pairs[] = {
        {"up", PAIR_UP},         {"serving", PAIR_UP},
        {"down", PAIR_DOWN},     {"error", PAIR_DOWN},
        {"warn", PAIR_DRAINING}, {"draining", PAIR_DRAINING},
        {"info", PAIR_NONE},
    };

    if (!has_pairs)
        return A_NORMAL;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (strcmp(pairs[i].state, state) == 0)
            return (attr_t)COLOR_PAIR(pairs[i].pair);
    return (attr_t)COLOR_PAIR(PAIR_OTHER);
}

/** Write plain words, cut at the right edge. */
static void put(int y, int x, attr_t attributes, const char *words)
{
    if (y < 0 || y >= LINES || x < 0 || x >= COLS)
        return;
    attrset(attributes);
    mvaddnstr(y, x, words, COLS - x);
    attrset(A_NORMAL);
}

/** The same at the right edge, unless it would touch what ends at @p after. */
static void put_right(int y, int after, attr_t attributes, const char *words)
{
    int x = COLS - (int)strlen(words);

    if (x > after)
        put(y, x, attributes, words);
}

static void draw_title(const struct top_model *model)
{
    char line[LINE_MAX_BYTES], right[128], text[64];

    snprintf(line, sizeof(line), "%s %s  %s  %s", model->name, model->version,
             model->listening, model->policy);
    snprintf(right, sizeof(right), "%s for %s", model->state,
             top_text_duration(text, sizeof(text), model->uptime_s));
    put(0, 0, A_BOLD, line);
    put_right(0, (int)strlen(line), colour_of(model->state), right);
}

/** A number with its past: `requests   411 /s  ▂▃▅▇▆▅▃▂    errors 0 /s`. */
static void draw_past(int y, const char *left, const double *numbers,
                      size_t count, const char *right)
{
    char bars[3 * TOP_SECONDS + 4];
    int from = 24;
    int room = COLS - from - (int)strlen(right) - 2;

    put(y, 0, A_NORMAL, left);
    put_right(y, (int)strlen(left), A_NORMAL, right);
    if (room <= 0 || y >= LINES)
        return;
    top_text_sparkline(bars, sizeof(bars), numbers, count, (size_t)room,
                       is_utf8);
    attrset(has_pairs ? (attr_t)COLOR_PAIR(PAIR_UP) : A_NORMAL);
    mvaddstr(y, from, bars);
    attrset(A_NORMAL);
}

static void draw_numbers(const struct top_model *model)
{
    char left[64], right[64], text[32];

    snprintf(left, sizeof(left), "requests %11s /s",
             top_text_count(text, sizeof(text), model->requests));
    snprintf(right, sizeof(right), "errors %s /s",
             top_text_count(text, sizeof(text), model->errors));
    draw_past(1, left, model->request_history, model->history_count, right);
    snprintf(left, sizeof(left), "p99 %19s",
             top_text_ms(text, sizeof(text), model->p99_ms));
    snprintf(right, sizeof(right), "p50 %s",
             top_text_ms(text, sizeof(text), model->p50_ms));
    draw_past(2, left, model->p99_history, model->history_count, right);
}

static void draw_counts(const struct top_model *model)
{
    char line[LINE_MAX_BYTES], flight[32], waiting[32], now[32], max[32];
    char tries[32], retries[32];

    snprintf(line, sizeof(line),
             "in flight %s, waiting %s, clients %s of %s, tries %s, retries %s",
             top_text_count(flight, sizeof(flight), model->in_flight),
             top_text_count(waiting, sizeof(waiting), model->waiting),
             top_text_count(now, sizeof(now), model->sessions),
             top_text_count(max, sizeof(max), model->sessions_max),
             top_text_count(tries, sizeof(tries), model->tries),
             top_text_count(retries, sizeof(retries), model->retries));
    put(3, 0, A_NORMAL, line);
}

/** What is wrong takes the place of the counts. */
static void draw_trouble(const struct top_model *model,
                         const struct top_view *view)
{
    char line[LINE_MAX_BYTES];

    if (view->is_lost)
        snprintf(line, sizeof(line), "! connection lost %s ago, trying again",
                 view->lost);
    else
        snprintf(line, sizeof(line), "! the file differs from what runs: %s",
                 model->differs_why);
    put(3, 0, colour_of("down") | A_BOLD, line);
}

/* --- backends -------------------------------------------------------------- */

/** Where things are in a line of the list. */
struct places {
    bool shown[TOP_COLUMN_COUNT];
    int name; /**< columns for the name, which begins in column 1 */
    int rest; /**< where the reason begins, if there is room for it */
};

/** The column that has to go next, or #TOP_COLUMN_COUNT. */
static enum top_column next_to_go(const bool *shown)
{
    enum top_column next = TOP_COLUMN_COUNT;
    int most = 0;

    for (enum top_column i = 0; i < TOP_COLUMN_COUNT; i++)
        if (shown[i] && top_column_row(i)->goes > most) {
            most = top_column_row(i)->goes;
            next = i;
        }
    return next;
}

static struct places places_of(const struct top_model *model)
{
    struct places places = {.name = COLS - 1};
    int wanted = top_name_width(model);
    int least = wanted > NAME_MIN ? NAME_MIN : wanted;
    enum top_column going;

    for (enum top_column i = 0; i < TOP_COLUMN_COUNT; i++) {
        places.name -= abs(top_column_row(i)->width);
        places.shown[i] = true;
    }
    while (places.name < least &&
           (going = next_to_go(places.shown)) != TOP_COLUMN_COUNT) {
        places.name += abs(top_column_row(going)->width);
        places.shown[going] = false;
    }
    places.rest = COLS;
    if (places.name > wanted + REASON_MIN) {
        places.rest = COLS - (places.name - wanted - 2);
        places.name = wanted;
    }
    return places;
}

/** A cell with the blank before it. */
static void put_cell(int y, int x, attr_t attributes, int width,
                     const char *words)
{
    char cell[64];

    snprintf(cell, sizeof(cell), " %*s", width < 0 ? width + 1 : width - 1,
             words);
    put(y, x, attributes, cell);
}

static void draw_column_titles(const struct top_model *model, int y)
{
    struct places places = places_of(model);
    int x = 1 + places.name;

    attrset(A_UNDERLINE);
    mvhline(y, 0, ' ' | A_UNDERLINE, COLS);
    put(y, 1, A_UNDERLINE, "BACKEND");
    for (enum top_column i = 0; i < TOP_COLUMN_COUNT; i++) {
        const struct top_column_row *row = top_column_row(i);

        if (!places.shown[i])
            continue;
        put_cell(y, x, A_UNDERLINE, row->width, row->title);
        x += abs(row->width);
    }
    put(y, places.rest, A_UNDERLINE, "WHY");
}

static void draw_backend(const struct top_model *model, size_t at, int y)
{
    const struct top_backend *backend = &model->backends[at];
    struct places places = places_of(model);
    bool is_selected = strcmp(backend->id, model->selected) == 0;
    attr_t marked = is_selected ? A_REVERSE : A_NORMAL;
    int x = 1 + places.name;
    char text[64], line[LINE_MAX_BYTES];

    attrset(marked);
    mvhline(y, 0, ' ' | marked, COLS);
    snprintf(line, sizeof(line), "%c%.*s", is_selected ? '>' : ' ',
             places.name > 0 ? places.name : 0, top_name(backend));
    put(y, 0, marked, line);
    for (enum top_column i = 0; i < TOP_COLUMN_COUNT; i++) {
        attr_t colour =
            i == TOP_COLUMN_STATE ? colour_of(backend->state) : A_NORMAL;

        if (!places.shown[i])
            continue;
        put_cell(y, x, marked | colour, top_column_row(i)->width,
                 top_cell(text, sizeof(text), i, model, backend));
        x += abs(top_column_row(i)->width);
    }
    put(y, places.rest, marked, backend->why);
}

/** Draw so many of them that the selected one is among them. */
static void draw_backends(const struct top_model *model, int y, int lines)
{
    size_t selected = top_model_selected(model);
    size_t first = 0;

    if (lines <= 0)
        return;
    if (selected >= (size_t)lines)
        first = selected - (size_t)lines + 1;
    for (int i = 0; i < lines && first + (size_t)i < model->count; i++)
        draw_backend(model, first + (size_t)i, y + i);
    if (model->count == 0)
        put(y, 1, A_NORMAL, "there are no backends");
}

/** The selected one, in a sentence. */
static void draw_reason(const struct top_model *model, int y)
{
    const struct top_backend *backend;
    char line[LINE_MAX_BYTES], text[64];

    if (model->count == 0)
        return;
    backend = &model->backends[top_model_selected(model)];
    snprintf(line, sizeof(line), " %s%s, %s for %s: %s", top_name(backend),
             backend->backup ? " (backup)" : "", backend->state,
             top_text_duration(text, sizeof(text), model->now - backend->since),
             backend->why);
    put(y, 0, A_BOLD, line);
}

/* --- the rest -------------------------------------------------------------- */

static void draw_events(const struct top_model *model,
                        const struct top_view *view, int y, int lines)
{
    char line[LINE_MAX_BYTES];

    if (lines < 2)
        return;
    mvhline(y, 0, ' ' | A_UNDERLINE, COLS);
    put(y, 1, A_UNDERLINE,
        view->is_asked ? "NO EVENTS COME: the state is asked for each second"
                       : "EVENTS (times in UTC)");
    for (int i = 0; i < lines - 1 && (size_t)i < model->event_count; i++) {
        const struct top_event *event = &model->events[i];

        snprintf(line, sizeof(line), " %s %s", event->time, event->words);
        put(y + 1 + i, 0, colour_of(event->state), line);
    }
    if (model->event_count == 0)
        put(y + 1, 1, A_NORMAL, "none since this began");
}

static void draw_help(void)
{
    static const char *const lines[] = {
        "up, down, k, j   select a backend; also page up and down, home, end",
        "s                sort by something else",
        "d                drain the selected one: no new requests reach it",
        "r                make it ready again",
        "q                quit",
        "",
        "*  up            it gets requests",
        "x  down          it does not answer, or badly; the line below the list",
        "                 says why",
        "=  draining      it was marked not ready; what is in flight goes on",
        "?  unresolved    its name has no address",
        "",
        "Draining and making ready need the admin token: --token, the variable",
        "STEELYARD_ADMIN_TOKEN, or type it when you are asked.",
        "",
        "Any key goes back.",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        put((int)i, 1, A_NORMAL, lines[i]);
}

static void draw_below(const struct top_view *view)
{
    static const char *const keys[] = {
        "arrows select  s sort  d drain  r ready  ? help  q quit",
        "s sort  d drain  r ready  ? help  q quit", "? help  q quit"};
    char line[LINE_MAX_BYTES];
    size_t shortest = sizeof(keys) / sizeof(keys[0]) - 1, i = 0;

    if (view->below != NULL) {
        snprintf(
            line, sizeof(line), "%s%.*s", view->below,
            (int)(view->stars < 64 ? view->stars : 64),
            "****************************************************************");
        put(LINES - 1, 0, A_BOLD, line);
        return;
    }
    while (i < shortest && (int)strlen(keys[i]) > COLS)
        i++;
    put(LINES - 1, 0, A_DIM, keys[i]);
}

/** Divide the lines between the list of backends and the events. */
static void draw_lists(const struct top_model *model,
                       const struct top_view *view)
{
    int room = LINES - HEAD_LINES - 3; /* titles, the reason, the last line */
    int list = (int)model->count > 1 ? (int)model->count : 1;
    int events = room - list;

    if (events < EVENT_LINES_MIN)
        events = room > 2 * EVENT_LINES_MIN ? EVENT_LINES_MIN : 0;
    if (list > room - events)
        list = room - events;
    draw_column_titles(model, HEAD_LINES);
    draw_backends(model, HEAD_LINES + 1, list);
    if (list > 0)
        draw_reason(model, HEAD_LINES + 1 + list);
    draw_events(model, view, HEAD_LINES + 2 + list, events);
}

void top_screen_draw(const struct top_model *model, const struct top_view *view)
{
    erase();
    if (view->shows_help) {
        draw_help();
    } else {
        draw_title(model);
        draw_numbers(model);
        if (view->is_lost || model->differs_why[0] != '\0')
            draw_trouble(model, view);
        else
            draw_counts(model);
        draw_lists(model, view);
        draw_below(view);
    }
    refresh();
}

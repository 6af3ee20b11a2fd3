/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What came is JSON of somebody else's making, so nothing is taken for granted:
 * what is missing or of another type is unknown, and words are cleaned as they
 * are copied, before anybody can print them.
 */
#include "control/top_model.h"

#include "base/must.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BACKENDS_MAX = 10000 };

/* --- reading --------------------------------------------------------------- */

static void take_words(const json_t *object, const char *name, char *out,
                       size_t room)
{
    top_text_clean(out, room, json_string_value(json_object_get(object, name)));
}

#define TAKE_WORDS(object, name, field) \
    take_words((object), (name), (field), sizeof(field))

static double number_of(const json_t *object, const char *name)
{
    const json_t *number = json_object_get(object, name);

    return json_is_number(number) ? json_number_value(number) : TOP_UNKNOWN;
}

/** Where there was no request, there was nothing to measure. */
static double latency_of(const json_t *second, const char *name)
{
    return number_of(second, "requests") > 0 ? number_of(second, name)
                                             : TOP_UNKNOWN;
}

static bool truth_of(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

static double time_of(const json_t *object, const char *name)
{
    return top_text_time(json_string_value(json_object_get(object, name)));
}

static void read_backend(struct top_backend *backend, const json_t *object)
{
    const json_t *second = json_object_get(object, "last_second");

    TAKE_WORDS(object, "id", backend->id);
    TAKE_WORDS(object, "url", backend->url);
    TAKE_WORDS(object, "state", backend->state);
    TAKE_WORDS(object, "why", backend->why);
    backend->since = time_of(object, "since");
    backend->ready = truth_of(object, "ready");
    backend->backup = truth_of(object, "backup");
    backend->weight = number_of(object, "weight");
    backend->in_flight = number_of(object, "in_flight");
    backend->tries = number_of(object, "tries");
    backend->failures = number_of(object, "failures");
    backend->requests = number_of(second, "requests");
    backend->errors = number_of(second, "errors");
    backend->p50_ms = latency_of(second, "p50_ms");
    backend->p99_ms = latency_of(second, "p99_ms");
}

/* --- what happened --------------------------------------------------------- */

/** Room for one more event, the newest; the oldest makes way for it. */
static struct top_event *event_new(struct top_model *model, const char *time)
{
    struct top_event *event = &model->events[0];

    if (model->event_count < TOP_EVENTS_MAX)
        model->event_count++;
    memmove(event + 1, event, (model->event_count - 1) * sizeof(*event));
    memset(event, 0, sizeof(*event));
    if (time != NULL && strlen(time) >= 19)
        snprintf(event->time, sizeof(event->time), "%.8s", time + 11);
    return event;
}

static void add_change(struct top_model *model, const json_t *change)
{
    struct top_event *event;
    char time[32], url[256], from[16], why[192];

    TAKE_WORDS(change, "time", time);
    TAKE_WORDS(change, "url", url);
    TAKE_WORDS(change, "from", from);
    TAKE_WORDS(change, "why", why);
    event = event_new(model, time);
    TAKE_WORDS(change, "to", event->state);
    snprintf(event->words, sizeof(event->words), "%s is %s, was %s: %s", url,
             event->state, from, why);
}

static void add_note(struct top_model *model, const json_t *note)
{
    struct top_event *event;
    char time[32];

    TAKE_WORDS(note, "time", time);
    event = event_new(model, time);
    TAKE_WORDS(note, "level", event->state);
    TAKE_WORDS(note, "text", event->words);
}

/* --- the list -------------------------------------------------------------- */

static int rank_of(const struct top_backend *backend)
{
    static const char *const worst_first[] = {"down", "unresolved", "draining",
                                              "up", NULL};
    int rank = 0;

    while (worst_first[rank] != NULL &&
           strcmp(worst_first[rank], backend->state) != 0)
        rank++;
    return rank;
}

static int by_number(double one, double other)
{
    return (one > other) - (one < other);
}

/** Negative: the first one comes first. */
static int compare(enum top_sort sort, const struct top_backend *one,
                   const struct top_backend *other)
{
    switch (sort) {
    case TOP_SORT_PLACE: return 0;
    case TOP_SORT_URL: return strcmp(one->url, other->url);
    case TOP_SORT_STATE: return rank_of(one) - rank_of(other);
    case TOP_SORT_REQUESTS: return by_number(other->requests, one->requests);
    case TOP_SORT_ERRORS: return by_number(other->errors, one->errors);
    case TOP_SORT_IN_FLIGHT: return by_number(other->in_flight, one->in_flight);
    case TOP_SORT_P99: return by_number(other->p99_ms, one->p99_ms);
    case TOP_SORT_COUNT: break;
    }
    return 0;
}

static int compare_for(const void *one, const void *other, void *arg)
{
    const struct top_backend *a = one, *b = other;
    int order = compare(*(const enum top_sort *)arg, a, b);

    return order != 0 ? order
                      : (int)(a->place > b->place) - (a->place < b->place);
}

/** Insertion: short lists, nearly sorted already, and the same on each system
 * (qsort_r is not). */
static void sort_list(struct top_model *model)
{
    for (size_t i = 1; i < model->count; i++) {
        struct top_backend moved = model->backends[i];
        size_t at = i;

        while (at > 0 && compare_for(&moved, &model->backends[at - 1],
                                     &model->sort) < 0) {
            model->backends[at] = model->backends[at - 1];
            at--;
        }
        model->backends[at] = moved;
    }
}

void top_model_sort(struct top_model *model, enum top_sort sort)
{
    must(sort < TOP_SORT_COUNT);
    model->sort = sort;
    sort_list(model);
}

const char *top_sort_words(enum top_sort sort)
{
    static const char *const words[] = {
#define X(name, words) words,
        TOP_SORTS(X)
#undef X
    };

    return words[sort];
}

size_t top_model_selected(const struct top_model *model)
{
    for (size_t i = 0; i < model->count; i++)
        if (strcmp(model->backends[i].id, model->selected) == 0)
            return i;
    return 0;
}

static void select_at(struct top_model *model, size_t at)
{
    memcpy(model->selected, model->backends[at].id, sizeof(model->selected));
}

void top_model_move(struct top_model *model, long lines)
{
    long at = (long)top_model_selected(model) + lines;
    long last = (long)model->count - 1;

    if (model->count == 0)
        return;
    if (at > last)
        at = last;
    select_at(model, at < 0 ? 0 : (size_t)at);
}

static void read_backends(struct top_model *model, const json_t *list)
{
    size_t selected = top_model_selected(model);
    size_t count = json_array_size(list);

    free(model->backends);
    model->count = count < BACKENDS_MAX ? count : BACKENDS_MAX;
    model->backends = xnew(model->count + 1, sizeof(*model->backends));
    model->tries = 0;
    for (size_t i = 0; i < model->count; i++) {
        struct top_backend *backend = &model->backends[i];

        read_backend(backend, json_array_get(list, i));
        backend->place = i;
        model->tries += backend->tries > 0 ? backend->tries : 0;
    }
    sort_list(model);
    /* When the selected one is gone, its place in the list stays selected. */
    if (model->count > 0 &&
        strcmp(model->backends[top_model_selected(model)].id,
               model->selected) != 0)
        select_at(model, selected < model->count ? selected : model->count - 1);
}

/* --- the whole ------------------------------------------------------------- */

void top_model_init(struct top_model *model)
{
    memset(model, 0, sizeof(*model));
}

void top_model_fini(struct top_model *model)
{
    free(model->backends);
    model->backends = NULL;
    model->count = 0;
}

static void add_second(struct top_model *model, double requests, double p99_ms)
{
    if (model->history_count == TOP_SECONDS) {
        size_t rest = (TOP_SECONDS - 1) * sizeof(double);

        memmove(model->request_history, model->request_history + 1, rest);
        memmove(model->p99_history, model->p99_history + 1, rest);
        model->history_count--;
    }
    model->request_history[model->history_count] = requests;
    model->p99_history[model->history_count] = p99_ms;
    model->history_count++;
}

static void read_facts(struct top_model *model, const json_t *status)
{
    const json_t *config = json_object_get(status, "config");

    TAKE_WORDS(status, "name", model->name);
    TAKE_WORDS(status, "version", model->version);
    TAKE_WORDS(status, "listening", model->listening);
    TAKE_WORDS(status, "policy", model->policy);
    TAKE_WORDS(status, "state", model->state);
    TAKE_WORDS(config, "why", model->differs_why);
    if (!truth_of(config, "differs"))
        model->differs_why[0] = '\0';
    else if (model->differs_why[0] == '\0')
        snprintf(model->differs_why, sizeof(model->differs_why),
                 "not reloaded yet");
    model->now = time_of(status, "now");
    model->uptime_s = number_of(status, "uptime_s");
}

static void read_numbers(struct top_model *model, const json_t *status)
{
    const json_t *sessions = json_object_get(status, "sessions");
    const json_t *requests = json_object_get(status, "requests");
    const json_t *second = json_object_get(status, "last_second");

    model->sessions = number_of(sessions, "now");
    model->sessions_max = number_of(sessions, "max");
    model->in_flight = number_of(requests, "in_flight");
    model->waiting = number_of(requests, "waiting");
    model->retries = number_of(requests, "retries");
    model->requests = number_of(second, "requests");
    model->errors = number_of(second, "errors");
    model->p50_ms = latency_of(second, "p50_ms");
    model->p99_ms = latency_of(second, "p99_ms");
}

/** Another run counts from nought: say so, and do not compare. */
static void notice_run(struct top_model *model, const json_t *status)
{
    char started[sizeof(model->started)];

    TAKE_WORDS(status, "started", started);
    if (model->is_known && strcmp(started, model->started) != 0) {
        struct top_event *event = event_new(model, started);

        snprintf(event->state, sizeof(event->state), "info");
        snprintf(event->words, sizeof(event->words),
                 "steelyard was started again");
        model->history_count = 0;
    }
    memcpy(model->started, started, sizeof(started));
}

static bool read_status(struct top_model *model, const json_t *status)
{
    const json_t *backends = json_object_get(status, "backends");
    double before = model->now;

    if (!json_is_array(backends))
        return false;
    notice_run(model, status);
    read_facts(model, status);
    read_numbers(model, status);
    read_backends(model, backends);
    if (!model->is_known || model->now > before)
        add_second(model, model->requests, model->p99_ms);
    model->is_known = true;
    return true;
}

bool top_model_status(struct top_model *model, const char *text)
{
    json_t *status = json_loads(text, 0, NULL);
    bool good = read_status(model, status);

    json_decref(status);
    return good;
}

bool top_model_history(struct top_model *model, const char *text)
{
    json_t *history = json_loads(text, 0, NULL);
    const json_t *points = json_object_get(history, "points");
    bool good = json_is_array(points);

    if (good)
        model->history_count = 0;
    for (size_t i = 0; i < json_array_size(points); i++) {
        const json_t *point = json_array_get(points, i);

        add_second(model, number_of(point, "requests"),
                   latency_of(point, "p99_ms"));
    }
    json_decref(history);
    return good;
}

void top_model_event(struct top_model *model, const char *kind,
                     const char *text)
{
    json_t *event = json_loads(text, 0, NULL);

    if (strcmp(kind, "status") == 0)
        read_status(model, event);
    else if (strcmp(kind, "change") == 0 && json_is_object(event))
        add_change(model, event);
    else if (strcmp(kind, "note") == 0 && json_is_object(event))
        add_note(model, event);
    json_decref(event);
}

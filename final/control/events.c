/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Changes come from any thread, at any time, under the lock of the verdicts. So
 * they are only put into an inbox there, and control is asked to look into it.
 */
#include "control/events.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/must.h"
#include "control/json_words.h"
#include "event/loop.h"
#include "upstream/health.h"

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/** One that control has not seen yet. */
struct letter {
    struct link link; /**< in the inbox */
    char *json;       /**< owned */
};

struct events {
    struct loop *loop; /**< borrowed */
    struct event ring[EVENTS_MAX];
    uint64_t last; /**< number of the newest; 0: there is none */
    void (*on_event)(void *arg, const struct event *event);
    void *arg; /**< goes there */

    pthread_mutex_t lock;
    struct link inbox; /**< of letters, owned; under `lock` */
};

struct events *events_new(struct loop *loop)
{
    struct events *events = xnew(1, sizeof(*events));

    events->loop = loop;
    list_init(&events->inbox);
    pthread_mutex_init(&events->lock, NULL);
    return events;
}

static struct letter *take_letter(struct events *events)
{
    struct link *link;

    pthread_mutex_lock(&events->lock);
    link = list_take_first(&events->inbox);
    pthread_mutex_unlock(&events->lock);
    return link == NULL ? NULL : list_item(link, struct letter, link);
}

void events_free(struct events **owned)
{
    struct events *events = *owned;
    struct letter *letter;

    while ((letter = take_letter(events)) != NULL) {
        free(letter->json);
        free(letter);
    }
    for (size_t i = 0; i < EVENTS_MAX; i++)
        free(events->ring[i].json);
    pthread_mutex_destroy(&events->lock);
    free(events);
    *owned = NULL;
}

void events_watch(struct events *events,
                  void (*on_event)(void *arg, const struct event *event),
                  void *arg)
{
    events->on_event = on_event;
    events->arg = arg;
}

/** @param json owned by the events from now on */
static void write_down(struct events *events, const char *kind,
                       char *json) /* NOLINT: it goes into the ring */
{
    struct event *event = &events->ring[events->last % EVENTS_MAX];

    free(event->json);
    *event =
        (struct event){.number = ++events->last, .kind = kind, .json = json};
    if (events->on_event != NULL)
        events->on_event(events->arg, event);
}

static void on_inbox(void *arg)
{
    struct events *events = arg;
    struct letter *letter;

    while ((letter = take_letter(events)) != NULL) {
        write_down(events, "change", letter->json);
        free(letter);
    }
}

static char *print(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);

    must(text != NULL);
    json_decref(object);
    return text;
}

void events_on_change(void *arg, const struct health_change *change)
{
    struct events *events = arg;
    struct letter *letter = xnew(1, sizeof(*letter));
    char now[CLOCK_PRINT_MAX], id[20];

    clock_print(now);
    snprintf(id, sizeof(id), "%016" PRIx64, change->backend->identity);
    letter->json = print(json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o}", "time", now, "backend", id, "url",
        change->backend->url, "from", backend_state_word(change->from), "to",
        backend_state_word(change->to), "why", json_words(change->why)));
    pthread_mutex_lock(&events->lock);
    list_put_last(&events->inbox, &letter->link);
    pthread_mutex_unlock(&events->lock);
    loop_call(events->loop, on_inbox, events);
}

void events_note(struct events *events, enum log_level level,
                 const char *format, ...)
{
    static const char *const levels[] = {"error", "warn", "info", "debug"};
    char now[CLOCK_PRINT_MAX], text[600];
    va_list more;

    va_start(more, format);
    vsnprintf(text, sizeof(text), format, more);
    va_end(more);
    clock_print(now);
    write_down(events, "note",
               print(json_pack("{s:s, s:s, s:o}", "time", now, "level",
                               levels[level], "text", json_words(text))));
}

const struct event *events_after(const struct events *events, uint64_t number)
{
    uint64_t oldest =
        events->last > EVENTS_MAX ? events->last - EVENTS_MAX + 1 : 1;

    if (number >= events->last)
        return NULL;
    if (number + 1 > oldest)
        oldest = number + 1;
    return &events->ring[(oldest - 1) % EVENTS_MAX];
}

uint64_t events_last(const struct events *events)
{
    return events->last;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file events.h
 * @brief What has changed lately, for those who watch: the last 256 events.
 *
 *  - events_on_change() is the hook of pool->on_change: any thread may call it;
 *    the event is written down by control, soon;
 *  - events_note() writes down a sentence, in control's thread;
 *  - events_after() reads them.
 *
 * @floor{control}
 * @thread{control's, but for events_on_change()}
 */
#ifndef CONTROL_EVENTS_H
#define CONTROL_EVENTS_H

#include "base/log.h"

#include <stdint.h>

struct events;
struct health_change;
struct loop;

enum { EVENTS_MAX = 256 };

/** One of them. */
struct event {
    uint64_t number;  /**< 1 for the first one of this run */
    const char *kind; /**< `change` or `note` */
    char *json;       /**< owned by the events: its data, on one line */
};

/**
 * Make an empty list.
 *
 * @param loop borrowed: control's; outlives it
 * @return owned by the caller, who ends it with events_free()
 */
struct events *events_new(struct loop *loop);

/** End it, and empty the pointer. No other thread has it any more. */
void events_free(struct events **owned);

/** Call this, in control's thread, for each new event. */
void events_watch(struct events *events,
                  void (*on_event)(void *arg, const struct event *event),
                  void *arg);

/** A backend's state has changed; @p arg is the events. */
void events_on_change(void *arg, const struct health_change *change);

/** Something else has happened. */
__attribute__((format(printf, 3, 4))) void events_note(struct events *events,
                                                       enum log_level level,
                                                       const char *format, ...);

/**
 * The first event behind that number that is still kept.
 *
 * @return borrowed until control's next turn; NULL: there is none
 */
const struct event *events_after(const struct events *events, uint64_t number);

/** The number of the newest event; 0: there is none. */
uint64_t events_last(const struct events *events);

#endif

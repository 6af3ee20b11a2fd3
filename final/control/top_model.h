/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file top_model.h
 * @brief What `steelyard top` knows, without a terminal.
 *
 *  - top_model_status(), top_model_history() and top_model_event() read what
 *    the admin listener says, which is JSON;
 *  - top_model_sort() and top_model_move() are what a person does to the list;
 *  - the fields are for reading.
 *
 * All words in here are clean: plain ASCII, whatever came. Numbers that are not
 * known are #TOP_UNKNOWN.
 *
 * @floor{control}
 * @thread{one}
 */
#ifndef CONTROL_TOP_MODEL_H
#define CONTROL_TOP_MODEL_H

#include "control/top_text.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    TOP_SECONDS = 300,  /**< how much of the past is kept */
    TOP_EVENTS_MAX = 64 /**< how many events are kept */
};

/** A backend, as it was last told. */
struct top_backend {
    char id[32];      /**< what it is called in the API */
    char url[256];    /**< for people */
    char state[16];   /**< up, down, draining, unresolved */
    char why[256];    /**< the reason of that */
    double since;     /**< seconds since 1970, by steelyard's clock */
    bool ready;       /**< a person lets it serve */
    bool backup;      /**< it serves only when no other can */
    double weight;    /**< its share */
    double in_flight; /**< requests it is busy with */
    double tries;     /**< requests it got, all in all */
    double failures;  /**< those that failed by its fault */
    double requests;  /**< in the last second */
    double errors;    /**< likewise, those with a status of 500 or more */
    double p50_ms;    /**< half of them began to be answered within */
    double p99_ms;    /**< the same for 99 of 100 */
    size_t place;     /**< its number in the configuration */
};

/** What happened, and when. */
struct top_event {
    char time[12];   /**< of the day, as `10:31:07`, in UTC */
    char state[16];  /**< what it came to, or the level of a note */
    char words[512]; /**< in a sentence */
};

/* clang-format off */
/** How the list may be sorted, and what that is called. */
#define TOP_SORTS(X)                      \
    X(PLACE,     "configuration")         \
    X(URL,       "name")                  \
    X(STATE,     "state, the worst first") \
    X(REQUESTS,  "requests")              \
    X(ERRORS,    "errors")                \
    X(IN_FLIGHT, "in flight")             \
    X(P99,       "p99")
/* clang-format on */

/** What the list is sorted by. */
enum top_sort {
#define X(name, words) TOP_SORT_##name,
    TOP_SORTS(X)
#undef X
        TOP_SORT_COUNT
};

/** All that is known. */
struct top_model {
    bool is_known;         /**< a status has come */
    char name[32];         /**< of the program */
    char version[32];      /**< of the program, too */
    char listening[256];   /**< where */
    char policy[32];       /**< by which it picks */
    char state[16];        /**< serving or stopping */
    char started[32];      /**< another one: it is another run */
    char differs_why[256]; /**< why the file is not what runs; "": it is */
    double now;            /**< seconds since 1970, by steelyard's clock */
    double uptime_s;       /**< how long it has run */
    double sessions;       /**< clients now */
    double sessions_max;   /**< and at most */
    double in_flight;      /**< requests at backends */
    double waiting;        /**< requests without a place */
    double tries;          /**< of all requests */
    double retries;        /**< second and later ones */
    double requests;       /**< in the last second */
    double errors;         /**< likewise, those with a status of 500 or more */
    double p50_ms;         /**< half of them took no longer */
    double p99_ms;         /**< 99 of 100 */

    struct top_backend *backends; /**< owned, sorted */
    size_t count;                 /**< how many there are */
    enum top_sort sort;           /**< by what */
    char selected[32];            /**< the id of the one that is selected */

    double request_history[TOP_SECONDS]; /**< the newest last */
    double p99_history[TOP_SECONDS];     /**< likewise */
    size_t history_count;                /**< how many seconds are known */

    struct top_event events[TOP_EVENTS_MAX]; /**< the newest first */
    size_t event_count;                      /**< how many there are */
};

/** Nothing is known yet. */
void top_model_init(struct top_model *model);

/** End what it owns. */
void top_model_fini(struct top_model *model);

/** @return false, and nothing changes, when this is no status */
bool top_model_status(struct top_model *model, const char *text);

/** @return false, and nothing changes, when this is no history */
bool top_model_history(struct top_model *model, const char *text);

/** An event of the stream: `status`, `change`, `note`; others pass by. */
void top_model_event(struct top_model *model, const char *kind,
                     const char *text);

/** Sort the list in this way from now on. */
void top_model_sort(struct top_model *model, enum top_sort sort);

/** What that way is called. */
const char *top_sort_words(enum top_sort sort);

/** Select another one, so many lines further down (up: negative). */
void top_model_move(struct top_model *model, long lines);

/** Where the selected one is in the list; 0 when there is none. */
size_t top_model_selected(const struct top_model *model);

#endif

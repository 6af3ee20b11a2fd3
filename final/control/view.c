/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "control/view.h"

#include "base/clock.h"
#include "base/must.h"
#include "control/config.h"
#include "control/control.h"
#include "control/json_words.h"
#include "control/meter.h"
#include "control/options.h"
#include "control/overview.h"
#include "upstream/health.h"
#include "upstream/pool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static json_t *time_at(int64_t ms)
{
    char text[CLOCK_PRINT_MAX];

    clock_print_at(ms, text);
    return json_string(text);
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static json_t *by_class(const uint64_t counts[STATUS_CLASSES])
{
    static const char *const classes[STATUS_CLASSES] = {"1xx", "2xx", "3xx",
                                                        "4xx", "5xx"};
    json_t *object = json_object();

    for (int i = 0; i < STATUS_CLASSES; i++)
        json_object_set_new(object, classes[i], number(counts[i]));
    return object;
}

/* --- one backend ----------------------------------------------------------- */

static json_t *probes(const struct health_view *view)
{
    const char *last = view->last_passed ? "good" : "bad";

    return json_pack("{s:o, s:o, s:s}", "passed", number(view->passed),
                     "failed", number(view->failed), "last",
                     view->probed ? last : "none");
}

static json_t *addresses(const struct backend *backend)
{
    const struct backend_addresses *known = atomic_load(&backend->addresses);
    json_t *list = json_array();
    char text[ADDRESS_PRINT_MAX];

    for (size_t i = 0; known != NULL && i < known->count; i++) {
        address_print(&known->at[i], text);
        json_array_append_new(list, json_string(text));
    }
    return list;
}

static json_t *backend_last(const struct meter_backend *last)
{
    return json_pack("{s:o, s:o, s:f, s:f}", "requests", number(last->requests),
                     "errors", number(last->errors), "p50_ms", last->p50_ms,
                     "p99_ms", last->p99_ms);
}

/** What was configured, and what a person may change. */
static json_t *backend_identity(const struct backend *backend)
{
    char id[20];

    snprintf(id, sizeof(id), "%016" PRIx64, backend->identity);
    return json_pack("{s:s, s:o, s:b, s:i, s:b, s:i}", "id", id, "url",
                     json_words(backend->url), "ready",
                     !atomic_load(&backend->draining), "weight",
                     (int)atomic_load(&backend->weight), "backup",
                     (int)atomic_load(&backend->is_backup), "in_flight_max",
                     (int)atomic_load(&backend->in_flight_max));
}

static json_t *backend_health(const struct overview *overview,
                              const struct backend *backend)
{
    struct health_view view;

    health_look(control_pool(overview->control), backend, clock_ms(), &view);
    return json_pack(
        "{s:s, s:o, s:s, s:o, s:o, s:I, s:o}", "state",
        backend_state_word(view.state), "why", json_words(view.why), "health",
        backend_state_word(view.health), "health_why",
        json_words(view.health_why), "since",
        view.changed_ms == 0 ? json_string(overview->started)
                             : time_at(view.changed_ms),
        "ejected_ms", (json_int_t)view.ejected_ms, "probes", probes(&view));
}

static json_t *backend_facts(const struct overview *overview,
                             const struct backend *backend)
{
    size_t slot = counts_slot(backend);
    const struct counts_part *part = &overview->meter->total.backends[slot];

    return json_pack("{s:i, s:o, s:o, s:o, s:o, s:f, s:o}", "in_flight",
                     (int)atomic_load(&backend->in_flight), "tries",
                     number(atomic_load(&backend->tries)), "failures",
                     number(atomic_load(&backend->failures)), "by_class",
                     by_class(part->by_class), "last_second",
                     backend_last(&overview->meter->backends[slot]),
                     "latency_ms",
                     (double)atomic_load(&backend->latency_us) / 1000,
                     "addresses", addresses(backend));
}

/** The same, when the meter has been read already. */
static json_t *backend_json(const struct overview *overview,
                            const struct backend *backend)
{
    json_t *object = backend_identity(backend);

    json_object_update_new(object, backend_health(overview, backend));
    json_object_update_new(object, backend_facts(overview, backend));
    return object;
}

static json_t *backends_json(const struct overview *overview)
{
    const struct pool *pool = control_pool(overview->control);
    json_t *list = json_array();

    for (size_t i = 0; i < pool->count; i++)
        json_array_append_new(list, backend_json(overview, pool->backends[i]));
    return list;
}

json_t *view_backend(const struct overview *overview, struct backend *backend)
{
    meter_total(overview->meter);
    return backend_json(overview, backend);
}

json_t *view_backends(const struct overview *overview)
{
    meter_total(overview->meter);
    return backends_json(overview);
}

/* --- the whole ------------------------------------------------------------- */

static json_t *config_state(const struct overview *overview)
{
    const struct plan *plan = overview->control->plan;
    const char *path = plan->options.origins.path;
    const char *why = overview->drift.why;

    return json_pack("{s:i, s:o, s:b, s:o}", "generation",
                     (int)plan->configuration->generation, "file",
                     path == NULL ? json_null() : json_words(path), "differs",
                     overview->drift.differs, "why",
                     *why == '\0' ? json_null() : json_words(why));
}

static json_t *requests(const struct overview *overview)
{
    const struct counts_sum *total = &overview->meter->total;
    struct pool *pool = control_pool(overview->control);

    return json_pack("{s:o, s:i, s:i, s:o, s:o, s:o, s:o, s:o}", "total",
                     number(counts_total(&total->all)), "in_flight",
                     (int)meter_in_flight(overview->meter), "waiting",
                     (int)atomic_load(&pool->waiting), "retries",
                     number(total->retries), "client_left",
                     number(total->client_left), "by_class",
                     by_class(total->all.by_class), "own", by_class(total->own),
                     "refused", number(total->refused));
}

static json_t *last_second(const struct history_point *last)
{
    return json_pack("{s:o, s:o, s:f, s:f, s:f}", "requests",
                     number(last->requests), "errors", number(last->errors),
                     "p50_ms", last->p50_ms, "p90_ms", last->p90_ms, "p99_ms",
                     last->p99_ms);
}

/** Who is speaking. */
static json_t *program(const struct overview *overview)
{
    int64_t now_ms = clock_ms();

    return json_pack(
        "{s:s, s:s, s:i, s:s, s:f, s:o, s:s, s:i, s:s, s:s}", "name",
        "steelyard", "version", STEELYARD_VERSION, "pid", (int)getpid(),
        "started", overview->started, "uptime_s",
        (double)(now_ms - overview->started_ms) / 1000, "now", time_at(now_ms),
        "listening", overview->listening, "workers",
        (int)overview->control->workers, "policy",
        settings_word(control_settings(overview->control), SETTING_policy),
        "state", overview->control->stop_by_ms != 0 ? "stopping" : "serving");
}

json_t *view_status(const struct overview *overview)
{
    json_t *object = program(overview);

    meter_total(overview->meter);
    json_object_set_new(object, "config", config_state(overview));
    json_object_set_new(
        object, "sessions",
        json_pack("{s:i, s:i}", "now",
                  (int)atomic_load(&overview->control->proxy.sessions), "max",
                  (int)atomic_load(&overview->control->proxy.sessions_max)));
    json_object_set_new(object, "requests", requests(overview));
    json_object_set_new(object, "last_second",
                        last_second(&overview->meter->last));
    json_object_set_new(object, "backends", backends_json(overview));
    return object;
}

json_t *view_history(const struct overview *overview)
{
    const struct history *history = &overview->meter->history;
    json_t *list = json_array();

    for (size_t i = 0; i < history->count; i++) {
        const struct history_point *at = history_at(history, i);

        json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:o, s:f, s:f, s:f, s:i, s:o}", "time",
                      time_at(at->time_ms), "requests", number(at->requests),
                      "errors", number(at->errors), "p50_ms", at->p50_ms,
                      "p90_ms", at->p90_ms, "p99_ms", at->p99_ms, "in_flight",
                      (int)at->in_flight, "retries", number(at->retries)));
    }
    return json_pack("{s:i, s:o}", "step_ms", HISTORY_STEP_MS, "points", list);
}

/* --- settings -------------------------------------------------------------- */

static json_t *setting_json(const struct overview *overview, enum setting which)
{
    char *value = NULL, *from = NULL;
    size_t length;
    FILE *out = open_memstream(&value, &length);
    json_t *object;

    must(out != NULL);
    settings_print(control_settings(overview->control), which, out);
    must(fclose(out) == 0);
    out = open_memstream(&from, &length);
    must(out != NULL);
    config_print_origin(&overview->control->plan->options.origins, which, out);
    must(fclose(out) == 0);
    object = json_pack("{s:o, s:o}", "value", json_words(value), "from",
                       json_words(from));
    free(value);
    free(from);
    return object;
}

json_t *view_config(const struct overview *overview)
{
    json_t *object = config_state(overview), *all = json_object();

    for (enum setting i = 0; i < SETTING_COUNT; i++)
        json_object_set_new(all, setting_row(i)->flag,
                            setting_json(overview, i));
    json_object_set_new(object, "settings", all);
    return object;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A table of routes: method, path, and the function that answers. A path that
 * ends in `*` has one more part there, which the function is given.
 */
#include "control/api.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/must.h"
#include "control/config.h"
#include "control/control.h"
#include "control/events.h"
#include "control/json_words.h"
#include "control/metrics.h"
#include "control/overview.h"
#include "control/page.h"
#include "control/view.h"
#include "upstream/health.h"
#include "upstream/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** Everything that answering takes. */
struct question {
    struct overview *overview;
    const struct api_request *request;
    struct text rest; /**< what stands in the place of the `*` */
    struct reply *reply;
};

/* --- for orchestrators ----------------------------------------------------- */

static void get_alive(const struct question *question)
{
    reply_text(question->reply, 200, "ok\n");
}

static size_t count_up(const struct pool *pool)
{
    size_t count = 0;

    for (size_t i = 0; i < pool->count; i++)
        count += backend_may_serve(pool->backends[i]);
    return count;
}

static bool is_stopping(const struct overview *overview)
{
    return overview->control->stop_by_ms != 0;
}

/** Why no requests should be sent here now; NULL: they should. */
static const char *not_ready(const struct overview *overview)
{
    if (is_stopping(overview))
        return "stopping";
    return count_up(control_pool(overview->control)) == 0 ? "no backend is up"
                                                          : NULL;
}

static void get_ready(const struct question *question)
{
    const struct overview *overview = question->overview;
    const char *why = not_ready(overview);
    size_t up = count_up(control_pool(overview->control));
    char list[120] = "";

    if (text_begins(question->request->query, "verbose"))
        snprintf(
            list, sizeof(list), "[%s]listener%s\n[%s]backends: %zu of %zu up\n",
            is_stopping(overview) ? "-" : "+",
            is_stopping(overview) ? ": stopping" : " ok", up == 0 ? "-" : "+",
            up, control_pool(overview->control)->count);
    if (why == NULL)
        reply_text(question->reply, 200, "%sok\n", list);
    else
        reply_text(question->reply, 503, "%snot ready: %s\n", list, why);
}

static void get_metrics(const struct question *question)
{
    struct reply *reply = question->reply;

    reply->status = 200;
    reply->type = "text/plain; version=0.0.4; charset=utf-8";
    reply->body = metrics_print(question->overview, &reply->length);
}

/* --- reading --------------------------------------------------------------- */

static void get_dashboard(const struct question *question)
{
    page_dashboard(question->reply);
}

static void get_openapi(const struct question *question)
{
    page_openapi(question->reply);
}

static void get_status(const struct question *question)
{
    reply_json(question->reply, 200, view_status(question->overview));
}

static void get_backends(const struct question *question)
{
    reply_json(
        question->reply, 200,
        json_pack("{s:o}", "backends", view_backends(question->overview)));
}

static void get_history(const struct question *question)
{
    reply_json(question->reply, 200, view_history(question->overview));
}

static void get_config(const struct question *question)
{
    reply_json(question->reply, 200, view_config(question->overview));
}

static void get_events(const struct question *question)
{
    question->reply->status = 200;
    question->reply->type = "text/event-stream";
    question->reply->streams = true;
}

/* --- one backend ----------------------------------------------------------- */

/** The backend that the path names; NULL: refused. */
static struct backend *named(const struct question *question)
{
    char id[17] = "", *end;
    struct backend *backend = NULL;

    if (question->rest.length == 16) {
        memcpy(id, question->rest.at, 16);
        backend = pool_find(control_pool(question->overview->control),
                            strtoull(id, &end, 16));
        if (*end != '\0')
            backend = NULL;
    }
    if (backend == NULL)
        reply_refuse(
            question->reply, 404, "no backend has the id %.*s",
            (int)(question->rest.length > 60 ? 60 : question->rest.length),
            question->rest.at);
    return backend;
}

static void get_backend(const struct question *question)
{
    struct backend *backend = named(question);

    if (backend != NULL)
        reply_json(question->reply, 200,
                   view_backend(question->overview, backend));
}

/** What somebody wants of a backend. */
struct wish {
    bool has_ready, ready;
    unsigned weight; /**< 0: as it is */
};

static bool wish_ready(struct wish *wish, const json_t *value)
{
    wish->has_ready = true;
    wish->ready = json_is_true(value);
    return json_is_boolean(value);
}

static bool wish_weight(struct wish *wish, const json_t *value)
{
    json_int_t weight = json_integer_value(value);

    wish->weight = (unsigned)weight;
    return json_is_integer(value) && weight >= 1 &&
           weight <= SETTINGS_WEIGHT_MAX;
}

/** All of it must make sense, or nothing is done. */
static bool wish_read(struct wish *wish, json_t *object, struct fault *fault)
{
    const char *key;
    json_t *value;

    *wish = (struct wish){0};
    json_object_foreach(object, key, value)
    {
        if (strcmp(key, "ready") == 0) {
            if (!wish_ready(wish, value))
                return fault_say(fault, "ready wants true or false");
        } else if (strcmp(key, "weight") == 0) {
            if (!wish_weight(wish, value))
                return fault_say(fault,
                                 "weight wants a whole number from 1 to %d",
                                 SETTINGS_WEIGHT_MAX);
        } else {
            return fault_say(fault, "of a backend, only ready and weight can "
                                    "be changed");
        }
    }
    if (!wish->has_ready && wish->weight == 0)
        return fault_say(fault, "nothing to change: give ready or weight");
    return true;
}

static void wish_grant(const struct wish *wish, struct overview *overview,
                       struct backend *backend)
{
    unsigned before = atomic_load(&backend->weight);

    if (wish->weight != 0 && wish->weight != before) {
        atomic_store(&backend->weight, wish->weight);
        log_info("%s: weight %u (was %u)", backend->url, wish->weight, before);
        events_note(overview->events, LOG_INFO, "%s: weight %u (was %u)",
                    backend->url, wish->weight, before);
    }
    if (wish->has_ready)
        health_set_ready(control_pool(overview->control), backend, wish->ready,
                         clock_ms());
}

/** The body as an object; NULL: refused. */
static json_t *body_object(const struct question *question)
{
    json_error_t error;
    json_t *object =
        json_loadb(question->request->body.at, question->request->body.length,
                   JSON_REJECT_DUPLICATES, &error);

    if (object == NULL)
        reply_refuse(question->reply, 400, "the body is no JSON: line %d: %s",
                     error.line, error.text);
    else if (!json_is_object(object))
        reply_refuse(question->reply, 422, "the body must be an object");
    if (json_is_object(object))
        return object;
    json_decref(object);
    return NULL;
}

static void patch_backend(const struct question *question)
{
    struct backend *backend = named(question);
    json_t *object = backend == NULL ? NULL : body_object(question);
    struct wish wish;
    struct fault fault;

    if (object == NULL)
        return;
    if (wish_read(&wish, object, &fault)) {
        wish_grant(&wish, question->overview, backend);
        reply_json(question->reply, 200,
                   view_backend(question->overview, backend));
    } else {
        reply_refuse(question->reply, 422, "%s", fault.text);
    }
    json_decref(object);
}

/* --- more backends, or less ------------------------------------------------ */

/** What somebody wants to add. */
static bool read_wanted(struct settings_backend *wanted, json_t *object,
                        struct fault *fault)
{
    const char *key;
    json_t *value;

    *wanted = (struct settings_backend){.weight = 1};
    json_object_foreach(object, key, value)
    {
        if (strcmp(key, "url") == 0 && json_is_string(value))
            wanted->url = (char *)json_string_value(value); /* borrowed */
        else if (strcmp(key, "weight") == 0 && json_is_integer(value) &&
                 json_integer_value(value) >= 1 &&
                 json_integer_value(value) <= SETTINGS_WEIGHT_MAX)
            wanted->weight = (unsigned)json_integer_value(value);
        else if (strcmp(key, "backup") == 0 && json_is_boolean(value))
            wanted->is_backup = json_is_true(value);
        else
            return fault_say(fault,
                             "wants url, perhaps weight from 1 to %d "
                             "and backup as true or false",
                             SETTINGS_WEIGHT_MAX);
    }
    return wanted->url != NULL || fault_say(fault, "wants a url");
}

static struct backend *find_url(const struct overview *overview,
                                const char *url)
{
    const struct pool *pool = control_pool(overview->control);

    for (size_t i = 0; i < pool->count; i++)
        if (strcmp(pool->backends[i]->url, url) == 0)
            return pool->backends[i];
    return NULL;
}

/** Add it, and answer. */
static void add_wanted(const struct question *question,
                       const struct settings_backend *wanted)
{
    struct overview *overview = question->overview;
    struct fault fault;

    must(wanted->url != NULL);
    if (find_url(overview, wanted->url) != NULL) {
        reply_refuse(question->reply, 409, "there is a backend %s already",
                     wanted->url);
        return;
    }
    if (!control_add(overview->control, wanted, &fault)) {
        reply_refuse(question->reply, 422, "%s", fault.text);
        return;
    }
    log_info("backend %s was added", wanted->url);
    events_note(overview->events, LOG_INFO, "%s was added", wanted->url);
    reply_json(question->reply, 201,
               view_backend(overview, find_url(overview, wanted->url)));
}

static void post_backend(const struct question *question)
{
    json_t *object = body_object(question);
    struct settings_backend wanted;
    struct fault fault;

    if (object == NULL)
        return;
    if (read_wanted(&wanted, object, &fault))
        add_wanted(question, &wanted);
    else
        reply_refuse(question->reply, 422, "%s", fault.text);
    json_decref(object);
}

static void delete_backend(const struct question *question)
{
    struct overview *overview = question->overview;
    struct backend *backend = named(question);
    struct fault fault;
    unsigned in_flight;
    char url[sizeof(backend->url)];

    if (backend == NULL)
        return;
    snprintf(url, sizeof(url), "%s", backend->url);
    in_flight = atomic_load(&backend->in_flight);
    if (!control_remove(overview->control, url, &fault)) {
        reply_refuse(question->reply, 409, "%s", fault.text);
        return;
    }
    log_info("backend %s was removed", url);
    events_note(overview->events, LOG_INFO, "%s was removed", url);
    reply_json(question->reply, 200,
               json_pack("{s:o, s:i}", "removed", json_words(url), "in_flight",
                         (int)in_flight));
}

/* --- the configuration ----------------------------------------------------- */

/** What flags gave, as they would give it again. Owned by the caller. */
static char *given_text(const struct overview *overview, enum setting setting)
{
    const struct plan *plan = overview->control->plan;
    char *text = NULL;
    size_t length;
    FILE *out;

    if (plan->options.origins.of[setting].from != CONFIG_FROM_FLAG)
        return NULL;
    out = open_memstream(&text, &length);
    must(out != NULL);
    settings_write(&plan->options.settings, setting, out);
    must(fclose(out) == 0);
    return text;
}

/** Would this text do as the configuration file of this process? */
static bool config_would_do(const struct overview *overview, struct text text,
                            struct fault *fault)
{
    static struct config_origins origins;
    const char *path = overview->control->plan->options.origins.path;
    char *given[SETTING_COUNT];
    struct settings settings;
    struct config_sources sources = {
        .path = path == NULL ? "config" : path,
        .text = text.at,
        .length = text.length,
        .variables = environ,
        .given = (const char *const *)given,
    };
    bool good;

    for (enum setting i = 0; i < SETTING_COUNT; i++)
        given[i] = given_text(overview, i);
    good = config_read(&settings, &origins, &sources, fault);
    if (good) {
        good = configuration_check(&settings, fault);
        settings_fini(&settings);
    }
    for (enum setting i = 0; i < SETTING_COUNT; i++)
        free(given[i]);
    return good;
}

static void check_config(const struct question *question)
{
    struct fault fault;

    if (config_would_do(question->overview, question->request->body, &fault))
        reply_json(question->reply, 200, json_pack("{s:b}", "ok", 1));
    else
        reply_refuse(question->reply, 422, "%s", fault.text);
}

/** The flags of those settings that are marked. */
static json_t *flags_of(const bool marked[SETTING_COUNT])
{
    json_t *list = json_array();

    for (enum setting i = 0; i < SETTING_COUNT; i++)
        if (marked[i])
            json_array_append_new(list, json_string(setting_row(i)->flag));
    return list;
}

static void post_reload(const struct question *question)
{
    struct control *control = question->overview->control;
    struct control_change change;
    struct fault fault;

    if (!control_reload(control, &change, &fault)) {
        control_tell_refused(control, &fault);
        reply_refuse(question->reply, 422, "%s", fault.text);
        return;
    }
    control_tell_change(control, &change);
    reply_json(question->reply, 200,
               json_pack("{s:i, s:o, s:o}", "generation",
                         (int)control->plan->configuration->generation,
                         "changed", flags_of(change.changed), "needs_restart",
                         flags_of(change.needs_restart)));
}

/** How it goes is known later, and told then. */
static void post_upgrade(const struct question *question)
{
    struct control *control = question->overview->control;
    struct fault fault;

    if (control->hand_over(control, &fault))
        question->reply->waits = true;
    else
        reply_refuse(question->reply, 409, "%s", fault.text);
}

/* --- the routes ------------------------------------------------------------ */

static const struct route {
    enum method method;
    const char *path;
    void (*answer)(const struct question *question);
} routes[] = {
    {METHOD_GET, "/", get_dashboard},
    {METHOD_GET, "/healthz", get_alive},
    {METHOD_GET, "/livez", get_alive},
    {METHOD_GET, "/readyz", get_ready},
    {METHOD_GET, "/metrics", get_metrics},
    {METHOD_GET, "/events", get_events},
    {METHOD_GET, "/api/v1/status", get_status},
    {METHOD_GET, "/api/v1/backends", get_backends},
    {METHOD_POST, "/api/v1/backends", post_backend},
    {METHOD_GET, "/api/v1/backends/*", get_backend},
    {METHOD_PATCH, "/api/v1/backends/*", patch_backend},
    {METHOD_DELETE, "/api/v1/backends/*", delete_backend},
    {METHOD_GET, "/api/v1/history", get_history},
    {METHOD_GET, "/api/v1/config", get_config},
    {METHOD_POST, "/api/v1/config/check", check_config},
    {METHOD_POST, "/api/v1/reload", post_reload},
    {METHOD_POST, "/api/v1/upgrade", post_upgrade},
    {METHOD_GET, "/api/v1/openapi.json", get_openapi},
};

/** Is this the path of the route? What stands for `*` goes to @p rest. */
static bool route_is(const struct route *route, struct text path,
                     struct text *rest)
{
    size_t length = strlen(route->path);

    *rest = text_of("");
    if (route->path[length - 1] != '*')
        return text_is(path, route->path);
    length--;
    if (path.length <= length || memcmp(path.at, route->path, length) != 0)
        return false;
    *rest = (struct text){path.at + length, path.length - length};
    return memchr(rest->at, '/', rest->length) == NULL;
}

/** The field that a refused method gets (RFC 9110, 10.2.1). */
static const char *allowed(const bool has[METHOD_PATCH + 1])
{
    if (has[METHOD_PATCH])
        return "Allow: GET, HEAD, PATCH, DELETE\r\n";
    if (has[METHOD_GET] && has[METHOD_POST])
        return "Allow: GET, HEAD, POST\r\n";
    return has[METHOD_GET] ? "Allow: GET, HEAD\r\n" : "Allow: POST\r\n";
}

void api_answer(struct overview *overview, const struct api_request *request,
                struct reply *reply)
{
    struct question question = {
        .overview = overview, .request = request, .reply = reply};
    enum method wanted =
        request->method == METHOD_HEAD ? METHOD_GET : request->method;
    bool has[METHOD_PATCH + 1] = {false}, is_here = false;

    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        if (!route_is(&routes[i], request->path, &question.rest))
            continue;
        if (routes[i].method == wanted) {
            routes[i].answer(&question);
            return;
        }
        has[routes[i].method] = is_here = true;
    }
    if (!is_here) {
        reply_refuse(reply, 404,
                     "there is nothing here; see /api/v1/openapi.json");
        return;
    }
    reply_refuse(reply, 405, "this cannot be done here");
    reply->fields = allowed(has);
}

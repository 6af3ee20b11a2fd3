/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The parts of the admin side that need no socket: who is let in, what is
 * remembered, how answers are written; and whether openapi.json has all routes.
 */
#include "unit.h"

#include "base/clock.h"
#include "control/events.h"
#include "control/guard.h"
#include "control/history.h"
#include "control/json_words.h"
#include "event/loop.h"
#include "http/head.h"
#include "upstream/health.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the guard ------------------------------------------------------------- */

static const struct guard here = {
    .token = "secret", .address = "127.0.0.1", .is_local = true};
static const struct guard there = {
    .token = "secret", .address = "0.0.0.0", .is_local = false};
static const struct guard in_files = {
    .token = "secret", .address = NULL, .is_local = true};

/** What the guard answers to this request; 0: it admits it. */
static unsigned asks(const struct guard *guard, const char *bytes)
{
    static struct head head;
    const struct head_limits limits = {8192, 2048};
    struct reply reply = {0};
    bool admitted;

    head_begin(&head, HEAD_REQUEST, &limits);
    ck_assert_int_eq(head_read(&head, bytes, strlen(bytes)), HEAD_DONE);
    admitted = guard_admits(guard, &head, &reply);
    reply_fini(&reply);
    ck_assert_int_eq(admitted, reply.status == 0);
    return reply.status;
}

#define READ   "GET / HTTP/1.1\r\n"
#define CHANGE "PATCH / HTTP/1.1\r\n"
#define SECRET "Authorization: Bearer secret\r\n"

START_TEST(reading_needs_one_of_our_names)
{
    static const struct {
        const char *host;
        unsigned status;
    } cases[] = {
        {"localhost", 0},
        {"LOCALHOST:80", 0},
        {"127.0.0.1:8090", 0},
        {"[::1]:8090", 0},
        {"[::1]", 0},
        {"evil.example", 403},
        {"localhost.evil.ex", 403},
        {"127.0.0.1.ex", 403},
        {"[::2]", 403},
        {"", 403},
    };
    char request[120];

    snprintf(request, sizeof(request), READ "Host: %s\r\n\r\n", cases[_i].host);
    ck_assert_uint_eq(asks(&here, request), cases[_i].status);
    ck_assert_uint_eq(asks(&in_files, request), 0);
    ck_assert_uint_eq(asks(&there, request), 0);
}
END_TEST

START_TEST(changing_needs_the_token)
{
    static const struct {
        const char *line;
        unsigned status;
    } cases[] = {
        {SECRET, 0},
        {"authorization: BEARER secret\r\n", 0},
        {"Authorization: Bearer   secret\r\n", 0},
        {"", 401},
        {"Authorization: Bearer\r\n", 401},
        {"Authorization: Bearer \r\n", 401},
        {"Authorization: Bearer secre\r\n", 401},
        {"Authorization: Bearer secrets\r\n", 401},
        {"Authorization: Bearer Secret\r\n", 401},
        {"Authorization: Basic secret\r\n", 401},
        {"Authorization: secret\r\n", 401},
    };
    char request[160];

    snprintf(request, sizeof(request), CHANGE "Host: localhost\r\n%s\r\n",
             cases[_i].line);
    ck_assert_uint_eq(asks(&here, request), cases[_i].status);
    ck_assert_uint_eq(asks(&in_files, request), cases[_i].status);
}
END_TEST

START_TEST(other_origins_change_nothing)
{
    static const struct {
        const char *origin;
        unsigned status;
    } cases[] = {
        {"http://localhost:8090", 0},
        {"http://LOCALHOST:8090", 0},
        {"http://localhost:8091", 403},
        {"http://localhost", 403},
        {"https://localhost:8090", 403},
        {"http://evil.example", 403},
        {"null", 403},
        {"http://", 403},
    };
    char request[200];

    snprintf(request, sizeof(request),
             CHANGE "Host: localhost:8090\r\n" SECRET "Origin: %s\r\n\r\n",
             cases[_i].origin);
    ck_assert_uint_eq(asks(&here, request), cases[_i].status);
}
END_TEST

/* --- answers --------------------------------------------------------------- */

START_TEST(an_answer_is_written_whole)
{
    struct reply reply = {0};
    size_t length;
    char *text;

    reply_refuse(&reply, 404, "no \"%s\"", "such");
    text = reply_print(&reply, false, true, &length);
    ck_assert_uint_eq(strncmp(text, "HTTP/1.1 404 Not Found\r\n", 24), 0);
    ck_assert_ptr_nonnull(strstr(text, "Connection: close\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "Cache-Control: no-store\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "X-Content-Type-Options: nosniff\r\n"));
    ck_assert_ptr_nonnull(
        strstr(text, "\r\n\r\n{\"error\":{\"status\":404,\"message\":\"no "
                     "\\\"such\\\"\"}}"));
    free(text);
    text = reply_print(&reply, true, false, &length);
    ck_assert_uint_eq(length, strlen(text));
    ck_assert_str_eq(text + length - 4, "\r\n\r\n");
    ck_assert_ptr_null(strstr(text, "Connection:"));
    free(text);
    reply_fini(&reply);
}
END_TEST

START_TEST(words_that_are_no_utf8_become_json_all_the_same)
{
    json_t *good = json_words("gr\xc3\xbc\xc3\x9f"),
           *bad = json_words("a\xff!");

    ck_assert_str_eq(json_string_value(good), "gr\xc3\xbc\xc3\x9f");
    ck_assert_str_eq(json_string_value(bad), "a?!");
    json_decref(good);
    json_decref(bad);
}
END_TEST

/* --- what is remembered ---------------------------------------------------- */

START_TEST(the_history_keeps_the_last_points_in_order)
{
    static struct history history;

    history = (struct history){0};
    for (uint64_t i = 1; i <= HISTORY_POINTS + 7; i++) {
        history_add(&history, &(struct history_point){.requests = i});
        ck_assert_uint_eq(history_at(&history, history.count - 1)->requests, i);
    }
    ck_assert_uint_eq(history.count, HISTORY_POINTS);
    for (size_t i = 0; i < history.count; i++)
        ck_assert_uint_eq(history_at(&history, i)->requests, i + 8);
}
END_TEST

static uint64_t told;

static void on_event(void *arg, const struct event *event)
{
    ck_assert_ptr_eq(arg, &told);
    told = event->number;
}

START_TEST(the_last_events_are_kept)
{
    struct loop *loop = loop_new(poller_find("auto"));
    struct events *events = events_new(loop);
    const struct event *event;

    told = 0;
    events_watch(events, on_event, &told);
    ck_assert_ptr_null(events_after(events, 0));
    for (int i = 1; i <= EVENTS_MAX + 10; i++)
        events_note(events, LOG_INFO, "number %d", i);
    ck_assert_uint_eq(told, EVENTS_MAX + 10);
    ck_assert_uint_eq(events_last(events), EVENTS_MAX + 10);
    event = events_after(events, 0);
    ck_assert_uint_eq(event->number, 11);
    ck_assert_ptr_nonnull(strstr(event->json, "\"text\":\"number 11\""));
    ck_assert_str_eq(event->kind, "note");
    event = events_after(events, 200);
    ck_assert_uint_eq(event->number, 201);
    ck_assert_ptr_null(events_after(events, EVENTS_MAX + 10));
    ck_assert_ptr_null(events_after(events, UINT64_MAX));
    events_free(&events);
    loop_free(&loop);
}
END_TEST

static void stop_loop(void *loop)
{
    loop_stop(loop);
}

START_TEST(a_change_is_told_in_the_thread_of_the_loop)
{
    struct loop *loop = loop_new(poller_find("auto"));
    struct events *events = events_new(loop);
    struct backend backend = {.url = "http://a:1", .identity = 0xabc};
    struct health_change change = {.backend = &backend,
                                   .from = BACKEND_UP,
                                   .to = BACKEND_DOWN,
                                   .why = "it \"died\""};
    const struct event *event;

    events_on_change(events, &change);
    ck_assert_ptr_null(events_after(events, 0));
    loop_call(loop, stop_loop, loop);
    loop_run(loop);
    event = events_after(events, 0);
    ck_assert_ptr_nonnull(event);
    ck_assert_str_eq(event->kind, "change");
    ck_assert_ptr_nonnull(
        strstr(event->json, "\"backend\":\"0000000000000abc\",\"url\":"
                            "\"http://a:1\",\"from\":\"up\",\"to\":\"down\","
                            "\"why\":\"it \\\"died\\\"\"}"));
    events_on_change(events, &change); /* nobody will fetch this one */
    events_free(&events);
    loop_free(&loop);
}
END_TEST

START_TEST(moments_become_dates)
{
    char now[CLOCK_PRINT_MAX], then[CLOCK_PRINT_MAX];

    clock_print_at(clock_ms() - 3600000, then);
    clock_print(now);
    ck_assert_uint_eq(strlen(then), strlen("2026-11-21T09:30:00.123Z"));
    ck_assert_int_lt(strcmp(then, now), 0);
}
END_TEST

/* --- routes ---------------------------------------------------------------- */

/** A row of the table in api.c, as the file writes it: `patch`, `/x/{id}`. */
static bool read_route(const char *line, char method[16], char path[100])
{
    if (sscanf(line, " {METHOD_%15[A-Z], \"%99[^\"]\"", method, path) != 2)
        return false;
    for (char *at = method; *at != '\0'; at++)
        *at = (char)(*at - 'A' + 'a');
    if (path[strlen(path) - 1] == '*')
        snprintf(path + strlen(path) - 1, sizeof("{id}"), "{id}");
    return true;
}

static size_t count_operations(const json_t *paths)
{
    static const char *const methods[] = {"get", "post", "patch", "put",
                                          "delete"};
    const char *path;
    json_t *operations;
    size_t count = 0;

    json_object_foreach(
        (json_t *)paths, path,
        operations) for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]);
                         i++) count +=
        json_object_get(operations, methods[i]) != NULL;
    return count;
}

START_TEST(the_api_file_has_the_routes_that_the_program_has)
{
    FILE *source = fopen("final/control/api.c", "r");
    json_t *api = json_load_file("final/openapi.json", 0, NULL);
    const json_t *paths = json_object_get(api, "paths");
    char line[200], method[16], path[100];
    size_t routes = 0;

    ck_assert_ptr_nonnull(source);
    ck_assert_ptr_nonnull(paths);
    while (fgets(line, sizeof(line), source) != NULL) {
        if (!read_route(line, method, path))
            continue;
        routes++;
        ck_assert_msg(json_object_get(json_object_get(paths, path), method) !=
                          NULL,
                      "final/openapi.json has no %s %s", method, path);
    }
    fclose(source);
    ck_assert_uint_ge(routes, 10);
    ck_assert_uint_eq(routes, count_operations(paths));
    json_decref(api);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("admin");

    unit_add(suite, reading_needs_one_of_our_names, 10);
    unit_add(suite, changing_needs_the_token, 11);
    unit_add(suite, other_origins_change_nothing, 8);
    unit_add(suite, an_answer_is_written_whole, 1);
    unit_add(suite, words_that_are_no_utf8_become_json_all_the_same, 1);
    unit_add(suite, the_history_keeps_the_last_points_in_order, 1);
    unit_add(suite, the_last_events_are_kept, 1);
    unit_add(suite, a_change_is_told_in_the_thread_of_the_loop, 1);
    unit_add(suite, moments_become_dates, 1);
    unit_add(suite, the_api_file_has_the_routes_that_the_program_has, 1);
    return unit_run(suite);
}

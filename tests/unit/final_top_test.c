/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What `steelyard top` knows and prints, without a terminal: words that came
 * from elsewhere, numbers, the stream of events, the list, the plain table.
 */
#include "base/fault.h"
#include "control/top_client.h"
#include "control/top_model.h"
#include "control/top_stream.h"
#include "control/top_table.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

/* --- words and numbers ----------------------------------------------------- */

START_TEST(words_from_elsewhere_cannot_steer_a_terminal)
{
    static const struct {
        const char *words;
        const char *clean;
    } cases[] = {
        {"connection refused", "connection refused"},
        {"\x1b[31mred\x1b]0;title\x07", "?[31mred?]0;title?"},
        {"a\r\nb\tc\x7f", "a??b?c?"},
        {"caf\xc3\xa9 \xe2\x80\xae \xf0\x9f\x98\x80", "caf? ? ?"},
        {"\xc2\x9b"
         "31m",
         "?31m"},
        {"\xff\xfe", "??"},
        {NULL, ""},
        {"123456789012345678901234567890123456789",
         "1234567890123456789012345678901"},
    };
    char out[32];

    top_text_clean(out, sizeof(out), cases[_i].words);
    ck_assert_str_eq(out, cases[_i].clean);
}
END_TEST

START_TEST(numbers_have_commas_and_units)
{
    char out[32];

    ck_assert_str_eq(top_text_count(out, sizeof(out), 0), "0");
    ck_assert_str_eq(top_text_count(out, sizeof(out), 999), "999");
    ck_assert_str_eq(top_text_count(out, sizeof(out), 1000), "1,000");
    ck_assert_str_eq(top_text_count(out, sizeof(out), 1234567), "1,234,567");
    ck_assert_str_eq(top_text_count(out, sizeof(out), TOP_UNKNOWN), "-");
    ck_assert_str_eq(top_text_count(out, sizeof(out), 1e300), "-");
    ck_assert_str_eq(top_text_ms(out, sizeof(out), 0.853), "0.85 ms");
    ck_assert_str_eq(top_text_ms(out, sizeof(out), 9.96), "10.0 ms");
    ck_assert_str_eq(top_text_ms(out, sizeof(out), 123.4), "123 ms");
    ck_assert_str_eq(top_text_ms(out, sizeof(out), 1234), "1.23 s");
    ck_assert_str_eq(top_text_ms(out, sizeof(out), TOP_UNKNOWN), "-");
    ck_assert_str_eq(top_text_duration(out, sizeof(out), 1.9), "1 second");
    ck_assert_str_eq(top_text_duration(out, sizeof(out), 119), "1 minute");
    ck_assert_str_eq(top_text_duration(out, sizeof(out), 7200), "2 hours");
    ck_assert_str_eq(top_text_duration(out, sizeof(out), 1e6), "11 days");
    ck_assert_str_eq(top_text_duration(out, sizeof(out), -5), "0 seconds");
}
END_TEST

START_TEST(a_moment_is_read)
{
    ck_assert_double_eq_tol(top_text_time("2026-11-21T10:00:01.500Z"),
                            1795255201.5, 0.001);
    ck_assert_double_eq(top_text_time("yesterday"), 0);
    ck_assert_double_eq(top_text_time(NULL), 0);
}
END_TEST

START_TEST(a_sparkline_shows_the_last_numbers)
{
    static const double numbers[] = {100, 0, 1, 4, TOP_UNKNOWN, 8};
    char out[64];

    ck_assert_uint_eq(
        top_text_sparkline(out, sizeof(out), numbers, 6, 5, false), 5);
    ck_assert_str_eq(out, "_.= #");
    ck_assert_uint_eq(top_text_sparkline(out, sizeof(out), numbers, 6, 5, true),
                      5);
    ck_assert_str_eq(out, "▁▂▅ █");
    ck_assert_uint_eq(
        top_text_sparkline(out, sizeof(out), numbers, 6, 99, false), 6);
    ck_assert_uint_eq(top_text_sparkline(out, 7, numbers + 1, 5, 99, true), 2);
    ck_assert_uint_eq(top_text_sparkline(out, sizeof(out), numbers, 0, 9, true),
                      0);
    ck_assert_str_eq(out, "");
}
END_TEST

/* --- the stream of events -------------------------------------------------- */

static char told[512];

static void on_event(void *arg, const char *kind, const char *data)
{
    size_t used = strlen(told);

    (void)arg;
    snprintf(told + used, sizeof(told) - used, "[%s|%s]", kind, data);
}

static const char events[] = ": hello\n\n"
                             "id: 7\nevent: change\ndata: {\"a\":1}\n\n"
                             "data:one\r\ndata: two\r\n\r\n"
                             "event: empty\n\n"
                             "id: 8\nevent: note\ndata: last\n\n"
                             "event: half\ndata: never ended\n";

START_TEST(events_come_whole_however_they_are_cut)
{
    struct top_stream stream = {.on_event = on_event};
    size_t step = (size_t)_i + 1;

    told[0] = '\0';
    for (size_t at = 0; at < strlen(events); at += step) {
        size_t left = strlen(events) - at;

        ck_assert(
            top_stream_feed(&stream, events + at, left < step ? left : step));
    }
    ck_assert_str_eq(told, "[change|{\"a\":1}][message|one\ntwo][note|last]");
    ck_assert_str_eq(stream.last_id, "8");
    top_stream_reset(&stream);
    ck_assert(top_stream_feed(&stream, "data: new\n\n", 11));
    ck_assert_ptr_nonnull(strstr(told, "[message|new]"));
    ck_assert_str_eq(stream.last_id, "8");
    top_stream_fini(&stream);
}
END_TEST

START_TEST(an_endless_line_is_given_up)
{
    struct top_stream stream = {.on_event = on_event};
    static char much[65536];
    bool good = true;

    memset(much, 'x', sizeof(much));
    for (int i = 0; good && i <= TOP_STREAM_MAX / (int)sizeof(much); i++)
        good = top_stream_feed(&stream, much, sizeof(much));
    ck_assert(!good);
    top_stream_fini(&stream);
}
END_TEST

/* --- the model ------------------------------------------------------------- */

static struct top_model model;

#define BACKEND(id, url, state, requests, p99)                             \
    "{\"id\":\"" id "\",\"url\":\"" url "\",\"state\":\"" state            \
    "\",\"why\":\"because\",\"since\":\"2026-11-21T10:00:00.000Z\","       \
    "\"ready\":true,\"weight\":1,\"backup\":false,\"in_flight\":2,"        \
    "\"tries\":100,\"failures\":3,\"last_second\":{\"requests\":" requests \
    ",\"errors\":0,\"p50_ms\":1.5,\"p99_ms\":" p99 "}}"

#define STATUS(started, now, backends)                                      \
    "{\"name\":\"steelyard\",\"version\":\"1.0.0\",\"started\":\"" started  \
    "\",\"uptime_s\":65,\"now\":\"2026-11-21T10:00:" now "Z\","             \
    "\"listening\":\"http://127.0.0.1:8080\",\"policy\":\"round-robin\","   \
    "\"state\":\"serving\",\"config\":{\"generation\":1,\"file\":null,"     \
    "\"differs\":false,\"why\":null},\"sessions\":{\"now\":3,\"max\":500}," \
    "\"requests\":{\"total\":300,\"in_flight\":6,\"waiting\":0,"            \
    "\"retries\":4},\"last_second\":{\"requests\":90,\"errors\":1,"         \
    "\"p50_ms\":null,\"p99_ms\":2.5},\"backends\":[" backends "]}"

#define THREE                                                             \
    BACKEND("a", "http://127.0.0.1:3", "up", "10", "9")                   \
    "," BACKEND("b", "http://127.0.0.1:2", "down", "0", "0") "," BACKEND( \
        "c", "http://127.0.0.1:1", "draining", "80", "3")

static void read_three(const char *now)
{
    char text[4096];

    snprintf(text, sizeof(text), "%s", STATUS("x", "5s", THREE));
    memcpy(strstr(text, "5s"), now, 2);
    ck_assert(top_model_status(&model, text));
}

/** The ids in the order of the list. */
static const char *order(void)
{
    static char ids[16];

    for (size_t i = 0; i < model.count; i++)
        ids[i] = model.backends[i].id[0];
    ids[model.count] = '\0';
    return ids;
}

START_TEST(a_status_is_read)
{
    top_model_init(&model);
    ck_assert(!model.is_known);
    read_three("10");
    ck_assert(model.is_known);
    ck_assert_str_eq(model.listening, "http://127.0.0.1:8080");
    ck_assert_str_eq(model.policy, "round-robin");
    ck_assert_double_eq(model.requests, 90);
    ck_assert_double_eq(model.p50_ms, TOP_UNKNOWN);
    ck_assert_double_eq(model.tries, 300);
    ck_assert_double_eq(model.retries, 4);
    ck_assert_str_eq(model.differs_why, "");
    ck_assert_uint_eq(model.count, 3);
    ck_assert_str_eq(model.backends[1].state, "down");
    ck_assert_double_eq(model.backends[1].p99_ms, TOP_UNKNOWN);
    ck_assert_double_eq_tol(model.now - model.backends[0].since, 10, 0.001);
    top_model_fini(&model);
}
END_TEST

START_TEST(what_is_no_status_changes_nothing)
{
    static const char *const texts[] = {"",   "nonsense",         "[]",
                                        "{}", "{\"backends\":7}", "null"};

    top_model_init(&model);
    read_three("10");
    ck_assert(!top_model_status(&model, texts[_i]));
    top_model_event(&model, "status", texts[_i]);
    top_model_event(&model, "other", texts[_i]);
    ck_assert_uint_eq(model.count, 3);
    ck_assert_uint_eq(model.event_count, 0);
    top_model_fini(&model);
}
END_TEST

START_TEST(a_status_of_other_types_is_unknown)
{
    top_model_init(&model);
    ck_assert(top_model_status(
        &model, "{\"name\":7,\"now\":[],\"config\":3,\"last_second\":"
                "{\"requests\":\"many\"},\"backends\":[5,{\"url\":{}},null]}"));
    ck_assert_uint_eq(model.count, 3);
    ck_assert_double_eq(model.requests, TOP_UNKNOWN);
    ck_assert_str_eq(model.backends[1].url, "");
    top_model_fini(&model);
}
END_TEST

START_TEST(the_list_is_sorted_and_what_is_selected_stays)
{
    static const struct {
        enum top_sort sort;
        const char *order;
    } cases[] = {
        {TOP_SORT_PLACE, "abc"}, {TOP_SORT_URL, "cba"},
        {TOP_SORT_STATE, "bca"}, {TOP_SORT_REQUESTS, "cab"},
        {TOP_SORT_P99, "acb"},   {TOP_SORT_IN_FLIGHT, "abc"},
    };

    top_model_init(&model);
    read_three("10");
    top_model_move(&model, 1);
    ck_assert_str_eq(model.selected, "b");
    top_model_sort(&model, cases[_i].sort);
    ck_assert_str_eq(order(), cases[_i].order);
    ck_assert_str_eq(model.selected, "b");
    read_three("11");
    ck_assert_str_eq(order(), cases[_i].order);
    ck_assert_str_eq(model.selected, "b");
    top_model_fini(&model);
}
END_TEST

START_TEST(the_selection_stays_in_the_list)
{
    top_model_init(&model);
    top_model_move(&model, 1);
    ck_assert_uint_eq(top_model_selected(&model), 0);
    read_three("10");
    ck_assert_str_eq(model.selected, "a");
    top_model_move(&model, 99);
    ck_assert_str_eq(model.selected, "c");
    top_model_move(&model, -99);
    ck_assert_str_eq(model.selected, "a");
    top_model_move(&model, 2);
    ck_assert(top_model_status(
        &model, STATUS("x", "20",
                       BACKEND("a", "http://a", "up", "1", "1") "," BACKEND(
                           "b", "http://b", "up", "1", "1"))));
    ck_assert_str_eq(model.selected, "b");
    ck_assert(top_model_status(&model, STATUS("x", "21", "")));
    ck_assert_uint_eq(model.count, 0);
    top_model_move(&model, 1);
    top_model_fini(&model);
}
END_TEST

START_TEST(each_second_is_kept_once)
{
    char now[16];

    top_model_init(&model);
    read_three("10");
    read_three("10");
    ck_assert_uint_eq(model.history_count, 1);
    for (int i = 0; i < TOP_SECONDS + 30; i++) {
        snprintf(now, sizeof(now), "%02d", i % 60);
        model.now = 0;
        read_three(now);
    }
    ck_assert_uint_eq(model.history_count, TOP_SECONDS);
    ck_assert_double_eq(model.request_history[TOP_SECONDS - 1], 90);
    ck_assert(top_model_history(
        &model, "{\"step_ms\":1000,\"points\":[{\"requests\":1,\"p99_ms\":2},"
                "{\"requests\":3,\"p99_ms\":null}]}"));
    ck_assert_uint_eq(model.history_count, 2);
    ck_assert_double_eq(model.p99_history[1], TOP_UNKNOWN);
    ck_assert(!top_model_history(&model, "{}"));
    ck_assert_uint_eq(model.history_count, 2);
    top_model_fini(&model);
}
END_TEST

START_TEST(events_are_kept_the_newest_first)
{
    top_model_init(&model);
    for (int i = 0; i < TOP_EVENTS_MAX + 5; i++)
        top_model_event(&model, "note",
                        "{\"time\":\"2026-11-21T10:00:00.1Z\","
                        "\"level\":\"warn\",\"text\":\"old\"}");
    top_model_event(&model, "change",
                    "{\"time\":\"2026-11-21T10:31:07.123Z\",\"backend\":\"b\","
                    "\"url\":\"http://b\",\"from\":\"up\",\"to\":\"down\","
                    "\"why\":\"connection \\u001b[2J refused\"}");
    ck_assert_uint_eq(model.event_count, TOP_EVENTS_MAX);
    ck_assert_str_eq(model.events[0].time, "10:31:07");
    ck_assert_str_eq(model.events[0].state, "down");
    ck_assert_str_eq(model.events[0].words,
                     "http://b is down, was up: connection ?[2J refused");
    ck_assert_str_eq(model.events[1].words, "old");
    top_model_fini(&model);
}
END_TEST

START_TEST(another_run_begins_anew)
{
    top_model_init(&model);
    read_three("10");
    read_three("11");
    ck_assert_uint_eq(model.history_count, 2);
    ck_assert(top_model_status(&model, STATUS("y", "20", THREE)));
    ck_assert_uint_eq(model.history_count, 1);
    ck_assert_str_eq(model.events[0].words, "steelyard was started again");
    top_model_fini(&model);
}
END_TEST

/* --- the table ------------------------------------------------------------- */

START_TEST(the_table_is_plain)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);

    top_model_init(&model);
    read_three("10");
    top_table_print(&model, out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "policy round-robin, serving for 1 "
                                       "minute\n"));
    ck_assert_ptr_nonnull(
        strstr(text, "\n127.0.0.1:2 x down       10 seconds       0     0"));
    ck_assert_ptr_nonnull(strstr(text, "= draining"));
    ck_assert_ptr_nonnull(strstr(text, "  because\n"));
    ck_assert_ptr_null(strchr(text, '\x1b'));
    free(text);
    top_model_fini(&model);
}
END_TEST

/* --- where it is ----------------------------------------------------------- */

START_TEST(addresses_are_understood)
{
    static const struct {
        const char *url;
        const char *used; /* NULL: refused */
    } cases[] = {
        {"http://127.0.0.1:8090", "http://127.0.0.1:8090"},
        {"http://[::1]:8090///", "http://[::1]:8090"},
        {"localhost:8090", "http://localhost:8090"},
        {"https://lb.example", "https://lb.example"},
        {"unix:/run/steelyard.sock", "http://localhost"},
        {"unix:run", NULL},
        {"ftp://127.0.0.1", NULL},
        {"", NULL},
        {"///", NULL},
    };
    struct top_client client;
    bool good = top_client_init(&client, cases[_i].url, NULL, on_event, NULL);

    ck_assert_int_eq(good, cases[_i].used != NULL);
    if (good)
        ck_assert_str_eq(client.remote.url, cases[_i].used);
    else
        ck_assert_ptr_nonnull(
            strstr(client.remote.fault.text, "write http://"));
    top_client_fini(&client);
}
END_TEST

/** Where it is when nobody says so on the command line. */
START_TEST(the_environment_tells_where)
{
    static const struct {
        const char *name, *value;
        const char *used; /* NULL: refused */
    } cases[] = {
        {"NOTHING", "", "http://127.0.0.1:8090"},
        {"LOAD_BALANCER_URL", "http://localhost:8080", "http://localhost:8080"},
        {"LOAD_BALANCER_URL", "", "http://127.0.0.1:8090"},
        {"DASHBOARD_PORT", "9000", "http://127.0.0.1:9000"},
        {"STEELYARD_ADMIN", "0.0.0.0:9001", "http://127.0.0.1:9001"},
        {"STEELYARD_ADMIN", "[::]:9001", "http://[::1]:9001"},
        {"STEELYARD_ADMIN", "10.0.0.1:9001", "http://10.0.0.1:9001"},
        {"STEELYARD_ADMIN", "unix:/run/s.sock", "http://localhost"},
        {"STEELYARD_ADMIN", "off", NULL},
        {"STEELYARD_ADMIN", "quux", NULL},
    };
    static const char *const names[] = {"LOAD_BALANCER_URL", "DASHBOARD_PORT",
                                        "STEELYARD_ADMIN",
                                        "STEELYARD_ADMIN_TOKEN"};
    struct remote remote;
    bool good;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unsetenv(names[i]);
    setenv(cases[_i].name, cases[_i].value, 1);
    good = remote_init(&remote, NULL, NULL);
    ck_assert_int_eq(good, cases[_i].used != NULL);
    if (good)
        ck_assert_str_eq(remote.url, cases[_i].used);
    else
        ck_assert_ptr_nonnull(strstr(remote.fault.text, "say --url"));
    ck_assert_str_eq(remote.token, "");
    setenv("STEELYARD_ADMIN_TOKEN", "secret", 1);
    remote_init(&remote, "localhost:1", NULL);
    ck_assert_str_eq(remote.token, "secret");
    remote_init(&remote, "localhost:1", "another");
    ck_assert_str_eq(remote.token, "another");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("top");

    unit_add(suite, words_from_elsewhere_cannot_steer_a_terminal, 8);
    unit_add(suite, numbers_have_commas_and_units, 1);
    unit_add(suite, a_moment_is_read, 1);
    unit_add(suite, a_sparkline_shows_the_last_numbers, 1);
    unit_add(suite, events_come_whole_however_they_are_cut, 12);
    unit_add(suite, an_endless_line_is_given_up, 1);
    unit_add(suite, a_status_is_read, 1);
    unit_add(suite, what_is_no_status_changes_nothing, 6);
    unit_add(suite, a_status_of_other_types_is_unknown, 1);
    unit_add(suite, the_list_is_sorted_and_what_is_selected_stays, 6);
    unit_add(suite, the_selection_stays_in_the_list, 1);
    unit_add(suite, each_second_is_kept_once, 1);
    unit_add(suite, events_are_kept_the_newest_first, 1);
    unit_add(suite, another_run_begins_anew, 1);
    unit_add(suite, the_table_is_plain, 1);
    unit_add(suite, addresses_are_understood, 9);
    unit_add(suite, the_environment_tells_where, 10);
    return unit_run(suite);
}

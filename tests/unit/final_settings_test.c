/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The settings of final, its file, its flags and its variables: what is
 * accepted, who wins, and each sentence that says what is wrong, to the letter.
 */
#include "base/fault.h"
#include "base/settings.h"
#include "control/config.h"
#include "control/options.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* --- helpers ------------------------------------------------------------- */

static struct settings settings;
static struct config_origins origins;
static struct fault fault;

/** Some variables, for `${NAME}` in files. */
static char *const variables[] = {"TOWN=Bern",
                                  "EMPTY=",
                                  "NUMBER=7",
                                  "PROXY_PORTS=12",
                                  "TWO=http://a:1,http://b:2",
                                  NULL};

/** Read this as the file, with these variables. */
static bool read_with(const char *text, char *const *environment)
{
    struct config_sources sources = {.path = "config.json",
                                     .text = text,
                                     .length = strlen(text),
                                     .variables = environment};

    return config_read(&settings, &origins, &sources, &fault);
}

static void accept_file(const char *text)
{
    ck_assert_msg(read_with(text, variables), "%s: %s", text, fault.text);
}

static void refuse_file(const char *text, const char *sentence)
{
    bool good = read_with(text, variables);

    if (good)
        settings_fini(&settings);
    ck_assert_msg(!good, "%s is accepted", text);
    ck_assert_str_eq(fault.text, sentence);
}

/** Read a command line; the words are ended by NULL. */
static bool read_line(struct options *options, char *const *words)
{
    char *argv[16] = {"steelyard"};
    int argc = 1;

    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = words[argc - 1];
    return options_read(options, argc, argv, &fault);
}

#define WORDS(...) ((char *const[]){__VA_ARGS__, NULL})

/** The value as it is written. */
static char *printed(const struct settings *from, enum setting setting)
{
    static char text[512];
    FILE *out = fmemopen(text, sizeof(text), "w");

    settings_print(from, setting, out);
    fclose(out);
    return text;
}

/** All that a function prints; the caller frees it. */
static char *caught(void (*print)(FILE *out))
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    print(out);
    fclose(out);
    return text;
}

/* --- the table ----------------------------------------------------------- */

START_TEST(defaults_are_as_promised)
{
    settings_init(&settings);
    ck_assert_str_eq(settings.address, "0.0.0.0");
    ck_assert_uint_eq(settings.port, 3030);
    ck_assert_uint_eq(settings.workers, 0);
    ck_assert_uint_eq(settings.poller, SETTINGS_POLLER_AUTO);
    ck_assert_uint_eq(settings.policy, SETTINGS_POLICY_ROUND_ROBIN);
    ck_assert(settings.defer_accept);
    ck_assert(settings.health);
    ck_assert(settings.splice);
    ck_assert(!settings.show_backend);
    ck_assert(!settings.request_trailers);
    ck_assert_int_eq(settings.health_interval_ms, 2000);
    ck_assert_int_eq(settings.ejection_ms_max, 300000);
    ck_assert_int_eq(settings.upstream_idle_ms, 4000);
    ck_assert_int_eq(settings.keep_alive_ms, 65000);
    ck_assert_int_eq(settings.session_age_ms, 3600000);
    ck_assert_uint_eq(settings.head_bytes, 32 * 1024);
    ck_assert_uint_eq(settings.body_bytes, 0);
    ck_assert_uint_eq(settings.body_rate, 500);
    ck_assert_uint_eq(settings.retry_budget, 20);
    ck_assert_str_eq(settings.via, "steelyard");
    ck_assert_str_eq(settings.access_log, "stdout");
    ck_assert_uint_eq(settings.log_level, SETTINGS_LOG_INFO);
    ck_assert_uint_eq(settings.trusted.count, 0);
    ck_assert_uint_eq(settings.backend_count, 0);
    settings_fini(&settings);
}
END_TEST

/** What is printed is what the table says, and is read to the same again. */
START_TEST(defaults_print_as_written)
{
    enum setting setting = (enum setting)_i;
    char text[512];

    settings_init(&settings);
    snprintf(text, sizeof(text), "%s", printed(&settings, setting));
    ck_assert_str_eq(text, setting_row(setting)->initial);
    ck_assert(settings_set(&settings, setting, text, &fault));
    ck_assert_str_eq(printed(&settings, setting), text);
    settings_fini(&settings);
}
END_TEST

/** No two rows share a field, a key or a flag. */
START_TEST(rows_differ)
{
    const struct setting_row *row = setting_row((enum setting)_i);

    for (enum setting i = 0; i < (enum setting)_i; i++) {
        const struct setting_row *other = setting_row(i);

        ck_assert_str_ne(row->flag, other->flag);
        ck_assert_str_ne(row->field, other->field);
        if (*row->key != '\0')
            ck_assert_str_ne(row->key, other->key);
    }
}
END_TEST

START_TEST(words_are_those_of_the_enum)
{
    ck_assert_str_eq(setting_word(SETTING_policy, SETTINGS_POLICY_LATENCY),
                     "latency");
    ck_assert_str_eq(
        setting_word(SETTING_none_healthy, SETTINGS_NONE_HEALTHY_FAIL), "fail");
    ck_assert_str_eq(setting_word(SETTING_log_level, SETTINGS_LOG_DEBUG),
                     "debug");
    ck_assert_str_eq(setting_word(SETTING_poller, SETTINGS_POLLER_EPOLL),
                     "epoll");
    ck_assert_str_eq(setting_word(SETTING_access_format, SETTINGS_ACCESS_JSON),
                     "json");
    ck_assert_ptr_null(
        setting_word(SETTING_policy, SETTINGS_POLICY_LATENCY + 1));
    ck_assert_ptr_null(setting_word(SETTING_policy, 1000));
}
END_TEST

/* --- values -------------------------------------------------------------- */

/** How a value is written, and how it is printed; NULL: it is refused. */
static const struct {
    enum setting setting;
    const char *text;
    const char *printed;
} values[] = {
    {SETTING_splice, "true", "true"},
    {SETTING_splice, "off", "false"},
    {SETTING_splice, "1", "true"},
    {SETTING_splice, "True", NULL},
    {SETTING_splice, "", NULL},
    {SETTING_rise, "1", "1"},
    {SETTING_rise, "100", "100"},
    {SETTING_rise, "0", NULL},
    {SETTING_rise, "101", NULL},
    {SETTING_rise, "-1", NULL},
    {SETTING_rise, "+1", NULL},
    {SETTING_rise, " 1", NULL},
    {SETTING_rise, "1 ", NULL},
    {SETTING_rise, "1.0", NULL},
    {SETTING_rise, "0x1", NULL},
    {SETTING_rise, "1%", NULL},
    {SETTING_rise, "18446744073709551617", NULL},
    {SETTING_rise, "4294967297", NULL},
    {SETTING_admin, "off", "off"},
    {SETTING_admin, "8090", "8090"},
    {SETTING_admin, ":8090", ":8090"},
    {SETTING_admin, "127.0.0.1:0", "127.0.0.1:0"},
    {SETTING_admin, "localhost:8090", "localhost:8090"},
    {SETTING_admin, "[::1]:8090", "[::1]:8090"},
    {SETTING_admin, "unix:/run/s.sock", "unix:/run/s.sock"},
    {SETTING_admin, "unix:s.sock", NULL},
    {SETTING_admin, "unix:", NULL},
    {SETTING_admin, "on", NULL},
    {SETTING_admin, "", NULL},
    {SETTING_admin, "65536", NULL},
    {SETTING_admin, "127.0.0.1", NULL},
    {SETTING_admin, "127.0.0.1:", NULL},
    {SETTING_admin, "::1:8090", NULL},
    {SETTING_admin, "example.org:8090", NULL},
    {SETTING_admin_token, "aZ09-._~+/=", "(set)"},
    {SETTING_admin_token, "", ""},
    {SETTING_admin_token, "(set)", NULL},
    {SETTING_admin_token, "two words", NULL},
    {SETTING_port, "0", "0"},
    {SETTING_port, "65535", "65535"},
    {SETTING_port, ":8000", "8000"},
    {SETTING_port, "127.0.0.1:8000", "8000"},
    {SETTING_port, "[::1]:8000", "8000"},
    {SETTING_port, "65536", NULL},
    {SETTING_port, ":", NULL},
    {SETTING_port, "", NULL},
    {SETTING_port, "127.0.0.1:", NULL},
    {SETTING_port, "localhost:80", NULL},
    {SETTING_port, "::1:80", NULL},
    {SETTING_port, "[::1]", NULL},
    {SETTING_port, "[::1]80", NULL},
    {SETTING_port, "[]:80", NULL},
    {SETTING_port, "1.2.3.4:80:90", NULL},
    {SETTING_retry_budget, "20", "20%"},
    {SETTING_retry_budget, "100%", "100%"},
    {SETTING_retry_budget, "101%", NULL},
    {SETTING_retry_budget, "0.5%", NULL},
    {SETTING_head_bytes, "2048", "2k"},
    {SETTING_head_bytes, "64KiB", "64k"},
    {SETTING_head_bytes, "64kb", "64k"},
    {SETTING_head_bytes, "1.5k", "1536"},
    {SETTING_body_bytes, "1M", "1m"},
    {SETTING_head_bytes, "65k", NULL},
    {SETTING_head_bytes, "1023", NULL},
    {SETTING_head_bytes, "2kx", NULL},
    {SETTING_head_bytes, "k", NULL},
    {SETTING_body_bytes, "1t", "1t"},
    {SETTING_body_bytes, "3g", "3g"},
    {SETTING_body_bytes, "999999999999999t", NULL},
    {SETTING_body_bytes, "16777216t", NULL},
    {SETTING_connect_ms, "250ms", "250ms"},
    {SETTING_connect_ms, "5s", "5s"},
    {SETTING_connect_ms, "0.5s", "500ms"},
    {SETTING_connect_ms, "60000ms", "1m"},
    {SETTING_connect_ms, "1h", "1h"},
    {SETTING_connect_ms, "60min", "1h"},
    {SETTING_connect_ms, "61m", NULL},
    {SETTING_connect_ms, "0", NULL},
    {SETTING_connect_ms, "5", NULL},
    {SETTING_connect_ms, "0.5ms", NULL},
    {SETTING_connect_ms, "1e3ms", NULL},
    {SETTING_connect_ms, ".5s", NULL},
    {SETTING_connect_ms, "5.s", NULL},
    {SETTING_connect_ms, "5 s", NULL},
    {SETTING_connect_ms, "s", NULL},
    {SETTING_slow_start_ms, "0", "0"},
    {SETTING_slow_start_ms, "0s", "0"},
    {SETTING_policy, "least-connections", "least-connections"},
    {SETTING_policy, "least", NULL},
    {SETTING_policy, "", NULL},
    {SETTING_address, "::", "::"},
    {SETTING_address, "127.0.0.1", "127.0.0.1"},
    {SETTING_address, "1.2.3", NULL},
    {SETTING_address, "", NULL},
    {SETTING_health_path, "/healthz?deep=1", "/healthz?deep=1"},
    {SETTING_health_path, "", ""},
    {SETTING_health_path, "healthz", NULL},
    {SETTING_health_path, "/a b", NULL},
    {SETTING_health_path, "/a\r\nX: 1", NULL},
    {SETTING_health_method, "HEAD", "HEAD"},
    {SETTING_health_method, "", NULL},
    {SETTING_health_method, "GET /", NULL},
    {SETTING_health_host, "www.example.org:80", "www.example.org:80"},
    {SETTING_health_host, "a b", NULL},
    {SETTING_health_host, "a\r\nb", NULL},
    {SETTING_health_status, "200", "200"},
    {SETTING_health_status, "200,204,300-399", "200,204,300-399"},
    {SETTING_health_status, "", NULL},
    {SETTING_health_status, "99", NULL},
    {SETTING_health_status, "600", NULL},
    {SETTING_health_status, "300-200", NULL},
    {SETTING_health_status, "200-", NULL},
    {SETTING_health_status, "2xx", NULL},
    {SETTING_health_text, "all \"is\" well", "all \"is\" well"},
    {SETTING_health_text, "a\nb", NULL},
    {SETTING_hash_on, "path", "path"},
    {SETTING_hash_on, "header:X-User", "header:X-User"},
    {SETTING_hash_on, "cookie:user", "cookie:user"},
    {SETTING_hash_on, "header:", NULL},
    {SETTING_hash_on, "header:a b", NULL},
    {SETTING_hash_on, "query:user", NULL},
    {SETTING_sticky_cookie, "", ""},
    {SETTING_sticky_cookie, "who", "who"},
    {SETTING_sticky_cookie, "a=b", NULL},
    {SETTING_sticky_cookie, "a;b", NULL},
    {SETTING_via, "edge-1", "edge-1"},
    {SETTING_via, "a, b", NULL},
    {SETTING_access_log, "off", "off"},
    {SETTING_access_log, "./access.log", "./access.log"},
    {SETTING_access_log, "stdot", NULL},
    {SETTING_access_log, "", NULL},
    {SETTING_trusted, "", ""},
    {SETTING_trusted, "10.0.0.0/8, ::1 ,fd00::/8", "10.0.0.0/8,::1,fd00::/8"},
    {SETTING_trusted, "10.0.0.0/33", NULL},
    {SETTING_trusted, "10.0.0.0/", NULL},
    {SETTING_trusted, "fd00::/129", NULL},
    {SETTING_trusted, "all", NULL},
    {SETTING_weights, "5,1,1", "5,1,1"},
    {SETTING_weights, "0,1", NULL},
    {SETTING_weights, "257", NULL},
    {SETTING_backends, "http://a", "http://a"},
    {SETTING_backends, "HTTP://a:81/,http://[::1]:81",
     "HTTP://a:81/,http://[::1]:81"},
    {SETTING_backends, "a:81", NULL},
    {SETTING_backends, "http://", NULL},
    {SETTING_backends, "http://a:", NULL},
    {SETTING_backends, "http://a:0", NULL},
    {SETTING_backends, "http://a:65536", NULL},
    {SETTING_backends, "http://a:81/path", NULL},
    {SETTING_backends, "http://user@a:81", NULL},
    {SETTING_backends, "http://[::1", NULL},
    {SETTING_backends, "http://[a]:81", NULL},
    {SETTING_backends, "http://::1:81", NULL},
    {SETTING_backends, "https://a,http://b", "https://a,http://b"},
    {SETTING_backends, "https:/a", NULL},
    {SETTING_backends, "https://", NULL},
    {SETTING_certificates, "a.pem:a.key,b.pem", "a.pem:a.key,b.pem"},
    {SETTING_certificates, "a.pem:", NULL},
    {SETTING_certificates, ":a.key", NULL},
    {SETTING_certificates, "a.pem:a.key:b.key", NULL},
    {SETTING_backends, "http://a,http://b:80,http://A:80", NULL},
};

START_TEST(values_are_read_strictly)
{
    enum setting setting = values[_i].setting;
    char before[512];
    bool good;

    settings_init(&settings);
    snprintf(before, sizeof(before), "%s", printed(&settings, setting));
    good = settings_set(&settings, setting, values[_i].text, &fault);
    ck_assert_msg(good == (values[_i].printed != NULL), "%s: \"%s\": %s",
                  setting_row(setting)->flag, values[_i].text,
                  good ? "accepted" : fault.text);
    ck_assert_str_eq(printed(&settings, setting),
                     good ? values[_i].printed : before);
    settings_fini(&settings);
}
END_TEST

START_TEST(a_port_may_bring_an_address)
{
    settings_init(&settings);
    ck_assert(settings_set(&settings, SETTING_port, ":8000", &fault));
    ck_assert_str_eq(settings.address, "0.0.0.0");
    ck_assert(settings_set(&settings, SETTING_port, "127.0.0.2:1", &fault));
    ck_assert_str_eq(settings.address, "127.0.0.2");
    ck_assert(!settings_set(&settings, SETTING_port, "127.0.0.3:x", &fault));
    ck_assert_str_eq(settings.address, "127.0.0.2");
    ck_assert(settings_set(&settings, SETTING_port, "[::1]:2", &fault));
    ck_assert_str_eq(settings.address, "::1");
    settings_fini(&settings);
}
END_TEST

START_TEST(backends_are_taken_apart)
{
    settings_init(&settings);
    ck_assert(settings_set(&settings, SETTING_backends,
                           "http://[fd00::7]:81/, http://web", &fault));
    ck_assert_uint_eq(settings.backend_count, 2);
    ck_assert_str_eq(settings.backends[0].host, "fd00::7");
    ck_assert_uint_eq(settings.backends[0].port, 81);
    ck_assert_str_eq(settings.backends[1].host, "web");
    ck_assert_uint_eq(settings.backends[1].port, 80);
    ck_assert_uint_eq(settings.backends[1].weight, 1);
    ck_assert(!settings.backends[1].is_backup);
    ck_assert(!settings.backends[1].is_https);
    settings_fini(&settings);
}
END_TEST

START_TEST(backends_are_limited)
{
    char url[40];

    settings_init(&settings);
    for (unsigned i = 1; i <= SETTINGS_BACKENDS_MAX; i++) {
        snprintf(url, sizeof(url), "http://a:%u", i);
        ck_assert_ptr_nonnull(settings_add_backend(&settings, url, &fault));
    }
    ck_assert_ptr_null(settings_add_backend(&settings, "http://b", &fault));
    ck_assert_str_eq(fault.text, "takes at most 64 backends");
    settings_fini(&settings);
}
END_TEST

START_TEST(statuses_are_found)
{
    ck_assert(settings_has_status("200-399", 200));
    ck_assert(settings_has_status("200-399", 399));
    ck_assert(!settings_has_status("200-399", 400));
    ck_assert(!settings_has_status("200-399", 199));
    ck_assert(settings_has_status("200, 204,301", 204));
    ck_assert(!settings_has_status("200,204,301", 203));
}
END_TEST

START_TEST(the_nearest_word_is_found)
{
    static const char *const words[] = {"port", "path", "policy", "timeouts"};

    ck_assert_str_eq(settings_nearest("prot", words, 4), "port");
    ck_assert_str_eq(settings_nearest("polcy", words, 4), "policy");
    ck_assert_str_eq(settings_nearest("timeout", words, 4), "timeouts");
    ck_assert_str_eq(settings_nearest("Timeuots", words, 4), "timeouts");
    ck_assert_ptr_null(settings_nearest("backends", words, 4));
    ck_assert_ptr_null(settings_nearest("", words, 4));
    ck_assert_ptr_null(settings_nearest(
        "a-word-that-is-very-much-longer-than-any-word-that-there-can-be-here",
        words, 4));
}
END_TEST

/* --- the file ------------------------------------------------------------ */

START_TEST(the_small_form_works)
{
    accept_file("{\"port\": \":8000\",\n"
                " \"backends\": [\"http://backend1:8081\",\n"
                "              \"http://backend2:8081\"],\n"
                " \"health_check_interval\": \"5s\"}\n");
    ck_assert_uint_eq(settings.port, 8000);
    ck_assert_uint_eq(settings.backend_count, 2);
    ck_assert_str_eq(settings.backends[1].url, "http://backend2:8081");
    ck_assert_int_eq(settings.health_interval_ms, 5000);
    ck_assert_int_eq(origins.of[SETTING_port].from, CONFIG_FROM_FILE);
    ck_assert_uint_eq(origins.of[SETTING_port].line, 1);
    ck_assert_uint_eq(origins.of[SETTING_backends].line, 2);
    ck_assert_uint_eq(origins.of[SETTING_health_interval_ms].line, 4);
    ck_assert_int_eq(origins.of[SETTING_rise].from, CONFIG_FROM_DEFAULT);
    settings_fini(&settings);
}
END_TEST

START_TEST(the_full_form_works)
{
    accept_file(
        "{ // a remark with a \" in it\n"
        "  \"listen\": {\"port\": \"127.0.0.1:81\", \"splice\": false},\n"
        "  \"backends\": [\"http://a\", // another\n"
        "    {\"url\": \"http://b\", \"weight\": 5, \"backup\": true,\n"
        "     \"in_flight_max\": 9, \"send_proxy\": \"v2\"}],\n"
        "  \"policy\": {\"name\": \"latency\", \"queue_max\": 3},\n"
        "  \"timeouts\": {\"connect\": \"1.5s\", \"stop\": 0},\n"
        "  \"limits\": {\"body\": 4096, \"target\": \"4k\"},\n"
        "  \"health\": {\"text\": \"no // remark\", \"jitter\": 5},\n"
        "  \"forwarded\": {\"trusted\": [\"10.0.0.0/8\", \"::1\"]}\n"
        "}\n");
    ck_assert_uint_eq(settings.port, 81);
    ck_assert_str_eq(settings.address, "127.0.0.1");
    ck_assert_int_eq(origins.of[SETTING_address].from, CONFIG_FROM_FILE);
    ck_assert(!settings.splice);
    ck_assert_uint_eq(settings.backends[0].weight, 1);
    ck_assert_uint_eq(settings.backends[1].weight, 5);
    ck_assert(settings.backends[1].is_backup);
    ck_assert_uint_eq(settings.backends[1].in_flight_max, 9);
    ck_assert_uint_eq(settings.backends[0].send_proxy, 0);
    ck_assert_uint_eq(settings.backends[1].send_proxy,
                      SETTINGS_SEND_PROXY_V2 + 1);
    ck_assert_uint_eq(settings.policy, SETTINGS_POLICY_LATENCY);
    ck_assert_uint_eq(settings.queue_max, 3);
    ck_assert_int_eq(settings.connect_ms, 1500);
    ck_assert_int_eq(settings.stop_ms, 0);
    ck_assert_uint_eq(settings.body_bytes, 4096);
    ck_assert_str_eq(settings.health_text, "no // remark");
    ck_assert_uint_eq(settings.health_jitter, 5);
    ck_assert_uint_eq(settings.trusted.count, 2);
    ck_assert_str_eq(settings.trusted.at[1], "::1");
    settings_fini(&settings);
}
END_TEST

START_TEST(rooms_may_be_plain)
{
    accept_file("{\"policy\": \"two-choices\", \"health\": false,"
                " \"backends\": \"http://a,http://b\"}");
    ck_assert_uint_eq(settings.policy, SETTINGS_POLICY_TWO_CHOICES);
    ck_assert(!settings.health);
    ck_assert_uint_eq(settings.backend_count, 2);
    settings_fini(&settings);
}
END_TEST

/** What a text of the file becomes. */
static const struct {
    const char *text;
    const char *becomes;
} expansions[] = {
    {"in ${TOWN}", "in Bern"},    {"${TOWN}${NUMBER}", "Bern7"},
    {"${NONE:-x}y", "xy"},        {"${NONE:-}", ""},
    {"${EMPTY:-Basel}", "Basel"}, {"${TOWN:-Basel}", "Bern"},
    {"${NONE:-a:-b}", "a:-b"},    {"$${TOWN}", "${TOWN}"},
    {"$$${TOWN}", "$${TOWN}"},    {"$TOWN $ $$ {TOWN}", "$TOWN $ $$ {TOWN}"},
};

START_TEST(variables_stand_for_their_values)
{
    char file[200];

    snprintf(file, sizeof(file),
             "{\"backends\": [\"http://a\"], \"health\": {\"text\": \"%s\"}}",
             expansions[_i].text);
    accept_file(file);
    ck_assert_str_eq(settings.health_text, expansions[_i].becomes);
    settings_fini(&settings);
}
END_TEST

START_TEST(variables_work_everywhere)
{
    accept_file("{\"backends\": \"${TWO}\", \"port\": \"${NUMBER}\"}");
    ck_assert_uint_eq(settings.backend_count, 2);
    ck_assert_uint_eq(settings.port, 7);
    settings_fini(&settings);
    accept_file("{\"backends\": [{\"url\": \"http://${TOWN}:${P:-81}\","
                " \"weight\": \"${NUMBER}\"}], \"health\":"
                " {\"enabled\": \"${HEALTH:-off}\"}}");
    ck_assert_str_eq(settings.backends[0].host, "Bern");
    ck_assert_uint_eq(settings.backends[0].port, 81);
    ck_assert_uint_eq(settings.backends[0].weight, 7);
    ck_assert(!settings.health);
    settings_fini(&settings);
}
END_TEST

#define BACKENDS "\"backends\": [\"http://a\"]"

/** A file, and what is wrong with it. Line 1 is where it begins. */
static const struct {
    const char *file;
    const char *sentence;
} refusals[] = {
    /* unknown keys */
    {"{\"prot\": 80}",
     "config.json:1:2: \"prot\" is not known here; did you mean \"port\"?"},
    {"{\n  \"listen\": {\n    \"potr\": 80}}",
     "config.json:3:5: \"potr\" is not known here; did you mean \"port\"?"},
    {"{\"rise\": 3}", "config.json:1:2: \"rise\" is not known here; did you "
                      "mean \"rise\" in \"health\"?"},
    {"{\"timeouts\":\n{\"connect-timeout\": \"3s\"}}",
     "config.json:2:2: \"connect-timeout\" is not known here; did you mean "
     "\"connect\" in \"timeouts\"?"},
    {"{\"log\": {\"zebra\": 3}}", "config.json:1:10: \"zebra\" is not known "
                                  "here; known are: level, access, format"},
    {"{\"backends\": [{\"url\": \"http://a\",\n \"wieght\": 2}]}",
     "config.json:2:2: \"wieght\" is not known here; did you mean "
     "\"weight\"?"},
    {"{\"a\\nb\": 1, \"x\": 2}",
     "config.json:1:1: \"a?b\" is not known here; known are: listen, tls, backends, "
     "policy, health, ejection, retry, idle, timeouts, limits, forwarded, log, "
     "admin, port, health_check_interval"},
    {"{\"\": 1}",
     "config.json:1:2: \"\" is not known here; known are: listen, tls, backends, "
     "policy, health, ejection, retry, idle, timeouts, limits, forwarded, log, "
     "admin, port, health_check_interval"},
    {"{\"listen.port\": 1}", "config.json:1:2: \"listen.port\" is not known "
                             "here; did you mean \"port\" in \"listen\"?"},
    /* wrong types */
    {"{\"port\": [80]}", "config.json:1:10: port wants a port, from 0 to "
                         "65535, not a list"},
    {"{\"listen\": {\"port\": {}}}", "config.json:1:21: listen.port wants a "
                                     "port, from 0 to 65535, not an object"},
    {"{\"listen\": 80}",
     "config.json:1:12: listen wants an object, not the number 80"},
    {"{\"log\": null}", "config.json:1:9: log wants an object, not null"},
    {"{\"policy\": 3}",
     "config.json:1:12: policy wants round-robin, least-connections, "
     "two-choices, address-hash, consistent-hash or latency, not the number 3"},
    {"{\"health\": {\"rise\": 1.5}}",
     "config.json:1:21: health.rise wants a whole number, from 1 to 100, not "
     "the number 1.5"},
    {"{\"health\": {\"rise\": true}}",
     "config.json:1:21: health.rise wants a whole number, from 1 to 100, not "
     "true"},
    {"{\"health\": {\"enabled\": 1}}", "config.json:1:24: health.enabled wants "
                                       "true or false, not the number 1"},
    {"{\"forwarded\": {\"via\": false}}",
     "config.json:1:23: forwarded.via wants a name of letters, digits and "
     "hyphens, not false"},
    {"{\"timeouts\": {\"connect\":\t5}}",
     "config.json:1:26: timeouts.connect wants a time such as 250ms, 5s or 1m, "
     "from 1ms to 1h, not \"5\""},
    {"{\"backends\": 5}", "config.json:1:14: backends wants backends such as "
                          "http://127.0.0.1:8081, not the number 5"},
    {"{\"backends\": [5]}", "config.json:1:15: backends[0] wants backends such "
                            "as http://127.0.0.1:8081, not the number 5"},
    {"{\"forwarded\": {\"trusted\": [\"::1\", 7]}}",
     "config.json:1:35: forwarded.trusted[1] wants addresses such as 10.0.0.1 "
     "or 10.0.0.0/8, not the number 7"},
    {"[]", "config.json:1:1: the file wants an object, {...}, not a list"},
    {"  7", "config.json:1:3: the file wants an object, {...}, not the number "
            "7"},
    /* out of range */
    {"{\n\n \"port\": 65536}", "config.json:3:10: port wants a port, from 0 to "
                               "65535, not \"65536\""},
    {"{\"port\": -1}",
     "config.json:1:10: port wants a port, from 0 to 65535, not \"-1\""},
    {"{\"health\": {\"text\": \"\xc3\xa9\xc3\xa9\", \"fall\": 101}}",
     "config.json:1:35: health.fall wants a whole number, from 1 to 100, not "
     "\"101\""},
    {"{\"limits\": {\"head\": \"2m\"}}",
     "config.json:1:21: limits.head wants a size such as 500, 16k or 2m, from "
     "1k to 64k, not \"2m\""},
    {"{\"retry\": {\"budget\": \"101%\"}}",
     "config.json:1:22: retry.budget wants a percentage, from 0% to 100%, not "
     "\"101%\""},
    {"{\"backends\": [{\"url\": \"http://a\", \"weight\": 257}]}",
     "config.json:1:45: backends[0].weight wants a whole number, from 1 to "
     "256, not 257"},
    {"{\"backends\": [{\"url\": \"http://a\", \"send_proxy\": \"v3\"}]}",
     "config.json:1:49: backends[0].send_proxy wants off, v1 or v2, not "
     "\"v3\""},
    {"{\"backends\": [{\"url\": \"http://a\", \"send_proxy\": 1}]}",
     "config.json:1:49: backends[0].send_proxy wants off, v1 or v2, not the "
     "number 1"},
    {"{\"backends\": [{\"url\": \"http://a\", \"backup\": 1}]}",
     "config.json:1:45: backends[0].backup wants true or false, not the number "
     "1"},
    {"{\"forwarded\": {\"trusted\": [\"::1\", \"10.0.0.0/33\"]}}",
     "config.json:1:35: forwarded.trusted[1] wants addresses such as 10.0.0.1 "
     "or 10.0.0.0/8, not \"10.0.0.0/33\""},
    /* twice */
    {"{\"port\": 1,\n \"port\": 2}", "config.json:2:7: duplicate object key "
                                     "near '\"port\"'; take one of them away"},
    {"{\"port\": 1,\n \"listen\": {\"port\": 2}}",
     "config.json:2:13: listen.port is set in line 1 already; take one of them "
     "away"},
    {"{\"listen\": {\"port\": \"1.2.3.4:1\",\n \"address\": \"::\"}}",
     "config.json:2:2: listen.address is set in line 1 already; take one of "
     "them away"},
    {"{\"backends\": [\"http://a:1\",\n \"http://A:1/\"]}",
     "config.json:2:2: backends[1] names the backend http://A:1/ twice; name "
     "it once, and give it more by its weight"},
    /* backends */
    {"{}", "no backend; give one with --backends http://HOST:PORT"},
    {"{\"backends\": []}",
     "no backend; give one with --backends http://HOST:PORT"},
    {"{\"backends\": [\"http://a\", \"b:80\"]}",
     "config.json:1:27: backends[1] wants backends such as "
     "http://127.0.0.1:8081, not \"b:80\""},
    {"{\"backends\": [\"https:/a\"]}",
     "config.json:1:15: backends[0] wants backends such as "
     "http://127.0.0.1:8081, not \"https:/a\""},
    {"{\"backends\": [{\"weight\": 2}]}",
     "config.json:1:15: backends[0] has no \"url\"; give it one, such as "
     "\"http://127.0.0.1:8081\""},
    {"{\"backends\": [{\"url\": 7}]}",
     "config.json:1:23: backends[0].url wants backends such as "
     "http://127.0.0.1:8081, not the number 7"},
    /* variables */
    {"{\"port\": \"${NONE}\"}",
     "config.json:1:10: port needs the variable NONE, which is not set; set "
     "it, or write ${NONE:-default}"},
    {"{\"port\": \"${EMPTY}\"}",
     "config.json:1:10: port needs the variable EMPTY, which is not set; set "
     "it, or write ${EMPTY:-default}"},
    {"{\"port\": \"${PROXY_PORT}\"}",
     "config.json:1:10: port needs the variable PROXY_PORT, which is not set; "
     "set it, or write ${PROXY_PORT:-default}"},
    {"{\"port\": \"${NUMBER\"}",
     "config.json:1:10: port has ${ that does not go on as ${NAME} or "
     "${NAME:-default}; a plain ${ is written $${"},
    {"{\"port\": \"${1}\"}",
     "config.json:1:10: port has ${ that does not go on as ${NAME} or "
     "${NAME:-default}; a plain ${ is written $${"},
    {"{\"port\": \"${NUMBER-3}\"}",
     "config.json:1:10: port has ${ that does not go on as ${NAME} or "
     "${NAME:-default}; a plain ${ is written $${"},
    {"{\"backends\": [\"http://a\", \"${NONE}\"]}",
     "config.json:1:27: backends[1] needs the variable NONE, which is not set; "
     "set it, or write ${NONE:-default}"},
    {"{\"port\": \"${TOWN}\"}", "config.json:1:10: port wants a port, from 0 "
                                "to 65535, not \"Bern\""},
    /* no JSON */
    {"", "config.json:1:1: this is not JSON: unexpected token near end of "
         "file"},
    {"{\"port\": 80",
     "config.json:1:11: this is not JSON: '}' expected near end of file"},
    {"{\"port\": 80,\n}", "config.json:2:1: this is not JSON: string or '}' "
                          "expected near '}'"},
    {"{\"port\": 080}", "config.json:1:10: this is not JSON: invalid token "
                        "near '0'"},
    {"{/ \"port\": 80}",
     "config.json:1:2: this is not JSON: string or '}' expected near '/'"},
    /* together */
    {"{" BACKENDS ", \"limits\": {\"head\": \"4k\"}}",
     "target-bytes is more than head-bytes, which holds the target; make it "
     "less"},
    {"{" BACKENDS ", \"ejection\": {\"time\": \"10m\"}}",
     "ejection-time is more than ejection-time-max; make it less"},
    /* a key that is written with escapes is not found: the object is */
    {"{\"listen\": {\"po\\u0072t\": 70000}}",
     "config.json:1:12: listen.port wants a port, from 0 to 65535, not "
     "\"70000\""},
};

START_TEST(files_are_refused_with_a_sentence)
{
    refuse_file(refusals[_i].file, refusals[_i].sentence);
}
END_TEST

START_TEST(files_that_cannot_be_read_are_refused)
{
    struct config_sources sources = {.path = "/nowhere/config.json"};

    ck_assert(!config_read(&settings, &origins, &sources, &fault));
    ck_assert_str_eq(fault.text, "cannot read /nowhere/config.json: No such "
                                 "file or directory");
    sources.path = "/";
    ck_assert(!config_read(&settings, &origins, &sources, &fault));
    ck_assert_str_eq(fault.text, "cannot read /: Is a directory");
    sources.path = "/dev/zero";
    ck_assert(!config_read(&settings, &origins, &sources, &fault));
    ck_assert_str_eq(fault.text, "/dev/zero is larger than 1 MiB; that is no "
                                 "configuration");
}
END_TEST

/** The examples that are shipped are fine. */
START_TEST(examples_are_fine)
{
    struct config_sources sources = {.path = "final/config.json"};

    ck_assert_msg(config_read(&settings, &origins, &sources, &fault), "%s",
                  fault.text);
    ck_assert_uint_eq(settings.port, 8080);
    ck_assert_uint_eq(settings.backend_count, 4);
    settings_fini(&settings);
    sources.path = "final/config-small.json";
    ck_assert_msg(config_read(&settings, &origins, &sources, &fault), "%s",
                  fault.text);
    ck_assert_uint_eq(settings.port, 8000);
    ck_assert_uint_eq(settings.backend_count, 3);
    settings_fini(&settings);
}
END_TEST

/* --- the environment ----------------------------------------------------- */

START_TEST(each_setting_has_a_variable)
{
    char name[CONFIG_VARIABLE_MAX], own[200];
    enum setting setting = (enum setting)_i;
    const struct setting_row *row = setting_row(setting);
    bool is_taken = *row->initial != '\0';

    if (setting == SETTING_backends || setting == SETTING_weights)
        return;
    snprintf(own, sizeof(own), "%s=%s", config_variable(setting, name),
             row->initial);
    ck_assert_msg(read_with("{" BACKENDS "}", (char *const[]){own, NULL}), "%s",
                  fault.text);
    ck_assert_int_eq(origins.of[setting].from,
                     is_taken ? CONFIG_FROM_ENVIRONMENT : CONFIG_FROM_DEFAULT);
    settings_fini(&settings);
}
END_TEST

START_TEST(variables_win_over_the_file)
{
    char name[CONFIG_VARIABLE_MAX];

    ck_assert_str_eq(config_variable(SETTING_queue_max, name),
                     "STEELYARD_QUEUE_MAX");
    ck_assert(read_with(
        "{\"port\": \"1.1.1.1:1\", \"health\": {\"rise\": 9}, " BACKENDS "}",
        (char *const[]){"STEELYARD_PORT=127.0.0.1:2", "PROXY_PORT=3",
                        "STEELYARD_RISE=", "STEELYARD_BACKENDS=http://b:1",
                        NULL}));
    ck_assert_uint_eq(settings.port, 2);
    ck_assert_str_eq(settings.address, "127.0.0.1");
    ck_assert_uint_eq(settings.rise, 9);
    ck_assert_uint_eq(settings.backend_count, 1);
    ck_assert_str_eq(settings.backends[0].host, "b");
    ck_assert_int_eq(origins.of[SETTING_port].from, CONFIG_FROM_ENVIRONMENT);
    ck_assert_int_eq(origins.of[SETTING_address].from, CONFIG_FROM_ENVIRONMENT);
    ck_assert_int_eq(origins.of[SETTING_rise].from, CONFIG_FROM_FILE);
    settings_fini(&settings);
}
END_TEST

START_TEST(other_names_of_variables_work)
{
    ck_assert(
        read_with("{" BACKENDS "}", (char *const[]){"PROXY_PORT=:81", NULL}));
    ck_assert_uint_eq(settings.port, 81);
    ck_assert_str_eq(origins.of[SETTING_port].name, "PROXY_PORT");
    settings_fini(&settings);
}
END_TEST

/** Kubernetes sets this one for a service named "steelyard". */
START_TEST(the_variable_of_a_service_is_left_alone)
{
    ck_assert(
        read_with("{" BACKENDS "}",
                  (char *const[]){"STEELYARD_PORT=tcp://10.0.0.1:80",
                                  "STEELYARD_SERVICE_HOST=10.0.0.1", NULL}));
    ck_assert_uint_eq(settings.port, 3030);
    settings_fini(&settings);
}
END_TEST

START_TEST(variables_are_refused_with_a_sentence)
{
    ck_assert(!read_with("{" BACKENDS "}",
                         (char *const[]){"STEELYARD_FALL=0", NULL}));
    ck_assert_str_eq(fault.text, "the variable STEELYARD_FALL wants a whole "
                                 "number, from 1 to 100, not \"0\"");
    ck_assert(
        !read_with("{" BACKENDS "}", (char *const[]){"PROXY_PORT=x", NULL}));
    ck_assert_str_eq(fault.text, "the variable PROXY_PORT wants a port, from 0 "
                                 "to 65535, not \"x\"");
}
END_TEST

/* --- flags --------------------------------------------------------------- */

/** All the ways to write a flag. */
static char *const ways[][6] = {
    {"--backends", "http://a", "--port", "81"},
    {"-backends", "http://a", "-port", "81"},
    {"--backends=http://a", "--port=81"},
    {"-backends=http://a", "-port=81"},
    {"-port=80", "--backends", "http://a", "-port=:81"},
};

START_TEST(flags_may_be_written_in_many_ways)
{
    struct options options;

    ck_assert_msg(read_line(&options, ways[_i]), "%s", fault.text);
    ck_assert_int_eq(options.todo, OPTIONS_RUN);
    ck_assert_uint_eq(options.settings.port, 81);
    ck_assert_uint_eq(options.settings.backend_count, 1);
    ck_assert_int_eq(options.origins.of[SETTING_port].from, CONFIG_FROM_FLAG);
    options_fini(&options);
}
END_TEST

/** The flags of the chapters mean here what they mean there. */
START_TEST(the_flags_of_the_chapters_work)
{
    struct options options;

    ck_assert_msg(
        read_line(&options, WORDS("-backends=http://a:8080,http://b:8081",
                                  "--health-interval=100ms",
                                  "--health-timeout=50ms", "--health-path=/up",
                                  "-rise=1", "-fall=1", "--sessions-max=100",
                                  "--policy=least-connections", "--trace")),
        "%s", fault.text);
    ck_assert_uint_eq(options.settings.backend_count, 2);
    ck_assert_int_eq(options.settings.health_interval_ms, 100);
    ck_assert_int_eq(options.settings.health_timeout_ms, 50);
    ck_assert_str_eq(options.settings.health_path, "/up");
    ck_assert_uint_eq(options.settings.rise, 1);
    ck_assert_uint_eq(options.settings.fall, 1);
    ck_assert_uint_eq(options.settings.sessions_max, 100);
    ck_assert_uint_eq(options.settings.policy,
                      SETTINGS_POLICY_LEAST_CONNECTIONS);
    ck_assert_uint_eq(options.settings.log_level, SETTINGS_LOG_DEBUG);
    options_fini(&options);
}
END_TEST

START_TEST(what_is_true_or_false_is_switched)
{
    struct options options;

    ck_assert(read_line(&options, WORDS("--backends=http://a", "--no-splice",
                                        "--show-backend", "--health=off",
                                        "-no-defer-accept")));
    ck_assert(!options.settings.splice);
    ck_assert(options.settings.show_backend);
    ck_assert(!options.settings.health);
    ck_assert(!options.settings.defer_accept);
    options_fini(&options);
}
END_TEST

START_TEST(lists_may_be_given_piece_by_piece)
{
    struct options options;

    ck_assert(read_line(&options,
                        WORDS("--backends", "http://a,http://b", "--backends",
                              "http://c", "--weights", "5,1", "--weights", "2",
                              "--trusted", "::1", "--trusted", "10.0.0.0/8")));
    ck_assert_uint_eq(options.settings.backend_count, 3);
    ck_assert_uint_eq(options.settings.backends[0].weight, 5);
    ck_assert_uint_eq(options.settings.backends[1].weight, 1);
    ck_assert_uint_eq(options.settings.backends[2].weight, 2);
    ck_assert_uint_eq(options.settings.trusted.count, 2);
    options_fini(&options);
}
END_TEST

/** Flag over variable over file over default. */
START_TEST(flags_win_over_all)
{
    static const char text[] = "{\"port\": 1, \"health\": {\"rise\": 5,"
                               " \"fall\": 5}, \"policy\": \"latency\"}";
    char path[] = "/tmp/steelyard-test-XXXXXX";
    int file = mkstemp(path);
    struct options options;

    ck_assert_int_ne(file, -1);
    ck_assert_int_eq(write(file, text, sizeof(text) - 1), sizeof(text) - 1);
    close(file);
    setenv("STEELYARD_PORT", "2", 1);
    setenv("STEELYARD_RISE", "6", 1);
    setenv("STEELYARD_CONFIG", path, 1);
    ck_assert_msg(
        read_line(&options, WORDS("--port", "3", "--backends", "http://a")),
        "%s", fault.text);
    ck_assert_uint_eq(options.settings.port, 3);
    ck_assert_uint_eq(options.settings.rise, 6);
    ck_assert_uint_eq(options.settings.fall, 5);
    ck_assert_uint_eq(options.settings.queue_max, 1024);
    ck_assert_int_eq(options.origins.of[SETTING_port].from, CONFIG_FROM_FLAG);
    ck_assert_int_eq(options.origins.of[SETTING_rise].from,
                     CONFIG_FROM_ENVIRONMENT);
    ck_assert_int_eq(options.origins.of[SETTING_fall].from, CONFIG_FROM_FILE);
    ck_assert_int_eq(options.origins.of[SETTING_queue_max].from,
                     CONFIG_FROM_DEFAULT);
    options_fini(&options);
    ck_assert(!read_line(&options, WORDS("--config", "/nowhere/x")));
    ck_assert_str_eq(fault.text,
                     "cannot read /nowhere/x: No such file or directory");
    unlink(path);
}
END_TEST

/** A command line, and what is wrong with it. */
static const struct {
    char *words[8];
    const char *sentence;
} wrong_lines[] = {
    {{"--prot", "80"}, "--prot is no flag; did you mean --port?"},
    {{"-prot=80"}, "-prot=80 is no flag; did you mean --port?"},
    {{"--quux"}, "--quux is no flag; see steelyard --help"},
    {{"--admin-token", "my secret"},
     "--admin-token wants letters, digits and any of -._~+/=, not what was "
     "given"},
    {{"--backends", "http://a", "--admin", ":8090"},
     "admin listens on :8090, where other machines reach it: give it a token, "
     "with the variable STEELYARD_ADMIN_TOKEN, or let it listen on 127.0.0.1"},
    {{"-x"}, "-x is no flag; see steelyard --help"},
    {{"--health-int=5s"},
     "--health-int=5s is short for several flags; write more of it, or see "
     "steelyard --help"},
    {{"--no-splice=1"}, "--no-splice takes no value, as in \"--no-splice=1\""},
    {{"--port"}, "--port wants a value; see steelyard --help"},
    {{"--port", "x"}, "--port wants a port, from 0 to 65535, not \"x\""},
    {{"serve"}, "\"serve\" is no flag; see steelyard --help"},
    {{"--backends", "http://a", "--", "x"},
     "\"x\" is no flag; see steelyard --help"},
    {{"--splice=maybe"}, "--splice wants true or false, not \"maybe\""},
    {{"--poller", "kqueue"},
     "--poller wants auto, epoll or poll, not \"kqueue\""},
    {{"--port", "80"}, "no backend; give one with --backends http://HOST:PORT"},
    {{"--backends", "http://a,http://a:80"},
     "--backends names the backend http://a:80 twice; name it once, and "
     "give it more by its weight"},
    {{"--backends", "http://a", "--tls-listen", "0"},
     "tls-listen needs a certificate; give one with --certificates "
     "CHAIN.pem:KEY.pem"},
    {{"--backends", "http://a", "--tls-listen", "unix:/a"},
     "tls-listen wants a port, or an address with a port such as "
     "0.0.0.0:8443, not a path"},
    {{"--backends", "http://a", "--weights", "1,2"},
     "weights: 2 for 1 backends; give one for each"},
    {{"--print-reference", "html"},
     "--print-reference wants man, markdown or completion, not \"html\""},
    {{"--health-path",
      "a\033[31m-path-that-goes-on-and-on-and-on-and-on-and-on-and-on"
      "-and-on"},
     "--health-path wants a path such as /healthz, not "
     "\"a?[31m-path-that-goes-on-and-on-and-on-and-on-and-on-and-on-...\""},
};

START_TEST(lines_that_are_wrong_are_refused)
{
    struct options options;

    ck_assert(!read_line(&options, wrong_lines[_i].words));
    ck_assert_str_eq(fault.text, wrong_lines[_i].sentence);
}
END_TEST

START_TEST(commands_are_told_apart)
{
    static const struct {
        char *words[4];
        enum options_do todo;
    } lines[] = {
        {{"--help"}, OPTIONS_HELP},
        {{"-help", "--quux"}, OPTIONS_HELP},
        {{"--version"}, OPTIONS_VERSION},
        {{"--print-reference=man"}, OPTIONS_REFERENCE_MAN},
        {{"--print-reference", "markdown"}, OPTIONS_REFERENCE_MARKDOWN},
        {{"--print-reference", "completion"}, OPTIONS_REFERENCE_COMPLETION},
        {{"--check-config", "--backends=http://a"}, OPTIONS_CHECK},
        {{"--backends=http://a", "--print-config"}, OPTIONS_PRINT},
    };
    struct options options;

    for (size_t i = 0; i < COUNT(lines); i++) {
        char *text = NULL;
        size_t length;
        FILE *out = open_memstream(&text, &length);

        ck_assert_msg(read_line(&options, lines[i].words), "%s", fault.text);
        ck_assert_int_eq(options.todo, lines[i].todo);
        options_answer(&options, out);
        options_fini(&options);
        fclose(out);
        ck_assert_uint_gt(length, 10);
        if (options.todo == OPTIONS_CHECK)
            ck_assert_str_eq(text, "config is fine: 1 backend, policy "
                                   "round-robin, port 3030\n");
        free(text);
    }
}
END_TEST

/* --- what is printed ----------------------------------------------------- */

/** Print the settings, read that, and print it again. */
START_TEST(what_is_printed_can_be_read)
{
    char *first = NULL, *second = NULL;
    size_t length;
    FILE *out = open_memstream(&first, &length);
    struct options options;

    ck_assert(read_line(
        &options,
        WORDS("--backends=http://a,http://b:81", "--weights=3,1",
              "--health-text=say \"${no}\" to \\ and $${}", "--trusted=::1",
              "--port=127.0.0.1:82", "--connect-timeout=1.5s", "--no-splice")));
    config_print(&options.settings, &options.origins, out);
    options_fini(&options);
    fclose(out);
    accept_file(first);
    ck_assert_str_eq(settings.health_text, "say \"${no}\" to \\ and $${}");
    ck_assert_uint_eq(settings.backends[0].weight, 3);
    ck_assert_int_eq(settings.connect_ms, 1500);
    for (enum setting i = 0; i < SETTING_COUNT; i++)
        origins.of[i] = options.origins.of[i];
    out = open_memstream(&second, &length);
    config_print(&settings, &origins, out);
    fclose(out);
    settings_fini(&settings);
    ck_assert_ptr_nonnull(strstr(
        first,
        "    \"port\": 82,                              // flag --port\n"));
    ck_assert_ptr_nonnull(strstr(first, "// flag --backends; weights from flag "
                                        "--weights\n"));
    ck_assert_ptr_nonnull(strstr(first, "// default\n"));
    /* Weights are in the backends now. */
    *strstr(first, "; weights from") = '\0';
    ck_assert_mem_eq(first, second, strlen(first));
    free(first);
    free(second);
}
END_TEST

START_TEST(help_is_whole_and_narrow)
{
    char *help = caught(options_print_help);
    char flag[80];

    for (char *line = help, *end; (end = strchr(line, '\n')) != NULL;
         line = end + 1)
        ck_assert_msg(end - line <= 80, "%.*s", (int)(end - line), line);
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = setting_row(i);

        snprintf(flag, sizeof(flag), "  --%s%s",
                 row->kind == SETTING_IS_BOOL ? "[no-]" : "", row->flag);
        ck_assert_msg(strstr(help, flag) != NULL, "%s", flag);
    }
    free(help);
}
END_TEST

/** The part of steelyard.8 that the program prints is what it prints now. */
START_TEST(the_manual_is_up_to_date)
{
    static const char mark[] = ".\\\" settings\n";
    static char page[1 << 17];
    FILE *file = fopen("final/steelyard.8", "r");
    char *start, *end, *now = caught(options_print_man);

    ck_assert_ptr_nonnull(file);
    page[fread(page, 1, sizeof(page) - 1, file)] = '\0';
    fclose(file);
    start = strstr(page, mark);
    ck_assert_ptr_nonnull(start);
    start += strlen(mark);
    end = strstr(start, mark);
    ck_assert_ptr_nonnull(end);
    *end = '\0';
    ck_assert_msg(strcmp(start, now) == 0,
                  "put what steelyard --print-reference=man prints between the "
                  "marks of final/steelyard.8");
    free(now);
}
END_TEST

START_TEST(the_markdown_names_all)
{
    char *text = caught(options_print_markdown), cell[100];

    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        snprintf(cell, sizeof(cell), "| `--%s` |", setting_row(i)->flag);
        ck_assert_msg(strstr(text, cell) != NULL, "%s", cell);
    }
    ck_assert_ptr_nonnull(strstr(text, "| `--port` | `listen.port` | "
                                       "`STEELYARD_PORT` | `3030` |"));
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("final_settings");

    /* Nothing from outside may change what we test. */
    clearenv();
    unit_add(suite, defaults_are_as_promised, 1);
    unit_add(suite, defaults_print_as_written, SETTING_COUNT);
    unit_add(suite, rows_differ, SETTING_COUNT);
    unit_add(suite, words_are_those_of_the_enum, 1);
    unit_add(suite, values_are_read_strictly, (int)COUNT(values));
    unit_add(suite, a_port_may_bring_an_address, 1);
    unit_add(suite, backends_are_taken_apart, 1);
    unit_add(suite, backends_are_limited, 1);
    unit_add(suite, statuses_are_found, 1);
    unit_add(suite, the_nearest_word_is_found, 1);
    unit_add(suite, the_small_form_works, 1);
    unit_add(suite, the_full_form_works, 1);
    unit_add(suite, rooms_may_be_plain, 1);
    unit_add(suite, variables_stand_for_their_values, (int)COUNT(expansions));
    unit_add(suite, variables_work_everywhere, 1);
    unit_add(suite, files_are_refused_with_a_sentence, (int)COUNT(refusals));
    unit_add(suite, files_that_cannot_be_read_are_refused, 1);
    unit_add(suite, examples_are_fine, 1);
    unit_add(suite, each_setting_has_a_variable, SETTING_COUNT);
    unit_add(suite, variables_win_over_the_file, 1);
    unit_add(suite, other_names_of_variables_work, 1);
    unit_add(suite, the_variable_of_a_service_is_left_alone, 1);
    unit_add(suite, variables_are_refused_with_a_sentence, 1);
    unit_add(suite, flags_may_be_written_in_many_ways, (int)COUNT(ways));
    unit_add(suite, the_flags_of_the_chapters_work, 1);
    unit_add(suite, what_is_true_or_false_is_switched, 1);
    unit_add(suite, lists_may_be_given_piece_by_piece, 1);
    unit_add(suite, flags_win_over_all, 1);
    unit_add(suite, lines_that_are_wrong_are_refused, (int)COUNT(wrong_lines));
    unit_add(suite, commands_are_told_apart, 1);
    unit_add(suite, what_is_printed_can_be_read, 1);
    unit_add(suite, help_is_whole_and_narrow, 1);
    unit_add(suite, the_manual_is_up_to_date, 1);
    unit_add(suite, the_markdown_names_all, 1);
    return unit_run(suite);
}

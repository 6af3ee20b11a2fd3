/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "stand.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *steelyard;
static const char *backend;

const char *stand_steelyard(void)
{
    return steelyard;
}

/* --- backends -------------------------------------------------------------- */

static void backend_start(struct stand *stand, size_t which)
{
    static const char *const names[STAND_BACKENDS] = {"one", "two", "three"};
    char port[16];
    const char *argv[] = {backend,  "--port",     port,
                          "--name", names[which], NULL};

    snprintf(port, sizeof(port), "%u", stand->ports[which]);
    insist(process_start(&stand->backends[which], argv),
           "cannot start a backend");
    stand->ports[which] = process_port(&stand->backends[which]);
    insist(stand->ports[which] != 0, "%s did not start: %s", backend,
           process_text(stand->backends[which].err));
    stand->keepers[which] = -1;
}

/** A socket that has this port and does not listen; -1 when it is taken. */
static int port_take(unsigned port)
{
    static const int on = 1;
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&where, sizeof(where)) == 0)
        return fd;
    close(fd);
    return -1;
}

void stand_kill(struct stand *stand, size_t which)
{
    process_kill(&stand->backends[which]);
    /* Else the kernel might give its port to somebody else. */
    stand->keepers[which] = port_take(stand->ports[which]);
}

void stand_revive(struct stand *stand, size_t which)
{
    if (stand->keepers[which] != -1)
        close(stand->keepers[which]);
    backend_start(stand, which);
}

const char *stand_url(const struct stand *stand, size_t which)
{
    static char urls[4][64];
    static unsigned turn;
    char *url = urls[turn++ % 4];

    snprintf(url, sizeof(urls[0]), "http://127.0.0.1:%u", stand->ports[which]);
    return url;
}

static json_t *json_from(const char *url)
{
    struct answer answer = fetch_url(url);
    json_t *json = json_loadb(answer.body == NULL ? "" : answer.body,
                              answer.length, 0, NULL);

    answer_free(&answer);
    return json;
}

long stand_count(const struct stand *stand, size_t which, const char *path)
{
    char url[128];
    json_t *stats;
    long count;

    snprintf(url, sizeof(url), "%s/stats", stand_url(stand, which));
    stats = json_from(url);
    insist(stats != NULL, "backend %zu gives no /stats", which);
    count = (long)json_integer_value(
        json_object_get(json_object_get(stats, "paths"), path));
    json_decref(stats);
    return count;
}

/* --- the balancer ---------------------------------------------------------- */

/** The port in the line of its output that begins so; 0: not there. */
static unsigned port_behind(struct process *process, const char *words)
{
    unsigned port = 0;
    char *text, *line, *colon;
    int status;

    holds_within(10000, process_said(process->out, words) ||
                            process_has_ended(process, &status));
    text = process_text(process->out);
    line = strstr(text, words);
    colon = line == NULL ? NULL : strchr(line + strlen(words), ':');
    if (colon != NULL)
        port = (unsigned)strtoul(colon + 1, NULL, 10);
    free(text);
    return port;
}

static void balancer_run(struct stand *stand)
{
    char port[16], admin[32], backends[256];
    const char *argv[] = {steelyard,   "--port",
                          port,        "--backends",
                          backends,    "--admin",
                          admin,       "--admin-token",
                          STAND_TOKEN, "--health-interval",
                          "200ms",     NULL};

    snprintf(port, sizeof(port), "%u", stand->port);
    snprintf(admin, sizeof(admin), "127.0.0.1:%u", stand->admin_port);
    snprintf(backends, sizeof(backends), "%s,%s,%s", stand_url(stand, 0),
             stand_url(stand, 1), stand_url(stand, 2));
    insist(process_start(&stand->balancer, argv), "cannot start steelyard");
}

void stand_start_balancer(struct stand *stand)
{
    balancer_run(stand);
    stand->port = port_behind(&stand->balancer, "listening on http://");
    stand->admin_port = port_behind(&stand->balancer, "admin on http://");
    insist(stand->port != 0 && stand->admin_port != 0,
           "steelyard did not start: %s", process_text(stand->balancer.err));
    snprintf(stand->admin, sizeof(stand->admin), "http://127.0.0.1:%u",
             stand->admin_port);
    for (size_t i = 0; i < STAND_BACKENDS; i++)
        if (stand->backends[i].pid != 0)
            insist(stand_is(stand, i, "up"), "backend %zu is not up", i);
}

void stand_stop_balancer(struct stand *stand)
{
    int status = process_stop(&stand->balancer, 10000);

    insist(status == 0, "steelyard ended with %d: %s", status,
           process_text(stand->balancer.err));
}

void stand_open(struct stand *stand)
{
    *stand = (struct stand){.port = 0};
    for (size_t i = 0; i < STAND_BACKENDS; i++)
        backend_start(stand, i);
    stand_start_balancer(stand);
}

void stand_close(struct stand *stand)
{
    if (stand->balancer.pid != 0)
        stand_stop_balancer(stand);
    for (size_t i = 0; i < STAND_BACKENDS; i++)
        process_kill(&stand->backends[i]);
}

void stand_load(const struct stand *stand, unsigned count)
{
    char url[64];

    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", stand->port);
    for (unsigned i = 0; i < count; i++) {
        struct answer answer = fetch_url(url);

        insist(answer.status == 200, "request %u was answered %ld: %s", i,
               answer.status, answer.error);
        answer_free(&answer);
    }
}

json_t *stand_fact(const struct stand *stand, size_t which, const char *name)
{
    char url[128];
    json_t *list, *fact;

    snprintf(url, sizeof(url), "%s/api/v1/backends", stand->admin);
    list = json_from(url);
    fact = json_incref(json_object_get(
        json_array_get(json_object_get(list, "backends"), which), name));
    json_decref(list);
    return fact;
}

static bool is_now(const struct stand *stand, size_t which, const char *state)
{
    json_t *fact = stand_fact(stand, which, "state");
    const char *word = json_string_value(fact);
    bool answer = word != NULL && strcmp(word, state) == 0;

    json_decref(fact);
    return answer;
}

bool stand_is(const struct stand *stand, size_t which, const char *state)
{
    return holds_within(10000, is_now(stand, which, state));
}

/* --- the suite ------------------------------------------------------------- */

/** Has this steelyard an admin listener at all? */
static bool has_admin(void)
{
    struct process help;
    int status;
    bool answer =
        process_start(&help, (const char *const[]){steelyard, "--help", NULL});

    holds_within(5000, process_has_ended(&help, &status));
    answer = answer && process_said(help.out, "--admin");
    process_kill(&help);
    return answer;
}

static int skip(const char *lacks)
{
    printf("skipped: %s\n0 passed, 0 failed\n", lacks);
    return 0;
}

int stand_main(int argc, char **argv, Suite *suite, const char *lacks)
{
    SRunner *runner;
    int failed;

    if (argc != 3) {
        fprintf(stderr, "usage: %s PATH/steelyard PATH/backend\n", argv[0]);
        return 2;
    }
    steelyard = argv[1];
    backend = argv[2];
    if (lacks == NULL && !has_admin())
        lacks = "this steelyard has no admin listener";
    runner = srunner_create(suite);
    if (lacks != NULL) {
        srunner_free(runner);
        return skip(lacks);
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    printf("%d passed, %d failed\n", srunner_ntests_run(runner) - failed,
           failed);
    srunner_free(runner);
    curl_global_cleanup();
    return failed == 0 ? 0 : 1;
}

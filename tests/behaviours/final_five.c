/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The full balancer: the habits of those who come from one of five small
 * balancers. Their command lines, files and names, and the experiments that
 * their READMEs invite to. docs/habits.md says which is where.
 */
#include "behaviours.h"
#include "lab.h"
#include "load.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Insist that the log says so, soon. */
static void is_logged(const struct lab *lab, const char *words)
{
    insist(lab_logs(lab, words, 5000), "expected \"%s\" in the log; it says %s",
           words, process_text(lab->lb.err));
}

/** A lab that gives no flags but its own. */
static void lab_bare(struct lab *lab, size_t count)
{
    lab_init(lab);
    lab->is_bare = true;
    lab_backends(lab, count);
}

/* --- command lines, files and names ---------------------------------------- */

static void two_take_turns(struct lab *lab)
{
    lab_start_alone(lab);
    insist(strcmp(lab_who(lab, "/"), lab_who(lab, "/")) != 0,
           "two backends; expected turns");
    lab_end(lab);
}

/** -backends=http://localhost:8081,http://localhost:8082 -port=3030 */
static void one_dash_and_equals(void)
{
    struct lab lab;
    char flag[128];

    lab_bare(&lab, 2);
    snprintf(flag, sizeof(flag),
             "-backends=http://localhost:%u,http://localhost:%u",
             lab.backends[0].port, lab.backends[1].port);
    lab_flag(&lab, 0, flag, NULL);
    lab_flag(&lab, 0, "-port=0", NULL);
    two_take_turns(&lab);
}

/** -backends "http://a:8080,http://b:8081" -port 3030 */
static void one_dash_and_blank(void)
{
    struct lab lab;
    char list[128];

    lab_bare(&lab, 2);
    snprintf(list, sizeof(list), "http://localhost:%u,http://localhost:%u",
             lab.backends[0].port, lab.backends[1].port);
    lab_flag(&lab, 0, "-backends", list);
    lab_flag(&lab, 0, "-port", "0");
    two_take_turns(&lab);
}

static void the_port_is_3030(void)
{
    struct lab lab;

    lab_bare(&lab, 0);
    lab_flag(&lab, 0, "-backends", "http://a:8080,http://b:8081");
    lab_flag(&lab, 0, "-check-config", NULL);
    lab_runs(&lab, 0);
    insist(
        process_said(lab.lb.out, "2 backends, policy round-robin, port 3030"),
        "expected port 3030 when none is given; got %s",
        process_text(lab.lb.out));
}

/** The file of three backends with names, to the letter. */
static void the_file_is_fine(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_config(&lab, "{\"port\": \":8000\",\n"
                     " \"backends\": [\"http://backend1:8081\", "
                     "\"http://backend2:8081\", \"http://backend3:8081\"],\n"
                     " \"health_check_interval\": \"5s\"}\n");
    lab_flag(&lab, 0, "-check-config", NULL);
    lab_runs(&lab, 0);
    insist(
        process_said(lab.lb.out, "3 backends, policy round-robin, port 8000"),
        "expected that file to be fine; got %s", process_text(lab.lb.out));
}

/** Names that nobody knows yet: the other containers come up later. */
static void names_may_come_later(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_config(&lab,
               "{\"port\": \":0\",\n \"backends\": [\"http://backend1.invalid:"
               "8081\", \"{0}\", \"http://backend3.invalid:8081\"],\n"
               " \"health_check_interval\": \"5s\"}\n");
    lab_start(&lab);
    is_logged(&lab, "http://backend1.invalid:8081 [unresolved]");
    for (int i = 0; i < 6; i++)
        lab_who(&lab, "/");
    lab_end(&lab);
}

/** PROXY_PORT=8080 */
static void a_variable_gives_the_port(void)
{
    struct lab lab;
    char list[64];

    lab_bare(&lab, 1);
    snprintf(list, sizeof(list), "http://localhost:%u", lab.backends[0].port);
    setenv("PROXY_PORT", "8080", 1);
    lab_flag(&lab, 0, "-backends", list);
    lab_flag(&lab, 0, "-check-config", NULL);
    lab_runs(&lab, 0);
    insist(process_said(lab.lb.out, "port 8080"),
           "PROXY_PORT=8080; expected that port; got %s",
           process_text(lab.lb.out));
    lab_bare(&lab, 1);
    snprintf(list, sizeof(list), "http://localhost:%u", lab.backends[0].port);
    setenv("PROXY_PORT", "0", 1);
    lab_flag(&lab, 0, "-backends", list);
    lab_start(&lab);
    lab_who(&lab, "/");
    lab_end(&lab);
}

/** Does the admin listener answer there, as what it is? */
static bool is_admin(const struct lab *lab)
{
    struct answer answer = fetch_url(lab_admin(lab, "/api/v1/status"));
    bool is = answer.status == 200 && answer.body != NULL &&
              strstr(answer.body, "\"name\":\"steelyard\"") != NULL;

    answer_free(&answer);
    return is;
}

/** DASHBOARD_PORT=8090, the port where the dashboard is */
static void a_variable_gives_the_dashboard(void)
{
    struct lab lab;

    lab_bare(&lab, 0);
    setenv("DASHBOARD_PORT", "8090", 1);
    lab_flag(&lab, 0, "-backends", "http://a:8080");
    lab_flag(&lab, 0, "-print-config", NULL);
    lab.usual_admin = true;
    lab_runs(&lab, 0);
    insist(process_said(lab.lb.out, "\"listen\": \"8090\",") &&
               process_said(lab.lb.out, "DASHBOARD_PORT"),
           "DASHBOARD_PORT=8090; expected that port; got %s",
           process_text(lab.lb.out));
    setenv("DASHBOARD_PORT", "0", 1);
    lab_init(&lab);
    lab_backends(&lab, 1);
    lab.usual_admin = true;
    lab_start(&lab);
    insist(lab.admin != 0 && is_admin(&lab),
           "DASHBOARD_PORT=0; expected an admin listener");
    lab_end(&lab);
}

/** Run `steelyard top --once`; it must show that backend. */
static void top_shows(const struct lab *lab)
{
    const char *const argv[] = {lab_program(), "top", "--once", NULL};
    struct process top;
    char backend[64];
    int status = -1;

    snprintf(backend, sizeof(backend), "127.0.0.1:%u * up",
             lab->backends[0].port);
    insist(process_start(&top, argv), "cannot start steelyard top");
    insist(holds_within(10000, process_has_ended(&top, &status)) && status == 0,
           "expected a table, and status 0; got %d: %s", status,
           process_text(top.err));
    insist(process_said(top.out, backend), "expected \"%s\" in: %s", backend,
           process_text(top.out));
}

/** LOAD_BALANCER_URL=http://localhost:8080: where clients come, or beside it. */
static void a_variable_leads_to_it(void)
{
    struct lab lab;
    char url[64], port[16];

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 0, "--workers", "2");
    lab_start(&lab);
    snprintf(url, sizeof(url), "http://localhost:%u", lab.admin);
    setenv("LOAD_BALANCER_URL", url, 1);
    top_shows(&lab);
    snprintf(url, sizeof(url), "http://localhost:%u", lab.port);
    snprintf(port, sizeof(port), "%u", lab.admin);
    setenv("LOAD_BALANCER_URL", url, 1);
    setenv("DASHBOARD_PORT", port, 1);
    top_shows(&lab);
    lab_end(&lab);
}

/** ab -n 1000 -c 10 http://localhost:3030/ */
static void ab_has_no_failures(void)
{
    char url[64];
    const char *const argv[] = {"/usr/bin/env", "ab", "-n", "1000",
                                "-c",           "10", url,  NULL};
    struct lab lab;
    struct process ab;
    int status = -1;

    lab_bare(&lab, 2);
    snprintf(url, sizeof(url),
             "-backends=http://localhost:%u,http://localhost"
             ":%u",
             lab.backends[0].port, lab.backends[1].port);
    lab_flag(&lab, 0, url, NULL);
    lab_flag(&lab, 0, "-port=0", NULL);
    lab_start_alone(&lab);
    snprintf(url, sizeof(url), "http://localhost:%u/", lab.port);
    insist(process_start(&ab, argv), "cannot start ab");
    insist(holds_within(20000, process_has_ended(&ab, &status)),
           "ab does not end");
    insist(status == 0 && process_said(ab.out, "Failed requests:        0\n") &&
               process_said(ab.out, "Complete requests:      1000\n") &&
               !process_said(ab.out, "Non-2xx"),
           "expected no failed request; got %s%s", process_text(ab.out),
           process_text(ab.err));
    lab_end(&lab);
}

/** The same where there is no ab: it is a client of HTTP/1.0, ten at once. */
static void ten_at_once_have_no_failures(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_start_alone(&lab);
    for (int i = 0; i < 100; i++) {
        struct request request = {.url = lab_url(&lab, "/")};
        struct fetches *fetches = fetches_begin(&request, 10);

        insist(fetches_run(fetches, 5000) && fetches_count(fetches, 200) == 10,
               "ten requests at once: expected ten times 200");
        fetches_end(&fetches);
    }
    lab_end(&lab);
}

static void load_of_a_thousand(void)
{
    if (system("command -v ab >/dev/null") == 0) {
        ab_has_no_failures();
        return;
    }
    fputs("ab is not installed: its load is made without it\n", stderr);
    ten_at_once_have_no_failures();
}

/* --- other servers as backends ---------------------------------------------- */

/** Start what we did not write; the port is in its first line. */
static unsigned start_python(struct process *server)
{
    static const char *const argv[] = {"/usr/bin/env", "python3",     "-u",
                                       "-m",           "http.server", "--bind",
                                       "127.0.0.1",    "0",           NULL};
    unsigned port = 0;
    char *text;

    insist(process_start(server, argv), "cannot start python3");
    insist(holds_within(8000, process_said(server->out, ") ...")),
           "python3 -m http.server does not start: %s",
           process_text(server->err));
    text = process_text(server->out);
    sscanf(text, "Serving HTTP on 127.0.0.1 port %u", &port);
    free(text);
    insist(port != 0, "it does not say its port");
    return port;
}

static void python_as_backends(void)
{
    struct lab lab;
    struct process servers[2];
    char list[128];
    unsigned ports[2];

    lab_bare(&lab, 0);
    for (int i = 0; i < 2; i++)
        ports[i] = start_python(&servers[i]);
    snprintf(list, sizeof(list), "http://localhost:%u,http://localhost:%u",
             ports[0], ports[1]);
    lab_flag(&lab, 0, "-backends", list);
    lab_flag(&lab, 0, "-port", "0");
    lab_start_alone(&lab);
    for (int i = 0; i < 20; i++) {
        struct answer answer = lab_get(&lab, "/");

        insist(answer.status == 200 && answer.whole &&
                   strstr(answer.body, "Directory listing") != NULL,
               "expected python's listing; got %ld %s", answer.status,
               answer.error);
        answer_free(&answer);
        if (i == 10)
            process_kill(&servers[0]);
    }
    insist(lab_try(&lab, "/none").status == 404, "expected its 404");
    process_kill(&servers[1]);
    lab_end(&lab);
}

/* --- what the log tells ------------------------------------------------------ */

static void the_log_tells_it_all(void)
{
    struct lab lab;
    char words[128];

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_flag(&lab, 0, "--log-level", "debug");
    lab_start(&lab);
    snprintf(words, sizeof(words), "info  backend http://127.0.0.1:%u, weight",
             lab.backends[1].port);
    is_logged(&lab, words); /* configured server */
    insist(lab_prints(&lab, "listening on http://127.0.0.1:", 0),
           "expected the port it was started at");
    lab_who(&lab, "/livez");
    snprintf(words, sizeof(words), "%u", lab.backends[0].port);
    insist(lab_prints(&lab, "/livez", 2000) && lab_prints(&lab, words, 0),
           "expected the backend that was selected; got %s",
           process_text(lab.lb.out));
    snprintf(words, sizeof(words), "probe of http://127.0.0.1:%u begins",
             lab.backends[0].port);
    is_logged(&lab, words);
    snprintf(words, sizeof(words), "probe of http://127.0.0.1:%u: good",
             lab.backends[0].port);
    is_logged(&lab, words);
    lab_kill(&lab, 0);
    is_logged(&lab, lab_change(&lab, 0, "down"));
    is_logged(&lab, "; 3 in a row; was up)");
    lab_revive(&lab, 0);
    is_logged(&lab, lab_change(&lab, 0, "up"));
    lab_end(&lab);
}

/* --- experiments -------------------------------------------------------------- */

/** A backend is let finish its requests, and another one started. */
static void restart(struct lab *lab, size_t which)
{
    size_t ups = lab_logged(lab, lab_change(lab, which, "up"));

    process_stop(&lab->backends[which].process, 6000);
    lab->backends[which].keeper = -1;
    is_logged(lab, lab_change(lab, which, "down"));
    lab_revive(lab, which);
    insist(
        holds_within(5000, lab_logged(lab, lab_change(lab, which, "up")) > ups),
        "expected backend %zu to serve again", which);
}

static void rolling_update(void)
{
    struct lab lab;
    struct load load;

    lab_init(&lab);
    lab_backends(&lab, 3);
    lab_flag(&lab, 0, "--workers", "2");
    lab_start(&lab);
    load_begin(&load, &lab, false);
    for (size_t i = 0; i < 3; i++) {
        restart(&lab, i);
        load_goes_on(&load, 50);
    }
    load_end(&load);
    lab_end(&lab);
}

/** Insist that the dashboards are told so: they show what they get here. */
static void is_shown(const struct lab *lab, const char *words)
{
    struct answer answer = fetch_url(lab_admin(lab, "/api/v1/status"));

    insist(answer.status == 200 && answer.body != NULL &&
               strstr(answer.body, words) != NULL,
           "expected %s to be shown; got %s", words, answer.body);
    answer_free(&answer);
}

static void stopped_and_continued(void)
{
    struct lab lab;
    struct load load;

    lab_init(&lab);
    lab_backends(&lab, 3);
    lab_flag(&lab, 0, "--workers", "2");
    lab_flag(&lab, 0, "--health-path", "/healthz");
    lab_start(&lab);
    load_begin(&load, &lab, false);
    load_goes_on(&load, 50);
    kill(lab.backends[1].process.pid, SIGSTOP);
    is_logged(&lab, lab_change(&lab, 1, "down"));
    is_shown(&lab, "\"state\":\"down\",\"why\":\"probe: ");
    kill(lab.backends[1].process.pid, SIGCONT);
    is_logged(&lab, lab_change(&lab, 1, "up"));
    load_goes_on(&load, 50);
    load_end(&load);
    lab_end(&lab);
}

static const struct behaviour list[] = {
    {"five-equals", 99, 1, "-backends=URL,URL -port=N works.",
     one_dash_and_equals},
    {"five-blank", 99, 1, "So does -backends URL,URL -port N.",
     one_dash_and_blank},
    {"five-3030", 99, 1, "The port is 3030 when none is given.",
     the_port_is_3030},
    {"five-file", 99, 1, "The small file is fine, to the letter.",
     the_file_is_fine},
    {"five-names", 99, 1, "Its names need not be known at the start.",
     names_may_come_later},
    {"five-variable", 99, 1, "PROXY_PORT gives the port.",
     a_variable_gives_the_port},
    {"five-dashboard", 99, 1, "DASHBOARD_PORT gives that of the dashboard.",
     a_variable_gives_the_dashboard},
    {"five-watch", 99, 1,
     "LOAD_BALANCER_URL leads steelyard top to what is to be watched.",
     a_variable_leads_to_it},
    {"five-load", 99, 1, "ab -n 1000 -c 10 has no failed requests.",
     load_of_a_thousand},
    {"five-python", 99, 1, "python3 -m http.server will do as a backend.",
     python_as_backends},
    {"five-log", 99, 1, "The log tells what theirs tell.",
     the_log_tells_it_all},
    {"five-rolling", 99, 2, "A rolling update of all backends loses no GET.",
     rolling_update},
    {"five-stopped", 99, 2, "Nor does one that is stopped and continued.",
     stopped_and_continued},
};

const struct behaviours final_five = {list, sizeof(list) / sizeof(list[0])};

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The full balancer: how it is configured, seen from outside. Each sentence by
 * itself is tested in tests/unit.
 */
#include "behaviours.h"
#include "lab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** A lab that gives no flags but its own. */
static void lab_bare(struct lab *lab, size_t count)
{
    lab_init(lab);
    lab->is_bare = true;
    lab_backends(lab, count);
}

/** What it has printed. */
static void is_printed(const struct lab *lab, const char *words)
{
    insist(process_said(lab->lb.out, words),
           "expected \"%s\" to be printed; got %s", words,
           process_text(lab->lb.out));
}

static const char *url_of(const struct lab *lab, size_t which)
{
    static char urls[4][64];
    static size_t next;
    char *url = urls[next++ % 4];

    snprintf(url, sizeof(urls[0]), "http://127.0.0.1:%u",
             lab->backends[which].port);
    return url;
}

/* --- what is enough -------------------------------------------------------- */

static void needs_no_file(void)
{
    struct lab lab;

    lab_bare(&lab, 1);
    lab_flag(&lab, 0, "--port", "127.0.0.1:0");
    lab_flag(&lab, 0, "--backends", url_of(&lab, 0));
    lab_start(&lab);
    lab_who(&lab, "/");
    lab_end(&lab);
}

static void small_file_is_enough(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_config(&lab, "{\n  \"port\": \":0\",\n"
                     "  \"backends\": [\"{0}\", \"{1}\"],\n"
                     "  \"health_check_interval\": \"100ms\"\n}\n");
    lab_start(&lab);
    insist(strcmp(lab_who(&lab, "/"), lab_who(&lab, "/")) != 0,
           "two backends in the file; expected turns");
    lab_kill(&lab, 0);
    insist(lab_logs(&lab, lab_change(&lab, 0, "down"), 3000),
           "with an interval of 100ms in the file, expected a dead backend to "
           "be found soon");
    lab_end(&lab);
}

static void full_file_is_understood(void)
{
    struct lab lab;
    struct answer answer;

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_config(&lab,
               "// a remark\n{\n"
               "  \"listen\": {\"address\": \"127.0.0.1\", \"port\": 0,"
               " \"workers\": 1},\n"
               "  \"backends\": [{\"url\": \"{0}\", \"weight\": 3}, \"{1}\"],\n"
               "  \"policy\": {\"name\": \"round-robin\","
               " \"sticky_cookie\": \"SRV\"},\n"
               "  \"health\": {\"path\": \"/healthz\", \"interval\": \"1s\"},\n"
               "  \"timeouts\": {\"response\": \"200ms\"},\n"
               "  \"log\": {\"format\": \"json\"}\n}\n");
    lab_start(&lab);
    for (int i = 0; i < 8; i++)
        lab_who(&lab, "/livez");
    insist(lab_count(&lab, 0, "/livez") == 6, "weights 3 and 1; got %ld of 8",
           lab_count(&lab, 0, "/livez"));
    insist(lab_count(&lab, 0, "/healthz") > 0, "no probe of /healthz came");
    answer = lab_get(&lab, "/slow?ms=2000");
    insist(answer.status == 504, "a limit of 200ms; expected 504; got %ld",
           answer.status);
    answer_free(&answer);
    insist(lab_prints(&lab, "\"status\":504", 3000),
           "expected the access log as JSON; got %s", process_text(lab.lb.out));
    lab_end(&lab);
}

static void environment_is_enough(void)
{
    struct lab lab;

    lab_bare(&lab, 1);
    setenv("PROXY_PORT", "127.0.0.1:0", 1);
    setenv("STEELYARD_BACKENDS", url_of(&lab, 0), 1);
    lab_start(&lab);
    insist(lab.port != 0, "PROXY_PORT=127.0.0.1:0; expected a port");
    lab_who(&lab, "/");
    lab_end(&lab);
}

static void file_takes_variables(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 2);
    setenv("ORIGIN", url_of(&lab, 1), 1);
    unsetenv("LISTEN");
    lab_config(&lab, "{\"port\": \"${LISTEN:-127.0.0.1:0}\", "
                     "\"backends\": [\"${ORIGIN}\"]}");
    lab_start(&lab);
    insist(strcmp(lab_who(&lab, "/"), "two") == 0,
           "expected ${ORIGIN} to be what it is in the environment");
    lab_end(&lab);
}

/* --- who wins -------------------------------------------------------------- */

static void flags_win(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 1);
    setenv("STEELYARD_FALL", "7", 1);
    setenv("STEELYARD_RISE", "8", 1);
    lab_config(&lab, "{\n\"backends\": [\"{0}\"],\n\"health\": {\n"
                     "\"rise\": 1,\n\"fall\": 2,\n\"timeout\": \"3s\"}}\n");
    lab_flag(&lab, 0, "--fall", "9");
    lab_flag(&lab, 0, "--print-config", NULL);
    lab_runs(&lab, 0);
    insist(holds_within(1000, process_said(lab.lb.out, "}\n")), "cut");
    is_printed(&lab, "\"fall\": 9, ");
    is_printed(&lab, "// flag --fall\n");
    is_printed(&lab, "\"rise\": 8, ");
    is_printed(&lab, "// variable STEELYARD_RISE\n");
    is_printed(&lab, "\"timeout\": \"3s\", ");
    is_printed(&lab, ".json:6\n");
    is_printed(&lab, "\"interval\": \"2s\", ");
    is_printed(&lab, "// default\n");
}

static void config_can_be_checked(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_config(&lab, "{\"port\": \":8000\", \"backends\": [\"{0}\", \"{1}\"]}");
    lab_flag(&lab, 0, "--check-config", NULL);
    lab_runs(&lab, 0);
    is_printed(&lab, "config is fine: 2 backends");
}

/* --- what is refused ------------------------------------------------------- */

/** A file with this text is refused with this sentence, and status 2. */
static void file_is_refused(const char *text, const char *words)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_config(&lab, text);
    lab_refuses(&lab, words);
}

static void unknown_key_is_refused(void)
{
    file_is_refused("{\n  \"port\": 0,\n  \"bakends\": [\"{0}\"]\n}\n",
                    ".json:3:3: \"bakends\" is not known here; did you mean "
                    "\"backends\"?");
    file_is_refused("{\"backends\": [\"{0}\"],\n\"health\": {\"raise\": 2}}",
                    ".json:2:12: \"raise\" is not known here; did you mean "
                    "\"rise\"?");
}

static void wrong_type_is_refused(void)
{
    file_is_refused("{\"backends\": [\"{0}\"],\n \"health\":"
                    " {\"rise\": \"two\"}}",
                    ".json:2:21: ");
    file_is_refused("{\"backends\": [\"{0}\"],\n \"health\":"
                    " {\"interval\": [1]}}",
                    "wants a time such as 250ms, 5s or 1m");
    file_is_refused("{\"backends\": [\"{0}\"],\n \"ejection\":"
                    " {\"percent\": \"120%\"}}",
                    "from 0% to 100%");
}

static void duplicate_key_is_refused(void)
{
    file_is_refused("{\"backends\": [\"{0}\"],\n \"port\": 1,\n \"port\": 2}",
                    ".json:3:");
}

static void no_json_is_refused(void)
{
    file_is_refused("{\"backends\": [\"{0}\"]\n \"port\": 1}", ".json:2:");
}

static void missing_file_is_refused(void)
{
    struct lab lab;

    lab_bare(&lab, 0);
    lab_flag(&lab, 0, "--config", "/nowhere/config.json");
    lab_refuses(&lab, "cannot read /nowhere/config.json: No such file");
}

static void unknown_flag_is_refused(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 0, "--polcy", "latency");
    lab_refuses(&lab, "did you mean --policy?");
}

static void wrong_variable_is_refused(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 1);
    setenv("STEELYARD_RISE", "none", 1);
    lab_refuses(&lab, "the variable STEELYARD_RISE wants a whole number");
}

static const struct behaviour list[] = {
    {"no-file", 99, 1, "It needs no file.", needs_no_file},
    {"small-file", 99, 2, "A file of three lines is enough.",
     small_file_is_enough},
    {"full-file", 99, 2, "A file may set everything.", full_file_is_understood},
    {"environment", 99, 1, "The environment is enough, too.",
     environment_is_enough},
    {"variables", 99, 1, "A file may take values from the environment.",
     file_takes_variables},
    {"flags-win", 99, 2, "Flags win over the environment, that over the file.",
     flags_win},
    {"check-config", 99, 1, "A configuration can be checked.",
     config_can_be_checked},
    {"unknown-key", 99, 2, "An unknown key is refused, with the nearest one.",
     unknown_key_is_refused},
    {"wrong-type", 99, 1, "So is a value of the wrong kind.",
     wrong_type_is_refused},
    {"twice", 99, 1, "So is a key that stands there twice.",
     duplicate_key_is_refused},
    {"no-json", 99, 1, "So is what is no JSON.", no_json_is_refused},
    {"missing-file", 99, 1, "So is a file that is not there.",
     missing_file_is_refused},
    {"unknown-flag", 99, 1, "An unknown flag is refused, with the nearest one.",
     unknown_flag_is_refused},
    {"variable", 99, 1, "So is a variable that makes no sense.",
     wrong_variable_is_refused},
};

const struct behaviours final_settings = {list, sizeof(list) / sizeof(list[0])};

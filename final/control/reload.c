/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "control/reload.h"

#include "control/command.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "usage: steelyard reload [--url URL] [--token TOKEN]\n"
    "\n"
    "Have a steelyard that runs read its settings again, and print what has\n"
    "changed. If anything is wrong, nothing has changed.\n"
    "\n"
    "  --url URL      the admin listener: http://HOST:PORT or unix:/PATH; the\n"
    "                 variable LOAD_BALANCER_URL or STEELYARD_ADMIN, or else\n"
    "                 http://127.0.0.1:8090\n"
    "  --token TOKEN  what it takes; the variable STEELYARD_ADMIN_TOKEN, which\n"
    "                 others on the machine cannot read\n"
    "  --help         print this\n"
    "\n"
    "Exit status: 0, it is so; 1, refused; 2, wrong use.\n";

/** A list of flags, behind a word, if there are any. */
static void print_flags(const char *word, const json_t *flags)
{
    size_t i;
    json_t *flag;

    json_array_foreach(flags, i, flag)
        printf("%s %s", i == 0 ? word : ",", json_string_value(flag));
    if (json_array_size(flags) > 0)
        puts("");
}

static void print_change(const char *text)
{
    json_t *answer = json_loads(text, 0, NULL);
    const json_t *changed = json_object_get(answer, "changed");
    const json_t *later = json_object_get(answer, "needs_restart");

    printf("reloaded: configuration %d\n",
           (int)json_integer_value(json_object_get(answer, "generation")));
    print_flags("changed:", changed);
    print_flags("differs, but only a restart or an upgrade changes it:", later);
    if (json_array_size(changed) + json_array_size(later) == 0)
        puts("no setting has changed");
    json_decref(answer);
}

int reload_main(int argc, char **argv)
{
    struct command command = {.name = "reload", .usage = usage};
    int status = command_begin(&command, argc, argv);
    char *text = NULL;
    long answer;

    if (status != COMMAND_GOES_ON)
        return status;
    answer = remote_ask(&command.remote, "POST", "/api/v1/reload", "", &text);
    if (answer == 200)
        print_change(text == NULL ? "" : text);
    else
        status = command_say_refusal(&command, answer);
    free(text);
    return command_end(answer == 200 ? COMMAND_DONE : status);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "control/upgrade.h"

#include "control/command.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "usage: steelyard upgrade [--url URL] [--token TOKEN]\n"
    "\n"
    "Have a steelyard that runs start its program anew, with the same\n"
    "arguments, and hand its listeners over: no client is refused. It serves\n"
    "until the new process is ready, and serves on if that fails.\n"
    "\n"
    "  --url URL      the admin listener: http://HOST:PORT or unix:/PATH; the\n"
    "                 variable LOAD_BALANCER_URL or STEELYARD_ADMIN, or else\n"
    "                 http://127.0.0.1:8090\n"
    "  --token TOKEN  what it takes; the variable STEELYARD_ADMIN_TOKEN, which\n"
    "                 others on the machine cannot read\n"
    "  --help         print this\n"
    "\n"
    "Exit status: 0, it is so; 1, the old one serves on; 2, wrong use.\n";

static void print_result(const char *text)
{
    json_t *answer = json_loads(text, 0, NULL);

    printf("process %ld serves now; process %ld finishes what it has\n",
           (long)json_integer_value(json_object_get(answer, "pid")),
           (long)json_integer_value(json_object_get(answer, "was")));
    json_decref(answer);
}

int upgrade_main(int argc, char **argv)
{
    struct command command = {.name = "upgrade", .usage = usage};
    int status = command_begin(&command, argc, argv);
    char *text = NULL;
    long answer;

    if (status != COMMAND_GOES_ON)
        return status;
    command.remote.answer_ms = 0; /* there is a setting for that */
    answer = remote_ask(&command.remote, "POST", "/api/v1/upgrade", "", &text);
    if (answer == 200)
        print_result(text == NULL ? "" : text);
    else
        status = command_say_refusal(&command, answer);
    free(text);
    return command_end(answer == 200 ? COMMAND_DONE : status);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * To drain is one PATCH; to wait is to look again and again, a few times a
 * second. Nobody has to stand by on the other side, and a command that is broken
 * off leaves nothing behind.
 *
 *     drain    PATCH ready: false -> look until in_flight is 0
 *     ready    look until a new probe was good -> PATCH ready: true -> look
 *              until it is up
 *
 * What the PATCH itself answers is not believed, and the first look comes a
 * moment later: a worker that had picked the backend just before may not have
 * counted its request yet.
 */
#include "control/drain.h"

#include "base/clock.h"
#include "control/command.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 100 };

static const char drain_usage[] =
    "usage: steelyard drain BACKEND [--wait[=SECONDS]] [--url URL]\n"
    "                       [--token TOKEN]\n"
    "\n"
    "Send a backend nothing new, in a steelyard that runs; what it has in\n"
    "flight goes on. BACKEND is its URL, with or without http://, or its id.\n"
    "\n"
    "  --wait[=SECONDS]  end when it has nothing in flight any more; with a\n"
    "                    time, which may be such as 5m, give up after that\n"
    "  --url URL         the admin listener: http://HOST:PORT or unix:/PATH;\n"
    "                    the variable LOAD_BALANCER_URL or STEELYARD_ADMIN,\n"
    "                    or else http://127.0.0.1:8090\n"
    "  --token TOKEN     what it takes; the variable STEELYARD_ADMIN_TOKEN,\n"
    "                    which others on the machine cannot read\n"
    "  --help            print this\n"
    "\n"
    "Exit status: 0, it is so; 1, refused or not in time; 2, wrong use.\n";

static const char ready_usage[] =
    "usage: steelyard ready BACKEND [--wait[=SECONDS]] [--url URL]\n"
    "                       [--token TOKEN]\n"
    "\n"
    "Let a backend serve again that was drained, in a steelyard that runs.\n"
    "BACKEND is its URL, with or without http://, or its id.\n"
    "\n"
    "  --wait[=SECONDS]  first wait until it is well: until a new probe of it\n"
    "                    was good; and end when it serves. With a time, which\n"
    "                    may be such as 5m, give up after that\n"
    "  --url URL         the admin listener: http://HOST:PORT or unix:/PATH;\n"
    "                    the variable LOAD_BALANCER_URL or STEELYARD_ADMIN,\n"
    "                    or else http://127.0.0.1:8090\n"
    "  --token TOKEN     what it takes; the variable STEELYARD_ADMIN_TOKEN,\n"
    "                    which others on the machine cannot read\n"
    "  --help            print this\n"
    "\n"
    "Exit status: 0, it is so; 1, refused or not in time; 2, wrong use.\n";

/** A backend of the other steelyard. */
struct task {
    struct command command;
    char path[64];      /**< of the backend in the API */
    char url[256];      /**< as it is configured */
    json_t *backend;    /**< owned: what was told of it last */
    json_int_t passed;  /**< good probes when we began */
    int64_t give_up_ms; /**< when there is no time left; 0: never */
};

/* --- what is told of it ------------------------------------------------------- */

static const char *word_of(const struct task *task, const char *name)
{
    const char *word = json_string_value(json_object_get(task->backend, name));

    return word == NULL ? "" : word;
}

static long in_flight(const struct task *task)
{
    return (long)json_integer_value(
        json_object_get(task->backend, "in_flight"));
}

static json_int_t probes_passed(const struct task *task)
{
    return json_integer_value(
        json_object_get(json_object_get(task->backend, "probes"), "passed"));
}

/** Is it well, by what was seen since we began? One that nobody probes is as
 * well as it can be. */
static bool is_well(const struct task *task)
{
    const char *last = json_string_value(
        json_object_get(json_object_get(task->backend, "probes"), "last"));

    if (last == NULL || strcmp(word_of(task, "health"), "up") != 0)
        return false;
    return strcmp(last, "none") == 0 ||
           (strcmp(last, "good") == 0 && probes_passed(task) > task->passed);
}

static bool is_up(const struct task *task)
{
    return strcmp(word_of(task, "state"), "up") == 0;
}

static bool is_idle(const struct task *task)
{
    return in_flight(task) == 0;
}

/* --- asking ------------------------------------------------------------------- */

/** Ask for a backend, or to change it. @return the exit status, or to go on */
static int task_ask(struct task *task, const char *method, const char *body)
{
    char *text = NULL;
    long status =
        remote_ask(&task->command.remote, method, task->path, body, &text);

    json_decref(task->backend);
    task->backend = json_loads(text == NULL ? "" : text, 0, NULL);
    free(text);
    if (status == 404)
        return command_say(&task->command, "%s is not there any more",
                           task->url);
    if (status != 200)
        return command_say_refusal(&task->command, status);
    return COMMAND_GOES_ON;
}

/** Does a person mean this one? */
static bool is_meant(const struct task *task, const char *id, const char *url)
{
    const char *word = task->command.word;
    size_t length = strlen(word);
    const char *rest = strstr(url, "://");

    while (length > 0 && word[length - 1] == '/')
        length--;
    if (strcmp(word, id) == 0 ||
        (strncmp(word, url, length) == 0 && url[length] == '\0'))
        return true;
    return rest != NULL && strncmp(word, rest + 3, length) == 0 &&
           rest[3 + length] == '\0';
}

static int say_unknown(const struct task *task, const json_t *all)
{
    char names[1024] = "";
    json_t *one;
    size_t i;

    json_array_foreach(all, i, one)
    {
        size_t length = strlen(names);

        snprintf(names + length, sizeof(names) - length, "%s%s",
                 i == 0 ? "" : ", ",
                 json_string_value(json_object_get(one, "url")));
    }
    return command_say(&task->command, "no backend is called %s; there are: %s",
                       task->command.word, names);
}

/** Find the backend that is meant. */
static int pick_one(struct task *task, const json_t *all)
{
    json_t *one;
    size_t i;

    json_array_foreach(all, i, one)
    {
        const char *id = json_string_value(json_object_get(one, "id"));
        const char *url = json_string_value(json_object_get(one, "url"));

        if (id == NULL || url == NULL || !is_meant(task, id, url))
            continue;
        snprintf(task->path, sizeof(task->path), "/api/v1/backends/%s", id);
        snprintf(task->url, sizeof(task->url), "%s", url);
        task->backend = json_incref(one);
        task->passed = probes_passed(task);
        return COMMAND_GOES_ON;
    }
    return say_unknown(task, all);
}

static int find_backend(struct task *task)
{
    char *text = NULL;
    long code = remote_ask(&task->command.remote, "GET", "/api/v1/backends",
                           NULL, &text);
    json_t *answer = json_loads(text == NULL ? "" : text, 0, NULL);
    const json_t *all = json_object_get(answer, "backends");
    int status;

    free(text);
    if (code != 200)
        status = command_say_refusal(&task->command, code);
    else if (!json_is_array(all))
        status = command_say(&task->command,
                             "%s does not tell of backends: is that the admin "
                             "listener of a steelyard?",
                             task->command.remote.url);
    else
        status = pick_one(task, all);
    json_decref(answer);
    return status;
}

/* --- waiting ------------------------------------------------------------------ */

static void pause_ms(long ms)
{
    struct timespec left = {.tv_sec = ms / 1000,
                            .tv_nsec = ms % 1000 * 1000000};

    while (nanosleep(&left, &left) == -1 && errno == EINTR)
        continue;
}

/** Look until this holds. @return COMMAND_DONE: it does; COMMAND_GOES_ON: there
 * was no time left */
static int wait_until(struct task *task, bool (*holds)(const struct task *task))
{
    for (;;) {
        int status = task_ask(task, "GET", NULL);

        if (status != COMMAND_GOES_ON)
            return status;
        if (holds(task))
            return COMMAND_DONE;
        if (task->give_up_ms != 0 && clock_ms() >= task->give_up_ms)
            return COMMAND_GOES_ON;
        pause_ms(LOOK_MS);
    }
}

/* --- the two commands ---------------------------------------------------------- */

static const char *requests(long count)
{
    return count == 1 ? "request" : "requests";
}

static int drain(struct task *task)
{
    int status = task_ask(task, "PATCH", "{\"ready\": false}");

    if (status != COMMAND_GOES_ON)
        return status;
    if (task->command.waits) {
        pause_ms(LOOK_MS);
        status = wait_until(task, is_idle);
        if (status == COMMAND_GOES_ON)
            return command_say(&task->command,
                               "%s still has %ld %s in flight after %g s; it "
                               "goes on draining",
                               task->url, in_flight(task),
                               requests(in_flight(task)),
                               (double)task->command.wait_ms / 1000);
        if (status != COMMAND_DONE)
            return status;
    }
    printf("%s is draining: %ld %s in flight\n", task->url, in_flight(task),
           requests(in_flight(task)));
    return COMMAND_DONE;
}

/** Wait until it is well, if that is wanted. */
static int wait_well(struct task *task)
{
    int status = task->command.waits ? wait_until(task, is_well) : COMMAND_DONE;

    if (status != COMMAND_GOES_ON)
        return status;
    return command_say(&task->command,
                       "%s is not well after %g s (%s): it stays as it was, %s",
                       task->url, (double)task->command.wait_ms / 1000,
                       word_of(task, "health_why"), word_of(task, "state"));
}

static int make_ready(struct task *task)
{
    int status = wait_well(task);

    if (status != COMMAND_DONE)
        return status;
    status = task_ask(task, "PATCH", "{\"ready\": true}");
    if (status == COMMAND_GOES_ON && task->command.waits) {
        status = wait_until(task, is_up);
        if (status == COMMAND_GOES_ON)
            return command_say(&task->command,
                               "%s is ready, but %s after all: "
                               "%s",
                               task->url, word_of(task, "state"),
                               word_of(task, "why"));
    }
    if (status != COMMAND_GOES_ON && status != COMMAND_DONE)
        return status;
    printf("%s is ready: %s, %s\n", task->url, word_of(task, "state"),
           word_of(task, "why"));
    return COMMAND_DONE;
}

/** What both have in common. */
static int run(const struct command *command, int argc, char **argv,
               int (*todo)(struct task *task))
{
    struct task task = {.command = *command};
    int status = command_begin(&task.command, argc, argv);

    if (status != COMMAND_GOES_ON)
        return status;
    if (task.command.wait_ms > 0)
        task.give_up_ms = clock_ms() + task.command.wait_ms;
    status = find_backend(&task);
    if (status == COMMAND_GOES_ON)
        status = todo(&task);
    json_decref(task.backend);
    return command_end(status);
}

int drain_main(int argc, char **argv)
{
    static const struct command command = {.name = "drain",
                                           .usage = drain_usage,
                                           .takes_word = true,
                                           .takes_wait = true};

    return run(&command, argc, argv, drain);
}

int ready_main(int argc, char **argv)
{
    static const struct command command = {.name = "ready",
                                           .usage = ready_usage,
                                           .takes_word = true,
                                           .takes_wait = true};

    return run(&command, argc, argv, make_ready);
}

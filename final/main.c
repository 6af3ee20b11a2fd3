/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A table of contents: what steelyard is made of, in the order in which it
 * begins, and ends the other way round.
 */
#include "base/fault.h"
#include "base/log.h"
#include "control/drain.h"
#include "control/healthcheck.h"
#include "control/options.h"
#include "control/predecessor.h"
#include "control/reload.h"
#include "control/serve.h"
#include "control/top.h"
#include "control/upgrade.h"
#include "event/signals.h"
#include "proxy/terms.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

/** Who served before this process, if anybody did. */
static struct predecessor predecessor;

static int refuse(const struct fault *fault)
{
    fprintf(stderr, "steelyard: %s\n", fault->text);
    predecessor_refuse(&predecessor, fault);
    return SERVE_REFUSED;
}

/** Everything between the settings and the end. */
static int run(struct options *options, int argc, char **argv)
{
    const struct settings *settings = &options->settings;
    enum log_level level = LOG_INFO;
    struct control *control;
    struct fault fault;
    int status;

    log_level_find(settings_word(settings, SETTING_log_level), &level);
    if (!log_open(level, settings->access_log, &fault))
        return refuse(&fault);
    log_join();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    control = serve_begin(options, argc, argv, &predecessor, &fault);
    status = control == NULL ? SERVE_REFUSED : serve(control, &fault);
    if (status == SERVE_REFUSED)
        refuse(&fault);
    if (control != NULL)
        serve_end(&control);
    log_close();
    curl_global_cleanup();
    return status;
}

/** What the first word of a command line may be, if it is no flag. */
static const struct subcommand {
    const char *word;
    int (*run)(int argc, char **argv);
} subcommands[] = {
    {"healthcheck", healthcheck},
    {"drain", drain_main},
    {"ready", ready_main},
    {"reload", reload_main},
    {"top", top_main},
    {"upgrade", upgrade_main},
};

/** The one that is asked for; NULL: none. */
static const struct subcommand *subcommand_find(const char *word)
{
    for (size_t i = 0; i < sizeof(subcommands) / sizeof(subcommands[0]); i++)
        if (strcmp(word, subcommands[i].word) == 0)
            return &subcommands[i];
    return NULL;
}

int main(int argc, char **argv)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, 0};
    struct options options;
    struct fault fault;
    int status = SERVE_STOPPED;

    if (argc > 1 && subcommand_find(argv[1]) != NULL)
        return subcommand_find(argv[1])->run(argc - 1, argv + 1);
    predecessor_meet(&predecessor);
    if (!signals_open(signals)) {
        fault_say(&fault, "cannot catch signals: %s", strerror(errno));
        return refuse(&fault);
    }
    if (!options_read(&options, argc, argv, &fault))
        return refuse(&fault);
    if (options.todo == OPTIONS_RUN)
        status = run(&options, argc, argv);
    else if (options.todo == OPTIONS_CHECK &&
             !configuration_check(&options.settings, &fault))
        status = refuse(&fault);
    else
        options_answer(&options, stdout);
    options_fini(&options);
    predecessor_part(&predecessor);
    return status;
}

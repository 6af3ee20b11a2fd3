/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Alive is what is asked for, not ready: a balancer whose backends are all down
 * is not mended by starting it again, which is what is done to a container that
 * is not well.
 */
#include "control/healthcheck.h"

#include "control/remote.h"

#include <curl/curl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

enum { WELL = 0, ILL = 1, REFUSED = 2 };

/** Whom to ask, and for what. */
struct check {
    const char *url; /**< NULL: where it usually is */
    bool ready;      /**< is it ready, too? */
};

static bool read_line(struct check *check, int argc, char **argv)
{
    static const struct option flags[] = {{"url", required_argument, NULL, 'u'},
                                          {"ready", no_argument, NULL, 'r'},
                                          {NULL, 0, NULL, 0}};
    int flag;

    while ((flag = getopt_long_only(argc, argv, "", flags, NULL)) != -1) {
        switch (flag) {
        case 'u': check->url = optarg; break;
        case 'r': check->ready = true; break;
        default: return false;
        }
    }
    return optind == argc;
}

/** Ask, and say what is wrong. */
static int ask(struct remote *remote, const char *path)
{
    long status = remote_ask(remote, "GET", path, NULL, NULL);

    if (status == 200)
        return WELL;
    if (status == 0)
        fprintf(stderr, "steelyard: %s\n", remote->fault.text);
    else
        fprintf(stderr, "steelyard: %s answers %ld\n", remote->url, status);
    return ILL;
}

int healthcheck(int argc, char **argv)
{
    struct check check = {.url = NULL};
    struct remote remote;
    int status;

    if (!read_line(&check, argc, argv)) {
        fputs("usage: steelyard healthcheck [--url http://HOST:PORT] "
              "[--ready]\n",
              stderr);
        return REFUSED;
    }
    if (!remote_init(&remote, check.url, NULL)) {
        fprintf(stderr, "steelyard: %s\n", remote.fault.text);
        return REFUSED;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    remote_find(&remote);
    status = ask(&remote, check.ready ? "/readyz" : "/livez");
    curl_global_cleanup();
    return status;
}

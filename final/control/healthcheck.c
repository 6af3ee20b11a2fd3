/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Alive is what is asked for, not ready: a balancer whose backends are all down
 * is not mended by starting it again, which is what is done to a container that
 * is not well.
 */
#include "control/healthcheck.h"

#include "base/settings.h"

#include <curl/curl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 3000, WELL = 0, ILL = 1, REFUSED = 2 };

/** Whom to ask, and for what. */
struct check {
    char url[512];    /**< without the path */
    const char *path; /**< of a socket in the file system; NULL: none */
    bool ready;       /**< is it ready, too? */
};

/** Where a steelyard with this environment has its admin listener. */
static bool find_here(struct check *check)
{
    const char *text = getenv("STEELYARD_ADMIN");
    struct settings_place place;
    bool any;

    if (text == NULL || *text == '\0')
        text = setting_row(SETTING_admin)->initial;
    if (!settings_place_read(&place, text) || place.kind == SETTINGS_NOWHERE)
        return false;
    any = strcmp(place.address, "0.0.0.0") == 0;
    snprintf(check->url, sizeof(check->url), "http://localhost");
    if (place.kind == SETTINGS_AT_PATH)
        check->path = place.path;
    else if (strchr(place.address, ':') != NULL)
        snprintf(check->url, sizeof(check->url), "http://[%s]:%u",
                 strcmp(place.address, "::") == 0 ? "::1" : place.address,
                 place.port);
    else
        snprintf(check->url, sizeof(check->url), "http://%s:%u",
                 any ? "127.0.0.1" : place.address, place.port);
    return true;
}

static bool read_line(struct check *check, int argc, char **argv)
{
    static const struct option flags[] = {{"url", required_argument, NULL, 'u'},
                                          {"ready", no_argument, NULL, 'r'},
                                          {NULL, 0, NULL, 0}};
    const char *url = getenv("LOAD_BALANCER_URL");
    int flag;

    while ((flag = getopt_long_only(argc, argv, "", flags, NULL)) != -1) {
        switch (flag) {
        case 'u': url = optarg; break;
        case 'r': check->ready = true; break;
        default: return false;
        }
    }
    if (optind < argc)
        return false;
    if (url == NULL || *url == '\0')
        return find_here(check);
    snprintf(check->url, sizeof(check->url), "%.*s",
             (int)(strlen(url) - (url[strlen(url) - 1] == '/')), url);
    return true;
}

/** The answer is not for anybody. */
static size_t ignore(char *bytes, size_t size, /* NOLINT: as libcurl has it */
                     size_t count, void *arg)
{
    (void)bytes;
    (void)arg;
    return size * count;
}

/** Ask. @return the status; 0, with @p why, when there was no answer */
static long ask(const struct check *check, char why[CURL_ERROR_SIZE])
{
    CURL *curl = curl_easy_init();
    char url[600];
    long status = 0;

    snprintf(url, sizeof(url), "%s%s", check->url,
             check->ready ? "/readyz" : "/livez");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)WAIT_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
    if (check->path != NULL)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, check->path);
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    return status;
}

int healthcheck(int argc, char **argv)
{
    struct check check = {.path = NULL};
    char why[CURL_ERROR_SIZE] = "";
    long status;

    if (!read_line(&check, argc, argv)) {
        fputs("usage: steelyard healthcheck [--url http://HOST:PORT] "
              "[--ready]\n",
              stderr);
        return REFUSED;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    status = ask(&check, why);
    curl_global_cleanup();
    if (status == 200)
        return WELL;
    if (status == 0)
        fprintf(stderr, "steelyard: no answer from %s: %s\n", check.url, why);
    else
        fprintf(stderr, "steelyard: %s answers %ld\n", check.url, status);
    return ILL;
}

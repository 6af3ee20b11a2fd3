/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A second thread, which does nothing but this:
 *
 *     wait for the interval -> probe all backends at once -> judge each
 *           ^                                                   |
 *           +---------------------------------------------------+
 *
 * libcurl does the probing. Its multi interface runs all probes of a round
 * side by side, so that a backend that does not answer holds up nobody else.
 */
#include "health.h"

#include "pool.h"

#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/** One question to one backend. */
struct probe {
    struct backend *backend;     /**< borrowed from the pool: who is asked */
    CURL *curl;                  /**< owned: from its start to its judgement */
    char error[CURL_ERROR_SIZE]; /**< libcurl's words when it fails */
};

struct health {
    struct pool *pool; /**< borrowed */
    struct health_settings settings;
    int stop; /**< borrowed: readable when it is time to stop */
    pthread_t thread;
    CURLM *round;                      /**< owned: the probes under way */
    struct probe probes[BACKENDS_MAX]; /**< one for each backend */
};

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl wants this type */
static size_t forget(char *bytes, size_t size, size_t count, void *nobody)
{
    (void)bytes;
    (void)nobody;
    return size * count;
}

static void probe_begin(struct health *health, struct probe *probe)
{
    const struct health_settings *settings = &health->settings;
    char url[4096];

    snprintf(url, sizeof(url), "%s%s", probe->backend->address.url,
             settings->path == NULL ? "/" : settings->path);
    probe->curl = curl_easy_init();
    probe->error[0] = '\0';
    curl_easy_setopt(probe->curl, CURLOPT_URL, url);
    curl_easy_setopt(probe->curl, CURLOPT_CONNECT_ONLY,
                     settings->path == NULL ? 1L : 0L);
    curl_easy_setopt(probe->curl, CURLOPT_FAILONERROR, 1L); /* 400 and above */
    /* A connection that is kept proves nothing about a new one. */
    curl_easy_setopt(probe->curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(probe->curl, CURLOPT_TIMEOUT_MS,
                     (long)settings->timeout_ms);
    curl_easy_setopt(probe->curl, CURLOPT_NOSIGNAL, 1L); /* we are a thread */
    curl_easy_setopt(probe->curl, CURLOPT_PROXY, ""); /* ask it, nobody else */
    curl_easy_setopt(probe->curl, CURLOPT_WRITEFUNCTION, forget);
    curl_easy_setopt(probe->curl, CURLOPT_ERRORBUFFER, probe->error);
    /* libcurl gives this pointer back with the result: so we find our probe. */
    curl_easy_setopt(probe->curl, CURLOPT_PRIVATE, (char *)probe);
    curl_multi_add_handle(health->round, probe->curl);
}

static void probe_end(struct health *health, struct probe *probe)
{
    curl_multi_remove_handle(health->round, probe->curl);
    curl_easy_cleanup(probe->curl);
    probe->curl = NULL;
}

/** Count a probe, and change our mind when there were enough in a row. */
static void judge(struct backend *backend, bool passed, const char *why,
                  unsigned rise, unsigned fall)
{
    pthread_mutex_lock(&backend->verdict);

    bool was_up = atomic_load(&backend->up);

    backend->passed = passed ? backend->passed + 1 : 0;
    backend->failed = passed ? 0 : backend->failed + 1;
    if (!was_up && backend->passed >= rise) {
        atomic_store(&backend->up, true);
        fprintf(stderr, "%s [up]\n", backend->address.url);
    }
    if (was_up && backend->failed >= fall) {
        atomic_store(&backend->up, false);
        fprintf(stderr, "%s [down] (%s)\n", backend->address.url, why);
    }
    pthread_mutex_unlock(&backend->verdict);
}

/* `failed` stays: it matters only while the backend is up, and the next good
 * probe clears it. */
void health_blame(struct backend *backend, const char *why)
{
    pthread_mutex_lock(&backend->verdict);
    backend->passed = 0;
    if (atomic_exchange(&backend->up, false))
        fprintf(stderr, "%s [down] (%s)\n", backend->address.url, why);
    pthread_mutex_unlock(&backend->verdict);
}

/** Judge the probes that have come to an end. */
static void judge_ended(struct health *health, unsigned rise, unsigned fall)
{
    CURLMsg *message;
    int more;

    while ((message = curl_multi_info_read(health->round, &more)) != NULL) {
        CURLcode result = message->data.result;
        char *private;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);

        struct probe *probe = (struct probe *)private;
        const char *why =
            probe->error[0] != '\0' ? probe->error : curl_easy_strerror(result);

        judge(probe->backend, result == CURLE_OK, why, rise, fall);
        probe_end(health, probe);
    }
}

/** Probe all backends at once; leave early when it is time to stop. */
static void probe_all(struct health *health, unsigned rise, unsigned fall)
{
    struct curl_waitfd stop = {.fd = health->stop, .events = CURL_WAIT_POLLIN};
    int running = 1;

    for (size_t i = 0; i < health->pool->count; i++)
        probe_begin(health, &health->probes[i]);
    while (running > 0 && stop.revents == 0) {
        curl_multi_perform(health->round, &running);
        judge_ended(health, rise, fall);
        if (running > 0)
            curl_multi_poll(health->round, &stop, 1, 1000, NULL);
    }
    for (size_t i = 0; i < health->pool->count; i++)
        if (health->probes[i].curl != NULL)
            probe_end(health, &health->probes[i]);
}

/** What the thread does. */
static void *health_run(void *arg)
{
    struct health *health = arg;
    struct pollfd stop = {.fd = health->stop, .events = POLLIN};

    /* 0: the interval is over. -1: a signal came; to probe early does no harm. */
    while (poll(&stop, 1, (int)health->settings.interval_ms) != 1)
        probe_all(health, health->settings.rise, health->settings.fall);
    return NULL;
}

struct health *health_start(struct pool *pool,
                            const struct health_settings *settings, int stop)
{
    struct health *health = calloc(1, sizeof(*health));

    if (health == NULL)
        return NULL;
    health->pool = pool;
    health->settings = *settings;
    health->stop = stop;
    for (size_t i = 0; i < pool->count; i++)
        health->probes[i].backend = &pool->backends[i];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    health->round = curl_multi_init();
    probe_all(health, 1, 1); /* nothing is known yet: believe one probe */

    errno = pthread_create(&health->thread, NULL, health_run, health);
    if (errno == 0)
        return health;
    curl_multi_cleanup(health->round);
    free(health);
    return NULL;
}

void health_stop(struct health **health)
{
    pthread_join((*health)->thread, NULL);
    curl_multi_cleanup((*health)->round);
    curl_global_cleanup();
    free(*health);
    *health = NULL;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * libcurl tells us which sockets it waits for, and for how long (its
 * "multi_socket" interface); our loop waits, and tells libcurl what happened.
 * Its sockets come and go as it likes, so each gets a copy of the descriptor
 * that is ours to close: what is watched is then never closed behind our back.
 */
#include "control/probe.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "base/random.h"
#include "base/settings.h"
#include "event/loop.h"
#include "net/socket.h"
#include "net/tls.h"
#include "upstream/health.h"
#include "upstream/pool.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BODY_MAX = 65536 };

/** What we ask one backend. */
struct probe {
    struct prober *prober;     /**< borrowed */
    struct backend *backend;   /**< borrowed */
    CURL *curl;                /**< owned; NULL between two probes */
    struct curl_slist *fields; /**< owned: field lines of ours */
    struct timer next;         /**< when the next one begins */
    bool is_short;             /**< we had no descriptor or no memory for it */
    char error[CURL_ERROR_SIZE];
    char *body; /**< owned: what has come, if a text is wanted */
    size_t length;
};

struct prober {
    struct loop *loop;             /**< borrowed */
    struct pool *pool;             /**< borrowed */
    const struct tls_context *tls; /**< borrowed: whom to believe */
    CURLM *multi;                  /**< owned */
    struct timer late;             /**< when libcurl wants to be called */
    struct random random;
    struct probe *probes; /**< owned: one for each backend */
    bool is_short;        /**< the last probe could not be made: told once */
    bool asks;            /**< prober_ask_all() is under way */
    size_t asked;         /**< how many have not answered yet */
};

/** A socket of libcurl's that our loop watches. */
struct socket_watch {
    struct watch watch; /**< its descriptor, owned: a copy */
    curl_socket_t socket;
    struct prober *prober;
    int wants; /**< CURL_POLL_IN and the like */
};

static void collect(struct prober *prober);

static void on_socket(void *arg)
{
    struct socket_watch *at = arg;
    struct prober *prober = at->prober;
    unsigned ready = at->watch.ready;
    int mask = 0, running;

    if (ready & READY_READ)
        mask |= CURL_CSELECT_IN;
    if (ready & READY_WRITE)
        mask |= CURL_CSELECT_OUT;
    /* libcurl reads until nothing is left, so we shall be told again. */
    watch_wait(&at->watch, READY_READ | READY_WRITE);
    curl_multi_socket_action(prober->multi, at->socket, mask, &running);
    collect(prober);
}

/** The probe that this is the question of. */
static struct probe *probe_of(CURL *curl)
{
    char *private = NULL;

    curl_easy_getinfo(curl, CURLINFO_PRIVATE, &private);
    return (struct probe *)(void *)private;
}

/**
 * libcurl wants a socket. It would take any failure for one to connect, and so
 * for a fault of the backend.
 */
static curl_socket_t socket_wished(void *user, curlsocktype purpose,
                                   struct curl_sockaddr *to)
{
    struct probe *probe = user;
    int fd = socket_open(to->family, &probe->is_short);

    (void)purpose;
    return fd == -1 ? CURL_SOCKET_BAD : fd;
}

/** libcurl wants a socket watched, or no longer. */
static int socket_wanted(CURL *curl, curl_socket_t socket, int wants,
                         void *user, void *known)
{
    struct prober *prober = user;
    struct socket_watch *at = known;

    if (wants == CURL_POLL_REMOVE) {
        if (at != NULL) {
            loop_forget(prober->loop, &at->watch);
            close(at->watch.fd);
            free(at);
        }
        return 0;
    }
    if (at != NULL) {
        at->wants = wants;
        return 0;
    }
    at = xnew(1, sizeof(*at));
    at->prober = prober;
    at->socket = socket;
    at->wants = wants;
    at->watch.fd = fcntl(socket, F_DUPFD_CLOEXEC, 0);
    at->watch.on_event = on_socket;
    at->watch.arg = at;
    curl_multi_assign(prober->multi, socket, at);
    if (at->watch.fd == -1 || !loop_watch(prober->loop, &at->watch))
        probe_of(curl)->is_short = true; /* it will be too late */
    return 0;
}

static void on_late(void *arg)
{
    struct prober *prober = arg;
    int running;

    curl_multi_socket_action(prober->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(prober);
}

/** libcurl wants to be called after some time; -1: not. */
static int time_wanted(CURLM *multi, long ms, void *user)
{
    struct prober *prober = user;

    (void)multi;
    if (ms < 0)
        timer_clear(&prober->late);
    else
        timer_set_in(loop_timers(prober->loop), &prober->late, ms, clock_ms());
    return 0;
}

static const struct settings *settings_of(const struct probe *probe)
{
    return probe->prober->pool->settings;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *user)
{
    struct probe *probe = user;
    size_t length = size * count;

    if (probe->body != NULL && probe->length + length < BODY_MAX) {
        memcpy(probe->body + probe->length, bytes, length);
        probe->length += length;
        probe->body[probe->length] = '\0';
    }
    return length;
}

/** What a probe by HTTP asks, beyond connecting. */
static void ask_http(struct probe *probe, const struct settings *settings)
{
    char line[300];

    curl_easy_setopt(probe->curl, CURLOPT_CUSTOMREQUEST,
                     settings->health_method);
    if (strcmp(settings->health_method, "HEAD") == 0)
        curl_easy_setopt(probe->curl, CURLOPT_NOBODY, 1L);
    if (*settings->health_host != '\0') {
        snprintf(line, sizeof(line), "Host: %s", settings->health_host);
        probe->fields = curl_slist_append(NULL, line);
        curl_easy_setopt(probe->curl, CURLOPT_HTTPHEADER, probe->fields);
    }
    if (*settings->health_text != '\0' && probe->body == NULL)
        probe->body = xnew(BODY_MAX, 1);
    probe->length = 0;
    if (probe->body != NULL)
        probe->body[0] = '\0';
}

/** A probe believes whom requests believe: those that were read, and not those
 * that may stand in the file by now. */
static void ask_tls(struct probe *probe, const struct settings *settings)
{
    const char *ca = tls_context_authorities(probe->prober->tls);
    struct curl_blob blob = {(void *)ca, 0, CURL_BLOB_NOCOPY};

    if (ca != NULL) {
        blob.len = strlen(ca);
        curl_easy_setopt(probe->curl, CURLOPT_CAINFO_BLOB, &blob);
        curl_easy_setopt(probe->curl, CURLOPT_CAPATH, NULL);
    }
    if (settings->backend_verify)
        return;
    curl_easy_setopt(probe->curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(probe->curl, CURLOPT_SSL_VERIFYHOST, 0L);
}

static void probe_begin(void *arg)
{
    struct probe *probe = arg;
    const struct settings *settings = settings_of(probe);
    bool by_http = *settings->health_path != '\0';
    char url[1024];

    log_debug("probe of %s begins", probe->backend->url);
    probe->curl = curl_easy_init();
    must(probe->curl != NULL);
    snprintf(url, sizeof(url), "%s%s", probe->backend->url,
             settings->health_path);
    probe->error[0] = '\0';
    probe->is_short = false;
    curl_easy_setopt(probe->curl, CURLOPT_URL, url);
    curl_easy_setopt(probe->curl, CURLOPT_OPENSOCKETFUNCTION, socket_wished);
    curl_easy_setopt(probe->curl, CURLOPT_OPENSOCKETDATA, probe);
    curl_easy_setopt(probe->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(probe->curl, CURLOPT_CONNECT_ONLY, by_http ? 0L : 1L);
    curl_easy_setopt(probe->curl, CURLOPT_TIMEOUT_MS,
                     (long)settings->health_timeout_ms);
    curl_easy_setopt(probe->curl, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(probe->curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(probe->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(probe->curl, CURLOPT_PROXY, ""); /* ask it, nobody else */
    curl_easy_setopt(probe->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(probe->curl, CURLOPT_WRITEDATA, probe);
    curl_easy_setopt(probe->curl, CURLOPT_ERRORBUFFER, probe->error);
    /* libcurl gives this back with the result: so we find our probe. */
    curl_easy_setopt(probe->curl, CURLOPT_PRIVATE, (char *)probe);
    /* It says that the probe comes from us (proxy-protocol.txt, 2.1). */
    if (atomic_load(&probe->backend->send_proxy) != SETTINGS_SEND_PROXY_OFF)
        curl_easy_setopt(probe->curl, CURLOPT_HAPROXYPROTOCOL, 1L);
    if (probe->backend->is_https)
        ask_tls(probe, settings);
    if (by_http)
        ask_http(probe, settings);
    curl_multi_add_handle(probe->prober->multi, probe->curl);
}

/** Was the response what it should be? If not, why not. */
static bool is_good(const struct probe *probe, CURLcode result, char *why,
                    size_t room)
{
    const struct settings *settings = settings_of(probe);
    long status = 0;

    if (result != CURLE_OK) {
        snprintf(why, room, "probe: %s",
                 probe->error[0] != '\0' ? probe->error
                                         : curl_easy_strerror(result));
        return false;
    }
    if (*settings->health_path == '\0')
        return true;
    curl_easy_getinfo(probe->curl, CURLINFO_RESPONSE_CODE, &status);
    if (!settings_has_status(settings->health_status, (unsigned)status)) {
        snprintf(why, room, "probe: %s %s gave status %ld, not %s",
                 settings->health_method, settings->health_path, status,
                 settings->health_status);
        return false;
    }
    if (*settings->health_text != '\0' &&
        strstr(probe->body, settings->health_text) == NULL) {
        snprintf(why, room, "probe: \"%s\" is not in the response",
                 settings->health_text);
        return false;
    }
    return true;
}

/** How long to wait between two probes of this backend. */
static int64_t interval_of(struct probe *probe)
{
    const struct settings *settings = settings_of(probe);
    struct prober *prober = probe->prober;
    int64_t interval = settings->health_interval_ms;

    if (!atomic_load(&probe->backend->up) &&
        settings->health_interval_down_ms > 0)
        interval = settings->health_interval_down_ms;
    return random_jitter(&prober->random, interval, settings->health_jitter);
}

/** Ask this backend again, after that time. */
static void plan(struct probe *probe, int64_t in_ms)
{
    int64_t now_ms = clock_ms();

    probe->backend->probe_due_ms = now_ms + in_ms;
    timer_set_in(loop_timers(probe->prober->loop), &probe->next, in_ms, now_ms);
}

/** Go on where another prober was stopped: were each of them to begin with a
 * whole interval, frequent reloads would leave no time for probes. */
static void plan_on(struct probe *probe)
{
    int64_t due_ms = probe->backend->probe_due_ms;
    int64_t left_ms = due_ms - clock_ms();
    int64_t in_ms = interval_of(probe);

    if (due_ms != 0 && left_ms < in_ms)
        in_ms = left_ms > 0 ? left_ms : 0;
    plan(probe, in_ms);
}

static void probe_close(struct probe *probe)
{
    curl_multi_remove_handle(probe->prober->multi, probe->curl);
    curl_easy_cleanup(probe->curl);
    curl_slist_free_all(probe->fields);
    probe->curl = NULL;
    probe->fields = NULL;
}

/** A probe that we could not make tells nothing of the backend. */
static void tell_short(struct prober *prober, const struct probe *probe,
                       bool is_short)
{
    if (is_short)
        log_debug("probe of %s: not made", probe->backend->url);
    if (is_short && !prober->is_short)
        log_error("probes cannot be made: out of descriptors or memory; "
                  "backends stay as they are");
    else if (!is_short && prober->is_short)
        log_warn("probes are made again");
    prober->is_short = is_short;
}

static void probe_end(struct probe *probe, CURLcode result)
{
    struct prober *prober = probe->prober;
    char why[CURL_ERROR_SIZE + 64] = "";
    bool good = is_good(probe, result, why, sizeof(why));
    bool is_short = !good && (probe->is_short || result == CURLE_OUT_OF_MEMORY);

    probe_close(probe);
    tell_short(prober, probe, is_short);
    if (!is_short) {
        log_debug("probe of %s: %s", probe->backend->url, good ? "good" : why);
        health_judge(prober->pool, probe->backend, good, why, clock_ms());
    }
    if (!prober->asks)
        plan(probe, interval_of(probe));
    else if (--prober->asked == 0)
        loop_stop(prober->loop);
}

/** See which probes have ended. */
static void collect(struct prober *prober)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(prober->multi, &left)) != NULL) {
        CURLcode result = message->data.result;

        probe_end(probe_of(message->easy_handle), result);
    }
}

struct prober *prober_new(struct loop *loop, struct pool *pool,
                          const struct tls_context *tls)
{
    struct prober *prober = xnew(1, sizeof(*prober));

    prober->loop = loop;
    prober->pool = pool;
    prober->tls = tls;
    prober->random.state = random_seed();
    prober->late = (struct timer){.on_alarm = on_late, .arg = prober};
    prober->multi = curl_multi_init();
    must(prober->multi != NULL);
    curl_multi_setopt(prober->multi, CURLMOPT_SOCKETFUNCTION, socket_wanted);
    curl_multi_setopt(prober->multi, CURLMOPT_SOCKETDATA, prober);
    curl_multi_setopt(prober->multi, CURLMOPT_TIMERFUNCTION, time_wanted);
    curl_multi_setopt(prober->multi, CURLMOPT_TIMERDATA, prober);
    prober->probes = xnew(pool->count, sizeof(*prober->probes));
    for (size_t i = 0; i < pool->count; i++) {
        struct probe *probe = &prober->probes[i];

        probe->prober = prober;
        probe->backend = pool->backends[i];
        probe->next = (struct timer){.on_alarm = probe_begin, .arg = probe};
    }
    return prober;
}

void prober_ask_all(struct prober *prober)
{
    prober->asks = true;
    prober->asked = prober->pool->count;
    for (size_t i = 0; i < prober->pool->count; i++)
        probe_begin(&prober->probes[i]);
    loop_run(prober->loop);
    prober->asks = false;
}

void prober_start(struct prober *prober)
{
    for (size_t i = 0; i < prober->pool->count; i++) {
        struct probe *probe = &prober->probes[i];

        if (probe->backend->health.probed)
            plan_on(probe);
        else
            probe_begin(probe);
    }
}

void prober_free(struct prober **owned)
{
    struct prober *prober = *owned;

    for (size_t i = 0; i < prober->pool->count; i++) {
        struct probe *probe = &prober->probes[i];

        timer_clear(&probe->next);
        if (probe->curl != NULL)
            probe_close(probe);
        free(probe->body);
    }
    curl_multi_cleanup(prober->multi);
    timer_clear(&prober->late);
    free(prober->probes);
    free(prober);
    *owned = NULL;
}

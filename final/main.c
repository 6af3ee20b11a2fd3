/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A table of contents: what steelyard is made of, in the order in which it
 * begins, and ends the other way round.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "base/random.h"
#include "control/options.h"
#include "control/probe.h"
#include "control/resolver.h"
#include "event/loop.h"
#include "event/signals.h"
#include "net/socket.h"
#include "proxy/crew.h"
#include "proxy/worker.h"
#include "upstream/health.h"

#include <curl/curl.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    EXIT_STOPPED = 0, /* everything ended in its own time */
    EXIT_FORCED = 1,  /* exchanges were cut off at the end */
    EXIT_REFUSED = 2, /* it could not even begin */
    SWEEP_MS = 250,
    STOP_LOOK_MS = 50,
};

/** Descriptors for what is no client: logs, pipes, listeners, probes. */
enum { DESCRIPTORS_KEPT = 64, DESCRIPTORS_PER_WORKER = 8 };

/** The whole balancer, as control sees it. */
struct control {
    const struct settings *settings;
    struct proxy proxy;
    struct pool *pool;
    struct loop *loop;
    struct resolver *resolver;
    struct prober *prober; /* NULL: backends are not probed */
    struct crew *crew;
    struct timer sweep; /* ends ejections */
    struct timer stop;  /* looks whether all is over */
    int64_t stop_by_ms; /* the deadline of a stop; 0: nobody has asked */
    int64_t told_ms;    /* when the count was printed last */
    int status;
};

/** As many as this process may use, and no more. */
static unsigned processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        return (unsigned)CPU_COUNT(&set);
    return 1;
}

static unsigned worker_count(const struct settings *settings)
{
    return settings->workers > 0 ? settings->workers : processors();
}

/** So many clients can be served at once: each may need two descriptors. */
static unsigned sessions_max(const struct settings *settings, unsigned workers)
{
    unsigned files = descriptors_raise();
    unsigned kept = DESCRIPTORS_KEPT + workers * DESCRIPTORS_PER_WORKER;
    unsigned most = files > kept + 2 ? (files - kept) / 2 : 1;

    if (settings->sessions_max > 0 && settings->sessions_max < most)
        return settings->sessions_max;
    return most;
}

static void proxy_init(struct proxy *proxy, const struct settings *settings,
                       struct pool *pool)
{
    proxy->settings = settings;
    proxy->pool = pool;
    proxy->identity = random_seed();
    proxy->sessions_max = sessions_max(settings, worker_count(settings));
    proxy->trusted = xnew(settings->trusted.count + 1, sizeof(*proxy->trusted));
    for (size_t i = 0; i < settings->trusted.count; i++)
        must(address_block_parse(&proxy->trusted[proxy->trusted_count++],
                                 text_of(settings->trusted.at[i])));
}

/* --- stopping -------------------------------------------------------------- */

static void stop_now(struct control *control, int status)
{
    control->status = status;
    loop_stop(control->loop);
}

/** Is it over, or time to end it? */
static void on_stop_look(void *arg)
{
    struct control *control = arg;
    int64_t now_ms = clock_ms();
    unsigned left = atomic_load(&control->proxy.sessions);

    if (left == 0) {
        stop_now(control, EXIT_STOPPED);
        return;
    }
    if (now_ms >= control->stop_by_ms) {
        log_error("the time to stop is over: %u sessions are cut off "
                  "(setting stop-timeout)",
                  left);
        stop_now(control, EXIT_FORCED);
        return;
    }
    if (now_ms - control->told_ms >= 1000) {
        control->told_ms = now_ms;
        log_info("stopping: %u sessions to go", left);
    }
    timer_set_in(loop_timers(control->loop), &control->stop, STOP_LOOK_MS,
                 loop_now(control->loop));
}

static void begin_stop(struct control *control)
{
    log_info("stopping: no new clients, %u sessions to go",
             atomic_load(&control->proxy.sessions));
    control->stop_by_ms = clock_ms() + control->settings->stop_ms;
    control->told_ms = clock_ms();
    crew_drain(control->crew);
    timer_set_in(loop_timers(control->loop), &control->stop, 1,
                 loop_now(control->loop));
}

static void on_signal(void *arg, int number)
{
    struct control *control = arg;

    if (number == SIGUSR1)
        log_reopen();
    else if (number == SIGHUP)
        log_warn("there is no reload yet: restart to read the settings again");
    else if (control->stop_by_ms == 0)
        begin_stop(control);
    else
        stop_now(control, EXIT_FORCED);
}

/* --- running --------------------------------------------------------------- */

static void on_sweep(void *arg)
{
    struct control *control = arg;

    health_sweep(control->pool, clock_ms());
    timer_set_in(loop_timers(control->loop), &control->sweep, SWEEP_MS,
                 loop_now(control->loop));
}

static void on_turn(void *arg)
{
    (void)arg;
    log_flush();
}

static void say_where(const struct control *control)
{
    union address address;
    char text[ADDRESS_PRINT_MAX];

    crew_address(control->crew, &address);
    address_print(&address, text);
    printf("listening on http://%s%s%s:%u\n",
           address.any.sa_family == AF_INET6 ? "[" : "", text,
           address.any.sa_family == AF_INET6 ? "]" : "",
           address_port(&address));
    fflush(stdout);
}

static void say_limits(const struct control *control)
{
    log_info("%zu backends, %u workers, at most %u clients at once, "
             "%zu bytes of buffers for each of them at most",
             control->pool->count, worker_count(control->settings),
             control->proxy.sessions_max, 4 * sizeof(struct block));
    for (size_t i = 0; i < control->pool->count; i++)
        log_info("backend %s, weight %u%s", control->pool->backends[i].url,
                 control->pool->backends[i].weight,
                 control->pool->backends[i].is_backup ? ", backup" : "");
}

/** Ask all backends once, listen, and serve until it is time to stop. */
static bool serve(struct control *control, struct fault *fault)
{
    if (control->settings->health) {
        control->prober = prober_new(control->loop, control->pool);
        prober_ask_all(control->prober);
    }
    control->crew =
        crew_open(&control->proxy, worker_count(control->settings), fault);
    if (control->crew == NULL)
        return false;
    say_where(control);
    if (!crew_start(control->crew, fault))
        return false;
    say_limits(control);
    signals_watch(control->loop, on_signal, control);
    if (control->prober != NULL)
        prober_start(control->prober);
    on_sweep(control);
    loop_run(control->loop);
    return true;
}

static void finish(struct control *control)
{
    if (control->crew != NULL)
        crew_end(&control->crew);
    if (control->prober != NULL)
        prober_free(&control->prober);
    resolver_free(&control->resolver);
    signals_close(control->loop);
    loop_free(&control->loop);
    pool_free(&control->pool);
    free(control->proxy.trusted);
}

static int refuse(const struct fault *fault)
{
    fprintf(stderr, "steelyard: %s\n", fault->text);
    return EXIT_REFUSED;
}

/** Everything between the settings and the end. */
static int run(const struct settings *settings)
{
    struct control control = {.settings = settings};
    struct fault fault;
    enum log_level level = LOG_INFO;

    log_level_find(settings_word(settings, SETTING_log_level), &level);
    if (!log_open(level, settings->access_log, &fault))
        return refuse(&fault);
    log_join();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    control.loop =
        loop_new(poller_find(settings_word(settings, SETTING_poller)));
    must(control.loop != NULL);
    loop_on_turn(control.loop, on_turn, NULL);
    control.sweep = (struct timer){.on_alarm = on_sweep, .arg = &control};
    control.stop = (struct timer){.on_alarm = on_stop_look, .arg = &control};
    control.pool = pool_new(settings);
    control.resolver = resolver_new(control.pool);
    proxy_init(&control.proxy, settings, control.pool);
    if (!serve(&control, &fault))
        control.status = refuse(&fault);
    finish(&control);
    log_close();
    curl_global_cleanup();
    return control.status;
}

int main(int argc, char **argv)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, 0};
    struct options options;
    struct fault fault;
    int status = EXIT_STOPPED;

    if (!signals_open(signals)) {
        fault_say(&fault, "cannot catch signals: %s", strerror(errno));
        return refuse(&fault);
    }
    if (!options_read(&options, argc, argv, &fault))
        return refuse(&fault);
    if (options.todo == OPTIONS_RUN)
        status = run(&options.settings);
    else
        options_answer(&options, stdout);
    options_fini(&options);
    return status;
}

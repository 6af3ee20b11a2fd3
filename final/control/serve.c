/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * From the settings to the end: ask the backends, listen, serve, stop.
 */
#include "control/serve.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "base/random.h"
#include "control/admin.h"
#include "control/control.h"
#include "control/events.h"
#include "control/probe.h"
#include "control/resolver.h"
#include "event/loop.h"
#include "event/signals.h"
#include "proxy/crew.h"
#include "upstream/health.h"
#include "upstream/roster.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEP_MS = 250, STOP_LOOK_MS = 50 };

/** As many as this process may use, and no more. */
static unsigned processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        return (unsigned)CPU_COUNT(&set);
    return 1;
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
        stop_now(control, SERVE_STOPPED);
        return;
    }
    if (now_ms >= control->stop_by_ms) {
        log_error("the time to stop is over: %u sessions are cut off "
                  "(setting stop-timeout)",
                  left);
        stop_now(control, SERVE_FORCED);
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
    events_note(control->overview.events, LOG_INFO,
                "stopping: no new clients, %u sessions to go",
                atomic_load(&control->proxy.sessions));
    control->stop_by_ms = clock_ms() + control_settings(control)->stop_ms;
    control->told_ms = clock_ms();
    notify_stopping(&control->notify);
    crew_drain(control->crew);
    timer_set_in(loop_timers(control->loop), &control->stop, 1,
                 loop_now(control->loop));
}

/** What a person reads of it in the list of services. */
static void say_ready(const struct control *control)
{
    const struct pool *pool = control_pool(control);

    notify_ready(&control->notify, "serving over %zu backend%s", pool->count,
                 pool->count == 1 ? "" : "s");
}

static void reload(struct control *control)
{
    notify_reloading(&control->notify);
    control_reload_and_tell(control);
    say_ready(control);
}

static void on_signal(void *arg, int number)
{
    struct control *control = arg;

    if (number == SIGUSR1)
        log_reopen();
    else if (number == SIGHUP)
        reload(control);
    else if (control->stop_by_ms == 0)
        begin_stop(control);
    else
        stop_now(control, SERVE_FORCED);
}

/* --- running --------------------------------------------------------------- */

static void on_sweep(void *arg)
{
    struct control *control = arg;

    health_sweep(control_pool(control), clock_ms());
    complaints_sum_up(&control->proxy.complaints, control_pool(control),
                      clock_ms());
    control_sweep(control);
    control_look_at_certificates(control);
    timer_set_in(loop_timers(control->loop), &control->sweep, SWEEP_MS,
                 loop_now(control->loop));
}

static void on_turn(void *arg)
{
    (void)arg;
    log_flush();
}

static void find_where(struct control *control)
{
    union address address;
    char text[ADDRESS_PRINT_MAX];
    bool is_v6;

    crew_address(control->crew, &address);
    address_print(&address, text);
    is_v6 = address.any.sa_family == AF_INET6;
    snprintf(control->overview.listening, sizeof(control->overview.listening),
             "http://%s%s%s:%u", is_v6 ? "[" : "", text, is_v6 ? "]" : "",
             address_port(&address));
}

/** The same for clients that come by TLS, if any do. */
static void say_where_secure(const struct control *control)
{
    union address address;
    char text[ADDRESS_PRINT_MAX];
    bool is_v6;

    if (!crew_address_secure(control->crew, &address))
        return;
    address_print(&address, text);
    is_v6 = address.any.sa_family == AF_INET6;
    printf("listening on https://%s%s%s:%u\n", is_v6 ? "[" : "", text,
           is_v6 ? "]" : "", address_port(&address));
}

/** The first line is for scripts: it comes when clients are welcome. */
static void say_where(const struct control *control)
{
    printf("listening on %s\n", control->overview.listening);
    say_where_secure(control);
    if (control->admin != NULL) {
        fputs("admin on ", stdout);
        admin_print_where(control->admin, stdout);
        fputs("\n", stdout);
    }
    fflush(stdout);
}

/**
 * Open the admin listener. Where nobody has said where, the place may be taken
 * (by another steelyard, say), and that is no reason not to serve.
 */
static bool open_admin(struct control *control, struct fault *fault)
{
    const struct config_origins *origins = &control->plan->options.origins;

    if (strcmp(control_settings(control)->admin, "off") == 0)
        return true;
    control->admin = admin_open(control->loop, &control->overview, fault);
    if (control->admin != NULL)
        return true;
    if (origins->of[SETTING_admin].from != CONFIG_FROM_DEFAULT)
        return false;
    log_warn("%s: there is none in this run", fault->text);
    return true;
}

static void say_limits(const struct control *control)
{
    const struct pool *pool = control_pool(control);

    log_info("%zu backends, %u workers, at most %u clients at once, "
             "%zu bytes of buffers for each of them at most",
             pool->count, control->workers,
             atomic_load(&control->proxy.sessions_max),
             4 * sizeof(struct block));
    for (size_t i = 0; i < pool->count; i++) {
        const struct backend *backend = pool->backends[i];

        log_info("backend %s, weight %u%s", backend->url,
                 atomic_load(&backend->weight),
                 atomic_load(&backend->is_backup) ? ", backup" : "");
    }
}

/** Whoever wants to be told and cannot be is no reason not to serve. */
static void begin_notify(struct control *control)
{
    struct fault fault;

    if (!notify_open(&control->notify, &fault))
        log_warn("%s", fault.text);
}

struct control *serve_begin(struct options *options, int argc, char **argv,
                            struct fault *fault)
{
    struct control *control = xnew(1, sizeof(*control));
    const struct settings *settings = &options->settings;

    control->argc = argc;
    control->argv = argv;
    control->workers = settings->workers > 0 ? settings->workers : processors();
    control->sweep = (struct timer){.on_alarm = on_sweep, .arg = control};
    control->stop = (struct timer){.on_alarm = on_stop_look, .arg = control};
    control->proxy.identity = random_seed();
    control->overview.control = control;
    control->overview.started_ms = clock_ms();
    clock_print(control->overview.started);
    control->roster = roster_new();
    list_init(&control->over);
    begin_notify(control);
    if (!control_begin(control, options, fault))
        serve_end(&control);
    return control;
}

/** What the system may refuse, before anything else begins. */
static bool prepare(struct control *control, struct fault *fault)
{
    const struct settings *settings = control_settings(control);

    control->loop =
        loop_new(poller_find(settings_word(settings, SETTING_poller)));
    if (control->loop == NULL)
        return fault_say(fault, "cannot make an event loop: %s",
                         strerror(errno));
    loop_on_turn(control->loop, on_turn, NULL);
    control->overview.events = events_new(control->loop);
    control->roster->on_change = events_on_change;
    control->roster->change_arg = control->overview.events;
    control->resolver = resolver_new(control_pool(control), fault);
    return control->resolver != NULL;
}

int serve(struct control *control, struct fault *fault)
{
    if (!prepare(control, fault))
        return SERVE_REFUSED;
    if (control_settings(control)->health) {
        control->prober = prober_new(control->loop, control_pool(control),
                                     control->plan->configuration->tls_out);
        prober_ask_all(control->prober);
    }
    control->crew = crew_open(&control->proxy, control->plan->configuration,
                              control->workers, fault);
    if (control->crew == NULL)
        return SERVE_REFUSED;
    if (!signals_watch(control->loop, on_signal, control)) {
        fault_say(fault, "cannot watch for signals: %s", strerror(errno));
        return SERVE_REFUSED;
    }
    find_where(control);
    if (!open_admin(control, fault))
        return SERVE_REFUSED;
    if (!crew_start(control->crew, fault))
        return SERVE_REFUSED;
    say_where(control);
    crew_serve(control->crew);
    say_limits(control);
    if (control->prober != NULL)
        prober_start(control->prober);
    on_sweep(control);
    say_ready(control);
    notify_watch(&control->notify, control->loop);
    loop_run(control->loop);
    return control->status;
}

void serve_end(struct control **owned)
{
    struct control *control = *owned;

    if (control->admin != NULL)
        admin_free(&control->admin);
    if (control->crew != NULL)
        crew_end(&control->crew);
    if (control->prober != NULL)
        prober_free(&control->prober);
    if (control->resolver != NULL)
        resolver_free(&control->resolver);
    if (control->loop != NULL)
        signals_close(control->loop);
    timer_clear(&control->sweep);
    timer_clear(&control->stop);
    notify_close(&control->notify);
    control_end(control);
    roster_free(&control->roster);
    if (control->overview.events != NULL)
        events_free(&control->overview.events);
    if (control->loop != NULL)
        loop_free(&control->loop);
    free(control);
    *owned = NULL;
}

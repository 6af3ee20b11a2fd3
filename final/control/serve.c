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
#include "control/predecessor.h"
#include "control/probe.h"
#include "control/reply.h"
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
#include <unistd.h>

enum { SWEEP_MS = 250, STOP_LOOK_MS = 50, INIT_PID = 1 };

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

/** End sessions that rest, if they have not been ended yet. */
static void end_resting(struct control *control)
{
    if (control->rest_until_ms == 0)
        return;
    control->rest_until_ms = 0;
    crew_drain(control->crew, true);
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
    if (now_ms >= control->rest_until_ms)
        end_resting(control);
    if (now_ms - control->told_ms >= 1000) {
        control->told_ms = now_ms;
        log_info("stopping: %u sessions to go", left);
    }
    timer_set_in(loop_timers(control->loop), &control->stop, STOP_LOOK_MS,
                 loop_now(control->loop));
}

/** No new clients from now on; who rests may do so for that time. */
static void begin_end(struct control *control, int64_t rest_ms)
{
    control->stop_by_ms = clock_ms() + control_settings(control)->stop_ms;
    control->rest_until_ms = clock_ms() + rest_ms;
    control->told_ms = clock_ms();
    if (rest_ms == 0)
        end_resting(control);
    else
        crew_drain(control->crew, false);
    timer_set_in(loop_timers(control->loop), &control->stop, 1,
                 loop_now(control->loop));
}

/** Say how an upgrade went, to those who have asked for it. */
static void answer_waiting(struct control *control, long pid,
                           const struct fault *why)
{
    struct reply reply = {0};

    if (control->admin == NULL)
        return;
    if (why == NULL)
        reply_json(
            &reply, 200,
            json_pack("{s:i, s:i}", "pid", (int)pid, "was", (int)getpid()));
    else
        reply_refuse(&reply, 422, "%s", why->text);
    admin_answer_waiting(control->admin, &reply);
    reply_fini(&reply);
}

static void begin_stop(struct control *control)
{
    struct fault why;

    log_info("stopping: no new clients, %u sessions to go",
             atomic_load(&control->proxy.sessions));
    events_note(control->overview.events, LOG_INFO,
                "stopping: no new clients, %u sessions to go",
                atomic_load(&control->proxy.sessions));
    if (successor_is_coming(&control->successor)) {
        successor_end(&control->successor);
        fault_say(&why, "the process before it was stopped");
        answer_waiting(control, 0, &why);
    }
    notify_stopping(&control->notify);
    begin_end(control, 0);
}

/** The new process serves: end, and do not hurry those who rest. They may just
 * be asking something, and are told to go when they have. */
static void begin_leave(struct control *control, long pid)
{
    log_info("upgrade: process %ld serves now; %u sessions to go", pid,
             atomic_load(&control->proxy.sessions));
    control->is_handed_over = true;
    notify_close(&control->notify);
    if (control->admin != NULL)
        admin_leave(control->admin);
    begin_end(control, control_settings(control)->stop_ms / 2);
}

/* --- handing over ---------------------------------------------------------- */

static void on_successor(void *arg, const struct fault *why)
{
    struct control *control = arg;
    long pid = control->successor.pid;

    if (why != NULL) {
        notify_main(&control->notify, getpid());
        log_error("upgrade: failed, this process serves on: %s", why->text);
        events_note(control->overview.events, LOG_ERROR,
                    "upgrade: failed, this process serves on: %s", why->text);
        answer_waiting(control, 0, why);
        return;
    }
    /* First, for the manager listens to nobody else. */
    notify_main(&control->notify, pid);
    if (!successor_go(&control->successor))
        return;
    answer_waiting(control, pid, NULL);
    begin_leave(control, pid);
}

/** What is no setting, and is to be known all the same; see predecessor.h.
 * Owned by the caller. */
static char *last_words(const struct control *control)
{
    const struct pool *pool = control_pool(control);
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    must(out != NULL);
    if (control->admin != NULL)
        fprintf(out, PREDECESSOR_TOKEN "%s\n",
                admin_made_token(control->admin));
    for (size_t i = 0; i < pool->count; i++)
        if (atomic_load(&pool->backends[i]->draining))
            fprintf(out, PREDECESSOR_DRAINING "%s\n", pool->backends[i]->url);
    fputs(PREDECESSOR_BEGIN, out);
    must(fclose(out) == 0);
    return text;
}

static bool start_successor(struct control *control, struct fault *fault)
{
    struct handed handed = {.count = 0};
    struct successor_order order = {
        .argv = control->argv,
        .handed = &handed,
        .limit_ms = control_settings(control)->upgrade_ms,
    };
    char *words;
    bool good;

    if (!crew_hand(control->crew, &handed) ||
        (control->admin != NULL && !admin_hand(control->admin, &handed)))
        return fault_say(fault, "there are more than %d listeners", HANDED_MAX);
    control->successor.loop = control->loop;
    control->successor.on_end = on_successor;
    control->successor.arg = control;
    order.words = words = last_words(control);
    good = successor_start(&control->successor, &order, fault);
    free(words);
    return good;
}

static bool hand_over(struct control *control, struct fault *fault)
{
    if (control->stop_by_ms != 0)
        return fault_say(fault, "this process is stopping");
    if (successor_is_coming(&control->successor))
        return fault_say(fault, "process %ld is being started already",
                         (long)control->successor.pid);
    if (getpid() == INIT_PID)
        return fault_say(fault, "this is process 1: when it ends, so does its "
                                "container; start a container of the new image "
                                "instead");
    if (!start_successor(control, fault))
        return false;
    log_info("upgrade: process %ld is started", (long)control->successor.pid);
    return true;
}

static void upgrade(struct control *control)
{
    struct fault fault;

    if (hand_over(control, &fault))
        return;
    log_error("upgrade: refused: %s", fault.text);
    events_note(control->overview.events, LOG_ERROR, "upgrade: refused: %s",
                fault.text);
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
    else if (number == SIGUSR2)
        upgrade(control);
    else if (control->stop_by_ms == 0)
        begin_stop(control);
    else if (control->rest_until_ms != 0)
        end_resting(control);
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
    control->admin = admin_open(control->loop, &control->overview,
                                &control->predecessor->handed,
                                control->predecessor->token, fault);
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
                            struct predecessor *predecessor,
                            struct fault *fault)
{
    struct control *control = xnew(1, sizeof(*control));
    const struct settings *settings = &options->settings;

    control->argc = argc;
    control->argv = argv;
    control->predecessor = predecessor;
    control->hand_over = hand_over;
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

/** What was handed over is ours now. */
static void settle(struct control *control)
{
    if (!control->predecessor->agreed)
        return;
    crew_settle(control->crew);
    if (control->admin != NULL)
        admin_settle(control->admin);
    events_note(control->overview.events, LOG_INFO,
                "upgrade: process %ld has taken over", (long)getpid());
    predecessor_drain(control->predecessor, control_pool(control));
    predecessor_part(control->predecessor);
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
    control->crew =
        crew_open(&control->proxy, control->plan->configuration,
                  control->workers, &control->predecessor->handed, fault);
    if (control->crew == NULL)
        return SERVE_REFUSED;
    if (!signals_watch(control->loop, on_signal, control)) {
        fault_say(fault, "cannot watch for signals: %s", strerror(errno));
        return SERVE_REFUSED;
    }
    find_where(control);
    if (!open_admin(control, fault))
        return SERVE_REFUSED;
    if (!crew_start(control->crew, fault) ||
        !predecessor_agree(control->predecessor, fault))
        return SERVE_REFUSED;
    settle(control);
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

    successor_end(&control->successor);
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

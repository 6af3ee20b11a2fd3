/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A plan is a configuration and the settings it was made from.
 *
 *     read and check      anything wrong: nothing has happened
 *     a new plan          backends that stay are the same ones: roster.h
 *     tell the others     prober, resolver, log, workers
 *     the old plan        is kept until the last exchange on it has ended
 */
#include "control/control.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/must.h"
#include "control/certificates.h"
#include "control/events.h"
#include "control/probe.h"
#include "control/resolver.h"
#include "net/socket.h"
#include "net/tube.h"
#include "proxy/crew.h"
#include "upstream/health.h"
#include "upstream/roster.h"

#include <stdlib.h>
#include <string.h>

/** Descriptors for what is no client: logs, pipes, listeners, probes. */
enum { DESCRIPTORS_KEPT = 64, DESCRIPTORS_PER_WORKER = 8 + 2 * TUBES_MAX };

enum { DAY_MS = 86400000 };

/** What only a new process can change. */
static const enum setting fixed[] = {
    SETTING_address, SETTING_port,         SETTING_workers,
    SETTING_poller,  SETTING_defer_accept, SETTING_access_log,
    SETTING_admin,   SETTING_admin_token,  SETTING_tls_listen,
};

static bool is_fixed(enum setting setting)
{
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        if (fixed[i] == setting)
            return true;
    return false;
}

const struct settings *control_settings(const struct control *control)
{
    return &control->plan->options.settings;
}

struct pool *control_pool(const struct control *control)
{
    return control->plan->configuration->pool;
}

/* --- plans ----------------------------------------------------------------- */

/** Make a plan; NULL, with the options as they were, when it cannot be. */
static struct plan *plan_new(struct options *options, struct roster *roster,
                             struct fault *fault)
{
    struct plan *plan = xnew(1, sizeof(*plan));

    plan->options = *options;
    plan->configuration =
        configuration_new(&plan->options.settings, roster, fault);
    if (plan->configuration == NULL) {
        free(plan);
        return NULL;
    }
    memset(options, 0, sizeof(*options));
    return plan;
}

static void plan_free(struct plan *plan)
{
    configuration_free(&plan->configuration);
    options_fini(&plan->options);
    free(plan);
}

/** So many clients can be served at once: each may need two descriptors. */
static unsigned sessions_max(const struct control *control)
{
    unsigned wanted = control_settings(control)->sessions_max;
    unsigned files = descriptors_raise();
    unsigned kept =
        DESCRIPTORS_KEPT + control->workers * DESCRIPTORS_PER_WORKER;
    unsigned most;

    kept += control->overview.admin_sessions_max;
    if (kept > files / 2)
        kept = files / 2; /* few: pipes can be done without */
    most = files > kept + 2 ? (files - kept) / 2 : 1;
    return wanted > 0 && wanted < most ? wanted : most;
}

/** So many connections the admin listener may have, where descriptors are
 * few. */
static unsigned admin_sessions_max(const struct control *control)
{
    unsigned share = descriptors_raise() / 16;

    if (strcmp(control_settings(control)->admin, "off") == 0)
        return 0;
    return share < ADMIN_SESSIONS_MAX ? share : ADMIN_SESSIONS_MAX;
}

bool control_begin(struct control *control, struct options *options,
                   struct fault *fault)
{
    control->certificates = certificates_stamp(&options->settings);
    control->plan = plan_new(options, control->roster, fault);
    if (control->plan == NULL)
        return false;
    control->plan->configuration->generation = 1;
    control->overview.admin_sessions_max = admin_sessions_max(control);
    atomic_store(&control->proxy.sessions_max, sessions_max(control));
    return true;
}

/* --- from one to the next -------------------------------------------------- */

/** Has the pool a backend that was there before? */
static bool keeps_some(const struct pool *pool, struct pool *old)
{
    for (size_t i = 0; i < pool->count; i++)
        if (pool_find(old, pool->backends[i]->identity) != NULL)
            return true;
    return false;
}

/** New backends are probed before they serve, unless there are no others. */
static void review_health(struct control *control, struct pool *old)
{
    struct pool *pool = control_pool(control);
    bool can_wait = keeps_some(pool, old);

    for (size_t i = 0; i < pool->count; i++) {
        struct backend *backend = pool->backends[i];

        if (!control_settings(control)->health)
            health_trust(pool, backend, clock_ms());
        else if (can_wait && pool_find(old, backend->identity) == NULL)
            health_doubt(pool, backend);
    }
}

static void follow(struct control *control, struct pool *old)
{
    const struct settings *settings = control_settings(control);
    enum log_level level = LOG_INFO;

    if (control->prober != NULL)
        prober_free(&control->prober);
    review_health(control, old);
    resolver_follow(control->resolver, control_pool(control));
    if (settings->health) {
        control->prober = prober_new(control->loop, control_pool(control),
                                     control->plan->configuration->tls_out);
        prober_start(control->prober);
    }
    if (log_level_find(settings_word(settings, SETTING_log_level), &level))
        log_set_level(level);
    atomic_store(&control->proxy.sessions_max, sessions_max(control));
    crew_adopt(control->crew, control->plan->configuration);
}

/** Go over to these options, which are owned from now on. */
static bool go_over(struct control *control, struct options *options,
                    struct fault *fault)
{
    struct plan *old = control->plan;
    /* Before they are read: what changes from now on is noticed. */
    uint64_t certificates = certificates_stamp(&options->settings);
    struct plan *plan = plan_new(options, control->roster, fault);

    if (plan == NULL)
        return false;
    control->certificates = certificates;
    configuration_inherit(plan->configuration, old->configuration);
    plan->configuration->generation = old->configuration->generation + 1;
    control->plan = plan;
    list_put_last(&control->over, &old->link);
    follow(control, old->configuration->pool);
    return true;
}

static void on_forget(void *arg, struct backend *backend)
{
    struct control *control = arg;

    log_info("backend %s is gone", backend->url);
    crew_forget(control->crew, backend);
}

void control_sweep(struct control *control)
{
    struct link *link = control->over.after;

    while (link != &control->over) {
        struct plan *plan = list_item(link, struct plan, link);

        link = link->after;
        if (atomic_load(&plan->configuration->workers) > 0)
            continue;
        list_remove(&plan->link);
        plan_free(plan);
    }
    roster_sweep(control->roster, on_forget, control);
}

void control_end(struct control *control)
{
    struct link *link;

    while ((link = list_take_first(&control->over)) != NULL)
        plan_free(list_item(link, struct plan, link));
    if (control->plan != NULL)
        plan_free(control->plan);
}

/* --- what people ask for --------------------------------------------------- */

void control_compare(const struct settings *now, struct settings *fresh,
                     struct control_change *change)
{
    memset(change, 0, sizeof(*change));
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        if (settings_same(now, fresh, i))
            continue;
        if (is_fixed(i)) {
            change->needs_restart[i] = true;
            settings_copy_one(fresh, now, i);
        } else {
            change->changed[i] = true;
        }
    }
}

static bool read_again(const struct control *control, struct options *options,
                       struct fault *fault)
{
    if (options_read(options, control->argc, control->argv, fault))
        return true;
    options_fini(options);
    return false;
}

bool control_reload(struct control *control, struct control_change *change,
                    struct fault *fault)
{
    struct options fresh;
    bool good;

    if (!read_again(control, &fresh, fault))
        return false;
    control_compare(control_settings(control), &fresh.settings, change);
    good = go_over(control, &fresh, fault);
    options_fini(&fresh);
    return good;
}

void control_tell_change(struct control *control,
                         const struct control_change *change)
{
    unsigned generation = control->plan->configuration->generation;
    size_t changed = 0;

    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        const char *flag = setting_row(i)->flag;

        if (change->changed[i])
            log_info("reload: %s has changed", flag);
        if (change->needs_restart[i])
            log_warn("reload: %s differs, but only a restart changes it", flag);
        changed += change->changed[i];
    }
    log_info("reload: done, %zu settings have changed (configuration %u)",
             changed, generation);
    events_note(control->overview.events, LOG_INFO,
                "reload: done, %zu settings have changed (configuration %u)",
                changed, generation);
}

void control_tell_refused(struct control *control, const struct fault *fault)
{
    log_error("reload: refused, nothing has changed: %s", fault->text);
    events_note(control->overview.events, LOG_ERROR,
                "reload: refused, nothing has changed: %s", fault->text);
}

void control_reload_and_tell(struct control *control)
{
    struct control_change change;
    struct fault fault;

    if (control_reload(control, &change, &fault))
        control_tell_change(control, &change);
    else
        control_tell_refused(control, &fault);
}

/** A copy of the options that serve, to be changed by hand. */
static void options_like(const struct control *control, struct options *copy)
{
    *copy = control->plan->options;
    settings_copy(&copy->settings, control_settings(control));
    /* Weights stand with the backends; a list of them would not fit any more. */
    settings_clear_weights(&copy->settings);
}

bool control_add(struct control *control, const struct settings_backend *wanted,
                 struct fault *fault)
{
    struct options fresh;
    struct settings_backend *added;
    bool good;

    options_like(control, &fresh);
    added = settings_add_backend(&fresh.settings, wanted->url, fault);
    if (added != NULL) {
        added->weight = wanted->weight;
        added->is_backup = wanted->is_backup;
        added->in_flight_max = wanted->in_flight_max;
        added->send_proxy = wanted->send_proxy;
    }
    good = added != NULL && go_over(control, &fresh, fault);
    options_fini(&fresh);
    return good;
}

/** Which backend has this URL? backend_count: none. */
static size_t which(const struct settings *settings, const char *url)
{
    size_t i = 0;

    while (i < settings->backend_count &&
           strcmp(settings->backends[i].url, url) != 0)
        i++;
    return i;
}

bool control_remove(struct control *control, const char *url,
                    struct fault *fault)
{
    const struct settings *settings = control_settings(control);
    size_t place = which(settings, url);
    struct options fresh;
    bool good;

    if (place == settings->backend_count)
        return fault_say(fault, "there is no backend %s", url);
    if (settings->backend_count == 1)
        return fault_say(fault, "%s is the last backend; add another one first",
                         url);
    options_like(control, &fresh);
    settings_drop_backend(&fresh.settings, place);
    good = go_over(control, &fresh, fault);
    options_fini(&fresh);
    return good;
}

/** Certificates on disk are others: take them over, or keep what we have. */
static void renew_certificates(struct control *control, uint64_t stamp)
{
    struct options fresh;
    struct fault fault;

    options_like(control, &fresh);
    if (go_over(control, &fresh, &fault)) {
        log_info("certificates: new files were taken over");
        events_note(control->overview.events, LOG_INFO,
                    "certificates: new files were taken over");
        control->warned_ms = 0;
    } else {
        /* Once for these files: until they change again. */
        control->certificates = stamp;
        log_error("new files are of no use, the old ones stay: %s", fault.text);
        events_note(control->overview.events, LOG_ERROR,
                    "new files are of no use, the old ones stay: %s",
                    fault.text);
    }
    options_fini(&fresh);
}

void control_look_at_certificates(struct control *control)
{
    const struct settings *settings = control_settings(control);
    int64_t now_ms = clock_ms();
    uint64_t stamp;

    if (control->plan->configuration->tls == NULL &&
        control->plan->configuration->tls_out == NULL)
        return;
    if (settings->certificates_look_ms > 0 && control->stop_by_ms == 0 &&
        now_ms - control->looked_ms >= settings->certificates_look_ms) {
        control->looked_ms = now_ms;
        stamp = certificates_stamp(settings);
        if (stamp != control->certificates)
            renew_certificates(control, stamp);
    }
    if (control->warned_ms == 0 || now_ms - control->warned_ms >= DAY_MS) {
        control->warned_ms = now_ms;
        certificates_warn(control->plan->configuration->tls);
    }
}

bool control_differs(struct control *control, struct fault *fault)
{
    const struct settings *now = control_settings(control);
    struct options fresh;
    bool differs = false;

    if (!read_again(control, &fresh, fault))
        return true;
    for (enum setting i = 0; !differs && i < SETTING_COUNT; i++) {
        differs = !settings_same(now, &fresh.settings, i);
        if (differs)
            fault_say(fault, "%s would change at a reload or restart",
                      setting_row(i)->flag);
    }
    options_fini(&fresh);
    return differs;
}

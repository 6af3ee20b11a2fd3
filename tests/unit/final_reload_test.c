/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What a reload is made of, in all floors: settings that are copied and
 * compared, the roster of backends, the terms of a worker, and what a new
 * configuration may change. Workers and clients are in tests/behaviours.
 */
#include "base/fault.h"
#include "base/settings.h"
#include "control/control.h"
#include "event/timer.h"
#include "proxy/terms.h"
#include "unit.h"
#include "upstream/backend.h"
#include "upstream/health.h"
#include "upstream/pool.h"
#include "upstream/roster.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void set(struct settings *settings, enum setting setting,
                const char *text)
{
    struct fault fault;

    ck_assert_msg(settings_set(settings, setting, text, &fault), "%s %s",
                  setting_row(setting)->flag, fault.text);
}

/** Settings with the backends of these ports; 0 ends them. */
static void settings_make(struct settings *settings, const unsigned *ports)
{
    struct fault fault;
    char url[64];

    settings_init(settings);
    for (; *ports != 0; ports++) {
        snprintf(url, sizeof(url), "http://127.0.0.1:%u", *ports);
        ck_assert_ptr_nonnull(settings_add_backend(settings, url, &fault));
    }
}

#define PORTS(...) ((const unsigned[]){__VA_ARGS__, 0})

/* --- settings are copied and compared ---------------------------------------- */

/** Another value than the default, for each setting. */
static const char *other_value(enum setting setting)
{
    const struct setting_row *row = setting_row(setting);

    switch (row->kind) {
    case SETTING_IS_BOOL:
        return strcmp(row->initial, "true") == 0 ? "false" : "true";
    case SETTING_IS_COUNT: return "7";
    case SETTING_IS_PORT: return "81";
    case SETTING_IS_PERCENT: return "33%";
    case SETTING_IS_BYTES: return "12345";
    case SETTING_IS_DURATION: return "1234ms";
    case SETTING_IS_CHOICE: return setting_word(setting, 1);
    case SETTING_IS_ADDRESS: return "::1";
    case SETTING_IS_PATH: return "/a?b=c,d";
    case SETTING_IS_METHOD: return "HEAD";
    case SETTING_IS_NAME: return "Name-1";
    case SETTING_IS_HOST: return "www.example.org";
    case SETTING_IS_STATUSES: return "200,204,300-399";
    case SETTING_IS_TEXT: return "some, \"text\" ${x} \\";
    case SETTING_IS_HASH_ON: return "header:X-User";
    case SETTING_IS_SINK: return "./access,log";
    case SETTING_IS_ADDRESSES: return "10.0.0.0/8,::1";
    case SETTING_IS_CERTIFICATES: return "./a.pem:./a.key,./b.pem";
    case SETTING_IS_FILE: return "./ca.pem";
    case SETTING_IS_WEIGHTS: return "5,1";
    case SETTING_IS_BACKENDS: return "http://127.0.0.1:1,http://[::1]:2";
    case SETTING_IS_LISTENER: return "127.0.0.1:9";
    case SETTING_IS_SECRET: return "a-secret";
    }
    ck_abort_msg("a kind that is not known here");
}

/** Each one by itself, so that none hides another. */
START_TEST(each_setting_is_copied_and_compared)
{
    enum setting changed = (enum setting)_i;
    struct settings one, copy, plain;

    settings_init(&one);
    settings_init(&plain);
    if (changed == SETTING_log_level) /* word 1 may be anything but this */
        set(&plain, changed, "error");
    set(&one, changed, other_value(changed));
    settings_copy(&copy, &one);
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        ck_assert_msg(settings_same(&one, &copy, i), "%s is copied wrongly",
                      setting_row(i)->flag);
        ck_assert_msg(i == changed || settings_same(&one, &plain, i) ||
                          i == SETTING_log_level,
                      "%s changes %s", setting_row(changed)->flag,
                      setting_row(i)->flag);
    }
    ck_assert_msg(!settings_same(&one, &plain, changed), "%s stays the same",
                  setting_row(changed)->flag);
    settings_fini(&one); /* the copy owns what it has */
    set(&copy, changed,
        setting_row(changed)->kind == SETTING_IS_BACKENDS
            ? "http://127.0.0.1:3"
            : other_value(changed));
    settings_fini(&copy);
    settings_fini(&plain);
}
END_TEST

START_TEST(backends_are_copied_with_all_they_have)
{
    struct settings one, copy;

    settings_make(&one, PORTS(1, 2));
    one.backends[1].weight = 7;
    one.backends[1].is_backup = true;
    one.backends[1].in_flight_max = 9;
    one.backends[1].send_proxy = 2;
    settings_copy(&copy, &one);
    ck_assert(settings_same(&one, &copy, SETTING_backends));
    copy.backends[1].weight = 8;
    ck_assert(!settings_same(&one, &copy, SETTING_backends));
    copy.backends[1].weight = 7;
    copy.backends[1].is_backup = false;
    ck_assert(!settings_same(&one, &copy, SETTING_backends));
    copy.backends[1].is_backup = true;
    copy.backends[1].in_flight_max = 0;
    ck_assert(!settings_same(&one, &copy, SETTING_backends));
    copy.backends[1].in_flight_max = 9;
    copy.backends[1].send_proxy = 0;
    ck_assert(!settings_same(&one, &copy, SETTING_backends));
    copy.backends[1].send_proxy = 2;
    ck_assert(settings_same(&one, &copy, SETTING_backends));
    settings_drop_backend(&copy, 0);
    ck_assert(!settings_same(&one, &copy, SETTING_backends));
    ck_assert_str_eq(copy.backends[0].url, "http://127.0.0.1:2");
    settings_fini(&one);
    settings_fini(&copy);
}
END_TEST

/* --- what a reload may change ------------------------------------------------ */

START_TEST(what_needs_a_restart_is_set_back)
{
    static const enum setting fixed[] = {
        SETTING_address, SETTING_port,         SETTING_workers,
        SETTING_poller,  SETTING_defer_accept, SETTING_access_log,
        SETTING_admin,   SETTING_admin_token,  SETTING_tls_listen,
    };
    enum setting changed = (enum setting)_i;
    struct control_change change;
    struct settings now, fresh;
    bool is_fixed = false;

    for (size_t i = 0; i < COUNT(fixed); i++)
        is_fixed |= fixed[i] == changed;
    settings_init(&now);
    settings_copy(&fresh, &now);
    control_compare(&now, &fresh, &change);
    for (enum setting i = 0; i < SETTING_COUNT; i++)
        ck_assert(!change.changed[i] && !change.needs_restart[i]);
    set(&now, SETTING_log_level, "error");
    set(&fresh, SETTING_log_level, "error");
    set(&fresh, changed, other_value(changed));
    control_compare(&now, &fresh, &change);
    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        ck_assert_int_eq(change.changed[i], i == changed && !is_fixed);
        ck_assert_int_eq(change.needs_restart[i], i == changed && is_fixed);
    }
    ck_assert_int_eq(settings_same(&now, &fresh, changed), is_fixed);
    settings_fini(&now);
    settings_fini(&fresh);
}
END_TEST

/* --- the roster --------------------------------------------------------------- */

static struct roster *roster;
static unsigned forgotten; /* calls of on_forget() */
static struct backend *last_forgotten;

static void on_forget(void *arg, struct backend *backend)
{
    ck_assert_ptr_eq(arg, &forgotten);
    forgotten++;
    last_forgotten = backend;
    atomic_store(&backend->forgetting, 2); /* as if there were two workers */
}

static void sweep(void)
{
    roster_sweep(roster, on_forget, &forgotten);
}

static void roster_make(struct settings *settings, const unsigned *ports)
{
    roster = roster_new();
    settings_make(settings, ports);
    forgotten = 0;
}

static size_t roster_count(void)
{
    size_t count = 0;

    for (size_t i = 0; i < BACKEND_SLOTS; i++)
        count += roster->at[i] != NULL;
    return count;
}

START_TEST(a_backend_is_held_until_the_last_drop)
{
    struct settings settings;
    struct backend *one, *other;

    roster_make(&settings, PORTS(1, 2));
    one = roster_hold(roster, &settings.backends[0]);
    other = roster_hold(roster, &settings.backends[1]);
    ck_assert_ptr_ne(one, other);
    ck_assert_uint_ne(one->slot, other->slot);
    ck_assert_ptr_eq(roster_hold(roster, &settings.backends[0]), one);
    roster_drop(one);
    sweep();
    ck_assert_uint_eq(forgotten, 0);
    roster_drop(one);
    sweep();
    ck_assert_uint_eq(forgotten, 1);
    ck_assert_ptr_eq(last_forgotten, one);
    sweep(); /* workers have not forgotten it yet */
    ck_assert_uint_eq(roster_count(), 2);
    atomic_store(&one->forgetting, 0);
    sweep();
    ck_assert_uint_eq(forgotten, 1);
    ck_assert_uint_eq(roster_count(), 1);
    roster_drop(other);
    roster_free(&roster);
    ck_assert_ptr_null(roster);
    settings_fini(&settings);
}
END_TEST

/** 0: before the workers have forgotten it, 1: afterwards. */
START_TEST(a_backend_may_come_back_while_it_leaves)
{
    struct settings settings;
    struct backend *one;

    roster_make(&settings, PORTS(1));
    one = roster_hold(roster, &settings.backends[0]);
    atomic_store(&one->up, false);
    roster_drop(one);
    sweep();
    if (_i == 1)
        atomic_store(&one->forgetting, 0);
    ck_assert_ptr_eq(roster_hold(roster, &settings.backends[0]), one);
    atomic_store(&one->forgetting, 0);
    sweep();
    sweep();
    ck_assert_uint_eq(roster_count(), 1);
    ck_assert(!atomic_load(&one->up)); /* it is the same one */
    roster_drop(one);
    sweep();
    ck_assert_uint_eq(forgotten, 2); /* workers are told once more */
    atomic_store(&one->forgetting, 0);
    sweep();
    ck_assert_uint_eq(roster_count(), 0);
    roster_free(&roster);
    settings_fini(&settings);
}
END_TEST

START_TEST(slots_run_out_and_are_used_again)
{
    struct backend *held[BACKEND_SLOTS];
    struct settings_backend settings = {.host = (char[]){"127.0.0.1"}};
    char url[64];

    roster = roster_new();
    settings.url = url;
    for (unsigned i = 0; i < BACKEND_SLOTS; i++) {
        snprintf(url, sizeof(url), "http://127.0.0.1:%u", i + 1);
        held[i] = roster_hold(roster, &settings);
        ck_assert_ptr_nonnull(held[i]);
        ck_assert_uint_eq(held[i]->slot, i);
    }
    ck_assert_ptr_eq(roster_hold(roster, &settings), held[BACKEND_SLOTS - 1]);
    roster_drop(held[BACKEND_SLOTS - 1]);
    snprintf(url, sizeof(url), "http://127.0.0.1:1000");
    ck_assert_ptr_null(roster_hold(roster, &settings));
    roster_drop(held[7]);
    ck_assert_ptr_null(roster_hold(roster, &settings)); /* it still leaves */
    sweep();
    ck_assert_ptr_null(roster_hold(roster, &settings));
    atomic_store(&held[7]->forgetting, 0);
    sweep();
    held[7] = roster_hold(roster, &settings);
    ck_assert_ptr_nonnull(held[7]);
    ck_assert_uint_eq(held[7]->slot, 7);
    ck_assert_str_eq(held[7]->url, "http://127.0.0.1:1000");
    for (size_t i = 0; i < BACKEND_SLOTS; i++)
        roster_drop(held[i]);
    roster_free(&roster);
}
END_TEST

/** A pool for which there are too few slots takes none, and changes nothing. */
START_TEST(a_pool_that_does_not_fit_leaves_no_trace)
{
    struct pool *pools[2], *none;
    struct settings settings[3];
    char url[64];
    struct fault fault;

    roster = roster_new();
    for (unsigned k = 0; k < 3; k++) {
        settings_init(&settings[k]);
        for (unsigned i = 0; i < SETTINGS_BACKENDS_MAX; i++) {
            snprintf(url, sizeof(url), "http://127.0.0.1:%u",
                     k == 2 && i == 0 ? 1 : 1 + k * 100 + i);
            settings_add_backend(&settings[k], url, &fault);
        }
    }
    settings[2].backends[0].weight = 9;
    for (unsigned k = 0; k < 2; k++)
        ck_assert_ptr_nonnull(pools[k] = pool_new(&settings[k], roster));
    none = pool_new(&settings[2], roster);
    ck_assert_ptr_null(none);
    ck_assert_uint_eq(atomic_load(&pools[0]->backends[0]->holders), 1);
    ck_assert_uint_eq(atomic_load(&pools[0]->backends[0]->weight), 1);
    for (unsigned k = 0; k < 2; k++)
        pool_free(&pools[k]);
    roster_free(&roster);
    for (unsigned k = 0; k < 3; k++)
        settings_fini(&settings[k]);
}
END_TEST

START_TEST(who_comes_back_is_new)
{
    struct settings settings;
    struct pool *pool;
    struct backend *one;

    roster_make(&settings, PORTS(1, 2));
    pool = pool_new(&settings, roster);
    one = pool->backends[0];
    for (int i = 0; i < 3; i++)
        health_judge(pool, one, true, "", 1000);
    ck_assert(atomic_load(&one->up));
    health_doubt(pool, one);
    ck_assert(!atomic_load(&one->up));
    health_judge(pool, one, true, "", 1000);
    ck_assert(atomic_load(&one->up)); /* its first probe decides */
    health_doubt(pool, one);
    health_judge(pool, one, false, "refused", 1000);
    ck_assert(!atomic_load(&one->up));
    ck_assert_str_eq(one->health.why, "refused");
    health_judge(pool, one, true, "", 1000);
    ck_assert(!atomic_load(&one->up)); /* from then on, rise does */
    health_judge(pool, one, true, "", 1000);
    ck_assert(atomic_load(&one->up));
    pool_free(&pool);
    roster_free(&roster);
    settings_fini(&settings);
}
END_TEST

/* --- terms -------------------------------------------------------------------- */

/** As crew.h and worker.h do it. */
static struct terms *serve_by(struct configuration *configuration,
                              struct timers *timers)
{
    atomic_fetch_add(&configuration->workers, 1);
    return terms_new(configuration, timers);
}

START_TEST(terms_last_as_long_as_their_last_exchange)
{
    struct settings settings[2];
    struct configuration *old, *fresh;
    struct terms *present, *exchange;
    struct fault fault;
    struct timers timers;

    timers_init(&timers);
    roster_make(&settings[0], PORTS(1, 2));
    settings_make(&settings[1], PORTS(2, 3));
    set(&settings[1], SETTING_response_ms, "5s");
    old = configuration_new(&settings[0], roster, &fault);
    fresh = configuration_new(&settings[1], roster, &fault);
    ck_assert_ptr_eq(old->pool->backends[1], fresh->pool->backends[0]);

    present = serve_by(old, &timers);
    exchange = terms_hold(present);
    ck_assert_ptr_eq(exchange, present);
    terms_drop(&present);
    ck_assert_ptr_null(present);
    present = serve_by(fresh, &timers);
    ck_assert_int_eq(exchange->rows[STATE_WAIT]->length_ms, 60000);
    ck_assert_int_eq(present->rows[STATE_WAIT]->length_ms, 5000);
    ck_assert_ptr_eq(exchange->rows[STATE_DIAL], present->rows[STATE_DIAL]);
    ck_assert_uint_eq(atomic_load(&old->workers), 1);
    terms_drop(&exchange);
    ck_assert_uint_eq(atomic_load(&old->workers), 0);
    configuration_free(&old);
    ck_assert_ptr_null(old);
    sweep();
    ck_assert_uint_eq(forgotten, 1);
    ck_assert_str_eq(last_forgotten->url, "http://127.0.0.1:1");
    terms_drop(&present);
    ck_assert(list_is_empty(&timers.rows));
    configuration_free(&fresh);
    configuration_free(&fresh); /* an empty pointer is fine */
    roster_free(&roster);
    timers_fini(&timers);
    for (int i = 0; i < 2; i++)
        settings_fini(&settings[i]);
}
END_TEST

START_TEST(each_worker_has_a_policy_of_its_own)
{
    static const char *const policies[] = {
        "round-robin",  "least-connections", "two-choices",
        "address-hash", "consistent-hash",   "latency"};
    struct settings settings;
    struct configuration *configuration;
    struct terms *terms[2];
    struct fault fault;
    struct timers timers;

    timers_init(&timers);
    roster_make(&settings, PORTS(1, 2));
    set(&settings, SETTING_policy, policies[_i]);
    set(&settings, SETTING_trusted, "10.0.0.0/8,::1");
    configuration = configuration_new(&settings, roster, &fault);
    ck_assert_uint_eq(configuration->trusted_count, 2);
    for (int i = 0; i < 2; i++)
        terms[i] = serve_by(configuration, &timers);
    ck_assert(terms[0]->policy == NULL || terms[0]->policy != terms[1]->policy);
    for (int i = 0; i < 2; i++)
        terms_drop(&terms[i]);
    ck_assert_uint_eq(atomic_load(&configuration->workers), 0);
    configuration_free(&configuration);
    roster_free(&roster);
    timers_fini(&timers);
    settings_fini(&settings);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reload");

    unit_add(suite, each_setting_is_copied_and_compared, SETTING_COUNT);
    unit_add(suite, backends_are_copied_with_all_they_have, 1);
    unit_add(suite, what_needs_a_restart_is_set_back, SETTING_COUNT);
    unit_add(suite, a_backend_is_held_until_the_last_drop, 1);
    unit_add(suite, a_backend_may_come_back_while_it_leaves, 2);
    unit_add(suite, slots_run_out_and_are_used_again, 1);
    unit_add(suite, a_pool_that_does_not_fit_leaves_no_trace, 1);
    unit_add(suite, who_comes_back_is_new, 1);
    unit_add(suite, terms_last_as_long_as_their_last_exchange, 1);
    unit_add(suite, each_worker_has_a_policy_of_its_own, 6);
    return unit_run(suite);
}

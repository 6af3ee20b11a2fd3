/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The upstream floor of the full balancer, but for the policies, which have a
 * test of their own: who may serve, who is asked, and what becomes of the
 * connections. Time is a number that the tests make up.
 */
#include "base/settings.h"
#include "event/loop.h"
#include "net/listener.h"
#include "unit.h"
#include "upstream/backend.h"
#include "upstream/connection.h"
#include "upstream/health.h"
#include "upstream/idle_cache.h"
#include "upstream/pool.h"
#include "upstream/roster.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* --- a pool, and a policy that notes what it is asked ------------------------ */

static struct settings settings;
static struct roster *roster;
static struct pool *pool;
static int64_t now = 1000000;

/** What the policy saw last; it takes the first. */
static struct candidate seen[BACKENDS_MAX];
static size_t seen_count;
static uint64_t seen_turn;

static size_t pick_first(struct policy *policy, const struct candidates *from)
{
    (void)policy;
    memcpy(seen, from->at, from->count * sizeof(seen[0]));
    seen_count = from->count;
    seen_turn = from->turn;
    return 0;
}

static const struct policy_kind first = {.name = "first", .pick = pick_first};

static void set(enum setting setting, const char *text)
{
    struct fault fault;

    ck_assert_msg(settings_set(&settings, setting, text, &fault), "%s",
                  fault.text);
}

/** Settings with so many backends: the defaults, but for what is set later. */
static void settings_make(unsigned count)
{
    struct fault fault;

    settings_init(&settings);
    for (unsigned i = 0; i < count; i++) {
        char url[64];

        snprintf(url, sizeof(url), "http://127.0.0.1:%u", 8081 + i);
        ck_assert_ptr_nonnull(settings_add_backend(&settings, url, &fault));
    }
}

static void pool_make(void)
{
    roster = roster_new();
    pool = pool_new(&settings, roster);
    ck_assert_ptr_nonnull(pool);
    pool->kind = &first;
}

static void pool_end(void)
{
    pool_free(&pool);
    ck_assert_ptr_null(pool);
    roster_free(&roster);
    settings_fini(&settings);
}

static struct backend *at(size_t place)
{
    return pool->backends[place];
}

static bool is_up(size_t place)
{
    return atomic_load(&at(place)->up);
}

/** Who is up: a digit for each, the first one first. */
static unsigned up(void)
{
    unsigned all = 0;

    for (size_t i = 0; i < pool->count; i++)
        all = all * 10 + (is_up(i) ? 1 : 0);
    return all;
}

/* --- backends ----------------------------------------------------------------- */

START_TEST(a_backend_begins_up_with_what_is_configured)
{
    settings_make(2);
    settings.backends[1].weight = 7;
    settings.backends[1].is_backup = true;
    settings.backends[1].in_flight_max = 3;
    pool_make();
    ck_assert_str_eq(at(1)->url, "http://127.0.0.1:8082");
    ck_assert_str_eq(at(1)->host, "127.0.0.1");
    ck_assert_uint_eq(at(1)->port, 8082);
    ck_assert_uint_eq(at(1)->weight, 7);
    ck_assert_uint_eq(at(1)->in_flight_max, 3);
    ck_assert(at(1)->is_backup && !at(0)->is_backup);
    ck_assert_uint_eq(at(1)->slot, 1);
    ck_assert_uint_ne(at(0)->identity, at(1)->identity);
    ck_assert_ptr_eq(pool_find(pool, at(1)->identity), at(1));
    ck_assert_ptr_null(pool_find(pool, at(0)->identity ^ 1));
    ck_assert_uint_eq(up(), 11);
    pool_end();
}
END_TEST

START_TEST(the_limit_of_all_holds_for_those_without_one)
{
    settings_make(2);
    set(SETTING_in_flight_max, "5");
    settings.backends[1].in_flight_max = 3;
    pool_make();
    ck_assert_uint_eq(at(0)->in_flight_max, 5);
    ck_assert_uint_eq(at(1)->in_flight_max, 3);
    pool_end();
}
END_TEST

START_TEST(a_backend_has_so_many_places)
{
    settings_make(2);
    settings.backends[0].in_flight_max = 2;
    pool_make();
    ck_assert(backend_take_place(at(0)));
    ck_assert(backend_take_place(at(0)));
    ck_assert(!backend_take_place(at(0)));
    ck_assert_uint_eq(atomic_load(&at(0)->in_flight), 2);
    backend_give_place(at(0));
    ck_assert(backend_take_place(at(0)));
    for (int i = 0; i < 1000; i++)
        ck_assert(backend_take_place(at(1))); /* no limit */
    ck_assert_uint_eq(atomic_load(&at(1)->in_flight), 1000);
    pool_end();
}
END_TEST

enum { THREADS = 4, PLACES = 2, TAKES = 50000 };

static atomic_bool done;
static atomic_uint held, over, taken;

static void *take_and_give(void *arg)
{
    (void)arg;
    for (int i = 0; i < TAKES; i++) {
        if (!backend_take_place(at(0)))
            continue;
        if (atomic_fetch_add(&held, 1) >= PLACES)
            atomic_fetch_add(&over, 1);
        atomic_fetch_add(&taken, 1);
        atomic_fetch_sub(&held, 1);
        backend_give_place(at(0));
    }
    return NULL;
}

/** A count that is too high for a moment turns somebody away for nothing. */
static void *look_on(void *arg)
{
    (void)arg;
    while (!atomic_load(&done))
        if (atomic_load(&at(0)->in_flight) > PLACES)
            atomic_fetch_add(&over, 1);
    return NULL;
}

START_TEST(places_are_exact_among_threads)
{
    pthread_t threads[THREADS], looker;

    settings_make(1);
    settings.backends[0].in_flight_max = PLACES;
    pool_make();
    pthread_create(&looker, NULL, look_on, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, take_and_give, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    atomic_store(&done, true);
    pthread_join(looker, NULL);
    ck_assert_uint_eq(atomic_load(&over), 0);
    ck_assert_uint_gt(atomic_load(&taken), TAKES);
    ck_assert_uint_eq(atomic_load(&at(0)->in_flight), 0);
    pool_end();
}
END_TEST

START_TEST(slow_answers_count_at_once_and_quick_ones_little_by_little)
{
    unsigned before;

    settings_make(1);
    pool_make();
    ck_assert_uint_eq(atomic_load(&at(0)->latency_us), 0);
    backend_add_latency(at(0), 1000);
    ck_assert_uint_eq(atomic_load(&at(0)->latency_us), 1000);
    backend_add_latency(at(0), 80000);
    ck_assert_uint_eq(atomic_load(&at(0)->latency_us), 80000);
    before = 80000;
    for (int i = 0; i < 100; i++) {
        unsigned after;

        backend_add_latency(at(0), 1000);
        after = atomic_load(&at(0)->latency_us);
        ck_assert_uint_le(after, before);
        ck_assert_uint_ge(after, before - before / 7);
        before = after;
    }
    ck_assert_uint_lt(before, 1100);
    backend_add_latency(at(0), INT64_MAX);
    ck_assert_uint_eq(atomic_load(&at(0)->latency_us), UINT32_MAX);
    pool_end();
}
END_TEST

START_TEST(failures_count_as_slow)
{
    settings_make(2);
    pool_make();
    backend_add_failure(at(0), 10);
    ck_assert_uint_eq(atomic_load(&at(0)->latency_us), 100000);
    backend_add_latency(at(1), 1000);
    backend_add_failure(at(1), 10);
    ck_assert_uint_eq(atomic_load(&at(1)->latency_us), 8000);
    backend_add_failure(at(1), 3000000);
    ck_assert_uint_eq(atomic_load(&at(1)->latency_us), 3000000);
    for (int i = 0; i < 10; i++)
        backend_add_failure(at(1), 10);
    ck_assert_uint_eq(atomic_load(&at(1)->latency_us), 60000000);
    pool_end();
}
END_TEST

START_TEST(no_time_at_all_is_not_unknown)
{
    settings_make(1);
    pool_make();
    backend_add_latency(at(0), 0);
    ck_assert_uint_eq(atomic_load(&at(0)->latency_us), 1);
    pool_end();
}
END_TEST

START_TEST(addresses_take_turns_once_they_are_known)
{
    union address address;
    const char *why;

    settings_make(1);
    pool_make();
    ck_assert(!backend_address(at(0), &address));
    for (int i = 0; i < 3; i++) /* the same answer again changes nothing */
        ck_assert(backend_find(at(0), &why));
    ck_assert(backend_address(at(0), &address));
    ck_assert_uint_eq(address_port(&address), 8081);

    struct backend_addresses *known = atomic_load(&at(0)->addresses);
    union address other;

    known->count = 2;
    ck_assert(address_parse(&known->at[1], text_of("127.0.0.2"), 8081));
    for (int i = 0; i < 4; i++) {
        ck_assert(backend_address(at(0), &address));
        ck_assert(backend_address(at(0), &other));
        ck_assert(!address_equals(&address, &other));
    }
    ck_assert(backend_find(at(0), &why)); /* it has one again, the old lives */
    ck_assert_uint_eq(atomic_load(&at(0)->addresses)->count, 1);
    ck_assert_ptr_eq(at(0)->older, known);
    pool_end();
}
END_TEST

START_TEST(what_was_known_stays_when_nothing_is_found)
{
    union address address;
    const char *why = NULL;

    settings_make(1);
    pool_make();
    ck_assert(backend_find(at(0), &why));
    memset(at(0)->host, 'a', sizeof(at(0)->host) - 1);
    ck_assert(!backend_find(at(0), &why));
    ck_assert_ptr_nonnull(why);
    ck_assert(backend_address(at(0), &address));
    ck_assert_uint_eq(address_port(&address), 8081);
    pool_end();
}
END_TEST

/* --- health ------------------------------------------------------------------- */

static void probe(size_t place, bool passed)
{
    health_judge(pool, at(place), passed, "the probe was refused", now);
}

/** So many requests of a backend fail, one after another. */
static void requests_fail(size_t place, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        health_failed(pool, at(place), "connection refused", now);
}

START_TEST(the_first_probe_decides)
{
    settings_make(3);
    pool_make();
    probe(0, false);
    probe(1, true);
    ck_assert_uint_eq(up(), 11); /* 011 */
    ck_assert_str_eq(at(0)->health.why, "the probe was refused");
    probe(1, false); /* the second one does not */
    ck_assert_uint_eq(up(), 11);
    pool_end();
}
END_TEST

START_TEST(fall_and_rise_count_rows)
{
    settings_make(1);
    set(SETTING_fall, "3");
    set(SETTING_rise, "2");
    pool_make();
    probe(0, true);
    probe(0, false);
    probe(0, false);
    probe(0, true); /* ends the row */
    probe(0, false);
    probe(0, false);
    ck_assert(is_up(0));
    probe(0, false);
    ck_assert(!is_up(0));
    probe(0, true);
    probe(0, false); /* ends the row */
    probe(0, true);
    ck_assert(!is_up(0));
    now += 17;
    probe(0, true);
    ck_assert(is_up(0));
    ck_assert_int_eq(atomic_load(&at(0)->up_since_ms), now);
    pool_end();
}
END_TEST

START_TEST(failures_in_a_row_eject)
{
    settings_make(3);
    set(SETTING_failures_max, "5");
    pool_make();
    requests_fail(0, 4);
    ck_assert(is_up(0));
    health_served(at(0));
    requests_fail(0, 4);
    ck_assert(is_up(0));
    requests_fail(0, 1);
    ck_assert_uint_eq(up(), 11); /* 011 */
    ck_assert_uint_eq(atomic_load(&at(0)->failures), 9);
    ck_assert_int_eq(at(0)->health.ejected_until_ms, now + 10000);
    ck_assert_ptr_nonnull(strstr(at(0)->health.why, "connection refused"));
    ck_assert_ptr_nonnull(strstr(at(0)->health.why, "5 requests"));
    pool_end();
}
END_TEST

START_TEST(failures_max_0_never_ejects)
{
    settings_make(2);
    set(SETTING_failures_max, "0");
    pool_make();
    requests_fail(0, 1000);
    ck_assert_uint_eq(up(), 11);
    pool_end();
}
END_TEST

START_TEST(an_ejection_ends_by_time)
{
    settings_make(2);
    pool_make();
    requests_fail(0, 5);
    ck_assert(!is_up(0));
    now += 9999;
    health_sweep(pool, now);
    ck_assert(!is_up(0));
    now += 1;
    health_sweep(pool, now);
    ck_assert(is_up(0));
    ck_assert_int_eq(atomic_load(&at(0)->up_since_ms), now);
    requests_fail(0, 4); /* it begins from 0 again */
    ck_assert(is_up(0));
    requests_fail(0, 1);
    ck_assert(!is_up(0));
    pool_end();
}
END_TEST

/** Eject the first of two, let its time go by; how long was it? */
static int64_t ejection_length(void)
{
    int64_t length;

    requests_fail(0, settings.failures_max);
    ck_assert(!is_up(0));
    length = at(0)->health.ejected_until_ms - now;
    now += length;
    health_sweep(pool, now);
    ck_assert(is_up(0));
    return length;
}

START_TEST(ejections_in_a_row_grow_up_to_a_limit)
{
    settings_make(2);
    set(SETTING_ejection_ms, "10s");
    set(SETTING_ejection_ms_max, "25s");
    pool_make();
    ck_assert_int_eq(ejection_length(), 10000);
    ck_assert_int_eq(ejection_length(), 20000);
    ck_assert_int_eq(ejection_length(), 25000);
    ck_assert_int_eq(ejection_length(), 25000);
    pool_end();
}
END_TEST

START_TEST(a_request_that_goes_well_ends_the_row_of_ejections)
{
    settings_make(2);
    pool_make();
    health_served(at(0));
    ck_assert_int_eq(ejection_length(), 10000);
    ck_assert_int_eq(ejection_length(), 20000);
    health_served(at(0));
    ck_assert_int_eq(ejection_length(), 10000);
    ck_assert_int_eq(ejection_length(), 20000);
    pool_end();
}
END_TEST

/** One that was on its way since before says nothing about the time after. */
START_TEST(a_request_that_ends_well_during_an_ejection_does_not)
{
    settings_make(2);
    pool_make();
    requests_fail(0, 5);
    health_served(at(0));
    ck_assert(!is_up(0));
    now += 10000;
    health_sweep(pool, now);
    ck_assert_int_eq(ejection_length(), 20000);
    pool_end();
}
END_TEST

static const struct {
    unsigned backends;
    const char *percent;
    unsigned ejected;
} shares[] = {{1, "100%", 0}, {2, "50%", 1}, {2, "100%", 1}, {2, "49%", 0},
              {3, "50%", 1},  {4, "50%", 2}, {4, "100%", 3}, {10, "30%", 3},
              {10, "0%", 0},  {5, "39%", 1}};

START_TEST(never_more_than_a_share_and_never_the_last)
{
    unsigned ejected = 0;

    settings_make(shares[_i].backends);
    set(SETTING_ejection_percent, shares[_i].percent);
    pool_make();
    for (size_t i = 0; i < pool->count; i++)
        requests_fail(i, 10);
    for (size_t i = 0; i < pool->count; i++)
        ejected += !is_up(i);
    ck_assert_uint_eq(ejected, shares[_i].ejected);
    pool_end();
}
END_TEST

START_TEST(never_the_last_that_probes_have_left)
{
    settings_make(4);
    set(SETTING_ejection_percent, "100%");
    pool_make();
    for (size_t i = 0; i < 3; i++)
        probe(i, false);
    requests_fail(3, 100);
    ck_assert_uint_eq(up(), 1); /* 0001 */
    probe(0, true);
    probe(0, true);
    ck_assert_uint_eq(up(), 1001);
    requests_fail(3, 1); /* its row is long; now it is not the last any more */
    ck_assert_uint_eq(up(), 1000);
    pool_end();
}
END_TEST

START_TEST(probes_end_an_ejection_early)
{
    settings_make(2);
    set(SETTING_rise, "2");
    pool_make();
    for (int i = 0; i < 5; i++)
        probe(0, true); /* those before do not count */
    requests_fail(0, 5);
    ck_assert(!is_up(0));
    probe(0, true);
    ck_assert(!is_up(0));
    probe(0, true);
    ck_assert(is_up(0));
    requests_fail(0, 4);
    ck_assert(is_up(0));
    pool_end();
}
END_TEST

START_TEST(the_end_of_an_ejection_does_not_bring_up_what_probes_hold_down)
{
    settings_make(2);
    pool_make();
    probe(0, true);
    requests_fail(0, 5);
    for (int i = 0; i < 3; i++)
        probe(0, false);
    now += 10000;
    health_sweep(pool, now);
    ck_assert(!is_up(0));
    probe(0, true);
    ck_assert(!is_up(0));
    probe(0, true);
    ck_assert(is_up(0));
    pool_end();
}
END_TEST

/** Each change is one line: who, to what, why, from what. */
START_TEST(changes_are_told)
{
    char path[] = "/tmp/steelyard-unit-XXXXXX";
    char text[2000] = "";
    int fd = mkstemp(path);

    dup2(fd, STDERR_FILENO);
    settings_make(2);
    pool_make();
    requests_fail(0, 7);
    probe(1, true);
    probe(0, true);
    probe(0, true);
    ck_assert_int_ne(pread(fd, text, sizeof(text) - 1, 0), -1);
    ck_assert_ptr_nonnull(
        strstr(text, "warn  http://127.0.0.1:8081 [down] (5 requests failed "
                     "in a row, the last one: connection refused; ejected for "
                     "10000 ms; was up)\n"));
    ck_assert_ptr_nonnull(strstr(text, "info  http://127.0.0.1:8081 [up] "
                                       "(probes pass; was down)\n"));
    ck_assert_ptr_null(strstr(text, "8082"));
    ck_assert_ptr_eq(strchr(strchr(text, '\n') + 1, '\n') + 1,
                     text + strlen(text)); /* two lines */
    pool_end();
    close(fd);
    unlink(path);
}
END_TEST

static void *fail_and_serve(void *arg)
{
    size_t which = *(const size_t *)arg;

    for (int i = 0; i < 3000; i++) {
        struct backend *backend = at((which + (unsigned)i) % pool->count);

        health_failed(pool, backend, "it was slow", now);
        if (i % 7 == 0)
            health_served(backend);
        if (i % 5 == 0)
            health_judge(pool, backend, i % 10 == 0, "no answer", now);
        if (i % 3 == 0)
            health_sweep(pool, now + i);
    }
    return NULL;
}

START_TEST(verdicts_are_whole_among_threads)
{
    pthread_t threads[THREADS];
    size_t numbers[THREADS];
    unsigned ejected = 0;

    settings_make(6);
    set(SETTING_ejection_ms, "100ms");
    pool_make();
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    for (size_t i = 0; i < THREADS; i++) {
        numbers[i] = i;
        pthread_create(&threads[i], NULL, fail_and_serve, &numbers[i]);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < pool->count; i++) {
        const struct health_state *health = &at(i)->health;

        ck_assert_int_eq(is_up(i), health->well && !health->ejected);
        ejected += health->ejected;
    }
    ck_assert_uint_le(ejected, 3);
    pool_end();
}
END_TEST

/* --- the pool ----------------------------------------------------------------- */

/** Ask for a backend; its place, or that many for none. */
enum { FULL = 100, NONE = 101 };

static size_t ask(uint64_t tried, struct backend *preferred)
{
    struct pool_question question = {
        .tried = {{tried}}, .preferred = preferred, .now_ms = now};
    struct backend *backend = NULL;

    seen_count = 0;
    switch (pool_pick(pool, &question, &backend)) {
    case PICKED_BACKEND: return backend->slot;
    case PICKED_FULL: ck_assert_ptr_null(backend); return FULL;
    case PICKED_NONE: ck_assert_ptr_null(backend); return NONE;
    }
    ck_abort_msg("no answer");
}

static size_t pick(void)
{
    return ask(0, NULL);
}

/** Take a backend down, by probes. */
static void take_down(size_t place)
{
    for (unsigned i = 0; i < settings.fall; i++)
        probe(place, false);
    ck_assert(!is_up(place));
}

START_TEST(the_policy_of_the_settings_is_used)
{
    static const char *const names[] = {"round-robin",     "least-connections",
                                        "two-choices",     "address-hash",
                                        "consistent-hash", "latency"};

    settings_make(1);
    set(SETTING_policy, names[_i]);
    roster = roster_new();
    pool = pool_new(&settings, roster);
    ck_assert_str_eq(pool->kind->name, names[_i]);
    pool_end();
}
END_TEST

START_TEST(a_pick_takes_a_place_until_it_is_given_back)
{
    settings_make(2);
    pool_make();
    ck_assert_uint_eq(pick(), 0);
    ck_assert_uint_eq(pick(), 0);
    ck_assert_uint_eq(atomic_load(&at(0)->in_flight), 2);
    ck_assert_uint_eq(atomic_load(&pool->in_flight), 2);
    pool_give(pool, at(0));
    pool_give(pool, at(0));
    ck_assert_uint_eq(atomic_load(&at(0)->in_flight), 0);
    ck_assert_uint_eq(atomic_load(&pool->in_flight), 0);
    pool_end();
}
END_TEST

START_TEST(a_policy_sees_the_facts)
{
    settings_make(2);
    settings.backends[1].weight = 3;
    pool_make();
    backend_add_latency(at(1), 777);
    backend_take_place(at(1));
    pick();
    ck_assert_uint_eq(seen_count, 2);
    ck_assert_uint_eq(seen_turn, 0);
    ck_assert_uint_eq(seen[1].identity, at(1)->identity);
    ck_assert_uint_eq(seen[1].weight, 3 * seen[0].weight);
    ck_assert_uint_eq(seen[1].in_flight, 1);
    ck_assert_uint_eq(seen[1].latency_us, 777);
    ck_assert_uint_eq(seen[0].in_flight, 0);
    pick();
    ck_assert_uint_eq(seen_turn, 1);
    ck_assert_uint_eq(seen[0].in_flight, 1);
    pool_end();
}
END_TEST

START_TEST(only_those_that_are_up_are_asked)
{
    settings_make(3);
    pool_make();
    take_down(0);
    ck_assert_uint_eq(pick(), 1);
    ck_assert_uint_eq(seen_count, 2);
    take_down(1);
    ck_assert_uint_eq(pick(), 2);
    ck_assert_uint_eq(seen_count, 1);
    pool_end();
}
END_TEST

START_TEST(backups_serve_when_all_others_are_down)
{
    settings_make(4);
    settings.backends[0].is_backup = true;
    settings.backends[3].is_backup = true;
    pool_make();
    ck_assert_uint_eq(pick(), 1);
    ck_assert_uint_eq(seen_count, 2);
    take_down(1);
    ck_assert_uint_eq(pick(), 2);
    ck_assert_uint_eq(seen_count, 1);
    take_down(2);
    ck_assert_uint_eq(pick(), 0);
    ck_assert_uint_eq(seen_count, 2);
    take_down(0);
    ck_assert_uint_eq(pick(), 3);
    probe(2, true);
    probe(2, true);
    ck_assert_uint_eq(pick(), 2);
    pool_end();
}
END_TEST

START_TEST(the_tried_ones_are_left_out)
{
    settings_make(3);
    pool_make();
    ck_assert_uint_eq(ask(1, NULL), 1);
    ck_assert_uint_eq(seen_count, 2);
    ck_assert_uint_eq(ask(3, NULL), 2);
    ck_assert_uint_eq(ask(5, NULL), 1);
    ck_assert_uint_eq(ask(7, NULL), NONE);
    ck_assert_uint_eq(seen_count, 0);
    pool_end();
}
END_TEST

START_TEST(the_last_of_as_many_as_there_may_be)
{
    settings_make(BACKENDS_MAX);
    pool_make();
    ck_assert_uint_eq(ask(UINT64_MAX >> 1, NULL), 63);
    ck_assert_uint_eq(ask(UINT64_MAX, NULL), NONE);
    pool_end();
}
END_TEST

/** The usual one refuses, and is not down yet: this request is still served. */
START_TEST(a_backup_is_tried_when_the_others_were)
{
    settings_make(3);
    settings.backends[2].is_backup = true;
    pool_make();
    ck_assert_uint_eq(ask(1, NULL), 1);
    ck_assert_uint_eq(ask(3, NULL), 2);
    ck_assert_uint_eq(ask(7, NULL), NONE);
    take_down(2);
    ck_assert_uint_eq(ask(3, NULL), NONE);
    pool_end();
}
END_TEST

START_TEST(full_is_not_none)
{
    settings_make(2);
    settings.backends[0].in_flight_max = 1;
    settings.backends[1].in_flight_max = 2;
    pool_make();
    ck_assert_uint_eq(pick(), 0);
    ck_assert_uint_eq(pick(), 1);
    ck_assert_uint_eq(seen_count, 1);
    ck_assert_uint_eq(pick(), 1);
    ck_assert_uint_eq(pick(), FULL);
    ck_assert_uint_eq(ask(1, NULL), FULL);
    ck_assert_uint_eq(ask(3, NULL), NONE);
    ck_assert_uint_eq(atomic_load(&pool->in_flight), 3);
    pool_give(pool, at(0));
    ck_assert_uint_eq(pick(), 0);
    ck_assert_uint_eq(ask(2, NULL), FULL);
    pool_end();
}
END_TEST

/** While the usual ones are busy, backups do not help out: requests wait. */
START_TEST(full_does_not_wake_backups)
{
    settings_make(2);
    settings.backends[0].in_flight_max = 1;
    settings.backends[1].is_backup = true;
    pool_make();
    ck_assert_uint_eq(pick(), 0);
    ck_assert_uint_eq(pick(), FULL);
    pool_end();
}
END_TEST

static struct health_change changes[8];
static size_t change_count;

static void on_change(void *arg, const struct health_change *change)
{
    ck_assert_ptr_eq(arg, &change_count);
    ck_assert_uint_lt(change_count, 8);
    changes[change_count++] = *change;
}

START_TEST(one_that_drains_gets_nothing_new)
{
    settings_make(2);
    pool_make();
    health_set_ready(pool, at(0), false, now);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(pick(), 1);
    ck_assert_uint_eq(seen_count, 1);
    health_set_ready(pool, at(1), false, now);
    ck_assert_uint_eq(pick(), NONE);
    health_set_ready(pool, at(0), true, now);
    ck_assert_uint_eq(pick(), 0);
    for (int i = 0; i < 4; i++)
        pool_give(pool, at(1));
    pool_give(pool, at(0));
    pool_end();
}
END_TEST

START_TEST(each_change_is_told_once)
{
    struct health_view view;
    const char *why;

    settings_make(2);
    pool_make();
    ck_assert(backend_find(at(0), &why));
    change_count = 0;
    roster->on_change = on_change;
    roster->change_arg = &change_count;
    take_down(0);
    health_set_ready(pool, at(0), false, now);
    health_set_ready(pool, at(0), false, now);
    health_look(pool, at(0), now, &view);
    ck_assert_int_eq(view.state, BACKEND_DRAINING);
    ck_assert_uint_eq(view.failed, settings.fall);
    ck_assert(view.probed && !view.last_passed);
    health_set_ready(pool, at(0), true, now);
    health_look(pool, at(0), now, &view);
    ck_assert_int_eq(view.state, BACKEND_DOWN);
    ck_assert_str_eq(view.why, "the probe was refused");
    ck_assert_uint_eq(change_count, 3);
    ck_assert_int_eq(changes[0].from, BACKEND_UP);
    ck_assert_int_eq(changes[0].to, BACKEND_DOWN);
    ck_assert_int_eq(changes[1].to, BACKEND_DRAINING);
    ck_assert_int_eq(changes[2].to, BACKEND_DOWN);
    ck_assert_str_eq(backend_state_word(changes[1].to), "draining");
    pool_end();
}
END_TEST

START_TEST(none_healthy_try_all)
{
    settings_make(3);
    settings.backends[2].is_backup = true;
    set(SETTING_none_healthy, "try-all");
    pool_make();
    for (size_t i = 0; i < 3; i++)
        take_down(i);
    ck_assert_uint_eq(pick(), 0);
    ck_assert_uint_eq(seen_count, 3);
    ck_assert(atomic_load(&pool->all_down));
    ck_assert_uint_eq(ask(1, NULL), 1);
    ck_assert_uint_eq(ask(7, NULL), NONE);
    probe(1, true);
    probe(1, true);
    ck_assert_uint_eq(pick(), 1);
    ck_assert_uint_eq(seen_count, 1);
    ck_assert(!atomic_load(&pool->all_down));
    pool_end();
}
END_TEST

/** What a request asks for, that was refused by those in the set. */
static enum picked ask_refused(uint64_t tried, struct backend **backend)
{
    struct pool_question question = {
        .tried = {{tried}}, .was_refused = true, .now_ms = now};

    *backend = NULL;
    return pool_pick(pool, &question, backend);
}

START_TEST(who_is_refused_may_ask_those_that_are_down)
{
    struct backend *backend;

    settings_make(3);
    set(SETTING_none_healthy, "try-all");
    pool_make();
    take_down(1);
    take_down(2);
    health_set_ready(pool, at(2), false, now);
    ck_assert_uint_eq(ask(1, NULL), NONE);
    ck_assert_int_eq(ask_refused(1, &backend), PICKED_BACKEND);
    ck_assert_ptr_eq(backend, at(1));
    ck_assert_int_eq(ask_refused(3, &backend), PICKED_NONE);
    ck_assert(!atomic_load(&pool->all_down));
    set(SETTING_none_healthy, "fail");
    ck_assert_int_eq(ask_refused(1, &backend), PICKED_NONE);
    pool_end();
}
END_TEST

START_TEST(none_healthy_fail)
{
    settings_make(2);
    set(SETTING_none_healthy, "fail");
    pool_make();
    take_down(0);
    take_down(1);
    ck_assert_uint_eq(pick(), NONE);
    ck_assert_uint_eq(atomic_load(&pool->in_flight), 0);
    probe(0, true);
    probe(0, true);
    ck_assert_uint_eq(pick(), 0);
    pool_end();
}
END_TEST

START_TEST(the_preferred_one_is_taken_when_it_may_serve)
{
    settings_make(4);
    settings.backends[3].is_backup = true;
    settings.backends[1].in_flight_max = 1;
    pool_make();
    ck_assert_uint_eq(ask(0, at(2)), 2);
    ck_assert_uint_eq(seen_count, 0);    /* the policy was not asked */
    ck_assert_uint_eq(ask(4, at(2)), 0); /* tried */
    ck_assert_uint_eq(ask(0, at(3)), 0); /* a backup */
    ck_assert_uint_eq(ask(0, at(1)), 1);
    ck_assert_uint_eq(ask(0, at(1)), 0); /* full */
    take_down(2);
    ck_assert_uint_eq(ask(0, at(2)), 0); /* down */
    pool_end();
}
END_TEST

static void *pick_and_give(void *arg)
{
    struct pool_question question = {.now_ms = now};

    (void)arg;
    for (int i = 0; i < TAKES / 5; i++) {
        struct backend *backend;

        if (pool_pick(pool, &question, &backend) != PICKED_BACKEND)
            continue;
        atomic_fetch_add(&taken, 1);
        if (atomic_load(&backend->in_flight) > backend->in_flight_max)
            atomic_fetch_add(&over, 1);
        pool_give(pool, backend);
    }
    return NULL;
}

static size_t pick_by_turn(struct policy *policy, const struct candidates *from)
{
    (void)policy;
    return from->turn % from->count;
}

START_TEST(picks_of_threads_keep_the_limits)
{
    static const struct policy_kind turns = {.pick = pick_by_turn};
    pthread_t threads[THREADS];

    settings_make(THREADS - 1);
    set(SETTING_in_flight_max, "1");
    pool_make();
    pool->kind = &turns;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, pick_and_give, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(atomic_load(&over), 0);
    ck_assert_uint_gt(atomic_load(&taken), 0);
    ck_assert_uint_eq(atomic_load(&pool->in_flight), 0);
    for (size_t i = 0; i < pool->count; i++)
        ck_assert_uint_eq(atomic_load(&at(i)->in_flight), 0);
    pool_end();
}
END_TEST

/** How many may be tried again at once, with so many in flight? */
static unsigned retries_with(unsigned in_flight)
{
    unsigned count = 0;

    atomic_store(&pool->in_flight, in_flight);
    while (pool_begin_retry(pool))
        count++;
    ck_assert(!pool_begin_retry(pool)); /* a refusal takes nothing */
    for (unsigned i = 0; i < count; i++)
        pool_end_retry(pool);
    ck_assert_uint_eq(atomic_load(&pool->retrying), 0);
    return count;
}

START_TEST(retries_have_a_budget_with_a_floor)
{
    settings_make(1);
    set(SETTING_retry_budget, "20%");
    set(SETTING_retry_budget_min, "3");
    pool_make();
    ck_assert_uint_eq(retries_with(0), 3);
    ck_assert_uint_eq(retries_with(1), 3);
    ck_assert_uint_eq(retries_with(19), 3);
    ck_assert_uint_eq(retries_with(20), 4);
    ck_assert_uint_eq(retries_with(1000), 200);
    settings.retry_budget_min = 0;
    ck_assert_uint_eq(retries_with(4), 0);
    ck_assert_uint_eq(retries_with(5), 1);
    settings.retry_budget = 0;
    ck_assert_uint_eq(retries_with(1000), 0);
    pool_end();
}
END_TEST

START_TEST(what_goes_well_saves_for_retries)
{
    settings_make(1);
    set(SETTING_retry_budget, "20%");
    set(SETTING_retry_budget_min, "0");
    pool_make();
    for (int i = 0; i < 4; i++)
        pool_save(pool);
    ck_assert_uint_eq(retries_with(0), 0);
    pool_save(pool);
    ck_assert_uint_eq(retries_with(0), 1);
    ck_assert_uint_eq(retries_with(0), 0); /* it is spent */
    for (int i = 0; i < 500; i++)
        pool_save(pool);
    ck_assert_uint_eq(retries_with(10), 102);
    for (int i = 0; i < 100000; i++)
        pool_save(pool);
    ck_assert_uint_eq(retries_with(0), 1000);
    settings.retry_budget = 0;
    pool_save(pool);
    ck_assert_uint_eq(retries_with(0), 0);
    pool_end();
}
END_TEST

/** One that is down is left out as long as others serve. */
START_TEST(who_is_down_is_left_out_if_others_serve)
{
    settings_make(2);
    pool_make();
    ck_assert(!pool_has_left_out(pool, at(0)));
    probe(0, false);
    ck_assert(pool_has_left_out(pool, at(0)));
    ck_assert(!pool_has_left_out(pool, at(1)));
    probe(1, false);
    ck_assert(!pool_has_left_out(pool, at(0)));
    pool_end();
}
END_TEST

/** The share of the first, against the second, so long after it came up. */
static unsigned share_after(int64_t ms)
{
    struct pool_question question = {.now_ms =
                                         atomic_load(&at(0)->up_since_ms) + ms};
    struct backend *backend;

    ck_assert_int_eq(pool_pick(pool, &question, &backend), PICKED_BACKEND);
    ck_assert_uint_eq(seen_count, 2);
    ck_assert_uint_ge(seen[0].weight, 1);
    return seen[0].weight * 100 / seen[1].weight;
}

START_TEST(who_came_up_starts_slowly)
{
    unsigned before;

    settings_make(2);
    set(SETTING_slow_start_ms, "30s");
    pool_make();
    ck_assert_uint_eq(share_after(0), 100); /* up from the start: no slow one */
    take_down(0);
    now += 5000;
    probe(0, true);
    probe(0, true);
    before = share_after(0);
    ck_assert_uint_eq(before, 10);
    for (int64_t ms = 1; ms < 30000; ms += 500) {
        unsigned share = share_after(ms);

        ck_assert_uint_ge(share, before);
        ck_assert_uint_lt(share, 100);
        before = share;
    }
    ck_assert_uint_ge(before, 90);
    ck_assert_uint_eq(share_after(15000), 50);
    ck_assert_uint_eq(share_after(30000), 100);
    settings.slow_start_ms = 0;
    ck_assert_uint_eq(share_after(0), 100);
    pool_end();
}
END_TEST

/* --- connections -------------------------------------------------------------- */

static const char *const pollers[] = {"auto", "poll"};

/** A loop, and a backend that is a listener of ours. */
struct lane {
    struct loop *loop;
    int listener;
    struct settings_backend configured;
    struct backend backend;
};

/** One connection: our end, and the backend's. */
struct road {
    struct upstream *upstream; /**< NULL when somebody else owns it */
    struct stream peer;
};

static unsigned events;

static void stop_it(void *loop)
{
    loop_stop(loop);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

static const struct upstream_manner plainly;

static void count_event(void *user)
{
    ck_assert_ptr_eq(user, &events);
    events++;
}

/** One turn that waits for nothing. */
static void turn(struct lane *lane)
{
    loop_call(lane->loop, do_nothing, NULL);
    loop_run(lane->loop);
}

static void lane_open(struct lane *lane, const char *poller)
{
    struct listener_settings where = {.is_shared = false};
    union address address;
    struct fault fault;
    const char *why;

    settings_init(&settings);
    ck_assert(address_parse(&where.where, text_of("127.0.0.1"), 0));
    ck_assert(listener_open(&where, &lane->listener, &fault));
    listener_address(lane->listener, &address);
    lane->configured = (struct settings_backend){.url = "http://127.0.0.1",
                                                 .host = "127.0.0.1",
                                                 .port = address_port(&address),
                                                 .weight = 1};
    backend_init(&lane->backend, &lane->configured, 0);
    ck_assert(backend_find(&lane->backend, &why));
    lane->loop = loop_new(poller_find(poller));
    ck_assert_ptr_nonnull(lane->loop);
    loop_on_turn(lane->loop, stop_it, lane->loop);
}

static void lane_close(struct lane *lane)
{
    backend_fini(&lane->backend);
    close(lane->listener);
    loop_free(&lane->loop);
    settings_fini(&settings);
}

/** Connect, and accept at the other end. */
static void road_open(struct road *road, struct lane *lane)
{
    struct pollfd waiting = {.fd = lane->listener, .events = POLLIN};
    union address from;
    struct upstream_fault fault = {"", false};
    enum io io = upstream_open(lane->loop, &lane->backend, &plainly,
                               count_event, &events, &road->upstream, &fault);

    ck_assert_msg(io != IO_BROKEN, "%s", fault.why);
    ck_assert_ptr_eq(road->upstream->backend, &lane->backend);
    while (io == IO_WAIT) {
        loop_run(lane->loop);
        io = upstream_finish(road->upstream);
    }
    ck_assert_int_eq(io, IO_DONE);
    ck_assert_int_eq(poll(&waiting, 1, -1), 1);
    ck_assert_int_eq(listener_accept(lane->listener, &road->peer, &from),
                     ACCEPTED_CLIENT);
    road->upstream->rest_ms = 4000;
    turn(lane);
}

static void road_close(struct road *road, struct lane *lane)
{
    upstream_free(&road->upstream);
    ck_assert_ptr_null(road->upstream);
    stream_close(&road->peer, lane->loop);
}

/** Let one rest; we know it by the backend's end of it. */
static void rest(struct idle_cache *cache, struct road *road, int64_t at_ms)
{
    idle_cache_give(cache, &road->upstream, at_ms);
    ck_assert_ptr_null(road->upstream);
}

/** Is our end of it closed by now? Waits for news of it. */
static bool is_gone(const struct road *road)
{
    struct pollfd one = {.fd = road->peer.watch.fd, .events = POLLIN};
    char byte;

    ck_assert_int_eq(poll(&one, 1, -1), 1);
    return recv(one.fd, &byte, 1, MSG_PEEK) <= 0;
}

/** Nothing has come: our end of it is open, and silent. */
static bool is_there(const struct road *road)
{
    char byte;

    return recv(road->peer.watch.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == -1 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
}

/** The backend says something, or ends; wait until we could know. */
static void peer_does(struct road *road, bool speaks, int our_fd)
{
    struct pollfd ours = {.fd = our_fd, .events = POLLIN};

    if (speaks)
        ck_assert_int_eq(send(road->peer.watch.fd, "?", 1, 0), 1);
    else
        stream_shut(&road->peer);
    ck_assert_int_eq(poll(&ours, 1, -1), 1);
}

START_TEST(a_connection_is_made_used_and_ended)
{
    struct lane lane;
    struct road road;
    char byte;
    size_t got;

    lane_open(&lane, pollers[_i]);
    road_open(&road, &lane);
    peer_does(&road, true, road.upstream->stream.watch.fd);
    events = 0;
    turn(&lane);
    ck_assert_uint_eq(events, 1);
    ck_assert_int_eq(stream_receive(&road.upstream->stream, &byte, 1, &got),
                     IO_DONE);
    ck_assert_int_eq(byte, '?');
    upstream_free(&road.upstream);
    ck_assert_ptr_null(road.upstream);
    upstream_free(&road.upstream); /* none is none */
    ck_assert(is_gone(&road));
    road_close(&road, &lane);
    lane_close(&lane);
}
END_TEST

START_TEST(a_refused_connection_says_why)
{
    struct lane lane;
    struct upstream *upstream;
    struct upstream_fault fault = {NULL, true};
    int holder = socket(AF_INET, SOCK_STREAM, 0);
    union address *known;
    socklen_t length = sizeof(*known);
    enum io io;

    lane_open(&lane, pollers[_i]);
    known = &atomic_load(&lane.backend.addresses)->at[0];
    known->v4.sin_port = 0;
    ck_assert_int_eq(bind(holder, &known->any, address_length(known)), 0);
    getsockname(holder, &known->any, &length); /* taken, and not listened to */
    io = upstream_open(lane.loop, &lane.backend, &plainly, count_event, &events,
                       &upstream, &fault);
    while (io == IO_WAIT) {
        loop_run(lane.loop);
        io = upstream_finish(upstream);
        fault.why = stream_words(&upstream->stream);
        fault.is_ours = stream_is_short(&upstream->stream);
    }
    ck_assert_int_eq(io, IO_BROKEN);
    ck_assert_str_eq(fault.why, "connection refused");
    ck_assert(!fault.is_ours);
    upstream_free(&upstream);
    close(holder);
    lane_close(&lane);
}
END_TEST

START_TEST(without_an_address_there_is_no_connection)
{
    struct lane lane;
    struct upstream *upstream = (struct upstream *)&lane;
    struct upstream_fault fault = {NULL, true};

    lane_open(&lane, pollers[_i]);
    backend_fini(&lane.backend);
    ck_assert_int_eq(upstream_open(lane.loop, &lane.backend, &plainly,
                                   count_event, &events, &upstream, &fault),
                     IO_BROKEN);
    ck_assert_ptr_null(upstream);
    ck_assert_str_eq(fault.why, "its name was not found yet");
    ck_assert(!fault.is_ours);
    lane_close(&lane);
}
END_TEST

START_TEST(without_a_descriptor_the_fault_is_ours)
{
    struct lane lane;
    struct upstream *upstream = (struct upstream *)&lane;
    struct upstream_fault fault = {NULL, false};
    struct rlimit limit, none;

    lane_open(&lane, pollers[_i]);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    ck_assert_int_eq(upstream_open(lane.loop, &lane.backend, &plainly,
                                   count_event, &events, &upstream, &fault),
                     IO_BROKEN);
    setrlimit(RLIMIT_NOFILE, &limit);
    ck_assert_ptr_null(upstream);
    ck_assert_str_eq(fault.why, "out of descriptors");
    ck_assert(fault.is_ours);
    lane_close(&lane);
}
END_TEST

/* --- the idle cache ----------------------------------------------------------- */

enum { ROADS = 4 };

/** A lane with some connections, and a cache. */
struct park {
    struct lane lane;
    struct road roads[ROADS];
    int fds[ROADS]; /**< our ends */
    struct idle_cache cache;
};

static void park_open(struct park *park, const char *poller)
{
    lane_open(&park->lane, poller);
    for (int i = 0; i < ROADS; i++) {
        road_open(&park->roads[i], &park->lane);
        park->fds[i] = park->roads[i].upstream->stream.watch.fd;
    }
    idle_cache_init(&park->cache, &settings);
}

static void park_close(struct park *park)
{
    idle_cache_fini(&park->cache);
    ck_assert_uint_eq(park->cache.count, 0);
    for (int i = 0; i < ROADS; i++) {
        upstream_free(&park->roads[i].upstream);
        ck_assert(is_gone(&park->roads[i]));
        road_close(&park->roads[i], &park->lane);
    }
    lane_close(&park->lane);
}

/** Take one out; which was it? It goes back to where it came from. */
static int take(struct park *park, int64_t at_ms, int64_t rested_max_ms)
{
    struct upstream *upstream =
        idle_cache_take(&park->cache, at_ms, rested_max_ms);

    for (int i = 0; upstream != NULL && i < ROADS; i++) {
        if (upstream->stream.watch.fd != park->fds[i])
            continue;
        ck_assert_ptr_null(park->roads[i].upstream);
        upstream_use(upstream, count_event, &events);
        park->roads[i].upstream = upstream;
        return i;
    }
    ck_assert_ptr_null(upstream);
    return -1;
}

START_TEST(the_one_that_came_last_goes_first)
{
    struct park park;

    park_open(&park, pollers[_i]);
    ck_assert_int_eq(take(&park, now, 4000), -1);
    for (int i = 0; i < 3; i++)
        rest(&park.cache, &park.roads[i], now + i);
    ck_assert_uint_eq(park.cache.count, 3);
    ck_assert_int_eq(take(&park, now + 3, 4000), 2);
    ck_assert_int_eq(take(&park, now + 3, 4000), 1);
    rest(&park.cache, &park.roads[2], now + 4);
    ck_assert_int_eq(take(&park, now + 5, 4000), 2);
    ck_assert_int_eq(take(&park, now + 5, 4000), 0);
    ck_assert_int_eq(take(&park, now + 5, 4000), -1);
    ck_assert_uint_eq(park.cache.count, 0);
    park_close(&park);
}
END_TEST

START_TEST(no_more_rest_than_may)
{
    struct park park;

    park_open(&park, pollers[_i]);
    settings.idle_max = 2;
    for (int i = 0; i < 3; i++)
        rest(&park.cache, &park.roads[i], now);
    ck_assert_uint_eq(park.cache.count, 2);
    ck_assert(is_gone(&park.roads[2]));
    ck_assert(is_there(&park.roads[0]) && is_there(&park.roads[1]));
    settings.idle_max = 0;
    rest(&park.cache, &park.roads[3], now);
    ck_assert(is_gone(&park.roads[3]));
    park_close(&park);
}
END_TEST

START_TEST(one_that_is_too_old_or_must_not_rest_is_closed)
{
    struct park park;

    park_open(&park, pollers[_i]);
    park.roads[0].upstream->dies_ms = now;
    park.roads[1].upstream->rest_ms = 0;
    park.roads[2].upstream->dies_ms = now + 1;
    for (int i = 0; i < 3; i++)
        rest(&park.cache, &park.roads[i], now);
    ck_assert_uint_eq(park.cache.count, 1);
    ck_assert(is_gone(&park.roads[0]) && is_gone(&park.roads[1]));
    ck_assert(is_there(&park.roads[2]));
    park_close(&park);
}
END_TEST

/** A POST wants one that has hardly rested, or none. */
START_TEST(one_that_has_rested_longer_will_not_do)
{
    struct park park;

    park_open(&park, pollers[_i]);
    rest(&park.cache, &park.roads[0], now);
    ck_assert_int_eq(take(&park, now + 101, 100), -1);
    ck_assert_uint_eq(park.cache.count, 1); /* others may want it */
    ck_assert_int_eq(take(&park, now + 101, 101), 0);
    park_close(&park);
}
END_TEST

/** Nobody has swept yet, and it is not handed over all the same. */
START_TEST(one_whose_time_is_over_is_not_handed_over)
{
    struct park park;

    park_open(&park, pollers[_i]);
    park.roads[0].upstream->rest_ms = 1000;
    park.roads[1].upstream->dies_ms = now + 500;
    park.roads[2].upstream->rest_ms = 900;
    for (int i = 0; i < 3; i++)
        rest(&park.cache, &park.roads[i], now);
    ck_assert_int_eq(take(&park, now + 900, 4000), 0);
    ck_assert_uint_eq(park.cache.count, 0);
    ck_assert(is_gone(&park.roads[1]) && is_gone(&park.roads[2]));
    park_close(&park);
}
END_TEST

START_TEST(sweeping_closes_those_that_have_rested_enough)
{
    struct park park;

    park_open(&park, pollers[_i]);
    park.roads[1].upstream->rest_ms = 1000; /* its backend has said so */
    park.roads[2].upstream->dies_ms = now + 2000;
    for (int i = 0; i < ROADS; i++)
        rest(&park.cache, &park.roads[i], now + i);
    idle_cache_sweep(&park.cache, now + 1000);
    ck_assert_uint_eq(park.cache.count, 4);
    idle_cache_sweep(&park.cache, now + 1001);
    ck_assert_uint_eq(park.cache.count, 3);
    ck_assert(is_gone(&park.roads[1]));
    idle_cache_sweep(&park.cache, now + 2000);
    ck_assert_uint_eq(park.cache.count, 2);
    ck_assert(is_gone(&park.roads[2]));
    idle_cache_sweep(&park.cache, now + 4000);
    ck_assert_uint_eq(park.cache.count, 1);
    ck_assert(is_gone(&park.roads[0]) && is_there(&park.roads[3]));
    ck_assert_int_eq(take(&park, now + 4000, 4000), 3);
    park_close(&park);
}
END_TEST

/** 0: it closes, 1: it says something that nobody asked for. */
static const struct {
    const char *poller;
    bool speaks;
} peers[] = {{"auto", false}, {"auto", true}, {"poll", false}, {"poll", true}};

START_TEST(one_whose_peer_stirs_while_it_rests_is_closed)
{
    struct park park;

    park_open(&park, peers[_i].poller);
    for (int i = 0; i < 3; i++)
        rest(&park.cache, &park.roads[i], now);
    peer_does(&park.roads[1], peers[_i].speaks, park.fds[1]);
    events = 0;
    turn(&park.lane);
    turn(&park.lane);
    ck_assert_uint_eq(park.cache.count, 2);
    ck_assert_uint_eq(events, 0); /* who used it before is not called */
    ck_assert(is_gone(&park.roads[1]));
    ck_assert(is_there(&park.roads[0]) && is_there(&park.roads[2]));
    park_close(&park);
}
END_TEST

/** It has stirred before it rests, and was told of that: never again. */
START_TEST(one_whose_peer_has_stirred_does_not_rest)
{
    struct park park;

    park_open(&park, peers[_i].poller);
    peer_does(&park.roads[0], peers[_i].speaks, park.fds[0]);
    turn(&park.lane);
    ck_assert(park.roads[0].upstream->stream.watch.ready & READY_READ);
    rest(&park.cache, &park.roads[0], now);
    ck_assert_uint_eq(park.cache.count, 0);
    ck_assert(is_gone(&park.roads[0]));
    park_close(&park);
}
END_TEST

/** News that a turn has brought, and that nobody was called for yet. */
static struct park *busy;
static int busy_took;

static void take_in_a_turn(void *user)
{
    (void)user;
    busy_took = take(busy, now, 4000);
}

START_TEST(one_that_has_stirred_in_this_turn_is_not_handed_over)
{
    struct park park;

    park_open(&park, peers[_i].poller);
    busy = &park;
    busy_took = -2;
    rest(&park.cache, &park.roads[0], now);
    rest(&park.cache, &park.roads[1], now);
    upstream_use(park.roads[2].upstream, take_in_a_turn, NULL);
    loop_again(park.lane.loop, &park.roads[2].upstream->stream.watch);
    peer_does(&park.roads[1], peers[_i].speaks, park.fds[1]);
    turn(&park.lane); /* the third is called first: it has asked before */
    ck_assert_int_eq(busy_took, 0);
    ck_assert(is_gone(&park.roads[1]));
    park_close(&park);
}
END_TEST

static void add_backend(Suite *suite)
{
    unit_add(suite, a_backend_begins_up_with_what_is_configured, 1);
    unit_add(suite, the_limit_of_all_holds_for_those_without_one, 1);
    unit_add(suite, a_backend_has_so_many_places, 1);
    unit_add(suite, places_are_exact_among_threads, 1);
    unit_add(suite, slow_answers_count_at_once_and_quick_ones_little_by_little,
             1);
    unit_add(suite, failures_count_as_slow, 1);
    unit_add(suite, no_time_at_all_is_not_unknown, 1);
    unit_add(suite, addresses_take_turns_once_they_are_known, 1);
    unit_add(suite, what_was_known_stays_when_nothing_is_found, 1);
}

static void add_health(Suite *suite)
{
    unit_add(suite, the_first_probe_decides, 1);
    unit_add(suite, fall_and_rise_count_rows, 1);
    unit_add(suite, failures_in_a_row_eject, 1);
    unit_add(suite, failures_max_0_never_ejects, 1);
    unit_add(suite, an_ejection_ends_by_time, 1);
    unit_add(suite, ejections_in_a_row_grow_up_to_a_limit, 1);
    unit_add(suite, a_request_that_goes_well_ends_the_row_of_ejections, 1);
    unit_add(suite, a_request_that_ends_well_during_an_ejection_does_not, 1);
    unit_add(suite, never_more_than_a_share_and_never_the_last, COUNT(shares));
    unit_add(suite, never_the_last_that_probes_have_left, 1);
    unit_add(suite, probes_end_an_ejection_early, 1);
    unit_add(suite,
             the_end_of_an_ejection_does_not_bring_up_what_probes_hold_down, 1);
    unit_add(suite, changes_are_told, 1);
    unit_add(suite, verdicts_are_whole_among_threads, 1);
}

static void add_pool(Suite *suite)
{
    unit_add(suite, the_policy_of_the_settings_is_used, 6);
    unit_add(suite, a_pick_takes_a_place_until_it_is_given_back, 1);
    unit_add(suite, a_policy_sees_the_facts, 1);
    unit_add(suite, only_those_that_are_up_are_asked, 1);
    unit_add(suite, backups_serve_when_all_others_are_down, 1);
    unit_add(suite, the_tried_ones_are_left_out, 1);
    unit_add(suite, the_last_of_as_many_as_there_may_be, 1);
    unit_add(suite, a_backup_is_tried_when_the_others_were, 1);
    unit_add(suite, full_is_not_none, 1);
    unit_add(suite, full_does_not_wake_backups, 1);
    unit_add(suite, one_that_drains_gets_nothing_new, 1);
    unit_add(suite, each_change_is_told_once, 1);
    unit_add(suite, none_healthy_try_all, 1);
    unit_add(suite, who_is_refused_may_ask_those_that_are_down, 1);
    unit_add(suite, none_healthy_fail, 1);
    unit_add(suite, the_preferred_one_is_taken_when_it_may_serve, 1);
    unit_add(suite, picks_of_threads_keep_the_limits, 1);
    unit_add(suite, retries_have_a_budget_with_a_floor, 1);
    unit_add(suite, what_goes_well_saves_for_retries, 1);
    unit_add(suite, who_is_down_is_left_out_if_others_serve, 1);
    unit_add(suite, who_came_up_starts_slowly, 1);
}

static void add_connection(Suite *suite)
{
    const int each = COUNT(pollers);

    unit_add(suite, a_connection_is_made_used_and_ended, each);
    unit_add(suite, a_refused_connection_says_why, each);
    unit_add(suite, without_an_address_there_is_no_connection, each);
    unit_add(suite, without_a_descriptor_the_fault_is_ours, each);
    unit_add(suite, the_one_that_came_last_goes_first, each);
    unit_add(suite, no_more_rest_than_may, each);
    unit_add(suite, one_that_is_too_old_or_must_not_rest_is_closed, each);
    unit_add(suite, one_that_has_rested_longer_will_not_do, each);
    unit_add(suite, one_whose_time_is_over_is_not_handed_over, each);
    unit_add(suite, sweeping_closes_those_that_have_rested_enough, each);
    unit_add(suite, one_whose_peer_stirs_while_it_rests_is_closed,
             COUNT(peers));
    unit_add(suite, one_whose_peer_has_stirred_does_not_rest, COUNT(peers));
    unit_add(suite, one_that_has_stirred_in_this_turn_is_not_handed_over,
             COUNT(peers));
}

int main(void)
{
    Suite *suite = suite_create("upstream");

    add_backend(suite);
    add_health(suite);
    add_pool(suite);
    add_connection(suite);
    return unit_run(suite);
}

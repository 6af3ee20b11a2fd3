/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The full balancer: a new configuration is read while it serves. In each of
 * these, the file is written anew, SIGHUP is sent, and we wait until the log
 * says how that went; clients, and backends, are not to notice more of it than
 * what was meant.
 */
#include "behaviours.h"
#include "lab.h"
#include "load.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/** The beginning of most files: where to listen, and often enough probes. */
#define LISTEN "{\"listen\": {\"address\": \"127.0.0.1\", \"port\": 0},\n"
#define SERVE  LISTEN "\"health_check_interval\": \"100ms\",\n"
#define TWO    "\"backends\": [\"{0}\", \"{1}\"]"

/** A file in which nobody is asked for his health. */
#define UNASKED LISTEN "\"health\": {\"enabled\": false},\n"

/** A lab with so many backends that behave, configured by this file. */
static void lab_filed(struct lab *lab, size_t count, const char *text)
{
    lab_init(lab);
    lab_backends(lab, count);
    lab_config_kept(lab, text);
}

/** The same, and the balancer runs. */
static void lab_open(struct lab *lab, size_t count, const char *text)
{
    lab_filed(lab, count, text);
    lab_start_alone(lab);
}

/** Insist that the log says so, soon. */
static void is_logged(const struct lab *lab, const char *words)
{
    insist(lab_logs(lab, words, 4000), "expected \"%s\" in the log; it says %s",
           words, process_text(lab->lb.err));
}

/* --- under load ------------------------------------------------------------ */

static void load_loses_nothing(void)
{
    static const char *const files[] = {
        SERVE "\"backends\": [\"{0}\", \"{1}\", \"{2}\"]}", /* added */
        SERVE "\"backends\": [\"{2}\", \"{1}\"]}",          /* removed */
        SERVE "\"backends\": [\"{0}\", \"{3}\"]}",          /* exchanged */
        SERVE "\"backends\": [\"{1}\", \"{2}\"]}",          /* likewise */
        SERVE TWO ", \"policy\": {\"name\": \"least-connections\"}}",
        SERVE TWO ", \"policy\": {\"name\": \"consistent-hash\"}}",
        SERVE TWO ", \"timeouts\": {\"response\": \"9s\"}}",
        SERVE "\"backends\": [{\"url\": \"{0}\", \"weight\": 5}, \"{1}\"]}",
        UNASKED "\"backends\": [\"{3}\"]}", /* unasked */
        SERVE TWO "}",
    };
    struct lab lab;
    struct load load;
    long served = 0;

    lab_filed(&lab, 4, SERVE TWO "}");
    lab_start(&lab);
    load_begin(&load, &lab, true);
    for (size_t i = 0; i < 2 * COUNT(files); i++) {
        lab_reload(&lab, files[i % COUNT(files)], true);
        load_goes_on(&load, 20);
    }
    load_end(&load);
    for (size_t i = 0; i < 4; i++)
        served += lab_count(&lab, i, "/livez");
    insist(served == atomic_load(&load.asked),
           "%ld requests were answered; expected the backends to have got each "
           "once; they got %ld",
           atomic_load(&load.asked), served);
    lab_end(&lab);
}

static void bursts_lose_nothing(void)
{
    struct lab lab;
    struct load load;

    lab_filed(&lab, 2, SERVE TWO "}");
    lab_start(&lab);
    load_begin(&load, &lab, true);
    for (int i = 0; i < 10; i++) {
        /* Some of them come while others are under way. */
        kill(lab.lb.pid, SIGHUP);
        kill(lab.lb.pid, SIGHUP);
        lab_reload(&lab, SERVE TWO "}", true);
    }
    load_goes_on(&load, 20);
    load_end(&load);
    lab_end(&lab);
}

/* --- what has begun -------------------------------------------------------- */

/** A request that runs while the test goes on. */
static struct fetches *begin(const struct lab *lab, const char *path,
                             size_t count)
{
    return fetches_begin(
        &(struct request){.url = lab_url(lab, path), .timeout_ms = 8000},
        count);
}

/** Wait until a backend has got so many of them. */
static void backend_has(const struct lab *lab, struct fetches *fetches,
                        size_t which, const char *path, long count)
{
    insist(holds_within(4000, (fetches_run(fetches, 5),
                               lab_count(lab, which, path) >= count)),
           "expected backend %zu to get %ld requests; it got %ld", which, count,
           lab_count(lab, which, path));
}

static void what_runs_finishes_on_the_old_one(void)
{
    struct lab lab;
    struct fetches *slow;
    const struct answer *answer;

    lab_open(&lab, 2, UNASKED "\"backends\": [\"{0}\"]}");
    slow = begin(&lab, "/slow?ms=1000", 1);
    backend_has(&lab, slow, 0, "/slow", 1);
    lab_reload(&lab,
               UNASKED "\"backends\": [\"{1}\"],"
                       "\"timeouts\": {\"response\": \"150ms\"}}",
               true);
    insist(strcmp(lab_who(&lab, "/"), "two") == 0,
           "expected new requests to go to the new backend");
    insist(lab_try(&lab, "/slow?ms=1000").status == 504,
           "the new time limit is 150ms; expected 504");
    insist(fetches_run(slow, 4000), "expected the old request to end");
    answer = fetches_answer(slow, 0);
    insist(answer->status == 200 && strcmp(answer->backend, "one") == 0,
           "its backend was removed and its time limit is another now; "
           "expected it to finish by the old ones; got %ld from \"%s\" (%s)",
           answer->status, answer->backend, answer->error);
    fetches_end(&slow);
    lab_end(&lab);
}

static void what_runs_ends_by_the_old_limit(void)
{
    struct lab lab;
    struct fetches *slow;

    lab_open(&lab, 1,
             UNASKED "\"backends\": [\"{0}\"],"
                     "\"timeouts\": {\"response\": \"700ms\"}}");
    slow = begin(&lab, "/slow?ms=4000", 1);
    backend_has(&lab, slow, 0, "/slow", 1);
    lab_reload(&lab, UNASKED "\"backends\": [\"{0}\"]}", true);
    insist(fetches_run(slow, 3000) && fetches_answer(slow, 0)->status == 504,
           "its time limit was 700ms when it began; expected 504 by that; got "
           "%ld",
           fetches_answer(slow, 0)->status);
    fetches_end(&slow);
    lab_end(&lab);
}

static void limits_stay_exact(void)
{
    static const char file[] =
        UNASKED "\"backends\": [\"{0}\"], \"policy\": {\"in_flight_max\": 2}}";
    struct lab lab;
    struct fetches *slow, *more;

    lab_filed(&lab, 1, file);
    lab_start(&lab);
    slow = begin(&lab, "/slow?ms=1500", 2);
    backend_has(&lab, slow, 0, "/slow", 2);
    lab_reload(&lab, file, true);
    more = begin(&lab, "/livez", 3);
    fetches_run(more, 300);
    insist(lab_count(&lab, 0, "/livez") == 0,
           "two of two places are taken by requests from before the reload; "
           "expected others to wait; %ld have come",
           lab_count(&lab, 0, "/livez"));
    insist(fetches_run(slow, 4000) && fetches_count(slow, 200) == 2,
           "expected the old ones to end well");
    insist(fetches_run(more, 4000) && fetches_count(more, 200) == 3,
           "expected the waiting ones to be served then; %zu of 3 were",
           fetches_count(more, 200));
    fetches_end(&slow);
    fetches_end(&more);
    lab_end(&lab);
}

static void tunnels_survive(void)
{
    struct lab lab;
    struct rude client, backend;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_play(&lab);
    lab.flag_count = 0; /* its health is not asked for in the file */
    lab_config_kept(&lab, UNASKED "\"backends\": [\"{1}\"]}");
    lab_meet(&lab, &client);
    rude_say(&client, "GET /chat HTTP/1.1\r\nHost: a\r\n"
                      "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    lab_cue(&lab, 1, &backend);
    rude_say(&backend, "HTTP/1.1 101 Switching Protocols\r\n"
                       "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    lab_hear(&client, "101 Switching");
    lab_reload(&lab, UNASKED TWO "}", true);
    lab_ask(&client, "ping 1\n", "");
    lab_hear(&backend, "ping 1\n");
    lab_reload(&lab, UNASKED "\"backends\": [\"{0}\"]}", true);
    lab_who(&lab, "/");
    lab_ask(&client, "ping 2\n", "");
    lab_hear(&backend, "ping 2\n");
    lab_ask(&backend, "pong\n", "");
    lab_hear(&client, "pong\n");
    rude_close(&backend);
    lab_hear_end(&client);
    rude_close(&client);
    is_logged(&lab, "is gone");
    lab_end(&lab);
}

/* --- what is refused ------------------------------------------------------- */

/** A file that is refused with these words, as one line; nothing changes. */
static void refuse(struct lab *lab, const char *text, const char *words)
{
    size_t errors = lab_logged(lab, " error ");

    lab_reload(lab, text, false);
    insist(lab_logs(lab, words, 0), "expected \"%s\" in the log; it says %s",
           words, process_text(lab->lb.err));
    insist(lab_logged(lab, " error ") == errors + 1,
           "expected one line that says what is wrong; the log says %s",
           process_text(lab->lb.err));
    insist(strcmp(lab_who(lab, "/"), "one") == 0,
           "expected to be served as before");
}

static void bad_files_change_nothing(void)
{
    struct lab lab;

    lab_open(&lab, 2, SERVE "\"backends\": [\"{0}\"]}");
    refuse(&lab, LISTEN "\"backends\": [\"{1}\"]\n\"policy\": {}}", ".json:3:");
    refuse(&lab, LISTEN "\"backends\": [\"{1}\"],\n  \"polcy\": {}}",
           ".json:3:3: \"polcy\" is not known here; did you mean \"policy\"?");
    refuse(&lab, LISTEN "\"backends\": []}", "backend");
    refuse(&lab, "", ".json:");
    unlink(lab.config);
    kill(lab.lb.pid, SIGHUP);
    is_logged(&lab, "No such file");
    insist(strcmp(lab_who(&lab, "/"), "one") == 0, "expected it to serve on");
    lab_reload(&lab, SERVE "\"backends\": [\"{1}\"]}", true);
    insist(holds_within(2000, strcmp(lab_who(&lab, "/"), "two") == 0),
           "expected the next good file to be taken");
    lab_end(&lab);
}

/** The threads of the balancer; 0 where that cannot be told. */
static long threads_of(const struct lab *lab)
{
    return process_threads(&lab->lb);
}

static void what_needs_a_restart_is_named(void)
{
    struct lab lab;
    struct rude nobody;
    long threads;

    lab_open(&lab, 1, UNASKED "\"backends\": [\"{0}\"]}");
    threads = threads_of(&lab);
    lab_reload(&lab,
               "{\"listen\": {\"address\": \"127.0.0.2\", \"port\": 1,"
               "\"defer_accept\": false},"
               "\"log\": {\"access\": \"off\"},"
               "\"health\": {\"enabled\": false}, \"backends\": [\"{0}\"]}",
               true);
    is_logged(&lab, "reload: port differs, but only a restart changes it");
    is_logged(&lab, "reload: address differs, but only a restart changes it");
    is_logged(&lab, "reload: defer-accept differs, but only a restart");
    is_logged(&lab, "reload: access-log differs, but only a restart");
    is_logged(&lab, "reload: done, 0 settings have changed");
    lab_who(&lab, "/livez");
    insist(lab_prints(&lab, "/livez", 2000), "the access log went away");
    insist(threads_of(&lab) == threads, "expected %ld threads; got %ld",
           threads, threads_of(&lab));
    insist(!rude_open(&nobody, 1), "somebody listens on port 1");
    lab_end(&lab);
}

/* --- who serves ------------------------------------------------------------ */

static void down_stays_down(void)
{
    struct lab lab;

    lab_filed(&lab, 2, LISTEN TWO ", \"health\": {\"interval\": \"60s\"}}");
    lab_kill(&lab, 0);
    lab_start_alone(&lab);
    is_logged(&lab, lab_change(&lab, 0, "down"));
    lab_revive(&lab, 0);
    lab_reload(&lab,
               LISTEN TWO ", \"health\": {\"interval\": \"60s\"},"
                          "\"policy\": {\"name\": \"two-choices\"}}",
               true);
    for (int i = 0; i < 6; i++)
        insist(strcmp(lab_who(&lab, "/"), "two") == 0,
               "backend one was down before the reload, and nobody has asked "
               "it since; expected it to get nothing");
    lab_reload(&lab, LISTEN TWO ", \"health\": {\"interval\": \"50ms\"}}",
               true);
    is_logged(&lab, lab_change(&lab, 0, "up"));
    insist(holds_within(1000, strcmp(lab_who(&lab, "/"), "one") == 0),
           "expected it to serve now");
    lab_end(&lab);
}

static void counts_go_on(void)
{
    static const char *const files[] = {
        LISTEN TWO ", \"health\": {\"interval\": \"60s\"},"
                   "\"ejection\": {\"failures_max\": 4}}",
        LISTEN TWO ", \"health\": {\"interval\": \"60s\"},"
                   "\"ejection\": {\"failures_max\": 4}, \"retry\": {}}"};
    struct lab lab;

    lab_init(&lab);
    lab_backend(&lab, "--misbehave", "close-early");
    lab_backends(&lab, 1);
    lab_config_kept(&lab, files[0]);
    lab_start_alone(&lab);
    for (int i = 0; lab_count(&lab, 0, "/livez") < 4 && i < 20; i++) {
        lab_who(&lab, "/livez");
        lab_reload(&lab, files[i % 2], true);
    }
    is_logged(&lab, "4 requests failed in a row");
    lab_end(&lab);
}

static void probes_go_on(void)
{
    static const char file[] =
        LISTEN TWO ", \"health\": {\"interval\": \"400ms\", \"fall\": 2}}";
    struct lab lab;
    bool found = false;

    lab_open(&lab, 2, file);
    lab_kill(&lab, 0);
    for (int i = 0; !found && i < 100; i++) {
        lab_reload(&lab, file, true);
        found = lab_logs(&lab, lab_change(&lab, 0, "down"), 50);
    }
    insist(found, "reloads come more often than probes; expected a dead "
                  "backend to be found all the same");
    lab_end(&lab);
}

static void new_ones_are_probed_first(void)
{
    static const char before[] =
        LISTEN "\"backends\": [\"{0}\"], \"health\": {\"path\": \"/readyz\","
               "\"interval\": \"100ms\"}}";
    static const char after[] =
        LISTEN "\"backends\": [\"{0}\", \"{1}\", \"{2}\"], \"health\": "
               "{\"path\": \"/readyz\", \"interval\": \"100ms\"}}";
    struct lab lab;

    lab_open(&lab, 3, before);
    lab_tell(&lab, 1, "/not-ready");
    lab_kill(&lab, 2);
    lab_reload(&lab, after, true);
    for (int i = 0; i < 20; i++)
        insist(strcmp(lab_who(&lab, "/livez"), "one") == 0,
               "one of the new backends is dead, the other not ready; expected "
               "them to get no request");
    is_logged(&lab, lab_change(&lab, 1, "down"));
    is_logged(&lab, lab_change(&lab, 2, "down"));
    insist(lab_count(&lab, 1, "/livez") == 0 && lab_noted(&lab, "->") == 0,
           "expected no tries on new backends that are not well");
    lab_tell(&lab, 1, "/ready");
    lab_revive(&lab, 2);
    insist(holds_within(3000, strcmp(lab_who(&lab, "/"), "two") == 0) &&
               holds_within(3000, strcmp(lab_who(&lab, "/"), "three") == 0),
           "the new backends are well now; expected them to serve");
    lab_end(&lab);
}

static void shares_change(void)
{
    struct lab lab;

    lab_open(&lab, 2, UNASKED TWO "}");
    for (int i = 0; i < 8; i++)
        lab_who(&lab, "/livez");
    insist(lab_count(&lab, 0, "/livez") == 4, "equal weights; got %ld of 8",
           lab_count(&lab, 0, "/livez"));
    lab_reload(&lab,
               UNASKED "\"backends\": [{\"url\": \"{0}\", \"weight\": 3},"
                       "\"{1}\"]}",
               true);
    is_logged(&lab, "reload: backends has changed");
    for (int i = 0; i < 8; i++)
        lab_who(&lab, "/healthz");
    insist(lab_count(&lab, 0, "/healthz") == 6, "weights 3 and 1; got %ld of 8",
           lab_count(&lab, 0, "/healthz"));
    lab_end(&lab);
}

/* --- connections ----------------------------------------------------------- */

static void connections_are_kept(void)
{
    struct lab lab;
    long before, asked = 0;

    lab_open(&lab, 1, UNASKED "\"backends\": [\"{0}\"]}");
    lab_who(&lab, "/");
    before = lab_connections(&lab, 0);
    for (int i = 0; i < 10; i++) {
        lab_reload(&lab,
                   i % 2 == 0 ? UNASKED "\"backends\": [\"{0}\"],"
                                        "\"idle\": {\"max\": 9}}"
                              : UNASKED "\"backends\": [\"{0}\"]}",
                   true);
        lab_who(&lab, "/");
    }
    asked = lab_connections(&lab, 0) - before - 1;
    insist(asked == 0,
           "expected the connection that rests to be used after reloads; "
           "%ld more were made",
           asked);
    lab_end(&lab);
}

static void connections_of_the_removed_are_closed(void)
{
    struct lab lab;
    struct rude client, backend;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_play(&lab);
    lab.flag_count = 0;
    lab_config_kept(&lab, UNASKED "\"backends\": [\"{1}\"],"
                                  "\"idle\": {\"time\": \"1h\"}}");
    lab_meet(&lab, &client);
    rude_say(&client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    lab_cue(&lab, 1, &backend);
    rude_say(&backend, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    lab_hear(&client, "hi");
    lab_reload(&lab,
               UNASKED "\"backends\": [\"{0}\"],"
                       "\"idle\": {\"time\": \"1h\"}}",
               true);
    lab_hear_end(&backend);
    is_logged(&lab, "is gone");
    lab_ask(&client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "hello from one");
    rude_close(&client);
    rude_close(&backend);
    lab_end(&lab);
}

/* --- the rest -------------------------------------------------------------- */

static void the_log_level_changes(void)
{
    struct lab lab;
    size_t after;

    lab_open(&lab, 1, SERVE "\"backends\": [\"{0}\"]}");
    insist(lab_logged(&lab, " debug ") == 0, "expected nothing at that level");
    lab_reload(
        &lab, SERVE "\"backends\": [\"{0}\"], \"log\": {\"level\": \"debug\"}}",
        true);
    is_logged(&lab, " debug ");
    lab_reload(&lab, SERVE "\"backends\": [\"{0}\"]}", true);
    after = lab_logged(&lab, " debug ");
    for (int i = 0; i < 20; i++)
        lab_who(&lab, "/");
    insist(lab_logged(&lab, " debug ") == after,
           "expected nothing at that level any more");
    lab_end(&lab);
}

static void flags_win_again(void)
{
    struct lab lab;

    lab_filed(&lab, 2, UNASKED TWO "}");
    lab_flag(&lab, 0, "--weights", "3,1");
    setenv("STEELYARD_RESPONSE_TIMEOUT", "200ms", 1);
    lab_start_alone(&lab);
    lab_reload(&lab,
               UNASKED "\"backends\": [{\"url\": \"{0}\", \"weight\": 1},"
                       "{\"url\": \"{1}\", \"weight\": 7}],"
                       "\"timeouts\": {\"response\": \"9s\"}}",
               true);
    for (int i = 0; i < 8; i++)
        lab_who(&lab, "/livez");
    insist(lab_count(&lab, 0, "/livez") == 6,
           "the flag says 3,1 and wins over the file; backend one got %ld of 8",
           lab_count(&lab, 0, "/livez"));
    insist(lab_try(&lab, "/slow?ms=2000").status == 504,
           "the environment says 200ms and wins over the file; expected 504");
    lab_end(&lab);
}

/** How many descriptors it has; 0 where that cannot be told. */
static size_t descriptors_of(const struct lab *lab)
{
    char path[64];
    size_t count = 0;
    DIR *folder;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)lab->lb.pid);
    folder = opendir(path);
    if (folder == NULL)
        return 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void a_hundred_leave_nothing_behind(void)
{
    struct lab lab;
    size_t descriptors;
    long threads;

    lab_open(&lab, 3, SERVE TWO ", \"idle\": {\"time\": 0}}");
    lab_reload(&lab, SERVE TWO ", \"idle\": {\"time\": 0}}", true);
    lab_who(&lab, "/");
    descriptors = descriptors_of(&lab);
    threads = threads_of(&lab);
    for (int i = 0; i < 100; i++) {
        lab_reload(&lab,
                   i % 2 == 0 ? SERVE "\"backends\": [\"{1}\", \"{2}\"],"
                                      "\"idle\": {\"time\": 0}}"
                              : SERVE TWO ", \"idle\": {\"time\": 0}}",
                   true);
        lab_who(&lab, "/");
    }
    /* A probe that runs just now has one or two. */
    insist(holds_within(3000, descriptors_of(&lab) <= descriptors),
           "%zu descriptors before 100 reloads; expected as many afterwards; "
           "got %zu",
           descriptors, descriptors_of(&lab));
    insist(threads_of(&lab) == threads,
           "%ld threads before 100 reloads; expected as many afterwards; got "
           "%ld",
           threads, threads_of(&lab));
    lab_end(&lab);
}

static const struct behaviour list[] = {
    {"reload-load", 99, 3, "Reloads under load lose no request.",
     load_loses_nothing},
    {"reload-burst", 99, 1, "Neither do many at once.", bursts_lose_nothing},
    {"reload-running", 99, 2,
     "What runs at a reload finishes where, and as, it began.",
     what_runs_finishes_on_the_old_one},
    {"reload-old-limit", 99, 1, "It ends by the time limit it began with.",
     what_runs_ends_by_the_old_limit},
    {"reload-places", 99, 2,
     "Limits of backends are exact from one configuration to the next.",
     limits_stay_exact},
    {"reload-tunnel", 99, 1, "Tunnels survive reloads.", tunnels_survive},
    {"reload-bad", 99, 3, "A bad file changes nothing, and is said to be.",
     bad_files_change_nothing},
    {"reload-restart", 99, 1, "What needs a restart is named.",
     what_needs_a_restart_is_named},
    {"reload-down", 99, 2, "Who is down at a reload stays down.",
     down_stays_down},
    {"reload-counts", 99, 1, "What was counted before a reload still counts.",
     counts_go_on},
    {"reload-probes", 99, 1, "Frequent reloads do not hold probes up.",
     probes_go_on},
    {"reload-new", 99, 2, "A new backend is probed before it serves.",
     new_ones_are_probed_first},
    {"reload-weights", 99, 1, "A reload changes shares.", shares_change},
    {"reload-idle", 99, 2, "Connections at rest are used after a reload.",
     connections_are_kept},
    {"reload-removed", 99, 1, "Those to a removed backend are closed.",
     connections_of_the_removed_are_closed},
    {"reload-level", 99, 1, "The log level changes.", the_log_level_changes},
    {"reload-flags", 99, 1, "Flags and environment win after a reload, too.",
     flags_win_again},
    {"reload-hundred", 99, 2, "A hundred reloads leave nothing behind.",
     a_hundred_leave_nothing_behind},
};

const struct behaviours final_reload = {list, sizeof(list) / sizeof(list[0])};

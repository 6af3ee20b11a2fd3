/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The full balancer: it hands over to a new process while it serves. What a
 * behaviour starts is the old one; the new one is a child of that, and becomes
 * ours when the old one has ended. So it is ended like any other, and has to end
 * as well.
 */
#include "behaviours.h"
#include "lab.h"
#include "load.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#define LISTEN "{\"listen\": {\"address\": \"127.0.0.1\", \"port\": 0"
#define TOKEN  "hand-over-hand"

/* --- from process to process ----------------------------------------------- */

/** Orphans of those whom we start are ours. */
static void adopt_orphans(void)
{
#ifdef __linux__
    insist(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "no orphans can be adopted");
#endif
}

/** A lab with so many backends, configured by this file. */
static void lab_filed(struct lab *lab, size_t count, const char *text)
{
    adopt_orphans();
    lab_init(lab);
    lab_backends(lab, count);
    lab_config_kept(lab, text);
    lab_start(lab);
}

/** A lab with so many backends, and a token. */
static void lab_open(struct lab *lab, size_t count)
{
    adopt_orphans();
    lab_init(lab);
    lab_backends(lab, count);
    lab_flag(lab, 0, "--admin-token", TOKEN);
    lab_start(lab);
}

/** Write the file anew; nobody is told. */
static void rewrite(const struct lab *lab, const char *text)
{
    FILE *file = fopen(lab->config, "w");

    insist(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0,
           "cannot write %s", lab->config);
}

/** Write this text with the URL of the first backend in place of %s. */
static void rewrite_for(const struct lab *lab, const char *text)
{
    char url[64], whole[1024];

    snprintf(url, sizeof(url), "http://127.0.0.1:%u", lab->backends[0].port);
    snprintf(whole, sizeof(whole), text, url); /* NOLINT: formats of ours */
    rewrite(lab, whole);
}

/** The number behind the last of these words in the log; 0: there is none. */
static pid_t number_behind(const struct lab *lab, const char *words)
{
    char *text = process_text(lab->lb.err), *at = text, *last = NULL;
    long number = 0;

    while ((at = strstr(at, words)) != NULL)
        last = at++;
    if (last != NULL)
        number = strtol(last + strlen(words), NULL, 10);
    free(text);
    return (pid_t)number;
}

/** Send SIGUSR2, and wait until a new process serves. @return its number */
static pid_t hand_over(const struct lab *lab)
{
    size_t before = lab_logged(lab, " serves now");

    kill(lab->lb.pid, SIGUSR2);
    insist(holds_within(8000, lab_logged(lab, " serves now") > before),
           "sent SIGUSR2; expected a new process to serve; the log says %s",
           process_text(lab->lb.err));
    return number_behind(lab, "upgrade: process ");
}

/** The old one has to end, and to end well; the lab is the new one's. */
static void follow(struct lab *lab, pid_t pid)
{
    int status = -1;

    insist(pid > 0 && kill(pid, 0) == 0, "there is no process %ld", (long)pid);
    insist(holds_within(4000, process_has_ended(&lab->lb, &status)) &&
               status == 0,
           "a new process serves; expected the old one to end with status 0; "
           "got %d; the log says %s",
           status, process_text(lab->lb.err));
    lab->lb.pid = pid;
}

static void upgrade(struct lab *lab)
{
    follow(lab, hand_over(lab));
}

/** Run `steelyard WORD --url URL`. @return its status */
static int command(const char *word, const char *url, const char *token,
                   struct process *process)
{
    const char *argv[] = {lab_program(), word,  "--url", url,
                          "--token",     token, NULL};
    int status = -1;

    insist(process_start(process, argv), "cannot start steelyard %s", word);
    insist(holds_within(8000, process_has_ended(process, &status)),
           "steelyard %s does not end", word);
    return status;
}

/** Insist that the log says so, soon. */
static void is_logged(const struct lab *lab, const char *words)
{
    insist(lab_logs(lab, words, 4000), "expected \"%s\" in the log; it says %s",
           words, process_text(lab->lb.err));
}

/* --- under load ------------------------------------------------------------ */

enum { KEEPERS = 4 };

/** Clients that ask again and again on one connection, until they are told that
 * it closes. libcurl would ask once more where a connection ended, and not tell:
 * so they are ours. */
struct keepers {
    unsigned port;
    pthread_t threads[KEEPERS];
    atomic_bool stops;
    atomic_long asked, lost, opened;
};

/** One request. @return was it answered? */
static bool keeper_ask(struct rude *rude)
{
    static const char request[] = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n";

    rude_forget(rude);
    return rude_say(rude, request) && rude_hear(rude, "\r\n\r\nok\n", 5000) &&
           rude_status(rude) == 200;
}

static void *keeper_run(void *arg)
{
    struct keepers *keepers = arg;
    struct rude rude = {.fd = -1};

    while (!atomic_load(&keepers->stops)) {
        bool good = true;

        if (rude.fd == -1) {
            good = rude_open(&rude, keepers->port);
            atomic_fetch_add(&keepers->opened, good);
        }
        good = good && keeper_ask(&rude);
        atomic_fetch_add(&keepers->asked, 1);
        atomic_fetch_add(&keepers->lost, !good);
        if (rude.fd != -1 &&
            (!good || strstr(rude.text, "Connection: close") != NULL)) {
            rude_close(&rude);
            rude.fd = -1;
        }
    }
    if (rude.fd != -1)
        rude_close(&rude);
    return NULL;
}

static void keepers_begin(struct keepers *keepers, const struct lab *lab)
{
    memset(keepers, 0, sizeof(*keepers));
    keepers->port = lab->port;
    for (int i = 0; i < KEEPERS; i++)
        pthread_create(&keepers->threads[i], NULL, keeper_run, keepers);
}

static void keepers_end(struct keepers *keepers)
{
    atomic_store(&keepers->stops, true);
    for (int i = 0; i < KEEPERS; i++)
        pthread_join(keepers->threads[i], NULL);
    insist(atomic_load(&keepers->lost) == 0,
           "%ld of %ld requests on connections that were kept were lost",
           atomic_load(&keepers->lost), atomic_load(&keepers->asked));
}

static void load_loses_nothing(void)
{
    struct lab lab;
    struct load load;
    struct keepers keepers;

    lab_open(&lab, 2);
    keepers_begin(&keepers, &lab);
    load_begin(&load, &lab, true);
    for (int i = 0; i < 3; i++) {
        load_goes_on(&load, 300);
        upgrade(&lab);
    }
    load_goes_on(&load, 300);
    load_end(&load);
    keepers_end(&keepers);
    insist(atomic_load(&keepers.opened) >= KEEPERS * 4L,
           "after each of three upgrades, expected new connections by those "
           "who keep theirs; got %ld of %d clients",
           atomic_load(&keepers.opened), KEEPERS);
    insist(lab_logged(&lab, " error ") == 0,
           "nothing is wrong; the log says %s", process_text(lab.lb.err));
    lab_end(&lab);
}

static void workers_change(void)
{
    static const unsigned counts[] = {4, 2, 3, 1, 2};
    struct lab lab;
    struct load load;
    struct keepers keepers;
    char text[256];

    lab_filed(&lab, 1, LISTEN ", \"workers\": 1}, \"backends\": [\"{0}\"]}");
    keepers_begin(&keepers, &lab);
    load_begin(&load, &lab, true);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        char words[40];

        load_goes_on(&load, 100);
        snprintf(text, sizeof(text),
                 LISTEN ", \"workers\": %u}, \"backends\": [\"%%s\"]}",
                 counts[i]);
        rewrite_for(&lab, text);
        upgrade(&lab);
        snprintf(words, sizeof(words), " %u workers", counts[i]);
        is_logged(&lab, words);
    }
    load_goes_on(&load, 100);
    load_end(&load);
    keepers_end(&keepers);
    lab_end(&lab);
}

/** Somebody is connected, was not accepted yet, and nobody is left alone. */
static void who_waits_is_served(void)
{
    enum { WAITERS = 40 };
    struct lab lab;
    struct rude waiters[WAITERS];
    pid_t pid;

    lab_filed(&lab, 1,
              LISTEN ", \"workers\": 4, \"defer_accept\": false},"
                     "\"backends\": [\"{0}\"]}");
    rewrite_for(&lab, LISTEN ", \"workers\": 1, \"defer_accept\": false},"
                             "\"backends\": [\"%s\"]}");
    kill(lab.lb.pid, SIGSTOP); /* it accepts nobody */
    for (int i = 0; i < WAITERS; i++) {
        lab_rude(&lab, &waiters[i]);
        rude_say(&waiters[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    kill(lab.lb.pid, SIGUSR2);
    kill(lab.lb.pid, SIGCONT);
    for (int i = 0; i < WAITERS; i++) {
        lab_hear(&waiters[i], "hello from one");
        rude_close(&waiters[i]);
    }
    is_logged(&lab, " serves now");
    pid = number_behind(&lab, "upgrade: process ");
    follow(&lab, pid);
    /* All listeners of the four are somebody's still. */
    for (int i = 0; i < WAITERS; i++)
        lab_who(&lab, "/");
    lab_end(&lab);
}

/* --- what runs ------------------------------------------------------------- */

static void what_runs_finishes(void)
{
    struct lab lab;
    struct request slow = {.timeout_ms = 8000};
    struct fetches *fetches;
    const struct answer *answer;
    char words[40];
    pid_t pid;
    int status;

    lab_open(&lab, 1);
    slow.url = lab_url(&lab, "/slow?ms=1500");
    fetches = fetches_begin(&slow, 1);
    insist(holds_within(3000, (fetches_run(fetches, 10),
                               lab_count(&lab, 0, "/slow") == 1)),
           "the slow request does not begin");
    pid = hand_over(&lab);
    is_logged(&lab, " serves now; 1 sessions to go");
    insist(!process_has_ended(&lab.lb, &status),
           "a response is under way; expected the old process to go on");
    lab_who(&lab, "/");
    insist(fetches_run(fetches, 8000), "the slow request does not end");
    answer = fetches_answer(fetches, 0);
    insist(answer->whole && answer->status == 200,
           "expected the response to come whole; got status %ld (%s)",
           answer->status, answer->error);
    follow(&lab, pid);
    snprintf(words, sizeof(words), "\"GET /slow");
    insist(lab_noted(&lab, words) == 1, "it was asked more than once");
    fetches_end(&fetches);
    lab_end(&lab);
}

static void who_rests_is_told(void)
{
    struct lab lab;
    struct rude client;
    pid_t pid;
    int status;

    lab_open(&lab, 1);
    lab_rude(&lab, &client);
    lab_ask(&client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "hello from one");
    lab_lacks(&client, "Connection: close");
    pid = hand_over(&lab);
    lab_ask(&client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "hello from one");
    lab_has(&client, "Connection: close");
    lab_hear_end(&client);
    rude_close(&client);
    follow(&lab, pid);
    /* Who does not ask has to go at last. */
    lab_rude(&lab, &client);
    lab_ask(&client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "hello from one");
    pid = hand_over(&lab);
    insist(!process_has_ended(&lab.lb, &status), "the client may still ask");
    kill(lab.lb.pid, SIGTERM);
    lab_hear_end(&client);
    rude_close(&client);
    follow(&lab, pid);
    lab_end(&lab);
}

static void rest_is_bounded(void)
{
    struct lab lab;
    struct rude client;

    adopt_orphans();
    lab_solo(&lab);
    lab_flag(&lab, 0, "--stop-timeout", "800ms");
    lab_meet(&lab, &client);
    lab_ask(&client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "hello from one");
    upgrade(&lab);
    lab_hear_end(&client);
    rude_close(&client);
    lab_end(&lab);
}

/* --- what goes wrong ------------------------------------------------------- */

/** An upgrade has to fail with these words in the log, and change nothing. */
static void fails(struct lab *lab, const char *words)
{
    size_t before = lab_logged(lab, "upgrade: failed") +
                    lab_logged(lab, "upgrade: refused");
    pid_t pid = lab->lb.pid;
    int status;

    kill(pid, SIGUSR2);
    insist(holds_within(8000, lab_logged(lab, "upgrade: failed") +
                                      lab_logged(lab, "upgrade: refused") >
                                  before),
           "expected the upgrade to fail; the log says %s",
           process_text(lab->lb.err));
    is_logged(lab, words);
    insist(!process_has_ended(&lab->lb, &status), "it has ended");
    lab_who(lab, "/");
    insist(lab_logged(lab, " serves now") == 0, "a new process serves");
}

static void bad_files_keep_the_old(void)
{
    struct lab lab;
    struct load load;

    lab_filed(&lab, 1, LISTEN "}, \"backends\": [\"{0}\"]}");
    load_begin(&load, &lab, true);
    rewrite_for(&lab, LISTEN "}, \"backends\": [\"%s\"], \"polcy\": {}}");
    fails(&lab, "\"polcy\" is not known here; did you mean \"policy\"?");
    rewrite_for(&lab,
                LISTEN "}, \"tls\": {\"listen\": \"0\", \"certificates\":"
                       " [\"/no.pem:/no.key\"]}, \"backends\": [\"%s\"]}");
    fails(&lab, "/no.pem");
    rewrite_for(&lab, "{\"listen\": {\"address\": \"192.0.2.1\", \"port\": 0},"
                      " \"backends\": [\"%s\"]}");
    fails(&lab, "cannot listen on 192.0.2.1");
    rewrite_for(&lab, LISTEN "}, \"backends\": [\"%s\"]}");
    load_goes_on(&load, 100);
    upgrade(&lab);
    load_goes_on(&load, 100);
    load_end(&load);
    lab_end(&lab);
}

/** A place for a program that can be exchanged. */
struct shelf {
    char folder[32];
    char program[48];
};

/** Put a script there. */
static void shelf_put(const struct shelf *shelf, const char *script)
{
    char next[64];
    FILE *file;

    snprintf(next, sizeof(next), "%s/next", shelf->folder);
    file = fopen(next, "w");
    insist(file != NULL && fprintf(file, "#!/bin/sh\n%s\n", script) > 0 &&
               fclose(file) == 0 && chmod(next, 0755) == 0 &&
               rename(next, shelf->program) == 0,
           "cannot write %s", next);
}

/** Put a script there that becomes the program under test. */
static void shelf_put_ours(const struct shelf *shelf, const char *more)
{
    char path[512], script[600];

    insist(realpath(lab_program(), path) != NULL, "no program");
    snprintf(script, sizeof(script), "exec %s \"$@\" %s", path, more);
    shelf_put(shelf, script);
}

static void shelf_open(struct shelf *shelf, struct lab *lab)
{
    adopt_orphans();
    *shelf = (struct shelf){.folder = "/tmp/steelyard-XXXXXX"};
    insist(mkdtemp(shelf->folder) != NULL, "no folder");
    snprintf(shelf->program, sizeof(shelf->program), "%s/lb", shelf->folder);
    lab_solo(lab);
    lab->program = shelf->program;
}

static void shelf_close(const struct shelf *shelf)
{
    unlink(shelf->program);
    rmdir(shelf->folder);
}

/** The old one has argv[0] of its own: a script would have become another. */
static void shelf_start(struct shelf *shelf, struct lab *lab)
{
    char path[512];

    insist(realpath(lab_program(), path) != NULL &&
               symlink(path, shelf->program) == 0,
           "cannot make %s", shelf->program);
    lab_start_alone(lab);
}

static void bad_programs_keep_the_old(void)
{
    struct lab lab;
    struct shelf shelf;

    shelf_open(&shelf, &lab);
    lab_flag(&lab, 0, "--upgrade-timeout", "700ms");
    shelf_start(&shelf, &lab);
    shelf_put(&shelf, "exit 7");
    fails(&lab, "ended with status 7 before it was ready");
    shelf_put(&shelf, "kill -KILL $$");
    fails(&lab, "was ended by signal 9 before it was ready");
    shelf_put(&shelf, "exec sleep 60");
    fails(&lab, "was not ready within 700 ms (setting upgrade-timeout)");
    shelf_put(&shelf, "echo no program at all >&2; exec 3>&-; exec sleep 60");
    fails(&lab, "before it was ready");
    unlink(shelf.program);
    fails(&lab, "upgrade: refused: cannot start");
    lab_end(&lab);
    shelf_close(&shelf);
}

static void one_at_a_time(void)
{
    struct lab lab;
    struct shelf shelf;
    pid_t pid;

    shelf_open(&shelf, &lab);
    shelf_start(&shelf, &lab);
    shelf_put(&shelf, "exec sleep 60");
    kill(lab.lb.pid, SIGUSR2);
    is_logged(&lab, " is started");
    pid = number_behind(&lab, "upgrade: process ");
    fails(&lab, " is being started already");
    insist(kill(pid, 0) == 0, "the first one is gone");
    lab_end(&lab);
    insist(kill(pid, 0) == -1 && errno == ESRCH,
           "the old process was stopped; expected it to end the one that it "
           "was starting");
    shelf_close(&shelf);
}

static void new_programs_take_effect(void)
{
    struct lab lab;
    struct shelf shelf;
    struct rude client;

    shelf_open(&shelf, &lab);
    shelf_start(&shelf, &lab);
    shelf_put_ours(&shelf, "--show-backend");
    upgrade(&lab);
    lab_rude(&lab, &client);
    lab_ask(&client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "hello from one");
    lab_has(&client, "X-Steelyard-Backend");
    rude_close(&client);
    lab_end(&lab);
    shelf_close(&shelf);
}

/* --- where it listens ------------------------------------------------------ */

/** A port that is free now. */
static unsigned free_port(void)
{
    unsigned port;
    int fd = rude_listen(&port);

    insist(fd != -1, "no port");
    close(fd);
    return port;
}

static void ports_change(void)
{
    struct lab lab;
    struct rude nobody;
    unsigned other = free_port();
    char text[256];

    lab_filed(&lab, 1, LISTEN "}, \"backends\": [\"{0}\"]}");
    snprintf(text, sizeof(text),
             "{\"listen\": {\"address\": \"127.0.0.1\", \"port\": %u},"
             " \"backends\": [\"%%s\"]}",
             other);
    rewrite_for(&lab, text);
    upgrade(&lab);
    insist(!rude_open(&nobody, lab.port),
           "somebody listens where nobody is to listen any more");
    lab.port = other;
    lab_who(&lab, "/");
    lab_end(&lab);
}

static void admin_goes_along(void)
{
    char folder[] = "/tmp/steelyard-XXXXXX", path[48], other[48], where[64];
    struct lab lab;
    struct process said;

    insist(mkdtemp(folder) != NULL, "no folder");
    snprintf(path, sizeof(path), "%s/admin", folder);
    snprintf(other, sizeof(other), "%s/other", folder);
    snprintf(where, sizeof(where), "unix:%s", path);
    adopt_orphans();
    lab_solo(&lab);
    lab.usual_admin = true;
    lab_flag(&lab, 0, "--admin", where);
    lab_flag(&lab, 0, "--admin-token", TOKEN);
    lab_start(&lab);
    for (int i = 0; i < 2; i++) {
        upgrade(&lab);
        insist(access(path, F_OK) == 0, "%s is gone", path);
        insist(command("reload", where, TOKEN, &said) == 0,
               "expected the admin listener at %s to work after an upgrade: %s",
               where, process_text(said.err));
    }
    lab_end(&lab);
    insist(access(path, F_OK) == -1, "%s is still there", path);
    rmdir(folder);
}

/** The port behind `listening on https://127.0.0.1:`. */
static unsigned secure_port(const struct lab *lab)
{
    static const char words[] = "listening on https://127.0.0.1:";
    char *said = process_text(lab->lb.out);
    char *at = strstr(said, words);
    unsigned port = 0;

    if (at != NULL)
        port = (unsigned)strtoul(at + strlen(words), NULL, 10);
    free(said);
    return port;
}

static void tls_goes_along(void)
{
    char folder[] = "/tmp/steelyard-XXXXXX", text[500], pair[100];
    struct lab lab;
    unsigned port;

    adopt_orphans();
    insist(mkdtemp(folder) != NULL, "no folder");
    snprintf(text, sizeof(text),
             "cd %s && openssl req -x509 -newkey ec -pkeyopt "
             "ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=a -addext "
             "subjectAltName=IP:127.0.0.1 -keyout k -out c 2>log",
             folder);
    insist(system(text) == 0, "openssl makes no certificate");
    snprintf(pair, sizeof(pair), "%s/c:%s/k", folder, folder);
    lab_solo(&lab);
    lab_flag(&lab, 0, "--tls-listen", "0");
    lab_flag(&lab, 0, "--certificates", pair);
    lab_start(&lab);
    port = secure_port(&lab);
    snprintf(text, sizeof(text),
             "curl -sf --cacert %s/c https://127.0.0.1:%u/livez >%s/log",
             folder, port, folder);
    insist(system(text) == 0, "no answer by TLS");
    for (int i = 0; i < 2; i++) {
        upgrade(&lab);
        insist(system(text) == 0, "no answer by TLS after an upgrade");
        lab_who(&lab, "/");
    }
    lab_end(&lab);
    snprintf(text, sizeof(text), "rm -r %s", folder);
    insist(system(text) == 0, "%s stays", folder);
}

/* --- who asks for it ------------------------------------------------------- */

static void commands_tell(void)
{
    struct lab lab;
    struct process said;
    char url[64];
    pid_t pid;

    lab_filed(&lab, 1,
              LISTEN "}, \"backends\": [\"{0}\"],"
                     "\"admin\": {\"token\": \"" TOKEN "\"}}");
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", lab.admin);
    insist(command("upgrade", url, "wrong", &said) == 1 &&
               process_said(said.err, "not the admin token"),
           "a wrong token: expected status 1, and the reason; got %s",
           process_text(said.err));
    insist(command("upgrade", url, TOKEN, &said) == 0 &&
               process_said(said.out, " serves now; process "),
           "expected status 0 and both processes; got %s",
           process_text(said.err));
    pid = number_behind(&lab, "upgrade: process ");
    follow(&lab, pid);
    rewrite(&lab, "{}}");
    insist(command("upgrade", url, TOKEN, &said) == 1 &&
               process_said(said.err, "this is not JSON"),
           "a bad file: expected status 1, and the reason; got %s",
           process_text(said.err));
    insist(command("reload", url, TOKEN, &said) == 1 &&
               process_said(said.err, "this is not JSON"),
           "a bad file: expected status 1, and the reason; got %s",
           process_text(said.err));
    rewrite_for(&lab, LISTEN "}, \"backends\": [\"%s\"], \"retry\":"
                             "{\"count\": 3}, \"admin\": {\"token\": \"" TOKEN
                             "\"}}");
    insist(command("reload", url, TOKEN, &said) == 0 &&
               process_said(said.out, "changed: retries"),
           "expected status 0 and what has changed; got %s",
           process_text(said.out));
    insist(command("upgrade", "http://127.0.0.1:1", TOKEN, &said) == 1,
           "nobody is there: expected status 1");
    insist(command("upgrade", "nowhere://", TOKEN, &said) == 2,
           "no address at all: expected status 2");
    lab_end(&lab);
}

static void what_people_said_goes_along(void)
{
    static const char words[] = "admin token: ";
    struct lab lab;
    struct answer answer;
    struct process said;
    char *log, *id, token[64] = "", url[80], path[80], field[100];
    const char *const fields[] = {field, NULL};

    adopt_orphans();
    lab_usual(&lab, 2);
    is_logged(&lab, words);
    log = process_text(lab.lb.err);
    snprintf(token, 33, "%s", strstr(log, words) + strlen(words));
    snprintf(field, sizeof(field), "Authorization: Bearer %s", token);
    answer = fetch_url(lab_admin(&lab, "/api/v1/backends"));
    id = answer.body == NULL ? NULL : strstr(answer.body, "\"id\"");
    insist(id != NULL, "no backends are told");
    snprintf(path, sizeof(path), "/api/v1/backends/%.16s",
             strchr(id + 4, '"') + 1);
    answer_free(&answer);
    answer = fetch(&(struct request){.method = "PATCH",
                                     .url = lab_admin(&lab, path),
                                     .fields = fields,
                                     .body = "{\"ready\": false}",
                                     .body_length = 16});
    insist(answer.status == 200, "it is not drained: %ld", answer.status);
    answer_free(&answer);
    upgrade(&lab);
    for (int i = 0; i < 6; i++)
        insist(strcmp(lab_who(&lab, "/"), "two") == 0,
               "backend one drains; expected it to do so after an upgrade");
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", lab.admin);
    insist(command("reload", url, token, &said) == 0,
           "expected the token that was made to be good after an upgrade: %s",
           process_text(said.err));
    free(log);
    lab_end(&lab);
}

/* --- the service manager --------------------------------------------------- */

/** Where a service manager hears of it. */
static int manager_open(const char *path)
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    snprintf(where.sun_path, sizeof(where.sun_path), "%s", path);
    insist(bind(fd, (struct sockaddr *)&where, sizeof(where)) == 0,
           "no socket at %s", path);
    return fd;
}

/** The next thing that it hears, but for signs of life. */
static const char *manager_hear(int fd)
{
    static char words[600];
    ssize_t got = 0;

    do {
        insist(holds_within(4000, (got = recv(fd, words, sizeof(words) - 1,
                                              MSG_DONTWAIT)) > 0),
               "expected to be told something");
        words[got] = '\0';
    } while (strcmp(words, "WATCHDOG=1") == 0);
    return words;
}

static void managers_are_told(void)
{
    char path[48], words[40], program[512], script[700];
    struct shelf shelf;
    struct lab lab;
    int fd;

    shelf_open(&shelf, &lab);
    snprintf(path, sizeof(path), "%s/notify", shelf.folder);
    fd = manager_open(path);
    setenv("NOTIFY_SOCKET", path, 1);
    setenv("WATCHDOG_USEC", "100000", 1);
    insist(realpath(lab_program(), program) != NULL, "no program");
    /* Whom the manager watches is the first process. */
    snprintf(script, sizeof(script), "WATCHDOG_PID=$$ exec %s \"$@\"", program);
    shelf_put(&shelf, script);
    lab_start_alone(&lab);
    insist(strstr(manager_hear(fd), "READY=1") != NULL, "not ready");
    upgrade(&lab);
    snprintf(words, sizeof(words), "MAINPID=%ld", (long)lab.lb.pid);
    insist(strcmp(manager_hear(fd), words) == 0, "expected %s", words);
    insist(strstr(manager_hear(fd), "READY=1") != NULL, "not ready again");
    for (int i = 0; i < 3; i++)
        insist(holds_within(
                   2000, recv(fd, words, sizeof(words), MSG_DONTWAIT) == 10) &&
                   memcmp(words, "WATCHDOG=1", 10) == 0,
               "expected signs of life from the new process");
    lab_end(&lab);
    close(fd);
    unlink(path);
    shelf_close(&shelf);
}

static const struct behaviour list[] = {
    {"upgrade-load", 99, 3, "A new process takes over, and no request is lost.",
     load_loses_nothing},
    {"upgrade-workers", 99, 2, "Nor when it has more workers, or less.",
     workers_change},
    {"upgrade-waiting", 99, 2,
     "Clients that nobody had accepted are served after an upgrade.",
     who_waits_is_served},
    {"upgrade-running", 99, 2, "What runs at an upgrade finishes.",
     what_runs_finishes},
    {"upgrade-resting", 99, 1,
     "Connections that rest are told to go when they are used.",
     who_rests_is_told},
    {"upgrade-rest-limit", 99, 1, "They do not hold the old process for ever.",
     rest_is_bounded},
    {"upgrade-bad-file", 99, 3, "With a bad file, the old process serves on.",
     bad_files_keep_the_old},
    {"upgrade-bad-program", 99, 2,
     "Nor does a program that does not start stop it.",
     bad_programs_keep_the_old},
    {"upgrade-one", 99, 1, "One new process is started at a time.",
     one_at_a_time},
    {"upgrade-program", 99, 1, "A new program takes effect.",
     new_programs_take_effect},
    {"upgrade-port", 99, 1, "A new port is opened, the old one closed.",
     ports_change},
    {"upgrade-admin", 99, 1, "The admin listener goes along.",
     admin_goes_along},
    {"upgrade-tls", 99, 1, "So does the one for TLS.", tls_goes_along},
    {"upgrade-command", 99, 2,
     "`steelyard upgrade` and `steelyard reload` tell how it went.",
     commands_tell},
    {"upgrade-said", 99, 1, "Draining, and a token that was made, go along.",
     what_people_said_goes_along},
    {"upgrade-notify", 99, 1, "A service manager is told of the new process.",
     managers_are_told},
};

const struct behaviours final_upgrade = {list, sizeof(list) / sizeof(list[0])};

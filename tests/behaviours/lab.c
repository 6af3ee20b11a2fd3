/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "lab.h"

#include "tcp_table.h"

#include <jansson.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct subject subject;

void lab_fail(const char *format, ...)
{
    char story[4000];
    va_list values;

    va_start(values, format);
    vsnprintf(story, sizeof(story), format, values);
    va_end(values);
    ck_abort_msg("%s", story);
}

void lab_subject(const struct subject *what)
{
    subject = *what;
}

unsigned lab_chapter(void)
{
    return subject.chapter;
}

const char *lab_program(void)
{
    return subject.lb;
}

void lab_init(struct lab *lab)
{
    *lab = (struct lab){.interval = "100ms", .host = "127.0.0.1"};
}

/* --- backends ------------------------------------------------------------- */

static void backend_start(struct lab_backend *backend)
{
    char port[16];
    const char *argv[24] = {subject.backend, "--port", port, "--name",
                            backend->name};

    snprintf(port, sizeof(port), "%u", backend->port);
    for (size_t i = 0; backend->more[i] != NULL; i++)
        argv[5 + i] = backend->more[i];
    insist(process_start(&backend->process, argv), "cannot start a backend");
    backend->port = process_port(&backend->process);
    insist(backend->port != 0, "%s did not start: %s", subject.backend,
           process_text(backend->process.err));
}

struct lab_backend *lab_backend_with(struct lab *lab, const char *const *more)
{
    static const char *const names[LAB_BACKENDS_MAX] = {
        "one", "two", "three", "four", "five", "six", "seven", "eight"};
    struct lab_backend *backend = &lab->backends[lab->count];

    snprintf(backend->name, sizeof(backend->name), "%s", names[lab->count]);
    for (size_t i = 0; more[i] != NULL; i++)
        backend->more[i] = more[i];
    backend_start(backend);
    lab->count++;
    return backend;
}

void lab_backends(struct lab *lab, size_t count)
{
    for (size_t i = 0; i < count; i++)
        lab_backend_with(lab, (const char *const[]){NULL});
}

/** A socket that has this port and does not listen; -1 when it is taken. */
static int port_take(unsigned port)
{
    static const int on = 1;
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&where, sizeof(where)) == 0)
        return fd;
    close(fd);
    return -1;
}

void lab_kill(struct lab *lab, size_t which)
{
    struct lab_backend *backend = &lab->backends[which];

    process_kill(&backend->process);
    /* Else the kernel might give the dead one's port to another test. */
    backend->keeper = port_take(backend->port);
}

void lab_revive(struct lab *lab, size_t which)
{
    struct lab_backend *backend = &lab->backends[which];

    if (backend->keeper != -1)
        close(backend->keeper);
    backend_start(backend);
}

static const char *backend_url(const struct lab *lab, size_t which,
                               const char *path)
{
    static char url[256];

    snprintf(url, sizeof(url), "http://127.0.0.1:%u%s",
             lab->backends[which].port, path);
    return url;
}

void lab_tell(struct lab *lab, size_t which, const char *path)
{
    struct answer answer = fetch(&(struct request){
        .method = "POST", .url = backend_url(lab, which, path)});

    insist(answer.status == 200, "the backend does not take POST %s", path);
    answer_free(&answer);
}

/** What a backend has counted: owned by the caller. */
static json_t *stats_of(const struct lab *lab, size_t which)
{
    struct answer answer = fetch_url(backend_url(lab, which, "/stats"));
    json_t *stats = json_loadb(answer.body == NULL ? "" : answer.body,
                               answer.length, 0, NULL);

    insist(stats != NULL, "backend %s gives no /stats: %s",
           lab->backends[which].name, answer.error);
    answer_free(&answer);
    return stats;
}

long lab_count(const struct lab *lab, size_t which, const char *path)
{
    json_t *stats = stats_of(lab, which);
    json_t *number =
        path == NULL ? json_object_get(stats, "requests")
                     : json_object_get(json_object_get(stats, "paths"), path);
    long count = (long)json_integer_value(number);

    json_decref(stats);
    return count;
}

long lab_stat(const struct lab *lab, size_t which, const char *name)
{
    json_t *stats = stats_of(lab, which);
    long count = (long)json_integer_value(json_object_get(stats, name));

    json_decref(stats);
    return count;
}

long lab_connections(const struct lab *lab, size_t which)
{
    return lab_stat(lab, which, "connections");
}

long lab_count_all(const struct lab *lab, const char *path)
{
    long count = 0;

    for (size_t i = 0; i < lab->count; i++)
        if (lab->backends[i].process.pid != 0)
            count += lab_count(lab, i, path);
    return count;
}

/* --- a backend that the test plays ---------------------------------------- */

void lab_solo(struct lab *lab)
{
    lab_init(lab);
    lab_backends(lab, 1);
    lab_flag(lab, 0, "--no-health", NULL);
}

void lab_play(struct lab *lab)
{
    struct lab_backend *backend = &lab->backends[lab->count++];

    backend->keeper = rude_listen(&backend->port);
    insist(backend->keeper != -1, "no port to listen on");
    lab_flag(lab, 0, "--no-health", NULL);
}

void lab_cue(const struct lab *lab, size_t which, struct rude *backend)
{
    insist(rude_accept(backend, lab->backends[which].keeper, 3000),
           "expected the balancer to connect to its backend");
    insist(rude_hear(backend, "\r\n\r\n", 3000),
           "expected the head of a request at the backend; got \"%.300s\"",
           backend->text);
}

void lab_accept(const struct lab *lab, size_t which, struct rude *rude)
{
    insist(rude_accept(rude, lab->backends[which].keeper, 3000),
           "expected a connection to backend %zu; none came", which);
}

bool lab_is_called(const struct lab *lab, size_t which, long ms)
{
    struct pollfd wait = {.fd = lab->backends[which].keeper, .events = POLLIN};

    return poll(&wait, 1, (int)patience(ms)) == 1;
}

/* --- the balancer --------------------------------------------------------- */

void lab_flag(struct lab *lab, unsigned since, const char *name,
              const char *value)
{
    if (subject.chapter < since)
        return;
    lab->flags[lab->flag_count++] = name;
    if (value != NULL)
        lab->flags[lab->flag_count++] = value;
}

/** All backends; only the first for one that knows no more. */
static void list_backends(const struct lab *lab, char *list, size_t room)
{
    size_t count = subject.chapter < 2 && lab->count > 1 ? 1 : lab->count;
    size_t used = 0;

    list[0] = '\0';
    for (size_t i = 0; i < count; i++)
        used += (size_t)snprintf(list + used, room - used, "%shttp://%s:%u",
                                 i > 0 ? "," : "", lab->host,
                                 lab->backends[i].port);
    if (lab->also != NULL)
        snprintf(list + used, room - used, ",%s", lab->also);
}

/**
 * A port for those who cannot ask the kernel for one. We begin to look at a
 * place of our own, below those that the kernel gives out, so that two labs at
 * the same time do not find the same.
 */
static unsigned free_port(void)
{
    for (unsigned i = 0; i < 1000; i++) {
        unsigned port = 10000 + ((unsigned)getpid() * 5 + i) % 20000;

        int fd = port_take(port);

        if (fd != -1) {
            close(fd);
            return port;
        }
    }
    ck_abort_msg("no free port");
}

/** Copy a text, with each {name} replaced by its value. */
static void fill_in(char *out, size_t room, const char *text, const char *port,
                    const char *backends)
{
    size_t used = 0;

    while (*text != '\0' && used + 1 < room) {
        const char *value = NULL;

        if (strncmp(text, "{port}", 6) == 0)
            value = port;
        if (strncmp(text, "{backends}", 10) == 0)
            value = backends;
        if (value == NULL) {
            out[used++] = *text++;
            continue;
        }
        used += (size_t)snprintf(out + used, room - used, "%s", value);
        text = strchr(text, '}') + 1;
    }
    out[used < room ? used : room - 1] = '\0';
}

/** To connect would tell, too; but then the balancer has had a client already,
 * and may still be busy with it. */
static bool somebody_listens(unsigned port)
{
    struct rude rude;
    bool open;

    switch (tcp_is_listening(port)) {
    case TCP_YES: return true;
    case TCP_NO: return false;
    case TCP_UNKNOWN: break;
    }
    open = rude_open(&rude, port);
    if (open)
        rude_close(&rude);
    return open;
}

/** Anybody's balancer: by a shell, on a port that we choose. */
static void run_command(struct lab *lab, const char *backends)
{
    char port[16];
    char command[4096] = "exec ";
    const char *argv[] = {"/bin/sh", "-c", command, NULL};

    lab->port = free_port();
    snprintf(port, sizeof(port), "%u", lab->port);
    fill_in(command + 5, sizeof(command) - 5, subject.command, port, backends);
    for (size_t i = 0; i < lab->flag_count; i++) {
        size_t used = strlen(command);

        snprintf(command + used, sizeof(command) - used, " '%s'",
                 lab->flags[i]);
    }
    insist(process_start(&lab->lb, argv), "cannot start a shell");
}

static void run_ours(struct lab *lab, const char *backends)
{
    const char *argv[LAB_FLAGS_MAX + 8] = {subject.lb, "--port", "0",
                                           "--backends", backends};
    size_t given = lab->is_bare ? 1 : 5;

    if (lab->program != NULL)
        argv[0] = lab->program;
    if (subject.chapter >= 99 && !lab->usual_admin) {
        /* Many run at once, so none may have the usual place. */
        argv[given++] = "--admin";
        argv[given++] = "127.0.0.1:0";
    }
    for (size_t i = 0; i < lab->flag_count; i++)
        argv[given + i] = lab->flags[i];
    argv[given + lab->flag_count] = NULL;
    insist(process_start(&lab->lb, argv), "cannot start the balancer");
}

static void run_balancer(struct lab *lab)
{
    char backends[1024];

    list_backends(lab, backends, sizeof(backends));
    if (subject.command != NULL)
        run_command(lab, backends);
    else
        run_ours(lab, backends);
}

/** Its file was read, or it will not be. */
static void config_remove(struct lab *lab)
{
    if (lab->config == NULL || lab->keeps_config)
        return;
    unlink(lab->config);
    lab->config = NULL;
}

/** The line behind the first says where its admin listener is, if it has one. */
static unsigned admin_port(const struct process *lb)
{
    char *said = process_text(lb->out);
    char *at = strstr(said, "admin on http://");
    unsigned port = 0;

    if (at != NULL)
        sscanf(at, "admin on http://127.0.0.1:%u", &port);
    free(said);
    return port;
}

/** Wait until it can be used. */
static void wait_for_balancer(struct lab *lab)
{
    int status = 0;

    if (subject.command == NULL) {
        lab->port = process_port(&lab->lb);
        config_remove(lab);
        insist(lab->port != 0,
               "the balancer did not begin with \"listening on http://...\"; "
               "it said: %s",
               process_text(lab->lb.err));
        lab->admin = admin_port(&lab->lb);
        return;
    }
    insist(holds_within(5000, somebody_listens(lab->port) ||
                                  process_has_ended(&lab->lb, &status)) &&
               lab->lb.pid != 0,
           "started the balancer; expected it to listen on port %u; it ended "
           "with status %d, or did not listen in time. It said: %s",
           lab->port, status, process_text(lab->lb.err));
}

/** The flags that are for all labs; they stand where strtok() has cut them. */
static void add_flags(struct lab *lab)
{
    static char flags[256];

    snprintf(flags, sizeof(flags), "%s",
             subject.flags == NULL ? "" : subject.flags);
    for (char *flag = strtok(flags, " "); flag != NULL;
         flag = strtok(NULL, " "))
        lab_flag(lab, 99, flag, NULL);
}

void lab_start(struct lab *lab)
{
    add_flags(lab);
    if (lab->is_bare) {
        run_balancer(lab);
        wait_for_balancer(lab);
        return;
    }
    lab_flag(lab, 3, "--health-interval", lab->interval);
    /* Where one probe is all there is, a busy machine must not lose it. */
    lab_flag(lab, 3, "--health-timeout",
             strcmp(lab->interval, "60s") == 0 ? "3s" : "300ms");
    lab_flag(lab, 99, "--address", "127.0.0.1");
    run_balancer(lab);
    wait_for_balancer(lab);
}

void lab_start_alone(struct lab *lab)
{
    lab_flag(lab, 0, "--workers", "1");
    lab_start(lab);
}

void lab_meet(struct lab *lab, struct rude *client)
{
    lab_start_alone(lab);
    lab_rude(lab, client);
}

static void kill_backends(struct lab *lab)
{
    for (size_t i = 0; i < lab->count; i++)
        process_kill(&lab->backends[i].process);
}

void lab_refuses(struct lab *lab, const char *words)
{
    int status = 0;

    run_balancer(lab);
    insist(holds_within(3000, process_has_ended(&lab->lb, &status)),
           "started the balancer with something that it has to refuse; "
           "expected it to end with status 2; it goes on");
    config_remove(lab);
    insist(status == 2,
           "expected a command line to be refused with status 2; got %d",
           status);
    insist(process_said(lab->lb.err, words),
           "expected an error that says \"%s\"; got \"%s\"", words,
           process_text(lab->lb.err));
    kill_backends(lab);
}

void lab_runs(struct lab *lab, int status)
{
    int got = 0;

    run_balancer(lab);
    insist(holds_within(3000, process_has_ended(&lab->lb, &got)),
           "expected the balancer to say something and end; it goes on");
    config_remove(lab);
    insist(got == status, "expected it to end with status %d; got %d: %s",
           status, got, process_text(lab->lb.err));
    kill_backends(lab);
}

/** Write the file, with each {N} replaced. */
static void write_config(const struct lab *lab, FILE *file, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '{' && text[1] >= '0' &&
            text[1] < '0' + LAB_BACKENDS_MAX && text[2] == '}') {
            fprintf(file, "http://127.0.0.1:%u",
                    lab->backends[text[1] - '0'].port);
            text += 2;
        } else {
            fputc(*text, file);
        }
    }
    fclose(file);
}

void lab_config(struct lab *lab, const char *text)
{
    static char name[64];
    int fd;

    snprintf(name, sizeof(name), "%s/steelyard-XXXXXX.json", P_tmpdir);
    fd = mkstemps(name, 5);
    insist(fd != -1, "cannot write %s", name);
    write_config(lab, fdopen(fd, "w"), text);
    lab->config = name;
    lab->is_bare = true;
    lab_flag(lab, 0, "--config", name);
}

void lab_config_kept(struct lab *lab, const char *text)
{
    lab_config(lab, text);
    lab->keeps_config = true;
}

void lab_reload(struct lab *lab, const char *text, bool was_taken)
{
    const char *words = was_taken ? "reload: done" : "reload: refused";
    size_t before = lab_logged(lab, words);
    FILE *file = fopen(lab->config, "w");

    insist(file != NULL, "cannot write %s", lab->config);
    write_config(lab, file, text);
    kill(lab->lb.pid, SIGHUP);
    insist(holds_within(5000, lab_logged(lab, words) > before),
           "wrote the file anew and sent SIGHUP; expected \"%s\"; the log "
           "says %s",
           words, process_text(lab->lb.err));
}

void lab_usual(struct lab *lab, size_t count)
{
    lab_init(lab);
    lab_backends(lab, count);
    lab_start(lab);
}

const char *lab_url(const struct lab *lab, const char *path)
{
    static char urls[8][512];
    static size_t next;
    char *url = urls[next++ % 8];

    snprintf(url, sizeof(urls[0]), "http://127.0.0.1:%u%s", lab->port, path);
    return url;
}

const char *lab_admin(const struct lab *lab, const char *path)
{
    static char urls[8][256];
    static size_t next;
    char *url = urls[next++ % 8];

    insist(lab->admin != 0, "there is no admin listener");
    snprintf(url, sizeof(urls[0]), "http://127.0.0.1:%u%s", lab->admin, path);
    return url;
}

struct answer lab_get(const struct lab *lab, const char *path)
{
    return fetch_url(lab_url(lab, path));
}

struct answer lab_try(const struct lab *lab, const char *path)
{
    struct answer answer = lab_get(lab, path);

    answer_free(&answer);
    return answer;
}

const char *lab_hello(const struct lab *lab, size_t which)
{
    static char words[4][64];
    static size_t next;
    char *hello = words[next++ % 4];

    snprintf(hello, sizeof(words[0]), "hello from %s on port %u\n",
             lab->backends[which].name, lab->backends[which].port);
    return hello;
}

const char *lab_who(const struct lab *lab, const char *path)
{
    static char names[8][64];
    static size_t next;
    char *name = names[next++ % 8];
    struct answer answer = lab_get(lab, path);

    insist(answer.whole && answer.status == 200,
           "GET %s: expected 200 from a backend; got status %ld (%s) %.200s",
           path, answer.status, answer.error,
           answer.body == NULL ? "" : answer.body);
    snprintf(name, sizeof(names[0]), "%s", answer.backend);
    answer_free(&answer);
    return name;
}

const char *lab_talk(const struct lab *lab, const char *request)
{
    static struct rude asked[4];
    static size_t next;
    struct rude *rude = &asked[next++ % 4];

    if (rude->text != NULL)
        rude_close(rude);
    lab_rude(lab, rude);
    rude_say(rude, request);
    insist(rude_hear_end(rude, 5000),
           "sent \"%.60s\"; expected an answer, and the end of the connection",
           request);
    return rude->text;
}

void lab_rude(const struct lab *lab, struct rude *rude)
{
    insist(rude_open(rude, lab->port), "the balancer does not accept clients");
}

void lab_hear(struct rude *rude, const char *words)
{
    insist(rude_hear(rude, words, 3000),
           "expected to hear \"%s\"; got \"%.600s\"%s", words, rude->text,
           rude->broken  ? " and a reset"
           : rude->ended ? " and the end"
                         : "");
}

void lab_hear_chunks(struct rude *rude, const char *content, const char *rest)
{
    insist(rude_hear_chunks(rude, content, rest, 3000),
           "expected to hear \"%s\" in chunks, and then \"%s\"; got "
           "\"%.600s\"%s",
           content, rest, rude->text,
           rude->broken  ? " and a reset"
           : rude->ended ? " and the end"
                         : "");
}

void lab_ask(struct rude *rude, const char *text, const char *words)
{
    rude_forget(rude);
    insist(rude_say(rude, text), "nobody takes \"%.300s\"", text);
    lab_hear(rude, words);
}

void lab_hear_end(struct rude *rude)
{
    insist(rude_hear_end(rude, 3000),
           "expected the connection to end; it stays open after \"%.600s\"",
           rude->text);
}

void lab_has(const struct rude *rude, const char *words)
{
    insist(strstr(rude->text, words) != NULL, "expected \"%s\" in \"%.900s\"",
           words, rude->text);
}

void lab_lacks(const struct rude *rude, const char *words)
{
    insist(strstr(rude->text, words) == NULL,
           "expected no \"%s\" in \"%.900s\"", words, rude->text);
}

bool lab_logs(const struct lab *lab, const char *words, long ms)
{
    return holds_within(ms, process_said(lab->lb.err, words));
}

bool lab_prints(const struct lab *lab, const char *words, long ms)
{
    return holds_within(ms, process_said(lab->lb.out, words));
}

static size_t count_words(int file, const char *words)
{
    char *text = process_text(file);
    size_t count = 0;

    for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
        count++;
    free(text);
    return count;
}

size_t lab_logged(const struct lab *lab, const char *words)
{
    return count_words(lab->lb.err, words);
}

size_t lab_noted(const struct lab *lab, const char *words)
{
    return count_words(lab->lb.out, words);
}

const char *lab_change(const struct lab *lab, size_t which, const char *to)
{
    static char words[4][128];
    static size_t next;
    char *found = words[next++ % 4];

    snprintf(found, sizeof(words[0]), "http://127.0.0.1:%u [%s]",
             lab->backends[which].port, to);
    return found;
}

static void check_sanitizers(const char *log)
{
    static const char *const reports[] = {
        "ERROR: AddressSanitizer", "ERROR: LeakSanitizer",
        "runtime error:", "WARNING: ThreadSanitizer"};

    for (size_t i = 0; i < sizeof(reports) / sizeof(reports[0]); i++) {
        const char *at = strstr(log, reports[i]);

        insist(at == NULL,
               "a sanitizer found a fault in the balancer:\n%.1500s", at);
    }
}

void lab_end(struct lab *lab)
{
    int status;

    lab->keeps_config = false;
    config_remove(lab);
    if (process_has_ended(&lab->lb, &status))
        ck_abort_msg(
            "the balancer has ended by itself, with status %d; it said: %s",
            status, process_text(lab->lb.err));
    status = process_stop(&lab->lb, 4000);
    check_sanitizers(process_text(lab->lb.err));
    insist(status == 0 ||
               (subject.command != NULL && status != ENDED_BY_SIGNAL + SIGKILL),
           "stopped by SIGTERM; expected it to end within 4 s with status 0; "
           "got %s %d",
           status >= ENDED_BY_SIGNAL ? "signal" : "status",
           status % ENDED_BY_SIGNAL);
    kill_backends(lab);
}

/* --- scenes --------------------------------------------------------------- */

void scene_open(struct scene *scene, const char *flag, const char *value)
{
    lab_init(&scene->lab);
    lab_play(&scene->lab);
    if (flag != NULL)
        lab_flag(&scene->lab, 99, flag, value);
    lab_meet(&scene->lab, &scene->client);
    scene->backend = (struct rude){.fd = -1};
}

void scene_ask(struct scene *scene, const char *text)
{
    rude_forget(&scene->client);
    rude_say(&scene->client, text);
    lab_cue(&scene->lab, 0, &scene->backend);
}

void scene_close(struct scene *scene)
{
    rude_close(&scene->backend);
    rude_close(&scene->client);
    lab_end(&scene->lab);
}

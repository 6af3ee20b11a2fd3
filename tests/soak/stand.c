/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Processes are started and ended by the main thread alone: on Linux a process
 * started by process_start() dies with the thread that did.
 *
 * A backend keeps its port for the whole soak. While it does not run, a socket
 * that does not listen keeps it: connections are refused, and nobody else gets
 * the port.
 */
#include "stand.h"

#include "fetch.h"
#include "report.h"
#include "rude.h"
#include "trouble.h"
#include "wait.h"

#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOKEN "token-of-the-soak"

enum {
    START_MS = 10000,
    SAY_MS = 4000,
    DRAIN_MS = 20000, /* the longest request, with some patience */
    HAND_OVER_MS = 20000,
    TERM_MS = 8000, /* a backend gives responses in progress 5 s */
};

/** As printf(); owned by the caller. */
__attribute__((format(printf, 1, 2))) static char *text_of(const char *format,
                                                           ...)
{
    char *text = NULL;
    va_list values;

    va_start(values, format);
    if (vasprintf(&text, format, values) == -1)
        abort();
    va_end(values);
    return text;
}

/* --- backends -------------------------------------------------------------- */

/** A socket that has this port and does not listen. */
static int port_keep(unsigned port)
{
    static const int on = 1;
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&where, sizeof(where)) == 0)
        return fd;
    close(fd);
    return -1;
}

/** @param spoil a misbehaviour, or NULL */
static bool backend_start(struct stand *stand, unsigned which,
                          const char *spoil)
{
    struct stand_backend *backend = &stand->backends[which];
    char port[16];
    const char *argv[] = {stand->backend,
                          "--port",
                          port,
                          "--name",
                          backend_name(which),
                          "--verbose",
                          "--spare",
                          "/readyz",
                          spoil == NULL ? NULL : "--misbehave",
                          spoil,
                          NULL};

    snprintf(port, sizeof(port), "%u", backend->port);
    if (backend->keeper != -1)
        close(backend->keeper);
    backend->keeper = -1;
    if (backend->lives == LOGS_MAX || !process_start(&backend->process, argv) ||
        (backend->port = process_port(&backend->process)) == 0) {
        report_wrong("backend %s does not start", backend_name(which));
        return false;
    }
    close(backend->process.out);
    backend->logs[backend->lives++] = backend->process.err;
    return true;
}

static void backend_kill(struct stand_backend *backend)
{
    process_kill(&backend->process);
    backend->keeper = port_keep(backend->port);
}

/** It was asked to end: wait until it has. */
static void backend_await_end(struct stand *stand, unsigned which)
{
    struct stand_backend *backend = &stand->backends[which];
    int status = -1;

    if (backend->process.pid == 0)
        return;
    if (!holds_within(TERM_MS, process_has_ended(&backend->process, &status)) ||
        status != 0)
        report_wrong("backend %s was asked to end, and did not end well: %d",
                     backend_name(which), status);
    process_kill(&backend->process);
}

/** Say something to the backend itself, and wait until it has answered: then it
 * has begun to do what it was told, or has done it. */
static void backend_say(struct stand *stand, unsigned which, const char *method,
                        const char *path)
{
    struct rude rude;
    char *head = text_of("%s %s HTTP/1.1\r\nHost: b\r\n\r\n", method, path);

    if (holds_within(SAY_MS, rude_open(&rude, stand->backends[which].port))) {
        rude_say(&rude, head);
        rude_hear(&rude, "\r\n\r\n", SAY_MS);
        rude_close(&rude);
    } else {
        report_wrong("backend %s cannot be told %s", backend_name(which), path);
    }
    free(head);
}

/* --- asking steelyard ------------------------------------------------------ */

char *stand_ask(struct stand *stand, const char *method, const char *path,
                const char *body, long status)
{
    static const char *const fields[] = {"Authorization: Bearer " TOKEN, NULL};
    char *url = text_of("http://127.0.0.1:%u%s", stand->admin, path);
    struct answer answer =
        fetch(&(struct request){.method = method,
                                .url = url,
                                .fields = fields,
                                .body = body,
                                .body_length = body == NULL ? 0 : strlen(body),
                                .timeout_ms = 5000});

    free(url);
    if (answer.whole && answer.status == status)
        return answer.body;
    report_wrong("admin listener: %s %s: expected %ld, got %ld (%s) %.200s",
                 method, path, status, answer.status, answer.error,
                 answer.body);
    answer_free(&answer);
    return NULL;
}

double stand_metric(const char *metrics, const char *name)
{
    size_t length = strlen(name);

    for (const char *line = metrics; line != NULL && *line != '\0';) {
        if (strncmp(line, name, length) == 0 && line[length] == ' ')
            return strtod(line + length, NULL);
        line = strchr(line, '\n');
        line += line != NULL;
    }
    return -1;
}

static double metric_now(struct stand *stand, const char *name)
{
    char *metrics = stand_ask(stand, "GET", "/metrics", NULL, 200);
    double value = metrics == NULL ? -1 : stand_metric(metrics, name);

    free(metrics);
    return value;
}

/** Find a backend among those that steelyard has. @return a new reference */
static json_t *backend_facts(struct stand *stand, unsigned which)
{
    char *text = stand_ask(stand, "GET", "/api/v1/backends", NULL, 200);
    char *url = text_of("http://127.0.0.1:%u", stand->backends[which].port);
    json_t *all = text == NULL ? NULL : json_loads(text, 0, NULL);
    json_t *list = json_is_array(all) ? all : json_object_get(all, "backends");
    json_t *found = NULL;
    json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        const char *has = json_string_value(json_object_get(one, "url"));

        if (has != NULL && strcmp(has, url) == 0)
            found = json_incref(one);
    }
    if (found == NULL)
        report_wrong("the API does not know backend %s", backend_name(which));
    json_decref(all);
    free(url);
    free(text);
    return found;
}

static void backend_change(struct stand *stand, unsigned which,
                           const char *method, const char *body)
{
    json_t *facts = backend_facts(stand, which);
    char *path;

    if (facts == NULL)
        return;
    path = text_of("/api/v1/backends/%s",
                   json_string_value(json_object_get(facts, "id")));
    free(stand_ask(stand, method, path, body, 200));
    free(path);
    json_decref(facts);
}

static long backend_in_flight(struct stand *stand, unsigned which)
{
    json_t *facts = backend_facts(stand, which);
    long count = (long)json_integer_value(json_object_get(facts, "in_flight"));

    json_decref(facts);
    return count;
}

static void backend_add(struct stand *stand, unsigned which, unsigned weight)
{
    char *body = text_of("{\"url\": \"http://127.0.0.1:%u\", \"weight\": %u}",
                         stand->backends[which].port, weight);

    if (!stand->is_added) {
        free(stand_ask(stand, "POST", "/api/v1/backends", body, 201));
        stand->is_added = true;
    }
    free(body);
}

static void backend_remove(struct stand *stand, unsigned which)
{
    if (stand->is_added) /* a new configuration may have done it before us */
        backend_change(stand, which, "DELETE", NULL);
    stand->is_added = false;
}

static bool past_has_ended(struct stand *stand);

/** Without a request that fails: it is only away. */
static void backend_roll(struct stand *stand, unsigned which)
{
    struct stand_backend *backend = &stand->backends[which];

    if (!past_has_ended(stand)) { /* it does not know that this one drains */
        report_note("... later: there are two processes still");
        return;
    }
    trouble_begin(which, TROUBLE_DRAINING);
    backend_change(stand, which, "PATCH", "{\"ready\": false}");
    if (!holds_within(DRAIN_MS, backend_in_flight(stand, which) == 0))
        report_wrong("backend %s drains and still has %ld in flight",
                     backend_name(which), backend_in_flight(stand, which));
    kill(backend->process.pid, SIGTERM);
    backend_await_end(stand, which);
    backend_start(stand, which, NULL);
    trouble_end(which, now_ms());
    backend_change(stand, which, "PATCH", "{\"ready\": true}");
}

/* --- configurations -------------------------------------------------------- */

/** Put the file there, so that it is never seen half. */
static void config_write(struct stand *stand, const char *text)
{
    char *path = text_of("%s/config.json", stand->folder);
    char *fresh = text_of("%s.new", path);
    FILE *file = fopen(fresh, "w");

    if (file == NULL || fputs(text, file) == EOF || fclose(file) == EOF ||
        rename(fresh, path) == -1)
        report_wrong("cannot write %s", path);
    free(path);
    free(fresh);
}

/** A good one; @p variant makes it another than before. */
static void config_vary(struct stand *stand, unsigned variant)
{
    static const char *const policies[] = {"round-robin", "least-connections",
                                           "two-choices", "latency",
                                           "consistent-hash"};
    const struct stand_backend *b = stand->backends;
    char *text = text_of(
        "{\"policy\": {\"name\": \"%s\"},\n"
        " \"idle\": {\"max\": %u},\n"
        " \"backends\": [{\"url\": \"http://127.0.0.1:%u\", \"weight\": %u},\n"
        "  \"http://127.0.0.1:%u\", \"http://127.0.0.1:%u\",\n"
        "  \"http://127.0.0.1:%u\"]}\n",
        policies[variant % 5], 100 + variant, b[0].port, 1 + variant % 5,
        b[1].port, b[2].port, b[3].port);

    config_write(stand, text);
    free(text);
}

static void reload(struct stand *stand, unsigned variant, bool by_signal)
{
    double before = metric_now(stand, "steelyard_config_generation");

    config_vary(stand, variant);
    if (by_signal)
        kill(stand->lb.pid, SIGHUP);
    else
        free(stand_ask(stand, "POST", "/api/v1/reload", NULL, 200));
    if (!holds_within(5000, metric_now(stand, "steelyard_config_generation") >
                                before))
        report_wrong("the new configuration was not taken");
    stand->is_added = false; /* it names only those that last */
    stand->reloads++;
}

/** It has to be refused, and to change nothing. */
static void reload_bad(struct stand *stand, unsigned how)
{
    static const char *const texts[] = {
        "{\"backends\": [\n", "{\"bakends\": []}",
        "{\"backends\": [\"http://127.0.0.1:99999\"]}"};
    char *path = text_of("%s/config.json", stand->folder);
    char *kept = text_of("%s.kept", path);

    if (rename(path, kept) == -1)
        report_wrong("cannot keep %s", path);
    config_write(stand, texts[how]);
    free(stand_ask(stand, "POST", "/api/v1/reload", NULL, 422));
    json_decref(backend_facts(stand, 0)); /* it has to be there still */
    if (rename(kept, path) == -1)
        report_wrong("cannot put %s back", path);
    free(path);
    free(kept);
}

static void run(const char *command)
{
    if (system(command) != 0)
        report_wrong("this does not work here: %s", command);
}

/** A key and a certificate, which take the place of those that were there. */
static void certify(struct stand *stand)
{
    char *command = text_of(
        "cd %s && openssl req -x509 -newkey ec -pkeyopt "
        "ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=soak.test -addext "
        "subjectAltName=DNS:soak.test,IP:127.0.0.1 -keyout new.key -out "
        "new.pem 2>openssl.log && mv new.key site.key && mv new.pem site.pem",
        stand->folder);

    run(command);
    free(command);
}

static void rotate(struct stand *stand)
{
    char *path = text_of("%s/access.log", stand->folder);
    char *past = text_of("%s.%u", path, ++stand->logs);

    if (rename(path, past) == -1)
        report_wrong("cannot move %s", path);
    kill(stand->lb.pid, SIGUSR1);
    if (!holds_within(3000, access(path, F_OK) == 0))
        report_wrong("after SIGUSR1 there is no new access log");
    free(path);
    free(past);
}

/* --- hand-over -------------------------------------------------------------- */

/** How often has a process said that another one serves now? @param pid the
 * last one */
static unsigned count_hand_overs(const struct stand *stand, long *pid)
{
    static const char words[] = "upgrade: process ";
    char *text = process_text(stand->lb.err);
    unsigned count = 0;

    for (const char *at = text; (at = strstr(at, words)) != NULL;) {
        char *behind;
        long number = strtol(at + strlen(words), &behind, 10);

        at = behind;
        if (strncmp(behind, " serves now", 11) != 0)
            continue;
        *pid = number;
        count++;
    }
    free(text);
    return count;
}

/** Has the process that handed over finished what it had? It must end well. */
static bool past_has_ended(struct stand *stand)
{
    int status;

    if (stand->past.pid == 0)
        return true;
    if (!process_has_ended(&stand->past, &status))
        return false;
    if (status != 0)
        report_wrong("the process that handed over ended with status %d",
                     status);
    return true;
}

/** A new process takes over. It writes to the same log, and becomes ours when
 * the old one has ended. */
static void hand_over(struct stand *stand)
{
    long number = 0;
    unsigned before;

    if (!past_has_ended(stand)) {
        report_note("... later: there are two processes still");
        return;
    }
    before = count_hand_overs(stand, &number);
    kill(stand->lb.pid, SIGUSR2);
    if (!holds_within(HAND_OVER_MS,
                      count_hand_overs(stand, &number) > before)) {
        report_wrong("after SIGUSR2, no new process serves");
        return;
    }
    report_note("process %ld serves now", number);
    stand->past = stand->lb;
    stand->lb.pid = (pid_t)number;
    stand->is_added = false;
    stand->hand_overs++;
}

/* --- deeds ----------------------------------------------------------------- */

static void do_quit(struct stand *stand, unsigned which)
{
    trouble_begin(which, TROUBLE_ENDING);
    kill(stand->backends[which].process.pid, SIGTERM);
}

static void do_start(struct stand *stand, unsigned which)
{
    backend_await_end(stand, which);
    backend_start(stand, which, NULL);
    trouble_end(which, now_ms());
}

static void do_spoil(struct stand *stand, unsigned which, const char *spoil)
{
    if (spoil != NULL)
        trouble_begin(which, TROUBLE_SPOILT);
    backend_kill(&stand->backends[which]);
    backend_start(stand, which, spoil);
    if (spoil == NULL)
        trouble_end(which, now_ms());
}

/** It knows by itself when that is over. */
static void do_for_a_while(struct stand *stand, const struct step *step,
                           enum trouble trouble, const char *name)
{
    char *path = text_of("/misbehave/%s?ms=%u", name, step->value);

    trouble_begin(step->backend, trouble);
    backend_say(stand, step->backend, "GET", path);
    trouble_end(step->backend, now_ms() + step->value + 300);
    free(path);
}

static void do_to_backend(struct stand *stand, const struct step *step)
{
    unsigned which = step->backend;
    struct stand_backend *backend = &stand->backends[which];
    char weight[40];

    switch (step->deed) {
    case DEED_KILL:
        trouble_begin(which, TROUBLE_DEAD);
        backend_kill(backend);
        return;
    case DEED_QUIT: do_quit(stand, which); return;
    case DEED_START: do_start(stand, which); return;
    case DEED_STOP:
        trouble_begin(which, TROUBLE_STOPPED);
        kill(backend->process.pid, SIGSTOP);
        return;
    case DEED_CONTINUE:
        kill(backend->process.pid, SIGCONT);
        trouble_end(which, now_ms());
        return;
    case DEED_FREEZE:
        do_for_a_while(stand, step, TROUBLE_FROZEN, "freeze");
        return;
    case DEED_REFUSE:
        do_for_a_while(stand, step, TROUBLE_REFUSING, "refuse");
        return;
    case DEED_SPOIL: do_spoil(stand, which, plan_spoils[step->value]); return;
    case DEED_MEND: do_spoil(stand, which, NULL); return;
    case DEED_FAIL_PROBES:
        trouble_begin(which, TROUBLE_AWAY);
        backend_say(stand, which, "POST", "/not-ready");
        return;
    case DEED_PASS_PROBES:
        backend_say(stand, which, "POST", "/ready");
        trouble_end(which, now_ms());
        return;
    case DEED_DRAIN:
        trouble_begin(which, past_has_ended(stand)
                                 ? TROUBLE_DRAINING
                                 : TROUBLE_AWAY); /* it is not told */
        backend_change(stand, which, "PATCH", "{\"ready\": false}");
        return;
    case DEED_UNDRAIN:
        trouble_end(which, now_ms());
        backend_change(stand, which, "PATCH", "{\"ready\": true}");
        return;
    case DEED_ROLL: backend_roll(stand, which); return;
    case DEED_WEIGH:
        snprintf(weight, sizeof(weight), "{\"weight\": %u}", step->value);
        backend_change(stand, which, "PATCH", weight);
        return;
    case DEED_ADD: backend_add(stand, which, step->value); return;
    case DEED_REMOVE: backend_remove(stand, which); return;
    default: return;
    }
}

void stand_do(struct stand *stand, const struct step *step)
{
    (void)past_has_ended(stand);
    report_note("%s", step_words(step));
    switch (step->deed) {
    case DEED_RELOAD_SIGNAL: reload(stand, step->value, true); return;
    case DEED_RELOAD_API: reload(stand, step->value, false); return;
    case DEED_RELOAD_BAD: reload_bad(stand, step->value); return;
    case DEED_CERTIFY: certify(stand); return;
    case DEED_ROTATE: rotate(stand); return;
    case DEED_HAND_OVER: hand_over(stand); return;
    default: do_to_backend(stand, step);
    }
}

/* --- beginning and end ----------------------------------------------------- */

/** The port behind these words, on a line of stdout. */
static unsigned port_said(const struct stand *stand, const char *words)
{
    char *text = process_text(stand->lb.out);
    const char *at = strstr(text, words);
    unsigned port = 0;

    if (at != NULL)
        at = strchr(at + strlen(words), ':');
    if (at != NULL)
        port = (unsigned)strtoul(at + 1, NULL, 10);
    free(text);
    return port;
}

static bool steelyard_start(struct stand *stand)
{
    char *config = text_of("%s/config.json", stand->folder);
    char *pair =
        text_of("%s/site.pem:%s/site.key", stand->folder, stand->folder);
    char *log = text_of("%s/access.log", stand->folder);
    char limits[6][40];
    const char *argv[] = {stand->steelyard,
                          "--config",
                          config,
                          "--port=0",
                          "--address=127.0.0.1",
                          "--workers=2",
                          "--tls-listen=127.0.0.1:0",
                          "--certificates",
                          pair,
                          "--certificates-look=500ms",
                          "--admin=127.0.0.1:0",
                          "--access-log",
                          log,
                          "--health-path=/readyz",
                          "--health-interval=300ms",
                          "--ejection-time=1s",
                          "--upstream-idle=1s",
                          "--keep-alive=20s",
                          "--stop-timeout=15s",
                          "--half-closed-timeout=2s",
                          limits[0],
                          limits[1],
                          limits[2],
                          limits[3],
                          limits[4],
                          limits[5],
                          NULL};
    static const struct {
        const char *name;
        int ms;
    } values[6] = {
        {"response-timeout", RESPONSE_MS}, {"stall-timeout", STALL_MS},
        {"head-timeout", HEAD_MS},         {"body-timeout", BODY_MS},
        {"connect-timeout", CONNECT_MS},   {"health-timeout", 1000}};
    bool started;

    for (int i = 0; i < 6; i++)
        snprintf(limits[i], sizeof(limits[i]), "--%s=%dms", values[i].name,
                 (int)patience(values[i].ms));
    setenv("STEELYARD_ADMIN_TOKEN", TOKEN, 1);
    started = process_start(&stand->lb, argv) &&
              holds_within(START_MS, process_said(stand->lb.out, "admin on"));
    stand->port = port_said(stand, "listening on http:");
    stand->tls_port = port_said(stand, "listening on https:");
    stand->admin = port_said(stand, "admin on http:");
    free(config);
    free(pair);
    free(log);
    return started && stand->port != 0 && stand->tls_port != 0 &&
           stand->admin != 0;
}

bool stand_open(struct stand *stand)
{
    snprintf(stand->folder, sizeof(stand->folder),
             "/tmp/steelyard-soak-XXXXXX");
    if (mkdtemp(stand->folder) == NULL) {
        report_wrong("there is no room in /tmp");
        return false;
    }
    for (unsigned i = 0; i < BACKENDS; i++) {
        stand->backends[i].keeper = -1;
        if (!backend_start(stand, i, NULL))
            return false;
    }
    certify(stand);
    config_vary(stand, 0);
    if (!steelyard_start(stand)) {
        report_wrong("steelyard does not start: %s",
                     process_text(stand->lb.err));
        return false;
    }
    return true;
}

long stand_descriptors(const struct stand *stand, long *pipes)
{
    char path[300], target[64];
    struct dirent *entry;
    long count = 0;
    DIR *folder;

    *pipes = 0;
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)stand->lb.pid);
    folder = opendir(path);
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        ssize_t length;

        snprintf(path, sizeof(path), "/proc/%d/fd/%.200s", (int)stand->lb.pid,
                 entry->d_name);
        length = readlink(path, target, sizeof(target) - 1);
        if (length <= 0)
            continue;
        target[length] = '\0';
        count++;
        *pipes += strncmp(target, "pipe:", 5) == 0;
    }
    if (folder != NULL)
        closedir(folder);
    return count;
}

/** Keep the log of events beside the other files, and see that nothing stands in
 * it that must not. */
static void look_at_events(const struct stand *stand)
{
    static const char *const bad[] = {"Sanitizer", "runtime error",
                                      "broken promise", "lines were dropped"};
    char *text = process_text(stand->lb.err);
    char *path = text_of("%s/events.log", stand->folder);
    FILE *file = fopen(path, "w");

    if (file == NULL || fputs(text, file) == EOF || fclose(file) == EOF)
        report_wrong("cannot write %s", path);
    free(path);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *at = strstr(text, bad[i]);

        if (at != NULL)
            report_wrong("steelyard said: %.2000s", at);
    }
    free(text);
}

void stand_close(struct stand *stand)
{
    int status;

    if (!holds_within(HAND_OVER_MS, past_has_ended(stand)))
        report_wrong("the process that handed over does not end");
    process_kill(&stand->past);
    status = process_stop(&stand->lb, 20000);
    if (status != 0)
        report_wrong("steelyard ended with status %d", status);
    look_at_events(stand);
    for (unsigned i = 0; i < BACKENDS; i++)
        process_kill(&stand->backends[i].process);
}

bool stand_can_hand_over(const char *steelyard)
{
    const char *argv[] = {steelyard, "--help", NULL};
    struct process help;
    int status;
    bool can;

    if (!process_start(&help, argv))
        return false;
    (void)holds_within(5000, process_has_ended(&help, &status));
    can = process_said(help.out, "--upgrade-timeout");
    process_kill(&help);
    close(help.out);
    close(help.err);
    return can;
}

/** Does the access log, as it is now, have these words? */
static bool is_logged(const struct stand *stand, const char *words)
{
    char *path = text_of("%s/access.log", stand->folder);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool has = file != -1 && process_said(file, words);

    close(file);
    free(path);
    return has;
}

void stand_ask_last(struct stand *stand)
{
    char *url = text_of("http://127.0.0.1:%u/?last", stand->port);
    struct answer answer = fetch_url(url);

    if (!answer.whole || answer.status != 200)
        report_wrong("all is well, and a last request gets %ld (%s)",
                     answer.status, answer.error);
    if (!holds_within(3000, is_logged(stand, "\"GET /?last ")))
        report_wrong("the last request is not in the access log");
    answer_free(&answer);
    free(url);
}

void stand_forget(struct stand *stand)
{
    char *command = text_of("rm -r '%s'", stand->folder);

    run(command);
    free(command);
}

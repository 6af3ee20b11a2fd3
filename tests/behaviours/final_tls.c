/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The full balancer under TLS. Each behaviour makes the certificates it needs,
 * with openssl, in a folder of its own.
 */
#include "behaviours.h"
#include "lab.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** A lab whose balancer listens for TLS, too. */
struct safe {
    struct lab lab;
    char folder[40];
    char pairs[200]; /**< what --certificates is */
    unsigned port;   /**< where it listens for TLS */
};

/** What came of a request by TLS. */
struct reply {
    CURLcode result;
    long status;
    size_t length;
    char *body; /**< owned */
};

/** How to ask; what is zero is left as usual. */
struct asking {
    const char *host; /**< the name to ask for; `one.test` */
    const char *ca;   /**< who vouches: `one` */
    const char *path; /**< `/` */
    const char *mine; /**< the certificate to show; NULL: none */
    long version;     /**< as CURLOPT_SSLVERSION has it */
    const char *body; /**< to be sent */
    size_t length;    /**< bytes of it */
};

static void run(const char *command)
{
    insist(system(command) == 0, "this does not work here: %s", command);
}

/** Run a command in the folder of a lab. */
static void in_folder(const struct safe *safe, const char *what)
{
    char command[400];

    snprintf(command, sizeof(command), "cd %s && %s", safe->folder, what);
    run(command);
}

/** Make a certificate for NAME.test: NAME.pem and NAME.key. */
static void make(const struct safe *safe, const char *name)
{
    char command[600];

    snprintf(command, sizeof(command),
             "cd %s && openssl req -x509 -newkey ec -pkeyopt "
             "ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=%s.test "
             "-addext subjectAltName=DNS:%s.test,DNS:*.%s.test,IP:127.0.0.1 "
             "-keyout %s.key -out %s.pem 2>log",
             safe->folder, name, name, name, name, name);
    run(command);
}

/** A lab with two certificates, of which the balancer knows. */
static void safe_init(struct safe *safe)
{
    lab_init(&safe->lab);
    snprintf(safe->folder, sizeof(safe->folder), "/tmp/steelyard-tls-XXXXXX");
    insist(mkdtemp(safe->folder) != NULL, "there is no room in /tmp");
    make(safe, "one");
    make(safe, "two");
    snprintf(safe->pairs, sizeof(safe->pairs),
             "%s/one.pem:%s/one.key,%s/two.pem:%s/two.key", safe->folder,
             safe->folder, safe->folder, safe->folder);
    lab_flag(&safe->lab, 0, "--tls-listen", "127.0.0.1:0");
}

static void safe_start(struct safe *safe)
{
    char *said, *at;

    lab_flag(&safe->lab, 0, "--certificates", safe->pairs);
    lab_start(&safe->lab);
    said = process_text(safe->lab.lb.out);
    at = strstr(said, "listening on https://127.0.0.1:");
    insist(at != NULL, "expected \"listening on https://...\"; got %s", said);
    sscanf(at, "listening on https://127.0.0.1:%u", &safe->port);
    free(said);
}

static void safe_usual(struct safe *safe)
{
    safe_init(safe);
    lab_backends(&safe->lab, 1);
    safe_start(safe);
}

static void remove_folder(const struct safe *safe)
{
    char command[100];

    snprintf(command, sizeof(command), "rm -r %s", safe->folder);
    run(command);
}

static void safe_end(struct safe *safe)
{
    lab_end(&safe->lab);
    remove_folder(safe);
}

static size_t keep(char *bytes, size_t size, size_t count, void *user)
{
    struct reply *reply = user;
    size_t length = size * count;

    reply->body = realloc(reply->body, reply->length + length + 1);
    insist(reply->body != NULL, "out of memory");
    memcpy(reply->body + reply->length, bytes, length);
    reply->length += length;
    reply->body[reply->length] = '\0';
    return length;
}

/** Make a handle that asks this; the list goes to whoever frees it. */
static CURL *asker(const struct safe *safe, const struct asking *how,
                   struct reply *reply, struct curl_slist **list)
{
    const char *host = how->host != NULL ? how->host : "one.test";
    CURL *curl = curl_easy_init();
    char text[300];

    snprintf(text, sizeof(text), "%s:%u:127.0.0.1", host, safe->port);
    *list = curl_slist_append(NULL, text);
    curl_easy_setopt(curl, CURLOPT_RESOLVE, *list);
    snprintf(text, sizeof(text), "https://%s:%u%s", host, safe->port,
             how->path != NULL ? how->path : "/");
    curl_easy_setopt(curl, CURLOPT_URL, text);
    snprintf(text, sizeof(text), "%s/%s.pem", safe->folder,
             how->ca != NULL ? how->ca : "one");
    curl_easy_setopt(curl, CURLOPT_CAINFO, text);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, how->version);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)patience(5000));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (how->mine != NULL) {
        snprintf(text, sizeof(text), "%s/%s.pem", safe->folder, how->mine);
        curl_easy_setopt(curl, CURLOPT_SSLCERT, text);
        snprintf(text, sizeof(text), "%s/%s.key", safe->folder, how->mine);
        curl_easy_setopt(curl, CURLOPT_SSLKEY, text);
    }
    if (how->body != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)how->length);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, how->body);
    }
    return curl;
}

static struct reply ask(const struct safe *safe, const struct asking *how)
{
    struct reply reply = {0};
    struct curl_slist *list;
    CURL *curl = asker(safe, how, &reply, &list);

    reply.result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply.status);
    curl_easy_cleanup(curl);
    curl_slist_free_all(list);
    return reply;
}

/** Ask, and insist on a 200 that has these words. */
static void expect(const struct safe *safe, const struct asking *how,
                   const char *words)
{
    struct reply reply = ask(safe, how);

    insist(reply.result == CURLE_OK && reply.status == 200 &&
               reply.body != NULL && strstr(reply.body, words) != NULL,
           "a request by TLS; expected 200 with \"%s\"; got %ld, %s, %s", words,
           reply.status, curl_easy_strerror(reply.result),
           reply.body == NULL ? "no body" : reply.body);
    free(reply.body);
}

/* --- the behaviours ------------------------------------------------------- */

static void both_versions_are_served(void)
{
    struct safe safe;

    safe_usual(&safe);
    expect(&safe,
           &(struct asking){.version = (long)CURL_SSLVERSION_TLSv1_2 |
                                       (long)CURL_SSLVERSION_MAX_TLSv1_2},
           "hello from one");
    expect(&safe, &(struct asking){.version = CURL_SSLVERSION_TLSv1_3},
           "hello from one");
    expect(&safe, &(struct asking){.path = "/headers"},
           "X-Forwarded-Proto: https");
    lab_who(&safe.lab, "/"); /* and the plain port goes on */
    safe_end(&safe);
}

/** An old client comes, a few times. */
static struct reply come_as_old(const struct safe *safe, int times)
{
    struct reply reply = {0};

    while (times-- > 0)
        reply =
            ask(safe,
                &(struct asking){.version = (long)CURL_SSLVERSION_TLSv1_2 |
                                            (long)CURL_SSLVERSION_MAX_TLSv1_2});
    return reply;
}

static void old_versions_are_refused(void)
{
    struct safe safe;
    struct reply reply;

    safe_init(&safe);
    lab_backends(&safe.lab, 1);
    lab_flag(&safe.lab, 0, "--tls-min", "1.3");
    safe_start(&safe);
    expect(&safe, &(struct asking){0}, "hello from one");
    reply = come_as_old(&safe, 1);
    insist(reply.result == CURLE_SSL_CONNECT_ERROR,
           "TLS 1.2 with --tls-min 1.3; expected the handshake to fail; got %s",
           curl_easy_strerror(reply.result));
    insist(lab_logs(&safe.lab, "while shaking hands with the client", 3000),
           "expected the log to tell of it");
    insist(
        holds_within(4000, (come_as_old(&safe, 5),
                            process_said(safe.lab.lb.err, "more clients failed "
                                                          "while shaking"))),
        "expected the log to say how many more there were; it says %s",
        process_text(safe.lab.lb.err));
    safe_end(&safe);
}

static void names_pick_certificates(void)
{
    struct safe safe;
    struct reply reply;

    safe_usual(&safe);
    expect(&safe, &(struct asking){.host = "two.test", .ca = "two"}, "hello");
    expect(&safe, &(struct asking){.host = "www.two.test", .ca = "two"},
           "hello");
    expect(&safe, &(struct asking){.host = "127.0.0.1"}, "hello");
    reply = ask(&safe, &(struct asking){.host = "two.test"});
    insist(reply.result == CURLE_PEER_FAILED_VERIFICATION,
           "asked for two.test and believe in one.test only; expected to be "
           "shown the certificate of two.test; got %s",
           curl_easy_strerror(reply.result));
    safe_end(&safe);
}

static void sessions_are_resumed(void)
{
    struct safe safe;
    char command[400];

    safe_usual(&safe);
    snprintf(command, sizeof(command),
             "openssl s_client -connect 127.0.0.1:%u -tls1_2 -reconnect "
             "</dev/null 2>&1 | grep -q '^Reused, TLSv1.2'",
             safe.port);
    run(command);
    /* A ticket of TLS 1.3 comes behind the handshake, with the answer. */
    snprintf(command, sizeof(command),
             "cd %s && printf 'GET / HTTP/1.1\\r\\nHost: a\\r\\n"
             "Connection: close\\r\\n\\r\\n' | openssl s_client -connect "
             "127.0.0.1:%u -tls1_3 -sess_out ticket -ign_eof >log 2>&1 && "
             "openssl s_client -connect 127.0.0.1:%u -tls1_3 -sess_in ticket "
             "</dev/null 2>&1 | grep -q '^Reused, TLSv1.3'",
             safe.folder, safe.port, safe.port);
    run(command);
    safe_end(&safe);
}

static void large_bodies_are_whole(void)
{
    enum { LARGE = 5 * 1024 * 1024 + 11 };
    char *body = malloc(LARGE);
    struct safe safe;
    struct reply reply;

    insist(body != NULL, "out of memory");
    for (size_t i = 0; i < LARGE; i++)
        body[i] = (char)(i * 2654435761u >> 13);
    safe_usual(&safe);
    reply =
        ask(&safe,
            &(struct asking){.path = "/echo", .body = body, .length = LARGE});
    insist(reply.result == CURLE_OK && reply.status == 200,
           "POST of 5 MB by TLS; got status %ld, %s", reply.status,
           curl_easy_strerror(reply.result));
    insist(reply.length == LARGE && memcmp(reply.body, body, LARGE) == 0,
           "expected the same 5 MB back; got %zu bytes, or others",
           reply.length);
    free(reply.body);
    free(body);
    safe_end(&safe);
}

static void silent_clients_are_dropped(void)
{
    struct safe safe;
    struct rude rude;
    int64_t began;

    safe_init(&safe);
    lab_backends(&safe.lab, 1);
    lab_flag(&safe.lab, 0, "--tls-timeout", "300ms");
    lab_flag(&safe.lab, 0, "--no-defer-accept", NULL);
    safe_start(&safe);
    insist(rude_open(&rude, safe.port), "cannot connect");
    began = now_ms();
    insist(rude_hear_end(&rude, 3000) && now_ms() - began >= 250,
           "a client that says nothing, with --tls-timeout 300ms; expected to "
           "be dropped after that; after %ld ms it was%s",
           (long)(now_ms() - began), rude.ended ? "" : " not");
    rude_close(&rude);
    insist(lab_logs(&safe.lab, "it was not done in time", 3000),
           "expected the log to tell of it");
    expect(&safe, &(struct asking){0}, "hello");
    safe_end(&safe);
}

static void plain_http_is_told(void)
{
    struct safe safe;
    struct rude rude;

    safe_usual(&safe);
    insist(rude_open(&rude, safe.port), "cannot connect");
    rude_say(&rude, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    lab_hear(&rude, "HTTP/1.1 400 ");
    lab_hear(&rude, "wants https");
    lab_hear_end(&rude);
    insist(!rude.broken, "expected a clean end, and not a reset");
    rude_close(&rude);
    safe_end(&safe);
}

static void the_end_is_said(void)
{
    struct safe safe;
    char command[300];

    safe_usual(&safe);
    snprintf(command, sizeof(command),
             "printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -msg "
             "-ign_eof -connect 127.0.0.1:%u 2>&1 | tee %s/log | grep -A2 "
             "'<<<' | grep -q close_notify",
             safe.port, safe.folder);
    run(command);
    safe_end(&safe);
}

/** What --certificates may be, but not with success; %s is the folder. */
static const struct {
    const char *before; /**< a command in the folder */
    const char *pairs, *words;
} refused[] = {
    {"true", "%s/one.pem:%s/two.key", "is not that of the certificate"},
    {"true", "%s/none.pem:%s/one.key", "No such file"},
    {"true", "%s/one.key:%s/one.key", "holds no certificate"},
    {"openssl x509 -in one.pem -signkey one.key -days 0 -out old.pem 2>log",
     "%s/old.pem:%s/one.key", "has expired on"},
};

static void refuse_each(bool only_checks)
{
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct safe safe;

        safe_init(&safe);
        in_folder(&safe, refused[i].before);
        snprintf(safe.pairs, sizeof(safe.pairs), refused[i].pairs, safe.folder,
                 safe.folder);
        lab_backends(&safe.lab, 1);
        lab_flag(&safe.lab, 0, "--certificates", safe.pairs);
        if (only_checks)
            lab_flag(&safe.lab, 0, "--check-config", NULL);
        lab_refuses(&safe.lab, refused[i].words);
        remove_folder(&safe);
    }
}

static void bad_certificates_are_refused(void)
{
    refuse_each(false);
    refuse_each(true);
}

/** Whose certificate is shown to who asks for no name we know? */
static bool shows(const struct safe *safe, const char *name)
{
    struct reply reply =
        ask(safe, &(struct asking){.host = "127.0.0.1", .ca = name});

    free(reply.body);
    return reply.result == CURLE_OK;
}

/** What listens stays until a restart, so it needs its certificate. */
static void reload_cannot_take_the_last(void)
{
    struct safe safe;
    char text[600], path[80];
    FILE *file;

    safe_init(&safe);
    lab_backends(&safe.lab, 1);
    snprintf(path, sizeof(path), "%s/config.json", safe.folder);
    snprintf(text, sizeof(text),
             "{\"tls\": {\"certificates\": [\"%s/one.pem:%s/one.key\"], "
             "\"listen\": \"127.0.0.1:0\"}}",
             safe.folder, safe.folder);
    file = fopen(path, "w");
    insist(file != NULL && fputs(text, file) != EOF && fclose(file) == 0,
           "cannot write %s", path);
    safe.lab.flag_count = 0;
    lab_flag(&safe.lab, 0, "--config", path);
    lab_start(&safe.lab);
    in_folder(&safe, "echo '{}' >config.json");
    kill(safe.lab.lb.pid, SIGHUP);
    insist(lab_logs(&safe.lab, "leave a certificate for them", 3000),
           "TLS is gone from the file, and SIGHUP; expected that to be "
           "refused; got %s",
           process_text(safe.lab.lb.err));
    lab_who(&safe.lab, "/");
    safe_end(&safe);
}

/** A connection that was made before the certificate was another goes on. */
static void reload_keeps_connections(void)
{
    struct safe safe;
    struct reply reply = {0};
    struct curl_slist *list;
    long connects;
    CURL *curl;

    safe_usual(&safe);
    curl = asker(&safe, &(struct asking){0}, &reply, &list);
    insist(curl_easy_perform(curl) == CURLE_OK, "expected to be served");
    make(&safe, "three");
    in_folder(&safe, "cp three.key one.key; cp three.pem one.pem");
    kill(safe.lab.lb.pid, SIGHUP);
    insist(lab_logs(&safe.lab, "reload: done", 3000), "expected a reload");
    insist(holds_within(3000, shows(&safe, "three")),
           "another certificate, and SIGHUP; expected it to be shown");
    insist(curl_easy_perform(curl) == CURLE_OK, "expected to be served again");
    curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connects);
    insist(connects == 0, "expected the old connection to go on");
    curl_easy_cleanup(curl);
    curl_slist_free_all(list);
    free(reply.body);
    safe_end(&safe);
}

static void new_files_are_noticed(void)
{
    struct safe safe;

    safe_init(&safe);
    lab_backends(&safe.lab, 1);
    lab_flag(&safe.lab, 0, "--certificates-look", "50ms");
    safe_start(&safe);
    make(&safe, "three");
    in_folder(&safe, "cp one.pem old.pem; cp three.key one.key");
    insist(lab_logs(&safe.lab,
                    "new files are of no use, the old ones stay: certificates: "
                    "the key in ",
                    3000),
           "half a pair is new; expected the log to say why it is not taken");
    insist(shows(&safe, "old"), "expected the old certificate to stay");
    in_folder(&safe, "cp three.pem one.pem");
    insist(lab_logs(&safe.lab, "new files were taken over", 3000),
           "a new pair of files; expected it to be noticed");
    insist(holds_within(3000, shows(&safe, "three")),
           "expected the new certificate to be shown");
    safe_end(&safe);
}

/** Is a client served that shows this certificate? */
static bool serves(const struct safe *safe, const char *mine)
{
    struct reply reply = ask(safe, &(struct asking){.mine = mine});

    free(reply.body);
    return reply.result == CURLE_OK && reply.status == 200;
}

static void new_client_ca_is_noticed(void)
{
    struct safe safe;
    char ca[60];

    safe_init(&safe);
    in_folder(&safe, "cp two.pem ca.pem");
    snprintf(ca, sizeof(ca), "%s/ca.pem", safe.folder);
    lab_backends(&safe.lab, 1);
    lab_flag(&safe.lab, 0, "--client-ca", ca);
    lab_flag(&safe.lab, 0, "--certificates-look", "50ms");
    safe_start(&safe);
    insist(serves(&safe, "two") && !serves(&safe, "one"),
           "expected two to be served, and one not");
    in_folder(&safe, "cp one.pem new.pem; mv new.pem ca.pem");
    insist(lab_logs(&safe.lab, "new files were taken over", 3000),
           "another file of --client-ca; expected it to be noticed");
    insist(holds_within(3000, serves(&safe, "one")) && !serves(&safe, "two"),
           "expected one to be served from now on, and two not");
    in_folder(&safe, "echo nobody >ca.pem");
    insist(lab_logs(
               &safe.lab,
               "new files are of no use, the old ones stay: client-ca: ", 3000),
           "a file of no use; expected the log to say why it is not taken");
    insist(serves(&safe, "one") && !serves(&safe, "two"),
           "expected the old one to stay");
    safe_end(&safe);
}

static void bad_reload_changes_nothing(void)
{
    struct safe safe;

    safe_usual(&safe);
    in_folder(&safe, "cp two.key one.key");
    kill(safe.lab.lb.pid, SIGHUP);
    insist(lab_logs(&safe.lab, "reload: refused, nothing has changed", 3000),
           "SIGHUP with a key that does not fit; expected it to be refused");
    expect(&safe, &(struct asking){0}, "hello");
    safe_end(&safe);
}

static void old_age_is_told(void)
{
    struct safe safe;
    struct answer answer;

    safe_init(&safe);
    in_folder(&safe, "openssl x509 -in two.pem -signkey two.key -days 5 "
                     "-out new.pem 2>log; mv new.pem two.pem");
    lab_backends(&safe.lab, 1);
    safe_start(&safe);
    insist(lab_logs(&safe.lab, "two.pem expires in ", 3000),
           "expected a warning that the certificate expires");
    insist(lab_logged(&safe.lab, "one.pem expires") == 0,
           "expected none of one that is good for 30 days");
    answer = fetch_url(lab_admin(&safe.lab, "/metrics"));
    insist(answer.status == 200 &&
               strstr(answer.body,
                      "steelyard_certificate_expires_seconds{file=") != NULL,
           "expected a metric; got status %ld", answer.status);
    answer_free(&answer);
    safe_end(&safe);
}

/** A balancer before another one, which is its backend at https. */
struct pair {
    struct safe origin;
    struct lab lab;
    char url[60];
    char ca[60];
};

/**
 * Begin the one before; the origin has been started.
 *
 * @param host how the origin is named
 * @param ca   who is believed: `one`; NULL: nobody that we know
 */
static void pair_before(struct pair *pair, const char *host, const char *ca)
{
    snprintf(pair->url, sizeof(pair->url), "https://%s:%u", host,
             pair->origin.port);
    lab_init(&pair->lab);
    pair->lab.also = pair->url;
    if (ca != NULL) {
        snprintf(pair->ca, sizeof(pair->ca), "%s/%s.pem", pair->origin.folder,
                 ca);
        lab_flag(&pair->lab, 0, "--backend-ca", pair->ca);
    }
    lab_flag(&pair->lab, 0, "--none-healthy", "fail");
}

/** Begin both. */
static void pair_start(struct pair *pair, const char *host, const char *ca)
{
    safe_usual(&pair->origin);
    pair_before(pair, host, ca);
}

static void pair_end(struct pair *pair)
{
    lab_end(&pair->lab);
    safe_end(&pair->origin);
}

/** POST much to /echo, and insist on getting it back. */
static void echo_much(const struct lab *lab, size_t length)
{
    char *body = malloc(length);
    struct answer answer;

    insist(body != NULL, "out of memory");
    for (size_t i = 0; i < length; i++)
        body[i] = (char)(i * 2654435761u >> 13);
    answer = fetch(&(struct request){.url = lab_url(lab, "/echo"),
                                     .body = body,
                                     .body_length = length,
                                     .timeout_ms = 8000});
    insist(answer.status == 200 && answer.length == length &&
               memcmp(answer.body, body, length) == 0,
           "POST of %zu bytes to a backend at https; expected them back; got "
           "%ld and %zu bytes",
           length, answer.status, answer.length);
    answer_free(&answer);
    free(body);
}

static void backends_by_https(void)
{
    struct pair pair;

    pair_start(&pair, "127.0.0.1", "one");
    lab_flag(&pair.lab, 0, "--health-path", "/healthz");
    lab_start(&pair.lab);
    for (int i = 0; i < 5; i++)
        insist(strcmp(lab_who(&pair.lab, "/"), "one") == 0,
               "expected the backend behind it to answer");
    insist(lab_connections(&pair.origin.lab, 0) > 0, "expected connections");
    echo_much(&pair.lab, 5 * 1024 * 1024 + 7);
    insist(lab_logged(&pair.lab, "is down") == 0,
           "expected probes by https to do well");
    pair_end(&pair);
}

static void new_backend_ca_is_noticed(void)
{
    struct pair pair;
    long asked;

    pair_start(&pair, "127.0.0.1", "two");
    snprintf(pair.ca, sizeof(pair.ca), "%s/ca.pem", pair.origin.folder);
    in_folder(&pair.origin, "cp two.pem ca.pem");
    lab_flag(&pair.lab, 0, "--certificates-look", "50ms");
    lab_flag(&pair.lab, 0, "--health-path", "/healthz");
    lab_start(&pair.lab);
    insist(lab_logs(&pair.lab, " [down] (probe: ", 3000),
           "expected probes not to believe the backend");
    in_folder(&pair.origin, "cp one.pem new.pem; mv new.pem ca.pem");
    insist(lab_logs(&pair.lab, "new files were taken over", 3000) &&
               lab_logs(&pair.lab, " [up] (", 5000),
           "another file of --backend-ca; expected it to be noticed, and "
           "probes to go by it; got %s",
           process_text(pair.lab.lb.err));
    lab_who(&pair.lab, "/");
    in_folder(&pair.origin, "echo nobody >ca.pem");
    insist(lab_logs(&pair.lab,
                    "new files are of no use, the old ones stay: backend-ca: ",
                    3000),
           "a file of no use; expected the log to say why it is not taken");
    /* Probes may not read it, either. */
    asked = lab_count(&pair.origin.lab, 0, "/healthz");
    insist(holds_within(5000,
                        lab_count(&pair.origin.lab, 0, "/healthz") > asked + 5),
           "expected probes to go on; got %s", process_text(pair.lab.lb.err));
    insist(lab_logged(&pair.lab, " [down] (") == 1,
           "expected the backend to stay up; got %s",
           process_text(pair.lab.lb.err));
    lab_who(&pair.lab, "/");
    pair_end(&pair);
}

/** Whom not to believe, and how that is said. */
static const struct {
    const char *host, *ca, *words;
} unbelieved[] = {
    {"127.0.0.1", NULL, "self-signed certificate"},
    {"127.0.0.1", "two", "self-signed certificate"},
    {"localhost", "one", "hostname mismatch"},
};

static void unknown_backends_are_refused(void)
{
    for (size_t i = 0; i < sizeof(unbelieved) / sizeof(unbelieved[0]); i++) {
        struct pair pair;
        struct answer answer;

        pair_start(&pair, unbelieved[i].host, unbelieved[i].ca);
        lab_flag(&pair.lab, 0, "--no-health", NULL);
        lab_start(&pair.lab);
        answer = lab_get(&pair.lab, "/");
        insist(answer.status == 502,
               "a backend whose certificate is not believed; expected 502; "
               "got %ld",
               answer.status);
        answer_free(&answer);
        insist(lab_logs(&pair.lab, unbelieved[i].words, 3000),
               "expected the log to say \"%s\"; got %s", unbelieved[i].words,
               process_text(pair.lab.lb.err));
        insist(lab_count(&pair.origin.lab, 0, "/") == 0,
               "expected no request to have gone there");
        pair_end(&pair);
    }
}

static void verification_can_be_turned_off(void)
{
    struct pair pair;

    pair_start(&pair, "localhost", NULL);
    lab_flag(&pair.lab, 0, "--no-backend-verify", NULL);
    lab_start(&pair.lab);
    lab_who(&pair.lab, "/");
    pair_end(&pair);
}

static void plain_clients_are_sent_on(void)
{
    struct safe safe;
    const char *said;
    char words[100];

    safe_init(&safe);
    lab_backends(&safe.lab, 1);
    lab_flag(&safe.lab, 0, "--tls-redirect", NULL);
    safe_start(&safe);
    said = lab_talk(&safe.lab, "GET /a?b=c HTTP/1.1\r\nHost: x.test:80\r\n"
                               "Connection: close\r\n\r\n");
    snprintf(words, sizeof(words), "\r\nLocation: https://x.test:%u/a?b=c\r\n",
             safe.port);
    insist(strstr(said, "HTTP/1.1 308 ") == said && strstr(said, words) != NULL,
           "plain http with --tls-redirect; expected 308 and %s; got %s", words,
           said);
    said = lab_talk(&safe.lab, "GET / HTTP/1.0\r\n\r\n");
    insist(strstr(said, " 400 ") != NULL, "expected 400 without a Host; got %s",
           said);
    insist(lab_count_all(&safe.lab, "/a") == 0, "expected no request to pass");
    expect(&safe, &(struct asking){0}, "hello");
    safe_end(&safe);
}

static void clients_show_certificates(void)
{
    static const char *const words[] = {"required", "optional"};

    for (int i = 0; i < 2; i++) {
        struct safe safe;
        struct reply reply;
        char ca[60];

        safe_init(&safe);
        lab_backends(&safe.lab, 1);
        snprintf(ca, sizeof(ca), "%s/two.pem", safe.folder);
        lab_flag(&safe.lab, 0, "--client-ca", ca);
        lab_flag(&safe.lab, 0, "--client-certificate", words[i]);
        safe_start(&safe);
        expect(&safe, &(struct asking){.mine = "two"}, "hello");
        reply = ask(&safe, &(struct asking){0});
        insist((reply.result == CURLE_OK) == (i == 1),
               "a client without a certificate, which is %s; got %s", words[i],
               curl_easy_strerror(reply.result));
        free(reply.body);
        reply = ask(&safe, &(struct asking){.mine = "one"});
        insist(reply.result != CURLE_OK,
               "a client with a certificate of somebody else; expected it to "
               "be turned away");
        safe_end(&safe);
    }
}

/** The header comes in plain before the handshake, on both ways. */
static void headers_come_before_tls(void)
{
    static const char *const versions[] = {"v1", "v2"};

    for (int i = 0; i < 2; i++) {
        struct pair pair;
        struct rude rude;

        safe_init(&pair.origin);
        lab_backends(&pair.origin.lab, 1);
        lab_flag(&pair.origin.lab, 0, "--accept-proxy", "127.0.0.1");
        safe_start(&pair.origin);
        pair_before(&pair, "127.0.0.1", "one");
        lab_flag(&pair.lab, 0, "--accept-proxy", "127.0.0.1");
        lab_flag(&pair.lab, 0, "--send-proxy", versions[i]);
        lab_flag(&pair.lab, 0, "--health-path", "/healthz");
        lab_start(&pair.lab);
        lab_rude(&pair.lab, &rude);
        rude_say(&rude, "PROXY TCP4 192.0.2.7 192.0.2.1 50000 443\r\n"
                        "GET /headers HTTP/1.1\r\nHost: a\r\n\r\n");
        lab_hear(&rude, "X-Forwarded-For: 192.0.2.7\r\n");
        lab_hear(&rude, "X-Forwarded-Proto: https\r\n");
        rude_close(&rude);
        insist(holds_within(3000,
                            lab_count(&pair.origin.lab, 0, "/healthz") > 2) &&
                   lab_logged(&pair.origin.lab, "PROXY header") == 0,
               "expected probes to begin with a PROXY header, too; got %s",
               process_text(pair.origin.lab.lb.err));
        pair_end(&pair);
    }
}

static const struct behaviour list[] = {
    {"tls-versions", 99, 3, "Clients are served by TLS 1.2 and 1.3.",
     both_versions_are_served},
    {"tls-min", 99, 1, "The oldest version of TLS can be chosen.",
     old_versions_are_refused},
    {"tls-names", 99, 2, "The name that is asked for picks the certificate.",
     names_pick_certificates},
    {"tls-resumed", 99, 2, "Clients that come back are known.",
     sessions_are_resumed},
    {"tls-large", 99, 2, "Large bodies are whole under TLS, both ways.",
     large_bodies_are_whole},
    {"tls-silent", 99, 2, "A handshake has its time, and no more.",
     silent_clients_are_dropped},
    {"tls-plain", 99, 1, "Who speaks plain HTTP to TLS is told so.",
     plain_http_is_told},
    {"tls-end", 99, 1, "The end of a connection is said (close_notify).",
     the_end_is_said},
    {"tls-refused", 99, 2, "Certificates of no use are refused with words.",
     bad_certificates_are_refused},
    {"tls-reload", 99, 2, "A reload takes new certificates, and drops nobody.",
     reload_keeps_connections},
    {"tls-reload-bad", 99, 2, "A certificate of no use changes nothing.",
     bad_reload_changes_nothing},
    {"tls-reload-last", 99, 1, "What listens keeps its certificate.",
     reload_cannot_take_the_last},
    {"tls-files", 99, 2, "New files are noticed, and taken as a pair.",
     new_files_are_noticed},
    {"tls-client-ca", 99, 1, "A new file of those who vouch is noticed.",
     new_client_ca_is_noticed},
    {"tls-expiry", 99, 1, "A certificate that is over soon is told of.",
     old_age_is_told},
    {"tls-redirect", 99, 1, "Clients by plain http can be sent to https.",
     plain_clients_are_sent_on},
    {"tls-clients", 99, 2, "Clients can be asked for certificates.",
     clients_show_certificates},
    {"tls-backend", 99, 3, "Backends may be spoken to by https.",
     backends_by_https},
    {"tls-backend-unknown", 99, 2, "A backend has to show who it is.",
     unknown_backends_are_refused},
    {"tls-backend-any", 99, 1, "That can be turned off.",
     verification_can_be_turned_off},
    {"tls-backend-ca", 99, 2, "So is that of those who vouch for backends.",
     new_backend_ca_is_noticed},
    {"tls-proxy-header", 99, 2, "A PROXY header comes before the handshake.",
     headers_come_before_tls},
};

const struct behaviours final_tls = {list, sizeof(list) / sizeof(list[0])};

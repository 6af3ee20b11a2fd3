/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What only steelyard does for and against its clients: those who leave, those
 * who are slow, those who ask for too much; what its logs tell of them, and how
 * it stops while they are there.
 */
#include "behaviours.h"
#include "lab.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GET(path)  "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK(length) "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n"
#define POST       "POST /sink HTTP/1.1\r\nHost: a\r\n"

static void part(struct lab *lab, struct rude *client)
{
    rude_close(client);
    lab_end(lab);
}

/* --- clients that leave, or will not stop --------------------------------- */

/** 100 MB, a piece at a time; false when they are not taken. */
static bool send_all_of_it(struct rude *client)
{
    static const char piece[1 << 20];

    for (int i = 0; i < 100; i++)
        if (!rude_send(client, piece, sizeof(piece)))
            return false;
    return true;
}

static void early_answer_arrives(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, POST "Content-Length: 104857600\r\n\r\n");
    rude_say(&scene.backend, "HTTP/1.1 413 Content Too Large\r\n"
                             "Content-Length: 9\r\n\r\ntoo much\n");
    insist(send_all_of_it(&scene.client),
           "the backend answered 413 at once; the client sends 100 MB before "
           "it listens; expected the balancer to let it, so that the answer is "
           "not lost; it did not");
    lab_hear_end(&scene.client);
    insist(!scene.client.broken &&
               strstr(scene.client.text, "\r\n\r\ntoo much\n") != NULL,
           "expected the whole answer, then an end; got \"%.300s\"%s",
           scene.client.text, scene.client.broken ? " and a reset" : "");
    scene_close(&scene);
}

static void half_closed_is_answered(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, GET("/"));
    rude_shut(&scene.client);
    insist(!rude_hear_end(&scene.backend, 200),
           "a client that has said all it wants was taken for gone");
    rude_say(&scene.backend, OK("4") "half");
    lab_hear(&scene.client, "half");
    lab_hear_end(&scene.client);
    scene_close(&scene);
}

static void reset_ends_the_work(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, GET("/work"));
    rude_reset(&scene.client);
    lab_hear_end(&scene.backend);
    rude_close(&scene.backend);
    insist(lab_prints(&scene.lab, "\"GET /work HTTP/1.1\" 499 0 ", 3000) &&
               lab_prints(&scene.lab, "=abandoned/", 3000),
           "expected 499 in the access log; got \"%s\"",
           process_text(scene.lab.lb.out));
    lab_rude(&scene.lab, &scene.client);
    scene_ask(&scene, GET("/more"));
    rude_say(&scene.backend, OK("99") "and so on");
    lab_hear(&scene.client, "and so on");
    rude_reset(&scene.client);
    lab_hear_end(&scene.backend);
    scene_close(&scene);
}

static void gone_while_queued(void)
{
    struct scene scene;
    struct rude other;

    scene_open(&scene, "--in-flight-max", "1");
    scene_ask(&scene, GET("/first"));
    lab_rude(&scene.lab, &other);
    rude_say(&other, GET("/second"));
    rude_close(&other);
    insist(lab_prints(&scene.lab, "\"GET /second HTTP/1.1\" 499 0 ", 3000),
           "a client left while it was queued; expected 499 in the access log; "
           "got \"%s\"",
           process_text(scene.lab.lb.out));
    rude_forget(&scene.backend);
    rude_say(&scene.backend, OK("2") "ok");
    lab_hear(&scene.client, "ok");
    lab_ask(&scene.client, GET("/third"), "");
    lab_hear(&scene.backend, "\r\n\r\n");
    lab_lacks(&scene.backend, "/second");
    rude_say(&scene.backend, OK("4") "fine");
    lab_hear(&scene.client, "fine");
    scene_close(&scene);
}

/* --- clients that are slow ------------------------------------------------ */

/** Say this every so many ms until an answer comes; how long that took. */
static long long drip(struct rude *client, const char *text, long ms)
{
    int64_t begin = now_ms();

    insist(holds_within(
               9000, (rude_say(client, text), rude_take(client, 4096, ms) > 0)),
           "a client sends \"%s\" every %ld ms; expected an answer", text, ms);
    rude_hear_end(client, 3000);
    return now_ms() - begin;
}

static void head_has_its_time(void)
{
    struct lab lab;
    struct rude client;

    lab_solo(&lab);
    lab_flag(&lab, 99, "--head-timeout", "400ms");
    lab_meet(&lab, &client);
    rude_say(&client, "GET / HTTP/1.1\r\nX-A: ");
    insist(
        drip(&client, "a", 20) >= 300 && rude_status(&client) == 408,
        "a head came byte by byte; expected 408 after 400 ms; got \"%.300s\"",
        client.text);
    lab_has(&client, "head-timeout");
    insist(lab_count(&lab, 0, NULL) == 0, "half a head came to the backend");
    part(&lab, &client);
}

static void body_has_its_time(void)
{
    struct lab lab;
    struct rude client;

    lab_solo(&lab);
    lab_flag(&lab, 99, "--body-timeout", "400ms");
    lab_meet(&lab, &client);
    rude_say(&client, "POST /sink HTTP/1.1\r\nHost: a\r\n"
                      "Content-Length: 10\r\n\r\n01");
    lab_hear_end(&client);
    insist(rude_status(&client) == 408,
           "a body stalls; expected 408; got \"%.300s\"", client.text);
    lab_has(&client, "body-timeout");
    part(&lab, &client);
}

static void body_has_its_rate(void)
{
    struct lab lab;
    struct rude client;

    lab_solo(&lab);
    lab_flag(&lab, 99, "--body-rate", "1000");
    lab_meet(&lab, &client);
    rude_say(&client, "POST /sink HTTP/1.1\r\nHost: a\r\n"
                      "Content-Length: 10000\r\n\r\n");
    insist(drip(&client, "0123456789", 100) >= 2500 &&
               rude_status(&client) == 408,
           "a body comes at 100 bytes per second; expected some grace, then "
           "408; got \"%.300s\"",
           client.text);
    lab_has(&client, "body-rate");
    part(&lab, &client);
}

static void events_arrive_at_once(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, GET("/events"));
    rude_say(&scene.backend, "HTTP/1.1 200 OK\r\n"
                             "Content-Type: text/event-stream\r\n\r\n");
    lab_hear(&scene.client, "text/event-stream\r\n");
    rude_say(&scene.backend, "data: one\n\n");
    lab_hear_chunks(&scene.client, "data: one\n\n", "");
    rude_say(&scene.backend, "data: two\n\n");
    lab_hear_chunks(&scene.client, "data: one\n\ndata: two\n\n", "");
    scene_close(&scene);
}

/** It has come to rest: no processor time for a while. */
static bool rests(const struct lab *lab)
{
    long before = process_cpu_ms(&lab->lb);
    int64_t until = now_ms() + 150;

    while (now_ms() < until)
        pause_briefly();
    return process_cpu_ms(&lab->lb) == before;
}

static void nobody_reads(void)
{
    /* What four blocks take, and as much again for a sanitizer's books. */
    enum { READERS = 20, KIB_EACH = 600 };
    struct rude readers[READERS];
    struct lab lab;
    long before;

    lab_solo(&lab);
    lab_start_alone(&lab);
    lab_who(&lab, "/");
    before = process_memory(&lab.lb);
    for (int i = 0; i < READERS; i++) {
        lab_rude(&lab, &readers[i]);
        rude_say(&readers[i], GET("/bytes/100000000"));
    }
    insist(
        holds_within(8000, lab_count(&lab, 0, "/bytes/100000000") == READERS &&
                               rests(&lab)),
        "%d clients ask for 100 MB and read nothing; expected the balancer "
        "to rest",
        READERS);
    insist(process_memory(&lab.lb) - before < READERS * KIB_EACH + 4000,
           "%d clients ask for 100 MB and read nothing; the balancer's memory "
           "grew by %ld KiB",
           READERS, process_memory(&lab.lb) - before);
    for (int i = 0; i < READERS; i++)
        rude_reset(&readers[i]);
    lab_end(&lab);
}

static void backend_reads_nothing(void)
{
    struct scene scene;
    long before;

    scene_open(&scene, NULL, NULL);
    before = process_memory(&scene.lab.lb);
    scene_ask(&scene, POST "Content-Length: 104857600\r\n\r\n");
    insist(!send_all_of_it(&scene.client),
           "a backend takes nothing of 100 MB; expected the client to be held "
           "back; all of it was taken");
    insist(process_memory(&scene.lab.lb) - before < 4000,
           "a backend takes nothing; the balancer's memory grew by %ld KiB",
           process_memory(&scene.lab.lb) - before);
    rude_reset(&scene.client);
    scene_close(&scene);
}

/* --- clients that ask for too much ---------------------------------------- */

static void bodies_have_a_limit(void)
{
    struct lab lab;
    struct rude client;
    char chunked[1200] = POST "Transfer-Encoding: chunked\r\n\r\n3e9\r\n";

    lab_solo(&lab);
    lab_flag(&lab, 99, "--body-bytes", "1000");
    lab_meet(&lab, &client);
    lab_ask(&client, POST "Content-Length: 1001\r\n\r\n", "HTTP/1.1 413 ");
    lab_hear_end(&client);
    lab_has(&client, "body-bytes");
    rude_close(&client);
    insist(lab_count(&lab, 0, NULL) == 0, "it came to the backend");
    memset(chunked + strlen(chunked), 'a', 1001);
    lab_rude(&lab, &client);
    lab_ask(&client, chunked, "HTTP/1.1 413 ");
    lab_hear_end(&client);
    insist(lab_stat(&lab, 0, "bodies") == 0, "all of it came to the backend");
    part(&lab, &client);
}

/** Send a head that ends in a long row of one letter; hear this status. */
static void is_too_long(struct lab *lab, const char *begin, size_t length,
                        const char *words)
{
    struct rude client;
    char *letters = malloc(length + 1);

    memset(letters, 'a', length);
    letters[length] = '\0';
    lab_rude(lab, &client);
    rude_say(&client, begin);
    rude_say(&client, letters);
    lab_ask(&client, " HTTP/1.1\r\n\r\n", words);
    lab_hear_end(&client);
    rude_close(&client);
    free(letters);
}

static void heads_have_limits(void)
{
    struct lab lab;
    char fields[2000] = "GET / HTTP/1.1\r\nHost: a\r\n";
    size_t used = strlen(fields);

    lab_solo(&lab);
    lab_flag(&lab, 99, "--head-bytes", "2k");
    lab_flag(&lab, 99, "--target-bytes", "200");
    lab_start_alone(&lab);
    is_too_long(&lab, "GET /", 200, "HTTP/1.1 414 ");
    is_too_long(&lab, "GET / HTTP/1.1\r\nX-A: ", 2048, "HTTP/1.1 431 ");
    is_too_long(&lab, "GET / HTTP/1.1\r\nHost: ", 301, "HTTP/1.1 400 ");
    for (int i = 0; i < 100; i++, used += 8)
        memcpy(fields + used, "X-A: 1\r\n", 8);
    is_too_long(&lab, fields, 1, "HTTP/1.1 431 ");
    insist(lab_count(&lab, 0, NULL) == 0, "it came to the backend");
    lab_end(&lab);
}

/** A line of a file with these words in it, for the caller to free; or NULL. */
static char *line_with(int file, const char *words)
{
    char *text = process_text(file);
    char *found = strstr(text, words);
    char *line = NULL;

    if (found != NULL) {
        char *begin = found;

        while (begin > text && begin[-1] != '\n')
            begin--;
        line = strndup(begin, strcspn(begin, "\n"));
    }
    free(text);
    return line;
}

static void response_heads_have_a_limit(void)
{
    struct lab lab;
    struct rude client;
    char url[64];
    char *line;

    lab_solo(&lab);
    lab_flag(&lab, 99, "--response-head-bytes", "8k");
    lab_meet(&lab, &client);
    lab_ask(&client, GET("/misbehave/big-head?n=4"), "HTTP/1.1 200 OK");
    lab_hear(&client, "hello from one");
    lab_ask(&client, GET("/misbehave/big-head?n=9"), "HTTP/1.1 502 ");
    insist(lab_logs(&lab, "response-head-bytes", 3000),
           "expected the setting response-head-bytes in the log; got \"%s\"",
           process_text(lab.lb.err));
    line = line_with(lab.lb.err, "response-head-bytes");
    snprintf(url, sizeof(url), "backend http://127.0.0.1:%u,",
             lab.backends[0].port);
    insist(strstr(line, url) != NULL && strstr(line, "while ") != NULL,
           "expected \"%s\" in the same line; got \"%s\"", url, line);
    free(line);
    part(&lab, &client);
}

/* --- logs ----------------------------------------------------------------- */

static void line_tells_all(void)
{
    struct lab lab;
    struct rude client;
    unsigned port = 0, status = 0, bytes = 0;
    long connect = -1, first = -1, total = -1, took = -1;
    char id[64] = "", reason[8] = "";
    char *line;

    lab_solo(&lab);
    lab_meet(&lab, &client);
    lab_ask(&client, GET("/bytes/1000?a=b%20c"), "\r\n\r\nabc");
    insist(lab_prints(&lab, "ms -", 3000), "no line for a request");
    line = line_with(lab.lb.out, "/bytes/1000");
    insist(sscanf(line,
                  "2%*s %63s 127.0.0.1 \"GET /bytes/1000?a=b%%20c HTTP/1.1\" "
                  "%u %u http://127.0.0.1:%u=served/%ldms connect=%ldms "
                  "first=%ldms total=%ldms %7s",
                  id, &status, &bytes, &port, &took, &connect, &first, &total,
                  reason) == 9,
           "expected all of it in \"%s\"", line);
    insist(status == 200 && bytes == 1000 && port == lab.backends[0].port &&
               connect >= 0 && first >= connect && total >= first &&
               strcmp(reason, "-") == 0,
           "expected 200, 1000 bytes and times in order in \"%s\"", line);
    free(line);
    part(&lab, &client);
}

/** The first line that is an object; owned by the caller. */
static json_t *line_as_json(struct lab *lab)
{
    char *line;
    json_t *object;

    insist(lab_prints(lab, "}\n", 3000), "no line for a request");
    line = line_with(lab->lb.out, "{\"");
    object = json_loads(line, 0, NULL);
    insist(object != NULL, "this is no JSON: \"%s\"", line);
    free(line);
    return object;
}

static const char *word_of(const json_t *object, const char *name)
{
    const char *word = json_string_value(json_object_get(object, name));

    return word == NULL ? "" : word;
}

static double number_of(const json_t *object, const char *name)
{
    const json_t *number = json_object_get(object, name);

    insist(json_is_number(number), "there is no number \"%s\"", name);
    return json_number_value(number);
}

static void json_tells_all(void)
{
    struct lab lab;
    json_t *object, *tries;
    double connect, first;

    lab_solo(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 99, "--access-format", "json");
    lab_start_alone(&lab);
    lab_kill(&lab, 0);
    lab_who(&lab, "/livez?\"quoted\"");
    object = line_as_json(&lab);
    tries = json_object_get(object, "tries");
    insist(strcmp(word_of(object, "method"), "GET") == 0 &&
               strncmp(word_of(object, "target"), "/livez?", 7) == 0 &&
               strcmp(word_of(object, "client"), "127.0.0.1") == 0 &&
               *word_of(object, "id") != '\0' &&
               *word_of(object, "time") == '2',
           "expected time, id, client, method and target; got %s",
           json_dumps(object, 0));
    insist(number_of(object, "status") == 200 && number_of(object, "bytes") > 0,
           "expected status and bytes; got %s", json_dumps(object, 0));
    connect = number_of(object, "connect_ms");
    first = number_of(object, "first_byte_ms");
    insist(connect >= 0 && first >= connect &&
               number_of(object, "total_ms") >= first,
           "expected times in order; got %s", json_dumps(object, 0));
    insist(json_array_size(tries) == 2 &&
               strcmp(word_of(json_array_get(tries, 0), "result"),
                      "unconnected") == 0 &&
               strcmp(word_of(json_array_get(tries, 1), "result"), "served") ==
                   0 &&
               number_of(json_array_get(tries, 1), "ms") >= 0,
           "expected two tries; got %s", json_dumps(object, 0));
    json_decref(object);
    lab_end(&lab);
}

static void early_ends_have_reasons(void)
{
    struct lab lab;
    json_t *object;

    lab_solo(&lab);
    lab_flag(&lab, 99, "--access-format", "json");
    lab_start_alone(&lab);
    lab_try(&lab, "/misbehave/cut-body");
    object = line_as_json(&lab);
    insist(
        *word_of(object, "end_reason") != '\0' &&
            strcmp(word_of(json_array_get(json_object_get(object, "tries"), 0),
                           "result"),
                   "broken") == 0,
        "a body was cut off; expected a reason; got %s", json_dumps(object, 0));
    json_decref(object);
    lab_end(&lab);
}

static bool file_has(const char *path, const char *words)
{
    char text[4096] = "";
    FILE *file = fopen(path, "r");

    if (file == NULL)
        return false;
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);
    return strstr(text, words) != NULL;
}

static void log_is_reopened(void)
{
    char folder[] = P_tmpdir "/steelyard-log-XXXXXX";
    char path[64], moved[64];
    struct lab lab;

    insist(mkdtemp(folder) != NULL, "no folder for a log");
    snprintf(path, sizeof(path), "%s/access", folder);
    snprintf(moved, sizeof(moved), "%s/moved", folder);
    lab_solo(&lab);
    lab_flag(&lab, 99, "--access-log", path);
    lab_start_alone(&lab);
    lab_who(&lab, "/livez");
    insist(holds_within(3000, file_has(path, "\"GET /livez HTTP/1.1\" 200")),
           "expected a line in the file that access-log names");
    insist(rename(path, moved) == 0, "the log cannot be moved away");
    kill(lab.lb.pid, SIGUSR1);
    insist(holds_within(3000, access(path, F_OK) == 0),
           "SIGUSR1 came; expected the log to be opened again");
    lab_who(&lab, "/readyz");
    insist(holds_within(3000, file_has(path, "\"GET /readyz HTTP/1.1\" 200")) &&
               !file_has(moved, "/readyz"),
           "expected what comes next in the new file");
    unlink(path);
    unlink(moved);
    rmdir(folder);
    lab_end(&lab);
}

static void client_may_see_tries(void)
{
    struct lab lab;
    struct rude client;
    char line[128];

    lab_solo(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 99, "--show-backend", NULL);
    lab_meet(&lab, &client);
    lab_kill(&lab, 0);
    lab_ask(&client, GET("/"), "hello from two");
    snprintf(line, sizeof(line),
             "\r\nX-Steelyard-Backend: http://127.0.0.1:%u=unconnected, "
             "http://127.0.0.1:%u=served\r\n",
             lab.backends[0].port, lab.backends[1].port);
    lab_has(&client, line);
    part(&lab, &client);
}

/* --- stopping ------------------------------------------------------------- */

/** Ask for a stop, and wait until that has been heard. */
static void stop(struct lab *lab)
{
    kill(lab->lb.pid, SIGTERM);
    insist(lab_logs(lab, "stopping", 3000), "SIGTERM came, and no stop");
}

/** It must end by itself, with this status, within so many milliseconds. */
static void ends_with(struct lab *lab, int expected, long ms)
{
    int status = -1;

    insist(holds_within(ms, process_has_ended(&lab->lb, &status)),
           "expected an end within %ld ms; it goes on", ms);
    insist(status == expected, "expected to end with status %d; got %d; %s",
           expected, status, process_text(lab->lb.err));
}

static void stop_lets_finish(void)
{
    struct scene scene;
    struct rude silent;

    /* Else the kernel keeps the silent client to itself. */
    scene_open(&scene, "--no-defer-accept", NULL);
    lab_rude(&scene.lab, &silent);
    scene_ask(&scene, GET("/"));
    stop(&scene.lab);
    insist(!rude_hear_end(&scene.client, 300),
           "a stop cut off a request that was running");
    rude_say(&scene.backend, OK("4") "done");
    lab_hear(&scene.client, "done");
    lab_has(&scene.client, "Connection: close\r\n");
    ends_with(&scene.lab, 0, 2000);
    lab_hear_end(&silent);
}

static void second_signal_ends(void)
{
    struct scene scene;

    scene_open(&scene, NULL, NULL);
    scene_ask(&scene, GET("/"));
    stop(&scene.lab);
    kill(scene.lab.lb.pid, SIGTERM);
    ends_with(&scene.lab, 1, 2000);
}

static void deadline_ends(void)
{
    struct scene scene;

    scene_open(&scene, "--stop-timeout", "300ms");
    scene_ask(&scene, GET("/"));
    stop(&scene.lab);
    ends_with(&scene.lab, 1, 3000);
    insist(process_said(scene.lab.lb.err, "stop-timeout"),
           "a stop was forced; expected the setting in the log");
}

static const struct behaviour list[] = {
    {"early-413", 99, 2, "An early answer arrives whole, whatever is sent.",
     early_answer_arrives},
    {"half-closed", 99, 1, "A client that will send no more is answered.",
     half_closed_is_answered},
    {"reset-client", 99, 1, "A client that resets ends the backend's work.",
     reset_ends_the_work},
    {"gone-in-queue", 99, 1, "One that leaves the queue is counted as 499.",
     gone_while_queued},
    {"slow-head", 99, 1, "A head that takes too long gets 408.",
     head_has_its_time},
    {"stalled-body", 99, 1, "So does a body that stalls.", body_has_its_time},
    {"slow-body", 99, 2, "So does a body that drips.", body_has_its_rate},
    {"events", 99, 2, "Server-sent events arrive at once.",
     events_arrive_at_once},
    {"no-reader", 99, 2, "Clients that never read cost no memory.",
     nobody_reads},
    {"no-taker", 99, 2, "Nor do backends that never read.",
     backend_reads_nothing},
    {"body-limit", 99, 1, "A body beyond the limit gets 413, in chunks too.",
     bodies_have_a_limit},
    {"head-limits", 99, 1, "Heads beyond the limits get 414 or 431.",
     heads_have_limits},
    {"response-limit", 99, 1,
     "A response head beyond it gets 502; the log "
     "says why.",
     response_heads_have_a_limit},
    {"access-line", 99, 2, "A line in the log tells all about a request.",
     line_tells_all},
    {"access-json", 99, 2, "The same as JSON, with every try.", json_tells_all},
    {"end-reason", 99, 1, "What ends early has a reason in the log.",
     early_ends_have_reasons},
    {"log-reopened", 99, 1, "SIGUSR1 opens the log again.", log_is_reopened},
    {"tries-shown", 99, 1, "The client may see every try in a field.",
     client_may_see_tries},
    {"stop-finishes", 99, 2, "A stop lets requests finish; the silent go.",
     stop_lets_finish},
    {"stop-twice", 99, 1, "A second signal ends it at once, with status 1.",
     second_signal_ends},
    {"stop-deadline", 99, 1, "So does the end of the time to stop.",
     deadline_ends},
};

const struct behaviours final_clients = {list, sizeof(list) / sizeof(list[0])};

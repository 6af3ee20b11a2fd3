/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * final: the listener where the balancer is watched and changed.
 */
#include "behaviours.h"
#include "lab.h"

#include <jansson.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define TOKEN "a-token-for-this-test"

static const char *const with_token[] = {"Authorization: Bearer " TOKEN, NULL};

/** So many backends, and a token that we know. */
static void admin_lab(struct lab *lab, size_t count)
{
    lab_init(lab);
    lab_backends(lab, count);
    lab_flag(lab, 99, "--admin-token", TOKEN);
    lab_start(lab);
}

static json_t *answer_json(struct answer *answer)
{
    json_t *object = json_loadb(answer->body == NULL ? "" : answer->body,
                                answer->length, 0, NULL);

    insist(object != NULL, "expected JSON; got status %ld %s: %.300s",
           answer->status, answer->error,
           answer->body == NULL ? "" : answer->body);
    answer_free(answer);
    return object;
}

static json_t *get_json(const struct lab *lab, const char *path)
{
    struct answer answer = fetch_url(lab_admin(lab, path));

    insist(answer.status == 200, "GET %s: expected 200; got %ld %s", path,
           answer.status, answer.error);
    return answer_json(&answer);
}

/** Ask for something with these field lines; tells the status. */
static long ask(const struct lab *lab, const char *method, const char *path,
                const char *body, const char *const *fields)
{
    struct answer answer = fetch(
        &(struct request){.method = method,
                          .url = lab_admin(lab, path),
                          .fields = fields,
                          .body = body,
                          .body_length = body == NULL ? 0 : strlen(body)});

    answer_free(&answer);
    return answer.status;
}

/** `/api/v1/backends/ID` of a backend. Good until the next call. */
static const char *backend_path(const struct lab *lab, size_t which)
{
    static char path[64];
    json_t *all = get_json(lab, "/api/v1/backends");
    json_t *one = json_array_get(json_object_get(all, "backends"), which);

    snprintf(path, sizeof(path), "/api/v1/backends/%s",
             json_string_value(json_object_get(one, "id")));
    json_decref(all);
    return path;
}

static json_t *backend_json(const struct lab *lab, size_t which)
{
    return get_json(lab, backend_path(lab, which));
}

static bool backend_is(const struct lab *lab, size_t which, const char *state)
{
    json_t *backend = backend_json(lab, which);
    bool is = strcmp(json_string_value(json_object_get(backend, "state")),
                     state) == 0;

    json_decref(backend);
    return is;
}

static long backend_number(const struct lab *lab, size_t which,
                           const char *name)
{
    json_t *backend = backend_json(lab, which);
    long number = (long)json_integer_value(json_object_get(backend, name));

    json_decref(backend);
    return number;
}

/** Change a backend; it must be done. */
static void change(const struct lab *lab, size_t which, const char *what)
{
    const char *path = backend_path(lab, which);
    long status = ask(lab, "PATCH", path, what, with_token);

    insist(status == 200, "PATCH %s %s: expected 200; got %ld", path, what,
           status);
}

/* --- does the program answer as openapi.json says? ------------------------- */

/** Where we are in an answer, for the story. */
struct place {
    const json_t *api;
    char path[256];
};

static void validate(struct place *place, const json_t *schema,
                     const json_t *value);

static const json_t *resolve(const struct place *place, const json_t *schema)
{
    static const char prefix[] = "#/components/schemas/";
    const char *ref = json_string_value(json_object_get(schema, "$ref"));
    const json_t *all =
        json_object_get(json_object_get(place->api, "components"), "schemas");

    if (ref == NULL)
        return schema;
    insist(strncmp(ref, prefix, strlen(prefix)) == 0, "a $ref to %s", ref);
    schema = json_object_get(all, ref + strlen(prefix));
    insist(schema != NULL, "openapi.json has no %s", ref);
    return schema;
}

static bool has_type(const json_t *value, const char *type)
{
    if (strcmp(type, "object") == 0)
        return json_is_object(value);
    if (strcmp(type, "array") == 0)
        return json_is_array(value);
    if (strcmp(type, "string") == 0)
        return json_is_string(value);
    if (strcmp(type, "integer") == 0)
        return json_is_integer(value);
    if (strcmp(type, "number") == 0)
        return json_is_number(value);
    insist(strcmp(type, "boolean") == 0, "a type %s in openapi.json", type);
    return json_is_boolean(value);
}

static void step_in(struct place *place, const char *name, const json_t *schema,
                    const json_t *value)
{
    size_t length = strlen(place->path);

    snprintf(place->path + length, sizeof(place->path) - length, "/%s", name);
    validate(place, schema, value);
    place->path[length] = '\0';
}

static void validate_object(struct place *place, const json_t *schema,
                            const json_t *value)
{
    const json_t *known = json_object_get(schema, "properties");
    const json_t *more = json_object_get(schema, "additionalProperties");
    const char *name;
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(schema, "required"), i, item)
        insist(json_object_get(value, json_string_value(item)) != NULL,
               "%s has no %s, but openapi.json says so", place->path,
               json_string_value(item));
    json_object_foreach((json_t *)value, name, item)
    {
        const json_t *of = json_object_get(known, name);

        if (of == NULL && json_is_object(more))
            of = more;
        insist(of != NULL || more == NULL || json_is_true(more),
               "%s has %s, of which openapi.json says nothing", place->path,
               name);
        if (of != NULL)
            step_in(place, name, of, item);
    }
}

static void validate_word(const struct place *place, const json_t *schema,
                          const json_t *value)
{
    const json_t *words = json_object_get(schema, "enum");
    bool known = words == NULL;
    json_t *word;
    size_t i;

    json_array_foreach(words, i, word) known |= json_equal(word, value);
    insist(known, "%s is \"%s\", which is not in openapi.json", place->path,
           json_string_value(value));
}

static void validate(struct place *place, const json_t *schema,
                     const json_t *value)
{
    const char *type;
    json_t *item;
    size_t i;

    schema = resolve(place, schema);
    type = json_string_value(json_object_get(schema, "type"));
    if (json_is_null(value) &&
        json_is_true(json_object_get(schema, "nullable")))
        return;
    insist(has_type(value, type), "%s is no %s", place->path, type);
    validate_word(place, schema, value);
    if (json_is_object(value))
        validate_object(place, schema, value);
    json_array_foreach(value, i, item)
        step_in(place, "[]", json_object_get(schema, "items"), item);
}

/** The response with that status, and its schema if it is JSON. */
static const json_t *response_of(const json_t *operation, long status,
                                 const json_t **schema)
{
    char number[8];
    const json_t *response;

    snprintf(number, sizeof(number), "%ld", status);
    response = json_object_get(json_object_get(operation, "responses"), number);
    *schema =
        json_object_get(json_object_get(json_object_get(response, "content"),
                                        "application/json"),
                        "schema");
    return response;
}

static void check_answer(struct place *place, const json_t *operation,
                         struct answer *answer)
{
    const json_t *schema;
    json_t *value;

    insist(response_of(operation, answer->status, &schema) != NULL,
           "%s: status %ld is not in openapi.json", place->path,
           answer->status);
    if (schema == NULL) {
        answer_free(answer);
        return;
    }
    value = answer_json(answer);
    validate(place, schema, value);
    json_decref(value);
}

/** Ask for what the file describes; and for what it does not. */
static void check_method(const struct lab *lab, struct place *place,
                         const char *path, const char *method,
                         const json_t *operation)
{
    bool changes = strcmp(method, "get") != 0;
    char upper[8] = "";
    struct answer answer;

    for (size_t i = 0; method[i] != '\0'; i++)
        upper[i] = (char)(method[i] - 'a' + 'A');
    answer = fetch(&(struct request){.method = upper,
                                     .url = lab_admin(lab, path),
                                     .fields = with_token,
                                     .body = changes ? "{\"weight\": 1}" : NULL,
                                     .body_length = changes ? 13 : 0,
                                     .timeout_ms = 700});
    snprintf(place->path, sizeof(place->path), "%s %s", upper, path);
    if (operation != NULL)
        check_answer(place, operation, &answer);
    else
        insist(answer.status == 405,
               "%s: openapi.json knows nothing of it; expected 405; got %ld",
               place->path, answer.status);
    if (operation == NULL)
        answer_free(&answer);
}

static void check_path(const struct lab *lab, struct place *place,
                       const char *path, const json_t *operations)
{
    static const char *const methods[] = {"get", "post", "put", "patch",
                                          "delete"};
    const char *real =
        strstr(path, "{id}") == NULL ? path : backend_path(lab, 0);
    char copy[64];

    snprintf(copy, sizeof(copy), "%s", real);
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        check_method(lab, place, copy, methods[i],
                     json_object_get(operations, methods[i]));
}

static void admin_api(void)
{
    struct lab lab;
    struct place place;
    json_t *api, *operations;
    const char *path;

    admin_lab(&lab, 2);
    lab_who(&lab, "/");
    insist(holds_within(3000, backend_number(&lab, 0, "tries") == 1),
           "a request was served; expected a backend that has tried once");
    api = get_json(&lab, "/api/v1/openapi.json");
    place.api = api;
    /* After an upgrade it would be another one; see final_upgrade.c. */
    json_object_foreach(json_object_get(api, "paths"), path,
                        operations) if (strcmp(path, "/api/v1/upgrade") != 0)
        check_path(&lab, &place, path, operations);
    insist(ask(&lab, "GET", "/api/v1/nothing", NULL, NULL) == 404,
           "a path that is not there; expected 404");
    insist(ask(&lab, "GET", "/api/v1/backends/0123456789abcdef", NULL, NULL) ==
               404,
           "a backend that is not there; expected 404");
    insist(ask(&lab, "HEAD", "/healthz", NULL, NULL) == 200,
           "HEAD /healthz; expected 200");
    json_decref(api);
    lab_end(&lab);
}

/* --- who may change something ---------------------------------------------- */

static void admin_guard(void)
{
    static const char wish[] = "{\"ready\": false}";
    static const char *const wrong[] = {"Authorization: Bearer wrong", NULL};
    static const char *const shorter[] = {"Authorization: Bearer a-token",
                                          NULL};
    static const char *const basic[] = {"Authorization: Basic " TOKEN, NULL};
    static const char *const strange_page[] = {
        "Authorization: Bearer " TOKEN, "Origin: http://evil.example", NULL};
    static const char *const strange_name[] = {"Authorization: Bearer " TOKEN,
                                               "Host: evil.example", NULL};
    char own_page[64];
    const char *const own[] = {with_token[0], own_page, NULL};
    struct lab lab;
    const char *path;

    admin_lab(&lab, 2);
    path = backend_path(&lab, 0);
    snprintf(own_page, sizeof(own_page), "Origin: http://127.0.0.1:%u",
             lab.admin);
    insist(ask(&lab, "PATCH", path, wish, NULL) == 401, "no token: not 401");
    insist(ask(&lab, "PATCH", path, wish, wrong) == 401,
           "a wrong token: not 401");
    insist(ask(&lab, "PATCH", path, wish, shorter) == 401,
           "a part of the token: not 401");
    insist(ask(&lab, "PATCH", path, wish, basic) == 401,
           "another scheme: not 401");
    insist(ask(&lab, "PATCH", path, wish, strange_page) == 403,
           "a page of another site: not 403");
    insist(ask(&lab, "PATCH", path, wish, strange_name) == 403,
           "a name that is not ours: not 403");
    insist(ask(&lab, "GET", "/api/v1/status", NULL, strange_name + 1) == 403,
           "reading by a name that is not ours: not 403");
    insist(backend_is(&lab, 0, "up"), "what was refused was done");
    insist(ask(&lab, "PATCH", path, wish, own) == 200,
           "our own page: expected 200");
    insist(backend_is(&lab, 0, "draining"), "what was granted was not done");
    insist(ask(&lab, "PATCH", path, "{\"weight\": 0}", with_token) == 422 &&
               ask(&lab, "PATCH", path, "{\"wait\": 1}", with_token) == 422 &&
               ask(&lab, "PATCH", path, "{\"ready\": true, \"weight\": 999}",
                   with_token) == 422 &&
               ask(&lab, "PATCH", path, "ready", with_token) == 400,
           "what makes no sense: expected 422, or 400 if it is no JSON");
    insist(backend_is(&lab, 0, "draining"),
           "half of what was refused was done");
    lab_end(&lab);
}

static void admin_token_made(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_start(&lab);
    insist(lab_logs(&lab, "made for this run (setting admin-token)", 2000),
           "no token is set; expected one to be made, and told in the log");
    insist(ask(&lab, "PATCH", backend_path(&lab, 0), "{}", with_token) == 401,
           "another token than that; expected 401");
    lab_end(&lab);
}

static void admin_public(void)
{
    struct lab lab;

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 99, "--admin", ":0");
    lab_refuses(&lab, "where other machines reach it: give it a token");
}

/** Somebody listens here. @return the descriptor */
static int listen_somewhere(unsigned *port)
{
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)*port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(where);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    insist(fd != -1, "no socket");
    /* If that fails, somebody else is there already: as good. */
    if (bind(fd, (struct sockaddr *)&where, sizeof(where)) == 0)
        insist(listen(fd, 1) == 0, "cannot listen");
    if (*port == 0) {
        getsockname(fd, (struct sockaddr *)&where, &length);
        *port = ntohs(where.sin_port);
    }
    return fd;
}

static void admin_busy(void)
{
    struct lab lab;
    unsigned port = 8090;
    int fd = listen_somewhere(&port);

    lab_init(&lab);
    lab_backends(&lab, 1);
    lab.usual_admin = true;
    lab_start(&lab);
    insist(lab_logs(&lab, "there is none in this run", 2000),
           "the usual place of the admin listener is taken; expected a word "
           "about it in the log");
    lab_who(&lab, "/");
    lab_end(&lab);
    close(fd);
}

static void admin_taken(void)
{
    struct lab lab;
    unsigned port = 0;
    char where[32];
    int fd = listen_somewhere(&port);

    snprintf(where, sizeof(where), "127.0.0.1:%u", port);
    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 99, "--admin", where);
    lab_refuses(&lab, "the admin listener: cannot listen on 127.0.0.1");
    close(fd);
}

/** Is there an answer behind this socket in the file system? */
static bool path_answers(const char *path)
{
    static const char request[] =
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    char bytes[512] = "";
    size_t used = 0;
    ssize_t got = 1;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(where.sun_path, sizeof(where.sun_path), "%s", path);
    if (connect(fd, (struct sockaddr *)&where, sizeof(where)) == 0 &&
        write(fd, request, sizeof(request) - 1) > 0)
        while (got > 0 && used + 1 < sizeof(bytes)) {
            got = read(fd, bytes + used, sizeof(bytes) - 1 - used);
            used += got > 0 ? (size_t)got : 0;
        }
    close(fd);
    return strstr(bytes, "\r\n\r\nok\n") != NULL;
}

static void admin_unix(void)
{
    struct lab lab;
    char folder[] = "/tmp/steelyard-XXXXXX", path[64], where[80];

    insist(mkdtemp(folder) != NULL, "no folder");
    snprintf(path, sizeof(path), "%s/admin", folder);
    snprintf(where, sizeof(where), "unix:%s", path);
    lab_init(&lab);
    lab_backends(&lab, 1);
    lab_flag(&lab, 99, "--admin", where);
    lab_start(&lab);
    insist(path_answers(path), "GET /livez at %s: no answer", path);
    process_kill(&lab.lb);
    insist(access(path, F_OK) == 0, "a killed balancer cannot clean up");
    lab.flag_count = 2; /* without the flags that lab_start() adds */
    lab_start(&lab);
    insist(path_answers(path), "GET /livez at %s, again: no answer", path);
    lab_end(&lab);
    insist(access(path, F_OK) == -1, "%s is still there", path);
    rmdir(folder);
}

/* --- draining and weights -------------------------------------------------- */

static void admin_drain(void)
{
    struct lab lab;
    struct request slow = {.timeout_ms = 5000};
    struct fetches *fetches;

    admin_lab(&lab, 2);
    slow.url = lab_url(&lab, "/slow?ms=1500");
    fetches = fetches_begin(&slow, 2);
    fetches_run(fetches, 1);
    insist(holds_within(3000, fetches_run(fetches, 1) ||
                                  backend_number(&lab, 0, "in_flight") == 1),
           "two slow requests; expected each backend to have one");
    change(&lab, 0, "{\"ready\": false}");
    insist(backend_is(&lab, 0, "draining"), "expected the state draining");
    for (int i = 0; i < 20; i++)
        insist(strcmp(lab_who(&lab, "/livez"), "two") == 0,
               "a backend that is not ready got a request");
    insist(backend_number(&lab, 0, "in_flight") == 1,
           "what the backend had in flight was taken away from it");
    insist(fetches_run(fetches, 5000) && fetches_count(fetches, 200) == 2,
           "a request that began before its backend was drained failed");
    fetches_end(&fetches);
    insist(holds_within(2000, backend_number(&lab, 0, "in_flight") == 0),
           "the backend has nothing in flight; the count says otherwise");
    change(&lab, 0, "{\"ready\": true}");
    insist(strcmp(lab_who(&lab, "/livez"), lab_who(&lab, "/livez")) != 0,
           "both are ready again; expected them to take turns");
    lab_end(&lab);
}

static void admin_drain_all(void)
{
    struct lab lab;

    admin_lab(&lab, 2);
    change(&lab, 0, "{\"ready\": false}");
    change(&lab, 1, "{\"ready\": false}");
    insist(lab_try(&lab, "/").status == 503,
           "no backend is ready; expected 503");
    insist(lab_count_all(&lab, "/") == 0,
           "no backend is ready, and one was asked");
    change(&lab, 1, "{\"ready\": true}");
    insist(strcmp(lab_who(&lab, "/"), "two") == 0,
           "two is ready; expected it to serve");
    lab_kill(&lab, 1);
    insist(holds_within(3000, backend_is(&lab, 1, "down")), "two is not down");
    lab_try(&lab, "/desperate");
    insist(lab_count(&lab, 0, "/desperate") == 0,
           "none is up, so all are tried; but one of them drains, and was "
           "asked");
    lab_end(&lab);
}

/** GET with a cookie, raw: tells the whole response. */
static void ask_with_cookie(const struct lab *lab, const char *cookie,
                            struct rude *rude)
{
    char request[200];

    lab_rude(lab, rude);
    snprintf(request, sizeof(request),
             "GET /livez HTTP/1.1\r\nHost: lab\r\nCookie: %s\r\n"
             "Connection: close\r\n\r\n",
             cookie);
    rude_say(rude, request);
    insist(rude_hear_end(rude, 3000) && rude_status(rude) == 200,
           "GET with a cookie: %s", rude->text);
}

static void admin_sticky(void)
{
    struct lab lab;
    struct rude rude;
    char cookie[64] = "";
    const char *at;
    size_t owner;

    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_flag(&lab, 99, "--admin-token", TOKEN);
    lab_flag(&lab, 99, "--sticky-cookie", "sticks");
    lab_start(&lab);
    ask_with_cookie(&lab, "none=1", &rude);
    at = strstr(rude.text, "sticks=");
    insist(at != NULL, "no cookie was given");
    snprintf(cookie, sizeof(cookie), "%.23s", at);
    owner = strstr(rude.text, "X-Backend: two") != NULL;
    rude_close(&rude);
    ask_with_cookie(&lab, cookie, &rude);
    insist(strstr(rude.text, "sticks=") == NULL, "the cookie did not hold");
    rude_close(&rude);
    change(&lab, owner, "{\"ready\": false}");
    ask_with_cookie(&lab, cookie, &rude);
    insist(strstr(rude.text, owner ? "X-Backend: one" : "X-Backend: two") !=
                   NULL &&
               strstr(rude.text, "sticks=") != NULL,
           "the cookie's backend drains; expected the other one, and a new "
           "cookie; got %s",
           rude.text);
    rude_close(&rude);
    lab_end(&lab);
}

static void admin_weight(void)
{
    struct lab lab;

    admin_lab(&lab, 2);
    change(&lab, 0, "{\"weight\": 3}");
    insist(backend_number(&lab, 0, "weight") == 3, "the weight is not 3");
    for (int i = 0; i < 40; i++)
        lab_who(&lab, "/livez");
    insist(lab_count(&lab, 0, "/livez") == 30 &&
               lab_count(&lab, 1, "/livez") == 10,
           "weights 3 and 1, 40 requests; expected 30 and 10; got %ld and %ld",
           lab_count(&lab, 0, "/livez"), lab_count(&lab, 1, "/livez"));
    lab_end(&lab);
}

/* --- watching -------------------------------------------------------------- */

/** Watch the events, after @p seen if it is not empty. */
static void watch_events(const struct lab *lab, const char *seen,
                         struct rude *rude)
{
    insist(lab->admin != 0 && rude_open(rude, lab->admin),
           "the admin listener does not accept");
    rude_say(rude, "GET /events HTTP/1.1\r\nHost: localhost\r\n");
    rude_say(rude, seen);
    rude_say(rude, "\r\n");
    insist(
        rude_hear(rude, "event: status\ndata: {\"name\":\"steelyard\"", 3000),
        "GET /events: expected a status at once; got %s", rude->text);
}

static void admin_events(void)
{
    struct lab lab;
    struct rude rude, later;

    admin_lab(&lab, 2);
    watch_events(&lab, "", &rude);
    lab_kill(&lab, 0);
    insist(rude_hear(&rude,
                     "\"from\":\"up\",\"to\":\"down\",\"why\":\"probe: ", 3000),
           "a backend was killed; expected an event; got %s", rude.text);
    lab_revive(&lab, 0);
    insist(rude_hear(&rude, "\"from\":\"down\",\"to\":\"up\"", 3000),
           "a backend came back; expected an event; got %s", rude.text);
    watch_events(&lab, "Last-Event-ID: 1\r\n", &later);
    insist(rude_hear(&later, "\"to\":\"up\"", 3000),
           "expected the events after the first; got %s", later.text);
    insist(strstr(later.text, "\"to\":\"down\"") == NULL,
           "expected only the events after the first; got %s", later.text);
    rude_close(&later);
    rude_close(&rude);
    lab_end(&lab);
}

static void admin_ready(void)
{
    struct lab lab;
    struct request slow = {.timeout_ms = 5000};
    struct fetches *fetches;

    admin_lab(&lab, 1);
    insist(ask(&lab, "GET", "/readyz", NULL, NULL) == 200, "not ready");
    lab_kill(&lab, 0);
    insist(holds_within(3000, ask(&lab, "GET", "/readyz", NULL, NULL) == 503),
           "no backend is up; expected /readyz to give 503");
    insist(ask(&lab, "GET", "/livez", NULL, NULL) == 200,
           "no backend is up; expected /livez to give 200 still");
    lab_revive(&lab, 0);
    insist(holds_within(3000, ask(&lab, "GET", "/readyz", NULL, NULL) == 200),
           "the backend is back; expected /readyz to give 200");
    slow.url = lab_url(&lab, "/slow?ms=2000");
    fetches = fetches_begin(&slow, 1);
    insist(holds_within(3000, fetches_run(fetches, 1) ||
                                  backend_number(&lab, 0, "in_flight") == 1),
           "a slow request is not in flight");
    kill(lab.lb.pid, SIGTERM);
    insist(holds_within(1500, ask(&lab, "GET", "/readyz", NULL, NULL) == 503),
           "it stops; expected /readyz to give 503");
    insist(fetches_run(fetches, 5000) && fetches_count(fetches, 200) == 1,
           "the request that was in flight failed");
    fetches_end(&fetches);
    {
        int status = -1;

        insist(holds_within(3000, process_has_ended(&lab.lb, &status)) &&
                   status == 0,
               "expected it to end with status 0; got %d", status);
    }
    process_kill(&lab.backends[0].process);
}

/* --- counts ---------------------------------------------------------------- */

static long number_at(const json_t *object, const char *room, const char *name)
{
    return (long)json_integer_value(
        json_object_get(json_object_get(object, room), name));
}

static long class_count(const struct lab *lab, const char *which,
                        const char *class)
{
    json_t *status = get_json(lab, "/api/v1/status");
    long count = number_at(json_object_get(status, "requests"), which, class);

    json_decref(status);
    return count;
}

static void admin_counts(void)
{
    struct lab lab;
    struct rude rude;
    json_t *status, *requests;

    admin_lab(&lab, 2);
    for (int i = 0; i < 10; i++)
        lab_who(&lab, "/livez");
    lab_try(&lab, "/status/404");
    lab_try(&lab, "/status/500");
    lab_rude(&lab, &rude);
    rude_say(&rude, "GET / HTTP/9.9\r\n\r\n");
    rude_hear_end(&rude, 2000);
    rude_close(&rude);
    lab_rude(&lab, &rude);
    rude_say(&rude, "GET /slow?ms=1000 HTTP/1.1\r\nHost: lab\r\n\r\n");
    insist(holds_within(2000, backend_number(&lab, 0, "in_flight") +
                                      backend_number(&lab, 1, "in_flight") ==
                                  1),
           "a slow request is not in flight");
    rude_reset(&rude);
    insist(holds_within(2000, class_count(&lab, "by_class", "4xx") == 2),
           "a 404 and a client that left; expected two of 4xx");
    status = get_json(&lab, "/api/v1/status");
    requests = json_object_get(status, "requests");
    insist(number_at(requests, "by_class", "2xx") == 10 &&
               number_at(requests, "by_class", "5xx") == 2 &&
               number_at(requests, "own", "5xx") == 1 &&
               number_at(requests, "own", "4xx") == 0 &&
               number_at(status, "requests", "total") == 14 &&
               number_at(status, "requests", "client_left") == 1,
           "10 good ones, a 404 and a 500 from a backend, a 505 of our own, a "
           "client that left; got %s",
           json_dumps(requests, 0));
    json_decref(status);
    lab_end(&lab);
}

/** The value of a sample; -1 when there is none. */
static double sample(const char *text, const char *name)
{
    const char *at = text;

    while ((at = strstr(at, name)) != NULL) {
        if (at[strlen(name)] == ' ' && (at == text || at[-1] == '\n'))
            return strtod(at + strlen(name), NULL);
        at++;
    }
    return -1;
}

/** All of them that begin so, together. */
static double samples(const char *text, const char *name)
{
    double sum = 0;

    for (const char *at = text; (at = strstr(at, name)) != NULL; at++) {
        const char *value = at + strcspn(at, "\n");

        if (at != text && at[-1] != '\n')
            continue;
        while (value[-1] != ' ')
            value--;
        sum += strtod(value, NULL);
    }
    return sum;
}

/** Each line is a remark, or a name, perhaps labels, and a number. */
static void check_lines(const char *text)
{
    char line[1024];

    for (; *text != '\0'; text += strcspn(text, "\n") + 1) {
        char *space, *end;
        size_t length = strcspn(text, "\n");

        insist(length < sizeof(line) && text[length] == '\n', "no line end");
        snprintf(line, sizeof(line), "%.*s", (int)length, text);
        if (strncmp(line, "# HELP steelyard_", 17) == 0 ||
            strncmp(line, "# TYPE steelyard_", 17) == 0)
            continue;
        space = strrchr(line, ' ');
        insist(strncmp(line, "steelyard_", 10) == 0 && space != NULL,
               "a strange line in the metrics: %s", line);
        strtod(space + 1, &end);
        insist(*end == '\0' && end > space + 1, "no number: %s", line);
    }
}

/** Prometheus' own opinion, where its tool is installed. */
static void check_promtool(const char *text)
{
    FILE *tool;

    if (system("command -v promtool >/dev/null") != 0) {
        fputs("promtool is not installed: metrics are checked without it\n",
              stderr);
        return;
    }
    tool = popen("promtool check metrics >&2", "w");
    insist(tool != NULL, "promtool does not start");
    fputs(text, tool);
    insist(pclose(tool) == 0, "promtool does not like the metrics: %s", text);
}

static void admin_metrics(void)
{
    struct lab lab;
    struct answer answer;
    const char *text;

    admin_lab(&lab, 2);
    for (int i = 0; i < 30; i++)
        lab_who(&lab, "/livez");
    lab_try(&lab, "/slow?ms=60");
    insist(holds_within(2000, class_count(&lab, "by_class", "2xx") == 31),
           "31 requests were served; the counts say otherwise");
    answer = fetch_url(lab_admin(&lab, "/metrics"));
    text = answer.body == NULL ? "" : answer.body;
    check_lines(text);
    check_promtool(text);
    insist(samples(text, "steelyard_requests_total{") == 31 &&
               sample(text, "steelyard_request_duration_seconds_count") == 31 &&
               sample(text, "steelyard_request_duration_seconds_bucket"
                            "{le=\"+Inf\"}") == 31 &&
               samples(text, "steelyard_backend_response_seconds_count{") ==
                   31 &&
               samples(text, "steelyard_backend_tries_total{") == 31 &&
               sample(text, "steelyard_sessions_total") >= 1,
           "31 requests; expected all counts to say so; got %s", text);
    insist(sample(text, "steelyard_request_duration_seconds_bucket"
                        "{le=\"0.05\"}") <= 30 &&
               sample(text, "steelyard_request_duration_seconds_sum") >= 0.06,
           "a request took 60 ms; expected it in the histogram; got %s", text);
    answer_free(&answer);
    lab_end(&lab);
}

static void admin_history(void)
{
    struct lab lab;
    json_t *history, *points;
    long sum = 0;
    size_t i;
    json_t *point;

    admin_lab(&lab, 1);
    for (int k = 0; k < 5; k++)
        lab_who(&lab, "/livez");
    do {
        pause_briefly();
        history = get_json(&lab, "/api/v1/history");
        points = json_object_get(history, "points");
        sum = 0;
        json_array_foreach(points, i, point) sum +=
            (long)json_integer_value(json_object_get(point, "requests"));
        json_decref(history);
    } while (sum < 5);
    insist(sum == 5, "5 requests; the history has %ld", sum);
    lab_end(&lab);
}

static void admin_check_config(void)
{
    static const char good[] = "{\"backends\": [\"http://127.0.0.1:1\"], "
                               "\"policy\": \"latency\"}";
    struct lab lab;
    struct answer answer;

    admin_lab(&lab, 1);
    insist(ask(&lab, "POST", "/api/v1/config/check", good, with_token) == 200,
           "a good file; expected 200");
    answer =
        fetch(&(struct request){.method = "POST",
                                .url = lab_admin(&lab, "/api/v1/config/check"),
                                .fields = with_token,
                                .body = "{\n  \"pord\": 1\n}",
                                .body_length = 15});
    insist(answer.status == 422 && strstr(answer.body, ":2:3: ") != NULL &&
               strstr(answer.body, "pord") != NULL,
           "a bad file; expected 422, line and column; got %ld %s",
           answer.status, answer.body);
    answer_free(&answer);
    insist(ask(&lab, "POST", "/api/v1/config/check", good, NULL) == 401,
           "no token; expected 401");
    lab_end(&lab);
}

/** Ask to serve over a backend of the lab. @return the status */
static long add_backend(const struct lab *lab, size_t which, unsigned weight)
{
    char body[120];

    snprintf(body, sizeof(body),
             "{\"url\": \"http://127.0.0.1:%u\", \"weight\": %u}",
             lab->backends[which].port, weight);
    return ask(lab, "POST", "/api/v1/backends", body, with_token);
}

static bool name_serves(const struct lab *lab, const char *name)
{
    return strcmp(lab_who(lab, "/livez"), name) == 0;
}

static void admin_pool(void)
{
    struct lab lab;
    struct request slow = {.timeout_ms = 5000};
    struct fetches *fetches;
    const char *path;

    admin_lab(&lab, 1);
    lab_backend(&lab, NULL); /* the balancer does not know of it yet */
    insist(ask(&lab, "DELETE", backend_path(&lab, 0), NULL, with_token) == 409,
           "the last backend was to be removed; expected 409");
    insist(add_backend(&lab, 1, 2) == 201, "add a backend: expected 201");
    insist(add_backend(&lab, 1, 2) == 409, "add it again: expected 409");
    insist(ask(&lab, "POST", "/api/v1/backends", "{\"url\": \"ftp://x\"}",
               with_token) == 422,
           "add what is no backend: expected 422");
    insist(holds_within(3000, name_serves(&lab, "two")),
           "a backend was added; expected it to serve");
    insist(backend_number(&lab, 1, "weight") == 2, "its weight is not 2");
    slow.url = lab_url(&lab, "/slow?ms=1000");
    fetches = fetches_begin(&slow, 3);
    insist(holds_within(3000, fetches_run(fetches, 1) ||
                                  backend_number(&lab, 1, "in_flight") > 0),
           "slow requests; expected the new backend to have one");
    path = backend_path(&lab, 1);
    insist(ask(&lab, "DELETE", path, NULL, with_token) == 200,
           "remove a backend: expected 200");
    insist(ask(&lab, "GET", path, NULL, NULL) == 404,
           "a backend that was removed is still there");
    for (int i = 0; i < 10; i++)
        insist(name_serves(&lab, "one"), "a removed backend got a request");
    insist(fetches_run(fetches, 5000) && fetches_count(fetches, 200) == 3,
           "a request in flight was lost when its backend was removed");
    fetches_end(&fetches);
    lab_end(&lab);
}

static void admin_reload(void)
{
    struct lab lab;
    struct rude rude;
    char folder[] = "/tmp/steelyard-XXXXXX", path[64];
    FILE *file;

    insist(mkdtemp(folder) != NULL, "no folder");
    snprintf(path, sizeof(path), "%s/config.json", folder);
    file = fopen(path, "w");
    fputs("{\"policy\": \"round-robin\"}\n", file);
    fclose(file);
    lab_init(&lab);
    lab_backends(&lab, 2);
    lab_flag(&lab, 99, "--config", path);
    lab_flag(&lab, 99, "--admin-token", TOKEN);
    lab_start(&lab);
    watch_events(&lab, "", &rude);
    file = fopen(path, "w");
    fputs("{\"policy\": \"random-robin\"}\n", file);
    fclose(file);
    insist(rude_hear(&rude, "the configuration is not what serves", 4000) &&
               rude_hear(&rude, "\"differs\":true,\"why\":\"", 4000),
           "the file has changed; expected to be told; got %s", rude.text);
    insist(ask(&lab, "POST", "/api/v1/reload", NULL, with_token) == 422,
           "reload a bad file: expected 422");
    insist(ask(&lab, "POST", "/api/v1/reload", NULL, NULL) == 401,
           "reload without a token: expected 401");
    lab_who(&lab, "/");
    file = fopen(path, "w");
    fputs("{\"policy\": \"latency\"}\n", file);
    fclose(file);
    insist(ask(&lab, "POST", "/api/v1/reload", NULL, with_token) == 200,
           "reload a good file: expected 200");
    insist(rude_hear(&rude, "reload: done, 1 settings have changed", 3000) &&
               rude_hear(&rude, "\"policy\":\"latency\"", 3000) &&
               rude_hear(&rude, "\"generation\":2,", 3000),
           "expected to be told of the reload; got %s", rude.text);
    lab_who(&lab, "/");
    rude_close(&rude);
    lab_end(&lab);
    unlink(path);
    rmdir(folder);
}

/** Run `steelyard healthcheck` with these flags. @return its status */
static int check_health(const char *url, const char *more)
{
    const char *argv[] = {lab_program(), "healthcheck", "--url",
                          url,           more,          NULL};
    struct process process;
    int status = -1;

    insist(process_start(&process, argv), "cannot start the health check");
    insist(holds_within(5000, process_has_ended(&process, &status)),
           "the health check does not end");
    return status;
}

static void admin_health_check(void)
{
    struct lab lab;
    char url[64];

    admin_lab(&lab, 1);
    snprintf(url, sizeof(url), "%s", lab_admin(&lab, ""));
    insist(check_health(url, NULL) == 0, "alive: expected status 0");
    insist(check_health(url, "--ready") == 0, "ready: expected status 0");
    lab_kill(&lab, 0);
    insist(holds_within(3000, backend_is(&lab, 0, "down")), "it is not down");
    insist(check_health(url, NULL) == 0,
           "no backend is up, but the balancer is alive: expected status 0");
    insist(check_health(url, "--ready") == 1, "not ready: expected status 1");
    insist(check_health(url, "--quux") == 2, "no such flag: expected status 2");
    lab_end(&lab);
    insist(check_health(url, NULL) == 1, "it is gone: expected status 1");
}

static void admin_secret(void)
{
    struct lab lab;
    struct answer answer;

    admin_lab(&lab, 1);
    answer = fetch_url(lab_admin(&lab, "/api/v1/config"));
    insist(answer.body != NULL &&
               strstr(answer.body, "\"admin-token\":{\"value\":\"(set)\"") !=
                   NULL,
           "expected the token to show as (set); got %.200s", answer.body);
    insist(strstr(answer.body, TOKEN) == NULL, "the token is shown to anybody");
    answer_free(&answer);
    insist(!process_said(lab.lb.err, TOKEN) && !process_said(lab.lb.out, TOKEN),
           "the token that was set is in the log");
    lab_end(&lab);
}

static const struct behaviour list[] = {
    {"admin-api", 99, 1, "The admin listener answers as its API file says.",
     admin_api},
    {"admin-guard", 99, 1, "Only who has the token may change something.",
     admin_guard},
    {"admin-token", 99, 1, "Without a token in the settings, one is made.",
     admin_token_made},
    {"admin-secret", 99, 1, "The token is never shown.", admin_secret},
    {"admin-public", 99, 1,
     "No admin listener is open to other machines without a token.",
     admin_public},
    {"admin-busy", 99, 1,
     "If the usual place of the admin listener is taken, it goes without.",
     admin_busy},
    {"admin-taken", 99, 1,
     "If the place given for the admin listener is taken, it says so and ends.",
     admin_taken},
    {"admin-unix", 99, 1, "The admin listener may be in the file system.",
     admin_unix},
    {"admin-drain", 99, 1,
     "A backend set not ready gets nothing new, and finishes what it has.",
     admin_drain},
    {"admin-drain-all", 99, 1,
     "Backends that drain are not asked, even when no other is left.",
     admin_drain_all},
    {"admin-sticky", 99, 1, "A cookie does not lead to a backend that drains.",
     admin_sticky},
    {"admin-weight", 99, 1, "Weights may be changed while it runs.",
     admin_weight},
    {"admin-events", 99, 1, "Who watches is told when a backend dies.",
     admin_events},
    {"admin-ready", 99, 1,
     "It says that it is not ready when no backend is up, or when it stops.",
     admin_ready},
    {"admin-counts", 99, 1, "Requests are counted as what they were.",
     admin_counts},
    {"admin-metrics", 99, 1, "Prometheus can read the counts.", admin_metrics},
    {"admin-history", 99, 1, "The last minutes are remembered by the second.",
     admin_history},
    {"admin-check", 99, 1, "It can ask another one whether it is alive.",
     admin_health_check},
    {"admin-pool", 99, 1,
     "Backends are added and removed while it runs, and nothing is lost.",
     admin_pool},
    {"admin-reload", 99, 1,
     "A file that differs is told, and reloaded if it is good.", admin_reload},
    {"admin-config", 99, 1, "A configuration can be tried without using it.",
     admin_check_config},
};

const struct behaviours final_admin = {list, sizeof(list) / sizeof(list[0])};

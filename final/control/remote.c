/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Where the other one is, in this order: what the caller was told; the variable
 * LOAD_BALANCER_URL; where a steelyard with our environment would listen, which
 * in a container is the one we stand beside.
 */
#include "control/remote.h"

#include "base/must.h"
#include "base/settings.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX = 8 << 20, CONNECT_MS = 2000 };

/** One question under way. */
struct question {
    char *text; /**< owned: what has come */
    size_t length;
};

/* --- where ------------------------------------------------------------------ */

/** The value of a variable, if it has one. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value == NULL || *value == '\0' ? NULL : value;
}

/** Where a steelyard with this environment has its admin listener. */
static const char *usual_place(void)
{
    const char *place = variable("STEELYARD_ADMIN");

    if (place == NULL)
        place = variable("DASHBOARD_PORT");
    return place == NULL ? setting_row(SETTING_admin)->initial : place;
}

static void take_path(struct remote *remote, const char *path)
{
    snprintf(remote->socket_path, sizeof(remote->socket_path), "%s", path);
    snprintf(remote->url, sizeof(remote->url), "http://localhost");
}

/** One that listens at any address listens at that of this machine. */
static void take_port(struct remote *remote, const struct settings_place *place)
{
    const char *address = place->address;

    if (strcmp(address, "0.0.0.0") == 0)
        address = "127.0.0.1";
    if (strcmp(address, "::") == 0)
        address = "::1";
    snprintf(remote->url, sizeof(remote->url),
             strchr(address, ':') != NULL ? "http://[%s]:%u" : "http://%s:%u",
             address, place->port);
}

static bool take_usual(struct remote *remote)
{
    const char *text = usual_place();
    struct settings_place place;

    if (!settings_place_read(&place, text))
        return fault_say(&remote->fault,
                         "\"%s\" is no place of an admin listener (variable "
                         "STEELYARD_ADMIN); say --url",
                         text);
    switch (place.kind) {
    case SETTINGS_NOWHERE:
        return fault_say(&remote->fault, "there is no admin listener (variable "
                                         "STEELYARD_ADMIN is off); say --url");
    case SETTINGS_AT_PATH: take_path(remote, place.path); break;
    case SETTINGS_AT_PORT: take_port(remote, &place); break;
    }
    return true;
}

static bool take_url(struct remote *remote, const char *url)
{
    static const char unix_word[] = "unix:";
    size_t length = strlen(url);
    const char *path = url + strlen(unix_word);

    if (strncmp(url, unix_word, strlen(unix_word)) == 0) {
        take_path(remote, path);
        return *path == '/' && strlen(path) < sizeof(remote->socket_path);
    }
    while (length > 0 && url[length - 1] == '/')
        length--;
    snprintf(remote->url, sizeof(remote->url), "%s%.*s",
             strstr(url, "://") == NULL ? "http://" : "", (int)length, url);
    return length > 0 && length + 8 < sizeof(remote->url) &&
           (strncmp(remote->url, "http://", 7) == 0 ||
            strncmp(remote->url, "https://", 8) == 0);
}

bool remote_init(struct remote *remote, const char *url, const char *token)
{
    memset(remote, 0, sizeof(*remote));
    remote->answer_ms = REMOTE_ANSWER_MS;
    if (token == NULL)
        token = variable("STEELYARD_ADMIN_TOKEN");
    remote_set_token(remote, token == NULL ? "" : token);
    if (url == NULL) {
        url = variable("LOAD_BALANCER_URL");
        remote->is_told = url != NULL;
    }
    if (url == NULL)
        return take_usual(remote);
    if (take_url(remote, url))
        return true;
    return fault_say(&remote->fault,
                     "\"%s\" is no address of an admin listener; write "
                     "http://HOST:PORT or unix:/PATH",
                     url);
}

void remote_set_token(struct remote *remote, const char *token)
{
    snprintf(remote->token, sizeof(remote->token), "%s", token);
}

/* --- one question ---------------------------------------------------------- */

void remote_prepare(const struct remote *remote, void *curl, const char *path)
{
    char url[1024];

    snprintf(url, sizeof(url), "%s%s", remote->url, path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    if (remote->socket_path[0] != '\0')
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, remote->socket_path);
}

static size_t on_answer(char *bytes, size_t size, size_t count, void *arg)
{
    struct question *question = arg;
    size_t length = size * count;

    if (question->length + length > ANSWER_MAX)
        return 0;
    question->text = realloc(question->text, question->length + length + 1);
    must(question->text != NULL);
    memcpy(question->text + question->length, bytes, length);
    question->length += length;
    question->text[question->length] = '\0';
    return length;
}

/** The sentence in an answer that refuses something. */
static void say_refusal(struct remote *remote, long status, const char *text)
{
    json_t *answer = json_loads(text == NULL ? "" : text, 0, NULL);
    const char *words = json_string_value(
        json_object_get(json_object_get(answer, "error"), "message"));

    if (words != NULL)
        fault_say(&remote->fault, "%s", words);
    else
        fault_say(&remote->fault,
                  "%s answered %ld: is that the admin listener of a steelyard?",
                  remote->url, status);
    json_decref(answer);
}

static struct curl_slist *fields_of(const struct remote *remote,
                                    const char *body)
{
    struct curl_slist *fields = NULL;
    char line[320];

    if (body != NULL)
        fields = curl_slist_append(fields, "Content-Type: application/json");
    snprintf(line, sizeof(line), "Authorization: Bearer %s", remote->token);
    if (body != NULL && remote->token[0] != '\0')
        fields = curl_slist_append(fields, line);
    return fields;
}

static long perform(struct remote *remote, CURL *curl)
{
    char error[CURL_ERROR_SIZE] = "";
    long status = 0;
    CURLcode result;

    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    result = curl_easy_perform(curl);
    if (result != CURLE_OK) {
        fault_say(&remote->fault,
                  "cannot reach %s: %s; is steelyard running, and is that its "
                  "admin listener?",
                  remote->socket_path[0] != '\0' ? remote->socket_path
                                                 : remote->url,
                  error[0] != '\0' ? error : curl_easy_strerror(result));
        return 0;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

long remote_ask(struct remote *remote, const char *method, const char *path,
                const char *body, char **text)
{
    struct curl_slist *fields = fields_of(remote, body);
    struct question question = {.text = NULL};
    CURL *curl = curl_easy_init();
    long status;

    must(curl != NULL);
    remote_prepare(remote, curl, path);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, remote->answer_ms);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    if (body != NULL)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &question);
    status = perform(remote, curl);
    if (status != 0 && (status < 200 || status > 299))
        say_refusal(remote, status, question.text);
    curl_easy_cleanup(curl);
    curl_slist_free_all(fields);
    if (text != NULL)
        *text = question.text;
    else
        free(question.text);
    return status;
}

/* --- the right place --------------------------------------------------------- */

/** Does a steelyard answer there? */
static bool is_there(struct remote *remote)
{
    char *text = NULL;
    long status = remote_ask(remote, "GET", "/api/v1/status", NULL, &text);
    json_t *answer = json_loads(text == NULL ? "" : text, 0, NULL);
    const char *name = json_string_value(json_object_get(answer, "name"));
    bool is = status == 200 && name != NULL && strcmp(name, "steelyard") == 0;

    json_decref(answer);
    free(text);
    return is;
}

/** The same host at the port of an admin listener; false: there is none. */
static bool step_aside(struct remote *remote)
{
    struct settings_place place;
    CURLU *url = curl_url();
    char port[16], *text = NULL;
    bool done = url != NULL && remote->socket_path[0] == '\0' &&
                settings_place_read(&place, usual_place()) &&
                place.kind == SETTINGS_AT_PORT;

    if (done) {
        snprintf(port, sizeof(port), "%u", place.port);
        done = curl_url_set(url, CURLUPART_URL, remote->url, 0) == CURLUE_OK &&
               curl_url_set(url, CURLUPART_PORT, port, 0) == CURLUE_OK &&
               curl_url_set(url, CURLUPART_PATH, "", 0) == CURLUE_OK &&
               curl_url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK &&
               take_url(remote, text);
    }
    curl_free(text);
    curl_url_cleanup(url);
    return done;
}

void remote_find(struct remote *remote)
{
    struct remote other = *remote;

    if (remote->is_told && !is_there(&other) && step_aside(&other) &&
        is_there(&other))
        *remote = other;
    remote->is_told = false;
}

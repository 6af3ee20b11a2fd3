/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "control/top_client.h"

#include "base/must.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MAX = 8 << 20, CONNECT_MS = 2000, SILENCE_S = 10 };

/** One question under way. */
struct question {
    char *text; /**< owned: what has come */
    size_t length;
};

/* --- beginning and end ----------------------------------------------------- */

static bool take_url(struct top_client *client, const char *url)
{
    static const char unix_word[] = "unix:";
    size_t length = strlen(url);

    if (strncmp(url, unix_word, strlen(unix_word)) == 0) {
        const char *path = url + strlen(unix_word);

        snprintf(client->socket_path, sizeof(client->socket_path), "%s", path);
        snprintf(client->url, sizeof(client->url), "http://localhost");
        return *path == '/' && strlen(path) < sizeof(client->socket_path);
    }
    while (length > 0 && url[length - 1] == '/')
        length--;
    snprintf(client->url, sizeof(client->url), "%s%.*s",
             strstr(url, "://") == NULL ? "http://" : "", (int)length, url);
    return length > 0 && length + 8 < sizeof(client->url) &&
           (strncmp(client->url, "http://", 7) == 0 ||
            strncmp(client->url, "https://", 8) == 0);
}

bool top_client_init(struct top_client *client, const char *url,
                     const char *token, top_stream_fn *on_event, void *arg)
{
    memset(client, 0, sizeof(*client));
    client->events.on_event = on_event;
    client->events.arg = arg;
    client->multi = curl_multi_init();
    must(client->multi != NULL);
    top_client_set_token(client, token == NULL ? "" : token);
    if (take_url(client, url))
        return true;
    return fault_say(&client->fault,
                     "\"%s\" is no address of an admin listener; write "
                     "http://HOST:PORT or unix:/PATH",
                     url);
}

void top_client_set_token(struct top_client *client, const char *token)
{
    snprintf(client->token, sizeof(client->token), "%s", token);
}

static void stream_close(struct top_client *client)
{
    if (client->stream == NULL)
        return;
    curl_multi_remove_handle(client->multi, client->stream);
    curl_easy_cleanup(client->stream);
    curl_slist_free_all(client->fields);
    client->stream = NULL;
    client->fields = NULL;
    client->is_broken = false;
    top_stream_reset(&client->events);
}

void top_client_fini(struct top_client *client)
{
    stream_close(client);
    curl_multi_cleanup(client->multi);
    top_stream_fini(&client->events);
}

/* --- one question ---------------------------------------------------------- */

static void set_place(const struct top_client *client, CURL *curl,
                      const char *path)
{
    char url[1024];

    snprintf(url, sizeof(url), "%s%s", client->url, path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    if (client->socket_path[0] != '\0')
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, client->socket_path);
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
static void say_refusal(struct top_client *client, long status,
                        const char *text)
{
    json_t *answer = json_loads(text == NULL ? "" : text, 0, NULL);
    const char *words = json_string_value(
        json_object_get(json_object_get(answer, "error"), "message"));

    if (words != NULL)
        fault_say(&client->fault, "%s", words);
    else
        fault_say(&client->fault,
                  "%s answered %ld: is that the admin listener of a steelyard?",
                  client->url, status);
    json_decref(answer);
}

static struct curl_slist *fields_of(const struct top_client *client,
                                    const char *body)
{
    struct curl_slist *fields = NULL;
    char line[320];

    if (body != NULL)
        fields = curl_slist_append(fields, "Content-Type: application/json");
    snprintf(line, sizeof(line), "Authorization: Bearer %s", client->token);
    if (body != NULL && client->token[0] != '\0')
        fields = curl_slist_append(fields, line);
    return fields;
}

static long perform(struct top_client *client, CURL *curl)
{
    char error[CURL_ERROR_SIZE] = "";
    long status = 0;
    CURLcode result;

    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    result = curl_easy_perform(curl);
    if (result != CURLE_OK) {
        fault_say(&client->fault,
                  "cannot reach %s: %s; is steelyard running, and is that its "
                  "admin listener?",
                  client->socket_path[0] != '\0' ? client->socket_path
                                                 : client->url,
                  error[0] != '\0' ? error : curl_easy_strerror(result));
        return 0;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

long top_client_ask(struct top_client *client, const char *method,
                    const char *path, const char *body, char **text)
{
    struct curl_slist *fields = fields_of(client, body);
    struct question question = {.text = NULL};
    CURL *curl = curl_easy_init();
    long status;

    must(curl != NULL);
    set_place(client, curl, path);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TOP_ANSWER_MS);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    if (body != NULL)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &question);
    status = perform(client, curl);
    if (status != 0 && (status < 200 || status > 299))
        say_refusal(client, status, question.text);
    curl_easy_cleanup(curl);
    curl_slist_free_all(fields);
    if (text != NULL)
        *text = question.text;
    else
        free(question.text);
    return status;
}

/* --- the stream ------------------------------------------------------------ */

static size_t on_stream(char *bytes, size_t size, size_t count, void *arg)
{
    struct top_client *client = arg;
    long status = 0;

    curl_easy_getinfo(client->stream, CURLINFO_RESPONSE_CODE, &status);
    client->is_broken =
        status != 200 || !top_stream_feed(&client->events, bytes, size * count);
    return client->is_broken ? 0 : size * count;
}

void top_client_follow(struct top_client *client)
{
    char line[64];

    stream_close(client);
    client->stream = curl_easy_init();
    must(client->stream != NULL);
    set_place(client, client->stream, "/events");
    snprintf(line, sizeof(line), "Last-Event-ID: %s", client->events.last_id);
    if (client->events.last_id[0] != '\0')
        client->fields = curl_slist_append(client->fields, line);
    curl_easy_setopt(client->stream, CURLOPT_HTTPHEADER, client->fields);
    curl_easy_setopt(client->stream, CURLOPT_WRITEFUNCTION, on_stream);
    curl_easy_setopt(client->stream, CURLOPT_WRITEDATA, client);
    /* It tells something each second: silence is a connection that broke. */
    curl_easy_setopt(client->stream, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(client->stream, CURLOPT_LOW_SPEED_TIME, (long)SILENCE_S);
    curl_multi_add_handle(client->multi, client->stream);
}

bool top_client_follows(const struct top_client *client)
{
    return client->stream != NULL;
}

void top_client_wait(struct top_client *client, int fd, int ms)
{
    struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};
    CURLMsg *message;
    int running, left;

    curl_multi_poll(client->multi, &extra, 1, ms, NULL);
    curl_multi_perform(client->multi, &running);
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            running = 0;
    if (running == 0)
        stream_close(client);
}

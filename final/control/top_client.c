/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "control/top_client.h"

#include "base/must.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SILENCE_S = 10, SEEN_MAX = 8 << 20 };

/* --- beginning and end ----------------------------------------------------- */

bool top_client_init(struct top_client *client, const char *url,
                     const char *token, top_stream_fn *on_event, void *arg)
{
    memset(client, 0, sizeof(*client));
    client->events.on_event = on_event;
    client->events.arg = arg;
    client->multi = curl_multi_init();
    must(client->multi != NULL);
    return remote_init(&client->remote, url, token);
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

static void look_close(struct top_client *client)
{
    if (client->look != NULL) {
        curl_multi_remove_handle(client->multi, client->look);
        curl_easy_cleanup(client->look);
    }
    free(client->seen);
    client->look = NULL;
    client->seen = NULL;
    client->seen_length = 0;
}

void top_client_fini(struct top_client *client)
{
    stream_close(client);
    look_close(client);
    curl_multi_cleanup(client->multi);
    top_stream_fini(&client->events);
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
    remote_prepare(&client->remote, client->stream, "/events");
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

/* --- without a stream ------------------------------------------------------- */

static size_t on_look(char *bytes, size_t size, size_t count, void *arg)
{
    struct top_client *client = arg;
    size_t length = size * count;

    if (client->seen_length + length > SEEN_MAX)
        return 0;
    client->seen = realloc(client->seen, client->seen_length + length + 1);
    must(client->seen != NULL);
    memcpy(client->seen + client->seen_length, bytes, length);
    client->seen_length += length;
    client->seen[client->seen_length] = '\0';
    return length;
}

void top_client_look(struct top_client *client)
{
    if (client->look != NULL)
        return;
    client->look = curl_easy_init();
    must(client->look != NULL);
    remote_prepare(&client->remote, client->look, "/api/v1/status");
    curl_easy_setopt(client->look, CURLOPT_TIMEOUT_MS, (long)REMOTE_ANSWER_MS);
    curl_easy_setopt(client->look, CURLOPT_WRITEFUNCTION, on_look);
    curl_easy_setopt(client->look, CURLOPT_WRITEDATA, client);
    curl_multi_add_handle(client->multi, client->look);
}

static void look_end(struct top_client *client, CURLcode result)
{
    long status = 0;

    curl_easy_getinfo(client->look, CURLINFO_RESPONSE_CODE, &status);
    if (result == CURLE_OK && status == 200 && client->seen != NULL)
        client->events.on_event(client->events.arg, "look", client->seen);
    look_close(client);
}

/* --- both ------------------------------------------------------------------- */

void top_client_wait(struct top_client *client, int fd, int ms)
{
    struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};
    CURLMsg *message;
    int running, left;

    curl_multi_poll(client->multi, &extra, 1, ms, NULL);
    curl_multi_perform(client->multi, &running);
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        if (message->easy_handle == client->look)
            look_end(client, message->data.result);
        else
            stream_close(client);
    }
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "fetch.h"

#include "wait.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/** One request under way. */
struct transfer {
    CURL *curl;                  /**< owned */
    struct curl_slist *fields;   /**< owned */
    const struct request *asked; /**< borrowed */
    size_t sent;                 /**< bytes of its body, when in chunks */
    struct answer answer;
};

struct fetches {
    CURLM *multi;
    struct request request;
    struct transfer *transfers;
    size_t count;
};

static size_t keep_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct answer *answer = arg;
    size_t length = size * count;

    answer->body = realloc(answer->body, answer->length + length + 1);
    memcpy(answer->body + answer->length, bytes, length);
    answer->length += length;
    answer->body[answer->length] = '\0';
    return length;
}

/** Such as `X-Backend: one`. */
static size_t keep_backend(char *bytes, size_t size, size_t count, void *arg)
{
    static const char name[] = "X-Backend: ";
    struct answer *answer = arg;
    size_t length = size * count;

    if (length > strlen(name) + 2 &&
        strncasecmp(bytes, name, strlen(name)) == 0)
        snprintf(answer->backend, sizeof(answer->backend), "%.*s",
                 (int)(length - strlen(name) - 2), bytes + strlen(name));
    return length;
}

static size_t give_body(char *room, size_t size, size_t count, void *arg)
{
    struct transfer *transfer = arg;
    size_t left = transfer->asked->body_length - transfer->sent;
    size_t length = left < size * count ? left : size * count;

    memcpy(room, transfer->asked->body + transfer->sent, length);
    transfer->sent += length;
    return length;
}

static void set_body(struct transfer *transfer)
{
    const struct request *request = transfer->asked;

    if (request->is_chunked) {
        curl_easy_setopt(transfer->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(transfer->curl, CURLOPT_READFUNCTION, give_body);
        curl_easy_setopt(transfer->curl, CURLOPT_READDATA, transfer);
        transfer->fields =
            curl_slist_append(transfer->fields, "Transfer-Encoding: chunked");
    } else {
        curl_easy_setopt(transfer->curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)request->body_length);
        curl_easy_setopt(transfer->curl, CURLOPT_POSTFIELDS, request->body);
    }
}

static void transfer_begin(struct transfer *transfer,
                           const struct request *request)
{
    CURL *curl = curl_easy_init();
    long timeout = request->timeout_ms == 0 ? 3000 : request->timeout_ms;

    transfer->curl = curl;
    transfer->asked = request;
    transfer->answer.body = calloc(1, 1);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)patience(timeout));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer->answer);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, keep_backend);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer->answer);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->answer.error);
    if (request->from != NULL)
        curl_easy_setopt(curl, CURLOPT_INTERFACE, request->from);
    for (size_t i = 0; request->fields != NULL && request->fields[i]; i++)
        transfer->fields =
            curl_slist_append(transfer->fields, request->fields[i]);
    if (request->body != NULL)
        set_body(transfer);
    if (request->method != NULL)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    if (request->method != NULL && strcmp(request->method, "HEAD") == 0)
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, transfer->fields);
}

static void transfer_note(struct transfer *transfer, CURLcode result)
{
    struct answer *answer = &transfer->answer;

    answer->whole = result == CURLE_OK;
    if (result != CURLE_OK && answer->error[0] == '\0')
        snprintf(answer->error, sizeof(answer->error), "%s",
                 curl_easy_strerror(result));
    curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_easy_getinfo(transfer->curl, CURLINFO_TOTAL_TIME, &answer->seconds);
}

static void transfer_end(struct transfer *transfer)
{
    curl_easy_cleanup(transfer->curl);
    curl_slist_free_all(transfer->fields);
    transfer->curl = NULL;
}

struct answer fetch(const struct request *request)
{
    struct transfer transfer = {.sent = 0};

    transfer_begin(&transfer, request);
    transfer_note(&transfer, curl_easy_perform(transfer.curl));
    transfer_end(&transfer);
    return transfer.answer;
}

struct answer fetch_url(const char *url)
{
    return fetch(&(struct request){.url = url});
}

struct fetches *fetches_begin(const struct request *request, size_t count)
{
    struct fetches *fetches = calloc(1, sizeof(*fetches));

    fetches->multi = curl_multi_init();
    fetches->request = *request;
    fetches->transfers = calloc(count, sizeof(struct transfer));
    fetches->count = count;
    for (size_t i = 0; i < count; i++) {
        struct transfer *transfer = &fetches->transfers[i];

        transfer_begin(transfer, &fetches->request);
        curl_easy_setopt(transfer->curl, CURLOPT_PRIVATE, (char *)transfer);
        curl_multi_add_handle(fetches->multi, transfer->curl);
    }
    fetches_run(fetches, 0);
    return fetches;
}

static void note_ended(struct fetches *fetches)
{
    CURLMsg *message;
    int more;

    while ((message = curl_multi_info_read(fetches->multi, &more)) != NULL) {
        char *transfer;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        transfer_note((struct transfer *)transfer, message->data.result);
    }
}

bool fetches_run(struct fetches *fetches, long ms)
{
    int64_t end = now_ms() + patience(ms);
    int running;

    curl_multi_perform(fetches->multi, &running);
    note_ended(fetches);
    while (running > 0 && now_ms() < end) {
        curl_multi_poll(fetches->multi, NULL, 0, (int)(end - now_ms()), NULL);
        curl_multi_perform(fetches->multi, &running);
        note_ended(fetches);
    }
    return running == 0;
}

const struct answer *fetches_answer(const struct fetches *fetches, size_t i)
{
    return &fetches->transfers[i].answer;
}

size_t fetches_count(const struct fetches *fetches, long status)
{
    size_t count = 0;

    for (size_t i = 0; i < fetches->count; i++)
        if (fetches->transfers[i].answer.whole &&
            fetches->transfers[i].answer.status == status)
            count++;
    return count;
}

void fetches_end(struct fetches **fetches)
{
    for (size_t i = 0; i < (*fetches)->count; i++) {
        struct transfer *transfer = &(*fetches)->transfers[i];

        curl_multi_remove_handle((*fetches)->multi, transfer->curl);
        transfer_end(transfer);
        answer_free(&transfer->answer);
    }
    curl_multi_cleanup((*fetches)->multi);
    free((*fetches)->transfers);
    free(*fetches);
    *fetches = NULL;
}

void answer_free(struct answer *answer)
{
    free(answer->body);
    answer->body = NULL;
}

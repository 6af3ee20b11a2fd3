/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file top_client.h
 * @brief Asks the admin listener of a steelyard, by libcurl.
 *
 *  - top_client_ask() asks one question and waits for the answer;
 *  - top_client_follow() opens the stream of events, which top_client_wait()
 *    reads while it waits for a key.
 *
 * What is wrong is told in a sentence, in `fault`.
 *
 * @floor{control}
 * @thread{one}
 */
#ifndef CONTROL_TOP_CLIENT_H
#define CONTROL_TOP_CLIENT_H

#include "base/fault.h"
#include "control/top_stream.h"

#include <stdbool.h>
#include <stddef.h>

/** The longest time one question may take. */
enum { TOP_ANSWER_MS = 3000 };

/** One steelyard that is asked. Its insides are for top_client.c alone. */
struct top_client {
    char url[512];            /**< what paths are put behind */
    char socket_path[256];    /**< of a Unix socket; "": TCP */
    char token[256];          /**< "": none is known */
    struct fault fault;       /**< why the last question failed */
    struct top_stream events; /**< what comes from /events */
    void *multi;              /**< owned: CURLM */
    void *stream;             /**< owned: CURL; NULL: not open */
    void *fields;             /**< owned: the lines it sends */
    char error[256];          /**< libcurl's words for the stream */
    bool is_broken;           /**< an event was too long */
};

/**
 * Prepare to ask.
 *
 * @param url   `http://HOST:PORT`, `HOST:PORT` or `unix:/path`
 * @param token what may change something, or NULL
 * @param on_event told each event of the stream
 * @param arg   for on_event
 * @return false when that is no such address; the fault says so
 */
bool top_client_init(struct top_client *client, const char *url,
                     const char *token, top_stream_fn *on_event, void *arg);

/** Close the stream, and end what it owns. */
void top_client_fini(struct top_client *client);

/** Know this token from now on; "" forgets it. */
void top_client_set_token(struct top_client *client, const char *token);

/**
 * Ask, and wait for the answer.
 *
 * @param body JSON, or NULL
 * @param text the answer, owned by the caller; may be NULL when it is not wanted
 * @return the status, 0 when nobody answered; unless it is 2xx, the fault says
 *         why
 */
long top_client_ask(struct top_client *client, const char *method,
                    const char *path, const char *body, char **text);

/** Open the stream of events. It goes on where the last one broke. */
void top_client_follow(struct top_client *client);

/** Is the stream open, or being opened? */
bool top_client_follows(const struct top_client *client);

/**
 * Read the stream, until something has come on it or on @p fd, for @p ms at
 * most.
 */
void top_client_wait(struct top_client *client, int fd, int ms);

#endif

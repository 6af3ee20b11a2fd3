/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file top_client.h
 * @brief The stream of events of another steelyard, by libcurl.
 *
 *  - top_client_follow() opens it;
 *  - top_client_look() asks once how things stand, where there is no stream;
 *  - top_client_wait() reads what comes of both while it waits for a key;
 *  - other questions are for `remote`.
 *
 * @floor{control}
 * @thread{one}
 */
#ifndef CONTROL_TOP_CLIENT_H
#define CONTROL_TOP_CLIENT_H

#include "control/remote.h"
#include "control/top_stream.h"

#include <stdbool.h>
#include <stddef.h>

/** One steelyard that is asked. Its insides are for top_client.c alone. */
struct top_client {
    struct remote remote;     /**< whom it asks */
    struct top_stream events; /**< what comes from /events */
    void *multi;              /**< owned: CURLM */
    void *stream;             /**< owned: CURL; NULL: not open */
    void *fields;             /**< owned: the lines it sends */
    char error[256];          /**< libcurl's words for the stream */
    bool is_broken;           /**< an event was too long */
    void *look;               /**< owned: CURL; NULL: nobody was asked */
    char *seen;               /**< owned: what it has brought so far */
    size_t seen_length;       /**< bytes of it */
};

/**
 * Prepare to ask.
 *
 * @param url   see remote_init()
 * @param token likewise
 * @param on_event told each event of the stream
 * @param arg   for on_event
 * @return false when that is no such address; the remote's fault says so
 */
bool top_client_init(struct top_client *client, const char *url,
                     const char *token, top_stream_fn *on_event, void *arg);

/** Close the stream, and end what it owns. */
void top_client_fini(struct top_client *client);

/** Open the stream of events. It goes on where the last one broke. */
void top_client_follow(struct top_client *client);

/** Is the stream open, or being opened? */
bool top_client_follows(const struct top_client *client);

/**
 * Ask how things stand. The answer is told like an event, whose kind is `look`;
 * if there is none, nothing is told. Nothing happens while the last one is on
 * its way.
 */
void top_client_look(struct top_client *client);

/**
 * Read what comes, until something has come, or there is something on @p fd, for @p ms at
 * most.
 */
void top_client_wait(struct top_client *client, int fd, int ms);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file client.h
 * @brief Clients of all manners, and what each request of theirs came to.
 *
 * Each client is a thread with a chance of its own, so that what it asks for
 * depends on the seed alone. Each request has a name, `CLIENT-NUMBER`, in its
 * query: the access log and the logs of the backends tell of it by that.
 *
 *  - clients_start(), clients_stop(): all of them;
 *  - client_begin(), client_note(): one request, for those who make them;
 *  - polite_turn() and its kin are what each kind does in its turn.
 */
#ifndef SOAK_CLIENT_H
#define SOAK_CLIENT_H

#include "plan.h"
#include "trouble.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client;
struct stand;

/* clang-format off */
/** Kinds of clients: the name, how many, what they do in their turn, the pause
 * between two turns at most (ms), what they are. */
#define CLIENTS(X)                                                             \
    X(SMALL,    4, polite_small,    30, "GET, small, kept alive")              \
    X(FRESH,    2, polite_fresh,    30, "GET, small, a connection for each")   \
    X(LARGE,    2, polite_large,    60, "GET, large")                          \
    X(POST,     3, polite_post,     40, "POST, with a length")                 \
    X(CHUNKS,   2, polite_chunks,   40, "POST, in chunks")                     \
    X(HEAD,     1, polite_head,     30, "HEAD")                                \
    X(TLS,      3, polite_tls,      60, "GET and POST by TLS")                 \
    X(PIPELINE, 2, rough_pipeline,  60, "GETs in a pipeline")                  \
    X(READER,   3, rough_reader,   100, "GET, large, read slowly")             \
    X(WRITER,   3, rough_writer,   100, "POST, written slowly")                \
    X(TUNNEL,   3, rough_tunnel,   100, "a tunnel")                            \
    X(HALF,     2, rough_half,      60, "GET, and the sending side closed")    \
    X(RUDE,     4, rough_rude,      60, "without manners")                     \
    X(PLAGUE,   2, polite_plague,  300, "GET, and the backend misbehaves")     \
    X(WATCH,    2, polite_watch,   300, "GET from the admin listener")
/* clang-format on */

/** What a client is. */
enum kind {
#define X(name, count, turn, pause_ms, words) KIND_##name,
    CLIENTS(X)
#undef X
        KINDS_COUNT
};

/** What came of a request, as its client saw it. */
enum came {
    CAME_WHOLE,   /**< a whole response */
    CAME_WRONG,   /**< whole, but not what was asked for */
    CAME_CUT,     /**< a part of one, and the end of the connection */
    CAME_NOTHING, /**< the end of the connection */
    CAME_REFUSED, /**< there was no connection */
    CAME_LATE,    /**< nothing more, for longer than any limit of steelyard */
};

enum {
    TRIES_MAX = 6,
    LATE_MS = 25000, /**< longer than any limit of steelyard */
};

/** One request. */
struct record {
    int64_t began_ms, ended_ms; /**< now_ms() */
    enum kind kind;
    enum came came;
    unsigned status;  /**< of the response, or 0 */
    bool is_fine;     /**< it came to what it ought to */
    bool is_harmless; /**< it may be tried again: GET, HEAD */
    bool is_nameless; /**< steelyard cannot have seen its name */
    const char *what; /**< in words; lives for ever */

    /* What the logs say of it: ledger.h fills this in. */
    const char *line;              /**< its line in the access log; or NULL */
    unsigned lines;                /**< how many there are */
    unsigned logged;               /**< the status there */
    unsigned tries;                /**< how many there were */
    unsigned arrivals;             /**< how often backends got it */
    unsigned char to[TRIES_MAX];   /**< each try's backend */
    unsigned char fate[TRIES_MAX]; /**< and what became of it */
};

/** One client. */
struct client {
    unsigned index;
    enum kind kind;
    uint64_t chance;
    const struct stand *stand; /**< for its ports; borrowed */
    CURL *curl;                /**< owned; NULL until it is needed */
    struct record *records;    /**< owned */
    size_t count, room;
    pthread_t thread;
    atomic_bool *stops; /**< no more turns */
};

/** All of them. */
struct clients {
    struct client *all; /**< owned */
    unsigned count;
    atomic_bool stops;
};

/** Those who come all at once, to the warm-up; their requests have no name. */
enum { CROWD = 600 };
struct wire;

/** They send most of a body each, which steelyard holds. @return owned: end it
 * with crowd_end() */
struct wire *crowd_begin(const struct stand *stand);

/** They send the rest, and each has to get its answer. */
void crowd_end(struct wire *crowd);

/** Make all clients. They do nothing yet. */
void clients_init(struct clients *clients, const struct stand *stand,
                  uint64_t seed);

/** Let them begin; wait until each has finished what it is doing. */
void clients_start(struct clients *clients);
void clients_stop(struct clients *clients);

/** A request begins. Its name is the client's index and the count of its
 * records. @return good until the next one begins */
struct record *client_begin(struct client *client, const char *what);

/** It is over. */
void client_end(struct record *record, enum came came, unsigned status);

/** The query with its name: `?soak=3-17`, or with `&`. */
void client_name(const struct client *client, const char *before, char *out,
                 size_t room);

/** In words: how it came, such as `a part of a response`. */
const char *came_words(enum came came);

/** What a kind of client is, in words. */
const char *kind_words(enum kind kind);

/** What clients do in their turn. */
#define X(name, count, turn, pause_ms, words) void turn(struct client *client);
CLIENTS(X)
#undef X

#endif

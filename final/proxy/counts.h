/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file counts.h
 * @brief What a worker has done: facts, on their way up.
 *
 * Each worker has counts of its own, and is the only one that writes them: on
 * the way of a request there is no lock, and no memory that two workers write.
 * Whoever wants to know adds up the counts of all workers.
 *
 *  - counts_new(), counts_free();
 *  - counts_exchange() counts an exchange that has ended, counts_client() a
 *    client that came;
 *  - counts_add_to() adds them to a sum, in any thread, at any time.
 *
 * Numbers of one sum may have been read a moment apart, so they need not fit
 * each other to the last exchange while there is traffic.
 *
 * @floor{proxy}
 * @thread{the worker's, but for counts_add_to()}
 */
#ifndef PROXY_COUNTS_H
#define PROXY_COUNTS_H

#include "base/histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct backend;
struct counts;

/** Statuses 100 to 599 by their first digit, less one; others are 5xx. */
enum { STATUS_CLASSES = 5 };

/* clang-format off */
/**
 * What is counted: the name, and what it is. One row makes the field, and the
 * metric steelyard_NAME_total.
 */
#define COUNTS(X)                                                              \
    X(sessions, "clients that were accepted")                                  \
    X(refused, "clients turned away because there were too many at once")      \
    X(handshakes, "TLS handshakes with clients that were done")                \
    X(handshakes_resumed, "those of them with a client that came back")        \
    X(handshakes_failed, "TLS handshakes with clients that failed")            \
    X(proxy_headers, "PROXY headers of clients that were read")                \
    X(proxy_headers_refused, "clients without the PROXY header they owe us")   \
    X(retries, "second and later tries of a request")                          \
    X(client_left, "requests whose client left before it had all")             \
    X(received_bytes, "bytes of the bodies of requests that were passed on")   \
    X(sent_bytes, "bytes of the bodies of responses that were passed on")
/* clang-format on */

/** The counts of all workers, or those of one backend, added up. */
struct counts_part {
    uint64_t by_class[STATUS_CLASSES]; /**< what clients were answered */
    struct histogram_sum took;         /**< how long that took */
};

/** What several workers have counted, together. */
struct counts_sum {
#define X(name, help) uint64_t name;
    COUNTS(X)
#undef X
    uint64_t own[STATUS_CLASSES]; /**< answers of our own, among `by_class` */
    struct counts_part all;       /**< from first byte to last */
    size_t slots;                 /**< how many `backends` there are */
    struct counts_part *backends; /**< owned: by slot; `took` is the time until
                                       the backend began to answer */
};

/** An exchange that has ended. */
struct counts_facts {
    unsigned status;               /**< what the client was answered */
    bool is_own;                   /**< and by us, not by a backend */
    bool client_left;              /**< before it had everything */
    unsigned tries;                /**< how many there were */
    int64_t took_us;               /**< all in all */
    const struct backend *backend; /**< who answered; NULL: none */
    int64_t answered_us;           /**< how long that took the backend */
    uint64_t received;             /**< bytes of its body */
    uint64_t sent;                 /**< bytes of the body of its response */
};

/** Where the counts of a backend are. */
size_t counts_slot(const struct backend *backend);

/** Have counted nothing. @return owned: end it with counts_free() */
struct counts *counts_new(size_t slots);

/** End it, and empty the pointer. */
void counts_free(struct counts **owned);

/** Count an exchange. */
void counts_exchange(struct counts *counts, const struct counts_facts *facts);

/** Count a client; @p refused: there were too many. */
void counts_client(struct counts *counts, bool refused);

/** Count a TLS handshake with a client. */
void counts_handshake(struct counts *counts, bool done, bool resumed);

/** Count a PROXY header, or a client without. */
void counts_proxy_header(struct counts *counts, bool read);

/** A backend is gone for good: its slot begins again with nothing. */
void counts_forget(struct counts *counts, const struct backend *backend);

/** Make a sum of nothing; end it with counts_sum_fini(). */
void counts_sum_init(struct counts_sum *sum, size_t slots);

/** Back to nothing. */
void counts_sum_clear(struct counts_sum *sum);

/** End what it owns. */
void counts_sum_fini(struct counts_sum *sum);

/** Add what was counted so far. */
void counts_add_to(const struct counts *counts, struct counts_sum *sum);

/** How many exchanges are in this part? */
uint64_t counts_total(const struct counts_part *part);

#endif

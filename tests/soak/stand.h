/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file stand.h
 * @brief steelyard with its backends, and the hands that do deeds to them.
 *
 *  - stand_open() starts all, stand_close() ends all;
 *  - stand_do() does one step of a plan;
 *  - stand_ask() asks the admin listener.
 *
 * What ought to work and does not is told by report_wrong() (report.h).
 */
#ifndef SOAK_STAND_H
#define SOAK_STAND_H

#include "plan.h"
#include "process.h"

#include <stdbool.h>
#include <stddef.h>

/** Time limits that steelyard gets, milliseconds; the judge knows them, too. */
enum {
    RESPONSE_MS = 3500,
    STALL_MS = 4500,
    HEAD_MS = 2000,
    BODY_MS = 3000,
    CONNECT_MS = 2000,
    CONNECT_TRIES = 3,
    RETRIES = 1,
    LOGS_MAX = 1024,
    WORKERS = 2,
};

/** A backend. */
struct stand_backend {
    struct process process; /**< pid 0: it does not run */
    unsigned port;          /**< its own, as long as the soak lasts */
    int keeper;             /**< owned: keeps the port meanwhile; or -1 */
    int logs[LOGS_MAX];     /**< owned: what each life of it has logged */
    unsigned lives;         /**< how many there were */
};

/** All of it. */
struct stand {
    const char *steelyard, *backend; /**< programs */
    struct stand_backend backends[BACKENDS];
    struct process lb;   /**< the process that serves now */
    struct process past; /**< the one that has handed over to it, or pid 0 */
    unsigned port;       /**< for clients */
    unsigned tls_port;   /**< for those who come by TLS */
    unsigned admin;      /**< for operators */
    char folder[64];     /**< owned: configuration, certificates, access logs */
    unsigned logs;       /**< access logs moved away: access.log.1 and so on */
    unsigned hand_overs; /**< how many there were */
    unsigned reloads;    /**< configurations that were taken */
    bool is_added;       /**< the last backend is in the pool */
};

/** Start it all. @return false, with a line said, when that fails */
bool stand_open(struct stand *stand);

/** Can this program hand over to a new process? */
bool stand_can_hand_over(const char *steelyard);

/** Do one step. */
void stand_do(struct stand *stand, const struct step *step);

/** Ask steelyard's admin listener something, with the token.
 *
 * @param body what to send, or NULL
 * @return what it said, owned by the caller; NULL if the status was another
 *         than @p status, which is told
 */
char *stand_ask(struct stand *stand, const char *method, const char *path,
                const char *body, long status);

/** One more request, whose line is the last one in the access log: it names the
 * process that serves now. */
void stand_ask_last(struct stand *stand);

/** A number among the metrics, by name and labels; -1: there is none. */
double stand_metric(const char *metrics, const char *name);

/** Descriptors of steelyard: all, and how many of them are ends of pipes. */
long stand_descriptors(const struct stand *stand, long *pipes);

/** Stop steelyard, which must end well; then the backends. */
void stand_close(struct stand *stand);

/** Take away its files. */
void stand_forget(struct stand *stand);

#endif

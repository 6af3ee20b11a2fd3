/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file remote.h
 * @brief Another steelyard, asked by its admin listener.
 *
 *  - remote_init() takes down where it is and what the token is;
 *  - remote_find() looks whether it is there, or at the usual place beside it;
 *  - remote_ask() asks one question and waits for the answer;
 *  - remote_prepare() is for those who ask by libcurl themselves.
 *
 * What is wrong is told in a sentence, in `fault`.
 *
 * @floor{control}
 * @thread{one}
 */
#ifndef CONTROL_REMOTE_H
#define CONTROL_REMOTE_H

#include "base/fault.h"

#include <stdbool.h>
#include <stddef.h>

/** The longest time one question may take, unless somebody says otherwise. */
enum { REMOTE_ANSWER_MS = 3000 };

/** One steelyard that is asked. Nothing in it has to be ended. */
struct remote {
    char url[512];         /**< what paths are put behind */
    char socket_path[256]; /**< of a Unix socket; "": TCP */
    char token[256];       /**< "": none is known */
    bool is_told;          /**< the place is the word of LOAD_BALANCER_URL */
    long answer_ms;        /**< so long a question may take; 0: for ever */
    struct fault fault;    /**< why the last question failed */
};

/**
 * Take down whom to ask.
 *
 * @param url   `http://HOST:PORT`, `HOST:PORT` or `unix:/path`; NULL: what the
 *              variable LOAD_BALANCER_URL says, or else where a steelyard with
 *              the same environment has its admin listener
 * @param token what may change something; NULL: what the variable
 *              STEELYARD_ADMIN_TOKEN says, if it is there
 * @return false when that is no such address; the fault says so
 */
bool remote_init(struct remote *remote, const char *url, const char *token);

/**
 * LOAD_BALANCER_URL may name the balancer, where clients come, and not its
 * admin listener. If so, ask on the same host at the port that DASHBOARD_PORT
 * says, or at the usual one, from now on. The token is told to nobody here.
 */
void remote_find(struct remote *remote);

/** Know this token from now on; "" forgets it. */
void remote_set_token(struct remote *remote, const char *token);

/**
 * Ask, and wait for the answer. The token goes along when there is a body.
 *
 * @param body JSON, or NULL
 * @param text the answer, owned by the caller; may be NULL when it is not wanted
 * @return the status, 0 when nobody answered; unless it is 2xx, the fault says
 *         why
 */
long remote_ask(struct remote *remote, const char *method, const char *path,
                const char *body, char **text);

/** Set a CURL to this path. */
void remote_prepare(const struct remote *remote, void *curl, const char *path);

#endif

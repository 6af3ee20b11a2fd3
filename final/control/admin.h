/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file admin.h
 * @brief The listener where the balancer is watched and changed.
 *
 * It lives on control's loop, so nothing that happens here is on the way of a
 * client's request.
 *
 *  - admin_open() listens, and takes a reading of the counts each second;
 *  - admin_hand() and admin_made_token() are for the process that comes after
 *    this one; when it serves, admin_leave() leaves the listener to it;
 *  - admin_free() ends it all.
 *
 * @floor{control}
 * @thread{control's}
 */
#ifndef CONTROL_ADMIN_H
#define CONTROL_ADMIN_H

#include "control/overview.h"

#include <stdbool.h>
#include <stdio.h>

struct admin;
struct fault;
struct handed;
struct loop;
struct reply;

/**
 * Listen where the settings say, and count from now on.
 *
 * @param loop     borrowed: control's; outlives it
 * @param overview borrowed: likewise; its meter and events are there
 * @param handed   listeners of another process: one of them is taken in place
 *                 of a new one, if it is at the right place
 * @param token    the one that process has made; "": none
 * @return owned by the caller, who ends it with admin_free(); NULL, with
 *         @p fault, when that is not possible
 */
struct admin *admin_open(struct loop *loop, struct overview *overview,
                         struct handed *handed, const char *token,
                         struct fault *fault);

/** The process that handed us the listener has let go of it. */
void admin_settle(struct admin *admin);

/** Add its listener, which stays its own. False: there are too many. */
bool admin_hand(const struct admin *admin, struct handed *handed);

/** The token that was made for this run; "": the settings have one. */
const char *admin_made_token(const struct admin *admin);

/** Answer all who asked for what takes its time. */
void admin_answer_waiting(struct admin *admin, const struct reply *reply);

/** Accept nobody any more, where somebody else does; what stands in the file
 * system is theirs. Connections that rest, and streams, end. */
void admin_leave(struct admin *admin);

/** Print where it listens: `http://127.0.0.1:8090` or `unix:/run/x.sock`. */
void admin_print_where(const struct admin *admin, FILE *out);

/** Close it with all its connections, and empty the pointer. */
void admin_free(struct admin **owned);

#endif

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
struct loop;

/**
 * Listen where the settings say, and count from now on.
 *
 * @param loop     borrowed: control's; outlives it
 * @param overview borrowed: likewise; its meter and events are there
 * @return owned by the caller, who ends it with admin_free(); NULL, with
 *         @p fault, when that is not possible
 */
struct admin *admin_open(struct loop *loop, struct overview *overview,
                         struct fault *fault);

/** Print where it listens: `http://127.0.0.1:8090` or `unix:/run/x.sock`. */
void admin_print_where(const struct admin *admin, FILE *out);

/** Close it with all its connections, and empty the pointer. */
void admin_free(struct admin **owned);

#endif

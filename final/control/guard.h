/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file guard.h
 * @brief Who may ask the admin listener, and for what.
 *
 *  - Whoever reads (GET, HEAD) needs nothing.
 *  - Whoever changes something shows the token, as a Bearer (RFC 6750, 2.1).
 *  - A page of another site, in the browser of somebody who may, must not:
 *    requests from other origins change nothing, and a listener on this machine
 *    answers only to its own names, so that no stranger's name leads here (DNS
 *    rebinding).
 *
 * @floor{control}
 * @thread{control's}
 */
#ifndef CONTROL_GUARD_H
#define CONTROL_GUARD_H

#include "control/reply.h"

#include <stdbool.h>

struct head;

/** What the guard knows. */
struct guard {
    const char *token;   /**< borrowed; not empty */
    const char *address; /**< borrowed: where we listen, without brackets; NULL:
                              in the file system */
    bool is_local;       /**< nobody on another machine gets here */
};

/**
 * May this request be answered? If not, the reply says why.
 *
 * @return false: it is refused, with 401 or 403
 */
bool guard_admits(const struct guard *guard, const struct head *head,
                  struct reply *reply);

#endif

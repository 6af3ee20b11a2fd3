/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file api.h
 * @brief What can be asked of the admin listener, and what is answered.
 *
 * Nothing here touches a socket: a request goes in, a reply comes out. All
 * routes are written down in openapi.json.
 *
 * @floor{control}
 * @thread{control's}
 */
#ifndef CONTROL_API_H
#define CONTROL_API_H

#include "base/text.h"
#include "control/reply.h"
#include "http/head.h"

struct overview;

/** A request that the guard has admitted. Its texts are borrowed. */
struct api_request {
    enum method method; /**< what is to be done */
    struct text path;   /**< without the query */
    struct text query;  /**< behind the `?`; may be empty */
    struct text body;   /**< whole; may be empty */
};

/** Answer it. */
void api_answer(struct overview *overview, const struct api_request *request,
                struct reply *reply);

#endif

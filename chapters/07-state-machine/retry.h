/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file retry.h
 * @brief May a failed request be sent again, to another backend?
 *
 * The danger is that the first backend has already done what was asked: then a
 * second try does it twice. Some methods make that harmless: to delete a thing
 * twice is to delete it. POST is not one of them: to order twice is to pay
 * twice.
 */
#ifndef RETRY_H
#define RETRY_H

#include <stdbool.h>

struct head;

/** How often a request is sent, the first time included. */
enum { TRIES_MAX = 3 };

/** How one try ended. */
enum attempt {
    ATTEMPT_UNCONNECTED, /**< no connection: the backend knows of no request */
    ATTEMPT_UNANSWERED,  /**< it may know of it, but gave not a byte back */
    ATTEMPT_ANSWERED,    /**< the client has at least a part of a response */
    ATTEMPT_ABANDONED,   /**< the client left */
};

/**
 * Decide whether a request may be tried again after a try that ended so.
 *
 * @param body_kept the whole body is in our memory and can be sent again
 */
bool retry_may(enum attempt ended, const struct head *head, bool body_kept);

#endif

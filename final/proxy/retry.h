/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file retry.h
 * @brief May a failed request be sent again?
 *
 * The danger is that the first backend has already done what was asked: then a
 * second try does it twice. Some methods make that harmless: to delete a thing
 * twice is to delete it. POST is not one of them: to order twice is to pay
 * twice.
 *
 * @floor{proxy}
 * @thread{any}
 */
#ifndef PROXY_RETRY_H
#define PROXY_RETRY_H

#include <stdbool.h>

struct settings;

/** How one try ended. */
enum attempt {
    ATTEMPT_UNCONNECTED, /**< no connection: the backend knows of no request */
    ATTEMPT_SHORT,       /**< no connection, as we are short of descriptors,
                              memory or ports: that is not the backend's fault */
    ATTEMPT_STALE,       /**< a connection that had rested ended unanswered: it
                              was closed just as we used it */
    ATTEMPT_UNANSWERED,  /**< it may know of it, but gave not a byte back */
    ATTEMPT_SLOW,        /**< no answer in time: slow is not dead */
    ATTEMPT_ANSWERED,    /**< at least a part of a response has come */
    ATTEMPT_ABANDONED,   /**< the client left */
};

/** What the decision is made from. */
struct retry_facts {
    bool is_idempotent; /**< repeating it does no harm (RFC 9110, 9.2.2) */
    bool is_kept;       /**< all that was sent of the body can be sent again */
    bool was_sent;      /**< at least one byte of it was written */
    unsigned unconnected; /**< backends that could not be connected to so far,
                               for whatever reason */
    unsigned repeated;    /**< tries after the first, on another backend */
    bool was_stale;       /**< it met a stale connection before */
};

/** Such as "unanswered", for the log. */
const char *attempt_words(enum attempt ended);

/** Decide whether a request may be tried again after a try that ended so. */
bool retry_may(enum attempt ended, const struct retry_facts *facts,
               const struct settings *settings);

/** Is this the backend's fault, so that it counts against it? */
bool attempt_is_blamed(enum attempt ended);

#endif

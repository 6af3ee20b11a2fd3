/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file overview.h
 * @brief Everything that the admin side looks at, in one place.
 *
 * @floor{control}
 * @thread{control's}
 */
#ifndef CONTROL_OVERVIEW_H
#define CONTROL_OVERVIEW_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

struct control;
struct events;
struct meter;

/** The admin listener has no more connections at once. */
enum { ADMIN_SESSIONS_MAX = 64 };

/** Is the configuration that a reload would find the one that serves? */
struct drift {
    bool differs;        /**< no */
    char why[512];       /**< in what; or why a reload would be refused */
    unsigned generation; /**< when this was looked at; 0: never */
    int64_t file[3];     /**< what the file looked like then */
};

/** What there is to be seen. */
struct overview {
    struct control *control;       /**< borrowed: the balancer */
    struct meter *meter;           /**< owned by the admin listener */
    struct events *events;         /**< owned */
    struct drift drift;            /**< see drift.h */
    unsigned admin_sessions_max;   /**< connections to the admin listener */
    char listening[96];            /**< where clients connect: a URL */
    int64_t started_ms;            /**< by clock_ms() */
    char started[CLOCK_PRINT_MAX]; /**< the same, for people */
};

#endif

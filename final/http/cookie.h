/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file cookie.h
 * @brief Single values out of a head: a field's, a cookie's.
 *
 * @floor{http}
 * @thread{any}
 */
#ifndef HTTP_COOKIE_H
#define HTTP_COOKIE_H

#include "http/head.h"

/** The value of the first field with that name; empty if there is none. */
struct text field_value(const struct head *head, const char *name);

/** The value of the first cookie with that name (RFC 6265, 4.2.1); empty if
 * there is none. */
struct text cookie_value(const struct head *head, const char *name);

#endif

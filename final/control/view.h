/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file view.h
 * @brief How things stand, as objects of JSON. What they hold is written down in
 * openapi.json.
 *
 * @floor{control}
 * @thread{control's}
 */
#ifndef CONTROL_VIEW_H
#define CONTROL_VIEW_H

#include <jansson.h>

struct backend;
struct overview;

/** The whole. @return a new reference, as with all of these */
json_t *view_status(const struct overview *overview);

/** One backend. */
json_t *view_backend(const struct overview *overview, struct backend *backend);

/** All backends, as a list. */
json_t *view_backends(const struct overview *overview);

/** The last five minutes. */
json_t *view_history(const struct overview *overview);

/** The settings, and where each came from. */
json_t *view_config(const struct overview *overview);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file metrics.h
 * @brief The counts in the text format of Prometheus, 0.0.4.
 *
 * The only label besides statuses is the backend's URL: how many lines there
 * are depends on the configuration, never on who asks for what.
 *
 * @floor{control}
 * @thread{control's}
 */
#ifndef CONTROL_METRICS_H
#define CONTROL_METRICS_H

#include <stddef.h>

struct overview;

/** Print them all. @return owned by the caller; @p length tells how long */
char *metrics_print(const struct overview *overview, size_t *length);

#endif

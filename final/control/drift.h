/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file drift.h
 * @brief Has the configuration file been changed since it was read?
 *
 * @floor{control}
 * @thread{control's}
 */
#ifndef CONTROL_DRIFT_H
#define CONTROL_DRIFT_H

struct overview;

/** Look, if the file or what serves has changed since the last look; when they
 * begin to differ, there is an event. */
void drift_look(struct overview *overview);

#endif

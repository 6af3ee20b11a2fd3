/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file page.h
 * @brief The files that are a part of the program: the dashboard, and the
 * description of the API.
 *
 * @floor{control}
 * @thread{control's}
 */
#ifndef CONTROL_PAGE_H
#define CONTROL_PAGE_H

#include "control/reply.h"

/** Answer with control/dashboard.html. */
void page_dashboard(struct reply *reply);

/** Answer with openapi.json. */
void page_openapi(struct reply *reply);

#endif

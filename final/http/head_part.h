/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file head_part.h
 * @brief What head.c and head_fields.c ask of each other; nobody else does.
 *
 * @floor{http}
 * @thread{any}
 */
#ifndef HTTP_HEAD_PART_H
#define HTTP_HEAD_PART_H

#include "http/head.h"

/**
 * Remember why this head cannot be accepted; a backend's fault is a 502.
 *
 * @return #HEAD_REFUSED
 */
enum head_result head_refuse(struct head *head, unsigned status,
                             const char *why);

/**
 * Read the field lines, and work out what follows from them. The first line has
 * been read, and there are no control bytes but for CR LF.
 *
 * @param at  the first field line, or the empty line
 * @param end the empty line
 */
enum head_result head_read_fields(struct head *head, const char *at,
                                  const char *end);

#endif

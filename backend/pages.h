/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file pages.h
 * @brief What the backend has to say: one small function for each page.
 */
#ifndef PAGES_H
#define PAGES_H

#include <stdio.h>

struct origin;
struct request;
struct response;

/**
 * Decide about the response to a request.
 *
 * Everything is decided when the head has been read; only how long the body
 * was is filled in later.
 *
 * @param response as response_init() made it
 */
void pages_answer(struct origin *origin, const struct request *request,
                  struct response *response);

/** Write the list of pages for --help. */
void pages_print_help(FILE *file);

#endif

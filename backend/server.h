/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file server.h
 * @brief The loop: one thread, one poll(), all sessions.
 */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>

struct fault;
struct options;

/**
 * Serve until SIGTERM or SIGINT.
 *
 * The first signal stops gracefully: nobody new is let in, responses in
 * progress are finished, for five seconds at most. The second one ends the
 * program at once, with status 1.
 *
 * @param options borrowed until the return
 * @return false, with a sentence, if it could not serve
 */
bool server_run(const struct options *options, struct fault *fault);

#endif

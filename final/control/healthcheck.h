/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file healthcheck.h
 * @brief `steelyard healthcheck`: is a steelyard alive? For the HEALTHCHECK of
 * a container, which has no other HTTP client.
 *
 * @floor{control}
 * @thread{main; nothing else runs}
 */
#ifndef CONTROL_HEALTHCHECK_H
#define CONTROL_HEALTHCHECK_H

/**
 * Ask an admin listener.
 *
 *     healthcheck [--url URL] [--ready]
 *
 * Without --url it asks where the variable LOAD_BALANCER_URL says, or where a
 * steelyard with the same environment listens.
 *
 * @param argv the command line, from the word `healthcheck` on
 * @return 0: it is well; 1: it is not, and stderr says why; 2: not understood
 */
int healthcheck(int argc, char **argv);

#endif

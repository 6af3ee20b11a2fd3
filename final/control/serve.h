/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file serve.h
 * @brief The life of the balancer: it asks the backends, listens, serves, stops.
 *
 *  - serve_begin() makes it: nothing listens yet;
 *  - serve() serves until it is stopped;
 *  - serve_end() ends it.
 *
 * @floor{control}
 * @thread{main}
 */
#ifndef CONTROL_SERVE_H
#define CONTROL_SERVE_H

struct control;
struct fault;
struct options;
struct predecessor;

/** How the program ends. */
enum {
    SERVE_STOPPED = 0, /**< everything ended in its own time */
    SERVE_FORCED = 1,  /**< exchanges were cut off at the end */
    SERVE_REFUSED = 2, /**< it could not even begin */
};

/**
 * Make one.
 *
 * @param options owned by the caller until now; emptied
 * @param argc    the command line, borrowed: a reload reads it again
 * @param predecessor borrowed: who served before, and may hand over to us
 * @return owned by the caller, who ends it with serve_end(); NULL, with
 *         @p fault, when a certificate is of no use
 */
struct control *serve_begin(struct options *options, int argc, char **argv,
                            struct predecessor *predecessor,
                            struct fault *fault);

/** Serve until it is stopped. @return see #SERVE_STOPPED; with @p fault, when
 * it could not begin */
int serve(struct control *control, struct fault *fault);

/** End it, and empty the pointer. */
void serve_end(struct control **owned);

#endif

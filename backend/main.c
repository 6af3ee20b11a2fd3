/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * backend: a small HTTP server to balance over. It answers well, and it can
 * misbehave on request, so that one sees what a balancer does about it.
 *
 *     options    what was asked for: flags and environment
 *     server     the loop; accepts sessions and moves them
 *     listener   the socket that clients connect to
 *     session    one connection: reads requests, sends responses
 *     pages      what there is to say
 *     misbehave  how to say it badly
 *     response   writing a response, piece by piece
 *     request    reading a head        body     reading a body
 *     origin     what sessions share   stats    what is counted
 *     buffer     a box of bytes        fault    failing in words
 */
#include "fault.h"
#include "options.h"
#include "server.h"

#include <stdio.h>

/** The status for what a person asked for and cannot be done. */
#define STATUS_FAULT 2

static int complain(const struct fault *fault)
{
    fprintf(stderr, "backend: %s\n", fault->text);
    return STATUS_FAULT;
}

int main(int argc, char **argv)
{
    struct options options;
    struct fault fault;

    switch (options_read(&options, argc, argv, &fault)) {
    case OPTIONS_BAD: return complain(&fault);
    case OPTIONS_HELP: options_print_help(stdout); return 0;
    case OPTIONS_RUN: break;
    }
    return server_run(&options, &fault) ? 0 : complain(&fault);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Write here what happens in this file, as you would tell a colleague.
 */
#include "strict_head.h"

#include <stdbool.h>
#include <stdlib.h>

struct strict_head {
    struct head_facts facts;
    /* TODO(09.1): What must a reader remember between two calls, so that it
     * need not begin anew? */
};

struct strict_head *strict_head_new(void)
{
    return calloc(1, sizeof(struct strict_head));
}

void strict_head_free(struct strict_head **reader)
{
    free(*reader);
    *reader = NULL;
}

const struct head_facts *strict_head_facts(const struct strict_head *reader)
{
    return &reader->facts;
}

/* TODO(09.2): the request line. */

/* TODO(09.3): field lines. */

/* TODO(09.4): Host, Content-Length and Transfer-Encoding. */

/* TODO(09.5): limits. */

enum head_result strict_head_read(struct strict_head *reader,
                                  const struct input *input, size_t length)
{
    /* TODO(09.1): go through the bytes that have come since the last call. */
    (void)reader;
    (void)input;
    (void)length;
    return HEAD_MORE;
}

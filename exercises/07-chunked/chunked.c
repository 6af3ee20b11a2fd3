/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Write here what happens in this file, as you would tell a colleague.
 */
#include "chunked.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct chunked {
    const char *why; /* refused: why, in words; a constant */
    /* TODO(07.1): What must a decoder remember between two pieces? They may
     * be cut anywhere: between CR and LF, or in the middle of a size. */
};

struct chunked *chunked_new(void)
{
    return calloc(1, sizeof(struct chunked));
}

void chunked_free(struct chunked **decoder)
{
    free(*decoder);
    *decoder = NULL;
}

const char *chunked_why(const struct chunked *decoder)
{
    return decoder->why;
}

/* TODO(07.2): size lines: digits, and CR LF after them. */

/* TODO(07.3): extensions, which are passed over, but not blindly. */

/* TODO(07.4): trailers, and the empty line that ends it all. */

enum chunked_result chunked_read(struct chunked *decoder, const char *in,
                                 size_t length, char *out, size_t *used,
                                 size_t *made)
{
    /* TODO(07.1): go through the piece; content goes to `out`. */
    (void)decoder;
    (void)in;
    (void)length;
    (void)out;
    *used = 0;
    *made = 0;
    return CHUNKED_MORE;
}

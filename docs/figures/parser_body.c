/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The steps of a body are private to body.c, and rightly so. Here they are to
 * be shown. So this file takes the place of body.c where it is linked: it is
 * body.c, unchanged, with words for its steps added behind it.
 */
#include "http/body.c" /* NOLINT(bugprone-suspicious-include) */
#include "parser.h"

const char *body_step_words(const struct body *body)
{
    static const char *const words[] = {
        [STEP_SIZE] = "in the digits of a chunk's size",
        [STEP_BLANK] = "in blanks behind a chunk's size",
        [STEP_EXTENSION] = "in a chunk's extension, which is dropped",
        [STEP_SIZE_LF] = "behind the CR of a size line",
        [STEP_CONTENT] = "in content",
        [STEP_CONTENT_CR] = "behind a chunk's content, where CR must come",
        [STEP_CONTENT_LF] = "behind the CR that ends a chunk",
        [STEP_TRAILERS] = "behind the last chunk, in the trailers",
        [STEP_DONE] = "whole",
        [STEP_REFUSED] = "refused",
    };

    return words[body->step];
}

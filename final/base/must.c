/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A broken promise means that the program is wrong, so nothing of it is relied
 * on any more: one line to the standard error stream, and abort(), which leaves
 * a core file that tells the rest.
 */
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

void must_stop(const char *promise, const char *file, int line)
{
    fprintf(stderr, "broken promise: %s, in %s, line %d\n", promise, file,
            line);
    abort();
}

void *must_be_magic(void *pointer, unsigned magic, const char *file, int line)
{
    if (pointer == NULL)
        must_stop("a pointer leads somewhere", file, line);
    if (*(const unsigned *)pointer != magic)
        must_stop("a pointer leads to what it was made for", file, line);
    return pointer;
}

void *xnew(size_t count, size_t size)
{
    /* A pointer to nothing would look like the lack of memory. */
    void *memory = calloc(count > 0 ? count : 1, size > 0 ? size : 1);

    must(memory != NULL);
    return memory;
}

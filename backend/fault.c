/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* Failing in words. */
#include "fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Longer words are not compared: nobody mistypes that much. */
#define WORD_BYTES_MAX 32

bool fault_say(struct fault *fault, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    vsnprintf(fault->text, sizeof(fault->text), format, list);
    va_end(list);
    return false;
}

static size_t least(size_t one, size_t two, size_t three)
{
    size_t pair = one < two ? one : two;

    return pair < three ? pair : three;
}

/* Levenshtein's distance; of his table only the row above is kept. */
size_t fault_distance(const char *one, const char *other)
{
    size_t row[WORD_BYTES_MAX + 1];
    size_t length = strlen(other);

    if (length > WORD_BYTES_MAX || strlen(one) > WORD_BYTES_MAX)
        return WORD_BYTES_MAX;
    for (size_t i = 0; i <= length; i++)
        row[i] = i;
    for (; *one != '\0'; one++) {
        size_t corner = row[0]++;

        for (size_t i = 1; i <= length; i++) {
            size_t above = row[i];

            corner += *one == other[i - 1] ? 0 : 1;
            row[i] = least(corner, above + 1, row[i - 1] + 1);
            corner = above;
        }
    }
    return row[length];
}

void must_stop(const char *promise, const char *file, int line)
{
    fprintf(stderr, "%s:%d: broken promise: %s\n", file, line, promise);
    abort();
}

void *xnew(size_t bytes)
{
    void *memory = malloc(bytes);

    must(memory != NULL);
    return memory;
}

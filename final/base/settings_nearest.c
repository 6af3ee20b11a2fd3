/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What may somebody have meant? The distance of two words is how many letters
 * have to be added, taken away, changed or swapped with their neighbour to get
 * from one to the other (the optimal string alignment distance). We fill the
 * usual table row by row and keep three rows of it.
 */
#include "base/settings.h"

#include <string.h>

enum { WORD_MAX = 63 }; /* longer words are not near to anything */

static size_t least(size_t one, size_t other)
{
    return one < other ? one : other;
}

static size_t distance(const char *one, const char *other)
{
    size_t rows[3][WORD_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];
    size_t width = strlen(other);

    for (size_t x = 0; x <= width; x++)
        last[x] = before[x] = x;
    for (size_t y = 1; one[y - 1] != '\0'; y++) {
        size_t *spare = before;

        now[0] = y;
        for (size_t x = 1; x <= width; x++) {
            size_t differs = one[y - 1] != other[x - 1];

            now[x] =
                least(last[x - 1] + differs, least(last[x], now[x - 1]) + 1);
            if (y > 1 && x > 1 && one[y - 1] == other[x - 2] &&
                one[y - 2] == other[x - 1])
                now[x] = least(now[x], before[x - 2] + 1);
        }
        before = last;
        last = now;
        now = spare;
    }
    return last[width];
}

const char *settings_nearest(const char *word, const char *const *words,
                             size_t count)
{
    size_t allowed = strlen(word) / 3 + 1; /* a third of it may be wrong */
    size_t best = allowed + 1;
    const char *nearest = NULL;

    if (strlen(word) > WORD_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t far;

        if (strlen(words[i]) > WORD_MAX)
            continue;
        far = distance(word, words[i]);
        if (far < best && far < strlen(words[i])) {
            best = far;
            nearest = words[i];
        }
    }
    return nearest;
}

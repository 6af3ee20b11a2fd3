/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* wrong: reads sizes by strtoull(), which takes signs, blanks and 0x */
/* caught by: sizes_are_strict */
/*
 * Lines are collected until they are whole, and then understood; strtoull()
 * reads the sizes.
 */
#include "chunked.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LINE_ROOM = 4096 };

struct chunked {
    char line[LINE_ROOM + 1];
    size_t length;   /* of the line so far */
    uint64_t left;   /* bytes of this chunk */
    bool in_data;    /* content comes next */
    bool after_data; /* CR LF comes next */
    bool last;       /* trailers come next */
    bool done;
    size_t extension_bytes;
    size_t trailer_bytes;
    const char *why;
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

static void read_size(struct chunked *decoder)
{
    char *end;

    decoder->left = strtoull(decoder->line, &end, 16);
    decoder->extension_bytes += strlen(end);
    if (end == decoder->line || (*end != '\0' && *end != ';'))
        decoder->why = "a chunk size that is not a number";
    else if (decoder->extension_bytes > EXTENSION_BYTES_MAX)
        decoder->why = "too many extensions";
    decoder->in_data = decoder->left > 0;
    decoder->last = decoder->left == 0;
}

static void read_trailer(struct chunked *decoder)
{
    char *colon = strchr(decoder->line, ':');

    decoder->trailer_bytes += strlen(decoder->line) + 2;
    if (decoder->line[0] == '\0')
        decoder->done = true;
    else if (colon == NULL || decoder->trailer_bytes > TRAILER_BYTES_MAX ||
             strncasecmp(decoder->line, "Content-Length:", 15) == 0)
        decoder->why = "a trailer that may not be";
}

static void read_line(struct chunked *decoder)
{
    decoder->line[decoder->length - 2] = '\0';
    decoder->length = 0;
    if (decoder->after_data) {
        if (decoder->line[0] != '\0')
            decoder->why = "CR LF was expected";
        decoder->after_data = false;
    } else if (decoder->last)
        read_trailer(decoder);
    else
        read_size(decoder);
}

static void read_byte(struct chunked *decoder, char byte)
{
    bool after_cr =
        decoder->length > 0 && decoder->line[decoder->length - 1] == '\r';

    if (decoder->length == LINE_ROOM || after_cr != (byte == '\n')) {
        decoder->why = "a line that is too long, or a bare CR or LF";
        return;
    }
    decoder->line[decoder->length++] = byte;
    if (byte == '\n')
        read_line(decoder);
}

enum chunked_result chunked_read(struct chunked *decoder, const char *in,
                                 size_t length, char *out, size_t *used,
                                 size_t *made)
{
    *used = 0;
    *made = 0;
    while (*used < length && !decoder->done && decoder->why == NULL) {
        if (!decoder->in_data) {
            read_byte(decoder, in[*used]);
            *used += decoder->why == NULL;
            continue;
        }
        out[(*made)++] = in[(*used)++];
        decoder->in_data = --decoder->left > 0;
        decoder->after_data = !decoder->in_data;
    }
    if (decoder->why != NULL)
        return CHUNKED_REFUSED;
    return decoder->done ? CHUNKED_DONE : CHUNKED_MORE;
}

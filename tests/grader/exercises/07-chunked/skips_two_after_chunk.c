/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/* wrong: passes over two bytes after a chunk, whatever they are */
/* caught by: line_ends_are_strict */
/*
 * The decoder is a state machine: where am I in the body, and which bytes may
 * stand here? One function for each kind of line knows its own states; each
 * takes one byte and says where the decoder is after it. Nothing looks back,
 * so it does not matter how the bytes were cut.
 *
 *     SIZE -> (EXTENSION) -> SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE
 *                               |
 *                               +--- size 0 --> TRAILER ... END_LF -> DONE
 *
 * Content is the only thing that is not taken byte by byte: of a chunk, as
 * much as there is goes out in one copy.
 */
#include "chunked.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/** Where in the body the next byte stands. */
enum step {
    STEP_SIZE,          /* the first digit, which must be there */
    STEP_SIZE_MORE,     /* further digits, or what ends them */
    STEP_BLANK,         /* blanks after the digits: a `;` must follow */
    STEP_EXTENSION,     /* after the `;` */
    STEP_QUOTED,        /* inside a quoted string */
    STEP_QUOTED_PAIR,   /* after a backslash in it */
    STEP_SIZE_LF,       /* after the CR of a size line */
    STEP_DATA,          /* content */
    STEP_DATA_CR,       /* after it */
    STEP_DATA_LF,       /* and then */
    STEP_TRAILER,       /* the first byte of a line after the last chunk */
    STEP_TRAILER_NAME,  /* before the colon */
    STEP_TRAILER_VALUE, /* after it */
    STEP_TRAILER_LF,    /* after the CR of a field line */
    STEP_END_LF,        /* after the CR of the empty line */
    STEP_DONE,          /* the body is whole */
    STEP_REFUSED,       /* no byte helps any more */
};

/** The longest name that is refused is shorter than this. */
enum { NAME_ROOM = 32 };

struct chunked {
    enum step step;
    uint64_t left; /* bytes of this chunk; while it is read, its size */
    size_t digits; /* of the size that is being read */
    size_t extension_bytes; /* of all size lines so far */
    size_t trailer_bytes;   /* so far */
    char name[NAME_ROOM];   /* of this trailer, as far as there is room */
    size_t name_length;     /* the whole length, even if there was no room */
    const char *why;        /* refused: why; a constant */
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

static enum step refuse(struct chunked *decoder, const char *why)
{
    decoder->why = why;
    return STEP_REFUSED;
}

/** The value of a hexadecimal digit, or -1. */
static int digit_value(char byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

/** May this byte stand in an extension, or in the value of a trailer? */
static bool is_text(char byte)
{
    unsigned char c = (unsigned char)byte;

    return c == '\t' || (c >= ' ' && c != 0x7f);
}

/** May this byte stand in a name (RFC 9110, 5.6.2)? */
static bool is_token(char byte)
{
    bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    bool digit = byte >= '0' && byte <= '9';

    return letter || digit ||
           (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

/** Where an extension goes on after this byte, if the byte is a good one. */
static enum step follow_extension(enum step step, char byte)
{
    switch ((int)step) {
    case STEP_BLANK: return byte == ';' ? STEP_EXTENSION : STEP_BLANK;
    case STEP_EXTENSION: return byte == '"' ? STEP_QUOTED : STEP_EXTENSION;
    case STEP_QUOTED:
        if (byte == '\\')
            return STEP_QUOTED_PAIR;
        return byte == '"' ? STEP_EXTENSION : STEP_QUOTED;
    default: return STEP_QUOTED; /* whatever the backslash took with it */
    }
}

/** A byte between the digits and the CR, at that step. */
static enum step read_extension(struct chunked *decoder, enum step step,
                                char byte)
{
    if (byte == '\r' && step == STEP_EXTENSION)
        return STEP_SIZE_LF;
    if (step == STEP_BLANK && byte != ';' && !is_blank(byte))
        return refuse(decoder, "blanks after a chunk size");
    if (!is_text(byte))
        return refuse(decoder, "a byte that no chunk extension may have");
    if (decoder->extension_bytes == EXTENSION_BYTES_MAX)
        return refuse(decoder, "more than 512 bytes of chunk extensions");
    decoder->extension_bytes++;
    return follow_extension(step, byte);
}

/** Digits: four bits each, so 16 of them fit into 64 bits exactly. */
static enum step read_size(struct chunked *decoder, char byte)
{
    int value = digit_value(byte);

    if (value >= 0) {
        if (decoder->digits == SIZE_DIGITS_MAX)
            return refuse(decoder, "a chunk size of more than 16 digits");
        decoder->digits++;
        decoder->left = decoder->left << 4 | (uint64_t)value;
        return STEP_SIZE_MORE;
    }
    if (decoder->digits == 0)
        return refuse(decoder, "a chunk size that is not a number");
    if (byte == '\r')
        return STEP_SIZE_LF;
    if (byte != ';' && !is_blank(byte))
        return refuse(decoder, "a chunk size that is not a number");
    return read_extension(decoder, STEP_BLANK, byte);
}

/** The LF of a size line, or one of the two bytes after a chunk. */
static enum step read_line_end(struct chunked *decoder, char byte)
{
    if (decoder->step == STEP_SIZE_LF && byte != '\n')
        return refuse(decoder, "CR LF was expected");
    if (decoder->step == STEP_DATA_CR)
        return STEP_DATA_LF;
    if (decoder->step == STEP_SIZE_LF)
        return decoder->left > 0 ? STEP_DATA : STEP_TRAILER;
    decoder->digits = 0; /* the chunk is over, and `left` is 0 again */
    return STEP_SIZE;
}

/** Is this a field that may not come after the body (RFC 9110, 6.5.1)? */
static bool name_is_forbidden(const struct chunked *decoder)
{
    static const char *const forbidden[] = {
        "Content-Length", "Transfer-Encoding", "Host",
        "Connection",     "Trailer",           "Authorization",
    };
    size_t length = decoder->name_length;

    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
        if (strlen(forbidden[i]) == length &&
            strncasecmp(forbidden[i], decoder->name, length) == 0)
            return true;
    return false;
}

/** A byte of a name, or the colon after it. */
static enum step read_trailer_name(struct chunked *decoder, char byte)
{
    if (byte == ':' && decoder->name_length > 0) {
        if (name_is_forbidden(decoder))
            return refuse(decoder, "a field that may not be a trailer");
        return STEP_TRAILER_VALUE;
    }
    if (!is_token(byte))
        return refuse(decoder, "a trailer that is not NAME: VALUE");
    if (decoder->name_length < NAME_ROOM)
        decoder->name[decoder->name_length] = byte;
    decoder->name_length++;
    return STEP_TRAILER_NAME;
}

/** After the last chunk: field lines, and the empty line. */
static enum step read_trailer(struct chunked *decoder, char byte)
{
    if (decoder->step == STEP_TRAILER) {
        if (byte == '\r')
            return STEP_END_LF;
        decoder->name_length = 0;
    }
    if (decoder->trailer_bytes == TRAILER_BYTES_MAX)
        return refuse(decoder, "more than 2048 bytes of trailers");
    decoder->trailer_bytes++;
    if (decoder->step == STEP_TRAILER_LF)
        return byte == '\n' ? STEP_TRAILER
                            : refuse(decoder, "CR LF was expected");
    if (decoder->step != STEP_TRAILER_VALUE)
        return read_trailer_name(decoder, byte);
    if (byte == '\r')
        return STEP_TRAILER_LF;
    if (!is_text(byte))
        return refuse(decoder, "a byte that no trailer may have");
    return STEP_TRAILER_VALUE;
}

/** Take a byte that is no content: where are we after it? */
static enum step read_byte(struct chunked *decoder, char byte)
{
    switch (decoder->step) {
    case STEP_SIZE:
    case STEP_SIZE_MORE: return read_size(decoder, byte);
    case STEP_BLANK:
    case STEP_EXTENSION:
    case STEP_QUOTED:
    case STEP_QUOTED_PAIR: return read_extension(decoder, decoder->step, byte);
    case STEP_SIZE_LF:
    case STEP_DATA_CR:
    case STEP_DATA_LF: return read_line_end(decoder, byte);
    case STEP_TRAILER:
    case STEP_TRAILER_NAME:
    case STEP_TRAILER_VALUE:
    case STEP_TRAILER_LF: return read_trailer(decoder, byte);
    case STEP_END_LF:
        return byte == '\n' ? STEP_DONE : refuse(decoder, "CR LF was expected");
    case STEP_DATA:
    case STEP_DONE:
    case STEP_REFUSED: break;
    }
    return decoder->step;
}

/** Pass on as much of the chunk as there is; says how many bytes that was. */
static size_t copy_data(struct chunked *decoder, const char *in, size_t length,
                        char *out)
{
    size_t count = length < decoder->left ? length : (size_t)decoder->left;

    memcpy(out, in, count);
    decoder->left -= count;
    if (decoder->left == 0)
        decoder->step = STEP_DATA_CR;
    return count;
}

enum chunked_result chunked_read(struct chunked *decoder, const char *in,
                                 size_t length, char *out, size_t *used,
                                 size_t *made)
{
    *used = 0;
    *made = 0;
    while (*used < length && decoder->step != STEP_DONE &&
           decoder->step != STEP_REFUSED) {
        if (decoder->step == STEP_DATA) {
            size_t count =
                copy_data(decoder, in + *used, length - *used, out + *made);

            *used += count;
            *made += count;
            continue;
        }
        decoder->step = read_byte(decoder, in[*used]);
        if (decoder->step != STEP_REFUSED)
            ++*used;
    }
    if (decoder->step == STEP_REFUSED)
        return CHUNKED_REFUSED;
    return decoder->step == STEP_DONE ? CHUNKED_DONE : CHUNKED_MORE;
}

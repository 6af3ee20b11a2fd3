/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Looking at bytes that stand somewhere else. Nothing is copied here: what is
 * cut off, trimmed or taken from a list is a smaller view of the same bytes.
 *
 * Upper and lower case are those of ASCII whatever the locale is, since field
 * names are compared with this (RFC 9110, 5.1).
 */
#include "base/text.h"

#include <string.h>

struct text text_of(const char *string)
{
    return (struct text){string, strlen(string)};
}

/** memcmp() must not see a null pointer, even for no bytes at all. */
static bool bytes_are_equal(const char *one, const char *other, size_t length)
{
    return length == 0 || memcmp(one, other, length) == 0;
}

bool text_is(struct text text, const char *word)
{
    return text_equals(text, text_of(word));
}

bool name_is(struct text name, const char *word)
{
    return name_equals(name, text_of(word));
}

bool text_equals(struct text one, struct text other)
{
    return one.length == other.length &&
           bytes_are_equal(one.at, other.at, one.length);
}

static unsigned char to_lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

bool name_equals(struct text one, struct text other)
{
    if (one.length != other.length)
        return false;
    for (size_t i = 0; i < one.length; i++)
        if (one.at[i] != other.at[i] &&
            to_lower(one.at[i]) != to_lower(other.at[i]))
            return false;
    return true;
}

bool text_begins(struct text text, const char *word)
{
    size_t length = strlen(word);

    return text.length >= length && bytes_are_equal(text.at, word, length);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct text text_trim(struct text text)
{
    while (text.length > 0 && is_blank(*text.at)) {
        text.at++;
        text.length--;
    }
    while (text.length > 0 && is_blank(text.at[text.length - 1]))
        text.length--;
    return text;
}

bool text_cut(struct text *rest, char mark, struct text *before)
{
    const char *at =
        rest->length > 0 ? memchr(rest->at, mark, rest->length) : NULL;

    if (at == NULL)
        return false;
    *before = (struct text){rest->at, (size_t)(at - rest->at)};
    rest->at += before->length + 1;
    rest->length -= before->length + 1;
    return true;
}

bool text_next(struct text *rest, struct text *item)
{
    while (rest->length > 0) {
        struct text piece;

        if (!text_cut(rest, ',', &piece)) {
            piece = *rest;
            rest->at += rest->length;
            rest->length = 0;
        }
        piece = text_trim(piece);
        if (piece.length > 0) {
            *item = piece;
            return true;
        }
    }
    return false;
}

bool list_has(struct text list, struct text word)
{
    struct text item;

    while (text_next(&list, &item))
        if (name_equals(item, word))
            return true;
    return false;
}

/* The last digit first, at the end of some room; then all to where they go. */

size_t decimal_print(uint64_t number, char *out)
{
    char room[DIGITS_MAX];
    size_t at = sizeof(room);

    do {
        room[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    memcpy(out, room + at, sizeof(room) - at);
    return sizeof(room) - at;
}

size_t hex_print(uint64_t number, size_t least, char *out)
{
    static const char digits[] = "0123456789abcdef";
    char room[DIGITS_MAX];
    size_t at = sizeof(room);

    do {
        room[--at] = digits[number & 15];
        number >>= 4;
    } while (number > 0 || sizeof(room) - at < least);
    memcpy(out, room + at, sizeof(room) - at);
    return sizeof(room) - at;
}

bool text_number(struct text text, uint64_t *number)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < text.length; i++) {
        unsigned digit = (unsigned)((unsigned char)text.at[i] - '0');

        if (digit > 9 || sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    if (text.length == 0)
        return false;
    *number = sum;
    return true;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file text.h
 * @brief A piece of bytes that stand somewhere else.
 *
 * Heads, settings and cookies are read without copying: what they say is told
 * in texts, which are views. No zero byte ends one.
 *
 * @floor{base}
 * @thread{any}
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A piece of bytes that stand somewhere else; no zero byte ends it. */
struct text {
    const char *at; /**< borrowed: the first byte */
    size_t length;  /**< bytes */
};

/** What `printf("%.*s")` wants of a text. */
#define TEXT_PRINT(text) (int)(text).length, (text).at

/** The text of a string that is ended by a zero byte. */
struct text text_of(const char *string);

/** Is this exactly that word? Methods are compared so. */
bool text_is(struct text text, const char *word);

/** Is this that name, in upper or lower case? Field names are compared so. */
bool name_is(struct text name, const char *word);

/** Are these two alike, byte by byte? */
bool text_equals(struct text one, struct text other);

/** Are these two alike but for upper and lower case? */
bool name_equals(struct text one, struct text other);

/** Does this begin so? */
bool text_begins(struct text text, const char *word);

/** The same text without blanks (space, tab) before and after it. */
struct text text_trim(struct text text);

/**
 * Cut off what stands before the first @p mark; @p rest goes on behind it.
 *
 * @return false, and nothing is changed, when there is no such mark
 */
bool text_cut(struct text *rest, char mark, struct text *before);

/**
 * Take the next item of a list such as `close, X-Trace`: what stands before
 * the next comma or the end, trimmed. Empty items are passed over.
 *
 * @return false when there is no further item
 */
bool text_next(struct text *rest, struct text *item);

/** Is this word, in upper or lower case, an item of such a list? */
bool list_has(struct text list, struct text word);

/**
 * Plain decimal digits, nothing else, as a number.
 *
 * @return false when it is empty, holds anything else, or does not fit
 */
bool text_number(struct text text, uint64_t *number);

/** Room that decimal_print() and hex_print() need. */
enum { DIGITS_MAX = 20 };

/** Write a number in decimal digits, without a zero byte; returns how many. */
size_t decimal_print(uint64_t number, char *out);

/** Write a number in hexadecimal digits, at least @p least of them, without a
 * zero byte; returns how many. */
size_t hex_print(uint64_t number, size_t least, char *out);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file json_words.h
 * @brief Any text as a string of JSON.
 *
 * @floor{control}
 * @thread{any}
 */
#ifndef CONTROL_JSON_WORDS_H
#define CONTROL_JSON_WORDS_H

#include <jansson.h>

/**
 * A string. Texts that come from elsewhere need not be UTF-8, which JSON wants:
 * then each byte that is no ASCII becomes a question mark.
 *
 * @return a new reference
 */
json_t *json_words(const char *text);

#endif

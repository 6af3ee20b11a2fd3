/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * To find a value again, we walk over the text from its beginning and skip what
 * is not on the way. The text is known to be JSON, so little can surprise us:
 * only strings have to be read with care, for they may hold braces and quotes.
 */
#include "control/config_text.h"
#include "base/fault.h"
#include "base/must.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void config_text_clear_remarks(char *text, size_t length)
{
    bool in_string = false;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n') {
            in_string = false;
        } else if (in_string && text[i] == '\\') {
            i++;
        } else if (text[i] == '"') {
            in_string = !in_string;
        } else if (!in_string && text[i] == '/' && i + 1 < length &&
                   text[i + 1] == '/') {
            while (i < length && text[i] != '\n')
                text[i++] = ' ';
        }
    }
}

/* --- places -------------------------------------------------------------- */

/** What is still to be read. */
struct cursor {
    const char *at;
    const char *end;
};

static char cursor_see(const struct cursor *cursor)
{
    if (cursor->at == cursor->end)
        return '\0';
    return *cursor->at;
}

/** Skip blanks, and these marks. */
static void skip_marks(struct cursor *cursor, const char *marks)
{
    while (cursor->at < cursor->end &&
           (isspace((unsigned char)*cursor->at) ||
            (*cursor->at != '\0' && strchr(marks, *cursor->at) != NULL)))
        cursor->at++;
}

/** Skip a string, with its quotes. */
static void skip_string(struct cursor *cursor)
{
    cursor->at++;
    while (cursor->at < cursor->end && *cursor->at != '"')
        cursor->at +=
            *cursor->at == '\\' && cursor->at + 1 < cursor->end ? 2 : 1;
    if (cursor->at < cursor->end)
        cursor->at++;
}

/** Skip a value, with all that is in it. */
static void skip_value(struct cursor *cursor)
{
    size_t depth = 0;

    while (cursor->at < cursor->end) {
        char byte = *cursor->at;

        if (byte == '"') {
            skip_string(cursor);
            continue;
        }
        if (depth == 0 && (byte == ',' || byte == '}' || byte == ']'))
            return;
        if (byte == '{' || byte == '[')
            depth++;
        if (byte == '}' || byte == ']')
            depth--;
        cursor->at++;
    }
}

/** Go into an object, to the value with that key. */
static bool enter_object(struct cursor *cursor, const char *key,
                         const char **key_at)
{
    size_t length = strlen(key);

    if (cursor_see(cursor) != '{')
        return false;
    cursor->at++;
    skip_marks(cursor, "");
    while (cursor_see(cursor) == '"') {
        const char *quote = cursor->at;

        skip_string(cursor);
        bool is_it = (size_t)(cursor->at - quote) == length + 2 &&
                     memcmp(quote + 1, key, length) == 0;

        skip_marks(cursor, ":");
        if (is_it) {
            *key_at = quote;
            return true;
        }
        skip_value(cursor);
        skip_marks(cursor, ",");
    }
    return false;
}

/** Go into a list, to the value with that number. */
static bool enter_list(struct cursor *cursor, size_t index)
{
    if (cursor_see(cursor) != '[')
        return false;
    cursor->at++;
    skip_marks(cursor, "");
    for (; index > 0 && cursor->at < cursor->end; index--) {
        skip_value(cursor);
        skip_marks(cursor, ",");
    }
    return cursor->at < cursor->end;
}

static struct config_place place_of(struct text text, const char *where)
{
    struct config_place place = {1, 1};

    for (const char *at = text.at; at < where; at++) {
        if (*at == '\n') {
            place.line++;
            place.column = 1;
        } else if (((unsigned char)*at & 0xc0) != 0x80) {
            place.column++; /* one for each character of UTF-8 */
        }
    }
    return place;
}

struct config_place config_text_find(struct text text,
                                     const struct config_way *way,
                                     enum config_part part)
{
    struct cursor cursor = {text.at, text.at + text.length};
    const char *key_at = NULL, *value_at;

    skip_marks(&cursor, "");
    value_at = cursor.at;
    for (size_t i = 0; i < way->length; i++) {
        const struct config_step *step = &way->steps[i];

        if (step->key == NULL)
            key_at = NULL;
        if (!(step->key == NULL ? enter_list(&cursor, step->index)
                                : enter_object(&cursor, step->key, &key_at)))
            break;
        value_at = cursor.at;
    }
    if (part == CONFIG_KEY && key_at != NULL)
        return place_of(text, key_at);
    return place_of(text, value_at);
}

/* --- variables ----------------------------------------------------------- */

const char *config_variable_find(char *const *variables, const char *name,
                                 size_t length)
{
    for (; variables != NULL && *variables != NULL; variables++) {
        const char *text = *variables;

        if (strncmp(text, name, length) == 0 && text[length] == '=')
            return text[length + 1] == '\0' ? NULL : text + length + 1;
    }
    return NULL;
}

static size_t name_length(const char *text)
{
    size_t length = 0;

    if (isdigit((unsigned char)*text))
        return 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_')
        length++;
    return length;
}

/** Write what `${...}` at @p text stands for; go on behind it. */
static const char *expand_one(const char *text, char *const *variables,
                              FILE *out, struct fault *fault)
{
    const char *name = text + 2;
    size_t length = name_length(name);
    const char *behind = name + length;
    const char *close = strchr(behind, '}');
    const char *value = config_variable_find(variables, name, length);
    bool has_default = strncmp(behind, ":-", 2) == 0;

    if (length == 0 || close == NULL || (*behind != '}' && !has_default)) {
        fault_say(fault, "has ${ that does not go on as ${NAME} or "
                         "${NAME:-default}; a plain ${ is written $${");
        return NULL;
    }
    if (value == NULL && !has_default) {
        fault_say(fault,
                  "needs the variable %.*s, which is not set; set it, or write "
                  "${%.*s:-default}",
                  (int)length, name, (int)length, name);
        return NULL;
    }
    if (value != NULL)
        fputs(value, out);
    else
        fwrite(behind + 2, 1, (size_t)(close - behind - 2), out);
    return close + 1;
}

static bool expand(const char *text, char *const *variables, FILE *out,
                   struct fault *fault)
{
    while (text != NULL && *text != '\0') {
        if (strncmp(text, "$${", 3) == 0) {
            fputs("${", out);
            text += 3;
        } else if (strncmp(text, "${", 2) == 0) {
            text = expand_one(text, variables, out, fault);
        } else {
            fputc(*text++, out);
        }
    }
    return text != NULL;
}

char *config_text_expand(const char *text, char *const *variables,
                         struct fault *fault)
{
    char *expanded = NULL;
    size_t length;
    FILE *out = open_memstream(&expanded, &length);
    bool good;

    must(out != NULL);
    good = expand(text, variables, out, fault);
    must(fclose(out) == 0);
    if (!good) {
        free(expanded);
        return NULL;
    }
    return expanded;
}

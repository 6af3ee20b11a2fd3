/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "control/json_words.h"

#include "base/must.h"

#include <stdlib.h>
#include <string.h>

json_t *json_words(const char *text)
{
    json_t *string = json_string(text);
    char *plain;

    if (string != NULL)
        return string;
    plain = strdup(text);
    must(plain != NULL);
    for (char *at = plain; *at != '\0'; at++)
        if ((unsigned char)*at > 0x7f)
            *at = '?';
    string = json_string(plain);
    free(plain);
    must(string != NULL);
    return string;
}

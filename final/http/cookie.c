/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "http/cookie.h"

struct text field_value(const struct head *head, const char *name)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (name_is(head->fields[i].name, name))
            return head->fields[i].value;
    return text_of("");
}

/** `a=1; b=2`: the pair with this name, in one Cookie field. */
static bool pair_find(struct text pairs, const char *name, struct text *value)
{
    struct text pair;
    bool more = true;

    while (more) {
        struct text key;

        more = text_cut(&pairs, ';', &pair);
        if (!more)
            pair = pairs;
        pair = text_trim(pair);
        if (text_cut(&pair, '=', &key) && text_is(key, name)) {
            *value = pair;
            return true;
        }
    }
    return false;
}

struct text cookie_value(const struct head *head, const char *name)
{
    struct text value = text_of("");

    for (size_t i = 0; i < head->field_count; i++)
        if (head->fields[i].id == FIELD_COOKIE &&
            pair_find(head->fields[i].value, name, &value))
            return value;
    return value;
}

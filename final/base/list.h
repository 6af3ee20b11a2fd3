/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file list.h
 * @brief Lists whose links lie in the things themselves.
 *
 * A list is a ring with a head. Nothing is allocated, a thing leaves its list
 * in one step without looking for itself, and one that is on no list knows it.
 *
 * @floor{base}
 * @thread{any; a list belongs to one}
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/** A link: in a thing, or the head of a list. */
struct link {
    struct link *before; /**< NULL while it is on no list */
    struct link *after;  /**< likewise */
};

/** The thing of this type that has its field @p field at @p link. */
#define list_item(link, type, field) \
    ((type *)(void *)((char *)(link)-offsetof(type, field)))

/** Make an empty list. */
static inline void list_init(struct link *list)
{
    list->before = list->after = list;
}

/** Are there no things in it? */
static inline bool list_is_empty(const struct link *list)
{
    return list->after == list;
}

/** Is this thing on a list? */
static inline bool link_is_on(const struct link *link)
{
    return link->after != NULL;
}

/** Put a thing behind @p place: a list's head puts it first. */
static inline void list_put_after(struct link *place, struct link *link)
{
    link->before = place;
    link->after = place->after;
    place->after->before = link;
    place->after = link;
}

/** Put a thing last. */
static inline void list_put_last(struct link *list, struct link *link)
{
    list_put_after(list->before, link);
}

/** Take a thing off its list, if it is on one. */
static inline void list_remove(struct link *link)
{
    if (!link_is_on(link))
        return;
    link->before->after = link->after;
    link->after->before = link->before;
    link->before = link->after = NULL;
}

/** Take the first thing off; NULL when there is none. */
static inline struct link *list_take_first(struct link *list)
{
    struct link *first = list->after;

    if (first == list)
        return NULL;
    list_remove(first); /* NOLINT: no, a freed one is not on the list */
    return first;
}

#endif

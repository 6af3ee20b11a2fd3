/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file reply.h
 * @brief What the admin listener answers.
 *
 * @floor{control}
 * @thread{control's}
 */
#ifndef CONTROL_REPLY_H
#define CONTROL_REPLY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/** An answer in the making. All zero: none yet. */
struct reply {
    unsigned status;    /**< such as 200; 0: not decided yet */
    const char *type;   /**< of the body; a constant */
    const char *fields; /**< further field lines, each with its CR LF; borrowed
                              as long as the program lives; NULL: none */
    char *body;         /**< owned; NULL: see `page` */
    const char *page;   /**< a body that lives as long as the program */
    size_t length;      /**< bytes of the body */
    bool streams;       /**< no length: events follow as they come */
    bool waits;         /**< it is not known yet; it will be given later */
};

/** Answer with an object; @p object is the reply's from now on. */
void reply_json(struct reply *reply, unsigned status, json_t *object);

/** Answer with a line of text. */
__attribute__((format(printf, 3, 4))) void
reply_text(struct reply *reply, unsigned status, const char *format, ...);

/** Refuse, with a sentence: {"error": {"status": 404, "message": "..."}}. */
__attribute__((format(printf, 3, 4))) void
reply_refuse(struct reply *reply, unsigned status, const char *format, ...);

/**
 * Write the answer's head and body.
 *
 * @param is_bare an answer to HEAD: no body
 * @param closes  the connection ends after it
 * @return owned by the caller; @p length tells how many bytes
 */
char *reply_print(const struct reply *reply, bool is_bare, bool closes,
                  size_t *length);

/** End what it owns. */
void reply_fini(struct reply *reply);

#endif

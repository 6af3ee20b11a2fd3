/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file parser.h
 * @brief One connection's bytes, fed bit by bit to the parser of final/http.
 *
 * parser_feed() gives some more bytes to head_read() and body_read(), as a
 * balancer does whose socket delivers so many at a time. After each piece,
 * parser_print() writes down what they believe.
 *
 * @thread{any; a parser belongs to one}
 */
#ifndef PARSER_H
#define PARSER_H

#include "http/body.h"
#include "http/head.h"

#include <stdbool.h>
#include <stddef.h>

/** How large everything may become. */
enum {
    PARSER_BYTES = 4096,      /**< bytes of a whole connection */
    PARSER_MESSAGES = 8,      /**< messages in it; what follows is not read */
    PARSER_PRINT = 64 * 1024, /**< room that parser_print() needs */
    PARSER_VERDICT = 256,     /**< room that parser_print_verdict() needs */
};

/** How far a message has come. */
enum message_stage {
    MESSAGE_HEAD,    /**< its head is not whole */
    MESSAGE_BODY,    /**< its body is not whole */
    MESSAGE_DONE,    /**< all of it is there */
    MESSAGE_REFUSED, /**< nothing behind here is read */
};

/** One message. */
struct message {
    enum message_stage stage;
    size_t begin;     /**< its first byte among those of the connection */
    size_t used;      /**< so many of its bytes have been understood for good */
    bool has_head;    /**< the head has been read */
    struct head head; /**< what head_read() made of it */
    struct body body; /**< what body_read() made of it */
    char content[PARSER_BYTES];  /**< what was in the body */
    size_t content_length;       /**< bytes of it */
    char trailers[PARSER_BYTES]; /**< field lines behind the last chunk */
    size_t trailers_length;      /**< bytes of them */
};

/** A connection and its messages. */
struct parser {
    enum head_kind kind;                      /**< what its messages are */
    char bytes[PARSER_BYTES];                 /**< what has been fed */
    size_t length;                            /**< bytes of it */
    size_t read;                              /**< bytes that had come when it
                                                   was refused; else all */
    char unread[PARSER_BYTES];                /**< of a body: not used yet */
    size_t unread_length;                     /**< bytes of it */
    struct message messages[PARSER_MESSAGES]; /**< in the order they came */
    size_t count;                             /**< the last one is at work */
};

/** Expect messages of that kind; nothing has been fed. */
void parser_begin(struct parser *parser, enum head_kind kind);

/**
 * Give it some more bytes.
 *
 * @return false: they did not fit, and none was taken
 */
bool parser_feed(struct parser *parser, const char *bytes, size_t length);

/**
 * Write down what it believes, line by line: a name, a tab, a value. First
 * `verdict` for the whole connection, and `end`: what if it ended here. Then for
 * each message its `message` (number), `begin`, `used`, `stage`, `belief`, and
 * what else is known of it. In the values, bytes that cannot be shown are
 * written as `\r`, `\n` or `\x00`.
 *
 * @param out room for #PARSER_PRINT bytes; ended by a zero byte
 */
void parser_print(const struct parser *parser, char *out);

/** The verdict alone, in words: into room for #PARSER_VERDICT bytes. */
void parser_print_verdict(const struct parser *parser, char *out);

/** Where a chunked body's reading stands: words for `step` of struct body. */
const char *body_step_words(const struct body *body);

/** Bytes to try, and what there is to see. */
struct example {
    const char *name;    /**< short, for a list */
    const char *remark;  /**< what there is to see, in a sentence */
    enum head_kind kind; /**< what it is */
    const char *bytes;   /**< the connection */
    size_t length;       /**< bytes of it */
};

/** The examples. */
extern const struct example examples[];
/** How many they are. */
extern const size_t example_count;

#endif

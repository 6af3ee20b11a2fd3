/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file wire.h
 * @brief A connection on which a client does as it likes: byte by byte, slowly,
 * several requests at once, and responses read one after the other.
 */
#ifndef SOAK_WIRE_H
#define SOAK_WIRE_H

#include "client.h"

#include <stdbool.h>
#include <stddef.h>

enum { WIRE_BYTES = 32768 };

/** The connection. */
struct wire {
    int fd;      /**< owned; -1: closed */
    bool ended;  /**< the peer has ended it */
    size_t held; /**< bytes that were read and not used */
    char bytes[WIRE_BYTES];
};

/** How a response is to be read. */
struct wire_manner {
    size_t piece;      /**< at most so many bytes at a time; 0: as they come */
    unsigned pause_ms; /**< after each piece */
    size_t enough;     /**< stop after so many bytes of body; 0: at the end */
};

/** A response. */
struct wire_response {
    unsigned status;
    size_t length;  /**< of the body, as it came */
    bool is_wrong;  /**< the body is not the alphabet, again and again */
    bool closes;    /**< it is the last one on this connection */
    char body[128]; /**< how the body begins, ended by a zero byte */
};

/** Connect; false when nobody listens there. */
bool wire_open(struct wire *wire, unsigned port);

/** Send all, unless the peer does not take it. */
bool wire_send(struct wire *wire, const char *bytes, size_t length);

/** Send a string. */
bool wire_say(struct wire *wire, const char *text);

/** Read until there is this much, or the end. @return whether there is */
bool wire_hold(struct wire *wire, size_t bytes);

/** Forget bytes at the front. */
void wire_drop(struct wire *wire, size_t bytes);

/** Read one response. Its body must come with a length. */
enum came wire_hear(struct wire *wire, const struct wire_manner *manner,
                    struct wire_response *response);

/** No more will be sent. */
void wire_shut(struct wire *wire);

/** Close; with a reset, if @p rudely. */
void wire_close(struct wire *wire, bool rudely);

#endif

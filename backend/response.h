/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file response.h
 * @brief A response: what was decided about it, and how far it is written.
 *
 * A page fills in a response, a misbehaviour spoils it, and response_fill()
 * writes it piece by piece, as fast as its reader takes it. So a body of 1 GiB
 * costs no more memory than one of 10 bytes.
 */
#ifndef RESPONSE_H
#define RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct body;
struct buffer;
struct origin;

/** Where the body's bytes come from. */
enum response_source {
    RESPONSE_TEXT,    /**< response.text */
    RESPONSE_LETTERS, /**< the alphabet, again and again */
    RESPONSE_EVENTS,  /**< one server-sent event after another */
    RESPONSE_ECHO,    /**< the body of the request */
    RESPONSE_COUNT,   /**< a sentence about the length of the request's body */
};

/** What becomes of the connection when the response is over. */
enum response_end {
    RESPONSE_KEEP,  /**< it serves the next request */
    RESPONSE_LEAVE, /**< it is closed gently: the client misses nothing */
    RESPONSE_DROP,  /**< it is closed at once, whatever is on its way */
    RESPONSE_RESET, /**< it is closed with a reset */
    RESPONSE_HOLD,  /**< it stays open and nothing more is said on it */
    RESPONSE_STALE, /**< it stays open until the next request, and drops that */
};

/** How far response_fill() came. */
enum response_fill {
    RESPONSE_MORE, /**< the buffer is full; there is more */
    RESPONSE_WAIT, /**< nothing more now: see response.event_ms, or the body */
    RESPONSE_DONE, /**< it is all written, or all that shall be */
    RESPONSE_LOST, /**< the request's body made no sense in the middle */
};

/** No length was given. */
#define RESPONSE_UNKNOWN UINT64_MAX

/** One response, from its decision to its last byte. */
struct response {
    /* Decided by the page. */
    int status;                  /**< such as 200 */
    const char *type;            /**< the Content-Type; lives for ever */
    const char *allow;           /**< the Allow field, or NULL */
    enum response_source source; /**< where the body comes from */
    char *text;                  /**< owned: for RESPONSE_TEXT, else NULL */
    uint64_t length;             /**< of the body, or RESPONSE_UNKNOWN */
    uint64_t events;             /**< for RESPONSE_EVENTS: how many */
    unsigned event_gap_ms;       /**< and the time between two */
    unsigned pause_ms;           /**< wait so long before the first byte */
    const char *upgrade;         /**< the protocol that follows, or NULL */
    bool close;                  /**< the head says Connection: close */
    enum response_end end;       /**< what really becomes of the connection */

    /* Decided by the request. */
    bool is_head;   /**< HEAD: there is no body */
    unsigned minor; /**< of the client's HTTP/1.minor: 0 knows no chunks */

    /* Decided by a misbehaviour. */
    bool mute;            /**< say nothing at all */
    bool headless;        /**< send the text as it is, without a head */
    bool early;           /**< do not wait for the request's body */
    bool bad_chunks;      /**< write a chunk size that is none */
    unsigned drip_ms;     /**< time between two bytes; 0: no such thing */
    uint64_t cut_at;      /**< stop after so many bytes of body */
    int64_t length_lie;   /**< added to the Content-Length */
    uint64_t pad_bytes;   /**< make the head longer by so much */
    const char *mischief; /**< its name for the log, or NULL; lives for ever */

    /* How far we are. */
    bool begun;       /**< the first lines of the head are written */
    bool has_head;    /**< the whole head is, or there shall be none */
    bool over;        /**< so is the body */
    bool chunked;     /**< the body is written in chunks */
    uint64_t sent;    /**< bytes of body written, wrapping not counted */
    uint64_t padded;  /**< bytes of padding written */
    int64_t event_ms; /**< when the next event is due */
};

/** A response that says nothing yet: 200, text, an empty body. */
void response_init(struct response *response);

/** Free what it owns. */
void response_fini(struct response *response);

/** Make @p text the body, as printf() would. */
void response_print(struct response *response, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Make @p text the body. @param text owned by the response from now on */
void response_set_text(struct response *response, char *text);

/** Make a status and its reason the response. */
void response_set_status(struct response *response, int status);

/**
 * Write as much as @p out has room for.
 *
 * @param body the request's body; only an echo reads it
 * @param in   where it arrives
 */
enum response_fill response_fill(struct response *response,
                                 struct origin *origin, struct buffer *out,
                                 struct body *body, struct buffer *in);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file state.h
 * @brief The life of a session, in one table.
 *
 * The enum, the names, the time limits, the words of the log and the check of
 * each change come from here.
 *
 * @floor{proxy}
 * @thread{any: it never changes}
 */
#ifndef PROXY_STATE_H
#define PROXY_STATE_H

#include "base/settings.h"

#include <stdint.h>

/* clang-format off */
/*    state   at most        failed while ...             may lead to                  */
/** The table of all states: SESSION_STATES(X) gives X each row. */
#define SESSION_STATES(X)                                                               \
    X(GREETING, head_ms,     "reading the PROXY header",  TO(HANDSHAKE) | TO(REST)       \
                                                          | TO(LEAVE))                  \
    X(HANDSHAKE, tls_ms,  "shaking hands with the client", TO(REST) | TO(LEAVE))        \
    X(REST,   keep_alive_ms, "idle between requests",     TO(READ) | TO(LEAVE))         \
    X(READ,   head_ms,       "reading the request",       TO(PICK) | TO(ANSWER)         \
                                                          | TO(LEAVE))                  \
    X(PICK,   queue_ms,      "picking a backend",         TO(WAIT_PLACE) | TO(DIAL)     \
                                                          | TO(SEND) | TO(ANSWER)       \
                                                          | TO(LEAVE))                  \
    X(WAIT_PLACE, queue_ms,  "waiting for a backend with room", TO(DIAL) | TO(SEND)     \
                                                          | TO(PICK) | TO(ANSWER)     \
                                                          | TO(LEAVE))                \
    X(DIAL,   connect_ms,    "connecting to the backend", TO(SEND) | TO(PICK)           \
                                                          | TO(ANSWER) | TO(LEAVE))     \
    X(SEND,   body_ms,       "sending the request",       TO(WAIT) | TO(PASS) | TO(PICK)\
                                                          | TO(ANSWER) | TO(TUNNEL)     \
                                                          | TO(REST) | TO(READ)         \
                                                          | TO(LEAVE))                  \
    X(WAIT,   response_ms,   "waiting for the response",  TO(PASS) | TO(PICK)           \
                                                          | TO(ANSWER) | TO(TUNNEL)     \
                                                          | TO(REST) | TO(READ)         \
                                                          | TO(LEAVE))                  \
    X(PASS,   stall_ms,      "passing the response",      TO(REST) | TO(READ)           \
                                                          | TO(LEAVE))                  \
    X(TUNNEL, tunnel_ms,     "tunnelling",                TO(LEAVE))                    \
    X(ANSWER, stall_ms,      "giving our own answer",     TO(REST) | TO(READ)           \
                                                          | TO(LEAVE))                  \
    X(LEAVE,  half_closed_ms, "leaving the client",       0)
/* clang-format on */

/** Where a session stands. */
enum state {
#define X(state, limit, words, next) STATE_##state,
    SESSION_STATES(X)
#undef X
        STATE_COUNT
};

/** A row of the table. */
struct state_row {
    const char *name;   /**< for the trace */
    const char *words;  /**< for the log: "while ..." */
    unsigned next;      /**< a bit for each state it may lead to */
    enum setting limit; /**< what bounds it */
};

/** The row of a state; it lives as long as the program. */
const struct state_row *state_row(enum state state);

/** How long a session may be in it, milliseconds. */
int64_t state_limit_ms(enum state state, const struct settings *settings);

#endif

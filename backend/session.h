/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file session.h
 * @brief One connection from a client, from its acceptance to its end.
 *
 *  - session_new() begins one on a socket that was just accepted;
 *  - session_wants() says what to poll for, session_wakes_ms() until when;
 *  - session_on_event() moves it as far as it goes, and says if it is over.
 *
 * A session never waits inside: it does what it can and comes back. It has
 * fixed buffers, two of BUFFER_BYTES, and the text of one page at most.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stdint.h>

struct origin;
struct session;

/**
 * Begin one.
 *
 * @param fd     owned by the session from now on; does not block
 * @param origin borrowed: outlives all sessions
 */
struct session *session_new(int fd, struct origin *origin);

/** Close its socket, end it, and empty the caller's pointer. */
void session_free(struct session **session);

/** Its socket, to be polled. */
int session_fd(const struct session *session);

/** What must happen on the socket before it can move: POLLIN, POLLOUT, both. */
short session_wants(const struct session *session);

/** When it must be called even if nothing happens; INT64_MAX: never. */
int64_t session_wakes_ms(const struct session *session);

/**
 * Something happened on the socket, or its time came.
 *
 * @param events what poll() said; 0 if only time passed
 * @return false when the session is over and must be freed
 */
bool session_on_event(struct session *session, short events);

/** Is nothing lost when it ends now? True between two requests. */
bool session_may_end(const struct session *session);

#endif

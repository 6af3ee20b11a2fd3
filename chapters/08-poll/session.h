/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file session.h
 * @brief One client connection, as a machine that never waits.
 *
 * A session has two sockets: one to its client and, for a while, one to a
 * backend. It does what can be done now, and remembers in its state how far it
 * has come. Waiting is somebody else's work:
 *
 *  - session_new() makes a session for a client that has been accepted;
 *  - session_wants() says which events on which socket it waits for;
 *  - session_on_event() goes on, when one of them has come;
 *  - session_free() ends it.
 */
#ifndef SESSION_H
#define SESSION_H

#include <poll.h>
#include <stdbool.h>

struct pool;
struct session;

/**
 * Make a session that waits for its client's request.
 *
 * @param client owned by the caller until now
 * @param pool   borrowed: outlives the session
 * @param number what the log calls it
 * @return owned by the caller, who ends it with session_free(); NULL when there
 *         is no memory, and then the client is closed
 */
struct session *session_new(int client, struct pool *pool, unsigned number);

/** Do not wait for a request: tell the client that there are too many (503). */
void session_refuse(struct session *session);

/**
 * Say what this session waits for.
 *
 * @param wants what to give to poll(): for the client, and for the backend; a
 *              socket of -1 means nothing
 * @return after how many milliseconds to go on even if nothing happens; -1:
 *         there is no such limit
 */
int session_wants(const struct session *session, struct pollfd wants[2]);

/**
 * Go on as far as we can without waiting.
 *
 * @return false when the session is over, and has only to be freed
 */
bool session_on_event(struct session *session);

/** Is the time up that session_wants() told? */
bool session_is_late(const struct session *session);

/** Has its request not come whole yet, so that nothing is lost if it ends? */
bool session_is_idle(const struct session *session);

/** Close its sockets, give back what it holds, and empty the pointer. */
void session_free(struct session **session);

/** From now on, print what happens in every session. */
void session_trace(void);

#endif

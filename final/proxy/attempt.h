/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file attempt.h
 * @brief The tries of an exchange: a backend is picked and reached, or not.
 *
 *  - exchange_pick() finds a backend and a connection to it;
 *  - exchange_dial() waits for that connection;
 *  - exchange_fail() ends a try that went wrong: another one, or an answer of
 *    our own.
 *
 * @floor{proxy}
 * @thread{the worker it belongs to}
 */
#ifndef PROXY_ATTEMPT_H
#define PROXY_ATTEMPT_H

#include "proxy/retry.h"
#include "proxy/state.h"

struct backend;
struct exchange;

/** Find a backend: SEND, DIAL, WAIT_PLACE, or ANSWER. */
enum state exchange_pick(struct exchange *exchange);

/** Has the backend been reached? DIAL, SEND, PICK, or ANSWER. */
enum state exchange_dial(struct exchange *exchange);

/**
 * This try is over without a response that could be passed on, or with one that
 * broke off: PICK, ANSWER, or LEAVE. The log is told.
 *
 * @param now the state in which it failed
 * @param why in words; a constant
 */
enum state exchange_fail(struct exchange *exchange, enum state now,
                         enum attempt ended, const char *why);

/** The backend that the client's cookie names. Borrowed; NULL: none. */
struct backend *exchange_preferred(const struct exchange *exchange);

#endif

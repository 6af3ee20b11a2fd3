/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file relay.h
 * @brief Bytes are moved, both ways at once, until the response is whole.
 *
 * @floor{proxy}
 * @thread{the worker it belongs to}
 */
#ifndef PROXY_RELAY_H
#define PROXY_RELAY_H

#include "proxy/state.h"

struct exchange;

/** Move bytes: SEND, WAIT, PASS, TUNNEL, PICK, ANSWER, LEAVE, REST, or READ. */
enum state exchange_relay(struct exchange *exchange, enum state now);

/** Its time in this state is up, whichever that is: where to go. */
enum state exchange_late(struct exchange *exchange, enum state now);

#endif

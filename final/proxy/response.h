/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file response.h
 * @brief What comes from the backend is understood, and its head written anew
 * for the client.
 *
 * @floor{proxy}
 * @thread{the worker it belongs to}
 */
#ifndef PROXY_RESPONSE_H
#define PROXY_RESPONSE_H

#include <stdbool.h>

struct exchange;

/**
 * Understand what has come of the response: heads go to the client as ours,
 * `100 Continue` and its like at once; from 101 on, if the client asked for it,
 * the exchange is a tunnel; content becomes content of the flow `down`.
 *
 * @return false when it makes no sense: the head says why, or else the body
 */
bool response_take(struct exchange *exchange);

#endif

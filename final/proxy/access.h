/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file access.h
 * @brief One line of the log for each exchange.
 *
 * @floor{proxy}
 * @thread{the worker of the exchange}
 */
#ifndef PROXY_ACCESS_H
#define PROXY_ACCESS_H

struct exchange;

/** Write the line of an exchange that has ended. */
void access_log(const struct exchange *exchange);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file client.h
 * @brief Who is the client, if it comes to us through other proxies?
 *
 * Anybody may write anything into X-Forwarded-For. Each proxy adds, on the
 * right, the address that it was asked from. So we read it from the right, as
 * long as the one who wrote it is listed (setting `trusted`); the first address
 * that is not listed is the client.
 *
 * @floor{proxy}
 * @thread{any}
 */
#ifndef PROXY_CLIENT_H
#define PROXY_CLIENT_H

#include "net/address.h"

struct head;
struct configuration;

/** Is what this peer says about others believed? */
bool client_is_trusted(const struct configuration *configuration,
                       const union address *peer);

/**
 * Find out who has asked.
 *
 * @param peer who is connected to us
 * @return the peer, or who it asks for; without a port that means anything
 */
union address client_find(const struct configuration *configuration,
                          const struct head *head, const union address *peer);

#endif

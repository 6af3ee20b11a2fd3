/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file listener.h
 * @brief A socket that accepts clients.
 *
 * @floor{net}
 * @thread{the worker it belongs to}
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "base/fault.h"
#include "net/address.h"
#include "net/stream.h"

/** How to listen. */
struct listener_settings {
    union address where; /**< port 0: the kernel chooses */
    bool is_shared;      /**< other listeners of ours have the same port */
    bool defers;         /**< do not tell of a client before it has spoken,
                              where the system can do that */
};

/**
 * Listen.
 *
 * @param fd where the socket goes, which the caller then owns: non-blocking
 * @return false when that is not possible, with @p fault
 */
bool listener_open(const struct listener_settings *settings, int *fd,
                   struct fault *fault);

/**
 * Listen on a socket in the file system, for the owner and the group. What a
 * listener that is gone has left there is removed; what is no socket, or one
 * where somebody listens, is not.
 *
 * @param fd as above; who closes it removes the file
 */
bool listener_open_path(const char *path, int *fd, struct fault *fault);

/**
 * Set on a socket that listens what the settings say, whoever made it; and let
 * others share its port, if they are to. Some of it is for the next clients.
 */
void listener_tune(int fd, const struct listener_settings *settings);

/**
 * The address that a listener has, with the port that the kernel chose.
 *
 * @return false with errno set when the system does not say
 */
bool listener_address(int fd, union address *address);

/** How accepting ended. */
enum accepted {
    ACCEPTED_CLIENT, /**< there is one */
    ACCEPTED_LOST,   /**< one was lost while it waited: ask for the next */
    ACCEPTED_NONE,   /**< nobody waits */
    ACCEPTED_SHORT,  /**< somebody waits, but descriptors or memory are short */
};

/**
 * Accept the next client, if one waits.
 *
 * @param stream where it goes, if there is one; it may be read at once
 * @param from   its address
 */
enum accepted listener_accept(int fd, struct stream *stream,
                              union address *from);

#endif

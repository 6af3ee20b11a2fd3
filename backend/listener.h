/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file listener.h
 * @brief The socket that clients connect to.
 *
 *  - listener_open() takes an address: nobody else can have it from then on;
 *  - listener_listen() lets clients connect;
 *  - listener_refuse() turns them away, but keeps the address.
 */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

struct fault;

/** One address, and whether clients may come. */
struct listener {
    int fd;                       /**< owned; -1 when closed */
    bool is_listening;            /**< clients may connect */
    struct sockaddr_storage addr; /**< with the port that we really have */
    socklen_t addr_bytes;         /**< how much of it counts */
};

/**
 * Take an address.
 *
 * @param host a name or a number
 * @param port 0 lets the kernel choose
 * @return false, with a sentence, if it cannot be had
 */
bool listener_open(struct listener *listener, const char *host, unsigned port,
                   struct fault *fault);

/** Let clients connect. @return false, with a sentence, if that fails */
bool listener_listen(struct listener *listener, struct fault *fault);

/** Turn clients away. @return false, with a sentence, if the port got lost */
bool listener_refuse(struct listener *listener, struct fault *fault);

/** Take the next client. @return its socket, or -1 if there is none now */
int listener_accept(const struct listener *listener);

/** Give the address back. */
void listener_close(struct listener *listener);

/** The port that we really have. */
unsigned listener_port(const struct listener *listener);

/** Write `127.0.0.1:8081`, or `[::1]:8081`. */
void listener_print(const struct listener *listener, char *to, size_t bytes);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file handed.h
 * @brief Listening sockets that one process hands on to the next.
 *
 * A socket that listens has a queue of clients whom the kernel has welcomed and
 * nobody has accepted. The queue lives as long as one process has the socket:
 * so whoever takes it over takes over who waits.
 *
 *  - handed_add() puts a socket on the list;
 *  - handed_take() and handed_take_path() take those that listen where somebody
 *    wants to listen;
 *  - handed_end() closes what nobody has taken.
 *
 * @floor{net}
 * @thread{main}
 */
#ifndef NET_HANDED_H
#define NET_HANDED_H

#include "net/address.h"

#include <stdbool.h>
#include <stddef.h>

/** What a socket is for. */
enum handed_role {
    HANDED_HTTP,  /**< clients */
    HANDED_HTTPS, /**< clients that come by TLS */
    HANDED_ADMIN, /**< those who watch and change */
    HANDED_ROLES  /**< how many there are */
};

/** No more sockets than this are handed on. */
enum { HANDED_MAX = 1024 };

/** One of them. */
struct handed_socket {
    enum handed_role role; /**< what it is for */
    int fd;                /**< -1: it was taken */
};

/** Some of them. All zero: none. */
struct handed {
    struct handed_socket sockets[HANDED_MAX]; /**< owned until they are taken */
    size_t count; /**< how many there are, taken ones too */
};

/** The name of a role, where a list is written: `http`. */
const char *handed_role_name(enum handed_role role);

/** Add a socket; false: there are too many. */
bool handed_add(struct handed *handed, enum handed_role role, int fd);

/**
 * Take the next one that listens there.
 *
 * @param where port 0 is wherever sockets of that role are, at that address
 * @return its descriptor, the caller's from now on; -1: there is none any more
 */
int handed_take(struct handed *handed, enum handed_role role,
                const union address *where);

/** The same for a socket in the file system. */
int handed_take_path(struct handed *handed, const char *path);

/**
 * Close what was not taken.
 *
 * @param is_ours nobody else needs them: what stands in the file system goes,
 *                too
 */
void handed_end(struct handed *handed, bool is_ours);

#endif

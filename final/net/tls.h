/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file tls.h
 * @brief Who we are under TLS, and whom we believe: certificates, keys, rules.
 *
 * A context is made once and used by all threads; it never changes. It lives as
 * long as somebody holds it: so other certificates are another context, and
 * connections keep the one they began with.
 *
 *  - tls_server_new() makes one for those who connect to us, tls_client_new()
 *    one for those we connect to;
 *  - tls_context_hold(), tls_context_drop();
 *  - stream_tls.h puts it to use.
 *
 * @floor{net}
 * @thread{any}
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;
struct ssl_st;
struct tls_context;

/** What a server is to be. All text is borrowed. */
struct tls_server_settings {
    /** Each is `CHAIN:KEY`, two files, or one that holds both. The first one is
     * for clients that ask for no name we know. */
    char *const *certificates;
    size_t count;          /**< how many: at least one */
    bool only_13;          /**< nothing older than TLS 1.3; else 1.2 */
    const char *client_ca; /**< the file of those who vouch for clients; "":
                                clients need no certificate */
    bool client_must;      /**< and those without one are turned away */
};

/**
 * Make one.
 *
 * @return held by the caller; NULL, with a sentence, when a file cannot be read,
 *         is not what it should be, or has expired, or a key is another one's
 */
struct tls_context *tls_server_new(const struct tls_server_settings *settings,
                                   struct fault *fault);

/**
 * Make one for those who connect.
 *
 * @param ca       the file of those who vouch for servers; "": the system's
 * @param verifies false: believe anybody
 * @return as tls_server_new()
 */
struct tls_context *tls_client_new(const char *ca, bool verifies,
                                   struct fault *fault);

/** One more who needs it. @return the same */
struct tls_context *tls_context_hold(struct tls_context *context);

/** One less, and empty the pointer; NULL is fine. */
void tls_context_drop(struct tls_context **owned);

/** Know clients again that an older context has given a ticket. */
void tls_context_inherit(struct tls_context *context,
                         const struct tls_context *older);

/** What the file of those who vouch for servers had in it when it was read, in
 * PEM form. Borrowed; NULL: the system's are believed. */
const char *tls_context_authorities(const struct tls_context *context);

/** How many certificates it has. */
size_t tls_context_size(const struct tls_context *context);

/** Until when one of them is good: seconds since 1970. */
int64_t tls_context_expires(const struct tls_context *context, size_t which);

/** The file it came from. Borrowed. */
const char *tls_context_file(const struct tls_context *context, size_t which);

/** A new connection, for stream_tls.c. */
struct ssl_st *tls_context_begin(struct tls_context *context);

/** The server of this connection must be this one: a name, or an address. */
void tls_context_expect(struct ssl_st *ssl, const char *host);

#endif

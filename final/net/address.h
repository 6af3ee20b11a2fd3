/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file address.h
 * @brief Internet addresses with a port, and blocks of them.
 *
 * @floor{net}
 * @thread{any}
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include "base/text.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/** An IPv4 or IPv6 address and a port. All zero: none. */
union address {
    struct sockaddr any;    /**< `sa_family` says which */
    struct sockaddr_in v4;  /**< AF_INET */
    struct sockaddr_in6 v6; /**< AF_INET6 */
};

/** Room that address_print() needs. */
enum { ADDRESS_PRINT_MAX = INET6_ADDRSTRLEN + 8 };

/**
 * Read an address as numbers: `192.0.2.7` or `2001:db8::1`.
 *
 * @return false, and nothing is changed, when it is neither
 */
bool address_parse(union address *address, struct text text, unsigned port);

/** How long it is, for the kernel. */
socklen_t address_length(const union address *address);

/** Its port. */
unsigned address_port(const union address *address);

/** Write it without the port; IPv4 in IPv6 as IPv4. Returns its length. */
size_t address_print(const union address *address, char *out);

/** Are they the same, port and all? */
bool address_equals(const union address *one, const union address *other);

/** As 16 bytes, IPv4 mapped to IPv6 (RFC 4291, 2.5.5.2). It is an address. */
void address_bytes(const union address *address, unsigned char *bytes);

/** The address that these 16 bytes are; IPv4 again, if they stand for it. */
void address_of_bytes(union address *address, const unsigned char *bytes,
                      unsigned port);

/** A block of addresses, such as `10.0.0.0/8`. */
struct address_block {
    unsigned char bytes[16]; /**< as IPv6, IPv4 mapped */
    unsigned bits;           /**< how many of its bits count, 0 to 128 */
};

/** Read `ADDRESS` or `ADDRESS/BITS`; false when it is neither. */
bool address_block_parse(struct address_block *block, struct text text);

/** Is this address in one of the blocks? */
bool address_in(const union address *address,
                const struct address_block *blocks, size_t count);

/**
 * Ask the system what a host name stands for. This may take seconds.
 *
 * @param list where at most @p room addresses go, each with @p port
 * @param why  where words go when there are none; a constant
 * @return how many there are; 0: none, see @p why
 */
size_t address_find(const char *host, unsigned port, union address *list,
                    size_t room, const char **why);

#endif

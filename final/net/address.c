/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

bool address_parse(union address *address, struct text text, unsigned port)
{
    char host[INET6_ADDRSTRLEN];
    union address parsed = {.any.sa_family = AF_UNSPEC};

    if (text.length == 0 || text.length >= sizeof(host) ||
        memchr(text.at, '\0', text.length) != NULL)
        return false;
    memcpy(host, text.at, text.length);
    host[text.length] = '\0';
    if (inet_pton(AF_INET, host, &parsed.v4.sin_addr) == 1) {
        parsed.v4.sin_family = AF_INET;
        parsed.v4.sin_port = htons((in_port_t)port);
    } else if (inet_pton(AF_INET6, host, &parsed.v6.sin6_addr) == 1) {
        parsed.v6.sin6_family = AF_INET6;
        parsed.v6.sin6_port = htons((in_port_t)port);
    } else {
        return false;
    }
    *address = parsed;
    return true;
}

socklen_t address_length(const union address *address)
{
    return address->any.sa_family == AF_INET ? sizeof(address->v4)
                                             : sizeof(address->v6);
}

unsigned address_port(const union address *address)
{
    return ntohs(address->any.sa_family == AF_INET ? address->v4.sin_port
                                                   : address->v6.sin6_port);
}

/** inet_ntop() goes through printf(), and this is done for each request. */
static size_t print_v4(const void *address, char *out)
{
    unsigned char bytes[4];
    size_t used = 0;

    memcpy(bytes, address, sizeof(bytes));
    for (int i = 0; i < 4; i++) {
        used += decimal_print(bytes[i], out + used);
        out[used++] = '.';
    }
    out[--used] = '\0';
    return used;
}

size_t address_print(const union address *address, char *out)
{
    const struct in6_addr *v6 = &address->v6.sin6_addr;

    if (address->any.sa_family == AF_INET)
        return print_v4(&address->v4.sin_addr, out);
    if (address->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(v6))
        return print_v4(v6->s6_addr + 12, out);
    if (address->any.sa_family != AF_INET6)
        memcpy(out, "unknown", 8);
    else
        inet_ntop(AF_INET6, v6, out, ADDRESS_PRINT_MAX);
    return strlen(out);
}

bool address_equals(const union address *one, const union address *other)
{
    return one->any.sa_family == other->any.sa_family &&
           memcmp(one, other, address_length(one)) == 0;
}

static const unsigned char mapped[12] = {0, 0, 0, 0, 0,    0,
                                         0, 0, 0, 0, 0xff, 0xff};

void address_bytes(const union address *address, unsigned char *bytes)
{
    if (address->any.sa_family == AF_INET) {
        memcpy(bytes, mapped, sizeof(mapped));
        memcpy(bytes + sizeof(mapped), &address->v4.sin_addr, 4);
    } else {
        memcpy(bytes, &address->v6.sin6_addr, 16);
    }
}

void address_of_bytes(union address *address, const unsigned char *bytes,
                      unsigned port)
{
    *address = (union address){.any.sa_family = AF_UNSPEC};
    if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons((in_port_t)port);
        memcpy(&address->v4.sin_addr, bytes + sizeof(mapped), 4);
    } else {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons((in_port_t)port);
        memcpy(&address->v6.sin6_addr, bytes, 16);
    }
}

bool address_block_parse(struct address_block *block, struct text text)
{
    union address address;
    struct text host = text;
    bool has_bits = text_cut(&text, '/', &host);
    uint64_t bits;

    if (!address_parse(&address, host, 0))
        return false;

    unsigned all = address.any.sa_family == AF_INET ? 32 : 128;

    bits = all;
    if (has_bits && (!text_number(text, &bits) || bits > all))
        return false;
    block->bits = (unsigned)bits + (128 - all);
    address_bytes(&address, block->bytes);
    return true;
}

static bool block_has(const struct address_block *block,
                      const unsigned char *bytes)
{
    unsigned whole = block->bits / 8;
    unsigned rest = block->bits % 8;

    if (memcmp(block->bytes, bytes, whole) != 0)
        return false;
    return rest == 0 ||
           ((block->bytes[whole] ^ bytes[whole]) >> (8 - rest)) == 0;
}

bool address_in(const union address *address,
                const struct address_block *blocks, size_t count)
{
    unsigned char bytes[16];

    if (count == 0 || address->any.sa_family == AF_UNSPEC)
        return false;
    address_bytes(address, bytes);
    for (size_t i = 0; i < count; i++)
        if (block_has(&blocks[i], bytes))
            return true;
    return false;
}

size_t address_find(const char *host, unsigned port, union address *list,
                    size_t room, const char **why)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    char service[8];
    size_t count = 0;
    int error;

    snprintf(service, sizeof(service), "%u", port);
    error = getaddrinfo(host, service, &hints, &found);
    if (error != 0) {
        *why = gai_strerror(error);
        return 0;
    }
    for (const struct addrinfo *at = found; at != NULL; at = at->ai_next) {
        if (count == room || at->ai_addrlen > sizeof(*list))
            continue;
        list[count] = (union address){.any.sa_family = AF_UNSPEC};
        memcpy(&list[count++], at->ai_addr, at->ai_addrlen);
    }
    freeaddrinfo(found);
    *why = "the name has no address that we can use";
    return count;
}

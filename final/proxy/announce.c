/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Behind a header comes a handshake or a request, perhaps in the same packet,
 * and whoever reads those wants all of it. So what has come is looked at first,
 * where it lies, and then only the header's own bytes are taken out. They are
 * taken out as soon as they come, as a poller would tell of them again and
 * again. What was looked at counts as read when it was taken out.
 */
#include "proxy/announce.h"

#include "base/settings.h"
#include "proxy/client.h"
#include "proxy/exchange.h"
#include "upstream/backend.h"

enum { LOOK_BYTES = 512 }; /* more than most headers have */

bool announce_is_due(const struct configuration *configuration,
                     const union address *peer)
{
    return address_in(peer, configuration->announcing,
                      configuration->announcing_count);
}

enum io announce_read(struct proxy_header *header, struct stream *client)
{
    char bytes[LOOK_BYTES];

    for (;;) {
        struct proxy_header ahead = *header;
        size_t come, used, taken;
        enum io io = stream_peek(client, bytes, sizeof(bytes), &come);

        if (io != IO_DONE)
            return io;
        if (proxy_header_read(&ahead, bytes, come, &used) ==
            PROXY_HEADER_REFUSED) {
            *header = ahead;
            return IO_BROKEN;
        }
        io = stream_receive(client, bytes, used, &taken);
        if (io != IO_DONE)
            return io;
        if (proxy_header_read(header, bytes, taken, &used) == PROXY_HEADER_DONE)
            return IO_DONE;
    }
}

void announce_take(const struct proxy_header *header, union address *from,
                   union address *to)
{
    const struct proxy_ends *ends = &header->ends;

    if (!header->is_told)
        return;
    address_of_bytes(from, ends->from, ends->from_port);
    address_of_bytes(to, ends->to, ends->to_port);
}

/** Both ends of the client's connection, as far as we know them. If somebody
 * behind listed proxies is the client, its port is not known. */
static bool find_ends(const struct exchange *exchange, struct proxy_ends *ends)
{
    union address from = client_find(exchange->terms->configuration,
                                     &exchange->request, exchange->from);
    union address to = *exchange->to;

    if (to.any.sa_family == AF_UNSPEC && !stream_address(exchange->client, &to))
        return false;
    if (from.any.sa_family == AF_UNSPEC)
        return false;
    address_bytes(&from, ends->from);
    address_bytes(&to, ends->to);
    ends->from_port = address_port(&from);
    ends->to_port = address_port(&to);
    return true;
}

size_t announce_print(const struct exchange *exchange, char *out)
{
    unsigned wanted = atomic_load(&exchange->backend->send_proxy);
    unsigned version = wanted == SETTINGS_SEND_PROXY_V1 ? 1 : 2;
    struct proxy_ends ends;

    if (wanted == SETTINGS_SEND_PROXY_OFF)
        return 0;
    return proxy_header_print(version,
                              find_ends(exchange, &ends) ? &ends : NULL, out);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "upstream/connection.h"

#include "base/must.h"
#include "event/loop.h"
#include "net/socket.h"
#include "net/stream_tls.h"
#include "upstream/backend.h"

#include <stdlib.h>
#include <string.h>

enum { UPSTREAM_MAGIC = 0x75707374 };

/** Call whoever uses it now. */
static void on_ready(void *arg)
{
    struct upstream *upstream = must_be(struct upstream, UPSTREAM_MAGIC, arg);

    upstream->on_event(upstream->user);
}

/** Say what comes before everything else; more follows at once. */
static enum io say_opening(struct upstream *upstream)
{
    enum io io = IO_DONE;

    while (io == IO_DONE && upstream->opening_sent < upstream->opening_length) {
        struct iovec piece = {upstream->opening + upstream->opening_sent,
                              upstream->opening_length -
                                  upstream->opening_sent};
        size_t sent;

        io = stream_send_more(&upstream->stream, &piece, 1, &sent);
        upstream->opening_sent += sent;
    }
    return io;
}

/** TLS begins behind the opening. */
static void begin_tls(struct upstream *upstream)
{
    if (upstream->tls == NULL)
        return;
    tls_connect(&upstream->stream, upstream->tls, upstream->backend->host);
    upstream->tls = NULL;
}

enum io upstream_finish(struct upstream *upstream)
{
    enum io io = IO_DONE;

    if (!upstream->is_connected)
        io = socket_connected(&upstream->stream);
    upstream->is_connected = io == IO_DONE;
    if (io == IO_DONE)
        io = say_opening(upstream);
    if (io != IO_DONE)
        return io;
    begin_tls(upstream);
    if (!stream_is_secure(&upstream->stream))
        return io;
    io = tls_shake(&upstream->stream);
    return io == IO_END ? IO_BROKEN : io;
}

static void take_opening(struct upstream *upstream, struct text opening)
{
    must(opening.length <= UPSTREAM_OPENING_MAX);
    if (opening.length > 0)
        memcpy(upstream->opening, opening.at, opening.length);
    upstream->opening_length = opening.length;
}

enum io upstream_open(struct loop *loop, struct backend *backend,
                      const struct upstream_manner *manner,
                      void (*on_event)(void *user), void *user,
                      struct upstream **owned, struct upstream_fault *fault)
{
    struct upstream *upstream;
    union address address;
    enum io io;

    *owned = NULL;
    if (!backend_address(backend, &address)) {
        *fault = (struct upstream_fault){"its name was not found yet", false};
        return IO_BROKEN;
    }
    upstream = xnew(1, sizeof(*upstream));
    upstream->magic = UPSTREAM_MAGIC;
    upstream->backend = backend;
    upstream->loop = loop;
    upstream->dies_ms = INT64_MAX;
    upstream->tls = backend->is_https ? manner->tls : NULL;
    take_opening(upstream, manner->opening);
    io = socket_connect(&upstream->stream, &address);
    upstream->stream.watch.on_event = on_ready;
    upstream->stream.watch.arg = upstream;
    upstream_use(upstream, on_event, user);
    if (io == IO_DONE)
        io = upstream_finish(upstream);
    if (io != IO_BROKEN && !loop_watch(loop, &upstream->stream.watch)) {
        stream_break(&upstream->stream);
        io = IO_BROKEN;
    }
    if (io == IO_BROKEN) {
        fault->why = stream_words(&upstream->stream);
        fault->is_ours = stream_is_short(&upstream->stream);
        upstream_free(&upstream);
        return IO_BROKEN;
    }
    *owned = upstream;
    return io;
}

bool upstream_is_of(const struct upstream *upstream,
                    const struct tls_context *tls)
{
    return !stream_is_secure(&upstream->stream) ||
           tls_is_of(&upstream->stream, tls);
}

bool upstream_is_personal(const struct upstream *upstream)
{
    return upstream->opening_length > 0;
}

void upstream_use(struct upstream *upstream, void (*on_event)(void *user),
                  void *user)
{
    upstream->on_event = on_event;
    upstream->user = user;
}

void upstream_free(struct upstream **owned)
{
    struct upstream *upstream = *owned;

    if (upstream == NULL)
        return;
    must(!link_is_on(&upstream->resting));
    stream_close(&upstream->stream, upstream->loop);
    upstream->magic = 0;
    free(upstream);
    *owned = NULL;
}

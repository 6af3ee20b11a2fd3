/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "upstream/connection.h"

#include "base/must.h"
#include "event/loop.h"
#include "net/socket.h"
#include "net/stream_tls.h"
#include "upstream/backend.h"

#include <stdlib.h>

enum { UPSTREAM_MAGIC = 0x75707374 };

/** Call whoever uses it now. */
static void on_ready(void *arg)
{
    struct upstream *upstream = must_be(struct upstream, UPSTREAM_MAGIC, arg);

    upstream->on_event(upstream->user);
}

enum io upstream_finish(struct upstream *upstream)
{
    enum io io = IO_DONE;

    if (!upstream->is_connected)
        io = socket_connected(&upstream->stream);
    upstream->is_connected = io == IO_DONE;
    if (io != IO_DONE || !stream_is_secure(&upstream->stream))
        return io;
    io = tls_shake(&upstream->stream);
    return io == IO_END ? IO_BROKEN : io;
}

enum io upstream_open(struct loop *loop, struct backend *backend,
                      struct tls_context *tls, void (*on_event)(void *user),
                      void *user, struct upstream **owned,
                      struct upstream_fault *fault)
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
    io = socket_connect(&upstream->stream, &address);
    upstream->stream.watch.on_event = on_ready;
    upstream->stream.watch.arg = upstream;
    upstream_use(upstream, on_event, user);
    if (io != IO_BROKEN && backend->is_https)
        tls_connect(&upstream->stream, tls, backend->host);
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

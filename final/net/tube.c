/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * splice() hands pages from a socket to a pipe, and from there to a socket; the
 * bytes in them are not looked at.
 *
 * A pipe has places for pages, and a page may be nearly empty. So a call that
 * moved less than it was allowed to may have found the end of what has come, or
 * no place; unlike with recv(), only a call that moves nothing tells.
 */
#include "net/tube.h"

#include "base/must.h"
#include "net/stream_plain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

void tubes_init(struct tubes *tubes)
{
    *tubes = (struct tubes){.count = 0};
    list_init(&tubes->spare);
}

static void tube_close(struct tube *tube)
{
    tube->tubes->count--;
    close(tube->in);
    close(tube->out);
    free(tube);
}

void tubes_fini(struct tubes *tubes)
{
    struct link *link;

    while ((link = list_take_first(&tubes->spare)) != NULL)
        tube_close(list_item(link, struct tube, link));
    must(tubes->count == 0);
}

void tube_give(struct tube **owned)
{
    struct tube *tube = *owned;

    *owned = NULL;
    if (tube == NULL)
        return;
    if (tube->held > 0 || tube->tubes->is_refused)
        tube_close(tube);
    else
        list_put_after(&tube->tubes->spare, &tube->link);
}

#if defined(__linux__)

static struct tube *tube_open(struct tubes *tubes)
{
    struct tube *tube;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1)
        return NULL;
    /* More places for pages. When that is refused, it works as well, with more
     * calls. */
    (void)fcntl(ends[1], F_SETPIPE_SZ, TUBE_BYTES);
    tube = xnew(1, sizeof(*tube));
    tube->tubes = tubes;
    tube->out = ends[0];
    tube->in = ends[1];
    tubes->count++;
    return tube;
}

struct tube *tube_take(struct tubes *tubes)
{
    struct link *link;

    if (tubes->is_refused)
        return NULL;
    link = list_take_first(&tubes->spare);
    if (link != NULL)
        return list_item(link, struct tube, link);
    return tubes->count < TUBES_MAX ? tube_open(tubes) : NULL;
}

static ssize_t move(int from, int to, size_t length)
{
    ssize_t moved;

    do
        moved = splice(from, NULL, to, NULL, length,
                       SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    while (moved == -1 && errno == EINTR);
    return moved;
}

/** A kernel, or who guards it, that has no splice() for sockets. */
static bool is_refusal(int error)
{
    return error == EINVAL || error == ENOSYS || error == EPERM;
}

enum io tube_fill(struct tube *tube, struct stream *from, size_t most,
                  size_t *got)
{
    ssize_t moved;

    must(tube->held == 0);
    *got = 0;
    if (!(from->watch.ready & READY_READ))
        return IO_WAIT;
    moved =
        move(from->watch.fd, tube->in, most < TUBE_BYTES ? most : TUBE_BYTES);
    if (moved == -1 && is_refusal(errno)) {
        tube->tubes->is_refused = true;
        return IO_DONE;
    }
    if (moved == -1)
        return plain_fail(from, READY_READ);
    if (moved == 0)
        return IO_END;
    *got = tube->held = (size_t)moved;
    return IO_DONE;
}

enum io tube_drain(struct tube *tube, struct stream *to, size_t *sent)
{
    ssize_t moved;

    must(tube->held > 0);
    *sent = 0;
    if (!(to->watch.ready & READY_WRITE))
        return IO_WAIT;
    moved = move(tube->out, to->watch.fd, tube->held);
    if (moved == -1)
        return plain_fail(to, READY_WRITE);
    *sent = (size_t)moved;
    tube->held -= (size_t)moved;
    return IO_DONE;
}

#else

struct tube *tube_take(struct tubes *tubes)
{
    (void)tubes;
    return NULL;
}

/* Nobody has a tube to call these with. */

enum io tube_fill(struct tube *tube, struct stream *from, size_t most,
                  size_t *got)
{
    (void)tube;
    (void)from;
    (void)most;
    *got = 0;
    return IO_BROKEN;
}

enum io tube_drain(struct tube *tube, struct stream *to, size_t *sent)
{
    (void)tube;
    (void)to;
    *sent = 0;
    return IO_BROKEN;
}

#endif

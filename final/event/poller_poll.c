/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * poll() is told the whole list each time, which costs more the more there are;
 * but every system has it. We ask only for what a watch does not know yet, so a
 * descriptor that is left alone on purpose (its reader is slow) does not wake us
 * again and again.
 */
#include "event/poller.h"

#include "base/must.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { SHORT_MS = 1 }; /* so long we rest when the kernel has no memory */

struct poller {
    size_t count, room;
    struct watch **watches; /**< owned; the watches are borrowed */
    struct pollfd *fds;     /**< owned: one for each watch, in the same place */
};

static struct poller *poll_new(void)
{
    return xnew(1, sizeof(struct poller));
}

static void poll_grow(struct poller *poller)
{
    size_t room = poller->room == 0 ? 64 : poller->room * 2;
    struct watch **watches = xnew(room, sizeof(struct watch *));
    struct pollfd *fds = xnew(room, sizeof(*fds));

    if (poller->count > 0)
        memcpy(watches, poller->watches,
               poller->count * sizeof(struct watch *));
    free(poller->watches);
    free(poller->fds);
    poller->watches = watches;
    poller->fds = fds;
    poller->room = room;
}

static bool poll_add(struct poller *poller, struct watch *watch)
{
    if (poller->count == poller->room)
        poll_grow(poller);
    watch->place = poller->count;
    poller->watches[poller->count++] = watch;
    return true;
}

/** The last one takes the place of the one that goes. */
static void poll_remove(struct poller *poller, struct watch *watch)
{
    struct watch *last = poller->watches[--poller->count];

    must(poller->watches[watch->place] == watch);
    last->place = watch->place;
    poller->watches[watch->place] = last;
}

/** What is there to be asked about this one? */
static short events_of(const struct watch *watch)
{
    short events = 0;

    if (!(watch->ready & READY_READ))
        events |= POLLIN;
    if (!(watch->ready & READY_WRITE))
        events |= POLLOUT;
#ifdef POLLRDHUP
    if (!(watch->ready & READY_END))
        events |= POLLRDHUP;
#endif
    return events;
}

/** The kernel's words in ours. */
static unsigned ready_of(short events)
{
    unsigned ready = 0;

    if (events & POLLIN)
        ready |= READY_READ;
    if (events & POLLOUT)
        ready |= READY_WRITE;
#ifdef POLLRDHUP
    if (events & POLLRDHUP)
        ready |= READY_READ | READY_END;
#endif
    if (events & (POLLERR | POLLHUP | POLLNVAL))
        ready |= READY_READ | READY_WRITE | READY_END | READY_BROKEN;
    return ready;
}

static void poll_wait_for(struct poller *poller, int wait_ms,
                          struct link *pending)
{
    for (size_t i = 0; i < poller->count; i++) {
        const struct watch *watch = poller->watches[i];
        /* poll() tells of a broken connection whether it is asked or not, and
         * would do so for ever; less than no descriptor is passed over. */
        int fd = watch->ready & READY_BROKEN ? -1 : watch->fd;

        poller->fds[i] = (struct pollfd){.fd = fd, .events = events_of(watch)};
    }

    int count = poll(poller->fds, (nfds_t)poller->count, wait_ms);

    /* Memory is short in the kernel: it may have some in a moment. */
    if (count == -1 && (errno == ENOMEM || errno == EAGAIN))
        count = poll(NULL, 0, SHORT_MS);
    must(count != -1 || errno == EINTR);
    for (size_t i = 0; count > 0 && i < poller->count; i++) {
        if (poller->fds[i].revents == 0)
            continue;
        count--;
        watch_tell(poller->watches[i], ready_of(poller->fds[i].revents),
                   pending);
    }
}

static void poll_free(struct poller **poller)
{
    free((*poller)->watches);
    free((*poller)->fds);
    free(*poller);
    *poller = NULL;
}

const struct poller_kind poller_poll = {
    .name = "poll",
    .create = poll_new,
    .add = poll_add,
    .remove = poll_remove,
    .wait = poll_wait_for,
    .destroy = poll_free,
};

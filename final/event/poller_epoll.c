/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * epoll, edge-triggered: one call when a descriptor comes, none afterwards. The
 * kernel forgets a descriptor by itself when it is closed.
 */
#if defined(__linux__)
#include "event/poller.h"

#include "base/must.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_MAX = 256 };

struct poller {
    int fd; /**< owned */
    struct epoll_event events[EVENTS_MAX];
};

static struct poller *epoll_new(void)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);
    struct poller *poller;

    if (fd == -1)
        return NULL;
    poller = xnew(1, sizeof(*poller));
    poller->fd = fd;
    return poller;
}

static bool epoll_add(struct poller *poller, struct watch *watch)
{
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        .data = {.ptr = watch},
    };

    return epoll_ctl(poller->fd, EPOLL_CTL_ADD, watch->fd, &event) == 0;
}

static void epoll_remove(struct poller *poller, struct watch *watch)
{
    /* It is closed now, and with that forgotten, but only when nobody else has
     * it open (epoll(7), Questions and answers). Who comes after us has the
     * listeners, and has everything for a moment while it is being started. */
    epoll_ctl(poller->fd, EPOLL_CTL_DEL, watch->fd, NULL);
}

/** The kernel's words in ours. */
static unsigned ready_of(uint32_t events)
{
    unsigned ready = 0;

    if (events & EPOLLIN)
        ready |= READY_READ;
    if (events & EPOLLOUT)
        ready |= READY_WRITE;
    if (events & EPOLLRDHUP)
        ready |= READY_READ | READY_END;
    if (events & (EPOLLERR | EPOLLHUP))
        ready |= READY_READ | READY_WRITE | READY_END | READY_BROKEN;
    return ready;
}

static void epoll_wait_for(struct poller *poller, int wait_ms,
                           struct link *pending)
{
    int count = epoll_wait(poller->fd, poller->events, EVENTS_MAX, wait_ms);

    must(count != -1 || errno == EINTR);
    for (int i = 0; i < count; i++)
        watch_tell(poller->events[i].data.ptr,
                   ready_of(poller->events[i].events), pending);
}

static void epoll_free(struct poller **poller)
{
    close((*poller)->fd);
    free(*poller);
    *poller = NULL;
}

const struct poller_kind poller_epoll = {
    .name = "epoll",
    .create = epoll_new,
    .add = epoll_add,
    .remove = epoll_remove,
    .wait = epoll_wait_for,
    .destroy = epoll_free,
};
#endif

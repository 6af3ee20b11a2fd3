/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file notify.h
 * @brief Tell a service manager how it goes: sd_notify(3), without its library.
 *
 * A manager that wants to know names a socket in the environment
 * (`NOTIFY_SOCKET`). Where there is none, nothing here does anything.
 *
 *  - notify_open() looks whether somebody wants to know;
 *  - notify_ready(), notify_reloading() and notify_stopping() say what it does,
 *    notify_main() who does it from now on;
 *  - notify_watch() says again and again that it is alive, if the manager has a
 *    watchdog (`WATCHDOG_USEC`): twice in the time that may pass;
 *  - notify_close() ends it.
 *
 * What is sent is one small datagram. The manager reads it at once; should it
 * not, then control waits for it, and workers do not.
 *
 * @floor{control}
 * @thread{main}
 */
#ifndef CONTROL_NOTIFY_H
#define CONTROL_NOTIFY_H

#include "event/timer.h"

#include <stdbool.h>
#include <stdint.h>

struct fault;
struct loop;

/** Who wants to know. */
struct notify {
    int fd;            /**< owned: connected to the manager; -1: nobody */
    int64_t beat_ms;   /**< from one sign of life to the next; 0: none wanted */
    struct timer beat; /**< when the next one is due */
    struct loop *loop; /**< borrowed: the one whose life is told */
};

/**
 * Look whether somebody wants to know.
 *
 * @return false, with a sentence, when somebody does and cannot be told; the
 *         rest does nothing then
 */
bool notify_open(struct notify *notify, struct fault *fault);

/** Clients are served now (again), and this is what a person may read. */
__attribute__((format(printf, 2, 3))) void
notify_ready(const struct notify *notify, const char *format, ...);

/** The settings are being read again, until notify_ready(). */
void notify_reloading(const struct notify *notify);

/** Another process is the one to look after, from now on. */
void notify_main(const struct notify *notify, long pid);

/** No new clients are served any more. */
void notify_stopping(const struct notify *notify);

/** From now on, this loop tells that it runs, if that is wanted. */
void notify_watch(struct notify *notify, struct loop *loop);

/** Close it, and tell nothing any more. */
void notify_close(struct notify *notify);

#endif

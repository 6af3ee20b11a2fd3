/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The protocol is small and will not change (sd_notify(3), "Notes"): lines of
 * NAME=VALUE in one datagram to the socket that NOTIFY_SOCKET names, a path or,
 * after an @, a name in Linux' abstract room.
 */
#include "control/notify.h"
#include "base/clock.h"
#include "base/fault.h"
#include "event/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MESSAGE_MAX = 512 };

/* --- who wants to know ---------------------------------------------------- */

/** The length of the address; 0 when it is none. */
static socklen_t address_read(struct sockaddr_un *address, const char *text)
{
    size_t length = strlen(text);
    size_t before = offsetof(struct sockaddr_un, sun_path);

    if ((text[0] != '/' && text[0] != '@') || length < 2 ||
        length >= sizeof(address->sun_path))
        return 0;
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, text, length);
    if (text[0] == '/')
        return (socklen_t)(before + length + 1);
    address->sun_path[0] = '\0';
    return (socklen_t)(before + length);
}

/** Half of the time after which the manager believes us dead; 0: it never
 * does, or means another process. */
static int64_t beat_read(void)
{
    const char *usec = getenv("WATCHDOG_USEC");
    const char *pid = getenv("WATCHDOG_PID");
    char *rest;
    long long value;

    if (usec == NULL || (pid != NULL && atol(pid) != (long)getpid()))
        return 0;
    value = strtoll(usec, &rest, 10);
    if (value <= 0 || *rest != '\0')
        return 0;
    return value < 4000 ? 1 : value / 2000;
}

bool notify_open(struct notify *notify, struct fault *fault)
{
    const char *where = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address;
    socklen_t length;

    *notify = (struct notify){.fd = -1};
    if (where == NULL || *where == '\0')
        return true;
    length = address_read(&address, where);
    if (length == 0)
        return fault_say(fault, "NOTIFY_SOCKET=%s is no socket", where);
    notify->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    if (notify->fd == -1 ||
        connect(notify->fd, (struct sockaddr *)&address, length) == -1) {
        fault_say(fault, "NOTIFY_SOCKET=%s cannot be told how it goes: %s",
                  where, strerror(errno));
        notify_close(notify);
        return false;
    }
    fcntl(notify->fd, F_SETFD, FD_CLOEXEC);
    notify->beat_ms = beat_read();
    return true;
}

void notify_close(struct notify *notify)
{
    timer_clear(&notify->beat);
    if (notify->fd != -1)
        close(notify->fd);
    notify->fd = -1;
}

/* --- what it is told ------------------------------------------------------ */

/** A manager that is gone is not told, and that is all. */
static void tell(const struct notify *notify, const char *text)
{
    if (notify->fd == -1)
        return;
    while (send(notify->fd, text, strlen(text), 0) == -1 && errno == EINTR)
        continue;
}

void notify_ready(const struct notify *notify, const char *format, ...)
{
    static const char before[] = "READY=1\nSTATUS=";
    char text[MESSAGE_MAX];
    va_list values;

    memcpy(text, before, sizeof(before));
    va_start(values, format);
    vsnprintf(text + strlen(before), sizeof(text) - strlen(before), format,
              values);
    va_end(values);
    text[strcspn(text + strlen(before), "\n") + strlen(before)] = '\0';
    tell(notify, text);
}

void notify_reloading(const struct notify *notify)
{
    char text[MESSAGE_MAX];

    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
             clock_us());
    tell(notify, text);
}

void notify_main(const struct notify *notify, long pid)
{
    char text[MESSAGE_MAX];

    snprintf(text, sizeof(text), "MAINPID=%ld", pid);
    tell(notify, text);
}

void notify_stopping(const struct notify *notify)
{
    tell(notify, "STOPPING=1\nSTATUS=stopping");
}

static void on_beat(void *arg)
{
    struct notify *notify = arg;

    tell(notify, "WATCHDOG=1");
    timer_set_in(loop_timers(notify->loop), &notify->beat, notify->beat_ms,
                 loop_now(notify->loop));
}

void notify_watch(struct notify *notify, struct loop *loop)
{
    if (notify->beat_ms == 0)
        return;
    notify->loop = loop;
    notify->beat = (struct timer){.on_alarm = on_beat, .arg = notify};
    on_beat(notify);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "control/predecessor.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/must.h"
#include "base/text.h"
#include "upstream/health.h"
#include "upstream/pool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SAID_MAX = 1 << 20, WAIT_MS = 10000 };

/* --- what was passed ------------------------------------------------------- */

/** Is it a socket, and does it listen if it should? */
static bool is_socket(int fd, bool listens)
{
    int value = 0;
    socklen_t length = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 &&
           (value != 0) == listens;
}

/** One of the list: `http:4`. */
static void take_item(struct predecessor *predecessor, struct text item)
{
    struct text name;
    uint64_t number;
    int fd;

    if (!text_cut(&item, ':', &name) || !text_number(item, &number) ||
        number <= STDERR_FILENO || number > 1000000)
        return;
    fd = (int)number;
    if (text_is(name, "channel") && is_socket(fd, false)) {
        fcntl(fd, F_SETFD, FD_CLOEXEC);
        predecessor->channel = fd;
    }
    for (enum handed_role i = 0; i < HANDED_ROLES; i++)
        if (text_is(name, handed_role_name(i)) && is_socket(fd, true)) {
            fcntl(fd, F_SETFD, FD_CLOEXEC);
            handed_add(&predecessor->handed, i, fd);
        }
}

/* --- what was said --------------------------------------------------------- */

/** More bytes of it. @return 0: nothing more comes, or not in time */
static size_t hear(int channel, char *bytes, size_t room)
{
    struct pollfd wait = {.fd = channel, .events = POLLIN};
    int count;
    ssize_t got = -1;

    do
        count = poll(&wait, 1, WAIT_MS);
    while (count == -1 && errno == EINTR);
    if (count == 1)
        got = recv(channel, bytes, room, MSG_DONTWAIT);
    return got > 0 ? (size_t)got : 0;
}

/** All lines until this one comes; NULL: it does not. Owned by the caller. */
static char *hear_until(int channel, const char *last)
{
    char *said = xnew(SAID_MAX, 1);
    size_t length = 0, got;

    while (strstr(said, last) == NULL) {
        got = hear(channel, said + length, SAID_MAX - 1 - length);
        length += got;
        if (got == 0) {
            free(said);
            return NULL;
        }
    }
    return said;
}

/** The next line, without its end, if it begins so; its rest. */
static bool next_line(struct text *rest, const char *begin, struct text *words)
{
    struct text line;

    while (text_cut(rest, '\n', &line)) {
        size_t length = strlen(begin);

        if (!text_begins(line, begin))
            continue;
        *words = (struct text){line.at + length, line.length - length};
        return true;
    }
    return false;
}

static void listen_to(struct predecessor *predecessor)
{
    struct text rest, words;

    predecessor->said = hear_until(predecessor->channel, PREDECESSOR_BEGIN);
    if (predecessor->said == NULL)
        return;
    rest = text_of(predecessor->said);
    if (next_line(&rest, PREDECESSOR_TOKEN, &words))
        snprintf(predecessor->token, sizeof(predecessor->token), "%.*s",
                 TEXT_PRINT(words));
}

void predecessor_meet(struct predecessor *predecessor)
{
    const char *list = getenv(PREDECESSOR_VARIABLE);
    struct text rest, item;

    memset(predecessor, 0, sizeof(*predecessor));
    predecessor->channel = -1;
    if (list == NULL)
        return;
    rest = text_of(list);
    while (text_next(&rest, &item))
        take_item(predecessor, item);
    unsetenv(PREDECESSOR_VARIABLE);
    if (predecessor->channel != -1)
        listen_to(predecessor);
}

void predecessor_drain(const struct predecessor *predecessor, struct pool *pool)
{
    struct text rest, words;

    if (predecessor->said == NULL)
        return;
    rest = text_of(predecessor->said);
    while (next_line(&rest, PREDECESSOR_DRAINING, &words))
        for (size_t i = 0; i < pool->count; i++)
            if (text_is(words, pool->backends[i]->url))
                health_set_ready(pool, pool->backends[i], false, clock_ms());
}

/* --- what is answered ------------------------------------------------------ */

bool predecessor_say(int channel, const char *words)
{
    size_t left = strlen(words);

    while (left > 0) {
        ssize_t sent = send(channel, words, left, 0);

        if (sent == -1 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        words += sent;
        left -= (size_t)sent;
    }
    return true;
}

void predecessor_refuse(struct predecessor *predecessor,
                        const struct fault *fault)
{
    if (predecessor->channel == -1)
        return;
    predecessor_say(predecessor->channel, PREDECESSOR_REFUSED);
    predecessor_say(predecessor->channel, fault->text);
    predecessor_say(predecessor->channel, "\n");
}

bool predecessor_agree(struct predecessor *predecessor, struct fault *fault)
{
    char *said;

    if (predecessor->channel == -1)
        return true;
    predecessor_say(predecessor->channel, PREDECESSOR_READY);
    said = hear_until(predecessor->channel, PREDECESSOR_GO);
    if (said == NULL)
        return fault_say(fault, "the process before this one serves on");
    free(said);
    predecessor->agreed = true;
    log_info("%zu listeners were handed over by process %ld",
             predecessor->handed.count, (long)getppid());
    return true;
}

void predecessor_part(struct predecessor *predecessor)
{
    handed_end(&predecessor->handed, predecessor->agreed);
    if (predecessor->channel != -1)
        close(predecessor->channel);
    predecessor->channel = -1;
    free(predecessor->said);
    predecessor->said = NULL;
}

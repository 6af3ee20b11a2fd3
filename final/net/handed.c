/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "net/handed.h"

#include "net/listener.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

const char *handed_role_name(enum handed_role role)
{
    static const char *const names[HANDED_ROLES] = {
        [HANDED_HTTP] = "http",
        [HANDED_HTTPS] = "https",
        [HANDED_ADMIN] = "admin",
    };

    return names[role];
}

bool handed_add(struct handed *handed, enum handed_role role, int fd)
{
    if (handed->count == HANDED_MAX)
        return false;
    handed->sockets[handed->count++] = (struct handed_socket){role, fd};
    return true;
}

static bool is_there(const struct handed_socket *at, enum handed_role role,
                     const union address *where)
{
    union address wanted = *where, is;

    if (at->fd == -1 || !listener_address(at->fd, &is))
        return false;
    if (address_port(where) == 0) {
        if (at->role != role)
            return false;
        /* A sockaddr_in6 has it at the same place (RFC 3493, 3.3). */
        wanted.v4.sin_port = is.v4.sin_port;
    }
    return address_equals(&is, &wanted);
}

static int take(struct handed_socket *at)
{
    int fd = at->fd;

    at->fd = -1;
    return fd;
}

int handed_take(struct handed *handed, enum handed_role role,
                const union address *where)
{
    for (size_t i = 0; i < handed->count; i++)
        if (is_there(&handed->sockets[i], role, where))
            return take(&handed->sockets[i]);
    return -1;
}

/** Where a socket is in the file system; false: it is not there. */
static bool path_of(int fd, struct sockaddr_un *where)
{
    socklen_t length = sizeof(*where);

    memset(where, 0, sizeof(*where));
    return getsockname(fd, (struct sockaddr *)where, &length) == 0 &&
           where->sun_family == AF_UNIX && where->sun_path[0] != '\0';
}

/** Can it still be found at its path? Somebody may have removed it. */
static bool is_found(const struct sockaddr_un *where)
{
    struct stat status;

    return lstat(where->sun_path, &status) == 0 && S_ISSOCK(status.st_mode);
}

int handed_take_path(struct handed *handed, const char *path)
{
    for (size_t i = 0; i < handed->count; i++) {
        struct handed_socket *at = &handed->sockets[i];
        struct sockaddr_un where;

        if (at->fd == -1 || !path_of(at->fd, &where) ||
            strcmp(where.sun_path, path) != 0)
            continue;
        if (is_found(&where))
            return take(at);
        close(take(at)); /* nobody can reach it */
    }
    return -1;
}

void handed_end(struct handed *handed, bool is_ours)
{
    for (size_t i = 0; i < handed->count; i++) {
        struct handed_socket *at = &handed->sockets[i];
        struct sockaddr_un where;

        if (at->fd == -1)
            continue;
        if (is_ours && path_of(at->fd, &where))
            unlink(where.sun_path);
        close(take(at));
    }
    handed->count = 0;
}

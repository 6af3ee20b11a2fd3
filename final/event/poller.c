/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "event/poller.h"

#include <string.h>

const struct poller_kind *poller_find(const char *name)
{
    static const struct poller_kind *const kinds[] = {
#if defined(__linux__)
        &poller_epoll,
#endif
        &poller_poll,
    };

    if (strcmp(name, "auto") == 0)
        return kinds[0];
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}

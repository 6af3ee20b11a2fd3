/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "tcp_table.h"

#include <stdbool.h>
#include <stdio.h>

/** A line of the table (proc(5), /proc/net/tcp). */
struct row {
    unsigned local, remote; /* ports */
    unsigned state;
    unsigned long unread; /* bytes */
};

enum { STATE_LISTEN = 0x0a };

static bool row_read(const char *line, struct row *row)
{
    return sscanf(line, " %*u: %*x:%x %*x:%x %x %*x:%lx", &row->local,
                  &row->remote, &row->state, &row->unread) == 4;
}

/** Is there a row that is @p wanted? */
static enum tcp_fact look(bool (*wanted)(const struct row *row, unsigned local,
                                         unsigned remote),
                          unsigned local, unsigned remote)
{
    FILE *table = fopen("/proc/net/tcp", "re");
    enum tcp_fact fact = TCP_NO;
    char line[256];
    struct row row;

    if (table == NULL)
        return TCP_UNKNOWN;
    while (fact == TCP_NO && fgets(line, sizeof(line), table) != NULL)
        if (row_read(line, &row) && wanted(&row, local, remote))
            fact = TCP_YES;
    fclose(table);
    return fact;
}

static bool listens(const struct row *row, unsigned local, unsigned remote)
{
    (void)remote;
    return row->state == STATE_LISTEN && row->local == local;
}

enum tcp_fact tcp_is_listening(unsigned port)
{
    return look(listens, port, 0);
}

static bool has_unread(const struct row *row, unsigned local, unsigned remote)
{
    return row->local == local && row->remote == remote && row->unread > 0;
}

enum tcp_fact tcp_has_read(unsigned port, unsigned ours)
{
    switch (look(has_unread, port, ours)) {
    case TCP_YES: return TCP_NO;
    case TCP_NO: return TCP_YES;
    case TCP_UNKNOWN: break;
    }
    return TCP_UNKNOWN;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file tcp_table.h
 * @brief What the kernel knows of the connections of this machine: facts about
 * another process's sockets, without touching them.
 *
 * Linux tells them in /proc/net/tcp. Elsewhere the answer is #TCP_UNKNOWN.
 */
#ifndef SUPPORT_TCP_TABLE_H
#define SUPPORT_TCP_TABLE_H

/** What is known. */
enum tcp_fact {
    TCP_NO,
    TCP_YES,
    TCP_UNKNOWN, /**< this system does not tell */
};

/** Does anybody listen on this port (IPv4)? */
enum tcp_fact tcp_is_listening(unsigned port);

/**
 * Has the process at the other end of our connection read all that has come?
 * Yes, too, when there is no such connection any more.
 *
 * @param port  the port of that end
 * @param ours  the port of our end
 */
enum tcp_fact tcp_has_read(unsigned port, unsigned ours);

#endif

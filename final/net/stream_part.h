/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file stream_part.h
 * @brief What a stream is made of, for those files that are a part of it.
 *
 * Others include stream.h, which has all that can be done with one.
 *
 * @floor{net}
 * @thread{the worker it belongs to}
 */
#ifndef NET_STREAM_PART_H
#define NET_STREAM_PART_H

#include "event/poller.h"

struct tls;

/** How an attempt to move bytes ended. Each must be answered. */
enum io {
    IO_DONE,   /**< some bytes have moved */
    IO_WAIT,   /**< not now: on_event will be called */
    IO_END,    /**< the peer has sent its last byte */
    IO_BROKEN, /**< the connection is of no further use; see `error` */
};

/** One connection. */
struct stream {
    struct watch watch; /**< its descriptor, owned; -1: closed */
    struct tls *tls;    /**< owned; NULL: bytes go as they are */
    int error;          /**< after #IO_BROKEN: the system's number */
};

#endif

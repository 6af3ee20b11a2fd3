/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file ring_hash.h
 * @brief Places on the ring, the same on every machine. Given: do not change.
 *
 * A place is any number of 64 bits. After the largest comes 0 again, so that
 * they make a ring.
 *
 *  - ring_hash() finds the place of a key, such as a client's address;
 *  - ring_point() finds the places of a backend: as many as one likes.
 */
#ifndef RING_HASH_H
#define RING_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** Let each bit of a number change about half of the bits (MurmurHash3). */
static inline uint64_t ring_mix(uint64_t number)
{
    number = (number ^ (number >> 33)) * 0xff51afd7ed558ccdu;
    number = (number ^ (number >> 33)) * 0xc4ceb9fe1a85ec53u;
    return number ^ (number >> 33);
}

/** The place of these bytes (FNV-1a, mixed). */
static inline uint64_t ring_hash(const char *bytes, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return ring_mix(hash);
}

/** The place of a backend's point with that number: 0, 1, 2 ... */
static inline uint64_t ring_point(const char *name, unsigned number)
{
    uint64_t hash = ring_hash(name, strlen(name));

    return ring_mix(hash + number * 0x9e3779b97f4a7c15u);
}

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Yours to write. The header says what each function promises, the README what
 * it is good for, with an example and hints. Begin at TODO(01.1), and grade
 * often.
 */
#include "steady_io.h"

/* TODO(01.1): read until a whole head is in the buffer: any cut, any signal.
   TODO(01.2): with descriptors that do not block, and a time limit. */
enum steady steady_read_head(int fd, struct steady_buffer *buffer,
                             unsigned limit_ms, size_t *head_length)
{
    (void)fd;
    (void)buffer;
    (void)limit_ms;
    *head_length = 0;
    return STEADY_BROKEN;
}

/* TODO(01.3): what came behind a head begins the next one. */
void steady_drop(struct steady_buffer *buffer, size_t count)
{
    (void)buffer;
    (void)count;
}

/* TODO(01.4): write all: short writes, signals, a peer that does not read, a
   peer that has gone. */
enum steady steady_write_all(int fd, const void *bytes, size_t length,
                             unsigned limit_ms)
{
    (void)fd;
    (void)bytes;
    (void)length;
    (void)limit_ms;
    return STEADY_BROKEN;
}

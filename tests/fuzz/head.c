/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Any bytes, read as the head of a request: whatever the answer is, it must be
 * the same one however the bytes were cut up on their way.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    must_read_alike(HEAD_REQUEST, (const char *)data, size);
    return 0;
}

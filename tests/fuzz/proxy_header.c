/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A PROXY header, and what follows it. How the bytes were cut up must not
 * matter; none behind the header is read; and what it has told is told again by
 * a header of our own, in either version.
 */
#include "http/proxy_header.h"
#include "fuzz.h"

/** A header that was read in some way. */
struct reading {
    struct proxy_header header;
    enum proxy_header_result result;
    size_t used;
};

/** Read it in pieces of so many bytes. */
static void read_in(struct reading *reading, const char *bytes, size_t length,
                    size_t piece)
{
    size_t come, used;

    proxy_header_begin(&reading->header);
    reading->result = PROXY_HEADER_MORE;
    reading->used = 0;
    while (reading->result == PROXY_HEADER_MORE && reading->used < length) {
        char *copy;

        come = length - reading->used < piece ? length - reading->used : piece;
        copy = fuzz_copy(bytes + reading->used, come);
        reading->result =
            proxy_header_read(&reading->header, copy, come, &used);
        free(copy);
        must(used <= come);
        must(reading->result != PROXY_HEADER_MORE || used == come);
        reading->used += used;
    }
}

static void must_be_same(const struct reading *one, const struct reading *other)
{
    must(one->result == other->result);
    must(one->used == other->used);
    must(one->header.why == other->header.why);
    must(one->header.is_told == other->header.is_told);
    must(memcmp(&one->header.ends, &other->header.ends,
                sizeof(one->header.ends)) == 0);
}

/** Told by us, it is the same again. */
static void must_come_back(const struct reading *reading, unsigned version)
{
    char out[PROXY_LINE_MAX];
    struct reading again;
    size_t length = proxy_header_print(version, &reading->header.ends, out);

    must(length <= sizeof(out));
    read_in(&again, out, length, length);
    must(again.result == PROXY_HEADER_DONE);
    must(again.used == length);
    must(again.header.is_told);
    must(memcmp(&again.header.ends, &reading->header.ends,
                sizeof(again.header.ends)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t pieces[] = {1, 2, 3, 17, size / 2 + 1};
    const char *bytes = (const char *)data;
    struct reading whole, cut;

    read_in(&whole, bytes, size, size + 1);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        read_in(&cut, bytes, size, pieces[i]);
        must_be_same(&whole, &cut);
    }
    must((whole.result == PROXY_HEADER_REFUSED) == (whole.header.why != NULL));
    must(whole.used <= PROXY_BLOCK_MAX);
    if (whole.result != PROXY_HEADER_DONE)
        return 0;
    must(whole.used == whole.header.length);
    must(whole.used >= 15); /* the shortest is PROXY UNKNOWN */
    if (whole.header.is_told) {
        must_come_back(&whole, 1);
        must_come_back(&whole, 2);
    }
    return 0;
}

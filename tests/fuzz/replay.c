/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * usage: TARGET FILE...
 *
 * Give each file to a fuzz target, without libFuzzer and so with any compiler.
 * Each is tried in a process of its own: one that ends badly is told by name,
 * and the others are tried all the same. The last line is "N passed, M failed".
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it so */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** The bytes of a file. @return owned by the caller */
static uint8_t *read_file(const char *name, size_t *size)
{
    enum { SIZE_MAX_HERE = 1 << 20 };
    FILE *file = fopen(name, "rb");
    uint8_t *bytes = malloc(SIZE_MAX_HERE);

    if (file == NULL || bytes == NULL) {
        perror(name);
        exit(2);
    }
    *size = fread(bytes, 1, SIZE_MAX_HERE, file);
    fclose(file);
    return bytes;
}

/** In the child: give the target memory of exactly the size of the file. */
static void try_file(const char *name)
{
    size_t size;
    uint8_t *bytes = read_file(name, &size);
    uint8_t *exact = malloc(size > 0 ? size : 1);

    if (exact == NULL)
        exit(2);
    for (size_t i = 0; i < size; i++)
        exact[i] = bytes[i];
    free(bytes);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    exit(0); /* the leaks are looked for here */
}

int main(int count, char **names)
{
    int failed = 0;

    for (int i = 1; i < count; i++) {
        pid_t child = fork();
        int status;

        if (child == 0)
            try_file(names[i]);
        if (child == -1 || waitpid(child, &status, 0) == -1) {
            perror("replay");
            return 2;
        }
        if (status != 0) {
            printf("%s: failed with %s\n", names[0], names[i]);
            failed++;
        }
    }
    printf("%d passed, %d failed\n", count - 1 - failed, failed);
    return failed == 0 && count > 1 ? 0 : 1;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Any bytes as a configuration file. Nothing may crash or leak; what is refused
 * is refused with a sentence; and what is accepted is printed as a file that is
 * accepted too, and prints the same.
 */
#include "control/config.h"
#include "base/fault.h"
#include "base/must.h"
#include "base/settings.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NOLINTNEXTLINE(readability-identifier-naming): libFuzzer calls it so */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static bool read_text(const char *text, size_t length,
                      struct settings *settings, struct fault *fault)
{
    static char *const variables[] = {"PORT=8080", "EMPTY=", "HOST=a", NULL};
    struct config_origins origins;
    struct config_sources sources = {.path = "config.json",
                                     .text = text,
                                     .length = length,
                                     .variables = variables};

    return config_read(settings, &origins, &sources, fault);
}

/** Print the settings, and end them; the caller frees the text. */
static char *print(struct settings *settings, size_t *length)
{
    static const struct config_origins origins;
    char *text = NULL;
    FILE *out = open_memstream(&text, length);

    must(out != NULL);
    config_print(settings, &origins, out);
    must(fclose(out) == 0);
    settings_fini(settings);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct settings settings;
    struct fault fault = {""};
    char *first, *second;
    size_t first_length, second_length;

    if (!read_text((const char *)bytes, length, &settings, &fault)) {
        must(fault.text[0] != '\0');
        return 0;
    }
    first = print(&settings, &first_length);
    must(read_text(first, first_length, &settings, &fault));
    second = print(&settings, &second_length);
    must(first_length == second_length);
    must(memcmp(first, second, first_length) == 0);
    free(first);
    free(second);
    return 0;
}

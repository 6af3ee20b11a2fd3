/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file config_source.h
 * @brief What settings are read from, and who gave each of them.
 *
 * @floor{control}
 * @thread{the main one}
 */
#ifndef CONTROL_CONFIG_SOURCE_H
#define CONTROL_CONFIG_SOURCE_H

#include "base/settings.h"

#include <stddef.h>

/** Who gave a value. */
enum config_from {
    CONFIG_FROM_DEFAULT,
    CONFIG_FROM_FILE,
    CONFIG_FROM_ENVIRONMENT,
    CONFIG_FROM_FLAG,
};

/** Where each value came from. */
struct config_origins {
    const char *path; /**< borrowed: of the file; NULL: there was none */
    struct {
        enum config_from from;
        unsigned line;    /**< in the file */
        const char *name; /**< of the variable: lives as long as the program */
    } of[SETTING_COUNT];  /**< by the number of the setting */
};

/** What config_read() reads. All of it is borrowed. */
struct config_sources {
    const char *path; /**< the file; NULL: none */
    const char *text; /**< what is in it; NULL: go and read it */
    size_t length;    /**< of `text`, bytes */
    char *const
        *variables; /**< such as `environ`: "NAME=value", ended by NULL */
    const char *const
        *given; /**< SETTING_COUNT values of flags; NULL: not given */
};

#endif

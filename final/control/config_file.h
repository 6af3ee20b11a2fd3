/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file config_file.h
 * @brief The settings that stand in a file of JSON.
 *
 * @floor{control}
 * @thread{the main one}
 */
#ifndef CONTROL_CONFIG_FILE_H
#define CONTROL_CONFIG_FILE_H

#include "control/config_source.h"

#include <stdbool.h>

struct fault;

/**
 * Put what the file of @p sources says into the settings.
 *
 * @param settings changed, up to the place of the fault if there is one
 * @param origins  told which of them came from the file
 */
bool config_file_read(struct settings *settings, struct config_origins *origins,
                      const struct config_sources *sources,
                      struct fault *fault);

#endif

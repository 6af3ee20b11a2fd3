/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file reload.h
 * @brief `steelyard reload`: have one that runs read its settings again.
 *
 * @floor{control}
 * @thread{main; nothing else runs}
 */
#ifndef CONTROL_RELOAD_H
#define CONTROL_RELOAD_H

/**
 * Ask it by its admin listener, and print what has changed.
 *
 * @param argv the command line, from the word `reload` on
 * @return an exit status; see command.h
 */
int reload_main(int argc, char **argv);

#endif

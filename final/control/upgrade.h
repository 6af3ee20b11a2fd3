/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file upgrade.h
 * @brief `steelyard upgrade`: have one that runs hand over to a new process.
 *
 * @floor{control}
 * @thread{main; nothing else runs}
 */
#ifndef CONTROL_UPGRADE_H
#define CONTROL_UPGRADE_H

/**
 * Ask it by its admin listener, and wait until the new process serves.
 *
 * @param argv the command line, from the word `upgrade` on
 * @return an exit status; see command.h
 */
int upgrade_main(int argc, char **argv);

#endif

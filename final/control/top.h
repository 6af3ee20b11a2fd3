/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file top.h
 * @brief `steelyard top`: another steelyard, watched from a terminal.
 *
 * @floor{control}
 * @thread{the main one}
 */
#ifndef CONTROL_TOP_H
#define CONTROL_TOP_H

/**
 * Watch a steelyard until somebody presses q; without a terminal, or with
 * `--once`, print one table.
 *
 * @param argv `top` and its own flags
 * @return an exit status: 0, 1 when nobody answers, 2 for wrong flags
 */
int top_main(int argc, char **argv);

#endif

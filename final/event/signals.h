/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file signals.h
 * @brief Signals as events of a loop.
 *
 *  - signals_open() from the first line of main(): none is lost after that;
 *  - signals_watch() has them told to a function in a loop's thread.
 *
 * @floor{event}
 * @thread{main}
 */
#ifndef EVENT_SIGNALS_H
#define EVENT_SIGNALS_H

#include <stdbool.h>

struct loop;

/**
 * Catch these signals from now on, and ignore SIGPIPE: a peer that has left is
 * told by the call that finds out.
 *
 * @param numbers ended by 0
 * @return false with errno set when the system refuses
 */
bool signals_open(const int *numbers);

/** Call @p on_signal(@p arg, number) for each that comes or has come. */
bool signals_watch(struct loop *loop, void (*on_signal)(void *arg, int number),
                   void *arg);

/** Forget the loop. */
void signals_close(struct loop *loop);

#endif

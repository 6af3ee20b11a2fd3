/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file playground_page.h
 * @brief The playground as playground.js sees it: one at a time, and numbers.
 *
 * All that is declared here is exported from playground.wasm. Numbers that may
 * not fit in 32 bits are doubles, which hold all whole numbers up to 2^53.
 *
 * @thread{one}
 */
#ifndef PLAYGROUND_PAGE_H
#define PLAYGROUND_PAGE_H

#include <stdbool.h>

#pragma GCC visibility push(default)

/** Begin anew at time 0. */
void page_begin(unsigned seed);

/** Where words are put that page_order() shall read. */
char *page_room(void);

/** How many bytes fit there. */
unsigned page_room_size(void);

/** Follow an order: in the room stand a name and a value, each ended by a zero
 * byte. @return NULL, or a sentence: why not */
const char *page_order(void);

/** Kill a backend, or bring it back. */
void page_set_alive(unsigned backend, bool alive);

/** Does it live? */
bool page_is_alive(unsigned backend);

/** Does the balancer think so? */
bool page_is_up(unsigned backend);

/** Let so many microseconds pass. */
void page_run(unsigned us);

/** Simulated time, in microseconds. */
double page_now(void);

/** A fact about a side. */
double page_side(unsigned side, unsigned fact);

/** The same as it is shown; lasts until the next call. */
const char *page_side_text(unsigned side, unsigned fact);

/** A fact about a backend on a side. */
double page_backend(unsigned side, unsigned backend, unsigned fact);

/** How many points the history has. */
unsigned page_history_count(void);

/** A point of it: requests on their way. */
unsigned page_history_in_flight(unsigned side, unsigned index);

/** A point of it: p99, in microseconds. */
unsigned page_history_p99(unsigned side, unsigned index);

/** When the last pick but @p back was made, in microseconds; -1: none. */
double page_pick_time(unsigned side, unsigned back);

/** Who was picked then; -1: none. */
int page_pick_backend(unsigned side, unsigned back);

/** The name of a policy; NULL behind the last one. */
const char *page_policy_name(unsigned policy);

/** The name of a side's policy. */
const char *page_side_policy(unsigned side);

/** The name of a setting; NULL behind the last one. */
const char *page_setting_name(unsigned setting);

/** The lowest value of a setting. */
unsigned page_setting_lowest(unsigned setting);

/** The highest value of a setting. */
unsigned page_setting_highest(unsigned setting);

/** The value of a setting now. */
unsigned page_setting(unsigned setting);

/** The name of a fact about a side; NULL behind the last one. */
const char *page_side_name(unsigned fact);

/** The name of a fact about a backend; NULL behind the last one. */
const char *page_backend_name(unsigned fact);

#pragma GCC visibility pop

#endif

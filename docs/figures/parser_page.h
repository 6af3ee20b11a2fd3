/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file parser_page.h
 * @brief The step-through as parser.js sees it: one connection at a time.
 *
 * All that is declared here is exported from parser.wasm.
 *
 * @thread{one}
 */
#ifndef PARSER_PAGE_H
#define PARSER_PAGE_H

#include <stdbool.h>

#pragma GCC visibility push(default)

/** Begin with a new connection; the kind is an enum head_kind. */
void page_begin(unsigned kind);

/** Where bytes are put that page_feed() shall read. */
char *page_room(void);

/** How many bytes fit there, and into a connection. */
unsigned page_room_size(void);

/** Feed so many bytes of the room. @return false: they do not fit */
bool page_feed(unsigned from, unsigned count);

/** What is believed now, as parser_print() writes it; lasts until the next. */
const char *page_beliefs(void);

/** How many bytes had come when the connection was refused; else all. */
unsigned page_read(void);

/** How many examples there are. */
unsigned page_example_count(void);

/** The name of an example. */
const char *page_example_name(unsigned example);

/** What there is to see in it. */
const char *page_example_remark(unsigned example);

/** Its kind, an enum head_kind. */
unsigned page_example_kind(unsigned example);

/** Its bytes. */
const char *page_example_bytes(unsigned example);

/** How many. */
unsigned page_example_length(unsigned example);

#pragma GCC visibility pop

#endif

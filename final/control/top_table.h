/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file top_table.h
 * @brief The columns of the list of backends, and the list as plain text.
 *
 * @floor{control}
 * @thread{any}
 */
#ifndef CONTROL_TOP_TABLE_H
#define CONTROL_TOP_TABLE_H

#include <stddef.h>
#include <stdio.h>

struct top_backend;
struct top_model;

/* clang-format off */
/**
 * The columns between the backend's name and the reason for its state: title,
 * width (negative: at the left), and how soon it must go when there is no room:
 * the one with the highest number goes first, those with 0 stay.
 */
#define TOP_COLUMNS(X)           \
    X(STATE,    "STATE",  -13, 0) \
    X(SINCE,    "FOR",    -11, 6) \
    X(REQUESTS, "REQ/S",    8, 0) \
    X(ERRORS,   "ERR/S",    6, 2) \
    X(FLIGHT,   "FLIGHT",   7, 3) \
    X(P50,      "P50",      9, 5) \
    X(P99,      "P99",      9, 1) \
    X(WEIGHT,   "WEIGHT",   7, 4) \
    X(TRIES,    "TRIES",   13, 8) \
    X(FAILED,   "FAILED",  10, 7)
/* clang-format on */

/** A column. */
enum top_column {
#define X(name, title, width, goes) TOP_COLUMN_##name,
    TOP_COLUMNS(X)
#undef X
        TOP_COLUMN_COUNT
};

/** What the table knows of a column. */
struct top_column_row {
    const char *title; /**< what stands above it */
    int width;         /**< columns, with the blank before it; negative: left */
    int goes; /**< the one with the highest number goes first; 0: never */
};

/** Facts of a column. */
const struct top_column_row *top_column_row(enum top_column column);

/** What stands in a column. */
const char *top_cell(char *out, size_t room, enum top_column column,
                     const struct top_model *model,
                     const struct top_backend *backend);

/** A backend's name, without what they all begin with. */
const char *top_name(const struct top_backend *backend);

/** How many columns the longest of the names has. */
int top_name_width(const struct top_model *model);

/** Print all that is known as plain text: no colours, nothing cut off. */
void top_table_print(const struct top_model *model, FILE *out);

#endif

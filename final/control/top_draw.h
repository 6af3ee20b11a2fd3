/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file top_draw.h
 * @brief Puts what `steelyard top` knows on a terminal, by ncurses.
 *
 *  - top_screen_open() takes the terminal, top_screen_close() gives it back as
 *    it was;
 *  - top_screen_draw() draws everything, in whatever room there is;
 *  - top_screen_key() tells which key was pressed.
 *
 * @floor{control}
 * @thread{the main one}
 */
#ifndef CONTROL_TOP_DRAW_H
#define CONTROL_TOP_DRAW_H

#include <stdbool.h>
#include <stddef.h>

struct top_model;

/** Keys that are no characters. */
enum top_key {
    TOP_KEY_NONE = -1, /**< none was pressed */
    TOP_KEY_UP = 0x1000,
    TOP_KEY_DOWN,
    TOP_KEY_PAGE_UP,
    TOP_KEY_PAGE_DOWN,
    TOP_KEY_HOME,
    TOP_KEY_END,
    TOP_KEY_ENTER,
    TOP_KEY_ERASE,  /**< the character before */
    TOP_KEY_LEAVE,  /**< Escape */
    TOP_KEY_RESIZE, /**< the window has another size */
};

/** What is on the screen beside the model. Words are clean. */
struct top_view {
    bool shows_help;  /**< the keys are explained */
    bool is_lost;     /**< the connection is broken */
    bool is_asked;    /**< no events come: the state is asked for */
    const char *lost; /**< since when, in words */
    const char
        *below;   /**< the last line: a question or an answer; NULL: keys */
    bool asks;    /**< the last line waits for an answer */
    size_t stars; /**< so many characters of a secret were typed */
};

/**
 * Take the terminal.
 *
 * @return false when there is none that ncurses knows
 */
bool top_screen_open(void);

/** Give the terminal back. */
void top_screen_close(void);

/** Draw everything anew. */
void top_screen_draw(const struct top_model *model,
                     const struct top_view *view);

/** The next key that was pressed: a character or a #top_key. Does not wait. */
int top_screen_key(void);

#endif

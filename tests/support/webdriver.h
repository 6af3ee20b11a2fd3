/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file webdriver.h
 * @brief A browser without a window, driven by a test: chromium by chromedriver.
 *
 * What is spoken is WebDriver (a recommendation of the W3C): JSON over HTTP, to
 * a chromedriver of our own.
 *
 *  - webdriver_is_there() tells whether both are installed;
 *  - webdriver_open() starts them, webdriver_go() opens a page;
 *  - webdriver_click(), webdriver_type() and webdriver_press() are a person;
 *  - webdriver_script() asks the page, webdriver_is_true() waits for a fact;
 *  - webdriver_console() tells what the page complained about;
 *  - webdriver_end() ends both.
 *
 * Elements are named by CSS selectors. What fails leaves a sentence in `fault`.
 */
#ifndef SUPPORT_WEBDRIVER_H
#define SUPPORT_WEBDRIVER_H

#include "process.h"

#include <jansson.h>
#include <stdbool.h>

/** Keys for webdriver_press(). */
#define WEBDRIVER_TAB    "\xee\x80\x84"
#define WEBDRIVER_ENTER  "\xee\x80\x87"
#define WEBDRIVER_ESCAPE "\xee\x80\x8c"
#define WEBDRIVER_LEFT   "\xee\x80\x92"
#define WEBDRIVER_SHIFT  "\xee\x80\x88"

/** One browser with one page. */
struct webdriver {
    struct process driver; /**< owned */
    unsigned port;         /**< where chromedriver listens */
    char session[64];      /**< its name for our browser */
    char scratch[64];      /**< owned: a folder for all they write */
    char fault[1024];      /**< what went wrong last */
};

/** Are chromium and chromedriver installed? */
bool webdriver_is_there(void);

/** Start a browser whose window is so large, in pixels. */
bool webdriver_open(struct webdriver *web, unsigned width, unsigned height);

/** End the browser and its driver. */
void webdriver_end(struct webdriver *web);

/** Open a page, and wait until it has been loaded. */
bool webdriver_go(struct webdriver *web, const char *url);

/** Give the page this size, in CSS pixels; narrow ones are phones. */
bool webdriver_size(struct webdriver *web, unsigned width, unsigned height);

/** Let the person prefer a theme: `light` or `dark`. */
bool webdriver_theme(struct webdriver *web, const char *theme);

/** Is there such an element? */
bool webdriver_find(struct webdriver *web, const char *selector);

/** Click on it. */
bool webdriver_click(struct webdriver *web, const char *selector);

/** Type into it, behind what stands there. */
bool webdriver_type(struct webdriver *web, const char *selector,
                    const char *text);

/** Press keys one after the other, wherever the focus is. */
bool webdriver_press(struct webdriver *web, const char *keys);

/**
 * Run a function body in the page, such as `return document.title`.
 *
 * @return what it returned, owned by the caller; NULL when it failed
 */
json_t *webdriver_script(struct webdriver *web, const char *body);

/** Wait until an expression is true in the page, for @p ms (stretched). */
bool webdriver_is_true(struct webdriver *web, long ms, const char *expression);

/** The text of the first such element, owned by the caller; never NULL. */
char *webdriver_text(struct webdriver *web, const char *selector);

/**
 * What has come to the console since the last call.
 *
 * @return an array of objects with `level` and `message`, owned by the caller
 */
json_t *webdriver_console(struct webdriver *web);

/** Put a picture of what is seen into a file (PNG). */
bool webdriver_screenshot(struct webdriver *web, const char *path);

#endif

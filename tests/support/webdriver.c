/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Each command of WebDriver is a request to chromedriver: a method, a path
 * below that of the session, and an object. The answer is an object whose
 * `value` is what was asked for, or says what went wrong.
 *
 * The browser talks to its driver over a pipe, so it ends when the driver does,
 * even if a test is killed in the middle.
 */
#include "webdriver.h"

#include "fetch.h"
#include "wait.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { COMMAND_MS = 30000 };

static const char *const drivers[] = {"/usr/bin/chromedriver",
                                      "/usr/local/bin/chromedriver",
                                      "/usr/lib/chromium-browser/chromedriver",
                                      "/opt/homebrew/bin/chromedriver", NULL};
static const char *const browsers[] = {"/usr/bin/chromium",
                                       "/usr/bin/chromium-browser",
                                       "/usr/bin/google-chrome", NULL};

static const char *first_of(const char *const *paths)
{
    while (*paths != NULL && access(*paths, X_OK) != 0)
        paths++;
    return *paths;
}

bool webdriver_is_there(void)
{
    return first_of(drivers) != NULL && first_of(browsers) != NULL;
}

/* --- one command ----------------------------------------------------------- */

static bool fail(struct webdriver *web, const char *what, const char *why)
{
    snprintf(web->fault, sizeof(web->fault), "%s: %s", what, why);
    return false;
}

/** What the answer says, owned by the caller; NULL: it says what is wrong. */
static json_t *value_of(struct webdriver *web, const char *path,
                        const struct answer *answer)
{
    json_t *reply = json_loadb(answer->body == NULL ? "" : answer->body,
                               answer->length, JSON_DECODE_ANY, NULL);
    json_t *value = json_incref(json_object_get(reply, "value"));
    const char *words = json_string_value(json_object_get(value, "message"));

    json_decref(reply);
    if (answer->status == 200 && value != NULL)
        return value;
    fail(web, path, words != NULL ? words : answer->error);
    json_decref(value);
    return NULL;
}

/** @param body an object that is ended here, or NULL */
static json_t *ask(struct webdriver *web, const char *method, const char *path,
                   json_t *body)
{
    char url[256];
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    struct request request = {
        .method = method,
        .url = url,
        .body = text,
        .body_length = text == NULL ? 0 : strlen(text),
        .fields = (const char *const[]){"Content-Type: application/json", NULL},
        .timeout_ms = COMMAND_MS,
    };
    struct answer answer;
    json_t *value;

    snprintf(url, sizeof(url), "http://127.0.0.1:%u/session%s%s%s", web->port,
             web->session[0] == '\0' ? "" : "/", web->session, path);
    answer = fetch(&request);
    value = value_of(web, path, &answer);
    answer_free(&answer);
    json_decref(body);
    free(text);
    return value;
}

/** For commands whose answer is of no use. */
static bool tell(struct webdriver *web, const char *path, json_t *body)
{
    json_t *value = ask(web, "POST", path, body);
    bool good = value != NULL;

    json_decref(value);
    return good;
}

/** A command of chromium's own. */
static bool tell_chromium(struct webdriver *web, const char *command,
                          json_t *parameters)
{
    return tell(web, "/goog/cdp/execute",
                json_pack("{s:s, s:o}", "cmd", command, "params", parameters));
}

/* --- beginning and end ----------------------------------------------------- */

static unsigned port_of(const struct process *driver)
{
    static const char words[] = "started successfully on port ";
    unsigned port = 0;
    char *text;

    holds_within(10000, process_said(driver->out, words));
    text = process_text(driver->out);
    if (strstr(text, words) != NULL)
        port = (unsigned)strtoul(strstr(text, words) + strlen(words), NULL, 10);
    free(text);
    return port;
}

/** What kind of browser we want. */
static json_t *wishes(void)
{
    json_t *arguments =
        json_pack("[s, s, s, s, s, s]", "--headless=new", "--no-sandbox",
                  "--disable-gpu", "--disable-dev-shm-usage",
                  "--no-proxy-server", "--remote-debugging-pipe");
    json_t *chrome = json_pack("{s:s, s:o}", "binary", first_of(browsers),
                               "args", arguments);

    return json_pack("{s:{s:{s:o, s:{s:s}}}}", "capabilities", "alwaysMatch",
                     "goog:chromeOptions", chrome, "goog:loggingPrefs",
                     "browser", "ALL");
}

/** Start chromedriver, which leaves files behind: in a folder of our own. */
static bool driver_start(struct webdriver *web)
{
    const char *argv[] = {first_of(drivers), "--port=0", NULL};
    const char *before = getenv("TMPDIR");
    char *kept;
    bool good;

    snprintf(web->scratch, sizeof(web->scratch),
             P_tmpdir "/steelyard-browser-XXXXXX");
    if (mkdtemp(web->scratch) == NULL)
        return false;
    kept = before == NULL ? NULL : strdup(before);
    setenv("TMPDIR", web->scratch, 1);
    good = process_start(&web->driver, argv);
    if (kept != NULL)
        setenv("TMPDIR", kept, 1);
    else
        unsetenv("TMPDIR");
    free(kept);
    return good;
}

bool webdriver_open(struct webdriver *web, unsigned width, unsigned height)
{
    json_t *session;
    const char *name;

    *web = (struct webdriver){.port = 0};
    if (!webdriver_is_there())
        return fail(web, "no browser", "chromium, chromium-driver");
    if (!driver_start(web))
        return fail(web, first_of(drivers), "cannot be started");
    web->port = port_of(&web->driver);
    if (web->port == 0)
        return fail(web, first_of(drivers), "does not say where it listens");
    session = ask(web, "POST", "", wishes());
    name = json_string_value(json_object_get(session, "sessionId"));
    if (name != NULL)
        snprintf(web->session, sizeof(web->session), "%s", name);
    json_decref(session);
    return name != NULL && webdriver_size(web, width, height);
}

/** Remove a folder with all that is in it. */
static void folder_remove(char *path)
{
    char *const paths[] = {path, NULL};
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;

    while (tree != NULL && (entry = fts_read(tree)) != NULL)
        if (entry->fts_info != FTS_D)
            remove(entry->fts_accpath);
    if (tree != NULL)
        fts_close(tree);
}

void webdriver_end(struct webdriver *web)
{
    if (web->session[0] != '\0')
        json_decref(ask(web, "DELETE", "", NULL));
    process_stop(&web->driver, 5000);
    folder_remove(web->scratch);
}

/* --- the page -------------------------------------------------------------- */

bool webdriver_go(struct webdriver *web, const char *url)
{
    return tell(web, "/url", json_pack("{s:s}", "url", url));
}

bool webdriver_size(struct webdriver *web, unsigned width, unsigned height)
{
    return tell_chromium(web, "Emulation.setDeviceMetricsOverride",
                         json_pack("{s:i, s:i, s:i, s:b}", "width", (int)width,
                                   "height", (int)height, "deviceScaleFactor",
                                   1, "mobile", width < 600));
}

bool webdriver_theme(struct webdriver *web, const char *theme)
{
    return tell_chromium(web, "Emulation.setEmulatedMedia",
                         json_pack("{s:[{s:s, s:s}]}", "features", "name",
                                   "prefers-color-scheme", "value", theme));
}

/** The path of an element below the session; @p tail is behind it. */
static bool element_path(struct webdriver *web, const char *selector,
                         const char *tail, char path[256])
{
    json_t *element = ask(
        web, "POST", "/element",
        json_pack("{s:s, s:s}", "using", "css selector", "value", selector));
    void *first = json_object_iter(element);
    const char *name =
        first == NULL ? NULL : json_string_value(json_object_iter_value(first));

    snprintf(path, 256, "/element/%s%s", name == NULL ? "" : name, tail);
    json_decref(element);
    return name != NULL;
}

bool webdriver_find(struct webdriver *web, const char *selector)
{
    char path[256];

    return element_path(web, selector, "", path);
}

bool webdriver_click(struct webdriver *web, const char *selector)
{
    char path[256];

    return element_path(web, selector, "/click", path) &&
           tell(web, path, json_object());
}

bool webdriver_type(struct webdriver *web, const char *selector,
                    const char *text)
{
    char path[256];

    return element_path(web, selector, "/value", path) &&
           tell(web, path, json_pack("{s:s}", "text", text));
}

/** How many bytes the first character of UTF-8 has. */
static size_t character_length(const char *text)
{
    size_t length = 1;

    while (((unsigned char)text[length] & 0xc0) == 0x80)
        length++;
    return length;
}

bool webdriver_press(struct webdriver *web, const char *keys)
{
    json_t *steps = json_array();

    while (*keys != '\0') {
        size_t length = character_length(keys);

        json_array_append_new(steps, json_pack("{s:s, s:s#}", "type", "keyDown",
                                               "value", keys, (int)length));
        json_array_append_new(steps, json_pack("{s:s, s:s#}", "type", "keyUp",
                                               "value", keys, (int)length));
        keys += length;
    }
    return tell(web, "/actions",
                json_pack("{s:[{s:s, s:s, s:o}]}", "actions", "type", "key",
                          "id", "keyboard", "actions", steps));
}

/* --- asking the page ------------------------------------------------------- */

json_t *webdriver_script(struct webdriver *web, const char *body)
{
    return ask(web, "POST", "/execute/sync",
               json_pack("{s:s, s:[]}", "script", body, "args"));
}

static bool is_true(struct webdriver *web, const char *body)
{
    json_t *value = webdriver_script(web, body);
    bool answer = json_is_true(value);

    json_decref(value);
    return answer;
}

bool webdriver_is_true(struct webdriver *web, long ms, const char *expression)
{
    size_t room = strlen(expression) + 32;
    char *body = malloc(room);
    bool answer;

    snprintf(body, room, "return Boolean(%s)", expression);
    answer = holds_within(ms, is_true(web, body));
    free(body);
    return answer;
}

char *webdriver_text(struct webdriver *web, const char *selector)
{
    char path[256];
    json_t *text = NULL;
    const char *words;
    char *copy;

    if (element_path(web, selector, "/text", path))
        text = ask(web, "GET", path, NULL);
    words = json_string_value(text);
    copy = strdup(words == NULL ? "" : words);
    json_decref(text);
    return copy;
}

json_t *webdriver_console(struct webdriver *web)
{
    return ask(web, "POST", "/se/log", json_pack("{s:s}", "type", "browser"));
}

/* --- pictures -------------------------------------------------------------- */

static int base64_digit(char digit)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = digit == '\0' ? NULL : strchr(digits, digit);

    return found == NULL ? -1 : (int)(found - digits);
}

/** Write what is told in base64 (RFC 4648, 4). */
static void write_base64(FILE *file, const char *text)
{
    unsigned bits = 0, count = 0;

    for (; base64_digit(*text) != -1; text++) {
        bits = bits << 6 | (unsigned)base64_digit(*text);
        count += 6;
        if (count >= 8) {
            count -= 8;
            fputc((int)(bits >> count & 0xff), file);
        }
    }
}

bool webdriver_screenshot(struct webdriver *web, const char *path)
{
    json_t *picture = ask(web, "GET", "/screenshot", NULL);
    FILE *file = picture == NULL ? NULL : fopen(path, "wb");

    if (file != NULL) {
        write_base64(file, json_string_value(picture));
        fclose(file);
    } else if (picture != NULL) {
        fail(web, path, "cannot be written");
    }
    json_decref(picture);
    return file != NULL;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The pages. Each is a row of the table at the end, and a function that fills
 * in a response. What is wrong with a request is said in a sentence.
 */
#include "pages.h"

#include "misbehave.h"
#include "origin.h"
#include "request.h"
#include "response.h"

#include <inttypes.h>
#include <string.h>

/** The most that /bytes/N makes: 1 GiB. */
#define BYTES_MAX (UINT64_C(1) << 30)

/** The longest time that may be asked for: ten minutes. */
#define WAIT_MS_MAX 600000

/** The most events that /stream sends. */
#define EVENTS_MAX 1000000

/** One page. */
struct page {
    const char *path;   /**< its path, or the beginning if it ends in a slash */
    const char *shown;  /**< as --help shows it */
    const char *method; /**< the only one, or NULL: all do */

    /** Fill in the response. @param rest what follows the beginning */
    void (*answer)(struct origin *origin, const struct request *request,
                   struct span rest, struct response *response);

    const char *does; /**< in words */
};

#define PAGE(name)                                                           \
    static void page_##name(struct origin *origin,                           \
                            const struct request *request, struct span rest, \
                            struct response *response)
#define UNUSED(name) (void)(name)

/** Find a number in the query. False: it is wrong, and that is answered. */
static bool query_number(const struct request *request, const char *name,
                         uint64_t max, uint64_t *number,
                         struct response *response)
{
    struct span value;

    if (!request_query(request, name, &value))
        return true;
    if (span_number(value, max, number))
        return true;
    response->status = 400;
    response_print(response, "%s is a whole number from 0 to %" PRIu64 "\n",
                   name, max);
    return false;
}

PAGE(hello)
{
    UNUSED(request), UNUSED(rest);
    response_print(response, "hello from %s on port %u\n", origin->name,
                   origin->port);
}

PAGE(alive)
{
    UNUSED(origin), UNUSED(request), UNUSED(rest);
    response_print(response, "ok\n");
}

PAGE(readyz)
{
    UNUSED(request), UNUSED(rest);
    response->status = origin->ready ? 200 : 503;
    response_print(response, origin->ready ? "ready\n" : "not ready\n");
}

PAGE(ready)
{
    origin->ready = true;
    page_readyz(origin, request, rest, response);
}

PAGE(not_ready)
{
    origin->ready = false;
    page_readyz(origin, request, rest, response);
    response->status = 200;
}

PAGE(slow)
{
    uint64_t ms = 1000;

    if (!query_number(request, "ms", WAIT_MS_MAX, &ms, response))
        return;
    response->pause_ms = (unsigned)ms;
    page_hello(origin, request, rest, response);
}

PAGE(status)
{
    uint64_t status = 0;

    UNUSED(origin), UNUSED(request);
    if (span_number(rest, 599, &status) && status >= 200) {
        response_set_status(response, (int)status);
        return;
    }
    response->status = 400;
    response_print(response, "write a status from 200 to 599: /status/503\n");
}

PAGE(bytes)
{
    UNUSED(origin), UNUSED(request);
    if (span_number(rest, BYTES_MAX, &response->length)) {
        response->type = "application/octet-stream";
        response->source = RESPONSE_LETTERS;
        return;
    }
    response->status = 400;
    response_print(response, "write a number up to %" PRIu64 ": /bytes/1024\n",
                   BYTES_MAX);
}

PAGE(echo)
{
    UNUSED(origin), UNUSED(rest);
    response->type = "application/octet-stream";
    response->source = RESPONSE_ECHO;
    response->length = request->chunked ? RESPONSE_UNKNOWN : request->length;
}

/** From the head on, bytes come back as they are, until the client goes. */
PAGE(tunnel)
{
    UNUSED(origin), UNUSED(rest);
    if (!request->upgrade) {
        response_set_status(response, 426);
        return;
    }
    response->status = 101;
    response->upgrade = "echo";
    response->source = RESPONSE_ECHO;
    response->length = RESPONSE_UNKNOWN;
    response->end = RESPONSE_LEAVE;
}

PAGE(headers)
{
    UNUSED(origin), UNUSED(rest);
    response_print(response, "%.*s", (int)request->head.length,
                   request->head.at);
}

/** HTTP/1.0 knows no chunks: there, the end of the connection is the end. */
PAGE(stream)
{
    uint64_t ms = 200;

    UNUSED(origin), UNUSED(rest);
    response->events = 5;
    if (!query_number(request, "n", EVENTS_MAX, &response->events, response) ||
        !query_number(request, "ms", WAIT_MS_MAX, &ms, response))
        return;
    response->type = "text/event-stream";
    response->source = RESPONSE_EVENTS;
    response->length = RESPONSE_UNKNOWN;
    response->event_gap_ms = (unsigned)ms;
    if (request->minor == 0) {
        response->close = true;
        response->end = RESPONSE_LEAVE;
    }
}

PAGE(sink)
{
    UNUSED(origin), UNUSED(request), UNUSED(rest);
    response->source = RESPONSE_COUNT;
    response->length = RESPONSE_UNKNOWN;
}

PAGE(stats)
{
    UNUSED(request), UNUSED(rest);
    response->type = "application/json";
    response_set_text(response, stats_page(origin));
}

static void say_no_misbehaviour(struct response *response)
{
    char names[512];

    misbehave_print_names(names, sizeof(names));
    response->status = 404;
    response_print(response, "choose one of these: %s\n", names);
}

PAGE(misbehave)
{
    struct misbehave asked = {.kind = misbehave_find(rest)};

    if (asked.kind == NULL) {
        say_no_misbehaviour(response);
        return;
    }
    asked.value = asked.kind->usual;
    if (asked.kind->value != NULL &&
        !query_number(request, asked.kind->value, asked.kind->max, &asked.value,
                      response))
        return;
    page_hello(origin, request, rest, response);
    misbehave_apply(&asked, origin, response);
}

/* clang-format off */
static const struct page pages[] = {
    {"/",            "/",                NULL,   page_hello,
     "says its name and port"},
    {"/healthz",     "/healthz",         NULL,   page_alive,
     "200: the server works"},
    {"/livez",       "/livez",           NULL,   page_alive,
     "200: the server lives"},
    {"/readyz",      "/readyz",          NULL,   page_readyz,
     "200 when ready, 503 when not"},
    {"/ready",       "POST /ready",      "POST", page_ready,
     "be ready from now on"},
    {"/not-ready",   "POST /not-ready",  "POST", page_not_ready,
     "be not ready from now on"},
    {"/slow",        "/slow?ms=",        NULL,   page_slow,
     "like / after so many milliseconds (1000)"},
    {"/status/",     "/status/NNN",      NULL,   page_status,
     "answers with this status"},
    {"/bytes/",      "/bytes/N",         NULL,   page_bytes,
     "N bytes, up to 1 GiB"},
    {"/echo",        "/echo",            NULL,   page_echo,
     "gives the request's body back as it comes"},
    {"/tunnel",      "/tunnel",          "GET",  page_tunnel,
     "upgrades, then gives back what comes"},
    {"/headers",     "/headers",         NULL,   page_headers,
     "shows the request's head as it arrived"},
    {"/stream",      "/stream?n=&ms=",   NULL,   page_stream,
     "n server-sent events (5), ms between (200)"},
    {"/sink",        "/sink",            NULL,   page_sink,
     "reads the request's body, tells its length"},
    {"/stats",       "/stats",           NULL,   page_stats,
     "what was counted, as JSON"},
    {"/misbehave/",  "/misbehave/NAME",  NULL,   page_misbehave,
     "misbehaves once; see --misbehave"},
};
/* clang-format on */

#define PAGES (sizeof(pages) / sizeof(*pages))

/** A path that ends in a slash is the beginning of many, but / is not. */
static bool page_matches(const struct page *page, struct span path)
{
    size_t length = strlen(page->path);

    if (length > 1 && page->path[length - 1] == '/')
        return span_begins(path, page->path);
    return span_is(path, page->path);
}

static const struct page *page_find(struct span path)
{
    for (size_t i = 0; i < PAGES; i++)
        if (page_matches(&pages[i], path))
            return &pages[i];
    return NULL;
}

void pages_answer(struct origin *origin, const struct request *request,
                  struct response *response)
{
    const struct page *page = page_find(request->path);

    if (page == NULL) {
        response_set_status(response, 404);
        return;
    }
    if (page->method != NULL && !span_is(request->method, page->method)) {
        response_set_status(response, 405);
        response->allow = page->method;
        return;
    }
    size_t used = strlen(page->path);
    struct span rest = {request->path.at + used, request->path.length - used};

    page->answer(origin, request, rest, response);
}

void pages_print_help(FILE *file)
{
    for (size_t i = 0; i < PAGES; i++)
        fprintf(file, "  %-18s  %s\n", pages[i].shown, pages[i].does);
}

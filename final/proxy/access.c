/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * As text, for people and awk:
 *
 *   2026-11-21T09:30:00.123Z a1b2-0001 192.0.2.7 "GET /x HTTP/1.1" 200 128
 *       http://127.0.0.1:8081=served/2ms connect=0ms first=1ms total=2ms -
 *
 * (each try with its result and how long it took; when the request had a
 * connection, when the first byte of the response came and when all was over,
 * counted from the request's first byte; why it ended early, if it did)
 *
 * and with the same facts as JSON, one object a line. Bytes that could break a
 * line, or be taken for something else, are written as \xNN.
 */
#include "proxy/access.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/settings.h"
#include "proxy/exchange.h"
#include "proxy/worker.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* No line is longer: a target that long, and every try at a backend with the
 * longest of names, find room. */
enum { LINE_BYTES = 8192, TARGET_BYTES = 2048 };

static const char *try_words(const struct try *try)
{
    return try->served ? "served" : attempt_words(try->ended);
}

/** Copy a text so that it stays on one line; returns how many bytes. */
static size_t escape(struct text text, char *out, size_t room)
{
    static const char digits[] = "0123456789abcdef";
    size_t used = 0;

    for (size_t i = 0; i < text.length && used + 5 < room; i++) {
        unsigned char c = (unsigned char)text.at[i];

        if (c > ' ' && c < 0x7f && c != '"' && c != '\\') {
            out[used++] = (char)c;
            continue;
        }
        out[used++] = '\\';
        out[used++] = 'x';
        out[used++] = digits[c >> 4];
        out[used++] = digits[c & 15];
    }
    out[used] = '\0';
    return used;
}

static long long ms(int64_t us)
{
    return (long long)((us + 500) / 1000);
}

/** From the first byte of the request to this, in ms; -1: it never came. */
static double since_began(const struct exchange *exchange, int64_t then_us)
{
    return then_us == 0 ? -1 : (double)(then_us - exchange->began_us) / 1000;
}

/** A line that is being put together; what finds no room is left out. */
struct line {
    size_t length;
    char text[LINE_BYTES];
};

__attribute__((format(printf, 2, 3))) static void add(struct line *line,
                                                      const char *format, ...)
{
    size_t room = sizeof(line->text) - line->length;
    va_list values;
    int wanted;

    va_start(values, format);
    wanted = vsnprintf(line->text + line->length, room, format, values);
    va_end(values);
    if (wanted > 0)
        line->length += (size_t)wanted < room ? (size_t)wanted : room - 1;
}

static void log_text(const struct exchange *exchange)
{
    struct line line;
    char method[64], target[TARGET_BYTES];
    char now[CLOCK_PRINT_MAX];

    line.length = 0; /* and the rest of it is not zeroed: it is much */
    clock_print(now);
    escape(exchange->request.method, method, sizeof(method));
    escape(exchange->request.target, target, sizeof(target));
    add(&line, "%s %s %s \"%s %s HTTP/1.%u\" %u %llu", now,
        exchange->request_id, exchange->client_text, method, target,
        exchange->request.minor, exchange->status,
        (unsigned long long)exchange->down.moved);
    for (unsigned i = 0; i < exchange->try_count; i++)
        add(&line, " %s=%s/%lldms", exchange->tries[i].backend->url,
            try_words(&exchange->tries[i]), ms(exchange->tries[i].took_us));
    add(&line, " connect=%.0fms first=%.0fms total=%.0fms %s",
        since_began(exchange, exchange->connected_us),
        since_began(exchange, exchange->first_byte_us),
        since_began(exchange, clock_us()),
        exchange->end_reason == NULL ? "-" : exchange->end_reason);
    if (line.length == sizeof(line.text) - 1)
        line.length--;
    line.text[line.length++] = '\n';
    log_access(line.text, line.length);
}

static json_t *tries_json(const struct exchange *exchange)
{
    json_t *tries = json_array();

    for (unsigned i = 0; i < exchange->try_count; i++)
        json_array_append_new(
            tries, json_pack("{s:s, s:s, s:f}", "backend",
                             exchange->tries[i].backend->url, "result",
                             try_words(&exchange->tries[i]), "ms",
                             (double)exchange->tries[i].took_us / 1000));
    return tries;
}

static void log_json(const struct exchange *exchange)
{
    char method[64], target[TARGET_BYTES], now[CLOCK_PRINT_MAX];
    char line[LINE_BYTES];
    json_t *object;
    size_t length;

    clock_print(now);
    escape(exchange->request.method, method, sizeof(method));
    escape(exchange->request.target, target, sizeof(target));
    object = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:o, s:f, s:f, s:f, s:s*}", "time",
        now, "id", exchange->request_id, "client", exchange->client_text,
        "method", method, "target", target, "status", (int)exchange->status,
        "bytes", (json_int_t)exchange->down.moved, "tries",
        tries_json(exchange), "connect_ms",
        since_began(exchange, exchange->connected_us), "first_byte_ms",
        since_began(exchange, exchange->first_byte_us), "total_ms",
        since_began(exchange, clock_us()), "end_reason", exchange->end_reason);
    length = json_dumpb(object, line, sizeof(line) - 1, JSON_COMPACT);
    if (length >= sizeof(line)) {
        /* The tries stand in the event log as well. */
        json_array_clear(json_object_get(object, "tries"));
        length = json_dumpb(object, line, sizeof(line) - 1, JSON_COMPACT);
    }
    json_decref(object);
    if (length == 0 || length >= sizeof(line))
        return;
    line[length++] = '\n';
    log_access(line, length);
}

void access_log(const struct exchange *exchange)
{
    const struct settings *settings = exchange->terms->settings;

    if (!exchange->has_begun || !log_has_access())
        return;
    if (settings->access_format == SETTINGS_ACCESS_JSON)
        log_json(exchange);
    else
        log_text(exchange);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "control/reply.h"

#include "base/must.h"
#include "control/json_words.h"
#include "http/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_ROOM = 3072 };

void reply_json(struct reply *reply, unsigned status, json_t *object)
{
    char *text;

    must(object != NULL);
    text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(10));
    must(text != NULL);
    json_decref(object);
    reply->status = status;
    reply->type = "application/json";
    reply->body = text;
    reply->length = strlen(text);
}

void reply_text(struct reply *reply, unsigned status, const char *format, ...)
{
    char text[1024];
    va_list more;

    va_start(more, format);
    vsnprintf(text, sizeof(text), format, more);
    va_end(more);
    reply->status = status;
    reply->type = "text/plain; charset=utf-8";
    reply->body = strdup(text);
    must(reply->body != NULL);
    reply->length = strlen(text);
}

void reply_refuse(struct reply *reply, unsigned status, const char *format, ...)
{
    char text[700];
    va_list more;

    va_start(more, format);
    vsnprintf(text, sizeof(text), format, more);
    va_end(more);
    reply_json(reply, status,
               json_pack("{s:{s:i, s:o}}", "error", "status", (int)status,
                         "message", json_words(text)));
}

static void print_length(const struct reply *reply, char *out, size_t room)
{
    *out = '\0';
    if (!reply->streams)
        snprintf(out, room, "Content-Length: %zu\r\n", reply->length);
}

char *reply_print(const struct reply *reply, bool is_bare, bool closes,
                  size_t *length)
{
    size_t kept = is_bare ? 0 : reply->length;
    char *out = xnew(HEAD_ROOM + kept, 1);
    char measure[48];
    int head;

    print_length(reply, measure, sizeof(measure));
    head = snprintf(out, HEAD_ROOM,
                    "HTTP/1.1 %u %s\r\n"
                    "Content-Type: %s\r\n"
                    "%s"
                    "Cache-Control: no-store\r\n"
                    "X-Content-Type-Options: nosniff\r\n"
                    "%s%s\r\n",
                    reply->status, status_words(reply->status), reply->type,
                    measure, reply->fields == NULL ? "" : reply->fields,
                    closes ? "Connection: close\r\n" : "");
    must(head > 0 && head < HEAD_ROOM);
    if (kept > 0)
        memcpy(out + head, reply->body != NULL ? reply->body : reply->page,
               kept);
    *length = (size_t)head + kept;
    return out;
}

void reply_fini(struct reply *reply)
{
    free(reply->body);
    reply->body = NULL;
}

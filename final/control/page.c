/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The Makefile makes two arrays of bytes out of the files, so that the program
 * needs nothing beside it.
 *
 * The dashboard has its scripts and styles in itself. So that no other script
 * can ever run there, whatever might find its way into the page, the browser is
 * told what each of them hashes to (Content Security Policy, level 3).
 */
#include "control/page.h"

#include "base/must.h"
#include "base/text.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

extern const char embedded_dashboard[], embedded_openapi[];
extern const size_t embedded_dashboard_length, embedded_openapi_length;

enum { POLICY_ROOM = 1500, HASH_ROOM = 64 };

/** What begins with this word, from here on; NULL when nothing does. */
static const char *find(struct text page, const char *from, const char *word)
{
    size_t left = page.length - (size_t)(from - page.at);

    return memmem(from, left, word, strlen(word));
}

/** `'sha256-...'` of these bytes. */
static void print_hash(char out[HASH_ROOM], const char *bytes, size_t length)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned char words[HASH_ROOM];
    unsigned size = 0;

    must(EVP_Digest(bytes, length, hash, &size, EVP_sha256(), NULL) == 1);
    EVP_EncodeBlock(words, hash, (int)size);
    snprintf(out, HASH_ROOM, "'sha256-%.50s'", (const char *)words);
}

/** The hashes of all that stands between `<TAG>` and `</TAG>`. */
static void add_hashes(char *out, size_t room, struct text page,
                       const char *begin, const char *end)
{
    const char *at = page.at, *last;
    char hash[HASH_ROOM];
    size_t used = strlen(out);

    while ((at = find(page, at, begin)) != NULL) {
        at += strlen(begin);
        last = find(page, at, end);
        must(last != NULL);
        print_hash(hash, at, (size_t)(last - at));
        used += (size_t)snprintf(out + used, room - used, " %s", hash);
        must(used < room);
    }
}

static const char *policy(void)
{
    static char line[POLICY_ROOM];
    struct text page = {embedded_dashboard, embedded_dashboard_length};
    size_t used;

    if (line[0] != '\0')
        return line;
    snprintf(line, sizeof(line),
             "Content-Security-Policy: default-src 'none'; "
             "connect-src 'self'; img-src 'self' data:; "
             "base-uri 'none'; form-action 'none'; "
             "frame-ancestors 'none'; script-src 'self'");
    add_hashes(line, sizeof(line), page, "<script>", "</script>");
    used = strlen(line);
    snprintf(line + used, sizeof(line) - used, "; style-src 'self'");
    add_hashes(line, sizeof(line), page, "<style>", "</style>");
    used = strlen(line);
    snprintf(line + used, sizeof(line) - used,
             "\r\nReferrer-Policy: no-referrer\r\n");
    return line;
}

void page_dashboard(struct reply *reply)
{
    reply->status = 200;
    reply->type = "text/html; charset=utf-8";
    reply->fields = policy();
    reply->page = embedded_dashboard;
    reply->length = embedded_dashboard_length;
}

void page_openapi(struct reply *reply)
{
    reply->status = 200;
    reply->type = "application/json";
    reply->page = embedded_openapi;
    reply->length = embedded_openapi_length;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "control/guard.h"

#include "http/head.h"

#include <openssl/crypto.h>
#include <string.h>

static bool changes_something(const struct head *head)
{
    return head->method_id != METHOD_GET && head->method_id != METHOD_HEAD;
}

/** `localhost:8090` is localhost, `[::1]:8090` is ::1. */
static struct text host_of(struct text authority)
{
    struct text host = authority;

    if (text_begins(authority, "[")) {
        host.at++;
        host.length--;
        if (text_cut(&host, ']', &authority))
            return authority;
        return host;
    }
    if (text_cut(&host, ':', &authority))
        return authority;
    return host;
}

static bool host_is_ours(const struct guard *guard, const struct head *head)
{
    struct text host = host_of(head->authority);

    if (guard->address == NULL || !guard->is_local)
        return true;
    return name_is(host, "localhost") || text_is(host, "127.0.0.1") ||
           text_is(host, "::1") || text_is(host, guard->address);
}

static struct text field_text(const struct head *head, const char *name)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (name_is(head->fields[i].name, name))
            return head->fields[i].value;
    return text_of("");
}

/** Browsers tell where a page is from that wants to change something. */
static bool origin_is_ours(const struct head *head)
{
    struct text origin = field_text(head, "Origin");

    if (origin.length == 0)
        return true;
    if (!text_begins(origin, "http://"))
        return false;
    origin.at += 7;
    origin.length -= 7;
    return name_equals(origin, head->authority);
}

/** Compared so that the time it takes tells nothing about the token. */
static bool has_token(const struct guard *guard, const struct head *head)
{
    struct text shown = field_text(head, "Authorization");
    struct text scheme;
    size_t length = strlen(guard->token);

    if (!text_cut(&shown, ' ', &scheme) || !name_is(scheme, "Bearer"))
        return false;
    shown = text_trim(shown);
    return shown.length == length &&
           CRYPTO_memcmp(shown.at, guard->token, length) == 0;
}

bool guard_admits(const struct guard *guard, const struct head *head,
                  struct reply *reply)
{
    if (!host_is_ours(guard, head)) {
        reply_refuse(
            reply, 403,
            "this listener is not called \"%.*s\"; ask for localhost",
            (int)(head->authority.length > 80 ? 80 : head->authority.length),
            head->authority.at);
        return false;
    }
    if (!changes_something(head))
        return true;
    if (!origin_is_ours(head)) {
        reply_refuse(reply, 403,
                     "pages of other sites may change nothing here");
        return false;
    }
    if (has_token(guard, head))
        return true;
    reply_refuse(reply, 401,
                 "to change something, show the token: Authorization: Bearer "
                 "TOKEN (setting admin-token; if it is not set, one is told in "
                 "the log at the start)");
    reply->fields = "WWW-Authenticate: Bearer\r\n";
    return false;
}

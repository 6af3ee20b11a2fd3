/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Each field line is looked at once: what is its name, is it one that we know,
 * and what does it say that we must know? When all have been read, it is worked
 * out what follows from them together: where the body ends, and whether the
 * connection goes on after it.
 */
#include "http/bytes.h"
#include "http/head_part.h"

#include <string.h>

/** Digits that a length may have: more would not fit in 64 bits for sure. */
enum { LENGTH_DIGITS_MAX = 18 };

/* --- field lines ---------------------------------------------------------- */

static const struct text field_names[FIELD_ID_COUNT] = {
#define X(id, name) [FIELD_##id] = {name, sizeof(name) - 1},
    FIELD_NAMES(X)
#undef X
};

/** By length, of which few names are alike; the first letter tells the rest. */
static const unsigned char fields_by_length[][4] = {
    [2] = {FIELD_TE},
    [3] = {FIELD_VIA},
    [4] = {FIELD_HOST, FIELD_DATE},
    [6] = {FIELD_COOKIE, FIELD_EXPECT},
    [7] = {FIELD_TRAILER, FIELD_UPGRADE},
    [9] = {FIELD_FORWARDED},
    [10] = {FIELD_CONNECTION, FIELD_KEEP_ALIVE, FIELD_SET_COOKIE},
    [12] = {FIELD_X_REQUEST_ID},
    [14] = {FIELD_CONTENT_LENGTH},
    [15] = {FIELD_X_FORWARDED_FOR},
    [16] = {FIELD_PROXY_CONNECTION, FIELD_X_FORWARDED_HOST},
    [17] = {FIELD_TRANSFER_ENCODING, FIELD_X_FORWARDED_PROTO},
    [18] = {FIELD_PROXY_AUTHENTICATE},
    [19] = {FIELD_PROXY_AUTHORIZATION, FIELD_X_STEELYARD_ATTEMPT,
            FIELD_X_STEELYARD_BACKEND},
};

enum field_id field_identify(struct text name)
{
    const unsigned char *id;

    if (name.length == 0 ||
        name.length >= sizeof(fields_by_length) / sizeof(fields_by_length[0]))
        return FIELD_OTHER;
    for (id = fields_by_length[name.length]; *id != FIELD_OTHER; id++)
        if (((*name.at ^ *field_names[*id].at) & ~0x20) == 0 &&
            name_equals(name, field_names[*id]))
            return *id;
    return FIELD_OTHER;
}

bool field_read(struct field *field, struct text line)
{
    size_t at = 0;

    /* A blank before the colon, and a line that begins with a blank, make a
     * name that is not a token (RFC 9112, 5.1 and 5.2). */
    while (at < line.length && byte_is(line.at[at], BYTE_TOKEN))
        at++;
    if (at == 0 || at == line.length || line.at[at] != ':')
        return false;
    field->name = (struct text){line.at, at};
    field->value =
        text_trim((struct text){line.at + at + 1, line.length - at - 1});
    field->id = field_identify(field->name);
    return true;
}

static bool has_seen(const struct head *head, enum field_id id)
{
    return (head->seen >> id & 1) != 0;
}

/** One and no more, and a valid one (RFC 9112, 3.2). It may be empty. */
static enum head_result read_host(struct head *head, struct text value)
{
    if (has_seen(head, FIELD_HOST))
        return head_refuse(head, 400, "more than one Host");
    if (value.length > 0 && !authority_is_valid(value))
        return head_refuse(head, 400, "Host is not host or host:port");
    if (!head->is_absolute)
        head->authority = value;
    return HEAD_DONE;
}

/** Plain digits, once, and no transfer coding beside (RFC 9112, 6.3). */
static enum head_result read_length(struct head *head, struct text value)
{
    if (has_seen(head, FIELD_CONTENT_LENGTH))
        return head_refuse(head, 400, "more than one Content-Length");
    if (has_seen(head, FIELD_TRANSFER_ENCODING))
        return head_refuse(head, 400,
                           "Content-Length beside Transfer-Encoding");
    if (value.length > LENGTH_DIGITS_MAX ||
        !text_number(value, &head->body_length))
        return head_refuse(head, 400,
                           "Content-Length is not a number of bytes");
    return HEAD_DONE;
}

/** `chunked`, once, and nothing else (RFC 9112, 6.1 and 7). */
static enum head_result read_coding(struct head *head, struct text value)
{
    struct text coding;

    if (head->minor == 0)
        return head_refuse(head, 400, "Transfer-Encoding in HTTP/1.0");
    if (has_seen(head, FIELD_CONTENT_LENGTH))
        return head_refuse(head, 400,
                           "Content-Length beside Transfer-Encoding");
    if (has_seen(head, FIELD_TRANSFER_ENCODING))
        return head_refuse(head, 400, "more than one Transfer-Encoding");
    if (name_is(value, "chunked"))
        return HEAD_DONE;
    if (!text_next(&value, &coding) || !text_is_of(coding, BYTE_TOKEN))
        return head_refuse(head, 400,
                           "Transfer-Encoding is not a list of codings");
    if (name_is(coding, "chunked"))
        return head_refuse(head, 400,
                           "chunked is not the last transfer coding");
    return head_refuse(head, 400, "a transfer coding that is not chunked");
}

/** What Connection said so far, in all its fields. */
struct connection {
    bool closes, keeps, upgrades;
};

/** Options, or names of fields that end here (RFC 9110, 7.6.1). */
static void read_connection(struct head *head, struct connection *connection,
                            struct text list)
{
    struct text item;

    while (text_next(&list, &item)) {
        if (name_is(item, "close"))
            connection->closes = true;
        else if (name_is(item, "keep-alive"))
            connection->keeps = true;
        else if (name_is(item, "upgrade"))
            connection->upgrades = true;
        else
            head->names_fields = true;
    }
}

/** `timeout=5, max=100`: how long the backend will keep the connection. */
static void read_keep_alive(struct head *head, struct text list)
{
    struct text item, name;
    uint64_t seconds;

    while (text_next(&list, &item))
        if (text_cut(&item, '=', &name) && name_is(name, "timeout") &&
            text_number(item, &seconds))
            head->keep_alive_secs =
                seconds < UINT32_MAX ? (unsigned)seconds : UINT32_MAX;
}

/** Take from a field what we must know. */
static enum head_result read_field(struct head *head,
                                   struct connection *connection,
                                   const struct field *field)
{
    enum head_result result = HEAD_DONE;
    bool is_request = head->kind == HEAD_REQUEST;

    if (field->id == FIELD_HOST && is_request)
        result = read_host(head, field->value);
    else if (field->id == FIELD_CONTENT_LENGTH)
        result = read_length(head, field->value);
    else if (field->id == FIELD_TRANSFER_ENCODING)
        result = read_coding(head, field->value);
    else if (field->id == FIELD_CONNECTION)
        read_connection(head, connection, field->value);
    else if (field->id == FIELD_KEEP_ALIVE && !is_request)
        read_keep_alive(head, field->value);
    else if (field->id == FIELD_EXPECT && is_request) /* RFC 9110, 10.1.1 */
        head->expects_continue =
            head->minor == 1 && list_has(field->value, text_of("100-continue"));
    else if (field->id == FIELD_TE && is_request)
        head->takes_trailers =
            head->minor == 1 && list_has(field->value, text_of("trailers"));
    head->seen |= UINT64_C(1) << field->id;
    return result;
}

/** All the lines behind the first one. */
static enum head_result read_fields(struct head *head,
                                    struct connection *connection,
                                    const char *at, const char *end)
{
    while (at < end) {
        const char *cr = memchr(at, '\r', (size_t)(end - at));
        struct field *field = &head->fields[head->field_count];

        if (head->field_count == FIELDS_MAX)
            return head_refuse(head, 431, "more than 100 field lines");
        if (!field_read(field, (struct text){at, (size_t)(cr - at)}))
            return head_refuse(head, 400,
                               "a field line that is not NAME: VALUE");
        head->field_count++;
        if (read_field(head, connection, field) == HEAD_REFUSED)
            return HEAD_REFUSED;
        at = cr + 2;
    }
    return HEAD_DONE;
}

/* --- what follows from the fields ----------------------------------------- */

/** How a request's body ends (RFC 9112, 6.3, rules 6 and 7). */
static void set_request_framing(struct head *head)
{
    if (has_seen(head, FIELD_TRANSFER_ENCODING))
        head->framing = FRAMING_CHUNKED;
    else if (head->body_length > 0)
        head->framing = FRAMING_LENGTH;
    else
        head->framing = FRAMING_NONE;
}

/** How a response's body ends (RFC 9112, 6.3, rules 1, 4, 6 and 8). */
static void set_response_framing(struct head *head)
{
    bool has_length = has_seen(head, FIELD_CONTENT_LENGTH);

    if (head->kind == HEAD_RESPONSE_TO_HEAD || head->status < 200 ||
        head->status == 204 || head->status == 304)
        head->framing = FRAMING_NONE;
    else if (has_seen(head, FIELD_TRANSFER_ENCODING))
        head->framing = FRAMING_CHUNKED;
    else if (!has_length)
        head->framing = FRAMING_CLOSE;
    else if (head->body_length > 0)
        head->framing = FRAMING_LENGTH;
}

/** 1xx and 204 may not announce a body (RFC 9110, 8.6; RFC 9112, 6.1). */
static bool announces_what_cannot_be(const struct head *head)
{
    return (head->status < 200 || head->status == 204) &&
           (has_seen(head, FIELD_TRANSFER_ENCODING) || head->body_length > 0);
}

/**
 * Upgrade may be asked for (RFC 9110, 7.8); but not to h2c, which is no more
 * (RFC 9113, 3.1), and would let a client talk to a backend past our rules.
 */
static bool may_upgrade(const struct head *head)
{
    if (head->minor == 0 || !has_seen(head, FIELD_UPGRADE))
        return false;
    for (size_t i = 0; i < head->field_count; i++)
        if (head->fields[i].id == FIELD_UPGRADE &&
            list_has(head->fields[i].value, text_of("h2c")))
            return false;
    return true;
}

static enum head_result conclude(struct head *head,
                                 const struct connection *connection)
{
    bool is_request = head->kind == HEAD_REQUEST;

    if (is_request && head->minor == 1 && !has_seen(head, FIELD_HOST))
        return head_refuse(head, 400, "no Host"); /* RFC 9112, 3.2 */
    if (is_request)
        set_request_framing(head);
    else
        set_response_framing(head);
    /* RFC 9112, 9.3 */
    head->keeps_alive =
        !connection->closes && (head->minor == 1 || connection->keeps);
    if (!is_request &&
        (head->framing == FRAMING_CLOSE || announces_what_cannot_be(head)))
        head->keeps_alive = false;
    head->wants_upgrade = connection->upgrades && may_upgrade(head);
    return HEAD_DONE;
}

enum head_result head_read_fields(struct head *head, const char *at,
                                  const char *end)
{
    struct connection connection = {false, false, false};
    enum head_result result = read_fields(head, &connection, at, end);

    return result == HEAD_DONE ? conclude(head, &connection) : result;
}

/* --- questions ------------------------------------------------------------ */

const struct field *head_find(const struct head *head, enum field_id id)
{
    if (!has_seen(head, id))
        return NULL;
    for (size_t i = 0; i < head->field_count; i++)
        if (head->fields[i].id == id)
            return &head->fields[i];
    return NULL;
}

/** Does a Connection field name it? */
static bool is_named(const struct head *head, struct text name)
{
    for (size_t i = 0; i < head->field_count; i++)
        if (head->fields[i].id == FIELD_CONNECTION &&
            list_has(head->fields[i].value, name))
            return true;
    return false;
}

bool head_is_hop_by_hop(const struct head *head, const struct field *field)
{
    static const uint64_t always =
        UINT64_C(1) << FIELD_CONNECTION | UINT64_C(1) << FIELD_KEEP_ALIVE |
        UINT64_C(1) << FIELD_PROXY_CONNECTION | UINT64_C(1) << FIELD_TE |
        UINT64_C(1) << FIELD_TRAILER | UINT64_C(1) << FIELD_UPGRADE |
        UINT64_C(1) << FIELD_TRANSFER_ENCODING |
        UINT64_C(1) << FIELD_PROXY_AUTHENTICATE |
        UINT64_C(1) << FIELD_PROXY_AUTHORIZATION;

    if ((always >> field->id & 1) != 0)
        return true;
    if (field->id == FIELD_HOST || field->id == FIELD_CONTENT_LENGTH)
        return false;
    return head->names_fields && is_named(head, field->name);
}

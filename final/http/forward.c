/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A head is written anew, in this order:
 *
 *     the first line, and Host          from what was understood
 *     the fields that go on             as they were written
 *     framing and Connection            our own
 *     who asked, and which way it came  ours, behind that of whom we trust
 *
 * Which of the known fields go on is worked out once for a head, as two sets;
 * the others go on unless a Connection field names them.
 */
#include "http/forward.h"

#include "http/bytes.h"

#include <string.h>

/* --- a piece of memory that is written from front to back ----------------- */

/** Where the next byte goes. What does not fit is left out, and `is_full`. */
struct printer {
    char *next;
    char *end;
    bool is_full;
};

static void put_bytes(struct printer *out, const char *bytes, size_t length)
{
    if ((size_t)(out->end - out->next) < length) {
        out->is_full = true;
        return;
    }
    memcpy(out->next, bytes, length);
    out->next += length;
}

/** Words that are known when this is compiled. */
#define PUT(out, words) put_bytes(out, words, sizeof(words) - 1)

static void put_text(struct printer *out, struct text text)
{
    if (text.length > 0)
        put_bytes(out, text.at, text.length);
}

static void put_number(struct printer *out, uint64_t number)
{
    char digits[DIGITS_MAX];

    put_bytes(out, digits, decimal_print(number, digits));
}

/** Most lines stand in the head as we would write them: `name: value CR LF`. */
static void put_field(struct printer *out, const struct field *field)
{
    struct text name = field->name;
    struct text value = field->value;
    const char *at = name.at + name.length + 2;

    if (value.at == at && at[-1] == ' ' && at[value.length] == '\r') {
        put_bytes(out, name.at, name.length + 2 + value.length + 2);
        return;
    }
    put_text(out, name);
    PUT(out, ": ");
    put_text(out, value);
    PUT(out, "\r\n");
}

/** How many bytes were written; none, if they are not a whole head. */
static size_t finish(struct printer *out, const char *begin)
{
    PUT(out, "\r\n");
    return out->is_full ? 0 : (size_t)(out->next - begin);
}

/* --- which fields go on --------------------------------------------------- */

/** Sets of known fields. The rest is asked one by one. */
struct sieve {
    uint64_t stay; /**< these do not go on as they are */
    uint64_t go;   /**< these do, whatever Connection names */
};

static uint64_t bit(enum field_id id)
{
    return UINT64_C(1) << id;
}

static void put_fields(struct printer *out, const struct head *head,
                       const struct sieve *sieve)
{
    for (size_t i = 0; i < head->field_count; i++) {
        const struct field *field = &head->fields[i];

        if ((sieve->stay & bit(field->id)) != 0)
            continue;
        if ((sieve->go & bit(field->id)) != 0 ||
            !head_is_hop_by_hop(head, field))
            put_field(out, field);
    }
}

/** What all fields of this kind say, each with `, ` behind it. */
static void put_list(struct printer *out, const struct head *head,
                     enum field_id id)
{
    if ((head->seen & bit(id)) == 0)
        return;
    for (size_t i = 0; i < head->field_count; i++) {
        if (head->fields[i].id != id || head->fields[i].value.length == 0)
            continue;
        put_text(out, head->fields[i].value);
        PUT(out, ", ");
    }
}

/** The version is that in which the message came to us (RFC 9110, 7.6.3). */
static void put_via(struct printer *out, const struct head *head,
                    struct text name)
{
    PUT(out, "Via: ");
    put_list(out, head, FIELD_VIA);
    if (head->minor == 1)
        PUT(out, "1.1 ");
    else
        PUT(out, "1.0 ");
    put_text(out, name);
    PUT(out, "\r\n");
}

/* --- requests ------------------------------------------------------------- */

/** Only what we understood decides who is asked for what (RFC 9112, 3.2). */
static void put_request_line(struct printer *out, const struct head *head)
{
    put_text(out, head->method);
    PUT(out, " ");
    put_text(out, head->path);
    PUT(out, " HTTP/1.1\r\nHost:");
    if (head->authority.length > 0)
        PUT(out, " ");
    put_text(out, head->authority);
    PUT(out, "\r\n");
}

static struct sieve request_sieve(const struct head *head, bool is_trusted)
{
    struct sieve sieve = {
        .stay = bit(FIELD_HOST) | bit(FIELD_CONTENT_LENGTH) | bit(FIELD_VIA) |
                bit(FIELD_FORWARDED) | bit(FIELD_X_FORWARDED_FOR) |
                bit(FIELD_X_STEELYARD_ATTEMPT),
        .go = bit(FIELD_EXPECT),
    };
    uint64_t told = bit(FIELD_X_FORWARDED_PROTO) | bit(FIELD_X_FORWARDED_HOST) |
                    bit(FIELD_X_REQUEST_ID);

    if (is_trusted)
        sieve.go |= told;
    else
        sieve.stay |= told;
    if (head->wants_upgrade)
        sieve.go |= bit(FIELD_UPGRADE);
    if (head->minor ==
        0) /* who sent it could not read a 100 (RFC 9110, 10.1.1) */
        sieve.stay |= bit(FIELD_EXPECT);
    return sieve;
}

/** The body is framed again by us, so this is ours, too (RFC 9112, 6). */
static void put_request_framing(struct printer *out, const struct head *head)
{
    if (head->framing == FRAMING_CHUNKED) {
        PUT(out, "Transfer-Encoding: chunked\r\n");
    } else if ((head->seen & bit(FIELD_CONTENT_LENGTH)) != 0) {
        PUT(out, "Content-Length: ");
        put_number(out, head->body_length);
        PUT(out, "\r\n");
    }
}

/** TE and Upgrade must be named by Connection (RFC 9110, 10.1.4 and 7.8). What
 * comes after an upgrade is no request, so of the last one nothing is said. */
static void put_request_connection(struct printer *out, const struct head *head,
                                   const struct forward_request *facts)
{
    bool has_te = facts->passes_trailers && head->takes_trailers;

    if (has_te)
        PUT(out, "TE: trailers\r\n");
    if (has_te && head->wants_upgrade)
        PUT(out, "Connection: upgrade, TE\r\n");
    else if (head->wants_upgrade)
        PUT(out, "Connection: upgrade\r\n");
    else if (has_te && facts->is_last)
        PUT(out, "Connection: close, TE\r\n");
    else if (has_te)
        PUT(out, "Connection: TE\r\n");
    else if (facts->is_last)
        PUT(out, "Connection: close\r\n");
}

/** In Forwarded, what is not a token stands in quotes (RFC 7239, 4). */
static void put_quoted(struct printer *out, struct text text)
{
    bool is_plain = text_is_of(text, BYTE_TOKEN);

    if (!is_plain)
        PUT(out, "\"");
    put_text(out, text);
    if (!is_plain)
        PUT(out, "\"");
}

/** An IPv6 address stands in brackets, and those in quotes (RFC 7239, 6). */
static void put_node(struct printer *out, struct text address)
{
    bool is_v6 =
        address.length > 0 && memchr(address.at, ':', address.length) != NULL;

    if (is_v6)
        PUT(out, "\"[");
    put_text(out, address);
    if (is_v6)
        PUT(out, "]\"");
}

/** `Forwarded: for=192.0.2.7;host=example.org;proto=http` (RFC 7239, 4). */
static void put_forwarded(struct printer *out, const struct head *head,
                          const struct forward_request *facts)
{
    PUT(out, "Forwarded: ");
    if (facts->is_trusted)
        put_list(out, head, FIELD_FORWARDED);
    PUT(out, "for=");
    put_node(out, facts->client);
    if (head->authority.length > 0) {
        PUT(out, ";host=");
        put_quoted(out, head->authority);
    }
    PUT(out, ";proto=");
    put_text(out, facts->scheme);
    PUT(out, "\r\n");
}

/** Does what the client said about this stand, because we trust it? */
static bool stands(const struct head *head, const struct forward_request *facts,
                   enum field_id id)
{
    return facts->is_trusted && (head->seen & bit(id)) != 0;
}

static void put_line(struct printer *out, const char *name, size_t length,
                     struct text value)
{
    put_bytes(out, name, length);
    put_text(out, value);
    PUT(out, "\r\n");
}

/** A line whose name is known when this is compiled. */
#define PUT_LINE(out, name, value) \
    put_line(out, name ": ", sizeof(name ": ") - 1, value)

/** Whose request this is: said by us, or by whom we trust and then by us. */
static void put_sender(struct printer *out, const struct head *head,
                       const struct forward_request *facts)
{
    PUT(out, "X-Forwarded-For: ");
    if (facts->is_trusted)
        put_list(out, head, FIELD_X_FORWARDED_FOR);
    put_text(out, facts->client);
    PUT(out, "\r\n");
    if (!stands(head, facts, FIELD_X_FORWARDED_PROTO))
        PUT_LINE(out, "X-Forwarded-Proto", facts->scheme);
    if (!stands(head, facts, FIELD_X_FORWARDED_HOST) &&
        head->authority.length > 0)
        PUT_LINE(out, "X-Forwarded-Host", head->authority);
    put_forwarded(out, head, facts);
    put_via(out, head, facts->via);
    if (!stands(head, facts, FIELD_X_REQUEST_ID) &&
        facts->request_id.length > 0)
        PUT_LINE(out, "X-Request-Id", facts->request_id);
    if (facts->attempt > 1) {
        PUT(out, "X-Steelyard-Attempt: ");
        put_number(out, facts->attempt);
        PUT(out, "\r\n");
    }
}

size_t forward_print_request(const struct head *head,
                             const struct forward_request *facts, char *out,
                             size_t room)
{
    struct printer printer = {out, out + room, false};
    struct sieve sieve = request_sieve(head, facts->is_trusted);

    put_request_line(&printer, head);
    put_fields(&printer, head, &sieve);
    put_request_framing(&printer, head);
    put_request_connection(&printer, head, facts);
    put_sender(&printer, head, facts);
    return finish(&printer, out);
}

/* --- responses ------------------------------------------------------------ */

static void put_status_line(struct printer *out, const struct head *head)
{
    PUT(out, "HTTP/1.1 ");
    put_number(out, head->status);
    PUT(out, " "); /* also before no words at all (RFC 9112, 4) */
    put_text(out, head->reason);
    PUT(out, "\r\n");
}

/**
 * Where there is no body, Content-Length may still tell how long it would have
 * been, but not in 1xx and 204 (RFC 9110, 8.6).
 */
static void put_response_framing(struct printer *out, const struct head *head,
                                 enum framing framing)
{
    bool has_length = (head->seen & bit(FIELD_CONTENT_LENGTH)) != 0;

    if (framing == FRAMING_CHUNKED)
        PUT(out, "Transfer-Encoding: chunked\r\n");
    if (framing == FRAMING_LENGTH ||
        (framing == FRAMING_NONE && has_length && head->status != 204)) {
        PUT(out, "Content-Length: ");
        put_number(out, head->body_length);
        PUT(out, "\r\n");
    }
}

/** What we add to a final response. */
static void put_additions(struct printer *out, const struct head *head,
                          const struct forward_response *facts)
{
    put_response_framing(out, head, facts->framing);
    if (facts->closes)
        PUT(out, "Connection: close\r\n");
    else if (facts->says_keep_alive)
        PUT(out, "Connection: keep-alive\r\n");
    if (facts->date.length > 0 && (head->seen & bit(FIELD_DATE)) == 0)
        PUT_LINE(out, "Date", facts->date);
    if (facts->cookie.length > 0)
        PUT_LINE(out, "Set-Cookie", facts->cookie);
    if (facts->backend.length > 0)
        PUT_LINE(out, "X-Steelyard-Backend", facts->backend);
}

size_t forward_print_response(const struct head *head,
                              const struct forward_response *facts, char *out,
                              size_t room)
{
    struct printer printer = {out, out + room, false};
    struct sieve sieve = {
        .stay = bit(FIELD_CONTENT_LENGTH) | bit(FIELD_VIA),
    };

    if (facts->backend.length > 0)
        sieve.stay |= bit(FIELD_X_STEELYARD_BACKEND);
    if (head->status == 101) /* RFC 9110, 7.8 */
        sieve.go |= bit(FIELD_UPGRADE);
    put_status_line(&printer, head);
    put_fields(&printer, head, &sieve);
    if (head->status == 101)
        PUT(&printer, "Connection: upgrade\r\n");
    else if (head->status >= 200)
        put_additions(&printer, head, facts);
    put_via(&printer, head, facts->via);
    return finish(&printer, out);
}

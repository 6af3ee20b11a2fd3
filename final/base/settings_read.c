/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Values as people write them. Each kind of value has a rule; what breaks the
 * rule is refused by one sentence, made from the row of the setting.
 *
 * Amounts (numbers, percentages, sizes, times) share one reader: digits,
 * perhaps a fraction, and a unit. They are counted in the smallest unit, and
 * whole: 1.5s is 1500 ms, but 0.5ms is refused, for it would be none at all.
 */
#include "base/fault.h"
#include "base/must.h"
#include "base/settings.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- refusing ------------------------------------------------------------ */

const char *settings_show(struct settings_shown *shown, const char *text)
{
    enum { MOST = 60 };
    size_t length = strlen(text);
    size_t kept = length > MOST ? MOST : length;

    for (size_t i = 0; i < kept; i++) {
        unsigned char byte = (unsigned char)text[i];

        shown->text[i] = text[i];
        if (byte < 0x20 || byte == 0x7f)
            shown->text[i] = '?';
    }
    snprintf(shown->text + kept, sizeof(shown->text) - kept, "%s",
             length > kept ? "..." : "");
    return shown->text;
}

/** "auto, epoll or poll" */
static void join_words(char *out, size_t room, enum setting setting)
{
    const char *word;
    size_t used = 0;

    for (unsigned i = 0; (word = setting_word(setting, i)) != NULL; i++) {
        bool is_last = setting_word(setting, i + 1) == NULL;
        const char *before = i == 0 ? "" : is_last ? " or " : ", ";

        used += (size_t)snprintf(out + used, room - used, "%s%s", before, word);
        must(used < room);
    }
}

bool settings_refuse(enum setting setting, const char *what,
                     struct fault *fault)
{
    const struct setting_row *row = setting_row(setting);
    const char *words = setting_kind_words(row->kind);
    const char *dots = strstr(row->range, "..");
    char choices[200];

    if (row->kind == SETTING_IS_CHOICE) {
        join_words(choices, sizeof(choices), setting);
        return fault_say(fault, "wants %s, not %s", choices, what);
    }
    if (dots != NULL && isdigit((unsigned char)row->range[0]))
        return fault_say(fault, "wants %s, from %.*s to %s, not %s", words,
                         (int)(dots - row->range), row->range, dots + 2, what);
    return fault_say(fault, "wants %s, not %s", words, what);
}

static bool refuse_text(enum setting setting, const char *text,
                        struct fault *fault)
{
    struct settings_shown shown;
    char quoted[sizeof(shown.text) + 2];

    snprintf(quoted, sizeof(quoted), "\"%s\"", settings_show(&shown, text));
    return settings_refuse(setting, quoted, fault);
}

/* --- amounts ------------------------------------------------------------- */

struct unit {
    const char *name;
    uint64_t size; /**< in the smallest unit; 0: only a zero may have it */
};

static const struct unit *units_of(enum setting_kind kind)
{
    static const struct unit counts[] = {{"", 1}, {NULL, 0}};
    static const struct unit percents[] = {{"", 1}, {"%", 1}, {NULL, 0}};
    static const struct unit times[] = {
        {"", 0},        {"ms", 1},      {"s", 1000},     {"m", 60000},
        {"min", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0}};
    static const struct unit sizes[] = {
        {"", 1},         {"b", 1},         {"k", 1 << 10},
        {"kb", 1 << 10}, {"kib", 1 << 10}, {"m", 1 << 20},
        {"mb", 1 << 20}, {"mib", 1 << 20}, {"g", 1 << 30},
        {"gb", 1 << 30}, {"gib", 1 << 30}, {"t", UINT64_C(1) << 40},
        {NULL, 0}};

    if (kind == SETTING_IS_DURATION)
        return times;
    if (kind == SETTING_IS_BYTES)
        return sizes;
    return kind == SETTING_IS_PERCENT ? percents : counts;
}

/** Digits as a number; not more than @p most of them. */
static bool cut_digits(struct text *rest, size_t most, uint64_t *number,
                       uint64_t *power)
{
    size_t digits = 0;

    *number = 0;
    *power = 1;
    while (digits < rest->length && rest->at[digits] >= '0' &&
           rest->at[digits] <= '9') {
        if (digits == most)
            return false;
        *number = *number * 10 + (uint64_t)(rest->at[digits] - '0');
        *power *= 10;
        digits++;
    }
    rest->at += digits;
    rest->length -= digits;
    return digits > 0;
}

static bool amount_read(enum setting_kind kind, struct text text,
                        uint64_t *amount)
{
    const struct unit *unit = units_of(kind);
    uint64_t whole, part = 0, power = 1;

    /* So few digits that no multiplication below can overflow. */
    if (!cut_digits(&text, 15, &whole, &power))
        return false;
    power = 1; /* only what has units may have a fraction */
    if (text_begins(text, ".") && unit[1].name != NULL) {
        text.at++;
        text.length--;
        if (!cut_digits(&text, 6, &part, &power))
            return false;
    }
    while (unit->name != NULL && !name_is(text, unit->name))
        unit++;
    if (unit->name == NULL || (unit->size == 0 && whole + part > 0))
        return false;
    if (unit->size > 0 && whole > UINT64_MAX / 4 / unit->size)
        return false;
    *amount = whole * unit->size + part * unit->size / power;
    return part * unit->size % power == 0;
}

static bool amount_in_range(const struct setting_row *row, uint64_t amount)
{
    struct text max = text_of(row->range), min;
    uint64_t from, to;

    must(text_cut(&max, '.', &min));
    max.at++; /* the second dot */
    max.length--;
    must(amount_read(row->kind, min, &from));
    must(amount_read(row->kind, max, &to));
    return from <= amount && amount <= to;
}

static bool set_amount(void *field, const struct setting_row *row,
                       const char *text)
{
    uint64_t amount;

    if (!amount_read(row->kind, text_of(text), &amount) ||
        !amount_in_range(row, amount))
        return false;
    if (row->kind == SETTING_IS_BYTES)
        *(uint64_t *)field = amount;
    else if (row->kind == SETTING_IS_DURATION)
        *(int64_t *)field = (int64_t)amount;
    else
        *(unsigned *)field = (unsigned)amount;
    return true;
}

/* --- words --------------------------------------------------------------- */

const char *setting_word(enum setting setting, unsigned number)
{
    const char *word = setting_row(setting)->range;

    while (number-- > 0 && *word != '\0')
        word += strlen(word) + 1;
    return *word == '\0' ? NULL : word;
}

const char *settings_word(const struct settings *settings, enum setting setting)
{
    const struct setting_row *row = setting_row(setting);
    const void *field = (const char *)settings + row->offset;

    must(row->kind == SETTING_IS_CHOICE);
    return setting_word(setting, *(const unsigned *)field);
}

static bool set_choice(unsigned *field, enum setting setting, const char *text)
{
    const char *word;

    for (unsigned i = 0; (word = setting_word(setting, i)) != NULL; i++) {
        if (strcmp(word, text) == 0) {
            *field = i;
            return true;
        }
    }
    return false;
}

static bool set_bool(bool *field, const char *text)
{
    static const char *const words[] = {"false", "true", "off", "on",
                                        "no",    "yes",  "0",   "1"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i], text) == 0) {
            *field = i % 2 == 1;
            return true;
        }
    }
    return false;
}

/* --- text ---------------------------------------------------------------- */

static char *copy(struct text text)
{
    char *string = xnew(text.length + 1, 1);

    if (text.length > 0)
        memcpy(string, text.at, text.length);
    return string;
}

/** Only letters, digits and @p others; an empty text too. */
static bool has_only(const char *text, const char *others)
{
    for (; *text != '\0'; text++) {
        if (!isalnum((unsigned char)*text) && strchr(others, *text) == NULL)
            return false;
    }
    return true;
}

/** A name in a head (RFC 9110, 5.6.2: token); an empty one too. */
static bool is_token(const char *text)
{
    return has_only(text, "!#$%&'*+-.^_`|~");
}

/** No byte below @p first, and no DEL. */
static bool is_printable(const char *text, unsigned first)
{
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;

        if (byte < first || byte == 0x7f)
            return false;
    }
    return true;
}

static bool is_address(const char *text)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, text, bytes) == 1 ||
           inet_pton(AF_INET6, text, bytes) == 1;
}

/** `10.0.0.0/8`, or one address. */
static bool is_address_block(const char *text)
{
    char address[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t length = slash == NULL ? strlen(text) : (size_t)(slash - text);
    uint64_t bits;

    if (length >= sizeof(address))
        return false;
    snprintf(address, sizeof(address), "%.*s", (int)length, text);
    if (!is_address(address))
        return false;
    return slash == NULL ||
           (text_number(text_of(slash + 1), &bits) &&
            bits <= (strchr(address, ':') == NULL ? 32u : 128u));
}

static bool is_hash_on(const char *text)
{
    const char *colon = strchr(text, ':');

    if (strcmp(text, "address") == 0 || strcmp(text, "path") == 0)
        return true;
    if (colon == NULL || colon[1] == '\0' || !is_token(colon + 1))
        return false;
    return strncmp(text, "header:", 7) == 0 || strncmp(text, "cookie:", 7) == 0;
}

/** A mistyped word would make a file of that name, so a file looks like one. */
static bool is_sink(const char *text)
{
    return strcmp(text, "off") == 0 || strcmp(text, "stdout") == 0 ||
           strcmp(text, "stderr") == 0 ||
           (strpbrk(text, "/.") != NULL && is_printable(text, ' '));
}

/** `200` or `200-299`. */
static bool read_statuses(struct text item, uint64_t *from, uint64_t *to)
{
    struct text first;

    if (!text_cut(&item, '-', &first))
        first = item;
    return text_number(first, from) && text_number(item, to) && *from >= 100 &&
           *from <= *to && *to <= 599;
}

static bool is_statuses(const char *text)
{
    struct text rest = text_of(text), item;
    uint64_t from, to;
    bool has_some = false;

    while (text_next(&rest, &item)) {
        if (!read_statuses(item, &from, &to))
            return false;
        has_some = true;
    }
    return has_some;
}

bool settings_has_status(const char *statuses, unsigned status)
{
    struct text rest = text_of(statuses), item;
    uint64_t from, to;

    while (text_next(&rest, &item)) {
        if (read_statuses(item, &from, &to) && from <= status && status <= to)
            return true;
    }
    return false;
}

static bool is_weight(const char *text)
{
    uint64_t weight;

    return text_number(text_of(text), &weight) && weight >= 1 &&
           weight <= SETTINGS_WEIGHT_MAX;
}

/** `CHAIN:KEY`, or one file that has both. */
static bool is_certificate(const char *text)
{
    const char *colon = strchr(text, ':');

    if (*text == '\0' || !is_printable(text, ' '))
        return false;
    return colon == NULL || (colon != text && colon[1] != '\0' &&
                             strchr(colon + 1, ':') == NULL);
}

static bool set_text(char **field, const char *text, bool is_good)
{
    char *before = *field;

    if (!is_good)
        return false;
    *field = copy(text_of(text));
    free(before); /* last: it may be the text itself */
    return true;
}

/* --- lists --------------------------------------------------------------- */

/** Is each item of this list good? */
static bool list_is_good(const char *text, bool (*is_good)(const char *item))
{
    struct text rest = text_of(text), item;
    bool good = true;

    while (good && text_next(&rest, &item)) {
        char *one = copy(item);

        good = is_good(one);
        free(one);
    }
    return good;
}

static bool set_list(struct settings_list *list, const char *text,
                     bool (*is_good)(const char *item))
{
    struct text rest = text_of(text), item;
    struct settings_list fresh = {0};

    if (!list_is_good(text, is_good))
        return false;
    fresh.at = xnew(strlen(text) / 2 + 1, sizeof(*fresh.at));
    while (text_next(&rest, &item))
        fresh.at[fresh.count++] = copy(item);
    for (size_t i = 0; i < list->count; i++)
        free(list->at[i]);
    free(list->at);
    *list = fresh;
    return true;
}

/* --- ports and URLs ------------------------------------------------------ */

/** `HOST:PORT`, or one of them; a host with colons is in brackets. */
struct place {
    struct text host; /**< without brackets */
    struct text port; /**< what stands behind the colon */
    bool has_port;    /**< there is a colon, even if nothing is behind it */
    bool is_v6;       /**< there are brackets */
};

static bool place_read(struct place *place, struct text rest)
{
    *place = (struct place){.is_v6 = text_begins(rest, "[")};
    if (place->is_v6) {
        rest.at++;
        rest.length--;
        if (!text_cut(&rest, ']', &place->host))
            return false;
        if (rest.length == 0)
            return true;
        place->has_port = rest.at[0] == ':';
        place->port = (struct text){rest.at + 1, rest.length - 1};
        return place->has_port;
    }
    place->has_port = text_cut(&rest, ':', &place->host);
    if (place->has_port)
        place->port = rest;
    else
        place->host = rest;
    return true;
}

bool settings_port_has_address(const char *text)
{
    return strchr(text, ':') != NULL && text[0] != ':';
}

static bool set_port(struct settings *settings, const struct setting_row *row,
                     const char *text)
{
    struct place place = {.port = text_of(text), .host = {text, 0}};
    char *port, *address;
    bool good;

    if (strchr(text, ':') != NULL && !place_read(&place, text_of(text)))
        return false;
    port = copy(place.port);
    address = copy(place.host);
    good = (*address == '\0' ? !place.is_v6 : is_address(address)) &&
           set_amount(&settings->port, row, port);
    if (good && *address != '\0')
        set_text(&settings->address, address, true);
    free(port);
    free(address);
    return good;
}

static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

/** `8090`, `:8090`, `127.0.0.1:8090`, `localhost:8090` or `[::1]:8090`. */
static bool place_read_port(struct settings_place *place, const char *text)
{
    struct place parts = {.port = text_of(text)};
    const char *address = "127.0.0.1";
    uint64_t port;
    bool has_colon = strchr(text, ':') != NULL;

    if (has_colon && !place_read(&parts, text_of(text)))
        return false;
    if (!text_number(parts.port, &port) || port > 65535)
        return false;
    if (has_colon && parts.host.length == 0)
        address = "0.0.0.0";
    snprintf(place->address, sizeof(place->address), "%s", address);
    if (parts.host.length > 0 && !text_is(parts.host, "localhost"))
        snprintf(place->address, sizeof(place->address), "%.*s",
                 TEXT_PRINT(parts.host));
    place->port = (unsigned)port;
    place->kind = SETTINGS_AT_PORT;
    place->is_local = is_loopback(place->address);
    return is_address(place->address);
}

bool settings_place_read(struct settings_place *place, const char *text)
{
    *place = (struct settings_place){.kind = SETTINGS_NOWHERE};
    if (strncmp(text, "unix:", 5) == 0) {
        place->kind = SETTINGS_AT_PATH;
        place->path = text + 5;
        place->is_local = true;
        return *place->path == '/' && is_printable(place->path, ' ');
    }
    if (strcmp(text, "off") != 0)
        return place_read_port(place, text);
    place->is_local = true;
    return true;
}

/* --- backends ------------------------------------------------------------ */

static bool is_host(const char *host, bool is_v6)
{
    if (is_v6)
        return strchr(host, ':') != NULL && is_address(host);
    return *host != '\0' && has_only(host, "-._");
}

/** `http://` or `https://`: is it there, and which? */
static bool scheme_cut(struct text *rest, struct settings_backend *backend)
{
    size_t length = strlen("http://");

    backend->is_https = strncasecmp(rest->at, "https://", length + 1) == 0;
    if (!backend->is_https && strncasecmp(rest->at, "http://", length) != 0)
        return false;
    length += backend->is_https;
    rest->at += length;
    rest->length -= length;
    return true;
}

/** `http://HOST:PORT`, or without a port; a slash behind it does no harm. */
static bool url_read(const char *url, struct settings_backend *backend)
{
    struct text rest = text_of(url);
    struct place place;
    uint64_t port;

    if (!scheme_cut(&rest, backend))
        return false;
    port = backend->is_https ? 443 : 80;
    if (rest.length > 0 && rest.at[rest.length - 1] == '/')
        rest.length--;
    if (!place_read(&place, rest))
        return false;
    if (place.has_port &&
        (!text_number(place.port, &port) || port < 1 || port > 65535))
        return false;
    backend->port = (unsigned)port;
    backend->host = copy(place.host);
    if (is_host(backend->host, place.is_v6))
        return true;
    free(backend->host);
    return false;
}

static bool is_there_already(const struct settings *settings,
                             const struct settings_backend *backend)
{
    for (size_t i = 0; i < settings->backend_count; i++) {
        if (strcasecmp(settings->backends[i].host, backend->host) == 0 &&
            settings->backends[i].port == backend->port)
            return true;
    }
    return false;
}

/** Is there a reason why this one cannot be added? */
static bool backend_refuse(const struct settings *settings,
                           const struct settings_backend *backend,
                           const char *url, struct fault *fault)
{
    struct settings_shown shown;

    if (is_there_already(settings, backend))
        fault_say(fault,
                  "names the backend %s twice; name it once, and give it more "
                  "by its weight",
                  settings_show(&shown, url));
    else if (settings->backend_count == SETTINGS_BACKENDS_MAX)
        fault_say(fault, "takes at most %d backends", SETTINGS_BACKENDS_MAX);
    else
        return false;
    return true;
}

struct settings_backend *settings_add_backend(struct settings *settings,
                                              const char *url,
                                              struct fault *fault)
{
    struct settings_backend backend = {.weight = 1};

    if (!url_read(url, &backend)) {
        refuse_text(SETTING_backends, url, fault);
        return NULL;
    }
    if (backend_refuse(settings, &backend, url, fault)) {
        free(backend.host);
        return NULL;
    }
    if (settings->backends == NULL)
        settings->backends =
            xnew(SETTINGS_BACKENDS_MAX, sizeof(*settings->backends));
    backend.url = copy(text_of(url));
    settings->backends[settings->backend_count] = backend;
    return &settings->backends[settings->backend_count++];
}

/** All or none: a list with a fault in it changes nothing. */
static bool set_backends(struct settings *settings, const char *text,
                         struct fault *fault)
{
    struct settings fresh = {0};
    struct text rest = text_of(text), item;
    bool good = true;

    while (good && text_next(&rest, &item)) {
        char *url = copy(item);

        good = settings_add_backend(&fresh, url, fault) != NULL;
        free(url);
    }
    if (!good) {
        settings_clear_backends(&fresh);
        return false;
    }
    settings_clear_backends(settings);
    settings->backends = fresh.backends;
    settings->backend_count = fresh.backend_count;
    return true;
}

/* --- all of them --------------------------------------------------------- */

bool settings_set(struct settings *settings, enum setting setting,
                  const char *text, struct fault *fault)
{
    const struct setting_row *row = setting_row(setting);
    void *field = (char *)settings + row->offset;
    bool good = false;

    switch (row->kind) {
    case SETTING_IS_BOOL: good = set_bool(field, text); break;
    case SETTING_IS_COUNT:
    case SETTING_IS_PERCENT:
    case SETTING_IS_BYTES:
    case SETTING_IS_DURATION: good = set_amount(field, row, text); break;
    case SETTING_IS_PORT: good = set_port(settings, row, text); break;
    case SETTING_IS_CHOICE: good = set_choice(field, setting, text); break;
    case SETTING_IS_ADDRESS:
        good = set_text(field, text, is_address(text));
        break;
    case SETTING_IS_PATH:
        good = set_text(field, text,
                        (*text == '/' || *text == '\0') &&
                            is_printable(text, '!'));
        break;
    case SETTING_IS_METHOD:
        good = set_text(field, text, *text != '\0' && is_token(text));
        break;
    case SETTING_IS_NAME: good = set_text(field, text, is_token(text)); break;
    case SETTING_IS_HOST:
        good = set_text(field, text, has_only(text, "-._:[]"));
        break;
    case SETTING_IS_STATUSES:
        good = set_text(field, text, is_statuses(text));
        break;
    case SETTING_IS_FILE:
    case SETTING_IS_TEXT:
        good = set_text(field, text, is_printable(text, ' '));
        break;
    case SETTING_IS_HASH_ON:
        good = set_text(field, text, is_hash_on(text));
        break;
    case SETTING_IS_SINK: good = set_text(field, text, is_sink(text)); break;
    case SETTING_IS_LISTENER:
        good = set_text(field, text,
                        settings_place_read(&(struct settings_place){0}, text));
        break;
    case SETTING_IS_SECRET:
        good = set_text(field, text, has_only(text, "-._~+/="));
        return good || settings_refuse(setting, "what was given", fault);
    case SETTING_IS_ADDRESSES:
        good = set_list(field, text, is_address_block);
        break;
    case SETTING_IS_CERTIFICATES:
        good = set_list(field, text, is_certificate);
        break;
    case SETTING_IS_WEIGHTS: good = set_list(field, text, is_weight); break;
    case SETTING_IS_BACKENDS: return set_backends(settings, text, fault);
    }
    return good || refuse_text(setting, text, fault);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "proxy/client.h"

#include "http/head.h"
#include "proxy/terms.h"

bool client_is_trusted(const struct configuration *configuration,
                       const union address *peer)
{
    return address_in(peer, configuration->trusted,
                      configuration->trusted_count);
}

/** Take the last part off a list with commas; false when there is none. */
static bool cut_last(struct text *list, struct text *last)
{
    size_t at = list->length;

    if (list->length == 0)
        return false;
    while (at > 0 && list->at[at - 1] != ',')
        at--;
    *last = text_trim((struct text){list->at + at, list->length - at});
    list->length = at > 0 ? at - 1 : 0;
    return true;
}

/** Digits and nothing else: a port, or part of it. */
static bool is_port(struct text text)
{
    uint64_t port;

    return text_number(text, &port) && port <= 65535;
}

/**
 * Some proxies write the port as well: `10.0.0.1:5000`, `[2001:db8::1]:5000`.
 * Colons without brackets are those of an IPv6 address.
 *
 * @return the address alone; the whole word, if it is of another form
 */
static struct text without_port(struct text word)
{
    struct text rest = word, host;

    if (text_begins(word, "[")) {
        rest = (struct text){word.at + 1, word.length - 1};
        if (!text_cut(&rest, ']', &host))
            return word;
        if (rest.length == 0)
            return host;
        if (rest.at[0] != ':')
            return word;
        rest = (struct text){rest.at + 1, rest.length - 1};
    } else if (!text_cut(&rest, ':', &host)) {
        return word;
    }
    return is_port(rest) ? host : word;
}

/**
 * Go on to the left in one line.
 *
 * @return false: the end of what can be believed has been found
 */
static bool follow(const struct configuration *configuration, struct text list,
                   union address *client)
{
    struct text word;

    while (cut_last(&list, &word)) {
        if (!address_parse(client, without_port(word), 0))
            return false;
        if (!client_is_trusted(configuration, client))
            return false;
    }
    return true;
}

union address client_find(const struct configuration *configuration,
                          const struct head *head, const union address *peer)
{
    union address client = *peer;

    if (!client_is_trusted(configuration, peer))
        return client;
    for (size_t i = head->field_count; i-- > 0;)
        if (head->fields[i].id == FIELD_X_FORWARDED_FOR &&
            !follow(configuration, head->fields[i].value, &client))
            break;
    return client;
}

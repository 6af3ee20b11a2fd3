/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "proxy/terms.h"

#include "base/fault.h"
#include "base/must.h"
#include "net/tls.h"

#include <stdlib.h>
#include <string.h>

/** Get ready for backends at https, if there are any. */
static bool load_tls_out(struct configuration *configuration,
                         struct fault *fault)
{
    const struct settings *set = configuration->settings;
    size_t i = 0;

    while (i < set->backend_count && !set->backends[i].is_https)
        i++;
    if (i == set->backend_count)
        return true;
    configuration->tls_out =
        tls_client_new(set->backend_ca, set->backend_verify, fault);
    return configuration->tls_out != NULL;
}

/** Get ready for clients that come by TLS, if any do. */
static bool load_tls(struct configuration *configuration, struct fault *fault)
{
    const struct settings *set = configuration->settings;
    struct tls_server_settings server = {
        .certificates = set->certificates.at,
        .count = set->certificates.count,
        .only_13 = set->tls_min == SETTINGS_TLS_1_3,
        .client_ca = set->client_ca,
        .client_must = set->client_certificate == SETTINGS_CLIENT_REQUIRED,
    };

    if (strcmp(set->tls_listen, "off") == 0)
        return true;
    if (server.count == 0) /* a listener stays, whatever a reload would like */
        return fault_say(fault, "clients still come by TLS, until a restart: "
                                "leave a certificate for them");
    configuration->tls = tls_server_new(&server, fault);
    return configuration->tls != NULL;
}

/** @return owned by the caller: as many as there are in the list */
static struct address_block *read_blocks(const struct settings_list *list)
{
    struct address_block *blocks = xnew(list->count + 1, sizeof(*blocks));

    for (size_t i = 0; i < list->count; i++)
        must(address_block_parse(&blocks[i], text_of(list->at[i])));
    return blocks;
}

struct configuration *configuration_new(const struct settings *settings,
                                        struct roster *roster,
                                        struct fault *fault)
{
    struct configuration *configuration = xnew(1, sizeof(*configuration));

    configuration->settings = settings;
    if (!load_tls(configuration, fault) || !load_tls_out(configuration, fault))
        goto undo;
    configuration->pool = pool_new(settings, roster);
    if (configuration->pool == NULL) {
        fault_say(fault, "too many backends at a time: some that were removed "
                         "still finish their requests; try again later");
        goto undo;
    }
    configuration->trusted = read_blocks(&settings->trusted);
    configuration->trusted_count = settings->trusted.count;
    configuration->announcing = read_blocks(&settings->accept_proxy);
    configuration->announcing_count = settings->accept_proxy.count;
    return configuration;

undo:
    tls_context_drop(&configuration->tls);
    tls_context_drop(&configuration->tls_out);
    free(configuration);
    return NULL;
}

bool configuration_check(const struct settings *settings, struct fault *fault)
{
    struct configuration tried = {.settings = settings};
    bool good = load_tls(&tried, fault) && load_tls_out(&tried, fault);

    tls_context_drop(&tried.tls);
    tls_context_drop(&tried.tls_out);
    return good;
}

void configuration_inherit(struct configuration *configuration,
                           const struct configuration *older)
{
    /* A ticket stands for a certificate that somebody looked at, once: if
     * clients need one, those who look now shall see it. */
    if (configuration->tls != NULL && older->tls != NULL &&
        *configuration->settings->client_ca == '\0')
        tls_context_inherit(configuration->tls, older->tls);
}

void configuration_free(struct configuration **owned)
{
    struct configuration *configuration = *owned;

    if (configuration == NULL)
        return;
    must(atomic_load(&configuration->workers) == 0);
    pool_free(&configuration->pool);
    tls_context_drop(&configuration->tls);
    tls_context_drop(&configuration->tls_out);
    free(configuration->trusted);
    free(configuration->announcing);
    free(configuration);
    *owned = NULL;
}

struct terms *terms_new(struct configuration *configuration,
                        struct timers *timers)
{
    struct terms *terms = xnew(1, sizeof(*terms));
    const struct policy_kind *kind = configuration->pool->kind;

    terms->configuration = configuration;
    terms->settings = configuration->settings;
    terms->pool = configuration->pool;
    for (int i = 0; i < STATE_COUNT; i++)
        terms->rows[i] =
            timer_row(timers, state_limit_ms((enum state)i, terms->settings));
    if (kind->create != NULL)
        terms->policy = kind->create();
    terms->holders = 1;
    return terms;
}

struct terms *terms_hold(struct terms *terms)
{
    terms->holders++;
    return terms;
}

void terms_drop(struct terms **owned)
{
    struct terms *terms = *owned;

    *owned = NULL;
    if (--terms->holders > 0)
        return;
    for (int i = 0; i < STATE_COUNT; i++)
        timer_row_drop(&terms->rows[i]);
    if (terms->policy != NULL)
        terms->pool->kind->destroy(&terms->policy);
    /* From now on, control may end it. */
    atomic_fetch_sub(&terms->configuration->workers, 1);
    free(terms);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "control/certificates.h"

#include "base/log.h"
#include "base/must.h"
#include "base/settings.h"
#include "net/tls.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <xxhash.h>

enum { DAY_SECS = 86400, WARN_DAYS = 14 };

/** What tells one file from another at the same place. */
static uint64_t look_at(const char *path, uint64_t seed)
{
    int64_t facts[5] = {0};
    struct stat status;

    if (stat(path, &status) == 0) {
        facts[0] = status.st_mtim.tv_sec;
        facts[1] = status.st_mtim.tv_nsec;
        facts[2] = status.st_size;
        facts[3] = (int64_t)status.st_ino;
        facts[4] = 1;
    }
    return XXH3_64bits_withSeed(facts, sizeof(facts), seed);
}

/** Our own, and who vouches for clients. */
static uint64_t look_at_ours(const struct settings *settings, uint64_t stamp)
{
    const struct settings_list *pairs = &settings->certificates;

    if (strcmp(settings->tls_listen, "off") == 0)
        return stamp;
    if (*settings->client_ca != '\0')
        stamp = look_at(settings->client_ca, stamp);
    for (size_t i = 0; i < pairs->count; i++) {
        char *chain = strdup(pairs->at[i]);
        char *colon;

        must(chain != NULL);
        colon = strchr(chain, ':');
        if (colon != NULL) {
            *colon = '\0';
            stamp = look_at(colon + 1, stamp);
        }
        stamp = look_at(chain, stamp);
        free(chain);
    }
    return stamp;
}

/** Who vouches for backends, if that is asked. */
static uint64_t look_at_theirs(const struct settings *settings, uint64_t stamp)
{
    size_t i = 0;

    while (i < settings->backend_count && !settings->backends[i].is_https)
        i++;
    if (i == settings->backend_count || *settings->backend_ca == '\0')
        return stamp;
    return look_at(settings->backend_ca, stamp);
}

uint64_t certificates_stamp(const struct settings *settings)
{
    return look_at_theirs(settings, look_at_ours(settings, 0));
}

void certificates_warn(const struct tls_context *context)
{
    int64_t now = (int64_t)time(NULL);

    if (context == NULL)
        return;
    for (size_t i = 0; i < tls_context_size(context); i++) {
        int64_t left = tls_context_expires(context, i) - now;

        if (left < 0)
            log_error("the certificate %s has expired: clients will refuse it",
                      tls_context_file(context, i));
        else if (left < (int64_t)WARN_DAYS * DAY_SECS)
            log_warn("the certificate %s expires in %" PRId64 " days",
                     tls_context_file(context, i), left / DAY_SECS);
    }
}

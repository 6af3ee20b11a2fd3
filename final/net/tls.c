/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A server's context has a card for each certificate. Every connection begins
 * with the first card; when the client has said which name it wants (SNI), it
 * goes over to the card of that name: one with just that name before one with
 * a wildcard. What clients are remembered by, tickets and cache, belongs to the
 * first card, whichever they were shown.
 */
#include "net/tls.h"

#include "base/fault.h"
#include "base/must.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each of these makes new keys for each connection, so that who steals ours
 * cannot read what was said before, and each guards what it hides. */
#define CIPHERS_12 "ECDHE+AESGCM:ECDHE+CHACHA20"

enum {
    TICKET_KEYS_MAX = 256,
    REMEMBER_SECS = 3600,
    AUTHORITIES_MAX = 1 << 22, /* twenty times what a system believes */
};

/** One certificate. */
struct card {
    char *chain;  /**< owned: its file */
    SSL_CTX *ctx; /**< owned */
};

struct tls_context {
    atomic_uint holders;
    SSL_CTX *ctx; /**< borrowed from the first card; owned by a client's */
    struct card *cards; /**< owned */
    size_t count;       /**< how many */
    char *authorities;  /**< owned: see tls_context_authorities() */
};

/* --- files ----------------------------------------------------------------- */

/**
 * Why a file could not be used.
 *
 * @param setting that names it
 * @return false
 */
static bool refuse_file(const char *setting, const char *path,
                        const char *wants, struct fault *fault)
{
    FILE *file = fopen(path, "r");
    int error = errno;

    if (file == NULL)
        return fault_say(fault, "%s: cannot read %s: %s", setting, path,
                         strerror(error));
    fclose(file);
    return fault_say(fault, "%s: %s holds no %s in PEM form", setting, path,
                     wants);
}

/** A key that wants a password: there is nobody to give it. */
/* NOLINTNEXTLINE(readability-non-const-parameter) */
static int no_password(char *out, int room, int writes, void *arg)
{
    (void)out;
    (void)room;
    (void)writes;
    (void)arg;
    return -1;
}

static bool is_of_another(void)
{
    int reason = ERR_GET_REASON(ERR_peek_last_error());

    return reason == X509_R_KEY_VALUES_MISMATCH ||
           reason == X509_R_KEY_TYPE_MISMATCH;
}

static bool load_key(SSL_CTX *ctx, const char *chain, const char *key,
                     struct fault *fault)
{
    ERR_clear_error();
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_check_private_key(ctx) == 1)
        return true;
    if (is_of_another())
        return fault_say(fault,
                         "certificates: the key in %s is not that of the "
                         "certificate in %s",
                         key, chain);
    return refuse_file("certificates", key, "private key without a password",
                       fault);
}

static bool check_time(const X509 *certificate, const char *chain,
                       struct fault *fault)
{
    const ASN1_TIME *end = X509_get0_notAfter(certificate);
    struct tm when;

    if (X509_cmp_current_time(end) > 0)
        return true;
    must(ASN1_TIME_to_tm(end, &when) == 1);
    return fault_say(fault,
                     "certificates: %s has expired on %04d-%02d-%02d; get a "
                     "new one",
                     chain, when.tm_year + 1900, when.tm_mon + 1, when.tm_mday);
}

static bool load_pair(SSL_CTX *ctx, const char *chain, const char *key,
                      struct fault *fault)
{
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ctx, chain) != 1)
        return refuse_file("certificates", chain, "certificate", fault);
    return load_key(ctx, chain, key, fault) &&
           check_time(SSL_CTX_get0_certificate(ctx), chain, fault);
}

/** All of a file, ended by a zero byte; owned by the caller. NULL: it cannot be
 * read, or is no list of certificates by its size. */
static char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text;
    size_t length;

    if (file == NULL)
        return NULL;
    text = xnew(AUTHORITIES_MAX + 1, 1);
    length = fread(text, 1, AUTHORITIES_MAX + 1, file);
    fclose(file);
    if (length <= AUTHORITIES_MAX) {
        text[length] = '\0';
        return text;
    }
    free(text);
    return NULL;
}

static bool load_authorities(SSL_CTX *ctx, const char *setting,
                             const char *path, struct fault *fault)
{
    ERR_clear_error();
    if (SSL_CTX_load_verify_file(ctx, path) == 1)
        return true;
    return refuse_file(setting, path, "certificate", fault);
}

/* --- rules ----------------------------------------------------------------- */

/** What holds for both sides. */
static SSL_CTX *ctx_new(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    must(ctx != NULL);
    must(SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1);
    must(SSL_CTX_set_cipher_list(ctx, CIPHERS_12) == 1);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    /* Some of a record is progress; and a connection at rest needs no memory
     * for records. */
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1); /* a record by one call and not by two */
    SSL_CTX_set_default_passwd_cb(ctx, no_password);
    return ctx;
}

static bool fits(const struct card *card, const char *name, unsigned flags)
{
    return X509_check_host(SSL_CTX_get0_certificate(card->ctx), name,
                           strlen(name), flags, NULL) == 1;
}

/** The card for this name; NULL: none. */
static const struct card *find_card(const struct tls_context *context,
                                    const char *name)
{
    static const unsigned flags[] = {X509_CHECK_FLAG_NO_WILDCARDS, 0};

    for (size_t pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < context->count; i++)
            if (fits(&context->cards[i], name, flags[pass]))
                return &context->cards[i];
    return NULL;
}

/** The client has said which name it wants (RFC 6066, 3). */
/* NOLINTNEXTLINE(readability-non-const-parameter) */
static int on_name(SSL *ssl, int *alert, void *arg)
{
    const struct tls_context *context = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const struct card *card = name == NULL ? NULL : find_card(context, name);

    (void)alert;
    if (card == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_SSL_CTX(ssl, card->ctx);
    return SSL_TLSEXT_ERR_OK;
}

/** The client has said what it speaks (RFC 7301): it must be HTTP/1.1. */
static int on_protocols(SSL *ssl, const unsigned char **out,
                        unsigned char *length, const unsigned char *in,
                        unsigned in_length, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1\x08http/1.0";
    unsigned char *chosen;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, length, ours, sizeof(ours) - 1, in,
                              in_length) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool ask_clients(SSL_CTX *ctx,
                        const struct tls_server_settings *settings,
                        struct fault *fault)
{
    if (*settings->client_ca == '\0')
        return true;
    if (!load_authorities(ctx, "client-ca", settings->client_ca, fault))
        return false;
    SSL_CTX_set_client_CA_list(ctx,
                               SSL_load_client_CA_file(settings->client_ca));
    SSL_CTX_set_verify(
        ctx,
        SSL_VERIFY_PEER |
            (settings->client_must ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
        NULL);
    return true;
}

static SSL_CTX *server_ctx(struct tls_context *context,
                           const struct tls_server_settings *settings)
{
    static const unsigned char name[] = "steelyard";
    SSL_CTX *ctx = ctx_new(TLS_server_method());

    if (settings->only_13)
        must(SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1);
    SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_session_id_context(ctx, name, sizeof(name) - 1);
    SSL_CTX_set_timeout(ctx, REMEMBER_SECS);
    SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
    SSL_CTX_set_tlsext_servername_arg(ctx, context);
    SSL_CTX_set_alpn_select_cb(ctx, on_protocols, NULL);
    return ctx;
}

/* --- contexts -------------------------------------------------------------- */

static char *copy(const char *text, size_t length)
{
    char *string = xnew(length + 1, 1);

    memcpy(string, text, length);
    return string;
}

static bool add_card(struct tls_context *context,
                     const struct tls_server_settings *settings,
                     const char *files, struct fault *fault)
{
    struct card *card = &context->cards[context->count++];
    const char *colon = strchr(files, ':');

    card->chain =
        copy(files, colon == NULL ? strlen(files) : (size_t)(colon - files));
    card->ctx = server_ctx(context, settings);
    return load_pair(card->ctx, card->chain, colon == NULL ? files : colon + 1,
                     fault) &&
           ask_clients(card->ctx, settings, fault);
}

struct tls_context *tls_server_new(const struct tls_server_settings *settings,
                                   struct fault *fault)
{
    struct tls_context *context = xnew(1, sizeof(*context));

    must(settings->count > 0);
    atomic_init(&context->holders, 1);
    context->cards = xnew(settings->count, sizeof(*context->cards));
    for (size_t i = 0; i < settings->count; i++) {
        if (add_card(context, settings, settings->certificates[i], fault))
            continue;
        tls_context_drop(&context);
        return NULL;
    }
    context->ctx = context->cards[0].ctx;
    return context;
}

/** Others shall believe the same ones, whatever becomes of the file. */
static bool keep_authorities(struct tls_context *context, const char *ca,
                             struct fault *fault)
{
    context->authorities = read_text(ca);
    return context->authorities != NULL ||
           refuse_file("backend-ca", ca, "short list of certificates", fault);
}

struct tls_context *tls_client_new(const char *ca, bool verifies,
                                   struct fault *fault)
{
    struct tls_context *context = xnew(1, sizeof(*context));
    bool good = true;

    atomic_init(&context->holders, 1);
    context->ctx = ctx_new(TLS_client_method());
    if (*ca != '\0')
        good = load_authorities(context->ctx, "backend-ca", ca, fault) &&
               keep_authorities(context, ca, fault);
    else
        SSL_CTX_set_default_verify_paths(context->ctx);
    if (verifies)
        SSL_CTX_set_verify(context->ctx, SSL_VERIFY_PEER, NULL);
    if (!good)
        tls_context_drop(&context);
    return context;
}

struct tls_context *tls_context_hold(struct tls_context *context)
{
    atomic_fetch_add(&context->holders, 1);
    return context;
}

void tls_context_drop(struct tls_context **owned)
{
    struct tls_context *context = *owned;

    *owned = NULL;
    if (context == NULL || atomic_fetch_sub(&context->holders, 1) > 1)
        return;
    if (context->cards == NULL)
        SSL_CTX_free(context->ctx);
    for (size_t i = 0; context->cards != NULL && i < context->count; i++) {
        SSL_CTX_free(context->cards[i].ctx);
        free(context->cards[i].chain);
    }
    free(context->cards);
    free(context->authorities);
    free(context);
}

void tls_context_inherit(struct tls_context *context,
                         const struct tls_context *older)
{
    unsigned char keys[TICKET_KEYS_MAX];
    long length = SSL_CTX_set_tlsext_ticket_keys(older->ctx, NULL, 0);

    if (length <= 0 || length > TICKET_KEYS_MAX)
        return;
    if (SSL_CTX_get_tlsext_ticket_keys(older->ctx, keys, length) == 1)
        SSL_CTX_set_tlsext_ticket_keys(context->ctx, keys, length);
    OPENSSL_cleanse(keys, sizeof(keys));
}

const char *tls_context_authorities(const struct tls_context *context)
{
    return context->authorities;
}

size_t tls_context_size(const struct tls_context *context)
{
    return context->count;
}

int64_t tls_context_expires(const struct tls_context *context, size_t which)
{
    const X509 *certificate =
        SSL_CTX_get0_certificate(context->cards[which].ctx);
    struct tm when;

    must(ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &when) == 1);
    return timegm(&when);
}

const char *tls_context_file(const struct tls_context *context, size_t which)
{
    return context->cards[which].chain;
}

/* --- connections ----------------------------------------------------------- */

SSL *tls_context_begin(struct tls_context *context)
{
    SSL *ssl = SSL_new(context->ctx);

    must(ssl != NULL);
    return ssl;
}

void tls_context_expect(SSL *ssl, const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    bool is_address = inet_pton(AF_INET, host, bytes) == 1 ||
                      inet_pton(AF_INET6, host, bytes) == 1;

    if (is_address) {
        must(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1);
    } else {
        must(SSL_set_tlsext_host_name(ssl, host) == 1);
        must(SSL_set1_host(ssl, host) == 1);
    }
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * OpenSSL asks for bytes and gives bytes through a BIO. Ours stands on the plain
 * stream:
 *
 *     stream_receive()   ->  SSL_read()   ->  bio_read()   ->  plain_receive()
 *     stream_send()      ->  SSL_write()  ->  bio_write()  ->  plain_send()
 *
 * So what the kernel can do now is known in one place, the stream's watch, and a
 * call that cannot succeed is not made here either. But OpenSSL takes all that
 * has come, and gives it out record by record: what then waits inside, no event
 * will tell of. So READ is set again as long as something does.
 *
 * A record that went out in part must go on with the same bytes. Those who send
 * keep what was not taken, and add to it at most, so they do.
 */
#include "net/stream_tls.h"

#include "base/must.h"
#include "net/stream_plain.h"
#include "net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { RECORD_BYTES = 16384 }; /* RFC 8446, 5.1: no record has more */

struct tls {
    SSL *ssl;                    /**< owned */
    struct tls_context *context; /**< held */
    struct stream *stream;       /**< borrowed: the one that has it */
    const char *why;             /**< it is broken; NULL: not by TLS */
    bool has_ended;              /**< the socket has; nothing more will come */
    bool is_broken;              /**< nothing can be said any more */
    bool met_http;               /**< see tls_met_http() */
};

/* --- below OpenSSL --------------------------------------------------------- */

static int bio_read(BIO *bio, char *bytes, int room)
{
    struct tls *tls = BIO_get_data(bio);
    size_t got;

    BIO_clear_retry_flags(bio);
    switch (plain_receive(tls->stream, bytes, (size_t)room, &got)) {
    case IO_DONE: return (int)got;
    case IO_WAIT: BIO_set_retry_read(bio); return -1;
    case IO_END: tls->has_ended = true; return 0;
    case IO_BROKEN: break;
    }
    return -1;
}

static int bio_write(BIO *bio, const char *bytes, int length)
{
    struct tls *tls = BIO_get_data(bio);
    struct iovec piece = {(void *)bytes, (size_t)length};
    size_t sent;

    BIO_clear_retry_flags(bio);
    switch (plain_send(tls->stream, &piece, 1, MSG_NOSIGNAL, &sent)) {
    case IO_DONE: return (int)sent;
    case IO_WAIT: BIO_set_retry_write(bio); return -1;
    case IO_END:
    case IO_BROKEN: break;
    }
    return -1;
}

static long bio_control(BIO *bio, int what, long number, void *pointer)
{
    const struct tls *tls = BIO_get_data(bio);

    (void)number;
    (void)pointer;
    if (what == BIO_CTRL_EOF)
        return tls->has_ended;
    return what == BIO_CTRL_FLUSH; /* nothing is kept back */
}

static BIO_METHOD *bio_kind;

static void bio_kind_make(void)
{
    bio_kind =
        BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
    must(bio_kind != NULL);
    BIO_meth_set_read(bio_kind, bio_read);
    BIO_meth_set_write(bio_kind, bio_write);
    BIO_meth_set_ctrl(bio_kind, bio_control);
}

/* --- beginning and end ----------------------------------------------------- */

static struct tls *tls_new(struct stream *stream, struct tls_context *context)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct tls *tls = xnew(1, sizeof(*tls));
    BIO *bio;

    pthread_once(&once, bio_kind_make);
    tls->ssl = tls_context_begin(context);
    bio = BIO_new(bio_kind);
    must(bio != NULL);
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio); /* owned by it from now on */
    tls->context = tls_context_hold(context);
    tls->stream = stream;
    stream->tls = tls;
    return tls;
}

void tls_accept(struct stream *stream, struct tls_context *context)
{
    SSL_set_accept_state(tls_new(stream, context)->ssl);
}

void tls_connect(struct stream *stream, struct tls_context *context,
                 const char *host)
{
    SSL *ssl = tls_new(stream, context)->ssl;

    tls_context_expect(ssl, host);
    SSL_set_connect_state(ssl);
}

void tls_end(struct stream *stream)
{
    struct tls *tls = stream->tls;

    stream->tls = NULL;
    SSL_free(tls->ssl);
    tls_context_drop(&tls->context);
    free(tls);
}

void tls_hush(struct stream *stream)
{
    stream->tls->is_broken = true;
}

void tls_shut(struct stream *stream)
{
    struct tls *tls = stream->tls;

    if (tls->is_broken || SSL_in_init(tls->ssl) ||
        (SSL_get_shutdown(tls->ssl) & SSL_SENT_SHUTDOWN))
        return;
    ERR_clear_error();
    SSL_shutdown(tls->ssl); /* it is a word of good-bye: no more than a try */
}

/* --- what OpenSSL answers -------------------------------------------------- */

/** What is wrong, in words that live as long as the program. */
static const char *words_now(const struct tls *tls)
{
    long verdict = SSL_get_verify_result(tls->ssl);
    unsigned long error = ERR_peek_last_error();
    const char *words;

    if (tls->has_ended)
        return "the connection ended without the close that TLS asks for";
    if (verdict != X509_V_OK)
        return X509_verify_cert_error_string(verdict);
    words = ERR_reason_error_string(error);
    return words != NULL ? words : "TLS has failed";
}

/** It cannot go on. The poller shall tell so to those who wait for it. */
static enum io broken(struct tls *tls)
{
    if (!tls->is_broken) {
        tls->why = words_now(tls);
        tls->met_http =
            ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_HTTP_REQUEST;
        tls->stream->error = EPROTO;
    }
    tls->is_broken = true;
    if (!tls->met_http)
        shutdown(tls->stream->watch.fd, SHUT_RDWR);
    return IO_BROKEN;
}

/** Why could it not be done? The BIO has told the watch what to wait for. */
static enum io answer(struct tls *tls, int result)
{
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: return IO_WAIT;
    case SSL_ERROR_ZERO_RETURN:
        tls->stream->watch.ready |= READY_READ; /* the end stays the end */
        return IO_END;
    case SSL_ERROR_SYSCALL: /* the plain stream knows why */
        tls->is_broken = true;
        return IO_BROKEN;
    default: return broken(tls);
    }
}

/** No event will tell of what waits inside. */
static void look_inside(struct tls *tls)
{
    if (SSL_has_pending(tls->ssl))
        tls->stream->watch.ready |= READY_READ;
}

enum io tls_shake(struct stream *stream)
{
    struct tls *tls = stream->tls;
    int result;
    enum io io;

    ERR_clear_error();
    result = SSL_do_handshake(tls->ssl);
    if (result == 1) {
        look_inside(tls);
        return IO_DONE;
    }
    io = answer(tls, result);
    return io == IO_BROKEN && tls->has_ended ? IO_END : io;
}

enum io tls_receive(struct stream *stream, void *bytes, size_t room,
                    size_t *got)
{
    struct tls *tls = stream->tls;
    int result;

    *got = 0;
    if (!(stream->watch.ready & READY_READ))
        return IO_WAIT;
    if (tls->is_broken)
        return IO_BROKEN;
    ERR_clear_error();
    result = SSL_read_ex(tls->ssl, bytes, room, got);
    if (result != 1)
        return answer(tls, result);
    look_inside(tls);
    return IO_DONE;
}

bool tls_has_news(struct stream *stream)
{
    struct tls *tls = stream->tls;
    size_t got;
    char byte;
    int result;

    if (!(stream->watch.ready & READY_READ))
        return false;
    if (tls->is_broken)
        return true;
    ERR_clear_error();
    /* What it takes in on the way, such as a ticket, is for TLS alone. */
    result = SSL_peek_ex(tls->ssl, &byte, 1, &got);
    if (result == 1) {
        look_inside(tls);
        return true;
    }
    return answer(tls, result) != IO_WAIT;
}

/** Several pieces go out as one record, as long as they fit. */
static struct iovec put_together(const struct iovec *pieces, int count)
{
    static _Thread_local char together[RECORD_BYTES];
    struct iovec whole = {together, 0};

    if (count == 1)
        return pieces[0];
    for (int i = 0; i < count && whole.iov_len < RECORD_BYTES; i++) {
        size_t room = RECORD_BYTES - whole.iov_len;
        size_t length = pieces[i].iov_len < room ? pieces[i].iov_len : room;

        memcpy(together + whole.iov_len, pieces[i].iov_base, length);
        whole.iov_len += length;
    }
    return whole;
}

enum io tls_send(struct stream *stream, const struct iovec *pieces, int count,
                 size_t *sent)
{
    struct tls *tls = stream->tls;
    struct iovec whole;
    int result;

    *sent = 0;
    if (!(stream->watch.ready & READY_WRITE))
        return IO_WAIT;
    if (tls->is_broken)
        return IO_BROKEN;
    whole = put_together(pieces, count);
    if (whole.iov_len > RECORD_BYTES)
        whole.iov_len = RECORD_BYTES;
    ERR_clear_error();
    result = SSL_write_ex(tls->ssl, whole.iov_base, whole.iov_len, sent);
    return result == 1 ? IO_DONE : answer(tls, result);
}

bool tls_is_resumed(const struct stream *stream)
{
    return SSL_session_reused(stream->tls->ssl);
}

bool tls_is_of(const struct stream *stream, const struct tls_context *context)
{
    return stream->tls->context == context;
}

bool tls_met_http(const struct stream *stream)
{
    return stream->tls->met_http;
}

const char *tls_words(const struct stream *stream)
{
    return stream->tls->why;
}

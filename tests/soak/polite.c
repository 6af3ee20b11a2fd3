/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Clients with manners: libcurl. It keeps connections, and when one that rested
 * was closed just as it was used, it asks again on a new one, as any client has
 * to. Each body is compared with what it must be, byte for byte.
 */
#include "client.h"
#include "stand.h"
#include "wait.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/** What a good body is. */
enum body {
    BODY_ANY,
    BODY_LETTERS, /**< the alphabet, again and again: of /bytes/N */
    BODY_ECHO,    /**< what was sent */
    BODY_SINK,    /**< a sentence about how much was sent */
};

/** What is asked for. */
struct wish {
    const char *what;   /**< in words */
    const char *path;   /**< without the name */
    const char *sends;  /**< a body, or NULL */
    size_t length;      /**< of it */
    size_t expected;    /**< bytes that shall come */
    enum body body;     /**< and what they are */
    bool in_chunks;     /**< send it so */
    bool is_head;       /**< HEAD */
    bool is_fresh;      /**< on a connection of its own */
    bool is_secure;     /**< by TLS */
    bool is_for_admin;  /**< to the admin listener */
    size_t sent, heard; /**< bytes so far */
    bool is_wrong;      /**< what came is not what shall come */
    char sink[64];      /**< for BODY_SINK */
};

enum { SENDS_MAX = 200000 };

/** Letters to send. */
static const char *letters(void)
{
    static char text[SENDS_MAX + 1];
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; text[SENDS_MAX - 1] == '\0' && i < SENDS_MAX; i++)
        text[i] = (char)('a' + i % 26);
    pthread_mutex_unlock(&lock);
    return text;
}

static char byte_wished(const struct wish *wish, size_t place)
{
    if (wish->body == BODY_SINK)
        return wish->sink[place];
    return (char)('a' + place % 26); /* what is sent are letters, too */
}

/** Look at what came next. */
static void compare(struct wish *wish, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length && !wish->is_wrong; i++)
        wish->is_wrong = wish->heard + i >= wish->expected ||
                         bytes[i] != byte_wished(wish, wish->heard + i);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct wish *wish = arg;
    size_t length = size * count;

    if (wish->body != BODY_ANY)
        compare(wish, bytes, length);
    wish->heard += length;
    return length;
}

static size_t on_send(char *room, size_t size, size_t count, void *arg)
{
    struct wish *wish = arg;
    size_t left = wish->length - wish->sent;
    size_t length = left < size * count ? left : size * count;

    memcpy(room, wish->sends + wish->sent, length);
    wish->sent += length;
    return length;
}

/** A connection that rested was closed, and libcurl begins again. */
static int on_seek(void *arg, curl_off_t place, int whence)
{
    struct wish *wish = arg;

    if (whence != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    wish->sent = (size_t)place;
    return CURL_SEEKFUNC_OK;
}

static struct curl_slist *set_sending(CURL *curl, struct wish *wish)
{
    if (wish->sends == NULL)
        return NULL;
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_send);
    curl_easy_setopt(curl, CURLOPT_READDATA, wish);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, wish);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     wish->in_chunks ? (curl_off_t)-1
                                     : (curl_off_t)wish->length);
    return wish->in_chunks
               ? curl_slist_append(NULL, "Transfer-Encoding: chunked")
               : NULL;
}

static void set_url(struct client *client, const struct wish *wish)
{
    const struct stand *stand = client->stand;
    unsigned port = wish->is_for_admin ? stand->admin
                    : wish->is_secure  ? stand->tls_port
                                       : stand->port;
    char url[300], name[64];

    client_name(client, strchr(wish->path, '?') == NULL ? "?" : "&", name,
                sizeof(name));
    snprintf(url, sizeof(url), "http%s://127.0.0.1:%u%s%s",
             wish->is_secure ? "s" : "", port, wish->path, name);
    curl_easy_setopt(client->curl, CURLOPT_URL, url);
}

static enum came came_of(CURLcode result, long status, const struct wish *wish)
{
    if (result == CURLE_OK) {
        bool is_short = status == 200 && !wish->is_head &&
                        wish->body != BODY_ANY && wish->heard != wish->expected;

        return status == 200 && (wish->is_wrong || is_short) ? CAME_WRONG
                                                             : CAME_WHOLE;
    }
    if (result == CURLE_OPERATION_TIMEDOUT)
        return CAME_LATE;
    if (result == CURLE_COULDNT_CONNECT)
        return CAME_REFUSED;
    return status > 0 ? CAME_CUT : CAME_NOTHING;
}

/** Programs that are started meanwhile must not have it, too: it would stay
 * open in them. */
static curl_socket_t on_socket(void *arg, curlsocktype purpose,
                               struct curl_sockaddr *address)
{
    (void)arg;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}

/** Ask, and note what came of it. */
static struct record *ask(struct client *client, struct wish *wish)
{
    struct record *record = client_begin(client, wish->what);
    struct curl_slist *fields;
    long status = 0;
    CURLcode result;
    CURL *curl;

    if (client->curl == NULL)
        client->curl = curl_easy_init();
    curl = client->curl;
    curl_easy_reset(curl); /* connections are kept */
    set_url(client, wish);
    fields = set_sending(curl, wish);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_socket);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)patience(LATE_MS));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, wish);
    curl_easy_setopt(curl, CURLOPT_NOBODY, (long)wish->is_head);
    if (wish->is_fresh) {
        curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    }
    if (wish->sends != NULL)
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
    result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status == 100) /* go on: no response yet */
        status = 0;
    client_end(record, came_of(result, status, wish), (unsigned)status);
    record->is_harmless = wish->sends == NULL;
    curl_slist_free_all(fields);
    return record;
}

/* --- GET and HEAD ---------------------------------------------------------- */

/** @param wish all but what is asked for */
static struct record *get_bytes(struct client *client, struct wish wish,
                                unsigned from, unsigned to)
{
    char path[64];

    wish.expected = chance_between(&client->chance, from, to);
    wish.body = BODY_LETTERS;
    wish.path = path;
    snprintf(path, sizeof(path), "/bytes/%zu", wish.expected);
    return ask(client, &wish);
}

void polite_small(struct client *client)
{
    get_bytes(client, (struct wish){.what = "GET, small"}, 0, 3000);
}

void polite_fresh(struct client *client)
{
    get_bytes(
        client,
        (struct wish){.what = "GET on a new connection", .is_fresh = true}, 0,
        3000);
}

void polite_large(struct client *client)
{
    get_bytes(client, (struct wish){.what = "GET, large"}, 50000, 2000000);
}

void polite_head(struct client *client)
{
    get_bytes(client, (struct wish){.what = "HEAD", .is_head = true}, 0,
              2000000);
}

/* --- POST ------------------------------------------------------------------ */

/** To one who gives it back, or to one who says how much it was. */
static void post(struct client *client, struct wish wish)
{
    bool is_echo = chance_below(&client->chance, 2) == 0;
    unsigned most = is_echo ? 8000 : SENDS_MAX;

    wish.sends = letters();
    wish.length = chance_between(&client->chance, 0, most);
    wish.path = is_echo ? "/echo" : "/sink";
    wish.body = is_echo ? BODY_ECHO : BODY_SINK;
    snprintf(wish.sink, sizeof(wish.sink), "read %zu bytes\n", wish.length);
    wish.expected = is_echo ? wish.length : strlen(wish.sink);
    ask(client, &wish);
}

void polite_post(struct client *client)
{
    post(client, (struct wish){.what = "POST with a length"});
}

void polite_chunks(struct client *client)
{
    post(client, (struct wish){.what = "POST in chunks", .in_chunks = true});
}

void polite_tls(struct client *client)
{
    bool is_fresh = chance_below(&client->chance, 4) == 0;

    if (chance_below(&client->chance, 3) == 0)
        post(client, (struct wish){.what = "POST by TLS",
                                   .is_secure = true,
                                   .is_fresh = is_fresh});
    else
        get_bytes(client,
                  (struct wish){.what = "GET by TLS",
                                .is_secure = true,
                                .is_fresh = is_fresh},
                  0, chance_below(&client->chance, 4) == 0 ? 500000 : 3000);
}

/* --- misbehaviour on request ------------------------------------------------ */

/** What a balancer makes of a backend that misbehaves. */
static const struct plague {
    const char *path;
    enum came came;
    unsigned status;   /**< 0: any */
    enum came or_came; /**< or else this, with any status */
} plagues[] = {
    {"/misbehave/close-early", CAME_WHOLE, 502, CAME_WHOLE},
    {"/misbehave/reset", CAME_WHOLE, 502, CAME_WHOLE},
    {"/misbehave/cut-body", CAME_CUT, 200, CAME_CUT},
    {"/misbehave/reset-body", CAME_CUT, 200, CAME_CUT},
    {"/misbehave/garbage", CAME_WHOLE, 502, CAME_WHOLE},
    {"/misbehave/big-head?n=100", CAME_WHOLE, 502, CAME_WHOLE},
    {"/misbehave/bad-chunk", CAME_WHOLE, 502, CAME_CUT},
    {"/misbehave/fail?percent=100", CAME_WHOLE, 500, CAME_WHOLE},
    {"/misbehave/linger", CAME_WHOLE, 200, CAME_WHOLE},
    {"/misbehave/jitter?ms=100", CAME_WHOLE, 200, CAME_WHOLE},
    {"/misbehave/drip?ms=2", CAME_WHOLE, 200, CAME_WHOLE},
    {"/misbehave/short-length", CAME_WHOLE, 200, CAME_WHOLE},
    {"/misbehave/stall", CAME_CUT, 200, CAME_CUT},
    {"/misbehave/silent", CAME_WHOLE, 504, CAME_WHOLE},
    {"/status/503", CAME_WHOLE, 503, CAME_WHOLE},
    {"/status/204", CAME_WHOLE, 204, CAME_WHOLE},
    {"/slow?ms=300", CAME_WHOLE, 200, CAME_WHOLE},
};
enum { PLAGUES = sizeof(plagues) / sizeof(plagues[0]) };

void polite_plague(struct client *client)
{
    const struct plague *plague =
        &plagues[chance_below(&client->chance, PLAGUES)];
    struct record *record =
        ask(client, &(struct wish){.what = plague->path, .path = plague->path});

    record->is_fine =
        (record->came == plague->came && record->status == plague->status) ||
        (plague->or_came != plague->came && record->came == plague->or_came);
}

/* --- the admin listener ------------------------------------------------------ */

void polite_watch(struct client *client)
{
    static const char *const paths[] = {"/metrics", "/api/v1/status", "/livez",
                                        "/api/v1/history", "/api/v1/config"};
    const char *path = paths[chance_below(&client->chance, 5)];
    struct record *record = ask(client, &(struct wish){.what = path,
                                                       .path = path,
                                                       .is_for_admin = true,
                                                       .is_fresh = true});

    record->is_nameless = true;
}

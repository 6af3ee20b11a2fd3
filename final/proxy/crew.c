/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Each worker has a listener of its own on the same port, and the kernel deals
 * clients out to them (SO_REUSEPORT). So no worker ever waits for another.
 */
#include "proxy/crew.h"

#include "base/log.h"
#include "base/must.h"
#include "base/settings.h"
#include "http/answer.h"
#include "net/listener.h"
#include "proxy/session.h"
#include "proxy/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ACCEPTS_MAX = 64, /* then others have their turn */
    REST_MS = 100,    /* out of descriptors: look again after this */
    PLACE_MS = 5,     /* other workers may have made room */
    WATCH_MS = 10, /* a client with its first request is watched after this */
    REFUSED_PIECES_MAX = 256, /* so much is read of a client too many */
};

struct hand;

/** Where clients come in. */
struct door {
    struct hand *hand;  /**< borrowed: whose it is */
    struct watch watch; /**< the listener, owned; its descriptor is -1: shut */
    struct timer rest;  /**< accepting is paused until then */
    bool is_secure;     /**< clients come by TLS */
};

/** As clients are, so are the doors. */
enum { DOOR_PLAIN, DOOR_SECURE, DOORS };

/** One of the crew. */
struct hand {
    struct worker worker;
    struct door doors[DOORS];
    struct timer place; /**< to look for room for those who wait */
    struct timer look;  /**< to watch clients that were left alone so far */
    bool is_short;      /**< told that descriptors are short */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t *gate; /**< borrowed: the crew's */
};

struct crew {
    struct proxy *proxy;
    unsigned count;
    struct hand *hands;         /**< owned */
    union address where[DOORS]; /**< where all of them listen */
    bool has_door[DOORS];
    pthread_mutex_t gate; /**< shut until crew_serve(): nobody is served */
    bool is_shut;
};

/** Send what is taken now, in as many calls as that needs: nobody watches this
 * stream, so what was not ready may be so again. */
static void send_now(struct stream *client, char *bytes, /* NOLINT: iovec */
                     size_t length)
{
    size_t moved = 0;
    enum io io = IO_DONE;

    while (length > 0 && io == IO_DONE) {
        struct iovec piece = {bytes, length};

        client->watch.ready |= READY_WRITE;
        io = stream_send(client, &piece, 1, &moved);
        bytes += moved;
        length -= moved;
    }
}

/** Read and forget what has come, but not for ever. */
static void read_off(struct stream *client, char *bytes, size_t room)
{
    size_t moved;
    enum io io = IO_DONE;

    for (int i = 0; io == IO_DONE && i < REFUSED_PIECES_MAX; i++) {
        client->watch.ready |= READY_READ;
        io = stream_receive(client, bytes, room, &moved);
    }
}

/** One client too many: it is told so, if it can be told at once. */
static void refuse(struct stream *client, struct loop *loop)
{
    char bytes[ANSWER_BYTES_MAX];
    struct answer answer = {.status = 503,
                            .why = "too many clients at once",
                            .retry_after = 1,
                            .closes = true};

    send_now(client, bytes, answer_print(&answer, bytes, sizeof(bytes)));
    stream_shut(client);
    /* What it has asked must be read, or the answer would be lost. */
    read_off(client, bytes, sizeof(bytes));
    stream_close(client, loop);
}

static void welcome(struct door *door, struct stream *client,
                    const union address *from)
{
    struct worker *worker = &door->hand->worker;
    struct proxy *proxy = worker->proxy;

    door->hand->is_short = false;
    if (atomic_fetch_add(&proxy->sessions, 1) >= proxy->sessions_max) {
        atomic_fetch_sub(&proxy->sessions, 1);
        counts_client(worker->counts, true);
        if (door->is_secure) /* it could be told only after a handshake */
            stream_close(client, worker->loop);
        else
            refuse(client, worker->loop);
        return;
    }
    counts_client(worker->counts, false);
    session_begin(worker, client, from, door->is_secure);
}

/** Descriptors are short: wait until some may be free again, without spinning. */
static void rest(struct door *door)
{
    struct hand *hand = door->hand;
    struct loop *loop = hand->worker.loop;

    if (!hand->is_short)
        log_error("out of descriptors: no client is accepted until one is "
                  "free (%u sessions; see ulimit -n)",
                  atomic_load(&hand->worker.proxy->sessions));
    hand->is_short = true;
    timer_set_in(loop_timers(loop), &door->rest, REST_MS, loop_now(loop));
}

static void on_clients(void *arg)
{
    struct door *door = arg;

    for (int i = 0; i < ACCEPTS_MAX; i++) {
        struct stream client;
        union address from;

        switch (listener_accept(door->watch.fd, &client, &from)) {
        case ACCEPTED_CLIENT: welcome(door, &client, &from); break;
        case ACCEPTED_LOST: break;
        case ACCEPTED_NONE: watch_wait(&door->watch, READY_READ); return;
        case ACCEPTED_SHORT: rest(door); return;
        }
    }
    loop_again(door->hand->worker.loop, &door->watch);
}

/** Once per turn. */
static void on_turn(void *arg)
{
    struct hand *hand = arg;
    struct loop *loop = hand->worker.loop;

    if (!list_is_empty(&hand->worker.waiting) && !timer_is_set(&hand->place))
        timer_set_in(loop_timers(loop), &hand->place, PLACE_MS, loop_now(loop));
    if (!list_is_empty(&hand->worker.unwatched) && !timer_is_set(&hand->look))
        timer_set_in(loop_timers(loop), &hand->look, WATCH_MS, loop_now(loop));
    log_flush();
}

static void on_look(void *arg)
{
    struct hand *hand = arg;

    sessions_watch(&hand->worker);
}

static void on_place(void *arg)
{
    struct hand *hand = arg;

    sessions_wake_waiting(&hand->worker);
}

static void door_shut(struct door *door)
{
    timer_clear(&door->rest);
    if (door->watch.fd == -1)
        return;
    loop_forget(door->hand->worker.loop, &door->watch);
    close(door->watch.fd);
    door->watch.fd = -1;
}

/** Listen; @p settings then has the port that was found. */
static bool door_open(struct door *door, struct listener_settings *settings,
                      struct fault *fault)
{
    if (!listener_open(settings, &door->watch.fd, fault))
        return false;
    door->watch.on_event = on_clients;
    door->watch.arg = door;
    if (!loop_watch(door->hand->worker.loop, &door->watch)) {
        fault_say(fault, "cannot watch the listener: %s", strerror(errno));
        door_shut(door);
        return false;
    }
    if (!listener_address(door->watch.fd, &settings->where)) {
        fault_say(fault, "cannot find out the port: %s", strerror(errno));
        door_shut(door);
        return false;
    }
    return true;
}

static void hand_stop_listening(struct hand *hand)
{
    for (int i = 0; i < DOORS; i++)
        door_shut(&hand->doors[i]);
}

static bool hand_open(struct hand *hand, struct crew *crew,
                      struct configuration *configuration,
                      struct listener_settings *settings, struct fault *fault)
{
    if (!worker_init(&hand->worker, crew->proxy, configuration))
        return fault_say(fault, "cannot make a worker: %s", strerror(errno));
    hand->gate = &crew->gate;
    hand->place = (struct timer){.on_alarm = on_place, .arg = hand};
    hand->look = (struct timer){.on_alarm = on_look, .arg = hand};
    loop_on_turn(hand->worker.loop, on_turn, hand);
    for (int i = 0; i < DOORS; i++) {
        struct door *door = &hand->doors[i];

        *door = (struct door){.hand = hand, .is_secure = i == DOOR_SECURE};
        door->watch.fd = -1;
        door->rest = (struct timer){.on_alarm = on_clients, .arg = door};
    }
    for (int i = 0; i < DOORS; i++) {
        if (!crew->has_door[i] ||
            door_open(&hand->doors[i], &settings[i], fault))
            continue;
        hand_stop_listening(hand);
        worker_fini(&hand->worker);
        return false;
    }
    return true;
}

static void hand_close(struct hand *hand)
{
    hand_stop_listening(hand);
    timer_clear(&hand->place);
    timer_clear(&hand->look);
    sessions_end(&hand->worker);
    worker_fini(&hand->worker);
}

/** Where the settings say that clients come in. */
static bool find_doors(struct crew *crew, const struct settings *set,
                       struct listener_settings *settings, struct fault *fault)
{
    struct settings_place place;
    const char *address = set->address;

    crew->has_door[DOOR_PLAIN] = true;
    if (!address_parse(&settings[DOOR_PLAIN].where, text_of(address),
                       set->port))
        return fault_say(fault, "%s is no address to listen on", address);
    must(settings_place_read(&place, set->tls_listen));
    crew->has_door[DOOR_SECURE] = place.kind == SETTINGS_AT_PORT;
    if (!crew->has_door[DOOR_SECURE])
        return true;
    if (strchr(set->tls_listen, ':') != NULL)
        address = place.address;
    if (!address_parse(&settings[DOOR_SECURE].where, text_of(address),
                       place.port))
        return fault_say(fault, "%s is no address to listen on", address);
    return true;
}

struct crew *crew_open(struct proxy *proxy, struct configuration *configuration,
                       unsigned count, struct fault *fault)
{
    const struct settings *set = configuration->settings;
    struct crew *crew = xnew(1, sizeof(*crew));
    struct listener_settings settings[DOORS];
    bool good;

    pthread_mutex_init(&crew->gate, NULL);
    crew->proxy = proxy;
    crew->hands = xnew(count, sizeof(*crew->hands));
    for (int i = 0; i < DOORS; i++)
        settings[i] = (struct listener_settings){.is_shared = count > 1,
                                                 .defers = set->defer_accept};
    good = find_doors(crew, set, settings, fault);
    /* The others listen where the first one does. */
    while (good && crew->count < count) {
        good = hand_open(&crew->hands[crew->count], crew, configuration,
                         settings, fault);
        crew->count += good;
    }
    if (!good) {
        crew_end(&crew);
        return NULL;
    }
    for (int i = 0; i < DOORS; i++)
        crew->where[i] = settings[i].where;
    if (crew->has_door[DOOR_SECURE])
        proxy->tls_port = address_port(&crew->where[DOOR_SECURE]);
    return crew;
}

void crew_address(const struct crew *crew, union address *address)
{
    *address = crew->where[DOOR_PLAIN];
}

bool crew_address_secure(const struct crew *crew, union address *address)
{
    *address = crew->where[DOOR_SECURE];
    return crew->has_door[DOOR_SECURE];
}

unsigned crew_size(const struct crew *crew)
{
    return crew->count;
}

void crew_count(const struct crew *crew, struct counts_sum *sum)
{
    for (unsigned i = 0; i < crew->count; i++)
        counts_add_to(crew->hands[i].worker.counts, sum);
}

static void *hand_run(void *arg)
{
    struct hand *hand = arg;

    log_join();
    pthread_mutex_lock(hand->gate);
    pthread_mutex_unlock(hand->gate);
    loop_run(hand->worker.loop);
    hand_close(hand);
    log_flush();
    return NULL;
}

bool crew_start(struct crew *crew, struct fault *fault)
{
    sigset_t all, before;
    int error = 0;

    pthread_mutex_lock(&crew->gate);
    crew->is_shut = true;
    /* Signals are for the main thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (unsigned i = 0; error == 0 && i < crew->count; i++) {
        struct hand *hand = &crew->hands[i];

        error = pthread_create(&hand->thread, NULL, hand_run, hand);
        hand->has_thread = error == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        return fault_say(fault, "cannot start a worker: %s", strerror(error));
    return true;
}

void crew_serve(struct crew *crew)
{
    if (crew->is_shut)
        pthread_mutex_unlock(&crew->gate);
    crew->is_shut = false;
}

static void on_drain(void *arg)
{
    struct hand *hand = arg;

    /* Clients whose connections the kernel has made already are served. */
    for (int i = 0; i < DOORS; i++)
        if (hand->doors[i].watch.fd != -1)
            on_clients(&hand->doors[i]);
    hand_stop_listening(hand);
    sessions_drain(&hand->worker);
}

void crew_drain(struct crew *crew)
{
    atomic_store(&crew->proxy->drains, true);
    for (unsigned i = 0; i < crew->count; i++)
        loop_call(crew->hands[i].worker.loop, on_drain, &crew->hands[i]);
}

/** Something for one of the crew to do, with one thing. */
struct errand {
    struct hand *hand;
    union {
        struct configuration *configuration;
        struct backend *backend;
    };
};

static void on_adopt(void *arg)
{
    struct errand *errand = arg;
    struct worker *worker = &errand->hand->worker;
    struct terms *old = terms_hold(worker->terms); /* for alarms set in it */

    worker_adopt(worker, errand->configuration);
    sessions_adopt(worker);
    terms_drop(&old);
    free(errand);
}

static void on_forget(void *arg)
{
    struct errand *errand = arg;

    worker_forget(&errand->hand->worker, errand->backend);
    free(errand);
}

/** Have each of the crew run it. */
static void tell(struct crew *crew, void (*call)(void *arg),
                 const struct errand *like)
{
    for (unsigned i = 0; i < crew->count; i++) {
        struct errand *errand = xnew(1, sizeof(*errand));

        *errand = *like;
        errand->hand = &crew->hands[i];
        loop_call(errand->hand->worker.loop, call, errand);
    }
}

void crew_adopt(struct crew *crew, struct configuration *configuration)
{
    atomic_fetch_add(&configuration->workers, crew->count);
    tell(crew, on_adopt, &(struct errand){.configuration = configuration});
}

void crew_forget(struct crew *crew, struct backend *backend)
{
    atomic_fetch_add(&backend->forgetting, crew->count);
    tell(crew, on_forget, &(struct errand){.backend = backend});
}

static void on_end(void *arg)
{
    struct hand *hand = arg;

    loop_stop(hand->worker.loop);
}

void crew_end(struct crew **owned)
{
    struct crew *crew = *owned;

    crew_serve(crew);
    for (unsigned i = 0; i < crew->count; i++) {
        struct hand *hand = &crew->hands[i];

        if (hand->has_thread) {
            loop_call(hand->worker.loop, on_end, hand);
            pthread_join(hand->thread, NULL);
        } else {
            hand_close(hand);
        }
    }
    pthread_mutex_destroy(&crew->gate);
    free(crew->hands);
    free(crew);
    *owned = NULL;
}

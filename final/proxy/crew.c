/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Each worker has a listener of its own on the same port, and the kernel deals
 * clients out to them (SO_REUSEPORT). So no worker ever waits for another.
 *
 * Where listeners come from another process, there may be more or less of them
 * than workers. With each of them go the clients that wait there, so none may be
 * left alone: a worker has several doors, then; or several workers share one,
 * until it is certain that the other process will not serve on.
 */
#include "proxy/crew.h"

#include "base/log.h"
#include "base/must.h"
#include "base/settings.h"
#include "http/answer.h"
#include "net/handed.h"
#include "net/listener.h"
#include "proxy/session.h"
#include "proxy/worker.h"

#include <errno.h>
#include <fcntl.h>
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
    LAST_ROUNDS_MAX = 64,     /* of accepting, before a door is shut */
};

struct hand;

/** Where clients come in. */
struct door {
    struct hand *hand;  /**< borrowed: whose it is */
    struct watch watch; /**< the listener, owned; its descriptor is -1: shut */
    struct timer rest;  /**< accepting is paused until then */
    bool is_secure;     /**< clients come by TLS */
    bool is_borrowed;   /**< a copy of another worker's */
};

/** As clients are, so are the doors. */
enum door_kind { DOOR_PLAIN, DOOR_SECURE, DOORS };

/** One of the crew. */
struct hand {
    struct worker worker;
    struct door *doors; /**< owned */
    size_t door_count;
    struct timer place; /**< to look for room for those who wait */
    struct timer look;  /**< to watch clients that were left alone so far */
    bool is_short;      /**< told that descriptors are short */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t *gate; /**< borrowed: the crew's */
};

struct crew {
    struct proxy *proxy;
    unsigned wanted;    /**< workers */
    unsigned count;     /**< those that there are */
    struct hand *hands; /**< owned */
    struct entrance {   /**< of each kind of door */
        bool is_there;
        struct listener_settings settings; /**< with the port that was found */
        int found[HANDED_MAX]; /**< owned: listeners that others have left */
        size_t found_count;
    } entrances[DOORS];
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

/** Accept some. @return may more be there? */
static bool accept_some(struct door *door)
{
    for (int i = 0; i < ACCEPTS_MAX; i++) {
        struct stream client;
        union address from;

        switch (listener_accept(door->watch.fd, &client, &from)) {
        case ACCEPTED_CLIENT: welcome(door, &client, &from); break;
        case ACCEPTED_LOST: break;
        case ACCEPTED_NONE: watch_wait(&door->watch, READY_READ); return false;
        case ACCEPTED_SHORT: rest(door); return false;
        }
    }
    return true;
}

static void on_clients(void *arg)
{
    struct door *door = arg;

    if (accept_some(door))
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

/** Have it watched from now on; @p fd is the door's. */
static bool door_open(struct door *door, int fd, struct fault *fault)
{
    door->watch.fd = fd;
    if (loop_watch(door->hand->worker.loop, &door->watch))
        return true;
    fault_say(fault, "cannot watch the listener: %s", strerror(errno));
    door_shut(door);
    return false;
}

static void hand_stop_listening(struct hand *hand)
{
    for (size_t i = 0; i < hand->door_count; i++)
        door_shut(&hand->doors[i]);
}

/** One more door, which is shut. */
static struct door *hand_add_door(struct hand *hand, bool is_secure)
{
    struct door *door = &hand->doors[hand->door_count++];

    *door = (struct door){.hand = hand, .is_secure = is_secure};
    door->watch.fd = -1;
    door->watch.on_event = on_clients;
    door->watch.arg = door;
    door->rest = (struct timer){.on_alarm = on_clients, .arg = door};
    return door;
}

/** A listener of its own; the next ones listen where the first one does. */
static bool open_new(struct door *door, struct entrance *entrance,
                     struct fault *fault)
{
    int fd;

    if (!listener_open(&entrance->settings, &fd, fault) ||
        !door_open(door, fd, fault))
        return false;
    if (listener_address(fd, &entrance->settings.where))
        return true;
    return fault_say(fault, "cannot find out the port: %s", strerror(errno));
}

/** The first door of that kind. */
static struct door *hand_door(const struct hand *hand, bool is_secure)
{
    size_t i = 0;

    while (i < hand->door_count && hand->doors[i].is_secure != is_secure)
        i++;
    must(i < hand->door_count);
    return &hand->doors[i];
}

/** There are less than workers: the same one as another of the crew. */
static bool open_borrowed(struct door *door, const struct hand *other,
                          struct fault *fault)
{
    int theirs = hand_door(other, door->is_secure)->watch.fd;
    int fd = fcntl(theirs, F_DUPFD_CLOEXEC, 0);

    door->is_borrowed = true;
    if (fd == -1)
        return fault_say(fault, "cannot share a listener: %s", strerror(errno));
    return door_open(door, fd, fault);
}

/** All that falls to this worker, of what others have left. */
static bool open_found(struct hand *hand, struct crew *crew,
                       enum door_kind kind, struct fault *fault)
{
    struct entrance *entrance = &crew->entrances[kind];
    size_t number = (size_t)(hand - crew->hands);

    for (size_t i = number; i < entrance->found_count; i += crew->wanted) {
        int fd = entrance->found[i];

        entrance->found[i] = -1;
        if (!door_open(hand_add_door(hand, kind == DOOR_SECURE), fd, fault))
            return false;
    }
    return number < entrance->found_count ||
           open_borrowed(hand_add_door(hand, kind == DOOR_SECURE),
                         &crew->hands[number % entrance->found_count], fault);
}

static bool hand_open_doors(struct hand *hand, struct crew *crew,
                            struct fault *fault)
{
    for (enum door_kind i = 0; i < DOORS; i++) {
        struct entrance *entrance = &crew->entrances[i];
        bool good = true;

        if (entrance->found_count > 0)
            good = open_found(hand, crew, i, fault);
        else if (entrance->is_there)
            good = open_new(hand_add_door(hand, i == DOOR_SECURE), entrance,
                            fault);
        if (!good)
            return false;
    }
    return true;
}

/** How many doors each of the crew may need. */
static size_t doors_max(const struct crew *crew)
{
    size_t count = 0;

    for (int i = 0; i < DOORS; i++)
        count += crew->entrances[i].found_count / crew->wanted + 1;
    return count;
}

static bool hand_open(struct hand *hand, struct crew *crew,
                      struct configuration *configuration, struct fault *fault)
{
    if (!worker_init(&hand->worker, crew->proxy, configuration))
        return fault_say(fault, "cannot make a worker: %s", strerror(errno));
    hand->gate = &crew->gate;
    hand->place = (struct timer){.on_alarm = on_place, .arg = hand};
    hand->look = (struct timer){.on_alarm = on_look, .arg = hand};
    loop_on_turn(hand->worker.loop, on_turn, hand);
    hand->doors = xnew(doors_max(crew), sizeof(*hand->doors));
    if (hand_open_doors(hand, crew, fault))
        return true;
    hand_stop_listening(hand);
    worker_fini(&hand->worker);
    free(hand->doors);
    return false;
}

static void hand_close(struct hand *hand)
{
    hand_stop_listening(hand);
    timer_clear(&hand->place);
    timer_clear(&hand->look);
    sessions_end(&hand->worker);
    worker_fini(&hand->worker);
    free(hand->doors);
}

/** Where the settings say that clients come in. */
static bool find_entrances(struct crew *crew, const struct settings *set,
                           struct fault *fault)
{
    struct entrance *plain = &crew->entrances[DOOR_PLAIN];
    struct entrance *secure = &crew->entrances[DOOR_SECURE];
    struct settings_place place;
    const char *address = set->address;

    for (int i = 0; i < DOORS; i++)
        crew->entrances[i].settings = (struct listener_settings){
            .is_shared = crew->wanted > 1, .defers = set->defer_accept};
    plain->is_there = true;
    if (!address_parse(&plain->settings.where, text_of(address), set->port))
        return fault_say(fault, "%s is no address to listen on", address);
    must(settings_place_read(&place, set->tls_listen));
    secure->is_there = place.kind == SETTINGS_AT_PORT;
    if (!secure->is_there)
        return true;
    if (strchr(set->tls_listen, ':') != NULL)
        address = place.address;
    if (!address_parse(&secure->settings.where, text_of(address), place.port))
        return fault_say(fault, "%s is no address to listen on", address);
    return true;
}

/** Take the listeners that are there already. */
static void find_listeners(struct entrance *entrance, enum handed_role role,
                           struct handed *handed)
{
    int fd;

    while (entrance->is_there &&
           (fd = handed_take(handed, role, &entrance->settings.where)) != -1) {
        /* Where any port would do, the first one's is that of the rest. */
        if (entrance->found_count == 0)
            listener_address(fd, &entrance->settings.where);
        entrance->found[entrance->found_count++] = fd;
    }
}

struct crew *crew_open(struct proxy *proxy, struct configuration *configuration,
                       unsigned count, struct handed *handed,
                       struct fault *fault)
{
    struct crew *crew = xnew(1, sizeof(*crew));
    bool good;

    pthread_mutex_init(&crew->gate, NULL);
    crew->proxy = proxy;
    crew->wanted = count;
    crew->hands = xnew(count, sizeof(*crew->hands));
    good = find_entrances(crew, configuration->settings, fault);
    find_listeners(&crew->entrances[DOOR_PLAIN], HANDED_HTTP, handed);
    find_listeners(&crew->entrances[DOOR_SECURE], HANDED_HTTPS, handed);
    /* The others listen where the first one does. */
    while (good && crew->count < count) {
        good = hand_open(&crew->hands[crew->count], crew, configuration, fault);
        crew->count += good;
    }
    if (!good) {
        crew_end(&crew);
        return NULL;
    }
    if (crew->entrances[DOOR_SECURE].is_there)
        proxy->tls_port =
            address_port(&crew->entrances[DOOR_SECURE].settings.where);
    return crew;
}

/** A listener of its own in place of a borrowed one, if that can be. */
static void door_settle(struct door *door,
                        const struct listener_settings *settings)
{
    struct fault fault;
    int fd;

    if (!door->is_borrowed || !listener_open(settings, &fd, &fault))
        return;
    door_shut(door);
    door->is_borrowed = false;
    if (!door_open(door, fd, &fault))
        log_error("a worker takes no clients: %s", fault.text);
}

void crew_settle(struct crew *crew)
{
    /* All share the port, before one more can. */
    for (int borrowed = 0; borrowed < 2; borrowed++) {
        for (unsigned i = 0; i < crew->count; i++) {
            struct hand *hand = &crew->hands[i];

            for (size_t j = 0; j < hand->door_count; j++) {
                struct door *door = &hand->doors[j];
                const struct listener_settings *settings =
                    &crew->entrances[door->is_secure].settings;

                if (borrowed == 0)
                    listener_tune(door->watch.fd, settings);
                else
                    door_settle(door, settings);
            }
        }
    }
}

bool crew_hand(const struct crew *crew, struct handed *handed)
{
    bool good = true;

    for (unsigned i = 0; i < crew->count; i++) {
        const struct hand *hand = &crew->hands[i];

        for (size_t j = 0; j < hand->door_count; j++) {
            const struct door *door = &hand->doors[j];

            if (!door->is_borrowed)
                good &= handed_add(handed,
                                   door->is_secure ? HANDED_HTTPS : HANDED_HTTP,
                                   door->watch.fd);
        }
    }
    return good;
}

void crew_address(const struct crew *crew, union address *address)
{
    *address = crew->entrances[DOOR_PLAIN].settings.where;
}

bool crew_address_secure(const struct crew *crew, union address *address)
{
    *address = crew->entrances[DOOR_SECURE].settings.where;
    return crew->entrances[DOOR_SECURE].is_there;
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

/** Clients whose connections the kernel has made already are served. */
static void door_clear(struct door *door)
{
    for (int i = 0; i < LAST_ROUNDS_MAX && door->watch.fd != -1; i++)
        if (!accept_some(door))
            break;
}

static void on_drain(void *arg)
{
    struct hand *hand = arg;

    for (size_t i = 0; i < hand->door_count; i++)
        door_clear(&hand->doors[i]);
    hand_stop_listening(hand);
    if (atomic_load(&hand->worker.proxy->ends))
        sessions_drain(&hand->worker);
}

void crew_drain(struct crew *crew, bool ends)
{
    atomic_store(&crew->proxy->drains, true);
    if (ends)
        atomic_store(&crew->proxy->ends, true);
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

/** Close what was found and became no door. */
static void entrance_close(struct entrance *entrance)
{
    for (size_t i = 0; i < entrance->found_count; i++)
        if (entrance->found[i] != -1)
            close(entrance->found[i]);
}

void crew_end(struct crew **owned)
{
    struct crew *crew = *owned;

    /* They have not served, and must not begin now. */
    for (unsigned i = 0; crew->is_shut && i < crew->count; i++)
        hand_stop_listening(&crew->hands[i]);
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
    for (int i = 0; i < DOORS; i++)
        entrance_close(&crew->entrances[i]);
    pthread_mutex_destroy(&crew->gate);
    free(crew->hands);
    free(crew);
    *owned = NULL;
}

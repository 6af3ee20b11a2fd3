/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/**
 * @file lab.h
 * @brief A balancer under test with its backends, for one behaviour.
 *
 *  - lab_backend() adds a backend, lab_flag() a flag for the balancer;
 *  - lab_play() adds a backend that the test plays itself, and lab_cue() waits
 *    for a request to it;
 *  - lab_start() starts the balancer over them;
 *  - lab_get() and its kin ask it something;
 *  - lab_kill() and lab_revive() do things to backends, lab_count() asks a
 *    backend what it has done;
 *  - lab_end() stops everything, and the balancer must end well.
 *
 * What goes wrong in here fails the test that called it.
 */
#ifndef BEHAVIOURS_LAB_H
#define BEHAVIOURS_LAB_H

#include "fetch.h"
#include "process.h"
#include "rude.h"
#include "wait.h"

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

/** What is under test: set once, from the command line. */
struct subject {
    const char *lb;      /**< one of our balancers, or NULL */
    const char *command; /**< anybody's: a command with {port}, {backends} */
    const char *backend; /**< our backend program */
    unsigned chapter;    /**< what it claims to be able to do */
    const char *flags;   /**< more flags for the full balancer, each behind a
                              blank; or NULL */
};

/** A backend in the lab. */
struct lab_backend {
    struct process process;
    unsigned port;        /**< where it listens; kept when it is revived */
    int keeper;           /**< owned: keeps the port while it is dead; the
                               listener of one that the test plays */
    char name[16];        /**< `one`, `two`, ... */
    const char *more[12]; /**< its own flags, ended by NULL */
};

enum { LAB_BACKENDS_MAX = 8, LAB_FLAGS_MAX = 40 };

/** The lab. Its fields are for reading. */
struct lab {
    struct lab_backend backends[LAB_BACKENDS_MAX];
    size_t count;
    const char *flags[LAB_FLAGS_MAX]; /**< for the balancer, ended by NULL */
    size_t flag_count;
    struct process lb;
    unsigned port;        /**< where the balancer listens */
    unsigned admin;       /**< where its admin listener is; 0: it has none */
    bool usual_admin;     /**< leave that listener at its usual place */
    const char *interval; /**< between probes; `100ms` unless changed */
    const char *host;     /**< how backends are written; `127.0.0.1` */
    const char *also;     /**< one more backend's URL, or NULL */
    const char *config;   /**< its file, to be taken away; or NULL */
    bool keeps_config;    /**< the file is to be read again */
    const char *program;  /**< run in place of the one under test, which it
                               leads to; or NULL */
    bool is_bare;         /**< give it none but the flags of the lab */
};

/** Set what all labs test. */
void lab_subject(const struct subject *what);

/** The chapter that the balancer under test claims to be. */
unsigned lab_chapter(void);

/** The balancer under test, if it is one of ours. */
const char *lab_program(void);

/** A lab without backends; the balancer has not been started. */
void lab_init(struct lab *lab);

/** Add a backend, with flags of its own, ended by NULL. */
struct lab_backend *lab_backend_with(struct lab *lab, const char *const *more);
#define lab_backend(lab, ...) \
    lab_backend_with((lab), (const char *const[]){__VA_ARGS__, NULL})

/** Add so many backends that behave. */
void lab_backends(struct lab *lab, size_t count);

/** A lab with one backend that behaves and is not asked for its health. */
void lab_solo(struct lab *lab);

/**
 * Add a backend that the test plays itself, byte by byte. Nobody asks it for
 * its health: it gets requests and nothing else.
 */
void lab_play(struct lab *lab);

/**
 * Wait until a connection to that played backend, and a whole head on it, have
 * come. Whoever calls this ends it with rude_close().
 */
void lab_cue(const struct lab *lab, size_t which, struct rude *backend);

/** Accept a connection as a backend that is played; insist that one comes. */
void lab_accept(const struct lab *lab, size_t which, struct rude *rude);

/** Has somebody connected to it, who was not accepted yet? */
bool lab_is_called(const struct lab *lab, size_t which, long ms);

/** A flag for the balancer, if it claims to be that chapter or a later one. */
void lab_flag(struct lab *lab, unsigned since, const char *name,
              const char *value);

/** Start the balancer. */
void lab_start(struct lab *lab);

/**
 * Start it with one worker, so that it is known which upstream connections rest
 * where. This is for what only steelyard does: the chapters do not know the
 * flag, and so fail at once and not after some time limit.
 */
void lab_start_alone(struct lab *lab);

/** The same, and a client without manners comes. */
void lab_meet(struct lab *lab, struct rude *client);

/**
 * Start the balancer with flags that it has to refuse: with status 2, and a
 * sentence on stderr that has these words in it. Ends the lab.
 */
void lab_refuses(struct lab *lab, const char *words);

/**
 * Start the balancer with flags that make it say something and end, with this
 * status; what it has printed stays in `lb.out` and `lb.err`.
 */
void lab_runs(struct lab *lab, int status);

/**
 * Configure the balancer by a file with this text, in which {0} is the URL of
 * the first backend, and so on. The lab becomes bare.
 */
void lab_config(struct lab *lab, const char *text);

/**
 * The same, with a file that stays for lab_reload(). Give it {"port": 0} or the
 * like yourself.
 */
void lab_config_kept(struct lab *lab, const char *text);

/**
 * Write the file anew, tell the balancer to read it again, and wait until it
 * says that it has; `was_taken` is how that has to go.
 */
void lab_reload(struct lab *lab, const char *text, bool was_taken);

/** The usual: so many backends that behave, and the balancer. */
void lab_usual(struct lab *lab, size_t count);

/** A whole URL on the balancer. Good until the eighth call after. */
const char *lab_url(const struct lab *lab, const char *path);

/** The same on its admin listener. */
const char *lab_admin(const struct lab *lab, const char *path);

/** GET from the balancer. */
struct answer lab_get(const struct lab *lab, const char *path);

/** The same for those who do not want the body. */
struct answer lab_try(const struct lab *lab, const char *path);

/** All of what a backend says to `GET /`. Good until the fourth call after. */
const char *lab_hello(const struct lab *lab, size_t which);

/** GET, and insist on a whole 200; tells which backend answered. Good until the
 * eighth call after. */
const char *lab_who(const struct lab *lab, const char *path);

/** Send this to the balancer, and return all that comes until the connection
 * ends. Good until the fourth call after. */
const char *lab_talk(const struct lab *lab, const char *request);

/** Connect to the balancer without manners. */
void lab_rude(const struct lab *lab, struct rude *rude);

/** Hear these words within three seconds, or fail. */
void lab_hear(struct rude *rude, const char *words);

/** Hear this content within three seconds in chunks of any size, and these words
 * behind it, or fail; see rude_hear_chunks(). */
void lab_hear_chunks(struct rude *rude, const char *content, const char *rest);

/** Forget what was heard, say this, and hear these words, or fail. */
void lab_ask(struct rude *rude, const char *text, const char *words);

/** Fail unless the connection ends within three seconds. */
void lab_hear_end(struct rude *rude);

/** Fail unless these words have been heard; or if they have. */
void lab_has(const struct rude *rude, const char *words);
void lab_lacks(const struct rude *rude, const char *words);

/** Kill a backend; start it again, on the same port. */
void lab_kill(struct lab *lab, size_t which);
void lab_revive(struct lab *lab, size_t which);

/** POST to a backend itself, such as `/not-ready`. */
void lab_tell(struct lab *lab, size_t which, const char *path);

/** How many requests a backend has got: in all, or for one path. */
long lab_count(const struct lab *lab, size_t which, const char *path);

/** How many connections it has got; that of asking this is one of them. */
long lab_connections(const struct lab *lab, size_t which);

/** Another of the numbers that a backend counts, such as `connections`; our
 * asking is among them. */
long lab_stat(const struct lab *lab, size_t which, const char *name);

/** lab_count() for all backends together. */
long lab_count_all(const struct lab *lab, const char *path);

/** Wait until the balancer has logged these words since @p after bytes. */
bool lab_logs(const struct lab *lab, const char *words, long ms);

/** The same for stdout, where the line of each request goes. */
bool lab_prints(const struct lab *lab, const char *words, long ms);

/** How often are these words in the log now? */
size_t lab_logged(const struct lab *lab, const char *words);

/** How often are they in the access log? */
size_t lab_noted(const struct lab *lab, const char *words);

/** The words by which the log tells that a backend is `up` or `down`. Good
 * until the fourth call after. */
const char *lab_change(const struct lab *lab, size_t which, const char *to);

/** Stop the balancer: it must end with status 0, without complaint of a
 * sanitizer; then the backends. */
void lab_end(struct lab *lab);

/** A client, a balancer, and a backend that the test plays. */
struct scene {
    struct lab lab;
    struct rude client;
    struct rude backend; /**< from scene_ask() on */
};

/** Begin one; with a flag, if it is not NULL. */
void scene_open(struct scene *scene, const char *flag, const char *value);

/** The client says this, and a head comes to the backend, on a connection of
 * its own. */
void scene_ask(struct scene *scene, const char *text);

/** End it; the balancer must end well. */
void scene_close(struct scene *scene);

/** Insist, or fail with a story. */
#define insist(condition, ...)     \
    do {                           \
        if (!(condition))          \
            lab_fail(__VA_ARGS__); \
    } while (0)

/** Fail with a story, of which the end is cut if it is long: a log may be. */
__attribute__((format(printf, 1, 2))) _Noreturn void
lab_fail(const char *format, ...);

#endif

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Chapter 08: poll. Read the command line, find out which backends are up, listen,
 * and serve all clients in one loop. The only other thread asks the backends for
 * their health.
 */
#include "health.h"
#include "loop.h"
#include "net.h"
#include "pool.h"
#include "session.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: lb --backends http://HOST:PORT,... [flags]\n"
    "\n"
    "  --backends URL,...   the backends that answer the requests\n"
    "  --port N             where clients connect (3030; 0 takes a free port)\n"
    "  --policy NAME        round-robin (if not given) or least-connections\n"
    "  --sessions-max N     clients served at once; more get 503 (12000)\n"
    "  --health-interval D  time between two rounds of probes (5s)\n"
    "  --health-timeout D   a probe fails after this time (1s)\n"
    "  --health-path PATH   probe by GET PATH (else by connecting only)\n"
    "  --rise N             so many good probes in a row bring a backend up (2)\n"
    "  --fall N             so many bad ones in a row take it down (3)\n"
    "  --trace              print what happens in every session\n"
    "  --help               print this and end\n";

/** What the command line asks for. */
struct options {
    unsigned port;
    unsigned sessions_max;
    bool trace;
    struct health_settings health;
    struct pool pool;
};

/** Say what cannot be done, and end: the command line has to change. */
static _Noreturn void fail(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    fputs("lb: ", stderr);
    vfprintf(stderr, format, values);
    fputs("\n", stderr);
    va_end(values);
    exit(2);
}

static unsigned read_number(const char *flag, const char *text, unsigned min,
                            unsigned max)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || number < min ||
        number > max)
        fail("--%s wants a number from %u to %u, not \"%s\"", flag, min, max,
             text);
    return (unsigned)number;
}

/** `250ms`, `5s` or `1m`, in milliseconds; from 1 ms to a day. */
static unsigned read_duration(const char *flag, const char *text)
{
    static const struct {
        const char *name;
        double ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}};
    char *end;
    double number = strtod(text, &end);

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        double ms = number * units[i].ms;

        if (strcmp(end, units[i].name) == 0 && ms >= 1 && ms <= 86400000)
            return (unsigned)ms;
    }
    fail("--%s wants a time such as 250ms, 5s or 1m, not \"%s\"", flag, text);
}

static const char *read_path(const char *flag, const char *text)
{
    if (*text != '/' || strpbrk(text, " \r\n") != NULL)
        fail("--%s wants a path such as /healthz, not \"%s\"", flag, text);
    return text;
}

static void read_backends(struct pool *pool, char *list)
{
    const char *why;

    /* strtok() skips what is empty, so "A,,B" are two backends. */
    for (char *url = strtok(list, ","); url != NULL; url = strtok(NULL, ",")) {
        if (pool->count == BACKENDS_MAX)
            fail("--backends takes at most %d of them", BACKENDS_MAX);
        if (!pool_add(pool, url))
            fail("--backends wants http://HOST:PORT, not \"%s\"", url);
        why = address_find(&pool->backends[pool->count - 1].address);
        if (why != NULL)
            fail("--backends: %s cannot be found: %s", url, why);
    }
}

static const struct policy *read_policy(const char *flag, const char *text)
{
    const struct policy *policy = policy_find(text);

    if (policy == NULL)
        fail("--%s wants round-robin or least-connections, not \"%s\"", flag,
             text);
    return policy;
}

static void read_options(struct options *options, int argc, char **argv)
{
    static const struct option flags[] = {
        {"backends", required_argument, NULL, 'b'},
        {"port", required_argument, NULL, 'p'},
        {"policy", required_argument, NULL, 'l'},
        {"sessions-max", required_argument, NULL, 's'},
        {"health-interval", required_argument, NULL, 'i'},
        {"health-timeout", required_argument, NULL, 't'},
        {"health-path", required_argument, NULL, 'u'},
        {"rise", required_argument, NULL, 'r'},
        {"fall", required_argument, NULL, 'f'},
        {"trace", no_argument, NULL, 'x'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct health_settings *health = &options->health;
    unsigned *max = &options->sessions_max;
    int flag, which = 0;

    opterr = 0; /* we say ourselves what is wrong */
    /* "only": so that `-port` does as well as `--port`. */
    while ((flag = getopt_long_only(argc, argv, ":", flags, &which)) != -1) {
        const char *name = flags[which].name;

        switch (flag) {
        case 'b': read_backends(&options->pool, optarg); break;
        case 'p': options->port = read_number(name, optarg, 0, 65535); break;
        case 'l': options->pool.policy = read_policy(name, optarg); break;
        case 's': *max = read_number(name, optarg, 1, 100000); break;
        case 'i': health->interval_ms = read_duration(name, optarg); break;
        case 't': health->timeout_ms = read_duration(name, optarg); break;
        case 'u': health->path = read_path(name, optarg); break;
        case 'r': health->rise = read_number(name, optarg, 1, 100); break;
        case 'f': health->fall = read_number(name, optarg, 1, 100); break;
        case 'x': options->trace = true; break;
        case 'h': fputs(usage, stdout); exit(0);
        case ':': fail("%s wants a value; see lb --help", argv[optind - 1]);
        default: fail("%s is no flag of lb; see lb --help", argv[optind - 1]);
        }
    }
    if (optind < argc)
        fail("\"%s\" is no flag; see lb --help", argv[optind]);
    if (options->pool.count == 0)
        fail("no backend; give one with --backends http://HOST:PORT");
}

/** A signal becomes a byte in this pipe, which can be waited for with poll. */
static int stop_pipe[2];

static void on_signal(int number)
{
    int saved = errno;

    (void)number;
    if (write(stop_pipe[1], "", 1) == -1)
        abort(); /* an empty pipe always has room for one byte */
    errno = saved;
}

/**
 * The first SIGTERM or SIGINT asks us to stop. SA_RESETHAND then gives the signal
 * its own meaning back, so a second one ends us at once.
 */
static void catch_signals(void)
{
    struct sigaction stop = {.sa_handler = on_signal,
                             .sa_flags = (int)SA_RESETHAND};

    if (pipe(stop_pipe) == -1)
        fail("no pipe: %s", strerror(errno));
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    /* A client that left shows as a failed send(), not as our end. */
    signal(SIGPIPE, SIG_IGN);
}

static void forget_backends(struct pool *pool)
{
    for (size_t i = 0; i < pool->count; i++)
        address_forget(&pool->backends[i].address);
}

/** How many clients the limit on open descriptors lets us serve at once. */
static unsigned sessions_allowed(unsigned wanted)
{
    /* For clients that get 503, probes, the listener and the like. */
    enum { SPARE = LOOP_REFUSED_MAX + 100 };
    unsigned descriptors = descriptors_raise(wanted * 2 + SPARE);
    /*
     * A client takes one descriptor, and a second while it is served. With three
     * clients for every four descriptors, a third of them may be served at once.
     */
    unsigned room = descriptors > SPARE ? (descriptors - SPARE) * 3 / 4 : 0;
    unsigned allowed = room < wanted ? room : wanted;

    if (allowed == 0)
        fail("%u open files are too few; raise the limit with ulimit -n",
             descriptors);
    if (allowed < wanted)
        fprintf(stderr, "%u clients at once, not %u: only %u open files\n",
                allowed, wanted, descriptors);
    return allowed;
}

int main(int argc, char **argv)
{
    struct options options = {
        .port = 3030,
        .sessions_max = 12000,
        .health = {
            .interval_ms = 5000, .timeout_ms = 1000, .rise = 2, .fall = 3}};
    struct health *health;
    struct loop *loop;
    int listener;
    unsigned left;

    pool_init(&options.pool, policy_find("round-robin"));
    read_options(&options, argc, argv);
    catch_signals();
    listener = listener_open(options.port);
    if (listener == -1)
        fail("cannot listen on port %u: %s; choose another with --port",
             options.port, strerror(errno));
    health = health_start(&options.pool, &options.health, stop_pipe[0]);
    if (health == NULL)
        fail("cannot start the health checks: %s", strerror(errno));
    loop = loop_new(&(struct loop_settings){
        .pool = &options.pool,
        .listener = listener,
        .stop = stop_pipe[0],
        .sessions_max = sessions_allowed(options.sessions_max),
        .trace = options.trace,
    });
    if (loop == NULL)
        fail("no memory");
    if (options.trace)
        session_trace();
    printf("listening on http://127.0.0.1:%u\n", listener_port(listener));
    fflush(stdout);

    left = loop_run(loop);
    if (left > 0)
        fprintf(stderr, "requests cut off by the end: %u\n", left);
    loop_free(&loop);
    health_stop(&health);
    forget_backends(&options.pool);
    return left > 0 ? 1 : 0;
}

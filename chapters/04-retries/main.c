/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Chapter 04: retries. Read the command line, find out which backends are up,
 * listen, and serve one client after the other, while a second thread goes on
 * asking. A request that one backend fails is given to another.
 */
#include "health.h"
#include "net.h"
#include "pool.h"
#include "proxy.h"

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
    "  --health-interval D  time between two rounds of probes (5s)\n"
    "  --health-timeout D   a probe fails after this time (1s)\n"
    "  --health-path PATH   probe by GET PATH (else by connecting only)\n"
    "  --rise N             so many good probes in a row bring a backend up (2)\n"
    "  --fall N             so many bad ones in a row take it down (3)\n"
    "  --help               print this and end\n";

/** What the command line asks for. */
struct options {
    unsigned port;
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
    /* strtok() skips what is empty, so "A,,B" are two backends. */
    for (char *url = strtok(list, ","); url != NULL; url = strtok(NULL, ",")) {
        if (pool->count == BACKENDS_MAX)
            fail("--backends takes at most %d of them", BACKENDS_MAX);
        if (!pool_add(pool, url))
            fail("--backends wants http://HOST:PORT, not \"%s\"", url);
    }
}

static void read_options(struct options *options, int argc, char **argv)
{
    static const struct option flags[] = {
        {"backends", required_argument, NULL, 'b'},
        {"port", required_argument, NULL, 'p'},
        {"health-interval", required_argument, NULL, 'i'},
        {"health-timeout", required_argument, NULL, 't'},
        {"health-path", required_argument, NULL, 'u'},
        {"rise", required_argument, NULL, 'r'},
        {"fall", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct health_settings *health = &options->health;
    int flag, which = 0;

    opterr = 0; /* we say ourselves what is wrong */
    /* "only": so that `-port` does as well as `--port`. */
    while ((flag = getopt_long_only(argc, argv, ":", flags, &which)) != -1) {
        const char *name = flags[which].name;

        switch (flag) {
        case 'b': read_backends(&options->pool, optarg); break;
        case 'p': options->port = read_number(name, optarg, 0, 65535); break;
        case 'i': health->interval_ms = read_duration(name, optarg); break;
        case 't': health->timeout_ms = read_duration(name, optarg); break;
        case 'u': health->path = read_path(name, optarg); break;
        case 'r': health->rise = read_number(name, optarg, 1, 100); break;
        case 'f': health->fall = read_number(name, optarg, 1, 100); break;
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

int main(int argc, char **argv)
{
    struct options options = {
        .port = 3030,
        .health = {
            .interval_ms = 5000, .timeout_ms = 1000, .rise = 2, .fall = 3}};
    struct health *health;
    int listener, client;

    read_options(&options, argc, argv);
    catch_signals();
    listener = listener_open(options.port);
    if (listener == -1)
        fail("cannot listen on port %u: %s; choose another with --port",
             options.port, strerror(errno));
    health = health_start(&options.pool, &options.health, stop_pipe[0]);
    if (health == NULL)
        fail("cannot start the health checks: %s", strerror(errno));
    printf("listening on http://127.0.0.1:%u\n", listener_port(listener));
    fflush(stdout);

    while ((client = listener_accept(listener, stop_pipe[0])) != -1) {
        proxy_serve(client, &options.pool, stop_pipe[0]);
        close(client);
    }
    close(listener);
    health_stop(&health);
    return 0;
}

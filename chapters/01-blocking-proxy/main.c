/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Chapter 01: a blocking proxy. Read the command line, listen, and serve one
 * client after the other until a signal asks us to stop.
 */
#include "net.h"
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
    "usage: lb --backends http://HOST:PORT [--port N]\n"
    "\n"
    "  --backends URL       the backend that answers the requests\n"
    "  --port N             where clients connect (3030; 0 takes a free port)\n"
    "  --help               print this and end\n";

/** What the command line asks for. */
struct options {
    unsigned port;
    struct address backend;
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

static void read_backends(struct options *options, const char *text)
{
    if (strchr(text, ',') != NULL)
        fail("--backends: this chapter knows one backend; "
             "chapter 02-round-robin takes turns over several");
    if (!address_parse(&options->backend, text))
        fail("--backends wants http://HOST:PORT, not \"%s\"", text);
}

static void read_options(struct options *options, int argc, char **argv)
{
    static const struct option flags[] = {
        {"backends", required_argument, NULL, 'b'},
        {"port", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int flag, which = 0;

    opterr = 0; /* we say ourselves what is wrong */
    /* "only": so that `-port` does as well as `--port`. */
    while ((flag = getopt_long_only(argc, argv, ":", flags, &which)) != -1) {
        const char *name = flags[which].name;

        switch (flag) {
        case 'b': read_backends(options, optarg); break;
        case 'p': options->port = read_number(name, optarg, 0, 65535); break;
        case 'h': fputs(usage, stdout); exit(0);
        case ':': fail("%s wants a value; see lb --help", argv[optind - 1]);
        default: fail("%s is no flag of lb; see lb --help", argv[optind - 1]);
        }
    }
    if (optind < argc)
        fail("\"%s\" is no flag; see lb --help", argv[optind]);
    if (options->backend.url[0] == '\0')
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
    struct options options = {.port = 3030};
    int listener, client;

    read_options(&options, argc, argv);
    catch_signals();
    listener = listener_open(options.port);
    if (listener == -1)
        fail("cannot listen on port %u: %s; choose another with --port",
             options.port, strerror(errno));
    printf("listening on http://127.0.0.1:%u\n", listener_port(listener));
    fflush(stdout);

    while ((client = listener_accept(listener, stop_pipe[0])) != -1) {
        proxy_serve(client, &options.backend, stop_pipe[0]);
        close(client);
    }
    close(listener);
    return 0;
}

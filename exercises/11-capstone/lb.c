/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A balancer of your own: here it begins. It understands its command line,
 * listens, says so, and then turns every client away. README.md tells what it
 * is to become, in which order.
 *
 * Nothing of this has to stay. Split it into files (add them to SOURCES in the
 * Makefile), or write it in another language (set LB there).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/** What the command line says. */
struct options {
    unsigned port;        /**< 0: any that is free */
    const char *backends; /**< http://HOST:PORT, several with commas */
};

/** Read the command line; what we do not know yet is passed over. */
static struct options options_read(int argc, char **argv)
{
    struct options options = {.port = 0, .backends = ""};

    for (int i = 1; i + 1 < argc; i++) {
        if (strcmp(argv[i], "--port") == 0)
            options.port = (unsigned)atoi(argv[i + 1]);
        if (strcmp(argv[i], "--backends") == 0)
            options.backends = argv[i + 1];
    }
    return options;
}

/** A socket that listens on 127.0.0.1, or the end of the program. */
static int listener_open(unsigned port)
{
    struct sockaddr_in where = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;

    if (fd == -1 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
        bind(fd, (struct sockaddr *)&where, sizeof(where)) == -1 ||
        listen(fd, SOMAXCONN) == -1) {
        perror("cannot listen");
        exit(1);
    }
    return fd;
}

/** Which port the kernel gave us, if we asked for any. */
static unsigned port_of(int listener)
{
    struct sockaddr_in where = {0};
    socklen_t size = sizeof(where);

    getsockname(listener, (struct sockaddr *)&where, &size);
    return ntohs(where.sin_port);
}

int main(int argc, char **argv)
{
    struct options options = options_read(argc, argv);
    int listener = listener_open(options.port);

    signal(SIGPIPE, SIG_IGN);
    printf("listening on http://127.0.0.1:%u\n", port_of(listener));
    fflush(stdout);

    for (;;) {
        int client = accept(listener, NULL, NULL);

        if (client == -1)
            continue;
        /*
         * TODO(11.1): read a request, send it to a backend, and send back what
         * the backend answers. options.backends says where the backends are.
         *
         * TODO(11.2): several backends take turns.
         *
         * TODO(11.3): ask the backends now and then whether they are well, and
         * send nothing to one that is not.
         *
         * TODO(11.4): when a backend fails a request, try another one, if that
         * cannot run the request twice.
         *
         * TODO(11.5): serve many clients at once.
         */
        close(client);
    }
}

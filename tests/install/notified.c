/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A life of steelyard as a service manager hears it, with this program as the
 * manager: ready, alive again and again, reloading and ready, stopping, and
 * gone with status 0.
 *
 * usage: notified STEELYARD
 */
#include "process.h"
#include "wait.h"

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAIT_MS = 10000, STOP_MS = 10000 };

static int passed, failed;

static void note(bool good, const char *what)
{
    printf("%s  %s\n", good ? "ok  " : "FAIL", what);
    passed += good;
    failed += !good;
}

/** The manager's end of the socket, in the environment of what starts now. */
static int manager_open(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd == -1 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return -1;
    setenv("NOTIFY_SOCKET", path, 1);
    setenv("WATCHDOG_USEC", "200000", 1);
    unsetenv("WATCHDOG_PID");
    return fd;
}

/** The next message that begins so; those in between are dropped. */
static bool hear(int fd, const char *begin)
{
    struct pollfd asked = {.fd = fd, .events = POLLIN};
    char text[1024];
    ssize_t length;

    while (poll(&asked, 1, WAIT_MS) == 1) {
        length = recv(fd, text, sizeof(text) - 1, 0);
        if (length <= 0)
            return false;
        text[length] = '\0';
        if (strncmp(text, begin, strlen(begin)) == 0)
            return true;
    }
    return false;
}

static bool hear_times(int fd, const char *begin, int times)
{
    while (times > 0 && hear(fd, begin))
        times--;
    return times == 0;
}

static void live(struct process *process, int fd)
{
    int status = -1;

    note(hear(fd, "READY=1\nSTATUS=serving over 1 backend"), "it says ready");
    note(hear_times(fd, "WATCHDOG=1", 3),
         "it says that it is alive, again and again");
    kill(process->pid, SIGHUP);
    note(hear(fd, "RELOADING=1\nMONOTONIC_USEC="), "it says that it reloads");
    note(hear(fd, "READY=1"), "and that it has");
    kill(process->pid, SIGTERM);
    note(hear(fd, "STOPPING=1"), "it says that it stops");
    note(holds_within(STOP_MS, process_has_ended(process, &status)) &&
             status == 0,
         "and ends with status 0");
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/notified.XXXXXX", path[64];
    const char *const words[] = {
        argc > 1 ? argv[1] : "final/steelyard",
        "--port=0",
        "--address=127.0.0.1",
        "--backends=http://127.0.0.1:9",
        "--admin=off",
        "--access-log=off",
        NULL,
    };
    struct process process = {0};
    int fd;

    if (mkdtemp(folder) == NULL)
        return 2;
    snprintf(path, sizeof(path), "%s/socket", folder);
    fd = manager_open(path);
    if (fd == -1 || !process_start(&process, words)) {
        perror("notified");
        return 2;
    }
    live(&process, fd);
    process_kill(&process);
    close(fd);
    unlink(path);
    rmdir(folder);
    printf("%d passed, %d failed\n", passed, failed);
    return failed > 0;
}

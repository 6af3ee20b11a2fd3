/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What is passed is first copied to high numbers, and then, in the new process,
 * to 3, 4, 5 and so on; all above is closed there. So nothing is passed by
 * accident, and it does not matter who forgot to set FD_CLOEXEC.
 *
 * posix_spawnp() does that, and is safe in a program with threads: between
 * fork() and exec() hardly anything is allowed (POSIX, fork()).
 */
#include "control/successor.h"

#include "base/log.h"
#include "base/must.h"
#include "control/predecessor.h"
#include "event/loop.h"
#include "net/handed.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST = 3, LOOK_MS = 20, LEAVE_MS = 2000 };

/** What is passed. */
struct parcel {
    const struct handed *handed; /**< borrowed: listeners */
    int channel;                 /**< owned: the other end of our channel */
    int copies[HANDED_MAX + 1];  /**< owned: with high numbers */
    size_t count;                /**< of these */
};

/* --- packing --------------------------------------------------------------- */

/** The variables of the new process: ours, and one more. Owned by the caller,
 * as is the last one; the others are borrowed. */
static char **variables_new(char *list)
{
    const char *watchdog = getenv("WATCHDOG_PID");
    /* What was meant for us is meant for it. */
    bool is_watched =
        watchdog != NULL && strtol(watchdog, NULL, 10) == (long)getpid();
    size_t count = 0, made = 0;
    char **variables;

    while (environ[count] != NULL)
        count++;
    variables = xnew(count + 2, sizeof(*variables));
    variables[made++] = list;
    for (size_t i = 0; i < count; i++)
        if (!is_watched || strncmp(environ[i], "WATCHDOG_PID=", 13) != 0)
            variables[made++] = environ[i];
    return variables;
}

/** `STEELYARD_HANDOVER=channel:3,http:4`. Owned by the caller. */
static char *list_new(const struct parcel *parcel)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);

    must(out != NULL);
    fprintf(out, PREDECESSOR_VARIABLE "=channel:%d", FIRST);
    for (size_t i = 0; i < parcel->handed->count; i++)
        fprintf(out, ",%s:%zu",
                handed_role_name(parcel->handed->sockets[i].role),
                FIRST + 1 + i);
    must(fclose(out) == 0);
    return text;
}

static bool copy(struct parcel *parcel, int fd)
{
    int high = FIRST + 1 + (int)parcel->handed->count;
    int copied = fcntl(fd, F_DUPFD_CLOEXEC, high);

    if (copied == -1)
        return false;
    parcel->copies[parcel->count++] = copied;
    return true;
}

static void parcel_fini(struct parcel *parcel)
{
    for (size_t i = 0; i < parcel->count; i++)
        close(parcel->copies[i]);
    close(parcel->channel);
}

/** Put together all that goes there. */
static bool pack(struct parcel *parcel, struct fault *fault)
{
    bool good = copy(parcel, parcel->channel);

    for (size_t i = 0; good && i < parcel->handed->count; i++)
        good = copy(parcel, parcel->handed->sockets[i].fd);
    return good || fault_say(fault, "out of descriptors: %s", strerror(errno));
}

/* --- starting -------------------------------------------------------------- */

/** What happens to descriptors in the new process. */
static void arrange(posix_spawn_file_actions_t *actions,
                    const struct parcel *parcel)
{
    posix_spawn_file_actions_init(actions);
    for (size_t i = 0; i < parcel->count; i++)
        posix_spawn_file_actions_adddup2(actions, parcel->copies[i],
                                         FIRST + (int)i);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    posix_spawn_file_actions_addclosefrom_np(actions,
                                             FIRST + (int)parcel->count);
#endif
}

static bool spawn(struct successor *successor, const struct parcel *parcel,
                  char **argv, struct fault *fault)
{
    char *list = list_new(parcel);
    char **variables = variables_new(list);
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t manner;
    sigset_t none;
    int error;

    sigemptyset(&none);
    arrange(&actions, parcel);
    posix_spawnattr_init(&manner);
    posix_spawnattr_setsigmask(&manner, &none);
    posix_spawnattr_setflags(&manner, POSIX_SPAWN_SETSIGMASK);
    error = posix_spawnp(&successor->pid, argv[0], &actions, &manner, argv,
                         variables);
    posix_spawnattr_destroy(&manner);
    posix_spawn_file_actions_destroy(&actions);
    free(variables);
    free(list);
    if (error == 0)
        return true;
    successor->pid = 0;
    return fault_say(fault, "cannot start %s: %s", argv[0], strerror(error));
}

/** What it has to know beside its settings. */
static void tell(const struct successor *successor, const char *words)
{
    /* It fits: the room of a socket is much larger than that. */
    if (!predecessor_say(successor->channel, words))
        log_warn("the new process was not told what drains");
}

/* --- how it goes ----------------------------------------------------------- */

static void let_go(struct successor *successor)
{
    timer_clear(&successor->limit);
    timer_clear(&successor->look);
    loop_forget(successor->loop, &successor->watch);
    close(successor->channel);
    successor->pid = 0;
}

/** It ended so: what is the reason? */
static void find_why(const struct successor *successor, int status,
                     struct fault *why)
{
    const char *begin = PREDECESSOR_REFUSED;
    const char *words = strstr(successor->heard, begin);

    if (successor->is_late)
        fault_say(why,
                  "process %ld was not ready within %lld ms (setting "
                  "upgrade-timeout)",
                  (long)successor->pid, (long long)successor->limit_ms);
    else if (words != NULL)
        fault_say(why, "%.*s", (int)strcspn(words + strlen(begin), "\n"),
                  words + strlen(begin));
    else if (WIFEXITED(status))
        fault_say(why, "process %ld ended with status %d before it was ready",
                  (long)successor->pid, WEXITSTATUS(status));
    else
        fault_say(why, "process %ld was ended by signal %d before it was ready",
                  (long)successor->pid, WTERMSIG(status));
}

static void failed(struct successor *successor, int status)
{
    struct fault why;

    find_why(successor, status, &why);
    let_go(successor);
    successor->on_end(successor->arg, &why);
}

/** It is about to end: has it? */
static void on_look(void *arg)
{
    struct successor *successor = arg;
    int status;

    if (waitpid(successor->pid, &status, WNOHANG) == successor->pid)
        failed(successor, status);
    else
        timer_set_in(loop_timers(successor->loop), &successor->look, LOOK_MS,
                     loop_now(successor->loop));
}

static void on_limit(void *arg)
{
    struct successor *successor = arg;

    successor->is_late = !timer_is_set(&successor->look);
    kill(successor->pid, SIGKILL);
    on_look(successor);
}

/** Read what it says. @return will there be more? */
static bool hear(struct successor *successor)
{
    ssize_t got;

    do {
        size_t room = sizeof(successor->heard) - 1 - successor->heard_length;

        if (room == 0) /* it talks too much */
            return false;
        got =
            recv(successor->channel, successor->heard + successor->heard_length,
                 room, MSG_DONTWAIT);
        if (got > 0)
            successor->heard_length += (size_t)got;
    } while (got > 0 || (got == -1 && errno == EINTR));
    watch_wait(&successor->watch, READY_READ);
    return got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

static void on_words(void *arg)
{
    struct successor *successor = arg;
    bool goes_on;

    if (timer_is_set(&successor->look))
        return;
    goes_on = hear(successor);
    if (!goes_on) {
        timer_set_in(loop_timers(successor->loop), &successor->limit, LEAVE_MS,
                     loop_now(successor->loop));
        on_look(successor);
    } else if (strcmp(successor->heard, PREDECESSOR_READY) == 0) {
        successor->on_end(successor->arg, NULL);
    }
}

bool successor_go(struct successor *successor)
{
    if (!predecessor_say(successor->channel, PREDECESSOR_GO))
        return false;
    let_go(successor);
    return true;
}

/** Follow what it does. */
static bool follow(struct successor *successor, struct fault *fault)
{
    successor->watch = (struct watch){
        .fd = successor->channel, .on_event = on_words, .arg = successor};
    successor->limit = (struct timer){.on_alarm = on_limit, .arg = successor};
    successor->look = (struct timer){.on_alarm = on_look, .arg = successor};
    if (!loop_watch(successor->loop, &successor->watch))
        return fault_say(fault, "cannot watch the new process: %s",
                         strerror(errno));
    timer_set_in(loop_timers(successor->loop), &successor->limit,
                 successor->limit_ms, loop_now(successor->loop));
    return true;
}

bool successor_start(struct successor *successor,
                     const struct successor_order *order, struct fault *fault)
{
    struct parcel parcel = {.handed = order->handed};
    int ends[2];
    bool good;

    successor->heard_length = 0;
    successor->is_late = false;
    memset(successor->heard, 0, sizeof(successor->heard));
    successor->limit_ms = order->limit_ms;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == -1)
        return fault_say(fault, "no channel to a new process: %s",
                         strerror(errno));
    for (int i = 0; i < 2; i++)
        fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    successor->channel = ends[0];
    parcel.channel = ends[1];
    good = pack(&parcel, fault) && follow(successor, fault) &&
           spawn(successor, &parcel, order->argv, fault);
    parcel_fini(&parcel);
    if (good)
        tell(successor, order->words);
    else
        let_go(successor);
    return good;
}

bool successor_is_coming(const struct successor *successor)
{
    return successor->pid != 0;
}

void successor_end(struct successor *successor)
{
    if (successor->pid == 0)
        return;
    kill(successor->pid, SIGKILL);
    while (waitpid(successor->pid, NULL, 0) == -1 && errno == EINTR)
        continue;
    let_go(successor);
}

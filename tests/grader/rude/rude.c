/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * One function for each thing that must cost a test its points, and nobody
 * else's. What goes through `sink` a compiler may not leave out.
 */
#include "rude.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER = 42, FDS = 1024 };

static char *volatile sink;
static int *volatile nowhere;
static volatile int zero;

static const char fake[] = "100%: Checks: 99, Failures: 0, Errors: 0\n"
                           "ok 1 - all\n99 passed, 0 failed\n";

int exit_zero(void)
{
    exit(0);
}

int exit_three(void)
{
    exit(3);
}

static void *thread_that_exits(void *unused)
{
    (void)unused;
    exit(0);
}

int exit_in_thread(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, thread_that_exits, NULL);
    pthread_join(thread, NULL);
    return ANSWER;
}

int leave_zero(void)
{
    _exit(0);
}

int leave_quick(void)
{
    quick_exit(0);
}

int abort_now(void)
{
    abort();
}

int assert_false(void)
{
    bool truth = getpid() == 0;

    assert(truth);
    return ANSWER;
}

int null_pointer(void)
{
    *nowhere = 1;
    return ANSWER;
}

static int deeper(volatile char *above)
{
    volatile char room[4096];

    room[0] = above[0];
    return room[0] == 1 ? 0 : deeper(room) + room[1];
}

int endless_recursion(void)
{
    volatile char room[2] = {0, 0};

    return deeper(room) == 1 ? 1 : ANSWER;
}

int heap_overflow(void)
{
    sink = malloc(10);
    sink[10] = 1;
    free(sink);
    return ANSWER;
}

int string_overflow(void)
{
    sink = malloc(4);
    strcpy(sink, "four");
    free(sink);
    return ANSWER;
}

int string_endless(void)
{
    sink = malloc(4);
    memset(sink, 'x', 4);
    zero += strstr(sink, "end") != NULL;
    free(sink);
    return ANSWER;
}

int use_after_free(void)
{
    sink = malloc(10);
    free(sink);
    return sink[3] == 1 ? 1 : ANSWER;
}

int double_free(void)
{
    char *volatile again = sink = malloc(10);

    free(sink);
    free(again);
    return ANSWER;
}

int leak(void)
{
    sink = malloc(1234);
    memset(sink, 1, 1234);
    sink = NULL;
    return ANSWER;
}

int int_overflow(void)
{
    volatile int large = 2147483647;

    large = large + 1;
    return ANSWER;
}

int divide_by_zero(void)
{
    zero = 1 / zero;
    return ANSWER;
}

int endless_loop(void)
{
    volatile bool on = true;

    while (on)
        continue;
    return ANSWER;
}

int endless_wait(void)
{
    int ends[2];
    char byte;

    if (pipe(ends) == 0 && read(ends[0], &byte, 1) == 1)
        return 1;
    return ANSWER;
}

int stop_itself(void)
{
    raise(SIGSTOP);
    return ANSWER;
}

int child_left(void)
{
    if (fork() == 0)
        for (;;)
            pause();
    return ANSWER;
}

int child_unasked(void)
{
    if (fork() == 0)
        _exit(0);
    return ANSWER;
}

/** A grandchild that has left the process group, and whose parent is gone. */
int daemon_left(void)
{
    pid_t child = fork();

    if (child == 0) {
        setsid();
        if (fork() == 0)
            for (;;)
                pause();
        _exit(0);
    }
    waitpid(child, NULL, 0);
    return ANSWER;
}

int stdout_closed(void)
{
    close(STDOUT_FILENO);
    return ANSWER;
}

int stdout_replaced(void)
{
    int other = open("/dev/null", O_WRONLY);

    dup2(other, STDOUT_FILENO);
    close(other);
    return ANSWER;
}

int fork_bomb(void)
{
    for (;;)
        if (fork() == -1)
            return ANSWER;
}

int memory_hog(void)
{
    struct link {
        struct link *next;
        char room[1 << 16];
    } *volatile first = NULL;

    for (int i = 0; i < 1 << 16; i++) {
        struct link *link = malloc(sizeof(*link));

        if (link == NULL)
            abort();
        memset(link->room, 1, sizeof(link->room));
        link->next = first;
        first = link;
    }
    return ANSWER;
}

int memory_huge(void)
{
    char *volatile room = malloc((size_t)1 << 34);

    if (room == NULL)
        abort();
    room[0] = 1;
    return ANSWER;
}

/** Say that all is well wherever somebody might listen, and answer wrongly. */
int fake_results(void)
{
    printf("%s", fake);
    fflush(stdout);
    for (int fd = 0; fd < FDS; fd++)
        if (write(fd, fake, sizeof(fake)) == -1)
            continue;
    return 41;
}

int fake_and_exit(void)
{
    printf("%s", fake);
    exit(0);
}

int kill_itself(void)
{
    kill(0, SIGKILL);
    return ANSWER;
}

int broken_pipe(void)
{
    int ends[2];

    if (pipe(ends) == -1)
        return 1;
    close(ends[0]);
    return write(ends[1], "x", 1) == 1 ? 1 : ANSWER;
}

int print_forever(void)
{
    for (;;)
        if (printf("%s", fake) < 0)
            return ANSWER;
}

static void leave_badly(void)
{
    _exit(3);
}

int exit_afterwards(void)
{
    atexit(leave_badly);
    return ANSWER;
}

static int shared;

static void *thread_that_counts(void *unused)
{
    for (int i = 0; i < 1000; i++)
        shared++;
    return unused;
}

int data_race(void)
{
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, thread_that_counts, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return ANSWER;
}

static void *thread_that_ends(void *unused)
{
    return unused;
}

int thread_left(void)
{
    pthread_t thread;

    pthread_create(&thread, NULL, thread_that_ends, NULL);
    return ANSWER;
}

int print_much(void)
{
    for (int i = 0; i < 100000; i++)
        printf("%d %s", i, fake);
    return ANSWER;
}

int close_high(void)
{
    for (int fd = 3; fd < FDS; fd++)
        close(fd);
    return ANSWER;
}

int child_waited(void)
{
    pid_t child = fork();

    if (child == 0)
        _exit(0);
    return waitpid(child, NULL, 0) == child ? ANSWER : 1;
}

/** Much in all, but never much at one time. */
int allocate_and_free(void)
{
    for (int i = 0; i < 1000; i++) {
        char *volatile room = malloc(1 << 20);

        room[0] = room[1 << 19] = 1;
        free(room);
    }
    return ANSWER;
}

/** Ends the process that keeps the results. */
int kill_parent(void)
{
    kill(getppid(), SIGKILL);
    pause();
    return ANSWER;
}

/**
 * Its child outlives it, and asks everyone who takes it in to end: first us,
 * who will not be asked before the test is over, then whoever comes next.
 */
int orphan_kills(void)
{
    static const int ask[] = {SIGTERM, SIGHUP, SIGINT, SIGUSR1, SIGUSR2};
    pid_t parent = getpid();

    if (fork() > 0)
        return ANSWER;
    setsid();
    while (getppid() == parent)
        continue;
    for (;;)
        for (size_t i = 0; i < sizeof(ask) / sizeof(ask[0]); i++)
            kill(getppid(), ask[i]);
}

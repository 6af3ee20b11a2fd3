/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A system that fails when it is told to. The linker puts these functions in
 * the place of the system's (`--wrap`, see faults.mk), in steelyard alone: what
 * libcurl or the C library call among themselves is not touched.
 *
 *   STEELYARD_FAULT=recv:3:ECONNRESET   the third recv() fails so, once
 *   STEELYARD_FAULT=cut:1               each call moves one byte, and no more
 *
 * When the fault comes, a line on stderr says so: `fault: recv 3 ECONNRESET`.
 *
 * A fault is an honest one: what is left behind is what the kernel would leave.
 * A connection that was aborted while it waited is gone, an interrupted
 * connect() goes on by itself, close() closes whatever it says. And a call that
 * was cut, or told to come again, has something left to do; epoll, which tells
 * of each change once, tells of it again when the descriptor is set anew.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The system's function, and ours in its place. */
#define FAKE(type, name, parameters)                      \
    type real_##name parameters __asm__("__real_" #name); \
    type fake_##name parameters __asm__("__wrap_" #name)

FAKE(int, accept4, (int fd, struct sockaddr *from, socklen_t *length, int how));
FAKE(int, bind, (int fd, const struct sockaddr *where, socklen_t length));
FAKE(int, close, (int fd));
FAKE(int, connect, (int fd, const struct sockaddr *to, socklen_t length));
FAKE(int, epoll_create1, (int flags));
FAKE(int, epoll_ctl, (int to, int what, int fd, struct epoll_event *event));
FAKE(int, epoll_wait, (int fd, struct epoll_event *list, int room, int ms));
FAKE(int, fcntl, (int fd, int what, ...));
FAKE(int, getaddrinfo,
     (const char *host, const char *service, const struct addrinfo *hints,
      struct addrinfo **found));
FAKE(int, getentropy, (void *bytes, size_t length));
FAKE(int, getsockname, (int fd, struct sockaddr *name, socklen_t *length));
FAKE(int, getsockopt, (int fd, int level, int name, void *to, socklen_t *room));
FAKE(int, listen, (int fd, int backlog));
FAKE(int, open, (const char *path, int flags, ...));
FAKE(int, pipe, (int ends[2]));
FAKE(int, pipe2, (int ends[2], int flags));
FAKE(int, socketpair, (int domain, int type, int protocol, int ends[2]));
FAKE(int, poll, (struct pollfd * list, nfds_t count, int ms));
FAKE(int, pthread_create,
     (pthread_t * thread, const pthread_attr_t *how, void *(*run)(void *),
      void *arg));
FAKE(ssize_t, read, (int fd, void *bytes, size_t room));
FAKE(ssize_t, recv, (int fd, void *bytes, size_t room, int flags));
FAKE(ssize_t, send, (int fd, const void *bytes, size_t length, int flags));
FAKE(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags));
FAKE(int, setrlimit, (__rlimit_resource_t what, const struct rlimit *limit));
FAKE(int, setsockopt,
     (int fd, int level, int name, const void *from, socklen_t length));
FAKE(int, shutdown, (int fd, int how));
FAKE(int, socket, (int family, int type, int protocol));
FAKE(ssize_t, splice,
     (int from, loff_t *from_at, int to, loff_t *to_at, size_t length,
      unsigned flags));
FAKE(int, unlink, (const char *path));
FAKE(ssize_t, write, (int fd, const void *bytes, size_t length));

/* --- what to do -------------------------------------------------------------- */

static struct {
    char call[32];    /**< which is to fail; empty: none */
    unsigned nth;     /**< when, from 1 */
    int error;        /**< how */
    bool cuts;        /**< one byte at a time */
    atomic_uint made; /**< how often it was called */
} fault;

/** The number of a name such as ECONNRESET. */
static int error_of(const char *name)
{
    for (int i = 1; i < 200; i++) {
        const char *known = strerrorname_np(i);

        if (known != NULL && strcmp(known, name) == 0)
            return i;
    }
    return 0;
}

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("STEELYARD_FAULT");
    char name[32] = "";

    if (text == NULL || *text == '\0')
        return;
    if (strcmp(text, "cut:1") == 0) {
        fault.cuts = true;
        return;
    }
    if (sscanf(text, "%31[a-z0-9_-]:%u:%31s", fault.call, &fault.nth, name) ==
        3)
        fault.error = error_of(name);
    if (fault.error != 0)
        return;
    fprintf(stderr, "STEELYARD_FAULT is CALL:NTH:ERROR or cut:1, not %s\n",
            text);
    _exit(3);
}

/** Is this the call that fails? Then errno says how. */
static bool fails(const char *call)
{
    char line[80];
    int length;

    if (strcmp(call, fault.call) != 0 ||
        atomic_fetch_add(&fault.made, 1) + 1 != fault.nth)
        return false;
    length = snprintf(line, sizeof(line), "fault: %s %u %s\n", fault.call,
                      fault.nth, strerrorname_np(fault.error));
    (void)!real_write(STDERR_FILENO, line, (size_t)length);
    errno = fault.error;
    return true;
}

/* --- epoll is told to look again --------------------------------------------- */

enum { FILES_MAX = 65536 };

/** What epoll knows of a descriptor. */
static struct known {
    bool is_known;
    unsigned in, out; /**< calls that moved bytes; while these are few, bytes */
    int poller;
    struct epoll_event event;
} files[FILES_MAX];

/** What is known of this one. */
static struct known *known_of(int fd)
{
    static struct known other;

    return fd >= 0 && fd < FILES_MAX ? &files[fd] : &other;
}

/** There may be more than was taken: tell of it again. */
static void look_again(int fd)
{
    int saved = errno;

    if (fd < FILES_MAX && files[fd].is_known)
        real_epoll_ctl(files[fd].poller, EPOLL_CTL_MOD, fd, &files[fd].event);
    errno = saved;
}

static void forget(int fd)
{
    *known_of(fd) = (struct known){.is_known = false};
}

int fake_epoll_ctl(int to, int what, int fd, struct epoll_event *event)
{
    int result;

    if (fails("epoll_ctl"))
        return -1;
    result = real_epoll_ctl(to, what, fd, event);
    if (result == 0 && what == EPOLL_CTL_ADD && fd < FILES_MAX) {
        files[fd].is_known = true;
        files[fd].poller = to;
        files[fd].event = *event;
    }
    return result;
}

/* --- bytes ------------------------------------------------------------------- */

/* So many bytes of a connection are moved one by one, each way: all heads, and
 * more. Then one call in sixteen is, or a large body would take hours. */
enum { CUT_BYTES = 16 * 1024, CUT_CALLS = 16 };

/** How much may be moved now, of what was moved this way so far? */
static size_t cut(size_t length, unsigned *moved)
{
    if (!fault.cuts || length <= 1)
        return length;
    ++*moved;
    return *moved <= CUT_BYTES || *moved % CUT_CALLS == 0 ? 1 : length;
}

/** What has been reset is of no use any more; what may come again, does. */
static void fail_stream(int fd)
{
    if (fault.error == ECONNRESET || fault.error == EPIPE ||
        fault.error == ETIMEDOUT)
        real_shutdown(fd, SHUT_RDWR);
    if (fault.error == EAGAIN)
        look_again(fd);
    errno = fault.error;
}

ssize_t fake_recv(int fd, void *bytes, size_t room, int flags)
{
    size_t allowed;
    ssize_t count;

    if (fails("recv")) {
        fail_stream(fd);
        return -1;
    }
    if (flags & MSG_PEEK)
        return real_recv(fd, bytes, room, flags);
    allowed = cut(room, &known_of(fd)->in);
    count = real_recv(fd, bytes, allowed, flags);
    if (count > 0 && allowed < room)
        look_again(fd);
    return count;
}

ssize_t fake_send(int fd, const void *bytes, size_t length, int flags)
{
    size_t allowed;
    ssize_t count;

    if (fails("send")) {
        fail_stream(fd);
        return -1;
    }
    allowed = cut(length, &known_of(fd)->out);
    count = real_send(fd, bytes, allowed, flags);
    if (count > 0 && allowed < length)
        look_again(fd);
    return count;
}

/** The first byte of several pieces. */
static ssize_t send_first(int fd, const struct msghdr *message, int flags)
{
    ssize_t count = 0;

    for (size_t i = 0; i < message->msg_iovlen; i++) {
        if (message->msg_iov[i].iov_len == 0)
            continue;
        count = real_send(fd, message->msg_iov[i].iov_base, 1, flags);
        break;
    }
    if (count > 0)
        look_again(fd);
    return count;
}

ssize_t fake_sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (fails("sendmsg")) {
        fail_stream(fd);
        return -1;
    }
    if (cut(SIZE_MAX, &known_of(fd)->out) == 1)
        return send_first(fd, message, flags);
    return real_sendmsg(fd, message, flags);
}

/** Pipes wake somebody; all else that is read or written as a file is the log. */
static bool is_pipe(int fd)
{
    struct stat facts;

    return fstat(fd, &facts) == 0 && S_ISFIFO(facts.st_mode);
}

/** Between a connection and a pipe: the connection is what fails. */
ssize_t fake_splice(int from, loff_t *from_at, int to, loff_t *to_at,
                    size_t length, unsigned flags)
{
    bool sends = is_pipe(from);
    int fd = sends ? to : from;
    size_t allowed;
    ssize_t count;

    if (fails("splice")) {
        fail_stream(fd);
        return -1;
    }
    allowed = cut(length, sends ? &known_of(fd)->out : &known_of(fd)->in);
    count = real_splice(from, from_at, to, to_at, allowed, flags);
    if (count > 0 && allowed < length)
        look_again(fd);
    return count;
}

ssize_t fake_read(int fd, void *bytes, size_t room)
{
    if (fails("read"))
        return -1;
    return real_read(fd, bytes, fault.cuts && room > 1 ? 1 : room);
}

ssize_t fake_write(int fd, const void *bytes, size_t length)
{
    if (fails(is_pipe(fd) ? "write-pipe" : "write-log"))
        return -1;
    return real_write(fd, bytes, fault.cuts && length > 1 ? 1 : length);
}

/* --- connections --------------------------------------------------------------- */

/** Does this client vanish from the queue when it cannot be accepted? */
static bool loses_client(int error)
{
    return error != EINTR && error != EMFILE && error != ENFILE &&
           error != ENOMEM && error != ENOBUFS;
}

int fake_accept4(int fd, struct sockaddr *from, socklen_t *length, int how)
{
    if (fails("accept4")) {
        if (loses_client(fault.error))
            real_close(real_accept4(fd, from, length, how));
        errno = fault.error;
        return -1;
    }
    return real_accept4(fd, from, length, how);
}

int fake_connect(int fd, const struct sockaddr *to, socklen_t length)
{
    if (fails("connect")) {
        if (fault.error == EINTR)
            real_connect(fd, to, length);
        errno = fault.error;
        return -1;
    }
    return real_connect(fd, to, length);
}

int fake_close(int fd)
{
    bool failed;

    forget(fd);
    failed = fails("close");
    if (!failed)
        return real_close(fd);
    real_close(fd);
    errno = fault.error;
    return -1;
}

/* --- those that only fail ------------------------------------------------------ */

int fake_bind(int fd, const struct sockaddr *where, socklen_t length)
{
    return fails("bind") ? -1 : real_bind(fd, where, length);
}

int fake_epoll_create1(int flags)
{
    return fails("epoll_create1") ? -1 : real_epoll_create1(flags);
}

int fake_epoll_wait(int fd, struct epoll_event *list, int room, int ms)
{
    return fails("epoll_wait") ? -1 : real_epoll_wait(fd, list, room, ms);
}

/** Flags can be set on any descriptor; only a new one can be refused. */
int fake_fcntl(int fd, int what, ...)
{
    va_list values;
    int value;

    va_start(values, what);
    value = va_arg(values, int);
    va_end(values);
    if (what == F_DUPFD_CLOEXEC && fails("fcntl"))
        return -1;
    return real_fcntl(fd, what, value);
}

int fake_getaddrinfo(const char *host, const char *service,
                     const struct addrinfo *hints, struct addrinfo **found)
{
    if (fails("getaddrinfo"))
        return fault.error == ENOMEM ? EAI_MEMORY : EAI_AGAIN;
    return real_getaddrinfo(host, service, hints, found);
}

int fake_getentropy(void *bytes, size_t length)
{
    return fails("getentropy") ? -1 : real_getentropy(bytes, length);
}

int fake_getsockname(int fd, struct sockaddr *name, socklen_t *length)
{
    return fails("getsockname") ? -1 : real_getsockname(fd, name, length);
}

int fake_getsockopt(int fd, int level, int name, void *to, socklen_t *room)
{
    return fails("getsockopt") ? -1
                               : real_getsockopt(fd, level, name, to, room);
}

int fake_listen(int fd, int backlog)
{
    return fails("listen") ? -1 : real_listen(fd, backlog);
}

int fake_open(const char *path, int flags, ...)
{
    va_list values;
    mode_t mode;

    va_start(values, flags);
    mode = flags & O_CREAT ? va_arg(values, mode_t) : 0;
    va_end(values);
    return fails("open") ? -1 : real_open(path, flags, mode);
}

int fake_pipe(int ends[2])
{
    return fails("pipe") ? -1 : real_pipe(ends);
}

int fake_pipe2(int ends[2], int flags)
{
    return fails("pipe2") ? -1 : real_pipe2(ends, flags);
}

int fake_socketpair(int domain, int type, int protocol, int ends[2])
{
    return fails("socketpair") ? -1
                               : real_socketpair(domain, type, protocol, ends);
}

int fake_poll(struct pollfd *list, nfds_t count, int ms)
{
    return fails("poll") ? -1 : real_poll(list, count, ms);
}

int fake_pthread_create(pthread_t *thread, const pthread_attr_t *how,
                        void *(*run)(void *), void *arg)
{
    return fails("pthread_create") ? fault.error
                                   : real_pthread_create(thread, how, run, arg);
}

int fake_setrlimit(__rlimit_resource_t what, const struct rlimit *limit)
{
    return fails("setrlimit") ? -1 : real_setrlimit(what, limit);
}

int fake_setsockopt(int fd, int level, int name, const void *from,
                    socklen_t length)
{
    return fails("setsockopt") ? -1
                               : real_setsockopt(fd, level, name, from, length);
}

int fake_shutdown(int fd, int how)
{
    return fails("shutdown") ? -1 : real_shutdown(fd, how);
}

int fake_socket(int family, int type, int protocol)
{
    return fails("socket") ? -1 : real_socket(family, type, protocol);
}

int fake_unlink(const char *path)
{
    return fails("unlink") ? -1 : real_unlink(path);
}

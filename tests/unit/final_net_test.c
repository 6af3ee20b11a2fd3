/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The net floor of the full balancer: addresses as numbers, and connections
 * over the loopback device, in a loop with each of its pollers.
 *
 * Nothing here sleeps. A test turns the loop until what it waits for has come,
 * and the time limit of a test is what fails it if that never comes.
 */
#include "event/loop.h"
#include "net/address.h"
#include "net/handed.h"
#include "net/listener.h"
#include "net/socket.h"
#include "net/stream.h"
#include "net/tube.h"
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* --- addresses --------------------------------------------------------------- */

static union address address_of(const char *host, unsigned port)
{
    union address address;

    memset(&address, 0x55, sizeof(address)); /* whatever stood there before */
    ck_assert_msg(address_parse(&address, text_of(host), port), "%s", host);
    return address;
}

/** What is written, and how it is printed. */
static const struct {
    const char *written, *printed;
    int family;
} hosts[] = {
    {"127.0.0.1", "127.0.0.1", AF_INET},
    {"0.0.0.0", "0.0.0.0", AF_INET},
    {"255.255.255.255", "255.255.255.255", AF_INET},
    {"::", "::", AF_INET6},
    {"::1", "::1", AF_INET6},
    {"2001:DB8:0:0:0:0:0:1", "2001:db8::1", AF_INET6},
    {"1111:2222:3333:4444:5555:6666:7777:8888",
     "1111:2222:3333:4444:5555:6666:7777:8888", AF_INET6},
    {"::ffff:192.0.2.7", "192.0.2.7", AF_INET6},
    {"::FFFF:c000:0207", "192.0.2.7", AF_INET6},
};

START_TEST(an_address_is_read_and_printed)
{
    union address address = address_of(hosts[_i].written, 8080);
    char out[ADDRESS_PRINT_MAX];

    ck_assert_uint_eq(address_print(&address, out), strlen(hosts[_i].printed));
    ck_assert_str_eq(out, hosts[_i].printed);
    ck_assert_int_eq(address.any.sa_family, hosts[_i].family);
    ck_assert_uint_eq(address_port(&address), 8080);
    ck_assert_uint_eq(address_length(&address),
                      hosts[_i].family == AF_INET
                          ? sizeof(struct sockaddr_in)
                          : sizeof(struct sockaddr_in6));
}
END_TEST

/* Each is read as a text of exactly this length: the last one has a zero byte
 * in the middle. */
static const struct {
    const char *at;
    size_t length;
} no_hosts[] = {
#define TEXT(string)               \
    {                              \
        string, sizeof(string) - 1 \
    }
    TEXT(""),
    TEXT(" "),
    TEXT("localhost"),
    TEXT("127.0.0"),
    TEXT("127.0.0.1.1"),
    TEXT("256.0.0.1"),
    TEXT("127.0.0.1 "),
    TEXT(" 127.0.0.1"),
    TEXT("127.0.0.1:80"),
    TEXT("0x7f.0.0.1"),
    TEXT("[::1]"),
    TEXT("::1%lo"),
    TEXT(":::"),
    TEXT("1::2::3"),
    TEXT("12345::"),
    TEXT("1:2:3:4:5:6:7"),
    TEXT("::ffff:127.0.0.256"),
    TEXT("1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111"),
    TEXT("127.0.0.1\0.example.org"),
    {NULL, 0},
};

START_TEST(what_is_no_address_is_refused)
{
    struct text text = {no_hosts[_i].at, no_hosts[_i].length};
    union address address = address_of("192.0.2.1", 1);
    union address before = address;

    ck_assert(!address_parse(&address, text, 80));
    ck_assert_mem_eq(&address, &before, sizeof(address));
}
END_TEST

START_TEST(an_address_is_a_view_and_ends_where_it_ends)
{
    union address address;

    ck_assert(address_parse(&address, (struct text){"10.0.0.123", 9}, 0));
    ck_assert_uint_eq(ntohl(address.v4.sin_addr.s_addr), 0x0a00000c);
}
END_TEST

START_TEST(addresses_are_compared_with_their_ports)
{
    union address one = address_of("192.0.2.7", 80);
    union address same = address_of("192.0.2.7", 80);
    union address port = address_of("192.0.2.7", 81);
    union address other = address_of("192.0.2.8", 80);
    union address six = address_of("2001:db8::7", 80);
    union address six_too = address_of("2001:db8::7", 80);

    ck_assert(address_equals(&one, &same));
    ck_assert(!address_equals(&one, &port));
    ck_assert(!address_equals(&one, &other));
    ck_assert(!address_equals(&one, &six));
    ck_assert(address_equals(&six, &six_too));
}
END_TEST

/** 16 bytes stand for each address, and give it back. */
START_TEST(an_address_is_sixteen_bytes)
{
    static const char *const texts[] = {"192.0.2.7", "2001:db8::7", "0.0.0.0",
                                        "::"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        union address address = address_of(texts[i], 443), again;
        unsigned char bytes[16];

        address_bytes(&address, bytes);
        address_of_bytes(&again, bytes, 443);
        ck_assert(address_equals(&address, &again));
    }
}
END_TEST

START_TEST(ipv4_in_ipv6_is_ipv4_again)
{
    union address address = address_of("::ffff:192.0.2.7", 443), again;
    union address expected = address_of("192.0.2.7", 443);
    unsigned char bytes[16];

    address_bytes(&address, bytes);
    address_of_bytes(&again, bytes, 443);
    ck_assert(address_equals(&again, &expected));
}
END_TEST

START_TEST(no_address_is_printed_as_unknown)
{
    union address none = {.any.sa_family = AF_UNSPEC};
    char out[ADDRESS_PRINT_MAX];

    ck_assert_uint_eq(address_print(&none, out), 7);
    ck_assert_str_eq(out, "unknown");
}
END_TEST

static const struct {
    const char *block, *host;
    bool is_in;
} blocks[] = {
    {"0.0.0.0/0", "0.0.0.0", true},
    {"0.0.0.0/0", "255.255.255.255", true},
    {"0.0.0.0/0", "::ffff:9.9.9.9", true},
    {"0.0.0.0/0", "2001:db8::1", false},
    {"0.0.0.0/0", "::", false},
    {"10.0.0.0/8", "10.0.0.0", true},
    {"10.0.0.0/8", "10.255.255.255", true},
    {"10.0.0.0/8", "9.255.255.255", false},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"10.0.0.0/8", "::ffff:10.1.2.3", true},
    {"10.1.2.3/8", "10.9.9.9", true},
    {"192.0.2.4/31", "192.0.2.4", true},
    {"192.0.2.4/31", "192.0.2.5", true},
    {"192.0.2.4/31", "192.0.2.3", false},
    {"192.0.2.4/31", "192.0.2.6", false},
    {"192.0.2.4/32", "192.0.2.4", true},
    {"192.0.2.4/32", "192.0.2.5", false},
    {"192.0.2.4", "192.0.2.4", true},
    {"192.0.2.4", "192.0.2.5", false},
    {"172.16.0.0/12", "172.31.255.255", true},
    {"172.16.0.0/12", "172.32.0.0", false},
    {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"2001:db8::/32", "2001:db9::1", false},
    {"2001:db8::/33", "2001:db8:7fff::", true},
    {"2001:db8::/33", "2001:db8:8000::", false},
    {"2001:db8::1/128", "2001:db8::1", true},
    {"2001:db8::1/128", "2001:db8::2", false},
    {"2001:db8::1", "2001:db8::1", true},
    {"::ffff:10.0.0.0/104", "10.1.2.3", true},
    {"::ffff:10.0.0.0/104", "11.1.2.3", false},
    {"::/0", "2001:db8::1", true},
    {"::/0", "192.0.2.4", true},
};

START_TEST(a_block_holds_what_begins_alike)
{
    struct address_block block;
    union address address = address_of(blocks[_i].host, 1234);

    ck_assert(address_block_parse(&block, text_of(blocks[_i].block)));
    ck_assert_msg(address_in(&address, &block, 1) == blocks[_i].is_in,
                  "%s in %s", blocks[_i].host, blocks[_i].block);
}
END_TEST

static const char *const no_blocks[] = {
    "",
    "/",
    "/8",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/+8",
    "10.0.0.0/8 ",
    "10.0.0.0/ 8",
    "10.0.0.0/8/8",
    "10.0.0/8",
    "2001:db8::/129",
    "2001:db8::/x",
    "10.0.0.0/18446744073709551624",
    "localhost/8",
    "10.0.0.0/255.0.0.0",
};

START_TEST(what_is_no_block_is_refused)
{
    struct address_block block;

    ck_assert_msg(!address_block_parse(&block, text_of(no_blocks[_i])), "%s",
                  no_blocks[_i]);
}
END_TEST

START_TEST(an_address_may_be_in_any_of_several_blocks)
{
    static const char *const written[] = {"10.0.0.0/8", "192.0.2.7",
                                          "fd00::/8"};
    struct address_block list[COUNT(written)];
    union address inside = address_of("fd12::1", 0);
    union address second = address_of("192.0.2.7", 0);
    union address outside = address_of("192.0.2.8", 0);
    union address none = {.any.sa_family = AF_UNSPEC};

    for (size_t i = 0; i < COUNT(written); i++)
        ck_assert(address_block_parse(&list[i], text_of(written[i])));
    ck_assert(address_in(&inside, list, 3));
    ck_assert(!address_in(&inside, list, 2));
    ck_assert(address_in(&second, list, 2));
    ck_assert(!address_in(&outside, list, 3));
    ck_assert(!address_in(&inside, NULL, 0));
    ck_assert(!address_in(&none, list, 3));
}
END_TEST

START_TEST(names_are_looked_up)
{
    union address list[4], wanted = address_of("127.0.0.1", 8081);
    const char *why = NULL;
    char long_name[300];

    ck_assert_uint_eq(address_find("127.0.0.1", 8081, list, 4, &why), 1);
    ck_assert(address_equals(&list[0], &wanted));
    ck_assert_uint_eq(address_find("::1", 65535, list, 4, &why), 1);
    ck_assert_uint_eq(address_port(&list[0]), 65535);
    memset(long_name, 'a', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = '\0';
    ck_assert_uint_eq(address_find(long_name, 80, list, 4, &why), 0);
    ck_assert_ptr_nonnull(why);
    ck_assert_str_ne(why, "");
    why = NULL;
    ck_assert_uint_eq(address_find("127.0.0.1", 80, list, 0, &why), 0);
    ck_assert_ptr_nonnull(why);
}
END_TEST

/* --- a listener and two ends -------------------------------------------------- */

static const char *const pollers[] = {"auto", "poll"};

/** A loop, a listener, and both ends of one connection to it. */
struct line {
    struct loop *loop;
    int listener;
    union address where;
    struct stream client; /**< ours: made by socket_connect() */
    struct stream server; /**< theirs: made by listener_accept() */
};

static void stop_it(void *loop)
{
    loop_stop(loop);
}

static void do_nothing(void *arg)
{
    (void)arg;
}

/** One turn, which may wait for something. */
static void turn_that_waits(struct line *line)
{
    loop_run(line->loop);
}

/** One turn that waits for nothing. */
static void turn(struct line *line)
{
    loop_call(line->loop, do_nothing, NULL);
    loop_run(line->loop);
}

static void watch(struct line *line, struct stream *stream)
{
    stream->watch.on_event = do_nothing;
    stream->watch.arg = NULL;
    ck_assert(loop_watch(line->loop, &stream->watch));
}

static int listen_at(const struct listener_settings *settings)
{
    struct fault fault;
    int fd = -1;

    ck_assert_msg(listener_open(settings, &fd, &fault), "%s", fault.text);
    ck_assert_int_ne(fd, -1);
    return fd;
}

/** Wait until a descriptor can be read. */
static void await_readable(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    ck_assert_int_eq(poll(&one, 1, -1), 1);
}

static void line_listen(struct line *line, const char *poller)
{
    struct listener_settings settings = {.where = address_of("127.0.0.1", 0)};

    line->loop = loop_new(poller_find(poller));
    ck_assert_ptr_nonnull(line->loop);
    loop_on_turn(line->loop, stop_it, line->loop);
    line->listener = listen_at(&settings);
    listener_address(line->listener, &line->where);
}

static void line_connect(struct line *line)
{
    enum io io = socket_connect(&line->client, &line->where);

    ck_assert(io == IO_DONE || io == IO_WAIT);
    watch(line, &line->client);
    while (io == IO_WAIT) {
        turn_that_waits(line);
        io = socket_connected(&line->client);
    }
    ck_assert_int_eq(io, IO_DONE);
}

static void line_open(struct line *line, const char *poller)
{
    union address from;

    line_listen(line, poller);
    line_connect(line);
    await_readable(line->listener);
    ck_assert_int_eq(listener_accept(line->listener, &line->server, &from),
                     ACCEPTED_CLIENT);
    watch(line, &line->server);
    turn(line);
}

static void line_close(struct line *line)
{
    stream_close(&line->client, line->loop);
    stream_close(&line->server, line->loop);
    close(line->listener);
    loop_free(&line->loop);
}

static enum io send_words(struct stream *stream, const char *words,
                          size_t *sent)
{
    struct iovec piece = {.iov_base = (void *)words, .iov_len = strlen(words)};

    return stream_send(stream, &piece, 1, sent);
}

static void say(struct stream *stream, const char *words)
{
    size_t sent;

    ck_assert_int_eq(send_words(stream, words, &sent), IO_DONE);
    ck_assert_uint_eq(sent, strlen(words));
}

/** Turn the loop until a stream knows this of itself. */
static void await(struct line *line, const struct stream *stream,
                  unsigned ready)
{
    while ((stream->watch.ready & ready) != ready)
        turn_that_waits(line);
}

/** Receive once, as soon as there is something. */
static enum io hear(struct line *line, struct stream *stream, char *bytes,
                    size_t room, size_t *got)
{
    enum io io;

    do {
        await(line, stream, READY_READ);
        io = stream_receive(stream, bytes, room, got);
    } while (io == IO_WAIT);
    return io;
}

static bool is_non_blocking_and_private(int fd)
{
    return (fcntl(fd, F_GETFL) & O_NONBLOCK) &&
           (fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

START_TEST(a_listener_has_a_port_and_accepts)
{
    struct line line;
    union address from, mine = {.any.sa_family = AF_UNSPEC};
    socklen_t length = sizeof(mine);

    line_listen(&line, pollers[_i]);
    ck_assert_uint_ne(address_port(&line.where), 0);
    ck_assert(is_non_blocking_and_private(line.listener));
    ck_assert_int_eq(listener_accept(line.listener, &line.server, &from),
                     ACCEPTED_NONE);
    line_connect(&line);
    await_readable(line.listener);
    ck_assert_int_eq(listener_accept(line.listener, &line.server, &from),
                     ACCEPTED_CLIENT);
    getsockname(line.client.watch.fd, &mine.any, &length);
    ck_assert(address_equals(&from, &mine));
    ck_assert(is_non_blocking_and_private(line.server.watch.fd));
    ck_assert(is_non_blocking_and_private(line.client.watch.fd));
    ck_assert(stream_is_open(&line.server));
    ck_assert_int_eq(listener_accept(line.listener, &line.client, &from),
                     ACCEPTED_NONE);
    line_close(&line);
}
END_TEST

/** The second half of a message must not wait for an acknowledgement. */
START_TEST(small_pieces_are_sent_at_once)
{
    struct line line;
    struct stream *streams[] = {&line.client, &line.server};

    line_open(&line, pollers[_i]);
    for (size_t i = 0; i < COUNT(streams); i++) {
        int on = 0;
        socklen_t length = sizeof(on);

        getsockopt(streams[i]->watch.fd, IPPROTO_TCP, TCP_NODELAY, &on,
                   &length);
        ck_assert_int_ne(on, 0);
    }
    line_close(&line);
}
END_TEST

START_TEST(a_taken_port_is_refused_with_words)
{
    struct listener_settings settings = {.where = address_of("127.0.0.1", 0)};
    int first = listen_at(&settings), second = -1;
    struct fault fault = {""};
    char port[16];

    listener_address(first, &settings.where);
    snprintf(port, sizeof(port), "port %u", address_port(&settings.where));
    ck_assert(!listener_open(&settings, &second, &fault));
    ck_assert_int_eq(second, -1);
    ck_assert_ptr_nonnull(strstr(fault.text, "127.0.0.1"));
    ck_assert_ptr_nonnull(strstr(fault.text, port));
    ck_assert_ptr_nonnull(strstr(fault.text, strerror(EADDRINUSE)));
    close(first);
}
END_TEST

START_TEST(listeners_may_share_a_port)
{
    enum { CLIENTS = 64 };
    struct listener_settings settings = {.where = address_of("127.0.0.1", 0),
                                         .is_shared = true};
    struct stream clients[CLIENTS];
    int fds[2];
    unsigned accepted[2] = {0};
    struct loop *loop = loop_new(poller_find("auto"));

    fds[0] = listen_at(&settings);
    listener_address(fds[0], &settings.where);
    fds[1] = listen_at(&settings);
    for (int i = 0; i < CLIENTS; i++)
        ck_assert_int_ne(socket_connect(&clients[i], &settings.where),
                         IO_BROKEN);
    while (accepted[0] + accepted[1] < CLIENTS) {
        struct pollfd both[2] = {{.fd = fds[0], .events = POLLIN},
                                 {.fd = fds[1], .events = POLLIN}};

        poll(both, 2, -1);
        for (int i = 0; i < 2; i++) {
            struct stream stream;
            union address from;

            if (listener_accept(fds[i], &stream, &from) == ACCEPTED_CLIENT) {
                accepted[i]++;
                stream_close(&stream, loop);
            }
        }
    }
    ck_assert_uint_gt(accepted[0], 0); /* all on one side: once in 2^63 runs */
    ck_assert_uint_gt(accepted[1], 0);
    for (int i = 0; i < CLIENTS; i++)
        stream_close(&clients[i], loop);
    close(fds[0]);
    close(fds[1]);
    loop_free(&loop);
}
END_TEST

/** One that was alone lets others in when it is told to: the next process may
 * have more workers than the one before. */
START_TEST(a_listener_can_be_shared_later)
{
    struct listener_settings settings = {.where = address_of("127.0.0.1", 0)};
    struct fault fault;
    int first = listen_at(&settings), second;

    listener_address(first, &settings.where);
    settings.is_shared = true;
    ck_assert(!listener_open(&settings, &second, &fault));
    listener_tune(first, &settings);
    second = listen_at(&settings);
    close(first);
    close(second);
}
END_TEST

/* --- listeners that are handed on -------------------------------------------- */

START_TEST(handed_listeners_are_taken_by_address)
{
    struct listener_settings settings = {.where = address_of("127.0.0.1", 0),
                                         .is_shared = true};
    union address any = address_of("127.0.0.1", 0), other;
    struct handed handed = {.count = 0};
    int fds[3];

    fds[0] = listen_at(&settings);
    listener_address(fds[0], &settings.where);
    fds[1] = listen_at(&settings);
    other = settings.where;
    settings.where = any;
    fds[2] = listen_at(&settings);
    ck_assert(handed_add(&handed, HANDED_HTTP, fds[0]));
    ck_assert(handed_add(&handed, HANDED_HTTP, fds[1]));
    ck_assert(handed_add(&handed, HANDED_ADMIN, fds[2]));
    /* Where a port is said, what it was for does not matter. */
    ck_assert_int_eq(handed_take(&handed, HANDED_HTTPS, &other), fds[0]);
    /* Where none is said, it does. */
    ck_assert_int_eq(handed_take(&handed, HANDED_HTTPS, &any), -1);
    ck_assert_int_eq(handed_take(&handed, HANDED_ADMIN, &any), fds[2]);
    any = address_of("127.0.0.2", 0);
    ck_assert_int_eq(handed_take(&handed, HANDED_HTTP, &any), -1);
    ck_assert_int_eq(handed_take(&handed, HANDED_HTTP, &other), fds[1]);
    ck_assert_int_eq(handed_take(&handed, HANDED_HTTP, &other), -1);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
}
END_TEST

START_TEST(handed_listeners_that_nobody_takes_are_closed)
{
    char folder[] = "/tmp/steelyard-XXXXXX", path[48];
    struct handed handed = {.count = 0};
    struct fault fault;
    int fd;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/admin", folder);
    ck_assert(listener_open_path(path, &fd, &fault));
    handed_add(&handed, HANDED_ADMIN, fd);
    ck_assert_int_eq(handed_take_path(&handed, "/elsewhere"), -1);
    ck_assert_int_eq(handed_take_path(&handed, path), fd);
    handed_add(&handed, HANDED_ADMIN, fd);
    handed_end(&handed, _i == 1);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
    /* Where another process still listens, the file is that one's. */
    ck_assert_int_eq(access(path, F_OK), _i == 1 ? -1 : 0);
    unlink(path);
    rmdir(folder);
}
END_TEST

START_TEST(a_handed_listener_whose_file_is_gone_is_of_no_use)
{
    char folder[] = "/tmp/steelyard-XXXXXX", path[48];
    struct handed handed = {.count = 0};
    struct fault fault;
    int fd;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/admin", folder);
    ck_assert(listener_open_path(path, &fd, &fault));
    handed_add(&handed, HANDED_ADMIN, fd);
    unlink(path);
    ck_assert_int_eq(handed_take_path(&handed, path), -1);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
    rmdir(folder);
}
END_TEST

START_TEST(ipv6_listeners_take_ipv4_too)
{
    struct listener_settings settings = {.where = address_of("::", 0)};
    struct loop *loop = loop_new(poller_find("auto"));
    struct stream client, server;
    union address from, where;
    char out[ADDRESS_PRINT_MAX];
    struct fault fault;
    int fd;

    if (!listener_open(&settings, &fd, &fault)) { /* a system without IPv6 */
        loop_free(&loop);
        return;
    }
    listener_address(fd, &where);
    where = address_of("127.0.0.1", address_port(&where));
    ck_assert_int_ne(socket_connect(&client, &where), IO_BROKEN);
    await_readable(fd);
    ck_assert_int_eq(listener_accept(fd, &server, &from), ACCEPTED_CLIENT);
    address_print(&from, out);
    ck_assert_str_eq(out, "127.0.0.1");
    stream_close(&client, loop);
    stream_close(&server, loop);
    close(fd);
    loop_free(&loop);
}
END_TEST

START_TEST(a_deferred_client_is_accepted_with_its_words)
{
    struct line line;
    struct listener_settings settings = {.where = address_of("127.0.0.1", 0),
                                         .defers = true};
    union address from;
    char bytes[8];
    size_t got;

    line_listen(&line, pollers[_i]);
    close(line.listener);
    line.listener = listen_at(&settings);
    listener_address(line.listener, &line.where);
    line_connect(&line);
    say(&line.client, "hello");
    await_readable(line.listener);
    ck_assert_int_eq(listener_accept(line.listener, &line.server, &from),
                     ACCEPTED_CLIENT);
    watch(&line, &line.server);
    ck_assert_int_eq(hear(&line, &line.server, bytes, sizeof(bytes), &got),
                     IO_DONE);
    ck_assert_uint_eq(got, 5);
    line_close(&line);
}
END_TEST

/** No descriptor may be opened until the limit is put back. */
static struct rlimit descriptors_shut(void)
{
    struct rlimit before, none;
    int next = dup(STDERR_FILENO);

    close(next);
    getrlimit(RLIMIT_NOFILE, &before);
    none = before;
    none.rlim_cur = (rlim_t)next;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
    return before;
}

START_TEST(without_descriptors_clients_wait_and_nothing_is_opened)
{
    struct line line;
    struct stream more;
    union address from;
    struct rlimit before;

    line_listen(&line, pollers[_i]);
    line_connect(&line);
    await_readable(line.listener);
    before = descriptors_shut();
    ck_assert_int_eq(listener_accept(line.listener, &line.server, &from),
                     ACCEPTED_SHORT);
    ck_assert_int_eq(socket_connect(&more, &line.where), IO_BROKEN);
    ck_assert_int_eq(more.error, EMFILE);
    ck_assert_str_eq(stream_words(&more), "out of descriptors");
    ck_assert(!stream_is_open(&more));
    stream_close(&more, line.loop);
    setrlimit(RLIMIT_NOFILE, &before);
    ck_assert_int_eq(listener_accept(line.listener, &line.server, &from),
                     ACCEPTED_CLIENT);
    line_close(&line);
}
END_TEST

START_TEST(the_limit_on_descriptors_is_raised)
{
    struct rlimit limit;
    unsigned allowed;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 100;
    setrlimit(RLIMIT_NOFILE, &limit);
    allowed = descriptors_raise();
    getrlimit(RLIMIT_NOFILE, &limit);
    ck_assert_uint_eq(limit.rlim_cur, limit.rlim_max);
    ck_assert_uint_gt(allowed, 0);
    ck_assert_uint_le(allowed, limit.rlim_cur);
}
END_TEST

/** A port that is taken, where nobody listens. */
START_TEST(a_refused_connection_is_told)
{
    struct line line;
    struct stream stream;
    socklen_t length;
    int holder = socket(AF_INET, SOCK_STREAM, 0);
    enum io io;

    line_listen(&line, pollers[_i]);
    line.where = address_of("127.0.0.1", 0);
    length = sizeof(line.where);
    ck_assert_int_eq(bind(holder, &line.where.any, address_length(&line.where)),
                     0);
    getsockname(holder, &line.where.any, &length);
    io = socket_connect(&stream, &line.where);
    if (io == IO_WAIT) {
        watch(&line, &stream);
        while ((io = socket_connected(&stream)) == IO_WAIT)
            turn_that_waits(&line);
    }
    ck_assert_int_eq(io, IO_BROKEN);
    ck_assert_int_eq(stream.error, ECONNREFUSED);
    ck_assert_str_eq(stream_words(&stream), "connection refused");
    stream_close(&stream, line.loop);
    ck_assert(!stream_is_open(&stream));
    close(holder);
    close(line.listener);
    loop_free(&line.loop);
}
END_TEST

/** What is not known to be possible is not tried. */
START_TEST(a_stream_of_which_nothing_is_known_waits)
{
    struct stream stream;
    struct iovec piece = {.iov_base = "x", .iov_len = 1};
    char byte;
    size_t moved;

    stream_init(&stream, 1000, 0); /* no system call is made */
    ck_assert_int_eq(socket_connected(&stream), IO_WAIT);
    ck_assert_int_eq(stream_receive(&stream, &byte, 1, &moved), IO_WAIT);
    ck_assert_int_eq(stream_send(&stream, &piece, 1, &moved), IO_WAIT);
    ck_assert_uint_eq(moved, 0);
    ck_assert(!stream_has_news(&stream));
}
END_TEST

START_TEST(keep_alive_is_turned_on)
{
    struct line line;
    int on = 0;
    socklen_t length = sizeof(on);

    line_open(&line, pollers[_i]);
    socket_keep_alive(&line.client, 60);
    getsockopt(line.client.watch.fd, SOL_SOCKET, SO_KEEPALIVE, &on, &length);
    ck_assert_int_ne(on, 0);
#ifdef TCP_KEEPIDLE
    getsockopt(line.client.watch.fd, IPPROTO_TCP, TCP_KEEPIDLE, &on, &length);
    ck_assert_int_eq(on, 60);
#endif
    line_close(&line);
}
END_TEST

/* --- streams ------------------------------------------------------------------ */

START_TEST(bytes_come_as_they_were_sent)
{
    struct line line;
    struct iovec pieces[] = {{"Host", 4}, {"", 0}, {": ", 2}, {"a", 1}};
    char bytes[16];
    size_t moved;

    line_open(&line, pollers[_i]);
    ck_assert_int_eq(stream_send(&line.client, pieces, 4, &moved), IO_DONE);
    ck_assert_uint_eq(moved, 7);
    await(&line, &line.server, READY_READ);
    while (recv(line.server.watch.fd, bytes, 7, MSG_PEEK) < 7)
        continue;
    ck_assert_int_eq(stream_receive(&line.server, bytes, 4, &moved), IO_DONE);
    ck_assert_mem_eq(bytes, "Host", 4);
    ck_assert_uint_eq(moved, 4);
    /* As much as there was room for: there may be more. */
    ck_assert(line.server.watch.ready & READY_READ);
    ck_assert_int_eq(stream_receive(&line.server, bytes, sizeof(bytes), &moved),
                     IO_DONE);
    ck_assert_uint_eq(moved, 3);
    ck_assert_mem_eq(bytes, ": a", 3);
    /* Less than there was room for: that was all, no call will say so. */
    ck_assert(!(line.server.watch.ready & READY_READ));
    ck_assert_int_eq(stream_receive(&line.server, bytes, sizeof(bytes), &moved),
                     IO_WAIT);
    ck_assert_uint_eq(moved, 0);
    say(&line.client, "more");
    ck_assert_int_eq(hear(&line, &line.server, bytes, sizeof(bytes), &moved),
                     IO_DONE);
    ck_assert_uint_eq(moved, 4);
    line_close(&line);
}
END_TEST

START_TEST(what_was_only_seen_is_still_there)
{
    struct line line;
    char bytes[8];
    size_t got;

    line_open(&line, pollers[_i]);
    say(&line.client, "four");
    await(&line, &line.server, READY_READ);
    ck_assert_int_eq(stream_peek(&line.server, bytes, 8, &got), IO_DONE);
    ck_assert_uint_eq(got, 4);
    ck_assert_int_eq(stream_receive(&line.server, bytes, 1, &got), IO_DONE);
    ck_assert_int_eq(stream_peek(&line.server, bytes, 8, &got), IO_DONE);
    ck_assert_uint_eq(got, 3);
    ck_assert_mem_eq(bytes, "our", 3);
    ck_assert_int_eq(stream_receive(&line.server, bytes, 3, &got), IO_DONE);
    ck_assert_int_eq(stream_peek(&line.server, bytes, 8, &got), IO_WAIT);
    ck_assert_uint_eq(got, 0);
    line_close(&line);
}
END_TEST

START_TEST(when_all_was_read_exactly_the_next_call_waits)
{
    struct line line;
    char bytes[4];
    size_t got;

    line_open(&line, pollers[_i]);
    say(&line.client, "four");
    ck_assert_int_eq(hear(&line, &line.server, bytes, 4, &got), IO_DONE);
    ck_assert_uint_eq(got, 4);
    ck_assert(line.server.watch.ready & READY_READ);
    ck_assert_int_eq(stream_receive(&line.server, bytes, 4, &got), IO_WAIT);
    ck_assert(!(line.server.watch.ready & READY_READ));
    line_close(&line);
}
END_TEST

/** A sum that depends on the order, too. */
static uint32_t mix(uint32_t sum, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        sum = (sum ^ (unsigned char)bytes[i]) * UINT32_C(16777619);
    return sum;
}

START_TEST(a_peer_that_does_not_read_makes_us_wait_and_loses_nothing)
{
    enum { TOTAL = 16 << 20, PIECE = 1 << 16 };
    struct line line;
    static char out[PIECE], in[PIECE];
    uint32_t sent_sum = 1, got_sum = 1;
    size_t sent = 0, got = 0, waits = 0, moved;
    uint64_t seed = 4;

    for (size_t i = 0; i < PIECE; i++)
        out[i] = (char)unit_chance(&seed, 256);
    line_open(&line, pollers[_i]);
    while (got < TOTAL) {
        size_t left = TOTAL - sent < PIECE ? TOTAL - sent : PIECE;
        struct iovec pieces[] = {{out, left / 3},
                                 {out + left / 3, left - left / 3}};

        if (left > 0 &&
            stream_send(&line.client, pieces, 2, &moved) == IO_DONE) {
            sent_sum = mix(sent_sum, out, moved);
            sent += moved;
            if (moved < left) /* it was full: the next call is not made */
                ck_assert(!(line.client.watch.ready & READY_WRITE));
            continue; /* fill what can be filled */
        }
        waits += left > 0;
        if (stream_receive(&line.server, in, PIECE, &moved) == IO_DONE) {
            got_sum = mix(got_sum, in, moved);
            got += moved;
        } else {
            turn_that_waits(&line);
        }
    }
    ck_assert_uint_gt(waits, 0);
    ck_assert_uint_eq(got, sent);
    ck_assert_uint_eq(got_sum, sent_sum);
    line_close(&line);
}
END_TEST

START_TEST(the_end_comes_behind_the_last_byte)
{
    struct line line;
    char bytes[64];
    size_t got;

    line_open(&line, pollers[_i]);
    say(&line.client, "last words");
    stream_shut(&line.client);
    await(&line, &line.server, READY_END);
    ck_assert_int_eq(hear(&line, &line.server, bytes, sizeof(bytes), &got),
                     IO_DONE);
    ck_assert_uint_eq(got, 10);
    ck_assert_int_eq(stream_receive(&line.server, bytes, sizeof(bytes), &got),
                     IO_END);
    ck_assert_uint_eq(got, 0);
    /* And it stays the end; the other way is still open. */
    turn(&line);
    ck_assert_int_eq(stream_receive(&line.server, bytes, sizeof(bytes), &got),
                     IO_END);
    say(&line.server, "well understood");
    ck_assert_int_eq(hear(&line, &line.client, bytes, sizeof(bytes), &got),
                     IO_DONE);
    ck_assert_uint_eq(got, 15);
    line_close(&line);
}
END_TEST

/** Bytes and end come while nobody asks: the end is told after the bytes. */
START_TEST(the_end_is_found_when_it_came_after_a_short_read)
{
    struct line line;
    char bytes[64];
    size_t got;

    line_open(&line, pollers[_i]);
    say(&line.client, "words");
    ck_assert_int_eq(hear(&line, &line.server, bytes, sizeof(bytes), &got),
                     IO_DONE);
    stream_shut(&line.client);
    ck_assert_int_eq(hear(&line, &line.server, bytes, sizeof(bytes), &got),
                     IO_END);
    line_close(&line);
}
END_TEST

START_TEST(a_reset_is_broken_and_has_words)
{
    struct line line;
    char byte;
    size_t moved;

    line_open(&line, pollers[_i]);
    stream_reset_at_close(&line.client);
    stream_close(&line.client, line.loop);
    await(&line, &line.server, READY_BROKEN);
    ck_assert_int_eq(stream_receive(&line.server, &byte, 1, &moved), IO_BROKEN);
    ck_assert_uint_eq(moved, 0);
    ck_assert_int_eq(line.server.error, ECONNRESET);
    ck_assert_str_eq(stream_words(&line.server), "connection reset by peer");
    line_close(&line);
}
END_TEST

/** Without it, the same close is an end like any other. */
START_TEST(a_close_without_a_reset_is_an_end)
{
    struct line line;
    char byte;
    size_t moved;

    line_open(&line, pollers[_i]);
    stream_close(&line.client, line.loop);
    ck_assert_int_eq(hear(&line, &line.server, &byte, 1, &moved), IO_END);
    line_close(&line);
}
END_TEST

/** The first send finds nobody there, and the peer says so; no signal comes. */
START_TEST(sending_to_one_who_has_left_is_broken_in_the_end)
{
    struct line line;
    struct iovec one = {"x", 1}, two[] = {{"x", 1}, {"y", 1}};
    size_t sent;
    enum io io;

    line_open(&line, pollers[_i]);
    stream_close(&line.client, line.loop);
    say(&line.server, "anybody there?");
    await(&line, &line.server, READY_BROKEN);
    io = stream_send(&line.server, &one, 1, &sent);
    ck_assert_int_eq(io, IO_BROKEN);
    ck_assert_uint_eq(sent, 0);
    ck_assert(line.server.error == EPIPE || line.server.error == ECONNRESET);
    ck_assert_int_eq(stream_send(&line.server, two, 2, &sent), IO_BROKEN);
    ck_assert_int_eq(line.server.error, EPIPE);
    ck_assert_str_eq(stream_words(&line.server),
                     "the peer has closed the connection");
    line_close(&line);
}
END_TEST

START_TEST(news_are_bytes_the_end_or_a_failure)
{
    struct line line;
    char bytes[8];
    size_t got;

    line_open(&line, pollers[_i]);
    ck_assert(!stream_has_news(&line.server));
    line.server.watch.ready |= READY_READ; /* as one may believe at first */
    ck_assert(!stream_has_news(&line.server));
    ck_assert(!(line.server.watch.ready & READY_READ));
    say(&line.client, "psst");
    await(&line, &line.server, READY_READ);
    ck_assert(stream_has_news(&line.server));
    ck_assert(stream_has_news(&line.server)); /* nothing was taken away */
    ck_assert_int_eq(hear(&line, &line.server, bytes, 8, &got), IO_DONE);
    ck_assert_uint_eq(got, 4);
    ck_assert(!stream_has_news(&line.server));
    stream_shut(&line.client);
    await(&line, &line.server, READY_END);
    ck_assert(stream_has_news(&line.server));
    line_close(&line);
}
END_TEST

START_TEST(a_reset_is_news)
{
    struct line line;

    line_open(&line, pollers[_i]);
    stream_reset_at_close(&line.client);
    stream_close(&line.client, line.loop);
    await(&line, &line.server, READY_BROKEN);
    ck_assert(stream_has_news(&line.server));
    line_close(&line);
}
END_TEST

START_TEST(a_stream_is_closed_once)
{
    struct line line;
    int fd;

    line_open(&line, pollers[_i]);
    fd = line.client.watch.fd;
    stream_close(&line.client, line.loop);
    ck_assert(!stream_is_open(&line.client));
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
    ck_assert_int_eq(dup2(STDERR_FILENO, fd), fd); /* the number comes again */
    stream_close(&line.client, line.loop);
    ck_assert_int_ne(fcntl(fd, F_GETFD), -1);
    close(fd);
    line_close(&line);
}
END_TEST

START_TEST(each_error_has_words)
{
    static const int errors[] = {0,           ECONNREFUSED, ECONNRESET,
                                 EPIPE,       ETIMEDOUT,    EHOSTUNREACH,
                                 ENETUNREACH, EMFILE,       EADDRNOTAVAIL,
                                 ENOMEM,      EPERM};
    struct stream stream;

    stream_init(&stream, -1, 0);
    ck_assert_str_eq(stream_words(&stream), "the connection ended");
    errno = errors[_i];
    stream_break(&stream);
    ck_assert_int_eq(stream.error, errors[_i]);
    ck_assert_ptr_nonnull(stream_words(&stream));
    ck_assert_str_ne(stream_words(&stream), "");
}
END_TEST

/* --- tubes: the server of a line sends back what it receives -------------- */

#if defined(__linux__)

/** Fill once, as soon as there is something. */
static enum io fill(struct line *line, struct tube *tube, size_t most,
                    size_t *got)
{
    enum io io;

    do {
        await(line, &line->server, READY_READ);
        io = tube_fill(tube, &line->server, most, got);
    } while (io == IO_WAIT);
    return io;
}

START_TEST(bytes_go_through_a_tube_and_no_more_than_wanted)
{
    struct line line;
    struct tubes tubes;
    struct tube *tube;
    char bytes[64];
    size_t got, sent;

    tubes_init(&tubes);
    line_open(&line, pollers[_i]);
    tube = tube_take(&tubes);
    ck_assert_ptr_nonnull(tube);
    say(&line.client, "through and past");
    ck_assert_int_eq(fill(&line, tube, 7, &got), IO_DONE);
    ck_assert_uint_eq(got, 7);
    ck_assert_uint_eq(tube->held, 7);
    ck_assert_int_eq(tube_drain(tube, &line.server, &sent), IO_DONE);
    ck_assert_uint_eq(sent, 7);
    ck_assert_uint_eq(tube->held, 0);
    ck_assert_int_eq(hear(&line, &line.client, bytes, sizeof(bytes), &got),
                     IO_DONE);
    ck_assert_uint_eq(got, 7);
    ck_assert_int_eq(memcmp(bytes, "through", 7), 0);
    ck_assert_int_eq(hear(&line, &line.server, bytes, sizeof(bytes), &got),
                     IO_DONE);
    ck_assert_uint_eq(got, 9);
    ck_assert_int_eq(memcmp(bytes, " and past", 9), 0);
    tube_give(&tube);
    ck_assert_ptr_null(tube);
    tubes_fini(&tubes);
    line_close(&line);
}
END_TEST

START_TEST(a_tube_waits_ends_and_breaks_as_its_connection_does)
{
    struct line line;
    struct tubes tubes;
    struct tube *tube;
    size_t got;

    signal(SIGPIPE, SIG_IGN);
    tubes_init(&tubes);
    line_open(&line, pollers[_i]);
    tube = tube_take(&tubes);
    line.server.watch.ready |= READY_READ; /* that is not so */
    ck_assert_int_eq(tube_fill(tube, &line.server, 1, &got), IO_WAIT);
    ck_assert_uint_eq(got, 0);
    ck_assert(!(line.server.watch.ready & READY_READ));
    say(&line.client, "last words");
    stream_shut(&line.client);
    await(&line, &line.server, READY_END);
    ck_assert_int_eq(fill(&line, tube, TUBE_BYTES, &got), IO_DONE);
    ck_assert_uint_eq(got, 10);
    stream_reset_at_close(&line.client);
    stream_close(&line.client, line.loop);
    await(&line, &line.server, READY_BROKEN);
    ck_assert_int_eq(tube_drain(tube, &line.server, &got), IO_BROKEN);
    ck_assert_uint_eq(got, 0);
    ck_assert_int_ne(line.server.error, 0);
    tube_give(&tube);
    ck_assert_uint_eq(tubes.count, 0); /* what it held is lost with it */
    line_close(&line);

    line_open(&line, pollers[_i]);
    tube = tube_take(&tubes);
    stream_shut(&line.client);
    ck_assert_int_eq(fill(&line, tube, TUBE_BYTES, &got), IO_END);
    ck_assert_uint_eq(got, 0);
    tube_give(&tube);
    tubes_fini(&tubes);
    line_close(&line);
}
END_TEST

/** The client sends, and reads only when nothing else can be done. */
START_TEST(a_tube_before_a_slow_reader_loses_nothing)
{
    enum { TOTAL = 16 << 20, PIECE = 1 << 16 };
    struct line line;
    struct tubes tubes;
    struct tube *tube;
    static char out[PIECE], in[PIECE];
    uint32_t sent_sum = 1, got_sum = 1;
    size_t sent = 0, got = 0, waits = 0, moved;
    uint64_t seed = 5;

    for (size_t i = 0; i < PIECE; i++)
        out[i] = (char)unit_chance(&seed, 256);
    tubes_init(&tubes);
    line_open(&line, pollers[_i]);
    tube = tube_take(&tubes);
    while (got < TOTAL) {
        size_t left = TOTAL - sent < PIECE ? TOTAL - sent : PIECE;
        struct iovec piece = {out, left};

        if (left > 0 &&
            stream_send(&line.client, &piece, 1, &moved) == IO_DONE) {
            sent_sum = mix(sent_sum, out, moved);
            sent += moved;
        } else if (tube->held == 0 && tube_fill(tube, &line.server, TUBE_BYTES,
                                                &moved) == IO_DONE) {
            ck_assert_uint_le(moved, TUBE_BYTES);
        } else if (tube->held > 0 &&
                   tube_drain(tube, &line.server, &moved) == IO_DONE) {
            ck_assert_uint_gt(moved, 0);
        } else if (waits++,
                   stream_receive(&line.client, in, PIECE, &moved) == IO_DONE) {
            got_sum = mix(got_sum, in, moved);
            got += moved;
        } else {
            turn_that_waits(&line);
        }
    }
    ck_assert_uint_gt(waits, 0);
    ck_assert_uint_eq(got, sent);
    ck_assert_uint_eq(got_sum, sent_sum);
    tube_give(&tube);
    tubes_fini(&tubes);
    line_close(&line);
}
END_TEST

START_TEST(tubes_are_lent_and_there_are_only_so_many)
{
    struct tubes tubes;
    struct tube *lent[TUBES_MAX], *again;

    tubes_init(&tubes);
    for (size_t i = 0; i < TUBES_MAX; i++) {
        lent[i] = tube_take(&tubes);
        ck_assert_ptr_nonnull(lent[i]);
        ck_assert(is_non_blocking_and_private(lent[i]->in));
        ck_assert(is_non_blocking_and_private(lent[i]->out));
    }
    ck_assert_ptr_null(tube_take(&tubes));
    again = lent[3];
    tube_give(&lent[3]);
    lent[3] = tube_take(&tubes);
    ck_assert_ptr_eq(lent[3], again);
    for (size_t i = 1; i < TUBES_MAX; i++)
        tube_give(&lent[i]);
    ck_assert_uint_eq(tubes.count, TUBES_MAX);
    tubes.is_refused = true; /* as tube_fill() finds out */
    ck_assert_ptr_null(tube_take(&tubes));
    tube_give(&lent[0]);
    ck_assert_uint_eq(tubes.count, TUBES_MAX - 1);
    tubes_fini(&tubes);
    ck_assert_uint_eq(tubes.count, 0);
}
END_TEST

static void add_tubes(Suite *suite)
{
    const int each = COUNT(pollers);

    unit_add(suite, bytes_go_through_a_tube_and_no_more_than_wanted, each);
    unit_add(suite, a_tube_waits_ends_and_breaks_as_its_connection_does, each);
    unit_add(suite, a_tube_before_a_slow_reader_loses_nothing, each);
    unit_add(suite, tubes_are_lent_and_there_are_only_so_many, 1);
}

#else

static void add_tubes(Suite *suite)
{
    (void)suite; /* there are none */
}

#endif

static void add_addresses(Suite *suite)
{
    unit_add(suite, an_address_is_read_and_printed, COUNT(hosts));
    unit_add(suite, what_is_no_address_is_refused, COUNT(no_hosts));
    unit_add(suite, an_address_is_a_view_and_ends_where_it_ends, 1);
    unit_add(suite, addresses_are_compared_with_their_ports, 1);
    unit_add(suite, an_address_is_sixteen_bytes, 1);
    unit_add(suite, ipv4_in_ipv6_is_ipv4_again, 1);
    unit_add(suite, no_address_is_printed_as_unknown, 1);
    unit_add(suite, a_block_holds_what_begins_alike, COUNT(blocks));
    unit_add(suite, what_is_no_block_is_refused, COUNT(no_blocks));
    unit_add(suite, an_address_may_be_in_any_of_several_blocks, 1);
    unit_add(suite, names_are_looked_up, 1);
}

static void add_sockets(Suite *suite)
{
    const int each = COUNT(pollers);

    unit_add(suite, a_listener_has_a_port_and_accepts, each);
    unit_add(suite, small_pieces_are_sent_at_once, each);
    unit_add(suite, a_taken_port_is_refused_with_words, 1);
    unit_add(suite, listeners_may_share_a_port, 1);
    unit_add(suite, a_listener_can_be_shared_later, 1);
    unit_add(suite, handed_listeners_are_taken_by_address, 1);
    unit_add(suite, handed_listeners_that_nobody_takes_are_closed, 2);
    unit_add(suite, a_handed_listener_whose_file_is_gone_is_of_no_use, 1);
    unit_add(suite, ipv6_listeners_take_ipv4_too, 1);
    unit_add(suite, a_deferred_client_is_accepted_with_its_words, each);
    unit_add(suite, without_descriptors_clients_wait_and_nothing_is_opened,
             each);
    unit_add(suite, the_limit_on_descriptors_is_raised, 1);
    unit_add(suite, a_refused_connection_is_told, each);
    unit_add(suite, a_stream_of_which_nothing_is_known_waits, 1);
    unit_add(suite, keep_alive_is_turned_on, each);
}

static void add_streams(Suite *suite)
{
    const int each = COUNT(pollers);

    unit_add(suite, bytes_come_as_they_were_sent, each);
    unit_add(suite, when_all_was_read_exactly_the_next_call_waits, each);
    unit_add(suite, what_was_only_seen_is_still_there, each);
    unit_add(suite, a_peer_that_does_not_read_makes_us_wait_and_loses_nothing,
             each);
    unit_add(suite, the_end_comes_behind_the_last_byte, each);
    unit_add(suite, the_end_is_found_when_it_came_after_a_short_read, each);
    unit_add(suite, a_reset_is_broken_and_has_words, each);
    unit_add(suite, a_close_without_a_reset_is_an_end, each);
    unit_add(suite, sending_to_one_who_has_left_is_broken_in_the_end, each);
    unit_add(suite, news_are_bytes_the_end_or_a_failure, each);
    unit_add(suite, a_reset_is_news, each);
    unit_add(suite, a_stream_is_closed_once, each);
    unit_add(suite, each_error_has_words, 11);
}

int main(void)
{
    Suite *suite = suite_create("net");

    add_addresses(suite);
    add_sockets(suite);
    add_streams(suite);
    add_tubes(suite);
    return unit_run(suite);
}

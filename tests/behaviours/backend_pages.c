/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The backend, seen from outside: its pages, its manners, its misbehaviours.
 *
 *     backend_pages PATH/backend [PATH/README.md]
 *
 * Each test starts a backend of its own on a port of the kernel's choice. Check
 * runs each test in a process group of its own and kills the group at its end,
 * so no backend outlives its test. Raw sockets, since half of what is asked
 * here no well-mannered client would ask.
 */
#include <check.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/** Nothing here takes so long unless something is broken. */
#define PATIENCE_MS 8000

/** How long "nothing more comes" is watched before it is believed. */
#define QUIET_MS 40

/** A request line, and what every HTTP/1.1 request needs. */
#define GET(target) "GET " target " HTTP/1.1\r\nHost: b\r\n\r\n"
#define GET_LAST(target) \
    "GET " target " HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n"
#define POST(target, more) "POST " target " HTTP/1.1\r\nHost: b\r\n" more

static const char *program;
static const char *readme = "backend/README.md";

/* --- a backend ------------------------------------------------------------ */

struct process {
    pid_t pid;
    int out;
    int err;
    unsigned port;
};

#define ARGUMENTS_MAX 12

static void run_program(const char *const *arguments, int out, int err)
{
    const char *argv[ARGUMENTS_MAX + 2] = {program};

    for (int i = 0; i < ARGUMENTS_MAX && arguments[i] != NULL; i++)
        argv[i + 1] = arguments[i];
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execv(program, (char *const *)argv);
    _exit(127);
}

static struct process process_start(const char *const *arguments)
{
    int out[2];
    int err[2];

    ck_assert_int_eq(pipe(out), 0);
    ck_assert_int_eq(pipe(err), 0);
    pid_t pid = fork();
    ck_assert_int_ne(pid, -1);
    if (pid == 0) {
        close(out[0]);
        close(err[0]);
        run_program(arguments, out[1], err[1]);
    }
    close(out[1]);
    close(err[1]);
    return (struct process){.pid = pid, .out = out[0], .err = err[0]};
}

/** Read what a pipe gives, up to its end or the end of a line. */
static void read_pipe(int fd, char *text, size_t bytes, bool line)
{
    size_t used = 0;

    while (used + 1 < bytes && read(fd, text + used, 1) == 1)
        if (text[used++] == '\n' && line)
            break;
    text[used] = '\0';
}

static int process_wait(struct process *process)
{
    int status = 0;

    ck_assert_int_eq(waitpid(process->pid, &status, 0), process->pid);
    close(process->out);
    close(process->err);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

/** Start one that was told everything but its port; wait until it listens. */
static struct process backend_run(const char *const *arguments)
{
    struct process backend = process_start(arguments);
    char line[128];

    read_pipe(backend.out, line, sizeof(line), true);
    ck_assert_msg(
        sscanf(line, "listening on http://127.0.0.1:%u", &backend.port) == 1,
        "the first line should say where it listens; it was \"%s\"", line);
    return backend;
}

#define BACKEND(...)                                                  \
    backend_run((const char *const[]){"--port", "0", "--name", "one", \
                                      __VA_ARGS__, NULL})

/** Start one that behaves. */
static struct process backend_start(void)
{
    return backend_run(
        (const char *const[]){"--port", "0", "--name", "one", NULL});
}

/** Stop it gently; it must go with 0. */
static void backend_stop(struct process *backend)
{
    kill(backend->pid, SIGTERM);
    ck_assert_int_eq(process_wait(backend), 0);
}

/* --- a client ------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/** How what was read has ended. */
enum end { END_OPEN, END_CLOSED, END_RESET };

/** One connection, and all that has been read from it. */
struct client {
    int fd;
    enum end end;
    size_t length;
    char text[256 * 1024];
};

static int dial(unsigned port)
{
    struct sockaddr_in addr = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_ne(fd, -1);
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
        return fd;
    close(fd);
    return -1;
}

static struct client *client_new(unsigned port)
{
    struct client *client = calloc(1, sizeof(*client));

    client->fd = dial(port);
    ck_assert_msg(client->fd != -1, "nobody listens on port %u", port);
    return client;
}

static void client_free(struct client *client)
{
    close(client->fd);
    free(client);
}

static void say(struct client *client, const char *text)
{
    size_t length = strlen(text);

    while (length > 0) {
        ssize_t sent = send(client->fd, text, length, MSG_NOSIGNAL);

        ck_assert_msg(sent > 0, "sending failed: %s", strerror(errno));
        text += sent;
        length -= (size_t)sent;
    }
}

/** Wait for something to read. False: nothing came in time. */
static bool hear(struct client *client, int wait_ms)
{
    struct pollfd polled = {.fd = client->fd, .events = POLLIN};

    if (client->end != END_OPEN || poll(&polled, 1, wait_ms) != 1)
        return false;
    size_t room = sizeof(client->text) - 1 - client->length;
    ssize_t got = recv(client->fd, client->text + client->length, room, 0);
    if (got > 0)
        client->length += (size_t)got;
    else
        client->end = got == 0 ? END_CLOSED : END_RESET;
    client->text[client->length] = '\0';
    return true;
}

/** Read until these words have come. */
static void expect(struct client *client, const char *words)
{
    int64_t until = now_ms() + PATIENCE_MS;

    while (strstr(client->text, words) == NULL) {
        bool heard = hear(client, (int)(until - now_ms()));

        ck_assert_msg(heard && client->end == END_OPEN,
                      "waiting for \"%s\"; %s after \"%.600s\"", words,
                      heard ? "the connection ended" : "nothing more came",
                      client->text);
    }
}

/** Read until the connection ends, and check how. */
static void expect_end(struct client *client, enum end end)
{
    static const char *const words[] = {"open", "closed", "reset"};
    int64_t until = now_ms() + PATIENCE_MS;

    if (end == END_OPEN)
        while (hear(client, QUIET_MS))
            continue;
    else
        while (hear(client, (int)(until - now_ms())))
            continue;
    ck_assert_msg(client->end == end,
                  "should be %s, but is %s, after \"%.600s\"", words[end],
                  words[client->end], client->text);
}

/** What has been read is used up; the next response comes. */
static void forget(struct client *client)
{
    client->length = 0;
    client->text[0] = '\0';
}

static bool has(const struct client *client, const char *words)
{
    return strstr(client->text, words) != NULL;
}

#define ASSERT_HAS(client, words)                                        \
    ck_assert_msg(has(client, words), "\"%s\" is missing in \"%.600s\"", \
                  words, (client)->text)

/** The body of the only response read; "" if there is none. */
static const char *body_of(const struct client *client)
{
    const char *end = strstr(client->text, "\r\n\r\n");

    return end != NULL ? end + 4 : "";
}

/** One connection, these bytes, and all that comes until it is closed. */
static struct client *ask(const struct process *backend, const char *text)
{
    struct client *client = client_new(backend->port);

    say(client, text);
    expect_end(client, END_CLOSED);
    return client;
}

/** Ask, look for words, forget it. */
static void ask_for(const struct process *backend, const char *text,
                    const char *words)
{
    struct client *client = ask(backend, text);

    ASSERT_HAS(client, words);
    client_free(client);
}

/* --- the pages ------------------------------------------------------------ */

START_TEST(the_first_page_tells_name_and_port)
{
    struct process backend = backend_start();
    struct client *client = ask(&backend, GET_LAST("/"));
    char hello[64];

    snprintf(hello, sizeof(hello), "hello from one on port %u\n", backend.port);
    ck_assert_str_eq(body_of(client), hello);
    ASSERT_HAS(client, "HTTP/1.1 200 OK\r\n");
    ASSERT_HAS(client, "\r\nX-Backend: one\r\n");
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(it_says_that_it_works_and_lives)
{
    struct process backend = backend_start();

    ask_for(&backend, GET_LAST("/healthz"), " 200 OK");
    ask_for(&backend, GET_LAST("/livez"), " 200 OK");
    backend_stop(&backend);
}
END_TEST

START_TEST(it_can_be_marked_not_ready_and_ready_again)
{
    struct process backend = backend_start();
    const char *last = "Connection: close\r\n\r\n";
    char text[256];

    ask_for(&backend, GET_LAST("/readyz"), " 200 OK");
    snprintf(text, sizeof(text), POST("/not-ready", "%s"), last);
    ask_for(&backend, text, " 200 OK");
    ask_for(&backend, GET_LAST("/readyz"), " 503 Service Unavailable");
    ask_for(&backend, GET_LAST("/healthz"), " 200 OK");
    snprintf(text, sizeof(text), POST("/ready", "%s"), last);
    ask_for(&backend, text, " 200 OK");
    ask_for(&backend, GET_LAST("/readyz"), " 200 OK");
    ask_for(&backend, GET_LAST("/ready"), "\r\nAllow: POST\r\n");
    backend_stop(&backend);
}
END_TEST

START_TEST(a_slow_page_takes_its_time_and_stops_nobody)
{
    struct process backend = backend_start();
    struct client *slow = client_new(backend.port);
    int64_t begun = now_ms();

    say(slow, GET_LAST("/slow?ms=200"));
    ask_for(&backend, GET_LAST("/"), "hello from one");
    ck_assert_uint_eq(slow->length, 0);
    expect_end(slow, END_CLOSED);
    ck_assert_int_ge(now_ms() - begun, 199);
    ASSERT_HAS(slow, "hello from one");
    client_free(slow);
    ask_for(&backend, GET_LAST("/slow?ms=soon"), " 400 Bad Request");
    backend_stop(&backend);
}
END_TEST

START_TEST(any_final_status_can_be_had)
{
    struct process backend = backend_start();
    struct client *client;

    ask_for(&backend, GET_LAST("/status/503"), " 503 Service Unavailable\r\n");
    ask_for(&backend, GET_LAST("/status/299"), " 299 ");
    ask_for(&backend, GET_LAST("/status/100"), " 400 ");
    ask_for(&backend, GET_LAST("/status/600"), " 400 ");
    ask_for(&backend, GET_LAST("/status/x"), " 400 ");
    client = ask(&backend, GET_LAST("/status/204"));
    ASSERT_HAS(client, " 204 No Content\r\n");
    ck_assert(!has(client, "Content-Length"));
    ck_assert_str_eq(body_of(client), "");
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(as_many_bytes_come_as_were_asked_for)
{
    struct process backend = backend_start();
    struct client *client = ask(&backend, GET_LAST("/bytes/100000"));
    const char *body = body_of(client);

    ck_assert_uint_eq(strlen(body), 100000);
    for (size_t i = 0; i < 100000; i++)
        ck_assert_int_eq(body[i], 'a' + (int)(i % 26));
    client_free(client);
    ask_for(&backend, GET_LAST("/bytes/0"), "Content-Length: 0\r\n");
    ask_for(&backend, GET_LAST("/bytes/1073741825"), " 400 ");
    ask_for(&backend, GET_LAST("/bytes/many"), " 400 ");
    ask_for(&backend,
            "HEAD /bytes/1073741824 HTTP/1.1\r\nHost: b\r\n"
            "Connection: close\r\n\r\n",
            "Content-Length: 1073741824\r\n");
    backend_stop(&backend);
}
END_TEST

START_TEST(an_echo_keeps_the_length)
{
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);

    say(client, POST("/echo", "Content-Length: 5\r\n\r\nhello"));
    expect(client, "\r\n\r\nhello");
    ASSERT_HAS(client, "Content-Length: 5\r\n");
    forget(client);
    say(client, POST("/echo", "Content-Length: 0\r\n\r\n"));
    expect(client, "Content-Length: 0\r\n");
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(an_echo_keeps_the_chunks)
{
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);

    say(client, POST("/echo", "Transfer-Encoding: chunked\r\n\r\n"
                              "5;more=less\r\nhello\r\n"));
    expect(client, "\r\n\r\n0005\r\nhello\r\n");
    ASSERT_HAS(client, "Transfer-Encoding: chunked\r\n");
    ck_assert(!has(client, "Content-Length"));
    say(client, "1\r\n!\r\n0\r\nTrailer: dropped\r\n\r\n" GET("/"));
    expect(client, "0001\r\n!\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n");
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(a_tunnel_gives_every_byte_back)
{
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);

    say(client, GET("/tunnel"));
    expect(client, "HTTP/1.1 426 Upgrade Required\r\n");
    forget(client);
    say(client, "GET /tunnel HTTP/1.1\r\nHost: h\r\nUpgrade: echo\r\n"
                "Connection: keep-alive, Upgrade\r\n\r\nat once");
    expect(client, "\r\n\r\nat once");
    ASSERT_HAS(client, "HTTP/1.1 101 Switching Protocols\r\n");
    ASSERT_HAS(client, "Upgrade: echo\r\nConnection: upgrade\r\n");
    ck_assert(!has(client, "chunked"));
    say(client, GET("/"));
    expect(client, GET("/"));
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(an_echo_stops_reading_while_nobody_takes_its_answer)
{
    enum { MANY = 64 * 1024 * 1024 };
    static char block[65536];
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);
    struct pollfd polled = {.fd = client->fd, .events = POLLOUT};
    size_t sent = 0;

    say(client, POST("/echo", "Content-Length: 67108864\r\n\r\n"));
    while (sent < MANY && poll(&polled, 1, 200) == 1) {
        ssize_t bytes = send(client->fd, block, sizeof(block), MSG_DONTWAIT);

        sent += bytes > 0 ? (size_t)bytes : 0;
    }
    ck_assert_msg(sent < MANY, "it took 64 MiB that it cannot have given back");
    ask_for(&backend, GET_LAST("/"), "hello from one");
    expect(client, "\r\n\r\n");
    size_t echoed = client->length - (size_t)(body_of(client) - client->text);
    while (echoed < sent) {
        ssize_t bytes = recv(client->fd, block, sizeof(block), 0);

        ck_assert_int_gt(bytes, 0);
        echoed += (size_t)bytes;
    }
    ck_assert_uint_eq(echoed, sent);
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(headers_are_shown_as_they_arrived)
{
    struct process backend = backend_start();
    const char *head = "GET /headers?x HTTP/1.1\r\nhOST:  b \r\n"
                       "Connection: close\r\nX-Odd: a\tb\r\n\r\n";
    struct client *client = ask(&backend, head);

    ck_assert_str_eq(body_of(client), head);
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(a_stream_sends_event_after_event)
{
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);

    say(client, GET("/stream?n=3&ms=20"));
    expect(client, "data: hello from one, 2 to come\n\n");
    ASSERT_HAS(client, "Content-Type: text/event-stream\r\n");
    expect(client, "data: hello from one, 0 to come\n\n\r\n0\r\n\r\n");
    client_free(client);
    client = ask(&backend, "GET /stream?n=2&ms=1 HTTP/1.0\r\n\r\n");
    ck_assert(!has(client, "chunked"));
    ASSERT_HAS(client, "1 to come\n\ndata: hello from one, 0 to come\n\n");
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(a_sink_tells_how_much_it_read)
{
    struct process backend = backend_start();

    ask_for(
        &backend,
        POST("/sink", "Connection: close\r\nContent-Length: 5\r\n\r\nhello"),
        "\r\n\r\nread 5 bytes\n");
    ask_for(&backend,
            POST("/sink", "Connection: close\r\nTransfer-Encoding: chunked\r\n"
                          "\r\n3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"),
            "\r\n\r\nread 13 bytes\n");
    backend_stop(&backend);
}
END_TEST

START_TEST(it_counts_what_it_was_asked)
{
    struct process backend = backend_start();
    char json[512];

    ask_for(&backend, GET_LAST("/?a=1"), "hello");
    ask_for(&backend, GET_LAST("/?a=2"), "hello");
    ask_for(&backend, GET_LAST("/\"odd\\"), " 404 ");
    ask_for(&backend,
            POST("/", "Connection: close\r\nContent-Length: 1\r\n\r\nx"),
            "hello");
    ask_for(&backend, GET_LAST("/stats"), "{");
    struct client *client = ask(&backend, GET_LAST("/stats"));
    snprintf(json, sizeof(json),
             "{\"name\":\"one\",\"port\":%u,\"requests\":4,\"connections\":6,"
             "\"open\":1,\"bodies\":1,\"paths\":{\"/\":3,"
             "\"/\\\"odd\\\\\":1}}\n",
             backend.port);
    ck_assert_str_eq(body_of(client), json);
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(it_counts_a_bounded_number_of_paths)
{
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);
    char text[128];

    for (int i = 0; i < 300; i++) {
        snprintf(text, sizeof(text), GET("/p%d"), i);
        say(client, text);
        expect(client, "404 Not Found\n");
        forget(client);
    }
    client_free(client);
    ask_for(&backend, GET_LAST("/stats"), "\"/p255\":1,\"other\":44}");
    backend_stop(&backend);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
    struct process backend = backend_start();

    ask_for(&backend, GET_LAST("/nothing"), " 404 Not Found\r\n");
    ask_for(&backend, GET_LAST("/healthz/x"), " 404 Not Found\r\n");
    ask_for(&backend, GET_LAST("/misbehave/nicely"), "silent, drip, stall");
    ask_for(&backend, GET_LAST("/misbehave/drip?ms=x"), " 400 ");
    backend_stop(&backend);
}
END_TEST

/* --- HTTP ----------------------------------------------------------------- */

START_TEST(one_connection_serves_many_requests)
{
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);

    for (int i = 0; i < 50; i++) {
        say(client, GET("/"));
        expect(client, "hello from one on port");
        forget(client);
    }
    expect_end(client, END_OPEN);
    client_free(client);
    ask_for(&backend, GET_LAST("/stats"), "\"requests\":50,\"connections\":2,");
    backend_stop(&backend);
}
END_TEST

START_TEST(requests_sent_at_once_are_answered_in_order)
{
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);

    say(client,
        GET("/slow?ms=50") GET("/status/202")
            POST("/echo", "Content-Length: 5\r\n\r\nfirst") "\r\n" GET_LAST(
                "/status/418"));
    expect_end(client, END_CLOSED);
    const char *slow = strstr(client->text, "hello from one");
    ck_assert_ptr_nonnull(slow);
    const char *second = strstr(slow, " 202 ");
    ck_assert_ptr_nonnull(second);
    const char *third = strstr(second, "\r\n\r\nfirst");
    ck_assert_ptr_nonnull(third);
    ck_assert_ptr_nonnull(strstr(third, " 418 "));
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(http_1_0_closes_unless_asked_to_stay)
{
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);

    ask_for(&backend, "GET / HTTP/1.0\r\n\r\n", "Connection: close\r\n");
    say(client, "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
    expect(client, "hello from one");
    ASSERT_HAS(client, "Connection: keep-alive\r\n");
    expect_end(client, END_OPEN);
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(head_gets_the_head_alone)
{
    struct process backend = backend_start();
    struct client *client =
        ask(&backend, "HEAD / HTTP/1.1\r\nHost: b\r\n\r\n"
                      "HEAD /stream HTTP/1.1\r\nHost: b\r\n\r\n"
                      "HEAD /echo HTTP/1.1\r\nHost: b\r\n"
                      "Content-Length: 3\r\n\r\nabc" GET_LAST("/status/418"));

    ck_assert(!has(client, "hello"));
    ck_assert(!has(client, "abc"));
    ASSERT_HAS(client, "Transfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK\r\n");
    ASSERT_HAS(client, "Content-Length: 3\r\n\r\nHTTP/1.1 418 ");
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(a_client_that_waits_for_100_gets_it)
{
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);

    say(client, POST("/sink", "Expect: 100-continue\r\n"
                              "Content-Length: 5\r\n\r\n"));
    expect(client, "HTTP/1.1 100 Continue\r\n\r\n");
    say(client, "hello");
    expect(client, "\r\n\r\nHTTP/1.1 200 OK\r\n");
    expect(client, "read 5 bytes\n");
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(a_head_may_come_byte_by_byte)
{
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);
    const char *text = GET("http://elsewhere/status/202?x=y");

    for (; *text != '\0'; text++)
        say(client, (const char[]){*text, '\0'});
    expect(client, " 202 Accepted\r\n");
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(a_client_that_has_said_all_is_still_answered)
{
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);

    say(client, GET("/slow?ms=50") GET("/stream?n=2&ms=20"));
    shutdown(client->fd, SHUT_WR);
    expect_end(client, END_CLOSED);
    ASSERT_HAS(client, "hello from one on port");
    ASSERT_HAS(client, "0 to come");
    client_free(client);
    backend_stop(&backend);
}
END_TEST

static const struct {
    int status;
    const char *text;
} nonsense[] = {
    {400, "nonsense\r\n\r\n"},
    {400, "GET /\r\n\r\n"},
    {400, "GET / HTTP/1.1 \r\nHost: b\r\n\r\n"},
    {400, "GET  / HTTP/1.1\r\nHost: b\r\n\r\n"},
    {400, "GET / HTTP/1.1\nHost: b\n\n"},
    {400, "GET x HTTP/1.1\r\nHost: b\r\n\r\n"},
    {400, "GET * HTTP/1.1\r\nHost: b\r\n\r\n"},
    {400, "GET /\x80 HTTP/1.1\r\nHost: b\r\n\r\n"},
    {400, "G@T / HTTP/1.1\r\nHost: b\r\n\r\n"},
    {505, "GET / HTTP/3.0\r\nHost: b\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost : b\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: b\r\n folded\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: b\r\nno colon\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: b\r\n: x\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: b\r\nX: a\x01\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: b\r\nX: a\rb\r\n\r\n"},
    {400, POST("/", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n")},
    {400, POST("/", "Content-Length: 1\r\nContent-Length: 2\r\n\r\n")},
    {400, POST("/", "Content-Length: 1, 1\r\n\r\n")},
    {400, POST("/", "Content-Length: -1\r\n\r\n")},
    {400, POST("/", "Content-Length: +1\r\n\r\n")},
    {400, POST("/", "Content-Length: 0x1\r\n\r\n")},
    {400, POST("/", "Content-Length: 99999999999999999999\r\n\r\n")},
    {400, POST("/", "Content-Length:\r\n\r\n")},
    {400, POST("/", "Transfer-Encoding: gzip, chunked\r\n\r\n")},
    {400, POST("/", "Transfer-Encoding: chunked\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n")},
    {400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {417, POST("/", "Expect: miracles\r\n\r\n")},
    {400, POST("/", "Transfer-Encoding: chunked\r\n\r\nhello\r\n")},
    {400, POST("/", "Transfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n")},
    {400, POST("/", "Transfer-Encoding: chunked\r\n\r\n2 \r\nhe\r\n")},
    {400, POST("/", "Transfer-Encoding: chunked\r\n\r\n2\nhe\r\n")},
    {400, POST("/", "Transfer-Encoding: chunked\r\n\r\n"
                    "fffffffffffffffff\r\n")},
};

START_TEST(nonsense_is_refused)
{
    struct process backend = backend_start();
    struct client *client = ask(&backend, nonsense[_i].text);
    char status[32];

    snprintf(status, sizeof(status), "HTTP/1.1 %d ", nonsense[_i].status);
    ck_assert_msg(strncmp(client->text, status, strlen(status)) == 0,
                  "\"%s\" should be refused with %d; it got \"%.200s\"",
                  nonsense[_i].text, nonsense[_i].status, client->text);
    ASSERT_HAS(client, "Connection: close\r\n");
    client_free(client);
    ask_for(&backend, GET_LAST("/"), "hello from one");
    backend_stop(&backend);
}
END_TEST

START_TEST(a_nul_in_a_head_is_refused)
{
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);
    static const char text[] = "GET /\0 HTTP/1.1\r\n";

    ck_assert_int_eq(send(client->fd, text, sizeof(text) - 1, 0),
                     sizeof(text) - 1);
    expect_end(client, END_CLOSED);
    ASSERT_HAS(client, "HTTP/1.1 400 ");
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(a_head_without_end_is_refused)
{
    static char head[16384 + 1];
    struct process backend = backend_start();

    memset(head, 'x', sizeof(head) - 1);
    ask_for(&backend, head, "HTTP/1.1 431 ");
    backend_stop(&backend);
}
END_TEST

/* --- many ----------------------------------------------------------------- */

START_TEST(a_thousand_connections_are_served_at_once)
{
    enum { THOUSAND = 1000 };
    struct process backend = backend_start();
    static int fds[THOUSAND];
    char answer[512];

    for (int i = 0; i < THOUSAND; i++) {
        fds[i] = dial(backend.port);
        ck_assert_msg(fds[i] != -1, "connection %d: %s", i, strerror(errno));
    }
    for (int i = 0; i < THOUSAND; i++)
        ck_assert_int_gt(send(fds[i], GET("/"), strlen(GET("/")), 0), 0);
    for (int i = 0; i < THOUSAND; i++) {
        ssize_t bytes = recv(fds[i], answer, sizeof(answer) - 1, 0);

        ck_assert_int_gt(bytes, 0);
        answer[bytes] = '\0';
        ck_assert_ptr_nonnull(strstr(answer, "hello from one"));
    }
    ask_for(&backend, GET_LAST("/stats"), "\"open\":1001,");
    backend_stop(&backend);
}
END_TEST

/* --- misbehaviours -------------------------------------------------------- */

static const struct {
    const char *name;   /**< as in the path */
    const char *value;  /**< a number, or NULL */
    const char *query;  /**< the same as a query, or "" */
    const char *shows;  /**< what comes */
    const char *hidden; /**< what must not come, or NULL */
    enum end end;       /**< and then */
} kinds[] = {
    {"silent", NULL, "", "", "HTTP", END_OPEN},
    {"drip", "1", "?ms=1", "hello from one on port", NULL, END_OPEN},
    {"stall", NULL, "", "hello", "port", END_OPEN},
    {"close-early", NULL, "", "", "HTTP", END_CLOSED},
    {"reset", NULL, "", "", "HTTP", END_RESET},
    {"cut-body", NULL, "", "hello", "port", END_CLOSED},
    {"reset-body", NULL, "", "hello", "port", END_RESET},
    {"short-length", "99", "?n=99", "Content-Length: 0\r\n", NULL, END_OPEN},
    {"long-length", "1000", "?n=1000", "Content-Length: 10", NULL, END_OPEN},
    {"bad-chunk", NULL, "", "\r\n\r\nzzzz\r\nhello", NULL, END_CLOSED},
    {"garbage", NULL, "", "not HTTP", "HTTP/1", END_CLOSED},
    {"big-head", "100", "?n=100", "hello from one on port", NULL, END_OPEN},
    {"fail", "100", "?percent=100", " 500 Internal", "hello", END_OPEN},
    {"fail", "0", "?percent=0", "hello from one on port", " 500 ", END_OPEN},
    {"jitter", "20", "?ms=20", "hello from one on port", NULL, END_OPEN},
    {"early-answer", NULL, "", "HTTP/1.1 413 ", "hello", END_CLOSED},
    {"stale", NULL, "", "hello from one on port", NULL, END_OPEN},
    {"freeze", "50", "?ms=50", "hello from one on port", NULL, END_OPEN},
};

#define KINDS ((int)(sizeof(kinds) / sizeof(*kinds)))

static void assert_misbehaves(struct process *backend, const char *target,
                              int kind)
{
    struct client *client = client_new(backend->port);
    char request[256];

    snprintf(request, sizeof(request), GET("%s"), target);
    say(client, request);
    if (*kinds[kind].shows != '\0' && kinds[kind].end == END_OPEN)
        expect(client, kinds[kind].shows);
    expect_end(client, kinds[kind].end);
    ASSERT_HAS(client, kinds[kind].shows);
    if (kinds[kind].hidden != NULL)
        ck_assert_msg(!has(client, kinds[kind].hidden), "%s should not say %s",
                      kinds[kind].name, kinds[kind].hidden);
    client_free(client);
}

START_TEST(it_misbehaves_once_by_path)
{
    struct process backend = backend_start();
    char target[128];

    snprintf(target, sizeof(target), "/misbehave/%s%s", kinds[_i].name,
             kinds[_i].query);
    assert_misbehaves(&backend, target, _i);
    ask_for(&backend, GET_LAST("/"), "hello from one");
    backend_stop(&backend);
}
END_TEST

START_TEST(it_misbehaves_always_by_flag_but_where_spared)
{
    char how[64];

    snprintf(how, sizeof(how), "%s%s%s", kinds[_i].name,
             kinds[_i].value != NULL ? "=" : "",
             kinds[_i].value != NULL ? kinds[_i].value : "");
    struct process backend = BACKEND("--misbehave", how, "--spare", "/healthz");
    assert_misbehaves(&backend, "/", _i);
    ask_for(&backend, GET_LAST("/healthz"), "\r\n\r\nok\n");
    ask_for(&backend, GET_LAST("/stats"), "\"requests\":2,");
    backend_stop(&backend);
}
END_TEST

START_TEST(a_big_head_is_as_big_as_asked)
{
    struct process backend = backend_start();
    struct client *client = ask(&backend, GET_LAST("/misbehave/big-head?n=64"));
    size_t head = (size_t)(body_of(client) - client->text);

    ck_assert_uint_ge(head, 64 * 1024);
    ck_assert_uint_lt(head, 65 * 1024);
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(half_of_a_large_body_is_cut_off)
{
    struct process backend = BACKEND("--misbehave", "cut-body");
    struct client *client = ask(&backend, GET("/bytes/100000"));

    ASSERT_HAS(client, "Content-Length: 100000\r\n");
    ck_assert_uint_eq(strlen(body_of(client)), 50000);
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(an_early_answer_does_not_wait_for_the_body)
{
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);

    say(client,
        POST("/misbehave/early-answer", "Content-Length: 1000\r\n\r\n"));
    expect_end(client, END_CLOSED);
    ASSERT_HAS(client, "HTTP/1.1 413 ");
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(lingering_keeps_what_should_close)
{
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);

    say(client, GET_LAST("/misbehave/linger"));
    expect(client, "hello from one on port");
    expect_end(client, END_OPEN);
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(a_stale_connection_resets_its_second_request)
{
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);

    say(client, GET("/misbehave/stale"));
    expect(client, "hello from one on port");
    forget(client);
    say(client, GET("/"));
    expect_end(client, END_RESET);
    ck_assert_uint_eq(client->length, 0);
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(frozen_it_serves_nobody)
{
    struct process backend = backend_start();
    struct client *first = client_new(backend.port);
    int64_t begun = now_ms();

    say(first, GET("/misbehave/freeze?ms=300"));
    ask_for(&backend, GET_LAST("/"), "hello from one");
    expect(first, "hello from one");
    ck_assert_int_ge(now_ms() - begun, 299);
    client_free(first);
    backend_stop(&backend);
}
END_TEST

static void expect_refused_then_back(const struct process *backend)
{
    int64_t until = now_ms() + PATIENCE_MS;
    int fd = dial(backend->port);

    ck_assert_msg(fd == -1, "a new connection should be refused");
    while ((fd = dial(backend->port)) == -1 && now_ms() < until)
        poll(NULL, 0, 5);
    ck_assert_msg(fd != -1, "it should have come back");
    close(fd);
    ask_for(backend, GET_LAST("/"), "hello from one");
}

START_TEST(it_refuses_connections_for_a_while)
{
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);

    say(client, GET("/misbehave/refuse?ms=400"));
    expect(client, "hello from one");
    expect_refused_then_back(&backend);
    client_free(client);
    backend_stop(&backend);
}
END_TEST

START_TEST(it_refuses_connections_from_the_start)
{
    struct process backend = BACKEND("--misbehave", "refuse=400");

    expect_refused_then_back(&backend);
    backend_stop(&backend);
}
END_TEST

START_TEST(it_crashes_at_the_nth_request)
{
    struct process backend =
        BACKEND("--misbehave", "crash=3", "--spare", "/healthz");
    struct client *client = client_new(backend.port);

    ask_for(&backend, GET_LAST("/"), "hello from one");
    ask_for(&backend, GET_LAST("/healthz"), "ok");
    ask_for(&backend, GET_LAST("/"), "hello from one");
    say(client, GET("/"));
    while (hear(client, PATIENCE_MS))
        continue;
    ck_assert_uint_eq(client->length, 0);
    ck_assert_int_ne(client->end, END_OPEN);
    ck_assert_int_eq(process_wait(&backend), 70);
    client_free(client);
}
END_TEST

START_TEST(it_crashes_on_request)
{
    struct process backend = backend_start();
    struct client *client = client_new(backend.port);

    say(client, GET("/misbehave/crash"));
    while (hear(client, PATIENCE_MS))
        continue;
    ck_assert_uint_eq(client->length, 0);
    ck_assert_int_eq(process_wait(&backend), 70);
    client_free(client);
}
END_TEST

/** Which of 200 requests fail: a word of 200 letters. */
static void luck_of(const char *seed, char *luck)
{
    struct process backend = BACKEND("--misbehave", "fail=30", "--seed", seed);
    struct client *client = client_new(backend.port);

    for (int i = 0; i < 200; i++) {
        say(client, GET("/"));
        expect(client, "\r\n\r\n");
        while (strchr(body_of(client), '\n') == NULL)
            ck_assert(hear(client, PATIENCE_MS));
        luck[i] = has(client, " 500 ") ? 'x' : '.';
        forget(client);
    }
    luck[200] = '\0';
    client_free(client);
    backend_stop(&backend);
}

START_TEST(the_same_seed_gives_the_same_luck)
{
    char luck[3][201];
    int failed = 0;

    luck_of("7", luck[0]);
    luck_of("7", luck[1]);
    luck_of("8", luck[2]);
    ck_assert_str_eq(luck[0], luck[1]);
    ck_assert_str_ne(luck[0], luck[2]);
    for (int i = 0; i < 200; i++)
        failed += luck[0][i] == 'x';
    ck_assert_msg(failed > 40 && failed < 80,
                  "30 in 100 should fail; %d of 200 did", failed);
}
END_TEST

/* --- its end -------------------------------------------------------------- */

START_TEST(a_gentle_stop_finishes_what_was_begun)
{
    struct process backend = backend_start();
    struct client *slow = client_new(backend.port);
    struct client *idle = client_new(backend.port);
    struct client *fresh = client_new(backend.port);

    say(idle, GET("/"));
    expect(idle, "hello from one");
    say(slow, GET("/slow?ms=300"));
    ask_for(&backend, GET_LAST("/stats"), "\"/slow\":1");
    kill(backend.pid, _i == 0 ? SIGTERM : SIGINT);
    expect_end(idle, END_CLOSED);
    expect_end(fresh, END_CLOSED);
    ck_assert_int_eq(dial(backend.port), -1);
    expect_end(slow, END_CLOSED);
    ASSERT_HAS(slow, "hello from one on port");
    ASSERT_HAS(slow, "Connection: close\r\n");
    client_free(slow);
    client_free(idle);
    client_free(fresh);
    ck_assert_int_eq(process_wait(&backend), 0);
}
END_TEST

START_TEST(a_second_signal_ends_it_at_once)
{
    struct process backend = backend_start();
    struct client *slow = client_new(backend.port);
    struct client *idle = client_new(backend.port);

    say(slow, GET("/slow?ms=60000"));
    ask_for(&backend, GET_LAST("/stats"), "\"/slow\":1");
    kill(backend.pid, SIGTERM);
    expect_end(idle, END_CLOSED);
    kill(backend.pid, SIGINT);
    ck_assert_int_eq(process_wait(&backend), 1);
    client_free(slow);
    client_free(idle);
}
END_TEST

/* --- the command line ----------------------------------------------------- */

static const struct {
    const char *arguments[6];
    const char *says;
} mistakes[] = {
    {{"--misbehave", "slient"}, "did you mean silent?"},
    {{"--misbehave", "nicely"}, "choose one of these (silent, drip,"},
    {{"--misbehave", "drip=slowly"}, "drip needs a whole number"},
    {{"--misbehave", "fail=101"}, "from 0 to 100"},
    {{"--misbehave", "silent=3"}, "silent takes no number"},
    {{"--misbehave", "drip", "--misbehave", "fail"}, "may be given once"},
    {{"--prot", "8081"}, "did you mean --port?"},
    {{"--port", "65536"}, "--port is a number from 0 to 65535"},
    {{"--port", "-1"}, "--port is a number from 0 to 65535"},
    {{"--port"}, "--port needs a value"},
    {{"--name", "two\nlines"}, "--name has 1 to 64 letters"},
    {{"--name", ""}, "--name has 1 to 64 letters"},
    {{"--spare", "healthz"}, "begins with a slash"},
    {{"--seed", "x"}, "--seed is a whole number"},
    {{"--host", "256.0.0.1"}, "is no address of this machine"},
    {{"--colour"}, "--help lists what there is"},
    {{"8081"}, "one word too many"},
};

START_TEST(a_wrong_command_line_is_explained)
{
    struct process backend = process_start(mistakes[_i].arguments);
    char text[2048];

    read_pipe(backend.err, text, sizeof(text), false);
    ck_assert_int_eq(process_wait(&backend), 2);
    ck_assert_msg(strncmp(text, "backend: ", 9) == 0, "%s", text);
    ck_assert_msg(strstr(text, mistakes[_i].says) != NULL,
                  "should say \"%s\"; it said \"%s\"", mistakes[_i].says, text);
    ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
}
END_TEST

START_TEST(a_port_that_is_taken_is_explained)
{
    struct process first = backend_start();
    char port[16];
    char text[512];

    snprintf(port, sizeof(port), "%u", first.port);
    struct process second =
        process_start((const char *const[]){"-port", port, NULL});
    read_pipe(second.err, text, sizeof(text), false);
    ck_assert_int_eq(process_wait(&second), 2);
    ck_assert_msg(strstr(text, "choose another --port") != NULL, "%s", text);
    backend_stop(&first);
}
END_TEST

START_TEST(the_environment_is_heard_and_flags_win)
{
    static const char *const none[] = {NULL};
    static const char *const flags[] = {"-name=three", "-port", "0", NULL};

    setenv("SERVER_PORT", "1", 1);
    setenv("PORT", "0", 1);
    setenv("SERVER_NAME", "two", 1);
    struct process backend = backend_run(none);
    ask_for(&backend, GET_LAST("/"), "hello from two");
    backend_stop(&backend);
    unsetenv("PORT");
    setenv("SERVER_PORT", "0", 1);
    backend = backend_run(none);
    ask_for(&backend, GET_LAST("/"), "hello from two");
    backend_stop(&backend);
    setenv("PORT", "1", 1);
    backend = backend_run(flags);
    ask_for(&backend, GET_LAST("/"), "hello from three");
    backend_stop(&backend);
}
END_TEST

START_TEST(a_wrong_variable_is_explained)
{
    char text[512];

    setenv("PORT", "http", 1);
    struct process backend = process_start((const char *const[]){NULL});
    read_pipe(backend.err, text, sizeof(text), false);
    ck_assert_int_eq(process_wait(&backend), 2);
    ck_assert_str_eq(text, "backend: PORT is a number from 0 to 65535, "
                           "not \"http\"\n");
}
END_TEST

/** The names in the part of --help that lists misbehaviours. */
static int each_name_of_help(const char *help, const char *table)
{
    const char *line = strstr(help, "\nMisbehaviours");
    int count = 0;

    ck_assert_ptr_nonnull(line);
    while ((line = strstr(line, "\n  ")) != NULL) {
        char row[64];
        size_t length;

        line += strlen("\n  ");
        length = strcspn(line, " =");
        snprintf(row, sizeof(row), "\n| `%.*s` |", (int)length, line);
        ck_assert_msg(strstr(table, row) != NULL,
                      "the README's table of misbehaviours lacks%s", row);
        count++;
    }
    return count;
}

START_TEST(the_readme_lists_every_misbehaviour)
{
    static char help[16384];
    static char text[65536];
    struct process backend =
        process_start((const char *const[]){"--help", NULL});
    int file = open(readme, O_RDONLY);

    ck_assert_msg(file != -1, "cannot read %s", readme);
    read_pipe(backend.out, help, sizeof(help), false);
    ck_assert_int_eq(process_wait(&backend), 0);
    read_pipe(file, text, sizeof(text), false);
    close(file);
    const char *table = strstr(text, "\n| name | value");
    ck_assert_ptr_nonnull(table);
    int count = each_name_of_help(help, table);
    ck_assert_int_ge(count, 11);
    for (const char *row = table; (row = strstr(row, "\n| `")) != NULL; row++)
        count--;
    ck_assert_msg(count == 0, "the README and --help differ by %d rows", count);
}
END_TEST

/* --- the suite ------------------------------------------------------------ */

static TCase *case_of(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_set_timeout(tcase, 30);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static void add_pages(Suite *suite)
{
    TCase *pages = case_of(suite, "pages");

    tcase_add_test(pages, the_first_page_tells_name_and_port);
    tcase_add_test(pages, it_says_that_it_works_and_lives);
    tcase_add_test(pages, it_can_be_marked_not_ready_and_ready_again);
    tcase_add_test(pages, a_slow_page_takes_its_time_and_stops_nobody);
    tcase_add_test(pages, any_final_status_can_be_had);
    tcase_add_test(pages, as_many_bytes_come_as_were_asked_for);
    tcase_add_test(pages, an_echo_keeps_the_length);
    tcase_add_test(pages, an_echo_keeps_the_chunks);
    tcase_add_test(pages, a_tunnel_gives_every_byte_back);
    tcase_add_test(pages, an_echo_stops_reading_while_nobody_takes_its_answer);
    tcase_add_test(pages, headers_are_shown_as_they_arrived);
    tcase_add_test(pages, a_stream_sends_event_after_event);
    tcase_add_test(pages, a_sink_tells_how_much_it_read);
    tcase_add_test(pages, it_counts_what_it_was_asked);
    tcase_add_test(pages, it_counts_a_bounded_number_of_paths);
    tcase_add_test(pages, what_is_not_there_is_not_found);
}

static void add_http(Suite *suite)
{
    TCase *http = case_of(suite, "HTTP");

    tcase_add_test(http, one_connection_serves_many_requests);
    tcase_add_test(http, requests_sent_at_once_are_answered_in_order);
    tcase_add_test(http, http_1_0_closes_unless_asked_to_stay);
    tcase_add_test(http, head_gets_the_head_alone);
    tcase_add_test(http, a_client_that_waits_for_100_gets_it);
    tcase_add_test(http, a_head_may_come_byte_by_byte);
    tcase_add_test(http, a_client_that_has_said_all_is_still_answered);
    tcase_add_loop_test(http, nonsense_is_refused, 0,
                        sizeof(nonsense) / sizeof(*nonsense));
    tcase_add_test(http, a_nul_in_a_head_is_refused);
    tcase_add_test(http, a_head_without_end_is_refused);
    tcase_add_test(http, a_thousand_connections_are_served_at_once);
}

static void add_misbehaviours(Suite *suite)
{
    TCase *bad = case_of(suite, "misbehaviours");

    tcase_add_loop_test(bad, it_misbehaves_once_by_path, 0, KINDS);
    tcase_add_loop_test(bad, it_misbehaves_always_by_flag_but_where_spared, 0,
                        KINDS);
    tcase_add_test(bad, a_big_head_is_as_big_as_asked);
    tcase_add_test(bad, half_of_a_large_body_is_cut_off);
    tcase_add_test(bad, an_early_answer_does_not_wait_for_the_body);
    tcase_add_test(bad, lingering_keeps_what_should_close);
    tcase_add_test(bad, a_stale_connection_resets_its_second_request);
    tcase_add_test(bad, frozen_it_serves_nobody);
    tcase_add_test(bad, it_refuses_connections_for_a_while);
    tcase_add_test(bad, it_refuses_connections_from_the_start);
    tcase_add_test(bad, it_crashes_at_the_nth_request);
    tcase_add_test(bad, it_crashes_on_request);
    tcase_add_test(bad, the_same_seed_gives_the_same_luck);
}

static void add_life(Suite *suite)
{
    TCase *life = case_of(suite, "life");

    tcase_add_loop_test(life, a_gentle_stop_finishes_what_was_begun, 0, 2);
    tcase_add_test(life, a_second_signal_ends_it_at_once);
    tcase_add_loop_test(life, a_wrong_command_line_is_explained, 0,
                        sizeof(mistakes) / sizeof(*mistakes));
    tcase_add_test(life, a_port_that_is_taken_is_explained);
    tcase_add_test(life, the_environment_is_heard_and_flags_win);
    tcase_add_test(life, a_wrong_variable_is_explained);
    tcase_add_test(life, the_readme_lists_every_misbehaviour);
}

/** A thousand connections need as many descriptors here. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    Suite *suite = suite_create("backend");

    if (argc < 2) {
        fprintf(stderr, "usage: %s PATH/backend [PATH/README.md]\n", argv[0]);
        return 2;
    }
    program = argv[1];
    if (argc > 2)
        readme = argv[2];
    unsetenv("PORT");
    unsetenv("SERVER_PORT");
    unsetenv("SERVER_NAME");
    raise_descriptors();
    add_pages(suite);
    add_http(suite);
    add_misbehaviours(suite);
    add_life(suite);

    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}

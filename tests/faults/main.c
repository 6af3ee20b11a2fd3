/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Let each call to the system fail once, and see what steelyard makes of it.
 *
 * For each way in which a call may fail (its manual page says which), steelyard
 * is started over two backends, serves a few clients of different kinds, and
 * has to come out of it well: no crash, nothing a sanitizer finds, every client
 * answered whole or its connection ended, the next request served, as many
 * descriptors as before, and a stop with status 0. What fails before it listens
 * may keep it from starting: then with a sentence and status 2.
 *
 * Which of its calls fails? The first in each way; then each up to the twelfth,
 * and some of those after it, with the ways taking turns. With --full, each in
 * each way, until the call is no longer made so often.
 */
#include "../behaviours/lab.h"

#include <curl/curl.h>
#include <dirent.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/** What may come of a fault, at worst. */
enum outcome {
    UNSEEN,  /**< every client is answered as if nothing had been */
    PARTED,  /**< a client's connection ends, or the answer is our own */
    REFUSED, /**< or steelyard does not start; else unseen */
    EITHER,  /**< does not start; or a client's connection ends */
};

/** A call, the ways in which it fails, and what may come of that. */
struct plan {
    const char *call;
    const char *errors; /**< names, with a blank between */
    enum outcome worst;
    const char *poller;
    const char *never; /**< words that it must not say, or NULL */
};

/** What it says when one request has failed by a backend's fault; what we lack
 * ourselves is no fault of a backend. */
#define BLAMED "requests failed in a row"

static const struct plan plans[] = {
    {"accept4", "EINTR EMFILE ENFILE ENOBUFS ENOMEM", UNSEEN, "epoll", NULL},
    {"accept4",
     "ECONNABORTED EPROTO EPERM ENETDOWN ENOPROTOOPT EHOSTDOWN ENONET "
     "EHOSTUNREACH ENETUNREACH",
     PARTED, "epoll", "out of descriptors"},
    {"bind", "EADDRINUSE EACCES EADDRNOTAVAIL", REFUSED, "epoll", NULL},
    {"close", "EINTR EIO", UNSEEN, "epoll", NULL},
    {"connect", "EINTR ECONNREFUSED ENETUNREACH ETIMEDOUT EAGAIN", UNSEEN,
     "epoll", NULL},
    {"connect", "EADDRNOTAVAIL ENOBUFS", UNSEEN, "epoll", "=unconnected/"},
    {"epoll_create1", "EMFILE ENFILE ENOMEM", REFUSED, "epoll", NULL},
    {"epoll_ctl", "ENOMEM ENOSPC", EITHER, "epoll", NULL},
    {"epoll_wait", "EINTR", UNSEEN, "epoll", NULL},
    {"fcntl", "EMFILE", UNSEEN, "epoll", NULL},
    {"getaddrinfo", "EAGAIN ENOMEM", UNSEEN, "epoll", NULL},
    {"getentropy", "EIO ENOSYS", UNSEEN, "epoll", NULL},
    {"getsockname", "ENOBUFS", REFUSED, "epoll", NULL},
    {"getsockopt", "ENOBUFS", UNSEEN, "epoll", NULL},
    {"listen", "EADDRINUSE", REFUSED, "epoll", NULL},
    {"open", "EMFILE ENFILE EACCES ENOSPC", REFUSED, "epoll", NULL},
    {"pipe", "EMFILE ENFILE", REFUSED, "epoll", NULL},
    {"pipe2", "EMFILE ENFILE", UNSEEN, "epoll", NULL},
    {"poll", "EINTR ENOMEM", UNSEEN, "poll", NULL},
    {"pthread_create", "EAGAIN", REFUSED, "epoll", NULL},
    {"read", "EINTR", UNSEEN, "epoll", NULL},
    {"recv", "EINTR EAGAIN", UNSEEN, "epoll", NULL},
    {"recv", "ECONNRESET ETIMEDOUT", PARTED, "epoll", NULL},
    {"recv", "ENOMEM", PARTED, "epoll", BLAMED},
    {"recv", "ECONNRESET", PARTED, "poll", NULL},
    {"send", "EINTR EAGAIN", UNSEEN, "epoll", NULL},
    {"send", "ECONNRESET EPIPE", PARTED, "epoll", NULL},
    {"send", "ENOBUFS ENOMEM", PARTED, "epoll", BLAMED},
    {"send", "ECONNRESET", PARTED, "poll", NULL},
    {"sendmsg", "EINTR EAGAIN", UNSEEN, "epoll", NULL},
    {"sendmsg", "ECONNRESET EPIPE", PARTED, "epoll", NULL},
    {"sendmsg", "ENOBUFS ENOMEM", PARTED, "epoll", BLAMED},
    {"setrlimit", "EPERM", UNSEEN, "epoll", NULL},
    {"setsockopt", "ENOMEM ENOPROTOOPT", REFUSED, "epoll", NULL},
    {"shutdown", "ENOTCONN", UNSEEN, "epoll", NULL},
    {"socket", "EMFILE ENFILE ENOBUFS ENOMEM", REFUSED, "epoll",
     "=unconnected/"},
    {"socketpair", "EMFILE ENFILE ENOMEM", UNSEEN, "epoll", NULL},
    {"splice", "EINTR EAGAIN", UNSEEN, "epoll", NULL},
    {"splice", "EINVAL ENOSYS ECONNRESET EPIPE", PARTED, "epoll", NULL},
    {"splice", "ENOMEM", PARTED, "epoll", BLAMED},
    {"unlink", "EACCES EROFS ENOENT", REFUSED, "epoll", NULL},
    {"write-log", "EINTR EAGAIN ENOSPC EIO", UNSEEN, "epoll", NULL},
    {"write-pipe", "EINTR", UNSEEN, "epoll", NULL},
    {"cut", "1", UNSEEN, "epoll", NULL},
    {"cut", "1", UNSEEN, "poll", NULL},
};

enum {
    PLANS = sizeof(plans) / sizeof(plans[0]),
    TESTS_MAX = 200,
    LIMIT_SECONDS = 20, /* for one fault */
    NTH_MAX = 400,      /* with --full: no call is made so often */
    ALL_UNTIL = 12,     /* without: so many turns are all tried */
};

/** One test: a call, and one way to fail. */
struct test {
    const struct plan *plan;
    char error[24];
    unsigned place; /**< which of the ways */
    unsigned ways;  /**< how many there are */
};

static struct test tests[TESTS_MAX];
static unsigned test_count;

static struct {
    struct subject subject;
    const char *only; /**< one call, or NULL */
    bool full;
    unsigned jobs;
} options = {.subject = {.chapter = 99}, .jobs = 8};

/* --- steelyard, with a fault --------------------------------------------------- */

static bool has_fired(const struct lab *lab)
{
    return process_said(lab->lb.err, "fault: ");
}

/** Where the admin listener is, when it is no port. */
static void socket_path(char *path, size_t room)
{
    snprintf(path, room, "/tmp/faults-%d.socket", (int)getpid());
}

/** A socket that somebody has left behind, where the admin listener shall be. */
static void leave_socket(char admin[64])
{
    struct sockaddr_un where = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    socket_path(where.sun_path, sizeof(where.sun_path));
    snprintf(admin, 64, "unix:%.58s", where.sun_path);
    unlink(where.sun_path);
    insist(bind(fd, (struct sockaddr *)&where, sizeof(where)) == 0,
           "cannot make the socket %s", where.sun_path);
    close(fd);
}

/** Start it with this fault; false: it has refused to start, as it should. */
static bool start(struct lab *lab, const struct plan *plan, const char *fault)
{
    char backends[128], admin[64] = "127.0.0.1:0";
    const char *argv[] = {
        options.subject.lb,
        "--port=0",
        "--address=127.0.0.1",
        "--workers=2",
        "--admin",
        admin,
        "--health-interval=100ms",
        "--health-timeout=300ms",
        "--upstream-idle=300ms",
        "--keep-alive=2s",
        plan->never != NULL ? "--failures-max=1" : "--failures-max=5",
        plan->never != NULL ? "--access-log=stdout" : "--access-log=/dev/null",
        "--poller",
        plan->poller,
        "--backends",
        backends,
        NULL};
    int status = 0;

    snprintf(backends, sizeof(backends),
             "http://127.0.0.1:%u,http://127.0.0.1:%u", lab->backends[0].port,
             lab->backends[1].port);
    if (strcmp(plan->call, "unlink") == 0)
        leave_socket(admin);
    setenv("STEELYARD_FAULT", fault, 1);
    insist(process_start(&lab->lb, argv), "cannot start steelyard");
    lab->port = process_port(&lab->lb);
    if (lab->port != 0)
        return true;
    insist(holds_within(3000, process_has_ended(&lab->lb, &status)),
           "it neither listens nor ends");
    insist(status == 2, "it did not start; expected status 2, got %d: %s",
           status, process_text(lab->lb.err));
    insist(process_said(lab->lb.err, "steelyard: "),
           "it did not start, and does not say why: %s",
           process_text(lab->lb.err));
    insist(!process_said(lab->lb.err, "Sanitizer"), "%s",
           process_text(lab->lb.err));
    return false;
}

/** How many descriptors it has. */
static long descriptors(const struct lab *lab)
{
    char path[64];
    long count = 0;
    DIR *folder;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)lab->lb.pid);
    folder = opendir(path);
    while (folder != NULL && readdir(folder) != NULL)
        count++;
    if (folder != NULL)
        closedir(folder);
    return count;
}

/** Does it have what it had at rest? The pipe that the large body went through is
 * kept for the next one. */
static bool has_rested(const struct lab *lab, long rest)
{
    long count = descriptors(lab);

    return count == rest || count == rest + 2;
}

static void stop(struct lab *lab)
{
    size_t count = lab->count;

    lab->count = 0; /* the backends serve the next one too */
    lab_end(lab);
    lab->count = count;
    close(lab->lb.out);
    close(lab->lb.err);
}

/* --- the clients --------------------------------------------------------------- */

/** An answer is whole and as expected; if clients may be parted with, it may
 * also be our own, or missing, but not late. */
static void check(const struct lab *lab, const struct request *request,
                  const char *expected, bool may_part)
{
    struct answer answer = fetch(request);

    if (answer.whole && answer.status == 200)
        insist(expected == NULL || (answer.length == strlen(expected) &&
                                    strcmp(answer.body, expected) == 0),
               "%s: the body is not what was sent: %zu bytes", request->url,
               answer.length);
    else
        insist(may_part &&
                   (answer.whole ? answer.status >= 400
                                 : strstr(answer.error, "timed out") == NULL),
               "%s %s: expected 200%s; got %ld (%s) after %.3f s; steelyard "
               "said: %.900s",
               request->method == NULL ? "" : request->method, request->url,
               may_part ? " or a clean end" : "", answer.status, answer.error,
               answer.seconds, process_text(lab->lb.err));
    answer_free(&answer);
}

/** Read one response, to the end that its Content-Length tells; false: the
 * connection has ended first. */
static bool hear_whole(const struct lab *lab, struct rude *rude)
{
    static const char name[] = "Content-Length: ";
    int64_t end = now_ms() + patience(3000);

    rude->length = 0;
    rude->text[0] = '\0';
    while (!rude->ended && !rude->broken) {
        const char *body = strstr(rude->text, "\r\n\r\n");
        const char *field = strcasestr(rude->text, name);
        size_t whole = 0;

        if (body != NULL && field != NULL)
            whole = (size_t)(body + 4 - rude->text) +
                    strtoul(field + strlen(name), NULL, 10);
        if (whole > 0 && rude->length >= whole)
            return true;
        insist(now_ms() < end,
               "no response within 3 s, and no end: \"%.200s\"; steelyard "
               "said: %.900s",
               rude->text, process_text(lab->lb.err));
        rude_take(rude, 65536, 50);
    }
    return false;
}

/** Three requests on one connection. */
static void keep_on(const struct lab *lab, bool may_part)
{
    struct rude rude;

    lab_rude(lab, &rude);
    for (int i = 0; i < 3; i++) {
        if (!rude_say(&rude, "GET /bytes/3000 HTTP/1.1\r\nHost: a\r\n\r\n") ||
            !hear_whole(lab, &rude)) {
            insist(may_part, "the connection ended at request %d", i + 1);
            break;
        }
        insist(rude_status(&rude) == 200 ||
                   (may_part && rude_status(&rude) >= 400),
               "request %d on a connection: expected 200, got %d", i + 1,
               rude_status(&rude));
        if (rude_status(&rude) != 200)
            break;
    }
    rude_close(&rude);
}

/** A request that cannot be understood, and more behind it. */
static void misspeak(const struct lab *lab, bool may_part)
{
    struct rude rude;

    lab_rude(lab, &rude);
    rude_say(&rude, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"
                    "what is left over");
    insist(rude_hear(&rude, " 400 ", 3000) || may_part,
           "a request that makes no sense: expected 400; got \"%s\"",
           rude.text);
    rude_shut(&rude);
    insist(rude_hear_end(&rude, 3000), "it is not left in peace");
    rude_close(&rude);
}

/** All kinds of clients, one after the other. */
static void visit(const struct lab *lab, bool may_part)
{
    static char body[2501];
    const struct request requests[] = {
        {.url = lab_url(lab, "/")},
        {.url = lab_url(lab, "/echo"), .body = body, .body_length = 2500},
        {.url = lab_url(lab, "/bytes/9000")},
        {.url = lab_url(lab, "/bytes/300000")},
        {.url = lab_url(lab, "/"), .method = "HEAD"},
        {.url = lab_url(lab, "/echo"),
         .body = body,
         .body_length = 2500,
         .is_chunked = true},
    };

    memset(body, 'b', 2500);
    keep_on(lab, may_part); /* first, while both backends are up for sure */
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        check(lab, &requests[i], requests[i].body, may_part);
    misspeak(lab, may_part);
    kill(lab->lb.pid, SIGUSR1);
}

/* --- one fault ----------------------------------------------------------------- */

/** What it has when it rests, without a fault. */
static long rest_descriptors(struct lab *lab, const struct plan *plan)
{
    long count;

    insist(start(lab, plan, ""), "it does not start at all: %s",
           process_text(lab->lb.err));
    /* Probes come and go: the fewest it has is what it needs. */
    count = descriptors(lab);
    for (int i = 0; i < 20; i++) {
        long now = descriptors(lab);

        count = now < count ? now : count;
        pause_briefly();
    }
    stop(lab);
    return count;
}

/** A new process is to take over; with this call failing, none can. */
static bool upgrades(const struct plan *plan)
{
    return strcmp(plan->call, "socketpair") == 0;
}

static void upgrade_in_vain(const struct lab *lab)
{
    kill(lab->lb.pid, SIGUSR2);
    insist(holds_within(3000, process_said(lab->lb.err, "upgrade: refused")),
           "SIGUSR2; expected it to say why it serves on; got %s",
           process_text(lab->lb.err));
}

/** Try one fault; false: the call was not made so often. */
static bool try_fault(struct lab *lab, const struct plan *plan,
                      const char *fault, long rest)
{
    bool may_part = plan->worst == PARTED || plan->worst == EITHER;
    bool cuts = strcmp(plan->call, "cut") == 0;
    bool fired;

    if (!start(lab, plan, fault)) {
        insist(plan->worst == REFUSED || plan->worst == EITHER,
               "it did not start: %s", process_text(lab->lb.err));
        close(lab->lb.out);
        close(lab->lb.err);
        return true;
    }
    visit(lab, may_part);
    if (upgrades(plan))
        upgrade_in_vain(lab);
    fired = cuts || has_fired(lab);
    for (int i = 0; i < 2; i++)
        check(lab, &(struct request){.url = lab_url(lab, "/")}, NULL,
              may_part && !fired);
    insist(plan->never == NULL || (!process_said(lab->lb.err, plan->never) &&
                                   !process_said(lab->lb.out, plan->never)),
           "it says \"%s\", which is not the case: %s%s", plan->never,
           process_text(lab->lb.out), process_text(lab->lb.err));
    insist(holds_within(3000, has_rested(lab, rest)),
           "it had %ld descriptors at rest; now it has %ld", rest,
           descriptors(lab));
    stop(lab);
    return fired && !cuts && !upgrades(plan); /* a second one would succeed */
}

/** Is it the turn of this one? */
static bool is_due(const struct test *test, unsigned nth)
{
    unsigned one = 1, next = 2, turn = 0;

    if (options.full || nth == 1)
        return true;
    if (nth <= ALL_UNTIL)
        return nth % test->ways == test->place;
    while (next < nth) {
        unsigned sum = one + next;

        one = next;
        next = sum;
        turn++;
    }
    return next == nth && turn % test->ways == test->place;
}

START_TEST(fault_test)
{
    const struct test *test = &tests[_i];
    struct lab lab;
    char path[64];
    bool goes_on = true;
    long rest;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    lab_subject(&options.subject);
    lab_init(&lab);
    lab_backends(&lab, 2);
    rest = rest_descriptors(&lab, test->plan);
    for (unsigned nth = 1; goes_on && nth < NTH_MAX; nth++) {
        char fault[64];

        if (!is_due(test, nth))
            continue;
        if (strcmp(test->plan->call, "cut") == 0)
            snprintf(fault, sizeof(fault), "cut:1");
        else
            snprintf(fault, sizeof(fault), "%s:%u:%s", test->plan->call, nth,
                     test->error);
        fprintf(stderr, "%s %s\n", fault, test->plan->poller);
        goes_on = try_fault(&lab, test->plan, fault, rest);
        insist(goes_on || nth > 1 || upgrades(test->plan) ||
                   strcmp(test->plan->call, "cut") == 0,
               "the call is never made");
    }
    for (size_t i = 0; i < lab.count; i++)
        process_kill(&lab.backends[i].process);
    socket_path(path, sizeof(path));
    unlink(path);
}
END_TEST

/* --- all of them --------------------------------------------------------------- */

static void list_ways(const struct plan *plan)
{
    const char *at = plan->errors;
    unsigned first = test_count;

    while (*at != '\0') {
        size_t length = strcspn(at, " ");
        struct test *test = &tests[test_count];

        test->plan = plan;
        test->place = test_count++ - first;
        snprintf(test->error, sizeof(test->error), "%.*s", (int)length, at);
        at += length + strspn(at + length, " ");
    }
    for (unsigned i = first; i < test_count; i++)
        tests[i].ways = test_count - first;
}

static void print_failures(SRunner *runner)
{
    int count = srunner_ntests_failed(runner);
    TestResult **failures = srunner_failures(runner);

    for (int i = 0; i < count; i++)
        printf("FAILED %s: %s\n", tr_tcname(failures[i]), tr_msg(failures[i]));
    fflush(stdout);
    free(failures);
}

/** Every n-th of them, in a process of its own; how many failed, and passed. */
static void run_job(unsigned job, int to)
{
    Suite *suite = suite_create("faults");
    SRunner *runner;
    int counts[2];

    for (unsigned i = job; i < test_count; i += options.jobs) {
        char name[64];
        TCase *tcase;

        snprintf(name, sizeof(name), "%s %s, %s", tests[i].plan->call,
                 tests[i].error, tests[i].plan->poller);
        tcase = tcase_create(strdup(name));
        tcase_set_timeout(tcase, (double)patience(LIMIT_SECONDS) *
                                     (options.full ? NTH_MAX : 8));
        tcase_add_loop_test(tcase, fault_test, (int)i, (int)i + 1);
        suite_add_tcase(suite, tcase);
    }
    runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_SILENT);
    print_failures(runner);
    counts[1] = srunner_ntests_failed(runner);
    counts[0] = srunner_ntests_run(runner) - counts[1];
    if (write(to, counts, sizeof(counts)) != sizeof(counts))
        exit(2);
    srunner_free(runner);
    exit(0);
}

static int run_all(void)
{
    int passed = 0, failed = 0, counts[2];
    int ends[2];

    if (pipe(ends) == -1)
        return 2;
    fflush(NULL);
    for (unsigned job = 0; job < options.jobs; job++)
        if (fork() == 0)
            run_job(job, ends[1]);
    close(ends[1]);
    while (read(ends[0], counts, sizeof(counts)) == sizeof(counts)) {
        passed += counts[0];
        failed += counts[1];
    }
    while (wait(NULL) > 0)
        continue;
    if (passed + failed != (int)test_count)
        failed += (int)test_count - passed - failed;
    printf("%d passed, %d failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const struct option flags[] = {
        {"lb", required_argument, NULL, 'l'},
        {"backend", required_argument, NULL, 'b'},
        {"only", required_argument, NULL, 'o'},
        {"jobs", required_argument, NULL, 'j'},
        {"full", no_argument, NULL, 'f'},
        {NULL, 0, NULL, 0},
    };
    int flag;

    while ((flag = getopt_long(argc, argv, "", flags, NULL)) != -1) {
        switch (flag) {
        case 'l': options.subject.lb = optarg; break;
        case 'b': options.subject.backend = optarg; break;
        case 'o': options.only = optarg; break;
        case 'j': options.jobs = (unsigned)atoi(optarg); break;
        case 'f': options.full = true; break;
        default: return 2;
        }
    }
    if (options.subject.lb == NULL || options.subject.backend == NULL ||
        options.jobs == 0) {
        fputs("usage: faults --lb STEELYARD --backend BACKEND [--only CALL] "
              "[--jobs N] [--full]\n",
              stderr);
        return 2;
    }
    for (size_t i = 0; i < PLANS; i++)
        if (options.only == NULL || strcmp(options.only, plans[i].call) == 0)
            list_ways(&plans[i]);
    return run_all();
}

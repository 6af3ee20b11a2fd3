/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Runs the tests of an exercise, and trusts nothing that the tested code does.
 *
 *                 referee (this process; never runs a student's code)
 *                 |  ^                           |
 *      fork, once |  | notebook: shared memory,  | verdicts, on a descriptor
 *      for a test |  | one page for each test    | that only the referee has
 *                 v  |                           v
 *                 player: runs one test          whoever asked
 *
 * Check does the forking: each test is a process in a process group of its own,
 * with a time limit, and Check kills the whole group when it is over. But Check
 * 0.15.2 takes a process that ends with status 0 for a test that passed, so any
 * exit(0) in the tested code would earn the points. Hence the notebook: a test
 * has passed only if its last act was to write a secret number there. What a
 * player prints is kept to be shown, and decides nothing.
 *
 * A player that breaks a rule writes that down before it ends, if it can: a
 * failed expect(), too much memory, too many processes, a child that is still
 * there. For what it cannot see coming, like a crash, the referee looks at how
 * it ended and at what a sanitizer had to say.
 */
#include "grade.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

enum {
    SECONDS = 5,        /* how long a test may take, if it says nothing */
    FORKS_MAX = 50,     /* processes that a test may start */
    STORY_BYTES = 4000, /* of a story; the rest is cut off */
    STEP_BYTES = 1000,  /* of a step */
    KEPT_BYTES = 16000, /* of what a test printed */
    FDS_MAX = 1024,     /* descriptors that a test may have */
    HIGH_FD = 200       /* where we keep descriptors of our own */
};

#define MEMORY_BYTES ((size_t)128 << 20) /* allocated at one time */
#define FILE_BYTES   ((size_t)16 << 20)  /* printed, or written to one file */

/** How a test came out. The words that `grade` knows stand in verdicts[]. */
enum verdict {
    NOT_ENDED, /**< not yet; or ended well, and then badly */
    PASSED,
    FAILED, /**< an expect() did not hold */
    TOO_MUCH_MEMORY,
    TOO_MANY_FORKS,
    CHILD_LEFT,
    STDIO_CLOSED,
    LEFT_EARLY, /**< by exit() and its kin, or because a sanitizer said so */
    TIMED_OUT,
    KILLED, /**< by a signal */
    DID_NOT_RUN
};

static const char *const verdicts[] = {
    [NOT_ENDED] = "after-end",     [PASSED] = "passed",
    [FAILED] = "failed",           [TOO_MUCH_MEMORY] = "memory",
    [TOO_MANY_FORKS] = "forks",    [CHILD_LEFT] = "child",
    [STDIO_CLOSED] = "stdio",      [LEFT_EARLY] = "left",
    [TIMED_OUT] = "time",          [KILLED] = "signal",
    [DID_NOT_RUN] = "did-not-run",
};

/** The page on which the player of one test writes how it went. */
struct page {
    _Atomic int verdict;      /**< an enum verdict: the first one written */
    _Atomic uint64_t secret;  /**< the right one, once the end is reached */
    _Atomic unsigned forks;   /**< processes started in this test */
    _Atomic bool exit_called; /**< exit() ran, not only _exit() */
    int number;               /**< a descriptor, or a line */
    char file[200];           /**< where the expect() stands */
    char story[STORY_BYTES];
    char step[STEP_BYTES]; /**< what was asked of the code last */
};

/** What the player of the running test has. The referee's is empty. */
static struct player {
    struct page *page; /**< NULL in the referee */
    uint64_t secret;
    pid_t pid;
    struct stat stdio[3];
    _Atomic long long allocated; /**< bytes; below 0 if older ones were freed */
} player;

static struct page *notebook;
static uint64_t secret; /* in the player wiped before the tested code runs */
static int results_fd = -1, printed_fd = -1, report_fd = -1;

/* --- what the sanitizers offer, if they are linked ------------------------- */

/* Their names are theirs to choose. NOLINTBEGIN(*-identifier*) */
#define WEAK __attribute__((weak))

WEAK void __sanitizer_set_report_fd(void *fd);
WEAK int __sanitizer_install_malloc_and_free_hooks(
    void (*on_malloc)(const volatile void *, size_t),
    void (*on_free)(const volatile void *));
WEAK int __sanitizer_get_ownership(const volatile void *memory);
WEAK size_t __sanitizer_get_allocated_size(const volatile void *memory);

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__tsan_default_options(void);

/* A status of 99 is a sanitizer's; malloc() may return NULL, as it does. */
const char *__asan_default_options(void)
{
    return "exitcode=99:detect_stack_use_after_return=1:color=never:"
           "allocator_may_return_null=1:detect_leaks=1:handle_abort=0";
}

const char *__ubsan_default_options(void)
{
    return "exitcode=99:print_stacktrace=1:color=never";
}

const char *__tsan_default_options(void)
{
    return "exitcode=99:halt_on_error=1:second_deadlock_stack=1:color=never:"
           "atexit_sleep_ms=50:allocator_may_return_null=1";
}
/* NOLINTEND(*-identifier*) */

/* --- the player: what runs in the process of a test ------------------------ */

/** Write a verdict down, unless there is one already. */
static bool note(enum verdict verdict)
{
    int none = NOT_ENDED;

    return atomic_compare_exchange_strong(&player.page->verdict, &none,
                                          (int)verdict);
}

void grade_fail(const char *file, int line, const char *story, ...)
{
    struct page *page = player.page;
    const char *slash = strrchr(file, '/');
    va_list arguments;

    va_start(arguments, story);
    if (note(FAILED)) {
        vsnprintf(page->story, sizeof(page->story), story, arguments);
        snprintf(page->file, sizeof(page->file), "%s",
                 slash ? slash + 1 : file);
        page->number = line;
    }
    va_end(arguments);
    fflush(stdout);
    _exit(1);
}

void grade_step(const char *story, ...)
{
    struct page *page = player.page;
    va_list arguments;

    va_start(arguments, story);
    vsnprintf(page->step, sizeof(page->step), story, arguments);
    va_end(arguments);
}

/** The test broke a limit: note it and end all of its processes at once. */
static void end_group(enum verdict verdict)
{
    note(verdict);
    kill(0, SIGKILL);
    _exit(1);
}

static void on_malloc(const volatile void *memory, size_t bytes)
{
    if (player.page == NULL || memory == NULL)
        return;
    if (atomic_fetch_add(&player.allocated, (long long)bytes) +
            (long long)bytes >
        (long long)MEMORY_BYTES)
        end_group(TOO_MUCH_MEMORY);
}

static void on_free(const volatile void *memory)
{
    if (player.page != NULL && memory != NULL &&
        __sanitizer_get_ownership(memory))
        atomic_fetch_sub(&player.allocated,
                         (long long)__sanitizer_get_allocated_size(memory));
}

/*
 * The kernel's own limit on processes counts those of the whole user, and does
 * not bind root, whom containers like to be. So we count.
 */
static void before_fork(void)
{
    if (player.page != NULL &&
        atomic_fetch_add(&player.page->forks, 1) >= FORKS_MAX)
        end_group(TOO_MANY_FORKS);
}

static void on_exit_called(void)
{
    if (getpid() == player.pid)
        atomic_store(&player.page->exit_called, true);
}

#ifdef __linux__
/** How much this process has mapped, as /proc tells it under that name. */
static size_t mapped_now(const char *name)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[200];
    size_t kilobytes = 0;

    while (status != NULL && fgets(line, sizeof(line), status) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            sscanf(line + strlen(name), ": %zu", &kilobytes);
    if (status != NULL)
        fclose(status);
    return kilobytes << 10;
}
#endif

static void limit_set(int which, size_t most)
{
    struct rlimit limit;

    getrlimit(which, &limit);
    if (limit.rlim_cur > most)
        limit.rlim_cur = limit.rlim_max = most;
    setrlimit(which, &limit);
}

/*
 * A sanitizer maps terabytes before main() runs, most of it never touched. So
 * the limit is set above what is there, and not as a number by itself. It is
 * for what on_malloc() does not see: stacks, maps, and all if there is no
 * sanitizer.
 */
static void limit_resources(const struct grade_test *test)
{
    bool sanitized = __sanitizer_set_report_fd != NULL;
    size_t more = MEMORY_BYTES << (sanitized ? 3 : test->threads ? 2 : 0);

#ifdef __linux__
    limit_set(RLIMIT_DATA, mapped_now("VmData") + more);
    prctl(PR_SET_CHILD_SUBREAPER, 1L);
    prctl(PR_SET_PDEATHSIG, (unsigned long)SIGKILL); /* no referee, no test */
#else
    (void)more;
#endif
    limit_set(RLIMIT_FSIZE, FILE_BYTES);
    limit_set(RLIMIT_CORE, 0);
}

/**
 * What the test prints is kept; where the referee and Check write is not to be
 * had. Of what is open, only a file for the sanitizer's report is left.
 */
static void descriptors_begin(void)
{
    struct rlimit limit;
    int nothing = open("/dev/null", O_RDONLY);

    dup2(nothing, STDIN_FILENO);
    dup2(printed_fd, STDOUT_FILENO);
    dup2(printed_fd, STDERR_FILENO);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_cur < FDS_MAX ? limit.rlim_cur : FDS_MAX;
    for (int fd = 3; fd < (int)limit.rlim_cur; fd++)
        if (fd != report_fd)
            close(fd);
    setrlimit(RLIMIT_NOFILE, &limit);
    if (__sanitizer_set_report_fd != NULL) /* wants a number as a pointer */
        __sanitizer_set_report_fd((void *)(intptr_t)report_fd); // NOLINT
    for (int fd = 0; fd < 3; fd++)
        fstat(fd, &player.stdio[fd]);
    setvbuf(stdout, NULL, _IOLBF, 0);
}

/*
 * The referee is the parent of what a test leaves behind, and kill(getppid())
 * is soon written. So it lets signals wait. Not SIGALRM, Check's alarm clock;
 * and from SIGKILL nobody is safe: `grade` starts another referee then.
 */
static void signals_wait(int how)
{
    static const int which[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
                                SIGUSR1, SIGUSR2, SIGPIPE};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(which) / sizeof(which[0]); i++)
        sigaddset(&set, which[i]);
    sigprocmask(how, &set, NULL);
}

/** A test begins with signals as any program does. */
static void signals_begin(void)
{
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL); /* Check has a use for these two */
    signal(SIGTERM, SIG_DFL);
    signals_wait(SIG_UNBLOCK);
}

static void player_begin(const struct grade_test *test, struct page *page)
{
    descriptors_begin();
    limit_resources(test);
    signals_begin();
    player.secret = secret;
    player.pid = getpid();
    player.page = page;
    secret = 0;
    atexit(on_exit_called);
}

/** Standard descriptors belong to the program, not to a function in it. */
static void check_stdio(void)
{
    struct stat now;

    for (int fd = 0; fd < 3; fd++) {
        if (fstat(fd, &now) == 0 && now.st_ino == player.stdio[fd].st_ino &&
            now.st_dev == player.stdio[fd].st_dev)
            continue;
        if (note(STDIO_CLOSED))
            player.page->number = fd;
    }
}

/** Waited for or not, a child that is still ours was forgotten. */
static void check_children(void)
{
    pid_t child;

    do
        child = waitpid(-1, NULL, WNOHANG | WUNTRACED);
    while (child == -1 && errno == EINTR);
    if (child != -1)
        note(CHILD_LEFT);
}

/*
 * The leak checker takes any value on the stack that looks like a pointer for
 * one. What the test has left there, below us, would hide a leak now and then.
 */
__attribute__((noinline, no_sanitize_address)) static void stack_wipe(void)
{
    volatile char room[1 << 16];

    for (size_t i = 0; i < sizeof(room); i++)
        room[i] = 0;
}

/** The end of the test is reached: now, and only now, it may have passed. */
static void player_end(void)
{
    if (getpid() != player.pid)
        _exit(0); /* a child that the test forked came out of its body */
    check_stdio();
    check_children();
    if (note(PASSED))
        atomic_store(&player.page->secret, player.secret);
    stack_wipe();
    exit(EXIT_SUCCESS); /* with a look for leaks, and for threads left behind */
}

START_TEST(play)
{
    player_begin(grade_tests[_i], &notebook[_i]);
    grade_tests[_i]->run();
    player_end();
}
END_TEST

/* --- the referee ------------------------------------------------------------ */

static unsigned scaled(unsigned seconds)
{
    const char *scale = getenv("TIME_SCALE");
    double by = scale != NULL ? atof(scale) : 1;

    return (unsigned)(seconds * (by > 0 ? by : 1) + 0.999);
}

static unsigned seconds_of(const struct grade_test *test)
{
    return scaled(test->seconds > 0 ? test->seconds : SECONDS);
}

/** What came of one test. */
struct outcome {
    enum verdict verdict;
    int number; /**< exit status, signal, descriptor, line or seconds */
    char word[1000];
    char printed[KEPT_BYTES], report[KEPT_BYTES];
    unsigned ms;
};

/** The beginning and the end of what stands in the file, if it is long. */
static void text_read(int fd, char *text, size_t size)
{
    off_t end = lseek(fd, 0, SEEK_END);
    size_t half = size / 2 - 10;
    ssize_t got = pread(fd, text, (size_t)end < size ? size - 1 : half, 0);

    got = got < 0 ? 0 : got;
    if ((size_t)end >= size) {
        got += sprintf(text + got, "\n[...]\n");
        end = pread(fd, text + got, half, end - (off_t)half);
        got += end < 0 ? 0 : end;
    }
    text[got] = '\0';
}

/*
 * What Check says of a process that ended badly is a sentence. From it we take
 * the number. The order matters: the player's word is only as good as its end.
 */
static void outcome_judge(struct outcome *outcome, const struct page *page,
                          TestResult *result)
{
    const char *said = tr_msg(result) != NULL ? tr_msg(result) : "";
    int verdict = atomic_load(&page->verdict);
    bool clean = tr_rtype(result) == CK_PASS;

    outcome->number = page->number;
    snprintf(outcome->word, sizeof(outcome->word), "%s", page->file);
    if (verdict == PASSED && clean && atomic_load(&page->secret) == secret) {
        outcome->verdict = PASSED;
    } else if (verdict != NOT_ENDED && verdict != PASSED) {
        outcome->verdict = (enum verdict)verdict;
    } else if (strncmp(said, "Test timeout", 12) == 0) {
        outcome->verdict = TIMED_OUT;
    } else if (sscanf(said, "Received signal %d", &outcome->number) == 1) {
        outcome->verdict = KILLED;
    } else {
        if (sscanf(said, "Early exit with return value %d", &outcome->number) !=
            1)
            outcome->number = 0;
        outcome->verdict = verdict == PASSED ? NOT_ENDED : LEFT_EARLY;
        snprintf(outcome->word, sizeof(outcome->word), "%s",
                 atomic_load(&page->exit_called) ? "exit" : "_exit");
    }
}

/** End all that a test has left, wherever it went. */
static void orphans_end(void)
{
#ifdef __linux__
    char path[64];
    FILE *children;
    int pid;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    for (int round = 0; round < 1000; round++) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
        if (waitpid(-1, NULL, WNOHANG) == -1)
            return;
        children = fopen(path, "r");
        while (children != NULL && fscanf(children, "%d", &pid) == 1)
            kill(pid, SIGKILL);
        if (children == NULL)
            return;
        fclose(children);
        waitpid(-1, NULL, 0);
    }
#endif
}

/** Play one test under Check, and see how it ended. */
static void test_run(size_t i, struct outcome *outcome)
{
    Suite *suite = suite_create("exercise");
    TCase *tcase = tcase_create(grade_tests[i]->name);
    SRunner *runner;
    TestResult **results;

    tcase_set_timeout(tcase, seconds_of(grade_tests[i]));
    tcase_add_loop_test(tcase, play, (int)i, (int)i + 1);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_SILENT);
    results = srunner_results(runner);
    outcome_judge(outcome, &notebook[i], results[0]);
    if (outcome->verdict == TIMED_OUT)
        outcome->number = (int)seconds_of(grade_tests[i]);
    free(results);
    srunner_free(runner);
    orphans_end();
}

static unsigned ms_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

static void field_write(FILE *to, const char *text)
{
    fwrite(text, strlen(text) + 1, 1, to);
}

static void number_write(FILE *to, int number)
{
    fprintf(to, "%d%c", number, '\0');
}

/** One record: fields that end in a zero byte, always as many. */
static void outcome_write(FILE *to, size_t i, const struct outcome *outcome)
{
    field_write(to, grade_tests[i]->name);
    number_write(to, (int)grade_tests[i]->points);
    field_write(to, grade_tests[i]->title);
    field_write(to, verdicts[outcome->verdict]);
    number_write(to, outcome->number);
    field_write(to, outcome->word);
    field_write(to, notebook[i].story);
    field_write(to, outcome->report);
    field_write(to, outcome->printed);
    number_write(to, (int)outcome->ms);
    field_write(to, notebook[i].step);
    fflush(to);
}

static void outcome_print(size_t i, const struct outcome *outcome)
{
    printf("%s %s: %s\n", verdicts[outcome->verdict], grade_tests[i]->name,
           grade_tests[i]->title);
    if (outcome->verdict != PASSED)
        printf("    %s%s\n%s%s", notebook[i].story, notebook[i].step,
               outcome->report, outcome->printed);
}

/** A file of our own for what a test prints, out of the way of its numbers. */
static int scratch_open(void)
{
    FILE *file = tmpfile();
    int fd = file != NULL ? fcntl(fileno(file), F_DUPFD, HIGH_FD) : -1;

    if (fd == -1) {
        perror("grade: no temporary file");
        exit(2);
    }
    fclose(file);
    fcntl(fd, F_SETFL, O_APPEND);
    return fd;
}

/** Play a test and tell how it came out; returns its verdict. */
static enum verdict test_grade(size_t i, FILE *to)
{
    static struct outcome outcome;
    unsigned began = ms_now();

    outcome = (struct outcome){.verdict = DID_NOT_RUN};
    printed_fd = scratch_open();
    report_fd = scratch_open();
    test_run(i, &outcome);
    text_read(printed_fd, outcome.printed, sizeof(outcome.printed));
    text_read(report_fd, outcome.report, sizeof(outcome.report));
    close(printed_fd);
    close(report_fd);
    outcome.ms = ms_now() - began;
    if (to != NULL)
        outcome_write(to, i, &outcome);
    else
        outcome_print(i, &outcome);
    return outcome.verdict;
}

static bool is_wanted(const char *name, char **wanted)
{
    if (*wanted == NULL)
        return true;
    for (; *wanted != NULL; wanted++)
        if (strcmp(name, *wanted) == 0)
            return true;
    return false;
}

static void referee_begin(size_t count)
{
    FILE *random = fopen("/dev/urandom", "r");

    if (random == NULL || fread(&secret, sizeof(secret), 1, random) != 1)
        exit(2);
    fclose(random);
    secret |= 1;
    notebook = mmap(NULL, count * sizeof(*notebook), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (notebook == MAP_FAILED)
        exit(2);
    pthread_atfork(before_fork, NULL, NULL);
    if (__sanitizer_install_malloc_and_free_hooks != NULL)
        __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
#ifdef __linux__
    prctl(PR_SET_CHILD_SUBREAPER, 1L);
#endif
}

/** List the tests, in the form of records whose verdict is "did-not-run". */
static void tests_list(FILE *to, size_t count)
{
    static struct outcome outcome = {.verdict = DID_NOT_RUN};

    for (size_t i = 0; i < count; i++)
        outcome_write(to, i, &outcome);
}

/** Play the tests that are wanted; returns whether all have passed. */
static bool tests_play(FILE *to, size_t count, char **wanted, int patience)
{
    bool good = true;

    for (size_t i = 0; i < count && patience > 0; i++) {
        enum verdict verdict;

        if (!is_wanted(grade_tests[i]->name, wanted))
            continue;
        verdict = test_grade(i, to);
        good &= verdict == PASSED;
        patience -= verdict == TIMED_OUT;
    }
    return good;
}

/**
 * `tests [--patience N] [--results FD] [--list] [NAME...]`
 *
 * With --patience no further test is played when N have not ended in time.
 */
int main(int argc, char **argv)
{
    FILE *to = NULL;
    size_t count = 0;
    int patience = INT_MAX;

    while (grade_tests[count] != NULL)
        count++;
    referee_begin(count);
    if (argc > 2 && strcmp(argv[1], "--patience") == 0) {
        patience = atoi(argv[2]);
        argv += 2;
        argc -= 2;
    }
    if (argc > 2 && strcmp(argv[1], "--results") == 0) {
        results_fd = fcntl(atoi(argv[2]), F_DUPFD_CLOEXEC, HIGH_FD);
        close(atoi(argv[2]));
        to = fdopen(results_fd, "w");
        argv += 2;
        if (to == NULL)
            return 2;
        signals_wait(SIG_BLOCK);
    }
    if (argv[1] != NULL && strcmp(argv[1], "--list") == 0) {
        tests_list(to != NULL ? to : stdout, count);
        return 0;
    }
    return tests_play(to, count, argv + 1, patience) ? 0 : 1;
}

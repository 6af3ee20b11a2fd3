/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * Runs behaviours: on one balancer (to test or to grade it), or on all chapters
 * (the staircase).
 *
 * Check runs each behaviour in a process of its own, with a time limit, and
 * kills what that process has left behind. Most behaviours wait more than they
 * compute, so we are several processes ourselves: each takes the next task,
 * whenever it has done one, and writes its verdict to a pipe.
 */
#include "behaviours.h"
#include "lab.h"

#include <curl/curl.h>
#include <getopt.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BEHAVIOURS_MAX = 400,
    SUBJECTS_MAX = 32,
    LIMIT_SECONDS = 20,
    CHANCES = 5,
    LATEST = 99
};

/** How a behaviour has come out. */
struct verdict {
    bool passed;
    char story[1500]; /**< why not */
};

/** What came of a task: all behaviours on the first balancer come first. */
struct report {
    size_t task;
    struct verdict verdict;
};
_Static_assert(sizeof(struct report) <= PIPE_BUF,
               "jobs write their reports in one piece");

/** A balancer that is tried, and what came of it. */
struct trial {
    struct subject subject;
    struct verdict verdicts[BEHAVIOURS_MAX];
};

/** What the command line asks for. */
struct options {
    struct subject subject;
    unsigned upto;      /**< leave out what later chapters introduce */
    const char *only;   /**< one behaviour, or NULL */
    const char *except; /**< all but these, with commas, or NULL */
    const char *format; /**< text, tap or grade; markdown for the staircase */
    unsigned jobs;      /**< processes at once */
    bool staircase;     /**< run on all the balancers that follow */
    bool able;          /**< only what they can do */
    char *const *lbs;   /**< those, ended by NULL */
};

static struct behaviour all[BEHAVIOURS_MAX];
static size_t all_count;

static struct trial trials[SUBJECTS_MAX];
static size_t trial_count;

static void add(const struct behaviours *some)
{
    for (size_t i = 0; i < some->count; i++)
        all[all_count++] = some->list[i];
}

static int by_chapter(const void *one, const void *other)
{
    const struct behaviour *a = one;
    const struct behaviour *b = other;

    return (int)a->chapter - (int)b->chapter;
}

/** Collect all behaviours, those of one chapter together. */
static void collect(void)
{
    add(&relaying);
    add(&refusing);
    add(&turns);
    add(&health);
    add(&retrying);
    add(&crowds);
    add(&final_http);
    add(&final_strict);
    add(&final_clients);
    add(&final_pool);
    add(&final_retry);
    add(&final_health);
    add(&final_idle);
    add(&final_settings);
    add(&final_crew);
    add(&final_admin);
    add(&final_tls);
    add(&final_proxy_header);
    add(&splicing);
    add(&final_reload);
    add(&final_upgrade);
    add(&final_five);
    add(&final_drain);
    qsort(all, all_count, sizeof(all[0]), by_chapter);
}

/* --- running -------------------------------------------------------------- */

START_TEST(behaviour_test)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    all[_i].run();
}
END_TEST

static struct verdict verdict_of(TestResult *result)
{
    struct verdict verdict = {.passed = tr_rtype(result) == CK_PASS};

    snprintf(verdict.story, sizeof(verdict.story), "%s",
             verdict.passed ? "" : tr_msg(result));
    return verdict;
}

/** Run one behaviour under Check. */
static struct verdict run_one(size_t i)
{
    Suite *suite = suite_create("behaviours");
    TCase *tcase = tcase_create(all[i].id);
    SRunner *runner;
    TestResult **results;
    struct verdict verdict;

    tcase_set_timeout(tcase, (double)patience(LIMIT_SECONDS));
    tcase_add_loop_test(tcase, behaviour_test, (int)i, (int)i + 1);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_SILENT);
    results = srunner_results(runner);
    verdict = verdict_of(results[0]);
    free(results);
    srunner_free(runner);
    return verdict;
}

/** Is this one of `a,b,c`? */
static bool is_listed(const char *list, const char *id)
{
    size_t length = strlen(id);

    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, id, length) == 0 && strchr(",", at[length]) != NULL)
            return true;
    }
    return false;
}

static bool is_wanted(const struct options *options, size_t i)
{
    if (options->only != NULL)
        return strcmp(all[i].id, options->only) == 0;
    if (options->except != NULL && is_listed(options->except, all[i].id))
        return false;
    return all[i].chapter <= options->upto;
}

static bool is_tried(const struct options *options, const struct trial *trial,
                     size_t i)
{
    if (options->able && all[i].chapter > trial->subject.chapter)
        return false;
    return is_wanted(options, i);
}

/** Do tasks, in a process of its own, until none is left. */
static void begin_job(const struct options *options, atomic_size_t *next,
                      int to)
{
    struct report report = {0};

    if (fork() != 0)
        return;
    while ((report.task = atomic_fetch_add(next, 1)) <
           trial_count * all_count) {
        const struct trial *trial = &trials[report.task / all_count];
        size_t i = report.task % all_count;

        if (!is_tried(options, trial, i))
            continue;
        lab_subject(&trial->subject);
        report.verdict = run_one(i);
        if (write(to, &report, sizeof(report)) != sizeof(report))
            break;
    }
    _exit(0);
}

/** Put down what the jobs report, until all have ended. */
static void collect_reports(int from)
{
    struct report report;

    while (read(from, &report, sizeof(report)) == sizeof(report))
        trials[report.task / all_count].verdicts[report.task % all_count] =
            report.verdict;
    while (wait(NULL) > 0)
        continue;
}

/** Run all that are wanted on all balancers. */
static void run_all(const struct options *options)
{
    atomic_size_t *next = mmap(NULL, sizeof(*next), PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int pipes[2];

    for (size_t k = 0; k < trial_count; k++)
        for (size_t i = 0; i < all_count; i++)
            trials[k].verdicts[i] = (struct verdict){.story = "it did not run"};
    if (next == MAP_FAILED || pipe(pipes) == -1)
        exit(2);
    for (unsigned job = 0; job < options->jobs; job++)
        begin_job(options, next, pipes[1]);
    close(pipes[1]);
    collect_reports(pipes[0]);
    close(pipes[0]);
    munmap(next, sizeof(*next));
}

/* --- one balancer --------------------------------------------------------- */

static void print_one(const struct options *options, size_t i, size_t number,
                      const struct verdict *verdict)
{
    const char *word = verdict->passed ? "ok" : "not ok";

    if (strcmp(options->format, "tap") == 0)
        printf("%s %zu - %s\n", word, number, all[i].name);
    else if (strcmp(options->format, "grade") == 0)
        printf("  %02u  %-18s %u of %u  %s\n", all[i].chapter, all[i].id,
               verdict->passed ? all[i].points : 0, all[i].points, all[i].name);
    else if (!verdict->passed)
        printf("FAILED %s (chapter %02u): %s\n    %s\n", all[i].id,
               all[i].chapter, all[i].name, verdict->story);
    if (!verdict->passed && strcmp(options->format, "tap") == 0)
        printf("# %s\n", verdict->story);
}

/** What to do next, for a student: the first that is not there. */
static void print_next(const struct options *options,
                       const struct verdict *verdicts)
{
    for (size_t i = 0; i < all_count; i++) {
        if (!is_wanted(options, i) || verdicts[i].passed)
            continue;
        printf("\nThe next thing to do, %s (chapter %02u): %s\n  %s\n",
               all[i].id, all[i].chapter, all[i].name, verdicts[i].story);
        printf("  Run it alone: make grade-lb ONLY=%s LB='...'\n", all[i].id);
        return;
    }
}

/** Run on one balancer, and print what came out. */
static int test_one(const struct options *options)
{
    const struct verdict *verdicts = trials[0].verdicts;
    unsigned passed = 0, failed = 0, points = 0, most = 0;

    trials[0].subject = options->subject;
    trial_count = 1;
    run_all(options);
    for (size_t i = 0; i < all_count; i++) {
        if (!is_wanted(options, i))
            continue;
        passed += verdicts[i].passed;
        failed += !verdicts[i].passed;
        points += verdicts[i].passed ? all[i].points : 0;
        most += all[i].points;
        print_one(options, i, passed + failed, &verdicts[i]);
    }
    if (strcmp(options->format, "tap") == 0)
        printf("1..%u\n", passed + failed);
    if (strcmp(options->format, "grade") == 0) {
        print_next(options, verdicts);
        printf("\n%u of %u points\n", points, most);
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed == 0 && passed > 0 ? 0 : 1;
}

/* --- the staircase -------------------------------------------------------- */

/** `chapters/04-retries/lb` is chapter 4, `final/steelyard` comes last. */
static unsigned chapter_of(const char *lb)
{
    unsigned chapter = LATEST;

    for (const char *at = lb; *at != '\0'; at++)
        if ((at == lb || at[-1] == '/') && sscanf(at, "%2u-", &chapter) == 1)
            break;
    return chapter;
}

static void print_header(char *const *lbs)
{
    printf("| behaviour |");
    for (size_t k = 0; lbs[k] != NULL; k++) {
        if (chapter_of(lbs[k]) == LATEST)
            printf(" final |");
        else
            printf(" %02u |", chapter_of(lbs[k]));
    }
    printf("\n|---|");
    for (size_t k = 0; lbs[k] != NULL; k++)
        printf(":-:|");
    printf("\n");
}

static void print_table(const struct options *options)
{
    print_header(options->lbs);
    for (size_t i = 0; i < all_count; i++) {
        if (!is_wanted(options, i))
            continue;
        printf("| %s |", all[i].name);
        for (size_t k = 0; k < trial_count; k++)
            printf(" %s |", trials[k].verdicts[i].passed ? "yes" : "");
        printf("\n");
    }
    fflush(stdout);
}

/** Is this behaviour one of what that balancer can do? */
static bool is_expected(const struct trial *trial, size_t i)
{
    return trial->subject.chapter >= all[i].chapter;
}

/**
 * A machine may be too busy for what it does all at once. So the few that fail
 * are tried once more, one by one; what is wrong fails again.
 */
static void give_another_chance(const struct options *options)
{
    unsigned left = CHANCES;

    for (size_t k = 0; k < trial_count; k++)
        for (size_t i = 0; i < all_count; i++) {
            struct verdict *verdict = &trials[k].verdicts[i];

            if (!is_tried(options, &trials[k], i) || verdict->passed ||
                !is_expected(&trials[k], i) || left == 0)
                continue;
            left--;
            fprintf(stderr, "%s on %s is tried once more, alone: %s\n",
                    all[i].id, trials[k].subject.lb, verdict->story);
            lab_subject(&trials[k].subject);
            *verdict = run_one(i);
        }
}

/** Was it right that this behaviour passed, or failed, on that balancer? */
static bool judge(const struct trial *trial, size_t i)
{
    const struct verdict *verdict = &trial->verdicts[i];
    const char *lb = trial->subject.lb;
    bool expected = is_expected(trial, i);

    if (verdict->passed != expected)
        fprintf(stderr, "%s on %s should %s: %s\n", all[i].id, lb,
                expected ? "pass" : "fail",
                expected ? verdict->story : "it passed");
    else if (!expected && getenv("STORIES") != NULL)
        fprintf(stderr, "%s on %s fails, rightly: %s\n", all[i].id, lb,
                verdict->story);
    return verdict->passed == expected;
}

/** Run on every chapter: a behaviour fails before its own, passes from there. */
static int climb(struct options *options)
{
    bool markdown = strcmp(options->format, "markdown") == 0;
    unsigned right = 0, wrong = 0;

    options->upto = LATEST;
    for (; options->lbs[trial_count] != NULL; trial_count++) {
        struct subject *subject = &trials[trial_count].subject;

        *subject = options->subject;
        subject->lb = options->lbs[trial_count];
        subject->chapter = chapter_of(subject->lb);
    }
    run_all(options);
    give_another_chance(options);
    print_table(options);
    for (size_t i = 0; i < all_count; i++)
        for (size_t k = 0; k < trial_count; k++)
            if (is_tried(options, &trials[k], i))
                *(judge(&trials[k], i) ? &right : &wrong) += 1;
    fprintf(markdown ? stderr : stdout, "%u passed, %u failed\n", right, wrong);
    return wrong == 0 && right > 0 ? 0 : 1;
}

/* --- the command line ----------------------------------------------------- */

static _Noreturn void usage(void)
{
    fputs(
        "usage: behaviours --backend PROGRAM WHAT [--only ID | --except ID,...] "
        "[--jobs N]\n"
        "  --lb PROGRAM         test one of our balancers\n"
        "  --command COMMAND    or anybody's: a shell command in which\n"
        "                       {port} and {backends} are filled in\n"
        "  --upto NN            as what chapter 01 to NN can do (needed)\n"
        "  --format FORMAT      text, tap or grade; markdown: only the table\n"
        "  --grade              the same as --format grade\n"
        "  --staircase LB...    test all chapters and print the table\n"
        "  --able               the same, but only what each of them can do\n"
        "  --flags FLAGS        more flags for the full balancer\n"
        "  --list               print all behaviours\n",
        stderr);
    exit(2);
}

static int print_list(void)
{
    for (size_t i = 0; i < all_count; i++)
        printf("%02u %-18s %u  %s\n", all[i].chapter, all[i].id, all[i].points,
               all[i].name);
    return 0;
}

static void check_options(const struct options *options)
{
    bool known = options->only == NULL;

    for (size_t i = 0; i < all_count; i++)
        known |= !known && strcmp(all[i].id, options->only) == 0;
    if (!known) {
        fprintf(stderr, "there is no behaviour \"%s\"; see --list\n",
                options->only);
        exit(2);
    }
    if (options->subject.backend == NULL || options->jobs == 0)
        usage();
    if (!options->staircase && options->upto == 0)
        usage();
    if (!options->staircase &&
        (options->subject.lb == NULL) == (options->subject.command == NULL))
        usage();
}

int main(int argc, char **argv)
{
    static const struct option flags[] = {
        {"lb", required_argument, NULL, 'l'},
        {"command", required_argument, NULL, 'c'},
        {"backend", required_argument, NULL, 'b'},
        {"upto", required_argument, NULL, 'u'},
        {"only", required_argument, NULL, 'o'},
        {"except", required_argument, NULL, 'e'},
        {"format", required_argument, NULL, 'f'},
        {"flags", required_argument, NULL, 'F'},
        {"grade", no_argument, NULL, 'g'},
        {"jobs", required_argument, NULL, 'j'},
        {"staircase", no_argument, NULL, 's'},
        {"able", no_argument, NULL, 'a'},
        {"list", no_argument, NULL, 'L'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.format = "text", .jobs = 6};
    int flag;

    collect();
    while ((flag = getopt_long(argc, argv, "j:", flags, NULL)) != -1) {
        switch (flag) {
        case 'l': options.subject.lb = optarg; break;
        case 'c': options.subject.command = optarg; break;
        case 'b': options.subject.backend = optarg; break;
        case 'u': options.upto = (unsigned)atoi(optarg); break;
        case 'o': options.only = optarg; break;
        case 'e': options.except = optarg; break;
        case 'f': options.format = optarg; break;
        case 'F': options.subject.flags = optarg; break;
        case 'j': options.jobs = (unsigned)atoi(optarg); break;
        case 'g': options.format = "grade"; break;
        case 's': options.staircase = true; break;
        case 'a': options.able = true; break;
        case 'L': return print_list();
        default: usage();
        }
    }
    check_options(&options);
    options.lbs = argv + optind;
    if (argc - optind > SUBJECTS_MAX)
        usage();
    options.subject.chapter = options.upto;
    return options.staircase ? climb(&options) : test_one(&options);
}

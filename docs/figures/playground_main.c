/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * The playground as a command: it prints, for each element of the page that
 * shows a number, the id of the element and the number. With --html it prints
 * the table that the page shows to those who read it without scripts.
 */
#include "base/text.h"
#include "playground.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** What is not told to the playground itself. */
struct command {
    uint64_t seed;
    uint64_t run_ms;
    bool html;
};

static const char side_letters[] = "ab";

static void usage(FILE *out)
{
    fputs("usage: playground [--seed N] [--run MS] [--a POLICY] [--b POLICY]\n"
          "                  [--rate N] [--service MS] [--backends N]\n"
          "                  [--slow TIMES] [--notice MS] [--weight-N WEIGHT]\n"
          "                  [--kill N@MS] [--revive N@MS] [--html]\n"
          "policies:",
          out);
    for (size_t i = 0; playground_policies[i] != NULL; i++)
        fprintf(out, " %s", playground_policies[i]);
    fputs("\n", out);
}

/* --- reading flags -------------------------------------------------------- */

static bool read_number(const char *name, const char *value, uint64_t most,
                        uint64_t *number, struct fault *fault)
{
    if (text_number(text_of(value), number) && *number <= most)
        return true;
    return fault_say(fault, "%s is a number, not \"%s\"", name, value);
}

/** One flag with its value; NULL: for the command itself, none yet. */
static bool read_flag(struct playground *playground, struct command *command,
                      const char *name, const char *value, struct fault *fault)
{
    bool is_seed = strcmp(name, "seed") == 0;

    if (playground == NULL && is_seed)
        return read_number(name, value, UINT32_MAX, &command->seed, fault);
    if (playground == NULL && strcmp(name, "run") == 0)
        return read_number(name, value, 3600000, &command->run_ms, fault);
    if (playground == NULL || is_seed || strcmp(name, "run") == 0)
        return true;
    return playground_order(playground, name, value, fault);
}

/** All flags: once without a playground, for the seed; then for it. */
static bool read_flags(int argc, char **argv, struct playground *playground,
                       struct command *command, struct fault *fault)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--html") == 0) {
            command->html = true;
            continue;
        }
        if (strncmp(argv[i], "--", 2) != 0 || i + 1 == argc)
            return fault_say(
                fault, "\"%s\" is not a flag with a value after it", argv[i]);
        if (!read_flag(playground, command, argv[i] + 2, argv[i + 1], fault))
            return false;
        i++;
    }
    return true;
}

/* --- printing ------------------------------------------------------------- */

static void print_lines(const struct playground *playground)
{
    char text[PLAYGROUND_TEXT];

    printf("time %lld\n", (long long)playground_now(playground) / 1000);
    for (size_t side = 0; side < PLAYGROUND_SIDES; side++) {
        char letter = side_letters[side];

        for (size_t i = 0; i < SIDE_FACT_COUNT; i++) {
            fact_print(text, playground_side(playground, side, i),
                       side_forms[i].is_time);
            printf("%c-%s %s\n", letter, side_forms[i].name, text);
        }
        for (size_t i = 0; i < playground_setting(playground, SETTING_BACKENDS);
             i++)
            for (size_t j = 0; j < BACKEND_FACT_COUNT; j++) {
                fact_print(text, playground_backend(playground, side, i, j),
                           backend_forms[j].is_time);
                printf("%c-%zu-%s %s\n", letter, i + 1, backend_forms[j].name,
                       text);
            }
    }
}

static void print_row(const char *head, const char *cells[2])
{
    printf("<tr><th scope=\"row\">%s</th><td>%s</td><td>%s</td></tr>\n", head,
           cells[0], cells[1]);
}

static void print_html_backends(const struct playground *playground)
{
    for (size_t i = 0; i < playground_setting(playground, SETTING_BACKENDS);
         i++) {
        char head[64], text[2][64];
        const char *cells[2] = {text[0], text[1]};

        snprintf(head, sizeof(head), "backend %zu: served, with it", i + 1);
        for (size_t side = 0; side < PLAYGROUND_SIDES; side++)
            snprintf(text[side], sizeof(text[side]), "%llu, %llu",
                     (unsigned long long)playground_backend(playground, side, i,
                                                            BACKEND_SERVED),
                     (unsigned long long)playground_backend(playground, side, i,
                                                            BACKEND_IN_FLIGHT));
        print_row(head, cells);
    }
}

/** A table; @p names are those of the policies. */
static void print_html(const struct playground *playground,
                       const char *names[2])
{
    static const char *const heads[SIDE_FACT_COUNT] = {
        [SIDE_ARRIVALS] = "requests that came",
        [SIDE_SERVED] = "served",
        [SIDE_IN_FLIGHT] = "on their way",
        [SIDE_LOST] = "lost",
        [SIDE_P50] = "p50, ms",
        [SIDE_P99] = "p99, ms",
    };

    printf(
        "<table>\n<caption>After %lld seconds: %u requests per second, %u ms "
        "of work each, %u backends, the first of them %u times slower than "
        "the others</caption>\n"
        "<tr><td></td><th scope=\"col\">A: %s</th>"
        "<th scope=\"col\">B: %s</th></tr>\n",
        (long long)playground_now(playground) / 1000000,
        playground_setting(playground, SETTING_RATE),
        playground_setting(playground, SETTING_SERVICE),
        playground_setting(playground, SETTING_BACKENDS),
        playground_setting(playground, SETTING_SLOW), names[0], names[1]);
    for (size_t i = 0; i < SIDE_FACT_COUNT; i++) {
        char text[2][PLAYGROUND_TEXT];
        const char *cells[2] = {text[0], text[1]};

        for (size_t side = 0; side < PLAYGROUND_SIDES; side++)
            fact_print(text[side], playground_side(playground, side, i),
                       side_forms[i].is_time);
        print_row(heads[i], cells);
    }
    print_html_backends(playground);
    puts("</table>");
}

int main(int argc, char **argv)
{
    struct command command = {.seed = 1, .run_ms = 10000};
    struct playground *playground;
    struct fault fault;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        usage(stdout);
        return 0;
    }
    if (!read_flags(argc, argv, NULL, &command, &fault)) {
        fprintf(stderr, "playground: %s\n", fault.text);
        usage(stderr);
        return 2;
    }
    playground = playground_create((uint32_t)command.seed);
    if (!read_flags(argc, argv, playground, &command, &fault)) {
        fprintf(stderr, "playground: %s\n", fault.text);
        usage(stderr);
        playground_destroy(&playground);
        return 2;
    }
    playground_run(playground, (int64_t)command.run_ms * 1000);
    if (command.html)
        print_html(playground,
                   (const char *[2]){playground_policy(playground, 0),
                                     playground_policy(playground, 1)});
    else
        print_lines(playground);
    playground_destroy(&playground);
    return 0;
}

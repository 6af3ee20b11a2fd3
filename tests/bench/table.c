/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* --- what is made of the figures ----------------------------------------- */

static int compare(const void *a, const void *b)
{
    double one = *(const double *)a, two = *(const double *)b;

    return (one > two) - (one < two);
}

double median_of(double *values, size_t count)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof(*values), compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

double ratio_of(const struct results *results, size_t workload,
                size_t contestant, const char *base)
{
    double ratios[REPETITIONS_MOST];
    size_t count = 0, other, i;

    for (other = 0; other < results->contestant_count; other++)
        if (strcmp(results->contestants[other]->name, base) == 0)
            break;
    if (other == results->contestant_count)
        return 0;
    for (i = 0; i < results->repetitions; i++) {
        const struct figure *ours = &results->figures[workload][contestant][i];
        const struct figure *theirs = &results->figures[workload][other][i];

        if (ours->is_taken && theirs->is_taken && theirs->cost > 0)
            ratios[count++] = ours->cost / theirs->cost;
    }
    return median_of(ratios, count);
}

/** One row of the table: medians, and the range of the cost. */
struct row {
    size_t count;
    double cost, least, most, user, rate, busy;
};

static struct row row_make(const struct figure *figures, size_t repetitions)
{
    double cost[REPETITIONS_MOST], user[REPETITIONS_MOST],
        rate[REPETITIONS_MOST], busy[REPETITIONS_MOST];
    struct row row = {.count = 0};
    size_t i;

    for (i = 0; i < repetitions; i++) {
        if (!figures[i].is_taken)
            continue;
        cost[row.count] = figures[i].cost;
        user[row.count] = figures[i].user;
        rate[row.count] = figures[i].rate;
        busy[row.count++] = figures[i].busy;
    }
    row.cost = median_of(cost, row.count);
    row.least = row.count > 0 ? cost[0] : 0;
    row.most = row.count > 0 ? cost[row.count - 1] : 0;
    row.user = median_of(user, row.count);
    row.rate = median_of(rate, row.count);
    row.busy = median_of(busy, row.count);
    return row;
}

/** The noise, over all figures. */
struct noise {
    double typical, worst; /**< part of the cores that others took */
    double between;        /**< worst difference of the two accounts */
};

static struct noise noise_of(const struct results *results)
{
    static double others[WORKLOADS_MOST * CONTESTANTS_MOST * REPETITIONS_MOST];
    struct noise noise = {0, 0, 0};
    size_t count = 0, w, c, i;

    for (w = 0; w < results->workload_count; w++)
        for (c = 0; c < results->contestant_count; c++)
            for (i = 0; i < results->repetitions; i++) {
                const struct figure *figure = &results->figures[w][c][i];

                if (!figure->is_taken || figure->rate <= 0)
                    continue;
                others[count++] = figure->others;
                if (figure->between > noise.between)
                    noise.between = figure->between;
            }
    noise.typical = median_of(others, count);
    noise.worst = count > 0 ? others[count - 1] : 0;
    return noise;
}

/* --- printing ------------------------------------------------------------ */

static const char *const units[] = {
    [UNIT_MICROSECONDS] = "us/request",
    [UNIT_GIB_SECONDS] = "s/GiB",
    [UNIT_BYTES] = "bytes each",
};

static void ratio_write(char *text, size_t size, double ratio)
{
    if (ratio > 0)
        snprintf(text, size, "%.2f", ratio);
    else
        snprintf(text, size, "-");
}

/** Three digits or so of a cost. */
static void cost_write(char *text, size_t size, enum unit unit, double cost)
{
    const int digits[] = {1, 3, 0};

    snprintf(text, size, "%.*f", digits[unit], cost);
}

static void row_print(const struct results *results, size_t w, size_t c,
                      bool is_first, FILE *out)
{
    const struct workload *workload = results->workloads[w];
    const char *name = results->contestants[c]->name;
    struct row row = row_make(results->figures[w][c], results->repetitions);
    char letter[8] = "", cost[32], least[32], most[32], range[80], user[32],
         haproxy[16], floor[16], rate[32], busy[16];

    if (row.count == 0)
        return;
    if (is_first)
        snprintf(letter, sizeof(letter), "(%c)", workload->letter);
    cost_write(cost, sizeof(cost), workload->unit, row.cost);
    cost_write(least, sizeof(least), workload->unit, row.least);
    cost_write(most, sizeof(most), workload->unit, row.most);
    snprintf(range, sizeof(range), "%s to %s", least, most);
    snprintf(user, sizeof(user), row.rate > 0 ? "%.1f" : "-", row.user);
    snprintf(rate, sizeof(rate), row.rate > 0 ? "%.0f" : "-", row.rate);
    snprintf(busy, sizeof(busy), row.rate > 0 ? "%.0f %%" : "-",
             row.busy * 100);
    ratio_write(haproxy, sizeof(haproxy), ratio_of(results, w, c, "haproxy"));
    ratio_write(floor, sizeof(floor), ratio_of(results, w, c, "floor"));
    fprintf(out,
            "| %-3s | %-14s | %7s | %-10s | %16s | %9s | %7s | %7s | %7s "
            "| %5s | %-15s |\n",
            letter, name, cost, units[workload->unit], range, haproxy, floor,
            user, rate, busy,
            strcmp(name, "steelyard") == 0 ? workload->aim : "");
}

static void conditions_print(const struct results *results,
                             const struct setting *setting, FILE *out)
{
    struct utsname system;
    size_t c;

    uname(&system);
    fprintf(out, "Linux %s, %ld cores. ", system.release,
            sysconf(_SC_NPROCESSORS_ONLN));
    if (setting->core_count > 1)
        fprintf(out, "Balancer on core %d, wrk and backends on core %d. ",
                setting->balancer_core, setting->load_core);
    else
        fputs("Everything on one core: only the ratios mean something. ", out);
    fprintf(out, "%zu repetitions of %u s, in turns.", results->repetitions,
            results->seconds);
    for (c = 0; c < results->contestant_count; c++) {
        const char *version = contestant_version(results->contestants[c]);

        if (*version != '\0')
            fprintf(out, " %s %s.", results->contestants[c]->name, version);
    }
    fputs("\n\n", out);
}

static void notes_print(const struct results *results, FILE *out)
{
    struct noise noise = noise_of(results);
    size_t w;

    fputc('\n', out);
    for (w = 0; w < results->workload_count; w++)
        fprintf(out, "(%c) %s%s", results->workloads[w]->letter,
                results->workloads[w]->title,
                w + 1 < results->workload_count ? "; " : ".\n");
    fprintf(out,
            "\nNoise: others took %.0f %% of the cores in a usual run, %.0f %% "
            "in the worst; %u runs were\ndone again for that. The kernel's two "
            "accounts of the same time differ by at most %.0f %%.\n",
            noise.typical * 100, noise.worst * 100, results->redone,
            noise.between * 100);
}

void table_print(const struct results *results, const struct setting *setting,
                 FILE *out)
{
    size_t w, c;

    conditions_print(results, setting, out);
    fprintf(out,
            "|     | %-14s | %7s | %-10s | %16s | %9s | %7s | %7s | %7s | %5s "
            "| %-15s |\n"
            "| --- | --- | ---: | --- | ---: | ---: | ---: | ---: | ---: "
            "| ---: | --- |\n",
            "balancer", "median", "cost in", "from", "x HAProxy", "x floor",
            "user us", "req/s", "busy", "aim, at most");
    for (w = 0; w < results->workload_count; w++)
        for (c = 0; c < results->contestant_count; c++)
            row_print(results, w, c, c == 0, out);
    notes_print(results, out);
}

/* --- saving -------------------------------------------------------------- */

static void figure_save(const struct results *results, size_t w, size_t c,
                        size_t i, FILE *out)
{
    const struct figure *figure = &results->figures[w][c][i];

    fprintf(out,
            "{\"workload\": \"%c\", \"balancer\": \"%s\", \"repetition\": %zu, "
            "\"unit\": \"%s\", \"cost\": %.6g, \"user_us\": %.6g, "
            "\"rate\": %.6g, \"busy\": %.4f, \"others\": %.4f, "
            "\"answers\": %lu}",
            results->workloads[w]->letter, results->contestants[c]->name, i + 1,
            units[results->workloads[w]->unit], figure->cost, figure->user,
            figure->rate, figure->busy, figure->others, figure->answers);
}

bool table_save(const struct results *results, const char *path)
{
    FILE *out = fopen(path, "w");
    const char *comma = "";
    size_t w, c, i;

    if (out == NULL)
        return false;
    fputs("[\n", out);
    for (i = 0; i < results->repetitions; i++)
        for (w = 0; w < results->workload_count; w++)
            for (c = 0; c < results->contestant_count; c++) {
                if (!results->figures[w][c][i].is_taken)
                    continue;
                fputs(comma, out);
                figure_save(results, w, c, i, out);
                comma = ",\n";
            }
    fputs("\n]\n", out);
    return fclose(out) == 0;
}

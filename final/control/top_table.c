/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "control/top_table.h"

#include "control/top_model.h"

#include <stdlib.h>
#include <string.h>

const struct top_column_row *top_column_row(enum top_column column)
{
    static const struct top_column_row rows[] = {
#define X(name, title, width, goes) {title, width, goes},
        TOP_COLUMNS(X)
#undef X
    };

    return &rows[column];
}

/** The shape of a state: it needs no colour. */
static char sign_of(const char *state)
{
    static const struct {
        const char *state;
        char sign;
    } signs[] = {{"up", '*'}, {"down", 'x'}, {"draining", '='}};

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if (strcmp(signs[i].state, state) == 0)
            return signs[i].sign;
    return '?';
}

const char *top_cell(char *out, size_t room, enum top_column column,
                     const struct top_model *model,
                     const struct top_backend *backend)
{
    switch (column) {
    case TOP_COLUMN_STATE:
        snprintf(out, room, "%c %s", sign_of(backend->state), backend->state);
        return out;
    case TOP_COLUMN_SINCE:
        return top_text_duration(out, room, model->now - backend->since);
    case TOP_COLUMN_REQUESTS:
        return top_text_count(out, room, backend->requests);
    case TOP_COLUMN_ERRORS: return top_text_count(out, room, backend->errors);
    case TOP_COLUMN_FLIGHT:
        return top_text_count(out, room, backend->in_flight);
    case TOP_COLUMN_P50: return top_text_ms(out, room, backend->p50_ms);
    case TOP_COLUMN_P99: return top_text_ms(out, room, backend->p99_ms);
    case TOP_COLUMN_WEIGHT: return top_text_count(out, room, backend->weight);
    case TOP_COLUMN_TRIES: return top_text_count(out, room, backend->tries);
    case TOP_COLUMN_FAILED: return top_text_count(out, room, backend->failures);
    case TOP_COLUMN_COUNT: break;
    }
    return "";
}

const char *top_name(const struct top_backend *backend)
{
    static const char scheme[] = "http://";
    size_t length = strlen(scheme);

    if (strncmp(backend->url, scheme, length) == 0)
        return backend->url + length;
    return backend->url;
}

int top_name_width(const struct top_model *model)
{
    size_t widest = strlen("BACKEND");

    for (size_t i = 0; i < model->count; i++)
        if (strlen(top_name(&model->backends[i])) > widest)
            widest = strlen(top_name(&model->backends[i]));
    return (int)widest;
}

/* --- plain text ------------------------------------------------------------ */

static void print_head(const struct top_model *model, FILE *out)
{
    char text[64];

    fprintf(out, "%s %s, listening on %s, policy %s, %s for %s\n", model->name,
            model->version, model->listening, model->policy, model->state,
            top_text_duration(text, sizeof(text), model->uptime_s));
    if (model->differs_why[0] != '\0')
        fprintf(out, "the file differs from what runs: %s\n",
                model->differs_why);
    fprintf(out, "last second: %s requests, ",
            top_text_count(text, sizeof(text), model->requests));
    fprintf(out, "%s errors, ",
            top_text_count(text, sizeof(text), model->errors));
    fprintf(out, "p50 %s, ", top_text_ms(text, sizeof(text), model->p50_ms));
    fprintf(out, "p99 %s; ", top_text_ms(text, sizeof(text), model->p99_ms));
    fprintf(out, "%s in flight\n",
            top_text_count(text, sizeof(text), model->in_flight));
    fprintf(out, "since the start: %s tries, ",
            top_text_count(text, sizeof(text), model->tries));
    fprintf(out, "%s retries\n\n",
            top_text_count(text, sizeof(text), model->retries));
}

/** One column, with the blank before it. */
static void print_cell(int width, const char *words, FILE *out)
{
    fprintf(out, " %*s", width < 0 ? width + 1 : width - 1, words);
}

void top_table_print(const struct top_model *model, FILE *out)
{
    int widest = top_name_width(model);
    char text[64];

    print_head(model, out);
    fprintf(out, "%-*s", widest, "BACKEND");
    for (enum top_column i = 0; i < TOP_COLUMN_COUNT; i++)
        print_cell(top_column_row(i)->width, top_column_row(i)->title, out);
    fprintf(out, "  WHY\n");
    for (size_t at = 0; at < model->count; at++) {
        const struct top_backend *backend = &model->backends[at];

        fprintf(out, "%-*s", widest, top_name(backend));
        for (enum top_column i = 0; i < TOP_COLUMN_COUNT; i++)
            print_cell(top_column_row(i)->width,
                       top_cell(text, sizeof(text), i, model, backend), out);
        fprintf(out, "  %s\n", backend->why);
    }
}

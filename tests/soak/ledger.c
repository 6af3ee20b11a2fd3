/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A line of the access log (docs/log.md):
 *
 *   TIME ID CLIENT "GET /bytes/3?soak=1-7 HTTP/1.1" 200 3
 *       http://127.0.0.1:PORT=served/2ms connect=... first=... total=... -
 *
 * A line of a backend's log:
 *
 *   two: GET /bytes/3?soak=1-7 -> 200
 */
#include "ledger.h"

#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** The whole of a file, ended by a zero byte; NULL: it cannot be read. */
static char *file_text(const char *path)
{
    FILE *file = fopen(path, "r");
    size_t length = 0, room = 1 << 16, got;
    char *text = malloc(room), *grown;

    if (text == NULL)
        abort();
    while (file != NULL &&
           (got = fread(text + length, 1, room - length - 1, file)) > 0) {
        length += got;
        if (room - length >= 2)
            continue;
        grown = realloc(text, room *= 2);
        if (grown == NULL)
            abort();
        text = grown;
    }
    text[length] = '\0';
    if (file != NULL)
        fclose(file);
    return text;
}

/** The record that a line tells of; NULL: it has no name of ours. */
static struct record *find_record(struct clients *clients, const char *line)
{
    const char *name = strstr(line, "soak=");
    unsigned client;
    size_t number;

    if (name == NULL || sscanf(name, "soak=%u-%zu", &client, &number) != 2 ||
        client >= clients->count || number >= clients->all[client].count)
        return NULL;
    return &clients->all[client].records[number];
}

static unsigned backend_at(const struct stand *stand, unsigned port)
{
    unsigned which = 0;

    while (which < BACKENDS && stand->backends[which].port != port)
        which++;
    return which;
}

static enum fate fate_of(const char *words)
{
    static const char *const names[FATES_COUNT] = {
#define X(name, words) words,
        FATES(X)
#undef X
    };
    size_t length = strcspn(words, "/ ");

    for (int i = 0; i < FATES_COUNT; i++)
        if (strlen(names[i]) == length && strncmp(names[i], words, length) == 0)
            return (enum fate)i;
    report_wrong("the access log has an unknown word: %.*s", (int)length,
                 words);
    return FATE_SERVED;
}

/** Was this line written by the process that serves last? */
static bool is_of_last(const struct ledger *ledger, const char *line)
{
    const char *identity = strchr(line, ' ');

    return identity != NULL && strncmp(identity + 1, ledger->identity,
                                       strlen(ledger->identity)) == 0;
}

/** Its last request was the last of all. */
static void find_last(struct ledger *ledger, const char *text)
{
    const char *last = strstr(text, "\"GET /?last ");

    while (last != NULL && last > text && last[-1] != '\n')
        last--;
    if (last == NULL || sscanf(last, "%*s %8[0-9a-f]", ledger->identity) != 1)
        report_wrong("the last request is not in the access log");
}

/** `http://127.0.0.1:PORT=WORD/MSms`, as often as there were tries. */
static unsigned read_tries(struct ledger *ledger, const struct stand *stand,
                           const char *at, bool is_of_last,
                           struct record *record)
{
    static const char before[] = "http://127.0.0.1:";
    unsigned count = 0;

    while (strncmp(at, before, strlen(before)) == 0) {
        char *end;
        unsigned port = (unsigned)strtoul(at + strlen(before), &end, 10);
        unsigned which = backend_at(stand, port);
        enum fate fate = fate_of(end + 1);

        if (which == BACKENDS)
            report_wrong("a try at port %u, where no backend is", port);
        else if (is_of_last)
            ledger->tries_to[which]++;
        if (record != NULL && count < TRIES_MAX) {
            record->to[count] = (unsigned char)which;
            record->fate[count] = (unsigned char)fate;
        }
        count++;
        at = end + strcspn(end, " ");
        at += *at == ' ';
    }
    return count;
}

static void read_line(struct ledger *ledger, const struct stand *stand,
                      struct clients *clients, const char *line)
{
    const char *target = strchr(line, '"');
    const char *behind = target == NULL ? NULL : strchr(target + 1, '"');
    struct record *record;
    unsigned status, tries;
    int used = 0;

    if (behind == NULL ||
        sscanf(behind + 1, " %u %*u %n", &status, &used) < 1 || used == 0 ||
        status < 100 || status > 599) {
        report_wrong("the access log has a line that is none: %.300s", line);
        return;
    }
    record = find_record(clients, target);
    tries = read_tries(ledger, stand, behind + 1 + used,
                       is_of_last(ledger, line), record);
    ledger->lines++;
    ledger->nameless += record == NULL;
    if (is_of_last(ledger, line)) {
        ledger->its_lines++;
        ledger->by_class[status / 100]++;
        ledger->retries += tries > 0 ? tries - 1 : 0;
    }
    if (record == NULL)
        return;
    record->line = line;
    record->lines++;
    record->logged = status;
    record->tries = tries;
}

/** The next line of a text, ended by a zero byte; NULL: that was the last. */
static char *next_line(char **text)
{
    return strtok_r(NULL, "\n", text);
}

static void read_access(struct ledger *ledger, const struct stand *stand,
                        struct clients *clients)
{
    ledger->count = stand->logs + 1;
    ledger->texts = calloc(ledger->count, sizeof(*ledger->texts));
    for (unsigned i = 0; i < ledger->count; i++) {
        char path[200];

        snprintf(path, sizeof(path), "%s/access.log", stand->folder);
        if (i < stand->logs)
            snprintf(path, sizeof(path), "%s/access.log.%u", stand->folder,
                     i + 1);
        ledger->texts[i] = file_text(path);
    }
    find_last(ledger, ledger->texts[stand->logs]);
    for (unsigned i = 0; i < ledger->count; i++) {
        char *rest = ledger->texts[i], *line;

        while ((line = next_line(&rest)) != NULL)
            read_line(ledger, stand, clients, line);
    }
}

static void read_backend(struct ledger *ledger, struct clients *clients,
                         int log)
{
    char *text = process_text(log), *rest = text, *line;

    while ((line = next_line(&rest)) != NULL) {
        struct record *record = find_record(clients, line);

        if (strstr(line, "a bad request") != NULL)
            report_wrong("a backend got what makes no sense: %s", line);
        ledger->arrivals += record != NULL;
        if (record != NULL)
            record->arrivals++;
    }
    free(text);
}

void ledger_read(struct ledger *ledger, const struct stand *stand,
                 struct clients *clients)
{
    *ledger = (struct ledger){.lines = 0};
    read_access(ledger, stand, clients);
    for (unsigned i = 0; i < BACKENDS; i++)
        for (unsigned life = 0; life < stand->backends[i].lives; life++)
            read_backend(ledger, clients, stand->backends[i].logs[life]);
}

void ledger_free(struct ledger *ledger)
{
    for (unsigned i = 0; i < ledger->count; i++)
        free(ledger->texts[i]);
    free(ledger->texts);
}

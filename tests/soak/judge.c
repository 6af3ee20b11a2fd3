/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * What may fail, and what may not.
 *
 * The access log tells of each request which backends were tried, and what
 * became of each try. A try may only have failed if the schedule did something
 * to that backend while the request lasted, something that makes a try fail in
 * that way (trouble.h). And the request may only have failed if steelyard could
 * not help it, by its own rules (docs/operating.md, Retries):
 *
 *   502, GET or HEAD     CONNECT_TRIES backends could not be connected to, or
 *                        RETRIES + 1 took the request and did not answer
 *                        or no other backend could be asked
 *   502, POST            CONNECT_TRIES could not be connected to, or one had
 *                        got the request
 *   504                  a backend was stopped for longer than RESPONSE_MS
 *   500                  a backend that was started to misbehave says so
 *   a part of a response the backend's connection broke; a tunnel's, too
 *   nothing              the client half-closed before it had a backend
 *
 * All else is wrong: 503, no answer at all, no connection, a body that is not
 * what it ought to be, and everything while backends are only drained, weighed,
 * added, removed or not ready, or while there is a new configuration,
 * certificate or process.
 */
#include "ledger.h"

#include "report.h"
#include "wait.h"

#include <stdio.h>
#include <string.h>

/** What requests came to, for the report. */
struct verdicts {
    unsigned long requests, fine, excused, wrong;
    unsigned long by_kind[KINDS_COUNT], excused_by_kind[KINDS_COUNT];
    unsigned long repaired; /**< fine, by another try */
};

static const char *fate_words(unsigned fate)
{
    static const char *const words[FATES_COUNT] = {
#define X(name, words) words,
        FATES(X)
#undef X
    };

    return fate < FATES_COUNT ? words[fate] : "?";
}

/** Say that it is wrong, with all that is known of it. */
static void accuse(const struct record *record, const char *why)
{
    report_wrong("%s\n"
                 "             at %.3f s, for %.3f s: %s (%s)\n"
                 "             got: %s, status %u\n"
                 "             meanwhile: %s\n"
                 "             log: %s",
                 why, report_seconds(record->began_ms),
                 (double)(record->ended_ms - record->began_ms) / 1000,
                 record->what, kind_words(record->kind),
                 came_words(record->came), record->status,
                 trouble_words(record->began_ms, record->ended_ms),
                 record->line == NULL ? "none" : record->line);
}

static bool is_failure(unsigned fate)
{
    switch ((enum fate)fate) {
    case FATE_SERVED:
    case FATE_SHORT:
    case FATE_STALE: /* a backend may close what rests */
    case FATE_ABANDONED: return false;
    case FATE_UNCONNECTED:
    case FATE_UNANSWERED:
    case FATE_SLOW:
    case FATE_BROKEN:
    case FATE_FIVE: return true;
    case FATES_COUNT: break;
    }
    return true;
}

static const char *excuse(const struct record *record, unsigned i,
                          unsigned fate)
{
    int64_t slow_ms =
        fate == FATE_BROKEN ? patience(STALL_MS) : patience(RESPONSE_MS);

    if (fate == FATE_UNCONNECTED)
        slow_ms = patience(CONNECT_MS);
    return trouble_excuses(record->to[i], (enum fate)fate, record->began_ms,
                           record->ended_ms, slow_ms - 200);
}

/** Does the schedule explain each try that failed? Requests that ask the backend
 * to misbehave explain themselves. */
static bool tries_are_excused(const struct record *record)
{
    for (unsigned i = 0; i < record->tries && i < TRIES_MAX; i++)
        if (is_failure(record->fate[i]) &&
            excuse(record, i, record->fate[i]) == NULL) {
            char why[160];

            snprintf(why, sizeof(why), "try %u was %s, and backend %s was well",
                     i + 1, fate_words(record->fate[i]),
                     backend_name(record->to[i]));
            accuse(record, why);
            return false;
        }
    return true;
}

static unsigned count_fates(const struct record *record, enum fate fate)
{
    unsigned count = 0;

    for (unsigned i = 0; i < record->tries && i < TRIES_MAX; i++)
        count += record->fate[i] == fate;
    return count;
}

static enum fate last_fate(const struct record *record)
{
    if (record->tries == 0 || record->tries > TRIES_MAX)
        return FATE_SERVED;
    return (enum fate)record->fate[record->tries - 1];
}

/** Had steelyard done all it can, before it said 502? */
static bool may_be_bad_gateway(const struct record *record)
{
    if (record->tries == 0)
        return false;
    if (count_fates(record, FATE_UNCONNECTED) >= CONNECT_TRIES ||
        last_fate(record) == FATE_BROKEN ||
        trouble_was_everywhere(BACKENDS_LASTING, record->began_ms,
                               record->ended_ms))
        return true;
    if (record->is_harmless)
        return count_fates(record, FATE_UNANSWERED) > RETRIES;
    return last_fate(record) == FATE_UNANSWERED ||
           last_fate(record) == FATE_STALE;
}

/** Who says that it will send no more, before there is a connection to a
 * backend, is taken at its word: nobody is asked. */
static bool was_half_closed(const struct record *record)
{
    return record->kind == KIND_HALF && record->came == CAME_NOTHING &&
           record->logged == 499 && last_fate(record) == FATE_ABANDONED &&
           record->arrivals < record->tries;
}

/** A backend was stopped in the middle of its response, for longer than STALL_MS.
 * Whoever looks from between cannot tell which side that was. */
static bool was_stalled(const struct record *record)
{
    return record->tries > 0 && last_fate(record) == FATE_ABANDONED &&
           strstr(record->line, "nothing has moved for too long") != NULL &&
           excuse(record, record->tries - 1, FATE_BROKEN) != NULL;
}

/** Its tries are explained; is what its client got of them? */
static bool is_excused(const struct record *record)
{
    if (was_half_closed(record))
        return true;
    switch (record->came) {
    case CAME_CUT:
        return last_fate(record) == FATE_BROKEN || was_stalled(record) ||
               (record->status == 101 && record->tries > 0 &&
                excuse(record, record->tries - 1, FATE_BROKEN));
    case CAME_WHOLE: break;
    case CAME_WRONG:
    case CAME_NOTHING:
    case CAME_REFUSED:
    case CAME_LATE: return false;
    }
    switch (record->status) {
    case 500:
        return record->tries > 0 &&
               excuse(record, record->tries - 1, FATE_FIVE) != NULL;
    case 502: return may_be_bad_gateway(record);
    case 504: return last_fate(record) == FATE_SLOW;
    default: return false;
    }
}

/** Nothing new goes to a backend that drains. */
static bool drains_are_kept(const struct record *record)
{
    for (unsigned i = 0; i < record->tries && i < TRIES_MAX; i++)
        if (trouble_was_draining(record->to[i], record->began_ms,
                                 record->ended_ms)) {
            char why[100];

            snprintf(why, sizeof(why),
                     "try %u went to backend %s, which drains", i + 1,
                     backend_name(record->to[i]));
            accuse(record, why);
            return false;
        }
    return true;
}

static void judge(struct verdicts *verdicts, const struct record *record)
{
    verdicts->requests++;
    verdicts->by_kind[record->kind]++;
    /* What becomes of a request whose client has left goes on after its end. */
    if (record->kind != KIND_RUDE &&
        (!drains_are_kept(record) ||
         (record->kind != KIND_PLAGUE && !tries_are_excused(record)))) {
        verdicts->wrong++;
        return;
    }
    if (record->is_fine) {
        verdicts->fine++;
        verdicts->repaired += record->tries > 1;
    } else if (is_excused(record)) {
        verdicts->excused++;
        verdicts->excused_by_kind[record->kind]++;
    } else {
        verdicts->wrong++;
        accuse(record, "it failed, and nothing excuses it");
    }
}

/** Does it stand in the books, once? */
static void audit(const struct record *record)
{
    bool may_be_absent = record->is_nameless || record->kind == KIND_RUDE;
    unsigned served = count_fates(record, FATE_SERVED);

    if (record->lines > 1 || (record->lines == 0 && !may_be_absent))
        accuse(record, record->lines > 1
                           ? "it stands in the access log more than once"
                           : "it does not stand in the access log");
    else if (record->lines == 1 && record->status != 0 &&
             record->logged != record->status && record->came != CAME_LATE &&
             record->kind != KIND_RUDE)
        accuse(record, "the access log has another status");
    else if (record->arrivals > record->tries)
        accuse(record, "it came to backends more often than it was tried");
    else if (record->arrivals < served)
        accuse(record, "a try was served, and no backend knows of it");
    else if (!record->is_harmless && record->arrivals > 1)
        accuse(record, "a POST came to backends more than once");
}

static void tell(const struct verdicts *verdicts)
{
    printf("|  %-36s %9s %9s\n", "clients", "requests", "excused");
    for (int i = 0; i < KINDS_COUNT; i++)
        printf("|  %-36s %9lu %9lu\n", kind_words((enum kind)i),
               verdicts->by_kind[i], verdicts->excused_by_kind[i]);
}

void judge_requests(const struct ledger *ledger, const struct clients *clients)
{
    struct verdicts verdicts = {.requests = 0};
    unsigned long rude = CROWD + 1; /* and the last request */

    for (unsigned i = 0; i < clients->count; i++)
        for (size_t k = 0; k < clients->all[i].count; k++) {
            judge(&verdicts, &clients->all[i].records[k]);
            rude += clients->all[i].records[k].is_nameless;
        }
    tell(&verdicts);
    report_check("%lu requests: %lu as they should (%lu of them by another "
                 "try), %lu excused by the schedule, %lu not",
                 verdicts.requests, verdicts.fine, verdicts.repaired,
                 verdicts.excused, verdicts.wrong);
    for (unsigned i = 0; i < clients->count; i++)
        for (size_t k = 0; k < clients->all[i].count; k++)
            audit(&clients->all[i].records[k]);
    if (ledger->nameless > rude)
        report_wrong("%lu lines of the access log have no name of ours, but "
                     "only %lu requests had none",
                     ledger->nameless, rude);
    report_check("each request stands once in the access log, and no POST came "
                 "to a backend twice (%lu lines, %lu arrivals)",
                 ledger->lines, ledger->arrivals);
}

/* --- counters -------------------------------------------------------------- */

static void compare(const char *metrics, const char *name, double expected)
{
    double value = stand_metric(metrics, name);

    if (value != expected)
        report_wrong("%s is %.0f; expected %.0f", name, value, expected);
}

static void compare_backend(const char *metrics, const struct stand *stand,
                            unsigned which, const char *name, double expected)
{
    char full[200];

    snprintf(full, sizeof(full),
             "steelyard_backend_%s{backend=\"http://127.0.0.1:%u\"}", name,
             stand->backends[which].port);
    compare(metrics, full, expected);
}

void judge_counters(const struct ledger *ledger, const struct stand *stand,
                    const char *metrics)
{
    char name[100];

    for (unsigned i = 1; i <= 5; i++) {
        snprintf(name, sizeof(name),
                 "steelyard_requests_total{code_class=\"%uxx\"}", i);
        compare(metrics, name, (double)ledger->by_class[i]);
    }
    compare(metrics, "steelyard_request_duration_seconds_count",
            (double)ledger->its_lines);
    compare(metrics, "steelyard_retries_total", (double)ledger->retries);
    for (unsigned i = 0; i < BACKENDS_LASTING; i++)
        compare_backend(metrics, stand, i, "tries_total",
                        (double)ledger->tries_to[i]);
    report_check("counters are what the access log says: requests by status, "
                 "retries, tries at each backend (%lu requests of the process "
                 "that served last)",
                 ledger->its_lines);
}

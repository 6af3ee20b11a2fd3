/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
/*
 * A family of metrics has one # HELP, one # TYPE, and then all its samples; so
 * for metrics of backends the family is the outer loop and the backends are the
 * inner one.
 */
#include "control/metrics.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "control/control.h"
#include "control/meter.h"
#include "control/options.h"
#include "control/overview.h"
#include "net/tls.h"
#include "upstream/health.h"
#include "upstream/pool.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/** Bounds of histograms, in microseconds, and as Prometheus writes them. */
static const struct bound {
    uint64_t us;
    const char *seconds;
} bounds[] = {
    {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},
    {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"},
    {500000, "0.5"},  {1000000, "1"},   {2500000, "2.5"}, {5000000, "5"},
    {10000000, "10"}, {30000000, "30"}, {60000000, "60"},
};

static void family(FILE *out, const char *name, const char *type,
                   const char *help)
{
    fprintf(out, "# HELP steelyard_%s %s\n# TYPE steelyard_%s %s\n", name, help,
            name, type);
}

static void gauge(FILE *out, const char *name, const char *help, double value)
{
    family(out, name, "gauge", help);
    fprintf(out, "steelyard_%s %.15g\n", name, value);
}

static void counter(FILE *out, const char *name, const char *help,
                    uint64_t value)
{
    family(out, name, "counter", help);
    fprintf(out, "steelyard_%s %" PRIu64 "\n", name, value);
}

/** A label's value: a backslash, a quote and a line feed are escaped. */
static void print_label(FILE *out, const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == '\\' || *value == '"')
            fputc('\\', out);
        if (*value == '\n')
            fputs("\\n", out);
        else
            fputc(*value, out);
    }
}

/** `steelyard_NAME{backend="URL",LABEL="VALUE"} `; what is NULL is left out. */
static void begin_sample(FILE *out, const char *name, const char *backend,
                         const char *label, const char *value)
{
    fprintf(out, "steelyard_%s", name);
    if (backend != NULL || label != NULL)
        fputs("{", out);
    if (backend != NULL) {
        fputs("backend=\"", out);
        print_label(out, backend);
        fputs(label != NULL ? "\"," : "\"", out);
    }
    if (label != NULL)
        fprintf(out, "%s=\"%s\"", label, value);
    fputs(backend != NULL || label != NULL ? "} " : " ", out);
}

/** @param backend NULL: of all of them */
static void print_classes(FILE *out, const char *name, const char *backend,
                          const uint64_t counts[STATUS_CLASSES])
{
    static const char *const classes[STATUS_CLASSES] = {"1xx", "2xx", "3xx",
                                                        "4xx", "5xx"};

    for (int i = 0; i < STATUS_CLASSES; i++) {
        begin_sample(out, name, backend, "code_class", classes[i]);
        fprintf(out, "%" PRIu64 "\n", counts[i]);
    }
}

static void print_histogram(FILE *out, const char *name, const char *backend,
                            const struct histogram_sum *sum)
{
    char full[64];

    snprintf(full, sizeof(full), "%s_bucket", name);
    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        begin_sample(out, full, backend, "le", bounds[i].seconds);
        fprintf(out, "%" PRIu64 "\n", histogram_up_to(sum, bounds[i].us));
    }
    begin_sample(out, full, backend, "le", "+Inf");
    fprintf(out, "%" PRIu64 "\n", sum->count);
    snprintf(full, sizeof(full), "%s_sum", name);
    begin_sample(out, full, backend, NULL, NULL);
    fprintf(out, "%.15g\n", (double)sum->sum_us / 1e6);
    snprintf(full, sizeof(full), "%s_count", name);
    begin_sample(out, full, backend, NULL, NULL);
    fprintf(out, "%" PRIu64 "\n", sum->count);
}

/* --- all requests ---------------------------------------------------------- */

static void print_requests(FILE *out, const struct overview *overview)
{
    const struct counts_sum *total = &overview->meter->total;
    struct control *control = overview->control;

    gauge(out, "sessions", "client connections now open",
          atomic_load(&control->proxy.sessions));
    family(out, "requests_total", "counter", "requests that have ended");
    print_classes(out, "requests_total", NULL, total->all.by_class);
    family(out, "own_answers_total", "counter",
           "those of them that we answered, and no backend");
    print_classes(out, "own_answers_total", NULL, total->own);
    gauge(out, "requests_in_flight", "requests that have a backend now",
          meter_in_flight(overview->meter));
    gauge(out, "requests_waiting", "requests that wait for a backend with room",
          atomic_load(&control_pool(control)->waiting));
    family(out, "request_duration_seconds", "histogram",
           "from the first byte of a request to the last of its response");
    print_histogram(out, "request_duration_seconds", NULL, &total->all.took);
#define X(name, help) counter(out, #name "_total", help, total->name);
    COUNTS(X)
#undef X
}

/* --- backends -------------------------------------------------------------- */

/** What a line about a backend is made from. */
struct about {
    const struct backend *backend;
    const struct counts_part *part;
    struct health_view view;
};

static double is_up(const struct about *about)
{
    return atomic_load(&about->backend->up) &&
           about->view.state != BACKEND_UNRESOLVED;
}

static double is_ready(const struct about *about)
{
    return !atomic_load(&about->backend->draining);
}

static double weight(const struct about *about)
{
    return atomic_load(&about->backend->weight);
}

static double in_flight(const struct about *about)
{
    return atomic_load(&about->backend->in_flight);
}

static double tries(const struct about *about)
{
    return (double)atomic_load(&about->backend->tries);
}

static double failures(const struct about *about)
{
    return (double)atomic_load(&about->backend->failures);
}

static double ejections(const struct about *about)
{
    return (double)about->view.ejected_times;
}

/** Families with one number for each backend. */
static const struct {
    const char *name, *type, *help;
    double (*value)(const struct about *about);
} plain[] = {
    {"backend_up", "gauge", "1: health checks let it serve", is_up},
    {"backend_ready", "gauge", "0: it is draining", is_ready},
    {"backend_weight", "gauge", "its share", weight},
    {"backend_in_flight", "gauge", "requests it is busy with", in_flight},
    {"backend_tries_total", "counter", "requests sent to it, repeated ones too",
     tries},
    {"backend_failures_total", "counter", "those that failed by its fault",
     failures},
    {"backend_ejections_total", "counter",
     "how often failed requests took it down for a while", ejections},
};

static void print_plain(FILE *out, const struct about *list, size_t count)
{
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        family(out, plain[i].name, plain[i].type, plain[i].help);
        for (size_t k = 0; k < count; k++) {
            begin_sample(out, plain[i].name, list[k].backend->url, NULL, NULL);
            fprintf(out, "%.15g\n", plain[i].value(&list[k]));
        }
    }
}

static void print_probes(FILE *out, const struct about *list, size_t count)
{
    static const char name[] = "backend_probes_total";

    family(out, name, "counter", "active health checks");
    for (size_t i = 0; i < count; i++) {
        begin_sample(out, name, list[i].backend->url, "result", "good");
        fprintf(out, "%" PRIu64 "\n", list[i].view.passed);
        begin_sample(out, name, list[i].backend->url, "result", "bad");
        fprintf(out, "%" PRIu64 "\n", list[i].view.failed);
    }
}

static void print_backends(FILE *out, const struct overview *overview)
{
    struct about list[BACKENDS_MAX];
    struct pool *pool = control_pool(overview->control);
    size_t count = pool->count;

    for (size_t i = 0; i < count; i++) {
        const struct backend *backend = pool->backends[i];

        list[i].backend = backend;
        list[i].part = &overview->meter->total.backends[counts_slot(backend)];
        health_look(pool, backend, clock_ms(), &list[i].view);
    }
    print_plain(out, list, count);
    print_probes(out, list, count);
    family(out, "backend_responses_total", "counter", "responses it gave");
    for (size_t i = 0; i < count; i++)
        print_classes(out, "backend_responses_total", list[i].backend->url,
                      list[i].part->by_class);
    family(out, "backend_response_seconds", "histogram",
           "until it began to answer");
    for (size_t i = 0; i < count; i++)
        print_histogram(out, "backend_response_seconds", list[i].backend->url,
                        &list[i].part->took);
}

/* --- certificates ---------------------------------------------------------- */

static void print_certificates(FILE *out, const struct tls_context *context)
{
    if (context == NULL)
        return;
    family(out, "certificate_expires_seconds", "gauge",
           "until when the certificate in this file is good, since 1970");
    for (size_t i = 0; i < tls_context_size(context); i++) {
        fputs("steelyard_certificate_expires_seconds{file=\"", out);
        print_label(out, tls_context_file(context, i));
        fprintf(out, "\"} %" PRId64 "\n", tls_context_expires(context, i));
    }
}

/* --- the process ----------------------------------------------------------- */

/** Descriptors that are open; Linux tells. */
static int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    if (folder == NULL)
        return -1;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 3; /* ., .. and the folder itself */
}

/** Memory that is in use; Linux tells. */
static double resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long long pages = -1;

    if (file == NULL)
        return -1;
    if (fscanf(file, "%*s %lld", &pages) != 1)
        pages = -1;
    fclose(file);
    return pages < 0 ? -1 : (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void print_process(FILE *out, const struct overview *overview)
{
    int64_t age_ms = clock_ms() - overview->started_ms;
    double resident = resident_bytes();
    int descriptors = count_descriptors();
    struct rusage usage = {0};
    struct rlimit limit = {0};
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    getrusage(RUSAGE_SELF, &usage);
    getrlimit(RLIMIT_NOFILE, &limit);
    gauge(out, "uptime_seconds", "since the start", (double)age_ms / 1000);
    gauge(out, "process_start_time_seconds", "when, since 1970",
          (double)now.tv_sec + (double)now.tv_nsec / 1e9 -
              (double)age_ms / 1000);
    family(out, "process_cpu_seconds_total", "counter", "processor time used");
    fprintf(out, "steelyard_process_cpu_seconds_total %.15g\n",
            seconds(usage.ru_utime) + seconds(usage.ru_stime));
    if (resident >= 0)
        gauge(out, "process_resident_memory_bytes", "memory in use", resident);
    if (descriptors >= 0)
        gauge(out, "process_open_fds", "open descriptors", descriptors);
    gauge(out, "process_max_fds", "descriptors there may be",
          (double)limit.rlim_cur);
    counter(out, "log_lines_dropped_total",
            "lines that the log had no room for", log_dropped());
}

char *metrics_print(const struct overview *overview, size_t *length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, length);

    must(out != NULL);
    meter_total(overview->meter);
    family(out, "build_info", "gauge", "always 1; what is running");
    fprintf(out, "steelyard_build_info{version=\"%s\"} 1\n", STEELYARD_VERSION);
    print_requests(out, overview);
    print_backends(out, overview);
    print_certificates(out, overview->control->plan->configuration->tls);
    gauge(out, "config_generation", "1, and one more with each reload",
          overview->control->plan->configuration->generation);
    gauge(out, "config_differs", "1: the file is not what is in use",
          overview->drift.differs);
    print_process(out, overview);
    must(fclose(out) == 0);
    return text;
}

/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "report.h"

#include "wait.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINES_MAX = 20 };

static struct {
    int64_t began_ms;
    bool is_loud;
    unsigned wrong; /* in this check */
    unsigned passed, failed;
} report;

void report_begin(bool is_loud)
{
    report.began_ms = now_ms();
    report.is_loud = is_loud;
}

double report_seconds(int64_t at_ms)
{
    return (double)(at_ms - report.began_ms) / 1000;
}

static void say(const char *before, const char *format, va_list values)
{
    printf("%s", before);
    vprintf(format, values);
    printf("\n");
    fflush(stdout);
}

void report_note(const char *format, ...)
{
    char before[40];
    va_list values;

    if (!report.is_loud)
        return;
    snprintf(before, sizeof(before), "%9.3f s  ", report_seconds(now_ms()));
    va_start(values, format);
    say(before, format, values);
    va_end(values);
}

void report_wrong(const char *format, ...)
{
    char before[40];
    va_list values;

    if (++report.wrong > LINES_MAX)
        return;
    snprintf(before, sizeof(before),
             "%9.3f s  WRONG: ", report_seconds(now_ms()));
    va_start(values, format);
    say(before, format, values);
    va_end(values);
}

void report_check(const char *format, ...)
{
    va_list values;

    if (report.wrong > LINES_MAX)
        printf("             and %u more\n", report.wrong - LINES_MAX);
    va_start(values, format);
    say(report.wrong == 0 ? "ok      " : "FAILED  ", format, values);
    va_end(values);
    if (report.wrong == 0)
        report.passed++;
    else
        report.failed++;
    report.wrong = 0;
}

bool report_end(void)
{
    printf("%u passed, %u failed\n", report.passed, report.failed);
    return report.failed == 0 && report.passed > 0;
}

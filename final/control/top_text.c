/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 the Steelyard authors */
#include "control/top_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

void top_text_clean(char *out, size_t room, const char *words)
{
    size_t used = 0;

    for (; words != NULL && *words != '\0' && used + 1 < room; words++) {
        unsigned char byte = (unsigned char)*words;

        if (byte >= 0x20 && byte < 0x7f)
            out[used++] = *words;
        else if ((byte & 0xc0) != 0x80) /* not the middle of a character */
            out[used++] = '?';
    }
    out[used] = '\0';
}

const char *top_text_count(char *out, size_t room, double number)
{
    char digits[32];
    size_t length, used = 0;

    if (number < 0 || number > 1e15) {
        snprintf(out, room, "-");
        return out;
    }
    length = (size_t)snprintf(digits, sizeof(digits), "%.0f", number);
    for (size_t i = 0; i < length && used + 2 < room; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

const char *top_text_ms(char *out, size_t room, double ms)
{
    if (ms < 0)
        snprintf(out, room, "-");
    else if (ms >= 999.5)
        snprintf(out, room, "%.2f s", ms / 1000);
    else
        snprintf(out, room, "%.*f ms", ms >= 99.5 ? 0 : (ms >= 9.95 ? 1 : 2),
                 ms);
    return out;
}

const char *top_text_duration(char *out, size_t room, double seconds)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"day", 86400}, {"hour", 3600}, {"minute", 60}, {"second", 1}};
    size_t unit = 0;
    double number;

    while (unit < 3 && seconds < units[unit].seconds)
        unit++;
    number = seconds > 0 ? floor(seconds / units[unit].seconds) : 0;
    snprintf(out, room, "%.0f %s%s", number, units[unit].name,
             number == 1 ? "" : "s");
    return out;
}

double top_text_time(const char *words)
{
    struct tm day = {.tm_sec = 0};
    double seconds = 0;

    if (words == NULL ||
        sscanf(words, "%4d-%2d-%2dT%2d:%2d:%lf", &day.tm_year, &day.tm_mon,
               &day.tm_mday, &day.tm_hour, &day.tm_min, &seconds) != 6)
        return 0;
    day.tm_year -= 1900;
    day.tm_mon -= 1;
    return (double)timegm(&day) + seconds;
}

/** Which of so many bars: 0 is the lowest. */
static size_t level_of(double number, double highest, size_t levels)
{
    size_t level = (size_t)(number / highest * (double)levels);

    return level < levels ? level : levels - 1;
}

size_t top_text_sparkline(char *out, size_t room, const double *numbers,
                          size_t count, size_t columns, bool utf8)
{
    static const char *const blocks[] = {"▁", "▂", "▃", "▄",
                                         "▅", "▆", "▇", "█"};
    static const char *const signs[] = {"_", ".", ":", "-", "=", "+", "*", "#"};
    const char *const *bars = utf8 ? blocks : signs;
    size_t first = count > columns ? count - columns : 0;
    double highest = 1e-9;
    size_t used = 0, drawn = 0;

    for (size_t i = first; i < count; i++)
        highest = fmax(highest, numbers[i]);
    for (size_t i = first; i < count && used + 4 <= room; i++, drawn++) {
        const char *bar =
            numbers[i] < 0 ? " " : bars[level_of(numbers[i], highest, 8)];

        memcpy(out + used, bar, strlen(bar));
        used += strlen(bar);
    }
    out[used] = '\0';
    return drawn;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Eighths of a letter. See sparkline.h. */
#include "cli/sparkline.h"

#include <string.h>

static const char *const heights[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                      "\u2585", "\u2586", "\u2587", "\u2588"};
static const char *const ascii_heights[] = {"_", ".", ",", "-", "=", "+", "*", "#"};
/* Of one eighth, two, ... and a full one. */
static const char *const widths[] = {"\u258F", "\u258E", "\u258D", "\u258C",
                                     "\u258B", "\u258A", "\u2589", "\u2588"};

static char *append(char *at, const char *letter)
{
    size_t len = strlen(letter);
    memcpy(at, letter, len + 1);
    return at + len;
}

size_t kl_sparkline(char *text, const double *values, size_t count, bool utf8)
{
    double max = 0;
    char *at = text;
    *at = '\0';
    for (size_t i = 0; i < count; i++)
        max = values[i] > max ? values[i] : max;
    for (size_t i = 0; i < count; i++) {
        unsigned height = max > 0 ? (unsigned)(values[i] / max * 7 + 0.5) : 0;
        at = append(at, utf8 ? heights[height] : ascii_heights[height]);
    }
    return (size_t)(at - text);
}

unsigned kl_spark_bar(char *text, double part, unsigned columns, bool utf8)
{
    if (!(part > 0))
        part = 0;
    if (part > 1)
        part = 1;
    unsigned steps = utf8 ? 8 : 1;
    unsigned eighths = (unsigned)(part * columns * steps + 0.5);
    unsigned full = eighths / steps, rest = eighths % steps;
    char *at = text;
    *at = '\0';
    for (unsigned i = 0; i < full; i++)
        at = append(at, utf8 ? widths[7] : "#");
    if (rest)
        at = append(at, widths[rest - 1]);
    return full + (rest > 0);
}

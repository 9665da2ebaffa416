/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parts of a line, and which of them find room. See live_text.h.
 *
 *     ███████▌────── 54%  eta 0:04  2.41M rec/s  230 MB/s  in flight 31.2k  buffer 12%  p50 3.1 ms
 *     p99 8.9 ms  no errors  ▃▅▇▇▆▇██▇
 *
 * The bar and the sparkline take what is left of the width; where there is a note, it stands in the
 * sparkline's place, cut to the width.
 */
#include "cli/live_text.h"

#include "cli/sparkline.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define MB          1048576.0
#define PART_MAX    96
#define GAP         2
#define BAR_MIN     8
#define BAR_MAX     24
#define ROOMY       100 /* from this width on a picture is worth more than the last of the words */
#define SPARK_MIN   8
#define LETTERS_MAX (KL_RECENT_SECONDS * KL_SPARK_LETTER_MAX + 1)

/* In the order of the line. */
typedef enum part_kind {
    DONE,
    LEFT,
    RATE,
    BYTES,
    IN_FLIGHT,
    BUFFER,
    LATENCY,
    ERRORS,
    PART_COUNT
} part_kind;

/* What goes first when there is no room for all; the rate goes last. */
static const part_kind dispensable[] = {BUFFER, IN_FLIGHT, LEFT, LATENCY, BYTES, DONE, RATE};

typedef enum style {
    PLAIN,
    FAINT,
    STRONG,
    GOOD,
    BAD,
    PICTURE,
} style;

static const char *const styles[] = {"",         "\033[2m",    "\033[1m",
                                     "\033[32m", "\033[1;31m", "\033[36m"};

/* Without its escapes it has columns letters. */
typedef struct part {
    char text[PART_MAX];
    size_t len;
    unsigned columns;
} part;

static void add(part *p, const kl_terminal *t, style look, const char *words)
{
    bool coloured = t->colour && look != PLAIN;
    int n = snprintf(p->text + p->len, sizeof p->text - p->len, "%s%s%s",
                     coloured ? styles[look] : "", words, coloured ? "\033[0m" : "");
    p->len += (size_t)n;
    p->columns += (unsigned)strlen(words);
}

/* ---- Numbers ---- */

/* Three digits and a letter. */
static void shorten(char *text, size_t size, double n)
{
    static const char units[] = {'k', 'M', 'G', 'T'};
    int unit = -1;
    while (n >= 999.5 && unit < 3) {
        n /= 1000;
        unit++;
    }
    if (unit < 0)
        snprintf(text, size, "%.0f", n);
    else
        snprintf(text, size, "%.*f%c", n < 9.995 ? 2 : n < 99.95 ? 1 : 0, n, units[unit]);
}

static void milliseconds(char *text, size_t size, uint64_t us)
{
    double ms = (double)us / 1e3;
    snprintf(text, size, "%.*f ms", ms < 9.995 ? 2 : ms < 99.95 ? 1 : 0, ms);
}

static void clock_time(char *text, size_t size, double s)
{
    unsigned long long whole = (unsigned long long)(s + 0.5);
    if (whole >= 3600)
        snprintf(text, size, "%llu:%02llu:%02llu", whole / 3600, whole / 60 % 60, whole % 60);
    else
        snprintf(text, size, "%llu:%02llu", whole / 60, whole % 60);
}

/* ---- Parts ---- */

static double done(const kl_live_figures *f)
{
    return f->part < f->whole ? (double)f->part / (double)f->whole : 1;
}

/* 100 is for what is done. */
static unsigned percent(const kl_live_figures *f)
{
    return (unsigned)(done(f) * 100);
}

static void add_left(part *p, const kl_terminal *t, double left_s)
{
    char text[32];
    if (left_s < 0)
        return;
    clock_time(text, sizeof text, left_s);
    add(p, t, FAINT, "eta ");
    add(p, t, PLAIN, text);
}

static void add_latency(part *p, const kl_terminal *t, const kl_live_figures *f)
{
    char text[32];
    if (f->p50_us == KL_LIVE_NOT_TOLD)
        return;
    milliseconds(text, sizeof text, f->p50_us);
    add(p, t, FAINT, "p50 ");
    add(p, t, PLAIN, text);
    if (f->p99_us == KL_LIVE_NOT_TOLD)
        return;
    milliseconds(text, sizeof text, f->p99_us);
    add(p, t, FAINT, " p99 ");
    add(p, t, PLAIN, text);
}

static void add_errors(part *p, const kl_terminal *t, uint64_t failed)
{
    char number[32], text[64];
    if (!failed) {
        add(p, t, FAINT, "no errors");
        return;
    }
    shorten(number, sizeof number, (double)failed);
    snprintf(text, sizeof text, "%s not delivered", number);
    add(p, t, BAD, text);
}

static void make_parts(part *parts, const kl_terminal *t, const kl_live_figures *f,
                       const kl_recent_rate *rate)
{
    char text[48];
    double mb = kl_recent_rate_bytes(rate) / MB;
    if (f->whole) {
        snprintf(text, sizeof text, "%3u%%", percent(f));
        add(&parts[DONE], t, STRONG, text);
        add_left(&parts[LEFT], t, kl_recent_rate_left_s(rate, f->part, f->whole));
    }
    shorten(text, sizeof text, kl_recent_rate_counts(rate));
    add(&parts[RATE], t, STRONG, text);
    add(&parts[RATE], t, FAINT, " rec/s");
    snprintf(text, sizeof text, "%.*f", mb < 9.995 ? 2 : mb < 99.95 ? 1 : 0, mb);
    add(&parts[BYTES], t, PLAIN, text);
    add(&parts[BYTES], t, FAINT, " MB/s");
    if (f->in_flight != KL_LIVE_NOT_TOLD) {
        shorten(text, sizeof text, (double)f->in_flight);
        add(&parts[IN_FLIGHT], t, FAINT, "in flight ");
        add(&parts[IN_FLIGHT], t, PLAIN, text);
    }
    if (f->buffer_bytes_max) {
        snprintf(text, sizeof text, "%.0f%%",
                 (double)f->buffer_bytes * 100 / (double)f->buffer_bytes_max);
        add(&parts[BUFFER], t, FAINT, "buffer ");
        add(&parts[BUFFER], t, PLAIN, text);
    }
    add_latency(&parts[LATENCY], t, f);
    add_errors(&parts[ERRORS], t, f->failed);
}

static unsigned columns_of(const part *parts)
{
    unsigned columns = 0;
    for (int i = 0; i < PART_COUNT; i++)
        columns += parts[i].columns ? parts[i].columns + GAP : 0;
    return columns ? columns - GAP : 0;
}

static void leave_out(part *parts, part_kind kind)
{
    parts[kind] = (part){.len = 0};
}

/* Errors stay to the end; that there are none is the first thing to go. */
static void fit(part *parts, bool errors, unsigned width)
{
    if (!errors && columns_of(parts) > width)
        leave_out(parts, ERRORS);
    for (size_t i = 0; i < sizeof dispensable / sizeof dispensable[0]; i++) {
        if (columns_of(parts) > width)
            leave_out(parts, dispensable[i]);
    }
    if (columns_of(parts) > width)
        leave_out(parts, ERRORS);
}

/* ---- The line ---- */

typedef struct line {
    char *text;
    size_t len;
    unsigned columns;
    const kl_terminal *terminal;
} line;

static void put(line *l, const char *bytes, size_t len, unsigned columns)
{
    memcpy(l->text + l->len, bytes, len);
    l->len += len;
    l->text[l->len] = '\0';
    l->columns += columns;
}

static void put_escape(line *l, style look)
{
    if (l->terminal->colour)
        put(l, styles[look], strlen(styles[look]), 0);
}

static void put_reset(line *l)
{
    if (l->terminal->colour)
        put(l, "\033[0m", 4, 0);
}

static void put_bar(line *l, double part_done, unsigned columns)
{
    char bar[BAR_MAX * KL_SPARK_LETTER_MAX + 1];
    bool utf8 = l->terminal->utf8;
    unsigned full = kl_spark_bar(bar, part_done, columns, utf8);
    const char *rest = utf8 ? "\u2500" : "-";
    put_escape(l, GOOD);
    put(l, bar, strlen(bar), full);
    put_reset(l);
    put_escape(l, FAINT);
    for (unsigned i = full; i < columns; i++)
        put(l, rest, strlen(rest), 1);
    put_reset(l);
    put(l, " ", 1, 1);
}

static void put_spark(line *l, const kl_recent_rate *rate, unsigned columns)
{
    double seconds[KL_RECENT_SECONDS];
    char letters[LETTERS_MAX];
    size_t n = kl_recent_rate_history(rate, seconds, columns);
    size_t len = kl_sparkline(letters, seconds, n, l->terminal->utf8);
    put(l, "  ", GAP, GAP);
    put_escape(l, PICTURE);
    put(l, letters, len, (unsigned)n);
    put_reset(l);
}

static void put_note(line *l, const char *note, unsigned columns)
{
    size_t len = strlen(note);
    put(l, "  ", GAP, GAP);
    put_escape(l, STRONG);
    if (len <= columns) {
        put(l, note, len, (unsigned)len);
    } else {
        put(l, note, columns - 2, columns - 2);
        put(l, "..", 2, 2);
    }
    put_reset(l);
}

/* How many columns the bar may have, out of those that are left. */
static unsigned bar_columns(unsigned left)
{
    if (left < BAR_MIN + 1)
        return 0;
    /* What the sparkline of a minute does not need is the bar's. */
    unsigned spare = left > SPARK_MIN + GAP ? left - SPARK_MIN - GAP : 0;
    unsigned columns = spare / 3 > BAR_MIN ? spare / 3 : BAR_MIN;
    return columns < BAR_MAX ? columns : BAR_MAX;
}

unsigned kl_live_text_draw(char *text, const kl_live_figures *f, const kl_recent_rate *rate,
                           const kl_terminal *terminal, unsigned width)
{
    part parts[PART_COUNT] = {{.len = 0}};
    line l = {.text = text, .terminal = terminal};
    text[0] = '\0';
    if (width > KL_LIVE_WIDTH_MAX)
        width = KL_LIVE_WIDTH_MAX;
    make_parts(parts, terminal, f, rate);
    fit(parts, f->failed > 0, width >= ROOMY ? width - SPARK_MIN - GAP : width);
    unsigned used = columns_of(parts);
    unsigned left = width - used;
    unsigned bar = parts[DONE].columns && !f->note ? bar_columns(left) : 0;
    left -= bar ? bar + 1 : 0;
    for (int i = 0; i < PART_COUNT; i++) {
        if (parts[i].columns == 0)
            continue;
        if (l.columns)
            put(&l, "  ", GAP, GAP);
        if (i == DONE && bar)
            put_bar(&l, done(f), bar);
        put(&l, parts[i].text, parts[i].len, parts[i].columns);
    }
    if (left < SPARK_MIN + GAP)
        return l.columns;
    if (f->note)
        put_note(&l, f->note, left - GAP);
    else if (rate->second_count > 1)
        put_spark(&l, rate, left - GAP);
    return l.columns;
}

void kl_live_text_plain(const kl_live_figures *f, const kl_recent_rate *rate, const char *command,
                        FILE *to)
{
    fprintf(to, "kloop %s: %" PRIu64 " delivered, %.1f records/sec (%.2f MB/sec)", command,
            f->delivered, kl_recent_rate_counts(rate), kl_recent_rate_bytes(rate) / MB);
    if (f->whole)
        fprintf(to, ", %u%% done", percent(f));
    if (f->in_flight != KL_LIVE_NOT_TOLD)
        fprintf(to, ", %" PRIu64 " in flight", f->in_flight);
    if (f->buffer_bytes_max)
        fprintf(to, ", buffer %.0f%% full",
                (double)f->buffer_bytes * 100 / (double)f->buffer_bytes_max);
    if (f->p50_us != KL_LIVE_NOT_TOLD)
        fprintf(to, ", %.1f ms p50", (double)f->p50_us / 1e3);
    if (f->p99_us != KL_LIVE_NOT_TOLD)
        fprintf(to, ", %.1f ms p99", (double)f->p99_us / 1e3);
    fprintf(to, ", %" PRIu64 " not delivered\n", f->failed);
}

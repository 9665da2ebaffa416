/* SPDX-License-Identifier: BSD-2-Clause */
/* The report that is read at the end. See perf_summary.h. */
#include "cli/perf_summary.h"

#include "cli/sparkline.h"

#include <inttypes.h>
#include <string.h>

#define FAINT     "\033[2m"
#define PICTURE   "\033[36m"
#define RESET     "\033[0m"
#define MB        1048576.0
#define ROWS_MAX  20
#define BAR_MIN   10
#define BAR_MAX   60
#define ROW_WORDS 41 /* of a row of the histogram, its bar not counted */

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

/* 1234567 as 1,234,567. text has 32 bytes, and is what is answered. */
static const char *grouped(char *text, uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, n);
    char *at = text;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            *at++ = ',';
        *at++ = digits[i];
    }
    *at = '\0';
    return text;
}

/* Three digits and their unit. */
static void duration(char *text, size_t size, uint64_t us)
{
    double n = (double)us / 1e3;
    bool seconds = n >= 9995;
    if (seconds)
        n /= 1e3;
    snprintf(text, size, "%.*f %s",
             n < 0.0995  ? 3
             : n < 9.995 ? 2
             : n < 99.95 ? 1
                         : 0,
             n, seconds ? "s" : "ms");
}

/* ---- The producer ---- */

static void print_delivered(const kl_perf_stats *s, uint64_t records, FILE *to)
{
    char some[32], all[32];
    double wall_s = s->end_ns > s->start_ns ? (double)(s->end_ns - s->start_ns) / 1e9 : 0;
    fprintf(to, "\ndelivered   %s of %s records, %.2f MB in %.2f s\n",
            grouped(some, s->latency.count), grouped(all, records), (double)s->bytes / MB, wall_s);
}

static void print_batches(const kloop_snapshot *end, FILE *to)
{
    char batches[32], bytes[32], requests[32], retries[32];
    double shrunk = ratio((double)end->sent_bytes, (double)end->sent_plain_bytes);
    fprintf(to, "batches     %s, on average %.1f records in %s bytes; ",
            grouped(batches, end->sent_batches),
            ratio((double)end->sent, (double)end->sent_batches),
            grouped(bytes, end->sent_bytes / end->sent_batches));
    if (shrunk > 0.9995)
        fputs("not compressed\n", to);
    else
        fprintf(to, "compressed to %.1f %%, %.2f : 1\n", shrunk * 100, 1 / shrunk);
    fprintf(to, "requests    %s; batches sent again: %s", grouped(requests, end->produce_requests),
            grouped(retries, end->totals.retries));
    if (end->totals.batches_split)
        fprintf(to, "; split: %s", grouped(batches, end->totals.batches_split));
    fputs("\n", to);
}

static void print_broker(const kloop_broker_stats *b, FILE *to)
{
    char batches[32], p50[32], p99[32];
    if (b->batches == 0)
        return;
    fprintf(to, "broker %-4d %s:%u, %s batches", (int)b->id, b->host.data, (unsigned)b->port,
            grouped(batches, b->batches));
    if (b->rtt_us) {
        duration(p50, sizeof p50, kloop_histogram_at(b->rtt_us, 500000));
        duration(p99, sizeof p99, kloop_histogram_at(b->rtt_us, 990000));
        fprintf(to, ", round trip p50 %s, p99 %s", p50, p99);
    }
    if (b->throttles)
        fprintf(to, ", throttled %s times", grouped(batches, b->throttles));
    fputs("\n", to);
}

void kl_perf_print_summary(const kl_perf_stats *s, const kloop_snapshot *end, uint64_t records,
                           FILE *to)
{
    print_delivered(s, records, to);
    if (!end || end->sent_batches == 0)
        return;
    print_batches(end, to);
    for (size_t i = 0; i < end->broker_count; i++)
        print_broker(&end->brokers[i], to);
}

/* ---- The histogram ---- */

/* A decade in parts of equal ratio, as the values of resistors are: rows end at one of these, at
 * every second, every fourth and so on, and are as wide as each other to the eye. */
static const unsigned steps[] = {10, 11, 12, 13, 15, 16, 18, 20, 22, 24, 27, 30,
                                 33, 36, 39, 43, 47, 51, 56, 62, 68, 75, 82, 91};
static const unsigned strides[] = {1, 2, 4, 8, 24};

enum { STEP_COUNT = sizeof steps / sizeof steps[0] };

/* The n-th end in microseconds, 1 being the first. */
static uint64_t end_of(unsigned n)
{
    uint64_t scale = 1;
    for (unsigned decade = n / STEP_COUNT; decade > 0; decade--)
        scale *= 10;
    return (scale * steps[n % STEP_COUNT] + 9) / 10;
}

static unsigned first_not_below(uint64_t us, unsigned stride)
{
    unsigned n = 0;
    while (end_of(n) < us)
        n += stride;
    return n;
}

typedef struct row {
    uint64_t top;
    uint64_t count;
} row;

/* From the row of the lowest value to that of the highest. */
static size_t cut(const kl_histogram *h, row *rows)
{
    uint64_t low = kl_histogram_at(h, 0), below = 0;
    unsigned first = 0, last = 0, stride = 1;
    size_t n = 0;
    for (size_t i = 0; i < sizeof strides / sizeof strides[0]; i++) {
        stride = strides[i];
        first = first_not_below(low, stride);
        last = first_not_below(h->max, stride);
        if ((last - first) / stride < ROWS_MAX)
            break;
    }
    for (unsigned at = first; at <= last; at += stride) {
        uint64_t up_to = at == last ? h->count : kl_histogram_up_to(h, end_of(at));
        rows[n++] = (row){end_of(at), up_to - below};
        below = up_to;
    }
    return n;
}

void kl_perf_print_histogram(const kl_histogram *h, const kl_terminal *terminal, FILE *to)
{
    row rows[ROWS_MAX];
    char bar[BAR_MAX * KL_SPARK_LETTER_MAX + 1], top[32], count[32];
    uint64_t most = 1, seen = 0;
    if (h->count == 0)
        return;
    size_t n = cut(h, rows);
    for (size_t i = 0; i < n; i++)
        most = rows[i].count > most ? rows[i].count : most;
    bool coloured = terminal->is_terminal && terminal->colour;
    unsigned columns =
        terminal->width > ROW_WORDS + BAR_MIN ? terminal->width - ROW_WORDS : BAR_MIN;
    if (columns > BAR_MAX)
        columns = BAR_MAX;
    fprintf(to, "\n%s     up to       records   share  so far%s\n", coloured ? FAINT : "",
            coloured ? RESET : "");
    for (size_t i = 0; i < n; i++) {
        seen += rows[i].count;
        duration(top, sizeof top, rows[i].top);
        kl_spark_bar(bar, (double)rows[i].count / (double)most, columns, terminal->utf8);
        /* What is there is seen, however rare it is. */
        if (rows[i].count && !bar[0])
            snprintf(bar, sizeof bar, "%s", terminal->utf8 ? "\u258F" : "|");
        fprintf(to, "%10s %13s %6.2f%% %6.2f%% %s%s%s\n", top, grouped(count, rows[i].count),
                (double)rows[i].count * 100 / (double)h->count,
                (double)seen * 100 / (double)h->count, coloured ? PICTURE : "", bar,
                coloured ? RESET : "");
    }
}

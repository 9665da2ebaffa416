/* SPDX-License-Identifier: BSD-2-Clause */
/* Slots of a histogram into files. See perf_export.h. */
#include "cli/perf_export.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Of HdrHistogram's form: how many lines until half of what is left to 100 % is passed. */
#define TICKS_A_HALF 5

kl_perf_export_form kl_perf_export_form_of(const char *path)
{
    static const struct {
        const char *end;
        kl_perf_export_form form;
    } forms[] = {{".hgrm", KL_PERF_EXPORT_HGRM},
                 {".csv", KL_PERF_EXPORT_CSV},
                 {".json", KL_PERF_EXPORT_JSON}};
    size_t len = strlen(path);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        size_t end = strlen(forms[i].end);
        if (len > end && strcmp(path + len - end, forms[i].end) == 0)
            return forms[i].form;
    }
    return KL_PERF_EXPORT_NONE;
}

/* The next slot from here on that has any; KL_HISTOGRAM_SLOTS: none has. */
static uint64_t next_used(const kl_histogram *h, uint64_t slot)
{
    while (slot < KL_HISTOGRAM_SLOTS && h->slots[slot] == 0)
        slot++;
    return slot;
}

static uint64_t top_of(const kl_histogram *h, uint64_t slot)
{
    uint64_t top = kl_histogram_top_of(slot);
    return top < h->max ? top : h->max;
}

/* ---- .hgrm ---- */

static double deviation_us(const kl_histogram *h, double mean)
{
    double squares = 0;
    for (uint64_t i = next_used(h, 0); i < KL_HISTOGRAM_SLOTS; i = next_used(h, i + 1)) {
        double off = (double)top_of(h, i) - mean;
        squares += off * off * (double)h->slots[i];
    }
    return h->count ? sqrt(squares / (double)h->count) : 0;
}

static void print_hgrm(const kl_histogram *h, FILE *to)
{
    double mean = h->count ? (double)h->sum / (double)h->count : 0;
    double level = 0; /* the next line's percentile, as a part of one */
    uint64_t seen = 0;
    fprintf(to, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    for (uint64_t i = next_used(h, 0); i < KL_HISTOGRAM_SLOTS; i = next_used(h, i + 1)) {
        seen += h->slots[i];
        double part = (double)seen / (double)h->count;
        double value = (double)top_of(h, i) / 1e3;
        while (part >= level && seen < h->count) {
            fprintf(to, "%12.3f %2.12f %10" PRIu64 " %14.2f\n", value, level, seen,
                    1 / (1 - level));
            /* Twice as many ticks for each half that was passed. */
            double halves = floor(log2(1 / (1 - level))) + 1;
            level += 1 / (TICKS_A_HALF * exp2(halves));
        }
    }
    if (h->count)
        fprintf(to, "%12.3f %2.12f %10" PRIu64 "\n", (double)h->max / 1e3, 1.0, h->count);
    fprintf(to, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", mean / 1e3,
            deviation_us(h, mean) / 1e3);
    fprintf(to, "#[Max     = %12.3f, Total count    = %12" PRIu64 "]\n", (double)h->max / 1e3,
            h->count);
    fprintf(to, "#[Buckets = %12d, SubBuckets     = %12d]\n",
            KL_HISTOGRAM_TOP_BITS - KL_HISTOGRAM_HALF_BITS, 2 << KL_HISTOGRAM_HALF_BITS);
}

/* ---- .csv ---- */

static void print_csv(const kl_histogram *h, const char *from, FILE *to)
{
    uint64_t seen = 0;
    for (uint64_t i = next_used(h, 0); i < KL_HISTOGRAM_SLOTS; i = next_used(h, i + 1)) {
        seen += h->slots[i];
        fprintf(to, "%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n", from, top_of(h, i), h->slots[i],
                seen);
    }
}

/* ---- .json ---- */

static void print_array(const kl_histogram *h, const char *name, FILE *to)
{
    const char *between = "";
    fprintf(to, ",\n\"%s\":[", name);
    for (uint64_t i = next_used(h, 0); i < KL_HISTOGRAM_SLOTS; i = next_used(h, i + 1)) {
        fprintf(to, "%s[%" PRIu64 ",%" PRIu64 "]", between, top_of(h, i), h->slots[i]);
        between = ",";
    }
    fputs("]", to);
}

void kl_perf_export(kl_perf_export_form form, const kl_perf_stats *s, const kl_perf_process *p,
                    bool intended, FILE *to)
{
    switch (form) {
    case KL_PERF_EXPORT_HGRM:
        print_hgrm(intended ? &s->intended : &s->latency, to);
        return;
    case KL_PERF_EXPORT_CSV:
        fputs("from,up_to_us,records,so_far\n", to);
        print_csv(&s->latency, "actual", to);
        if (intended)
            print_csv(&s->intended, "intended", to);
        return;
    case KL_PERF_EXPORT_JSON:
        fputs("{\"figures\":\n", to);
        kl_perf_print_json(s, p, intended, to);
        print_array(&s->latency, "latency_up_to_us_and_records", to);
        if (intended)
            print_array(&s->intended, "intended_up_to_us_and_records", to);
        fputs("}\n", to);
        return;
    case KL_PERF_EXPORT_NONE:
        return;
    }
}

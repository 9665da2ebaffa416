/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures into lines. See perf_report.h. */
#define _DEFAULT_SOURCE
#include "cli/perf_report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* perf-test says MB and means this. */
#define MB 1048576.0

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

static double seconds(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e9 : 0;
}

static double ms(uint64_t us)
{
    return (double)us / 1e3;
}

void kl_perf_stats_start(kl_perf_stats *s, uint64_t now_ns)
{
    memset(s, 0, sizeof *s);
    s->start_ns = now_ns;
    s->end_ns = now_ns;
    s->window.start_ns = now_ns;
}

void kl_perf_stats_add(kl_perf_stats *s, uint64_t latency_us, uint64_t lag_us, uint64_t count,
                       uint64_t bytes, uint64_t now_ns)
{
    kl_perf_window *w = &s->window;
    s->end_ns = now_ns;
    s->bytes += bytes;
    kl_histogram_add(&s->latency, latency_us, count);
    if (lag_us != UINT64_MAX)
        kl_histogram_add(&s->intended, latency_us + lag_us, count);
    w->count += count;
    w->bytes += bytes;
    w->latency_us += latency_us * count;
    if (latency_us > w->latency_max_us)
        w->latency_max_us = latency_us;
}

void kl_perf_print_window(kl_perf_stats *s, uint64_t now_ns, FILE *to)
{
    const kl_perf_window *w = &s->window;
    double wall_s = seconds(w->start_ns, now_ns);
    fprintf(to,
            "%" PRIu64
            " records sent, %.1f records/sec (%.2f MB/sec), %.1f ms avg latency, %.1f ms "
            "max latency.\n",
            w->count, ratio((double)w->count, wall_s), ratio((double)w->bytes / MB, wall_s),
            ratio(ms(w->latency_us), (double)w->count), ms(w->latency_max_us));
    fflush(to);
    s->window = (kl_perf_window){.start_ns = now_ns};
}

static uint64_t whole_ms(const kl_histogram *h, uint32_t per_million)
{
    return (kl_histogram_at(h, per_million) + 500) / 1000;
}

void kl_perf_print_total(const kl_perf_stats *s, const char *what, FILE *to)
{
    double wall_s = seconds(s->start_ns, s->end_ns);
    const kl_histogram *h = &s->latency;
    fprintf(to,
            "%" PRIu64
            "%s records sent, %f records/sec (%.2f MB/sec), %.2f ms avg latency, %.2f ms "
            "max latency, %" PRIu64 " ms 50th, %" PRIu64 " ms 95th, %" PRIu64 " ms 99th, %" PRIu64
            " ms 99.9th.\n",
            h->count, what, ratio((double)h->count, wall_s), ratio((double)s->bytes / MB, wall_s),
            ratio(ms(h->sum), (double)h->count), ms(h->max), whole_ms(h, 500000),
            whole_ms(h, 950000), whole_ms(h, 990000), whole_ms(h, 999000));
}

static void print_percentiles_of(const kl_histogram *h, const char *from, FILE *to)
{
    fprintf(to,
            "latency from the %s send in us: 50th %" PRIu64 ", 90th %" PRIu64 ", 95th %" PRIu64
            ", 99th %" PRIu64 ", 99.9th %" PRIu64 ", 99.99th %" PRIu64 ", max %" PRIu64 "\n",
            from, kl_histogram_at(h, 500000), kl_histogram_at(h, 900000),
            kl_histogram_at(h, 950000), kl_histogram_at(h, 990000), kl_histogram_at(h, 999000),
            kl_histogram_at(h, 999900), h->max);
}

void kl_perf_print_percentiles(const kl_perf_stats *s, bool intended, FILE *to)
{
    print_percentiles_of(&s->latency, "actual", to);
    if (intended)
        print_percentiles_of(&s->intended, "intended", to);
}

void kl_perf_print_json(const kl_perf_stats *s, const kl_perf_process *p, bool intended, FILE *to)
{
    double wall_s = seconds(s->start_ns, s->end_ns);
    const kl_histogram *h = &s->latency;
    fprintf(to,
            "{\"records\":%" PRIu64 ",\"ok\":%" PRIu64 ",\"failed\":%" PRIu64
            ",\"unknown\":%" PRIu64 ",\"wall_s\":%.6f,\"rec_per_s\":%.1f,\"mb_per_s\":%.3f",
            p->records, h->count, p->failed, p->unknown, wall_s, ratio((double)h->count, wall_s),
            ratio((double)s->bytes / MB, wall_s));
    fprintf(to, ",\"user_s\":%.6f,\"sys_s\":%.6f,\"cpu_ns_per_record\":%.2f",
            (double)p->user_us / 1e6, (double)p->sys_us / 1e6,
            ratio((double)(p->user_us + p->sys_us) * 1e3, (double)p->records));
    fprintf(to,
            ",\"max_rss_kb\":%" PRIu64 ",\"p50_ms\":%.3f,\"p95_ms\":%.3f,\"p99_ms\":%.3f,"
            "\"p999_ms\":%.3f,\"max_ms\":%.3f",
            p->max_rss_kb, ms(kl_histogram_at(h, 500000)), ms(kl_histogram_at(h, 950000)),
            ms(kl_histogram_at(h, 990000)), ms(kl_histogram_at(h, 999000)), ms(h->max));
    if (intended)
        fprintf(to, ",\"intended_p50_ms\":%.3f,\"intended_p99_ms\":%.3f,\"intended_max_ms\":%.3f",
                ms(kl_histogram_at(&s->intended, 500000)),
                ms(kl_histogram_at(&s->intended, 990000)), ms(s->intended.max));
    fprintf(to,
            ",\"threads\":%" PRIu64 ",\"vcsw\":%" PRIu64 ",\"ivcsw\":%" PRIu64
            ",\"loop_hold_max_ms\":%.3f",
            p->threads, p->vcsw, p->ivcsw, (double)p->loop_hold_max_ns / 1e6);
    if (p->cpu_hold_max_ns)
        fprintf(to, ",\"cpu_hold_max_ms\":%.3f", (double)p->cpu_hold_max_ns / 1e6);
    fputs("}\n", to);
}

/* ---- The process ---- */

uint64_t kl_perf_threads(void)
{
    char line[128];
    uint64_t threads = 0;
    FILE *status = fopen("/proc/self/status", "r");
    if (!status)
        return 0;
    while (fgets(line, sizeof line, status)) {
        if (strncmp(line, "Threads:", 8) == 0) {
            threads = strtoull(line + 8, NULL, 10);
            break;
        }
    }
    fclose(status);
    return threads;
}

static uint64_t us(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec;
}

void kl_perf_process_usage(kl_perf_process *p)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0)
        return;
    p->user_us = us(usage.ru_utime);
    p->sys_us = us(usage.ru_stime);
    p->max_rss_kb = (uint64_t)usage.ru_maxrss;
    p->vcsw = (uint64_t)usage.ru_nvcsw;
    p->ivcsw = (uint64_t)usage.ru_nivcsw;
}

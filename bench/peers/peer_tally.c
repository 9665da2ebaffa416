/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts into a line. See peer_tally.h. */
#define _POSIX_C_SOURCE 200809L
#include "bench/peers/peer_tally.h"

#include "base/now.h"
#include "cli/perf_stamp.h"

#include <inttypes.h>
#include <time.h>

#define MB 1048576.0

uint64_t peer_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * KL_SECOND + (uint64_t)now.tv_nsec;
}

void peer_tally_start(peer_tally *t, const peer_job *job, uint64_t now_ns)
{
    t->record_count = job->record_count;
    kl_perf_stats_start(&t->timed, now_ns);
}

void *peer_tally_stamp(const peer_tally *t, uint64_t now_ns, uint64_t due_ns)
{
    /* The mark of the steady state keeps it from being NULL. */
    return kl_stamp_make((now_ns - t->timed.start_ns) / KL_US, (now_ns - due_ns) / KL_US, true);
}

static void end_one(peer_tally *t)
{
    if (++t->process.records == t->record_count)
        t->timed.end_ns = peer_clock_ns();
}

void peer_tally_acked(peer_tally *t, const void *stamp)
{
    if (stamp) {
        uint64_t now_us = (peer_clock_ns() - t->timed.start_ns) / KL_US;
        uint64_t age_us = kl_stamp_age_us(stamp, now_us);
        kl_histogram_add(&t->timed.latency, age_us, 1);
        kl_histogram_add(&t->timed.intended, age_us + kl_stamp_lag_us(stamp), 1);
    }
    t->ok++;
    end_one(t);
}

void peer_tally_lost(peer_tally *t, bool unknown, const char *why)
{
    if (t->process.failed + t->process.unknown == 0)
        fprintf(stderr, "the first record that was not delivered: %s\n", why);
    if (unknown)
        t->process.unknown++;
    else
        t->process.failed++;
    end_one(t);
}

void peer_tally_threads(peer_tally *t)
{
    uint64_t threads = kl_perf_threads();
    if (threads > t->process.threads)
        t->process.threads = threads;
}

static double ms_at(const kl_histogram *h, uint32_t per_million)
{
    return (double)kl_histogram_at(h, per_million) / 1e3;
}

int peer_tally_print(peer_tally *t, const peer_job *job, const char *client, const char *version)
{
    kl_perf_process *p = &t->process;
    const kl_histogram *h = &t->timed.latency;
    double wall_s = (double)(t->timed.end_ns - t->timed.start_ns) / 1e9;
    double per_s = wall_s > 0 && t->ok > 1 ? (double)(t->ok - 1) / wall_s : 0;
    kl_perf_process_usage(p);
    printf("{\"records\":%" PRIu64 ",\"ok\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"unknown\":%" PRIu64
           ",\"wall_s\":%.6f,\"rec_per_s\":%.1f,\"mb_per_s\":%.3f",
           p->records, t->ok, p->failed, p->unknown, wall_s, per_s,
           per_s * (double)job->record_size / MB);
    printf(",\"user_s\":%.6f,\"sys_s\":%.6f,\"cpu_ns_per_record\":%.2f,\"max_rss_kb\":%" PRIu64,
           (double)p->user_us / 1e6, (double)p->sys_us / 1e6,
           (double)(p->user_us + p->sys_us) * 1e3 / (double)p->records, p->max_rss_kb);
    printf(",\"p50_ms\":%.3f,\"p95_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"max_ms\":%.3f",
           ms_at(h, 500000), ms_at(h, 950000), ms_at(h, 990000), ms_at(h, 999000),
           (double)h->max / 1e3);
    if (job->rate > 0) {
        const kl_histogram *i = &t->timed.intended;
        printf(",\"intended_p50_ms\":%.3f,\"intended_p99_ms\":%.3f,\"intended_max_ms\":%.3f",
               ms_at(i, 500000), ms_at(i, 990000), (double)i->max / 1e3);
    }
    printf(",\"threads\":%" PRIu64 ",\"vcsw\":%" PRIu64 ",\"ivcsw\":%" PRIu64
           ",\"client\":\"%s\",\"version\":\"%s\"}\n",
           p->threads, p->vcsw, p->ivcsw, client, version);
    return t->ok == job->record_count ? 0 : 1;
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* Differences of counts over differences of times. See recent_rate.h. */
#include "cli/recent_rate.h"

#define SECOND_NS UINT64_C(1000000000)
/* How many seconds say how fast the whole is done. */
#define STEADY_SECONDS 10

static const kl_recent_look *newest(const kl_recent_rate *r)
{
    return &r->looks[(r->look_count - 1) % KL_RECENT_LOOKS];
}

/* The newest that is a second older than the last one, or the oldest there is. */
static const kl_recent_look *a_second_ago(const kl_recent_rate *r)
{
    size_t kept = r->look_count < KL_RECENT_LOOKS ? r->look_count : KL_RECENT_LOOKS;
    const kl_recent_look *look = newest(r);
    uint64_t now_ns = look->at_ns;
    for (size_t back = 1; back < kept && now_ns - look->at_ns < SECOND_NS; back++)
        look = &r->looks[(r->look_count - 1 - back) % KL_RECENT_LOOKS];
    return look;
}

static double per_second(uint64_t from, uint64_t to, uint64_t ns)
{
    return ns && to > from ? (double)(to - from) * 1e9 / (double)ns : 0;
}

/* A run that stood still for some seconds has as many of them. */
static void close_seconds(kl_recent_rate *r, const kl_recent_look *now)
{
    uint64_t ns = now->at_ns - r->second.at_ns;
    uint64_t seconds = ns / SECOND_NS;
    double counts = per_second(r->second.count, now->count, ns);
    double part = per_second(r->second.part, now->part, ns);
    if (seconds == 0)
        return;
    for (uint64_t i = 0; i < seconds && i < KL_RECENT_SECONDS; i++) {
        r->history[r->second_count % KL_RECENT_SECONDS] = counts;
        r->part_history[r->second_count % KL_RECENT_SECONDS] = part;
        r->second_count++;
    }
    r->second = *now;
}

void kl_recent_rate_look(kl_recent_rate *r, const kl_recent_look *look)
{
    if (r->look_count == 0)
        r->first = r->second = *look;
    r->looks[r->look_count++ % KL_RECENT_LOOKS] = *look;
    close_seconds(r, look);
}

double kl_recent_rate_counts(const kl_recent_rate *r)
{
    if (r->look_count == 0)
        return 0;
    const kl_recent_look *from = a_second_ago(r), *to = newest(r);
    return per_second(from->count, to->count, to->at_ns - from->at_ns);
}

double kl_recent_rate_bytes(const kl_recent_rate *r)
{
    if (r->look_count == 0)
        return 0;
    const kl_recent_look *from = a_second_ago(r), *to = newest(r);
    return per_second(from->bytes, to->bytes, to->at_ns - from->at_ns);
}

double kl_recent_rate_mean(const kl_recent_rate *r)
{
    if (r->look_count == 0)
        return 0;
    return per_second(r->first.count, newest(r)->count, newest(r)->at_ns - r->first.at_ns);
}

double kl_recent_rate_mean_bytes(const kl_recent_rate *r)
{
    if (r->look_count == 0)
        return 0;
    return per_second(r->first.bytes, newest(r)->bytes, newest(r)->at_ns - r->first.at_ns);
}

double kl_recent_rate_left_s(const kl_recent_rate *r, uint64_t part, uint64_t whole)
{
    size_t n = r->second_count < STEADY_SECONDS ? r->second_count : STEADY_SECONDS;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += r->part_history[(r->second_count - 1 - i) % KL_RECENT_SECONDS];
    if (sum <= 0 || part >= whole)
        return part >= whole ? 0 : -1;
    return (double)(whole - part) * (double)n / sum;
}

size_t kl_recent_rate_history(const kl_recent_rate *r, double *counts, size_t max)
{
    size_t n = r->second_count < KL_RECENT_SECONDS ? r->second_count : KL_RECENT_SECONDS;
    if (n > max)
        n = max;
    for (size_t i = 0; i < n; i++)
        counts[i] = r->history[(r->second_count - n + i) % KL_RECENT_SECONDS];
    return n;
}

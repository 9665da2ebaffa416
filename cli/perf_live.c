/* SPDX-License-Identifier: BSD-2-Clause */
/* States of a histogram, some seconds apart. See perf_live.h. */
#include "cli/perf_live.h"

#define KEEP_NS UINT64_C(5000000000)

void kl_perf_live_latency(kl_perf_live *l, const kl_histogram *h, uint64_t now_ns,
                          kl_live_figures *figures)
{
    if (l->kept_ns == 0)
        l->kept_ns = now_ns;
    if (now_ns - l->kept_ns >= KEEP_NS) {
        l->earlier[0] = l->earlier[1];
        l->earlier[1] = *h;
        l->kept_ns = now_ns;
    }
    if (h->count == l->earlier[0].count)
        return;
    figures->p50_us = kl_histogram_at_since(h, &l->earlier[0], 500000);
    figures->p99_us = kl_histogram_at_since(h, &l->earlier[0], 990000);
}

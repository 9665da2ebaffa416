/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the live line of `kloop perf` shows of latency: that of the last five to ten seconds, as the
 * difference of two states of the histogram of the whole run.
 *
 * A plain value, all zero at first; nothing is owned, nothing fails.
 */
#ifndef KL_CLI_PERF_LIVE_H
#define KL_CLI_PERF_LIVE_H

#include "cli/histogram.h"
#include "cli/live_text.h"

typedef struct kl_perf_live {
    kl_histogram earlier[2]; /* older one first */
    uint64_t kept_ns;        /* when the newer one was kept */
} kl_perf_live;

/* The percentiles of late of h, into figures. */
void kl_perf_live_latency(kl_perf_live *l, const kl_histogram *h, uint64_t now_ns,
                          kl_live_figures *figures);

#endif

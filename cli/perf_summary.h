/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of `kloop perf` for people: what was delivered, in which batches, through which brokers,
 * and how latency was distributed. Below the lines of Kafka's tool, which are in perf_report.h.
 *
 * Nothing is owned, nothing fails; printing is looked at by who called, with ferror().
 */
#ifndef KL_CLI_PERF_SUMMARY_H
#define KL_CLI_PERF_SUMMARY_H

#include "cli/perf_report.h"
#include "cli/terminal.h"

#include <kloop/stats.h>

/* end: taken when the producer was closed; NULL: it could not be. */
void kl_perf_print_summary(const kl_perf_stats *s, const kloop_snapshot *end, uint64_t records,
                           FILE *to);

/* A row for each span of latencies, as wide as it is frequent, for this terminal; coloured if it is
 * one. */
void kl_perf_print_histogram(const kl_histogram *h, const kl_terminal *terminal, FILE *to);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The figures of `kloop perf` and the lines they become: those of kafka-producer-perf-test, to the
 * letter, and ours beside them.
 *
 * A kl_perf_stats is a plain value, all zero at first but for its times; nothing is owned. Printing
 * to stdout is looked at by who called, with ferror().
 */
#ifndef KL_CLI_PERF_REPORT_H
#define KL_CLI_PERF_REPORT_H

#include "cli/histogram.h"

#include <stdbool.h>
#include <stdio.h>

/* Acknowledged records of a span of time. */
typedef struct kl_perf_window {
    uint64_t start_ns;
    uint64_t count;
    uint64_t bytes;
    uint64_t latency_us; /* the sum */
    uint64_t latency_max_us;
} kl_perf_window;

/* Of the whole run, or of its steady state. */
typedef struct kl_perf_stats {
    uint64_t start_ns;
    uint64_t end_ns; /* of the last acknowledgement */
    uint64_t bytes;
    kl_histogram latency;  /* us, from the sending of each record that was acknowledged */
    kl_histogram intended; /* the same from when it should have been sent */
    kl_perf_window window;
} kl_perf_stats;

void kl_perf_stats_start(kl_perf_stats *s, uint64_t now_ns);
/* count records of this latency were acknowledged. */
void kl_perf_stats_add(kl_perf_stats *s, uint64_t latency_us, uint64_t lag_us, uint64_t count,
                       uint64_t bytes, uint64_t now_ns);

/* The line of an interval; a new one begins. */
void kl_perf_print_window(kl_perf_stats *s, uint64_t now_ns, FILE *to);
/* The line of the end; what is "" or " steady state". */
void kl_perf_print_total(const kl_perf_stats *s, const char *what, FILE *to);
/* Percentiles in microseconds; with intended those from the intended time, too. */
void kl_perf_print_percentiles(const kl_perf_stats *s, bool intended, FILE *to);

/* What --json tells beside the statistics. */
typedef struct kl_perf_process {
    uint64_t records;
    uint64_t failed;
    uint64_t unknown;
    uint64_t user_us;
    uint64_t sys_us;
    uint64_t max_rss_kb;
    uint64_t threads;
    uint64_t vcsw;
    uint64_t ivcsw;
    uint64_t loop_hold_max_ns;
    uint64_t cpu_hold_max_ns; /* 0: not measured, and not told */
} kl_perf_process;

/* The object, on one line. */
void kl_perf_print_json(const kl_perf_stats *s, const kl_perf_process *p, bool intended, FILE *to);

/* How many threads this process has now, 0 if the system does not tell. */
uint64_t kl_perf_threads(void);
/* CPU time, memory and context switches of this process until now. */
void kl_perf_process_usage(kl_perf_process *p);

#endif

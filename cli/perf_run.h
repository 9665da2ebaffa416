/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run of `kloop perf`: a producer on a loop of its own, fed as fast as it takes records or at a
 * fixed rate, until all are reported or a signal ends it.
 *
 * What is asked for and what comes out are plain structs of the caller's.
 */
#ifndef KL_CLI_PERF_RUN_H
#define KL_CLI_PERF_RUN_H

#include "cli/failure_tally.h"
#include "cli/perf_keys.h"
#include "cli/perf_payload.h"
#include "cli/perf_report.h"
#include "cli/stats_file.h"
#include "cli/terminal.h"
#include "cli/trace_file.h"

#include <kloop/config.h>
#include <kloop/stats.h>

typedef struct kl_perf_job {
    /* Deleted, and NULL, once the producer has what it needs: secrets are in it. */
    kloop_config **config;
    const char *topic;
    kl_perf_payload *payload;
    kl_perf_keys *keys;
    uint64_t record_count;
    double rate; /* records a second; 0: as fast as it goes */
    uint64_t warmup_count;
    uint64_t interval_ms;
    bool quiet;
    kl_progress progress;
    kl_stats_file *stats; /* open */
    kl_trace_file *trace; /* NULL: none */
    bool cpu_hold;        /* measure how long a turn of the loop is held in CPU time, too */
} kl_perf_job;

typedef struct kl_perf_result {
    kl_perf_stats all;
    kl_perf_stats steady; /* when there was a warm-up */
    bool reached_steady;
    kl_failure_tally failures;
    kloop_stats producer;
    bool ever_let_in;    /* was any broker ever reached, and told of its cluster? */
    kloop_snapshot *end; /* the caller's; NULL: there was no memory for it */
    uint64_t loop_hold_max_ns;
    uint64_t cpu_hold_max_ns; /* 0: not measured */
    uint64_t threads;
    int signal; /* that ended it; 0: none */
    bool fatal; /* the producer could not go on */
} kl_perf_result;

/* Prints interval lines to stdout and sentences to stderr. false: the producer could not be opened,
 * which was said. */
bool kl_perf_run(const kl_perf_job *job, kl_perf_result *result);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What became of the records of a program of this folder, and the line that tells it: the one of
 * `kloop perf --json`, made by the same histogram and the same reading of the process, with the
 * client's name and version behind it.
 *
 * The first record is delivered before the clock starts, so that connecting and the producer id are
 * in nobody's rate or latency; it does count as a record, and its CPU time as the process's. At
 * full speed the first record of each group is timed and stands for the others; at a rate all are.
 *
 * A record's stamp travels in its user pointer: NULL for one that is not timed.
 *
 * A plain value, all zero at first; nothing is owned, nothing fails. One thread at a time.
 */
#ifndef KL_BENCH_PEER_TALLY_H
#define KL_BENCH_PEER_TALLY_H

#include "bench/peers/peer_job.h"

#include "cli/perf_report.h"

typedef struct peer_tally {
    kl_perf_stats timed;
    kl_perf_process process; /* records, failed, unknown and threads are counted here */
    uint64_t ok;
    uint64_t record_count; /* when so many have ended, the time is taken */
} peer_tally;

uint64_t peer_clock_ns(void);

/* The clock starts. */
void peer_tally_start(peer_tally *t, const peer_job *job, uint64_t now_ns);
/* Of a record that is sent at now_ns and was due at due_ns. */
void *peer_tally_stamp(const peer_tally *t, uint64_t now_ns, uint64_t due_ns);

void peer_tally_acked(peer_tally *t, const void *stamp);
/* unknown: it may be stored all the same. The first one's reason goes to stderr. */
void peer_tally_lost(peer_tally *t, bool unknown, const char *why);

/* How many threads there are now; the most is kept. */
void peer_tally_threads(peer_tally *t);

/* The line, on stdout. Answers the exit code: 0 when all records were delivered. */
int peer_tally_print(peer_tally *t, const peer_job *job, const char *client, const char *version);

#endif

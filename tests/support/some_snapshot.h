/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot with something in every place, made by hand, for those who write it down. Plain
 * values: nothing is owned.
 */
#ifndef KL_TESTS_SOME_SNAPSHOT_H
#define KL_TESTS_SOME_SNAPSHOT_H

#include <kloop/stats.h>

#include <stdbool.h>

typedef struct kl_some_snapshot {
    kloop_snapshot is;
    kloop_broker_stats brokers[3];
    kloop_topic_stats topics[3];
    kloop_partition_stats partitions[5];
    kloop_histogram age_us, batch_bytes, batch_records;
    kloop_histogram rtt_us, write_us, wait_us, throttle_us;
} kl_some_snapshot;

/* Names with all that text formats trip over. */
void kl_some_snapshot_make(kl_some_snapshot *s);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is really in the logs of a model cluster, for those who check a producer.
 *
 * Everything is a view of the cluster's own and good until the next call that changes it. Nothing
 * fails; handles, partitions and nodes that do not exist are asserted.
 */
#ifndef KL_BROKER_TRUTH_H
#define KL_BROKER_TRUTH_H

#include "broker/cluster.h"

typedef struct kl_topic_info {
    kloop_string name;
    kloop_uuid id;
    int32_t partitions;
    bool deleted;
} kl_topic_info;

/* All that ever were: handles 0 to count - 1. */
int32_t kl_cluster_topic_count(const kl_cluster *c);
void kl_cluster_topic_info(const kl_cluster *c, int32_t topic, kl_topic_info *info);

typedef struct kl_partition_info {
    int32_t leader; /* KL_NO_NODE: none. Then the rest is that of the last leader's log. */
    int32_t leader_epoch;
    const int32_t *replicas;
    int32_t replica_count;
    const int32_t *isr;
    int32_t isr_count;
    int64_t next_offset;
    int64_t high_watermark;
    uint64_t records; /* in the log; when discarding, all that were ever appended */
    uint64_t bytes;
    uint64_t batches;
} kl_partition_info;

void kl_cluster_partition_info(const kl_cluster *c, int32_t topic, int32_t partition,
                               kl_partition_info *info);

/* The log of a replica; KL_NO_NODE: of the leader, or of the last one. Empty when discarding. */
size_t kl_cluster_log_count(const kl_cluster *c, int32_t topic, int32_t partition, int32_t node_id);
const kl_stored_batch *kl_cluster_log_at(const kl_cluster *c, int32_t topic, int32_t partition,
                                         int32_t node_id, size_t index);

typedef struct kl_cluster_totals {
    uint64_t peers;        /* ever opened */
    uint64_t requests;     /* frames received in full */
    uint64_t batches;      /* appended by a leader */
    uint64_t duplicates;   /* batches that were there already, answered with success */
    uint64_t refused;      /* batches answered with an error and not appended */
    uint64_t no_memory;    /* connections ended and batches refused for want of memory */
    uint64_t unclean;      /* elections of a replica outside the ISR */
    uint64_t lost_batches; /* dropped by the last replica that had them */
} kl_cluster_totals;

kl_cluster_totals kl_cluster_count(const kl_cluster *c);

/* ---- Complaints ---- */

/* How many there were of a kind. Their texts are kept up to KL_COMPLAINTS_MAX over all kinds. */
#define KL_COMPLAINTS_MAX 256

uint64_t kl_cluster_complaints(const kl_cluster *c, kl_complaint_kind kind);
/* The kept ones, oldest first; NULL behind the last. kind may be NULL. */
const char *kl_cluster_complaint(const kl_cluster *c, size_t index, kl_complaint_kind *kind);

#endif

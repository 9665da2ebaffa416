/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leaders and followers: how the replicas of a partition become alike, how far they are, and who
 * waits for that.
 *
 *     leader:    [.....................|.....]      next_offset
 *                           high watermark: what all of the ISR have; acks=all waits for it
 *     follower:  [.......................]          copies, when it is up and not stalled and both
 *                                                   sides believe in the same leader epoch
 *
 * Who leads is not a property of a replica: it follows from what its broker believes. A broker with
 * an old view goes on as the leader of an old epoch; nobody follows it, so its high watermark
 * stands still unless it is the whole ISR in its own eyes. When it learns the truth, its log is cut
 * down to what it shares with the new leader's.
 *
 * For files of broker/ only. Nothing fails: a follower for which there is no memory tries again
 * later.
 */
#ifndef KL_BROKER_REPLICATION_H
#define KL_BROKER_REPLICATION_H

#include "broker/cluster_parts.h"

/* Whether the replica's broker is up and takes itself for the leader; *epoch is the one it thinks
 * of. epoch may be NULL. */
bool kl_replica_leads(const kl_cluster *c, const kl_replica *r, int32_t *epoch);

/* The replicas that the ISR must have, in the eyes of the leader's broker; *isr_count is how many
 * it has. */
int32_t kl_replica_min_isr(const kl_cluster *c, const kl_replica *leader, int32_t *isr_count);

/* The leader has appended: followers come, now or after the delay. */
void kl_replication_appended(kl_cluster *c, kl_replica *leader);

/* Something about the partition is not as it was: the leader, the ISR, a broker. */
void kl_replication_changed(kl_cluster *c, kl_partition *p);
/* The same for all partitions of which the node has a replica. */
void kl_replication_node_changed(kl_cluster *c, const kl_node *node);

/* The follower copies all that the true leader has, whatever hinders it. false: no memory. */
bool kl_replication_catch_up(kl_cluster *c, kl_replica *follower);
/* Tries the same as it would by itself, without delay. Answers whether it has all that the leader
 * has. */
bool kl_replication_try(kl_cluster *c, kl_replica *follower);

void kl_replica_on_timer(kl_cluster *c, kl_replica *follower);

#endif

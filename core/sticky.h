/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The choice of partitions that depends on the world: which one records without a key go to now,
 * whose turn it is, and which brokers take nothing.
 *
 *     sticky        stays until at least 16 KiB of batches were closed there (readiness.c), then
 *                   another is drawn; where fewer batches wait, with a higher chance (KIP-794)
 *     random        drawn for each record, all alike
 *     round robin   one after the other
 *
 * Each among the partitions that have a leader, or among all when none has. Where
 * partitioner.availability.timeout.ms is set, the sticky one keeps away from partitions whose
 * leader had something to take for so long and took nothing, unless no others are left.
 *
 * Nothing is looked through for a record or a batch: a topic that needs it has a tree
 * (sticky_tree.h), made when a partition is first drawn, and told of each change. It costs 8 bytes
 * for each partition. It is made anew in one pass, at the next draw, when a broker stops taking, or
 * takes again, or when the topic has grown. Without memory for it all partitions are alike.
 */
#ifndef KL_CORE_STICKY_H
#define KL_CORE_STICKY_H

#include "core/engine_state.h"
#include "core/sticky_tree.h"

/* From now on t's records go where this says. */
void kl_sticky_set_partitioning(kloop_engine *e, kloop_topic *t, const kl_partitioning *how);

/* The partitions of t are known: */
int32_t kl_sticky_partition(kloop_engine *e, kloop_topic *t);
int32_t kl_sticky_random(kloop_engine *e, kloop_topic *t);
int32_t kl_sticky_turn(kloop_engine *e, kloop_topic *t);

/* The tree of t is right no more, or there is no t any more. */
void kl_sticky_drop_tree(kloop_engine *e, kloop_topic *t);
/* Another number of batches is in p's line; a partition has or has not a leader. */
void kl_sticky_line_changed(kloop_engine *e, const kl_partition *p);
void kl_sticky_leader_changed(kloop_engine *e, kloop_topic *t, int32_t index);

/* ---- Brokers that take nothing ---- */

/* Has p something that its leader could take now? */
void kl_sticky_set_waits(kloop_engine *e, kl_partition *p, bool waits);
/* b was given a request that carries batches. */
void kl_sticky_took(kloop_engine *e, kl_broker *b);
/* Some may have taken nothing for too long. */
void kl_sticky_timer(kloop_engine *e);

#endif

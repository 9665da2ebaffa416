/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which partition may send something now, which must wait, and until when.
 *
 * The only place that puts partitions into the lists of their leaders and sets their timers. Called
 * for a partition after anything that may change the answer; partitions are scanned only when a new
 * producer id has come.
 */
#ifndef KL_CORE_READINESS_H
#define KL_CORE_READINESS_H

#include "core/engine_state.h"

/* Judges p anew. */
void kl_readiness_update(kloop_engine *e, kl_partition *p);

/* The oldest batch of p that is neither in flight nor settled; NULL: none. */
kl_batch *kl_readiness_next(const kl_partition *p);

/* May b, the next of p, leave now, as far as order, numbers and backoff go? Nothing is changed. */
bool kl_readiness_may_go(const kloop_engine *e, const kl_partition *p, const kl_batch *b);

/* No more records for the open batch of p, which has one: to the codec, or ready as it is. */
void kl_readiness_close_batch(kloop_engine *e, kl_partition *p);

/* All open batches are due: a flush, a close, memory is short. */
void kl_readiness_hurry(kloop_engine *e);

/* How long a batch may stay open when it cannot be sent. */
uint64_t kl_readiness_seal_after_ns(const kloop_engine *e);

#endif

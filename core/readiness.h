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
void kl_readiness_close_batch(kloop_engine *e, kl_partition *p, kloop_trace_seal why);

/* b takes no more records: statistics, and the choice of a partition for those without a key. */
void kl_readiness_count_closed(kloop_engine *e, const kl_batch *b);

/* All open batches become due: a flush, a close, memory is short. There may be very many, so it is
 * done in slices. */
void kl_readiness_hurry(kloop_engine *e);
/* The open batches of t are held against its settings and its ceiling anew, or become due, all in
 * slices as well. */
void kl_readiness_review(kloop_engine *e, kloop_topic *t, bool due);
/* One slice of all that, if the turn has work left for it; true: something was done. */
bool kl_readiness_step(kloop_engine *e);
static inline bool kl_readiness_has_steps(const kloop_engine *e)
{
    return !kl_list_is_empty(&e->hurried) || !kl_list_is_empty(&e->reviewed);
}

#endif

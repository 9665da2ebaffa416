/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of a topic whose partitions are not known yet.
 *
 * They wait, encoded in a form of their own, in batches that belong to the topic. When metadata
 * comes they are sent anew, in slices, so that a long queue does not hold the loop; what the user
 * sends meanwhile queues behind them. A parked batch has one deadline, the earlier of max.block.ms
 * and delivery.timeout.ms after its first record, and takes no more records when it is old, so that
 * none of them dies much too early because of an older neighbour.
 */
#ifndef KL_CORE_PARKING_H
#define KL_CORE_PARKING_H

#include "core/engine_state.h"

kloop_status kl_parking_add(kloop_engine *e, kloop_topic *t, const kloop_record *r,
                            int64_t timestamp_ms);
/* The same for a batch of so many records that was encoded elsewhere: the value of r. */
kloop_status kl_parking_add_whole(kloop_engine *e, kloop_topic *t, const kloop_record *r,
                                  uint32_t whole);
/* Some of t's records, if they can go on: what each send does while there is a line. */
void kl_parking_advance(kloop_engine *e, kloop_topic *t);
/* The partitions of t are known now. */
void kl_parking_open(kloop_engine *e, kloop_topic *t);
/* A slice of the records that can go on; true: something was done. */
bool kl_parking_step(kloop_engine *e);
/* Memory was given back: what waited for it may go on. */
void kl_parking_retry(kloop_engine *e);
/* The allocator may have memory again. */
void kl_parking_timer(kloop_engine *e);
/* The same as the first of these for t's share, which it has. */
void kl_parking_retry_share(kloop_engine *e, kloop_topic *t);
/* Nobody will ever know the partitions of t. */
void kl_parking_fail(kloop_engine *e, kloop_topic *t, int16_t broker_error, kloop_cause cause);
/* Nobody lets us in who could tell of topics' partitions. */
void kl_parking_shut_out(kloop_engine *e, int16_t broker_error);
/* b, which is parked, was settled and left the line. */
void kl_parking_forget(kloop_engine *e, kl_batch *b);
/* All those of t have left that were given up, and what they kept waiting may go on. */
void kl_parking_go_on(kloop_engine *e, kloop_topic *t);
/* Records of t that wait for its partitions, and are not settled. Looks at each parked batch. */
uint64_t kl_parking_count(const kloop_topic *t);

/* The time of b, a batch of any sort, is over, and so is that of others: if it is parked they come
 * first, for records that were moved out of it were sent before those that are left. true: its
 * timer is set again, behind them. */
bool kl_parking_yields(kloop_engine *e, kl_batch *b);

#endif

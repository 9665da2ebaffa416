/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Produce: batches into logs, and when that is answered.
 *
 * All partitions are judged and appended at once, in the order of the request. With acks=all the
 * answer then waits until each batch is below its leader's high watermark, the leader is lost, or
 * the request's timeout has passed; batches that were appended stay appended whatever is answered.
 *
 * For files of broker/ only. Fails: as requests do, see request.h; a batch for which there is no
 * memory is refused alone.
 */
#ifndef KL_BROKER_ANSWER_PRODUCE_H
#define KL_BROKER_ANSWER_PRODUCE_H

#include "broker/request.h"

typedef struct kl_produce kl_produce;

void kl_answer_produce(kl_request *r, const kloop_produce_request *q);

/* The request's timeout has passed. */
void kl_produce_on_timeout(kl_produce *produce);
/* Nobody waits any more. */
void kl_produce_forget(kl_produce *produce);

/* The leader's high watermark or its ISR may have changed. */
void kl_produce_on_watermark(kl_cluster *c, kl_replica *leader);
/* The replica's broker leads the partition no longer, or is dead. */
void kl_produce_on_leader_lost(kl_cluster *c, kl_replica *replica);

#endif

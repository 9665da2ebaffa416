/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One batch of a Produce request into the log of one partition, as the leader does it: is this the
 * leader, are there enough replicas, is the batch sound, is it the producer's next one; and then it
 * is in the log.
 *
 * For files of broker/ only. Fails: without memory the batch is not appended, and the answer is
 * UNKNOWN_SERVER_ERROR.
 */
#ifndef KL_BROKER_APPEND_H
#define KL_BROKER_APPEND_H

#include "broker/request.h"

/* Judges and appends. Fills in all of answer but its index; answers the replica that has it now if
 * the batch is in the log (also if it was there before), else NULL. */
kl_replica *kl_append(kl_request *r, kl_partition *p, kloop_slice batch, int16_t acks,
                      kloop_produce_partition_response *answer);

/* An answer that tells an error and nothing else. */
void kl_append_refused(kloop_produce_partition_response *answer, int16_t error_code);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who leads a partition, as a broker says that has refused a batch because it is not he.
 *
 * From version 10 of Produce on, such an answer may name the leader and its epoch, and where that
 * broker is. It saves the question to Metadata, which is asked all the same: a hint is merged into
 * what is known, and only if it is newer.
 *
 * - The epoch is higher than the one known, and the broker is known or was named with its place:
 *   the partition has that leader from now on, and the batch goes there at once.
 * - A broker that Metadata tells of stays where Metadata has put it.
 * - A broker that nobody knew of is met once in a second at most, and not where there is another.
 * - Another hint for the partition within a second, as from brokers that name each other for ever,
 *   is followed; but the batch waits for the end of its backoff.
 *
 * Owns nothing. No memory for a broker: as if there had been no hint.
 */
#ifndef KL_CORE_LEADER_HINTS_H
#define KL_CORE_LEADER_HINTS_H

#include "core/engine_state.h"

/* What came on c for a batch of p, which was told already; endpoints as in the response. */
void kl_leader_hints_take(kloop_engine *e, const kl_conn *c, kl_partition *p,
                          const kloop_produce_partition_response *answer,
                          const kloop_array *endpoints);

#endif

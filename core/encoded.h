/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Batches that were encoded elsewhere and are passed through: kloop_engine_send_batch().
 *
 * In the line of a partition such a batch is like all others, READY from the beginning: it is
 * numbered, sent, retried and settled like them. But it has one user for all of its records, and is
 * never taken apart: not split, and not rid of single records.
 *
 * Fails: as a send does, and nothing is kept then.
 */
#ifndef KL_CORE_ENCODED_H
#define KL_CORE_ENCODED_H

#include "core/engine_state.h"

/*
 * Into the line of p. r has the bytes, which were checked, as its value, and user, lender, chunk
 * and the bits that belong to them. With admit, buffer.memory is looked at.
 */
kloop_status kl_encoded_add(kloop_engine *e, kl_partition *p, const kloop_record *r,
                            uint64_t created_ns, bool admit);

#endif

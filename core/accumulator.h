/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records into batches: the way of each record from the user's memory into a segment, which is its
 * only copy before the kernel's.
 *
 * The common case (an open batch with room in its segments) knows no list, no timer, no clock and
 * no memory to be asked for. Everything else happens once for a batch or a segment.
 */
#ifndef KL_CORE_ACCUMULATOR_H
#define KL_CORE_ACCUMULATOR_H

#include "core/engine_state.h"

/*
 * Appends the record to p's open batch, or to a new one that counts as created at created_ns. With
 * admit, buffer.memory is looked at (KLOOP_FULL). Else KLOOP_OK, KLOOP_TOO_LARGE or
 * KLOOP_NO_MEMORY; nothing is kept then.
 */
kloop_status kl_accumulator_add(kloop_engine *e, kl_partition *p, const kloop_record *r,
                                int64_t timestamp_ms, uint64_t created_ns, bool admit);

/* b, which is new, stands last in the line of its partition from now on. */
void kl_accumulator_line_up(kloop_engine *e, kl_batch *b, uint64_t created_ns);

/* Which partition of t, whose partitions are known, the record goes to; -1: it names one that is
 * not there. */
int32_t kl_accumulator_choose(kloop_engine *e, kloop_topic *t, const kloop_record *r);

/* The same whatever is known of t, whose parked records go on meanwhile: *partition is -1 where the
 * record has to wait behind those. KLOOP_OK or KLOOP_BAD_PARTITION. */
kloop_status kl_accumulator_route(kloop_engine *e, kloop_topic *t, const kloop_record *r,
                                  int32_t *partition);

/* KLOOP_OK, or what is wrong with the record, whatever its topic. */
kloop_status kl_accumulator_check(const kloop_record *r);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A topic that was deleted and made anew under the same name, as its other id tells, and what that
 * means for the numbers of its partitions, idle ones too.
 *
 * The new log counts nothing of ours yet, so it takes any first number; and a number that was given
 * for the old log may be taken for a repetition of what stands in the new one. Therefore:
 *
 * - Numbers begin at 0 under a newer epoch, once nothing is in flight any more.
 * - One batch at a time, until the new log has acked something. Answers to what left before say
 *   nothing about it.
 * - Batches of doubtful fate that stand first go again under their old numbers, in their order. If
 *   requests name ids, they cannot be in the new log, which takes them as its first. If requests
 *   name the topic they can, and then the log knows them by these numbers.
 * - If requests name the topic, one of doubtful fate behind one that is surely not stored is
 *   reported as unknown: elsewhere the gap before it proves that it is not stored either, but a log
 *   without a count may have taken it as its first.
 *
 * Without idempotence nothing of this matters. Owns nothing, cannot fail.
 */
#ifndef KL_CORE_REBIRTH_H
#define KL_CORE_REBIRTH_H

#include "core/engine_state.h"

/* t has its other id now. */
void kl_rebirth_of_topic(kloop_engine *e, kloop_topic *t);
/* t has no id any more, because it was refused and nobody tells another: it goes by its name, which
 * may be that of a new log. */
void kl_rebirth_by_name(kloop_engine *e, kloop_topic *t);
/* b, the next of p, is in flight now, in a request that names the topic or its id. */
void kl_rebirth_left(kl_partition *p, const kl_batch *b, bool by_name);
/* Of what was in flight in p then, the last one is answered or lost. */
void kl_rebirth_landed(kloop_engine *e, kl_partition *p);

#endif

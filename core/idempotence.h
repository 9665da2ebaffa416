/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Producer id, epoch and sequence numbers: what lets a broker tell a retry from a new batch, and
 * refuse what would be out of order.
 *
 * A broker counts for each producer id and partition. So a partition of ours has its own numbers:
 * id, epoch and the next sequence. The engine has one id and one epoch, the newest.
 *
 * - A batch is numbered when it first leaves. It keeps these numbers as long as some attempt of it
 *   may have been stored: only under them does the broker know it again.
 * - When a numbered batch is given up, its numbers are a hole, and the broker refuses all that
 *   follows. Then the epoch is bumped, here alone, without a question to anybody; the partition
 *   takes the new one, from sequence 0, as soon as nothing of it is in flight any more and no batch
 *   of doubtful fate stands first. Batches that were proved not to be stored are numbered anew.
 * - Other partitions go on as they are, and take the newest epoch when nothing of theirs is in
 *   flight. One request may carry several epochs.
 */
#ifndef KL_CORE_IDEMPOTENCE_H
#define KL_CORE_IDEMPOTENCE_H

#include "core/engine_state.h"

/* A producer id is needed. */
void kl_idempotence_want(kloop_engine *e);
/* Asks for one if it is needed and possible now; true: something was done. */
bool kl_idempotence_step(kloop_engine *e);
bool kl_idempotence_step_due(const kloop_engine *e);

/* Could b, the next of p, have numbers now? */
bool kl_idempotence_may_number(const kloop_engine *e, const kl_partition *p, const kl_batch *b);
/* Gives them; may_number was asked. */
void kl_idempotence_number(kloop_engine *e, kl_partition *p, kl_batch *b);
/* Numbers of p were given up. */
void kl_idempotence_hole(kloop_engine *e, kl_partition *p);

/*
 * The count of p is about to be forgotten, while its broker remembers it: nothing may ever begin at
 * 0 under the same epoch again, for the broker would take it for a repetition. Nothing of p is in
 * flight or waits.
 */
void kl_idempotence_forget(kloop_engine *e, const kl_partition *p);

#endif

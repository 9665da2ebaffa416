/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Batches that cannot stay as they are: one that is too large for its broker is put into smaller
 * ones, and one of which a broker has refused some records goes on without them. Only where it is
 * sure that no attempt has stored it. And one that is folded with what its leader does not take is
 * unfolded: it keeps its records and its numbers, so it is the same batch to any broker.
 *
 *     READY --begin--> RESHAPING --unfolded, records moved, in slices--> its place is taken by
 *                          |                                             others, all at once
 *                          +-- no memory: READY again, and once more after a pause
 *                          +-- its own bytes are corrupt: given up
 *                          +-- time is over, closed ...: settled as it is
 *
 * Meanwhile the batch keeps its place in the line, and what is behind it waits. Others get its
 * records in new segments, its users, its age and its deadline. If it was numbered and its
 * partition has no hole, wherever in the line, they get its numbers too, one after the other: to
 * the broker they are new batches that fit into the gap. Where records are left out its numbers are
 * a hole, and all that follows waits for a new epoch (idempotence.h). It goes on living as a husk
 * while requests show its bytes.
 *
 * One batch at a time is worked at, and what it became of a folded one goes through the codec
 * before the next one is begun. So all this takes two batches beside the one itself, whatever is
 * held: its records once more as they are without a codec, and once more in the segments of the
 * others.
 *
 * Who owns what: e->reshape has the children until they are in the line.
 */
#ifndef KL_CORE_RESHAPE_H
#define KL_CORE_RESHAPE_H

#include "core/engine_state.h"

void kl_reshape_init(kloop_engine *e);
void kl_reshape_deinit(kloop_engine *e);

/* b is READY, has more than one record, and is surely not stored: into pieces of half its size or
 * less, but for a single record that is larger. */
void kl_reshape_split(kloop_engine *e, kl_batch *b);
/* b is READY, surely not stored, and of its records some, but not all, are listed as refused: those
 * are left out. */
void kl_reshape_purify(kloop_engine *e, kl_batch *b);
/* b is READY and folded: it is to be folded with something else. Whatever became of its attempts.
 */
void kl_reshape_refold(kloop_engine *e, kl_batch *b);
/* Some work, if the turn has some left; true: something was done. */
bool kl_reshape_step(kloop_engine *e);
/* Takes back a batch that is RESHAPING; it is as it was. */
void kl_reshape_forget(kloop_engine *e, kl_batch *b);

#endif

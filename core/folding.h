/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Closed batches through the codec, one after the other, in bounded steps.
 *
 * Each batch with the codec that its topic and its leader agree on (codec_choice.h), all with the
 * same few compressors (compressors.h). One that the codec refuses, or that does not get smaller,
 * goes out as it is. What is not done within a turn goes on in the next one: the deadline
 * is then now.
 */
#ifndef KL_CORE_FOLDING_H
#define KL_CORE_FOLDING_H

#include "core/engine_state.h"

/* Takes a batch that was open. It becomes READY by and by, or at once when nothing is to be done.
 */
void kl_folding_begin(kloop_engine *e, kl_batch *b);
/* Some steps, if the turn has work left for them; true: something was done. */
bool kl_folding_step(kloop_engine *e);
/* Takes back a batch that is FOLDING; it is as it was. */
void kl_folding_forget(kloop_engine *e, kl_batch *b);

#endif

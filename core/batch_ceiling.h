/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How large the batches of a topic may become: batch.size, or less where a broker has refused that.
 *
 * A refusal halves what was refused, for all batches of the topic that are begun from then on.
 * Brokers count bytes behind the codec and records are counted before it, so nothing is known but
 * that; and nobody tells when a limit was lifted. So the ceiling rises by an eighth each time that
 * a number of batches close to it were stored, until it is at batch.size again or meets a refusal.
 *
 * What is no smaller on the wire than one that was refused is split before it is sent, and lowers
 * the ceiling like a refusal. Else, where bytes were refused that a codec had made of many, batches
 * that it makes little of would be split for ever, each a number of times.
 *
 * The numbers are in kloop_topic. Nothing is owned, nothing fails.
 */
#ifndef KL_CORE_BATCH_CEILING_H
#define KL_CORE_BATCH_CEILING_H

#include "core/engine_state.h"

/* b, of more than one record, was too large for a broker. */
void kl_batch_ceiling_refused(kloop_engine *e, const kl_batch *b);
/* b, whose payload is still there, was not. */
void kl_batch_ceiling_stored(const kl_batch *b);
/* Was something that is no larger than b refused, and can b be split? Then to send it would be a
 * waste. */
bool kl_batch_ceiling_forbids(const kl_batch *b);
/* b, to which that was said, is about to be split. */
void kl_batch_ceiling_forbade(kloop_engine *e, const kl_batch *b);

#endif

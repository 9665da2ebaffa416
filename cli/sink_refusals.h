/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Batches that a sink refuses because it was told to: which errors, how often, and what follows for
 * the batches of the same producer that come behind a refused one.
 *
 *     CODE@RATE decides by chance, for each batch anew, from a seed that is always the same.
 *
 * A batch with a sequence is part of a row. When one is refused, those of the same producer behind
 * it are answered OUT_OF_ORDER_SEQUENCE_NUMBER until it has come again, as by a broker that knows
 * the producer. A broker that does not would take the next one for the first, and the refused one
 * could never be stored: producers that have several batches under way from the start (Java's,
 * franz-go's) would wait for it until its time is over. A real broker that is not the leader
 * refuses them all, so they never meet that.
 *
 * Owns its memory of refused batches: the latest 4,096. Fails: only _new, and words that make no
 * sense.
 */
#ifndef KL_CLI_SINK_REFUSALS_H
#define KL_CLI_SINK_REFUSALS_H

#include <kloop/batch.h>

#include <stdint.h>

typedef struct kl_sink_refusals kl_sink_refusals;

/* NULL: no memory. */
kl_sink_refusals *kl_sink_refusals_new(void);
/* r may be NULL. */
void kl_sink_refusals_del(kl_sink_refusals *r);

/* One more: "NOT_LEADER_OR_FOLLOWER@0.01" or "19@5%". NULL, or why not. */
const char *kl_sink_refusals_add(kl_sink_refusals *r, const char *words);

/* What a batch is answered; 0: it is judged and stored as any other. header may be NULL: there is
 * no batch in the request. */
int16_t kl_sink_refusals_judge(kl_sink_refusals *r, int32_t topic, int32_t partition,
                               const kloop_batch_header *header);

#endif

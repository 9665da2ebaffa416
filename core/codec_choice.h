/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which codec of compression.type a batch gets: the first that the leader of its partition takes.
 *
 *     closed --the leader's connection is ready: what that takes; else the first of the list-->
 * folded about to be sent, and the connection does not take it --> unfolded, and folded anew
 *     answered with UNSUPPORTED_COMPRESSION_TYPE --> the same, if the list has more
 *
 * A connection takes zstd when it has agreed on Produce 7 or newer, and nothing that its broker has
 * refused. Where nothing in the list fits, a batch waits for another leader, or for its time to be
 * over; and so does one that was encoded elsewhere, which is never taken apart.
 *
 * Nothing is owned, nothing fails.
 */
#ifndef KL_CORE_CODEC_CHOICE_H
#define KL_CORE_CODEC_CHOICE_H

#include "core/engine_state.h"

/* For a batch of p that is folded now. */
kl_codec_wanted kl_codec_choice_for(const kl_partition *p);

/* Would a batch of p be folded now? */
static inline bool kl_codec_choice_folds(const kl_partition *p)
{
    return p->topic->set->codecs[0].id != KL_CODEC_NONE &&
           kl_codec_choice_for(p).id != KL_CODEC_NONE;
}

/* May the bytes of b, which is ready, go over c? */
bool kl_codec_choice_fits(const kl_conn *c, const kl_batch *b);
/* b may not, over the connection of its leader: it becomes one that may, or is put off. */
void kl_codec_choice_mend(kloop_engine *e, kl_batch *b);
/* The broker at the end of c has refused what b is folded with. false: the list has nothing else
 * for it. */
bool kl_codec_choice_refused(kl_conn *c, const kl_batch *b);
/* What keeps b from being sent, if it is that its leader takes nothing of the list: true. */
bool kl_codec_choice_explain(const kl_batch *b, char *text, size_t size);

/* Has any topic something that goes with this version of Produce? */
bool kl_codec_choice_any(const kloop_engine *e, int16_t produce_version);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the cluster looks like: when to ask, and what an answer changes.
 *
 * A full request asks for all topics in use, a partial one for those of which nothing is known yet.
 * One is under way at a time. A new topic is asked for at once, also where others make all wait: 50
 * ms after the question before, unless that was in vain. Everything else keeps the distance of the
 * backoff, which grows as long as somebody goes on asking, whatever is answered: to its end
 * when answers tell nothing new, or none come, and not quite as far when they do.
 *
 * What is older than what is known is left out of an answer: a lower epoch of a leader, the id of a
 * topic that was made anew since, fewer partitions. Told five times in a row it is believed after
 * all, but for partitions whose known leader takes records. One of another cluster does not count.
 *
 * Whoever may be of another cluster is asked in turn with all others, until it has said.
 */
#ifndef KL_CORE_METADATA_H
#define KL_CORE_METADATA_H

#include "core/engine_state.h"

/* What is known is old. */
void kl_metadata_want(kloop_engine *e);
/* Nothing is known about t. */
void kl_metadata_want_topic(kloop_engine *e, kloop_topic *t);
/* Asks if it is due and possible; true: something was done. */
bool kl_metadata_step(kloop_engine *e);
bool kl_metadata_step_due(const kloop_engine *e);
void kl_metadata_timer(kloop_engine *e);

#endif

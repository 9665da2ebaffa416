/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the cluster looks like: when to ask, and what an answer changes.
 *
 * A full request asks for all topics in use, a partial one for those of which nothing is known yet.
 * One is under way at a time. A new topic is asked for at once; everything else keeps the distance
 * of the backoff, which grows as long as somebody goes on asking, whatever is answered: to its end
 * when answers tell nothing new, or none come, and not quite as far when they do.
 *
 * An answer never makes known what is older than what is known: a lower epoch of a leader, the id
 * of a topic that was made anew since. Nor does one of another cluster count.
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

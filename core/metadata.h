/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the cluster looks like: when to ask, and what an answer changes.
 *
 * A full request asks for all topics in use, a partial one for those of which nothing is known yet.
 * One is under way at a time. A new topic is asked for at once; everything else keeps the distance
 * of the backoff, also when answers come but tell nothing new.
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

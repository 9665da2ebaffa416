/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records that the user gives up.
 *
 * Nothing is undone: what was written to a connection stays written, and its answer is awaited as a
 * ghost's is. Owns nothing, cannot fail.
 */
#ifndef KL_CORE_PURGE_H
#define KL_CORE_PURGE_H

#include "core/engine_state.h"

/* See kloop_engine_purge(); t NULL: of all topics. Answers how many records. */
uint64_t kl_purge(kloop_engine *e, kloop_topic *t, unsigned what);

#endif

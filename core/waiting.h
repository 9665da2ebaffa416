/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What keeps records from leaving, as a kind and as a sentence. The order of the questions is that
 * of a batch's way: is there a partition, a leader, a connection, may it go, is it due, does the
 * broker take another request. Says what is so, decides nothing. Owns nothing, cannot fail.
 */
#ifndef KL_CORE_WAITING_H
#define KL_CORE_WAITING_H

#include "core/engine_state.h"

/* Of a partition that a record went to once. text may be NULL, with size 0. */
kloop_waiting kl_waiting_of_partition(const kloop_engine *e, const kl_partition *p, char *text,
                                      size_t size);

#endif

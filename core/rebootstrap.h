/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Beginning anew with bootstrap.servers (KIP-899, KIP-1102): what is known of the cluster leads
 * nowhere any more.
 *
 *     no known broker can be reached, and each has been tried          (nodes.c)
 *     questions for metadata have brought nothing for too long         (metadata.c)
 *     a broker asks for it: REBOOTSTRAP_REQUIRED                       (metadata.c, handshake.c)
 *         |
 *         v
 *     all nodes are forgotten, their connections closed; no partition has a leader;
 *     entries of bootstrap.servers are connected to by names that are resolved anew
 *
 * What was in flight counts as with any lost connection, and all records wait for the next answer.
 * What was learnt of topics stays: their partitions, epochs and numbers; and which cluster is ours.
 * Brokers keep their backoffs, so that beginning anew again and again knocks at nobody's door more
 * often. With metadata.recovery.strategy=none nothing of this ever happens.
 */
#ifndef KL_CORE_REBOOTSTRAP_H
#define KL_CORE_REBOOTSTRAP_H

#include "core/engine_state.h"

/* why: the beginning of a sentence for the log. */
void kl_rebootstrap(kloop_engine *e, const char *why);

#endif

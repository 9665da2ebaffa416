/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Produce requests: batches of many partitions of one leader together, and what comes of their
 * answers.
 *
 * A request goes out when something is due. It takes the oldest batch of every partition that is
 * ready, at most one of each, and then of those that could go along, up to request.bytes.max.
 * Topics that go by their ids and topics that go by their names have requests of their own.
 */
#ifndef KL_CORE_SENDER_H
#define KL_CORE_SENDER_H

#include "core/engine_state.h"

/* Does for b what can be done now: a connection, a request. */
void kl_sender_serve(kloop_engine *e, kl_broker *b);

#endif

/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handles: a slot and its generation, so that an event for something that is gone finds nothing.
 * The generation of a slot rises each time it is given back, and is never 0.
 */
#ifndef KL_CORE_SLOTS_H
#define KL_CORE_SLOTS_H

#include "core/engine_state.h"

/* One of the two is NULL. gen is 0 in the answer when there is no memory. */
kloop_id kl_slots_take(kloop_engine *e, kl_conn *conn, kl_broker *broker);
void kl_slots_give_back(kloop_engine *e, kloop_id id);
/* NULL when id is not, or no more, that of a connection or a resolution. */
kl_conn *kl_slots_conn(const kloop_engine *e, kloop_id id);
kl_broker *kl_slots_broker(const kloop_engine *e, kloop_id id);

#endif

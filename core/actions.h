/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the host is to do, as bits on connections and brokers that stand in a queue: nothing is
 * allocated, and nothing can be lost.
 */
#ifndef KL_CORE_ACTIONS_H
#define KL_CORE_ACTIONS_H

#include "core/engine_state.h"

void kl_actions_of_conn(kloop_engine *e, kl_conn *c, uint32_t bit);
/* It is not to be given any more. */
void kl_actions_take_back(kl_conn *c, uint32_t bit);
void kl_actions_of_broker(kloop_engine *e, kl_broker *b, uint32_t bit);
/* The next one; false: none. */
bool kl_actions_take(kloop_engine *e, kloop_action *action);

#endif

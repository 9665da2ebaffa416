/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connections before there are records: to the leaders of a topic's partitions, or to all brokers.
 *
 *     asked --> WAITING --all are ready, or it is hopeless, or late, or the producer ends--> OVER
 *                 ^  |                                                                    |
 *                 +--+ a broker is ready or lost, an answer to Metadata was taken        WARM
 *
 * What keeps a connection from coming about does not end a warm-up, its timeout does: connections
 * are tried again meanwhile as for a record. Hopeless is a topic that was refused for good.
 *
 * The engine owns the warm-ups, also those that are over until their WARM was taken.
 */
#ifndef KL_CORE_WARM_UP_H
#define KL_CORE_WARM_UP_H

#include "core/engine_state.h"

kloop_status kl_warm_up_begin(kloop_engine *e, kloop_topic *topic, uint64_t timeout_ms, void *user);
/* Something has changed that a warm-up may wait for. */
static inline void kl_warm_up_look(kloop_engine *e)
{
    if (!kl_list_is_empty(&e->warm_ups))
        e->warm_look = e->stirred = true;
}
/* Looks after those that wait, if that makes sense; true: something was done. */
bool kl_warm_up_step(kloop_engine *e);
void kl_warm_up_timer(kloop_engine *e, kl_timer *timer);
/* All that wait are over: the producer ends. */
void kl_warm_up_end(kloop_engine *e);
/* The topic is about to go: those for it are over. */
void kl_warm_up_forget(kloop_engine *e, const kloop_topic *topic);
bool kl_warm_up_pending(const kloop_engine *e);
/* The next WARM; false: none. */
bool kl_warm_up_take(kloop_engine *e, kloop_action *action);
void kl_warm_up_del_all(kloop_engine *e);

#endif

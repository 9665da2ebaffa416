/* SPDX-License-Identifier: BSD-2-Clause */
/* Leaders that Produce answers name. See leader_hints.h. */
#include "core/leader_hints.h"

#include "core/known_brokers.h"
#include "core/readiness.h"

#include <kloop/broker_error.h>

/* Once in so long a hint may do what costs somebody something. */
#define BELIEF_NS (1000 * KL_MS)

static bool is_refusal_of_no_leader(int16_t code)
{
    return code == KLOOP_BROKER_NOT_LEADER_OR_FOLLOWER || code == KLOOP_BROKER_FENCED_LEADER_EPOCH;
}

/* Where node is, by the answer's own list; only this one of them is added to what is known. */
static kl_broker *meet(kloop_engine *e, int32_t node, const kloop_array *endpoints)
{
    kl_broker *b = kl_known_broker(e, node);
    if (b && b->known)
        return b;
    /* Each costs a connection. A broker that is new to everybody but the one who tells of it is
     * rare; somebody who names new ones all the time is lying. */
    if (e->now.mono_ns < e->meet_at)
        return NULL;
    kloop_node_endpoint at;
    for (kloop_iter i = kloop_iterate(endpoints); kloop_next(&i, &at);) {
        if (at.node_id != node)
            continue;
        if (kl_known_is_taken(e, at.host, at.port))
            return NULL;
        e->meet_at = kl_time_add(e->now.mono_ns, BELIEF_NS);
        return kl_known_node(e, node, at.host, at.port);
    }
    return NULL;
}

static void follow(kloop_engine *e, kl_partition *p, const kloop_leader_hint *hint,
                   const kloop_array *endpoints)
{
    if (hint->leader_id < 0 || hint->leader_epoch < 0 ||
#ifndef KL_PLANT_HINT_OF_ANY_EPOCH
        hint->leader_epoch <= p->topic->leaders[p->index].epoch ||
#endif
        !meet(e, hint->leader_id, endpoints))
        return;
    uint64_t backoff_until = p->backoff_until;
    kl_topics_set_leader(e, p->topic, p->index, hint->leader_id, hint->leader_epoch);
    p->spares = e->now.mono_ns >= p->hint_at;
    if (p->spares) {
        p->hint_at = kl_time_add(e->now.mono_ns, BELIEF_NS);
        return;
    }
    p->backoff_until = backoff_until;
    kl_readiness_update(e, p);
}

void kl_leader_hints_take(kloop_engine *e, const kl_conn *c, kl_partition *p,
                          const kloop_produce_partition_response *answer,
                          const kloop_array *endpoints)
{
    if (!is_refusal_of_no_leader(answer->error_code))
        return;
    /* A topic that was made anew has epochs of its own. */
    if (!p->flight_former)
        follow(e, p, &answer->current_leader, endpoints);
    /* The one behind a batch whose refusal has told of the new leader. */
    if (p->flight_old && p->spares && p->leader && p->leader != c->broker) {
        p->backoff_until = 0;
        kl_readiness_update(e, p);
    }
}

/* SPDX-License-Identifier: BSD-2-Clause */
/* The queue of actions. See actions.h. */
#include "core/actions.h"

void kl_actions_of_conn(kloop_engine *e, kl_conn *c, uint32_t bit)
{
    c->pending |= bit;
    e->stirred = true;
    if (!kl_link_is_linked(&c->in_actions))
        kl_list_push_back(&e->conn_actions, &c->in_actions);
}

void kl_actions_take_back(kl_conn *c, uint32_t bit)
{
    c->pending &= ~bit;
    if (!c->pending && kl_link_is_linked(&c->in_actions))
        kl_list_remove(&c->in_actions);
}

void kl_actions_of_broker(kloop_engine *e, kl_broker *b, uint32_t bit)
{
    b->pending |= bit;
    e->stirred = true;
    if (!kl_link_is_linked(&b->in_actions))
        kl_list_push_back(&e->broker_actions, &b->in_actions);
}

static bool of_broker(kloop_engine *e, kloop_action *a)
{
    kl_link *at = kl_list_first(&e->broker_actions);
    if (!at)
        return false;
    kl_broker *b = KL_CONTAINER_OF(at, kl_broker, in_actions);
    uint32_t bit = b->pending & (~b->pending + 1);
    b->pending &= ~bit;
    if (!b->pending)
        kl_list_remove(at);
    *a = (kloop_action){
        .kind = bit == KL_PENDING_RESOLVE ? KLOOP_ACT_RESOLVE : KLOOP_ACT_CANCEL,
        .id = b->resolving,
        .host = {b->host, b->host_len},
        .port = b->port,
    };
    return true;
}

static kloop_action_kind kind_of(uint32_t bit)
{
    switch (bit) {
    case KL_PENDING_CONNECT:
        return KLOOP_ACT_CONNECT;
    case KL_PENDING_WRITE:
        return KLOOP_ACT_WRITE;
    case KL_PENDING_PAUSE:
        return KLOOP_ACT_PAUSE;
    case KL_PENDING_RESUME:
        return KLOOP_ACT_RESUME;
    default:
        return KLOOP_ACT_CLOSE;
    }
}

bool kl_actions_take(kloop_engine *e, kloop_action *a)
{
    if (of_broker(e, a))
        return true;
    kl_link *at = kl_list_first(&e->conn_actions);
    if (!at)
        return false;
    kl_conn *c = KL_CONTAINER_OF(at, kl_conn, in_actions);
    uint32_t bit = c->pending & (~c->pending + 1);
    c->pending &= ~bit;
    if (!c->pending)
        kl_list_remove(at);
    const kl_broker *b = c->broker;
    *a = (kloop_action){
        .kind = kind_of(bit),
        .id = c->id,
        .address = c->address,
        .host = {b->host, b->host_len},
        .port = b->port,
        .text = c->why,
    };
    return true;
}
